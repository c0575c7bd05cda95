"""Charts as SVG text: curves by epoch, bars, confidence against accuracy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from .markup import text

Point = tuple[float, float]
WIDTH, HEIGHT, LEFT, TOP, RIGHT, LOW = 460, 224, 52, 30, 448, 196


def curves(
    name: str,
    history: Sequence[Mapping[str, float]],
    best: int | None = None,
    steps: Sequence[Mapping[str, float]] = (),
) -> str:
    """Return a number by epoch in training and, dashed, validation; the best epoch marked.

    `steps` are rows between the ends of the epochs, each with its place `at`: a light line.
    """
    lines = {
        kind: [(row["epoch"], row[key]) for row in history if _finite(row.get(key))]
        for kind, key in (("train", name), ("validation", f"val_{name}"))
    }
    light = [(row["at"], row[name]) for row in steps if _finite(row.get(name))]
    every = [point for line in (*lines.values(), light) for point in line]
    if not every:
        return ""
    first, end = min(x for x, _ in every), max(x for x, _ in every)
    first = 0 if len(light) > 1 else first
    low, high = min(y for _, y in every), max(y for _, y in every)
    place = _Place(first, max(end - first, 1), low, (high - low) or 1.0)
    drawn = _line("steps", [place(*at) for at in light]) if len(light) > 1 else ""
    drawn += "".join(_line(kind, [place(*at) for at in line]) for kind, line in lines.items())
    legend = "training, and dashed validation" if all(lines.values()) else ""
    mark = ""
    if best is not None and first <= best <= end:
        mark = _best(float(place(best, low).split(",")[0]))
    return _frame(name, legend, low, high, f"{first:g}", f"epoch {end:g}", mark + drawn)


def rates(lr: Sequence[float], loss: Sequence[float], suggestion: float) -> str:
    """Return the loss by learning rate, on a scale of powers of ten, and the rate suggested."""
    points = [
        (math.log10(x), y)
        for x, y in zip(lr, loss, strict=False)
        if _finite(x) and x > 0 and _finite(y)
    ]
    if len(points) < 2:
        return ""
    low, high = min(y for _, y in points), max(y for _, y in points)
    first, end = points[0][0], points[-1][0]
    place = _Place(first, (end - first) or 1.0, low, (high - low) or 1.0)
    mark = ""
    if suggestion > 0 and first <= math.log10(suggestion) <= end:
        across = float(place(math.log10(suggestion), low).split(",")[0])
        mark = _best(across, f"{suggestion:.2g}")
    drawn = mark + _line("train", [place(*at) for at in points])
    return _frame(
        "loss by learning rate", "the range test before training",
        low, high, f"{lr[0]:.2g}", f"{10**end:.2g}", drawn,
    )  # fmt: skip


def bars(name: str, values: Sequence[tuple[str, float]], note: str = "") -> str:
    """Return upright bars from zero, each with its name below."""
    if not values:
        return ""
    high = max(value for _, value in values) or 1.0
    step = (RIGHT - LEFT) / len(values)
    parts = []
    for number, (label, value) in enumerate(values):
        tall = (LOW - TOP) * value / high
        x = LEFT + number * step
        parts.append(
            f'<rect x="{x + step * 0.12:.1f}" y="{LOW - tall:.1f}" width="{step * 0.76:.1f}" '
            f'height="{tall:.1f}"><title>{text(label)}: {value:g}</title></rect>'
        )
        if len(values) <= 12:
            parts.append(
                f'<text x="{x + step / 2:.1f}" y="{LOW + 18}" text-anchor="middle">'
                f"{text(label[:7])}</text>"
            )
    return _frame(name, note, 0, high, "", "", "".join(parts))


def scatter(sizes: Sequence[tuple[int, int, int]]) -> str:
    """Return sizes of images, (height, width, how many), as dots: the more there are the larger."""
    wide, tall = (max(one[axis] for one in sizes) for axis in (1, 0))
    every = sum(many for _, _, many in sizes)
    parts = []
    for height, width, many in sorted(sizes, key=lambda size: -size[2]):
        x = LEFT + (RIGHT - LEFT) * width / wide
        y = LOW - (LOW - TOP) * height / tall
        radius = 2 + 8 * math.sqrt(many / every)
        parts.append(
            f'<circle class="size" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}">'
            f"<title>{height} x {width}: {many:,}</title></circle>"
        )
    note = "height by width, in pixels"
    return _frame("sizes of the files", note, 0, tall, "0", f"{wide:,}", "".join(parts))


def reliability(
    confidence: Sequence[float], accuracy: Sequence[float], count: Sequence[int], note: str
) -> str:
    """Return how often the network is right when it is so sure, and the line where both agree."""
    place = _Place(0, 1, 0, 1)
    most = max(*count, 1)
    step = (RIGHT - LEFT) / len(count)
    parts = [f'<path class="axis" d="M{LEFT} {LOW}L{RIGHT} {TOP}"/>']
    for number, many in enumerate(count):
        tall = (LOW - TOP) * 0.35 * many / most
        parts.append(
            f'<rect class="quiet" x="{LEFT + number * step + 1:.1f}" y="{LOW - tall:.1f}" '
            f'width="{step - 2:.1f}" height="{tall:.1f}"><title>{many:,} images</title></rect>'
        )
    some = [
        place(sure, right)
        for sure, right, many in zip(confidence, accuracy, count, strict=True)
        if many
    ]
    parts.append(f'<polyline class="train" points="{" ".join(some)}"/>')
    parts += [_dot("train", point) for point in some]
    return _frame("accuracy", note, 0, 1, "sure 0", "1", "".join(parts))


def _line(kind: str, points: Sequence[str]) -> str:
    if len(points) > 1:
        return f'<polyline class="{kind}" points="{" ".join(points)}"/>\n'
    return "".join(_dot(kind, point) for point in points)


def _dot(kind: str, point: str) -> str:
    x, y = point.split(",")
    return f'<circle class="{kind}" cx="{x}" cy="{y}" r="3"/>\n'


def _best(x: float, name: str = "best") -> str:
    left = x > RIGHT - 60
    return (
        f'<path class="best" d="M{x:.1f} {TOP}V{LOW}"/>'
        f'<text class="best" x="{x + (-5 if left else 5):.1f}" y="{TOP + 12}" '
        f'text-anchor="{"end" if left else "start"}">{text(name)}</text>\n'
    )


def _frame(
    name: str, note: str, low: float, high: float, first: str, end: str, content: str
) -> str:
    told = f'<tspan class="note"> {text(note)}</tspan>' if note else ""
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{text(name)}">\n'
        f'<text x="{LEFT}" y="16"><tspan class="name">{text(name)}</tspan>{told}</text>\n'
        f'<path class="axis" d="M{LEFT} {TOP}H{RIGHT}M{LEFT} {LOW}H{RIGHT}"/>\n'
        f'<text x="{LEFT - 6}" y="{TOP + 4}" text-anchor="end">{_number(high)}</text>\n'
        f'<text x="{LEFT - 6}" y="{LOW + 4}" text-anchor="end">{_number(low)}</text>\n'
        f'<text x="{LEFT}" y="{HEIGHT - 10}">{text(first)}</text>\n'
        f'<text x="{RIGHT}" y="{HEIGHT - 10}" text-anchor="end">{text(end)}</text>\n'
        f"{content}</svg>\n"
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


class _Place:
    """From numbers to a place on a chart."""

    def __init__(self, first: float, wide: float, low: float, tall: float) -> None:
        self.first, self.wide, self.low, self.tall = first, wide, low, tall

    def __call__(self, x: float, y: float) -> str:
        across = LEFT + (RIGHT - LEFT) * (x - self.first) / self.wide
        return f"{across:.1f},{LOW - (LOW - TOP) * (y - self.low) / self.tall:.1f}"


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
