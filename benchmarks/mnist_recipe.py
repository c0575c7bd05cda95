"""How good and how fast `striate train mnist` is: python benchmarks/mnist_recipe.py [SEEDS].

Trains the recipe once for each seed, each in a process of its own, and writes the table with its
median to benchmarks/results/mnist_recipe.md. Seconds are those of training with validation; "whole"
is the command from start to end.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from striate.store.run import environment

RESULTS = Path(__file__).parent / "results" / "mnist_recipe.md"


def train(seed: int, folder: str) -> dict[str, float]:
    """Return the results of one training, with the seconds of the whole command."""
    program = "from striate.cli import main; main()"
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program, "train", "mnist", f"seed={seed}", "--json"],
        cwd=folder,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return {"seed": seed, **json.loads(done.stdout), "whole": time.monotonic() - started}


def table(rows: list[dict[str, float]]) -> str:
    """Return the results as Markdown."""
    machine = environment()
    accuracy = statistics.median(row["test_accuracy"] for row in rows)
    whole = statistics.median(row["whole"] for row in rows)
    lines = [
        "# `striate train mnist`",
        "",
        f"Median of {len(rows)} seeds: test accuracy {100 * accuracy:.2f} %, {whole:.0f} s.",
        "",
        f"{machine['cpu']}, {machine['threads']} threads, {machine['instructions']}, "
        f"torch {machine['torch']}, Python {machine['python']}, striate {machine['striate']}; "
        f"a shared machine. Command: `python benchmarks/mnist_recipe.py {len(rows)}`.",
        "",
        "| seed | test accuracy % | test loss | training s | whole s |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['seed']:.0f} | {100 * row['test_accuracy']:.2f} | {row['test_loss']:.4f} "
        f"| {row['seconds']:.1f} | {row['whole']:.1f} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def main(seeds: int) -> None:
    """Train, and write the table after each seed."""
    rows: list[dict[str, float]] = []
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            rows.append(train(seed, folder))
        RESULTS.write_text(table(rows), encoding="utf-8")
        print(RESULTS.read_text(encoding="utf-8"), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
