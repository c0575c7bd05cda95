"""One pass: an optimizer's step in the native library, for loops that are not `fit`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ..lower.optimizer import update_of
from ..lower.runtime import Library, library
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
    slots = [state[name] for name in rule.slots]
    if not all(map(plain, (*weights, *given, *(one for kept in slots for one in kept)))):
        return False
    step = {**rule.fields, "rate": optimizer.rate(state), "step": state["step"] + 1}
    for place, (weight, grad) in enumerate(zip(weights, given, strict=True)):
        change(native, step, weight, grad, [slot[place] for slot in slots])
    state["step"] += 1
    return True


def change(
    native: Library,
    rule: Mapping[str, float],
    weight: Tensor,
    grad: Tensor,
    kept: Sequence[Tensor],
) -> None:
    """Change a weight, and what is kept for it, by `Library.update`; torch counts the change."""
    arrays = [slot.detach().numpy() for slot in kept]
    native.update(rule, weight.detach().numpy(), grad.detach().numpy(), arrays)
    weight.unsqueeze(0)[:0].zero_()


def plain(one: Tensor) -> bool:
    """Return whether the native library can work on a tensor where it lies."""
    return one.dtype is torch.float32 and one.device.type == "cpu" and one.is_contiguous()
