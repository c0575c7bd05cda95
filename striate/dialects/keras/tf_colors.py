"""`tf.image`: colours, patches, boxes and measures of pictures (height, width, channels)."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from ..symbolic import tensor
from ..tensor_math import floating
from ..tensor_nn import same
from .tf_image import resize, with_seed

YUV = ((0.299, 0.587, 0.114), (-0.14714119, -0.28886916, 0.43601035),
       (0.61497538, -0.51496512, -0.10001026))  # fmt: skip
RGB = ((1.0, 0.0, 1.13988303), (1.0, -0.394642334, -0.58062185), (1.0, 2.03206185, 0.0))
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales of ssim_multiscale


def rgb_to_yuv(images: Any) -> Tensor:
    """Return brightness and two differences of colour."""
    return floating(images) @ torch.tensor(YUV).T


def yuv_to_rgb(images: Any) -> Tensor:
    """Return red, green and blue."""
    return floating(images) @ torch.tensor(RGB).T


def rgb_to_hsv(images: Any) -> Tensor:
    """Return hue, saturation and value, each from 0 to 1."""
    x = floating(images)
    high, low = x.amax(-1), x.amin(-1)
    spread = high - low
    safe = torch.where(spread > 0, spread, torch.ones_like(spread))
    red, green, blue = x.unbind(-1)
    hue = torch.where(
        high == red, (green - blue) / safe,
        torch.where(high == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )  # fmt: skip
    hue = torch.where(spread > 0, hue / 6 % 1.0, torch.zeros_like(hue))
    part = torch.where(high > 0, spread / high.clamp(min=1e-12), torch.zeros_like(high))
    return torch.stack([hue, part, high], -1)


def hsv_to_rgb(images: Any) -> Tensor:
    """Return red, green and blue of hue, saturation and value."""
    hue, part, value = floating(images).unbind(-1)
    places = [((offset + hue * 6) % 6) for offset in (5.0, 3.0, 1.0)]
    colours = [value * (1 - part * torch.minimum(p, 4 - p).clamp(0, 1)) for p in places]
    return torch.stack(colours, -1)


def _in_hsv(image: Any, change: Any) -> Tensor:
    """Return a picture whose hue, saturation and value are changed; uint8 stays uint8."""
    x = tensor(image)
    whole = not x.is_floating_point()
    hsv = rgb_to_hsv(x.float() / 255 if whole else x)
    out = hsv_to_rgb(torch.stack(change(*hsv.unbind(-1)), -1))
    return (out * 255).round().clamp(0, 255).to(x.dtype) if whole else out


def adjust_saturation(image: Any, saturation_factor: float, name: Any = None) -> Tensor:
    """Return a picture of stronger or weaker colours."""
    return _in_hsv(image, lambda h, s, v: [h, (s * saturation_factor).clamp(0, 1), v])


def adjust_hue(image: Any, delta: float, name: Any = None) -> Tensor:
    """Return a picture whose colours are turned."""
    return _in_hsv(image, lambda h, s, v: [(h + delta) % 1.0, s, v])


def adjust_gamma(image: Any, gamma: float = 1, gain: float = 1) -> Tensor:
    """Return gain * image ** gamma."""
    return gain * floating(image) ** gamma


def _drawn(low: float, high: float) -> float:
    return float(torch.empty(()).uniform_(low, high))


def random_saturation(image: Any, lower: float, upper: float, seed: Any = None) -> Tensor:
    """Return a picture of stronger or weaker colours, by chance."""
    return adjust_saturation(image, _drawn(lower, upper))


def random_hue(image: Any, max_delta: float, seed: Any = None) -> Tensor:
    """Return a picture whose colours are turned, by chance."""
    return adjust_hue(image, _drawn(-max_delta, max_delta))


def adjust_jpeg_quality(image: Any, jpeg_quality: Any, dct_method: str = "",
                        name: Any = None) -> Tensor:  # fmt: skip
    """Return a picture as a JPEG file of a quality gives it back."""
    x = tensor(image)
    whole = x if x.dtype == torch.uint8 else (x * 255.5).clamp(0, 255).to(torch.uint8)
    plain = whole.numpy()
    file = io.BytesIO()
    Image.fromarray(plain[..., 0] if plain.shape[-1] == 1 else plain).save(
        file, "JPEG", quality=int(jpeg_quality)
    )
    out = torch.from_numpy(np.asarray(Image.open(file)).copy()).reshape(x.shape)
    return out if x.dtype == torch.uint8 else out / 255


def random_jpeg_quality(image: Any, min_jpeg_quality: int, max_jpeg_quality: int,
                        seed: Any = None) -> Tensor:  # fmt: skip
    """Return the picture: its quality stays."""
    return tensor(image)


def pad_to_bounding_box(image: Any, offset_height: Any, offset_width: Any, target_height: Any,
                        target_width: Any) -> Tensor:  # fmt: skip
    """Return a picture within a larger one of zeros."""
    x = tensor(image)
    top, left = int(offset_height), int(offset_width)
    below = int(target_height) - x.shape[-3] - top
    right = int(target_width) - x.shape[-2] - left
    return functional.pad(x, (0, 0, left, right, top, below))


def resize_with_pad(image: Any, target_height: int, target_width: int,
                    method: Any = "bilinear", antialias: bool = False) -> Tensor:  # fmt: skip
    """Return a picture that keeps its proportions, with zeros around it."""
    x = tensor(image)
    share = min(target_height / x.shape[-3], target_width / x.shape[-2])
    sides = round(x.shape[-3] * share), round(x.shape[-2] * share)
    top, left = (target_height - sides[0]) // 2, (target_width - sides[1]) // 2
    small = resize(x, sides, method, antialias)
    return pad_to_bounding_box(small, top, left, target_height, target_width)


def transpose(image: Any, name: Any = None) -> Tensor:
    """Return a picture with rows and columns exchanged."""
    return tensor(image).transpose(-3, -2)


def extract_patches(images: Any, sizes: Any = None, strides: Any = None, rates: Any = 1,
                    padding: str = "VALID", size: Any = None, dilation_rate: Any = None,
                    name: Any = None, **words: Any) -> Tensor:  # fmt: skip
    """Return windows of pictures, each as one row of (row, column, channel) values."""
    x = floating(images)
    alone = x.dim() == 3
    x = x.unsqueeze(0) if alone else x
    window = _pair(sizes if sizes is not None else size)
    steps = window if strides is None else _pair(strides)
    apart = _pair(rates if dilation_rate is None else dilation_rate)
    first = x.movedim(-1, 1)
    if padding.lower() == "same":
        first = same(first, window, steps, apart)
    channels = first.shape[1]
    reach = [(side - 1) * rate + 1 for side, rate in zip(window, apart, strict=True)]
    rows, columns = ((first.shape[2 + axis] - reach[axis]) // steps[axis] + 1 for axis in (0, 1))
    out = functional.unfold(first, window, dilation=apart, stride=steps)  # (N, C k, places)
    out = out.unflatten(1, (channels, -1)).transpose(1, 2).flatten(1, 2)
    out = out.unflatten(2, (rows, columns)).movedim(1, -1)
    return out[0] if alone else out


def _pair(value: Any) -> tuple[int, int]:
    """Return the sizes of rows and columns, of [1, rows, columns, 1] too."""
    if isinstance(value, (list, tuple)):
        inner = value[1:3] if len(value) == 4 else value
        return int(inner[0]), int(inner[-1])
    return int(value), int(value)


def psnr(a: Any, b: Any, max_val: float, name: Any = None) -> Tensor:
    """Return how near two pictures are, in decibels."""
    mean = (floating(a) - floating(b)).square().mean((-3, -2, -1))
    return 20 * math.log10(max_val) - 10 * mean.log10()


def ssim(img1: Any, img2: Any, max_val: float, filter_size: int = 11, filter_sigma: float = 1.5,
         k1: float = 0.01, k2: float = 0.03, **words: Any) -> Tensor:  # fmt: skip
    """Return how alike the structures of two pictures are.

    Source: Wang et al., Image Quality Assessment, 2004.
    """
    return _alike(img1, img2, max_val, filter_size, filter_sigma, k1, k2)[0]


def ssim_multiscale(img1: Any, img2: Any, max_val: float, power_factors: Any = WEIGHTS,
                    filter_size: int = 11, filter_sigma: float = 1.5, k1: float = 0.01,
                    k2: float = 0.03) -> Tensor:  # fmt: skip
    """Return the same over several scales."""
    a, b = floating(img1), floating(img2)
    out: Any = 1.0
    for place, power in enumerate(power_factors):
        whole, contrast = _alike(a, b, max_val, filter_size, filter_sigma, k1, k2)
        out = out * (whole if place == len(power_factors) - 1 else contrast).relu() ** power
        a, b = (functional.avg_pool2d(one.movedim(-1, -3), 2).movedim(-3, -1) for one in (a, b))
    return torch.as_tensor(out)


def _alike(img1: Any, img2: Any, most: float, size: int, sigma: float, k1: float,
           k2: float) -> tuple[Tensor, Tensor]:  # fmt: skip
    a, b = (floating(one) for one in (img1, img2))
    alone = a.dim() == 3
    a, b = ((one.unsqueeze(0) if alone else one).movedim(-1, 1) for one in (a, b))
    line = torch.exp(-0.5 * ((torch.arange(size) - (size - 1) / 2) / sigma) ** 2)
    kernel = torch.outer(line, line) / line.sum() ** 2
    kernel = kernel.expand(a.shape[1], 1, size, size)

    def blurred(x: Tensor) -> Tensor:
        return functional.conv2d(x, kernel, groups=x.shape[1])

    one, two = (k1 * most) ** 2, (k2 * most) ** 2
    mean_a, mean_b = blurred(a), blurred(b)
    light = (2 * mean_a * mean_b + one) / (mean_a**2 + mean_b**2 + one)
    both = 2 * (blurred(a * b) - mean_a * mean_b) + two
    apart = blurred(a * a + b * b) - mean_a**2 - mean_b**2 + two
    contrast = both / apart
    whole = (light * contrast).mean((-2, -1)).mean(-1)
    inner = contrast.mean((-2, -1)).mean(-1)
    return (whole[0], inner[0]) if alone else (whole, inner)


def total_variation(images: Any, name: Any = None) -> Tensor:
    """Return the sum of the differences of neighbours."""
    x = floating(images)
    rows = (x[..., 1:, :, :] - x[..., :-1, :, :]).abs().sum((-3, -2, -1))
    return rows + (x[..., 1:, :] - x[..., :-1, :]).abs().sum((-3, -2, -1))


def image_gradients(image: Any) -> tuple[Tensor, Tensor]:
    """Return the differences to the next row and to the next column, 0 at the end."""
    x = floating(image)
    rows = functional.pad(x[:, 1:] - x[:, :-1], (0, 0, 0, 0, 0, 1))
    return rows, functional.pad(x[:, :, 1:] - x[:, :, :-1], (0, 0, 0, 1))


def sobel_edges(image: Any) -> Tensor:
    """Return the slopes along rows and columns, on a further axis."""
    x = floating(image).movedim(-1, 1)
    kernel = torch.tensor([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]])
    padded = functional.pad(x, (1, 1, 1, 1), mode="reflect")
    both = torch.stack([kernel, kernel.T]).unsqueeze(1).repeat(x.shape[1], 1, 1, 1)
    out = functional.conv2d(padded, both, groups=x.shape[1])
    return out.unflatten(1, (x.shape[1], 2)).permute(0, 3, 4, 1, 2)


def depth_to_space(input: Any, block_size: int, data_format: str = "NHWC",
                   name: Any = None) -> Tensor:  # fmt: skip
    """Return pictures whose channels have become blocks of rows and columns."""
    x, side = tensor(input), int(block_size)
    count, rows, columns, depth = x.shape
    blocks = x.reshape(count, rows, columns, side, side, depth // side**2)
    return blocks.permute(0, 1, 3, 2, 4, 5).reshape(count, rows * side, columns * side, -1)


def space_to_depth(input: Any, block_size: int, data_format: str = "NHWC",
                   name: Any = None) -> Tensor:  # fmt: skip
    """Return pictures whose blocks of rows and columns have become channels."""
    x, side = tensor(input), int(block_size)
    count, rows, columns, depth = x.shape
    blocks = x.reshape(count, rows // side, side, columns // side, side, depth)
    return blocks.permute(0, 1, 3, 2, 4, 5).reshape(count, rows // side, columns // side, -1)


BLOCKS = (depth_to_space, space_to_depth)
FUNCTIONS = (
    rgb_to_yuv, yuv_to_rgb, rgb_to_hsv, hsv_to_rgb, adjust_saturation, adjust_hue, adjust_gamma,
    random_saturation, random_hue, random_jpeg_quality, adjust_jpeg_quality,
    pad_to_bounding_box, resize_with_pad,
    transpose, extract_patches, psnr, ssim, ssim_multiscale, total_variation, image_gradients,
    sobel_edges,
)  # fmt: skip
STATELESS = {
    f"stateless_{function.__name__}": with_seed(function)
    for function in (random_saturation, random_hue, random_jpeg_quality)
}
