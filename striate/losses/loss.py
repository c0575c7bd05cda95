"""Loss: one number for each sample, their weights and their mean; any function as a loss."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..core.layer import snake
from ..core.spec import show
from ..errors import ConfigError, ShapeError
from ..settings import Setting

UNKNOWN = "?"  # in place of an activation's name: nobody knows what made the outputs
EPSILON = 1e-7  # Keras's: the distance that probabilities keep from 0 and 1


@dataclasses.dataclass(frozen=True)
class Loss(Setting):
    """One number per sample, zero (or the least) where the output is right.

    Calling it gives the mean over the batch, `sum(weight * loss) / batch`, as Keras's reduction
    "sum_over_batch_size". Outputs of half precision are computed in float32.

    Example:
        >>> MeanSquaredError()(torch.tensor([[0.0], [1.0]]), torch.tensor([[0.5], [1.0]]))
        tensor(0.1250)
    """

    @property
    def name(self) -> str:
        """Keras's name of the loss, as in "mean_squared_error"."""
        return snake(type(self).__name__)

    @property
    def kind(self) -> str:
        """The name of its class in the same form, which says what targets it takes."""
        return snake(type(self).__name__)

    def values(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the losses, batch first, with or without further axes."""
        raise TypeError(f"{type(self).__name__} does not define values")

    def per_sample(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return one number for each sample: the mean over the other axes."""
        values = self._values(y_true, y_pred)
        return values.flatten(1).mean(1) if values.ndim > 1 else values

    def scores(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return what a metric takes the mean of: numbers batch first, with or without places."""
        return self._values(y_true, y_pred)

    def __call__(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
        """Return the mean over the batch; a weight is one number per sample, or per value."""
        values = self._values(y_true, y_pred)
        if sample_weight is not None:
            values = values * self._weight(sample_weight, values)
        return values.mean()

    def resolve(self, activation: str, output_shape: Sequence[int | None]) -> Loss:
        """Return the loss for outputs of this shape that this activation has made.

        `output_shape` is that of one sample; `activation` is "" for outputs that none has made, and
        UNKNOWN where that cannot be seen.
        """
        return self

    def before_mask(self, weight: Tensor | None) -> tuple[Loss, Tensor | None]:
        """Return the loss and the weights of a batch where the mean is over what a mask leaves."""
        return self, weight

    def takes_logits(self, activation: str) -> Loss | None:
        """Return the same loss for values before this activation, or None where there is none."""
        return None

    def _values(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        if y_pred.dtype in (torch.float16, torch.bfloat16):
            y_pred = y_pred.float()
        return self.values(torch.as_tensor(y_true, device=y_pred.device), y_pred)

    def _weight(self, weight: Tensor, values: Tensor) -> Tensor:
        weight = torch.as_tensor(weight, dtype=values.dtype, device=values.device)
        if weight.shape == (len(values), 1) or weight.shape == (*values.shape, 1):
            weight = weight[..., 0]
        if weight.ndim == 0 or weight.shape != values.shape[: weight.ndim]:
            raise ShapeError(
                type(self).__name__,
                "the sample weights do not fit the batch",
                got=f"sample_weight {show(tuple(weight.shape))} for {len(values)} samples",
                need=f"sample_weight {show((len(values),))}",
                fix="one weight for each sample",
            )
        return weight.reshape(*weight.shape, *(1,) * (values.ndim - weight.ndim))


@dataclasses.dataclass(frozen=True)
class Elementwise(Loss):
    """Compares each value of the output with the one at the same place in y_true."""

    def values(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the losses along the last axis."""
        return self.compare(*paired(type(self).__name__, y_true, y_pred))

    def compare(self, true: Tensor, pred: Tensor) -> Tensor:
        """Return the losses along the last axis, of tensors of one shape."""
        raise TypeError(f"{type(self).__name__} does not define compare")


@dataclasses.dataclass(frozen=True)
class Function(Loss):
    """Any function of (y_true, y_pred) that returns one number, or numbers batch first.

    A loss of torch.nn is called as torch does: (y_pred, y_true).
    """

    function: Callable[..., Tensor]

    @property
    def name(self) -> str:
        """Name of the function."""
        return named(self.function)

    def values(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return what the function returns."""
        as_torch = isinstance(self.function, nn.modules.loss._Loss)
        found = self.function(*((y_pred, y_true) if as_torch else (y_true, y_pred)))
        if not isinstance(found, Tensor) or found.shape[:1] not in ((), y_pred.shape[:1]):
            shape = f"a tensor {show(tuple(found.shape))}" if isinstance(found, Tensor) else ""
            raise ShapeError(
                self.name,
                "does not return losses",
                got=shape or repr(found),
                need=f"a tensor () or {show(tuple(y_pred.shape[:1]))}",
                fix="reduce all axes but the first: loss.flatten(1).mean(1)" if shape else "",
            )
        return found

    def per_sample(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return one number for each sample; all the same if the function returns only one."""
        values = super().per_sample(y_true, y_pred)
        return values if values.ndim else values.expand(len(y_pred))

    def scores(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return what the function returns; one number of the batch for each of its samples."""
        values = self._values(y_true, y_pred)
        return values if values.ndim else values.expand(len(y_pred))

    def _weight(self, weight: Tensor, values: Tensor) -> Tensor:
        if values.ndim == 0:
            raise ConfigError(
                self.name,
                "returns one number for the batch, so its samples cannot be weighted",
                need="one number for each sample",
                fix='reduction="none"' if isinstance(self.function, nn.Module) else "",
            )
        return super()._weight(weight, values)


def named(function: Any) -> str:
    """Return the name of a function, or of the class of a callable object."""
    return str(getattr(function, "__name__", type(function).__name__))


def paired(where: str, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Return both with one shape (batch, ..., n) and one dtype; a last axis of 1 may be missing."""
    true, pred = y_true, y_pred
    if true.ndim + 1 == pred.ndim and pred.shape[-1] == 1:
        true = true.unsqueeze(-1)
    elif true.ndim == pred.ndim + 1 and true.shape[-1] == 1:
        pred = pred.unsqueeze(-1)
    if true.shape != pred.shape:
        labels = y_true.shape in (y_pred.shape[:-1], (*y_pred.shape[:-1], 1))
        raise ShapeError(
            where,
            "y_true and y_pred have different shapes",
            got=f"y_true {show(tuple(y_true.shape))}, y_pred {show(tuple(y_pred.shape))}",
            need=f"y_true {show(tuple(y_pred.shape))}",
            fix='one-hot labels, or "crossentropy" and "accuracy", which take integers'
            if labels
            else "",
        )
    if pred.ndim == 1:
        true, pred = true.unsqueeze(-1), pred.unsqueeze(-1)
    return true.to(pred.dtype), pred
