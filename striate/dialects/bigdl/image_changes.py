"""BigDL's changes of pictures, `bigdl.transform.vision.image`, in OpenCV's order blue, green, red.

A picture is a matrix (H, W, 3) of bytes until a normalisation makes it floats.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import caller
from ..picture_files import picture
from ..resampling import along, scaling
from ..table import DialectError
from .layouts import Array
from .samples import JTensor, Sample

MOST = 255
MODES = {0: "nearest", 1: "linear", 2: "cubic", 3: "area", 4: "cubic"}  # OpenCV's numbers


def read_picture(source: Any) -> Array:
    """Return the matrix of a picture file, or of its bytes."""
    return np.array(picture(source).convert("RGB"))[..., ::-1].copy()


def resized(mat: Array, height: int, width: int, mode: int = 1) -> Array:
    """Return a matrix in another size."""
    kind = MODES[random.choice(list(MODES)) if mode == -1 else mode]
    values: Array = along(
        mat, scaling(mat.shape[0], height, kind), scaling(mat.shape[1], width, kind)
    )
    if mat.dtype == np.uint8:
        values = np.floor(values + 0.5).clip(0, MOST)
    return values.astype(np.uint8 if mat.dtype == np.uint8 else np.float32)


class FeatureTransformer:
    """A change of pictures: of one, of a frame of them, or after another change."""

    def change(self, mat: Array) -> Array:
        """Return the changed matrix."""
        raise TypeError(f"{type(self).__name__} does not define change")

    def apply(self, feature: Any) -> None:
        """Change a picture, in place."""
        feature.content["mat"] = self.change(feature.mat)

    def transform(self, image_feature: Any, bigdl_type: str = "float") -> Any:
        """Return a picture, changed in place."""
        self.apply(image_feature)
        return image_feature

    def __call__(self, image_frame: Any, bigdl_type: str = "float") -> Any:
        """Return a frame of pictures, changed."""
        return image_frame.transform(self)


class Pipeline(FeatureTransformer):
    """Changes, one after the other."""

    def __init__(self, transformers: Sequence[FeatureTransformer], bigdl_type: str = "float"):
        for one in transformers:
            if not isinstance(one, FeatureTransformer):
                raise DialectError(
                    "BigDL 0.7 Pipeline",
                    "takes changes of pictures alone",
                    got=type(one).__name__,
                    fix="from bigdl.transform.vision.image import *",
                    at=caller(),
                )
        self.transformers = list(transformers)

    def apply(self, feature: Any) -> None:
        """Change a picture, in place."""
        for one in self.transformers:
            one.apply(feature)


class RandomTransformer(FeatureTransformer):
    """A change with a probability."""

    def __init__(self, transformer: FeatureTransformer, prob: float, bigdl_type: str = "float"):
        self.transformer, self.prob = transformer, prob

    def apply(self, feature: Any) -> None:
        """Change a picture, or leave it."""
        if random.random() < self.prob:
            self.transformer.apply(feature)


class HFlip(FeatureTransformer):
    """The picture in a mirror."""

    def __init__(self, bigdl_type: str = "float") -> None: ...

    def change(self, mat: Array) -> Array:
        """Return the changed matrix."""
        return mat[:, ::-1].copy()


class Resize(FeatureTransformer):
    """Another size."""

    def __init__(self, resize_h: int, resize_w: int, resize_mode: int = 1,
                 use_scale_factor: bool = True, bigdl_type: str = "float") -> None:  # fmt: skip
        self.size, self.mode = (resize_h, resize_w), resize_mode

    def change(self, mat: Array) -> Array:
        """Return the changed matrix."""
        return resized(mat, *self.size, self.mode)


class AspectScale(FeatureTransformer):
    """The smaller side in a size, the larger one not over a limit."""

    def __init__(self, min_size: int, scale_multiple_of: int = 1, max_size: int = 1000,
                 resize_mode: int = 1, use_scale_factor: bool = True, min_scale: float = -1.0,
                 bigdl_type: str = "float") -> None:  # fmt: skip
        self.sizes, self.multiple = [min_size], scale_multiple_of
        self.most, self.mode, self.least = max_size, resize_mode, min_scale

    def change(self, mat: Array) -> Array:
        """Return the changed matrix."""
        sides = mat.shape[:2]
        scale = min(random.choice(self.sizes) / min(sides), self.most / max(sides))
        scale = max(scale, self.least)
        each = self.multiple
        new = [int(side * scale) if each == 1 else int(side * scale / each) * each
               for side in sides]  # fmt: skip
        return resized(mat, new[0], new[1], self.mode)


class RandomAspectScale(AspectScale):
    """The smaller side in one of some sizes."""

    def __init__(self, scales: Sequence[int], scale_multiple_of: int = 1, max_size: int = 1000,
                 bigdl_type: str = "float") -> None:  # fmt: skip
        super().__init__(0, scale_multiple_of, max_size)
        self.sizes = list(scales)


class _Crop(FeatureTransformer):
    def __init__(self, crop_width: int, crop_height: int, is_clip: bool = True,
                 bigdl_type: str = "float") -> None:  # fmt: skip
        self.width, self.height = crop_width, crop_height

    def place(self, free: int) -> int:
        """Return where the part begins on an axis with so many cells more than it."""
        return free // 2

    def change(self, mat: Array) -> Array:
        """Return the changed matrix."""
        rows, columns = mat.shape[:2]
        if rows < self.height or columns < self.width:
            raise DialectError(
                f"BigDL 0.7 {type(self).__name__}",
                "the picture is smaller than the part",
                got=f"{rows} x {columns}",
                need=f"at least {self.height} x {self.width}",
                fix="Resize(height, width) before it",
                at=caller(),
            )
        top, left = self.place(rows - self.height), self.place(columns - self.width)
        return mat[top : top + self.height, left : left + self.width].copy()


class CenterCrop(_Crop):
    """The middle, of a width and a height."""


class RandomCrop(_Crop):
    """A part anywhere, of a width and a height."""

    def place(self, free: int) -> int:
        """Return where the part begins."""
        return random.randint(0, free)


class FixedCrop(FeatureTransformer):
    """A part between corners, as shares of the sides or as cells."""

    def __init__(self, x1: float, y1: float, x2: float, y2: float, normalized: bool = True,
                 is_clip: bool = True, bigdl_type: str = "float") -> None:  # fmt: skip
        self.corners, self.normalized = (x1, y1, x2, y2), normalized

    def change(self, mat: Array) -> Array:
        """Return the changed matrix."""
        left, top, right, bottom = _cells(mat, self.corners, self.normalized)
        return mat[top:bottom, left:right].copy()


def _cells(mat: Array, corners: Sequence[float], normalized: bool) -> list[int]:
    height, width = mat.shape[:2]
    sides = (width, height, width, height)
    places = [at * side if normalized else at for at, side in zip(corners, sides, strict=True)]
    return [min(max(int(at), 0), side) for at, side in zip(places, sides, strict=True)]


class RandomCropper(FeatureTransformer):
    """A part of a size, anywhere or in the middle, and turned left to right half of the time."""

    def __init__(self, crop_w: int, crop_h: int, mirror: bool, cropper_method: str = "Random",
                 channels: int = 3, bigdl_type: str = "float") -> None:  # fmt: skip
        kind: Any = RandomCrop if str(cropper_method).lower() == "random" else CenterCrop
        self.crop, self.mirror = kind(crop_w, crop_h), mirror

    def change(self, mat: Array) -> Array:
        """Return the changed matrix."""
        cut: Array = self.crop.change(mat)
        return cut[:, ::-1].copy() if self.mirror and random.getrandbits(1) else cut


class RandomAlterAspect(FeatureTransformer):
    """A part of a drawn area and shape, at a size of `crop_length` on both sides."""

    def __init__(self, min_area_ratio: float, max_area_ratio: float,
                 min_aspect_ratio_change: float, interp_mode: str, crop_length: int,
                 bigdl_type: str = "float") -> None:  # fmt: skip
        self.areas, self.least = (min_area_ratio, max_area_ratio), min_aspect_ratio_change
        self.resized = Resize(crop_length, crop_length)

    def change(self, mat: Array) -> Array:
        """Return the changed matrix."""
        rows, columns = mat.shape[:2]
        area = random.uniform(*self.areas) * rows * columns
        aspect = random.uniform(self.least, 1 / self.least)
        height = min(max(int((area / aspect) ** 0.5), 1), rows)
        width = min(max(int((area * aspect) ** 0.5), 1), columns)
        top, left = random.randint(0, rows - height), random.randint(0, columns - width)
        out: Array = self.resized.change(mat[top : top + height, left : left + width])
        return out


class RandomResize(FeatureTransformer):
    """The shorter side at a length that is drawn, the other one in proportion."""

    def __init__(self, min_size: int, max_size: int, bigdl_type: str = "float") -> None:
        self.limits = min_size, max_size

    def change(self, mat: Array) -> Array:
        """Return the changed matrix."""
        rows, columns = mat.shape[:2]
        share = random.randint(*self.limits) / min(rows, columns)
        out: Array = Resize(round(rows * share), round(columns * share)).change(mat)
        return out


class Filler(FeatureTransformer):
    """A part, between shares of the sides, in one value."""

    def __init__(self, start_x: float, start_y: float, end_x: float, end_y: float,
                 value: int = 255, bigdl_type: str = "float") -> None:  # fmt: skip
        self.corners, self.value = (start_x, start_y, end_x, end_y), value

    def change(self, mat: Array) -> Array:
        """Return the changed matrix."""
        left, top, right, bottom = _cells(mat, self.corners, True)
        out = mat.copy()
        out[top:bottom, left:right] = self.value
        return out


class Expand(FeatureTransformer):
    """A larger canvas in a colour, with the picture somewhere on it."""

    def __init__(self, means_r: int = 123, means_g: int = 117, means_b: int = 104,
                 min_expand_ratio: float = 1.0, max_expand_ratio: float = 4.0,
                 bigdl_type: str = "float") -> None:  # fmt: skip
        self.colour, self.ratios = (means_b, means_g, means_r), (min_expand_ratio, max_expand_ratio)

    def change(self, mat: Array) -> Array:
        """Return the changed matrix."""
        ratio = random.uniform(*self.ratios)
        rows, columns = mat.shape[:2]
        return _on_canvas(mat, int(rows * ratio), int(columns * ratio), self.colour, random.random)


class FixExpand(FeatureTransformer):
    """A canvas of a size, with the picture in its middle."""

    def __init__(self, expand_height: int, expand_width: int, bigdl_type: str = "float") -> None:
        self.size = expand_height, expand_width

    def change(self, mat: Array) -> Array:
        """Return the changed matrix."""
        return _on_canvas(mat, *self.size, (0, 0, 0), lambda: 0.5)


def _on_canvas(mat: Array, height: int, width: int, colour: Any, part: Any) -> Array:
    out = np.empty((height, width, 3), mat.dtype)
    out[:] = colour
    top, left = int((height - mat.shape[0]) * part()), int((width - mat.shape[1]) * part())
    out[top : top + mat.shape[0], left : left + mat.shape[1]] = mat
    return out


class BytesToMat(FeatureTransformer):
    """The matrix of a picture file's bytes."""

    def __init__(self, byte_key: str = "bytes", bigdl_type: str = "float") -> None:
        self.key = byte_key

    def apply(self, feature: Any) -> None:
        """Read a picture."""
        feature.content["mat"] = read_picture(bytes(feature.content[self.key]))


class MatToFloats(FeatureTransformer):
    """The values as floats, under a key."""

    def __init__(self, valid_height: int = 300, valid_width: int = 300, valid_channel: int = 300,
                 out_key: str = "floats", share_buffer: bool = True,
                 bigdl_type: str = "float") -> None:  # fmt: skip
        self.key = out_key

    def apply(self, feature: Any) -> None:
        """Put the values there."""
        feature.content[self.key] = feature.mat.astype(np.float32)


class MatToTensor(FeatureTransformer):
    """The values (C, H, W) as floats, under a key; blue first, or red."""

    def __init__(self, to_rgb: bool = False, tensor_key: str = "imageTensor",
                 bigdl_type: str = "float") -> None:  # fmt: skip
        self.to_rgb, self.key = to_rgb, tensor_key

    def apply(self, feature: Any) -> None:
        """Put the values there."""
        mat = feature.mat[..., ::-1] if self.to_rgb else feature.mat
        feature.content[self.key] = np.ascontiguousarray(mat.transpose(2, 0, 1), np.float32)


class ImageFrameToSample(FeatureTransformer):
    """A sample of what is under some keys; without labels where there are no targets."""

    def __init__(self, input_keys: Sequence[str] = ("imageTensor",),
                 target_keys: Sequence[str] | None = None, sample_key: str = "sample",
                 bigdl_type: str = "float") -> None:  # fmt: skip
        self.inputs, self.targets, self.key = input_keys, target_keys or (), sample_key

    def apply(self, feature: Any) -> None:
        """Make the sample."""
        parts = [[JTensor.from_ndarray(feature.value(key)) for key in keys]
                 for keys in (self.inputs, self.targets)]  # fmt: skip
        feature.content[self.key] = Sample(*parts)  # type: ignore[arg-type]


NAMES: dict[str, Any] = {
    one.__name__: one
    for one in (
        *(FeatureTransformer, Pipeline, RandomTransformer, HFlip, Resize, AspectScale, CenterCrop),
        *(RandomCropper, RandomAlterAspect, RandomResize, RandomAspectScale, RandomCrop, FixedCrop),
        *(Filler, Expand, FixExpand),
        *(BytesToMat, MatToFloats, MatToTensor, ImageFrameToSample),
    )
}
