"""Module: what a BigDL script calls a layer; and Node, a call of one in a graph."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ...core.spec import Spec
from ...core.symbol import Input, Symbol
from ...errors import StoreError, caller, nearest
from ...model import Model
from ...store import model_file
from ..table import DialectError
from .arithmetic import Arithmetic
from .layouts import Array
from .real_spark import rdd_like
from .session import BigdlSession

if TYPE_CHECKING:
    from .leaf import Leaf

LAYOUT = "channels_first"


class UnknownWordError(DialectError, AttributeError):
    """An object of BigDL has no such method here; `hasattr` gives False."""


def unknown(where: str, item: object, word: str) -> AttributeError:
    """Return the error for a method that an object has not."""
    if word.startswith("_"):
        return AttributeError(f"{type(item).__name__!r} object has no attribute {word!r}")
    words = [one for one in dir(type(item)) if not one.startswith("_")]
    return UnknownWordError(
        where,
        f"has no method {word!r} here",
        need="one of " + ", ".join(words),
        fix=nearest(word, words),
        at=caller(),
    )


class Node(Arithmetic):
    """A call of a module on the values of other nodes; without any, it is an input."""

    def __init__(self, module: Module, before: Sequence[Node] = ()) -> None:
        self.module, self.before = module, tuple(before)
        self.symbol: Symbol | None = None  # in the Keras-style API, whose shapes are known

    def element(self) -> Module:
        """Return the module."""
        return self.module

    def get_output_shape(self) -> Any:
        """Return the shape in the Keras-style API, None for the batch."""
        return None if self.symbol is None else self.symbol.shape

    shape = property(get_output_shape)
    node = property(lambda self: self)


class Module:
    """A layer or a network of BigDL, computed by native layers.

    `connect` puts it behind symbols; a native model of it is made for each shape of input, and all
    of them share the native layers. It is in training mode until `evaluate()`.
    """

    kind = "Module"

    def __init__(self, session: BigdlSession, name: str | None = None) -> None:
        self.session = session
        self.label = name or session.name(self.kind)
        self.is_train = True
        self.models: dict[Any, Model] = {}
        self.output: Any = None
        self.taped: tuple[list[Tensor], Any] | None = None  # of the last forward in training mode

    def __getattr__(self, word: str) -> Any:
        raise unknown(f"BigDL 0.7 {self.__dict__.get('kind', type(self).kind)}", self, word)

    def __deepcopy__(self, memo: dict[int, Any]) -> Module:
        """Return a module with weights of its own, in the same session."""
        made = object.__new__(type(self))
        memo[id(self)] = made
        apart = {"session": self.session, "taped": None, "output": None}
        vars(made).update({word: apart[word] if word in apart else copy.deepcopy(value, memo)
                           for word, value in vars(self).items()})  # fmt: skip
        return made

    # ---- what a module defines -------------------------------------------------------------------

    def connect(self, *x: Symbol) -> tuple[Symbol, ...]:
        """Return the values that the module gives for these."""
        raise TypeError(f"{type(self).__name__} does not define connect")

    def leaves(self) -> Iterator[Leaf]:
        """Yield the modules that have native layers."""
        return iter(())

    def is_sample(self, x: Tensor) -> bool:
        """Whether a tensor is one sample, not a batch of them."""
        return False

    # ---- graphs ----------------------------------------------------------------------------------

    def __call__(self, x: Any = None) -> Node:
        """Return a node of the graph: this module, called on the values of nodes."""
        given = [] if x is None else list(x) if isinstance(x, (list, tuple)) else [x]
        for one in given:
            if not isinstance(one, Node):
                raise DialectError(
                    f"BigDL 0.7 {self.kind}",
                    f"was called on a {type(one).__name__}",
                    need="a node, a list of nodes, or nothing for an input",
                    fix="layer()(node) for a graph, layer.forward(array) for numbers",
                    at=caller(),
                )
        return Node(self, given)

    def native(self, shapes: Sequence[tuple[int | None, ...]]) -> Model:
        """Return the native model for samples of these shapes."""
        key = tuple(shapes)
        if key not in self.models:
            inputs = [Input(shape, data_format=LAYOUT) for shape in shapes]
            made = Model(inputs, list(self.connect(*inputs)))
            self.models = {key: made}
        return self.models[key]

    # ---- numbers ---------------------------------------------------------------------------------

    def forward(self, input: Any) -> Any:
        """Return the output for a batch, or for one sample, as float32."""
        x, single = self._tensors(input)
        if self.is_train:  # backward follows this very computation: its draws, its statistics
            self.taped = x, self._computed(x)
            self.output = _arrays(self.taped[1], single, copied=True)
            return self.output
        model = self.native([tuple(one.shape[1:]) for one in x])
        model.train(False)
        with torch.no_grad():
            out = model(*x)
        self.output = _arrays(out, single)
        return self.output

    def _computed(self, x: list[Tensor]) -> Any:
        """Return the outputs for these, with their history."""
        for one in x:
            one.requires_grad_()
        model = self.native([tuple(one.shape[1:]) for one in x])
        model.train(self.is_train)
        return model(*x)

    def _recalled(self, x: list[Tensor]) -> tuple[list[Tensor], Any]:
        """Return inputs and outputs of the last forward if it was for these, else computed now."""
        taped, self.taped = self.taped, None
        if taped is None or not self.is_train or len(taped[0]) != len(x):
            return x, self._computed(x)
        same = all(torch.equal(*pair) for pair in zip(taped[0], x, strict=True))
        return taped if same else (x, self._computed(x))

    def backward(self, input: Any, grad_output: Any) -> Any:
        """Return the gradient of the input, and add those of the weights to what they have."""
        given_x, single = self._tensors(input)
        x, out = self._recalled(given_x)
        outs = out if isinstance(out, tuple) else (out,)
        given = _flat(grad_output) if isinstance(grad_output, (list, tuple)) else [grad_output]
        grads = [torch.as_tensor(np.asarray(g), dtype=torch.float32).reshape(o.shape)
                 for g, o in zip(given, outs, strict=True)]  # fmt: skip
        torch.autograd.backward(outs, grads)
        found = tuple(torch.zeros_like(one) if one.grad is None else one.grad for one in x)
        return _arrays(found if len(found) > 1 else found[0], single)

    def reset(self) -> Module:
        """Draw all weights again."""
        for leaf in self.leaves():
            leaf.reset()
        return self

    def zero_grad_parameters(self) -> None:
        """Forget the gradients."""
        for leaf in self.leaves():
            for _, weight in leaf.weights():
                weight.grad = None

    def update_parameters(self, learning_rate: float) -> None:
        """Step against the gradients."""
        with torch.no_grad():
            for leaf in self.leaves():
                for _, weight in leaf.weights():
                    if weight.grad is not None:
                        weight.sub_(weight.grad, alpha=learning_rate)

    def _tensors(self, given: Any) -> tuple[list[Tensor], bool]:
        arrays = _flat(given) if isinstance(given, (list, tuple)) else [given]
        numbers = [one.to_ndarray() if hasattr(one, "to_ndarray") else one for one in arrays]
        x = [torch.as_tensor(np.asarray(one), dtype=torch.float32) for one in numbers]
        single = self.is_sample(x[0])
        return ([one[None] for one in x] if single else x), single

    # ---- names, modes, weights -------------------------------------------------------------------

    def name(self) -> str:
        """Return the module's name."""
        return self.label

    def set_name(self, name: str) -> Module:
        """Name the module; return it."""
        self.label = name
        return self

    def evaluate(self, *args: Any, **words: Any) -> Any:
        """Leave training mode; with data, judge on them instead (see `judging`)."""
        if args or words:
            from .judging import evaluate

            return evaluate(self, *args, **words)
        return self.training(False)

    def test(self, val_data: Any, batch_size: int, val_methods: Sequence[Any]) -> Any:
        """Judge on data; the older name of evaluate."""
        return self.evaluate(val_data, batch_size, val_methods)

    def predict_local(self, X: Any, batch_size: int = -1) -> Array:  # noqa: N803
        """Return the outputs for an array."""
        from .judging import predictions

        return predictions(self, X)

    def predict(self, features: Any, batch_size: int = -1) -> Any:
        """Return the outputs: an array for an array, an RDD for an RDD."""
        out = self.predict_local(features)
        return rdd_like(features, out) if hasattr(features, "collect") else out

    def predict_class(self, features: Any) -> Any:
        """Return classes from 1 on: an array for an array, an RDD for an RDD."""
        out = self.predict_local(features).argmax(-1) + 1
        return rdd_like(features, map(int, out)) if hasattr(features, "collect") else out

    predict_distributed = predict
    predict_class_distributed = predict_class
    predict_class_local = predict_class

    def predict_image(
        self,
        image_frame: Any,
        output_layer: Any = None,
        share_buffer: bool = False,
        batch_per_partition: int = 4,
        predict_key: str = "predict",
    ) -> Any:
        """Return a frame of pictures with the outputs for their samples."""
        return image_frame.predicted(self, predict_key)

    def quantize(self) -> Module:
        """Return the same network: it computes in float32, as before."""
        self.session.note("quantize(): the network computes in float32, as before")
        return self

    def to_irgraph(self, *args: Any) -> Module:
        """Return the same network: it is computed natively as it is."""
        return self

    to_staticgraph = set_input_formats = set_output_formats = to_irgraph

    def save_graph_topology(self, log_path: str, backward: bool = False) -> Module:
        """Draw nothing for TensorBoard: the run's report draws the network."""
        self.session.note("save_graph_topology(): the run's report draws the network")
        return self

    def training(self, is_training: bool = True) -> Module:
        """Enter or leave training mode."""
        self.is_train = is_training
        return self

    def is_training(self) -> bool:
        """Return whether the module is in training mode."""
        return self.is_train

    def freeze(self, names: Sequence[str] | None = None) -> Module:
        """Keep the weights of these modules (None: of all) as they are."""
        return self._set_trainable(names, False)

    def unfreeze(self, names: Sequence[str] | None = None) -> Module:
        """Let the weights of these modules (None: of all) be trained again."""
        return self._set_trainable(names, True)

    def _set_trainable(self, names: Sequence[str] | None, value: bool) -> Module:
        for leaf in self.leaves():
            if names is None or leaf.label in names:
                for layer in leaf.natives:
                    layer.trainable = value
        return self

    def parameters(self) -> dict[str, dict[str, Array]]:
        """Return weights and gradients by the names of modules."""
        return {name: one for leaf in self.leaves() for name, one in leaf.described().items()}

    def get_weights(self) -> list[Array] | None:
        """Return weights and biases; None, after saying so, where there are none."""
        found = [one.read() for leaf in self.leaves() for one in leaf.shown()]
        if not found:
            print("The layer does not have weight/bias")  # noqa: T201  BigDL's own words
            return None
        return found

    def set_weights(self, weights: Any) -> None:
        """Give the module weights and biases, in the order and layout of get_weights."""
        given = list(weights) if isinstance(weights, (list, tuple)) else [weights]
        mine = [one for leaf in self.leaves() for one in leaf.shown()]
        for one, value in zip(mine, given, strict=False):
            array, shape = np.asarray(value), one.read().shape
            if array.size != math.prod(shape):
                raise DialectError(
                    f"BigDL 0.7 {self.label}",
                    "a weight has another number of values",
                    got=str(array.shape),
                    need=str(shape),
                    at=caller(),
                )
            one.write(array)
        if len(given) != len(mine):
            raise DialectError(
                f"BigDL 0.7 {self.label}",
                f"set_weights got {len(given)} arrays for {len(mine)} weights",
                need=", ".join(str(one.read().shape) for one in mine) or "none",
                at=caller(),
            )

    def saveModel(self, modelPath: str, weightPath: Any = None,  # noqa: N802, N803
                  over_write: bool = False) -> None:  # fmt: skip
        """Write the network to a file of Striate's own; the shape of its input must be known.

        Of one that holds code the file has the weights alone; this script can read it all the same.
        """
        if Path(modelPath).exists() and not over_write:
            raise DialectError(modelPath, "is there already", fix="over_write=True", at=caller())
        first = next(iter(self.leaves()), None)
        start = None if first is None else first.row.starts(first.words)
        if not self.models and isinstance(start, Spec) and None not in start.shape:
            self.native([start.shape])
        if not self.models:
            raise DialectError(
                f"BigDL 0.7 {self.label}",
                "the shape of its input is not known yet",
                need="a call of forward, or training, before it is saved",
                at=caller(),
            )
        model = next(iter(self.models.values()))
        Path(modelPath).parent.mkdir(parents=True, exist_ok=True)
        self.session.saved.pop(Path(modelPath).resolve(), None)
        try:
            model.save(modelPath)
        except StoreError as error:
            Path(modelPath).write_bytes(model_file.pack(model.state_dict()))
            self.session.saved[Path(modelPath).resolve()] = copy.deepcopy(self)
            self.session.note(f"{modelPath} has the weights alone: {error.where} {error.what}; "
                              "Model.loadModel reads it in this script")  # fmt: skip

    def save(self, path: str, over_write: bool = False) -> None:
        """Write the network to a file of Striate's own, as `saveModel` does."""
        self.saveModel(path, None, over_write)


def _flat(given: Any) -> list[Any]:
    """Return the values of a table, those of tables in it too."""
    if isinstance(given, (list, tuple)) and given and not np.isscalar(given[0]):
        return [value for one in given for value in _flat(one)]
    return [given]


def _arrays(out: Any, single: bool, copied: bool = False) -> Any:
    if isinstance(out, tuple):
        return [_arrays(one, single, copied) for one in out]
    array = (out[0] if single else out).detach().cpu().numpy()
    return array.copy() if copied else array
