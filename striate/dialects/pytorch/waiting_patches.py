"""What lets a script's gradients wait, and what ends it: methods of torch that tell of a use."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn, optim

from ..dialect import Patch
from ..session import Session
from .deferred import Deferred, Loss, patches as deferred
from .habit import home, weights_of
from .lost import retaining
from .optimizers import RULED
from .waiting import GRAD, Waits

DATA: Any = Tensor.data
CHANGING = [name for name in dir(Tensor)
            if name.endswith("_") and not name.startswith("_")
            and name not in ("requires_grad_", "retain_grad_")] + [
    "__setitem__", "__iadd__", "__isub__", "__imul__", "__itruediv__",
    "__getitem__", "detach", "numpy", "view", "reshape", "flatten", "t", "transpose", "permute",
    "unbind", "split", "chunk", "narrow", "select", "squeeze", "unsqueeze"]  # fmt: skip


def patches(session: Session) -> Sequence[Patch]:
    """Let `backward` and `step` of a script be one pass where nothing comes in between."""
    waits = Waits(session.script)
    old = session.version.name == "pytorch0"
    backward = retaining(Tensor.backward) if old else Tensor.backward
    return [
        (Tensor, "backward", _backward(backward, waits)),
        (torch.autograd, "backward", _after(torch.autograd.backward, waits)),
        (torch.autograd, "grad", _after(torch.autograd.grad, waits)),
        (optim.Optimizer, "zero_grad", _zero(optim.Optimizer.zero_grad, waits)),
        (nn.Module, "zero_grad", _zero_module(nn.Module.zero_grad, waits)),
        (optim.Optimizer, "state", _state()),
        (optim.Optimizer, "__setstate__", _loading(optim.Optimizer.__setstate__)),
        (nn.Parameter, "grad", _watched(GRAD, waits.settle)),
        (nn.Parameter, "data", _watched(DATA, waits.settle_all)),
        *((nn.Parameter, name, _method(name, waits)) for name in CHANGING),
        *((kind, "step", _step(kind, waits)) for kind in RULED),
        *deferred(old=old),
    ]


def _backward(original: Callable[..., None], waits: Waits) -> Callable[..., None]:
    @functools.wraps(original)
    def backward(self: Tensor, *args: Any, **words: Any) -> None:
        alone = not args and not words
        if type(self) is Deferred:
            made = self.made
            if alone and isinstance(made, Loss) and waits.backward_of(made):
                return
            made.fill(self)
        plain = alone and type(self) is Tensor and not self.ndim
        if not plain or not waits.backward(self):
            original(self, *args, **words)

    return backward


def _after(original: Callable[..., Any], waits: Waits) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(*args: Any, **words: Any) -> Any:
        if waits.here.waiting is not None:
            waits.settle()
        return original(*args, **words)

    return call


def _method(name: str, waits: Waits) -> Callable[..., Any]:
    """Return a method of parameters, as tensors have it at the time of the call."""

    @functools.wraps(getattr(Tensor, name))
    def method(self: Tensor, *args: Any, **words: Any) -> Any:
        waits.settle_all()
        return getattr(Tensor, name)(self, *args, **words)

    return method


def _zero(original: Callable[..., None], waits: Waits) -> Callable[..., None]:
    @functools.wraps(original)
    def zero_grad(self: Any, set_to_none: bool = True) -> None:
        waits.settle()
        weights = weights_of(self)
        waits.zeroed(weights)
        if not set_to_none or torch._C._autograd._profiler_enabled():
            original(self, set_to_none)
            return
        for one in weights:
            if GRAD.__get__(one) is not None:
                one.grad = None

    return zero_grad


def _zero_module(original: Callable[..., None], waits: Waits) -> Callable[..., None]:
    @functools.wraps(original)
    def zero_grad(self: nn.Module, set_to_none: bool = True) -> None:
        waits.settle()
        waits.zeroed(self.parameters())
        original(self, set_to_none)

    return zero_grad


def _state() -> property:
    def get(self: optim.Optimizer) -> Any:
        home(self)
        return vars(self)["state"]

    def put(self: optim.Optimizer, value: Any) -> None:
        home(self)
        vars(self)["state"] = value

    return property(get, put)


def _loading(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def set_state(self: optim.Optimizer, state: dict[str, Any]) -> None:
        home(self)
        original(self, state)

    return set_state


def _watched(field: Any, settle: Callable[[], None]) -> property:
    """Return a field of a parameter, before whose use nothing waits."""

    def get(self: Tensor) -> Any:
        settle()
        return field.__get__(self)

    def put(self: Tensor, value: Any) -> None:
        settle()
        field.__set__(self, value)

    def delete(self: Tensor) -> None:
        put(self, None)

    return property(get, put, delete)


def _step(kind: Any, waits: Waits) -> Callable[..., Any]:
    original = kind.step
    if not getattr(original, "hooked", False):
        original = optim.Optimizer.profile_hook_step(original)

    @functools.wraps(original)
    def step(self: Any, closure: Any = None) -> Any:
        if closure is None and type(self) is kind and waits.step(self):
            return None
        out = original(self, closure)
        if closure is None:
            waits.stepped(self)
        return out

    step.hooked = True  # type: ignore[attr-defined]
    return step
