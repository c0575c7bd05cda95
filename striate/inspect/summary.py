"""The table of a model: each layer's shape, parameters, cost and field, with their arithmetic."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..core.graph import Graph
from ..core.layer import Layer
from ..core.spec import Spec, spatial_names
from ..core.symbol import Node, Symbol
from ..core.window import Window
from .asked import about_model
from .field import inner, seen_by_middle
from .sight import ALL, Sight, sights

WIDTH = 80
COLUMNS = (31, 16, 11, 11, 11)  # layer, output, parameters, MACs, field: 80 together


@dataclass(frozen=True)
class Row:
    """One call of a layer.

    Fields: `name`, `type`; `output`, its shape without the batch; `arithmetic`, of each spatial
    axis whose size a window decides; `parameters` and their arithmetic (0 at the second call of a
    shared layer); `macs`, multiply-accumulates of one sample (None: a size is unknown); `field`,
    the side lengths of the receptive field on the input, and `step`, the distance between those of
    neighbouring units ("all", "?" or empty where there is no such number); `inputs`, names of the
    rows that it reads; `trainable`; `depth`, 1 and more inside nested models; `shared`.
    """

    name: str
    type: str
    output: str
    arithmetic: tuple[str, ...] = ()
    parameters: int = 0
    parameter_arithmetic: str = ""
    macs: int | None = 0
    field: str = ""
    step: str = ""
    inputs: tuple[str, ...] = ()
    trainable: bool = True
    depth: int = 0
    shared: bool = False


@dataclass(frozen=True)
class Summary:
    """What a model is made of; `str` is a table of 80 columns, `as_dict` is ready for JSON.

    Fields: `name`, `rows`, `parameters`, `trainable`, `bytes` of all weights, `macs` of one sample
    (None: a size is unknown).
    """

    name: str
    rows: tuple[Row, ...]
    parameters: int
    trainable: int
    bytes: int
    macs: int | None

    @property
    def non_trainable(self) -> int:
        """Parameters that training does not change."""
        return self.parameters - self.trainable

    def as_dict(self) -> dict[str, Any]:
        """Return numbers, texts, lists and dictionaries only."""
        return {**dataclasses.asdict(self), "non_trainable": self.non_trainable}

    def __str__(self) -> str:
        head = _line(("layer (type)", "output", "parameters", "MACs", "field/step"))[0]
        rule, thin = "=" * WIDTH, "-" * WIDTH
        body: list[str] = []
        last: dict[int, str] = {}  # name of the row above, at each depth
        for row in self.rows:
            body += _lines(row, last.get(row.depth, "input"))
            last = {depth: name for depth, name in last.items() if depth < row.depth}
            last[row.depth] = row.name
        kept = f", {self.non_trainable:,} not" if self.non_trainable else ""
        return "\n".join(
            [
                self.name,
                rule,
                head,
                thin,
                *body,
                rule,
                f"parameters {self.parameters:,} ({_size(self.bytes)}): "
                f"{self.trainable:,} trainable{kept}",
                f"MACs       {_count(self.macs)} for one sample",
            ]
        )


@about_model
def summary(model: Any, expand_nested: bool = True) -> Summary:
    """Return the table of a model whose input shape is known.

    With `expand_nested`, a model inside the model is followed by the rows of its own layers.
    """
    graph: Graph = model.graph
    rows = tuple(_rows(graph, sights(graph), model, set(), 0, expand_nested))
    weights: Sequence[Tensor] = model.weights
    costs = [row.macs for row in rows if row.depth == 0]
    return Summary(
        name=model.where,
        rows=rows,
        parameters=sum(weight.numel() for weight in weights),
        trainable=sum(weight.numel() for weight in weights if weight.requires_grad),
        bytes=sum(weight.numel() * weight.element_size() for weight in weights),
        macs=None if None in costs else sum(cost for cost in costs if cost is not None),
    )


def print_summary(
    model: Any, print_fn: Callable[[str], Any] | None = None, expand_nested: bool = True
) -> None:
    """Print the table of a model, by `print` or another function of a text."""
    (print_fn or print)(str(summary(model, expand_nested)))


# ---- rows ----------------------------------------------------------------------------------------


def _rows(
    graph: Graph,
    found: dict[int, Sight],
    model: Any,
    known: set[int],
    depth: int,
    expand: bool,
) -> list[Row]:
    names = {id(symbol): _input_name(graph, symbol) for symbol in graph.inputs}
    rows = [] if depth else [
        Row(names[id(symbol)], "Input", str(symbol.spec), field="1", step="1")
        for symbol in graph.inputs
    ]  # fmt: skip
    for node in graph.nodes:
        names.update({id(symbol): node.layer.name for symbol in node.outputs})
        row = _row(node, found, model.graph, known, depth)
        rows.append(dataclasses.replace(row, inputs=tuple(names[id(s)] for s in node.inputs)))
        nested = inner(node.layer)
        if nested is not None and expand:
            given = [found[id(symbol)] for symbol in node.inputs]
            rows += _rows(nested, sights(nested, given), model, known, depth + 1, expand)
        known.update(map(id, node.layer.weights))
    return rows


def _row(node: Node, found: dict[int, Sight], whole: Graph, known: set[int], depth: int) -> Row:
    layer = node.layer
    weights = layer.weights
    shared = bool(weights) and all(id(weight) in known for weight in weights)
    nested = inner(layer) is not None
    field, step = told(found[id(node.outputs[0])], whole, node if depth == 0 else None)
    return Row(
        name=layer.name,
        type=type(layer).__name__,
        output=", ".join(str(symbol.spec) for symbol in node.outputs),
        arithmetic=size_arithmetic(node),
        parameters=0 if shared else sum(weight.numel() for weight in weights),
        parameter_arithmetic="" if shared or nested else parameter_arithmetic(layer),
        macs=cost(node),
        field=field,
        step=step,
        trainable=not weights or any(weight.requires_grad for weight in weights),
        depth=depth,
        shared=shared,
    )


def size_arithmetic(node: Node) -> tuple[str, ...]:
    """Return the arithmetic of each output size that a window decides, equal axes together."""
    x = node.inputs[0].spec
    geometry = node.layer.windows(*(symbol.spec for symbol in node.inputs))
    if not isinstance(geometry, tuple) or len(geometry) != len(x.shape) or len(geometry) < 2:
        return ()
    axes = geometry[:-1] if x.data_format == "channels_last" else geometry[1:]
    lines: dict[str, str] = {}
    for letter, axis, size in zip(spatial_names(len(axes)), axes, x.spatial, strict=True):
        if isinstance(axis, Window) and axis != Window() and size is not None:
            sum_ = axis.arithmetic(size)
            lines[sum_] = f"{lines[sum_]}, {letter}" if sum_ in lines else letter
    return tuple(f"{letters} = {sum_}" for sum_, letters in lines.items())


def parameter_arithmetic(layer: Layer) -> str:
    """Return the number of parameters from the weights' shapes: `3*3*1*32 + 32 = 320`."""
    shapes = [tuple(weight.shape) for weight in layer.weights if weight.dim()]
    if not shapes or len(shapes) > 4 or (len(shapes) == 1 and len(shapes[0]) == 1):
        return ""
    terms = ["*".join(map(str, shape)) for shape in shapes]
    return f"{' + '.join(terms)} = {sum(math.prod(shape) for shape in shapes):,}"


def cost(node: Node) -> int | None:
    """Return the multiply-accumulates of a call for one sample; None where a size is unknown."""
    specs: list[Spec] = [symbol.spec for symbol in (*node.inputs, node.outputs[0])]
    if any(None in spec.shape for spec in specs):
        return None
    return int(node.layer.macs(*specs))


def told(sight: Sight, whole: Graph, node: Node | None) -> tuple[str, str]:
    """Return the field's size and step as printed; where no formula holds, from the exact set."""
    if isinstance(sight, tuple):
        return _by(field.size for field in sight), _by(field.step for field in sight)
    seen = seen_by_middle(whole, node) if node is not None else None
    if seen is None:
        return sight, ""
    full = [size for symbol in whole.inputs for size in symbol.spec.spatial]
    return (ALL if list(seen) == full else _by(seen)), ""


def _by(sizes: Any) -> str:
    several = [str(size) for size in sizes]
    return several[0] if len(set(several)) == 1 else "x".join(several)


def _input_name(graph: Graph, symbol: Symbol) -> str:
    number = graph.inputs.index(symbol)
    return symbol.name or (f"input_{number}" if number else "input")


# ---- text ----------------------------------------------------------------------------------------


def _lines(row: Row, before: str) -> list[str]:
    """Return the row's line, and below it what explains its numbers."""
    indent = "  " * row.depth
    field = f"{row.field}/{row.step}" if row.step else row.field
    parameters = "shared" if row.shared else f"{row.parameters:,}" if row.parameters else ""
    macs = "?" if row.macs is None else _count(row.macs) if row.macs else ""
    notes = [*row.arithmetic, row.parameter_arithmetic]
    if row.inputs and row.inputs != (before,):
        notes.append("reads " + ", ".join(row.inputs))
    if not row.trainable:
        notes.append("not trained")
    return [
        *_line((f"{indent}{row.name} ({row.type})", row.output, parameters, macs, field)),
        *_wrapped([note for note in notes if note], indent + "    "),
    ]


def _line(cells: tuple[str, ...]) -> list[str]:
    """Return one line of the table, or two where a name or a shape is too long."""
    name, output, *numbers = cells
    text = "".join(f"{cell:>{width}}" for cell, width in zip(numbers, COLUMNS[2:], strict=True))
    room = sum(COLUMNS[:2]) + len(text) - len(text.lstrip()) - COLUMNS[0]
    place = " " * COLUMNS[0]
    if len(name) >= COLUMNS[0]:
        return [_cut(name, WIDTH), *_line((place[1:], output, *numbers))]
    if len(output) >= room:
        return [f"{name:<{COLUMNS[0]}}{_cut(output, WIDTH - COLUMNS[0])}", place + " " * 16 + text]
    shown = f"{name:<{COLUMNS[0]}}{output}"
    return [f"{shown}{text.rjust(WIDTH)[len(shown) :]}".rstrip()]


def _wrapped(notes: list[str], indent: str) -> list[str]:
    lines: list[str] = []
    for note in notes:
        if lines and len(lines[-1]) + 3 + len(note) <= WIDTH:
            lines[-1] += f"   {note}"
        else:
            lines.append(indent + _cut(note, WIDTH - len(indent)))
    return lines


def _cut(text: str, width: int) -> str:
    if len(text) <= width:
        return text
    keep = width - 2
    return f"{text[: keep - keep // 2]}..{text[len(text) - keep // 2 :]}"


def _count(number: int | None) -> str:
    if number is None:
        return "?"
    return f"{number:,}" if number < 10**8 else f"{number / 10**6:,.1f} M"


def _size(count: int) -> str:
    if count < 1024:
        return f"{count} bytes"
    return f"{count / 1024:.1f} KiB" if count < 1024**2 else f"{count / 1024**2:.1f} MiB"
