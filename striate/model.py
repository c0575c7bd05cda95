"""Model and Sequential: the face that users hold; each verb hands over to the room that works."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor, nn
from typing_extensions import Self

from .core.arguments import required, verb
from .core.graph import Graph
from .core.layer import Layer, as_tensor, free_name, one_or_all
from .core.spec import Shape, Spec, checked_shape, fits, show
from .core.symbol import Input, Symbol, ends
from .data.fit import check_batch
from .engine import loop, range_test
from .engine.plans import lower_model
from .engine.predictor import Predictor
from .engine.progress import say
from .engine.setup import Setup, compile_model
from .errors import ConfigError, StoreError, StriateError, caller, nearest
from .inspect.explain import explain
from .inspect.summary import print_summary
from .layers import faithful, foreign
from .layers.in_layers import in_layers, refused, same
from .layers.wrap import Opaque
from .store import formats, keras_state, keras_training

Symbols = Symbol | Sequence[Symbol]


class Model(Layer):
    """A network, made of inputs and outputs, or written as a subclass with its own `forward`.

    `Model(inputs, outputs)` takes the symbols where the network begins and ends. A subclass creates
    its layers in `__init__` and calls them in `forward`; its shapes are known after the first call,
    `fit` or `build`. A model is a layer: it can be called, and be a part of another model.

    Example:
        >>> x = Input((28, 28, 1))
        >>> model = Model(x, x)
        >>> model(np.zeros((2, 28, 28, 1))).shape
        torch.Size([2, 28, 28, 1])
    """

    runs_graph = False  # whether forward is the walk over `graph` (else it is the user's own code)
    stop_training = False  # set by a hook to end `fit` after the epoch, as in Keras
    counts_frozen = False  # whether the loss has penalties on weights that are not trained

    if TYPE_CHECKING:
        _graph: Graph | None
        _lines: list[foreign.Line]  # of the user's own code, as the graph was made of it
        _predictor: Predictor | None
        setup: Setup | None  # optimizer, loss and metrics: what compile was given

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Prepare the graph's place, also for a subclass that does not call the constructor."""
        self = super().__new__(cls, *args, **kwargs)
        self._graph = None
        self._lines = []
        self.setup = None
        object.__setattr__(self, "_predictor", None)
        return self

    def __init__(
        self, inputs: Symbols | None = None, outputs: Symbols | None = None, *, name: str = ""
    ) -> None:
        super().__init__(name=name)
        if (inputs is None) != (outputs is None):
            raise ConfigError(
                self.where, "needs both inputs and outputs", fix="st.Model(x, y)", at=caller()
            )
        if inputs is not None and outputs is not None:
            self.runs_graph = True
            self._adopt(Graph(ends(self.where, inputs), ends(self.where, outputs), self.where))

    # ---- train, test, use ------------------------------------------------------------------------

    compile = verb(compile_model)  # type: ignore[arg-type]  # nn.Module has another compile
    fit = verb(loop.fit)
    evaluate = verb(loop.evaluate)
    predict = verb(loop.predict)
    train_on_batch = verb(loop.train_on_batch)
    test_on_batch = verb(loop.test_on_batch)
    predict_on_batch = verb(loop.predict_on_batch)
    find_lr = verb(range_test.find_lr)

    @property
    def predictor(self) -> Predictor:
        """What computes outputs through native plans, with the weights of the moment."""
        if self._predictor is None:
            object.__setattr__(self, "_predictor", Predictor(self))
        assert self._predictor is not None
        return self._predictor

    # ---- look ------------------------------------------------------------------------------------

    summary = print_summary
    explain = explain
    lower = lower_model

    # ---- keep ------------------------------------------------------------------------------------

    save = formats.save
    save_weights = formats.save_weights
    load_weights = formats.load_weights

    # ---- structure -------------------------------------------------------------------------------

    @property
    def graph(self) -> Graph:
        """The traced calls; raises ConfigError while the input's shape is not known."""
        if self._graph is None:
            raise ConfigError(
                self.where,
                "the input's shape is not known yet",
                fix="begin with L.Input((28, 28, 1)), or call model.build((None, 28, 28, 1))",
            )
        return self._graph

    @property
    def inputs(self) -> tuple[Symbol, ...]:
        """Symbols where the network begins."""
        return self.graph.inputs

    @property
    def outputs(self) -> tuple[Symbol, ...]:
        """Symbols where the network ends."""
        return self.graph.outputs

    @property
    def input_shape(self) -> Any:
        """Shape of the input with None for the batch (a tuple of them if several)."""
        return one_or_all(tuple(symbol.shape for symbol in self.inputs))

    @property
    def output_shape(self) -> Any:
        """Shape of the output with None for the batch (a tuple of them if several)."""
        return one_or_all(tuple(symbol.shape for symbol in self.outputs))

    @property
    def layers(self) -> list[Layer]:
        """Layers in the order of their first call, without the inputs."""
        if self.runs_graph:
            return list(self.graph.layers.values())
        return [child for child in self.children() if isinstance(child, Layer)]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return the layer of this name, or at this index of `layers`."""
        if index is not None:
            return self.layers[index]
        names = {layer.name: layer for layer in self.layers}
        if name not in names:
            raise ConfigError(
                self.where,
                f"has no layer {name!r}",
                need="one of " + ", ".join(names),
                fix=nearest(name, names),
            )
        return names[str(name)]

    @classmethod
    def from_torch(
        cls,
        module: nn.Module,
        input_shape: Shape,
        *,
        data_format: str = "channels_first",
        name: str = "",
    ) -> Model:
        """Return a model that trains, is inspected and saved like any other, around a torch module.

        `input_shape` is that of one sample, (C, H, W) as torch has it. The module is used as it is:
        its weights are trained in place.
        """
        from .torch_model import TorchModel  # which is a Model itself

        return TorchModel(module, input_shape, data_format=data_format, name=name)

    # ---- a model is a layer ----------------------------------------------------------------------

    def _apply(self, fn: Any, recurse: bool = True) -> Self:
        """Bring the weights elsewhere, or into another dtype; plans made for them are gone then."""
        object.__setattr__(self, "_predictor", None)
        applied: Self = super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return applied

    def build(self, *x: Any) -> None:
        """Create the weights for a batch of this shape: `model.build((None, 28, 28, 1))`."""
        specs = tuple(self._spec(item) for item in x)
        if self._graph is None:
            inputs = tuple(Input(s.shape, s.dtype, data_format=s.data_format) for s in specs)
            self._adopt(Graph(inputs, self.trace(*inputs), self.where))
            if not self.runs_graph:
                self._lines = faithful.written(self._code, inputs)
        self.specs = specs
        object.__setattr__(self, "built", True)

    def trace(self, *inputs: Symbol) -> tuple[Symbol, ...]:
        """Return the outputs for these inputs, with every layer built."""
        return _traced(self._code, inputs)

    @property
    def _code(self) -> nn.Module:
        """The module whose code the graph was traced from."""
        return self

    def untold(self) -> str:
        """Return what of `forward` the graph does not tell, or an empty string if it tells all."""
        if self.runs_graph:
            return ""
        return faithful.untold(self._code, self._lines, self.inputs)

    def in_layers(self) -> Model:
        """Return the network as a model of layers with the same weights, which a file can hold.

        That is the model itself, but for one of a torch module or with a `forward` of its own.

        Raises: StoreError for what a file cannot hold, with the part of the code that it is.
        """
        if self._graph is None and not self.runs_graph:
            raise StoreError(
                self.where,
                "is code whose input shape is not known yet, so that a file cannot hold it",
                fix="call model.build((None, 28, 28, 1)), or model.save_weights(path)",
            )
        if not self._is_code():
            return self
        if untold := self.untold():
            raise refused(self.where, untold, self._code)
        made = Model(*in_layers(self.where, self.graph), name=self.name)
        made.train(self.training)
        if not same(self, made, self.inputs):
            raise refused(self.where, "code that its layers do not tell", self._code)
        return made

    def _is_code(self) -> bool:
        """Return whether the network, or a part of it, is code that its layers may tell."""
        names = self.graph.names
        renamed = any(names.get(part, name) != name for name, part in self._modules.items())  # type: ignore[call-overload]
        inside = [part._is_code() for part in names if isinstance(part, Model)]
        unfolds = [type(part).unfolded is not Layer.unfolded for part in names]
        return not self.runs_graph or renamed or any(inside) or any(unfolds)

    def infer(self, *x: Spec) -> Any:
        """Return the specs of the outputs for other inputs than the graph's own."""
        specs = self.graph.run(x, lambda node, values: node.layer.infer(*values))
        return one_or_all(specs)

    def macs(self, *specs: Spec) -> int:
        """Return the sum of the layers' multiply-accumulates for one sample."""
        return sum(
            node.layer.macs(*(symbol.spec for symbol in (*node.inputs, *node.outputs)))
            for node in self.graph.nodes
        )

    def forward(self, *x: Tensor) -> Any:
        """Walk the graph; a subclass writes its own."""
        out = self.graph.run(x, lambda node, values: node.layer(*values))
        return one_or_all(out)

    @property
    def activation_name(self) -> str:
        """Name of the activation that the network ends with, or an empty string."""
        last = self.graph.outputs[0].node if self._graph and len(self.graph.outputs) == 1 else None
        return last.layer.activation_name if last is not None else ""

    def before_activation(self, *x: Tensor) -> Any:
        """Return the output without the activation that the network ends with: the logits."""
        last = self.graph.outputs[0].node
        return self.graph.run(
            x,
            lambda node, values: (
                node.layer.before_activation(*values) if node is last else node.layer(*values)
            ),
        )[0]

    def _taken(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return batches as tensors where the weights are, checked against the inputs."""
        tensors = super()._taken(args)
        if self._graph is not None and all(isinstance(item, Tensor) for item in tensors):
            begun = [self.graph.inputs, *(call.inputs for call in self.calls)]  # as it was called
            taken = [tuple(symbol.spec for symbol in symbols) for symbols in begun]
            sizes = [tuple(item.shape[1:]) for item in tensors]
            fitting = (
                specs
                for specs in taken[1:]
                if len(specs) == len(sizes)
                and all(fits(one.shape, size) for one, size in zip(specs, sizes, strict=True))
            )
            tensors = check_batch(self.where, next(fitting, taken[0]), tensors)
        return tensors

    def _given(self, arg: Any) -> Any:
        if isinstance(arg, (np.ndarray, list)):
            return as_tensor(arg, next((weight.device for weight in self.weights), None))
        if isinstance(arg, (str, Path)):
            raise ConfigError(
                self.where,
                f"was called on the text {str(arg)!r}",
                need="a tensor or an array, batch first",
                fix=f"model.predict({str(arg)!r}), which reads image files",
                at=caller(),
            )
        return super()._given(arg)

    def _spec(self, item: Any) -> Spec:
        if isinstance(item, Spec):
            return item
        shape = checked_shape(self.where, item)
        if len(shape) < 2:
            raise ConfigError(
                self.where,
                "build takes the shape of a batch",
                got=show(shape),
                fix=f"model.build({show((None, *shape)).replace('?', 'None')})",
            )
        return Spec(shape[1:])

    def _adopt(self, graph: Graph) -> None:
        self._graph = graph
        object.__setattr__(self, "_predictor", None)
        if self.runs_graph:
            for name, layer in graph.layers.items():
                self._modules[name] = layer  # not add_module: a layer may be called "train"
            self.specs = tuple(symbol.spec for symbol in graph.inputs)
            object.__setattr__(self, "built", True)


class Sequential(Model):
    """A network that is one layer after another.

    Begins with `L.Input(shape)`; without it, the shapes are those of the first data it sees.

    Example:
        >>> from striate import layers as L
        >>> model = Sequential([L.Input((28, 28, 1)), L.Flatten(), L.Dense(10)])
        >>> model.output_shape
        (None, 10)
    """

    runs_graph = True

    def __init__(self, layers: Iterable[Any] = (), *, name: str = "") -> None:
        super().__init__(name=name)
        self._stack: list[Layer] = []
        self._ends: list[Symbol] = []  # the input, then the output of each layer; empty: not known
        for layer in layers:
            self.add(layer)

    def add(self, layer: Any) -> None:
        """Append a layer; if the input's shape is known, its shapes are checked at once."""
        if isinstance(layer, Symbol):
            if self._stack or self._ends or layer.node is not None:
                raise ConfigError(
                    self.where,
                    "only an Input can be the first, and only the first",
                    got=repr(layer),
                    fix=f"leave out L.Input({layer.spec})"
                    if layer.node is None
                    else "begin with L.Input(shape), then layers",
                    at=caller(),
                )
            self._ends = [layer]
            return
        if isinstance(layer, nn.Module) and not isinstance(layer, Layer):
            layer = foreign.TorchModule(layer)
        if not isinstance(layer, Layer):
            raise ConfigError(
                self.where,
                f"{layer!r} is not a layer",
                need="a layer, a torch.nn.Module or L.Input(shape)",
                fix=required(layer) if isinstance(layer, type) else "",
                at=caller(),
            )
        if not layer.name:
            layer.rename(free_name(layer, self._stack))
        if self._ends:
            self._ends.append(layer(self._ends[-1]))
        self._stack.append(layer)
        self._rebuild()

    def adopt(self, end: Symbol, layers: Sequence[Layer]) -> None:
        """Take over layers that were already called one after the other, giving `end` at last."""
        self._stack, self._ends = list(layers), [end]
        for _ in layers:
            node = self._ends[0].node
            assert node is not None
            self._ends.insert(0, node.inputs[0])
        self._rebuild()

    def pop(self) -> Layer:
        """Remove the last layer and return it."""
        if not self._stack:
            raise ConfigError(self.where, "has no layer to remove", at=caller())
        layer = self._stack.pop()
        self._ends = self._ends[:-1]
        self._rebuild()
        return layer

    @property
    def layers(self) -> list[Layer]:
        """Layers in order."""
        return list(self._stack)

    def trace(self, *inputs: Symbol) -> tuple[Symbol, ...]:
        """Return the output for this input, with every layer built."""
        self._ends = [inputs[0]]
        for layer in self._stack:
            self._ends.append(layer(self._ends[-1]))
        return (self._ends[-1],)

    def _rebuild(self) -> None:
        self._modules = {layer.name: layer for layer in self._stack}
        self._graph = None
        if self._ends:
            self._adopt(Graph(self._ends[:1], self._ends[-1:], self.where))


def _traced(module: nn.Module, inputs: tuple[Symbol, ...]) -> tuple[Symbol, ...]:
    """Return the outputs of a network written as code; say where its code cannot be followed."""
    out = foreign.trace(module, inputs)
    if out[0].node is not None and isinstance(out[0].node.layer, Opaque):
        say(
            f"note: the code of {type(module).__name__} cannot be followed, so that its layers are "
            "shown as one; it trains all the same"
        )
    return out


def load(path: str | Path, custom: Mapping[str, Any] | None = None) -> Model:
    """Return the model of a `.striate`, `.keras` or `.h5` file, or of the folder of a run.

    A Keras file is read without Keras, and no code is taken from it; the model is compiled as the
    file says. `custom` gives classes that the file names and this package does not have:
    {"Scale": Scale}.

    Raises: StoreError for a file that is damaged, of another version, or holds unknown layers.
    """
    path = Path(path)
    found = formats.load(path / "model.striate" if path.is_dir() else path, make, custom)
    model = found.model
    assert isinstance(model, Model)
    if found.training:
        try:
            model.compile(**keras_training.compile_words(found.training))
            if found.state and not keras_state.restore(found.state, model, model):
                found.notes.append(keras_state.LOST)
        except Exception as error:  # a file may say anything; the network is there all the same
            reason = error.what if isinstance(error, StriateError) else str(error)
            found.notes.append(f"the model is not compiled as the file says: {reason}")
    for note in found.notes:
        say(f"note: {note}")
    return model


def make(
    kind: str,
    inputs: tuple[Symbol, ...],
    outputs: tuple[Symbol, ...],
    layers: list[Layer],
    name: str,
) -> Model:
    """Return a model of traced calls: what reading a file ends with."""
    if kind != "Sequential":
        return Model(inputs, outputs, name=name)
    model = Sequential(name=name)
    model.adopt(outputs[0], layers)
    return model
