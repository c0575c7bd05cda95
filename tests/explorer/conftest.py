"""A real browser, and a server with five networks for it to look at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from explored import Served, digits, keep, lenet, residual
from playwright.sync_api import Page, expect

import striate as st
from striate import layers as L

CHROMIUM = "/usr/bin/chromium"
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Debian's own browser, which asks nobody."""
    return {"executable_path": CHROMIUM, "args": list(QUIET)}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Five networks: LeNet (trained), that of tutorial 001, one with branches, and two sizes."""
    root = tmp_path_factory.mktemp("runs")
    digits(root, "lenet", lenet(), samples=60_000)  # all: a seven drawn a pixel higher is none less
    keep(root, "tutorial", _tutorial())
    keep(root, "residual", residual(), ["cat", "dog", "eel", "fox"])
    keep(root, "grey", _stack((64, 64, 1), 5))
    keep(root, "hundred", _stack((224, 224, 3), 100))
    one = Served(root)
    yield one
    one.close()


@pytest.fixture
def quiet(page: Page) -> Iterator[Page]:
    """A page whose console must stay silent."""
    said: list[str] = []
    page.on("console", lambda one: said.append(f"{one.type}: {one.text}"))
    page.on("pageerror", lambda error: said.append(f"error: {error}"))
    page.set_default_timeout(30_000)  # beside other work a page takes its time
    expect.set_options(timeout=30_000)
    yield page
    assert said == []


def _tutorial() -> st.Model:
    image = L.Input((28, 28, 1))
    x = L.Rescaling(1 / 255)(image)
    for filters in (32, 64):
        x = L.MaxPooling2D(2)(L.Conv2D(filters, 3, activation="relu")(x))
    x = L.Dense(64, activation="relu")(L.Flatten()(x))
    return st.Model(image, L.Dense(10, activation="softmax")(x))


def _stack(shape: tuple[int, int, int], classes: int) -> st.Sequential:
    return st.Sequential(
        [
            L.Input(shape),
            L.Rescaling(1 / 255),
            L.Conv2D(16, 5, strides=2, activation="relu"),
            L.MaxPooling2D(2),
            L.DepthwiseConv2D(3, padding="same"),
            L.BatchNormalization(),
            L.Conv2D(72, 3, dilation_rate=2, activation="relu"),
            L.AveragePooling2D(2),
            L.GlobalAveragePooling2D(),
            L.Dense(classes, activation="softmax"),
        ]
    )
