"""Setup: the optimizer, the losses and the metrics of a model, as `compile` was given them."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import losses, metrics, optimizers
from ..core.symbol import Symbol
from ..errors import ConfigError, TrainingError, nearest, one_of
from ..settings import check_range
from .ending import ending
from .progress import say

if TYPE_CHECKING:
    from ..model import Model

ENGINES = ("auto", "native", "torch")
PRECISIONS = ("float32", "bfloat16", "auto")


class Plans(dict[Any, Any]):
    """What was made for running a model; a copy of the model begins with none."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Plans:
        return Plans()

    def __reduce__(self) -> tuple[Any, ...]:
        return (Plans, ())


@dataclasses.dataclass
class Setup:
    """What training needs besides the network: a loss, its share and metrics for each output."""

    optimizer: Any
    losses: list[Any]
    loss_weights: list[float]
    metrics: list[list[Any]]
    weighted_metrics: list[list[Any]]  # those that are given the weights of samples
    engine: str = "auto"
    precision: str = "float32"
    plans: Plans = dataclasses.field(default_factory=Plans)  # native ones
    steps: Plans = dataclasses.field(default_factory=Plans)  # for batches that come one by one
    forwards: Plans = dataclasses.field(default_factory=Plans)  # compiled by torch, for a device
    state: dict[str, Any] | None = None  # the optimizer's, from the first step on
    names: Sequence[str] = ()  # of the weights that the optimizer's state belongs to
    shelf: dict[str, Any] = dataclasses.field(default_factory=dict)  # what it kept of others
    reach: float = 0.0  # the largest value of the input that the model was trained on
    range_test: dict[str, Any] | None = None  # what `find_lr` found last
    ready: bool = False  # whether losses and metrics know the outputs they belong to

    def prepare(self, model: Model) -> None:
        """Bind losses and metrics to the outputs, once these are known."""
        if self.ready:
            return
        outputs = model.outputs
        for field in ("losses", "metrics", "weighted_metrics", "loss_weights"):
            setattr(self, field, _for_each(model, field, getattr(self, field), len(outputs)))
        for index, output in enumerate(outputs):
            self._bind(index, output, ending(output))
        self.ready = True

    def _bind(self, index: int, output: Symbol, made_by: str) -> None:
        """Tell the loss and the metrics of an output what its values are."""
        shape = output.spec.shape
        loss = self.losses[index].resolve(made_by, shape)
        if made_by == losses.UNKNOWN and isinstance(loss, losses.Entropy):
            kind = "logits" if loss.from_logits else "probabilities"
            say(f"note: it cannot be seen how {output.name} ends; {loss.name} takes it as {kind}")
        self.losses[index] = loss
        self.metrics[index] = [metrics.get(item, loss, shape) for item in self.metrics[index]]
        taken = {metric.name for metric in self.metrics[index]}
        weighted = [metrics.get(item, loss, shape) for item in self.weighted_metrics[index]]
        for metric in weighted:
            if metric.name in taken:
                metric.name = f"weighted_{metric.name}"
        self.weighted_metrics[index] = weighted
        if getattr(loss, "takes_any_labels", False):
            for metric in (*self.metrics[index], *weighted):
                (getattr(metric, "native", None) or metric).any_labels = True
        names = [metric.name for metric in (*self.metrics[index], *weighted)]
        double = next((name for name in names if names.count(name) > 1), "")
        if double:
            raise ConfigError(
                "metrics",
                f"two metrics of one output are called {double!r}",
                got=", ".join(names),
                need="a name of its own for each",
                fix=f'name="{double}_2" for one of them',
            )


def compile_model(
    model: Model,
    optimizer: Any = "rmsprop",
    loss: Any = None,
    metrics: Any = None,
    loss_weights: Any = None,
    weighted_metrics: Any = None,
    *,
    engine: str = "auto",
    precision: str = "float32",
) -> None:
    """Choose how the model is trained and judged.

    `optimizer` is a name, an optimizer or a torch optimizer; `loss` a name, a loss or a function
    (y_true, y_pred); `metrics` names or objects; `weighted_metrics` those that count each sample by
    its weight. Where there are several outputs, each of these is for all of them, or given for
    each, in a list or in a dictionary by the output's name; the loss is the sum of their losses,
    each times its number in `loss_weights`.

    `engine`: "native" the library of Striate's own kernels, "torch" torch's operations, "auto" the
    first wherever it can. `precision`: "float32" exactly, "bfloat16" products of 16-bit numbers
    with float32 weights, where the processor or the device has them, "auto" those of graphics
    cards.

    Raises: ConfigError for a name that is not known.

    Example:
        >>> from striate import Sequential, layers as L
        >>> model = Sequential([L.Input((4,)), L.Dense(2, activation="softmax")])
        >>> model.compile(optimizer="adam", loss="crossentropy", metrics=["accuracy"])
    """
    one_of("compile", "engine", engine, ENGINES)
    one_of("compile", "precision", precision, PRECISIONS)
    model.setup = Setup(
        optimizers.get(optimizer),
        _losses(model, _in_order(model, "loss", loss)),
        _shares(_in_order(model, "loss_weights", loss_weights)),
        _lists(_in_order(model, "metrics", metrics)),
        _lists(_in_order(model, "weighted_metrics", weighted_metrics)),
        engine,
        precision,
    )


def _losses(model: Model, given: Any) -> list[Any]:
    if given is None:
        return []
    several = given if isinstance(given, (list, tuple)) else [given]
    if any(item is None for item in several):
        raise ConfigError(
            model.where,
            "an output has no loss",
            got=f"loss={given!r}",
            need="a loss for each output",
            fix="loss_weights with 0 for the output that shall not be trained",
        )
    return [losses.get(item) for item in several]


def _shares(given: Any) -> list[float]:
    several = given if isinstance(given, (list, tuple)) else [] if given is None else [given]
    for number in several:
        check_range("compile", "loss_weights", number, "[0, inf)", 1.0)
    return [float(number) for number in several] or [1.0]


def _lists(given: Any) -> list[list[Any]]:
    """Return the metrics for each output, or one list for all of them."""
    asked = [] if given is None else given if isinstance(given, (list, tuple)) else [given]
    if not any(isinstance(item, (list, tuple)) for item in asked):
        return [list(asked)]
    return [list(item) if isinstance(item, (list, tuple)) else [item] for item in asked]


def _for_each(model: Model, field: str, given: list[Any], outputs: int) -> list[Any]:
    """Return one of these for each output: a single one is copied, so that none is shared."""
    if len(given) == 1 and outputs > 1:
        return [copy.deepcopy(given[0]) for _ in range(outputs)]
    if len(given) != outputs:
        raise ConfigError(
            model.where,
            f"compile got another number of {field} than the model has outputs",
            got=f"{len(given)} for {outputs} outputs",
            need="one for each of " + ", ".join(model.graph.output_names),
        )
    return given


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
    names = model.graph.output_names
    missing = [] if "metrics" in field else [name for name in names if name not in given]
    if missing or any(name not in names for name in given):
        raise ConfigError(
            model.where,
            f"compile got {field} for other outputs than the model has",
            got=", ".join(map(str, given)),
            need=", ".join(names),
            fix=next((nearest(name, names) for name in given if name not in names), ""),
        )
    found = [given.get(name, []) for name in names]
    several = "metrics" in field  # of which each output has a list
    return [[one] if several and not isinstance(one, (list, tuple)) else one for one in found]
