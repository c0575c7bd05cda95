"""Judged: losses that are the mean crossentropy of classes alone, by what autograd keeps of them.

Of a network that ends in log_softmax it is `nll_loss`. That is the crossentropy of its output too:
log_softmax leaves such numbers as they are, and the gradients of the numbers before it are equal.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.operation import Pointwise
from ...engine.taped import Taped
from ...lower.runtime import library

MEAN = 1  # torch's number of this reduction
NEGATIVE = 1 << 63  # and more: what a node of torch shows for numbers below 0


def ends_in_logs(taped: Taped) -> bool:
    """Return whether a network ends in log_softmax."""
    return taped.program.steps[-1].operation == Pointwise("log_softmax")


def is_of_classes(loss: Any, node: Any) -> bool:
    """Return whether a loss is the mean crossentropy of classes alone, by a network's output."""
    if loss.name() != "NllLossBackward0" or loss._saved_weight is not None:
        return False
    if loss._saved_reduction != MEAN or loss._saved_ignore_index < NEGATIVE:
        return False
    below, _ = loss.next_functions[0]
    if below is node:
        return ends_in_logs(node.call.taped) and loss._saved_self.ndim == 2
    if below.name() != "LogSoftmaxBackward0" or below.next_functions[0][0] is not node:
        return False
    over_samples = below._saved_dim != 1 and below._saved_dim < NEGATIVE
    return below._saved_result.ndim == 2 and not over_samples


def slope_of_classes(loss: Any, node: Any) -> NDArray[np.float32] | None:
    """Return the gradient of the output, where a loss is the mean crossentropy of classes alone.

    In one native call, instead of two by torch's autograd.
    """
    native = library()
    if native is None or not is_of_classes(loss, node):
        return None
    logs, classes = loss._saved_self.detach().numpy(), loss._saved_target.numpy()
    if logs.dtype != np.float32:
        return None
    ignored = loss._saved_ignore_index
    if 2 * NEGATIVE - ignored <= logs.shape[1] and classes.min() < 0:  # a place from the end
        return None
    try:
        targets = one_hot(logs.shape[1])[classes]
    except IndexError:  # one that is ignored
        return None
    return native.crossentropy(logs, targets, 1.0)[1]


@functools.lru_cache(16)
def one_hot(count: int) -> NDArray[np.float32]:
    """Return the shares of each class, one class in a row."""
    return np.eye(count, dtype=np.float32)
