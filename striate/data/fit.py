"""Whether a batch fits the inputs of a model, and what is probably wrong where it does not."""

from __future__ import annotations

import torch
from torch import Tensor

from ..core.spec import Shape, Spec, fits, sample_shape, show
from ..errors import ShapeError


def check_batch(
    where: str, specs: tuple[Spec, ...], tensors: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    """Return the batch in the dtypes of the inputs, or raise ShapeError with a diagnosis.

    An axis of one may be missing or too many: see `sample_shape`. Nothing else is changed silently.
    """
    if len(tensors) != len(specs):
        raise ShapeError(
            where,
            f"takes {len(specs)} input{'s'[: len(specs) != 1]}, not {len(tensors)}",
            need=", ".join(map(str, specs)),
            fix="one array for each input, in the order of model.inputs",
        )
    return tuple(_fitted(where, spec, x) for spec, x in zip(specs, tensors, strict=True))


def _fitted(where: str, spec: Spec, x: Tensor) -> Tensor:
    sizes = tuple(x.shape[1:])
    sample = sample_shape(spec, sizes)
    x = x if sample == sizes else x.reshape(len(x), *sample)
    if not fits(spec.shape, tuple(x.shape[1:])):
        raise ShapeError(
            where,
            "the batch does not fit the model's input",
            got=show(tuple(x.shape)),
            need=batch_shape(spec.shape),
            fix=diagnosis(spec, tuple(x.shape)),
        )
    dtype = getattr(torch, spec.dtype)
    keeps = x.dtype == dtype or (x.is_floating_point() and dtype.is_floating_point)
    return x if keeps else x.to(dtype)


def batch_shape(shape: Shape) -> str:
    """Return the shape of a batch of samples as it is printed: `(N, 28, 28, 1)`."""
    return show((None, *shape)).replace("?", "N", 1)


def diagnosis(spec: Spec, shape: tuple[int, ...]) -> str:
    """Return what was probably meant by a batch of another shape than the model takes."""
    rank = len(spec.shape)
    if fits(spec.shape, shape):
        return "this is one sample without the batch axis: x[None]"
    if len(shape) == rank + 1 and rank > 1:
        moved = (*shape[2:], shape[1]) if spec.channel_axis == -1 else (shape[-1], *shape[1:-1])
        if fits(spec.shape, moved):
            here, there = ("first", "last") if spec.channel_axis == -1 else ("last", "first")
            last = spec.channel_axis == -1
            order = (0, *range(2, rank + 1), 1) if last else (0, rank, *range(1, rank))
            return f"the channels are {here}, the model takes them {there}: x.transpose{order}"
        if spec.channels is not None and shape[spec.channel_axis] != spec.channels:
            return _other_channels(spec, shape[spec.channel_axis])
        return f"resize the images: L.Resizing{show(spec.spatial)}(x), or put the layer in front"
    if len(shape) == 2 and spec.numel == shape[1]:
        return f"the images are flat: x.reshape(-1, {show(spec.shape)[1:-1]})"
    return f"samples of shape {show(spec.shape)}, with the batch axis first"


def _other_channels(spec: Spec, given: int) -> str:
    """Return how images of other channels than the model takes are brought to its own."""
    wanted, last = spec.channels, spec.channel_axis == -1
    axis = -1 if last else 1
    change = {
        (3, 1): f": x.mean({axis}, keepdims=True)",
        (1, 3): f": np.repeat(x, 3, {axis})",
        (4, 3): f": x[{'..., :3' if last else ':, :3'}]",
    }.get((given, wanted or 0), "")
    plural = "s"[: wanted != 1]
    return f"the model takes {wanted} channel{plural}, the batch has {given}{change}"
