"""Functions of `keras.preprocessing.image` that change one picture: given amounts, or by chance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .image_warp import placed, warp

Array = NDArray[Any]


def drawn(low: float, high: float, count: int | None = None) -> Any:
    """Return a number between two, or several, by the chance that `np.random.seed` begins."""
    return np.random.uniform(low, high, count)  # noqa: NPY002  as Keras draws it


def apply_affine_transform(
    x: Any, theta: float = 0, tx: float = 0, ty: float = 0, shear: float = 0, zx: float = 1,
    zy: float = 1, row_axis: int = 1, col_axis: int = 2, channel_axis: int = 0,
    fill_mode: str = "nearest", cval: float = 0.0, order: int = 1,
) -> Array:  # fmt: skip
    """Return a picture that is turned, moved, slanted (angles in degrees) and zoomed."""
    picture = np.moveaxis(np.asarray(x, "float32"), (row_axis, col_axis, channel_axis), (0, 1, 2))
    height, width = picture.shape[:2]
    matrix = placed(height, width, theta, tx, ty, shear, zx, zy)
    out = picture if matrix is None else warp(picture, matrix, fill_mode, cval, order)
    return np.moveaxis(out, (0, 1, 2), (row_axis, col_axis, channel_axis))


def random_rotation(x: Any, rg: float, row_axis: int = 1, col_axis: int = 2,
                    channel_axis: int = 0, fill_mode: str = "nearest", cval: float = 0.0,
                    interpolation_order: int = 1) -> Array:  # fmt: skip
    """Return a picture, turned by up to so many degrees."""
    return apply_affine_transform(
        x, drawn(-rg, rg), row_axis=row_axis, col_axis=col_axis,
        channel_axis=channel_axis, fill_mode=fill_mode, cval=cval, order=interpolation_order,
    )  # fmt: skip


def random_shift(x: Any, wrg: float, hrg: float, row_axis: int = 1, col_axis: int = 2,
                 channel_axis: int = 0, fill_mode: str = "nearest", cval: float = 0.0,
                 interpolation_order: int = 1) -> Array:  # fmt: skip
    """Return a picture, moved by up to these parts of its width and height."""
    down = drawn(-hrg, hrg) * x.shape[row_axis]
    right = drawn(-wrg, wrg) * x.shape[col_axis]
    return apply_affine_transform(
        x, tx=down, ty=right, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis,
        fill_mode=fill_mode, cval=cval, order=interpolation_order,
    )  # fmt: skip


def random_shear(x: Any, intensity: float, row_axis: int = 1, col_axis: int = 2,
                 channel_axis: int = 0, fill_mode: str = "nearest", cval: float = 0.0,
                 interpolation_order: int = 1) -> Array:  # fmt: skip
    """Return a picture, slanted by up to so many degrees."""
    return apply_affine_transform(
        x, shear=drawn(-intensity, intensity), row_axis=row_axis, col_axis=col_axis,
        channel_axis=channel_axis, fill_mode=fill_mode, cval=cval, order=interpolation_order,
    )  # fmt: skip


def random_zoom(x: Any, zoom_range: Any, row_axis: int = 1, col_axis: int = 2,
                channel_axis: int = 0, fill_mode: str = "nearest", cval: float = 0.0,
                interpolation_order: int = 1) -> Array:  # fmt: skip
    """Return a picture, zoomed by amounts between two, for its height and its width."""
    low, high = zoom_range
    zx, zy = drawn(low, high, 2)
    return apply_affine_transform(
        x, zx=zx, zy=zy, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis,
        fill_mode=fill_mode, cval=cval, order=interpolation_order,
    )  # fmt: skip


def apply_channel_shift(x: Any, intensity: float, channel_axis: int = 0) -> Array:
    """Return a picture with a number added, within the values that it had."""
    x = np.asarray(x)
    return np.clip(x + intensity, x.min(), x.max())


def random_channel_shift(x: Any, intensity_range: float, channel_axis: int = 0) -> Array:
    """Return a picture with up to this number added, within the values that it had."""
    return apply_channel_shift(x, drawn(-intensity_range, intensity_range))


def apply_brightness_shift(x: Any, brightness: float, scale: bool = True) -> Array:
    """Return a picture as PIL brightens it: in whole numbers of 0 to 255, which `scale` spreads."""
    x = np.asarray(x, "float32")
    low, high = (x.min(), x.max()) if scale else (0.0, 255.0)
    bytes_ = np.floor((x - low) / ((high - low) or 1) * 255)
    out = np.clip(np.floor(bytes_ * brightness), 0, 255)
    return np.asarray(out / 255 * (high - low) + low if scale else out, "float32")


def random_brightness(x: Any, brightness_range: Any, scale: bool = True) -> Array:
    """Return a picture, brightened by an amount between two."""
    return apply_brightness_shift(x, drawn(*brightness_range), scale)


FUNCTIONS = {made.__name__: made for made in (
    apply_affine_transform, apply_brightness_shift, apply_channel_shift, random_brightness,
    random_channel_shift, random_rotation, random_shear, random_shift, random_zoom,
)}  # fmt: skip
