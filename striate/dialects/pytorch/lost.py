"""What torch did up to 1.x and refuses today: masks of bytes, functions with `self`, old names."""

from __future__ import annotations

import collections.abc
import functools
import math
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import _reduction

from ..dialect import Patch

Repair = Callable[[Sequence[Any]], Sequence[Any] | None]
SIX = {
    "string_classes": (str, bytes), "int_classes": int, "inf": math.inf, "nan": math.nan,
    "container_abcs": collections.abc, "PY3": True, "PY37": True, "FileNotFoundError":
    FileNotFoundError, "with_metaclass": lambda meta, *bases: meta(
        "made", bases or (object,), {}), "istuple": lambda item: isinstance(item, tuple),
}  # fmt: skip


def patches(version: str) -> Iterator[Patch]:
    """Yield the rows for scripts of a version; none of them changes what torch takes today."""
    for word in ("__sub__", "__rsub__", "__neg__", "sub"):
        yield Tensor, word, _repaired(getattr(Tensor, word), _counted)
    for word in ("masked_fill", "masked_fill_", "masked_select", "masked_scatter_"):
        yield Tensor, word, _repaired(getattr(Tensor, word), _masked)
    yield torch, "masked_select", _repaired(torch.masked_select, _masked)
    yield Tensor, "div_", _whole(Tensor.div_)
    yield F, "binary_cross_entropy", _in_its_order(F.binary_cross_entropy)
    yield Function, "__call__", called
    yield from ((torch, name, made) for name, made in MATRICES.items())
    yield import_module("torch.autograd.gradcheck"), "zero_gradients", zero_gradients
    if "torch._six" not in sys.modules:
        module = ModuleType("torch._six")
        vars(module).update(SIX)
        loaded = _Loaded()
        loaded.__dict__ = sys.modules
        yield loaded, module.__name__, module
        yield torch, "_six", module
    if version == "pytorch0":
        yield Tensor, "numpy", _numbered(Tensor.numpy)
        yield _reduction, "legacy_get_string", _quietly(_reduction.legacy_get_string)
        yield torch.autograd, "Variable", Variable
        yield from ((kind, "__init__", _counting(kind.__init__)) for kind in COUNTED)
        yield nn.BatchNorm2d, "_check_input_dim", _also_rows
        yield Tensor, "__bool__", _there(Tensor.__bool__)


class _Loaded:
    """All loaded modules as attributes, so that one of them can be replaced for a while."""


def _repaired(original: Callable[..., Any], repair: Repair) -> Callable[..., Any]:
    """Return a function that tries once more, with other arguments, what torch refuses."""

    @functools.wraps(original)
    def call(*args: Any, **words: Any) -> Any:
        try:
            return original(*args, **words)
        except RuntimeError:
            other = repair(args)
            if other is None:
                raise
            return original(*other, **words)

    return call


def _counted(args: Sequence[Any]) -> Sequence[Any] | None:
    """Return truths as 0 and 1: a comparison gave bytes, and `1 - mask` was its opposite."""
    truths = [isinstance(one, Tensor) and one.dtype is torch.bool for one in args]
    if not any(truths):
        return None
    return [one.to(torch.uint8) if true else one for one, true in zip(args, truths, strict=True)]


def _masked(args: Sequence[Any]) -> Sequence[Any] | None:
    """Return a mask of bytes as one of truths."""
    mask = args[1] if len(args) > 1 else None
    if not isinstance(mask, Tensor) or mask.dtype is not torch.uint8:
        return None
    return (args[0], mask.bool(), *args[2:])


def _whole(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def div_(self: Tensor, other: Any, **words: Any) -> Any:
        """Divide in place; whole numbers stay whole, as up to 1.4."""
        floats = self.is_floating_point() or self.is_complex()
        return original(self, other, **({} if floats else {"rounding_mode": "trunc"}), **words)

    return div_


def _in_its_order(original: Callable[..., Tensor]) -> Callable[..., Tensor]:
    @functools.wraps(original)
    def compare(input: Tensor, target: Tensor, *args: Any, **words: Any) -> Tensor:
        """Compare number by number where only the shapes differ; up to 1.4 this was a warning."""
        if input.size() != target.size() and input.numel() == target.numel():
            message = f"Using a target size ({target.size()}) that is different to the input size"
            warnings.warn(f"{message} ({input.size()}) is deprecated.", stacklevel=2)
            target = target.view_as(input)
        return original(input, target, *args, **words)

    return compare


class Number(np.ndarray[Any, Any]):
    """A number whose first element is itself: sums had one axis up to 0.3."""

    def __getitem__(self, key: Any) -> Any:
        if self.ndim == 0 and key == 0:
            return self.item()
        return super().__getitem__(key)


def _quietly(original: Callable[..., str]) -> Callable[..., str]:
    @functools.wraps(original)
    def legacy_get_string(size_average: Any, reduce: Any, emit_warning: bool = True) -> str:
        """Return the reduction that two words of the time mean; they were no warning then."""
        return original(size_average, reduce, emit_warning=False)

    return legacy_get_string


def retaining(original: Callable[..., None]) -> Callable[..., None]:
    """Return `backward` that takes `retain_variables`, and one number that has an axis."""

    @functools.wraps(original)
    def backward(self: Tensor, gradient: Any = None, *args: Any, **words: Any) -> None:
        if "retain_variables" in words:
            words.setdefault("retain_graph", words.pop("retain_variables"))
        if isinstance(gradient, Tensor) and self.ndim == 0 and gradient.numel() == 1:
            gradient = gradient.view_as(self)
        original(self, gradient, *args, **words)

    return backward


COUNTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d,
           nn.ConvTranspose3d)  # fmt: skip


def _counting(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def begin(self: Any, *args: Any, **words: Any) -> None:
        """Take `d / 2` as the whole number of Python 2, and `bias=other.bias` as a truth."""
        given = [_as_then(one) for one in args]
        original(self, *given, **{word: _as_then(one) for word, one in words.items()})

    return begin


def _as_then(value: Any) -> Any:
    if isinstance(value, Tensor):
        return True
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _there(original: Callable[[Tensor], bool]) -> Callable[[Tensor], bool]:
    @functools.wraps(original)
    def truth(self: Tensor) -> bool:
        """Return that features are there, as up to 0.1.11: `same and out or x`."""
        return True if self.numel() > 1 and self.is_floating_point() else original(self)

    return truth


def _also_rows(self: Any, input: Tensor) -> None:
    """Take rows of features besides images, as while the rank was not looked at."""
    if input.dim() not in (2, 4):
        raise ValueError(f"expected 4D input (got {input.dim()}D input)")


WRAPPED: Any = torch.autograd.Variable


class Variable(torch.autograd.Variable):
    """A tensor, as `Variable(data)` gives it; that no history is wanted of it is not remembered."""

    def __new__(cls, data: Any = None, requires_grad: bool = False, volatile: bool = False) -> Any:
        """Return the tensor of the same numbers."""
        return WRAPPED(data, requires_grad)


def _numbered(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def numpy(self: Tensor, *args: Any, **words: Any) -> Any:
        """Return the array; `loss.data.numpy()[0]` is the number."""
        array = original(self, *args, **words)
        return array.view(Number) if array.ndim == 0 else array

    return numpy


def zero_gradients(x: Any) -> None:
    """Set the gradients of tensors to zero."""
    if isinstance(x, Tensor):
        if x.grad is not None:
            x.grad = torch.zeros_like(x.grad)
    else:
        for one in x:
            zero_gradients(one)


# ---- functions of autograd that are objects: MyFunction()(x), up to 1.2 --------------------------


class Bound:
    """Such an object while it computes: its own attributes, and what its step keeps."""

    OF_STEP = ("save_for_backward", "saved_tensors", "needs_input_grad", "mark_dirty",
               "mark_non_differentiable")  # fmt: skip

    def __init__(self, item: Any, step: Any) -> None:
        vars(self).update(item=item, step=step)

    def __getattr__(self, word: str) -> Any:
        return getattr(self.step if word in self.OF_STEP else self.item, word)

    def __setattr__(self, word: str, value: Any) -> None:
        setattr(self.item, word, value)


def called(self: Any, *args: Any) -> Any:
    """Compute as `apply` of a function whose forward and backward are given this object."""
    kind = type(self)

    def forward(step: Any, *x: Any) -> Any:
        return kind.forward(Bound(self, step), *x)

    def backward(step: Any, *gradients: Any) -> Any:
        return kind.backward(Bound(self, step), *gradients)

    methods = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type(kind.__name__, (Function,), methods).apply(*args)  # type: ignore[attr-defined]


# ---- functions of matrices that torch.linalg has today -------------------------------------------


def symeig(input: Tensor, eigenvectors: bool = False, upper: bool = True) -> Any:
    """Return the eigenvalues of a symmetric matrix, and its eigenvectors if they are wanted."""
    values, vectors = torch.linalg.eigh(input, UPLO="U" if upper else "L")
    return values, vectors if eigenvectors else torch.zeros(0)


def lstsq(input: Tensor, A: Tensor) -> Any:  # noqa: N803  torch's name
    """Return x for which A x is nearest to the input, and nothing."""
    return torch.linalg.lstsq(A, input).solution, torch.zeros(0)


def solve(input: Tensor, A: Tensor) -> Any:  # noqa: N803  torch's name
    """Return x for which A x is the input, and the factors of A."""
    return torch.linalg.solve(A, input), torch.linalg.lu_factor(A)[0]


def potrf(input: Tensor, upper: bool = True) -> Tensor:
    """Return the factor of Cholesky."""
    factor: Tensor = torch.linalg.cholesky(input, upper=upper)
    return factor


def matrix_rank(input: Tensor, tol: Any = None, symmetric: bool = False) -> Tensor:
    """Return the rank of a matrix."""
    rank: Tensor = torch.linalg.matrix_rank(input, tol=tol, hermitian=symmetric)
    return rank


MATRICES: dict[str, Any] = {
    "symeig": symeig, "lstsq": lstsq, "gels": lstsq, "potrf": potrf,
    "matrix_rank": matrix_rank, "solve": solve,
}  # fmt: skip
