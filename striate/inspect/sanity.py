"""Sanity: whether an attribution depends on what the network has learned."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .asked import about_model
from .attribution import attribution

TRIES = 3  # draws of random weights that an attribution is compared with
ALIKE = 0.5  # correlation of ranks from which an attribution hardly depends on the weights


@dataclass(frozen=True)
class Sanity:
    """Whether an attribution depends on what the network has learned.

    `correlations` are those of its ranks with the ranks of the same question to the same network
    with its weights shuffled, some times: near 1, the picture shows the image, not the network.
    What speaks against the class ranks below what says nothing: places that are black, of which no
    network can say anything by gradients times pixels, lie in the middle and decide nothing.
    """

    method: str
    layer: str
    correlations: tuple[float, ...]

    @property
    def meaningful(self) -> bool:
        """Whether shuffled weights give another picture."""
        return abs(float(np.mean(self.correlations))) < ALIKE

    def __str__(self) -> str:
        mean = float(np.mean(self.correlations))
        if self.meaningful:
            return f"meaningful: shuffled weights give another picture (correlation {mean:.2f})"
        like = "the same" if mean > 0 else "its opposite"
        return f"not meaningful here: shuffled weights give {like} (correlation {mean:.2f})"


@about_model
def sanity(
    model: Any,
    x: Any,
    target: int | None = None,
    method: str = "integrated_gradients",
    layer: str = "",
    seed: int = 0,
) -> Sanity:
    """Return how like an attribution is to that of the same network with its weights shuffled.

    Source: Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018.
    """
    found = attribution(model, x, target, method, layer)
    rng = torch.Generator().manual_seed(seed)
    correlations = []
    for _ in range(TRIES):
        other = copy.deepcopy(model)
        with torch.no_grad():
            for weight in other.parameters():
                order = torch.randperm(weight.numel(), generator=rng).to(weight.device)
                weight.copy_(weight.flatten()[order].reshape(weight.shape))
        again = attribution(other, x, found.target, method, found.layer)
        correlations.append(_rank_correlation(found.values, again.values))
    return Sanity(method, found.layer, tuple(correlations))


def _rank_correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return Spearman's correlation of two pictures; 0 where one of them is flat."""
    ranks = [a.sum(-1).flatten() for a in (one, other)]
    if any(np.ptp(a) == 0 for a in ranks):
        return 0.0
    a, b = (np.unique(values, return_inverse=True)[1].astype(float) for values in ranks)
    return float(np.corrcoef(a, b)[0, 1])
