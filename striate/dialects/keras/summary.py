"""The table that `model.summary()` prints, in the layout of each version."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from typing import Any

from ...inspect.summary import Row as Line, summary as table_of
from .order import is_operation, listed as in_order
from .session import KerasSession

HEAD = ("Layer (type)", "Output Shape", "Param #", "Connected to")
BOX = 76  # columns of Keras 3's table, four less than those of a terminal


def lines(
    model: Any, session: KerasSession, width: int | None = None, positions: Any = None
) -> list[str]:
    """Return the lines for a model: Keras 1's 100 columns, the 65 of Keras 2, Keras 3's box."""
    sequential = hasattr(model, "adopt")
    if sequential and model._graph is None and model.layers and session.version.name == "keras3":
        return _boxed(model.name, sequential, [_unbuilt(one) for one in model.layers], (0, 0, 0))
    made = table_of(model, expand_nested=False)
    fields = rows(model, session)
    count = sum(one.numel() for one in model.trainable_weights)
    numbers = (made.parameters, count, made.parameters - count)
    if session.version.name == "keras3":
        return _boxed(model.name, sequential, fields, numbers)
    chained = sequential or all("," not in row[3] for row in fields)
    columns = session.version.summary
    spaced = session.version.name == "tf"
    if len(columns) == 3 and not chained:
        columns = (29, 58, 68, 98) if spaced else (32, 53, 65, 98)
    if width or positions:
        share = positions or tuple(column / columns[-1] for column in columns)
        whole = width or columns[-1]
        columns = tuple(int(whole * one) if one <= 1 else int(one) for one in share)
    if spaced:
        return _spaced(model.name, fields, numbers, columns)
    return _ruled(model.name, session, fields, numbers, columns)


def rows(model: Any, session: KerasSession) -> list[tuple[str, ...]]:
    """Return name, shape, number of weights and inputs of each layer, as the version says them."""
    made = table_of(model, expand_nested=False)
    listed = [row for row in made.rows if row.type != "Input" or not hasattr(model, "adopt")]
    if not hasattr(model, "adopt"):
        order = {layer.name: place for place, layer in enumerate(in_order(model.graph))}
        listed.sort(key=lambda row: order.get(row.name, len(order)))
    # what a mask is made of is not listed
    found = {model.graph.names[node.layer]: node.implied for node in model.graph.nodes}
    return [
        _fields(
            dataclasses.replace(
                row,
                inputs=row.inputs[: len(row.inputs) - found.get(row.name, 0)],
                type=_kind(model, row, session),
            ),
            session,
            row.name in model.graph.layers and is_operation(model.graph.layers[row.name]),
        )
        for row in listed
    ]


def _kind(model: Any, row: Line, session: KerasSession) -> str:
    """Return the class of a layer, in Keras 1 as the script has called it."""
    layer = model.graph.layers.get(row.name) if session.version.old else None
    return (session.of(layer).kind if layer is not None else "") or row.type


def _unbuilt(layer: Any) -> tuple[str, ...]:
    """Return what Keras 3 says of a layer whose input is not known yet."""
    return f"{layer.name} ({type(layer).__name__})", "?", "0 (unbuilt)", ""


def _ruled(name: str, session: KerasSession, fields: list[tuple[str, ...]],
           numbers: tuple[int, int, int], columns: tuple[int, ...]) -> list[str]:  # fmt: skip
    width, last = columns[-1], len(columns)
    out = [f'Model: "{name}"'] if session.version.head else []
    out += ["_" * width, _cells(HEAD[:last], columns), "=" * width]
    for index, row in enumerate(fields):
        first, *others = _connected(row[3]) or [""]
        out += [_cells((*row[:3], first)[:last], columns)]
        out += [_cells(("", "", "", one), columns) for one in others if last > 3]
        out += [("=" if index == len(fields) - 1 else "_") * width]
    kinds = ("Total", "Trainable", "Non-trainable")
    out += [f"{kind} params: {number:,}" for kind, number in zip(kinds, numbers, strict=True)]
    return [*out, "_" * width]


def _connected(inputs: str) -> list[str]:
    """Return the inputs of a layer as Keras says them: layer, call, and which of its outputs."""
    parts = [name.partition("[") for name in inputs.split(", ") if name]
    return [f"{name}[0][{number.rstrip(']') or 0}]" for name, _, number in parts]


def _spaced(name: str, fields: list[tuple[str, ...]], numbers: tuple[int, int, int],
            columns: tuple[int, ...]) -> list[str]:  # fmt: skip
    """Return TensorFlow 2.15's table: what is too long goes on in the next line."""
    width, last = columns[-1], len(columns)
    out = [f'Model: "{name}"', "_" * width, *_broken(HEAD[:last], columns), "=" * width]
    for row in fields:
        kind = row[0].removesuffix("(Model)")
        title = f"{kind}(Functional)" if kind != row[0] else row[0]
        shape = f"[{row[1]}]" if title.endswith("(InputLayer)") else row[1]
        cells = (title, shape, row[2], str(_connected(row[3])))
        out += [*_broken(cells[:last], columns), " " * width]
    kinds = ("Total", "Trainable", "Non-trainable")
    out += ["=" * width]
    out += [f"{kind} params: {number} ({_bytes(4 * number, 'Byte')})"
            for kind, number in zip(kinds, numbers, strict=True)]  # fmt: skip
    return [*out, "_" * width]


def _broken(fields: Iterable[str], columns: tuple[int, ...]) -> list[str]:
    """Return the lines that the cells of a row need, each cut where its column or a part ends."""
    rest, out = list(fields), []
    while any(rest):
        line = ""
        for index, (start, end) in enumerate(zip((0, *columns), columns, strict=False)):
            space = 2 if index < len(columns) - 1 else 0
            room = end - start - space
            part = rest[index][:room]
            ends = [part.find(mark) + len(mark) for mark in ("),", "],", "',") if mark in part]
            part = part[: min(ends, default=room)]
            rest[index] = rest[index][len(part) :]
            line = (line + (" " if index == 0 else "") + part + " " * space).ljust(end)
        out.append(line)
    return out


def _boxed(
    name: str, sequential: bool, fields: list[tuple[str, ...]], numbers: tuple[int, int, int]
) -> list[str]:
    """Return Keras 3's table."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    shares = (0.45, 0.80, 1.0) if sequential else (0.3, 0.56, 0.74, 1.0)
    ends = [int(share * BOX) for share in shares]
    table = Table(box=box.HEAVY_HEAD, show_lines=True, width=BOX)
    for title, start, end in zip(HEAD, (0, *ends), ends, strict=False):
        side = "right" if title == "Param #" else "left"
        table.add_column(title, justify=side, width=end - start)  # type: ignore[arg-type]
    for row in fields:
        inputs = ", ".join(_connected(row[3])) or "-"
        count = f"{int(row[2]):,}" if row[2].isdigit() else row[2]
        cells = (row[0], row[1], count, inputs)
        table.add_row(*cells[: len(shares)])
    console = Console(width=100, no_color=True, highlight=False)
    with console.capture() as captured:
        console.print(table)
    kinds = ("Total", "Trainable", "Non-trainable")
    counts = [f" {kind} params: {number:,} ({_bytes(4 * number)})"
              for kind, number in zip(kinds, numbers, strict=True)]  # fmt: skip
    title = f'Model: "{name}"'
    return [title, *(line.rstrip() for line in captured.get().splitlines()), *counts]


def _bytes(count: float, least: str = "B") -> str:
    for unit in (least, "KB", "MB"):
        if count < 1024:
            return f"{count:.2f} {unit}"
        count /= 1024
    return f"{count:.2f} GB"


def _fields(row: Line, session: KerasSession, computed: bool = False) -> tuple[str, ...]:
    old = {name: name.replace("Conv1D", "Convolution1D").replace("Conv2D", "Convolution2D")
           for name in (row.type,)} if session.version.old else {}  # fmt: skip
    kind = "InputLayer" if row.type == "Input" else old.get(row.type, row.type)
    kind = "TFOpLambda" if computed and session.version.name == "tf" else kind
    if computed and session.version.name == "keras3":
        kind = re.sub(r"_\d+$", "", row.name).title().replace("_", "")
    kind = {"KerasSequential": "Sequential", "KerasModel": "Model"}.get(kind, kind)
    shapes = [f"(None, {one})" for one in _inner(row.output)]
    shape = shapes[0] if len(shapes) == 1 else f"[{', '.join(shapes)}]"
    return f"{row.name} ({kind})", shape, str(row.parameters), ", ".join(row.inputs)


def _inner(shown: str) -> list[str]:
    """Return the sizes of each of the shapes that `(28, 28, 1), (10,)` shows."""
    whole = shown.replace("?", "None").removeprefix("(").removesuffix(")")
    return [one.rstrip(",") for one in whole.split("), (")]


def _cells(fields: Iterable[str], columns: tuple[int, ...]) -> str:
    line = ""
    for index, (cell, end) in enumerate(zip(fields, columns, strict=True)):
        line = (line[:-1] + " " if index else line) + cell
        line = line[:end].ljust(end)
    return line
