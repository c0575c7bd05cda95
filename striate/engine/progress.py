"""What training says on stderr: a bar on a terminal, a line for each epoch elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

REFRESH_S = 0.25


class Silence:
    """verbose=0: nothing is said."""

    def begin(self, epoch: int, batches: int) -> None:
        """Note that an epoch begins."""

    def wants(self) -> bool:
        """Return whether it is time to show numbers again."""
        return False

    def step(self, done: int, samples: int, logs: Mapping[str, float]) -> None:
        """Show the numbers so far."""

    def end(self, samples: int, logs: Mapping[str, float]) -> None:
        """Show the numbers of the epoch."""

    def close(self) -> None:
        """Leave the terminal as it was, also after an error."""


class Lines(Silence):
    """verbose=2: one plain line for each epoch."""

    def __init__(self, epochs: int, unit: str = "epoch") -> None:
        self.epochs, self.unit = epochs, unit
        self.started = time.monotonic()

    def begin(self, epoch: int, batches: int) -> None:
        """Note the time."""
        self.epoch, self.batches, self.started = epoch, batches, time.monotonic()

    def end(self, samples: int, logs: Mapping[str, float]) -> None:
        """Print the line."""
        say(self.line(samples, logs))

    def line(self, samples: int, logs: Mapping[str, float]) -> str:
        """Return the epoch in one line."""
        seconds = max(time.monotonic() - self.started, 1e-9)
        head = f"{self.unit} {self.epoch + 1}/{self.epochs}" if self.epochs else self.unit
        return f"{head}  {seconds:.1f} s  {samples / seconds:,.0f} images/s  {show(logs)}"


class Bar(Lines):
    """verbose=1 on a terminal: a bar that fills, then the epoch's line."""

    def begin(self, epoch: int, batches: int) -> None:
        """Draw the empty bar."""
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        super().begin(epoch, batches)
        columns: list[Any] = [
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[logs]}"),
        ]
        self.bar = Progress(*columns, transient=True, console=console())
        self.task = self.bar.add_task(
            f"{self.unit} {epoch + 1}/{self.epochs}", total=batches or None, logs=""
        )
        self.bar.start()
        self.shown = time.monotonic()

    def wants(self) -> bool:
        """Return whether the last picture is old."""
        return time.monotonic() - self.shown > REFRESH_S

    def step(self, done: int, samples: int, logs: Mapping[str, float]) -> None:
        """Fill the bar."""
        self.shown = time.monotonic()
        rate = samples / max(self.shown - self.started, 1e-9)
        self.bar.update(self.task, completed=done, logs=f"{rate:,.0f} images/s  {show(logs)}")

    def end(self, samples: int, logs: Mapping[str, float]) -> None:
        """Replace the bar by the epoch's line."""
        self.bar.stop()
        super().end(samples, logs)

    def close(self) -> None:
        """Take the bar away, if training began."""
        if hasattr(self, "bar"):
            self.bar.stop()


def console() -> Any:
    """Return the terminal that talk goes to."""
    from rich.console import Console

    return Console(stderr=True)


def reporter(verbose: int | str, epochs: int, unit: str = "epoch") -> Silence:
    """Return what shows progress: 0 nothing, 1 a bar, 2 lines, "auto" what the terminal can."""
    if verbose in (0, False):
        return Silence()
    if verbose == 2 or not sys.stderr.isatty():
        return Lines(epochs, unit)
    return Bar(epochs, unit)


def show(logs: Mapping[str, float]) -> str:
    """Return numbers by name: `loss 0.1234  accuracy 0.9876`."""
    return "  ".join(
        f"{name} {value:.2e}" if 0 < abs(value) < 1e-3 else f"{name} {value:.4f}"
        for name, value in logs.items()
    )


def counted(number: int, word: str) -> str:
    """Return a number of things: `1 epoch`, `2 epochs`, `1,000 images`."""
    return f"{number:,} {word}{'s'[: number != 1]}"


def say(text: str) -> None:
    """Say something to the person at the terminal."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
