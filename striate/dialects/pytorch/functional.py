"""Functions of torchvision on images: pictures of Pillow, or tensors (C, H, W)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor

from ...errors import ConfigError, caller
from . import colours

NEAREST, BILINEAR, BICUBIC = "nearest", "bilinear", "bicubic"
SAMPLING = {
    NEAREST: Image.Resampling.NEAREST,
    BILINEAR: Image.Resampling.BILINEAR,
    BICUBIC: Image.Resampling.BICUBIC,
}


class InterpolationMode:
    """Words for how places between pixels are filled."""

    NEAREST, BILINEAR, BICUBIC = NEAREST, BILINEAR, BICUBIC


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
    """Return (tensor - mean) / std, with a number for each channel."""
    if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
        raise ConfigError(
            "transforms.Normalize",
            "takes a tensor of floats",
            got=f"a {type(tensor).__name__}" + f" of {getattr(tensor, 'dtype', 'no numbers')}",
            fix="transforms.ToTensor() before it",
            at=caller(),
        )
    middle, spread = (
        torch.as_tensor(one, dtype=tensor.dtype).reshape(-1, 1, 1) for one in (mean, std)
    )
    return (tensor if inplace else tensor.clone()).sub_(middle).div_(spread)


def size_of(img: Any) -> tuple[int, int]:
    """Return height and width."""
    if isinstance(img, Tensor):
        return int(img.shape[-2]), int(img.shape[-1])
    return img.height, img.width


def resize(img: Any, size: Any, interpolation: Any = BILINEAR, *args: Any, **words: Any) -> Any:
    """Return the image in another size: of its smaller side, or (height, width)."""
    height, width = size_of(img)
    if isinstance(size, int) or len(size) == 1:
        side = size if isinstance(size, int) else size[0]
        short = min(height, width)
        new = (int(side * height / short), int(side * width / short))
    else:
        new = (int(size[0]), int(size[1]))
    kind = SAMPLING.get(str(interpolation).lower(), interpolation)
    if isinstance(img, Tensor):
        word = next((key for key, value in SAMPLING.items() if value == kind), BILINEAR)
        options = {} if word == NEAREST else {"align_corners": False, "antialias": True}
        out = F.interpolate(img[None].float(), new, mode=word, **options)[0]
        return out.round().to(img.dtype) if not img.is_floating_point() else out
    return img.resize(new[::-1], kind)


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


def center_crop(img: Any, output_size: Any) -> Any:
    """Return the middle of the image."""
    height, width = both_sides(output_size)
    rows, columns = size_of(img)
    return crop(img, round((rows - height) / 2), round((columns - width) / 2), height, width)


def pad(img: Any, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> Any:
    """Return the image with a border: one width, (sides, ends), or (left, top, right, bottom)."""
    left, top, right, bottom = _border(padding)
    if isinstance(img, Tensor):
        sides = (left, right, top, bottom)
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


def hflip(img: Any) -> Any:
    """Return the image with left and right exchanged."""
    return img.flip(-1) if isinstance(img, Tensor) else ImageOps.mirror(img)


def vflip(img: Any) -> Any:
    """Return the image with top and bottom exchanged."""
    return img.flip(-2) if isinstance(img, Tensor) else ImageOps.flip(img)


def rotate(img: Any, angle: float, interpolation: Any = NEAREST, expand: bool = False,
           center: Any = None, fill: Any = 0) -> Any:  # fmt: skip
    """Return the image turned counter-clockwise."""
    kind = SAMPLING.get(str(interpolation).lower(), interpolation)

    def turned(one: Image.Image) -> Image.Image:
        return one.rotate(angle, kind, expand, center, fillcolor=_filled(one, fill))

    return as_picture(img, turned)


def _transformed(img: Any, how: Any, numbers: Any, interpolation: Any, fill: Any) -> Any:
    kind = SAMPLING.get(str(interpolation).lower(), interpolation)
    return as_picture(
        img, lambda one: one.transform(one.size, how, numbers, kind, fillcolor=_filled(one, fill))
    )


def affine(img: Any, angle: float, translate: Any, scale: float, shear: Any,
           interpolation: Any = NEAREST, fill: Any = 0, **words: Any) -> Any:  # fmt: skip
    """Return the image turned, moved, scaled and sheared about its middle."""
    height, width = size_of(img)
    middle = np.array((width / 2, height / 2))  # a pixel is an area: the first one is at 0.5
    sx, sy = (shear, 0.0) if isinstance(shear, (int, float)) else (shear[0], shear[-1])
    sx, sy = (sx, 0.0) if not isinstance(shear, (int, float)) and len(shear) == 1 else (sx, sy)
    turn = math.radians(angle)
    spin = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    down = np.array([[1, 0], [-math.tan(math.radians(sy)), 1]])
    along = np.array([[1, -math.tan(math.radians(sx))], [0, 1]])
    back = np.linalg.inv(scale * spin @ down @ along)
    move = middle - back @ (middle + np.array(translate))
    numbers = (*back[0], move[0], *back[1], move[1])
    return _transformed(img, Image.Transform.AFFINE, numbers, interpolation, fill)


def perspective(img: Any, startpoints: Any, endpoints: Any, interpolation: Any = BILINEAR,
                fill: Any = 0) -> Any:  # fmt: skip
    """Return the image with four points (x, y) moved to others, and the rest as seen aslant."""
    rows = [
        row
        for (x, y), (u, v) in zip(startpoints, endpoints, strict=True)
        for row in ([u, v, 1, 0, 0, 0, -x * u, -x * v], [0, 0, 0, u, v, 1, -y * u, -y * v])
    ]
    where = np.array(startpoints, float).reshape(-1)
    numbers = tuple(np.linalg.lstsq(np.array(rows, float), where, rcond=None)[0])
    return _transformed(img, Image.Transform.PERSPECTIVE, numbers, interpolation, fill)


def _enhanced(img: Any, of_tensor: Any, of_picture: Any, factor: float) -> Any:
    if isinstance(img, Tensor):
        return of_tensor(img, factor)
    return _whole(img, lambda one: of_picture(one).enhance(factor))


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """Return the image brighter by a factor: 0 is black."""
    return _enhanced(img, colours.brightness, ImageEnhance.Brightness, brightness_factor)


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """Return the image with its contrast times a factor: 0 is grey."""
    return _enhanced(img, colours.contrast, ImageEnhance.Contrast, contrast_factor)


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """Return the image with its colours times a factor: 0 is without colour."""
    return _enhanced(img, colours.saturation, ImageEnhance.Color, saturation_factor)


def adjust_hue(img: Any, hue_factor: float) -> Any:
    """Return the image with its colours turned by a share of the circle, -0.5 to 0.5."""
    if isinstance(img, Tensor):
        return colours.hue(img, hue_factor)

    def turned(picture: Image.Image) -> Image.Image:
        if picture.mode != "RGB":
            return picture
        hue, saturation, value = picture.convert("HSV").split()
        moved = (np.array(hue, np.int16) + int(hue_factor * 255)) % 256
        parts = (Image.fromarray(moved.astype(np.uint8)), saturation, value)
        return Image.merge("HSV", parts).convert("RGB")

    return _whole(img, turned)


def autocontrast(img: Any) -> Any:
    """Return the image with its darkest value black and its lightest white."""
    if isinstance(img, Tensor):
        return colours.autocontrast(img)
    return _whole(img, ImageOps.autocontrast)


def adjust_sharpness(img: Any, sharpness_factor: float) -> Any:
    """Return the image sharper by a factor: 0 is blurred."""
    if isinstance(img, Tensor):
        return colours.sharpness(img, sharpness_factor)
    return _whole(img, lambda one: ImageEnhance.Sharpness(one).enhance(sharpness_factor))


def adjust_gamma(img: Any, gamma: float, gain: float = 1) -> Any:
    """Return the image with each value, 0 to 1, raised to a power and times the gain."""
    if isinstance(img, Tensor):
        return colours.gamma(img, gamma, gain)
    each = (255 + 1 - 1e-3) * gain  # so that 255 stays 255, and all else is rounded down
    table = [min(255, int(each * (value / 255) ** gamma)) for value in range(256)]
    return _whole(img, lambda one: one.point(table * len(one.getbands())))


def invert(img: Any) -> Any:
    """Return the negative."""
    if isinstance(img, Tensor):
        return colours.invert(img)
    return _whole(img, ImageOps.invert)


def posterize(img: Any, bits: int) -> Any:
    """Return the image with this many bits of each value."""
    return _whole(
        img, lambda one: ImageOps.posterize(one, bits) if bits else one.point(lambda v: 0)
    )


def solarize(img: Any, threshold: float) -> Any:
    """Return the image with the values from a threshold on as in the negative."""
    floats = isinstance(img, Tensor) and img.is_floating_point()
    level = threshold * 255 if floats else threshold
    return _whole(img, lambda one: ImageOps.solarize(one, math.ceil(level)))


def equalize(img: Any) -> Any:
    """Return the image with all values about equally often."""
    return _whole(img, ImageOps.equalize)


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
                 interpolation: Any = BILINEAR, *args: Any, **words: Any) -> Any:  # fmt: skip
    """Return a rectangle in another size."""
    return resize(crop(img, top, left, height, width), size, interpolation)


def gaussian_blur(img: Any, kernel_size: Any, sigma: Any = None) -> Any:
    """Return the image blurred; without a width it is of the kernel's size."""
    sizes = [kernel_size] * 2 if isinstance(kernel_size, int) else [*kernel_size] * 2
    usual = [0.3 * ((size - 1) * 0.5 - 1) + 0.8 for size in sizes[:2]]
    widths = usual if sigma is None else [sigma] * 2 if isinstance(sigma, (int, float)) else sigma
    widths = [*widths] * 2
    if isinstance(img, Tensor):
        return colours.blur(img, sizes[:2], widths[:2])
    return to_pil_image(colours.blur(pil_to_tensor(img), sizes[:2], widths[:2]))


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


def _whole(img: Any, change: Callable[[Image.Image], Image.Image]) -> Any:
    """Change a picture; a tensor goes through one picture and comes back in its dtype."""
    if not isinstance(img, Tensor):
        return change(img)
    out = pil_to_tensor(change(to_pil_image(img)))
    return (out / 255).to(img.dtype) if img.is_floating_point() else out


def as_picture(img: Any, change: Callable[[Image.Image], Image.Image]) -> Any:
    """Change a picture; a tensor goes through pictures of its channels."""
    if not isinstance(img, Tensor):
        return change(img)
    parts = [
        torch.from_numpy(np.array(change(Image.fromarray(channel.float().numpy()))))
        for channel in img
    ]
    return torch.stack(parts).to(img.dtype)


def to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """Return the image in grey, of one channel or of three equal ones."""
    if isinstance(img, Tensor):
        grey = img
        if img.shape[-3] == 3:
            red, green, blue = img.unbind(-3)
            grey = (0.2989 * red + 0.587 * green + 0.114 * blue).to(img.dtype).unsqueeze(-3)
        return grey.expand(*grey.shape[:-3], num_output_channels, *grey.shape[-2:])
    grey = img.convert("L")
    return grey if num_output_channels == 1 else Image.merge("RGB", (grey,) * 3)


def both_sides(size: Any) -> tuple[int, int]:
    """Return height and width of one number, or of two."""
    several = (size, size) if isinstance(size, (int, float)) else tuple(size)
    return int(several[0]), int(several[-1])


def _border(padding: Any) -> tuple[int, int, int, int]:
    if isinstance(padding, int):
        return (padding,) * 4
    if len(padding) == 2:
        return (*padding, *padding)
    return tuple(padding)


FUNCTIONS: dict[str, Any] = {
    one.__name__: one
    for one in (
        *(to_tensor, pil_to_tensor, to_pil_image, normalize, resize, crop, center_crop, pad),
        *(hflip, vflip, rotate, affine, perspective, to_grayscale, InterpolationMode),
        *(adjust_brightness, adjust_contrast, adjust_saturation, adjust_hue, autocontrast),
        *(adjust_sharpness, adjust_gamma, invert, posterize, solarize, equalize, five_crop),
        *(ten_crop, resized_crop, gaussian_blur, erase, get_dimensions),
    )
} | {"rgb_to_grayscale": to_grayscale, "get_image_size": lambda img: [*size_of(img)][::-1],
     "to_image": pil_to_tensor, "horizontal_flip": hflip, "vertical_flip": vflip}  # fmt: skip
