"""Functions of torchvision on images: pictures of Pillow, or tensors (C, H, W)."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import Tensor

from ...errors import ConfigError, caller
from .tv_geometry import border, for_kinds, seen_aslant, turning
from .tv_tensors import BoundingBoxes

NEAREST, BILINEAR, BICUBIC = "nearest", "bilinear", "bicubic"
SAMPLING = {
    NEAREST: Image.Resampling.NEAREST,
    BILINEAR: Image.Resampling.BILINEAR,
    BICUBIC: Image.Resampling.BICUBIC,
    "nearest-exact": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
    "lanczos": Image.Resampling.LANCZOS,
}


class InterpolationMode(str, Enum):
    """Words for how places between pixels are filled."""

    NEAREST, BILINEAR, BICUBIC = NEAREST, BILINEAR, BICUBIC
    NEAREST_EXACT, BOX, HAMMING, LANCZOS = "nearest-exact", "box", "hamming", "lanczos"

    def __str__(self) -> str:
        return self.value


def _sampling(interpolation: Any) -> Any:
    """Return Pillow's word for a word of torchvision, or for Pillow's own number."""
    return SAMPLING.get(str(interpolation).lower(), interpolation)


def to_tensor(pic: Any) -> Tensor:
    """Return a picture, or an array (H, W, C), as a tensor (C, H, W); bytes become 0 to 1."""
    if isinstance(pic, Tensor):
        raise ConfigError(
            "transforms.ToTensor",
            "takes a picture or an array, not a tensor",
            got=f"a tensor of shape {tuple(pic.shape)}",
            need="a PIL.Image, or a numpy array (H, W, C)",
            fix="leave ToTensor out",
            at=caller(),
        )
    tensor = pil_to_tensor(pic)
    return tensor.to(torch.float32).div(255) if tensor.dtype == torch.uint8 else tensor


def pil_to_tensor(pic: Any) -> Tensor:
    """Return a picture, or an array (H, W, C), as a tensor (C, H, W) of its own numbers."""
    array = np.array(pic, np.uint8 if getattr(pic, "mode", "") == "1" else None)
    array = array * 255 if getattr(pic, "mode", "") == "1" else array
    array = array[..., np.newaxis] if array.ndim == 2 else array
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))


def to_pil_image(pic: Any, mode: str | None = None) -> Image.Image:
    """Return a tensor (C, H, W), or an array (H, W, C), as a picture; floats are 0 to 1."""
    if isinstance(pic, Tensor):
        tensor = pic.detach()
        tensor = tensor.mul(255).byte() if tensor.is_floating_point() else tensor
        array = tensor.cpu().numpy()
        array = array.transpose(1, 2, 0) if array.ndim == 3 else array
    else:
        array = np.asarray(pic)
    array = array[..., 0] if array.ndim == 3 and array.shape[-1] == 1 else array
    picture = Image.fromarray(array)
    return picture.convert(mode) if mode and mode != picture.mode else picture


def normalize(tensor: Tensor, mean: Any, std: Any, inplace: bool = False) -> Tensor:
    """Return (tensor - mean) / std, with a number for each channel.

    As in torchvision up to 0.2, numbers for channels that are not there are left: three of them
    stand beside the digits of MNIST in many a script.
    """
    if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
        raise ConfigError(
            "transforms.Normalize",
            "takes a tensor of floats",
            got=f"a {type(tensor).__name__}" + f" of {getattr(tensor, 'dtype', 'no numbers')}",
            fix="transforms.ToTensor() before it",
            at=caller(),
        )
    channels = tensor.shape[-3] if tensor.ndim > 2 else 1
    middle, spread = (
        torch.as_tensor(one, dtype=tensor.dtype).reshape(-1, 1, 1)[:channels] for one in (mean, std)
    )
    return (tensor if inplace else tensor.clone()).sub_(middle).div_(spread)


def size_of(img: Any) -> tuple[int, int]:
    """Return height and width."""
    if isinstance(img, BoundingBoxes):
        return img.canvas_size
    if isinstance(img, Tensor):
        return int(img.shape[-2]), int(img.shape[-1])
    return img.height, img.width


@for_kinds
def resize(img: Any, size: Any, interpolation: Any = BILINEAR, max_size: int | None = None,
           antialias: Any = True) -> Any:  # fmt: skip
    """Return the image in another size: of its smaller side, or (height, width)."""
    height, width = size_of(img)
    if isinstance(size, int) or len(size) == 1:
        side = size if isinstance(size, int) else size[0]
        short = min(height, width)
        new = (int(side * height / short), int(side * width / short))
        if max_size is not None and max(new) > max_size:
            new = (int(max_size * new[0] / max(new)), int(max_size * new[1] / max(new)))
    else:
        new = (int(size[0]), int(size[1]))
    kind = _sampling(interpolation)
    if isinstance(img, Tensor):
        word = next((key for key, value in SAMPLING.items() if value == kind), BILINEAR)
        smooth = {"align_corners": False, "antialias": antialias is not False}
        several = img if img.ndim > 3 else img[None]
        out = F.interpolate(several.float(), new, mode=word, **({} if word == NEAREST else smooth))
        out = out if img.ndim > 3 else out[0]
        return out.round().to(img.dtype) if not img.is_floating_point() else out
    return img.resize(new[::-1], kind)


@for_kinds
def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """Return a rectangle of the image; what lies outside of it is black."""
    if isinstance(img, Tensor):
        whole = size_of(img)
        sides = (
            max(-left, 0), max(left + width - whole[1], 0),
            max(-top, 0), max(top + height - whole[0], 0),
        )  # fmt: skip
        img = F.pad(img, sides)
        top, left = max(top, 0), max(left, 0)
        return img[..., top : top + height, left : left + width]
    return img.crop((left, top, left + width, top + height))


@for_kinds
def center_crop(img: Any, output_size: Any) -> Any:
    """Return the middle of the image."""
    height, width = both_sides(output_size)
    rows, columns = size_of(img)
    return crop(img, round((rows - height) / 2), round((columns - width) / 2), height, width)


@for_kinds
def pad(img: Any, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> Any:
    """Return the image with a border: one width, (sides, ends), or (left, top, right, bottom)."""
    left, top, right, bottom = border(padding)
    if isinstance(img, Tensor):
        sides = (left, right, top, bottom)
        if padding_mode == "constant" and isinstance(fill, (tuple, list)):
            several = zip(img.unbind(-3), [*fill] * img.shape[-3], strict=False)
            return torch.stack([F.pad(one, sides, value=value) for one, value in several], -3)
        if padding_mode == "constant":
            return F.pad(img, sides, value=fill)
        out = F.pad(img[None].float(), sides, mode=_edge(padding_mode))
        return out[0].to(img.dtype)
    if padding_mode == "constant":
        return ImageOps.expand(img, (left, top, right, bottom), _filled(img, fill))
    array = np.asarray(img)
    widths = [(top, bottom), (left, right), (0, 0)][: array.ndim]
    word: Any = {"edge": "edge", "reflect": "reflect", "symmetric": "symmetric"}[padding_mode]
    return Image.fromarray(np.pad(array, widths, word))


def _filled(img: Image.Image, fill: Any) -> Any:
    """Return the value of a border for each band: one number is for all."""
    bands = len(img.getbands())
    if isinstance(fill, (int, float)):
        return (int(fill),) * bands if bands > 1 else fill
    return tuple(fill) if bands > 1 else fill[0]


def _edge(mode: str) -> str:
    return {"edge": "replicate"}.get(mode, mode)


@for_kinds
def hflip(img: Any) -> Any:
    """Return the image with left and right exchanged."""
    return img.flip(-1) if isinstance(img, Tensor) else ImageOps.mirror(img)


@for_kinds
def vflip(img: Any) -> Any:
    """Return the image with top and bottom exchanged."""
    return img.flip(-2) if isinstance(img, Tensor) else ImageOps.flip(img)


@for_kinds
def rotate(img: Any, angle: float, interpolation: Any = NEAREST, expand: bool = False,
           center: Any = None, fill: Any = 0) -> Any:  # fmt: skip
    """Return the image turned counter-clockwise."""
    kind = _sampling(interpolation)

    def turned(one: Image.Image) -> Image.Image:
        return one.rotate(angle, kind, expand, center, fillcolor=_filled(one, fill))

    return as_picture(img, turned)


def _transformed(img: Any, how: Any, numbers: Any, interpolation: Any, fill: Any) -> Any:
    kind = _sampling(interpolation)
    return as_picture(
        img, lambda one: one.transform(one.size, how, numbers, kind, fillcolor=_filled(one, fill))
    )


@for_kinds
def affine(img: Any, angle: float, translate: Any, scale: float, shear: Any,
           interpolation: Any = NEAREST, fill: Any = 0, center: Any = None) -> Any:  # fmt: skip
    """Return the image turned, moved, scaled and sheared about its middle, or about a place."""
    height, width = size_of(img)
    middle = np.array(
        center or (width / 2, height / 2)
    )  # a pixel is an area: the first one is at 0.5
    back = np.linalg.inv(turning(angle, scale, shear))
    move = middle - back @ (middle + np.array(translate))
    numbers = (*back[0], move[0], *back[1], move[1])
    return _transformed(img, Image.Transform.AFFINE, numbers, interpolation, fill)


@for_kinds
def perspective(img: Any, startpoints: Any, endpoints: Any, interpolation: Any = BILINEAR,
                fill: Any = 0) -> Any:  # fmt: skip
    """Return the image with four points (x, y) moved to others, and the rest as seen aslant."""
    numbers = tuple(seen_aslant(endpoints, startpoints).reshape(-1)[:8])
    return _transformed(img, Image.Transform.PERSPECTIVE, numbers, interpolation, fill)


def five_crop(img: Any, size: Any) -> tuple[Any, ...]:
    """Return the four corners, and the middle."""
    height, width = both_sides(size)
    rows, columns = size_of(img)
    corners = [(top, left) for top in (0, rows - height) for left in (0, columns - width)]
    crops = [crop(img, top, left, height, width) for top, left in corners]
    return (*crops, center_crop(img, (height, width)))


def ten_crop(img: Any, size: Any, vertical_flip: bool = False) -> tuple[Any, ...]:
    """Return the same of the image, and of the flipped one."""
    flipped = vflip(img) if vertical_flip else hflip(img)
    return five_crop(img, size) + five_crop(flipped, size)


def resized_crop(img: Any, top: int, left: int, height: int, width: int, size: Any,
                 interpolation: Any = BILINEAR, antialias: Any = True) -> Any:  # fmt: skip
    """Return a rectangle in another size."""
    return resize(crop(img, top, left, height, width), size, interpolation, None, antialias)


@for_kinds
def erase(img: Tensor, i: int, j: int, h: int, w: int, v: Any,
          inplace: bool = False) -> Tensor:  # fmt: skip
    """Return a tensor with a rectangle set to a value."""
    out = img if inplace else img.clone()
    out[..., i : i + h, j : j + w] = torch.as_tensor(v)
    return out


def get_dimensions(img: Any) -> list[int]:
    """Return channels, height and width."""
    channels = img.shape[-3] if isinstance(img, Tensor) else len(img.getbands())
    return [channels, *size_of(img)]


def as_picture(img: Any, change: Callable[[Image.Image], Image.Image]) -> Any:
    """Change a picture; a tensor goes through pictures of its channels."""
    if not isinstance(img, Tensor):
        return change(img)
    if img.ndim > 3:
        return torch.stack([as_picture(one, change) for one in img])
    parts = [
        torch.from_numpy(np.array(change(Image.fromarray(channel.float().numpy()))))
        for channel in img
    ]
    return torch.stack(parts).to(img.dtype)


def both_sides(size: Any) -> tuple[int, int]:
    """Return height and width of one number, or of two."""
    several = (size, size) if isinstance(size, (int, float)) else tuple(size)
    return int(several[0]), int(several[-1])
