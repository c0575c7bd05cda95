"""A call of one of torch's functions as a layer that a file can hold: a name and plain values."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..core.operation import Chain
from ..core.spec import Spec
from ..core.window import Geometry
from ..errors import ConfigError, nearest
from .wrap import Batch, Foreign, Held, Place, TorchCall, fill

METHODS = (
    "view", "view_as", "reshape", "reshape_as", "permute", "transpose", "t", "movedim", "swapaxes",
    "expand", "expand_as", "repeat", "repeat_interleave", "tile", "squeeze", "unsqueeze", "flatten",
    "unflatten", "chunk", "split", "tensor_split", "unbind", "narrow", "select", "index_select",
    "unfold", "roll", "flip", "contiguous", "detach", "clone", "float", "mean", "sum", "prod",
    "amax", "amin", "std", "var", "norm", "cumsum", "square", "pow", "sqrt", "rsqrt", "exp", "log",
    "log2", "abs", "neg", "sign", "sin", "cos", "clamp", "clip", "matmul", "bmm", "mm", "mul",
    "add", "sub", "div", "maximum", "minimum", "relu", "sigmoid", "tanh", "softmax", "log_softmax",
    "masked_fill", "mul_", "add_", "sub_", "div_", "relu_", "sigmoid_", "tanh_", "clamp_",
)  # fmt: skip
OF_TORCH = (
    "cat", "concat", "stack", "einsum", "where", "rsub", "outer", "baddbmm", "addmm", "tril",
    "triu", "zeros_like", "ones_like", "channel_shuffle", "pixel_shuffle", "logsumexp", "erf",
    "reciprocal", "true_divide", "multiply", "subtract", "absolute", "flatten",
    *(word for word in METHODS if hasattr(torch, word)),
)  # fmt: skip
OF_LAYERS = (
    "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus",
    "softsign", "sigmoid", "tanh", "hardtanh", "hardswish", "hardsigmoid", "logsigmoid", "softmax",
    "log_softmax", "softmin", "prelu", "glu", "threshold", "normalize", "layer_norm", "group_norm",
    "instance_norm", "local_response_norm", "linear", "bilinear", "conv1d", "conv2d", "conv3d",
    "conv_transpose1d", "conv_transpose2d", "interpolate", "upsample", "pad", "pixel_shuffle",
    "pixel_unshuffle", "unfold", "fold", "grid_sample", "affine_grid", "cosine_similarity",
    "scaled_dot_product_attention", "avg_pool2d", "max_pool2d", "lp_pool2d",
)  # fmt: skip
OPERATORS = (
    "getitem", "add", "sub", "mul", "truediv", "floordiv", "pow", "neg", "matmul", "abs", "lt",
    "le", "gt", "ge", "eq", "ne",
)  # fmt: skip
FUNCTIONS: dict[str, Callable[..., Any]] = {  # those that compute alone: no code, no files
    f"{room}.{word}": getattr(where, word)
    for room, where, words in (
        ("Tensor", Tensor, METHODS),
        ("torch", torch, OF_TORCH),
        ("functional", functional, OF_LAYERS),
        ("operator", operator, OPERATORS),
    )
    for word in words
}
Template = Any


class TorchFunction(Foreign):
    """Call one of torch's functions that only compute.

    Fields: `function`, a name of `FUNCTIONS`: "Tensor.permute", "torch.cat", "operator.getitem";
    `args` and `words`, what it is called with, where {"input": i} stands for input i, {"batch": k}
    for k times the size of the batch and {"held": i} for the tensor i of the layer; `held`, the
    shape of each of these, its dtype, and whether it is trained.

    Shape: whatever the function gives, found by running it on tensors without data.

    Example:
        >>> half = TorchFunction("operator.getitem", ({"input": 0}, ({"slice": (None,) * 3}, 1)))
        >>> half(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor([2., 4.])
    """

    function: str
    args: tuple[Any, ...] = ()
    words: dict[str, Any] = dataclasses.field(default_factory=dict)
    held: tuple[tuple[tuple[int, ...], str, bool], ...] = ()

    def __post_init__(self) -> None:
        """Find the function, and make room for the tensors."""
        if self.function not in FUNCTIONS:
            raise ConfigError(
                self.where,
                f"function={self.function!r} is none of those that a file may call",
                need="a function of torch that only computes: "
                + ", ".join([*FUNCTIONS][:3])
                + "...",
                fix=nearest(self.function, FUNCTIONS),
            )
        for number, (shape, dtype, trained) in enumerate(self.held):
            empty = torch.zeros(tuple(shape), dtype=_dtype(dtype))
            self._hold(number, nn.Parameter(empty) if trained else empty)

    def _hold(self, number: int, tensor: Tensor) -> None:
        register = self.register_parameter if isinstance(tensor, nn.Parameter) else (
            self.register_buffer)  # fmt: skip
        register(_name(number), tensor)  # type: ignore[arg-type]

    def forward(self, *x: Tensor) -> Any:
        """Call the function."""
        args, words = fill(self._templates(), x, self)
        if "training" in words:
            words["training"] = self.training
        return FUNCTIONS[self.function](*args, **words)

    def as_call(self) -> TorchCall:
        """Return the same as the call that a traced network has; it has no weights of its own."""
        word = self.function.partition(".")[2]
        return TorchCall(FUNCTIONS[self.function], *self._templates(), word)

    def _templates(self) -> tuple[Any, dict[str, Any]]:
        """Return the templates of the arguments, those of `words` by their names."""
        return decoded(self.args), {word: decoded(one) for word, one in self.words.items()}

    def windows(self, *x: Spec) -> Geometry:
        """Return what the function's name says; nothing where weights are a part of the call."""
        return super().windows(*x) if self.held else self.as_call().windows(*x)

    def operations(self, *x: Spec, training: bool = False) -> Chain | None:
        """Return what the function's name says, if it is called on the inputs in their order."""
        return None if self.held else self.as_call().operations(*x, training=training)


def of_call(call: TorchCall) -> TorchFunction | None:
    """Return the layer of a call, with its weights; None where a file cannot hold it."""
    name = next((name for name, made in FUNCTIONS.items() if made == call.function), "")
    tensors = {**dict(call.named_parameters()), **dict(call.named_buffers())}
    places = {word: number for number, word in enumerate(tensors)}
    if name not in FUNCTIONS:
        return None
    try:
        args = encoded(call.args, places)
        words = {word: encoded(one, places) for word, one in call.kwargs.items()}
    except TypeError:
        return None
    held = tuple(
        (tuple(one.shape), str(one.dtype).partition(".")[2], isinstance(one, nn.Parameter))
        for one in tensors.values()
    )
    made = TorchFunction(name, args, words, held)
    for number, tensor in enumerate(tensors.values()):
        made._hold(number, tensor)
    return made


def encoded(value: Any, places: Mapping[str, int]) -> Template:
    """Return a template of a call in plain values; TypeError for what is none."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Place):
        return {"input": value.index}
    if isinstance(value, Batch):
        return {"batch": value.times}
    if isinstance(value, Held):
        return {"held": places[value.name]}
    if isinstance(value, torch.dtype):
        return {"dtype": str(value).partition(".")[2]}
    if isinstance(value, slice):
        ends = (value.start, value.stop, value.step)
        return {"slice": tuple(encoded(end, places) for end in ends)}
    if value is ...:
        return {"ellipsis": True}
    if isinstance(value, (tuple, list)):
        several = tuple(encoded(one, places) for one in value)
        return several if isinstance(value, tuple) else {"list": several}
    raise TypeError(f"{value!r} is no plain value")


def _dtype(word: str) -> torch.dtype:
    found = getattr(torch, word, None)
    if not isinstance(found, torch.dtype):
        raise ConfigError("TorchFunction", f"{word!r} is no dtype", need="float32, int64, bool...")
    return found


READ: dict[str, Callable[[Any], Any]] = {
    "input": Place,
    "batch": Batch,
    "held": lambda number: Held(_name(number)),
    "dtype": _dtype,
    "slice": lambda ends: slice(*decoded(tuple(ends))),
    "ellipsis": lambda there: ...,
    "list": lambda several: list(decoded(tuple(several))),
}


def decoded(value: Template) -> Any:
    """Return the template that plain values describe."""
    if isinstance(value, dict):
        ((kind, inner),) = value.items()
        return READ[kind](inner)
    if isinstance(value, (tuple, list)):
        return tuple(map(decoded, value))
    return value


def _name(number: int) -> str:
    return f"tensor_{number}"
