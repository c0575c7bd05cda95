"""Normalisations of ReNom: means and deviations taken out, in its ways of counting."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import caller
from ..strict import Strict
from ..table import DialectError
from .initializers import GlorotNormal
from .model import Parametrized
from .node import Node, Variable, tensor_of

EPSILON = 1e-5
BATCH_NORMALIZE_ELEMENT = "activation"
BATCH_NORMALIZE_FEATUREMAP = "feature"


class BatchNormalize(Parametrized):
    """(x - mean) / sqrt(var + epsilon) * w + b, with the batch's numbers unless `inference` is set.

    `mode`: "activation" normalises every element over the batch alone, "feature" every channel.
    `momentum` is the weight of what is new; the moving numbers begin at 0, and move where something
    is recorded. The variance that moves is the unbiased one.

    Raises: DialectError for a batch of one sample.
    """

    def __init__(
        self,
        input_size: Any = None,
        momentum: float = 0.99,
        mode: str = BATCH_NORMALIZE_ELEMENT,
        epsilon: float = EPSILON,
        ignore_bias: bool = False,
        initializer: Any = None,
        weight_decay: float = 0.0,
    ) -> None:
        if mode not in (BATCH_NORMALIZE_ELEMENT, BATCH_NORMALIZE_FEATUREMAP):
            raise DialectError(
                "rm.BatchNormalize",
                f"mode={mode!r} is not known",
                need='"activation", every element, or "feature", every channel',
                at=caller(),
            )
        self._momentum, self._mode, self._epsilon = momentum, mode, epsilon
        self._ignore_bias, self._weight_decay = ignore_bias, weight_decay
        self._initializer = initializer or GlorotNormal()
        self._mov_mean: Any = 0.0
        self._mov_std: Any = 0.0  # the variance, in spite of its name
        super().__init__(input_size)

    def weight_initiallize(self, size_i: tuple[int, ...]) -> None:
        """Make the weights, one for each element, or for each channel."""
        size = (1, *size_i)
        if self._mode == BATCH_NORMALIZE_FEATUREMAP and len(size_i) > 1:
            size = (1, size_i[0], *(1,) * (len(size_i) - 1))
        weights = {
            "w": Variable(self._initializer(size), weight_decay=self._weight_decay),
            "b": Variable(np.zeros(size)),
        }
        self.params = weights if not self._ignore_bias else {"w": weights["w"]}

    def statistics(self) -> dict[str, Any]:
        """Return the moving numbers."""
        return {"_mov_mean": self._mov_mean, "_mov_std": self._mov_std}

    def forward(self, x: Any) -> Any:
        """Normalise."""
        tensor, weight = tensor_of(x), self.params.w.tensor
        bias = self.params["b"].tensor if "b" in self.params else None
        axes = [axis for axis in range(tensor.ndim) if axis == 0 or weight.shape[axis] == 1]
        if self._mode == BATCH_NORMALIZE_ELEMENT:
            axes = [0]
        if self.inference:
            mean, var = (torch.as_tensor(one).to(tensor) for one in self.statistics().values())
        else:
            self._expect_several(tensor)
            var, mean = torch.var_mean(tensor, dim=axes, correction=0, keepdim=True)
        scale = weight * torch.rsqrt(var + self._epsilon)
        out = (tensor - mean) * scale
        out = out if bias is None else out + bias
        if not self.inference and out.requires_grad:
            self._move(mean, var, tensor.numel() // mean.numel())
        return Node.of(out)

    def _expect_several(self, x: Tensor) -> None:
        if len(x) < 2:
            raise DialectError(
                "rm.BatchNormalize",
                "a batch of one sample has no variance",
                got=f"shape {tuple(x.shape)}",
                need="two samples or more, or model.set_models(inference=True)",
                at=caller(),
            )

    def _move(self, mean: Tensor, var: Tensor, count: int) -> None:
        new, unbiased = mean.detach().numpy(), var.detach().numpy() * count / (count - 1)
        old = 1 - self._momentum
        self._mov_mean = old * self._mov_mean + self._momentum * new
        self._mov_std = old * self._mov_std + self._momentum * unbiased


class LayerNormalize(Parametrized):
    """Each sample without its mean and deviation; `gain` and `bias` have the shape of a sample."""

    def __init__(self, gain: float = 0.1, bias: float = 1.0) -> None:
        self._gain, self._bias = gain, bias
        super().__init__()

    def weight_initiallize(self, size_i: tuple[int, ...]) -> None:
        """Make the weights."""
        self.params = {
            "gain": Variable(np.full((1, *size_i), self._gain)),
            "bias": Variable(np.full((1, *size_i), self._bias)),
        }

    def forward(self, x: Any) -> Any:
        """Normalise."""
        tensor = tensor_of(x)
        plain = F.layer_norm(tensor, tensor.shape[1:], eps=EPSILON)
        return Node.of(plain * self.params.gain.tensor + self.params.bias.tensor)


class GroupNormalize(Parametrized):
    """Each group of channels of a sample without its mean and deviation."""

    def __init__(self, group: int = 32) -> None:
        self._group = group
        super().__init__()

    def weight_initiallize(self, size_i: tuple[int, ...]) -> None:
        """Make the weights, one for each channel."""
        size = (1, size_i[0], *(1,) * (len(size_i) - 1))
        self.params = {"w": Variable(np.ones(size)), "b": Variable(np.zeros(size))}

    def forward(self, x: Any) -> Any:
        """Normalise."""
        plain = F.group_norm(tensor_of(x), self._group, eps=EPSILON)
        return Node.of(plain * self.params.w.tensor + self.params.b.tensor)


class L2Norm(Parametrized):
    """Each place without the length of its channels, times a number for each channel."""

    def __init__(self, scale: float = 20) -> None:
        self._scale = scale
        super().__init__()

    def weight_initiallize(self, size_i: tuple[int, ...]) -> None:
        """Make the weights, one for each channel."""
        self.params = {
            "w": Variable(np.full((1, size_i[0], *(1,) * (len(size_i) - 1)), float(self._scale)))
        }

    def forward(self, x: Any) -> Any:
        """Normalise."""
        tensor = tensor_of(x)
        length = (tensor.square().sum(dim=1, keepdim=True) + EPSILON).sqrt()
        return Node.of(tensor / length * self.params.w.tensor)


class WeightNormalize(Parametrized):
    """x w / |w| times `gain`, plus `bias`: a dense layer whose weights have a direction alone."""

    def __init__(self, units: int, gain: float = 0.1, initializer: Any = None,
                 input_size: Any = None, weight_decay: float = 0.0) -> None:  # fmt: skip
        self._units, self._gain, self._weight_decay = units, gain, weight_decay
        self._initializer = initializer or GlorotNormal()
        super().__init__(input_size)

    def weight_initiallize(self, size_i: tuple[int, ...]) -> None:
        """Make the weights."""
        rows = self._initializer((int(size_i[0]), self._units))
        self.params = {
            "w": Variable(rows, weight_decay=self._weight_decay),
            "gain": Variable(np.full((1, self._units), self._gain)),
            "bias": Variable(np.ones((1, self._units))),
        }

    def forward(self, x: Any) -> Any:
        """Compute."""
        w = self.params.w.tensor
        direction = w / w.square().sum(dim=0, keepdim=True).sqrt()
        product = tensor_of(x) @ direction
        return Node.of(product * self.params.gain.tensor + self.params.bias.tensor)


class Lrn(metaclass=Strict):
    """x / (k + a s)^b, where s is the sum of the squares of the `n` nearest channels."""

    def __init__(self, n: int = 5, k: float = 2, a: float = 1e-4, b: float = 0.75) -> None:
        self._n, self._k, self._a, self._b = n, k, a, b

    def __call__(self, x: Any) -> Any:
        """Normalise."""
        alpha = self._a * self._n  # torch takes the mean of the squares
        return Node.of(F.local_response_norm(tensor_of(x), self._n, alpha, self._b, self._k))
