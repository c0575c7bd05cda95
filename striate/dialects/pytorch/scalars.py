"""A SummaryWriter without tensorboard: scalars as a table, all else let go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..session import Session


class SummaryWriter:
    """Writes each scalar as a line of scalars.jsonl: its name, its step and its value."""

    session: Session

    def __init__(self, log_dir: Any = None, *args: Any, **words: Any) -> None:
        folder = Path(log_dir or words.get("logdir") or "runs/tensorboard")
        folder.mkdir(parents=True, exist_ok=True)
        self.log_dir, self.path = str(folder), folder / "scalars.jsonl"
        self.session.note(f"tensorboard is not installed: scalars go to {self.path}")

    def add_scalar(
        self, tag: str, scalar_value: Any, global_step: Any = None, **words: Any
    ) -> None:
        """Write a number."""
        step = None if global_step is None else int(global_step)
        line = {"name": tag, "step": step, "value": float(scalar_value)}
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def add_scalars(self, main_tag: str, tag_scalar_dict: dict[str, Any], global_step: Any = None,
                    **words: Any) -> None:  # fmt: skip
        """Write several numbers."""
        for tag, value in tag_scalar_dict.items():
            self.add_scalar(f"{main_tag}/{tag}", value, global_step)

    def add_nothing(self, *args: Any, **words: Any) -> None:
        """Let pictures, graphs and distributions go."""

    add_image = add_images = add_figure = add_graph = add_histogram = add_nothing
    add_text = add_embedding = add_pr_curve = add_hparams = flush = close = add_nothing

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *error: Any) -> None:
        """Keep what was written."""
