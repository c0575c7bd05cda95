"""Loops and choices as functions, in the words of TensorFlow and Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .symbolic import tensor


def while_loop(cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any,
               *args: Any, maximum_iterations: Any = None, **words: Any) -> Any:  # fmt: skip
    """Return what is left after a body, as often as a condition holds."""
    alone = not isinstance(loop_vars, (list, tuple))
    values, turn = [loop_vars] if alone else list(loop_vars), 0
    while (maximum_iterations is None or turn < maximum_iterations) and bool(cond(*values)):
        made = body(*values)
        values, turn = [made] if not isinstance(made, (list, tuple)) else list(made), turn + 1
    return values[0] if alone else tuple(values)


def fori_loop(lower: int, upper: int, body_fun: Callable[..., Any], init_val: Any) -> Any:
    """Return what is left after a body of each number and the value before."""
    for index in range(int(lower), int(upper)):
        init_val = body_fun(index, init_val)
    return init_val


def foldl(fn: Callable[..., Any], elems: Any, initializer: Any = None, **words: Any) -> Any:
    """Return what is left after a function of the value before and each element."""
    parts = list(tensor(elems))
    value = parts.pop(0) if initializer is None else initializer
    for part in parts:
        value = fn(value, part)
    return value


def foldr(fn: Callable[..., Any], elems: Any, initializer: Any = None, **words: Any) -> Any:
    """Return what is left after a function of the value before and each element, the last first."""
    return foldl(fn, tensor(elems).flip(0), initializer)


def scan(fn: Callable[..., Any], elems: Any, initializer: Any = None, **words: Any) -> Tensor:
    """Return the values after each element of a function of the value before and the element."""
    parts = list(tensor(elems))
    value = parts.pop(0) if initializer is None else tensor(initializer)
    out = [value] if initializer is None else []
    for part in parts:
        value = fn(value, part)
        out.append(tensor(value))
    return torch.stack(out)


def scanned(f: Callable[..., Any], init: Any, xs: Any = None, length: Any = None,
            **words: Any) -> Any:  # fmt: skip
    """Return what is carried at the end, and what each element gave, as keras.ops.scan does."""
    carry, out = init, []
    for part in range(int(length)) if xs is None else tensor(xs):
        carry, made = f(carry, part)
        out.append(made)
    return carry, None if not out or out[0] is None else torch.stack([tensor(one) for one in out])


def switch_case(branch_index: Any, branch_fns: Any, default: Any = None, name: Any = None) -> Any:
    """Return what the function of a number gives."""
    table = dict(branch_fns) if isinstance(branch_fns, dict) else (
        dict(enumerate(branch_fns)) if callable(branch_fns[0]) else dict(branch_fns)
    )  # fmt: skip
    made = table.get(int(branch_index), default or table[max(table)])
    return made()


def case(pred_fn_pairs: Any, default: Any = None, *args: Any, **words: Any) -> Any:
    """Return what the function of the first condition that holds gives."""
    pairs = pred_fn_pairs.items() if isinstance(pred_fn_pairs, dict) else pred_fn_pairs
    found = next((made for holds, made in pairs if bool(holds)), default)
    return found()


def vectorized_map(fn: Callable[[Any], Any], elems: Any, **words: Any) -> Any:
    """Return a function of each element along the first axis."""
    several = isinstance(elems, (list, tuple))
    parts = zip(*map(tensor, elems), strict=True) if several else tensor(elems)
    made = [fn(one) for one in parts]
    if isinstance(made[0], (list, tuple)):
        return tuple(torch.stack([*map(tensor, side)]) for side in zip(*made, strict=True))
    return torch.stack([tensor(one) for one in made])


class TensorArray:
    """Tensors by their numbers, written one after the other."""

    def __init__(self, dtype: Any = None, size: Any = 0, **words: Any) -> None:
        self.parts: dict[int, Any] = {}
        self.dtype, self.count = dtype, int(size)

    def write(self, index: Any, value: Any, name: Any = None) -> TensorArray:
        """Keep a tensor."""
        self.parts[int(index)] = tensor(value)
        return self

    def read(self, index: Any, name: Any = None) -> Any:
        """Return a tensor."""
        return self.parts[int(index)]

    def unstack(self, value: Any, name: Any = None) -> TensorArray:
        """Keep the parts along the first axis."""
        self.parts = dict(enumerate(tensor(value)))
        return self

    def size(self, name: Any = None) -> int:
        """Return how many there are."""
        return max(self.count, len(self.parts))

    def stack(self, name: Any = None) -> Tensor:
        """Return all on each other."""
        return torch.stack([self.parts[index] for index in sorted(self.parts)])

    def concat(self, name: Any = None) -> Tensor:
        """Return all behind each other."""
        return torch.cat([self.parts[index] for index in sorted(self.parts)])


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that gives a value, and what its gradient is made of."""

    class Given(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *x: Any) -> Any:
            with torch.enable_grad():
                out, ctx.back = f(*(one.detach().requires_grad_(one.is_floating_point())
                                    for one in x))  # fmt: skip
            ctx.count = len(x)
            return out.detach()

        @staticmethod
        def backward(ctx: Any, *upstream: Tensor) -> Any:
            made = ctx.back(*upstream)
            several = list(made) if isinstance(made, (list, tuple)) else [made]
            return tuple(several + [None] * (ctx.count - len(several)))

    def call(*args: Any) -> Any:
        return Given.apply(*map(tensor, args))  # type: ignore[no-untyped-call]

    call.__name__ = getattr(f, "__name__", "custom_gradient")
    return call
