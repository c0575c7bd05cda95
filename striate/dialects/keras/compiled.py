"""What a Keras model is compiled with: loss, metrics, optimizer, and what was trainable then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from ...core.symbol import Symbol
from ...engine.setup import compile_model
from ...layers.recurrent import Overtime
from ...model import Model
from ..symbolic import found
from . import (
    eager as keras_eager,
    keyed,
    losses as keras_losses,
    metrics as keras_metrics,
    optimizers as keras_optimizers,
    twin as keras_twin,
)
from .arguments import COMPILE_ORDER, COMPILE_UNSEEN, read
from .latched import Latch, as_compiled, latched
from .losses_reduced import over_counted
from .penalised import Added
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


class Compiled(Model):
    """A model that says what it is trained for, in the words of every version."""

    if TYPE_CHECKING:  # an annotation would become a field, and its constructor
        session: KerasSession
        twin: Any
        latch: Any
        awaits: Any
        added_symbols: Any

    def start(self) -> None:
        """Begin without anything compiled."""
        for key in ("twin", "latch", "awaits", "counts", "handle", "keys_in", "keys_out"):
            object.__setattr__(self, key, None)
        object.__setattr__(self, "added_symbols", [])

    def compile(self, *args: Any, **words: Any) -> None:
        """Choose how the model is trained, with the version's defaults."""
        session, version = self.session, self.session.version
        title = f"{version.title} compile"
        named = any(isinstance(one, Mapping) for one in (*args, *words.values()))
        object.__setattr__(self, "awaits", (args, words) if named and self._graph is None else None)
        if self.awaits:  # names of outputs that only a run of the code tells
            return
        if words.get("target_tensors") is not None:
            session.bound[id(self)] = (self, words["target_tensors"])
        given = read(title, COMPILE_ORDER, args, words, {}, COMPILE_UNSEEN)
        optimizer = given.get("optimizer", "rmsprop")
        asked = keyed.targets(self, given.get("metrics"))
        asked = [asked] if isinstance(asked, str) else asked
        if version.name == "keras0":
            asked = ["acc"]
        asked = self._metrics(asked or [])
        loss, weights = (keyed.targets(self, given.get(word)) for word in ("loss", "loss_weights"))
        if isinstance(weights, list):
            weights = [1.0 if one is None else one for one in weights]
        rule = keras_optimizers.get(session, optimizer)
        object.__setattr__(self, "latch", None)
        object.__setattr__(self, "twin", None)
        ends, added = keras_twin.added_to(session, self)
        several = list(loss) if isinstance(loss, (list, tuple)) else [loss]
        closing = keras_twin.closing(several, self) if self._graph is not None else {}
        plain = [None if index in closing else one for index, one in enumerate(several)]
        alone = plain if closing and len(several) > 1 else None if closing else loss
        native = None if alone is None else keras_losses.loss(alone)
        if native is None and asked and keras_eager.own_step(self, "compute_loss"):
            native = keras_twin._nothing  # metrics are followed, whatever the loss
        if isinstance(native, Mapping):
            native = [native.get(name) for name in self.graph.output_names]
        if version.by_shape and self._graph is not None and asked:
            shapes = [one.spec.shape for one in self.graph.outputs]
            shape = shapes[0] if len(shapes) == 1 else shapes
            if isinstance(asked, Mapping):
                asked = [asked.get(name, []) for name in self.graph.output_names]
            single = not any(isinstance(one, list) for one in asked)
            if not version.latches and single and len(asked) == len(shapes) > 1:
                asked = [[one] for one in asked]  # one for each output, in Keras 3
            asked = keras_metrics.by_shape(asked, native, shape)
        if words.get("sample_weight_mode") and version.counts_weights:
            native = over_counted(native)
        weighted = self._metrics(given.get("weighted_metrics") or [])
        followed = keras_twin.followed_by(self)
        if ends and (added or closing or followed):
            shares = weights if isinstance(weights, list) else [1.0] * len(several)
            labels = {index: label for index, (label, _) in closing.items()}
            parts = [value * float(shares[index]) if shares[index] != 1 else value
                     for index, (_, value) in closing.items()]  # fmt: skip
            parts = [*added, *parts]
            twin = keras_twin.Twin(self, ends, parts, native, asked, labels, followed)
            twin.compile(rule, weights, compile_model)
            vars(twin.model)["counts_frozen"] = self.counts_frozen
            object.__setattr__(self, "twin", twin)
        if isinstance(native, list) and None in native:
            shares = weights if isinstance(weights, list) else [1.0] * len(native)
            weights = [
                0.0 if one is None else share for one, share in zip(native, shares, strict=True)
            ]
            native = [keras_twin._nothing if one is None else one for one in native]
        compile_model(self, rule, native, asked, weights, weighted)
        if not hasattr(type(self), "loss"):
            object.__setattr__(self, "loss", loss)
        handle = optimizer if isinstance(optimizer, keras_optimizers.Optimizer) else (
            keras_optimizers.face(session, rule)
        )  # fmt: skip
        vars(handle)["model"] = self._trained
        object.__setattr__(self, "handle", handle)
        self._latch()

    def settle(self, x: Any) -> None:
        """Compile a model whose `compile` named outputs of its code, once an input is there."""
        if self.awaits:
            args, words = self.awaits
            with torch.no_grad():
                self(x, training=False)
            self.compile(*args, **words)

    def _metrics(self, given: Any) -> Any:
        if isinstance(given, Mapping):
            return {key: self._metrics(value) for key, value in given.items()}
        if isinstance(given, (list, tuple)):
            return keras_metrics.apart([
                self._metrics(item or []) if item is None or isinstance(item, (list, tuple)) else
                keras_metrics.metric(self.session, item) for item in given
            ])  # fmt: skip
        return [keras_metrics.metric(self.session, given)]

    @property
    def counts_frozen(self) -> bool:  # type: ignore[override]
        """Whether the loss has penalties on frozen weights: up to tf.keras."""
        return bool(self.session.version.latches)

    @property
    def _trained(self) -> Model:
        """What is trained: the model, or its twin."""
        return self.twin.model if self.twin else self

    def _latch(self) -> None:
        """Remember what is trainable now: what is set later waits for the next compile."""
        if self.built:
            object.__setattr__(self, "latch", latched(self))

    @contextmanager
    def _as_compiled(self, *, training: bool = False) -> Iterator[None]:
        """Train what was trainable when the model was compiled, where the version does."""
        if self.latch is None:
            self._latch()
        inside, self.session.inside = self.session.inside, True
        try:
            latch = self.latch or Latch({}, [], [])
            with _threads(self), as_compiled(self.session, self, latch, training=training):
                yield
        finally:
            self.session.inside = inside

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
        if not self.setup.losses:
            return ["loss", *(self.twin.followed if self.twin else ())]
        self.setup.prepare(self)
        lists, outputs = self.setup.metrics, self.graph.output_names
        several = len(outputs) > 1
        names = [f"{name}_loss" for name in outputs] if several else []
        for name, metrics in zip(outputs, lists, strict=False):
            front = f"{name}_" if several else ""
            names += [front + (m if isinstance(m, str) else m.name) for m in metrics]
        return ["loss", *names]

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add symbols of the network to its loss, or numbers in the code of `call`."""
        several = losses if isinstance(losses, (list, tuple)) else [losses]
        for one in several:
            value = one() if callable(one) and not isinstance(one, (Symbol, torch.Tensor)) else one
            if any(True for _ in found(value)):
                self.added_symbols.append(value)
            else:
                self.session.adds_loss = True
                object.__setattr__(self, "added", Added([*getattr(self, "added", []), value]))

    def add_metric(self, value: Any, name: Any = None, aggregation: Any = None) -> None:
        """Follow the mean of a symbol of the network, or of a number in the code of `call`."""
        keras_twin.follow(self, self.session, value, name)
