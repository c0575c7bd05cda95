"""Summaries: numbers of each iteration or validation, which a script reads back and plots."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

from .triggers import Trigger


class Summary:
    """Numbers by tag, as (iteration, value, time); kept in a file below `log_dir` too."""

    part = "train"

    def __init__(self, log_dir: str, app_name: str, bigdl_type: str = "float") -> None:
        self.folder = Path(log_dir) / app_name / self.part
        self.values: dict[str, list[tuple[int, float, float]]] = {}
        self.triggers: dict[str, Trigger] = {}

    def add_scalar(self, tag: str, iteration: int, value: float) -> None:
        """Append a number."""
        self.values.setdefault(tag, []).append((iteration, float(value), time.time()))

    def read_scalar(self, tag: str) -> list[tuple[int, float, float]]:
        """Return the numbers of a tag; none where there are none."""
        return list(self.values.get(tag, []))

    def set_summary_trigger(self, name: str, trigger: Trigger) -> Summary:
        """Ask for further numbers: "LearningRate" or "Parameters"."""
        self.triggers[name] = trigger
        return self

    def write(self) -> None:
        """Write all numbers to a file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "scalars.csv").open("w", newline="", encoding="utf-8") as file:
            rows: Any = csv.writer(file)
            rows.writerow(("tag", "iteration", "value", "time"))
            rows.writerows((tag, *row) for tag, found in self.values.items() for row in found)


class TrainSummary(Summary):
    """Numbers of training: "Loss" and "Throughput" of each iteration, "LearningRate" if asked."""


class ValidationSummary(Summary):
    """Numbers of validation, by the names of its methods."""

    part = "validation"
