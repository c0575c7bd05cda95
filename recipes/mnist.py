"""Handwritten digits: MNIST's images to 10 classes. Copy this file to make a recipe of your own."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

import striate as st
from striate import layers as L

VALIDATION = 5_000  # the last training images: they choose settings, so that the test set need not


class Settings(BaseModel):
    """What `striate train mnist key=value` can change."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    epochs: int = Field(8, ge=1)
    batch_size: int = Field(256, ge=1)
    seed: int = Field(0, ge=0, lt=2**32)
    learning_rate: float = Field(5e-3, gt=0)
    samples: int | None = Field(None, ge=1, le=60_000 - VALIDATION)  # train on the first N only


def classes(settings: Settings) -> tuple[str, ...]:
    """Return the names of the classes, in the order of their numbers."""
    return st.datasets.class_names("mnist")


def data(settings: Settings) -> tuple[Any, Any]:
    """Return (x, y) to train on and (x, y) to validate on."""
    (x, y), _ = st.datasets.mnist()
    count = settings.samples or len(x) - VALIDATION
    return (x[:count], y[:count]), (x[-VALIDATION:], y[-VALIDATION:])


def test_data(settings: Settings) -> tuple[Any, Any]:
    """Return (x, y) of the test set, which is looked at once, after training."""
    return st.datasets.mnist()[1]


def model(settings: Settings) -> st.Sequential:
    """Three convolutions, each normalized, the first two pooled; no bias before normalization."""
    images = settings.samples or 60_000 - VALIDATION
    steps = settings.epochs * -(-images // settings.batch_size)
    warmup = steps // 4

    network = st.Sequential(
        [
            L.Input((28, 28, 1)),
            L.Rescaling(1 / 255),
            L.RandomRotation(0.025, fill_mode="constant"),
            L.RandomTranslation(0.06, 0.06, fill_mode="constant", interpolation="nearest"),
            L.Conv2D(16, 5, use_bias=False),
            L.MaxPooling2D(2),
            L.BatchNormalization(momentum=0.9),
            L.ReLU(),
            L.Conv2D(32, 5, use_bias=False),
            L.MaxPooling2D(2),
            L.BatchNormalization(momentum=0.9),
            L.ReLU(),
            L.Conv2D(128, 3, use_bias=False),
            L.BatchNormalization(momentum=0.9),
            L.ReLU(),
            L.Flatten(),
            L.Dense(10, activation="softmax"),
        ],
        name="digits",
    )
    rate = st.optimizers.schedules.CosineDecay(
        settings.learning_rate / 25,
        decay_steps=steps - warmup,
        alpha=0.0,
        warmup_target=settings.learning_rate,
        warmup_steps=warmup,
    )
    network.compile(
        optimizer=st.optimizers.AdamW(rate, weight_decay=0.05),
        loss=st.losses.Crossentropy(label_smoothing=0.1),
        metrics=["accuracy"],
    )
    return network
