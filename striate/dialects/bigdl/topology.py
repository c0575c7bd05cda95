"""Networks of the Keras-style API, `bigdl.nn.keras.topology`: known shapes, Keras 1's verbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...core.symbol import Input, Symbol
from ...errors import caller
from ..table import DialectError
from . import training
from .containers import Container, Graph, nodes
from .judging import EvaluatedResult, judge, methods_of
from .leaf import Leaf
from .module import LAYOUT, Module, Node
from .real_spark import rdd_like
from .samples import arrays_of
from .session import BigdlSession


class KerasLayer(Leaf):
    """A layer of the Keras-style API: called on nodes it says at once what it gives."""

    def __call__(self, x: Any = None) -> Node:
        """Return the node of this call."""
        node = super().__call__(x)
        place(node, *(before.symbol for before in node.before))
        return node

    def get_input_shape(self) -> Any:
        """Return the shape of the input, None for the batch."""
        return self.shapes[0]

    def get_output_shape(self) -> Any:
        """Return the shape of the output, None for the batch."""
        return self.shapes[1]


class Compiled(Container):
    """A network that has `compile`, `fit`, `evaluate` and `predict`."""

    setup: training.Setup | None = None

    def native_model(self) -> Any:
        """Return the native model, whose shapes are known."""
        return self.native([symbol.spec.shape for symbol in self.starts()])

    def starts(self) -> Sequence[Symbol]:
        """Return the symbols where the network begins."""
        raise TypeError(f"{type(self).__name__} does not define starts")

    def get_input_shape(self) -> Any:
        """Return the shape of the input, None for the batch."""
        return self.native_model().input_shape

    def get_output_shape(self) -> Any:
        """Return the shape of the output, None for the batch."""
        return self.native_model().output_shape

    def compile(self, optimizer: Any, loss: Any, metrics: Any = None) -> None:
        """Choose how the network is trained, in Keras 1's words or by BigDL's objects."""
        self.setup = training.compiled(self.session, optimizer, loss, metrics)

    def fit(self, x: Any, y: Any = None, batch_size: int = 32, nb_epoch: int = 10,
            validation_data: Any = None, distributed: bool = True) -> None:  # fmt: skip
        """Train for so many epochs, on arrays or on an RDD of samples."""
        setup = self._setup("fit")
        x, y = arrays_of(x, y)
        valid = None if validation_data is None else arrays_of(
            *(validation_data if isinstance(validation_data, tuple) else (validation_data, None))
        )  # fmt: skip
        training.fit(self, setup, x, y, batch_size, nb_epoch, valid)

    def evaluate(self, x: Any = None, y: Any = None, batch_size: int = 32) -> Any:
        """Return a result for the loss's metrics; without data, leave training mode."""
        if x is None:
            return self.training(False)
        methods = methods_of(self._setup("evaluate"))
        return [EvaluatedResult(*one) for one in judge(self, *arrays_of(x, y), methods, batch_size)]

    def predict(self, x: Any, distributed: bool = True) -> Any:  # type: ignore[override]
        """Return the outputs as an RDD, one array for each sample: always, as BigDL 0.7 does."""
        return rdd_like(x, self.predict_local(x))

    def predict_local(self, x: Any) -> Any:  # type: ignore[override]
        """Return the outputs as one array."""
        features, _ = arrays_of(x, None)
        return self.native_model().predict(features if len(features) > 1 else features[0])

    def predict_class(self, x: Any, distributed: bool = True) -> Any:
        """Return classes from 1 on, as an RDD."""
        return rdd_like(x, map(int, np.argmax(self.predict_local(x), -1) + 1))

    predict_classes = predict_class
    predict_distributed = predict  # type: ignore[assignment]
    predict_class_distributed = predict_class  # type: ignore[assignment]

    def predict_class_local(self, x: Any) -> list[int]:
        """Return classes from 1 on."""
        return list(self.predict_class(x).collect())

    def _setup(self, verb: str) -> training.Setup:
        if self.setup is None:
            raise DialectError(
                f"BigDL 0.7 {self.kind}",
                f"{verb} before compile",
                need="an optimizer and a loss",
                fix="model.compile('sgd', 'sparse_categorical_crossentropy', ['accuracy'])",
                at=caller(),
            )
        return self.setup


class KerasSequential(Compiled):
    """One layer after another."""

    kind = "Sequential"

    def __init__(self, session: BigdlSession, name: str | None = None) -> None:
        super().__init__(session, name)
        self.start: list[Symbol] = []
        self.end: tuple[Symbol, ...] = ()

    def add(self, model: Module) -> KerasSequential:
        """Append a layer, whose shape is checked at once; a second input_shape is ignored."""
        super().add(model)
        if not self.start:
            shape = input_shape(model)
            if shape is None:
                self.modules.pop()
                raise DialectError(
                    f"BigDL 0.7 {getattr(model, 'kind', '')}",
                    "the first layer does not say what the input is",
                    need="input_shape, without the batch",
                    fix="input_shape=(1, 28, 28)",
                    at=caller(),
                )
            self.start = [Input(one, data_format=LAYOUT) for one in shape]
            self.end = tuple(self.start)
        try:
            self.end = model.connect(*self.end)
        except Exception:
            self.modules.pop()
            raise
        return self

    def connect(self, *x: Symbol) -> tuple[Symbol, ...]:
        """Give each layer what the one before gives."""
        for module in self.modules:
            x = module.connect(*x)
        return x

    def starts(self) -> Sequence[Symbol]:
        """Return the input."""
        if not self.start:
            raise DialectError(f"BigDL 0.7 {self.kind}", "has no layers", fix="model.add(layer)",
                               at=caller())  # fmt: skip
        return self.start

    def __call__(self, x: Any = None) -> Node:
        """Return the node of this call."""
        node = super().__call__(x)
        place(node, *(before.symbol for before in node.before))
        return node


class KerasModel(Compiled, Graph):
    """A network from inputs to outputs."""

    kind = "Model"

    def starts(self) -> Sequence[Symbol]:
        """Return the inputs."""
        found = [node.symbol for node in self.inputs]
        return [symbol for symbol in found if symbol is not None]

    def __call__(self, x: Any = None) -> Node:
        """Return the node of this call."""
        node = Module.__call__(self, x)
        place(node, *(before.symbol for before in node.before))
        return node


def input_shape(module: Any) -> list[tuple[int, ...]] | None:
    """Return the shapes that a first layer says it takes; None if it says none."""
    if isinstance(module, Compiled):
        return [symbol.spec.shape for symbol in module.starts()]  # type: ignore[misc]
    words: Mapping[str, Any] = getattr(module, "words", {})
    shape = words.get("input_shape")
    if shape is None and isinstance(words.get("input_dim"), int):
        shape = (words["input_dim"],)
    if shape is None:
        return None
    several = isinstance(shape, list) and shape and isinstance(shape[0], (list, tuple))
    return [tuple(one) for one in (shape if several else [shape])]


def place(node: Node, *symbols: Symbol | None) -> None:
    """Remember what a node gives, where the shapes of its inputs are known."""
    known = [symbol for symbol in symbols if symbol is not None]
    if node.before and len(known) == len(symbols):
        (node.symbol, *_) = node.module.connect(*known)


def keras_nodes(given: Any) -> list[Node]:
    """Return one node or several as a list."""
    return nodes("inputs", given)
