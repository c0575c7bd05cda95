"""Rows of what reads sequences: embeddings, recurrent layers, attention, in all versions."""

from __future__ import annotations

from typing import Any

from ...layers.activation import hard_sigmoid_of_keras_2 as hard_sigmoid
from ...layers.attention import AdditiveAttention, Attention, MultiHeadAttention
from ...layers.cells import GRUCell, LSTMCell, SimpleRNNCell
from ...layers.embedding import Embedding, Masking
from ...layers.recurrent import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    SimpleRNN,
    StackedRNNCells,
)
from ..table import Row
from .conv_recurrent import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from .cudnn import CuDNNGRU, CuDNNLSTM
from .rows import UNSEEN, WORDS
from .session import KerasSession

Made = dict[str, tuple[Row, Any]]

WORDS_OVER_TIME = {
    **WORDS, "inner_init": "recurrent_initializer", "inner_activation": "recurrent_activation",
    "U_regularizer": "recurrent_regularizer", "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout", "U_constraint": "recurrent_constraint",
}  # fmt: skip
WORDS_OF_TABLES = {
    "output_dim": "output_dim", "init": "embeddings_initializer",
    "W_regularizer": "embeddings_regularizer", "W_constraint": "embeddings_constraint",
}  # fmt: skip
DROPPED = ("unroll", "implementation", "consume_less", "time_major", "use_cudnn", "seed",
           "return_runtime", *UNSEEN)  # fmt: skip
INITIAL = ("use_bias", "kernel_initializer", "recurrent_initializer", "bias_initializer")
FORGET = {"forget_bias_init": ("one", "ones")}  # what Keras 1 begins with; others are refused


def rows(session: KerasSession) -> dict[str, Made]:
    """Return rows and classes by the module and the name that a script knows them by."""
    version = session.version
    modern = version.name in ("tf", "keras3")
    gate: dict[str, Any] = {} if modern else {"recurrent_activation": hard_sigmoid}
    after: dict[str, Any] = {} if modern else {"reset_after": False}
    old = ("units", "kernel_initializer", "recurrent_initializer")

    def over_time(made: type, order: tuple[str, ...], old_order: tuple[str, ...],
                  *names: str, spatial: bool = False, **defaults: Any) -> Made:  # fmt: skip
        row = Row(
            made.__name__, (made.__name__, *names), order, WORDS_OVER_TIME, {},
            (*DROPPED, *FORGET), defaults, spatial, old_order, FORGET,
        )  # fmt: skip
        return dict.fromkeys(row.names, (row, made))

    def plain(made: type, *order: str, renamed: Any = None) -> Made:
        row = Row(made.__name__, (made.__name__,), order, renamed or {}, {}, DROPPED)
        return {made.__name__: (row, made)}

    gated = ("units", "activation", "recurrent_activation", *INITIAL)
    once = ("units", "activation", *INITIAL)
    fast = ("units", *INITIAL[1:])
    conv = ("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate",
            "activation", "recurrent_activation", *INITIAL)  # fmt: skip
    recurrent = {
        **over_time(SimpleRNN, once, (*old, "activation")),
        **over_time(LSTM, gated, (*old, "forget_bias_init", *gated[1:3]), **gate),
        **over_time(GRU, gated, (*old, *gated[1:3]), **gate, **after),
        **over_time(CuDNNLSTM, fast, fast), **over_time(CuDNNGRU, fast, fast),
        **over_time(SimpleRNNCell, once, ()), **over_time(LSTMCell, gated, (), **gate),
        **over_time(GRUCell, gated, (), **gate, **after),
        **plain(RNN, "cell"), **plain(StackedRNNCells, "cells"),
    }  # fmt: skip
    words = {**WORDS_OVER_TIME, "nb_filter": "filters"}
    sides = {"kernel_size": ("nb_row", "nb_col")}
    row = Row(
        "ConvLSTM2D", ("ConvLSTM2D", "ConvRecurrent2D"), conv, words, sides, (*DROPPED, *FORGET),
        gate, spatial=True, harmless=FORGET,
        old_order=("filters", "nb_row", "nb_col", *old[1:], "forget_bias_init", *conv[6:8]),
    )  # fmt: skip
    return {
        "recurrent": recurrent,
        "convolutional_recurrent": {
            "ConvLSTM2D": (row, ConvLSTM2D), "ConvRecurrent2D": (row, ConvLSTM2D),
            **over_time(ConvLSTM1D, conv, (), spatial=True, **gate),
            **over_time(ConvLSTM3D, conv, (), spatial=True, **gate),
        },
        "wrappers": plain(Bidirectional, "layer", "merge_mode"),
        "embeddings": plain(
            Embedding, "input_dim", "output_dim", "embeddings_initializer",
            "embeddings_regularizer", "embeddings_constraint", "mask_zero",
            renamed={**WORDS, **WORDS_OF_TABLES},
        ),
        "core": plain(Masking, "mask_value"),
        "attention": {
            **plain(
                MultiHeadAttention, "num_heads", "key_dim", "value_dim", "dropout", "use_bias",
                "width", "attention_axes", renamed={"output_shape": "width"},
            ),
            **plain(Attention, "use_scale", "score_mode", "dropout"),
            **plain(AdditiveAttention, "use_scale", "dropout"),
        },
    }  # fmt: skip
