"""Writes random programs of Keras 3 in a process that has the real one, which may refuse rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import keras_training as T
from .hunt import Choice
from .keras_layers import FLATTENED, INNER, INPUTS, LAYERS
from .outcomes import Outcome
from .scripts import Growing, module
from .templates import Draw

LARGEST = 3000  # numbers of a sample
RANKS = {2: "vectors", 3: "sequences", 4: "images", 5: "volumes"}
PRELUDE = """\
import numpy as np, keras
from keras import callbacks, constraints, layers, losses, metrics, ops, optimizers, regularizers
rng = np.random.default_rng({seed}); keras.utils.set_random_seed({seed})
"""


def kind(x: Any) -> str:
    """Return the table of the layers for a symbol."""
    return "tokens" if "int" in str(x.dtype) else RANKS.get(len(x.shape), "")


class Words(dict[str, Any]):
    """The words of a row for one symbol."""

    def __init__(self, draw: Draw, name: str, values: dict[str, Any]) -> None:
        x = values[name]
        shape = tuple(x.shape[1:])
        like = [key for key, y in values.items() if y.shape == x.shape and y is not x]
        joined = [
            key for key, y in values.items()
            if y is not x and y.dtype == x.dtype and y.shape[:-1] == x.shape[:-1]
        ]  # fmt: skip
        super().__init__(
            x=name, c=shape[-1], n=shape[0], h=shape[0], w=shape[min(1, len(shape) - 1)],
            shape=shape, y=draw.one(like or [name]), z=draw.one(joined or [name]),
        )  # fmt: skip
        self["inner"] = draw.text(draw.one(INNER), self)


class Writer:
    """Writes one program."""

    def __init__(self, keras: Any) -> None:
        self.keras = keras

    def program(self, seed: int) -> tuple[Choice, ...]:
        """Return the choices of a random program."""
        draw = Draw(seed + 1)
        names = ["head", "compile"]
        for _ in range(draw.one((1, 1, 1, 2))):
            names += ["input", *["layer"] * draw.one(range(1, 6))]
        names += ["head"] * draw.one((0, 0, 0, 1)) + ["move"] * draw.one(range(3, 8))
        return tuple(Choice(name, draw.one(range(1, 1 << 30))) for name in names)

    def text(self, choices: Sequence[Choice]) -> str:
        """Write the program of some choices."""
        self.keras.backend.clear_session()
        outcome = Outcome()
        given = {"note": outcome.note, "weights": weights(0), "other": lambda path: path}
        with module("", given) as made:
            growing = Growing(vars(made))
            growing.add(PRELUDE.format(seed=len(choices)))
            values, inputs = self._network(growing, choices)
            words = self._heads(growing, choices, values, inputs)
            growing.add("model.set_weights(weights(model))")
            growing.add("note('shapes', [one.shape for one in model.get_weights()])")
            growing.add("note('before', model.predict(X, verbose=0))")
            chosen = next((one.seed for one in choices if one.table == "compile"), 0)
            draw = Draw(chosen)
            optimizer = draw.text(draw.one(T.OPTIMIZERS), {})
            words["compile"] = (
                f"optimizer={optimizer}, loss={words['loss']}, metrics={words['metrics']}"
            )
            growing.add(f"model.compile({words['compile']})")
            for one in choices:
                if one.table == "move":
                    draw = Draw(one.seed)
                    growing.add(draw.text(draw.one(T.MOVES), words))
            growing.add("note('end', model.predict(X, verbose=0), model.get_weights())")
        return growing.text

    def _network(
        self, growing: Growing, choices: Sequence[Choice]
    ) -> tuple[dict[str, Any], list[str]]:
        """Add inputs and layers; return the symbols, and the names of those that are inputs."""
        values: dict[str, Any] = {}
        inputs: list[str] = []
        for one in choices:
            draw = Draw(one.seed)
            if one.table == "input" or (one.table == "layer" and not inputs):
                name = f"x{len(inputs)}"
                row = draw.text(draw.one(INPUTS), {}) if one.table == "input" else INPUTS[0]
                row = draw.text(row, {})
                cast = "int32" if "integers" in row else "float32"
                growing.add(f"data{len(inputs)} = {row}.astype('{cast}')")
                growing.add(f"{name} = keras.Input(data{len(inputs)}.shape[1:], dtype='{cast}')")
                values[name] = growing.names[name]
                inputs.append(name)
            elif one.table == "layer":
                self._add(growing, draw, values)
        if not inputs:
            return self._network(growing, [Choice("input", 0)])
        return values, inputs

    def _add(
        self, growing: Growing, draw: Draw, values: dict[str, Any], name: str = "",
        rows: Sequence[str] = (),
    ) -> str:  # fmt: skip
        """Add a layer on a symbol; return the name of what comes out, or nothing."""
        name = name or draw.recent(list(values))
        rows = rows or LAYERS[kind(values[name])]
        row, words = draw.one(rows), Words(draw, name, values)
        called = "{x}" in row
        line = draw.text(row, words) if called else f"{draw.text(row, words)}({name})"
        made = f"v{len(values)}"
        if not growing.add(f"{made} = {line}"):
            return ""
        y = growing.names[made]
        sizes = getattr(y, "shape", (None,))[1:]
        if not kind(y) or None in sizes or not 0 < np.prod(sizes) <= LARGEST or len(sizes) < 1:
            growing.lines.pop()
            return ""
        values[made] = y
        return made

    def _heads(
        self, growing: Growing, choices: Sequence[Choice], values: dict[str, Any],
        inputs: list[str],
    ) -> dict[str, Any]:  # fmt: skip
        """Add what makes vectors of the symbols, the heads, the model and its data."""
        ends = [[*values][-1], *inputs]
        flat = []
        for name in dict.fromkeys(ends):
            while kind(values[name]) != "vectors":
                rows = FLATTENED[kind(values[name])]
                name = self._add(growing, Draw(len(choices)), values, name, rows) or self._add(
                    growing, Draw(0), values, name, rows
                )
            flat.append(name)
        growing.add(f"joined = layers.Concatenate()([{', '.join(flat)}])" if len(flat) > 1
                    else f"joined = {flat[0]}")  # fmt: skip
        heads = [one for one in choices if one.table == "head"] or [Choice("head", 0)]
        told: list[tuple[str, str, str]] = []
        for index, one in enumerate(heads):
            draw = Draw(one.seed)
            layer, targets, loss, metrics = draw.one(T.HEADS)
            growing.add(f"out{index} = {draw.text(layer, {})}(joined)")
            growing.add(f"y{index} = {draw.text(targets, {})}")
            told.append(tuple(draw.text(draw.one(rows), {}) for rows in (loss, metrics)))
        several = [f"[{', '.join(one)}]" for one in zip(*told, strict=True)]
        names = [f"out{index}" for index in range(len(told))]
        first = inputs[0] if len(inputs) == 1 else f"[{', '.join(inputs)}]"
        growing.add(f"model = keras.Model({first}, {names[0] if len(names) == 1 else names})"
                    .replace("'", ""))  # fmt: skip
        growing.add(f"X = {first}".replace("x", "data"))
        targets = ", ".join(names).replace("out", "y")
        growing.add(f"Y = [{targets}]" if len(names) > 1 else f"Y = {targets}")
        one = len(told) == 1
        return {"loss": told[0][0] if one else several[0],
                "metrics": told[0][1] if one else several[1]}  # fmt: skip


def weights(shake: float) -> Any:
    """Return a function that makes weights for a model: the same for the same shapes."""

    def made(model: Any) -> list[Any]:
        rng, other = np.random.default_rng(5), np.random.default_rng(6)
        found = []
        for one in model.get_weights():
            fan = max(1, int(np.prod(one.shape[:-1]))) ** 0.5
            drawn = rng.normal(size=one.shape)
            drawn = np.abs(drawn) * 0.3 + 0.2 if one.ndim == 1 else drawn * 0.6 / fan
            drawn = drawn * (1 + shake * other.normal(size=one.shape))
            found.append(drawn.astype(one.dtype) if one.dtype.kind == "f" else one)
        return found

    return made
