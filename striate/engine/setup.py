"""Setup: the optimizer, the losses and the metrics of a model, as `compile` was given them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import losses, metrics, optimizers
from ..errors import ConfigError, TrainingError

if TYPE_CHECKING:
    from ..model import Model

Metric = metrics.Metric


@dataclasses.dataclass
class Setup:
    """What training needs besides the network: one loss, weight and list of metrics for each output."""

    optimizer: Any
    losses: list[Any]
    loss_weights: list[float]
    metrics: list[list[Any]]
    state: dict[str, Any] | None = None  # the optimizer's, from the first step on
    ready: bool = False  # whether losses and metrics know the outputs they belong to

    def prepare(self, model: Model) -> None:
        """Bind losses and metrics to the outputs, once these are known."""
        if self.ready:
            return
        outputs = model.outputs
        if len(self.losses) == 1 and len(outputs) > 1:
            self.losses *= len(outputs)
        if len(self.losses) != len(outputs):
            raise ConfigError(
                model.where,
                "compile got another number of losses than the model has outputs",
                got=f"{len(self.losses)} losses",
                need=f"{len(outputs)} outputs",
                fix="loss=[one, for, each, output]",
            )
        self.loss_weights = self.loss_weights or [1.0] * len(outputs)
        self.metrics = (self.metrics + [[] for _ in outputs])[: len(outputs)]
        for index, output in enumerate(outputs):
            name = output.node.layer.activation_name if output.node else ""
            loss = self.losses[index].resolve(name, output.spec.shape)
            self.losses[index] = loss
            self.metrics[index] = [
                metrics.get(item, loss, output.spec.shape) for item in self.metrics[index]
            ]
        self.ready = True


def compile_model(
    model: Model,
    optimizer: Any = "rmsprop",
    loss: Any = None,
    metrics: Any = None,
    loss_weights: Sequence[float] | None = None,
) -> None:
    """Choose how the model is trained and judged.

    `optimizer` is a name, an optimizer or a torch optimizer; `loss` a name, a loss or a function
    (y_true, y_pred), one for all outputs or one for each; `metrics` names or objects, or one list for
    each output.

    Raises: ConfigError for a name that is not known.

    Example:
        >>> from striate import Sequential, layers as L
        >>> model = Sequential([L.Input((4,)), L.Dense(2, activation="softmax")])
        >>> model.compile(optimizer="adam", loss="crossentropy", metrics=["accuracy"])
    """
    if isinstance(loss, Mapping) or isinstance(metrics, Mapping):
        names = [output.name for output in model.outputs]
        loss = [loss[name] for name in names] if isinstance(loss, Mapping) else loss
        metrics = [metrics.get(name, []) for name in names] if isinstance(metrics, Mapping) else metrics
    several = loss if isinstance(loss, (list, tuple)) else [loss]
    asked = list(metrics or [])
    if not any(isinstance(item, (list, tuple)) for item in asked):
        asked = [asked]
    model.setup = Setup(
        optimizers.get(optimizer),
        [losses.get(item) for item in several if item is not None],
        list(loss_weights or []),
        [list(item) for item in asked],
    )


def setup_of(model: Model, *, training: bool = True) -> Setup:
    """Return the model's setup, ready for use, or raise TrainingError if it has none."""
    if model.setup is None or not model.setup.losses:
        verb = "trained" if training else "evaluated"
        raise TrainingError(
            model.where,
            f"cannot be {verb}: it has no loss",
            need="compile before fit and evaluate",
            fix='model.compile(optimizer="adam", loss="crossentropy", metrics=["accuracy"])',
        )
    model.setup.prepare(model)
    return model.setup
