"""One pass: an optimizer's step in the native library, for loops that are not `fit`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..lower.optimizer import update_of
from ..lower.runtime import library
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
    if not all(map(_plain, (*weights, *given, *(one for kept in slots for one in kept)))):
        return False
    step = {**rule.fields, "rate": optimizer.rate(state), "step": state["step"] + 1}
    for place, (weight, grad) in enumerate(zip(weights, given, strict=True)):
        kept = [slot[place].numpy() for slot in slots]
        native.update(step, weight.detach().numpy(), grad.detach().numpy(), kept)
        weight.unsqueeze(0)[:0].zero_()  # so that torch counts the change
    state["step"] += 1
    return True


def _plain(one: Tensor) -> bool:
    return one.dtype is torch.float32 and one.device.type == "cpu" and one.is_contiguous()
