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


TO_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169],
                   [0.019334, 0.119193, 0.950227]])  # fmt: skip  # of linear red, green and blue
WHITE = np.array([0.95047, 1.0, 1.08883])  # of daylight, D65
BENT, SLOPE = 0.008856, 7.787  # where the cube root of CIE's Lab becomes a line


def rgb2lab(rgb: Any, **words: Any) -> Any:
    """Return lightness from 0 to 100, and green to red and blue to yellow, of CIE's Lab."""
    x = _float(rgb)
    linear = np.where(x > 0.04045, ((x + 0.055) / 1.055) ** 2.4, x / 12.92)
    part = linear @ TO_XYZ.T / WHITE
    bent = np.where(part > BENT, np.cbrt(part), SLOPE * part + 16 / 116)
    x, y, z = np.moveaxis(bent, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def lab2rgb(lab: Any, **words: Any) -> Any:
    """Return red, green and blue from 0 to 1; colours that are beyond are cut."""
    light, a, b = np.moveaxis(np.asarray(lab, np.float64), -1, 0)
    y = (light + 16) / 116
    bent = np.stack([a / 500 + y, y, np.maximum(y - b / 200, 0)], -1)
    part = np.where(bent > 0.2068966, bent**3, (bent - 16 / 116) / SLOPE) * WHITE
    linear = part @ np.linalg.inv(TO_XYZ).T
    root = 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055
    return np.clip(np.where(linear > 0.0031308, root, linear * 12.92), 0, 1)


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
COLOURS: dict[str, Any] = {made.__name__: made for made in (rgb2hsv, hsv2rgb, rgb2lab, lab2rgb)}
