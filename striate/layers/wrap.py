"""Layers made of what is not a layer: functions, torch modules, and calls of torch."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..core.layer import Layer
from ..core.operation import Chain
from ..core.spec import Spec, checked_layout
from ..core.window import MOVES, POINTWISE, UNKNOWN, Geometry, Mix, Window
from ..errors import ConfigError, ShapeError, StriateError
from . import torch_calls, torch_operations
from .torch_windows import geometry

ENDINGS = {nn.Softmax: "softmax", nn.Sigmoid: "sigmoid"}
IN_PLACE = {
    "add", "iadd", "radd", "sub", "isub", "rsub", "mul", "imul", "rmul", "truediv",
    "itruediv", "div", "neg", "abs", "exp", "log", "sqrt", "square", "pow", "relu", "relu_",
    "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "sigmoid", "tanh",
    "softplus", "hardtanh", "hardswish", "hardsigmoid", "clamp", "maximum", "minimum",
    "dropout", "dropout2d", "contiguous", "clone", "detach", "float", "double",
}  # fmt: skip
MOVING = {
    "view", "flatten", "reshape", "permute", "transpose", "movedim", "cat", "concat",
    "concatenate", "stack", "unsqueeze", "squeeze", "chunk", "split", "getitem", "flip",
    "roll", "expand", "repeat",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Place:
    """Stands for input `index` of a call."""

    index: int


@dataclasses.dataclass(frozen=True)
class Batch:
    """Stands for `times` the size of the batch."""

    times: int


@dataclasses.dataclass(frozen=True)
class Held:
    """Stands for a tensor that the network holds under this name."""

    name: str


class Foreign(Layer):
    """A layer around code that knows no specs: its shapes are those of a run on no data."""

    def infer(self, *x: Spec) -> Any:
        """Return the output's spec, or raise ShapeError with torch's own words."""
        try:
            return super().infer(*x)
        except StriateError:
            raise
        except Exception as error:
            need, fix = self.advice(x[0])
            raise ShapeError(
                self.where,
                "cannot take an input of this shape",
                got="input " + ", ".join(map(str, x)),
                need=need,
                math=(str(error) or type(error).__name__).splitlines()[0],
                fix=fix,
            ) from None

    def _run_on_meta(self, x: Sequence[Spec], unknown: int, batch: int = 2) -> Any:
        """Run in inference mode: batch statistics of one sample, for one, do not exist."""
        with inference(self):
            return super()._run_on_meta(x, unknown, batch)

    def advice(self, x: Spec) -> tuple[str, str]:
        """Return what the code needs in place of `x`, and how to repair it where that is known."""
        return "code that runs on a batch of such samples", ""


class Lambda(Foreign):
    """Apply a function of tensors: y = function(x).

    Field: `function`, of batches; with several inputs it is given several.
    Shape: whatever the function gives, found by running it on tensors without data.

    Example:
        >>> Lambda(torch.square)(torch.tensor([[3.0]]))
        tensor([[9.]])
    """

    function: Callable[..., Any]

    def __post_init__(self) -> None:
        """Check that the function can be called."""
        if not callable(self.function):
            raise ConfigError(
                self.where,
                f"function={self.function!r} cannot be called",
                need="a function of tensors",
                fix="L.Lambda(lambda x: x * 2)",
            )

    def forward(self, *x: Tensor) -> Any:
        """Call the function."""
        y = self.function(*x)
        if y is None:
            raise ConfigError(
                self.where,
                "the function returns None",
                need="a tensor, or a tuple of tensors",
                fix="def function(x): return x * 2",
            )
        return y


class TorchModule(Foreign):
    """Use any torch.nn.Module as a layer.

    Fields: `module`, used as it is: its weights are trained in place; `data_format`, the layout
    that the module works in: "channels_first" in a channels-last model turns the axes on the
    way in and out; None leaves them as they are.

    Shape: whatever the module gives, found by running it on tensors without data.

    Example:
        >>> from striate.core.symbol import Input
        >>> x = Input((28, 28, 1))
        >>> TorchModule(torch.nn.Conv2d(1, 8, 3), data_format="channels_first")(x).shape
        (None, 26, 26, 8)
    """

    module: nn.Module
    data_format: str | None = dataclasses.field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        """Check that it is a module."""
        checked_layout(self.where, self.data_format)
        if not isinstance(self.module, nn.Module):
            raise ConfigError(
                self.where,
                f"{self.module!r} is not a torch.nn.Module",
                fix="L.TorchModule(torch.nn.ReLU())",
            )

    def advice(self, x: Spec) -> tuple[str, str]:
        """Return the width that a Linear was made for, and the Linear that fits."""
        if not isinstance(self.module, nn.Linear):
            return super().advice(x)
        made, out = self.module.in_features, self.module.out_features
        return f"{made} on the last axis", f"nn.Linear({x.shape[-1]}, {out})"

    def windows(self, *x: Spec) -> Geometry:
        """Return what the table of torch modules says; UNKNOWN for others."""
        turned = self._turns(x[0])
        shape = (x[0].shape[-1], *x[0].shape[:-1]) if turned else x[0].shape
        answer = geometry(self.module, shape)
        if turned and isinstance(answer, tuple):
            return (*answer[1:], answer[0])
        return UNKNOWN if turned and answer is MOVES and len(x[0].shape) > 1 else answer

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Return what the table of torch modules says; none for others."""
        y = self.infer(*x)
        if len(x) > 1 or isinstance(y, tuple):
            return None
        if not self._turns(x[0]):
            return torch_operations.unturned(self.module, x[0], y, training)
        first = Spec((x[0].shape[-1], *x[0].shape[:-1]), x[0].dtype, "channels_first")
        return torch_operations.operations(self.module, first, "module", training)

    def forward(self, *x: Tensor) -> Any:
        """Call the module, in its own layout."""
        given = [
            _first(one) if self._turns(spec) else one
            for one, spec in zip(x, self.specs, strict=True)
        ]
        out = self.module(*given)
        return _last(out) if self._turns(self.specs[0]) and isinstance(out, Tensor) else out

    def before_activation(self, *x: Tensor) -> Tensor:
        """Return the input: the module is nothing but the activation."""
        return x[0] if self.activation_name else super().before_activation(*x)

    @property
    def activation_name(self) -> str:
        """The name of the module, if it is a softmax over the last axis or a sigmoid."""
        dim = getattr(self.module, "dim", None)
        over_last = dim == -1 or (self.built and dim == len(self.specs[0].shape))
        if isinstance(self.module, nn.Softmax) and not over_last:
            return ""
        return ENDINGS.get(type(self.module), "")

    def _turns(self, x: Spec) -> bool:
        return self.data_format == "channels_first" and x.data_format == "channels_last"


class TorchCall(Foreign):
    """One call of a torch function inside a traced network.

    Fields: `function`; `args` and `kwargs`, what it was called with, where `Place(i)` stands for
    input i, `Batch(k)` for k times the batch's size and `Held(name)` for a tensor of the network.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = dataclasses.field(default_factory=dict)
    word: str = ""
    network: ClassVar[tuple[nn.Module, ...]] = ()  # whose mode rules; in a tuple, so not a part
    folds: ClassVar[bool] = False  # whether it makes more samples, or fewer

    def windows(self, *x: Spec) -> Geometry:
        """Return what the function's name says."""
        if self.activation_name == "softmax":
            return (*(Window(),) * (len(x[0].shape) - 1), Mix())
        if self.word in IN_PLACE and len({len(spec.shape) for spec in x}) == 1:
            return POINTWISE
        holds = any(True for _ in (*self.parameters(), *self.buffers()))
        return MOVES if self.word in MOVING and not holds else UNKNOWN

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Return what the function's name says, if it is called on the inputs in their order."""
        y = self.infer(*x)
        places = tuple(Place(index) for index in range(len(x)))
        listed = self.args[:1] in ((places,), (list(places),))
        rest = self.args[1:] if listed else self.args[len(x) :]
        if isinstance(y, tuple) or not (listed or self.args[: len(x)] == places):
            return None
        given = [torch_calls.BATCH if arg == Batch(1) else arg for arg in rest]
        words = (self.function, self.word, given, self.kwargs)
        return torch_calls.operations(*words, x, y, training)

    def forward(self, *x: Tensor) -> Any:
        """Call the function."""
        args, kwargs = fill((self.args, self.kwargs), x, self)
        if "training" in kwargs:
            kwargs["training"] = (self.network or (self,))[0].training
        return self.function(*args, **kwargs)

    def before_activation(self, *x: Tensor) -> Tensor:
        """Return the input: the function is nothing but the activation."""
        return x[0] if self.activation_name else super().before_activation(*x)

    @property
    def activation_name(self) -> str:
        """The name of the function, if it is a softmax over the last axis or a sigmoid."""
        if self.word == "softmax" and self.built:
            dim = self.kwargs.get("dim", self.args[1] if len(self.args) > 1 else None)
            return "softmax" if dim in (-1, len(self.specs[0].shape)) else ""
        return "sigmoid" if self.word == "sigmoid" else ""


class Opaque(Foreign):
    """A whole network whose code cannot be followed: one node, its inside not known."""

    module: nn.Module

    def forward(self, *x: Tensor) -> Any:
        """Run the code."""
        return self.module.forward(*x)

    def _run_on_meta(self, x: Sequence[Spec], unknown: int, batch: int = 2) -> Any:
        """Run on zeros instead: the code may look at values, and may build layers."""
        sizes = [[unknown if n is None else n for n in spec.shape] for spec in x]
        zeros = [
            torch.zeros(batch, *size, dtype=getattr(torch, spec.dtype))
            for size, spec in zip(sizes, x, strict=True)
        ]
        with inference(self), torch.no_grad():
            return self.forward(*zeros)


@contextlib.contextmanager
def inference(layer: nn.Module) -> Iterator[None]:
    """Hold a layer and all in it in inference mode, so that no statistics of batches are taken."""
    modes = {module: module.training for module in layer.modules()}
    layer.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def fill(template: Any, x: tuple[Tensor, ...], holder: nn.Module) -> Any:
    """Return the template with inputs, sizes and tensors in their places."""
    if isinstance(template, Place):
        return x[template.index]
    if isinstance(template, Batch):
        return template.times * x[0].shape[0]
    if isinstance(template, Held):
        return getattr(holder, template.name)
    if isinstance(template, slice):
        ends = (template.start, template.stop, template.step)
        return slice(*(fill(end, x, holder) for end in ends))
    if isinstance(template, dict):
        return {key: fill(value, x, holder) for key, value in template.items()}
    if isinstance(template, (tuple, list)):
        return type(template)(fill(value, x, holder) for value in template)
    return template


def _first(x: Tensor) -> Tensor:
    return x.movedim(-1, 1) if x.dim() > 2 else x  # (N, H, W, C) -> (N, C, H, W)


def _last(x: Tensor) -> Tensor:
    return x.movedim(1, -1) if x.dim() > 2 else x  # (N, C, H, W) -> (N, H, W, C)
