"""Optimizers of a script take torch's kernels of one pass, where a processor has them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import optim

from ..dialect import Patch

FUSED = (optim.SGD, optim.Adam, optim.AdamW, optim.Adagrad)
CHOSEN = ("foreach", "fused", "capturable", "differentiable")  # a script that asks for one gets it


def patches() -> Sequence[Patch]:
    """Let the groups of these optimizers be updated in one pass, instead of one for each term.

    The numbers are the same to rounding. Groups of anything but float32 on the processor are left
    as they are, and so are those of which the script itself says how.
    """
    return ((optim.Optimizer, "add_param_group", _fused(optim.Optimizer.add_param_group)),)


def _fused(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def add_param_group(self: Any, param_group: Any) -> None:
        original(self, param_group)
        group = self.param_groups[-1]
        plain = all(one.dtype is torch.float32 and one.device.type == "cpu"
                    for one in group["params"])  # fmt: skip
        if type(self) in FUSED and plain and not any(group.get(option) for option in CHOSEN):
            group["fused"] = True

    return add_param_group
