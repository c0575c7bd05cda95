"""The arithmetic of one unit: from the cells that it reads to the value that it has."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..core.layer import Layer
from ..core.operation import Permute, channels_last
from ..core.spec import Spec, show
from ..core.symbol import Node
from .arithmetic import KEEPS_PLACE, STAGES, after, known, moved
from .asked import about_model
from .drawing import DIVERGING, Drawable, plain
from .field import FieldSet, inner, path_of, receptive_field, unit_of
from .formulas import BEGIN, number_text
from .maps import activations
from .own_code import own_code
from .stage import EARLIER, Axes, Part, Source, Stage, Values, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Index = tuple[int, ...]
CLOSE = 1e-5
MANY = 64  # sums of the operation before that are told one by one


@dataclass(frozen=True)
class Unit(Drawable):
    """How one unit gets its value.

    Fields: `layer`, its name ("outer/inner" in a model inside the model); `index`, the position in
    the layer's output, without the batch; `value`, what the model computed; `stages`, the steps to
    it; `field`, what the unit sees of the inputs and of the maps between, None where a size is not
    known; `shape`, that of the layer's output.
    """

    layer: str
    index: Index
    value: float
    stages: tuple[Stage, ...]
    field: FieldSet | None
    shape: Index

    @property
    def total(self) -> float:
        """The value that the stages come to, in double precision."""
        return self.stages[-1].value

    @property
    def agrees(self) -> bool:
        """Whether the total is the model's value, to 1e-5 of it or of the terms that were added."""
        return close(self.total, self.value, self.stages)

    @property
    def python(self) -> str:
        """A line of Python that prints the value, from numbers alone.

        Where the layer's own code computes it, the line needs `model` and the sample, `x`.
        """
        if self.stages[-1].kind == "own code":
            asked = f"model, x, {self.layer!r}, {self.index}"
            return f"import striate as st; print(st.inspect.unit({asked}).value)"
        expression = ""
        for stage in self.stages:
            expression = stage.python.replace("{}", expression, 1)
        return f"{BEGIN}print({expression})"

    def as_json(self) -> dict[str, Any]:
        """Return numbers, texts, lists and dictionaries only, with total, agreement and Python."""
        told: dict[str, Any] = plain(replace(self, field=None))
        told["field"] = None if self.field is None else self.field.as_json()
        return told | {"total": self.total, "agrees": self.agrees, "python": self.python}

    def __str__(self) -> str:
        head = f"{self.layer}, unit {show(self.index)} = {short(self.value)}"
        return "\n".join([head, *(f"  {stage}" for stage in self.stages)])

    def draw(self, figure: Figure) -> None:
        """Draw cells, kernel and products of the strongest channels, and the steps as text."""
        shown = [
            part
            for stage in self.stages
            for part in stage.parts
            if part.weights is not None and part.products is not None and part.x.ndim == 2
        ]
        shown = sorted(shown, key=lambda part: -abs(part.total))[:4]
        figure.set_size_inches(7, 1.6 * len(shown) + 0.3 * len(self.stages) + 0.8)
        figure.suptitle(
            "\n".join(str(self).splitlines()), x=0.02, ha="left", fontsize=8, family="monospace"
        )
        if not shown:
            return
        grid = figure.subplots(len(shown), 3, squeeze=False)
        for row, part in zip(grid, shown, strict=True):
            names = (f"{part.name}: cells", "kernel", f"products, sum {short(part.total)}")
            for axes, name, cells in zip(
                row, names, (part.x, part.weights, part.products), strict=True
            ):
                _cells(axes, name, cells)


def _cells(axes: Any, name: str, cells: Any) -> None:
    """Draw numbers as coloured squares, with the numbers in them where there are few."""
    peak = float(np.abs(cells).max()) or 1.0
    axes.imshow(cells, cmap=DIVERGING, vmin=-peak, vmax=peak)
    axes.set_title(name, fontsize=8)
    axes.set_axis_off()
    if cells.size <= 49:
        for (row, column), value in np.ndenumerate(cells):
            ink = "white" if abs(value) > 0.6 * peak else "black"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=6, color=ink)


@about_model
def unit(model: Any, x: Any, layer: str | Layer, index: Sequence[int] | None = None) -> Unit:
    """Return how a unit of a layer gets its value for one sample `x` (a tuple for several inputs).

    `index` is a position in the layer's output, without the batch; None means the middle.

    Raises: ConfigError if the model has no such layer, ShapeError if the layer has no such unit.
    """
    path = _innermost(path_of(model, layer))
    node = path[-1]
    values = activations(model, *(x if isinstance(x, tuple) else (x,)))
    value = values[id(node.outputs[0])]
    spec = Spec(tuple(value.shape[1:]), data_format=node.outputs[0].spec.data_format)
    place = unit_of(node.layer, spec, index)
    given = [values[id(symbol)] for symbol in node.inputs]
    stored = float(value[0][place])
    known = None not in [s.spec.numel for s in (*model.graph.inputs, *node.outputs)]
    return Unit(
        "/".join(one.layer.name for one in path),
        place,
        stored,
        stages(node, given, place, stored),
        receptive_field(model, node.layer, place) if known else None,
        tuple(value.shape[1:]),
    )


def _innermost(path: tuple[Node, ...]) -> tuple[Node, ...]:
    """Follow a model inside the model to the layer that makes its output."""
    graph = inner(path[-1].layer)
    while graph is not None and graph.outputs[0].node is not None:
        path = (*path, graph.outputs[0].node)
        graph = inner(path[-1].layer)
    return path


def stages(
    node: Node, given: Sequence[torch.Tensor], place: Index, stored: float
) -> tuple[Stage, ...]:
    """Return the steps of a call's unit: as the layer states them, if that is what it computes."""
    symbols = zip(given, node.inputs, strict=True)
    specs = [
        Spec(tuple(one.shape[1:]), str(one.dtype).removeprefix("torch."), symbol.spec.data_format)
        for one, symbol in symbols
    ]
    chain = node.layer.told(*specs)
    if chain is not None and len(node.outputs) == 1 and all(map(known, chain)):
        out = Spec((1,) * len(place), data_format=node.outputs[0].spec.data_format)
        sources = [
            _source(n, one, spec) for n, (one, spec) in enumerate(zip(given, specs, strict=True))
        ]
        walk = _Walk(tuple(chain), sources, node.layer)
        told = tuple(walk.stages(len(chain), 0, _to_last(place, out)))
        if len(told) == 1 and told[0].kind == "moved" and len(place) == 1:
            told = (_flattened(told[0], specs[0], place[0]),)
        if close(told[-1].value, stored, told):
            return told
    return (own_code(node.layer, given, place),)


def _flattened(stage: Stage, x: Spec, place: int) -> Stage:
    """Return the stage of a value that was laid in a row, with the arithmetic of its place."""
    index = tuple(axis[0] for axis in stage.parts[0].axes)
    sizes = tuple(size or 1 for size in x.shape)
    if len(index) < 2 or int(np.ravel_multi_index(index, sizes)) != place:
        return stage
    text = str(index[0])
    for at, size in zip(index[1:], sizes[1:], strict=True):
        text = f"{f'({text})' if '+' in text else text} * {size} + {at}"
    return dataclasses.replace(stage, formula=f"{stage.formula}, place {text} = {place},")


def close(total: float, value: float, told: Sequence[Stage]) -> bool:
    """Return whether two numbers are equal as far as sums in single precision can be."""
    if total == value or (math.isnan(total) and math.isnan(value)):
        return True
    sizes = [abs(stage.value) for stage in told]
    for stage in told:
        if stage.kind in ("sum", "mean", "standardize", "batch_norm", "softmax"):
            sizes += [
                float(np.abs(part.x if part.products is None else part.products).sum())
                for part in stage.parts
            ] + [abs(part.total) for part in stage.parts]
            sizes += [abs(number) for number in stage.numbers.values()]
    return abs(total - value) <= CLOSE * max([abs(value), *sizes])


class _Walk:
    """A chain of operations, walked from one output back to the layer's inputs."""

    def __init__(self, chain: tuple[Any, ...], inputs: list[Source], layer: Layer) -> None:
        self.chain, self.inputs = chain, inputs
        self.tensors = dict((*layer.named_parameters(), *layer.named_buffers()))
        self.arrays: dict[str, Values] = {}
        self.shapes: list[list[Index]] = [[source.shape for source in inputs]]
        for op in chain:
            self.shapes.append([after(op, self.shapes[-1], self.weight)])
        self.known: dict[tuple[int, Index], float] = {}

    def weight(self, name: str) -> Values | None:
        """Return a weight by name, in double precision."""
        if not name:
            return None
        if name not in self.arrays:
            self.arrays[name] = self.tensors[name].detach().cpu().double().numpy()
        return self.arrays[name]

    def sources(self, level: int) -> list[Source]:
        """Return what the operation `level` (from 0) reads."""
        if level == 0:
            return self.inputs

        def at(index: Index) -> float:
            if (level, index) not in self.known:
                self.known[level, index] = self.own(level, index)[-1].value
            return self.known[level, index]

        def home(axes: Axes) -> tuple[int, Axes]:
            op = self.chain[level - 1]
            if not isinstance(op, Permute):
                return EARLIER, ()
            before = tuple(axes[op.axes.index(axis)] for axis in range(len(axes)))
            return self.sources(level - 1)[0].home(before)

        return [Source(self.shapes[level][0], at, home)]

    def own(self, level: int, index: Index, number: int = 0) -> list[Stage]:
        """Return the stages of the last operation below `level` alone."""
        if level == 0:
            return [self.read(number, index)]
        op = self.chain[level - 1]
        if type(op) in STAGES:
            return STAGES[type(op)](op, self.sources(level - 1), index, self.weight)
        found = moved(op, index, self.shapes[level - 1], self.shapes[level][0])
        if found is None:
            return [Stage("padding", "a cell of padding", 0.0, "0", "0.0")]
        return self.own(level - 1, found[1], found[0])

    def stages(self, level: int, number: int, index: Index) -> list[Stage]:
        """Return all stages that lead to a value below `level`."""
        if level == 0:
            return [self.read(number, index)]
        op = self.chain[level - 1]
        if type(op) not in STAGES:
            found = moved(op, index, self.shapes[level - 1], self.shapes[level][0])
            return self.own(level, index) if found is None else self.stages(level - 1, *found)
        last = self.own(level, index)
        if isinstance(op, KEEPS_PLACE):
            return [*self.stages(level - 1, 0, index), *last]
        return [*self.earlier(level - 1, last), *last]

    def earlier(self, level: int, last: list[Stage]) -> list[Stage]:
        """Return one stage with the sums that an operation reads of the one before it."""
        if all(isinstance(op, Permute) for op in self.chain[:level]):
            return []
        shape = self.shapes[level][0]
        places = [index for index in np.ndindex(*shape) if (level, index) in self.known][:MANY]
        parts = [part for at in places for stage in self.own(level, at) for part in stage.parts]
        total = float(sum(part.total for part in parts))
        title = f"{len(parts):,} sums that the next step reads"
        return [Stage("before", title, total, "each on its own", "0.0", {}, tuple(parts))]

    def read(self, number: int, index: Index) -> Stage:
        """Return the stage that reads one cell of an input."""
        source = self.inputs[number]
        value = source.at(index)
        axes = tuple((i,) for i in index)
        part = source.part(f"input {number}", axes, np.array([value]), total=value)
        where = show(tuple(axis[0] for axis in part.axes))
        text = f"input {number} at {where}" if len(self.inputs) > 1 else f"input at {where}"
        return Stage("moved", "the value read", value, text, number_text(value), {}, (part,))


def _source(number: int, x: torch.Tensor, spec: Spec) -> Source:
    """Return an input of the layer, in channels-last order."""
    array: Values = x[0].detach().cpu().double().numpy()
    turned = not channels_last(spec)
    cells = np.moveaxis(array, 0, -1) if turned else array

    def home(axes: Axes) -> tuple[int, Axes]:
        return number, (axes[-1], *axes[:-1]) if turned else axes

    return Source(cells.shape, lambda index: float(cells[index]), home, cells)


def _to_last(index: Index, spec: Spec) -> Index:
    return index if channels_last(spec) else (*index[1:], index[0])


__all__ = ["Part", "Stage", "Unit", "unit"]
