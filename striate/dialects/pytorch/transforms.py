"""torchvision's transforms: changes of an image, drawn from torch's generator where random."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import torch
from PIL import ImageFilter
from torch import Tensor

from ...errors import ConfigError, caller
from .functional import (
    BILINEAR,
    NEAREST,
    InterpolationMode,
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_saturation,
    affine,
    as_picture,
    autocontrast,
    both_sides,
    center_crop,
    crop,
    hflip,
    normalize,
    pad,
    perspective,
    pil_to_tensor,
    resize,
    rotate,
    size_of,
    to_grayscale,
    to_pil_image,
    to_tensor,
    vflip,
)


class Transform:
    """A change of one image, to be called."""

    def __call__(self, img: Any) -> Any:
        """Return the changed image."""
        return img

    def __repr__(self) -> str:
        words = ", ".join(f"{key}={value!r}" for key, value in vars(self).items())
        return f"{type(self).__name__}({words})"


class Compose(Transform):
    """Changes, one after the other."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = list(transforms)

    def __call__(self, img: Any) -> Any:
        """Return the changed image."""
        for change in self.transforms:
            img = change(img)
        return img


class ToTensor(Transform):
    """to_tensor."""

    def __call__(self, img: Any) -> Tensor:
        """Return the tensor."""
        return to_tensor(img)


class PILToTensor(Transform):
    """pil_to_tensor."""

    def __call__(self, img: Any) -> Tensor:
        """Return the tensor."""
        return img if isinstance(img, Tensor) else pil_to_tensor(img)


class ConvertImageDtype(Transform):
    """Numbers of another type; between bytes and floats they are scaled."""

    def __init__(self, dtype: torch.dtype = torch.float32, scale: bool = True) -> None:
        self.dtype, self.scale = dtype, scale

    def __call__(self, img: Any) -> Any:
        """Return the tensor."""
        if self.scale and self.dtype.is_floating_point and not img.is_floating_point():
            return img.to(self.dtype) / 255
        if self.scale and not self.dtype.is_floating_point and img.is_floating_point():
            return img.mul(255.999).to(self.dtype)
        return img.to(self.dtype)


class ToDtype(ConvertImageDtype):
    """Numbers of another type, scaled where it is asked for."""

    def __init__(self, dtype: torch.dtype, scale: bool = False) -> None:
        super().__init__(dtype, scale)


class ToPILImage(Transform):
    """to_pil_image."""

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def __call__(self, img: Any) -> Any:
        """Return the picture."""
        return to_pil_image(img, self.mode)


class Normalize(Transform):
    """(tensor - mean) / std, with a number for each channel."""

    def __init__(self, mean: Any, std: Any, inplace: bool = False) -> None:
        self.mean, self.std, self.inplace = mean, std, inplace

    def __call__(self, img: Any) -> Tensor:
        """Return the tensor."""
        return normalize(img, self.mean, self.std, self.inplace)


class Resize(Transform):
    """Another size: of the smaller side, or (height, width)."""

    def __init__(self, size: Any, interpolation: Any = BILINEAR, *args: Any, **words: Any) -> None:
        self.size, self.interpolation = size, interpolation

    def __call__(self, img: Any) -> Any:
        """Return the changed image."""
        return resize(img, self.size, self.interpolation)


class CenterCrop(Transform):
    """The middle."""

    def __init__(self, size: Any) -> None:
        self.size = size

    def __call__(self, img: Any) -> Any:
        """Return the changed image."""
        return center_crop(img, self.size)


class Pad(Transform):
    """A border."""

    def __init__(self, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> None:
        self.padding, self.fill, self.padding_mode = padding, fill, padding_mode

    def __call__(self, img: Any) -> Any:
        """Return the changed image."""
        return pad(img, self.padding, self.fill, self.padding_mode)


class Lambda(Transform):
    """A function of the script's own."""

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        """Return the changed image."""
        return self.lambd(img)


class Grayscale(Transform):
    """Grey."""

    def __init__(self, num_output_channels: int = 1) -> None:
        self.num_output_channels = num_output_channels

    def __call__(self, img: Any) -> Any:
        """Return the changed image."""
        return to_grayscale(img, self.num_output_channels)


def drawn() -> float:
    """Return a number between 0 and 1, of torch's generator."""
    return float(torch.rand(1))


def between(low: float, high: float) -> float:
    """Return a number between two, of torch's generator."""
    return low + (high - low) * drawn()


class RandomCrop(Transform):
    """A rectangle of a size, anywhere; with a border first, if it is asked for."""

    def __init__(self, size: Any, padding: Any = None, pad_if_needed: bool = False, fill: Any = 0,
                 padding_mode: str = "constant") -> None:  # fmt: skip
        self.size, self.padding, self.pad_if_needed = both_sides(size), padding, pad_if_needed
        self.fill, self.padding_mode = fill, padding_mode

    def __call__(self, img: Any) -> Any:
        """Return the changed image."""
        if self.padding is not None:
            img = pad(img, self.padding, self.fill, self.padding_mode)
        (rows, columns), (height, width) = size_of(img), self.size
        missing = (max(width - columns, 0), max(height - rows, 0))
        if self.pad_if_needed and any(missing):
            img = pad(img, missing, self.fill, self.padding_mode)
            rows, columns = size_of(img)
        if rows < height or columns < width:
            raise ConfigError(
                "transforms.RandomCrop",
                "the image is smaller than the crop",
                got=f"an image of {rows} x {columns}",
                need=f"at least {height} x {width}",
                fix="padding=..., or pad_if_needed=True",
                at=caller(),
            )
        top = int(torch.randint(rows - height + 1, (1,)))
        return crop(img, top, int(torch.randint(columns - width + 1, (1,))), height, width)


class RandomHorizontalFlip(Transform):
    """Left and right exchanged, with a probability."""

    flip = staticmethod(hflip)

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def __call__(self, img: Any) -> Any:
        """Return the changed image."""
        return self.flip(img) if drawn() < self.p else img


class RandomVerticalFlip(RandomHorizontalFlip):
    """Top and bottom exchanged, with a probability."""

    flip = staticmethod(vflip)


class RandomRotation(Transform):
    """Turned by an angle between limits."""

    def __init__(self, degrees: Any, interpolation: Any = NEAREST, expand: bool = False,
                 center: Any = None, fill: Any = 0, resample: Any = None) -> None:  # fmt: skip
        self.degrees = (-degrees, degrees) if isinstance(degrees, (int, float)) else degrees
        self.interpolation = resample or interpolation
        self.expand, self.center, self.fill = expand, center, fill

    def __call__(self, img: Any) -> Any:
        """Return the changed image."""
        angle = between(*self.degrees)
        return rotate(img, angle, self.interpolation, self.expand, self.center, self.fill)


class RandomAffine(Transform):
    """Turned, moved, scaled and sheared, each between limits."""

    def __init__(self, degrees: Any, translate: Any = None, scale: Any = None, shear: Any = None,
                 interpolation: Any = NEAREST, fill: Any = 0, **words: Any) -> None:  # fmt: skip
        self.degrees = (-degrees, degrees) if isinstance(degrees, (int, float)) else degrees
        self.shear = (-shear, shear) if isinstance(shear, (int, float)) else shear
        self.translate, self.scale = translate, scale
        self.interpolation, self.fill = interpolation, fill

    def __call__(self, img: Any) -> Any:
        """Return the changed image."""
        height, width = size_of(img)
        right, down = self.translate or (0, 0)
        move = (round(between(-right * width, right * width)),
                round(between(-down * height, down * height)))  # fmt: skip
        scale = between(*self.scale) if self.scale else 1.0
        lean = between(*self.shear[:2]) if self.shear else 0.0
        return affine(img, between(*self.degrees), move, scale, lean,
                      self.interpolation, self.fill)  # fmt: skip


class RandomPerspective(Transform):
    """Seen aslant, with a probability: each corner moves inside by a share of half a side."""

    def __init__(self, distortion_scale: float = 0.5, p: float = 0.5,
                 interpolation: Any = BILINEAR, fill: Any = 0) -> None:  # fmt: skip
        self.scale, self.p = distortion_scale, p
        self.interpolation, self.fill = interpolation, fill

    def __call__(self, img: Any) -> Any:
        """Return the changed image."""
        if drawn() >= self.p:
            return img
        height, width = size_of(img)
        most = int(self.scale * (width // 2)), int(self.scale * (height // 2))
        corners = [(0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)]
        moved = [
            tuple(
                side + (1 if side == 0 else -1) * int(torch.randint(limit + 1, (1,)))
                for side, limit in zip(corner, most, strict=True)
            )
            for corner in corners
        ]
        return perspective(img, corners, moved, self.interpolation, self.fill)


class RandomAutocontrast(Transform):
    """The darkest value black and the lightest white, with a probability."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def __call__(self, img: Any) -> Any:
        """Return the changed image."""
        return autocontrast(img) if drawn() < self.p else img


class RandomResizedCrop(Transform):
    """A rectangle of any size and shape between limits, in the size that is asked for."""

    def __init__(self, size: Any, scale: Any = (0.08, 1.0), ratio: Any = (3 / 4, 4 / 3),
                 interpolation: Any = BILINEAR, **words: Any) -> None:  # fmt: skip
        self.size, self.scale, self.ratio = both_sides(size), scale, ratio
        self.interpolation = interpolation

    def __call__(self, img: Any) -> Any:
        """Return the changed image."""
        rows, columns = size_of(img)
        for _ in range(10):
            area = rows * columns * between(*self.scale)
            ratio = math.exp(between(math.log(self.ratio[0]), math.log(self.ratio[1])))
            width, height = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < width <= columns and 0 < height <= rows:
                top = int(torch.randint(rows - height + 1, (1,)))
                left = int(torch.randint(columns - width + 1, (1,)))
                return resize(crop(img, top, left, height, width), self.size, self.interpolation)
        side = min(rows, columns)
        return resize(center_crop(img, side), self.size, self.interpolation)


class ColorJitter(Transform):
    """Brightness, contrast, saturation and hue, each changed by a share at most."""

    def __init__(self, brightness: Any = 0, contrast: Any = 0, saturation: Any = 0,
                 hue: Any = 0) -> None:  # fmt: skip
        self.brightness, self.contrast = brightness, contrast
        self.saturation, self.hue = saturation, hue

    def __call__(self, img: Any) -> Any:
        """Return the changed image."""
        kinds = [
            (self.brightness, 1.0, adjust_brightness),
            (self.contrast, 1.0, adjust_contrast),
            (self.saturation, 1.0, adjust_saturation),
            (self.hue, 0.0, adjust_hue),
        ]
        for at in torch.randperm(len(kinds)).tolist():
            amount, middle, change = kinds[at]
            if amount:
                img = change(img, between(*_around(middle, amount)))
        return img


def _around(middle: float, amount: Any) -> tuple[float, float]:
    """Return limits on both sides of a value, or those that are given; no factor is below 0."""
    if isinstance(amount, (tuple, list)):
        return amount[0], amount[1]
    return (max(0.0, middle - amount) if middle else -amount), middle + amount


class RandomGrayscale(Transform):
    """Grey in as many channels, with a probability."""

    def __init__(self, p: float = 0.1) -> None:
        self.p = p

    def __call__(self, img: Any) -> Any:
        """Return the changed image."""
        channels = img.shape[-3] if isinstance(img, Tensor) else len(img.getbands())
        return to_grayscale(img, channels) if channels == 3 and drawn() < self.p else img


class RandomErasing(Transform):
    """A rectangle of a tensor set to a value, with a probability."""

    def __init__(self, p: float = 0.5, scale: Any = (0.02, 0.33), ratio: Any = (0.3, 3.3),
                 value: Any = 0, inplace: bool = False) -> None:  # fmt: skip
        self.p, self.scale, self.ratio, self.value = p, scale, ratio, value
        self.inplace = inplace

    def __call__(self, img: Any) -> Any:
        """Return the changed tensor."""
        if drawn() >= self.p:
            return img
        rows, columns = size_of(img)
        area = rows * columns * between(*self.scale)
        ratio = math.exp(between(math.log(self.ratio[0]), math.log(self.ratio[1])))
        height = min(round(math.sqrt(area * ratio)), rows)
        width = min(round(math.sqrt(area / ratio)), columns)
        top = int(torch.randint(rows - height + 1, (1,)))
        left = int(torch.randint(columns - width + 1, (1,)))
        out = img if self.inplace else img.clone()
        part = out[..., top : top + height, left : left + width]
        part.copy_(
            torch.randn_like(part) if self.value == "random" else torch.as_tensor(self.value)
        )
        return out


class GaussianBlur(Transform):
    """A blur whose width is drawn between limits."""

    def __init__(self, kernel_size: Any, sigma: Any = (0.1, 2.0)) -> None:
        self.kernel_size, self.sigma = kernel_size, sigma

    def __call__(self, img: Any) -> Any:
        """Return the changed image."""
        several = isinstance(self.sigma, (tuple, list))
        width = between(*self.sigma) if several else float(self.sigma)
        return as_picture(img, lambda one: one.filter(ImageFilter.GaussianBlur(width)))


class RandomApply(Transform):
    """All of these changes, with a probability."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]], p: float = 0.5) -> None:
        self.transforms, self.p = transforms, p

    def __call__(self, img: Any) -> Any:
        """Return the changed image."""
        return Compose(self.transforms)(img) if drawn() < self.p else img


class RandomChoice(Transform):
    """One of these changes."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = list(transforms)

    def __call__(self, img: Any) -> Any:
        """Return the changed image."""
        return random.choice(self.transforms)(img)


class RandomOrder(RandomChoice):
    """All of these changes, in any order."""

    def __call__(self, img: Any) -> Any:
        """Return the changed image."""
        return Compose(random.sample(self.transforms, len(self.transforms)))(img)


def _named(*things: Any) -> dict[str, Any]:
    return {one.__name__: one for one in things}


CLASSES = {
    **_named(
        *(Compose, ToTensor, PILToTensor, ConvertImageDtype, ToPILImage, Normalize, Resize),
        *(CenterCrop, Pad, Lambda, Grayscale, RandomCrop, RandomHorizontalFlip),
        *(RandomVerticalFlip, RandomRotation, RandomAffine, RandomResizedCrop, ColorJitter),
        *(
            RandomPerspective,
            RandomAutocontrast,
            RandomGrayscale,
            RandomErasing,
            GaussianBlur,
            RandomApply,
            RandomChoice,
            RandomOrder,
        ),
        InterpolationMode,
    ),
    "Scale": Resize,
    "RandomSizedCrop": RandomResizedCrop,
}
NEWER = {**CLASSES, "ToImage": PILToTensor, "ToDtype": ToDtype}
