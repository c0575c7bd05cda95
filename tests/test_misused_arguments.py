"""Things of the wrong kind: each is told, with what to give instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from test_broken_networks import DIGITS, LABELS, fit, net, small

import striate as st
from striate import layers as L
from striate.errors import StriateError

IMAGES = np.zeros((2, 28, 28, 1))

# what is done wrong, what the message begins with, and the fix that it prints
MISUSES: dict[str, tuple[Callable[[], Any], str, str]] = {
    "a type for an optimizer": (
        lambda: small(optimizer=int),
        "optimizers: an optimizer is a name, an optimizer of Striate or torch, or makes one",
        '"adam"',
    ),
    "a type for an initializer": (
        lambda: net(L.Conv2D(8, 3, kernel_initializer=int)),
        "Conv2D, kernel_initializer: an initializer is a name, a number or something that makes",
        '"glorot_uniform"',
    ),
    "a type for a regularizer": (
        lambda: net(L.Conv2D(8, 3, kernel_regularizer=int)),
        "Conv2D, kernel_regularizer: a regularizer is a name or something that maps",
        '"l2"',
    ),
    "a type for a constraint": (
        lambda: net(L.Conv2D(8, 3, kernel_constraint=int)),
        "Conv2D, kernel_constraint: a constraint is a name or something that maps",
        '"max_norm"',
    ),
    "a schedule that gives no number": (
        lambda: fit(model=small(optimizer=st.optimizers.SGD(lambda step: "fast"))),
        "SGD: learning_rate(0)='fast' cannot work",
        "give learning_rate(0) a number of at least 0",
    ),
    "a layer called on nothing": (
        lambda: L.Dense(3)(None),
        "Dense: was called on None",
        "x = L.Input((28, 28, 1)); y = layer(x)",
    ),
    "an activation that gives no tensor": (
        lambda: net(L.Dense(3, activation=print))(IMAGES),
        "dense (Dense): the activation does not return a tensor",
        "activation=lambda x: x * torch.sigmoid(x)",
    ),
    "a function that gives nothing": (
        lambda: net(L.Lambda(print)),
        "lambda (Lambda): the function returns None",
        "def function(x): return x * 2",
    ),
    "targets beside batches": (
        lambda: fit([(DIGITS, LABELS)], LABELS),
        "y: is given beside batches, which bring their own",
        "put y into the batches, or give arrays",
    ),
    "a file of numbers that cannot be written": (
        lambda: fit(callbacks=[st.hooks.CSVLogger("/dev/null/log.csv")]),
        "/dev/null/log.csv: cannot be written",
        "another path",
    ),
    "a file name of numbers that are not there": (
        lambda: fit(callbacks=[st.hooks.ModelCheckpoint("{val_loss:.2f}.striate")]),
        "ModelCheckpoint: filepath holds a field that no number of the epoch fills",
        'did you mean "loss"?',
    ),
}


@pytest.mark.parametrize("title", MISUSES)
def test_a_misuse_is_told(title: str) -> None:
    misuse, message, fix = MISUSES[title]
    with pytest.raises(StriateError) as caught:
        misuse()
    assert str(caught.value).startswith(message)
    assert caught.value.rows["fix"] == fix


def test_what_was_meant_works() -> None:
    layer = L.Dense(3, activation=torch.tanh, kernel_initializer="he_normal")
    assert net(layer)(IMAGES).shape == (2, 28, 28, 3)
    assert fit([(DIGITS, LABELS)], None).history["loss"]
