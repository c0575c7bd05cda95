"""One pass: an optimizer's step in the native library, for loops that are not `fit`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from ..lower.optimizer import update_of
from ..lower.runtime import Library, Row, library
from ..optimizers import Optimizer
from ..optimizers.optimizer import State


@torch.no_grad()
def update(
    optimizer: Optimizer, weights: Sequence[Tensor], grads: Sequence[Tensor | None], state: State
) -> bool:
    """Change weights and state as `optimizer.update` does, each weight in one pass.

    Returns whether there is a native way; if not, nothing has changed.
    """
    native, rule = library(), update_of(optimizer)
    given = [one for one in grads if one is not None]
    if native is None or isinstance(rule, str) or len(given) < len(grads):
        return False
    several = [*zip(weights, given, *(state[name] for name in rule.slots), strict=True)]
    if not plain(several):
        return False
    step = {**rule.fields, "rate": optimizer.rate(state), "step": state["step"] + 1}
    change(native, step, several)
    state["step"] += 1
    return True


def change(native: Library, rule: Mapping[str, float], several: Sequence[Sequence[Tensor]]) -> None:
    """Change weights by `Library.update`; torch counts the change.

    Each of `several` is a weight, its gradient and what is kept for it.
    """
    native.update(rule, [_row(*tensors) for tensors in several])
    increment_version([weight for weight, *_ in several])


def _row(weight: Tensor, *others: Tensor) -> Row:
    places = [other.data_ptr() for other in others] + [None] * (4 - len(others))
    return (weight.data_ptr(), *places, weight.numel())  # type: ignore[return-value]


def plain(several: Sequence[Sequence[Tensor]]) -> bool:
    """Return whether `change` can work on these tensors where they lie."""
    return all(
        one.dtype is torch.float32
        and one.device.type == "cpu"
        and one.is_contiguous()
        and one.shape == tensors[0].shape
        for tensors in several
        for one in tensors
    )
