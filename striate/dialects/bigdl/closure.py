"""Training by LBFGS, which computes the loss of a batch several times in one step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch

from ...engine.hooks import Hook
from .methods import UNSET, Method


class Loop:
    """Called as the native loop is, for arrays or batches; every batch is one step of LBFGS.

    Source: Nocedal 1980, as Torch 7 has it: no line search unless it is asked for.
    """

    def __init__(self, method: Method) -> None:
        self.words = method.words

    def optimizer(self, model: Any) -> torch.optim.LBFGS:
        """Return torch's, which goes back to Torch 7 as well."""
        words, most = self.words, self.words["max_eval"]
        return torch.optim.LBFGS(
            [one for one in model.parameters() if one.requires_grad],
            lr=float(words["learningrate"]),
            max_iter=int(words["max_iter"]),
            max_eval=None if most in (None, UNSET) else int(most),
            tolerance_grad=float(words["tolfun"]),
            tolerance_change=float(words["tolx"]),
            history_size=int(words["ncorrection"]),
            line_search_fn="strong_wolfe" if words["linesearch"] is not None else None,
        )

    def __call__(self, model: Any, x: Any, y: Any = None, batch_size: int = 32, epochs: int = 1,
                 steps_per_epoch: int | None = None, callbacks: Sequence[Hook] = (),
                 verbose: int = 0) -> None:  # fmt: skip
        """Train, telling the hooks what is done."""
        model.setup.prepare(model)
        optimizer, compare = self.optimizer(model), model.setup.losses[0]
        batches = x if y is None else _passes(x, y, batch_size)
        steps = steps_per_epoch or math.ceil(len(y) / batch_size)
        for hook in callbacks:
            hook.model, hook.stopped = model, ""
        model.train()
        for epoch in range(epochs):
            losses = []
            for step, (part, target) in enumerate(islice(batches, steps)):
                losses.append(_step(model, optimizer, compare, part, target))
                for metric in model.setup.metrics[0]:
                    metric.values.append(losses[-1])
                for hook in callbacks:
                    hook.on_train_batch_end(step, {"loss": losses[-1]})
                if _stops(callbacks):
                    break
            for hook in callbacks:
                hook.on_epoch_end(epoch, {"loss": float(np.mean(losses))})
            if _stops(callbacks):
                break
        model.eval()


def _step(model: Any, optimizer: Any, compare: Any, x: Any, y: Any) -> float:
    """Make one step; return the loss before it."""
    given = [torch.as_tensor(np.asarray(one, "float32"))
             for one in (x if isinstance(x, list) else [x])]  # fmt: skip
    target = torch.as_tensor(np.asarray(y))

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss: torch.Tensor = compare(target, model(*given))
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    return float(optimizer.step(closure).detach())


def _passes(x: Any, y: Any, size: int) -> Iterator[tuple[Any, Any]]:
    """Yield batches without end, in a new order in each pass."""
    while True:
        order = torch.randperm(len(y)).numpy()
        for begin in range(0, len(y), size):
            places = order[begin : begin + size]
            yield [one[places] for one in x] if isinstance(x, list) else x[places], y[places]


def _stops(hooks: Sequence[Hook]) -> bool:
    return any(hook.stopped for hook in hooks)
