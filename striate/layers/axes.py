"""Which axis of a sample a number means, as the fields `axis` of layers count them."""

from __future__ import annotations

from ..core.spec import Spec
from ..errors import ConfigError, ShapeError

Axes = int | tuple[int, ...]


def checked_axes(where: str, axis: object, *, several: bool = False, field: str = "axis") -> None:
    """Raise ConfigError unless `axis` is a whole number or, with `several`, a tuple of them."""
    many = isinstance(axis, (tuple, list))
    axes: tuple[object, ...] = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    whole = all(isinstance(one, int) and not isinstance(one, bool) for one in axes)
    if axes and whole and (several or not many):
        return
    raise ConfigError(
        where,
        f"{field}={axis!r} is not {'one axis or several' if several else 'one axis'}",
        need="a whole number" + (" or a tuple of them" if several else "") + "; 0 is the batch",
        fix=f"{field}=-1" if field == "axis" else f"{field}=(1, 2)",
    )


def place(
    where: str, axis: int, x: Spec, *, channels: bool = True, field: str = "axis", fix: str = "-1"
) -> int:
    """Return the position in `x.shape` of an axis, or raise ShapeError if it is not there.

    Axes are counted as Keras counts them: from 1, the batch being 0, or from the end. With
    `channels`, -1 is the axis of the channels in the layout of `x`. `field` and `fix` are for the
    message: where the number stands, and what could stand there.
    """
    rank = len(x.shape)
    if channels and axis == -1 and rank:
        return x.channel_axis % rank
    if isinstance(axis, int) and not isinstance(axis, bool) and axis and -rank <= axis <= rank:
        return axis - 1 if axis > 0 else axis + rank
    raise ShapeError(
        where,
        f"{field}={axis!r} is not an axis of a sample",
        got=f"input {x}",
        need=f"an axis from 1 to {rank}, or from -{rank} to -1; 0 is the batch",
        fix=f"{field}={fix}",
    )


def size(where: str, x: Spec, at: int, first: Spec | None) -> int:
    """Return the size of the axis at a position, for which weights are made.

    `first` is the spec of the layer's first call, if there was one; its size must be the same.
    Raises: ShapeError where the size is not known, or another than at the first call.
    """
    known = x.shape[at]
    if known is None:
        raise ShapeError(
            where,
            f"the size of axis {at + 1} must be known: the weights are made for it",
            got=f"input {x}",
            need=f"a number on axis {at + 1}",
            fix="give the size in L.Input(shape)",
        )
    if first is not None and (len(first.shape) <= at or first.shape[at] != known):
        raise ShapeError(
            where,
            "is shared by inputs of different sizes",
            got=f"input {x}, axis {at + 1} = {known}",
            need=f"input {first}, as at its first call",
            fix="one layer for each input",
        )
    return known
