"""Update rules of Keras 3 that have no native twin: Lion, Ftrl, Adafactor, Lamb and Muon."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from ...optimizers.optimizer import Optimizer, State, Tensors
from ...optimizers.rules import NAMES, PART, TwoMeans
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


@dataclasses.dataclass(frozen=True)
class Lamb(TwoMeans):
    """Adam's step, as long as the weight is: times |w| over the length of the step, where both are.

    Source: You et al. 2019, "Large batch optimization for deep learning".
    """

    def slots(self) -> Mapping[str, float]:
        """Return the two means."""
        return {"momentum": 0.0, "velocity": 0.0}

    def rule(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Step along the mean gradients, each weight in units of its own length."""
        means = zip(params, grads, state["momentum"], state["velocity"], strict=True)
        for w, g, m, v in means:
            m.lerp_(g, 1 - self.beta_1)
            v.lerp_(g.square(), 1 - self.beta_2)
            size = (v / (1 - self.beta_2**step)).sqrt() + self.epsilon
            change = m / (1 - self.beta_1**step) / size
            length, reach = w.norm(), change.norm()
            ratio = torch.where((length > 0) & (reach > 0), length / reach, 1.0)
            w.sub_(lr * ratio * change)


@dataclasses.dataclass(frozen=True)
class Muon(Optimizer):
    """Matrices step along the nearest matrix of equal singular values; all others by Adam.

    Matrices of embeddings, which a weight's own name tells, are among the others. The nearest
    matrix is that of `ns_steps` steps of Newton and Schulz, by a polynomial of degree 5.

    Source: Jordan et al. 2024, "Muon"; Liu et al. 2025, "Muon is scalable for LLM training".
    """

    adam_beta_1: float = 0.9
    adam_beta_2: float = 0.999
    adam_weight_decay: float | None = 0.004
    epsilon: float = 1e-7
    weight_decay: float | None = 0.004
    exclude_layers: Any = dataclasses.field(default=None, kw_only=True)
    exclude_embeddings: bool = dataclasses.field(default=True, kw_only=True)
    muon_a: float = dataclasses.field(default=3.4445, kw_only=True)
    muon_b: float = dataclasses.field(default=-4.7750, kw_only=True)
    muon_c: float = dataclasses.field(default=2.0315, kw_only=True)
    adam_lr_ratio: float = dataclasses.field(default=1.0, kw_only=True)
    momentum: float = dataclasses.field(default=0.95, kw_only=True)
    ns_steps: int = dataclasses.field(default=5, kw_only=True)
    nesterov: bool = dataclasses.field(default=True, kw_only=True)
    rms_rate: float | None = dataclasses.field(default=0.2, kw_only=True)

    def slots(self) -> Mapping[str, float]:
        """Return the mean, and the mean square of what Adam changes."""
        return {"momentum": 0.0, "velocity": 0.0}

    def rule(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Step, each weight in its own way."""
        means = zip(params, grads, state["momentum"], state["velocity"], strict=True)
        for w, g, m, v in means:
            if self.is_matrix(w):
                m.mul_(self.momentum).add_(g)
                way = self.evened(g + self.momentum * m if self.nesterov else m)
                scale = 1.0 if self.rms_rate is None else max(w.size()) ** 0.5 * self.rms_rate
                w.sub_(lr * scale * way)
                continue
            m.lerp_(g, 1 - self.adam_beta_1)
            v.lerp_(g.square(), 1 - self.adam_beta_2)
            rate = lr * self.adam_lr_ratio * (1 - self.adam_beta_2**step) ** 0.5
            w.sub_(rate / (1 - self.adam_beta_1**step) * m / (v.sqrt() + self.epsilon))

    def is_matrix(self, weight: Tensor) -> bool:
        """Return whether a weight is changed as a matrix."""
        name = str(vars(weight).get("word") or "").lower()
        left = [*(self.exclude_layers or ()), *(["embedding"] if self.exclude_embeddings else [])]
        return weight.dim() == 2 and not any(re.search(one, name) for one in left)

    def evened(self, x: Tensor) -> Tensor:
        """Return the matrix with singular values near 1."""
        tall = x.size(-2) > x.size(-1)
        x = x.mT if tall else x
        x = x / (x.norm() + 1e-7)
        for _ in range(self.ns_steps):
            square = x @ x.mT
            x = self.muon_a * x + (self.muon_b * square + self.muon_c * square @ square) @ x
        return x.mT if tall else x


def _root_mean(x: Tensor) -> Tensor:
    return x.square().mean().sqrt()


RULES: dict[str, Any] = {**NAMES, "lion": Lion, "ftrl": Ftrl, "adafactor": Adafactor,
                         "lamb": Lamb, "muon": Muon}  # fmt: skip
