"""A folder of your own images, with a folder for each class."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

import striate as st
from striate import layers as L


class Settings(BaseModel):
    """What `striate train images key=value` can change."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)

    folder: str  # with a folder for each class, or with train, validation and test
    image_size: int = Field(64, ge=8, le=512)  # height and width to which every image is brought
    color_mode: Literal["rgb", "grayscale"] | None = None  # None: grey where all images are
    flip: bool = False  # mirror images in training: good for photographs, bad for letters
    epochs: int = Field(20, ge=1)
    batch_size: int = Field(32, ge=1)
    seed: int = Field(0, ge=0, lt=2**32)
    learning_rate: float = Field(2e-3, gt=0)


@lru_cache(maxsize=1)
def images(settings: Settings) -> st.data.ImageFolder:
    """Return the folder, read once."""
    side = settings.image_size
    return st.data.image_folder(
        settings.folder, (side, side), settings.color_mode, seed=settings.seed
    )


def classes(settings: Settings) -> tuple[str, ...]:
    """Return the names of the classes, in the order of their numbers."""
    return images(settings).classes


def data(settings: Settings) -> tuple[Any, Any]:
    """Return (x, y) to train on and (x, y) to validate on."""
    return images(settings).train, images(settings).validation


def test_data(settings: Settings) -> tuple[Any, Any]:
    """Return (x, y) of the test set, which is looked at once, after training."""
    return images(settings).test


def model(settings: Settings) -> st.Sequential:
    """Convolutions, normalized and pooled down to 4 to 7 pixels; then the mean of each map."""
    found = images(settings)
    steps = settings.epochs * -(-len(found.train[0]) // settings.batch_size)
    warmup = steps // 4

    network = st.Sequential(
        [
            L.Input((*found.image_size, found.channels)),
            L.Rescaling(1 / 255),
            *([L.RandomFlip("horizontal")] if settings.flip else []),
            L.RandomTranslation(0.06, 0.06, fill_mode="nearest"),
        ],
        name="images",
    )
    side, filters = settings.image_size, 16
    while side >= 8:
        network.add(L.Conv2D(filters, 3, padding="same", use_bias=False))
        network.add(L.MaxPooling2D(2))
        network.add(L.BatchNormalization(momentum=0.9))
        network.add(L.ReLU())
        side, filters = side // 2, min(2 * filters, 128)
    network.add(L.Conv2D(filters, 3, padding="same", use_bias=False))
    network.add(L.BatchNormalization(momentum=0.9))
    network.add(L.ReLU())
    network.add(L.GlobalAveragePooling2D())
    network.add(L.Dense(len(found.classes), activation="softmax"))
    rate = st.optimizers.schedules.CosineDecay(
        settings.learning_rate / 25,
        decay_steps=max(steps - warmup, 1),
        alpha=0.0,
        warmup_target=settings.learning_rate,
        warmup_steps=warmup,
    )
    network.compile(
        optimizer=st.optimizers.AdamW(rate, weight_decay=0.02),
        loss=st.losses.Crossentropy(label_smoothing=0.1),
        metrics=["accuracy"],
    )
    return network
