"""skimage where scikit-image is not installed: pictures that are read, scaled and made grey."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from ..errors import caller
from . import surroundings_exposure, surroundings_skimage_metrics as metrics
from .dialect import Modules
from .picture_files import picture
from .resampling import along, clamped, gaussian, mirrored, scaling, smoothing
from .table import DialectError

GREY = np.array([0.2125, 0.7154, 0.0721])  # of red, green and blue
ORDERS = {0: "nearest", 1: "linear"}
EDGES = {"reflect": mirrored, "edge": clamped, "constant": clamped, "symmetric": clamped}


def img_as_float(image: Any, force_copy: bool = False) -> Any:
    """Return an image of bytes as floats from 0 to 1; floats stay."""
    array = np.asarray(image)
    return array / 255.0 if array.dtype == np.uint8 else array.astype(np.result_type(array, 0.5))


def img_as_ubyte(image: Any, force_copy: bool = False) -> Any:
    """Return an image of floats from 0 to 1 as bytes; bytes stay."""
    array = np.asarray(image)
    return array if array.dtype == np.uint8 else (array * 255).round().clip(0, 255).astype(np.uint8)


def imread(fname: Any, as_gray: bool = False, **words: Any) -> Any:
    """Return the picture of a file; `as_gray`: as floats from 0 to 1."""
    found = picture(fname)
    if found.mode == "P":
        found = found.convert("RGBA" if "transparency" in found.info else "RGB")
    array = np.array(found)
    return rgb2gray(array) if as_gray and array.ndim == 3 else array


def imsave(fname: Any, arr: Any, **words: Any) -> None:
    """Write an image."""
    Image.fromarray(img_as_ubyte(arr)).save(fname)


def imshow(arr: Any, **words: Any) -> Any:
    """Draw an image with pyplot."""
    from matplotlib import pyplot

    return pyplot.imshow(arr, cmap="gray" if np.ndim(arr) == 2 else None)


def resize(image: Any, output_shape: Any, order: int | None = None, mode: str = "reflect",
           cval: float = 0, clip: bool = True, preserve_range: bool = False,
           anti_aliasing: bool | None = None, anti_aliasing_sigma: Any = None) -> Any:  # fmt: skip
    """Return an image of another (height, width) as floats; it is smoothed before it shrinks."""
    array = np.asarray(image)
    order = (0 if array.dtype == bool else 1) if order is None else order
    if order not in ORDERS or mode not in EDGES:
        raise DialectError(
            "skimage.transform.resize", "the stand-in has fewer ways to resize",
            got=f"order={order}, mode={mode!r}", need="order 0 or 1; a mode of " + ", ".join(EDGES),
            fix="pip install scikit-image", at=caller(),
        )  # fmt: skip
    edge, x = EDGES[mode], array.astype(np.float64) if preserve_range else img_as_float(array)
    smooth = order > 0 if anti_aliasing is None else anti_aliasing
    matrices = []
    for size, new in zip(array.shape[:2], output_shape[:2], strict=True):
        matrix = scaling(size, int(new), ORDERS[order], edge)
        sigma = (
            max(0.0, (size / int(new) - 1) / 2)
            if anti_aliasing_sigma is None
            else float(np.max(anti_aliasing_sigma))
        )
        if smooth and sigma and new < size:
            matrix = matrix @ smoothing(size, gaussian(sigma, int(4 * sigma + 0.5)), edge)
        matrices.append(matrix)
    out = along(x, *matrices)
    return np.clip(out, x.min(), x.max()) if clip else out


def rescale(image: Any, scale: Any, order: int | None = None, multichannel: Any = None,
            channel_axis: int | None = None, **words: Any) -> Any:  # fmt: skip
    """Return an image whose sides are these shares of what they were."""
    shares = (scale, scale) if np.isscalar(scale) else scale
    shape = [round(side * share) for side, share in zip(np.shape(image)[:2], shares, strict=False)]
    return resize(image, shape, order, **words)


def rotate(image: Any, angle: float, resize: bool = False, center: Any = None,
           order: int | None = None, mode: str = "constant", cval: float = 0,
           clip: bool = True, preserve_range: bool = False) -> Any:  # fmt: skip
    """Return an image turned counter-clockwise; what was outside of it is black."""
    x = np.asarray(image, np.float64) if preserve_range else img_as_float(image)
    planes = x[..., None] if x.ndim == 2 else x
    kind = Image.Resampling.NEAREST if order == 0 else Image.Resampling.BILINEAR
    turned = [
        np.array(Image.fromarray(plane.astype(np.float32)).rotate(
            angle, kind, resize, center, fillcolor=cval))
        for plane in np.moveaxis(planes, -1, 0)
    ]  # fmt: skip
    out = np.stack(turned, -1).astype(np.float64)
    return out if x.ndim == 3 else out[..., 0]


def rgb2gray(rgb: Any, **words: Any) -> Any:
    """Return the light of an image's places, as floats from 0 to 1."""
    array = np.asarray(rgb)
    return img_as_float(array) if array.ndim == 2 else img_as_float(array)[..., :3] @ GREY


def gray2rgb(image: Any, **words: Any) -> Any:
    """Return a grey image in three channels."""
    array = np.asarray(image)
    return np.stack([array] * 3, -1) if array.ndim == 2 else array


def rgba2rgb(rgba: Any, background: Any = (1, 1, 1), **words: Any) -> Any:
    """Return an image on a background, as floats from 0 to 1."""
    x = img_as_float(rgba)
    return x[..., :3] * x[..., 3:] + np.asarray(background) * (1 - x[..., 3:])


def random_noise(image: Any, mode: str = "gaussian", rng: Any = None, clip: bool = True,
                 seed: Any = None, mean: float = 0.0, var: float = 0.01,
                 amount: float = 0.05) -> Any:  # fmt: skip
    """Return an image, as floats from 0 to 1, with noise: "gaussian", "s&p", "salt" or "pepper"."""
    draws, x = np.random.default_rng(seed if rng is None else rng), img_as_float(image)
    if mode == "gaussian":
        out = x + draws.normal(mean, var**0.5, x.shape)
    else:
        light = {"salt": 1.0, "pepper": 0.0, "s&p": 0.5}[mode]
        values = (draws.random(x.shape) < light).astype(float)
        out = np.where(draws.random(x.shape) < amount, values, x)
    return out.clip(0, 1) if clip else out


def modules() -> Modules:
    """Return the modules by their paths."""
    files = {"imread": imread, "imsave": imsave, "imshow": imshow, "show": lambda: None}
    places = {"resize": resize, "rescale": rescale, "rotate": rotate}
    colours = {"rgb2gray": rgb2gray, "gray2rgb": gray2rgb, "rgba2rgb": rgba2rgb,
               "rgb2grey": rgb2gray, **surroundings_exposure.COLOURS}  # fmt: skip
    kinds = {"img_as_float": img_as_float, "img_as_ubyte": img_as_ubyte,
             "img_as_float32": lambda image: img_as_float(image).astype(np.float32)}  # fmt: skip
    return {
        "skimage": {**kinds, "__version__": "0.24.0"},
        "skimage.io": files,
        "skimage.transform": places,
        "skimage.color": colours,
        "skimage.exposure": surroundings_exposure.NAMES,
        "skimage.util": {**kinds, "random_noise": random_noise},
        "skimage.metrics": metrics.NAMES,
        "skimage.measure": metrics.OLDER,
        "skimage.measure.simple_metrics": metrics.OLDER,
    }
