"""The verbs of a Keras model: compile, fit, evaluate, predict, in the words of every version."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...core.symbol import Symbol
from ...engine import loop
from ...engine.hooks.log import Log
from ...engine.setup import compile_model
from ...layers.recurrent import Overtime
from ...model import Model
from ..symbolic import found
from . import (
    eager as keras_eager,
    losses as keras_losses,
    optimizers as keras_optimizers,
    twin as keras_twin,
)
from .arguments import (
    COMPILE_ORDER,
    COMPILE_UNSEEN,
    FIT,
    FIT_ORDER,
    GENERATOR_ORDER,
    UNSEEN,
    arrays,
    held,
    leading,
    plain,
    read,
    seen,
    weights,
)
from .batches import stream
from .progress import History, Numbers, Shown, line, told
from .session import KerasSession


@contextmanager
def _threads(model: Model) -> Iterator[None]:
    """Run loops over steps of a sequence in one thread: several would wait for each other."""
    count = torch.get_num_threads()
    if any(isinstance(part, Overtime) for part in model.modules()):
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(count)


class Spoken(Model):
    """The verbs of a Keras model; the classes that scripts see add the session."""

    if TYPE_CHECKING:  # an annotation would become a field, and its constructor
        session: KerasSession
        twin: Any
        latch: Any
        added_symbols: Any

    def start(self) -> None:
        """Begin without anything compiled."""
        for key, value in (("twin", None), ("latch", None), ("added_symbols", []),
                           ("counts", None), ("handle", None)):  # fmt: skip
            object.__setattr__(self, key, value)

    # ---- compile ---------------------------------------------------------------------------------

    def compile(self, *args: Any, **words: Any) -> None:
        """Choose how the model is trained, with the version's defaults."""
        session, version = self.session, self.session.version
        title = f"{version.title} compile"
        given = read(title, COMPILE_ORDER, args, words, {}, COMPILE_UNSEEN)
        optimizer = given.get("optimizer", "rmsprop")
        asked = given.get("metrics")
        asked = [asked] if isinstance(asked, str) else asked
        if version.name == "keras0":
            asked = ["acc"]
        asked = self._metrics(asked or [])
        loss, weights = given.get("loss"), given.get("loss_weights")
        rule = keras_optimizers.get(session, optimizer)
        object.__setattr__(self, "latch", None)
        object.__setattr__(self, "twin", None)
        added = keras_twin.added_to(session, self) if self._graph is not None else []
        closing = None
        if self._graph is not None and callable(loss):
            closing = keras_twin.closing_over(loss, self)
        native = None if loss is None or closing else keras_losses.loss(loss)
        if native is None and asked and keras_eager.own_step(self, "compute_loss"):
            native = keras_twin._nothing  # metrics are followed, whatever the loss
        if isinstance(native, Mapping):
            native = [native.get(name) for name in self.graph.output_names]
        weighted = self._metrics(given.get("weighted_metrics") or [])
        if added or closing:
            labels = [closing[0]] if closing else []
            parts = [*added, *([closing[1]] if closing else [])]
            twin = keras_twin.Twin(self, parts, native, asked, labels)
            twin.compile(rule, weights, compile_model)
            object.__setattr__(self, "twin", twin)
        if isinstance(native, list) and None in native:
            shares = weights if isinstance(weights, list) else [1.0] * len(native)
            weights = [
                0.0 if one is None else share for one, share in zip(native, shares, strict=True)
            ]
            native = [keras_twin._nothing if one is None else one for one in native]
        compile_model(self, rule, native, asked, weights, weighted)
        handle = optimizer if isinstance(optimizer, keras_optimizers.Optimizer) else (
            keras_optimizers.classes(session)["Optimizer"].of(rule)
        )  # fmt: skip
        vars(handle)["model"] = self.trained
        object.__setattr__(self, "handle", handle)
        self._latch()

    def _metrics(self, given: Any) -> Any:
        if isinstance(given, Mapping):
            return {key: self._metrics(value) for key, value in given.items()}
        if isinstance(given, (list, tuple)):
            return [self._metrics(item) if isinstance(item, (list, tuple)) else
                    keras_losses.metric(self.session, item) for item in given]  # fmt: skip
        return [keras_losses.metric(self.session, given)]

    @property
    def trained(self) -> Model:
        """What is trained: the model, or its twin."""
        return self.twin.model if self.twin else self

    def _latch(self) -> None:
        """Remember what is trainable now: what is set later waits for the next compile."""
        if self.built:
            state = {id(weight): weight.requires_grad for weight in self.parameters()}
            object.__setattr__(self, "latch", state)

    @contextmanager
    def _as_compiled(self) -> Iterator[None]:
        """Train what was trainable when the model was compiled."""
        if self.latch is None:
            self._latch()
        before = [(weight, weight.requires_grad) for weight in self.parameters()]
        latch = self.latch or {}
        for weight, now in before:
            if latch.get(id(weight), now) != now:
                weight.requires_grad_(not now)
        inside, self.session.inside = self.session.inside, True
        try:
            with _threads(self):
                yield
        finally:
            self.session.inside = inside
            for weight, now in before:
                if weight.requires_grad != now and weight.is_leaf:
                    weight.requires_grad_(now)

    @property
    def optimizer(self) -> Any:
        """The optimizer, whose learning rate can be read and set."""
        return self.handle

    @optimizer.setter
    def optimizer(self, optimizer: Any) -> None:
        """Take another optimizer for the model's own steps, as its `compile` may do."""
        if self.setup is not None and isinstance(optimizer, keras_optimizers.Optimizer):
            self.setup.optimizer = keras_optimizers.get(self.session, optimizer)
        object.__setattr__(self, "handle", optimizer)

    @property
    def metrics_names(self) -> list[str]:
        """Names of what evaluate returns."""
        if self.setup is None:
            return ["loss"]
        if self.twin and not self.setup.losses:
            return ["loss"]
        self.setup.prepare(self)
        lists, outputs = self.setup.metrics, self.graph.output_names
        several = len(outputs) > 1
        names = [f"{name}_loss" for name in outputs] if several else []
        for name, metrics in zip(outputs, lists, strict=False):
            front = f"{name}_" if several else ""
            names += [front + (m if isinstance(m, str) else m.name) for m in metrics]
        return ["loss", *names]

    # ---- fit -------------------------------------------------------------------------------------

    def fit(self, *args: Any, **words: Any) -> Any:
        """Train as the version does: its defaults, its words, its lines on stdout."""
        title = f"{self.session.version.title} fit"
        return self._fit(read(title, FIT_ORDER, args, words, FIT, UNSEEN))

    def fit_generator(self, *args: Any, **words: Any) -> Any:
        """Train on batches that a generator gives; old versions count samples, not steps."""
        session = self.session
        title, old = f"{session.version.title} fit_generator", session.version.old
        samples = {
            key for key in ("samples_per_epoch", "nb_val_samples", "val_samples") if key in words
        }
        words = {"validation_steps" if key == "val_samples" else key: v for key, v in words.items()}
        order = (*GENERATOR_ORDER, *(name for name in FIT_ORDER if name not in GENERATOR_ORDER))
        given = read(title, order, args, words, FIT, UNSEEN)
        source = stream(given["x"])
        if "steps_per_epoch" in given and (
            "samples_per_epoch" in samples or (old and len(args) > 1)
        ):
            given["steps_per_epoch"] = source.steps_of(given["steps_per_epoch"])
        valid = given.get("validation_data")
        if valid is not None and not isinstance(valid, (tuple, list)):
            valid = stream(valid)
            if samples & {"nb_val_samples", "val_samples"} and given.get("validation_steps"):
                given["validation_steps"] = valid.steps_of(given["validation_steps"])
            given["validation_data"] = valid
        return self._fit({**given, "x": source})

    def _fit(self, given: dict[str, Any]) -> Any:
        session, script = self.session, self.session.script
        version = session.version
        x, y = arrays(given.pop("x", None)), arrays(given.pop("y", None))
        size = given.pop("batch_size", None)
        epochs = script.epochs(int(given.pop("epochs", version.epochs)))
        verbose = given.pop("verbose", 1)
        verbose = 1 if verbose in ("auto", True) else int(verbose)
        shows = bool(given.pop("show_accuracy", False)) or version.name != "keras0"
        callbacks = given.pop("callbacks", None)
        callbacks = list(callbacks) if isinstance(callbacks, (list, tuple)) else (
            [callbacks] if callbacks is not None else []
        )  # fmt: skip
        whole = plain(x)
        words: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        words["batch_size"] = int(size or version.batch_size)
        words["shuffle"] = bool(words.get("shuffle", True))
        if words.get("sample_weight") is not None:
            words["sample_weight"] = script.part(weights(self, words["sample_weight"]))
        if whole:
            x, y = script.part(x), script.part(y)
        else:
            x = stream(x)
            words["steps_per_epoch"] = x.steps(words.get("steps_per_epoch"), script.limit_samples)
        self._validation(words)
        rename = self._renames(shows)
        steps, count = self._sizes(x, words, whole)
        self.history = history = History()
        if not version.steps:  # up to Keras 2.3, callbacks hold what is validated on
            known = held(x, y, words)
            for one in callbacks:
                vars(one).setdefault("validation_data", known)
        hooks: list[Any] = [told(one, self, rename, words["batch_size"]) for one in callbacks]
        hooks.append(told(history, self, rename))
        if verbose:  # up to Keras 2.3, before the callbacks' own lines
            hooks.insert(len(hooks) * version.steps, Shown(session, count, steps, verbose, rename))
            if whole:
                self._announce(count, len(leading(x)), words)
        if script.run is not None:
            hooks.append(Log(script.run))
        script.fitted = self
        script.seen = seen(x, y, words) if whole else None
        if whole:
            script.saw(leading(x))
        with self._as_compiled():
            keras_eager.fit_with(self, x, y, epochs, hooks, words)
        return history

    def _validation(self, words: dict[str, Any]) -> None:
        """Bring what is validated on into the native form."""
        script, valid = self.session.script, words.get("validation_data")
        if valid is None:
            return
        if isinstance(valid, (tuple, list)) and not isinstance(valid[0], (tuple, dict)):
            parts = tuple(script.part(arrays(part)) for part in valid)
            words["validation_data"] = parts
        elif plain(valid):
            words["validation_data"] = script.part(valid)
        else:
            valid = stream(valid)
            steps = valid.steps(words.pop("validation_steps", None), script.limit_samples)
            words["validation_data"] = valid.bounded(steps)

    def _renames(self, shows: bool) -> Any:
        last: list[Any] = [None, Numbers()]  # callbacks of one moment share, and add to, one object

        def rename(logs: Any) -> Numbers:
            if last[0] is not logs:
                known = self.twin.rename(logs) if self.twin else logs
                kept = {k: v for k, v in known.items() if shows or not k.endswith("acc")}
                last[:] = [logs, Numbers(kept)]
            numbers: Numbers = last[1]
            return numbers

        return rename

    def _sizes(self, x: Any, words: Mapping[str, Any], whole: bool) -> tuple[int, int]:
        if not whole:
            steps = words.get("steps_per_epoch") or 0
            return steps, (x.size() * steps if self.session.version.old and steps else steps)
        first = x[0] if isinstance(x, (list, tuple)) else next(iter(x.values())) if isinstance(
            x, Mapping) else x  # fmt: skip
        count = int(len(first) * (1 - words.get("validation_split", 0.0)))
        return math.ceil(count / words["batch_size"]), count

    def _announce(self, count: int, total: int, words: Mapping[str, Any]) -> None:
        """Print how many samples there are, as Keras did up to 2.3."""
        valid, split = words.get("validation_data"), words.get("validation_split")
        if self.session.version.steps or (not isinstance(valid, tuple) and not split):
            return
        samples = len(leading(valid[0])) if isinstance(valid, tuple) else 0
        samples = total - count if split else samples
        print(f"Train on {count} samples, validate on {samples} samples")  # noqa: T201

    def numbers_so_far(self) -> dict[str, float]:
        """Return the numbers of the epoch in the step that it is in."""
        step = self.session.step
        if step is None:
            return {}
        logs, total, samples = dict(step.logs()), float(step.total), step.samples
        if not self.session.version.steps:  # up to Keras 2.3, the loss of this batch alone
            kept: Any = self.counts
            before, seen = kept or (0.0, 0)
            before, seen = (before, seen) if seen < samples else (0.0, 0)
            logs["loss"] = (total - before) / max(samples - seen, 1)
            object.__setattr__(self, "counts", (total, samples))
        return logs

    # ---- judge and use ---------------------------------------------------------------------------

    def evaluate(self, x: Any = None, y: Any = None, batch_size: Any = None, verbose: Any = 1,
                 sample_weight: Any = None, steps: Any = None, show_accuracy: bool = False,
                 return_dict: bool = False, **words: Any) -> Any:  # fmt: skip
        """Return the loss, or a list of the loss and the metrics."""
        x, y = words.get("X", arrays(x)), arrays(y)
        data: Any = x
        count: int | None = None
        if not plain(x):
            made = stream(x)
            count = made.steps(steps, self.session.script.limit_samples)
            data, steps = made.bounded(count), None
        began = time.monotonic()
        with self._as_compiled():
            judged = weights(self, sample_weight)
            logs = keras_eager.evaluate_with(self, data, y, batch_size, judged, steps)
        logs = self._renames(True)(logs)
        if verbose and verbose != "auto":
            kind = 2 if verbose == 2 else 1
            self._show(x, batch_size, time.monotonic() - began, logs, count, kind)
        if return_dict:
            return dict(logs)
        values = list(logs.values())
        zero = self.session.version.name == "keras0" and not show_accuracy
        return values[0] if len(values) == 1 or zero else values

    def _show(self, x: Any, batch_size: Any, seconds: float, logs: Any, steps: Any,
              verbose: int) -> None:  # fmt: skip
        version = self.session.version
        count = len(leading(x)) if plain(x) else 0
        if version.steps:
            count = math.ceil(count / (batch_size or 32)) if plain(x) else int(steps or 0)
            print(line(version.name, count, seconds, logs, verbose))  # noqa: T201
        elif count:
            print(line(version.name, count, seconds, {}))  # noqa: T201

    def evaluate_generator(self, generator: Any, steps: Any = None, *args: Any,
                           val_samples: Any = None, **words: Any) -> Any:  # fmt: skip
        """Return the loss, or a list, for batches of a generator."""
        source = stream(generator)
        old = self.session.version.old and steps is not None
        steps = source.steps_of(val_samples or steps) if val_samples or old else steps
        return self.evaluate(source, steps=steps, verbose=0)

    def predict(self, x: Any, batch_size: Any = None, verbose: Any = 0, steps: Any = None,
                **words: Any) -> Any:  # fmt: skip
        """Return the outputs."""
        x = arrays(x)
        with self._as_compiled():
            if plain(x):
                return loop.predict(self, x, batch_size=batch_size, verbose=0)
            source = stream(x)
            return loop.predict(self, source.inputs(source.steps(steps, None)), verbose=0)

    def predict_generator(self, generator: Any, steps: Any = None, *args: Any,
                          val_samples: Any = None, **words: Any) -> Any:  # fmt: skip
        """Return the outputs for batches of a generator."""
        source = stream(generator)
        old = self.session.version.old and steps is not None
        steps = source.steps_of(val_samples or steps) if val_samples or old else steps
        return self.predict(source, steps=steps)

    def predict_classes(self, x: Any, batch_size: Any = None, verbose: Any = 0) -> Any:
        """Return the classes: the largest output, or 1 where the only one is above one half."""
        out = self.predict(x, batch_size)
        return out.argmax(-1) if out.shape[-1] > 1 else (out > 0.5).astype("int32")

    def predict_proba(self, x: Any, batch_size: Any = None, verbose: Any = 0) -> Any:
        """Return the outputs."""
        return self.predict(x, batch_size)

    def predict_on_batch(self, x: Any) -> Any:
        """Return the outputs for one batch."""
        with self._as_compiled():
            return loop.predict_on_batch(self, arrays(x))

    def train_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None,
                       class_weight: Any = None, accuracy: bool = False,
                       return_dict: bool = False, **words: Any) -> Any:  # fmt: skip
        """Make one step; return the loss, or a list of the loss and the metrics."""
        x, y = arrays(x), arrays(y)
        if class_weight:
            labels = np.asarray(y)
            labels = (
                labels.argmax(-1) if labels.ndim > 1 and labels.shape[-1] > 1 else labels.ravel()
            )
            sample_weight = np.array([class_weight[int(label)] for label in labels], "float32")
        with self._as_compiled():
            weight = weights(self, sample_weight)
            values = keras_eager.on_batch(self, x, y, weight, train=True)
        return self._numbers(values, return_dict, accuracy)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None,
                      accuracy: bool = False, return_dict: bool = False,
                      **words: Any) -> Any:  # fmt: skip
        """Return the loss, or a list of the loss and the metrics, of one batch."""
        with self._as_compiled():
            weight = weights(self, sample_weight)
            values = keras_eager.on_batch(self, arrays(x), arrays(y), weight, train=False)
        return self._numbers(values, return_dict, accuracy)

    def _numbers(self, logs: Any, return_dict: bool, accuracy: bool) -> Any:
        numbers = self._renames(True)(logs)
        if return_dict:
            return dict(numbers)
        values = list(numbers.values())
        zero = self.session.version.name == "keras0" and not accuracy
        return values[0] if len(values) == 1 or zero else values

    # ---- added losses ----------------------------------------------------------------------------

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add symbols of the network to its loss, or numbers in the code of `call`."""
        several = losses if isinstance(losses, (list, tuple)) else [losses]
        for one in several:
            value = one() if callable(one) and not isinstance(one, (Symbol, torch.Tensor)) else one
            if any(True for _ in found(value)):
                self.added_symbols.append(value)
            else:
                self.session.adds_loss = True
                object.__setattr__(self, "added", [*getattr(self, "added", []), value])

    def add_metric(self, value: Any, name: Any = None, aggregation: Any = None) -> None:
        """Say that such numbers are not followed."""
        self.session.note("add_metric: numbers of the network's own symbols are not followed")
