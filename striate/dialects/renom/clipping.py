"""Gradient clipping of ReNom: all gradients of a loss, scaled where their norm is too large."""

from __future__ import annotations

import torch

from ..strict import Strict
from .grads import Grads


class GradientClipping(metaclass=Strict):
    """Scale gradients to a norm of at most `threshold`.

    Source: Pascanu et al., On the difficulty of training recurrent neural networks, 2012.
    """

    title = "ReNom 2.7"

    def __init__(self, threshold: float = 0.5, norm: float = 2) -> None:
        self.threshold, self.norm = float(threshold), float(norm)

    def __call__(self, gradient: Grads) -> float:
        """Scale the gradients where they are too large; return their norm before."""
        trained = [slope for one, slope in gradient.storage.values() if one.auto_update]
        norms = torch.stack([torch.linalg.vector_norm(one, self.norm) for one in trained])
        total = float(torch.linalg.vector_norm(norms, self.norm)) if trained else 0.0
        if total > self.threshold:
            factor = self.threshold / (total + 1e-6)
            for key, (variable, slope) in gradient.storage.items():
                gradient.storage[key] = (variable, slope * factor)
        return total
