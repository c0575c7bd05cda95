"""How long 99.0 % on MNIST takes: scripts/bench time-to-99, writes time_to_99.md.

The network is that of tutorial 001 on normalised pixels; Adam with one cycle of the learning rate,
and smoothed labels, over as many images as the time allows, drawn anew for each seed and seen once.
The schedule is the most accurate of some on every twelfth training image, in the mean of three
seeds (the last 5,000 images would be easier than most). It then trains fresh seeds; the test set is
looked at once for each of them. What is timed is `fit`.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

import striate as st
from examples.tutorial_001 import stack
from striate import layers as L

from .process import alone
from .protocol import priority, usable
from .results import Results, header, keep, load, origins, table

HELD_OUT = 12  # one of so many images judges the schedules
IMAGES = 36_000
SMOOTHING = 0.1  # of the labels: as good on these images as none on all 60,000
CHOOSING, JUDGED = range(100, 103), range(5)  # seeds: none chooses and is judged


@dataclass(frozen=True)
class Schedule:
    """One cycle: up to the highest learning rate at `rise` of the steps, then down."""

    batch: int
    highest: float
    rise: float

    def __str__(self) -> str:
        return f"batches of {self.batch}, up to {self.highest:g} at {self.rise:.0%} of the steps"


SCHEDULES = list(
    itertools.starmap(Schedule, itertools.product((32, 48), (6e-3, 8e-3, 1.2e-2), (0.1, 0.25)))
)


def train(schedule: Schedule, seed: int, data: Any, held_out: Any) -> tuple[float, float]:
    """Return the accuracy on what was held out, and the seconds of training."""
    st.seed(seed)
    x, y = data
    mean, deviation = x.mean(), x.std()
    model = st.Sequential(
        [L.Input((28, 28, 1)), L.Rescaling(1 / deviation, -mean / deviation), *stack().layers[1:]]
    )
    drawn = np.random.default_rng(seed).permutation(len(x))[:IMAGES]
    x, y = x[drawn], y[drawn]
    steps = -(-len(x) // schedule.batch)
    rate = st.optimizers.schedules.OneCycle(schedule.highest, steps, pct_start=schedule.rise)
    optimizer = st.optimizers.Adam(rate, beta_2=0.99)
    model.compile(optimizer, st.losses.Crossentropy(label_smoothing=SMOOTHING), ["accuracy"])
    with alone(), priority(usable()[0]):
        started = time.perf_counter()
        model.fit(x, y, batch_size=schedule.batch, verbose=0)
        seconds = time.perf_counter() - started
        accuracy = model.evaluate(*held_out, verbose=0)[1]
    print(schedule, "seed", seed, f"{accuracy:.4f} {seconds:.2f} s", file=sys.stderr, flush=True)
    return accuracy, seconds


def choose(x: Any, y: Any, schedules: list[Schedule]) -> tuple[Schedule, float]:
    """Return the schedule to be judged, and its mean accuracy on the validation part."""
    held_out = np.arange(len(x)) % HELD_OUT == 0
    tried: list[tuple[float, Schedule]] = []
    for schedule in schedules:
        runs = [
            train(schedule, seed, (x[~held_out], y[~held_out]), (x[held_out], y[held_out]))
            for seed in CHOOSING
        ]
        tried.append((statistics.mean(accuracy for accuracy, _ in runs), schedule))
    accuracy, best = max(tried, key=lambda row: row[0])
    return best, accuracy


def page(results: Results) -> str:
    """Return all results as Markdown."""
    rows = [["seed", "test accuracy %", "training s"]]
    part = results["001"]
    runs = part["runs"]
    rows += [
        [f"{seed}", f"{100 * accuracy:.2f}", f"{s:.2f}"] for seed, (accuracy, s) in enumerate(runs)
    ]
    mean, seconds = (statistics.mean(column) for column in zip(*runs, strict=True))
    return "\n".join(
        [
            "# Time to 99.0 % on MNIST", "",
            f"Mean of {len(runs)} seeds: test accuracy {100 * mean:.2f} % after {seconds:.2f} s of "
            f"training on {IMAGES:,} images. Schedule: {part['schedule']}; mean validation "
            f"accuracy {100 * part['validation']:.2f} %.", "",
            *table(rows), *origins(results), "",
        ]
    )  # fmt: skip


def main() -> None:
    """Choose, then judge."""
    parser = argparse.ArgumentParser(prog="scripts/bench time-to-99", description=__doc__)
    parser.add_argument("--samples", type=int, default=60_000, help="fewer: a trial, nothing kept")
    parser.add_argument("--schedules", type=int, default=len(SCHEDULES), help="try the first N")
    given = parser.parse_args()
    described = header("time-to-99")
    (x, y), test = st.datasets.mnist()
    x, y = x[: given.samples], y[: given.samples]
    schedule, validation = choose(x, y, SCHEDULES[: given.schedules])
    runs = [train(schedule, seed, (x, y), test) for seed in JUDGED]
    results = load("time_to_99") | {
        "001": {
            "header": described, "schedule": str(schedule), "validation": validation, "runs": runs,
        }
    }  # fmt: skip
    if given.samples == len(x) == 60_000:
        keep("time_to_99", results, page)
    print(page(results))


if __name__ == "__main__":
    main()
