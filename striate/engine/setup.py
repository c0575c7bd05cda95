"""Setup: the optimizer, the losses and the metrics of a model, as `compile` was given them."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import losses, metrics, optimizers
from ..errors import ConfigError, TrainingError, nearest

if TYPE_CHECKING:
    from ..model import Model

Metric = metrics.Metric


@dataclasses.dataclass
class Setup:
    """What training needs besides the network: a loss, weight and metrics for each output."""

    optimizer: Any
    losses: list[Any]
    loss_weights: list[float]
    metrics: list[list[Any]]
    state: dict[str, Any] | None = None  # the optimizer's, from the first step on
    names: Sequence[str] = ()  # of the weights that the optimizer's state belongs to
    ready: bool = False  # whether losses and metrics know the outputs they belong to

    def prepare(self, model: Model) -> None:
        """Bind losses and metrics to the outputs, once these are known."""
        if self.ready:
            return
        outputs = model.outputs
        if len(self.losses) == 1:
            self.losses = self.losses * len(outputs)
        if len(self.metrics) == 1:  # a metric that is an object is another one for each output
            self.metrics = [copy.deepcopy(self.metrics[0]) for _ in outputs]
        self.loss_weights = self.loss_weights or [1.0] * len(outputs)
        for field in ("losses", "metrics", "loss_weights"):
            if len(getattr(self, field)) != len(outputs):
                raise ConfigError(
                    model.where,
                    f"compile got another number of {field} than the model has outputs",
                    got=f"{len(getattr(self, field))} for {len(outputs)} outputs",
                    need="one for each of " + ", ".join(output.name for output in outputs),
                )
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
    loss_weights: Any = None,
) -> None:
    """Choose how the model is trained and judged.

    `optimizer` is a name, an optimizer or a torch optimizer; `loss` a name, a loss or a function
    (y_true, y_pred); `metrics` names or objects. Where there are several outputs, loss and metrics
    are for all of them, or given for each, in a list or in a dictionary by the output's name.

    Raises: ConfigError for a name that is not known.

    Example:
        >>> from striate import Sequential, layers as L
        >>> model = Sequential([L.Input((4,)), L.Dense(2, activation="softmax")])
        >>> model.compile(optimizer="adam", loss="crossentropy", metrics=["accuracy"])
    """
    losses_given = _in_order(model, "loss", loss)
    several = losses_given if isinstance(losses_given, (list, tuple)) else [losses_given]
    asked = _in_order(model, "metrics", metrics) or []
    asked = list(asked) if isinstance(asked, (list, tuple)) else [asked]
    if not any(isinstance(item, (list, tuple)) for item in asked):
        asked = [asked]
    model.setup = Setup(
        optimizers.get(optimizer),
        [losses.get(item) for item in several if item is not None],
        list(_in_order(model, "loss_weights", loss_weights) or []),
        [list(item) if isinstance(item, (list, tuple)) else [item] for item in asked],
    )


def held(model: Model) -> Setup:
    """Return what compile was given; for those who are called only after compile."""
    setup: Any = model.setup
    assert isinstance(setup, Setup)
    return setup


def setup_of(model: Model, *, training: bool = True) -> Setup:
    """Return the model's setup, ready for use, or raise TrainingError if it has none."""
    if model.setup is None or not held(model).losses:
        verb = "trained" if training else "evaluated"
        raise TrainingError(
            model.where,
            f"cannot be {verb}: it has no loss",
            need="compile before fit and evaluate",
            fix='model.compile(optimizer="adam", loss="crossentropy", metrics=["accuracy"])',
        )
    held(model).prepare(model)
    return held(model)


def _in_order(model: Model, field: str, given: Any) -> Any:
    """Return what is given by the outputs' names as a list in their order."""
    if not isinstance(given, Mapping):
        return given
    names = [output.name for output in model.outputs]
    missing = [] if field == "metrics" else [name for name in names if name not in given]
    if missing or any(name not in names for name in given):
        raise ConfigError(
            model.where,
            f"compile got {field} for other outputs than the model has",
            got=", ".join(map(str, given)),
            need=", ".join(names),
            fix=next((nearest(name, names) for name in given if name not in names), ""),
        )
    return [given.get(name, []) for name in names]
