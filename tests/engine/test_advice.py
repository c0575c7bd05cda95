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
