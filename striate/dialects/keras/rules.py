"""Update rules of Keras 3 that have no native twin: Lion, Ftrl and Adafactor."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from ...optimizers.optimizer import Optimizer, State, Tensors
from ...optimizers.rules import NAMES, PART
from ..leader import Ftrl


@dataclasses.dataclass(frozen=True)
class Lion(Optimizer):
    """Steps of one size against the sign of a mixture of the gradient and its running mean.

    Source: Chen et al. 2023, "Symbolic discovery of optimization algorithms".
    """

    beta_1: float = 0.9
    beta_2: float = 0.99
    ranges: ClassVar = {"beta_1": PART, "beta_2": PART}

    def slots(self) -> Mapping[str, float]:
        """Return the running mean."""
        return {"momentum": 0.0}

    def rule(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Step against the signs."""
        for w, g, m in zip(params, grads, state["momentum"], strict=True):
            w.sub_(lr * torch.lerp(m, g, 1 - self.beta_1).sign())
            m.lerp_(g, 1 - self.beta_2)


@dataclasses.dataclass(frozen=True)
class Adafactor(Optimizer):
    """Steps in units of the gradient's size, which is kept for rows and columns alone.

    Source: Shazeer & Stern 2018, "Adafactor: adaptive learning rates with sublinear memory cost".
    """

    beta_2_decay: float = -0.8
    epsilon_1: float = 1e-30
    epsilon_2: float = 1e-3
    clip_threshold: float = 1.0
    relative_step: bool = True

    def slots(self) -> Mapping[str, float]:
        """Return the mean squares, of rows and of columns; a weight of one axis has the first."""
        return {"rows": 0.0, "columns": 0.0}

    def rule(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Step, no further than the threshold says."""
        keep = 1 - float(step) ** self.beta_2_decay
        rate = min(lr, step**-0.5) if self.relative_step else lr
        for w, g, r, c in zip(params, grads, state["rows"], state["columns"], strict=True):
            square = g.square() + self.epsilon_1
            if w.dim() > 1:
                r.copy_(torch.lerp(square.mean(-1, keepdim=True).expand_as(r), r, keep))
                c.copy_(torch.lerp(square.mean(-2, keepdim=True).expand_as(c), c, keep))
                size = r / r.mean(-2, keepdim=True) * c
            else:
                size = r.copy_(torch.lerp(square, r, keep))
            change = g * size.rsqrt()
            change = change / (_root_mean(change) / self.clip_threshold).clamp(min=1.0)
            w.sub_(rate * _root_mean(w).clamp(min=self.epsilon_2) * change)


def _root_mean(x: Tensor) -> Tensor:
    return x.square().mean().sqrt()


RULES: dict[str, Any] = {**NAMES, "lion": Lion, "ftrl": Ftrl, "adafactor": Adafactor}
