"""The verdict: three sentences, what is alarming with what helps, and the main numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from ..inspect.alarms import alarms as in_training
from ..inspect.health import unsettled
from ..store.report import wilson
from .evidence import Evidence
from .markup import counted, percent, text, words

LOOP = "The program trained it in a loop of its own, which tells no numbers."
UNSURE = 0.05  # a calibration error from which high confidence is not to be believed
UNBALANCED = 5  # times as many samples of the largest class as of the smallest


def verdict(run: Evidence) -> str:
    """Return what there is to know, in three sentences."""
    epochs = counted(_epochs(run), "epoch")
    took = f"Training took {_seconds(run)} for {epochs}{_best(run)}."
    if not run.tested:
        if "seconds" not in run.results:
            took = f"Trained for {epochs}{_best(run)}." if run.history else LOOP
        return f"{_untested(run)} {took} The model is kept as it was when training ended."
    total, correct = int(run.matrix.sum()), int(np.trace(run.matrix))
    low, high = wilson(correct, total)
    right = (
        f"{percent(correct / max(total, 1))} of {total:,} {run.judged} images are right "
        f"(95 % interval {100 * low:.2f} to {100 * high:.2f} %)."
    )
    wrong = run.matrix - np.diag(np.diag(run.matrix))
    if not wrong.any():
        return f"{right} {took} No image is taken for another class."
    true, said = np.unravel_index(int(wrong.argmax()), wrong.shape)
    return (
        f"{right} {took} Most often, {run.classes[true]} is taken for {run.classes[said]}: "
        f"{int(wrong[true, said])} of {total - correct:,} mistakes."
    )


def _untested(run: Evidence) -> str:
    """Return why there is no result, or the number that training ended with."""
    if run.results.get("stopped"):
        return f"Not tested: {words(run.results['stopped'])}."
    last = run.history[-1] if run.history else {}
    for name in ("val_accuracy", "val_acc", "val_loss", "accuracy", "acc", "loss"):
        if name in last:
            where = "validation" if name.startswith("val_") else "training"
            told = {"acc": "accuracy"}.get(name.removeprefix("val_"), name.removeprefix("val_"))
            return f"Not tested by itself: at the end the {where} {told} was {last[name]:.4f}."
    return "Not tested: no test set was given."


def alarms(run: Evidence) -> Iterator[str]:
    """Say what is wrong, and what helps."""
    for alarm in in_training(run.history, run.steps):
        explained = alarm.gap and "steps" in run.results
        young = list(unsettled(run.model, run.results["steps"])) if explained else []
        yield from young or [_sentence(alarm.text)]
    if run.tested:
        shares = run.matrix.sum(1) / max(int(run.matrix.sum()), 1)
        accuracy = float(np.trace(run.matrix)) / max(int(run.matrix.sum()), 1)
        if len(shares) > 1 and accuracy <= shares.max() + 0.01:
            yield (
                f"Always saying {run.classes[int(shares.argmax())]} would be right as often: "
                "check that images and labels belong together, then try another learning rate."
            )
    counts = [np.bincount(y, minlength=len(run.classes)) for _, _, y in run.data.parts()[:1]]
    if counts and counts[0].min() * UNBALANCED < counts[0].max():
        least, most = int(counts[0].argmin()), int(counts[0].argmax())
        yield (
            f"Classes are unbalanced: {counts[0][most]:,} of {run.classes[most]}, "
            f"{counts[0][least]:,} of {run.classes[least]}; read the recall of each class, and try "
            "class_weight."
        )
    if run.mistakes is not None:
        found, sure = run.mistakes.calibration(), float(run.mistakes.probabilities.max(1).mean())
        if found.error > UNSURE and sure > run.mistakes.accuracy:
            yield (
                f"The network is surer than it is right, by {percent(found.error, 1)} on average: "
                "do not read its probabilities as chances; label_smoothing=0.1 in the loss helps."
            )
    if run.health is not None:
        yield from map(_sentence, run.health.notes)


def _sentence(note: str) -> str:
    return f"{note[0].upper()}{note[1:]}."


def opening(run: Evidence) -> str:
    """Return the head of the report."""
    stopped = words(run.results.get("stopped") or "")
    failed = f'<li class="failed">Training ended early: {text(stopped)}</li>\n' if stopped else ""
    listed = failed + "".join(f"<li>{text(one)}</li>\n" for one in alarms(run))
    shown = f'<ul class="alarms">\n{listed}</ul>\n' if listed else ""
    # a number and its unit stay together
    said = re.sub(r"(\d) (%|s )", "\\1\u00a0\\2", verdict(run))
    return f'<p class="verdict">{text(said)}</p>\n{shown}{_tiles(run)}'


def _tiles(run: Evidence) -> str:
    tiles = []
    if run.tested:
        total, correct = int(run.matrix.sum()), int(np.trace(run.matrix))
        tiles.append((percent(correct / max(total, 1)), f"of the {run.judged} images right"))
        tiles.append((f"{total - correct:,}", "mistakes"))
    if run.results.get("test_loss") is not None:
        tiles.append((f"{run.results['test_loss']:.4f}", "test loss"))
    if run.table is not None:
        tiles.append((_short(run.table.parameters), "parameters"))
        if run.table.macs:
            tiles.append((_short(run.table.macs), "multiply-adds an image"))
    if "seconds" in run.results:
        tiles.append((_seconds(run), "of training"))
    drawn = "".join(f"<div><b>{text(a)}</b><span>{text(b)}</span></div>\n" for a, b in tiles)
    return f'<div class="tiles">\n{drawn}</div>\n' if tiles else ""


def _short(number: int) -> str:
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.3g} {letter}"
    return f"{number:,}"


def _epochs(run: Evidence) -> int:
    return int(run.results.get("epochs", len(run.history)))


def _seconds(run: Evidence) -> str:
    return f"{run.results['seconds']:.0f} s" if "seconds" in run.results else "unknown time"


def _best(run: Evidence) -> str:
    return f", the best by validation loss being epoch {run.best}" if run.best else ""
