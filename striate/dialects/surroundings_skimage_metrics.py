"""skimage.metrics where scikit-image is not installed: how much two images differ."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..errors import caller
from .table import DialectError

SPANS = {"b": (0.0, 1.0), "f": (-1.0, 1.0)}  # of a kind of number: the least and the largest


def mean_squared_error(image0: Any, image1: Any) -> float:
    """Return the mean of the squares of the differences."""
    first, second = _floats(image0, image1)
    return float(np.mean((first - second) ** 2))


def normalized_root_mse(image_true: Any, image_test: Any, *, normalization: str = "euclidean"
                        ) -> float:  # fmt: skip
    """Return the root of the mean square, over that of the true image, its range or its mean."""
    true, _ = _floats(image_true, image_test)
    scale = {"euclidean": np.sqrt(np.mean(true**2)), "min-max": np.ptp(true), "mean": true.mean()}
    return float(np.sqrt(mean_squared_error(image_true, image_test)) / scale[normalization])


def peak_signal_noise_ratio(image_true: Any, image_test: Any, data_range: Any = None) -> float:
    """Return how much larger the range is than the error, in decibels."""
    true = np.asarray(image_true)
    least, largest = _span(true)
    span = data_range or (largest if true.min(initial=0) >= 0 else largest - least)
    error = mean_squared_error(image_true, image_test)
    with np.errstate(divide="ignore"):
        return float(10 * np.log10(span**2 / np.float64(error)))


def structural_similarity(
    im1: Any, im2: Any, win_size: int | None = None, gradient: bool = False,
    data_range: Any = None, channel_axis: int | None = None, gaussian_weights: bool = False,
    full: bool = False, multichannel: bool = False, **words: Any,
) -> Any:  # fmt: skip
    """Return the structural similarity, the mean over the places of a window; 1 for equal images.

    (2 m1 m2 + c1) (2 s12 + c2) / ((m1^2 + m2^2 + c1) (s1 + s2 + c2)), of means, variances and
    covariance in a window of 7 x 7, or in one of Gaussian weights of sigma 1.5; c is (K range)^2.
    `full`: the map of all places too. Source: Wang and others (2004).
    """
    if gradient:
        raise DialectError(
            "skimage.metrics.structural_similarity", "has no gradient without scikit-image",
            fix="pip install scikit-image", at=caller(),
        )  # fmt: skip
    first, second = _floats(im1, im2)
    least, largest = _span(np.asarray(im1))
    one: Callable[..., tuple[float, Any]] = partial(
        _map, win_size=win_size, gaussian=gaussian_weights, span=data_range or largest - least,
        **words,
    )  # fmt: skip
    axis = -1 if multichannel and channel_axis is None else channel_axis
    if axis is None:
        mean, places = one(first, second)
    else:
        planes = zip(np.moveaxis(first, axis, 0), np.moveaxis(second, axis, 0), strict=True)
        means, maps = zip(*(one(*pair) for pair in planes), strict=True)
        mean, places = np.mean(means), np.stack(maps, axis)
    return (float(mean), places) if full else float(mean)


def _map(x: Any, y: Any, *, win_size: int | None, gaussian: bool, span: float,
         sigma: float = 1.5, use_sample_covariance: bool = True, K1: float = 0.01,  # noqa: N803
         K2: float = 0.03) -> tuple[float, Any]:  # noqa: N803  # fmt: skip
    """Return the similarity of two planes: its mean where the window fits, and everywhere."""
    ndimage = importlib.import_module("scipy.ndimage")
    reach = int(3.5 * sigma + 0.5)
    size = win_size or (2 * reach + 1 if gaussian else 7)
    if min(x.shape) < size:
        raise ValueError("win_size exceeds image extent. Either ensure that your images are at "
                         "least 7x7; or pass win_size explicitly in the function call, with an odd "
                         "value less than or equal to the smaller side of your images. If your "
                         "images are multichannel (with color channels), set channel_axis to the "
                         "axis number corresponding to the channels.")  # fmt: skip
    mean: Callable[[Any], Any] = partial(ndimage.uniform_filter, size=size)
    if gaussian:
        mean = partial(ndimage.gaussian_filter, sigma=sigma, truncate=3.5)
    count = size**x.ndim
    scale = count / (count - 1) if use_sample_covariance else 1.0
    at_x, at_y = mean(x), mean(y)
    spread = scale * (mean(x * x) - at_x**2) + scale * (mean(y * y) - at_y**2)
    shared = scale * (mean(x * y) - at_x * at_y)
    low, high = (K1 * span) ** 2, (K2 * span) ** 2
    out = (2 * at_x * at_y + low) * (2 * shared + high)
    out /= (at_x**2 + at_y**2 + low) * (spread + high)
    edge = (size - 1) // 2
    return out[tuple(slice(edge, side - edge) for side in out.shape)].mean(dtype=np.float64), out


def _floats(first: Any, second: Any) -> tuple[Any, Any]:
    a, b = np.asarray(first), np.asarray(second)
    if a.shape != b.shape:
        raise ValueError("Input images must have the same dimensions.")
    return a.astype(np.float64), b.astype(np.float64)


def _span(image: Any) -> tuple[float, float]:
    """Return the least and the largest number that images of this kind have."""
    if image.dtype.kind in "iu":
        limits = np.iinfo(image.dtype)
        return float(limits.min), float(limits.max)
    return SPANS[image.dtype.kind]


NAMES: dict[str, Any] = {
    one.__name__: one
    for one in (mean_squared_error, normalized_root_mse, peak_signal_noise_ratio,
                structural_similarity)
}  # fmt: skip
OLDER = {
    "compare_psnr": peak_signal_noise_ratio, "compare_ssim": structural_similarity,
    "compare_mse": mean_squared_error, "compare_nrmse": normalized_root_mse,
}  # fmt: skip
