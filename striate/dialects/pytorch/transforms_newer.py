"""What the second version of torchvision's transforms has and the first has not."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from . import functional as f, functional_colours as c
from .parameters import between, drawn
from .transforms import Transform


class RGB(Transform):
    """An image of three channels."""

    images_only = True

    def forward(self, img: Any) -> Any:
        """Return the image."""
        if isinstance(img, Tensor):
            return img if img.shape[-3] == 3 else c.to_grayscale(img, 3)
        return img.convert("RGB")


class RandomChannelPermutation(Transform):
    """The channels in another order."""

    images_only = True

    def forward(self, img: Any) -> Any:
        """Return the image."""
        tensor = img if isinstance(img, Tensor) else f.pil_to_tensor(img)
        out = tensor[..., torch.randperm(tensor.shape[-3]), :, :]
        return out if isinstance(img, Tensor) else f.to_pil_image(out)


class GaussianNoise(Transform):
    """Noise added to an image, measured in its range from 0 to 1."""

    images_only = True

    def __init__(self, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> None:
        self.mean, self.sigma, self.clip = mean, sigma, clip

    def forward(self, img: Tensor) -> Tensor:
        """Return the image."""
        x = img if img.is_floating_point() else img.float() / 255
        out = x + self.mean + torch.randn_like(x) * self.sigma
        out = out.clamp(0, 1) if self.clip else out
        return out if img.is_floating_point() else (out * 255).round().to(img.dtype)


class RandomPhotometricDistort(Transform):
    """Brightness, contrast, saturation, hue and the order of channels, each with a probability."""

    images_only = True

    def __init__(
        self,
        brightness: Any = (0.875, 1.125),
        contrast: Any = (0.5, 1.5),
        saturation: Any = (0.5, 1.5),
        hue: Any = (-0.05, 0.05),
        p: float = 0.5,
    ) -> None:
        self.brightness, self.contrast, self.saturation = brightness, contrast, saturation
        self.hue, self.p = hue, p

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        early = drawn() < 0.5
        steps = [
            (c.adjust_brightness, self.brightness),
            *([(c.adjust_contrast, self.contrast)] if early else []),
            (c.adjust_saturation, self.saturation),
            (c.adjust_hue, self.hue),
            *([] if early else [(c.adjust_contrast, self.contrast)]),
        ]
        for change, limits in steps:
            if drawn() < self.p:
                img = change(img, between(*limits))
        return RandomChannelPermutation()(img) if drawn() < self.p else img


class RandomZoomOut(Transform):
    """A larger canvas with the image somewhere on it, with a probability."""

    def __init__(self, fill: Any = 0, side_range: Any = (1.0, 4.0), p: float = 0.5) -> None:
        self.fill, self.side_range, self.p = fill, side_range, p

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        if drawn() >= self.p:
            return img
        rows, columns = f.size_of(img)
        factor = between(*self.side_range)
        height, width = int(rows * factor), int(columns * factor)
        top, left = int((height - rows) * drawn()), int((width - columns) * drawn())
        border = [left, top, width - left - columns, height - top - rows]
        return f.pad(img, border, self.fill)


class RandomResize(Transform):
    """The smaller side between two sizes."""

    def __init__(self, min_size: int, max_size: int, interpolation: Any = f.BILINEAR,
                 antialias: bool = True) -> None:  # fmt: skip
        self.min_size, self.max_size = min_size, max_size
        self.interpolation, self.antialias = interpolation, antialias

    def forward(self, img: Any) -> Any:
        """Return the image of another size."""
        size = int(torch.randint(self.min_size, self.max_size, (1,)))
        return f.resize(img, size, self.interpolation, antialias=self.antialias)


class RandomShortestSize(Transform):
    """The smaller side one of some sizes, the larger one not over a limit."""

    def __init__(self, min_size: Any, max_size: int | None = None,
                 interpolation: Any = f.BILINEAR, antialias: bool = True) -> None:  # fmt: skip
        self.min_size = [min_size] if isinstance(min_size, int) else list(min_size)
        self.max_size, self.interpolation = max_size, interpolation
        self.antialias = antialias

    def forward(self, img: Any) -> Any:
        """Return the image of another size."""
        rows, columns = f.size_of(img)
        side = self.min_size[int(torch.randint(len(self.min_size), (1,)))]
        factor = side / min(rows, columns)
        if self.max_size is not None:
            factor = min(factor, self.max_size / max(rows, columns))
        new = [int(rows * factor), int(columns * factor)]
        return f.resize(img, new, self.interpolation, antialias=self.antialias)


class JPEG(Transform):
    """An image as a file that loses something gives it back."""

    images_only = True

    def __init__(self, quality: Any) -> None:
        self.quality = quality

    def forward(self, img: Any) -> Any:
        """Return the image."""
        quality = self.quality if isinstance(self.quality, int) else round(between(*self.quality))
        file = io.BytesIO()
        picture = f.to_pil_image(img) if isinstance(img, Tensor) else img
        picture.save(file, "JPEG", quality=quality)
        found = Image.open(file)
        return f.pil_to_tensor(found) if isinstance(img, Tensor) else found


NEWER_CLASSES: Sequence[type] = (
    *(RGB, RandomChannelPermutation, GaussianNoise, RandomPhotometricDistort),
    *(RandomZoomOut, RandomResize, RandomShortestSize, JPEG),
)
