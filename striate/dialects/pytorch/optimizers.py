"""Optimizers of a script go over the weights once: by torch's kernels, or by Striate's."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, optim
from torch.optim import adadelta

from ...engine.one_pass import change, plain
from ...lower.optimizer import Rule
from ...lower.runtime import Library, library
from ..dialect import Patch

FUSED = (optim.SGD, optim.Adam, optim.AdamW, optim.Adagrad)
CHOSEN = ("foreach", "fused", "capturable", "differentiable")  # a script that asks for one gets it


def patches() -> Sequence[Patch]:
    """Let the groups of these optimizers be updated in one pass, instead of one for each term.

    The numbers are the same to rounding. Groups of anything but float32 on the processor are left
    as they are, and so are those of which the script itself says how.
    """
    adding = (optim.Optimizer, "add_param_group", _fused(optim.Optimizer.add_param_group))
    native = library()
    if native is None:
        return (adding,)
    name = "_single_tensor_adadelta"
    made = _adadelta(getattr(adadelta, name), native)
    return (adding, (adadelta, name, made))


def _fused(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def add_param_group(self: Any, param_group: Any) -> None:
        original(self, param_group)
        group = self.param_groups[-1]
        usual = all(one.dtype is torch.float32 and one.device.type == "cpu"
                    for one in group["params"])  # fmt: skip
        if type(self) in FUSED and usual and not any(group.get(option) for option in CHOSEN):
            group["fused"] = True

    return add_param_group


def _adadelta(original: Callable[..., None], native: Library) -> Callable[..., None]:
    """Return torch's function for Adadelta, which goes over each weight eleven times, in one."""

    @functools.wraps(original)
    def step(
        params: list[Tensor],
        grads: list[Tensor],
        squares: list[Tensor],
        changes: list[Tensor],
        steps: list[Tensor],
        **words: Any,
    ) -> None:
        several = [*zip(params, grads, squares, changes, strict=True)]
        given = ("maximize", "differentiable", "capturable")
        flat = all(plain(one) for tensors in several for one in tensors)
        if any(words[word] for word in given) or not flat:
            original(params, grads, squares, changes, steps, **words)
            return
        rule = {"optimizer": Rule.ADADELTA, "momentum": words["rho"], "epsilon": words["eps"],
                "l2": words["weight_decay"] / 2, "rate": float(words["lr"]), "step": 1}  # fmt: skip
        for count, (weight, gradient, *kept) in zip(steps, several, strict=True):
            count += 1
            change(native, rule, weight, gradient, kept)

    return step
