"""`tf.io`: files, and pictures read from their bytes."""

from __future__ import annotations

import glob
import io
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..picture_files import picture
from ..symbolic import kind, tensor
from . import checkpoints, tf_parsing, tf_records
from .tf_image import convert_image_dtype
from .tf_texts import Text, raw, text

MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def read_file(filename: Any, name: Any = None) -> Text:
    """Return the bytes of a file."""
    return Text.of(Path(text(filename)).read_bytes())


def write_file(filename: Any, contents: Any, name: Any = None) -> None:
    """Write bytes to a file."""
    Path(text(filename)).write_bytes(raw(contents))


def decode_image(contents: Any, channels: Any = None, dtype: Any = torch.uint8, name: Any = None,
                 expand_animations: bool = True, **words: Any) -> Tensor:  # fmt: skip
    """Return the picture (height, width, channels) of a file's bytes."""
    image = picture(raw(contents))
    mode = MODES.get(int(channels or 0)) or ("L" if image.mode in ("1", "L", "I") else "RGB")
    array = np.array(image.convert(mode))
    whole = torch.from_numpy(array[..., None] if array.ndim == 2 else array)
    return whole if kind(dtype) is torch.uint8 else convert_image_dtype(whole, dtype)


def encode_png(image: Any, *args: Any, **words: Any) -> Text:
    """Return the bytes of a PNG file."""
    return _encoded(image, "PNG")


def encode_jpeg(image: Any, *args: Any, **words: Any) -> Text:
    """Return the bytes of a JPEG file."""
    return _encoded(image, "JPEG")


def _encoded(image: Any, form: str) -> Text:
    array = tensor(image).numpy().astype("uint8")
    buffer = io.BytesIO()
    Image.fromarray(array[..., 0] if array.shape[-1] == 1 else array).save(buffer, form)
    return Text.of(buffer.getvalue())


def decode_and_crop_jpeg(contents: Any, crop_window: Any, channels: int = 0,
                         **words: Any) -> Any:  # fmt: skip
    """Return a part of a picture: from (y, x), so high and so wide."""
    top, left, height, width = (int(one) for one in tensor(crop_window))
    picture = decode_image(contents, channels)
    return picture[top : top + height, left : left + width]


def is_jpeg(contents: Any, name: Any = None) -> Any:
    """Return whether bytes begin as those of a JPEG file."""
    return tensor(raw(contents)[:3] == b"\xff\xd8\xff")


DECODERS = dict.fromkeys(
    ("decode_image", "decode_jpeg", "decode_png", "decode_bmp", "decode_gif"), decode_image
) | {"decode_and_crop_jpeg": decode_and_crop_jpeg, "is_jpeg": is_jpeg}
ENCODERS = {"encode_png": encode_png, "encode_jpeg": encode_jpeg}


def matching(pattern: Any) -> list[str]:
    """Return the paths of the files of a pattern, or of several, in order."""
    if isinstance(pattern, (list, tuple)):
        return sorted(path for one in pattern for path in matching(one))
    return sorted(glob.glob(text(pattern)))  # noqa: PTH207  patterns may begin at the root


def gfile(name: Any, mode: str = "r") -> Any:
    """Open a file."""
    return Path(text(name)).open(mode)


GFILE = {
    "exists": lambda path: Path(text(path)).exists(),
    "isdir": lambda path: Path(text(path)).is_dir(),
    "listdir": lambda path: sorted(one.name for one in Path(text(path)).iterdir()),
    "makedirs": lambda path: Path(text(path)).mkdir(parents=True, exist_ok=True),
    "mkdir": lambda path: Path(text(path)).mkdir(exist_ok=True),
    "glob": matching,
    "rmtree": lambda path: shutil.rmtree(text(path)),
    "remove": lambda path: Path(text(path)).unlink(),
    "copy": lambda src, dst, overwrite=False: shutil.copy(text(src), text(dst)),
    "rename": lambda src, dst, overwrite=False: Path(text(src)).rename(text(dst)),
    "join": lambda path, *more: str(Path(text(path), *map(text, more))),
    "walk": lambda top: os.walk(text(top)),
    "stat": lambda path: Path(text(path)).stat(),
    "GFile": gfile,
}


def latest_checkpoint(checkpoint_dir: Any, latest_filename: Any = None) -> str | None:
    """Return the last checkpoint of a folder, or the file of weights that was written last."""
    folder = Path(text(checkpoint_dir))
    if told := checkpoints.known(text(checkpoint_dir)):
        return told[-1]
    found = [one for one in folder.glob("*") if one.is_file()] if folder.is_dir() else []
    return str(max(found, key=lambda one: one.stat().st_mtime_ns)) if found else None


IO = {"read_file": read_file, "write_file": write_file, "matching_files": GFILE["glob"],
      **DECODERS, **ENCODERS, **tf_parsing.FUNCTIONS, "TFRecordWriter": tf_records.Writer,
      "TFRecordOptions": tf_records.Options}  # fmt: skip
