"""Ftrl, the rule that TensorFlow and BigDL share."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import ClassVar

from ..optimizers.optimizer import Optimizer, State, Tensors


@dataclasses.dataclass(frozen=True)
class Ftrl(Optimizer):
    """Follows the regularized leader z, with the sum of squares n.

    `z += g - (n_now ** -power - n_before ** -power) / rate * w`; then w is 0 where `|z| <= l1`,
    else `(sign(z) * l1 - z) / (n ** -power / rate + 2 * l2)`.

    Source: McMahan et al. 2013, "Ad click prediction: a view from the trenches".
    """

    learning_rate_power: float = -0.5
    initial_accumulator_value: float = 0.1
    l1_regularization_strength: float = 0.0
    l2_regularization_strength: float = 0.0
    l2_shrinkage_regularization_strength: float = 0.0
    beta: float = 0.0
    ranges: ClassVar = {"initial_accumulator_value": "[0, inf)"}

    def slots(self) -> Mapping[str, float]:
        """Return the sum of squares and what is followed."""
        return {"accumulator": self.initial_accumulator_value, "linear": 0.0}

    def rule(self, params: Tensors, grads: Tensors, state: State, lr: float, step: int) -> None:
        """Put each weight where the leader says."""
        l1, power = self.l1_regularization_strength, -self.learning_rate_power
        l2 = self.l2_regularization_strength + self.beta / (2 * lr)
        for w, g, n, z in zip(params, grads, state["accumulator"], state["linear"], strict=True):
            before = n.pow(power)
            n.addcmul_(g, g)
            now = n.pow(power)
            pulled = g + 2 * self.l2_shrinkage_regularization_strength * w
            z.add_(pulled - (now - before) / lr * w)
            w.copy_((z.clamp(-l1, l1) - z) / (now / lr + 2 * l2))
