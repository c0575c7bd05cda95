"""What is alarming in the numbers of training, and since when."""

from __future__ import annotations

import math

from striate.inspect.alarms import alarms


def rows(**columns: list[float]) -> list[dict[str, float]]:
    values = zip(*columns.values(), strict=True)
    return [
        {"epoch": at + 1, **dict(zip(columns, one, strict=True))} for at, one in enumerate(values)
    ]


def test_overfitting_is_a_loss_that_rose_again():
    good = {"loss": [3.0, 2.0, 1.0], "val_loss": [3.0, 2.0, 2.1]}
    assert not list(alarms(rows(**good)))
    bad = {**good, "val_loss": [2.0, 1.5, 1.8]}
    (found,) = alarms(rows(**bad))
    assert (found.text, found.at, found.gap) == (
        "overfitting since epoch 2: val_loss was 1.5000 there and is 1.8000 now; "
        "EarlyStopping(restore_best_weights=True), dropout or augmentation help",
        2,
        False,
    )
    assert not list(alarms(rows(**bad)[:2]))  # too early to tell
    assert not list(alarms(rows(**{**bad, "loss": [3.0, 2.0, 2.5]})))  # both rose


def test_overfitting_is_a_gap_between_accuracies_since_it_stays():
    for name in ("accuracy", "acc"):
        mine, theirs = [0.99, 0.9, 0.95, 0.99], [0.8, 0.88, 0.8, 0.8]
        (found,) = alarms(rows(loss=[4, 3, 2, 1], **{name: mine, f"val_{name}": theirs}))
        assert found.text.startswith(
            "overfitting: the accuracy is 0.990 in training and 0.800 in validation; more data"
        )
        assert (found.at, found.gap) == (3, True)
        near = rows(loss=[4, 3, 2, 1], **{name: mine, f"val_{name}": [0.9] * 4})
        assert not list(alarms(near))


def test_a_loss_that_rises_is_told_alone_since_it_stays_above_the_first():
    assert not list(alarms(rows(loss=[1.0, 1.05])))
    assert not list(alarms(rows(loss=[1.0]))) and not list(alarms([]))
    gap = {"accuracy": [0.9] * 4, "val_accuracy": [0.5] * 4}
    (found,) = alarms(rows(loss=[1.0, 2.0, 0.9, 2.0], **gap))
    assert (found.text, found.at) == (
        "the loss rose from 1 to 2: the learning rate is too high; "
        "model.find_lr(x, y) suggests one",
        4,
    )
    assert not list(alarms(rows(loss=[-1.0, -0.5])))  # of what may be below zero nothing is known


def test_a_loss_that_is_no_number_is_told_at_its_step():
    steps = [
        {"at": 0.2, "step": 1100, "loss": 2.0},
        {"at": 0.4, "step": 2200, "loss": math.inf},
        {"at": 0.6, "step": 3300, "loss": math.nan},
    ]
    (found,) = alarms(rows(loss=[math.nan]), steps)
    assert found.at == 0.4
    assert found.text == (
        "the loss is no number any more since step 2,200: try a lower learning rate "
        "(model.find_lr suggests one) or clipnorm=1.0"
    )
    (found,) = alarms(rows(loss=[1.0, math.nan]), steps[:1])
    assert (found.at, "since epoch 2:" in found.text) == (2, True)
