"""The tutorials in full: scripts/bench tutorials [NAMES] [--seeds N], writes tutorials.md.

Each example is trained as its tutorial trains it, on all 60,000 digits, in a process of its own,
and judged on the 10,000 test digits. Seconds and memory are those of the whole process.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

from .machine import ROOT
from .results import Results, header, keep, load, origins, table


@dataclass(frozen=True)
class Row:
    """An example, how it is called, and the accuracy that it must reach (None: none is stated)."""

    example: str
    epochs: int
    target: float | None
    options: str = ""


ROWS = {
    "000": Row("tutorial_000", 1, None),
    "001": Row("tutorial_001", 4, 0.990),
    "001, third convolution": Row("tutorial_001", 4, 0.990, ", third=64"),
    "002 Keras": Row("tutorial_002_keras", 3, 0.9757),
    "002 PyTorch": Row("tutorial_002_torch", 5, None),
    "003": Row("tutorial_003", 10, None),
    "004": Row("tutorial_004", 10, 0.989),
}


def run(row: Row, seed: int) -> dict[str, float]:
    """Return accuracy, seconds and peak memory of one training."""
    call = f"main(epochs={row.epochs}, seed={seed}{row.options})"
    program = f"from examples.{row.example} import main; print({call})"
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = process.stdout.read().split()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{program!r} ended with {process.returncode}")
    seconds = time.monotonic() - started
    return {"accuracy": float(said[-1]), "s": seconds, "peak_mib": usage.ru_maxrss / 1024}


def page(results: Results) -> str:
    """Return all results as Markdown."""
    rows = [["network", "epochs", "n", "accuracy", "lowest", "target", "seconds", "peak MiB"]]
    for name in filter(results.__contains__, ROWS):
        row, runs = ROWS[name], results[name]["runs"]
        accuracy = [100 * run["accuracy"] for run in runs]
        rows.append([
            name, f"{row.epochs}", f"{len(runs)}",
            f"{statistics.median(accuracy):.2f}", f"{min(accuracy):.2f}",
            "-" if row.target is None else f"{100 * row.target:.2f}",
            f"{statistics.median(run['s'] for run in runs):.0f}",
            f"{max(run['peak_mib'] for run in runs):.0f}",
        ])  # fmt: skip
    lines = [
        "# The tutorials in full", "",
        "Test accuracy in %, median of the seeds 0, 1, ... n - 1; seconds and memory of the whole "
        "process, on a shared machine.", "",
        *table(rows), *origins(results),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the rows that are asked for; keep what was measured of others."""
    parser = argparse.ArgumentParser(prog="scripts/bench tutorials", description=__doc__)
    parser.add_argument("names", nargs="*", default=list(ROWS), metavar="NAME")
    parser.add_argument("--seeds", type=int, default=1)
    given = parser.parse_args()
    results = load("tutorials")
    for name in given.names:
        if name not in ROWS:
            parser.error(f"no row {name!r}, need one of {', '.join(ROWS)}")
        described = header("tutorials")
        runs = [run(ROWS[name], seed) for seed in range(given.seeds)]
        results[name] = {"header": described, "runs": runs}
        keep("tutorials", results, page)
    print(page(results))


if __name__ == "__main__":
    main()
