"""Masks of sequences in losses and metrics: steps that do not count are left out of both."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..core.graph import Graph
from ..core.symbol import Symbol
from ..layers.masks import mask_of

if TYPE_CHECKING:
    from ..model import Model

Reader = Callable[[tuple[Tensor, ...]], Tensor | None]  # from inputs to which steps count


def readers(model: Model) -> list[Reader]:
    """Return, for each output, what gives its mask; an empty list where no output has one."""
    if not model.runs_graph:
        return []
    found = [mask_of(symbol) for symbol in model.graph.outputs]
    if not any(found):
        return []
    return [_reader(model.graph, *one) if one else _no_mask for one in found]


def _no_mask(x: tuple[Tensor, ...]) -> None:
    """Return nothing: all steps count."""


def _reader(graph: Graph, source: Symbol, mask: Callable[[Tensor], Tensor]) -> Reader:
    """Return what makes a mask of an input, or of a value between."""
    places = [index for index, symbol in enumerate(graph.inputs) if symbol is source]
    if places:
        return lambda x: mask(x[places[0]])
    part = Graph(graph.inputs, [source])

    @torch.no_grad()
    def read(x: tuple[Tensor, ...]) -> Tensor:
        return mask(part.run(x, lambda node, given: node.layer(*given))[0])

    return read


def weighted(weight: Tensor | None, counts: Tensor | None) -> Tensor | None:
    """Return weights by which the mean over all steps is that over the steps that count."""
    if counts is None:
        return weight
    share = counts.float() * (counts.numel() / counts.sum().clamp(min=1))
    if weight is None:
        return share
    return (weight.unsqueeze(-1) if weight.ndim < share.ndim else weight) * share


def counted(counts: Tensor | None, y_true: Tensor, y_pred: Tensor, weight: Tensor | None) -> Any:
    """Return targets, outputs and weights of the steps that count, one behind the other."""
    if counts is None:
        return y_true, y_pred, weight
    if weight is not None:
        weight = (weight.unsqueeze(-1) if weight.ndim < counts.ndim else weight).expand_as(counts)
        weight = weight[counts]
    return y_true[counts], y_pred[counts], weight
