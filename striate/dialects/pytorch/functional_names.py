"""The functions of torchvision.transforms.functional, and of its second version, by their names."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from . import functional as f, functional_colours as c


def convert_image_dtype(image: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return numbers of another type; between bytes and floats they are scaled."""
    if dtype.is_floating_point and not image.is_floating_point():
        return image.to(dtype) / torch.iinfo(image.dtype).max
    if not dtype.is_floating_point and image.is_floating_point():
        return image.mul(torch.iinfo(dtype).max + 1 - 1e-3).to(dtype)
    return image.to(dtype)


def to_dtype(inpt: Tensor, dtype: torch.dtype = torch.float32, scale: bool = False) -> Tensor:
    """Return numbers of another type, scaled where it is asked for."""
    return convert_image_dtype(inpt, dtype) if scale else inpt.to(dtype)


def get_image_num_channels(img: Any) -> int:
    """Return how many channels there are."""
    return f.get_dimensions(img)[0]


ALIKE = {
    "rgb_to_grayscale": c.to_grayscale, "to_image": f.pil_to_tensor, "horizontal_flip": f.hflip,
    "vertical_flip": f.vflip, "get_size": lambda img: [*f.size_of(img)],
    "get_image_size": lambda img: [*f.size_of(img)][::-1], "to_image_tensor": f.pil_to_tensor,
    "get_num_channels": get_image_num_channels,
}  # fmt: skip
FUNCTIONS: dict[str, Any] = {
    one.__name__: one
    for one in (
        *(f.to_tensor, f.pil_to_tensor, f.to_pil_image, f.normalize, f.resize, f.crop, f.pad),
        *(f.center_crop, f.hflip, f.vflip, f.rotate, f.affine, f.perspective, c.to_grayscale),
        *(c.adjust_brightness, c.adjust_contrast, c.adjust_saturation, c.adjust_hue),
        *(c.autocontrast, c.adjust_sharpness, c.adjust_gamma, c.invert, c.posterize, c.solarize),
        *(c.equalize, f.five_crop, f.ten_crop, f.resized_crop, c.gaussian_blur, f.erase),
        *(f.get_dimensions, f.InterpolationMode, convert_image_dtype, to_dtype),
        *(get_image_num_channels,),
    )
} | ALIKE
