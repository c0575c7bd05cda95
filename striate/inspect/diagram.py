"""Diagram: a network drawn from its graph, branches beside each other, as SVG without a program."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.graph import Graph
from .asked import about_model
from .drawing import Drawable
from .summary import Summary, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, HEIGHT, ACROSS, DOWN, EDGE = 196, 44, 26, 24, 8  # of a box, between boxes, around all
STYLE = """
.net rect { fill: #fff; stroke: #98a4b8; rx: 7 } .net .weights rect { fill: #e8f1fa }
.net text { font: 12px system-ui, sans-serif; fill: #1c2330; text-anchor: middle }
.net .soft { fill: #667085; font-size: 11px } .net path { fill: none; stroke: #98a4b8 }
@media (prefers-color-scheme: dark) { .net rect { fill: #171c25; stroke: #4a566a }
  .net .weights rect { fill: #16273a } .net text { fill: #e8ecf2 } .net .soft { fill: #9aa5b5 }
  .net path { stroke: #4a566a } }
"""


@dataclass(frozen=True)
class Box:
    """One call of a layer, or an input: `row` counts calls from the input, `column` branches."""

    name: str
    type: str
    shape: str
    parameters: int
    row: int
    column: int

    @property
    def middle(self) -> float:
        """Where the middle of the box is, across."""
        return EDGE + self.column * (WIDTH + ACROSS) + WIDTH / 2

    @property
    def top(self) -> float:
        """Where the box begins, down."""
        return EDGE + self.row * (HEIGHT + DOWN)


@dataclass(frozen=True)
class Edge:
    """A value that goes from box to box; `columns` are those it passes on the rows between."""

    start: int
    end: int
    columns: tuple[int, ...]


@dataclass(frozen=True)
class Diagram(Drawable):
    """A network as boxes and edges, laid out; a notebook shows it, `save` writes it."""

    name: str
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture."""
        lanes = [column for edge in self.edges for column in edge.columns]
        columns = 1 + max([*(box.column for box in self.boxes), *lanes], default=0)
        rows = 1 + max((box.row for box in self.boxes), default=0)
        wide = 2 * EDGE + columns * (WIDTH + ACROSS) - ACROSS
        return wide, 2 * EDGE + rows * (HEIGHT + DOWN) - DOWN

    def svg(self, style: str = STYLE) -> str:
        """Return the picture as SVG; a page that has rules for `.net` gives no style."""
        wide, high = self.size
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="net" viewBox="0 0 {wide} {high}" '
            f'width="{wide}" height="{high}" role="img" aria-label="{escape(self.name)}">'
        )
        shown = f"<style>{style}</style>" if style else ""
        paths = "".join(f'<path d="{self._path(edge)}"/>\n' for edge in self.edges)
        return f"{head}{shown}\n{paths}{''.join(map(_box, self.boxes))}</svg>\n"

    def save(self, path: str | Path) -> Path:
        """Write the picture, .svg as text, other forms through matplotlib."""
        path = Path(path)
        if path.suffix != ".svg":
            return super().save(path)
        path.write_text(self.svg())
        return path

    def _repr_svg_(self) -> str:
        return self.svg()

    def points(self, edge: Edge) -> list[tuple[float, float]]:
        """Return the points of an edge, from the foot of a box down to the head of another."""
        start, end = self.boxes[edge.start], self.boxes[edge.end]
        found = [(start.middle, start.top + HEIGHT)]
        for row, column in enumerate(edge.columns, start=start.row + 1):
            across = EDGE + column * (WIDTH + ACROSS) + WIDTH / 2
            top = EDGE + row * (HEIGHT + DOWN)
            found += [(across, top), (across, top + HEIGHT)]
        return [*found, (end.middle, end.top)]

    def _path(self, edge: Edge) -> str:
        (x, y), *rest = self.points(edge)
        path = f"M{x:g} {y:g}"
        for nx, ny in rest:
            half = (y + ny) / 2
            path += f"V{ny:g}" if nx == x else f"C{x:g} {half:g} {nx:g} {half:g} {nx:g} {ny:g}"
            x, y = nx, ny
        return path

    def draw(self, figure: Figure) -> None:
        """Draw the same with matplotlib."""
        wide, high = self.size
        figure.set_size_inches(wide / 80, high / 80)
        axes = figure.subplots()
        axes.set_xlim(0, wide)
        axes.set_ylim(high, 0)
        axes.set_axis_off()
        for edge in self.edges:
            points = self.points(edge)
            begin, end = points[0][1] - HEIGHT / 2, points[-1][1] + HEIGHT / 2  # below the boxes
            points = [(points[0][0], begin), *points, (points[-1][0], end)]
            axes.plot(*zip(*points, strict=True), color="gray", linewidth=1)
        for box in self.boxes:
            text = f"{box.name}\n{box.type} {box.shape}"
            frame = {"facecolor": "#e8f1fa" if box.parameters else "white", "edgecolor": "gray"}
            axes.text(
                box.middle, box.top + HEIGHT / 2, text, ha="center", va="center", fontsize=6,
                bbox=frame,
            )  # fmt: skip


@about_model
def plot_model(model: Any) -> Diagram:
    """Return the network as a picture: each call a box, each value an edge, branches side by side.

    A model inside the model is one box.
    """
    graph: Graph = model.graph
    table = summary(model, expand_nested=False)
    rows, edges = _rows(graph)
    columns, lanes = _columns(rows, edges)
    boxes = tuple(
        Box(one.name, one.type, one.output, one.parameters, row, column)
        for one, row, column in zip(_listed(table), rows, columns, strict=True)
    )
    return Diagram(table.name, boxes, tuple(Edge(a, b, lanes[a, b]) for a, b in edges))


def _listed(table: Summary) -> list[Any]:
    return [row for row in table.rows if row.depth == 0]


def _rows(graph: Graph) -> tuple[list[int], list[tuple[int, int]]]:
    """Return the row of each input and call, one below the lowest that it reads, and the edges."""
    number = {id(symbol): n for n, symbol in enumerate(graph.inputs)}
    rows, edges = [0] * len(graph.inputs), []
    for at, node in enumerate(graph.nodes, start=len(graph.inputs)):
        number.update({id(symbol): at for symbol in node.outputs})
        sources = list(dict.fromkeys(number[id(symbol)] for symbol in node.inputs))
        edges += [(source, at) for source in sources]
        rows.append(1 + max(rows[source] for source in sources))
    return rows, edges


def _columns(
    rows: list[int], edges: list[tuple[int, int]]
) -> tuple[list[int], dict[tuple[int, int], tuple[int, ...]]]:
    """Return the column of each box, and those that long edges pass, so that none lies on another.

    A box is below the deepest that it reads, if there is room; an edge keeps its column.
    """
    columns = [0] * len(rows)
    lanes: dict[tuple[int, int], list[int]] = {edge: [] for edge in edges}
    for row in range(max(rows) + 1):
        taken: set[int] = set()
        for at in [n for n, own in enumerate(rows) if own == row]:
            reads = [source for source, end in edges if end == at]
            wanted = columns[max(reads, key=lambda n: rows[n])] if reads else 0
            columns[at] = _free(wanted, taken)
        for source, end in edges:
            if rows[source] < row < rows[end]:
                passed = lanes[source, end]
                passed.append(_free(passed[-1] if passed else columns[source], taken))
    return columns, {edge: tuple(passed) for edge, passed in lanes.items()}


def _free(wanted: int, taken: set[int]) -> int:
    """Return the free column nearest to the one that is wanted, and take it."""
    reach = range(len(taken) + 1)
    near = [wanted + way * n for n in reach for way in (1, -1) if wanted + way * n >= 0]
    column = next(column for column in near if column not in taken)
    taken.add(column)
    return column


def _box(box: Box) -> str:
    kind = ' class="weights"' if box.parameters else ""
    x, middle = box.middle - WIDTH / 2, box.middle
    shown = f"{box.type} {box.shape}"
    return (
        f"<g{kind}><title>{escape(box.name)}: {box.parameters:,} parameters</title>"
        f'<rect x="{x:g}" y="{box.top:g}" width="{WIDTH}" height="{HEIGHT}"/>'
        f'<text x="{middle:g}" y="{box.top + 18:g}">{escape(_cut(box.name, 25))}</text>'
        f'<text x="{middle:g}" y="{box.top + 34:g}" class="soft">{escape(_cut(shown, 31))}</text>'
        "</g>\n"
    )


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}\u2026"
