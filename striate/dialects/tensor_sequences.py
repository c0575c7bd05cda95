"""Sequences of tensors, in the words of Keras: losses and labels without known places, steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from .symbolic import tensor
from .tensor_math import floating

EPSILON = 1e-7


def _logs(y_pred: Any) -> Tensor:
    """Return the logarithms of probabilities (N, steps, classes), steps first."""
    logs: Tensor = (floating(y_pred) + EPSILON).log().log_softmax(-1).transpose(0, 1)
    return logs


def ctc_batch_cost(y_true: Any, y_pred: Any, input_length: Any, label_length: Any) -> Tensor:
    """Return the connectionist temporal classification loss (N, 1); the last class is the blank.

    Shape: labels (N, most labels), probabilities (N, steps, classes), lengths (N, 1).

    Source: Graves et al. 2006, "Connectionist temporal classification".
    """
    logs = _logs(y_pred)
    return _ctc(logs, y_true, input_length, label_length, logs.shape[-1] - 1).unsqueeze(1)


def _ctc(logs: Tensor, labels: Any, input_length: Any, label_length: Any, blank: int) -> Tensor:
    """Return the loss (N,) of log-probabilities (steps, N, classes).

    The first label that is no class, or is the blank at the end, is the end of its row, as in
    TensorFlow: scripts fill rows up with any number.
    """
    rows, classes = tensor(labels).long(), logs.shape[-1]
    steps, counts = (tensor(one).long().reshape(-1) for one in (input_length, label_length))
    end = (rows < 0) | (rows >= classes) | ((rows == blank) & (blank == classes - 1))
    counts = counts.minimum((~end).long().cumprod(1).sum(1))
    return functional.ctc_loss(logs, rows.masked_fill(end, 0), steps.clamp(max=len(logs)), counts,
                               blank=blank, reduction="none", zero_infinity=True)  # fmt: skip


def ctc_loss(target: Any, output: Any, target_length: Any, output_length: Any,
             mask_index: int = 0) -> Tensor:  # fmt: skip
    """Return the same loss (N,) of outputs that are no probabilities yet; the blank is an index."""
    logs = floating(output).log_softmax(-1).transpose(0, 1)
    return _ctc(logs, target, output_length, target_length, mask_index)


def ctc_decode(y_pred: Any, input_length: Any, greedy: bool = True, beam_width: int = 100,
               top_paths: int = 1) -> Any:  # fmt: skip
    """Return the labels of the likeliest class of each step, -1 behind them, and -log of its odds.

    The best path stands for a search over beams too: where the network is sure, both are the same.
    """
    logs = _logs(y_pred)
    best, classes = logs.max(-1)  # (steps, N)
    blank, rows = logs.shape[-1] - 1, []
    lengths = tensor(input_length).long().reshape(-1).tolist()
    for number, length in enumerate(lengths):
        path = torch.unique_consecutive(classes[:length, number])
        rows.append(path[path != blank])
    made = torch.full((len(rows), max((len(row) for row in rows), default=0)), -1)
    for number, row in enumerate(rows):
        made[number, : len(row)] = row
    odds = torch.stack([-best[:length, n].sum() for n, length in enumerate(lengths)])
    return [made], odds.unsqueeze(1)


def ctc_decoded(inputs: Any, sequence_lengths: Any, strategy: str = "greedy",
                beam_width: int = 100, top_paths: int = 1, merge_repeated: bool = True,
                mask_index: int = 0) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return the same of Keras 3's outputs: labels (1, N, steps), and minus the sum of the best.

    The blank is an index. The best path stands for a search over beams too.
    """
    x, lengths = floating(inputs), tensor(sequence_lengths).long().reshape(-1, 1)
    best, classes = x.max(-1)  # (N, steps)
    behind = torch.arange(x.shape[1]) >= lengths
    classes = torch.where(behind, mask_index, classes)
    blank = classes == mask_index
    if merge_repeated:
        blank[:, 1:] |= classes[:, 1:] == classes[:, :-1]
    order = blank.long().argsort(dim=-1, stable=True)
    labels = torch.where(blank, -1, classes).gather(1, order)
    return labels[None], -torch.where(behind, 0.0, best).sum(-1, keepdim=True)


def rnn(step_function: Callable[..., Any], inputs: Any, initial_states: Any,
        go_backwards: bool = False, mask: Any = None, constants: Any = None,
        unroll: bool = False, input_length: Any = None, **words: Any) -> Any:  # fmt: skip
    """Return the last output, all outputs (N, steps, ...) and the last states of a script's step.

    Where a sample is masked, its output and its states are those of the step before.
    """
    x, states = tensor(inputs), list(initial_states)
    places = range(x.shape[1])
    kept = None if mask is None else tensor(mask).bool()
    outputs: list[Tensor] = []
    for place in reversed(places) if go_backwards else places:
        out, new = step_function(x[:, place], [*states, *(constants or ())])
        if kept is not None:
            keep = kept[:, place].reshape(len(x), *(1,) * (out.dim() - 1))
            out = torch.where(keep, out, outputs[-1] if outputs else torch.zeros_like(out))
            new = [torch.where(keep, a, b) for a, b in zip(new, states, strict=True)]
        outputs.append(out)
        states = list(new)
    return outputs[-1], torch.stack(outputs, 1), states


SEQUENCES = (ctc_batch_cost, ctc_decode, rnn)
