"""torchvision's changes that are drawn, from torch's generator."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from . import parameters
from .functional import (
    BILINEAR,
    NEAREST,
    affine,
    both_sides,
    crop,
    erase,
    hflip,
    pad,
    perspective,
    pil_to_tensor,
    resize,
    rotate,
    size_of,
    to_pil_image,
    vflip,
)
from .functional_colours import (
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_saturation,
    adjust_sharpness,
    autocontrast,
    equalize,
    gaussian_blur,
    invert,
    posterize,
    solarize,
    to_grayscale,
)
from .parameters import between, drawn
from .transforms import Compose, Transform
from .tv_tensors import BoundingBoxes, Mask, wrap


class RandomCrop(Transform):
    """A rectangle of a size, anywhere; with a border first, if it is asked for."""

    get_params = staticmethod(parameters.crop)

    def __init__(self, size: Any, padding: Any = None, pad_if_needed: bool = False, fill: Any = 0,
                 padding_mode: str = "constant") -> None:  # fmt: skip
        self.size, self.padding, self.pad_if_needed = both_sides(size), padding, pad_if_needed
        self.fill, self.padding_mode = fill, padding_mode

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        if self.padding is not None:
            img = pad(img, self.padding, self.fill, self.padding_mode)
        (rows, columns), (height, width) = size_of(img), self.size
        missing = (max(width - columns, 0), max(height - rows, 0))
        if self.pad_if_needed and any(missing):
            img = pad(img, missing, self.fill, self.padding_mode)
        return crop(img, *self.get_params(img, self.size))


class RandomHorizontalFlip(Transform):
    """Left and right exchanged, with a probability."""

    flip = staticmethod(hflip)

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        return self.flip(img) if drawn() < self.p else img


class RandomVerticalFlip(RandomHorizontalFlip):
    """Top and bottom exchanged, with a probability."""

    flip = staticmethod(vflip)


class RandomRotation(Transform):
    """Turned by an angle between limits."""

    get_params = staticmethod(parameters.rotation)

    def __init__(self, degrees: Any, interpolation: Any = NEAREST, expand: bool = False,
                 center: Any = None, fill: Any = 0, resample: Any = None) -> None:  # fmt: skip
        self.degrees = (-degrees, degrees) if isinstance(degrees, (int, float)) else degrees
        self.interpolation = resample or interpolation
        self.expand, self.center, self.fill = expand, center, fill

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        angle = self.get_params(self.degrees)
        return rotate(img, angle, self.interpolation, self.expand, self.center, self.fill)


class RandomAffine(Transform):
    """Turned, moved, scaled and sheared, each between limits."""

    get_params = staticmethod(parameters.affine)

    def __init__(self, degrees: Any, translate: Any = None, scale: Any = None, shear: Any = None,
                 interpolation: Any = NEAREST, fill: Any = 0, center: Any = None,
                 resample: Any = None, fillcolor: Any = None) -> None:  # fmt: skip
        self.degrees = (-degrees, degrees) if isinstance(degrees, (int, float)) else degrees
        self.shear = (-shear, shear) if isinstance(shear, (int, float)) else shear
        self.translate, self.scale, self.center = translate, scale, center
        self.interpolation, self.fill = resample or interpolation, fillcolor or fill

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        size = [*size_of(img)][::-1]
        angle, move, scale, lean = self.get_params(
            self.degrees, self.translate, self.scale, self.shear, size
        )
        return affine(img, angle, move, scale, lean, self.interpolation, self.fill, self.center)


class RandomPerspective(Transform):
    """Seen aslant, with a probability: each corner moves inside by a share of half a side."""

    get_params = staticmethod(parameters.perspective)

    def __init__(self, distortion_scale: float = 0.5, p: float = 0.5,
                 interpolation: Any = BILINEAR, fill: Any = 0) -> None:  # fmt: skip
        self.scale, self.p = distortion_scale, p
        self.interpolation, self.fill = interpolation, fill

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        if drawn() >= self.p:
            return img
        height, width = size_of(img)
        corners, moved = self.get_params(width, height, self.scale)
        return perspective(img, corners, moved, self.interpolation, self.fill)


class RandomAutocontrast(RandomHorizontalFlip):
    """The darkest value black and the lightest white, with a probability."""

    images_only = True

    flip = staticmethod(autocontrast)


class RandomInvert(RandomHorizontalFlip):
    """The negative, with a probability."""

    images_only = True

    flip = staticmethod(invert)


class RandomEqualize(RandomHorizontalFlip):
    """All values about equally often, with a probability."""

    images_only = True

    flip = staticmethod(equalize)


class RandomPosterize(Transform):
    """Fewer bits of each value, with a probability."""

    images_only = True

    change: Callable[[Any, Any], Any] = staticmethod(posterize)

    def __init__(self, bits: Any, p: float = 0.5) -> None:
        self.strength, self.p = bits, p

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        return self.change(img, self.strength) if drawn() < self.p else img


class RandomSolarize(RandomPosterize):
    """The values from a threshold on as in the negative, with a probability."""

    change = staticmethod(solarize)

    def __init__(self, threshold: Any, p: float = 0.5) -> None:
        super().__init__(threshold, p)


class RandomAdjustSharpness(RandomPosterize):
    """Sharper by a factor, with a probability."""

    change = staticmethod(adjust_sharpness)

    def __init__(self, sharpness_factor: Any, p: float = 0.5) -> None:
        super().__init__(sharpness_factor, p)


class ElasticTransform(Transform):
    """Each place moved by a smooth random field: its strength, and the width of the smoothing."""

    def __init__(self, alpha: float = 50.0, sigma: float = 5.0, interpolation: Any = BILINEAR,
                 fill: Any = 0) -> None:  # fmt: skip
        self.alpha, self.sigma, self.interpolation = alpha, sigma, interpolation

    def _field(self, size: int, height: int, width: int) -> Tensor:
        """Return displacements as shares of a side."""
        reach = min(int(8 * self.sigma + 1) // 2, size - 1)
        bell = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / self.sigma) ** 2)
        bell = (bell / bell.sum())[None, None]
        noise = F.pad(torch.rand(1, 1, height, width) * 2 - 1, (reach,) * 4, mode="reflect")
        smooth = F.conv2d(F.conv2d(noise, bell[..., None, :]), bell[..., None])
        return smooth[0, 0] * self.alpha / size

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        if isinstance(img, BoundingBoxes):
            raise TypeError("ElasticTransform has no place where a box would be: leave it out")
        x = img.as_subclass(Tensor) if isinstance(img, Tensor) else pil_to_tensor(img)
        x = x if x.ndim > 2 else x[None]
        height, width = size_of(img)
        least = min(height, width)
        field = torch.stack([self._field(least, height, width) for _ in range(2)], -1)
        still = F.affine_grid(torch.eye(2, 3)[None], [1, 1, height, width], align_corners=False)
        mode = "nearest" if isinstance(img, Mask) else "bilinear"
        grid = still + field[None]
        out = F.grid_sample(x[None].float(), grid, mode, align_corners=False)[0]
        out = wrap(out, like=img).reshape(img.shape) if isinstance(img, Mask) else out
        out = out.round().to(x.dtype) if not x.is_floating_point() else out
        return out if isinstance(img, Tensor) else to_pil_image(out)


class RandomResizedCrop(Transform):
    """A rectangle of any size and shape between limits, in the size that is asked for."""

    get_params = staticmethod(parameters.resized_crop)

    def __init__(self, size: Any, scale: Any = (0.08, 1.0), ratio: Any = (3 / 4, 4 / 3),
                 interpolation: Any = BILINEAR, antialias: Any = True) -> None:  # fmt: skip
        self.size, self.scale, self.ratio = both_sides(size), scale, ratio
        self.interpolation, self.antialias = interpolation, antialias

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        part = crop(img, *self.get_params(img, self.scale, self.ratio))
        return resize(part, self.size, self.interpolation, antialias=self.antialias)


class ColorJitter(Transform):
    """Brightness, contrast, saturation and hue, each changed by a share at most."""

    images_only = True

    get_params = staticmethod(parameters.jitter)

    def __init__(self, brightness: Any = 0, contrast: Any = 0, saturation: Any = 0,
                 hue: Any = 0) -> None:  # fmt: skip
        self.brightness, self.contrast = brightness, contrast
        self.saturation, self.hue = saturation, hue

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        given = (self.brightness, self.contrast, self.saturation, self.hue)
        limits = [_around(*pair) for pair in zip((1.0, 1.0, 1.0, 0.0), given, strict=True)]
        order, *amounts = self.get_params(*limits)
        for at in order.tolist():
            if amounts[at] is not None:
                img = JITTERED[at](img, amounts[at])
        return img


JITTERED = (adjust_brightness, adjust_contrast, adjust_saturation, adjust_hue)


def _around(middle: float, amount: Any) -> tuple[float, float] | None:
    """Return limits on both sides of a value, or those that are given; no factor is below 0."""
    if isinstance(amount, (tuple, list)):
        return amount[0], amount[1]
    low = max(0.0, middle - amount) if middle else -amount
    return (low, middle + amount) if amount else None


class RandomGrayscale(Transform):
    """Grey in as many channels, with a probability."""

    images_only = True

    def __init__(self, p: float = 0.1) -> None:
        self.p = p

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        channels = img.shape[-3] if isinstance(img, Tensor) else len(img.getbands())
        return to_grayscale(img, channels) if channels == 3 and drawn() < self.p else img


class RandomErasing(Transform):
    """A rectangle of a tensor set to a value, with a probability."""

    images_only = True

    get_params = staticmethod(parameters.erasing)

    def __init__(self, p: float = 0.5, scale: Any = (0.02, 0.33), ratio: Any = (0.3, 3.3),
                 value: Any = 0, inplace: bool = False) -> None:  # fmt: skip
        self.p, self.scale, self.ratio, self.value = p, scale, ratio, value
        self.inplace = inplace

    def forward(self, img: Any) -> Any:
        """Return the changed tensor."""
        if drawn() >= self.p:
            return img
        value = None if self.value == "random" else self.value
        top, left, height, width, put = self.get_params(img, self.scale, self.ratio, value)
        return erase(img, top, left, height, width, put, self.inplace)


class GaussianBlur(Transform):
    """A blur whose width is drawn between limits."""

    images_only = True

    get_params = staticmethod(between)

    def __init__(self, kernel_size: Any, sigma: Any = (0.1, 2.0)) -> None:
        self.kernel_size, self.sigma = kernel_size, sigma

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        several = isinstance(self.sigma, (tuple, list))
        width = between(*self.sigma) if several else float(self.sigma)
        return gaussian_blur(img, self.kernel_size, width)


class RandomApply(Transform):
    """All of these changes, with a probability."""

    whole = True

    def __init__(self, transforms: Sequence[Callable[[Any], Any]], p: float = 0.5) -> None:
        self.transforms, self.p = transforms, p

    def forward(self, *img: Any) -> Any:
        """Return the changed image, or sample."""
        unchanged = img if len(img) > 1 else img[0]
        return Compose(self.transforms)(*img) if drawn() < self.p else unchanged


class RandomChoice(Transform):
    """One of these changes, of an image or of a batch."""

    whole = True

    def __init__(self, transforms: Sequence[Callable[..., Any]], p: Any = None) -> None:
        self.transforms, self.p = list(transforms), p

    def forward(self, *img: Any) -> Any:
        """Return what it gives."""
        return random.choices(self.transforms, self.p)[0](*img)


class RandomOrder(RandomChoice):
    """All of these changes, in any order."""

    def forward(self, *img: Any) -> Any:
        """Return the changed image."""
        return Compose(random.sample(self.transforms, len(self.transforms)))(*img)
