"""torchvision.tv_tensors: tensors that know whether they are an image, a mask or boxes of one.

What is computed of one is a plain tensor; `clone`, `to`, `detach` and `requires_grad_` keep it.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import numpy as np
import torch
from torch import Tensor

KEPT = ("clone", "to", "detach", "requires_grad_")


class TVTensor(Tensor):
    """A tensor of a kind."""

    def __new__(cls, data: Any, *, dtype: Any = None, device: Any = None,
                requires_grad: bool | None = None) -> Any:  # fmt: skip
        """Return the same numbers, as this kind."""
        if not isinstance(data, (Tensor, np.ndarray, list, tuple, int, float)):
            array = np.asarray(data)  # a picture of Pillow
            data = torch.from_numpy(np.array(array[..., None] if array.ndim == 2 else array))
            data = data.permute(2, 0, 1).contiguous()
        asked = isinstance(data, Tensor) and data.requires_grad
        tensor = torch.as_tensor(data, dtype=dtype, device=device)
        wanted = asked if requires_grad is None else requires_grad
        return tensor.detach().requires_grad_(wanted).as_subclass(cls)

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Compute with plain tensors."""
        with torch._C.DisableTorchFunctionSubclass():
            out = func(*args, **(kwargs or {}))
        word = getattr(func, "__name__", "")
        if word in KEPT and isinstance(args[0], TVTensor):
            return wrap(out, like=args[0])
        changes = word.endswith("_") and out is not None
        return out if changes or not isinstance(out, TVTensor) else out.as_subclass(Tensor)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return wrap(self.detach().clone(), like=self).requires_grad_(self.requires_grad)

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        told = "".join(f", {word}={value}" for word, value in facts(self).items())
        return f"{type(self).__name__}({str(self.as_subclass(Tensor))[7:-1]}{told})"


class Image(TVTensor):
    """An image (..., C, H, W)."""

    def __new__(cls, data: Any, **words: Any) -> Any:
        """Return it with an axis of channels."""
        made = super().__new__(cls, data, **words)
        return made if made.ndim > 2 else made[None].as_subclass(cls)


class Video(TVTensor):
    """Images one after the other: (..., T, C, H, W)."""


class Mask(TVTensor):
    """What belongs to an object, or the class of each place: (..., H, W)."""


class BoundingBoxFormat(Enum):
    """What the four numbers of a box are: corners, corner and size, or centre and size."""

    XYXY, XYWH, CXCYWH = "XYXY", "XYWH", "CXCYWH"


class BoundingBoxes(TVTensor):
    """Boxes (N, 4) of an image, whose (height, width) is `canvas_size`."""

    format: BoundingBoxFormat
    canvas_size: tuple[int, int]

    def __new__(cls, data: Any, *, format: Any, canvas_size: Any, **words: Any) -> Any:
        """Return the boxes, also of one alone."""
        made = super().__new__(cls, data, **words)
        made = made[None].as_subclass(cls) if made.ndim == 1 else made
        made.format = BoundingBoxFormat[format.upper()] if isinstance(format, str) else format
        made.canvas_size = (int(canvas_size[0]), int(canvas_size[1]))
        return made


def facts(tensor: Tensor) -> dict[str, Any]:
    """Return what a tensor knows beside its numbers."""
    return {word: vars(tensor)[word] for word in ("format", "canvas_size") if word in vars(tensor)}


def wrap(wrappee: Tensor, *, like: Any, **words: Any) -> Any:
    """Return a tensor as the kind of another."""
    if not isinstance(like, TVTensor):
        return wrappee
    made = wrappee.as_subclass(type(like))
    vars(made).update({**facts(like), **words})
    return made


NAMES: dict[str, Any] = {
    one.__name__: one
    for one in (TVTensor, Image, Video, Mask, BoundingBoxFormat, BoundingBoxes, wrap)
} | {"is_pure_tensor": lambda inpt: isinstance(inpt, Tensor) and not isinstance(inpt, TVTensor)}
