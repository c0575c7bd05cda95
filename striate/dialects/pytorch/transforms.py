"""torchvision's transforms: changes of an image, drawn from torch's generator where random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..strict import Strict
from .functional import (
    BILINEAR,
    center_crop,
    five_crop,
    normalize,
    pad,
    pil_to_tensor,
    resize,
    ten_crop,
    to_pil_image,
    to_tensor,
)
from .functional_colours import to_grayscale
from .functional_names import to_dtype
from .tv_parts import alike
from .tv_tensors import BoundingBoxes, Mask, TVTensor, wrap


class Transform(nn.Module, metaclass=Strict):
    """A change of one image, to be called; also a module, so that several fit a Sequential."""

    images_only: ClassVar[bool] = False  # or also masks and boxes
    whole: ClassVar[bool] = False  # samples are its own matter

    def __new__(cls, *args: Any, **words: Any) -> Transform:
        """Make an object that is a module whether or not a class below says so."""
        made = super().__new__(cls)
        nn.Module.__init__(made)
        return made

    def __init__(self) -> None:
        """Take nothing."""

    def __call__(self, *images: Any) -> Any:
        """Return the changed image, or sample of an image and what belongs to it."""
        img = images[0] if len(images) == 1 else images
        if self.whole:
            return self.forward(*images)
        if isinstance(img, (tuple, list, dict)):
            return alike(self.changed, img, self.images_only)
        return self.changed(img)

    def changed(self, img: Any) -> Any:
        """Return the changed image, mask or boxes, of the same kind."""
        if not isinstance(img, TVTensor):
            return self.forward(img)
        if isinstance(img, (Mask, BoundingBoxes)):
            return img if self.images_only else self.forward(img)
        out = self.forward(img.as_subclass(Tensor))
        return wrap(out, like=img) if type(out) is Tensor else out

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        return img

    def __repr__(self) -> str:
        given = {key: value for key, value in vars(self).items() if key not in OF_MODULES}
        words = ", ".join(f"{key}={value!r}" for key, value in given.items())
        return f"{type(self).__name__}({words})"


OF_MODULES = vars(nn.Module())


class Compose(Transform):
    """Changes, one after the other."""

    whole = True

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = transforms  # the script's own list, which it may add to

    def __repr__(self) -> str:
        return "\n".join(("Compose(", *(f"    {one!r}" for one in self.transforms), ")"))

    def forward(self, *images: Any) -> Any:
        """Return the changed image, or sample."""
        for change in self.transforms:
            out = change(*images)
            images = out if len(images) > 1 else (out,)
        return images if len(images) > 1 else images[0]


class ToTensor(Transform):
    """to_tensor."""

    def forward(self, img: Any) -> Tensor:
        """Return the tensor."""
        return to_tensor(img)


class PILToTensor(Transform):
    """pil_to_tensor."""

    images_only = True

    def forward(self, img: Any) -> Tensor:
        """Return the tensor."""
        return img if isinstance(img, Tensor) else pil_to_tensor(img)


class ConvertImageDtype(Transform):
    """Numbers of another type; between bytes and floats they are scaled."""

    images_only = True

    def __init__(self, dtype: torch.dtype = torch.float32, scale: bool = True) -> None:
        self.dtype, self.scale = dtype, scale

    def forward(self, img: Any) -> Any:
        """Return the tensor."""
        return to_dtype(img, self.dtype, self.scale)


class ToPILImage(Transform):
    """to_pil_image."""

    images_only = True

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def forward(self, img: Any) -> Any:
        """Return the picture."""
        return to_pil_image(img, self.mode)


class Normalize(Transform):
    """(tensor - mean) / std, with a number for each channel."""

    images_only = True

    def __init__(self, mean: Any, std: Any, inplace: bool = False) -> None:
        self.mean, self.std, self.inplace = mean, std, inplace

    def forward(self, img: Any) -> Tensor:
        """Return the tensor."""
        return normalize(img, self.mean, self.std, self.inplace)


class Resize(Transform):
    """Another size: of the smaller side, or (height, width)."""

    def __init__(self, size: Any, interpolation: Any = BILINEAR, max_size: int | None = None,
                 antialias: Any = True) -> None:  # fmt: skip
        self.size, self.interpolation = size, interpolation
        self.max_size, self.antialias = max_size, antialias

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        return resize(img, self.size, self.interpolation, self.max_size, self.antialias)


class CenterCrop(Transform):
    """The middle."""

    def __init__(self, size: Any) -> None:
        self.size = size

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        return center_crop(img, self.size)


class Pad(Transform):
    """A border."""

    def __init__(self, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> None:
        self.padding, self.fill, self.padding_mode = padding, fill, padding_mode

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        return pad(img, self.padding, self.fill, self.padding_mode)


class Lambda(Transform):
    """A function of the script's own."""

    whole = True

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        self.lambd = lambd

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        return self.lambd(img)


class Grayscale(Transform):
    """Grey."""

    images_only = True

    def __init__(self, num_output_channels: int = 1) -> None:
        self.num_output_channels = num_output_channels

    def forward(self, img: Any) -> Any:
        """Return the changed image."""
        return to_grayscale(img, self.num_output_channels)


class FiveCrop(Transform):
    """five_crop."""

    images_only = True

    def __init__(self, size: Any) -> None:
        self.size = size

    def forward(self, img: Any) -> Any:
        """Return the crops."""
        return five_crop(img, self.size)


class TenCrop(Transform):
    """ten_crop."""

    images_only = True

    def __init__(self, size: Any, vertical_flip: bool = False) -> None:
        self.size, self.vertical_flip = size, vertical_flip

    def forward(self, img: Any) -> Any:
        """Return the crops."""
        return ten_crop(img, self.size, self.vertical_flip)


class LinearTransformation(Transform):
    """(tensor - mean) times a matrix, such as one that whitens."""

    images_only = True

    def __init__(self, transformation_matrix: Tensor, mean_vector: Tensor) -> None:
        self.matrix, self.mean = transformation_matrix, mean_vector

    def forward(self, img: Any) -> Tensor:
        """Return the changed tensor."""
        flat: Tensor = img.reshape(-1, self.matrix.shape[0]) - self.mean
        return (flat @ self.matrix).reshape(img.shape)
