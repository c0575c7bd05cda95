"""Spec: shape, dtype and layout of a tensor that is not there yet."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, one_of
from ..settings import plain

if TYPE_CHECKING:
    import torch

Shape = tuple[int | None, ...]
LAYOUTS = ("channels_last", "channels_first")


@dataclass(frozen=True, slots=True)
class Spec:
    """A tensor's shape as the user sees it, without the batch axis.

    `shape` has None where a size is known only at run time. `data_format` says where the channels
    are ("channels_last": (H, W, C); "channels_first": (C, H, W)) and travels with the tensor
    through the network. `dtype` is torch's name of it, without the prefix.
    """

    shape: Shape
    dtype: str = "float32"
    data_format: str = "channels_last"

    @staticmethod
    def of(tensor: torch.Tensor, data_format: str = "channels_last") -> Spec:
        """Return the spec of a batch."""
        dtype = str(tensor.dtype).removeprefix("torch.")
        return Spec(tuple(tensor.shape[1:]), dtype, data_format)

    @property
    def channel_axis(self) -> int:
        """Position of the channels in `shape`, counted from the end: -1, or -rank when first."""
        return -1 if self.data_format == "channels_last" else -len(self.shape)

    @property
    def channels(self) -> int | None:
        """Number of channels."""
        return self.shape[self.channel_axis]

    @property
    def spatial(self) -> Shape:
        """Sizes of the axes that are not channels."""
        return self.shape[:-1] if self.data_format == "channels_last" else self.shape[1:]

    @property
    def numel(self) -> int | None:
        """Values per sample."""
        return None if None in self.shape else math.prod(self.shape)  # type: ignore[arg-type]

    def replace(self, spatial: Shape | None = None, channels: int | None = None) -> Spec:
        """Return the spec with other spatial sizes or another number of channels."""
        spatial = self.spatial if spatial is None else spatial
        depth = self.channels if channels is None else channels
        last = self.data_format == "channels_last"
        return replace(self, shape=(*spatial, depth) if last else (depth, *spatial))

    def reshape(self, shape: Shape) -> Spec:
        """Return the spec with another shape."""
        return replace(self, shape=shape)

    def axes(self, spatial: tuple[object, ...], channels: object) -> tuple[object, ...]:
        """Return one answer per axis, in this layout's order."""
        return (*spatial, channels) if self.data_format == "channels_last" else (channels, *spatial)

    def __str__(self) -> str:
        return show(self.shape)


def show(shape: Shape) -> str:
    """Return a shape as it is printed: `(28, 28, 1)`, with `?` for an unknown size."""
    inner = ", ".join("?" if size is None else str(size) for size in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def sample_shape(spec: Spec, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape in which an input reads samples of these sizes.

    They get the axis of a single channel that they lack, and lose a last axis of one where that
    is one too many: (28, 28) fits an input of (28, 28, 1), and the other way round.
    """
    if spec.channels == 1 and len(sizes) == len(spec.shape) - 1 and fits(spec.spatial, sizes):
        return (*sizes, 1) if spec.channel_axis == -1 else (1, *sizes)
    if sizes[-1:] == (1,) and fits(spec.shape, sizes[:-1]):
        return sizes[:-1]
    return sizes


def fits(shape: Shape, sizes: tuple[int, ...]) -> bool:
    """Return whether sizes are those of a shape, in which None is any size."""
    return len(shape) == len(sizes) and all(
        wanted in (None, size) for wanted, size in zip(shape, sizes, strict=True)
    )


def spatial_names(rank: int) -> str:
    """Return the letters of the spatial axes: `L`, `HW` or `DHW`."""
    return {1: "L", 2: "HW", 3: "DHW"}.get(rank, "?" * rank)


def checked_shape(where: str, shape: object) -> Shape:
    """Return `shape` as a tuple of positive sizes and None, or raise ConfigError."""
    shape = plain(shape)
    if not isinstance(shape, (tuple, list)) or not all(
        size is None or (isinstance(size, int) and not isinstance(size, bool) and size > 0)
        for size in shape
    ):
        raise ConfigError(
            where,
            "the shape is not a tuple of positive whole numbers",
            got=f"{shape!r}",
            need="the shape of one sample, without the batch, like (28, 28, 1)",
            fix=_meant(shape),
        )
    return tuple(shape)


def _meant(shape: object) -> str:
    """Return the shape that was probably meant: -1 stands for an unknown size."""
    sizes = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    if any(isinstance(size, bool) or not isinstance(size, int) or not size for size in sizes):
        return ""
    return str(tuple(None if size == -1 else abs(size) for size in sizes))


def checked_layout(where: str, data_format: object) -> None:
    """Raise ConfigError unless `data_format` is None or one of the two layouts."""
    if data_format is None:
        return
    try:
        one_of(where, "data_format", data_format, LAYOUTS)
    except ConfigError as error:
        layout = LAYOUTS[str(data_format).upper().startswith(("NC", "FIRST"))]
        error.rows.setdefault("fix", f'data_format="{layout}"')
        raise


def checked_sizes(
    where: str, field: str, value: object, rank: int, least: int = 1
) -> tuple[int, ...]:
    """Return one whole number per spatial axis from a number or a tuple, or raise ConfigError."""
    value = plain(value)
    several = isinstance(value, (tuple, list))
    sizes: tuple[Any, ...] = tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank
    whole = all(isinstance(size, int) and not isinstance(size, bool) for size in sizes)
    if len(sizes) == rank and whole and all(size >= least for size in sizes):
        return sizes
    raise ConfigError(
        where,
        f"{field}={value!r} does not give a size to each of {rank} spatial axes"
        if several and whole and len(sizes) != rank
        else f"{field}={value!r} is not a whole number of at least {least}",
        need=f"one whole number >= {least}, or a tuple of {rank}",
        fix=f"{field}={(3 if 'kernel' in field else 2 if 'pool' in field else 1)}",
    )


def checked_count(where: str, field: str, value: object) -> None:
    """Raise ConfigError unless `value` is a whole number of at least 1."""
    value = plain(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        fix = f"{field}={int(value) if isinstance(value, float) and value >= 1 else 1}"
        raise ConfigError(
            where,
            f"{field}={value!r} is not a whole number of at least 1",
            need=f"{field} >= 1",
            fix=fix,
        )
