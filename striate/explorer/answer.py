"""Answer: what a classifier says about one input, with the numbers behind it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..inspect.maps import activations, sample, walk
from ..inspect.mistakes import probabilities
from ..inspect.outputs import CLASSES, LABELS, MAPS, NUMBERS
from ..layers.wrap import inference


def answer(
    model: Any, x: NDArray[Any], kind: str = CLASSES, by_torch: bool = False
) -> dict[str, Any]:
    """Return the probabilities of one sample's classes, the likeliest two, and the entropy.

    `kind` is what the network `gives`: labels have probabilities that do not add up to one, numbers
    have none, and maps are shown as a layer is.
    `lost` is whether some of the outputs are no numbers; what such a network says is nothing.
    `by_torch`: compute by torch's operations, as a network with changes must.
    """
    if by_torch:
        first = activations(model, x)[id(model.graph.outputs[0])].numpy()
    else:
        outputs = model.predict(x[None])
        first = outputs[0] if isinstance(outputs, list) else outputs
    lost = not np.isfinite(first).all()
    chances = np.nan_to_num(_chances(first, kind))
    order = np.argsort(-chances, kind="stable")[:2].tolist()
    inside = chances[chances > 0]
    return {
        "probabilities": chances.tolist(),
        "outputs": [] if kind == MAPS else np.nan_to_num(first[0].astype(np.float64)).tolist(),
        "lost": lost,
        "activation": model.activation_name,
        "best": order[0] if order else 0,
        "second": order[-1] if order else 0,
        "entropy": float(-(inside * np.log2(inside)).sum()) + 0.0,
        "most_entropy": float(np.log2(max(len(chances), 2))),
    }


def _chances(outputs: NDArray[Any], kind: str) -> NDArray[np.float64]:
    """Return the probability of each class or label of one sample; none of numbers or maps."""
    if kind in (NUMBERS, MAPS):
        return np.empty(0)
    if kind == LABELS:
        return np.asarray(outputs[0], np.float64)
    row: NDArray[np.float64] = probabilities(outputs.reshape(1, -1))[0]
    return row


def logits(model: Any, x: NDArray[Any]) -> list[float]:
    """Return what the network's last activation is given for one sample."""
    graph = model.graph
    batch = sample(model, graph.inputs[0].spec, x)
    with inference(model), torch.no_grad():
        found = walk(graph, [batch], lambda node, out: None, last=graph.outputs[0].node)[0]
    scores: list[float] = found[0].double().flatten().nan_to_num().tolist()
    return scores
