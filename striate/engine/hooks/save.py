"""Hooks that keep something of each epoch: the model, or its numbers."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...errors import ConfigError, MissingExtra, StoreError, nearest
from ..progress import say
from .hook import Hook, Logs, Watching, check_text


class ModelCheckpoint(Watching):
    """Save the model after each epoch, or after those that are the best so far.

    `filepath` may hold {epoch} and the names of numbers: "best-{epoch:02d}-{val_loss:.3f}.striate".
    `verbose`: 1 says each time where.
    """

    def __init__(
        self,
        filepath: str | Path,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
    ) -> None:
        super().__init__(monitor, mode)
        check_text("ModelCheckpoint", "filepath", filepath, "best.striate")
        self.filepath, self.best_only = str(filepath), save_best_only
        self.weights_only, self.verbose = save_weights_only, verbose

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save."""
        if self.best_only and not self.improved(logs):
            return
        path = self._path(epoch, logs or {})
        self.model.save_weights(path) if self.weights_only else self.model.save(path)
        if self.verbose:
            say(f"epoch {epoch + 1}: saved in {path}")

    def _path(self, epoch: int, logs: Mapping[str, float]) -> str:
        """Return the path of an epoch's file."""
        try:
            return self.filepath.format(epoch=epoch + 1, **logs)
        except (KeyError, IndexError, ValueError) as error:
            raise ConfigError(
                "ModelCheckpoint",
                "filepath holds a field that no number of the epoch fills",
                got=f"filepath={self.filepath!r}, {error}",
                need="fields of " + ", ".join(["epoch", *logs]),
                fix=nearest(error.args[0], logs) or 'filepath="epoch-{epoch:02d}.striate"',
            ) from None


class CSVLogger(Hook):
    """Write the numbers of each epoch to a CSV file, one line an epoch."""

    def __init__(self, filename: str | Path, separator: str = ",", append: bool = False) -> None:
        check_text("CSVLogger", "filename", filename, "log.csv")
        check_text("CSVLogger", "separator", separator, ",")
        self.path, self.separator, self.append = Path(filename), separator, append
        self.columns: Sequence[str] = ()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin the file."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.open("a" if self.append else "w").close()
        except OSError as error:
            raise StoreError(
                str(self.path), "cannot be written", got=error.strerror, fix="another path"
            ) from None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write a line."""
        row = {"epoch": epoch, **(logs or {})}
        new = not self.path.stat().st_size
        self.columns = self.columns or list(row)
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(
                file, self.columns, delimiter=self.separator, extrasaction="ignore"
            )
            if new:
                writer.writeheader()
            writer.writerow(row)


class TensorBoard(Hook):
    """Write the numbers of each epoch for TensorBoard."""

    def __init__(self, log_dir: str | Path = "logs") -> None:
        self.log_dir = str(log_dir)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Open the log."""
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise MissingExtra("tensorboard", "tensorboard") from None
        self.writer = SummaryWriter(self.log_dir)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the numbers."""
        for name, value in (logs or {}).items():
            self.writer.add_scalar(f"epoch_{name}", value, epoch)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the log."""
        self.writer.close()
