"""Remarks on how training went, from its numbers alone."""

from __future__ import annotations

import numpy as np
import torch

from striate.engine import advice


def test_a_loss_that_is_no_number():
    weights = [("a", torch.ones(2)), ("b", torch.tensor([1.0, np.nan]))]
    rest = ". Try a lower learning rate (model.find_lr suggests one) or clipnorm=1.0"
    assert advice.not_a_number(weights, float("nan"), 2) == (
        f"the loss is nan in epoch 3; the first weight that is none either is b{rest}"
    )
    assert advice.not_a_number(weights[:1], float("inf"), 0) == (
        f"the loss is inf in epoch 1{rest}"
    )


def test_overfitting_is_a_loss_that_rose_again_or_a_gap_between_accuracies():
    good = {"loss": [3.0, 2.0, 1.0], "val_loss": [3.0, 2.0, 2.1]}
    assert list(advice.overfitting(good)) == []
    bad = {**good, "val_loss": [2.0, 1.5, 1.8]}
    assert list(advice.overfitting(bad)) == [
        "overfitting since epoch 2: val_loss was 1.5000 there and is 1.8000 now; "
        "EarlyStopping(restore_best_weights=True) keeps the best"
    ]
    assert list(advice.overfitting({**bad, "loss": [3.0, 2.0, 2.5]})) == []  # both rose
    gap = {**good, "accuracy": [0.9, 0.95, 0.99], "val_accuracy": [0.8, 0.8, 0.8]}
    assert list(advice.overfitting(gap)) == [
        "overfitting: the accuracy is 0.990 in training and 0.800 in validation; "
        "more data, L.Dropout or augmentation (L.RandomTranslation) help"
    ]
    assert list(advice.overfitting({**gap, "val_accuracy": [0.9, 0.9, 0.9]})) == []


def test_a_loss_that_rises():
    assert list(advice.rising({"loss": [1.0, 1.05]})) == []
    assert list(advice.rising({"loss": [1.0]})) == list(advice.rising({})) == []
    assert list(advice.rising({"loss": [1.0, 2.0]})) == [
        "the loss rose from 1 to 2: the learning rate is too high; model.find_lr(x, y) suggests one"
    ]


def test_one_class_for_everything():
    labels = torch.arange(40) % 3
    right = torch.eye(3)[labels]
    assert list(advice.constant(right, labels)) == []
    (said,) = advice.constant(right[:1].repeat(40, 1), labels)
    assert said.startswith("the network says class 0 to everything: ")
    assert list(advice.constant(right[:1].repeat(40, 1), labels * 0)) == []
    assert list(advice.constant(right[:1].repeat(8, 1), labels[:8])) == []  # too few to tell
    (said,) = advice.constant(torch.full((40, 1), 0.7), labels.clamp(max=1))
    assert said.startswith("the network says class 1 to everything: ")
