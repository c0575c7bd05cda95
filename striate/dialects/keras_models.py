"""Models of a Keras script: Striate's own, with the verbs, defaults and words of each version."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.symbol import Symbol
from ..engine import loop
from ..engine.hooks import Hook
from ..errors import caller
from ..inspect.summary import Row as Line, summary as table_of
from ..model import Model, Sequential
from . import keras_layers, keras_optimizers
from .keras import LOSSES
from .keras_session import KerasSession
from .table import DialectError

PAIRS = {"acc": "accuracy", "val_acc": "val_accuracy"}
PAIRS |= {new: old for old, new in PAIRS.items()}
FIT = {"nb_epoch": "epochs", "samples_per_epoch": "steps_per_epoch"}
FIT |= {"nb_val_samples": "validation_steps"}
QUEUES: tuple[str, ...] = (
    "nb_worker",
    "workers",
    "pickle_safe",
    "use_multiprocessing",
    "max_q_size",
)
QUEUES += ("max_queue_size", "show_accuracy", "nb_val_worker")


class Numbers(dict[str, Any]):
    """Numbers by name that answer to both spellings of the accuracy, and list one."""

    def __missing__(self, key: str) -> Any:
        other = PAIRS.get(key, "")
        if other in self:
            return self[other]
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or super().__contains__(PAIRS.get(str(key), key))

    def get(self, key: str, default: Any = None) -> Any:
        """Return a number, or the default."""
        return self[key] if key in self else default  # noqa: SIM401  dict's get would not look twice


class Told(Hook):
    """Passes the moments on to a script's callback, in Keras's words."""

    def __init__(self, callback: Any) -> None:
        self.callback = callback

    def set_model(self, model: Any) -> None:
        """Remember the model."""
        self.model = model
        self.callback.set_model(model)

    def set_params(self, params: dict[str, Any]) -> None:
        """Remember the numbers of the run."""
        self.params = params
        self.callback.set_params(params)

    def on_train_begin(self, logs: Any = None) -> None:
        """Training begins."""
        self.callback.on_train_begin(Numbers())

    def on_train_end(self, logs: Any = None) -> None:
        """Training has ended."""
        self.callback.on_train_end(Numbers())

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """An epoch begins."""
        self.callback.on_epoch_begin(epoch, Numbers())

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """An epoch has ended."""
        self.callback.on_epoch_end(epoch, Numbers(logs or {}))
        self.stopped = getattr(self.callback, "stopped", "")


class Shown(Hook):
    """Prints each epoch as Keras does, once it has ended."""

    def __init__(self, samples: int) -> None:
        self.samples = samples

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Print the head."""
        self.began = time.monotonic()
        print(f"Epoch {epoch + 1}/{self.params['epochs']}")  # noqa: T201  the script's own output

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Print the numbers."""
        seconds = time.monotonic() - self.began
        numbers = "".join(f" - {name}: {value:.4f}" for name, value in (logs or {}).items())
        done = f"{self.samples}/{self.samples} " if self.samples else ""
        print(f"{done}[{'=' * 30}] - {seconds:.0f}s{numbers}")  # noqa: T201


class Logged(Hook):
    """Writes each epoch into the run."""

    def __init__(self, run: Any) -> None:
        self.run = run

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the line."""
        self.run.log(epoch, dict(logs or {}))


class Spoken(Model):
    """The verbs of a Keras model; the classes that scripts see add the session."""

    if TYPE_CHECKING:  # an annotation would become a field, and its constructor
        session: KerasSession

    def compile(  # type: ignore[override]
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        class_mode: Any = None,
        **words: Any,
    ) -> None:
        """Choose how the model is trained, with the version's defaults."""
        version = self.session.version
        asked = [metrics] if isinstance(metrics, str) else list(metrics or ())
        if version.name == "keras0":
            asked = ["acc"]
        if version.accuracy:
            asked = [version.accuracy if item == "accuracy" else item for item in asked]
        loss = LOSSES.get(loss, loss) if isinstance(loss, str) else loss
        super().compile(keras_optimizers.get(self.session, optimizer), loss, asked, **words)

    @property
    def optimizer(self) -> Any:
        """The optimizer, whose learning rate can be read and set."""
        return keras_optimizers.Handle(self)

    @property
    def metrics_names(self) -> list[str]:
        """Names of what evaluate returns."""
        names = [item if isinstance(item, str) else item.name for item in self.setup.metrics[0]]  # type: ignore[union-attr]
        return ["loss", *names]

    def fit(self, x: Any = None, y: Any = None, *args: Any, **words: Any) -> Any:
        """Train as the version does: its defaults, its words, its lines on stdout."""
        session, version = self.session, self.session.version
        words = {FIT.get(key, key): value for key, value in words.items() if key not in QUEUES}
        words |= dict(zip(("batch_size", "epochs", "verbose", "callbacks"), args, strict=False))
        epochs = words.pop("epochs", version.epochs)
        script = session.script
        epochs = script.epochs(epochs)
        words["batch_size"] = words.get("batch_size") or version.batch_size
        x, y = script.part(x), script.part(y)
        valid = words.get("validation_data")
        if valid is not None and isinstance(valid, (tuple, list)):
            words["validation_data"] = script.part(tuple(valid))
        verbose = words.pop("verbose", 1)
        hooks = [Told(callback) for callback in words.pop("callbacks", None) or ()]
        if verbose:
            hooks.append(Shown(len(x) if isinstance(x, np.ndarray) else 0))  # type: ignore[arg-type]
        if script.run is not None:
            hooks.append(Logged(script.run))  # type: ignore[arg-type]
        history: Any = loop.fit(self, x, y, epochs=epochs, verbose=0, callbacks=hooks, **words)
        history.history = Numbers(history.history)
        history.model = self
        history.params = {"epochs": epochs, "batch_size": words["batch_size"]}
        script.fitted = self
        return history

    def fit_generator(self, generator: Any, *args: Any, **words: Any) -> Any:
        """Train on batches that a generator gives."""
        names = ("samples_per_epoch" if self.session.version.old else "steps_per_epoch", "epochs")
        words |= dict(zip(names, args, strict=False))
        size = getattr(generator, "batch_size", 0)
        stream = _Peeked(generator)
        for old, new in (("samples_per_epoch", "steps_per_epoch"),
                         ("nb_val_samples", "validation_steps")):  # fmt: skip
            if old in words:
                words[new] = max(1, math.ceil(words.pop(old) / (size or stream.size())))
        return self.fit(stream, **words)

    def evaluate(self, x: Any = None, y: Any = None, batch_size: Any = None, verbose: Any = 1,
                 **words: Any) -> Any:  # fmt: skip
        """Return the loss, or a list of the loss and the metrics."""
        words.pop("show_accuracy", None)
        return loop.evaluate(self, x, y, batch_size=batch_size, verbose=0, **words)

    def predict(self, x: Any, batch_size: Any = None, verbose: Any = 0, **words: Any) -> Any:
        """Return the outputs."""
        return loop.predict(self, x, batch_size=batch_size, verbose=0, **words)

    def predict_classes(self, x: Any, batch_size: Any = None, verbose: Any = 0) -> Any:
        """Return the classes: the largest output, or 1 where the only one is above one half."""
        out = self.predict(x, batch_size)
        return out.argmax(-1) if out.shape[-1] > 1 else (out > 0.5).astype("int32")

    predict_proba = predict

    def summary(  # type: ignore[override]
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        **words: Any,
    ) -> None:
        """Print the table as the version lays it out."""
        for line in lines(self, self.session):
            (print_fn or print)(line)


class _Peeked:
    """A generator whose first batch has been looked at, and is given all the same."""

    def __init__(self, generator: Any) -> None:
        self.batches = iter(generator)
        self.first: list[Any] = []

    def size(self) -> int:
        """Return the number of samples in the first batch."""
        self.first = self.first or [next(self.batches)]
        return len(self.first[0][0])

    def __iter__(self) -> Iterator[Any]:
        while self.first:
            yield self.first.pop()
        yield from self.batches


def lines(model: Any, session: KerasSession) -> list[str]:
    """Return the lines of `summary`: Keras 1's 100 columns, or the 65 of Keras 2."""
    version, made = session.version, table_of(model, expand_nested=False)
    columns = version.summary
    width, last = columns[-1], len(columns)
    head = ("Layer (type)", "Output Shape", "Param #", "Connected to")[:last]
    rows = [row for row in made.rows if row.type != "Input" or not isinstance(model, Sequential)]
    numbers = f"{made.parameters:,}", f"{made.trainable:,}", f"{made.non_trainable:,}"
    out = [f'Model: "{model.name}"'] if version.head else []
    out += ["_" * width, _cells(head, columns), "=" * width]
    for index, row in enumerate(rows):
        out.append(_cells(_fields(row)[:last], columns))
        out.append(("=" if index == len(rows) - 1 else "_") * width)
    kinds = ("Total", "Trainable", "Non-trainable")
    out += [f"{kind} params: {number}" for kind, number in zip(kinds, numbers, strict=True)]
    return [*out, "_" * width]


def _fields(row: Line) -> tuple[str, ...]:
    kind = "InputLayer" if row.type == "Input" else row.type
    shape = "(None, " + row.output.strip("()").rstrip(",").replace("?", "None") + ")"
    return f"{row.name} ({kind})", shape, str(row.parameters), ", ".join(row.inputs)


def _cells(fields: Iterable[str], columns: tuple[int, ...]) -> str:
    line = ""
    for index, (cell, end) in enumerate(zip(fields, columns, strict=True)):
        line = (line[:-1] + " " if index else line) + cell
        line = line[:end].ljust(end)
    return line


def names(session: KerasSession) -> dict[str, Any]:
    """Return the names of `keras.models`; the classes hold the session of the script."""
    scope = session

    class KerasModel(Spoken):
        """Model of a script."""

        session = scope

        def __init__(self, *args: Any, **words: Any) -> None:
            old = {"input": "inputs", "output": "outputs"}
            words = {old.get(key, key): value for key, value in words.items()}
            words.setdefault("name", "")
            super().__init__(*args, **words)
            if not self.name:
                self.rename(scope.name("model"))

    class KerasSequential(Spoken, Sequential):
        """Sequential of a script."""

        session = scope

        def __init__(self, layers: Iterable[Any] | None = None, name: str | None = None) -> None:
            Sequential.__init__(self, (), name=name or "")
            if not name:
                self.rename(scope.name("sequential"))
            for layer in layers or ():
                self.add(layer)

        def add(self, layer: Any) -> None:
            """Append a layer; the first one may say what the input is."""
            if not self._ends and not isinstance(layer, Symbol):
                start = keras_layers.first_input(scope, layer)
                if start is not None:
                    Sequential.add(self, start)
            Sequential.add(self, layer)
            keras_layers.put_weights(scope, layer)

    def load_model(path: Any, custom_objects: Any = None, **words: Any) -> Any:
        """Refuse: reading a model is for the native verb."""
        raise DialectError(
            "load_model",
            "models are read natively",
            got=str(path),
            need="a file that model.save has written",
            fix=f"striate.load({str(path)!r})",
            at=caller(),
        )

    return {"Model": KerasModel, "Sequential": KerasSequential, "load_model": load_model}
