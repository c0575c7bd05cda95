"""The colours and the exposure of `skimage`: hue, saturation and value; histograms; gamma."""

from __future__ import annotations

from typing import Any

import numpy as np

BINS = 256


def _float(image: Any) -> Any:
    array = np.asarray(image)
    return array / 255.0 if array.dtype == np.uint8 else array.astype(np.result_type(array, 0.5))


def rgb2hsv(rgb: Any, **words: Any) -> Any:
    """Return hue, saturation and value, each from 0 to 1."""
    from matplotlib.colors import rgb_to_hsv

    return rgb_to_hsv(_float(rgb))


def hsv2rgb(hsv: Any, **words: Any) -> Any:
    """Return red, green and blue from 0 to 1."""
    from matplotlib.colors import hsv_to_rgb

    return hsv_to_rgb(_float(hsv))


def histogram(image: Any, nbins: int = BINS, **words: Any) -> Any:
    """Return how many pixels lie in each bin, and the bins' middles."""
    array = np.asarray(image)
    if array.dtype.kind in "iu":
        low = int(array.min())
        counts = np.bincount(array.ravel().astype(int) - low)
        return counts, np.arange(low, low + len(counts))
    counts, edges = np.histogram(array, nbins)
    return counts, (edges[:-1] + edges[1:]) / 2


def cumulative_distribution(image: Any, nbins: int = BINS) -> Any:
    """Return the share of pixels up to each bin, and the bins' middles."""
    counts, middles = histogram(image, nbins)
    return counts.cumsum() / counts.sum(), middles


def equalize_hist(image: Any, nbins: int = BINS, mask: Any = None) -> Any:
    """Return an image whose values are the shares of pixels that are not lighter."""
    array = np.asarray(image)
    shares, middles = cumulative_distribution(array if mask is None else array[mask], nbins)
    return np.interp(array.ravel(), middles, shares).reshape(array.shape)


def _ends(image: Any, told: Any) -> tuple[float, float]:
    if isinstance(told, (tuple, list)):
        return float(told[0]), float(told[1])
    if told == "image":
        return float(image.min()), float(image.max())
    if np.asarray(image).dtype.kind in "iu" and told in ("dtype", None):
        limits = np.iinfo(np.asarray(image).dtype)
        return float(limits.min), float(limits.max)
    return (float(np.min(image) < 0) * -1.0, 1.0) if told in ("dtype", None) else (0.0, 255.0)


def rescale_intensity(image: Any, in_range: Any = "image", out_range: Any = "dtype") -> Any:
    """Return an image whose range is stretched over another one."""
    array = np.asarray(image)
    (low, high), (to, end) = _ends(array, in_range), _ends(array, out_range)
    share = (np.clip(array, low, high) - low) / ((high - low) or 1)
    out = share * (end - to) + to
    return out.astype(array.dtype) if out_range == "dtype" else out


def adjust_gamma(image: Any, gamma: float = 1, gain: float = 1) -> Any:
    """Return gain * image ** gamma, over the range of the kind of image."""
    array = np.asarray(image)
    end = _ends(array, "dtype")[1]
    return ((array / end) ** gamma * end * gain).astype(array.dtype)


_EXPOSURE = (histogram, cumulative_distribution, equalize_hist, rescale_intensity, adjust_gamma)
NAMES = {function.__name__: function for function in _EXPOSURE}
COLOURS: dict[str, Any] = {"rgb2hsv": rgb2hsv, "hsv2rgb": hsv2rgb}
