"""Models of a Keras script: Striate's own, made and changed in the words of each version."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from ...core.graph import Graph
from ...core.layer import Layer
from ...core.symbol import Input, Symbol
from ...errors import caller
from ...model import Model, Sequential
from ..table import DialectError
from . import (
    branching,
    files as keras_files,
    keyed,
    layers as keras_layers,
    own_names,
    summary as keras_summary,
)
from .about import Reported
from .custom import contained, given, phase, track, words_of_mode
from .eager import Steps
from .extra import Merging
from .latched import learnt
from .modes import computed
from .order import InputLayer, Stack, is_operation, listed
from .penalised import Added
from .session import KerasSession
from .tf_objects import Anything
from .verbs import Spoken


class Shaped(Reported, Steps, Spoken):
    """What models of a script have besides the verbs: summary, files, changes."""

    def summary(  # type: ignore[override]
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        **words: Any,
    ) -> None:
        """Print the table as the version lays it out."""
        for line in keras_summary.lines(self, self.session, line_length, positions):
            (print_fn or print)(line)

    @property
    def input(self) -> Any:
        """The input, or a list of them."""
        return self.inputs[0] if len(self.inputs) == 1 else list(self.inputs)

    @property
    def output(self) -> Any:
        """The output, or a list of them."""
        return self.outputs[0] if len(self.outputs) == 1 else list(self.outputs)

    @property
    def outputs(self) -> tuple[Symbol, ...]:
        """Symbols where the network ends; old scripts set others after `model.layers.pop()`."""
        return self.graph.outputs

    @outputs.setter
    def outputs(self, symbols: Any) -> None:
        ends = tuple(symbols) if isinstance(symbols, (list, tuple)) else (symbols,)
        if ends != self.graph.outputs:
            made = Graph(self.graph.inputs, ends, self.where)
            self._modules = {}
            self._graph = None
            self._adopt(made)

    @property
    def trainable_weights(self) -> list[Tensor]:
        """Weights that training changes; of what is frozen as a whole, none."""
        known = learnt(self)
        return [weight for weight in self.weights if known.get(id(weight), False)]

    @property
    def non_trainable_weights(self) -> list[Tensor]:
        """The other weights."""
        known = learnt(self)
        return [weight for weight in self.weights if not known.get(id(weight), False)]

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs."""
        return [symbol.name for symbol in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs."""
        return list(self.graph.output_names)

    def build(self, *x: Any, input_shape: Any = None) -> None:
        """Create the weights for a batch of this shape."""
        if not x and input_shape is None and self._graph is not None:
            return
        track(self)
        super().build(*(x or (tuple(input_shape),)))
        if deferred := vars(self).pop("deferred", None):
            keras_files.load_weights(self, deferred[0], self.session, by_name=deferred[1])

    def get_config(self) -> dict[str, Any]:
        """Return the network as plain values."""
        config: dict[str, Any] = keras_files.description(self, self.session)["config"]
        return config

    @classmethod
    def from_config(cls, config: Any, custom_objects: Any = None) -> Any:
        """Return the network of plain values, with new weights."""
        kind = "Sequential" if issubclass(cls, Sequential) else "Functional"
        kind = keras_files.KEPT if "number" in config else kind
        document = {"class_name": kind, "config": config}
        return keras_files.from_description(document, cls.session, custom_objects or {})

    def to_json(self, **words: Any) -> str:
        """Return the network as JSON."""
        return keras_files.to_json(self, self.session)

    def to_yaml(self, **words: Any) -> str:
        """Return the network as JSON, which is YAML."""
        return keras_files.to_json(self, self.session)

    def save(  # type: ignore[override]
        self,
        filepath: Any,
        overwrite: bool = True,
        include_optimizer: bool = True,
        **words: Any,
    ) -> None:
        """Write the model to a file."""
        keras_files.save(self, filepath, self.session, compiled=include_optimizer)

    def save_weights(self, filepath: Any, overwrite: bool = True, **words: Any) -> None:  # type: ignore[override]
        """Write the weights to a file."""
        keras_files.save_weights(self, filepath, self.session)

    def load_weights(self, filepath: Any, by_name: bool = False, **words: Any) -> Any:  # type: ignore[override]
        """Read the weights from a file; of TensorFlow's checkpoints, return what was found.

        A model whose shapes are not known yet takes them once they are.
        """
        bare = self._graph is None and not any(True for _ in self.parameters())
        if bare and Path(str(filepath)).is_file():
            vars(self)["deferred"] = (filepath, by_name)
        else:
            keras_files.load_weights(self, filepath, self.session, by_name=by_name)
        return Anything() if self.session.version.name == "tf" else None

    def export(self, filepath: Any, **words: Any) -> None:
        """Say where networks for other programs are written."""
        raise DialectError(
            "model.export",
            "writes no files for TensorFlow",
            got=str(filepath),
            fix="model.save('model.keras'), which Keras reads",
            at=caller(),
        )

    def compute_mask(self, *args: Any) -> None:
        """Return no mask."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        make, args, state, *_ = Layer.__reduce_ex__(self, 4)
        made = memo[id(self)] = make(*args)
        made.__setstate__(copy.deepcopy(state, memo))
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        return keras_files.pickled(self, self.session)

    def get_layer(self, name: Any = None, index: Any = None) -> Layer:
        """Return the layer of this name, or at this index."""
        if isinstance(name, int):
            name, index = None, name
        return super().get_layer(name, index)

    def make_predict_function(self) -> Any:
        """Return the function that predicts, which old scripts prepare for threads."""
        return self.predict

    _make_predict_function = make_predict_function


def _unnested(ends: Any) -> Any:
    """Return inputs or outputs without lists in a list, as in `Model([model.inputs], ...)`."""
    if isinstance(ends, (list, tuple)) and any(isinstance(one, (list, tuple)) for one in ends):
        return [one for some in ends
                for one in (some if isinstance(some, (list, tuple)) else [some])]  # fmt: skip
    return ends


def names(session: KerasSession) -> dict[str, Any]:
    """Return the names of `keras.models`; the classes hold the session of the script."""
    scope = session

    class KerasModel(Shaped):
        """Model of a script: of symbols, or with a `call` of its own."""

        session = scope

        def __init__(self, *args: Any, **words: Any) -> None:
            old = {"input": "inputs", "output": "outputs"}
            words = {old.get(key, key): value for key, value in words.items()}
            for word in ("dtype", "dynamic", "trainable", "activity_regularizer"):
                words.pop(word, None)
            given = list(args)
            if (len(given) == 1 and isinstance(given[0], str)) or len(given) == 3:
                words["name"] = given.pop()
            words["name"] = words.get("name") or ""
            self.start()
            words |= dict(zip(("inputs", "outputs"), given, strict=False))
            words |= {word: _unnested(words[word]) for word in ("inputs", "outputs")
                      if word in words}  # fmt: skip
            Model.__init__(self, **keyed.taken(self, words))
            if not self.name:
                own = type(self) is not KerasModel
                self.rename(
                    scope.name(_snake(type(self).__name__) if own else scope.version.words[1])
                )

        def call(self, *x: Any, **words: Any) -> Any:
            """Walk the graph; a script's own model says what it computes."""
            return Model.forward(self, *x)

        @property
        def layers(self) -> list[Any]:
            """The layers as Keras lists them; up to Keras 2.3 `pop` of the list counts."""
            if self._own or self._graph is None:
                return Model.layers.fget(self)  # type: ignore[attr-defined]
            kept: Any = vars(self).get("listing")
            if kept is None or kept[0] is not self._graph:
                found = listed(self._graph)
                if scope.version.name == "keras3":
                    found = [layer for layer in found if not is_operation(layer)]
                kept = (self._graph, found)
                object.__setattr__(self, "listing", kept)
            return kept[1] if scope.version.edits_layers else list(kept[1])

        def _adopt(self, graph: Graph) -> None:
            """Take a graph; outputs of code are called by their keys, else by their number."""
            if self._own and len(graph.outputs) > 1:
                numbered = [f"output_{index}" for index in range(1, len(graph.outputs) + 1)]
                known = () if scope.version.name == "keras3" else numbered
                graph.called = vars(self).get("keys_out") or known
            super()._adopt(graph)

        @property
        def weights(self) -> list[Tensor]:
            """The weights, layer by layer as `layers` lists them."""
            found: dict[int, Tensor] = {id(one): one for one in Layer.weights.fget(self)}  # type: ignore[attr-defined]
            if self._own or self._graph is None:
                return list(found.values())
            first = {id(one): one for layer in listed(self._graph) for one in layer.weights}
            return list((first | found).values())

        @property
        def _own(self) -> bool:
            """Whether the script has written `call`."""
            return type(self).call is not KerasModel.call

        def forward(self, *x: Tensor) -> Any:
            """Run the script's `call`, or walk the graph."""
            told = vars(self).get("told")
            if (self.runs_graph and not told) or not self._own:
                return Model.forward(self, *x)
            object.__setattr__(self, "added", Added())
            with phase(scope, self.training):
                mode = words_of_mode(self.call, self.training)
                x = keyed.keyed(self, x)
                out = computed(self, x, mode) if told else self.call(*given(x, self.call), **mode)
            return keyed.plain(self, out)

        def _answers(self, x: Sequence[Tensor]) -> tuple[Any, ...]:
            """Return what the code gives for a batch in inference."""
            with phase(scope, False):
                taken = given(keyed.keyed(self, tuple(x)), self.call)
                out = keyed.plain(self, self.call(*taken, **words_of_mode(self.call, False)))
            return tuple(out) if isinstance(out, (list, tuple)) else (out,)

        def trace(self, *inputs: Symbol) -> tuple[Symbol, ...]:
            """Return the outputs: `call` on symbols gives the layers one by one, where it can."""
            if not self._own or vars(self).get("told"):
                return super().trace(*inputs)
            try:
                taken: Any = keyed.keyed(self, inputs)
                out = self.call(*given(taken, self.call), **words_of_mode(self.call, True))
                out = keyed.plain(self, out)
                several = tuple(out) if isinstance(out, (list, tuple)) else (out,)
                graph = Graph(inputs, several, self.where)
                if branching.asks(type(self), KerasModel) and not branching.tells(
                    graph, self, self._answers
                ):
                    return super().trace(*inputs)
            except Exception:  # code that wants numbers, or gives something that is no symbol
                return super().trace(*inputs)
            self.runs_graph = True
            return several

        def __init_subclass__(cls, **words: Any) -> None:
            super().__init_subclass__(**words)
            own_names.share(KerasModel, cls)

        def __setattr__(self, key: str, value: Any) -> None:
            kept = contained(value)
            if not own_names.put(KerasModel, self, key, kept):
                super().__setattr__(key, kept)

    class KerasSequential(Shaped, Sequential):
        """Sequential of a script."""

        session = scope

        def __init__(self, layers: Iterable[Any] | None = None, name: str | None = None,
                     trainable: bool = True) -> None:  # fmt: skip
            self.start()
            object.__setattr__(self, "starts", None)
            Sequential.__init__(self, (), name=name or "")
            if not name:
                self.rename(scope.name("sequential"))
            for layer in layers or ():
                self.add(layer)

        @property
        def layers(self) -> list[Any]:
            """The layers in order; up to Keras 2.3 `pop` of the list counts."""
            edits = scope.version.edits_layers
            return Stack(self, self._stack) if edits else list(self._stack)

        def add(self, layer: Any) -> None:
            """Append a layer; the first one may say what the input is, or merge models."""
            if isinstance(layer, Merging):
                self._merge(layer)
                return
            if isinstance(layer, InputLayer):  # of another model's layers
                spec = layer.symbol.spec
                layer = Input(spec.shape, spec.dtype, data_format=spec.data_format, name=layer.name)
            if not self._stack and not isinstance(layer, Symbol):
                start = keras_layers.first_input(scope, layer)
                if start is not None:
                    self._ends = []  # the input of layers that were removed since
                    Sequential.add(self, start)
            Sequential.add(self, layer)
            keras_layers.put_weights(scope, layer)

        def _merge(self, layer: Merging) -> None:
            """Begin with the outputs of models that are merged."""
            branches = layer.layers
            object.__setattr__(self, "starts", tuple(s for b in branches for s in b.inputs))
            self._ends = [layer([branch.outputs[0] for branch in branches])]
            self._rebuild()

        def _rebuild(self) -> None:
            if self.starts and self._ends:
                self._modules = {}
                self._graph = None
                starts: Any = self.starts
                self._adopt(Graph(starts, self._ends[-1:], self.where))
            else:
                Sequential._rebuild(self)

        def trace(self, *inputs: Symbol) -> tuple[Symbol, ...]:
            """Return the output for this input, with weights that were given put in."""
            out = Sequential.trace(self, *inputs)
            for layer in self._stack:
                keras_layers.put_weights(scope, layer)
            return out

    def clone_model(model: Any, input_tensors: Any = None, clone_function: Any = None) -> Any:
        """Return a model of the same layers with weights of its own."""
        return keras_files.clone(model, scope)

    def load_model(filepath: Any, custom_objects: Mapping[str, Any] | None = None,
                   compile: bool = True, **words: Any) -> Any:  # fmt: skip
        """Return the model of a file."""
        known = {**scope.custom, **(custom_objects or {})}
        return keras_files.load(filepath, scope, known, compiles=compile)

    def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Return the model that JSON describes."""
        return keras_files.from_json(json_string, scope, {**scope.custom, **(custom_objects or {})})

    KerasModel.__name__ = "Functional" if scope.version.name in ("tf", "keras3") else "Model"
    KerasSequential.__name__ = "Sequential"
    scope.classes.update(Model=KerasModel, Sequential=KerasSequential)
    return {
        "Model": KerasModel, "Sequential": KerasSequential, "load_model": load_model,
        "save_model": lambda model, filepath, *args, **words: model.save(filepath, *args, **words),
        "model_from_json": model_from_json, "model_from_yaml": model_from_json,
        "model_from_config": lambda config, **w: keras_files.from_description(config, scope, {}),
        "clone_model": clone_model,
    }  # fmt: skip


def _snake(name: str) -> str:
    from ...core.layer import snake

    return snake(name)
