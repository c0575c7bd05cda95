"""Optimizers of a script go over the weights once: by Striate's kernels, or by torch's."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, optim
from torch.optim import adadelta, adagrad, adam, sgd

from ...engine.one_pass import change, plain
from ...lower.builder import Update
from ...lower.optimizer import Rule, update
from ...lower.runtime import Library, library
from ..dialect import Patch

FUSED = (optim.SGD, optim.Adam, optim.AdamW, optim.Adagrad)
CHOSEN = ("foreach", "fused", "capturable", "differentiable")  # a script that asks for one gets it
RULED = (optim.SGD, optim.Adam, optim.AdamW)  # whose steps may be a part of a plan
OTHERWISE = ("maximize", "capturable", "differentiable", "has_sparse_grad")  # no kernel does it
Fields = dict[str, float]


def patches() -> Sequence[Patch]:
    """Let the groups of these optimizers be updated in one pass, instead of one for each term.

    The numbers are the same to rounding, and what an optimizer keeps is what torch's keeps. Groups
    of anything but float32 on the processor are left as they are, and so are those of which the
    script itself says how.
    """
    native = library()
    steps = []
    for module, name, make in STEPS:
        step = getattr(module, name)
        steps.append((module, name, _laid(make(step, native) if make and native else step)))
    return ((optim.Optimizer, "add_param_group", _fused(optim.Optimizer.add_param_group)), *steps)


def _laid(original: Callable[..., None]) -> Callable[..., None]:
    """Return a function of torch's whose gradients, and what is kept, lie as the weights do.

    Where they do not, torch 2.13's fused optimizers take one number's gradient for another's: after
    `net.to(memory_format=torch.channels_last)`, say, what is kept still lies as before.
    """

    @functools.wraps(original)
    def step(params: list[Tensor], grads: list[Tensor], *kept: Any, **words: Any) -> None:
        pairs = zip(params, grads, strict=True)
        laid = [_as(weight, gradient) for weight, gradient in pairs]
        turned = []
        for several in kept:
            for place, one in enumerate(several if isinstance(several, list) else ()):
                if one is not None and one.ndim and _as(params[place], one) is not one:
                    several[place] = _as(params[place], one)
                    turned.append((several, place, one))
        original(params, laid, *kept, **words)
        for several, place, one in turned:
            one.copy_(several[place])
            several[place] = one

    return step


def _as(weight: Tensor, gradient: Tensor) -> Tensor:
    if gradient.layout is not torch.strided or gradient.stride() == weight.stride():
        return gradient
    return torch.empty_like(weight, dtype=gradient.dtype).copy_(gradient)


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
        if _others(words) or not plain(several):
            original(params, grads, squares, changes, steps, **words)
            return
        rule = {**_decayed(Rule.ADADELTA, words), "rate": float(words["lr"]), "step": 1,
                "momentum": words["rho"], "epsilon": words["eps"]}  # fmt: skip
        torch._foreach_add_(steps, 1)
        change(native, rule, several)

    return step


def _adam(original: Callable[..., None], native: Library) -> Callable[..., None]:
    @functools.wraps(original)
    def step(
        params: list[Tensor],
        grads: list[Tensor],
        means: list[Tensor],
        squares: list[Tensor],
        most: list[Tensor],
        steps: list[Tensor],
        *scaled: Any,
        **words: Any,
    ) -> None:
        several = [*zip(params, grads, means, squares, *([most] if most else []), strict=True)]
        numbers = {float(count) + 1 for count in steps}
        if _others(words, *scaled) or len(numbers) != 1 or not plain(several):
            original(params, grads, means, squares, most, steps, *scaled, **words)
            return
        torch._foreach_add_(steps, 1)
        (number,) = numbers
        first, second = float(words["beta1"]), float(words["beta2"])
        rule = {**_decayed(Rule.CORRECTED_ADAM, words), "rate": float(words["lr"]),
                "step": int(number), "momentum": first, "second_decay": second,
                "epsilon": words["eps"]}  # fmt: skip
        change(native, rule, several)

    return step


def _decayed(rule: Rule, words: dict[str, Any]) -> Fields:
    """Return a rule with its decay: of the weights themselves, or as a part of the gradients."""
    return {"optimizer": rule, **_part(_decay(words))}


def _sgd(original: Callable[..., None], native: Library) -> Callable[..., None]:
    @functools.wraps(original)
    def step(
        params: list[Tensor],
        grads: list[Tensor],
        kept: list[Tensor | None],
        *scaled: Any,
        **words: Any,
    ) -> None:
        slots = [kept] if words["momentum"] else []
        several: list[Any] = [*zip(params, grads, *slots, strict=True)]
        begin = [place for place, one in enumerate(kept) if slots and one is None]
        if 0 < len(begin) < len(kept):  # torch takes them together alone
            for places in (begin, sorted({*range(len(kept))} - {*begin})):
                part: list[Any] = [
                    [one[place] for place in places] for one in (params, grads, kept)
                ]
                step(*part, *scaled, **words)
                for place, one in zip(places, part[2], strict=True):
                    kept[place] = one
            return
        if begin or _others(words, *scaled) or not plain(several):
            original(params, grads, kept, *scaled, **words)
            return
        rule = Rule.HEAVY_BALL if words["momentum"] else Rule.SGD
        fields = {**_decayed(rule, words), "rate": float(words["lr"]), "step": 1,
                  "momentum": words["momentum"], "second_decay": words["dampening"],
                  "nesterov": words["nesterov"]}  # fmt: skip
        change(native, fields, several)

    return step


def _others(words: dict[str, Any], *scaled: Any) -> bool:
    """Return whether a step is asked for that no kernel makes."""
    return any(words.get(word) for word in OTHERWISE) or any(one is not None for one in scaled)


STEPS: tuple[tuple[Any, str, Callable[..., Any] | None], ...] = (
    (adadelta, "_single_tensor_adadelta", _adadelta),
    (adagrad, "_fused_adagrad", None),
    (adam, "_fused_adam", _adam),
    (sgd, "_fused_sgd", _sgd),
)


def slots_of(group: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of what an optimizer keeps for each weight of a group."""
    if "betas" in group:
        return ("exp_avg", "exp_avg_sq", *(("max_exp_avg_sq",) if group["amsgrad"] else ()))
    return ("momentum_buffer",) if group["momentum"] else ()


def rule_of(optimizer: Any) -> Update | None:
    """Return an optimizer in the kernels' words, or None where they have another formula."""
    group = optimizer.param_groups[0]
    if type(optimizer) not in RULED or any(group.get(word) for word in OTHERWISE):
        return None
    if not group.get("fused") or getattr(optimizer, "grad_scale", None) is not None:
        return None
    decay = _decay(group)
    if "betas" in group:
        return _adam_rule(slots_of(group), *group["betas"], group["eps"], decay)
    return _sgd_rule(
        slots_of(group), group["momentum"], group["dampening"], bool(group["nesterov"]), decay
    )


Decay = tuple[str, float]  # the field of a rule that it is, and how much


@functools.lru_cache(64)
def _adam_rule(
    slots: tuple[str, ...], first: float, second: float, epsilon: float, decay: Decay
) -> Update:
    return update(Rule.CORRECTED_ADAM, slots, momentum=first, second_decay=second, epsilon=epsilon,
                  **_part(decay))  # fmt: skip


@functools.lru_cache(64)
def _sgd_rule(
    slots: tuple[str, ...], momentum: float, dampening: float, nesterov: bool, decay: Decay
) -> Update:
    rule = Rule.HEAVY_BALL if momentum else Rule.SGD
    return update(rule, slots, momentum=momentum, second_decay=dampening, nesterov=int(nesterov),
                  **_part(decay))  # fmt: skip


def _decay(words: Mapping[str, Any]) -> Decay:
    return "weight_decay" if words.get("decoupled_weight_decay") else "l2", words["weight_decay"]


def _part(decay: Decay) -> Fields:
    """Return a decay as a field; that of the squares counts twice in their gradient."""
    field, amount = decay
    return {field: amount / 2 if field == "l2" else amount}
