"""Writers without tensorboard: scalars and hyper-parameters as tables, all else let go."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from ..settings import plain
from .session import Session


def hyper_parameters(
    folder: Any, given: Mapping[Any, Any], made: Mapping[str, float] | None = None
) -> None:
    """Write hyper-parameters, by their names or by objects that have one, into a folder."""
    named = {str(getattr(key, "name", key)): plain(value) for key, value in given.items()}
    line = {"hparams": named, **({} if made is None else {"metrics": made})}
    with (Path(folder) / "hparams.jsonl").open("a") as file:
        file.write(json.dumps(line, default=str) + "\n")


class FileWriter:
    """What `tf.summary.create_file_writer` gives: within `as_default`, numbers go to its folder."""

    def __init__(self, logdir: Any, *args: Any, **words: Any) -> None:
        self.folder = Path(str(logdir))
        self.folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def as_default(self, step: Any = None) -> Iterator[FileWriter]:
        """Let what is said inside of the block go here."""
        before = HERE.set(self)
        try:
            yield self
        finally:
            HERE.reset(before)

    def set_as_default(self, step: Any = None) -> None:
        """Let everything from now on go here."""
        HERE.set(self)

    def flush(self) -> None:
        """Do nothing: every line is in the file."""

    close = init = flush


HERE: ContextVar[FileWriter | None] = ContextVar("HERE", default=None)


def scalar(name: str, data: Any, step: Any = None, description: Any = None) -> None:
    """Write a number as a line of scalars.jsonl, where a writer is the default."""
    writer = HERE.get()
    if writer is not None:
        line = {"name": name, "step": None if step is None else int(step), "value": float(data)}
        with (writer.folder / "scalars.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")


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
    add_text = add_embedding = add_pr_curve = flush = close = add_nothing
    add_video = add_audio = add_mesh = add_custom_scalars = add_nothing

    def get_logdir(self) -> str:
        """Return the folder of the scalars."""
        return self.log_dir

    def export_scalars_to_json(self, path: Any) -> None:
        """Write every scalar to a file, as lists of no time, step and value by its name."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        found: dict[str, list[Any]] = {}
        for line in map(json.loads, lines):
            found.setdefault(line["name"], []).append([0, line["step"], line["value"]])
        Path(path).write_text(json.dumps(found))

    def add_hparams(
        self,
        hparam_dict: Mapping[str, Any],
        metric_dict: Mapping[str, Any],
        *args: Any,
        **words: Any,
    ) -> None:
        """Write hyper-parameters and what came of them, as a line of hparams.jsonl."""
        made = {key: float(value) for key, value in metric_dict.items()}
        hyper_parameters(self.log_dir, hparam_dict, made)
        for tag, value in made.items():
            self.add_scalar(tag, value)

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *error: Any) -> None:
        """Keep what was written."""


class Logger(SummaryWriter):
    """What tensorboard_logger writes by: a value of a name, at a step."""

    def log_value(self, name: str, value: Any, step: Any = None) -> Logger:
        """Write a number."""
        self.add_scalar(name, value, step)
        return self

    log_histogram = log_images = SummaryWriter.add_nothing


def logging(session: Session) -> dict[str, Any]:
    """Return the names of tensorboard_logger: a logger for all, and those that write by it."""
    kind: Any = type("Logger", (Logger,), {"session": session})
    made: list[Logger] = []

    def configure(logdir: Any, flush_secs: int = 2) -> None:
        """Let everything from now on go to a folder."""
        made[:] = [kind(logdir)]

    def log_value(name: str, value: Any, step: Any = None) -> None:
        """Write a number to it."""
        if not made:
            raise ValueError("default logger is not configured: call tensorboard_logger.configure")
        made[0].log_value(name, value, step)

    nothing = dict.fromkeys(("log_histogram", "log_images"), lambda *args, **words: None)
    return {"configure": configure, "log_value": log_value, "Logger": kind, **nothing}
