"""The tutorials in full: scripts/bench tutorials [NAMES] [--seeds N], writes results/tutorials.md.

Each example is trained as its tutorial trains it, on all 60,000 digits, in a process of its own,
and judged on the 10,000 test digits. Seconds and memory are those of the whole process.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

from . import machine

FOLDER = machine.RESULTS


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
        [sys.executable, "-c", program], cwd=machine.ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = process.stdout.read().split()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{program!r} ended with {process.returncode}")
    seconds = time.monotonic() - started
    return {"accuracy": float(said[-1]), "s": seconds, "peak_mib": usage.ru_maxrss / 1024}


def page(results: dict[str, Any]) -> str:
    """Return all results as Markdown."""
    lines = [
        "# The tutorials in full", "",
        "Test accuracy in %, median of the seeds 0, 1, ... n - 1; seconds and memory of the whole "
        "process, on a shared machine.", "",
        "| network | epochs | n | accuracy | lowest | target | seconds | peak MiB |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]  # fmt: skip
    for name, row in ROWS.items():
        runs = results.get(name, {}).get("runs", [])
        if not runs:
            continue
        accuracy = [100 * run["accuracy"] for run in runs]
        target = "-" if row.target is None else f"{100 * row.target:.2f}"
        lines.append(
            f"| {name} | {row.epochs} | {len(runs)} | {statistics.median(accuracy):.2f} "
            f"| {min(accuracy):.2f} | {target} | {statistics.median(run['s'] for run in runs):.0f} "
            f"| {max(run['peak_mib'] for run in runs):.0f} |"
        )
    lines += [""]
    how: dict[str, list[str]] = {}
    for name in filter(results.__contains__, ROWS):
        words = f"`{results[name]['command']}`; {machine.line(results[name]['machine'])}"
        how.setdefault(words, []).append(name)
    return "\n".join([*lines, *(f"- {'; '.join(names)}: {words}" for words, names in how.items())])


def main() -> None:
    """Run the rows that are asked for; keep what was measured of others."""
    parser = argparse.ArgumentParser(prog="scripts/bench tutorials", description=__doc__)
    parser.add_argument("names", nargs="*", default=list(ROWS), metavar="NAME")
    parser.add_argument("--seeds", type=int, default=1)
    given = parser.parse_args()
    file = FOLDER / "tutorials.json"
    results = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    for name in given.names:
        if name not in ROWS:
            parser.error(f"no row {name!r}, need one of {', '.join(ROWS)}")
        described = machine.describe()
        runs = [run(ROWS[name], seed) for seed in range(given.seeds)]
        command = " ".join(["scripts/bench tutorials", *sys.argv[1:]])
        results[name] = {"command": command, "machine": described, "runs": runs}
        file.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        (FOLDER / "tutorials.md").write_text(page(results) + "\n", encoding="utf-8")
    print(page(results))


if __name__ == "__main__":
    main()
