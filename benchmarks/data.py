"""The images that every peer sees: MNIST as it is, or enlarged where a network wants more pixels.

Reads the files inside the package without importing it, for the environment that lacks it.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .networks import Network

FOLDER = Path(__file__).parent.parent / "striate" / "data" / "datasets" / "mnist"
PIXELS = 60_000 * 28 * 28  # at most as many as MNIST has: larger images are fewer


def mnist(part: str = "train", count: int = -1) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the (N, 28, 28) images and (N,) labels of "train" or "t10k": the first, or all."""
    x = _read(f"{part}-images-idx3-ubyte.gz", 16, count * 28 * 28).reshape(-1, 28, 28)
    return x, _read(f"{part}-labels-idx1-ubyte.gz", 8, count)


def _read(name: str, head: int, count: int) -> NDArray[np.uint8]:
    with gzip.open(FOLDER / name) as file:
        file.read(head)
        return np.frombuffer(file.read(max(count, -1)), np.uint8)


def load(network: Network) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return (N, size, size, channels) pixels and (N,) labels.

    Each pixel is repeated as often as the digit fits, and paper is put around it.
    """
    count = min(network.images, PIXELS // (network.size**2 * network.channels))
    x, y = mnist(count=count)
    times, border = divmod(network.size, 28)
    if times > 1:
        x = x.repeat(times, axis=1).repeat(times, axis=2)
    if border:
        sides = (border // 2, border - border // 2)
        x = np.pad(x, ((0, 0), sides, sides))
    x = x[..., np.newaxis]
    return x.repeat(network.channels, axis=3) if network.channels > 1 else x, y


def scaled(network: Network, x: NDArray[np.uint8], kind: str = "float32") -> NDArray[Any]:
    """Return the pixels as the network sees them, as the tutorials prepare them beforehand."""
    numbers = x.astype(kind)
    return (numbers - numbers.dtype.type(network.mean)) / numbers.dtype.type(network.std)
