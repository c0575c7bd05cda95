"""torchvision.io: pictures as tensors (C, H, W) of bytes, and files as tensors of bytes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..picture_files import picture
from . import functional


class ImageReadMode:
    """Words for the channels of a picture that is read."""

    UNCHANGED, GRAY, RGB, RGB_ALPHA = "UNCHANGED", "GRAY", "RGB", "RGB_ALPHA"


KINDS = {"GRAY": "L", "RGB": "RGB", "RGB_ALPHA": "RGBA"}


def read_file(path: Any) -> Tensor:
    """Return the bytes of a file."""
    return torch.from_numpy(np.frombuffer(Path(path).read_bytes(), np.uint8).copy())


def write_file(filename: Any, data: Tensor) -> None:
    """Write bytes into a file."""
    Path(filename).write_bytes(data.numpy().tobytes())


def read_image(path: Any, mode: Any = None, **words: Any) -> Tensor:
    """Return a picture of a file."""
    kind = KINDS.get(str(mode).split(".")[-1])
    image = picture(path)
    return functional.pil_to_tensor(image.convert(kind) if kind else image)


def decode_image(input: Any, mode: Any = None, **words: Any) -> Tensor:
    """Return a picture of the bytes of a file, or of a file."""
    if not isinstance(input, Tensor):
        return read_image(input, mode)
    return read_image(io.BytesIO(input.numpy().tobytes()), mode)


def encode_png(input: Tensor, compression_level: int = 6) -> Tensor:
    """Return the bytes of a picture's file."""
    return _encoded(input, "PNG", compress_level=compression_level)


def encode_jpeg(input: Tensor, quality: int = 75) -> Tensor:
    """Return the bytes of a picture's file."""
    return _encoded(input, "JPEG", quality=quality)


def _encoded(image: Tensor, kind: str, **words: Any) -> Tensor:
    file = io.BytesIO()
    functional.to_pil_image(image).save(file, kind, **words)
    return torch.from_numpy(np.frombuffer(file.getvalue(), np.uint8).copy())


def write_png(input: Tensor, filename: Any, compression_level: int = 6) -> None:
    """Write a picture."""
    write_file(filename, encode_png(input, compression_level))


def write_jpeg(input: Tensor, filename: Any, quality: int = 75) -> None:
    """Write a picture."""
    write_file(filename, encode_jpeg(input, quality))


NAMES: dict[str, Any] = {
    one.__name__: one
    for one in (
        *(ImageReadMode, read_file, write_file, read_image, decode_image),
        *(encode_png, encode_jpeg, write_png, write_jpeg),
    )
} | {"decode_png": decode_image, "decode_jpeg": decode_image}
