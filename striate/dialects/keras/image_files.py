"""Pictures as files and as arrays: `load_img`, `img_to_array` and their kin."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..picture_files import picture
from .session import LAYOUTS

Array = NDArray[Any]
MODES = {"rgb": "RGB", "grayscale": "L", "rgba": "RGBA"}
METHODS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}


def load_img(path: Any, grayscale: bool = False, color_mode: str = "rgb", target_size: Any = None,
             interpolation: str = "nearest", **words: Any) -> Image.Image:  # fmt: skip
    """Return the picture of a file; `target_size` is (height, width)."""
    image = picture(path).convert("L" if grayscale else MODES[color_mode])
    if target_size is not None and image.size != (target_size[1], target_size[0]):
        image = image.resize((target_size[1], target_size[0]), METHODS[interpolation])
    return image


def img_to_array(img: Any, data_format: Any = None, dim_ordering: Any = None,
                 dtype: Any = "float32") -> Array:  # fmt: skip
    """Return a picture as (height, width, channels), or channels first."""
    array = np.asarray(img, dtype=dtype)
    array = array[..., None] if array.ndim == 2 else array
    layout = LAYOUTS.get(dim_ordering or "", data_format)
    return array.transpose(2, 0, 1) if layout == "channels_first" else array


def array_to_img(x: Any, data_format: Any = None, scale: bool = True, dim_ordering: Any = None,
                 dtype: Any = None) -> Image.Image:  # fmt: skip
    """Return (height, width, channels) as a picture; `scale` spreads the values over 0 to 255."""
    array = np.asarray(x, dtype="float32")
    first = LAYOUTS.get(dim_ordering or "", data_format) == "channels_first"
    array = array.transpose(1, 2, 0) if first else array
    if scale:
        array = array - min(array.min(), 0) if array.min() < 0 else array
        high = array.max()
        array = array / high * 255 if high else array
    pixels = array.astype("uint8")
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def save_img(path: Any, x: Any, data_format: Any = None, file_format: Any = None,
             scale: bool = True, **words: Any) -> None:  # fmt: skip
    """Write an array as a picture."""
    array_to_img(x, data_format, scale).save(path, format=file_format)
