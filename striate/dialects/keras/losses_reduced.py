"""Losses of a Keras script that are not the mean over a batch."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from ... import losses as native

Reduce = Callable[[Tensor, Tensor | None], Tensor]


def _sum(values: Tensor, weight: Tensor | None) -> Tensor:
    return (values if weight is None else values * weight).sum()


def _mean_by_weight(values: Tensor, weight: Tensor | None) -> Tensor:
    if weight is None:
        return values.mean()
    total = weight.expand_as(values).sum()
    return (values * weight).sum() / total if total else total


def _mean_of_counted(values: Tensor, weight: Tensor | None) -> Tensor:
    if weight is None:
        return values.mean()
    return (values * weight).mean() / _share_of_counted(weight)


def _share_of_counted(weight: Tensor) -> Tensor:
    return weight.ne(0).float().mean().clamp(min=1e-7)


COUNTED = "over_counted"
REDUCTIONS: dict[str, Reduce] = {
    "sum": _sum, "mean_with_sample_weight": _mean_by_weight, COUNTED: _mean_of_counted,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Reduced(native.Loss):
    """A loss whose numbers for the samples become one in a way of Keras's, by its name."""

    loss: Any
    reduction: str

    def __call__(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """Return the one number of a batch."""
        values = self._values(y_true, y_pred)
        weight = None if sample_weight is None else self._weight(sample_weight, values)
        return REDUCTIONS[self.reduction](values, weight)

    def values(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the losses, batch first."""
        found: Tensor = self.loss.values(y_true, y_pred)
        return found

    def before_mask(self, weight: Tensor | None) -> tuple[native.Loss, Tensor | None]:
        """Return the loss and the weights of a batch where the mean is over what a mask leaves."""
        if self.reduction != COUNTED:
            return self, weight
        return self.loss, None if weight is None else weight / _share_of_counted(weight)

    def resolve(self, activation: str, output_shape: Sequence[int | None]) -> native.Loss:
        """Return the loss for outputs of this shape that this activation has made."""
        return dataclasses.replace(self, loss=self.loss.resolve(activation, output_shape))

    def takes_logits(self, activation: str) -> native.Loss | None:
        """Return the same for values before this activation, or None where there is none."""
        found = self.loss.takes_logits(activation)
        return None if found is None else dataclasses.replace(self, loss=found)

    @property
    def kind(self) -> str:
        """The name of the class of the loss."""
        return str(self.loss.kind)

    def __getattr__(self, name: str) -> Any:
        """Return what the loss says of the labels that it takes."""
        if name.startswith("takes_"):
            return getattr(self.loss, name)
        raise AttributeError(name)


def over_counted(loss: Any) -> Any:
    """Return losses, or one, whose mean is over what has a weight, as up to Keras 2.2."""
    if isinstance(loss, list):
        return [over_counted(one) for one in loss]
    return Reduced(loss, COUNTED) if isinstance(loss, native.Loss) else loss


def reduced(loss: Any, word: str) -> Any:
    """Return a loss with the reduction of a script's word: itself where that is the mean."""
    name = word.rpartition(".")[2]
    return Reduced(loss, name) if name in REDUCTIONS else loss
