"""scipy.misc's images, which SciPy has given up, over Pillow."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from . import surroundings_scipy
from .picture_files import picture
from .surroundings_installed import Changes, lost

MOVED = {"scipy.misc": "scipy"}

SAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "cubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def bytescale(data: Any, cmin: Any = None, cmax: Any = None, high: int = 255, low: int = 0) -> Any:
    """Return numbers as bytes, the smallest as `low` and the largest as `high`; bytes stay."""
    array = np.asarray(data)
    if array.dtype == np.uint8:
        return array
    least = array.min() if cmin is None else cmin
    span = (array.max() if cmax is None else cmax) - least
    scaled = (array - least) * (high - low) / (span if span else 1) + low
    return (scaled.clip(low, high) + 0.5).astype(np.uint8)


def toimage(arr: Any, high: int = 255, low: int = 0, cmin: Any = None, cmax: Any = None,
            mode: str | None = None, **words: Any) -> Any:  # fmt: skip
    """Return an array as a picture of Pillow; channels may come first or last."""
    data = np.squeeze(np.asarray(arr))
    if data.ndim == 3 and data.shape[-1] not in (3, 4) and data.shape[0] in (3, 4):
        data = np.moveaxis(data, 0, -1)
    return Image.fromarray(bytescale(data, cmin, cmax, high, low))


def imread(name: Any, flatten: bool = False, mode: str | None = None) -> Any:
    """Return a picture of a file as an array; `flatten`: grey, as floats."""
    return fromimage(picture(name), flatten, mode)


def fromimage(im: Any, flatten: bool = False, mode: str | None = None) -> Any:
    """Return a picture as an array."""
    picture = im.convert(mode) if mode and mode != im.mode else im
    if picture.mode == "P":
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    return np.array(picture.convert("F") if flatten else picture)


def imsave(name: Any, arr: Any, format: str | None = None) -> None:
    """Write an array as a picture, scaled to bytes."""
    toimage(arr).save(name, format=format)


def imresize(arr: Any, size: Any, interp: str = "bilinear", mode: str | None = None) -> Any:
    """Return an array as a picture of another size: percent, a fraction, or (height, width)."""
    picture = toimage(arr, mode=mode)
    if isinstance(size, (int, np.integer)):
        width, height = (round(side * int(size) / 100) for side in picture.size)
    elif isinstance(size, float):
        width, height = (int(side * size) for side in picture.size)
    else:
        height, width = int(size[0]), int(size[1])
    return np.array(picture.resize((width, height), SAMPLING[interp]))


def imrotate(arr: Any, angle: float, interp: str = "bilinear") -> Any:
    """Return an array as a picture that is turned, counter-clockwise."""
    kinds = {**SAMPLING, "lanczos": Image.Resampling.BICUBIC}
    return np.array(toimage(arr).rotate(angle, resample=kinds[interp]))


def imshow(arr: Any) -> None:
    """Show nothing: there is no screen."""


def changes() -> Changes:
    """Return what is given back to SciPy."""
    functions = (bytescale, toimage, imread, fromimage, imsave, imresize, imrotate, imshow)
    own = {one.__name__: one for one in functions}
    return {
        "scipy.misc": lambda misc: (*lost(misc, own), *surroundings_scipy.lost_names(misc)),
        "scipy.ndimage": lambda images: lost(images, {"imread": imread}),
    }
