"""Modules of BigDL with weights that no native layer has, as torch modules."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ... import layers as native
from ...core.layer import Layer


def uniform(*size: int, fan: int) -> nn.Parameter:
    """Return weights from U(-1 / sqrt(fan), 1 / sqrt(fan)), as Torch 7 draws them."""
    bound = 1 / math.sqrt(fan)
    return nn.Parameter(torch.empty(size).uniform_(-bound, bound))


def glorot(*size: int) -> nn.Parameter:
    """Return a matrix (in, out), or a stack of them, drawn as Keras draws it."""
    bound = math.sqrt(6 / (size[-2] + size[-1]))
    return nn.Parameter(torch.empty(size).uniform_(-bound, bound))


class Scaled(nn.Module):
    """Multiply by weights of a size that is broadcast, add biases, or both."""

    def __init__(self, size: Sequence[int], multiplies: bool, adds: bool) -> None:
        super().__init__()
        fan = math.prod(size)
        self.weight = uniform(*size, fan=fan) if multiplies else None
        self.bias = uniform(*size, fan=fan) if adds else None

    def forward(self, x: Tensor) -> Tensor:
        """Multiply, then add."""
        y = x if self.weight is None else x * self.weight
        return y if self.bias is None else y + self.bias


class SReLU(nn.Module):
    """Linear in three parts, all learned for each place."""

    def __init__(self, size: Sequence[int]) -> None:
        super().__init__()
        self.low, self.low_slope = (nn.Parameter(torch.zeros(*size)) for _ in range(2))
        self.high = nn.Parameter(torch.empty(*size).uniform_(0, 1))
        self.high_slope = nn.Parameter(torch.ones(*size))

    def forward(self, x: Tensor) -> Tensor:
        """Return x between two thresholds, and lines beyond."""
        high = self.low + self.high.abs()
        up, down = (x - high).relu(), (self.low - x).relu()
        return torch.minimum(torch.maximum(x, self.low), high) + (
            self.high_slope * up - self.low_slope * down
        )


class Highway(nn.Module):
    """A dense layer and its input, mixed by a gate."""

    def __init__(self, size: int, bias: bool, act: Callable[[Tensor], Tensor] | None) -> None:
        super().__init__()
        self.gate, self.linear = (nn.Linear(size, size, bias) for _ in range(2))
        self.act = act or (lambda x: x)

    def forward(self, x: Tensor) -> Tensor:
        """Mix."""
        part = torch.sigmoid(self.gate(x))
        return part * self.act(self.linear(x)) + (1 - part) * x


class Maxout(nn.Module):
    """The largest of several linear functions."""

    def __init__(self, inputs: int, outputs: int, parts: int, bias: bool) -> None:
        super().__init__()
        self.parts = parts
        self.weight = glorot(parts * outputs, inputs)
        self.bias = nn.Parameter(torch.zeros(parts * outputs)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Return the largest."""
        y = functional.linear(x, self.weight, self.bias)
        return y.reshape(*y.shape[:-1], self.parts, -1).amax(-2)


class Similar(nn.Module):
    """The cosine between the input and each row of weights, or the distance of both."""

    def __init__(self, inputs: int, outputs: int, cosine: bool) -> None:
        super().__init__()
        size = (outputs, inputs) if cosine else (inputs, outputs)
        self.weight = uniform(*size, fan=inputs)
        self.cosine = cosine

    def forward(self, x: Tensor) -> Tensor:
        """Compare with each row."""
        if self.cosine:
            return functional.normalize(x, dim=-1) @ functional.normalize(self.weight, dim=-1).T
        return torch.cdist(x, self.weight.T)


class Local(nn.Module):
    """A convolution with a kernel of its own at each place, over (channels, rows, columns)."""

    def __init__(self, x: Sequence[int], filters: int, kernel: Sequence[int],
                 strides: Sequence[int], pads: Sequence[int], bias: bool,
                 act: Callable[[Tensor], Tensor] | None = None,
                 frames: bool = False) -> None:  # fmt: skip
        super().__init__()
        self.channels, self.frames = int(x[0]), frames  # cells of frames are (steps, channels)
        self.kernel, self.strides, self.pads = tuple(kernel), tuple(strides), tuple(pads)
        triples = zip(x[1:], kernel, strides, pads, strict=True)
        self.places = [(size + 2 * pad - k) // step + 1 for size, k, step, pad in triples]
        cells = x[0] * math.prod(kernel)
        self.weight = glorot(math.prod(self.places), filters, cells)
        self.bias = nn.Parameter(torch.zeros(math.prod(self.places), filters)) if bias else None
        self.act = act or (lambda y: y)

    def forward(self, x: Tensor) -> Tensor:
        """Multiply each window with its own kernel."""
        windows = functional.unfold(x, self.kernel, padding=self.pads, stride=self.strides)
        if self.frames:
            cells = windows.reshape(len(x), self.channels, -1, windows.shape[-1])
            windows = cells.transpose(1, 2).flatten(1, 2)
        y = torch.einsum("ncp,pfc->nfp", windows, self.weight)
        if (
            self.bias is not None
        ):  # BigDL shows (places, filters), but reads maps as (filters, places)
            y = y + (self.bias.T if self.frames else self.bias.reshape(y.shape[1:]))
        return self.act(y.reshape(*y.shape[:2], *self.places))


def full_convolution(kind: Any, words: Any, kernel: Sequence[int], strides: Sequence[int],
                     sides: str) -> Layer:  # fmt: skip
    """Return a transposed convolution that no native layer is: with groups, or over volumes."""
    pads, more = (tuple(words[f"{word}_{side}"] for side in sides) for word in ("pad", "adj"))
    fan = words["n_output_plane"] * math.prod(kernel)
    made = kind(words["n_input_plane"], words["n_output_plane"], tuple(kernel), tuple(strides),
                pads, more, words["n_group"], not words["no_bias"])  # fmt: skip
    for weight in made.parameters():
        nn.init.uniform_(weight, -(fan**-0.5), fan**-0.5)
    return layer(made, words)


class Turned(nn.Module):
    """A module that works on images, on sequences (steps, channels)."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        """Take the steps as rows of one column."""
        out: Tensor = self.module(x.movedim(-1, 1).unsqueeze(-1))
        return out.squeeze(-1).movedim(1, -1)


class Steps(nn.Module):
    """A network on each step: the leading axes are taken as one batch."""

    def __init__(self, network: nn.Module, leading: int) -> None:
        super().__init__()
        self.network, self.leading = network, leading

    def forward(self, x: Tensor) -> Tensor:
        """Take all steps as one batch."""
        out: Tensor = self.network(x.flatten(0, self.leading - 1))
        return out.reshape(*x.shape[: self.leading], *out.shape[1:])


class Neighbours(nn.Module):
    """x / (1 + alpha * mean of the squares around) ** beta, within each channel."""

    def __init__(self, size: int, alpha: float, beta: float) -> None:
        super().__init__()
        self.size, self.alpha, self.beta = size, alpha, beta

    def forward(self, x: Tensor) -> Tensor:
        """Divide."""
        mean = functional.avg_pool2d(x.square(), self.size, 1, (self.size - 1) // 2)
        return x / (1 + self.alpha * mean) ** self.beta


def activation(name: Any) -> Callable[[Tensor], Tensor] | None:
    """Return the function that an activation's name stands for natively."""
    from ...layers.activation import get

    return None if name is None else get("activation", name)


@dataclass(frozen=True)
class Penalty:
    """What the weights and the biases of a module cost; None is nothing."""

    weight: Callable[[Tensor], Tensor] | None
    bias: Callable[[Tensor], Tensor] | None

    def __call__(self, module: nn.Module) -> Tensor:
        """Return the sum over all weights."""
        total = torch.zeros(())
        for name, value in module.named_parameters():
            cost = self.bias if name.rpartition(".")[2] == "bias" else self.weight
            total = total if cost is None else total + cost(value)
        return total


def layer(module: nn.Module, words: Any) -> Layer:
    """Return the layer of a module, with the penalties that the words ask for."""
    from .core import regularizer

    made = native.TorchModule(module)
    costs = Penalty(*(
        next((regularizer(value) for word, value in words.items()
              if word.lower() in names and value is not None), None)
        for names in (WEIGHT_PENALTIES, BIAS_PENALTIES)
    ))  # fmt: skip
    if costs != Penalty(None, None):
        whole: Any = costs  # of the module, not of one weight
        made.regularizers["module"] = whole
    return made


WEIGHT_PENALTIES = ("wregularizer", "w_regularizer", "weight_regularizer")
BIAS_PENALTIES = ("bregularizer", "b_regularizer", "bias_regularizer")
