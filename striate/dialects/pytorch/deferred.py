"""Deferred: the output of a network, and its loss, that are computed when something asks for them.

A loop that looks at neither before its step has all of that step in one native run: forward, loss,
backward and update (`waiting`). Afterwards the numbers are there, in the memory that the tensors
had from the beginning. Whatever function of torch is given one makes a tensor of it like any other,
with its history.
"""

from __future__ import annotations

import functools
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn, utils
from torch.autograd import Function
from torch.nn import functional

from ...engine.taped import Call, Taped
from ...errors import caller
from ...lower.lower import Head
from ...lower.runtime import library
from ..dialect import Patch
from ..table import DialectError
from .judged import ends_in_logs, one_hot

CLASSES = Head("softmax_crossentropy", labels=True, bytes=8)  # torch counts them in 64 bits
LOSSES = (functional.cross_entropy, functional.nll_loss)
MODULES = {nn.CrossEntropyLoss: functional.cross_entropy, nn.NLLLoss: functional.nll_loss}
PLAIN = {  # arguments of these that change nothing
    "weight": None, "size_average": None, "ignore_index": -100, "reduce": None, "reduction": "mean",
    "label_smoothing": 0.0,
}  # fmt: skip
OF_FORM = {  # what does not depend on the numbers
    *(getattr(Tensor, name).__get__ for name in (
        "shape", "dtype", "device", "ndim", "requires_grad", "is_cuda", "layout")),
    *(getattr(Tensor, name) for name in (
        "size", "dim", "numel", "nelement", "__len__", "is_floating_point", "element_size")),
}  # fmt: skip
WITHOUT_HISTORY = {
    Tensor.data.__get__,  # type: ignore[attr-defined]
    *(getattr(Tensor, name) for name in (
        "item", "tolist", "detach", "argmax", "argmin", "eq", "ne", "gt", "ge", "lt", "le",
        "isnan", "isfinite", "__float__", "__format__", "__bool__")),
    torch.argmax, torch.argmin, torch.eq, torch.isnan, torch.isfinite,
}  # fmt: skip


NO_BATCH = torch.empty(0)
UNKNOWN = np.full((), np.nan, np.float32)
SWAP: Any = utils.swap_tensors
VERSION: Any = Tensor._version.__get__  # type: ignore[attr-defined]


class _Here(threading.local):
    """The output of this thread that may not be computed yet.

    Where nobody has it any more it need not be, unless statistics are made with it.
    """

    pending: Callable[[], Output | None] | None = None


HERE = _Here()


class Deferred(Tensor):
    """A tensor whose numbers are there when they are asked for; `made` says of what."""

    made: Output | Loss

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        """Compute what a function is given, unless it is the loss that is expected."""
        words = kwargs or {}
        if func in OF_FORM:
            with torch._C.DisableTorchFunctionSubclass():
                return func(*args, **words)
        if func in LOSSES and (loss := _loss(func, args, words)) is not None:
            return loss
        if func in WITHOUT_HISTORY and type(args[0]) is Deferred and args[0].made.known:
            args = (args[0].made.base, *args[1:])
        for one in _within((args, words)):
            one.made.fill(one)
        return func(*args, **words)


class Output:
    """The output of a native call, with what its numbers depend on as it was then."""

    def __init__(self, call: Call, x: Tensor, early: Callable[[], None]) -> None:
        self.call, self.x, self.early = call, x, early
        self.base = torch.from_numpy(call.memory)
        self.versions = self._versions()

    @property
    def known(self) -> bool:
        """Whether the numbers are there."""
        return self.call.ran

    def _versions(self) -> list[int]:
        return [self.x._version, *map(VERSION, self.call.weights)]

    def as_then(self) -> None:
        """Refuse to go on with other weights than those of the call, or another batch.

        Raises: DialectError.
        """
        if self._versions() != self.versions:
            raise changed("the network", "its weights or its input", "its output was used")

    def run(self) -> None:
        """Compute the numbers, before the step."""
        if not self.call.ran:
            self.as_then()
            self.early()
            self.call.run()

    def fill(self, tensor: Tensor) -> None:
        """Make a tensor like any other of the one that stands for it."""
        self.run()
        SWAP(tensor, self.call.recorded(self.call.weights))


class Loss:
    """The mean crossentropy of an output by a function of torch, for the numbers of classes."""

    def __init__(self, function: Any, scores: Deferred, output: Output, target: Tensor) -> None:
        self.function, self.scores, self.output, self.target = function, scores, output, target
        self.version = target._version
        self.memory = UNKNOWN.copy()
        self.base = torch.from_numpy(self.memory)
        self.known = False

    @property
    def classes(self) -> NDArray[np.int64]:
        """The numbers of the classes."""
        return np.ascontiguousarray(self.target.numpy())

    def as_then(self) -> None:
        """Refuse to go on with other numbers than those of the call.

        Raises: DialectError.
        """
        self.output.as_then()
        if self.target._version != self.version:
            raise changed(self.function.__name__, "the numbers of the classes", "the step")

    def tell(self, value: float) -> None:
        """Note what the step found."""
        self.memory[()] = value
        self.known = True
        self.output.x = NO_BATCH

    def slope(self) -> NDArray[np.float32]:
        """Return the gradient of the output."""
        native, scores = library(), self.output.call.numbers
        assert native is not None
        return native.crossentropy(scores, one_hot(scores.shape[1])[self.classes], 1.0)[1]

    def fill(self, tensor: Tensor) -> None:
        """Make a tensor like any other of the one that stands for it."""
        if not self.known:
            self.as_then()
        if type(self.scores) is Deferred:
            self.output.fill(self.scores)
        made = self.function(self.scores, self.target)
        if self.known:
            made.data.copy_(self.base)
        SWAP(tensor, made)


def changed(what: str, of: str, until: str) -> DialectError:
    """Return the error for numbers that were changed too late."""
    return DialectError(
        what,
        f"has been called, and {of} were changed by a view of them before {until}",
        fix="STRIATE_GRADIENTS=kept in the environment for the script as it is, or change them "
        "before the call or after optimizer.step()",
        at=caller(),
    )


def output(taped: Taped, x: Tensor, weights: Sequence[Tensor], early: Callable[[], None]) -> Tensor:
    """Return the output of a network for a batch, deferred if it can be.

    `early` is called when it is used before the step.
    """
    if HERE.pending is not None:
        settle()
    call = taped.call(x.numpy(), weights, later=True)
    if call.plan.whole is None:
        return call.recorded(weights)
    call.array.fill(np.nan)
    made = Output(call, x, early)
    HERE.pending = (lambda: made) if call.plan.moved else weakref.ref(made)
    return _tensor(made)


def settle(but: Output | None = None) -> None:
    """Compute what is still deferred: something that it depends on is about to change."""
    pending, HERE.pending = HERE.pending, None
    made = None if pending is None else pending()
    if made is not None and made is not but:
        made.run()


def _tensor(made: Output | Loss) -> Deferred:
    tensor = Tensor._make_subclass(Deferred, made.base, True)
    tensor.made = made
    return tensor


def loss_of(module: Any, args: Sequence[Any]) -> Deferred | None:
    """Return the loss that a module gives, if it is the one that is expected.

    By a fraction of the code that torch goes through before it asks for it.
    """
    given = module.__dict__
    if module._buffers.get("weight") is not None or given["reduction"] != "mean":
        return None
    if given["ignore_index"] != PLAIN["ignore_index"] or given.get("label_smoothing"):
        return None
    return _loss(MODULES[type(module)], args, {})


def _loss(func: Any, args: Sequence[Any], words: dict[str, Any]) -> Deferred | None:
    """Return the loss of an output that is still deferred, if it is the one that is expected."""
    if len(args) != 2 or any(PLAIN.get(name, name) != value for name, value in words.items()):
        return None
    scores, target = args
    if type(scores) is not Deferred or type(target) is not Tensor:
        return None
    made = scores.made
    if not isinstance(made, Output) or made.call.ran or target.dtype is not torch.int64:
        return None
    samples, count = made.base.shape
    if target.shape != (samples,):
        return None
    classes = target.numpy().view(np.uint64)
    if np.maximum.reduce(classes) >= count:  # one that is ignored, or no class at all
        return None
    if func is functional.nll_loss and not ends_in_logs(made.call.taped):
        return None
    return _tensor(Loss(func, scores, made, target))


def _within(given: Any) -> Iterator[Deferred]:
    """Yield what is deferred in arguments, however they are nested."""
    if type(given) is Deferred:
        yield given
    elif isinstance(given, (list, tuple)):
        for one in given:
            yield from _within(one)
    elif isinstance(given, dict):
        yield from _within([*given.values()])


def patches(*, old: bool) -> Sequence[Patch]:
    """Let what takes tensors past their own functions find numbers in them.

    `old`: tensors have a `__getitem__` that is written in Python, so that `torch.tensor` takes
    those of no axes in a list for lists.
    """
    return (
        (torch, "tensor", _filled(torch.tensor, old=old)),
        (Function, "apply", classmethod(_applied)),
        (nn.Module, "state_dict", _settled(nn.Module.state_dict)),
    )


def _filled(original: Any, *, old: bool) -> Any:
    @functools.wraps(original)
    def call(*args: Any, **words: Any) -> Any:
        for one in _within(args):
            one.made.fill(one)
        return original(*map(_listed, args) if old else args, **words)

    return call


def _listed(given: Any) -> Any:
    """Return lists with Python's numbers instead of tensors of no axes."""
    if isinstance(given, (list, tuple)):
        return [_listed(one) for one in given]
    return given.item() if isinstance(given, Tensor) and not given.ndim else given


def _settled(original: Any) -> Any:
    """Return a method that finds the statistics of normalisations as they are after the call."""

    @functools.wraps(original)
    def call(*args: Any, **words: Any) -> Any:
        settle()
        return original(*args, **words)

    return call


_apply: Any = vars(Function)["apply"].__func__


def _applied(cls: Any, *args: Any, **words: Any) -> Any:
    for one in _within((args, words)):
        one.made.fill(one)
    return _apply(cls, *args, **words)
