"""einops where it is not installed: axes by their names, "b c (h p) w -> b (h w) (p c)"."""

from __future__ import annotations

import math
import re
import string
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .dialect import Modules

TOKEN = re.compile(r"\(|\)|\.\.\.|[A-Za-z_]\w*|\d+")
Groups = list[list[str]]


class EinopsError(RuntimeError):
    """A pattern that does not fit."""


def reduce(tensor: Any, pattern: str, reduction: Any, **axes_lengths: int) -> Any:
    """Return a tensor with its axes in another order; those that are left out are reduced."""
    if isinstance(tensor, (list, tuple)):
        tensor = torch.stack(tuple(map(torch.as_tensor, tensor)))
    if isinstance(tensor, np.ndarray):
        return reduce(torch.from_numpy(tensor), pattern, reduction, **axes_lengths).numpy()
    left, right = _sides(pattern, tensor.ndim)
    sizes = _sizes(left, tensor.shape, axes_lengths, pattern)
    names = [name for group in left for name in group if name != "1"]
    out = tensor.reshape([sizes[name] for name in names])
    wanted = [name for group in right for name in group if name != "1"]
    lost = [name for name in names if name not in wanted]
    if lost and reduction is None:
        raise EinopsError(f"{pattern!r}: axes {lost} are only on the left of the arrow")
    for name in reversed(lost):
        out = _reduced(out, names.index(name), reduction)
        names.remove(name)
    for name in [one for one in wanted if one not in names]:
        if name not in sizes:
            raise EinopsError(f"{pattern!r}: the length of axis {name!r} is not known")
        out, names = out.unsqueeze(0).expand(sizes[name], *out.shape), [name, *names]
    out = out.permute([names.index(name) for name in wanted])
    return out.reshape([_product(sizes, group) for group in right])


def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Any:
    """Return a tensor with its axes in another order, taken apart or put together."""
    return reduce(tensor, pattern, None, **axes_lengths)


def repeat(tensor: Any, pattern: str, **axes_lengths: int) -> Any:
    """Return a tensor that is repeated along axes which are new on the right of the arrow."""
    return reduce(tensor, pattern, None, **axes_lengths)


def einsum(*given: Any) -> Any:
    """Return the sum of products over the axes that are left out, "i j, j k -> i k"."""
    *tensors, pattern = given
    letters: dict[str, str] = {}
    told = re.sub(
        r"[A-Za-z_]\w*",
        lambda found: letters.setdefault(found[0], string.ascii_letters[len(letters)]),
        pattern,
    )
    return torch.einsum(told.replace(" ", ""), *map(torch.as_tensor, tensors))


def parse_shape(x: Any, pattern: str) -> dict[str, int]:
    """Return the lengths of the axes of a pattern, but for `_`."""
    return {name: size for name, size in zip(pattern.split(), x.shape, strict=True) if name != "_"}


def _sides(pattern: str, rank: int) -> tuple[Groups, Groups]:
    """Return the groups of names on both sides; an ellipsis stands for the axes that are left."""
    sides = [_groups(side) for side in pattern.split("->")]
    if len(sides) != 2:
        raise EinopsError(f"{pattern!r} is no pattern: need 'axes -> axes'")
    count = rank - len([group for group in sides[0] if group != ["..."]])
    if count < 0 or (count and ["..."] not in sides[0]):
        raise EinopsError(f"{pattern!r} has {len(sides[0])} axes on the left, the tensor {rank}")
    rest = [f"...{number}" for number in range(count)]
    for side in sides:
        for at in [at for at, group in enumerate(side) if group == ["..."]]:
            side[at : at + 1] = [[name] for name in rest]
        side[:] = [
            [one for name in group for one in (rest if name == "..." else [name])] for group in side
        ]
    return sides[0], sides[1]


def _groups(side: str) -> Groups:
    groups, inside = list[list[str]](), False
    for token in TOKEN.findall(side):
        if token in "()":
            inside = token == "("
            groups += [[]] if inside else []
        elif inside:
            groups[-1].append(token)
        else:
            groups.append([token])
    return groups


def _sizes(left: Groups, shape: Any, given: Mapping[str, int], pattern: str) -> dict[str, Any]:
    """Return the length of each axis; of one in a group, what the others leave."""
    sizes: dict[str, Any] = dict(given)
    sizes |= {name: int(name) for group in left for name in group if name.isdigit()}
    for at, group in enumerate(left):
        unknown = [name for name in group if name not in sizes]
        if len(unknown) > 1:
            raise EinopsError(f"{pattern!r}: give the lengths of all but one of {unknown}")
        known = _product(sizes, [name for name in group if name in sizes])
        if unknown:
            sizes[unknown[0]] = shape[at] // known
        elif isinstance(shape[at], int) and shape[at] != known:
            raise EinopsError(f"{pattern!r}: axis {at} is {shape[at]} long, need {known}")
        if isinstance(shape[at], int) and shape[at] % max(known, 1):
            raise EinopsError(f"{pattern!r}: {known} does not divide {shape[at]}, axis {at}")
    return sizes


def _product(sizes: Mapping[str, Any], group: Sequence[str]) -> Any:
    return math.prod(int(name) if name.isdigit() else sizes[name] for name in group)


def _reduced(x: Tensor, axis: int, reduction: Any) -> Tensor:
    if callable(reduction):
        made: Tensor = reduction(x, (axis,))
        return made
    word = {"max": "amax", "min": "amin"}.get(reduction, reduction)
    out: Tensor = getattr(x, word)(axis)
    return out


class Rearrange(nn.Module):
    """`rearrange` as a layer."""

    def __init__(self, pattern: str, **axes_lengths: int) -> None:
        super().__init__()
        self.pattern, self.axes_lengths = pattern, axes_lengths

    def forward(self, input: Tensor) -> Any:
        """Change the order of the axes."""
        return rearrange(input, self.pattern, **self.axes_lengths)


class Reduce(Rearrange):
    """`reduce` as a layer."""

    def __init__(self, pattern: str, reduction: Any, **axes_lengths: int) -> None:
        super().__init__(pattern, **axes_lengths)
        self.reduction = reduction

    def forward(self, input: Tensor) -> Any:
        """Reduce the axes that are left out."""
        return reduce(input, self.pattern, self.reduction, **self.axes_lengths)


def modules() -> Modules:
    """Return the stand-ins by their paths."""
    functions = {one.__name__: one for one in (rearrange, repeat, reduce, einsum, parse_shape)}
    return {
        "einops": {**functions, "EinopsError": EinopsError, "asnumpy": np.asarray},
        "einops.layers": {},
        "einops.layers.torch": {"Rearrange": Rearrange, "Reduce": Reduce},
    }
