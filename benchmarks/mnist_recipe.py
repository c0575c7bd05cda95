"""How good, fast and small `striate train mnist` is: scripts/bench recipe [SEEDS].

Trains the recipe once for each seed, each in a process of its own, and writes the table with its
median to mnist_recipe.md. Seconds are those of training with validation; "whole" is the
command from start to end, and memory is its peak. Import time is what `import striate`, with every
public name, adds to `import torch`; help is `striate --help` from start to end. `--note` is a
sentence for the page, about the machine's other work say.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from .results import Results, header, keep, origins, table

IMPORT = """
import time, torch
started = time.perf_counter()
import striate
for name in striate.__all__: getattr(striate, name)
print(time.perf_counter() - started)
"""


def train(seed: int) -> dict[str, float]:
    """Return the results of one training, with the seconds and the memory of the whole command."""
    program = "from striate.cli import main; main()"
    words = ["train", "mnist", f"seed={seed}", "--json"]
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-c", program, *words],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"striate {' '.join(words)} ended with {process.returncode}")
        result = json.loads(said)
    kept = {name: result[name] for name in ("test_accuracy", "test_loss", "seconds")}
    whole = time.monotonic() - started
    return {"seed": seed, **kept, "whole": whole, "peak_mib": usage.ru_maxrss / 1024}


def import_s() -> float:
    """Return the seconds of `import striate` in a process that has torch already."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], check=True, stdout=subprocess.PIPE, text=True
    )
    return float(done.stdout)


def help_s() -> float:
    """Return the seconds of `striate --help`, from start to end."""
    started = time.perf_counter()
    words = [sys.executable, "-c", "from striate.cli import main; main()", "--help"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def page(results: Results) -> str:
    """Return the results as Markdown."""
    part = results["recipe"]
    runs = part["runs"]
    accuracy, whole, memory = (
        statistics.median(run[name] for run in runs)
        for name in ("test_accuracy", "whole", "peak_mib")
    )
    rows = [["seed", "test accuracy %", "test loss", "training s", "whole s", "peak MiB"]]
    rows += [
        [
            f"{run['seed']}", f"{100 * run['test_accuracy']:.2f}", f"{run['test_loss']:.4f}",
            f"{run['seconds']:.1f}", f"{run['whole']:.1f}", f"{run['peak_mib']:.0f}",
        ]
        for run in runs
    ]  # fmt: skip
    lines = [
        "# `striate train mnist`", "",
        f"Median of {len(runs)} seeds: test accuracy {100 * accuracy:.2f} %, {whole:.0f} s, "
        f"{memory:.0f} MiB. `import striate`, with every public name, takes "
        f"{statistics.median(part['import_s']):.2f} s beyond torch's own import, `striate --help` "
        f"{statistics.median(part['help_s']):.2f} s (medians of {len(part['import_s'])}). "
        f"A shared machine. {part['note']}".strip(), "",
        *table(rows), *origins(results),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def main() -> None:
    """Train, and keep the results after each seed."""
    parser = argparse.ArgumentParser(prog="scripts/bench recipe", description=__doc__)
    parser.add_argument("seeds", nargs="?", type=int, default=5)
    parser.add_argument("--note", default="")
    given = parser.parse_args()
    described, starts = header("recipe"), {
        "import_s": [import_s() for _ in range(5)],
        "help_s": [help_s() for _ in range(5)],
        "note": given.note,
    }  # fmt: skip
    runs = []
    for seed in range(given.seeds):
        runs.append(train(seed))
        results = {"recipe": {"header": described, **starts, "runs": runs}}
        keep("mnist_recipe", results, page)
        print(page(results), flush=True)


if __name__ == "__main__":
    main()
