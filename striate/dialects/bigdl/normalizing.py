"""The core API's layers that norm values, and those that change gradients alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ... import layers as native
from ...core.spec import Spec
from .core_weights import learnt
from .kind import REQUIRED, Kind, Words

Act = Callable[[Tensor], Tensor]


class Around(nn.Module):
    """Weighted means of the values around each place, over all channels, as one map."""

    def __init__(self, channels: int, kernel: Any = None) -> None:
        super().__init__()
        given = np.ones((9, 9)) if kernel is None else np.asarray(kernel, "float32")
        window = np.outer(given, given) if given.ndim == 1 else given
        weight = torch.tensor(window, dtype=torch.float32) / float(window.sum() * channels)
        self.channels = channels
        self.register_buffer("kernel", weight.expand(1, channels, *weight.shape).clone())
        sides = [((k - 1) // 2, k // 2) for k in weight.shape]
        self.pads = [side for low_high in reversed(sides) for side in low_high]

    def means(self, x: Tensor) -> Tensor:
        """Return the means; at the borders, of the values that are there."""
        kernel: Any = self.kernel

        def summed(t: Tensor) -> Tensor:
            return functional.conv2d(functional.pad(t, self.pads), kernel)

        return summed(x) / summed(torch.ones_like(x[:1]))


class Subtracted(Around):
    """x minus the mean around each place."""

    def forward(self, x: Tensor) -> Tensor:
        """Subtract."""
        return x - self.means(x)


class Divided(Around):
    """x divided by the root of the mean square around each place, kept from 0."""

    def __init__(self, channels: int, kernel: Any, threshold: float, value: float) -> None:
        super().__init__(channels, kernel)
        self.threshold, self.value = threshold, value

    def forward(self, x: Tensor) -> Tensor:
        """Divide."""
        kernel: Any = self.kernel

        def summed(t: Tensor) -> Tensor:
            return functional.conv2d(functional.pad(t, self.pads), kernel)

        root = summed(x.square()).sqrt() / summed(torch.ones_like(x[:1]))
        return x / functional.threshold(root, self.threshold, self.value)


class ScaledNorm(nn.Module):
    """x divided by its norm over the channels, times weights that begin at `scale`."""

    def __init__(self, words: Words) -> None:
        super().__init__()
        self.words = {"p": words["p"], "eps": words["eps"]}
        self.weight = nn.Parameter(torch.full(tuple(words["size"]), float(words["scale"])))

    def forward(self, x: Tensor) -> Tensor:
        """Divide and multiply."""
        p, eps = self.words["p"], self.words["eps"]
        norm: Tensor = (x.abs().pow(p).sum(1, True) + eps) ** (1 / p)
        return x / norm * self.weight


class Sloped(torch.autograd.Function):
    """The values themselves, with a gradient of their own."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """Keep the values."""
        ctx.save_for_backward(x)
        ctx.slope = slope
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        """Return the gradient that the layer says."""
        (x,) = ctx.saved_tensors
        return ctx.slope(x, grads[0]), None


def _sloped(act: Callable[..., Tensor], *names: str) -> Any:
    def make(words: Words, x: Any) -> Any:
        values = [words[name] for name in names]
        sloped: Any = Sloped.apply
        return [native.Lambda(lambda t: sloped(t, lambda x, g: act(x, g, *values)))]

    return make


def _l1(x: Tensor, grad: Tensor, weight: float, mean: bool, adds: bool) -> Tensor:
    cost = x.sign() * (weight / x.numel() if mean else weight)
    return cost + grad if adds else cost


KERNEL = {"n_input_plane": 1, "kernel": None}
FLOOR = {"threshold": 1e-4, "thresval": 1e-4}


def _divided(w: Words) -> nn.Module:
    return Divided(w["n_input_plane"], w["kernel"], w["threshold"], w["thresval"])


NORMALIZING: dict[str, Kind] = {
    "SpatialSubtractiveNormalization": Kind(
        "L.TorchModule(module)", KERNEL,
        learnt(lambda w, x: Subtracted(w["n_input_plane"], w["kernel"])), rank=3),
    "SpatialDivisiveNormalization": Kind("L.TorchModule(module)", {**KERNEL, **FLOOR},
                                         learnt(lambda w, x: _divided(w)), rank=3),
    "SpatialContrastiveNormalization": Kind(
        "L.TorchModule(module)", {**KERNEL, **FLOOR},
        learnt(lambda w, x: nn.Sequential(Subtracted(w["n_input_plane"], w["kernel"]),
                                          _divided(w))), rank=3),
    "NormalizeScale": Kind("L.TorchModule(module)", {
        "p": REQUIRED, "scale": REQUIRED, "size": REQUIRED, "w_regularizer": None, "eps": 1e-10},
        learnt(lambda w, x: ScaledNorm(w)), lambda w: Spec(tuple(w["size"])[1:])),
    "LayerNormalization": Kind("L.LayerNormalization()", {"hidden_size": REQUIRED},
                               learnt(lambda w, x: nn.LayerNorm(w["hidden_size"], 1e-6)),
                               lambda w: Spec((w["hidden_size"],))),
    "GradientReversal": Kind("L.Lambda(function)", {"the_lambda": 1.0},
                             _sloped(lambda x, g, times: -times * g, "the_lambda")),
    "L1Penalty": Kind("L.ActivityRegularization(l1)", {
        "l1weight": REQUIRED, "size_average": False, "provide_output": True},
        _sloped(_l1, "l1weight", "size_average", "provide_output")),
    "NegativeEntropyPenalty": Kind("L.Lambda(function)", {"beta": 0.01}, _sloped(
        lambda x, g, beta: g + beta * (x.log() + 1), "beta")),
    "ActivityRegularization": Kind("L.ActivityRegularization(l1, l2)", {"l1": 0.0, "l2": 0.0},
        _sloped(lambda x, g, l1, l2: g + l1 * x.sign() + 2 * l2 * x, "l1", "l2")),
}  # fmt: skip
