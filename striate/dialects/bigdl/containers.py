"""Networks of the core API: one module after another, side by side, on tables, or a graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor

from ... import layers as native
from ...core.symbol import Symbol
from ...errors import caller, nearest
from ..table import DialectError
from .leaf import Leaf
from .module import Module, Node
from .session import BigdlSession

Values = tuple[Symbol, ...]


class Container(Module):
    """A module of modules."""

    kind = "Container"

    def __init__(self, session: BigdlSession, name: str | None = None) -> None:
        super().__init__(session, name)
        self.modules: list[Module] = []

    def add(self, model: Module) -> Container:
        """Append a module; return the container."""
        if not isinstance(model, Module):
            raise DialectError(
                f"BigDL 0.7 {self.kind}",
                f"{model!r} is no layer",
                need="a layer of bigdl.nn.layer",
                fix=f"{model.__name__}(...)" if callable(model) and hasattr(model, "__name__")
                else "",
                at=caller(),
            )  # fmt: skip
        self.modules.append(model)
        self.models = {}
        return self

    @property
    def layers(self) -> list[Module]:
        """Modules in order."""
        return list(self.modules)

    def flattened_layers(self, include_container: bool = False) -> list[Module]:
        """Return the modules that are no containers."""
        return list(self.leaves())

    def leaves(self) -> Iterator[Leaf]:
        """Yield those of each module, each once."""
        seen: set[int] = set()
        for module in self.modules:
            for leaf in module.leaves():
                if id(leaf) not in seen:
                    seen.add(id(leaf))
                    yield leaf

    def training(self, is_training: bool = True) -> Module:
        """Set the mode of the modules too."""
        for module in self.modules:
            module.training(is_training)
        return super().training(is_training)


class Sequential(Container):
    """One module after another."""

    kind = "Sequential"

    def connect(self, *x: Symbol) -> Values:
        """Give each module what the one before gives."""
        for module in self.modules:
            x = module.connect(*x)
        return x

    def is_sample(self, x: Tensor) -> bool:
        """Whether the first module takes it as one."""
        return bool(self.modules) and self.modules[0].is_sample(x)


class ConcatTable(Container):
    """Every module on the same input; a table of what they give."""

    kind = "ConcatTable"

    def connect(self, *x: Symbol) -> Values:
        """Give the input to each."""
        return tuple(value for module in self.modules for value in module.connect(*x))


class Concat(ConcatTable):
    """Every module on the same input, joined along a dimension, 1 being the batch."""

    kind = "Concat"

    def __init__(self, session: BigdlSession, dimension: int, name: str | None = None) -> None:
        super().__init__(session, name)
        self.dimension = dimension

    def connect(self, *x: Symbol) -> Values:
        """Join what the modules give."""
        return (native.Concatenate(sample_axis(self.dimension))(*super().connect(*x)),)


class ParallelTable(Container):
    """Each module on its own part of a table."""

    kind = "ParallelTable"

    def connect(self, *x: Symbol) -> Values:
        """Give each module one value."""
        pairs = zip(self.modules, x, strict=True)
        return tuple(value for module, one in pairs for value in module.connect(one))


class MapTable(Container):
    """One module on each part of a table, with the same weights."""

    kind = "MapTable"

    def connect(self, *x: Symbol) -> Values:
        """Give the module each value."""
        return tuple(value for one in x for value in self.modules[0].connect(one))


class Graph(Container):
    """A network from nodes to nodes: `Model(inputs, outputs)`."""

    kind = "Model"

    def __init__(
        self, session: BigdlSession, inputs: Any, outputs: Any, name: str | None = None
    ) -> None:
        super().__init__(session, name)
        self.inputs, self.outputs = nodes("inputs", inputs), nodes("outputs", outputs)
        self.modules = list(dict.fromkeys(node.module for node in self._order()))

    def connect(self, *x: Symbol) -> Values:
        """Call the modules in an order in which their inputs are there."""
        values: dict[int, Values] = {}
        for node in self._order():
            if node in self.inputs:
                values[id(node)] = node.module.connect(x[self.inputs.index(node)])
            else:
                given = [value for before in node.before for value in values[id(before)]]
                values[id(node)] = node.module.connect(*given)
        return tuple(value for node in self.outputs for value in values[id(node)])

    def is_sample(self, x: Tensor) -> bool:
        """Whether the first input, or a module behind it, takes it as one."""
        behind = [node for node in self._order() if self.inputs[0] in node.before]
        return any(node.module.is_sample(x) for node in (self.inputs[0], *behind))

    def node(self, name: str) -> Node:
        """Return the node whose module has this name."""
        known = {node.module.label: node for node in self._order()}
        if name not in known:
            raise DialectError(
                f"BigDL 0.7 Model {self.label}",
                "has no node of this name",
                got=repr(name),
                need="one of " + ", ".join(known),
                fix=nearest(name, list(known)) or 'layer.set_name("...") before the model is made',
                at=caller(),
            )
        return known[name]

    def new_graph(self, outputs: Sequence[str]) -> Graph:
        """Return a network of the same modules that ends at these."""
        return Graph(self.session, self.inputs, [self.node(name) for name in outputs])

    def stop_gradient(self, stop_layers: Sequence[str]) -> Graph:
        """Keep the weights from which no way to the outputs leads around these modules."""
        stops, waiting = [self.node(name) for name in stop_layers], [*self.outputs]
        learns: list[Node] = []
        while waiting:
            node = waiting.pop()
            if node not in learns:
                learns.append(node)
                waiting += () if node in stops else node.before
        still = [node.module for node in self._order() if node not in learns]
        for module in still:
            module.freeze()
        return self

    def _order(self) -> list[Node]:
        order: dict[int, Node] = {}
        stack = list(reversed(self.outputs))
        while stack:
            node = stack[-1]
            waiting = [n for n in node.before if id(n) not in order and node not in self.inputs]
            if waiting:
                stack += reversed(waiting)
                continue
            stack.pop()
            if not node.before and node not in self.inputs:
                raise DialectError(
                    f"BigDL 0.7 Model {self.label}",
                    "an output depends on an input that the model does not list",
                    got=node.module.label,
                    need="every input node in the first argument",
                    fix="Model([input1, input2], outputs)",
                    at=caller(),
                )
            order.setdefault(id(node), node)
        return list(order.values())


class Table(Module):
    """A module that combines a table by one native layer, or takes parts of it."""

    def __init__(self, session: BigdlSession, kind: str, act: Any, name: str | None = None) -> None:
        self.kind = kind
        super().__init__(session, name)
        self.act = act

    def connect(self, *x: Symbol) -> Values:
        """Combine the values."""
        out = self.act(x)
        return out if isinstance(out, tuple) else (out,)


class Loaded(Module):
    """A native model in the place of a module: one that was read from a file."""

    kind = "Model"

    def __init__(self, session: BigdlSession, model: Any) -> None:
        super().__init__(session)
        self.model = model

    def native(self, shapes: Sequence[tuple[int | None, ...]]) -> Any:
        """Return the model, whatever the shapes: it has its own."""
        return self.model

    def connect(self, *x: Symbol) -> Values:
        """Call the model."""
        out = self.model(*x)
        return out if isinstance(out, tuple) else (out,)

    def leaves(self) -> Iterator[Leaf]:
        """Yield each layer as a module of its own."""
        from .kind import Kind

        for layer in self.model.layers:
            leaf = Leaf(self.session, type(layer).__name__, Kind("", {}, lambda w, x: ()), {},
                        layer.name)  # fmt: skip
            leaf.natives = (layer,)
            yield leaf


def nodes(what: str, given: Any) -> list[Node]:
    """Return one node or several as a list."""
    several = list(given) if isinstance(given, (list, tuple)) else [given]
    for one in several:
        if not isinstance(one, Node):
            raise DialectError(
                "BigDL 0.7 Model",
                f"a {type(one).__name__} is not one of the {what}",
                need="nodes: what Input() and layer()(node) return",
                fix="x = Input(); y = Linear(4, 2)()(x)" if isinstance(one, Module) else "",
                at=caller(),
            )
    return several


def sample_axis(dimension: int) -> int:
    """Return a dimension counted from 1, the batch being 1, as Keras counts: the batch is 0.

    One below 0 counts from the end. Raises: DialectError for that of the batch.
    """
    if dimension < 0:
        return dimension
    if dimension < 2:
        raise DialectError(
            "BigDL 0.7",
            "samples of a batch are not joined or taken apart here",
            got=f"dimension={dimension}",
            need="a dimension from 2 on: 1 is the batch",
            at=caller(),
        )
    return dimension - 1
