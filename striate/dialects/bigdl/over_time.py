"""BigDL's layers over time, of both APIs: cells and what repeats them, and tables of rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from torch import Tensor, nn

from ... import layers as native
from ...core.layer import Layer
from ...core.spec import Spec
from ...core.symbol import Symbol
from ...initializers import RandomNormal, RandomUniform
from ...layers.activation import hard_sigmoid_of_keras_2 as hard_sigmoid
from ...layers.cells import CellWords, LSTMCell, SimpleRNNCell, States
from ...layers.embedding import Embedding
from ...layers.recurrent import GRU, LSTM, Bidirectional, Recurrent, SimpleRNN
from ..keras.conv_recurrent import ConvLSTM2D
from ..table import chosen
from . import learned
from .containers import Container, Sequential, Values
from .core import regularizer
from .kind import REQUIRED, Kind, Words
from .module import Module

ACTIVATIONS: dict[str, Any] = {
    "tanh": "tanh", "sigmoid": "sigmoid", "relu": "relu", "hard_sigmoid": hard_sigmoid,
    "hardsigmoid": hard_sigmoid, "softmax": "softmax", "softplus": "softplus",
    "softsign": "softsign", "linear": "linear", "identity": "linear",
}  # fmt: skip
Make = Callable[[Words, Spec], Sequence[Layer]]


class TwiceBiased(CellWords):
    """The field of a cell that may add a bias to what it remembers as well."""

    hidden_bias: bool = dataclasses.field(default=True, kw_only=True)


class TwiceBiasedCell(SimpleRNNCell, TwiceBiased):
    """h' = activation(x @ kernel + bias + h @ recurrent_kernel + recurrent_bias)."""

    def build(self, *x: Spec) -> None:
        """Create the second bias too."""
        super().build(*x)
        bound = self.units**-0.5
        rule = RandomUniform(-bound, bound)
        self.recurrent_bias = (
            self.add_weight("recurrent_bias", (self.units,), rule,
                            regularizer=self.word("bias_regularizer"))
            if self.hidden_bias else None
        )  # fmt: skip

    def step(self, given: Tensor, states: States, kept: Tensor | None) -> list[Tensor]:
        """Return the new state."""
        more = given if self.recurrent_bias is None else given + self.recurrent_bias
        return super().step(more, states, kept)


class TwiceBiasedRNN(Recurrent, TwiceBiased):
    """A simple recurrent layer with two biases, as Torch 7 has it."""

    cell_class = TwiceBiasedCell


class PeepholeCell(LSTMCell):
    """An LSTM whose gates see the memory, each through weights of its own."""

    def build(self, *x: Spec) -> None:
        """Create the weights of the memory too."""
        super().build(*x)
        shape = (3, self.units)
        bound = self.units**-0.5
        self.peepholes = self.add_weight("peepholes", shape, RandomUniform(-bound, bound))

    def plain(self) -> bool:
        """Compute step by step."""
        return False

    def step(self, given: Tensor, states: States, kept: Tensor | None) -> list[Tensor]:
        """Return the new output and the new memory."""
        before = states[0] if kept is None else states[0] * kept
        into, forget, candidate, out = (given + before @ self.recurrent_kernel).chunk(4, -1)
        held, (a, b, c) = states[1], self.peepholes
        memory = self.ended(forget + b * held, "recurrent_activation") * held
        memory = memory + self.ended(into + a * held, "recurrent_activation") * self.ended(
            candidate
        )
        return [self.ended(out + c * memory, "recurrent_activation") * self.ended(memory), memory]


class PeepholeLSTM(LSTM):
    """Long short-term memory whose gates see the memory."""

    cell_class = PeepholeCell


def _act(given: Any, default: str) -> Any:
    """Return the activation that a layer of BigDL, or a word, stands for."""
    word = str(getattr(given, "kind", given) or default).lower()
    return chosen("BigDL 0.7", "activation of a cell", word, ACTIVATIONS, '"tanh"')


def _penalties(words: Words, *names: str) -> Words:
    kinds = ("kernel_regularizer", "recurrent_regularizer", "bias_regularizer")
    return {kind: regularizer(words.get(name)) for kind, name in zip(kinds, names, strict=True)}


def _drawn(x: Spec, size: int) -> Words:
    """Return how Torch 7 draws the weights of a cell with so many inputs and units."""
    into, inner = (RandomUniform(-(n**-0.5), n**-0.5) for n in (x.shape[-1] or 1, size))
    return {"kernel_initializer": into, "recurrent_initializer": inner, "bias_initializer": into}


@dataclass(frozen=True)
class Api:
    """The words of one of BigDL's APIs: for the units, the gates, and the penalties of weights."""

    units: str
    gates: str
    penalties: tuple[str, str, str]

    def makes(self, made: type[Recurrent], **fixed: Any) -> Make:
        """Return what makes a recurrent layer."""

        def make(words: Words, x: Spec) -> Sequence[Layer]:
            units, layer = words[self.units], cast("Any", made)
            gates = {}
            if "inner_activation" in words:
                gates["recurrent_activation"] = _act(words["inner_activation"], self.gates)
            return [layer(
                units, _act(words["activation"], "tanh"), **gates, **fixed, **_drawn(x, units),
                **_penalties(words, *self.penalties), dropout=words.get("p", 0.0),
                return_sequences=words.get("return_sequences", True),
                go_backwards=words.get("go_backwards", False),
            )]  # fmt: skip

        return make


KERAS_PENALTIES = ("W_regularizer", "U_regularizer", "b_regularizer")
CORE_API = Api("hidden_size", "sigmoid", ("wRegularizer", "uRegularizer", "bRegularizer"))
KERAS_API = Api("output_dim", "hard_sigmoid", KERAS_PENALTIES)


def _steps_of(words: Words) -> Spec:
    """Return the spec of any number of steps of the core API's cell."""
    return Spec((None, words["input_size"]))


def _simple(words: Words, x: Spec) -> Sequence[Layer]:
    biases = {"use_bias": words["isInputWithBias"], "hidden_bias": words["isHiddenWithBias"]}
    return CORE_API.makes(TwiceBiasedRNN, **biases)(words, x)


def _rows(words: Words, x: Spec) -> Sequence[Layer]:
    """Return the table of the core API, whose first row is number 1."""
    table = Embedding(words["n_index"], words["n_output"], RandomNormal(0.0, 1.0),
                      regularizer(words["wRegularizer"]))  # fmt: skip
    return [native.Lambda(lambda t: t - 1), table]


def _embedding(words: Words, x: Spec) -> Sequence[Layer]:
    rule = RandomUniform(-0.05, 0.05) if words["init"] == "uniform" else words["init"]
    rule = RandomNormal(0.0, 0.05) if words["init"] == "normal" else rule
    penalty = regularizer(words["W_regularizer"])
    return [Embedding(words["input_dim"], words["output_dim"], rule, penalty)]


def _images(words: Words, x: Spec) -> Sequence[Layer]:
    layout = "channels_first" if words["dim_ordering"] == "th" else "channels_last"
    kernel = (words["nb_row"], words["nb_col"])
    return [ConvLSTM2D(
        words["nb_filter"], kernel, words["subsample"], "same", layout, 1,
        _act(words["activation"], "tanh"), _act(words["inner_activation"], "hard_sigmoid"),
        return_sequences=words["return_sequences"], go_backwards=words["go_backwards"],
        unit_forget_bias=False,
        **_penalties(words, *KERAS_PENALTIES),
    )]  # fmt: skip


def _both(words: Words, x: Spec) -> Sequence[Layer]:
    inner = words["layer"]
    (layer,) = inner.row.make(inner.words, x)
    return [Bidirectional(layer, words["merge_mode"])]


def _steps(words: Words, x: Spec) -> Sequence[Layer]:
    module: Any = words.get("module", words.get("model"))
    network: nn.Module = module.native([x.shape[1:]])
    return [native.TorchModule(learned.Steps(network, 2))]


REGULAR = dict.fromkeys(CORE_API.penalties)
CELL: Words = {"input_size": REQUIRED, "hidden_size": REQUIRED}
GATED: Words = {**CELL, "p": 0.0, "activation": None, "inner_activation": None, **REGULAR}
OVER: Words = {"output_dim": REQUIRED, "activation": "tanh"}
ENDS: Words = {"return_sequences": False, "go_backwards": False,
               **dict.fromkeys(KERAS_PENALTIES), "input_shape": None}  # fmt: skip
INNER: Words = {"inner_activation": "hard_sigmoid"}
NO_FORGET = {"unit_forget_bias": False}
CORE_OVER_TIME: dict[str, Kind] = {
    "RnnCell": Kind("L.SimpleRNN(units)", {
        **CELL, "activation": REQUIRED, "isInputWithBias": True, "isHiddenWithBias": True,
        **REGULAR}, _simple, _steps_of, rank=2),
    "LSTM": Kind("L.LSTM(units)", GATED, CORE_API.makes(LSTM, **NO_FORGET), _steps_of, rank=2),
    "LSTMPeephole": Kind("L.LSTM(units)", {**CELL, "p": 0.0, **REGULAR},
                         lambda w, x: CORE_API.makes(PeepholeLSTM, **NO_FORGET)(
                             {**w, "activation": None, "inner_activation": None}, x), _steps_of,
                         rank=2),
    "GRU": Kind("L.GRU(units)", GATED, CORE_API.makes(GRU, reset_after=False), _steps_of,
                rank=2),
    "LookupTable": Kind("L.Embedding(input_dim, output_dim)", {
        "n_index": REQUIRED, "n_output": REQUIRED, "padding_value": 0.0, "max_norm": None,
        "norm_type": 2.0, "should_scale_grad_by_freq": False, "wRegularizer": None}, _rows, rank=1),
    "TimeDistributed": Kind("L.TimeDistributed(layer)", {
        "model": REQUIRED, "maskZero": False}, _steps),
}  # fmt: skip
KERAS_OVER_TIME: dict[str, Kind] = {
    "SimpleRNN": Kind("L.SimpleRNN(units)", {**OVER, **ENDS}, KERAS_API.makes(SimpleRNN)),
    "LSTM": Kind("L.LSTM(units)", {**OVER, **INNER, **ENDS}, KERAS_API.makes(LSTM, **NO_FORGET)),
    "GRU": Kind("L.GRU(units)", {**OVER, **INNER, **ENDS}, KERAS_API.makes(GRU, reset_after=False)),
    "Embedding": Kind("L.Embedding(input_dim, output_dim)", {
        "input_dim": REQUIRED, "output_dim": REQUIRED, "init": "uniform", "W_regularizer": None,
        "input_shape": None}, _embedding),
    "ConvLSTM2D": Kind("L.TorchModule(module)", {
        **dict.fromkeys(("nb_filter", "nb_row", "nb_col"), REQUIRED), "activation": "tanh", **INNER,
        "dim_ordering": "th", "border_mode": "same", "subsample": (1, 1),
        **dict.fromkeys(KERAS_PENALTIES), "return_sequences": False, "go_backwards": False,
        "input_shape": None}, _images),
    "Bidirectional": Kind("L.Bidirectional(layer)", {
        "layer": REQUIRED, "merge_mode": "concat", "input_shape": None}, _both),
}  # fmt: skip


class OverTime(Sequential):
    """`Recurrent().add(cell)`: the cells themselves read all steps."""

    kind = "Recurrent"

    def get_hidden_state(self) -> Any:
        """Return the output of the last step."""
        return None if self.output is None else self.output[:, -1]


class BothWays(Container):
    """`BiRecurrent(merge).add(cell)`: a cell and one of its own kind that reads backwards."""

    kind = "BiRecurrent"

    def __init__(self, session: Any, merge: Module | None = None, name: str | None = None) -> None:
        super().__init__(session, name)
        self.merge = merge

    def add(self, model: Module) -> BothWays:
        """Append a cell, and its twin."""
        super().add(model)
        twin: Any = type(model)(self.session, model.kind, model.row, model.words)  # type: ignore[call-arg]
        self.modules.append(twin)
        return self

    def connect(self, *x: Symbol) -> Values:
        """Read in both directions, and merge: the sum, unless a table says otherwise."""
        turn = native.Lambda(lambda t: t.flip(1))
        there: Values = x
        back: Values = (turn(x[0]),)
        for ahead, behind in zip(self.modules[::2], self.modules[1::2], strict=True):
            there, back = ahead.connect(*there), behind.connect(*back)
        both = (there[0], native.Lambda(lambda t: t.flip(1))(back[0]))
        return self.merge.connect(*both) if self.merge is not None else (native.Add()(*both),)


class Stacked(Sequential):
    """`MultiRNNCell([cells])`: each cell reads what the one before has given at all steps."""

    kind = "MultiRNNCell"

    def __init__(self, session: Any, cells: Sequence[Module], name: str | None = None) -> None:
        super().__init__(session, name)
        for cell in cells:
            self.add(cell)


CONTAINERS_OVER_TIME = (OverTime, BothWays, Stacked)
