"""Keras 0.3's Graph: a network of named nodes, whose data are dictionaries by these names."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...errors import caller, nearest
from ..table import DialectError
from .session import KerasSession

JOIN = "join"  # a way to merge that keeps nodes apart, by their names


class Graph:
    """Nodes by their names; the model of them is made when it is first asked for.

    Fields: `session`; `words`, the names of `keras.layers`.
    """

    def __init__(self, session: KerasSession, words: Mapping[str, Any]) -> None:
        self.session, self.words = session, words
        self.symbols: dict[str, Any] = {}
        self.inputs: dict[str, Any] = {}
        self.outputs: dict[str, Any] = {}
        self.nodes: dict[str, Any] = {}
        self.made: Any = None

    # ---- nodes -----------------------------------------------------------------------------------

    def add_input(self, name: str, input_shape: Any = None, batch_input_shape: Any = None,
                  ndim: Any = None, dtype: str = "float") -> None:  # fmt: skip
        """Begin with arrays of this name."""
        shape = input_shape if input_shape is not None else (batch_input_shape or (None,))[1:]
        if not shape:
            raise self._error(f"the input {name!r} has no shape", fix="input_shape=(1, 28, 28)")
        whole = "int64" if dtype == "int" else "float32"
        self.symbols[name] = self.inputs[name] = self.words["Input"](shape, name=name, dtype=whole)

    def add_node(self, layer: Any, name: str, input: str | None = None,
                 inputs: Sequence[str] = (), merge_mode: str = "concat", concat_axis: int = -1,
                 dot_axes: Any = -1, create_output: bool = False) -> None:  # fmt: skip
        """Apply a layer, or a model, to a node or to several that are merged."""
        given = self._merged(name, input, inputs, merge_mode, concat_axis, dot_axes)
        self.nodes[name] = layer
        if isinstance(given, Mapping):  # `join`ed: the function takes them by their names
            layer.function = _named(layer.function, [*given])
            given = [*given.values()]
        self.symbols[name] = layer(given)
        if create_output:
            self.add_output(name, input=name)

    def add_shared_node(self, layer: Any, name: str, inputs: Sequence[str] = (),
                        merge_mode: Any = None, concat_axis: int = -1, dot_axes: Any = -1,
                        outputs: Sequence[str] = (),
                        create_output: bool = False) -> None:  # fmt: skip
        """Apply one layer to each of several nodes; merge what it gives, or name each."""
        self.nodes[name] = layer
        made = [layer(self._symbol(name, one)) for one in inputs]
        if merge_mode == JOIN:
            self.symbols[name] = OrderedDict(zip(inputs, made, strict=True))
        elif merge_mode:
            self.symbols[name] = self._merge(made, merge_mode, concat_axis, dot_axes)
        self.symbols |= dict(zip(outputs, made, strict=False))
        if create_output:
            for one in (name,) if merge_mode else outputs:
                self.add_output(one, input=one)

    def add_output(self, name: str, input: str | None = None, inputs: Sequence[str] = (),
                   merge_mode: str = "concat", concat_axis: int = -1,
                   dot_axes: Any = -1) -> None:  # fmt: skip
        """End with a node, or with several that are merged."""
        self.outputs[name] = self._merged(name, input, inputs, merge_mode, concat_axis, dot_axes)
        self.made = None

    def _merged(self, name: str, one: str | None, several: Sequence[str], *how: Any) -> Any:
        if one:
            return self._symbol(name, one)
        if how and how[0] == JOIN:
            return OrderedDict((item, self._symbol(name, item)) for item in several)
        return self._merge([self._symbol(name, item) for item in several], *how)

    def _merge(self, symbols: list[Any], mode: str, concat_axis: int, dot_axes: Any) -> Any:
        return self.words["merge"](symbols, mode, concat_axis, dot_axes)

    def _symbol(self, name: str, wanted: str) -> Any:
        if wanted not in self.symbols:
            known = ", ".join(self.symbols) or "those that graph.add_input has made"
            raise self._error(f"{name!r} begins at {wanted!r}, and there is no such node",
                              need=f"one of {known}",
                              fix=nearest(wanted, self.symbols))  # fmt: skip
        return self.symbols[wanted]

    def _error(self, what: str, **rows: str) -> DialectError:
        return DialectError(f"{self.session.version.title} Graph", what, at=caller(), **rows)

    # ---- the model of them -----------------------------------------------------------------------

    @property
    def model(self) -> Any:
        """The model from all inputs to all outputs."""
        if self.made is None:
            if not self.outputs:
                raise self._error("has no output", fix='graph.add_output("output", input="dense")')
            sides = [list(side.values()) for side in (self.inputs, self.outputs)]
            self.made = self.session.classes["Model"](*sides)
            vars(self.made)["known_as"] = self  # what callbacks of a script hold
        return self.made

    @property
    def optimizer(self) -> Any:
        """What the network was compiled with."""
        return self.model.optimizer

    @property
    def stop_training(self) -> bool:
        """Whether a callback asks for the end."""
        return bool(self.model.stop_training)

    @stop_training.setter
    def stop_training(self, value: bool) -> None:
        self.model.stop_training = value

    def compile(self, optimizer: Any, loss: Mapping[str, Any], **words: Any) -> None:
        """Choose how the network is trained; `loss` by the names of outputs."""
        for name in [*(loss if isinstance(loss, Mapping) else {}), *self.outputs]:
            if not isinstance(loss, Mapping) or name not in loss or name not in self.outputs:
                raise self._error(f"the loss of {name!r} and that output do not meet",
                                  got=repr(loss),
                                  need="a loss for each of " + ", ".join(self.outputs))  # fmt: skip
        self.model.compile(optimizer, [loss[name] for name in self.outputs], **words)

    def fit(self, data: Mapping[str, Any], batch_size: int = 128, nb_epoch: int = 100,
            verbose: int = 1, callbacks: Any = (), validation_split: float = 0.0,
            validation_data: Any = None, shuffle: bool = True,
            class_weight: Any = None, sample_weight: Any = None) -> Any:  # fmt: skip
        """Train on arrays by the names of inputs and outputs."""
        valid = None if validation_data is None else self._split(validation_data)
        return self.model.fit(
            *self._split(data), batch_size=batch_size, nb_epoch=nb_epoch, verbose=verbose,
            callbacks=list(callbacks), validation_split=validation_split, validation_data=valid,
            shuffle=shuffle, class_weight=class_weight or None,
            sample_weight=sample_weight or None,
        )  # fmt: skip

    def fit_generator(self, generator: Any, samples_per_epoch: int, nb_epoch: int,
                      validation_data: Any = None, callbacks: Any = (),
                      **words: Any) -> Any:  # fmt: skip
        """Train on dictionaries, or on pairs of one and the weights of samples."""
        valid = validation_data
        if isinstance(valid, Mapping):
            valid = self._split(valid)
        elif valid is not None and not isinstance(valid, tuple):
            valid = self._pairs(valid)
        return self.model.fit_generator(
            self._pairs(generator), samples_per_epoch=samples_per_epoch, nb_epoch=nb_epoch,
            validation_data=valid, callbacks=list(callbacks),
            **{key: one for key, one in words.items() if one not in ({}, None)},
        )  # fmt: skip

    def _pairs(self, batches: Any) -> Iterator[Any]:
        for batch in batches:
            yield self._split(batch[0] if isinstance(batch, (tuple, list)) else batch)

    def evaluate(self, data: Mapping[str, Any], batch_size: int = 128, verbose: int = 0,
                 **words: Any) -> Any:  # fmt: skip
        """Return the loss."""
        sides = self._split(data)
        return self.model.evaluate(*sides, batch_size=batch_size, verbose=verbose, **words)

    def predict(self, data: Mapping[str, Any], batch_size: int = 128, verbose: int = 0) -> Any:
        """Return the outputs by their names."""
        out = self.model.predict(self._side(data, self.inputs), batch_size=batch_size)
        return dict(zip(self.outputs, out if len(self.outputs) > 1 else [out], strict=True))

    predict_on_batch = predict

    def train_on_batch(self, data: Mapping[str, Any], **words: Any) -> Any:
        """Make one step."""
        return self.model.train_on_batch(*self._split(data), **words)

    def test_on_batch(self, data: Mapping[str, Any], **words: Any) -> Any:
        """Return the loss of one batch."""
        return self.model.test_on_batch(*self._split(data), **words)

    def _split(self, data: Mapping[str, Any]) -> tuple[Any, Any]:
        return self._side(data, self.inputs), self._side(data, self.outputs)

    def _side(self, data: Mapping[str, Any], side: Mapping[str, Any]) -> Any:
        missing = [name for name in side if name not in data]
        if missing:
            raise self._error(f"the data have no array {missing[0]!r}", got=", ".join(data),
                              need=", ".join([*self.inputs, *self.outputs]))  # fmt: skip
        several = [data[name] for name in side]
        return several[0] if len(several) == 1 else several

    def summary(self, **words: Any) -> None:
        """Print the table of layers."""
        self.model.summary(**words)

    def get_weights(self) -> Any:
        """Return copies of the weights."""
        return self.model.get_weights()

    def set_weights(self, weights: Any) -> None:
        """Replace the weights."""
        self.model.set_weights(weights)

    def save_weights(self, filepath: Any, overwrite: bool = False) -> None:
        """Write the weights to a file."""
        self.model.save_weights(filepath, overwrite)

    def load_weights(self, filepath: Any) -> None:
        """Read the weights from a file."""
        self.model.load_weights(filepath)

    def to_json(self, **words: Any) -> str:
        """Return the network as text."""
        return str(self.model.to_json(**words))

    def count_params(self) -> int:
        """Return how many weights there are."""
        count: int = self.model.count_params()
        return count


def _named(function: Any, inputs: list[str]) -> Any:
    """Return a function of values by their names as one of a list of them."""
    return lambda given: function(OrderedDict(zip(inputs, given, strict=True)))


def names(session: KerasSession, words: Mapping[str, Any]) -> dict[str, Any]:
    """Return the name that scripts of Keras 0 and 1 know it by."""
    if not session.version.old:
        return {}
    return {"Graph": lambda: Graph(session, words)}


def older(session: KerasSession, words: Mapping[str, Any]) -> dict[str, Any]:
    """Return layers that merge, which Keras 1 has no more."""

    def lambda_merge(layers: Any, function: Any, output_shape: Any = None,
                     arguments: Any = None) -> Any:  # fmt: skip
        given = functools.partial(function, **arguments) if arguments else function
        return words["Merge"](layers, mode=given, output_shape=output_shape)

    return {"LambdaMerge": lambda_merge} if session.version.old else {}
