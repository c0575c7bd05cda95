"""Training as BigDL does it, in the native loop: full batches, triggers, validation, the log."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...engine import loop
from ...engine.hooks import Hook, ReduceLROnPlateau, current_rate
from ...losses import Function, Loss
from ...optimizers import SGD
from . import closure
from .criterions import LOSSES, Criterion
from .criterions_composed import Tabular
from .joined import Joined
from .judging import Top1Accuracy, totals
from .keras_kinds import looked_up
from .methods import STRINGS, Method, Plateau
from .parts import ByPart
from .samples import Array, Arrays
from .session import BigdlSession
from .triggers import EveryEpoch, MaxEpoch, Progress, Trigger

if TYPE_CHECKING:
    from .module import Module


@dataclasses.dataclass
class Setup:
    """What a network is trained and judged with; `compiled` is what it came to last."""

    method: Method
    criterion: Criterion
    methods: list[Any]
    compiled: tuple[Any, ...] = ()


@dataclasses.dataclass
class Watched:
    """What happens beside the steps: validation, files, summaries; each when its trigger fires."""

    x: Arrays | None = None
    y: Array | None = None
    trigger: Trigger | None = None
    methods: Sequence[Any] = ()
    batch_size: int = 32
    path: str = ""
    keep: Trigger | None = None
    over_write: bool = True
    train: Any = None
    valid: Any = None
    clip: dict[str, Any] = dataclasses.field(default_factory=dict)


def compiled(session: BigdlSession, optimizer: Any, loss: Any, metrics: Any) -> Setup:
    """Return the setup for words of Keras 1 or objects of BigDL, printing what is created."""
    if isinstance(optimizer, str):
        kind, words = looked_up("optimizer", optimizer, STRINGS)
        session.created("Default")
        session.created(kind)
        optimizer = Method.of(kind, **words)
    if isinstance(loss, str):
        kind, words = looked_up("loss", loss, LOSSES)
        session.created(kind)
        loss = Criterion.of(kind, **words)
    methods = []
    for metric in [metrics] if isinstance(metrics, str) else metrics or ():
        if isinstance(metric, str):
            looked_up("metric", metric, {"accuracy": None})
            session.created("Top1Accuracy")
            methods.append(Top1Accuracy())
        else:
            methods.append(metric)
    return Setup(optimizer, loss, methods)


def fit(
    module: Module, setup: Setup, x: Arrays, y: Any, batch_size: int, epochs: int, valid: Any,
    beside: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Train a network of the Keras-style API; `beside` are further fields of Watched."""
    watched = Watched(methods=setup.methods, batch_size=batch_size, **(beside or {}))
    if valid is not None:
        watched.x, watched.y = module.session.script.part(list(valid))
        watched.trigger = EveryEpoch()
    optimize(module, setup, x, y, MaxEpoch(epochs), batch_size, watched)


def optimize(
    module: Module, setup: Setup, x: Arrays, y: Any, end: Trigger, batch_size: int,
    watched: Watched,
) -> None:  # fmt: skip
    """Train until the trigger fires."""
    script = module.session.script
    x = [np.asarray(one) for one in script.part(x)]
    y = script.part(y)
    x = [one if one.dtype == np.uint8 else one.astype("float32", copy=False) for one in x]
    model, loss, targets = _posed(module.native([tuple(one.shape[1:]) for one in x]), setup, y)
    recorded = [Recorded(model)] if watched.train is not None else []
    train: Any = loop.fit
    if isinstance(setup.method, ByPart):
        model.compile(setup.method.of_weights(module, watched.clip), loss, recorded)
    elif setup.method.kind == "LBFGS":
        train = closure.Loop(setup.method)
        model.compile(SGD(1.0), loss, recorded)
    else:
        _compile(setup, model, loss, watched.clip, recorded)
    steps = math.ceil(len(x[0]) / batch_size)
    follow = _follower(end, watched)(module, model, end, watched, steps, batch_size, recorded)
    wanted = end.epochs(steps)
    epochs = script.epochs(int(wanted) if math.isfinite(wanted) else 10**6)
    whole = len(x[0]) % batch_size == 0
    single = x if len(x) > 1 else x[0]
    data: dict[str, Any] = {"x": single, "y": targets, "batch_size": batch_size}
    if not whole:
        data = {"x": full_batches(x, targets, batch_size), "steps_per_epoch": steps}
    train(model, **data, epochs=epochs, verbose=0, callbacks=[*_plateau(setup), follow])
    script.fitted = model
    script.seen = (single, targets, None)
    script.saw(x[0])
    for summary in (watched.train, watched.valid):
        if summary is not None:
            summary.write()


def _compile(
    setup: Setup, model: Any, loss: Loss, clip: dict[str, Any], metrics: Sequence[Any]
) -> None:
    """Compile a network, or begin anew with the plans that it has for the same."""
    asked = (id(model), dict(setup.method.words), loss, clip, *metrics)
    if setup.compiled[1:] == asked and model.setup.optimizer is setup.compiled[0]:
        model.setup.state = None
        return
    method = dataclasses.replace(setup.method.native(), **clip)
    model.compile(method, loss, metrics)
    setup.compiled = (method, *asked)


def _posed(model: Any, setup: Setup, y: Any) -> tuple[Any, Any, Array]:
    """Return the network that is trained, its native loss, and the targets of that."""
    criterion = setup.criterion
    if isinstance(criterion, Tabular):
        several = [np.asarray(one) for one in (y if isinstance(y, list) else [y])]
        joined = Joined(model, criterion, several)
        return joined.model, joined.loss(), joined.targets(several)
    labels = np.asarray(y[0] if isinstance(y, list) else y)
    loss, classes = criterion.loss(model.activation_name, labels)
    if classes:
        return model, loss, criterion.targets(labels, model.output_shape[-1])
    targets, shape = labels.astype("float32"), tuple(model.output_shape[1:])
    if isinstance(loss, Function) and targets.shape[1:] != shape and None not in shape:
        return model, *_filled(loss, targets, shape)
    return model, loss, targets


def _filled(loss: Function, targets: Array, shape: tuple[int, ...]) -> tuple[Loss, Array]:
    """Return a loss, and targets filled up to the shape of an output, of which it takes its own."""
    rows, own = targets.reshape(len(targets), -1), targets.shape[1:]
    count, missing = rows.shape[1], math.prod(shape) - rows.shape[1]
    if missing < 0:
        return loss, targets  # the loop says what does not fit

    def compared(y_true: Any, y_pred: Any) -> Any:
        return loss.function(y_true.flatten(1)[:, :count].reshape(len(y_true), *own), y_pred)

    return Function(compared), np.pad(rows, ((0, 0), (0, missing))).reshape(-1, *shape)


def full_batches(x: Arrays, y: Array, size: int) -> Iterator[tuple[Any, Array]]:
    """Yield full batches without end; the last of a pass goes on with the first samples of it."""
    count = len(x[0])
    while True:
        order = torch.randperm(count).numpy()
        for begin in range(0, count, size):
            places = order[np.arange(begin, begin + size) % count]
            part = [one[places] for one in x]
            yield (part if len(part) > 1 else part[0]), y[places]


class Recorded:
    """A metric that keeps the loss of each batch."""

    name = "batch_loss"

    def __init__(self, model: Any) -> None:
        self.model = model
        self.values: list[float] = []

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch in."""
        self.values.append(float(self.model.setup.losses[0](y_true, y_pred)))

    def compute(self) -> float:
        """Return the last one."""
        return self.values[-1] if self.values else math.nan

    def reset(self) -> None:
        """Keep all."""


class Follow(Hook):
    """Looks at training after each epoch."""

    def __init__(
        self, module: Module, model: Any, end: Trigger, watched: Watched, steps: int, size: int,
        recorded: Sequence[Recorded],
    ) -> None:  # fmt: skip
        self.module, self.network, self.end, self.watched = module, model, end, watched
        self.steps, self.size, self.recorded = steps, size, recorded
        self.progress = Progress()
        self.began = self.last = self.step_began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Log the epoch; validate, keep and stop where a trigger says so."""
        progress = self.progress
        progress.epoch, progress.loss = epoch + 1, (logs or {})["loss"]
        progress.iteration = max(
            progress.iteration, 0 if self.counts else progress.epoch * self.steps
        )
        now = time.monotonic()
        records, seconds = self.steps * self.size, max(now - self.last, 1e-9)
        self.module.session.info(
            "DistriOptimizer$:408",
            f"[Epoch {epoch + 1} {records}/{records}][Iteration {progress.iteration}]"
            f"[Wall Clock {now - self.began:.3f}s] Trained {records} records in {seconds:.3f} "
            f"seconds. Throughput is {records / seconds:.1f} records/second. "
            f"Loss is {progress.loss}.",
        )
        self.last = now
        progress.ended = True
        numbers = {"loss": progress.loss, **self.look()}
        progress.ended = False
        if self.module.session.script.run is not None:
            self.module.session.script.run.log(epoch, numbers)

    counts = False  # whether iterations are counted one by one

    def look(self) -> dict[str, float]:
        """Do what the triggers say; return the numbers of a validation."""
        watched, progress = self.watched, self.progress
        found = {}
        if watched.trigger is not None and watched.trigger.fires(progress):
            found = self.validate()
        if watched.keep is not None and watched.keep.fires(progress):
            name = "model" if watched.over_write else f"model.{progress.iteration}"
            self.network.save(Path(watched.path) / f"{name}.striate")
        if self.end.fires(progress):
            self.stop("the end trigger")
        return found

    def validate(self) -> dict[str, float]:
        """Judge the network, and log what each method found."""
        watched, found = self.watched, {}
        assert watched.x is not None and watched.y is not None
        for total, count, method in totals(
            self.module, watched.x, watched.y, watched.methods, watched.batch_size
        ):
            self.module.session.info(
                "DistriOptimizer$:522", f"{method.name} is {method.told(total, count)}"
            )
            value = total / max(count, 1)
            found[f"val_{method.name}"] = value
            if watched.valid is not None:
                watched.valid.add_scalar(method.name, self.progress.iteration, value)
        if found:
            self.progress.score = next(iter(found.values()))
        return found


class FollowSteps(Follow):
    """Looks at training after each step too."""

    counts = True

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Count the step; do what the triggers say."""
        self.progress.iteration += 1
        summary, number = self.watched.train, self.progress.iteration
        if summary is not None:
            now = time.monotonic()
            summary.add_scalar("Loss", number, self.recorded[0].compute())
            summary.add_scalar("Throughput", number, self.size / max(now - self.step_began, 1e-9))
            self.step_began = now
            trigger = summary.triggers.get("LearningRate")
            if trigger is not None and trigger.fires(self.progress):
                summary.add_scalar("LearningRate", number, current_rate(self.network))
        self.look()


def _follower(end: Trigger, watched: Watched) -> type[Follow]:
    triggers = (end, watched.trigger, watched.keep)
    steps = any(one is not None and one.watches_steps for one in triggers)
    return FollowSteps if steps or watched.train is not None else Follow


def _plateau(setup: Setup) -> list[Hook]:
    given = setup.method.words.get("leaningrate_schedule")
    if not isinstance(given, Plateau):
        return []
    return [
        ReduceLROnPlateau(
            "loss",
            factor=given.factor,
            patience=given.patience,
            mode=given.mode,
            min_delta=given.epsilon,
            cooldown=given.cooldown,
            min_lr=given.min_lr,
        )
    ]
