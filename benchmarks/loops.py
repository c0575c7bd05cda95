"""Loops of scripts beside `fit`, and beside plain PyTorch: scripts/bench loops [NAMES].

Each row is two processes that stay, of one script with another argument or without Striate. They
take turns, one pass each, and the median counts. Writes loops.md.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .dialects import SCRIPTS
from .process import PlainProcess, ScriptProcess, in_turn, times
from .protocol import usable
from .results import Results, header, keep, load, origins, table


@dataclass(frozen=True)
class Row:
    """A script's loop by its argument, and another one beside it; "": the same without Striate."""

    script: str
    loop: str
    beside: str = ""


KERAS, PYTORCH = "loops_keras", "loops_pytorch"
ROWS = {
    **{f"tf.keras, {loop}": Row(KERAS, loop, beside) for loop, beside in (
        ("train_on_batch", "fit"), ("a generator", "fit"), ("train_step", "fit"),
        ("GradientTape", "fit"), ("a call", "predict"))},
    **{f"PyTorch, {loop}": Row(PYTORCH, loop) for loop in (
        "LeNet", "LeNet, PReLU", "ResNet, BatchNorm", "ResNet, GroupNorm", "U-Net", "GAN")},
}  # fmt: skip


def measure(row: Row, passes: int, priority: str) -> dict[str, list[float]]:
    """Return the samples per second of every pass."""
    script = SCRIPTS / f"{row.script}.py"
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        other = (ScriptProcess(script, where, row.beside) if row.beside
                 else PlainProcess(script, where, row.loop))  # fmt: skip
        with ScriptProcess(script, where, row.loop) as loop, other:
            return in_turn({"loop": loop, "beside": other}, passes, priority)


def page(results: Results) -> str:
    """Return all results as Markdown."""
    rows = [["loop", "n", "loop, samples/s", "beside", "beside, samples/s", "loop / beside"]]
    for name in filter(results.__contains__, ROWS):
        loop, beside = results[name]["loop"], results[name]["beside"]
        rows.append([
            name, f"{len(loop)}", f"{statistics.median(loop):,.0f}",
            ROWS[name].beside or "plain PyTorch", f"{statistics.median(beside):,.0f}",
            f"{times(loop, beside):.2f}",
        ])  # fmt: skip
    lines = [
        "# Loops of scripts", "",
        "Training, or asking, in the ways that scripts have beside `fit` of arrays, through "
        "`striate run`: in tf.keras beside `fit` (a call beside `predict`) of the same network, in "
        "PyTorch beside the same script without Striate. Medians of passes in turn; the last "
        "column is the median of the ratios of passes next to each other.", "",
        *table(rows), *origins(results),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure the rows that are asked for; keep what was measured of others."""
    parser = argparse.ArgumentParser(prog="scripts/bench loops", description=__doc__)
    parser.add_argument("names", nargs="*", default=list(ROWS), metavar="NAME")
    parser.add_argument("--passes", type=int, default=9)
    parser.add_argument("--dry", action="store_true", help="print the page and keep nothing")
    given = parser.parse_args()
    results, priority = load("loops"), usable()[0]
    for name in given.names:
        if name not in ROWS:
            parser.error(f"no row {name!r}, need one of {', '.join(ROWS)}")
        described = header("loops")
        measured = measure(ROWS[name], given.passes, priority)
        results[name] = {"header": described, "priority": priority, **measured}
        if not given.dry:
            keep("loops", results, page)
    print(page(results))


if __name__ == "__main__":
    main()
