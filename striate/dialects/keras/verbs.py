"""The verbs of a Keras model: fit, evaluate, predict, in the words of every version."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from ...core.layer import Layer
from ...engine import loop
from ...engine.hooks.log import Log
from ...layers.recurrent import Overtime
from . import eager as keras_eager, judging, keyed
from .arguments import (
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
from .batches import named, passed, stream
from .bound import batches
from .compiled import Compiled
from .progress import History, Numbers, Shown, line, told
from .tapes import Trained

VALID = "val_loss"


class Spoken(Compiled):
    """The verbs of a Keras model; the classes that scripts see add the session."""

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
        x = batches(self) if x is None else x
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
        if not version.steps and not isinstance(words.get("class_weight", {}), Mapping):
            kind = type(words.pop("class_weight")).__name__
            session.note(f"class_weight: {version.title} takes no notice of a {kind}, only of a"
                         " dictionary: the class number, its weight")  # fmt: skip
        words["batch_size"] = int(size or version.batch_size)
        words["shuffle"] = bool(words.get("shuffle", True))
        if words.get("sample_weight") is not None:
            words["sample_weight"] = script.part(weights(self, words["sample_weight"]))
        self._settle(x)
        if whole:
            x, y = script.part(self._named(x)), script.part(keyed.targets(self, y))
        else:
            x = stream(x).of(self.named_inputs(), self._ordered)
            words["steps_per_epoch"] = x.steps(words.get("steps_per_epoch"), script.limit_samples)
        self._validation(words)
        rename = self._renames(shows)
        steps, count = self._sizes(x, words, whole)
        count = min(count, getattr(x, "asked", 0) or count)
        self.history = history = History()
        if not version.steps:  # up to Keras 2.3, callbacks hold what is validated on
            data = held(x, y, words)
            for one in callbacks:
                vars(one).setdefault("validation_data", data)
        known = {"verbose": verbose, "samples": count, "nb_sample": count}
        hooks: list[Any] = [
            told(one, self, rename, words["batch_size"], known) for one in callbacks
        ]
        hooks.append(told(history, self, rename, words["batch_size"], known))
        if verbose:  # up to Keras 2.3, before the callbacks' own lines
            hooks.insert(
                len(hooks) * version.steps, Shown(session, count, steps, verbose, rename, x)
            )
            if whole:
                self._announce(count, len(leading(x)), words)
        if script.run is not None:
            hooks.append(Log(script.run))
        script.fitted = self
        script.seen = seen(x, y, words) if whole else None
        if whole:
            script.saw(leading(x))
        with self._as_compiled(training=True), judging.listening(session, hooks):
            keras_eager.fit_with(self, x, y, epochs, hooks, words)
        return history

    def _settle(self, x: Any) -> None:
        """Compile by the names of outputs that only a run of a model's code tells."""
        if self.awaits:
            batch = _one(x) if plain(x) else stream(x).first()
            self.settle(batch[0] if isinstance(batch, tuple) and not plain(x) else batch)

    def _validation(self, words: dict[str, Any]) -> None:
        """Bring what is validated on into the native form."""
        script, valid = self.session.script, words.get("validation_data")
        if valid is None:
            return
        if isinstance(valid, (tuple, list)) and keyed.speaks(self):
            valid = keyed.ordered(self, valid)
        if isinstance(valid, (tuple, list)) and not isinstance(valid[0], (tuple, dict)):
            first, *rest = valid
            parts = tuple(
                script.part(arrays(part))
                for part in (self._named(first), *(keyed.targets(self, one) for one in rest))
            )
            words["validation_data"] = parts
        elif plain(valid):
            words["validation_data"] = script.part(valid)
        else:
            valid = stream(valid).of(self.named_inputs(), self._ordered)
            steps = valid.steps(words.pop("validation_steps", None), script.limit_samples)
            words["validation_data"] = valid.bounded(steps)

    def _named(self, x: Any) -> Any:
        """Return inputs of a dictionary as the model takes them."""
        if keyed.speaks(self):
            return keyed.listed(self, x)
        return named(x, self.named_inputs())

    def _ordered(self, item: Any) -> Any:
        """Return a batch of a data set as the model takes it."""
        return keyed.ordered(self, item)

    def named_inputs(self) -> list[str]:
        """Return the names of the inputs, where symbols have them."""
        return [one.name for one in self.inputs] if self._graph is not None else []

    def _renames(self, shows: bool) -> Any:
        last: list[Any] = [None, Numbers()]  # callbacks of one moment share, and add to, one object

        def rename(logs: Any) -> Numbers:
            if last[0] is not logs:
                known = self.twin.rename(logs) if self.twin else logs
                kept = {k: v for k, v in known.items() if shows or not k.endswith("acc")}
                if self.session.version.name == "keras0":  # whose Graph tells the whole loss alone
                    kept = {k: v for k, v in kept.items() if not k.endswith("_loss") or k == VALID}
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

    def train(self, mode: Any = True, *args: Any, **words: Any) -> Any:
        """Make one step on a batch, in the words of Keras 0.1; else PyTorch's switch of modes."""
        if isinstance(mode, (bool, int)):
            return super().train(bool(mode))
        return self.train_on_batch(mode, *args, **words)

    def test(self, x: Any, y: Any = None, **words: Any) -> Any:
        """Return the loss of one batch, in the words of Keras 0.1."""
        return self.test_on_batch(x, y, **words)

    def reset_states(self) -> None:
        """Let stateful layers begin anew with the next batch."""
        for part in self.modules():
            if isinstance(part, Overtime):
                part.reset_states()

    # ---- judge and use ---------------------------------------------------------------------------

    def evaluate(self, x: Any = None, y: Any = None, batch_size: Any = None, verbose: Any = 1,
                 sample_weight: Any = None, steps: Any = None, show_accuracy: bool = False,
                 return_dict: bool = False, **words: Any) -> Any:  # fmt: skip
        """Return the loss, or a list of the loss and the metrics."""
        x, y = words.get("X", arrays(x)), arrays(y)
        data: Any
        count: int | None = None
        self._settle(x)
        x, y = batches(self) if x is None else self._named(x), keyed.targets(self, y)
        data = x
        if not plain(x):
            made = stream(x).of(self.named_inputs(), self._ordered)
            count = made.steps(steps, self.session.script.limit_samples)
            data, steps = made.bounded(count), None
        began = time.monotonic()
        listeners = [told(one, self, self._renames(True)) for one in words.get("callbacks") or ()]
        for one in listeners:
            one.set_model(self)
        with self._as_compiled(), judging.listening(self.session, listeners):
            judged = weights(self, sample_weight)
            logs = keras_eager.evaluate_with(self, data, y, batch_size, judged, steps)
        logs = self._renames(True)(logs)
        if verbose and verbose != "auto":
            kind = 2 if verbose == 2 else 1
            self._show(x, batch_size, time.monotonic() - began, logs, count or passed(data), kind)
        if return_dict:
            return dict(logs)
        values = self._listed(logs)
        zero = self.session.version.name == "keras0" and not show_accuracy
        return values[0] if len(values) == 1 or zero else values

    def _show(self, x: Any, batch_size: Any, seconds: float, logs: Any, steps: Any,
              verbose: int) -> None:  # fmt: skip
        version = self.session.version
        count = len(leading(x)) if plain(x) else 0
        if version.steps:
            count = math.ceil(count / (batch_size or 32)) if plain(x) else int(steps or 0)
            print(line(version.name, count, seconds, logs, verbose))  # noqa: T201
        elif count or steps:
            print(line(version.name, count or int(steps), seconds, {}))  # noqa: T201

    def evaluate_generator(self, generator: Any, steps: Any = None, *args: Any,
                           val_samples: Any = None, **words: Any) -> Any:  # fmt: skip
        """Return the loss, or a list, for batches of a generator."""
        source = stream(generator)
        old = self.session.version.old and steps is not None
        steps = source.steps_of(val_samples or steps) if val_samples or old else steps
        return self.evaluate(source, steps=steps, verbose=words.get("verbose", 0))

    def predict(self, x: Any, batch_size: Any = None, verbose: Any = 0, steps: Any = None,
                **words: Any) -> Any:  # fmt: skip
        """Return the outputs."""
        x = arrays(self._named(x))
        with self._as_compiled(), keyed.in_order(self):
            if plain(x):
                out = loop.predict(self, x, batch_size=batch_size, verbose=0)
                self._notice(x, batch_size or 32)
                count = math.ceil(len(leading(x)) / (batch_size or 32))
            else:
                source = stream(x).of(self.named_inputs(), self._ordered)
                out = loop.predict(self, source.inputs(source.steps(steps, None)), verbose=0)
                count = source.passed
        judging.told_of_prediction(words.get("callbacks") or (), self, count)
        return keyed.named(self, out)

    def _notice(self, x: Any, size: int) -> None:
        """Let `losses` have the penalties on outputs of the last batch, as a call does."""
        parts = (part for part in self.modules() if isinstance(part, Layer))
        if self.session.version.latches or not any(one.activity_regularizer for one in parts):
            return
        several = x if isinstance(x, (list, tuple)) else [x]
        last = [torch.as_tensor(np.asarray(one)[-(len(one) % size or size) :]) for one in several]
        with torch.no_grad():
            self(last if isinstance(x, (list, tuple)) else last[0], training=False)

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
        with self._as_compiled(), keyed.in_order(self):
            x = arrays(self._named(x))
            self._notice(x, len(leading(x)))
            return keyed.named(self, loop.predict_on_batch(self, x))

    def train_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None,
                       class_weight: Any = None, accuracy: bool = False,
                       return_dict: bool = False, **words: Any) -> Any:  # fmt: skip
        """Make one step; return the loss, or a list of the loss and the metrics."""
        self._settle(x)
        x, y = arrays(self._named(x)), arrays(keyed.targets(self, y))
        if class_weight:
            labels = np.asarray(y)
            labels = (
                labels.argmax(-1) if labels.ndim > 1 and labels.shape[-1] > 1 else labels.ravel()
            )
            sample_weight = np.array([class_weight[int(label)] for label in labels], "float32")
        self.session.script.trains(self, Trained(self))
        self.session.script.saw(leading(x))
        with self._as_compiled(training=True):
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

    def _listed(self, logs: Any) -> list[float]:
        """Return numbers as a list; Keras 3 sorts the metrics of several outputs by their names."""
        names = self.graph.output_names if self._graph is not None else []
        if self.session.version.name != "keras3" or len(names) < 2:
            return list(logs.values())
        losses = {"loss", *(f"{name}_loss" for name in names)}
        first = [key for key in logs if key in losses]
        return [logs[key] for key in (*first, *sorted(set(logs) - losses))]

    def _numbers(self, logs: Any, return_dict: bool, accuracy: bool) -> Any:
        numbers = self._renames(True)(logs)
        if return_dict:
            return dict(numbers)
        values = self._listed(numbers)
        zero = self.session.version.name == "keras0" and not accuracy
        return values[0] if len(values) == 1 or zero else values


def _one(x: Any) -> Any:
    """Return the first sample of arrays, as a batch."""
    if isinstance(x, Mapping):
        return {key: _one(value) for key, value in x.items()}
    return [_one(one) for one in x] if isinstance(x, (list, tuple)) else x[:1]
