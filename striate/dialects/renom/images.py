"""ReNom's changes of images, `renom.utility.image.data_augmentation`: arrays (N, H, W, C)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import caller
from ..resampling import along, scaling
from ..table import DialectError

Images = NDArray[Any]
MOST = 255.0
VGG = np.array([123.68, 116.779, 103.939], np.float32)


def _random() -> Any:
    """Return the generator that `set_renom_seed` and `np.random.seed` of a script seed."""
    return np.random


class Image:
    """A change of images; `transform` takes one (H, W, C) or several, and gives several."""

    def transform(self, x: Any, random: bool = False, labels: Any = None, num_class: int = 0,
                  **words: Any) -> Images:  # fmt: skip
        """Return changed images. Raises: DialectError for labels, which are boxes."""
        if labels is not None:
            raise DialectError(
                f"ReNom 2.7 {type(self).__name__}",
                "boxes are not changed here: there are no detectors",
                got="labels",
                need="images alone",
                fix="transform(x, random=True), which leaves the classes of images as they are",
                at=caller(),
            )
        array = np.asarray(x)
        return self.changed(array[None].copy() if array.ndim == 3 else array.copy(), random)

    def changed(self, x: Images, random: bool) -> Images:
        """Return the images (N, H, W, C), changed."""
        raise TypeError(f"{type(self).__name__} does not define changed")


class Flip(Image):
    """1 left to right, 2 upside down, 3 both; by `random`, half of the images."""

    def __init__(self, flip: int) -> None:
        self.flip = flip

    def changed(self, x: Images, random: bool) -> Images:
        """Return the images, turned."""
        count = len(x)
        which = _random().choice(count, -(-count // 2), replace=False) if random else slice(None)
        axes = {1: (2,), 2: (1,), 3: (1, 2)}.get(self.flip, ())
        x[which] = np.flip(x[which], axes)
        return x


class Crop(Image):
    """A part of a size, from a place (row, column) on, or anywhere by `random`."""

    def __init__(self, left_top: Sequence[int] = (0, 0), size: Sequence[int] = (0, 0)) -> None:
        self.left_top, self.size = left_top, size

    def changed(self, x: Images, random: bool) -> Images:
        """Return the parts."""
        rows, columns = self.size
        most = x.shape[1] - rows, x.shape[2] - columns
        if 0 in self.size or self.left_top[0] > most[0] or self.left_top[1] > most[1]:
            raise DialectError(
                "ReNom 2.7 Crop",
                "the part does not lie in the image",
                got=f"left_top={tuple(self.left_top)}, size={tuple(self.size)}",
                need=f"a part of {x.shape[1]} rows and {x.shape[2]} columns",
                at=caller(),
            )
        begins = [self.left_top] * len(x)
        if random:
            begins = [[_random().randint(0, max(n, 1)) for n in most] for _ in x]
        return np.stack([one[r : r + rows, c : c + columns]
                         for one, (r, c) in zip(x, begins, strict=True)])  # fmt: skip


class Resize(Image):
    """Images at a size (rows, columns), linearly between their cells."""

    def __init__(self, size: Sequence[int] = (0, 0)) -> None:
        self.size = size

    def changed(self, x: Images, random: bool) -> Images:
        """Return the images at the size."""
        rows, columns = (
            scaling(old, new) for old, new in zip(x.shape[1:3], self.size, strict=True)
        )
        return np.stack([along(one, rows, columns) for one in x]).astype(x.dtype)


class Zoom(Image):
    """A part that is `zoom_rate` times smaller, at the size of the image."""

    def __init__(self, zoom_rate: Any = (1, 1)) -> None:
        self.zoom_rate = zoom_rate

    def changed(self, x: Images, random: bool) -> Images:
        """Return larger views."""
        low, high = self.zoom_rate if isinstance(self.zoom_rate, tuple) else (1.0, self.zoom_rate)
        made = []
        for one in x:
            rate = _random().uniform(low, high) if random else high
            size = int(x.shape[1] / rate), int(x.shape[2] / rate)
            part = Crop(size=size).changed(one[None], random)
            made.append(Resize(x.shape[1:3]).changed(part, False)[0])
        return np.stack(made)


class Rescale(Image):
    """To [0, 1]; "zero" to [-0.5, 0.5]; "vgg" minus its means; a list to [low, high]."""

    def __init__(self, option: Any = "") -> None:
        self.option = option

    def changed(self, x: Images, random: bool) -> Images:
        """Return the values in their new range."""
        made: Images = x / MOST
        if isinstance(self.option, list):
            low, high = self.option
            made = made * (high - low) + low
        elif self.option == "zero":
            made = made - 0.5
        return x - VGG if self.option == "vgg" else made


class Moved(Image):
    """Images whose cells come from other places, the nearest ones, or from `fill_val`."""

    fill_mode: str
    fill_val: float

    def places(self, rows: Images, columns: Images, share: float, size: Sequence[int]) -> Any:
        """Return from where each cell comes."""
        raise TypeError(f"{type(self).__name__} does not define places")

    def changed(self, x: Images, random: bool) -> Images:
        """Return the images, moved."""
        shares = _random().uniform(-1, 1, len(x)) if random else np.ones(len(x))
        size = x.shape[1:3]
        out = np.empty_like(x)
        for at, share in enumerate(shares):
            rows, columns = (np.asarray(one) for one in np.indices(size))
            found = self.places(rows, columns, float(share), size)
            near = [np.floor(one + 0.5).astype(int) for one in found]
            kept = [one.clip(0, most - 1) for one, most in zip(near, size, strict=True)]
            out[at] = x[at][kept[0], kept[1]]
            if self.fill_mode == "constant":
                outside = (near[0] != kept[0]) | (near[1] != kept[1])
                out[at][outside] = self.fill_val
        return out


class Shift(Moved):
    """Moved by (rows, columns); by `random`, by a share of them in either direction."""

    def __init__(self, shift: Sequence[int], fill_mode: str = "constant", fill_val: float = 0):
        self.shift, self.fill_mode, self.fill_val = shift, fill_mode, fill_val

    def places(self, rows: Images, columns: Images, share: float, size: Sequence[int]) -> Any:
        """Return from where each cell comes."""
        return rows - int(self.shift[0] * share), columns - int(self.shift[1] * share)


class Rotate(Moved):
    """Turned around the middle by degrees; by `random`, by a share of them."""

    def __init__(self, degree: float, fill_mode: str = "constant", fill_val: float = 0) -> None:
        self.degree, self.fill_mode, self.fill_val = degree, fill_mode, fill_val

    def places(self, rows: Images, columns: Images, share: float, size: Sequence[int]) -> Any:
        """Return from where each cell comes."""
        angle = share * np.pi * self.degree / 180
        cos, sin = np.cos(angle), np.sin(angle)
        r, c = rows - size[0] // 2, columns - size[1] // 2
        return cos * r - sin * c + size[0] // 2, sin * r + cos * c + size[1] // 2


class ColorJitter(Image):
    """Hue, saturation and value times a number; by `random`, one that is drawn."""

    def __init__(self, h: Any = None, s: Any = None, v: Any = None) -> None:
        self.factors = h, s, v

    def changed(self, x: Images, random: bool) -> Images:
        """Return the images in other colours; grey ones as they are."""
        return np.stack([self._one(one, random) for one in x]) if x.shape[-1] == 3 else x

    def _one(self, image: Images, random: bool) -> Images:
        hsv = _to_hsv(image.astype(np.float64) / MOST)
        for channel, factor in enumerate(self.factors):
            if factor and random:
                low, high = factor if isinstance(factor, tuple) else (1.0, factor)
                factor = _random().uniform(low, high)
            if factor:
                hsv[..., channel] = (hsv[..., channel] * factor).clip(max=1.0)
        return (_to_rgb(hsv) * MOST).astype(image.dtype)


def _to_hsv(rgb: Images) -> Images:
    most, span = rgb.max(-1), np.ptp(rgb, axis=-1)
    safe = np.where(span == 0, 1, span)
    red, green, blue = np.moveaxis(rgb, -1, 0)
    hue = np.select([most == red, most == green],
                    [(green - blue) / safe % 6, (blue - red) / safe + 2],
                    (red - green) / safe + 4) / 6  # fmt: skip
    saturation = span / np.where(most == 0, 1, most)
    return np.stack([np.where(span == 0, 0, hue), saturation, most], -1)


def _to_rgb(hsv: Images) -> Images:
    hue, saturation, value = np.moveaxis(hsv, -1, 0)

    def channel(offset: int) -> Images:
        k = (offset + hue * 6) % 6
        made: Images = value - value * saturation * np.minimum(k, 4 - k).clip(0, 1)
        return made

    return np.stack([channel(5), channel(3), channel(1)], -1)


class DataAugmentation(Image):
    """Changes one after the other: `create` applies them."""

    def __init__(self, converter_list: Sequence[Image], random: bool = False) -> None:
        self.converter_list, self.random = converter_list, random

    def create(self, x: Any, labels: Any = None, num_class: int = 0) -> Images:
        """Return the changed images, as float32."""
        return self.transform(np.asarray(x, np.float32), self.random, labels, num_class)

    def changed(self, x: Images, random: bool) -> Images:
        """Return what the last change gives."""
        for converter in self.converter_list:
            x = converter.transform(x, random=random)
        return x


def _function(kind: Any) -> Callable[..., Images]:
    def act(x: Any, *args: Any, random: bool = False, labels: Any = None, num_class: int = 0,
            **words: Any) -> Images:  # fmt: skip
        changed: Images = kind(*args, **words).transform(x, random, labels, num_class)
        return changed

    return act


CHANGES: dict[str, Any] = {
    "flip": Flip, "crop": Crop, "resize": Resize, "zoom": Zoom, "rescale": Rescale,
    "shift": Shift, "rotate": Rotate, "color_jitter": ColorJitter,
}  # fmt: skip
NAMES: dict[str, Any] = {
    "Image": Image, "DataAugmentation": DataAugmentation,
    **{kind.__name__: kind for kind in CHANGES.values()}, "Color_jitter": ColorJitter,
    **{name: _function(kind) for name, kind in CHANGES.items()},
}  # fmt: skip
