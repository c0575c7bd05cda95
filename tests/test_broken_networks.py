"""Mistakes that people make with networks, data and settings: each is told before the first step.

A row holds the mistake, a word that its message must name, the program after the printed fix, which
must run, and whether a size is at fault: then the message must show the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

import striate as st
from striate import layers as L
from striate.errors import StriateError

DIGITS = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1)).astype("uint8")
LABELS = np.arange(20) % 10


class Case(NamedTuple):
    """One mistake, and what it should be."""

    broken: Callable[[], Any]
    names: str
    fixed: Callable[[], Any] | None = None
    math: bool = False


def net(*layers: Any, shape: tuple[int | None, ...] = (28, 28, 1)) -> st.Sequential:
    """Return a stack of layers behind an input."""
    return st.Sequential([L.Input(shape), *layers])


def small(
    classes: int = 10,
    activation: str | None = "softmax",
    shape: tuple[int, ...] = (8, 8, 1),
    **setup: Any,
) -> st.Sequential:
    """Return a compiled classifier of 8 x 8 images."""
    model = net(L.Conv2D(2, 3), L.Flatten(), L.Dense(classes, activation=activation), shape=shape)
    model.compile(**{"optimizer": "sgd", "loss": "crossentropy"} | setup)
    return model


def normalized() -> st.Sequential:
    """Return a compiled classifier with torch's normalisation of means over the batch alone."""
    model = net(L.Flatten(), nn.BatchNorm1d(64), L.Dense(10), shape=(8, 8, 1))
    model.compile(optimizer="sgd", loss="crossentropy")
    return model


def fit(x: Any = DIGITS, y: Any = LABELS, model: st.Model | None = None, **settings: Any) -> Any:
    """Train for an epoch, unless told otherwise."""
    model = model or small()
    return model.fit(x, y, **{"verbose": 0, "batch_size": 10} | settings)


def with_label(value: Any, index: int = 7) -> Any:
    """Return the labels with another one at an index."""
    labels = LABELS.astype(type(value) if isinstance(value, float) else int)
    labels[index] = value
    return labels


def with_pixel(value: float) -> Any:
    """Return the images with one other pixel."""
    images = DIGITS.astype("float32") / 255
    images[3, 0, 0, 0] = value
    return images


ONE_HOT = np.eye(10, dtype="float32")[LABELS]
THIN = L.Input((8, 8, 1))


SIZES = {
    "a kernel larger than the image": Case(
        lambda: net(L.Conv2D(8, 7), shape=(5, 5, 1)), "conv2d",
        lambda: net(L.Conv2D(8, 7, padding="same"), shape=(5, 5, 1)), True),
    "one pooling too many": Case(
        lambda: net(*[L.MaxPooling2D(2) for _ in range(5)]), "max_pooling2d_4",
        lambda: net(*[L.MaxPooling2D(2) for _ in range(4)]), True),
    "a convolution after the map has shrunk": Case(
        lambda: net(L.MaxPooling2D(14), L.Conv2D(8, 3)), "conv2d",
        lambda: net(L.MaxPooling2D(14), L.Conv2D(8, 3, padding="same")), True),
    "a channels-first shape for a channels-last network": Case(
        lambda: net(L.Conv2D(20, 3), shape=(1, 28, 28)), "conv2d",
        lambda: L.Conv2D(20, 3)(L.Input((1, 28, 28), data_format="channels_first")),
        True),
    "dilation that widens the kernel past the image": Case(
        lambda: net(L.Conv2D(8, 3, dilation_rate=4), shape=(8, 8, 1)), "conv2d",
        lambda: net(L.Conv2D(8, 3, padding="same", dilation_rate=4), shape=(8, 8, 1)), True),
    "a depthwise kernel larger than the image": Case(
        lambda: net(L.DepthwiseConv2D(5), shape=(4, 4, 2)), "depthwise_conv2d",
        lambda: net(L.DepthwiseConv2D(5, padding="same"), shape=(4, 4, 2)), True),
    "a separable kernel larger than the image": Case(
        lambda: net(L.SeparableConv2D(4, 5), shape=(4, 4, 2)), "separable_conv2d",
        lambda: net(L.SeparableConv2D(4, 5, padding="same"), shape=(4, 4, 2)), True),
    "a kernel longer than the signal": Case(
        lambda: net(L.Conv1D(4, 9), shape=(8, 1)), "conv1d",
        lambda: net(L.Conv1D(4, 9, padding="same"), shape=(8, 1)), True),
    "a kernel deeper than the volume": Case(
        lambda: net(L.Conv3D(2, 5), shape=(4, 8, 8, 1)), "conv3d",
        lambda: net(L.Conv3D(2, 5, padding="same"), shape=(4, 8, 8, 1)), True),
    "average pooling past the border": Case(
        lambda: net(L.AveragePooling2D(5), shape=(4, 4, 1)), "average_pooling2d",
        lambda: net(L.AveragePooling2D(5, padding="same"), shape=(4, 4, 1)), True),
    "cropping everything": Case(
        lambda: net(L.Cropping2D(4), shape=(8, 8, 1)), "cropping2d",
        lambda: net(L.Cropping2D(3), shape=(8, 8, 1)), True),
    "Reshape to another number of values": Case(
        lambda: net(L.Reshape((7, 7, 10))), "reshape",
        lambda: net(L.Reshape((7, 7, -1))), True),
    "groups that do not divide the filters": Case(
        lambda: L.Conv2D(10, 3, groups=4), "Conv2D", lambda: L.Conv2D(12, 3, groups=4), True),
    "groups that do not divide the channels": Case(
        lambda: net(L.Conv2D(8, 3, groups=4), shape=(8, 8, 6)), "conv2d",
        lambda: net(L.Conv2D(8, 3, groups=2), shape=(8, 8, 6)), True),
}  # fmt: skip

DEFINITIONS = {
    "no channel axis": Case(
        lambda: net(L.Conv2D(8, 3), shape=(28, 28)), "conv2d",
        lambda: net(L.Reshape((28, 28, 1)), L.Conv2D(8, 3), shape=(28, 28))),
    "a convolution after Flatten": Case(
        lambda: net(L.Flatten(), L.Conv2D(8, 3)), "conv2d",
        lambda: net(L.Conv2D(8, 3), L.Flatten())),
    "Flatten of a size that is not known, then Dense": Case(
        lambda: net(L.Flatten(), L.Dense(10), shape=(None, None, 3)), "dense",
        lambda: net(L.GlobalAveragePooling2D(), L.Dense(10), shape=(None, None, 3))),
    "channels that are not known": Case(
        lambda: net(L.Conv2D(8, 3), shape=(28, 28, None)), "conv2d",
        lambda: net(L.Conv2D(8, 3), shape=(None, None, 3))),
    "no filters": Case(lambda: L.Conv2D(0, 3), "filters", lambda: L.Conv2D(1, 3)),
    "half a filter": Case(lambda: L.Conv2D(8.5, 3), "filters", lambda: L.Conv2D(8, 3)),
    "stride 0": Case(lambda: L.Conv2D(8, 3, 0), "strides", lambda: L.Conv2D(8, 3, strides=1)),
    "a negative kernel": Case(
        lambda: L.Conv2D(8, -3), "kernel_size", lambda: L.Conv2D(8, kernel_size=3)),
    "three kernel sizes for two axes": Case(
        lambda: L.Conv2D(8, (3, 3, 3)), "kernel_size", lambda: L.Conv2D(8, kernel_size=3)),
    "a misspelt padding": Case(
        lambda: L.Conv2D(8, 3, padding="smae"), "padding", lambda: L.Conv2D(8, 3, padding="same")),
    "causal padding in two dimensions": Case(
        lambda: L.Conv2D(8, 3, padding="causal"), "padding",
        lambda: L.Conv2D(8, 3, padding="valid")),
    "a pool of size 0": Case(
        lambda: L.MaxPooling2D(0), "pool_size", lambda: L.MaxPooling2D(pool_size=2)),
    "an unknown layout": Case(
        lambda: L.Input((28, 28, 1), data_format="NHWC"), "data_format",
        lambda: L.Input((28, 28, 1), data_format="channels_last")),
    "an unknown dtype": Case(
        lambda: L.Input((28, 28, 1), dtype="flaot32"), "dtype",
        lambda: L.Input((28, 28, 1), dtype="float32")),
    "a misspelt argument": Case(
        lambda: L.Conv2D(8, kernel_sise=3), "kernel_sise", lambda: L.Conv2D(8, kernel_size=3)),
    "a misspelt activation": Case(
        lambda: L.Conv2D(8, 3, activation="rleu"), "rleu",
        lambda: L.Conv2D(8, 3, activation="relu")),
    "an unknown initializer": Case(
        lambda: L.Dense(8, kernel_initializer="he_norml"), "he_norml",
        lambda: L.Dense(8, kernel_initializer="he_normal")),
    "Dense without units": Case(lambda: L.Dense(0), "units", lambda: L.Dense(1)),
    "Dropout of everything": Case(lambda: L.Dropout(1.0), "rate", lambda: L.Dropout(0.5)),
    "Dropout in percent": Case(lambda: L.Dropout(50), "rate", lambda: L.Dropout(0.5)),
    "two Reshape sizes left open": Case(
        lambda: L.Reshape((-1, -1)), "target_shape", lambda: L.Reshape((-1, 7))),
    "Permute that counts from 0": Case(
        lambda: L.Permute((0, 1)), "dims", lambda: L.Permute((2, 1))),
    "a negative size": Case(
        lambda: L.Input((28, -28, 1)), "Input", lambda: L.Input((28, 28, 1))),
    "a number for a shape": Case(lambda: L.Input(784), "Input", lambda: L.Input((784,))),
    "a layer class without its brackets": Case(
        lambda: net(L.Flatten), "Flatten", lambda: net(L.Flatten())),
    "a torch function on a symbol": Case(
        lambda: torch.relu(L.Input((8, 8, 1))), "torch.relu",
        lambda: L.Lambda(torch.relu)(L.Input((8, 8, 1)))),
    "a second Input in a stack": Case(
        lambda: net(L.Flatten(), L.Input((784,))), "Sequential", lambda: net(L.Flatten())),
    "two layers of one name": Case(
        lambda: net(L.Conv2D(8, 3, name="conv"), L.Conv2D(8, 3, name="conv")), "conv",
        lambda: net(L.Conv2D(8, 3, name="conv"), L.Conv2D(8, 3, name="conv_2"))),
    "outputs that do not come from the inputs": Case(
        lambda: st.Model(L.Input((8, 8, 1)), L.Flatten()(THIN)), "Model",
        lambda: st.Model(THIN, L.Flatten()(THIN))),
    "Add of different channels": Case(
        lambda: st.Model(THIN, L.Add()([L.Conv2D(4, 3)(THIN), L.Conv2D(8, 3)(THIN)])), "add",
        lambda: st.Model(THIN, L.Add()([L.Conv2D(8, 3)(THIN), L.Conv2D(8, 3)(THIN)]))),
    "Concatenate of different sizes": Case(
        lambda: st.Model(THIN, L.Concatenate()([L.Conv2D(4, 3)(THIN), L.Conv2D(4, 5)(THIN)])),
        "concatenate",
        lambda: st.Model(THIN, L.Concatenate()([L.Conv2D(4, 3)(THIN), L.Conv2D(4, 3)(THIN)]))),
    "Linear of another width than Flatten gives": Case(
        lambda: st.Model.from_torch(
            nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(800, 10)), (1, 28, 28)),
        "nn.Linear(1352, 10)",
        lambda: st.Model.from_torch(
            nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(1352, 10)), (1, 28, 28)),
        True),
    "a layer that is not there": Case(
        lambda: net(L.Flatten(), L.Dense(10, name="head")).get_layer("heads"), "heads",
        lambda: net(L.Flatten(), L.Dense(10, name="head")).get_layer("head")),
}  # fmt: skip

DATA = {
    "label 10 of 10 classes": Case(lambda: fit(y=with_label(10)), "index 7", fit),
    "labels from 1": Case(lambda: fit(y=LABELS + 1), "labels begin at 1", lambda: fit(y=LABELS)),
    "a negative label": Case(lambda: fit(y=with_label(-1)), "label -1", fit),
    "label -100": Case(lambda: fit(y=with_label(-100)), "label -100", fit),
    "half a label": Case(lambda: fit(y=with_label(2.5)), "index 7", fit),
    "labels as words": Case(lambda: fit(y=LABELS.astype(str)), "y", fit),
    "one-hot rows of 9 classes": Case(
        lambda: fit(y=np.eye(9)[LABELS % 9]), "10 columns",
        lambda: fit(y=np.eye(9)[LABELS % 9], model=small(9))),
    "several classes for one sample": Case(
        lambda: fit(y=ONE_HOT + ONE_HOT[::-1]), "row",
        lambda: fit(
            y=ONE_HOT + ONE_HOT[::-1], model=small(10, "sigmoid", loss="binary_crossentropy"))),
    "class numbers for categorical_crossentropy": Case(
        lambda: fit(model=small(loss="categorical_crossentropy")), "y",
        lambda: fit(model=small(loss="crossentropy"))),
    "one unit for ten classes": Case(
        lambda: fit(model=small(1)), "crossentropy", lambda: fit(model=small(10))),
    "class numbers for a mean squared error": Case(
        lambda: fit(model=small(loss="mse")), "y", lambda: fit(model=small(loss="crossentropy"))),
    "ten classes for one sigmoid": Case(
        lambda: fit(model=small(1, "sigmoid", loss="binary_crossentropy")), "targets from 0 to 9",
        lambda: fit(model=small(10, "softmax", loss="crossentropy"))),
    "fewer labels than images": Case(lambda: fit(y=LABELS[:15]), "15 rows", fit),
    "no labels": Case(lambda: fit(y=None), "y", fit),
    "NaN in an image": Case(
        lambda: fit(with_pixel(float("nan"))), "sample 3", lambda: fit(with_pixel(0.0))),
    "infinity in an image": Case(
        lambda: fit(with_pixel(float("inf"))), "sample 3", lambda: fit(with_pixel(0.0))),
    "no images": Case(lambda: fit(DIGITS[:0], LABELS[:0]), "x", fit),
    "channels first": Case(
        lambda: fit(DIGITS.transpose(0, 3, 1, 2)), "x.transpose(0, 2, 3, 1)",
        lambda: fit(DIGITS.transpose(0, 3, 1, 2).transpose(0, 2, 3, 1))),
    "colour images for a grey network": Case(
        lambda: fit(np.repeat(DIGITS, 3, 3)), "3", lambda: fit(np.repeat(DIGITS, 3, 3)[..., :1])),
    "larger images than the network takes": Case(
        lambda: fit(np.pad(DIGITS, ((0, 0), (1, 1), (1, 1), (0, 0)))), "(20, 10, 10, 1)", fit),
    "flat images": Case(
        lambda: fit(DIGITS.reshape(20, 64)), "x.reshape(-1, 8, 8, 1)",
        lambda: fit(DIGITS.reshape(20, 64).reshape(-1, 8, 8, 1))),
    "images of different sizes": Case(
        lambda: fit(np.array([DIGITS[0], DIGITS[1][:5]], dtype=object), LABELS[:2]), "x",
        lambda: fit(np.stack([DIGITS[0], DIGITS[1]]), LABELS[:2])),
}  # fmt: skip

SETTINGS = {
    "fit before compile": Case(
        lambda: fit(model=net(L.Flatten(), L.Dense(10), shape=(8, 8, 1))), "compile", fit),
    "batch_size 0": Case(lambda: fit(batch_size=0), "batch_size", lambda: fit(batch_size=32)),
    "a last batch of one sample for torch's batch normalisation": Case(
        lambda: fit(model=normalized(), batch_size=19), "torch_module",
        lambda: fit(model=normalized(), batch_size=20), True),
    "negative epochs": Case(lambda: fit(epochs=-1), "epochs", lambda: fit(epochs=1)),
    "all data for validation": Case(
        lambda: fit(validation_split=1.0), "validation_split", lambda: fit(validation_split=0.1)),
    "a misspelt optimizer": Case(
        lambda: small(optimizer="adaam"), "adaam", lambda: small(optimizer="adam")),
    "a misspelt loss": Case(
        lambda: small(loss="crosentropy"), "crosentropy", lambda: small(loss="crossentropy")),
    "softmax twice": Case(
        lambda: fit(model=small(loss=st.losses.Crossentropy(from_logits=True))), "softmax",
        lambda: fit(model=small(loss=st.losses.Crossentropy(from_logits=False)))),
    "a misspelt metric": Case(
        lambda: fit(model=small(metrics=["acuracy"])), "acuracy",
        lambda: fit(model=small(metrics=["accuracy"]))),
    "a negative learning rate": Case(
        lambda: st.optimizers.Adam(learning_rate=-0.1), "learning_rate",
        lambda: st.optimizers.Adam(learning_rate=0.1)),
    "the learning rate's old name": Case(
        lambda: st.optimizers.SGD(lr=0.1), "lr", lambda: st.optimizers.SGD(learning_rate=0.1)),
    "a weight for a class by its name": Case(
        lambda: fit(class_weight={"seven": 2.0}), "class_weight",
        lambda: fit(class_weight={7: 2.0})),
    "a weight for a class that is not there": Case(
        lambda: fit(class_weight={10: 2.0}), "class_weight", lambda: fit(class_weight={9: 2.0})),
}  # fmt: skip

CASES = SIZES | DEFINITIONS | DATA | SETTINGS


@pytest.mark.parametrize("title", CASES)
def test_mistake_is_told_before_the_first_step(title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    monkeypatch.setattr("striate.engine.step.Step.train", lambda *_: steps.append(1))
    case = CASES[title]
    with pytest.raises(StriateError) as caught:
        case.broken()
    message = str(caught.value)
    assert not steps
    assert case.names in message
    assert caught.value.rows.keys() & {"need", "fix"}
    assert "math" in caught.value.rows or not case.math
    assert 2 <= len(message.splitlines()) <= 10


@pytest.mark.parametrize("title", [title for title, case in CASES.items() if case.fixed])
def test_the_fixed_program_runs(title: str) -> None:
    fixed = CASES[title].fixed
    assert fixed is not None
    assert fixed() is not None


def test_message_about_targets_of_a_binary_loss() -> None:
    with pytest.raises(StriateError) as caught:
        CASES["ten classes for one sigmoid"].broken()
    assert str(caught.value) == (
        "y: binary_crossentropy takes targets from 0 to 1\n"
        "  got   targets from 0 to 9\n"
        "  need  0 or 1 for each output\n"
        '  fix   Dense(10, activation="softmax") and loss="crossentropy"'
    )


def test_message_about_a_class_weight_by_name() -> None:
    with pytest.raises(StriateError) as caught:
        CASES["a weight for a class by its name"].broken()
    assert str(caught.value) == (
        "class_weight: class 'seven' with weight 2.0 cannot work\n"
        "  need  classes 0 to 9, weights >= 0\n"
        "  fix   class_weight={0: 1.0, 1: 2.0}"
    )


def test_message_about_a_last_batch_of_one_sample() -> None:
    with pytest.raises(StriateError) as caught:
        fit(model=normalized(), batch_size=19)
    assert str(caught.value) == (
        "batch_size: leaves one sample for the last batch, too few for "
        "torch_module.module (BatchNorm1d)\n"
        "  got   20 samples in batches of 19\n"
        "  need  2 samples in every batch\n"
        "  math  20 % 19 = 1\n"
        "  fix   batch_size=20"
    )
    assert normalized().evaluate(DIGITS, LABELS, batch_size=19, verbose=0) > 0


def test_one_metric_needs_no_list() -> None:
    assert "accuracy" in fit(model=small(metrics="accuracy")).history


def test_table_holds_sixty_mistakes_and_fixes_for_nine_in_ten() -> None:
    assert len(CASES) == len(SIZES) + len(DEFINITIONS) + len(DATA) + len(SETTINGS) >= 60
    assert sum(case.fixed is not None for case in CASES.values()) >= 54
