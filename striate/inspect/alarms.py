"""Alarms: what is wrong with the numbers of training, since when, and what helps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

WORSE = 1.1  # times the best validation loss: more than the noise between epochs
GAP = 0.1  # between the accuracies of training and validation
FEW = 2  # epochs, after which nothing is said of over-fitting
ACCURACIES = ("accuracy", "acc")  # the second in the words of Keras before 2.3

Row = Mapping[str, float]  # the numbers of an epoch, or of the steps between two lines
Rows = Sequence[Row]


@dataclass(frozen=True)
class Alarm:
    """Something that is wrong: what, with what helps, and `at` which place, in epochs.

    `gap` is whether it is about the accuracies of training and validation, which differ too while
    the averages of a batch normalization are young.
    """

    text: str
    at: float
    gap: bool = False


def by_epoch(history: Mapping[str, Sequence[float]]) -> list[dict[str, float]]:
    """Return what `fit` returned, a list for each number, as a row for each epoch.

    Numbers that not each epoch has are left out.
    """
    epochs = max(map(len, history.values()), default=0)
    told = {name: values for name, values in history.items() if len(values) == epochs}
    return [
        {"epoch": at + 1, **{name: float(values[at]) for name, values in told.items()}}
        for at in range(epochs)
    ]


def alarms(rows: Rows, steps: Rows = ()) -> Iterator[Alarm]:
    """Find what is wrong in the numbers of the epochs, and of the steps between if there are any.

    Each row of `rows` has `epoch`, from one, and what was measured; each of `steps` has `at`, the
    place in epochs, and `step`. Of training that goes wrong nothing else is told.
    """
    yield from list(trouble(rows, steps)) or overfitting(rows)


def trouble(rows: Rows, steps: Rows = ()) -> Iterator[Alarm]:
    """Find that training goes wrong: its loss is no number any more, or rises."""
    yield from list(_lost(rows, steps)) or _rose(rows)


def overfitting(rows: Rows) -> Iterator[Alarm]:
    """Find that a network has begun to learn its samples by heart."""
    told = [row for row in rows if _known(row, "loss") and _known(row, "val_loss")]
    if len(told) > FEW:
        best, last = min(told, key=lambda row: row["val_loss"]), told[-1]
        if last["val_loss"] > WORSE * best["val_loss"] and last["loss"] < best["loss"]:
            yield Alarm(
                f"overfitting since epoch {best['epoch']:.0f}: val_loss was "
                f"{best['val_loss']:.4f} there and is {last['val_loss']:.4f} now; "
                "EarlyStopping(restore_best_weights=True), dropout or augmentation help",
                best["epoch"],
            )
            return
    for name in ACCURACIES:
        pairs = [row for row in rows if _known(row, name) and _known(row, f"val_{name}")]
        apart = _last_run(pairs, lambda row, name=name: row[name] > row[f"val_{name}"] + GAP)  # type: ignore[misc]
        if apart is not None:
            mine, theirs = pairs[-1][name], pairs[-1][f"val_{name}"]
            yield Alarm(
                f"overfitting: the accuracy is {mine:.3f} in training and {theirs:.3f} in "
                "validation; more data, L.Dropout or augmentation (L.RandomTranslation) help",
                apart["epoch"],
                gap=True,
            )
            return


def _lost(rows: Rows, steps: Rows) -> Iterator[Alarm]:
    """Find where the loss ceased to be a number: at the first such step, else epoch."""
    for row in (*steps, *rows):
        if math.isfinite(row.get("loss", 0)):
            continue
        whole = "epoch" in row
        since = f"epoch {row['epoch']:.0f}" if whole else f"step {row['step']:,.0f}"
        yield Alarm(
            f"the loss is no number any more since {since}: try a lower learning rate "
            "(model.find_lr suggests one) or clipnorm=1.0",
            row["epoch" if whole else "at"],
        )
        return


def _rose(rows: Rows) -> Iterator[Alarm]:
    """Find that the loss is higher than in the first epoch."""
    told = [row for row in rows if _known(row, "loss")]
    higher = _last_run(told, lambda row: row["loss"] > WORSE * told[0]["loss"] > 0)
    if higher is not None:
        yield Alarm(
            f"the loss rose from {told[0]['loss']:.4g} to {told[-1]['loss']:.4g}: the learning "
            "rate is too high; model.find_lr(x, y) suggests one",
            higher["epoch"],
        )


def _last_run(rows: Rows, bad: Callable[[Row], bool]) -> Row | None:
    """Return the row since which all are bad, None if the last is not."""
    found = None
    for row in reversed(rows):
        if not bad(row):
            break
        found = row
    return found


def _known(row: Row, name: str) -> bool:
    return math.isfinite(row.get(name, math.nan))
