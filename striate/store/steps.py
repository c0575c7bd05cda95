"""Steps: what training gave between the ends of its epochs, thinned to a file of a bounded size."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from .files import write_atomic

FILE = "steps.jsonl"
MOST = 2000  # lines, of about 100 bytes: then every two neighbours become one
EVERY_S = 0.2  # between two lines at first; twice as long each time that the lines are thinned
Row = dict[str, float]


class Steps:
    """Writes lines between the epochs: place, step, loss, learning rate, images a second.

    `at` is the place in epochs: 1.5 is the middle of the second epoch. A line has the mean of the
    steps since the line before. There are at most 2,000 lines: where these are full, each two
    neighbours become one, and lines come half as often from then on.
    """

    def __init__(self, run: Path) -> None:
        self.place = run / FILE
        self.rows: list[Row] = []
        self.every_s = EVERY_S
        self.written = time.monotonic()

    def due(self) -> bool:
        """Return whether it is time for a line."""
        return time.monotonic() - self.written >= self.every_s

    def add(self, row: Row) -> None:
        """Write a line; `steps` is of how many steps it is the mean."""
        self.written = time.monotonic()
        self.rows.append(row)
        if len(self.rows) > MOST:
            self.rows = joined(self.rows)
            self.every_s *= 2
            write_atomic(self.place, "".join(map(_line, self.rows)).encode())
            return
        with self.place.open("a") as file:
            file.write(_line(row))


def load(run: Path, most: int = MOST) -> list[Row]:
    """Return the lines of a run, at most `most` of them; none where there are none."""
    rows: list[Row] = []
    place = run / FILE
    for line in place.read_text().splitlines() if place.is_file() else []:
        try:
            row = json.loads(line)
        except ValueError:  # the last one is being written
            continue
        if isinstance(row, dict) and {"at", "step", "steps"} <= row.keys():
            rows.append({key: v for key, v in row.items() if isinstance(v, (int, float))})
    while len(rows) > most:
        rows = joined(rows)
    return rows


def joined(rows: Sequence[Row]) -> list[Row]:
    """Return each two neighbours as one: the mean by their steps, at the place of the later one."""
    pairs = [rows[at : at + 2] for at in range(0, len(rows), 2)]
    return [_mean(pair) for pair in pairs]


def _mean(pair: Sequence[Row]) -> Row:
    last, steps = pair[-1], sum(row["steps"] for row in pair)
    means = {
        key: sum(row.get(key, math.nan) * row["steps"] for row in pair) / steps
        for key in last
        if key not in ("at", "step", "steps")
    }
    return {"at": last["at"], "step": last["step"], "steps": steps, **means}


def _line(row: Mapping[str, float]) -> str:
    return json.dumps({key: float(f"{value:.6g}") if key in ("loss", "lr", "images_s") else value
                       for key, value in row.items()}) + "\n"  # fmt: skip
