"""Figures about one thing each: scripts/bench figures [NAMES], writes figures.md.

Start-up, memory, and how the cost of training grows with batch, image, width and depth; beside
another busy program; on one core and on two. The cases of a figure take turns, like peers.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from .process import PEERS, Process, alone
from .protocol import PRIORITY
from .results import Results, header, keep, load, origins, table

RATE, TIME, START, MEMORY = "samples/s", "us a sample", "s", "MiB"
BEST = ("Striate", "PyTorch expert")
TRAINERS = tuple(
    name for name, peer in PEERS.items() if "train" in peer.modes and peer.variant != "bfloat16"
)


@dataclass(frozen=True)
class Case:
    """One row: what is trained, on how many cores (0: all), and beside what."""

    label: str
    network: str = "001"
    batch: int = 64
    cores: int = 0
    hog: bool = False


@dataclass(frozen=True)
class Figure:
    """What is measured, of which peers, in which unit."""

    title: str
    cases: tuple[Case, ...]
    peers: tuple[str, ...] = BEST
    unit: str = RATE
    priority: str = "realtime"


SIZES, WIDTHS, DEPTHS = (28, 56, 112, 224), (8, 16, 32, 64, 128), (2, 4, 8, 16)
FIGURES = {
    "start": Figure(
        "Start-up: from nothing to the end of the first training step of 001",
        (Case("001"),), (*TRAINERS, "import torch alone"), START,
    ),
    "memory": Figure("Peak memory of training 001", (Case("001"),), TRAINERS, MEMORY),
    "batch": Figure(
        "Training 001 with other batch sizes",
        tuple(Case(f"{batch}", batch=batch) for batch in (1, 4, 16, 64, 256, 1024)),
    ),
    "size": Figure(
        "Image size: two convolutions of 16 filters",
        tuple(Case(f"{size} x {size}", f"stack-{size}-16-2") for size in SIZES), unit=TIME,
    ),
    "width": Figure(
        "Width: three convolutions",
        tuple(Case(f"{width} filters", f"stack-28-{width}-3") for width in WIDTHS), unit=TIME,
    ),
    "depth": Figure(
        "Depth: convolutions of 32 filters",
        tuple(Case(f"{depth} layers", f"stack-28-32-{depth}") for depth in DEPTHS), unit=TIME,
    ),
    "hog": Figure(
        "Training 001 beside a program that keeps one core busy",
        (Case("quiet"), Case("beside it", hog=True)), priority="normal",
    ),
    **{
        f"threads-{name}": Figure(
            f"Training {name} on one core and on two",
            tuple(Case(f"{cores}", name, batch, cores) for cores in (1, 2)),
        )
        for name, batch in (("001", 64), ("004", 32), ("resnet20", 128))
    },
}  # fmt: skip


def measure(figure: Figure, rounds: int, seconds: float) -> list[list[float]]:
    """Return the median of each case (rows) and peer (columns) in the figure's unit."""
    values: dict[tuple[Case, str], list[float]] = {
        (case, label): [] for case in figure.cases for label in figure.peers
    }
    with ExitStack() as stack:
        running: dict[tuple[Case, str], Process] = {}
        for turn in range(rounds):
            for (case, label), found in values.items():
                if figure.unit == START:
                    with alone(), _start(case, label, 0, figure.priority) as process:
                        found.append(process.started_s)
                    continue
                if not turn:
                    running[case, label] = stack.enter_context(_start(case, label, seconds))
                with _hog(case.hog):
                    passed = running[case, label].run(figure.priority)
                rate = passed["samples_per_s"]
                unit = {RATE: rate, TIME: 1e6 / rate, MEMORY: passed["peak_mib"]}[figure.unit]
                found.append(unit)
                print(label, case.label, f"{unit:,.1f}", file=sys.stderr, flush=True)
    return [
        [round(statistics.median(values[case, label]), 3) for label in figure.peers]
        for case in figure.cases
    ]


def _start(case: Case, label: str, seconds: float, priority: str = "normal") -> Process:
    """Start a peer on the case's cores; with a priority of its own from the first moment."""
    cores = ["taskset", "-c", ",".join(map(str, range(case.cores)))] if case.cores else []
    level = ["chrt", "-f", str(PRIORITY)] if priority == "realtime" else []
    return Process(PEERS[label], case.network, "train", case.batch, seconds, [*cores, *level])


@contextmanager
def _hog(wanted: bool) -> Iterator[None]:
    """Keep one core busy for a while."""
    if not wanted:
        yield
        return
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as hog:
        try:
            yield
        finally:
            hog.kill()


def page(results: Results) -> str:
    """Return all results as Markdown."""
    lines = ["# Figures", "", "Medians. `x` is the ratio to the row above.", ""]
    for name in filter(results.__contains__, FIGURES):
        figure, values = FIGURES[name], results[name]["values"]
        rows = [["", *(cell for peer in figure.peers for cell in (peer, "x"))]]
        for index, case in enumerate(figure.cases):
            above = values[index - 1] if index else [0.0] * len(figure.peers)
            cells = [
                cell
                for now, before in zip(values[index], above, strict=True)
                for cell in (_shown(now), f"{now / before:.2f}" if before else "")
            ]
            rows.append([case.label, *cells])
        if len(figure.cases) == 1:
            rows = [["", "value"]] + [
                [peer, _shown(value)] for peer, value in zip(figure.peers, values[0], strict=True)
            ]
        where = {"realtime": "real-time priority", "normal": "normal priority"}[figure.priority]
        lines += [f"## {figure.title}, {figure.unit}, {where}", "", *table(rows)]
    return "\n".join([*lines, *origins(results)]) + "\n"


def _shown(value: float) -> str:
    return f"{value:,.2f}" if value < 100 else f"{value:,.0f}"


def main() -> None:
    """Measure the figures that are asked for; keep what was measured of others."""
    parser = argparse.ArgumentParser(prog="scripts/bench figures", description=__doc__)
    parser.add_argument("names", nargs="*", default=list(FIGURES), metavar="NAME")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--dry", action="store_true", help="print the page, keep nothing")
    given = parser.parse_args()
    results = {} if given.dry else load("figures")
    for name in given.names:
        if name not in FIGURES:
            parser.error(f"no figure {name!r}, need one of {', '.join(FIGURES)}")
        described = header("figures")
        values = measure(FIGURES[name], given.rounds, given.seconds)
        results[name] = {"header": described, "values": values}
        if not given.dry:
            keep("figures", results, page)
    print(page(results))


if __name__ == "__main__":
    main()
