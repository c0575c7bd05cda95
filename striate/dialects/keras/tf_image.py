"""`tf.image`: pictures (height, width, channels), alone or in batches, changed by functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ..symbolic import kind, tensor
from ..tensor_math import floating

GREY = (0.2989, 0.5870, 0.1140)
MODES = {"bilinear": "bilinear", "nearest": "nearest-exact", "bicubic": "bicubic", "area": "area"}


def resize(images: Any, size: Any, method: Any = "bilinear", antialias: bool = False,
           preserve_aspect_ratio: bool = False, **words: Any) -> Tensor:  # fmt: skip
    """Return pictures of another size; of their own proportions, as large as fits into it."""
    given, x = tensor(images), floating(images)
    batch = x if x.dim() == 4 else x.unsqueeze(0)
    mode = MODES.get(str(method).lower(), "bilinear")
    smooth = mode in ("bilinear", "bicubic")
    extra = {"align_corners": False, "antialias": antialias} if smooth else {}
    sizes = [int(side) for side in size]
    if preserve_aspect_ratio:
        share = min(new / old for new, old in zip(sizes, batch.shape[1:3], strict=True))
        sizes = [round(old * share) for old in batch.shape[1:3]]
    out = functional.interpolate(batch.movedim(-1, 1), sizes, mode=mode, **extra).movedim(1, -1)
    out = out if smooth else out.to(given.dtype)  # pixels of the picture itself
    return out if x.dim() == 4 else out[0]


def flip_left_right(image: Any) -> Tensor:
    """Return a picture with its columns reversed."""
    return tensor(image).flip(-2)


def flip_up_down(image: Any) -> Tensor:
    """Return a picture with its rows reversed."""
    return tensor(image).flip(-3)


def random_flip_left_right(image: Any, seed: Any = None) -> Tensor:
    """Return a picture, by chance with its columns reversed."""
    return flip_left_right(image) if torch.rand(()) < 0.5 else tensor(image)


def random_flip_up_down(image: Any, seed: Any = None) -> Tensor:
    """Return a picture, by chance with its rows reversed."""
    return flip_up_down(image) if torch.rand(()) < 0.5 else tensor(image)


def rot90(image: Any, k: int = 1) -> Tensor:
    """Return a picture turned to the left."""
    return torch.rot90(tensor(image), int(k), (-3, -2))


def adjust_brightness(image: Any, delta: Any) -> Tensor:
    """Return a picture with a number added."""
    return floating(image) + delta


def adjust_contrast(images: Any, contrast_factor: Any) -> Tensor:
    """Return a picture with its differences from the mean of each channel multiplied."""
    x = floating(images)
    mean = x.mean((-3, -2), keepdim=True)
    return (x - mean) * contrast_factor + mean


def random_brightness(image: Any, max_delta: float, seed: Any = None) -> Tensor:
    """Return a picture with a number by chance added."""
    return adjust_brightness(image, (2 * torch.rand(()) - 1) * max_delta)


def random_contrast(image: Any, lower: float, upper: float, seed: Any = None) -> Tensor:
    """Return a picture of more or less contrast."""
    return adjust_contrast(image, lower + torch.rand(()) * (upper - lower))


def random_crop(value: Any, size: Any, seed: Any = None, name: Any = None) -> Tensor:
    """Return a part by chance."""
    x = tensor(value)
    for axis, side in enumerate(size):
        start = int(torch.randint(x.shape[axis] - int(side) + 1, ()))
        x = x.narrow(axis, start, int(side))
    return x


def resize_with_crop_or_pad(image: Any, target_height: int, target_width: int) -> Tensor:
    """Return the middle of a picture, with zeros around it where it is smaller."""
    x = tensor(image)
    for axis, side in ((-3, target_height), (-2, target_width)):
        extra = x.shape[axis] - side
        if extra > 0:
            x = x.narrow(axis, extra // 2, side)
        elif extra < 0:
            low = -extra // 2
            pads = [0, 0] * (-axis - 1) + [low, -extra - low]
            x = functional.pad(x, pads)
    return x


def central_crop(image: Any, central_fraction: float) -> Tensor:
    """Return the middle of a picture."""
    x = tensor(image)
    sides = [int(x.shape[axis] * central_fraction) for axis in (-3, -2)]
    return resize_with_crop_or_pad(x, *sides)


def crop_to_bounding_box(image: Any, offset_height: int, offset_width: int, target_height: int,
                         target_width: int) -> Tensor:  # fmt: skip
    """Return a part of a picture."""
    x = tensor(image).narrow(-3, offset_height, target_height)
    return x.narrow(-2, offset_width, target_width)


def rgb_to_grayscale(images: Any, name: Any = None) -> Tensor:
    """Return one channel of brightness."""
    x = tensor(images)
    grey = (x.float() * torch.tensor(GREY)).sum(-1, keepdim=True)
    return grey.to(x.dtype)


def grayscale_to_rgb(images: Any, name: Any = None) -> Tensor:
    """Return three equal channels."""
    x = tensor(images)
    return x.expand(*x.shape[:-1], 3)


def convert_image_dtype(image: Any, dtype: Any, saturate: bool = False) -> Tensor:
    """Return a picture in another dtype; whole numbers are parts of the largest one."""
    x, to = tensor(image), kind(dtype)
    if not x.is_floating_point() and to.is_floating_point:
        return x.to(to) / torch.iinfo(x.dtype).max
    if x.is_floating_point() and not to.is_floating_point:
        return (x * torch.iinfo(to).max).round().to(to)
    return x.to(to)


def per_image_standardization(image: Any) -> Tensor:
    """Return a picture of mean 0 and deviation 1."""
    x = floating(image)
    mean = x.mean((-3, -2, -1), keepdim=True)
    count = x.shape[-1] * x.shape[-2] * x.shape[-3]
    spread = x.std((-3, -2, -1), correction=0, keepdim=True).clamp(min=count**-0.5)
    return (x - mean) / spread


def with_seed(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return the function with a seed (two numbers) for each call, which decides what it gives."""

    def call(image: Any, *args: Any, seed: Any = (0, 0), **words: Any) -> Tensor:
        first, second = (int(one) for one in seed)
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(first * 2_147_483_629 + second)
            return function(image, *args, **words)

    return call


STATELESS = {
    f"stateless_{function.__name__}": with_seed(function)
    for function in (random_flip_left_right, random_flip_up_down, random_brightness,
                     random_contrast, random_crop)
}  # fmt: skip
FUNCTIONS = (
    resize, flip_left_right, flip_up_down, random_flip_left_right, random_flip_up_down, rot90,
    adjust_brightness, adjust_contrast, random_brightness, random_contrast, random_crop,
    resize_with_crop_or_pad, central_crop, crop_to_bounding_box, rgb_to_grayscale,
    grayscale_to_rgb, convert_image_dtype, per_image_standardization,
)  # fmt: skip
