"""What scripts of Keras 0 and 1 call on Theano's tensors: `x.dimshuffle(0, 2, 1)`."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ...core.symbol import Symbol
from ..symbolic import lift, tensor


def dimshuffle(x: Any, *pattern: Any) -> Tensor:
    """Return the axes in another order; `"x"` is a new one of size 1, and one left out was it."""
    order = pattern[0] if len(pattern) == 1 and isinstance(pattern[0], (list, tuple)) else pattern
    kept = [axis for axis in order if axis != "x"]
    given = tensor(x)
    dropped = [axis for axis in range(given.dim()) if axis not in kept]
    moved = given.permute(*kept, *dropped).flatten(len(kept)) if dropped else given.permute(*kept)
    moved = moved.squeeze(-1) if dropped else moved
    for place, axis in enumerate(order):
        moved = moved.unsqueeze(place) if axis == "x" else moved
    return moved


def get_value(x: Tensor, borrow: bool = False, **words: Any) -> Any:
    """Return a shared variable as an array."""
    return x.detach().cpu().numpy().copy()


def set_value(x: Tensor, value: Any, borrow: bool = False) -> None:
    """Set a shared variable."""
    x.data.copy_(tensor(value))


def patches() -> list[tuple[Any, str, Any]]:
    """Return the rows: object, attribute, value."""
    return [
        (Symbol, "dimshuffle", lift(dimshuffle)), (Tensor, "dimshuffle", dimshuffle),
        (Tensor, "get_value", get_value), (Tensor, "set_value", set_value),
    ]  # fmt: skip
