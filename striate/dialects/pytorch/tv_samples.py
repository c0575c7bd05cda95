"""The second version's transforms of samples: an image with its masks, boxes and labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from PIL import Image as Pillow
from torch import Tensor
from torch.utils import _pytree as tree

from . import functional as f
from .boxes import box_iou
from .functional_names import to_dtype
from .parameters import between, drawn
from .transforms import Transform
from .tv_geometry import corners, of_corners, within
from .tv_parts import placed
from .tv_tensors import BoundingBoxes, BoundingBoxFormat, Image, Mask, TVTensor, wrap


def boxes_of(leaves: list[Any], needed_by: str) -> BoundingBoxes:
    """Return the boxes of a sample."""
    found = next((one for one in leaves if isinstance(one, BoundingBoxes)), None)
    if found is None:
        raise TypeError(f"{needed_by}() needs a sample with tv_tensors.BoundingBoxes")
    return found


class OwnTransform(Transform):
    """What a script's class stands on: `make_params` for a sample, `transform` for its parts."""

    _transformed_types: tuple[Any, ...] = (Tensor, Pillow.Image)
    whole = True

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Return what is drawn for a sample."""
        return self._get_params(flat_inputs)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Return a changed part of a sample."""
        return self._transform(inpt, params)

    def _get_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {}

    def _transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define transform")

    def _call_kernel(self, functional: Callable[..., Any], inpt: Any, *args: Any,
                     **words: Any) -> Any:  # fmt: skip
        return functional(inpt, *args, **words)

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Take any sample."""

    def forward(self, *inputs: Any) -> Any:
        """Return the changed sample."""
        leaves, form = tree.tree_flatten(inputs if len(inputs) > 1 else inputs[0])
        self.check_inputs(leaves)
        params = self.make_params(leaves)
        chosen = self._transformed_types
        out = [self.transform(one, params) if isinstance(one, chosen) else one for one in leaves]
        return tree.tree_unflatten(out, form)


class ConvertBoundingBoxFormat(Transform):
    """Boxes in another format."""

    def __init__(self, format: Any) -> None:
        self.format = BoundingBoxFormat[format.upper()] if isinstance(format, str) else format

    def forward(self, img: Any) -> Any:
        """Return the boxes."""
        is_boxes = isinstance(img, BoundingBoxes)
        return convert_bounding_box_format(img, new_format=self.format) if is_boxes else img


class ClampBoundingBoxes(Transform):
    """Boxes inside of their image."""

    def forward(self, img: Any) -> Any:
        """Return the boxes."""
        return clamp_bounding_boxes(img) if isinstance(img, BoundingBoxes) else img


def convert_bounding_box_format(
    inpt: Any, old_format: Any = None, new_format: Any = None, inplace: bool = False
) -> Any:
    """Return boxes in another format."""
    if isinstance(new_format, str):
        new_format = BoundingBoxFormat[new_format.upper()]
    if not isinstance(inpt, BoundingBoxes):
        whole = BoundingBoxes(inpt, format=old_format, canvas_size=(0, 0))
        return convert_bounding_box_format(whole, new_format=new_format).as_subclass(Tensor)
    return of_corners(
        corners(inpt),
        wrap(inpt.as_subclass(Tensor), like=inpt, format=new_format),
        inpt.canvas_size,
    )


def clamp_bounding_boxes(inpt: Any, format: Any = None, canvas_size: Any = None) -> Any:
    """Return boxes inside of their image."""
    if not isinstance(inpt, BoundingBoxes):
        whole = BoundingBoxes(inpt, format=format, canvas_size=canvas_size)
        return clamp_bounding_boxes(whole).as_subclass(Tensor)
    return of_corners(within(corners(inpt), inpt.canvas_size), inpt, inpt.canvas_size)


def usable(boxes: BoundingBoxes, min_size: float = 1.0, min_area: float = 1.0) -> Tensor:
    """Return which boxes have sides and an area, and are inside of their image."""
    found, (height, width) = corners(boxes), boxes.canvas_size
    sides = found[:, 2:] - found[:, :2]
    inside = (found >= 0).all(1) & (found <= found.new_tensor([width, height] * 2)).all(1)
    return (sides >= min_size).all(1) & (sides.prod(1) >= min_area) & inside


class SanitizeBoundingBoxes(Transform):
    """A sample without boxes that are too small or outside, and without their labels and masks."""

    whole = True

    def __init__(self, min_size: float = 1.0, min_area: float = 1.0,
                 labels_getter: Any = "default") -> None:  # fmt: skip
        self.min_size, self.min_area, self.labels_getter = min_size, min_area, labels_getter

    def _labels(self, sample: Any) -> list[Any]:
        if callable(self.labels_getter):
            found = self.labels_getter(sample)
            return list(found) if isinstance(found, tuple) else [found]
        if self.labels_getter is None:
            return []
        parts = sample if isinstance(sample, (list, tuple)) else [sample]
        tables = [one for one in parts if isinstance(one, dict)]
        word = "labels" if self.labels_getter == "default" else self.labels_getter
        return [table[key] for table in tables for key in table if str(key).lower() == word]

    def forward(self, *inputs: Any) -> Any:
        """Return the sample."""
        sample = inputs if len(inputs) > 1 else inputs[0]
        labels = {id(one) for one in self._labels(sample)}
        leaves, form = tree.tree_flatten(sample)
        boxes = boxes_of(leaves, "SanitizeBoundingBoxes")
        valid = usable(boxes, self.min_size, self.min_area)

        def kept(one: Any) -> Any:
            masks = isinstance(one, Mask) and one.ndim > 2 and len(one) == len(valid)
            if isinstance(one, BoundingBoxes) or masks or id(one) in labels:
                return wrap(torch.Tensor.__getitem__(one, valid), like=one)
            return one

        return tree.tree_unflatten([kept(one) for one in leaves], form)


class RandomIoUCrop(Transform):
    """A rectangle of an image that overlaps at least one box by a share that is drawn.

    Source: Liu et al., SSD, 2016.
    """

    whole = True

    def __init__(self, min_scale: float = 0.3, max_scale: float = 1.0,
                 min_aspect_ratio: float = 0.5, max_aspect_ratio: float = 2.0,
                 sampler_options: Any = None, trials: int = 40) -> None:  # fmt: skip
        self.scale, self.trials = (min_scale, max_scale), trials
        self.aspect = (min_aspect_ratio, max_aspect_ratio)
        self.options = sampler_options or [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0]

    def _rectangle(self, boxes: BoundingBoxes) -> tuple[int, int, int, int, Tensor] | None:
        """Return top, left, height, width and which boxes have their middle inside."""
        (rows, columns), found = boxes.canvas_size, corners(boxes)
        while True:
            least = self.options[int(torch.randint(len(self.options), (1,)))]
            if least >= 1.0:
                return None
            for _ in range(self.trials):
                high, wide = (int(side * between(*self.scale)) for side in (rows, columns))
                if not self.aspect[0] <= wide / max(high, 1) <= self.aspect[1]:
                    continue
                left, top = int((columns - wide) * drawn()), int((rows - high) * drawn())
                middle = (found[:, :2] + found[:, 2:]) / 2
                place = found.new_tensor([left, top, left + wide, top + high])
                inside = ((place[:2] < middle) & (middle < place[2:])).all(1)
                if wide and high and inside.any():
                    overlaps = box_iou(found[inside], place[None])
                    if overlaps.max() >= least:
                        return top, left, high, wide, inside

    def forward(self, *inputs: Any) -> Any:
        """Return the sample; boxes whose middle is outside become empty."""
        leaves, form = tree.tree_flatten(inputs if len(inputs) > 1 else inputs[0])
        chosen = self._rectangle(boxes_of(leaves, "RandomIoUCrop"))
        if chosen is None:
            return inputs if len(inputs) > 1 else inputs[0]
        *place, inside = chosen
        out = [f.crop(one, *place) if placed(one) else one for one in leaves]
        for one in out:
            if isinstance(one, BoundingBoxes):
                one.as_subclass(Tensor)[~inside] = 0
        return tree.tree_unflatten(out, form)


class ScaleJitter(Transform):
    """Another size, by a factor between limits of a size that is meant."""

    def __init__(self, target_size: Any, scale_range: Any = (0.1, 2.0),
                 interpolation: Any = f.BILINEAR, antialias: Any = True) -> None:  # fmt: skip
        self.target_size, self.scale_range = target_size, scale_range
        self.interpolation, self.antialias = interpolation, antialias

    def forward(self, img: Any) -> Any:
        """Return the image of another size."""
        rows, columns = f.size_of(img)
        fits = min(self.target_size[0] / rows, self.target_size[1] / columns)
        factor = between(*self.scale_range) * fits
        new = [int(rows * factor), int(columns * factor)]
        return f.resize(img, new, self.interpolation, antialias=self.antialias)


class Lambda(Transform):
    """A function of the script's own, of each part of a sample that is of one of some types."""

    whole = True

    def __init__(self, lambd: Callable[[Any], Any], *types: type) -> None:
        self.lambd, self.types = lambd, types or (object,)

    def forward(self, *inputs: Any) -> Any:
        """Return the changed sample."""
        sample = inputs if len(inputs) > 1 else inputs[0]
        return tree.tree_map(
            lambda one: self.lambd(one) if isinstance(one, self.types) else one, sample
        )


class ToImage(Transform):
    """A picture, an array or a tensor as an image of tv_tensors."""

    images_only = True

    def forward(self, img: Any) -> Any:
        """Return the image."""
        return to_image(img)


def to_image(inpt: Any) -> Any:
    """Return a picture, an array (H, W, C) or a tensor as an image of tv_tensors."""
    return Image(inpt if isinstance(inpt, Tensor) else f.pil_to_tensor(inpt))


class ToPureTensor(Transform):
    """A sample whose tensors know their kind no more."""

    whole = True

    def forward(self, *inputs: Any) -> Any:
        """Return the sample."""
        sample = inputs if len(inputs) > 1 else inputs[0]
        return tree.tree_map(
            lambda one: one.as_subclass(Tensor) if isinstance(one, TVTensor) else one, sample
        )


class ToDtype(Transform):
    """Numbers of another type: of images, or of each kind in a table."""

    def __init__(self, dtype: Any, scale: bool = False) -> None:
        self.dtype, self.scale = dtype, scale

    def forward(self, img: Any) -> Any:
        """Return the tensor."""
        table = self.dtype if isinstance(self.dtype, dict) else {Tensor: self.dtype}
        images = not isinstance(img, (Mask, BoundingBoxes))
        kinds = [one for one in type(img).__mro__ if one in table and (images or one is not Tensor)]
        dtype = table[kinds[0]] if kinds else table.get("others")
        if dtype is None or not isinstance(img, Tensor):
            return img
        found = to_dtype(img.as_subclass(Tensor), dtype, self.scale and images)
        return wrap(found, like=img)


SAMPLE_CLASSES = (
    *(ConvertBoundingBoxFormat, ClampBoundingBoxes, SanitizeBoundingBoxes, RandomIoUCrop),
    *(ScaleJitter, Lambda, ToImage, ToPureTensor, ToDtype),
)
SAMPLE_FUNCTIONS = {one.__name__: one for one in (convert_bounding_box_format,
                                                  clamp_bounding_boxes, to_image)}  # fmt: skip
