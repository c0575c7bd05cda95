"""torchvision's changes that are drawn from a table of operations: RandAugment and its kin."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .functional import BILINEAR, NEAREST, affine, rotate, size_of
from .functional_colours import (
    adjust_brightness,
    adjust_contrast,
    adjust_saturation,
    adjust_sharpness,
    autocontrast,
    equalize,
    invert,
    posterize,
    solarize,
)
from .parameters import drawn
from .transforms import Transform

Space = Mapping[
    str, tuple[Tensor, bool]
]  # by operation: its strengths, and whether signs are drawn


def _degrees(lean: float) -> float:
    return math.degrees(math.atan(lean))


# an image, a strength, the interpolation, the fill
OPERATIONS: dict[str, Callable[[Any, float, Any, Any], Any]] = {
    "Identity": lambda img, m, how, fill: img,
    "ShearX": lambda img, m, how, fill: affine(img, 0, (0, 0), 1.0, (_degrees(m), 0.0), how, fill),
    "ShearY": lambda img, m, how, fill: affine(img, 0, (0, 0), 1.0, (0.0, _degrees(m)), how, fill),
    "TranslateX": lambda img, m, how, fill: affine(img, 0, (int(m), 0), 1.0, 0.0, how, fill),
    "TranslateY": lambda img, m, how, fill: affine(img, 0, (0, int(m)), 1.0, 0.0, how, fill),
    "Rotate": lambda img, m, how, fill: rotate(img, m, how, False, None, fill),
    "Brightness": lambda img, m, how, fill: adjust_brightness(img, 1 + m),
    "Color": lambda img, m, how, fill: adjust_saturation(img, 1 + m),
    "Contrast": lambda img, m, how, fill: adjust_contrast(img, 1 + m),
    "Sharpness": lambda img, m, how, fill: adjust_sharpness(img, 1 + m),
    "Posterize": lambda img, m, how, fill: posterize(img, int(m)),
    "Solarize": lambda img, m, how, fill: solarize(img, m),
    "AutoContrast": lambda img, m, how, fill: autocontrast(img),
    "Equalize": lambda img, m, how, fill: equalize(img),
    "Invert": lambda img, m, how, fill: invert(img),
}


def space(bins: int, size: tuple[int, int]) -> dict[str, tuple[Tensor, bool]]:
    """Return the strengths of RandAugment and AutoAugment for images of (height, width)."""

    def to(most: float) -> Tensor:
        return torch.linspace(0.0, most, bins)

    kept = 8 - (torch.arange(bins) / ((bins - 1) / 4)).round()
    none = torch.zeros(bins)
    return {
        "Identity": (none, False), "ShearX": (to(0.3), True), "ShearY": (to(0.3), True),
        "TranslateX": (to(150 / 331 * size[1]), True),
        "TranslateY": (to(150 / 331 * size[0]), True), "Rotate": (to(30.0), True),
        **{name: (to(0.9), True) for name in ("Brightness", "Color", "Contrast", "Sharpness")},
        "Posterize": (kept, False), "Solarize": (255 - to(255.0), False),
        "AutoContrast": (none, False), "Equalize": (none, False),
    }  # fmt: skip


def wide(bins: int) -> dict[str, tuple[Tensor, bool]]:
    """Return the strengths of TrivialAugment, which reach further."""

    def to(most: float) -> Tensor:
        return torch.linspace(0.0, most, bins)

    kept = 8 - (torch.arange(bins) / ((bins - 1) / 6)).round()
    changed = {"ShearX": 0.99, "ShearY": 0.99, "TranslateX": 32.0, "TranslateY": 32.0,
               "Rotate": 135.0, "Brightness": 0.99, "Color": 0.99, "Contrast": 0.99,
               "Sharpness": 0.99}  # fmt: skip
    found = space(bins, (1, 1)) | {name: (to(most), True) for name, most in changed.items()}
    return {**found, "Posterize": (kept, False)}


def _index(size: int) -> int:
    return int(torch.randint(size, (1,)))


def _strength(table: Space, name: str, place: int) -> float:
    strengths, signed = table.get(name, (torch.zeros(place + 1), False))
    return float(strengths[place]) * (-1 if signed and _index(2) else 1)


class Drawn(Transform):
    """Operations that are drawn from a table."""

    images_only = True

    def __init__(self, interpolation: Any = NEAREST, fill: Any = None) -> None:
        self.interpolation, self.fill = interpolation, fill or 0

    def applied(self, img: Any, name: str, strength: float) -> Any:
        """Return the image after one operation."""
        return OPERATIONS[name](img, strength, self.interpolation, self.fill)


class RandAugment(Drawn):
    """`num_ops` operations of one strength. Source: Cubuk et al., RandAugment, 2019."""

    def __init__(self, num_ops: int = 2, magnitude: int = 9, num_magnitude_bins: int = 31,
                 interpolation: Any = NEAREST, fill: Any = None) -> None:  # fmt: skip
        super().__init__(interpolation, fill)
        self.num_ops, self.magnitude, self.bins = num_ops, magnitude, num_magnitude_bins

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        table = space(self.bins, size_of(img))
        for _ in range(self.num_ops):
            name = list(table)[_index(len(table))]
            img = self.applied(img, name, _strength(table, name, self.magnitude))
        return img


class TrivialAugmentWide(Drawn):
    """One operation of any strength. Source: Mueller and Hutter, TrivialAugment, 2021."""

    def __init__(self, num_magnitude_bins: int = 31, interpolation: Any = NEAREST,
                 fill: Any = None) -> None:  # fmt: skip
        super().__init__(interpolation, fill)
        self.bins = num_magnitude_bins

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        table = wide(self.bins)
        name = list(table)[_index(len(table))]
        return self.applied(img, name, _strength(table, name, _index(self.bins)))


class AutoAugmentPolicy:
    """Words for what a policy was learnt on."""

    IMAGENET, CIFAR10, SVHN = "imagenet", "cifar10", "svhn"


POLICIES = {  # pairs: operation, probability, strength; source: Cubuk et al., AutoAugment, 2018
    "imagenet": """
        Posterize .4 8 Rotate .6 9; Solarize .6 5 AutoContrast .6 0; Equalize .8 0 Equalize .6 0;
        Posterize .6 7 Posterize .6 6; Equalize .4 0 Solarize .2 4; Equalize .4 0 Rotate .8 8;
        Solarize .6 3 Equalize .6 0; Posterize .8 5 Equalize 1 0; Rotate .2 3 Solarize .6 8;
        Equalize .6 0 Posterize .4 6; Rotate .8 8 Color .4 0; Rotate .4 9 Equalize .6 0;
        Equalize 0 0 Equalize .8 0; Invert .6 0 Equalize 1 0; Color .6 4 Contrast 1 8;
        Rotate .8 8 Color 1 2; Color .8 8 Solarize .8 7; Sharpness .4 7 Invert .6 0;
        ShearX .6 5 Equalize 1 0; Color .4 0 Equalize .6 0; Equalize .4 0 Solarize .2 4;
        Solarize .6 5 AutoContrast .6 0; Invert .6 0 Equalize 1 0; Color .6 4 Contrast 1 8;
        Equalize .8 0 Equalize .6 0""",
    "cifar10": """
        Invert .1 0 Contrast .2 6; Rotate .7 2 TranslateX .3 9; Sharpness .8 1 Sharpness .9 3;
        ShearY .5 8 TranslateY .7 9; AutoContrast .5 0 Equalize .9 0; ShearY .2 7 Posterize .3 7;
        Color .4 3 Brightness .6 7; Sharpness .3 9 Brightness .7 9; Equalize .6 0 Equalize .5 0;
        Contrast .6 7 Sharpness .6 5; Color .7 7 TranslateX .5 8; Equalize .3 0 AutoContrast .4 0;
        TranslateY .4 3 Sharpness .2 6; Brightness .9 6 Color .2 8; Solarize .5 2 Invert 0 0;
        Equalize .2 0 AutoContrast .6 0; Equalize .2 0 Equalize .6 0; Color .9 9 Equalize .6 0;
        AutoContrast .8 0 Solarize .2 8; Brightness .1 3 Color .7 0;
        Solarize .4 5 AutoContrast .9 0;
        TranslateY .9 9 TranslateY .7 9; AutoContrast .9 0 Solarize .8 3; Equalize .8 0 Invert .1 0;
        TranslateY .7 9 AutoContrast .9 0""",
    "svhn": """
        ShearX .9 4 Invert .2 0; ShearY .9 8 Invert .7 0; Equalize .6 0 Solarize .6 6;
        Invert .9 0 Equalize .6 0; Equalize .6 0 Rotate .9 3; ShearX .9 4 AutoContrast .8 0;
        ShearY .9 8 Invert .4 0; ShearY .9 5 Solarize .2 6; Invert .9 0 AutoContrast .8 0;
        Equalize .6 0 Rotate .9 3; ShearX .9 4 Solarize .3 3; ShearY .8 8 Invert .7 0;
        Equalize .9 0 TranslateY .6 6; Invert .9 0 Equalize .6 0; Contrast .3 3 Rotate .8 4;
        Invert .8 0 TranslateY 0 2; ShearY .7 6 Solarize .4 8; Invert .6 0 Rotate .8 4;
        ShearY .3 7 TranslateX .9 3; ShearX .1 6 Invert .6 0; Solarize .7 2 TranslateY .6 7;
        ShearY .8 4 Invert .8 0; ShearX .7 9 TranslateY .8 3; ShearY .8 5 AutoContrast .7 0;
        ShearX .7 2 Invert .1 0""",
}


class AutoAugment(Drawn):
    """One pair of operations of a policy, each with its probability."""

    def __init__(self, policy: str = AutoAugmentPolicy.IMAGENET, interpolation: Any = NEAREST,
                 fill: Any = None) -> None:  # fmt: skip
        super().__init__(interpolation, fill)
        self.policy = policy

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        pairs = POLICIES[self.policy].split(";")
        words = pairs[_index(len(pairs))].split()
        table = space(10, size_of(img))
        for name, chance, place in zip(words[::3], words[1::3], words[2::3], strict=True):
            strength = _strength(table, name, int(place))
            if drawn() <= float(chance):
                img = self.applied(img, name, strength)
        return img


class AugMix(Drawn):
    """A mixture of chains of operations and of the image.

    Source: Hendrycks et al., AugMix, 2020.
    """

    def __init__(self, severity: int = 3, mixture_width: int = 3, chain_depth: int = -1,
                 alpha: float = 1.0, all_ops: bool = True, interpolation: Any = BILINEAR,
                 fill: Any = None) -> None:  # fmt: skip
        super().__init__(interpolation, fill)
        self.severity, self.width, self.depth = severity, mixture_width, chain_depth
        self.alpha = alpha
        colours = ("Brightness", "Color", "Contrast", "Sharpness", "Identity")
        left_out = ("Identity",) if all_ops else colours
        self.names = [name for name in space(2, (1, 1)) if name not in left_out]

    def _chain(self, img: Any, table: Space) -> Any:
        for _ in range(self.depth if self.depth > 0 else 1 + _index(3)):
            name = self.names[_index(len(self.names))]
            img = self.applied(img, name, _strength(table, name, _index(self.severity)))
        return img

    def forward(self, img: Any) -> Any:
        """Return the mixture."""
        table = space(10, size_of(img))
        even = torch.full((self.width,), self.alpha)
        shares = torch.distributions.Dirichlet(even).sample()
        own = float(torch.distributions.Beta(self.alpha, self.alpha).sample())
        chains = [self._chain(img, table) for _ in range(self.width)]
        if isinstance(img, Tensor):
            mixed = sum(float(s) * one.float() for s, one in zip(shares, chains, strict=True))
            return (own * img.float() + (1 - own) * mixed).to(img.dtype)
        total = own * np.asarray(img, np.float32)
        for share, one in zip(shares.tolist(), chains, strict=True):
            total = total + (1 - own) * share * np.asarray(one, np.float32)
        return Image.fromarray(total.round().astype(np.uint8))


class Mixed(Transform):
    """Pairs of a batch made one: images, and labels as shares of classes."""

    whole = True

    def __init__(self, *, alpha: float = 1.0, num_classes: int | None = None, **words: Any) -> None:
        self.alpha, self.num_classes = alpha, num_classes

    def mix(self, x: Tensor, other: Tensor, share: float) -> tuple[Tensor, float]:
        """Return the mixed images, and the share of the first ones that is left."""
        raise TypeError(f"{type(self).__name__} does not define mix")

    def forward(self, *inputs: Any) -> Any:
        """Return images and labels of a batch, mixed with those of the sample before."""
        x, labels = inputs if len(inputs) > 1 else inputs[0]
        share = float(torch.distributions.Beta(self.alpha, self.alpha).sample())
        images, kept = self.mix(x, x.roll(1, 0), share)
        shares = labels
        if not labels.is_floating_point():
            shares = torch.nn.functional.one_hot(labels, self.num_classes or -1).float()
        return images, shares * kept + shares.roll(1, 0) * (1 - kept)


class MixUp(Mixed):
    """The weighted sum. Source: Zhang et al., mixup, 2017."""

    def mix(self, x: Tensor, other: Tensor, share: float) -> tuple[Tensor, float]:
        """Add them."""
        return x * share + other * (1 - share), share


class CutMix(Mixed):
    """A rectangle of the other image in each. Source: Yun et al., CutMix, 2019."""

    def mix(self, x: Tensor, other: Tensor, share: float) -> tuple[Tensor, float]:
        """Put it in."""
        height, width = size_of(x)
        half = 0.5 * math.sqrt(1 - share)
        row, column = _index(height), _index(width)
        top, left = max(row - int(half * height), 0), max(column - int(half * width), 0)
        bottom = min(row + int(half * height), height)
        right = min(column + int(half * width), width)
        out = x.clone()
        out[..., top:bottom, left:right] = other[..., top:bottom, left:right]
        return out, 1 - (bottom - top) * (right - left) / (height * width)


POLICY_CLASSES: Sequence[type] = (
    RandAugment, TrivialAugmentWide, AutoAugment, AutoAugmentPolicy, AugMix,
)  # fmt: skip
NEWER_CLASSES: Sequence[type] = (MixUp, CutMix)
