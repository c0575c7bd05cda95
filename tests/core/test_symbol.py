"""Symbols: where a network begins, and what they refuse."""

from __future__ import annotations

import inspect

import torch
from cases import told

from striate.core.layer import Layer
from striate.core.symbol import Input, ancestors


class Same(Layer):
    def infer(self, *x):
        return x[0]


def test_an_input_has_the_shape_of_a_batch():
    x = Input((28, None, 1), "uint8", data_format="channels_first", name="image")
    assert x.shape == (None, 28, None, 1)
    assert x.dtype == "uint8"
    assert x.spec.data_format == "channels_first"
    assert repr(x) == "<Symbol image(None, 28, None, 1) input>"


def test_a_symbol_says_where_it_comes_from():
    assert repr(Same(name="twin")(Input((4,)))) == "<Symbol twin(None, 4) from twin>"


def test_ancestors_are_each_given_once():
    x = Input((4,))
    first = Same()(x)
    left, right = Same()(first), Same()(first)

    class Both(Layer):
        def infer(self, *specs):
            return specs[0]

    both = Both()(left, right)
    found = list(ancestors((both,)))
    assert len(found) == 4
    assert found[0] is both.node
    assert set(found) == {both.node, left.node, right.node, first.node}


def test_a_torch_function_on_a_symbol_is_told_what_to_do():
    x = Input((4,))
    line = inspect.currentframe().f_lineno + 1
    assert told(lambda: torch.relu(x)) == (
        "torch.relu: a torch function was called on a symbol, which has a shape but no values\n"
        "  got   (None, 4)\n"
        "  need  a layer\n"
        "  fix   L.Lambda(torch.relu)(x), or L.TorchModule(module)(x), or subclass st.Model\n"
        f"  at    test_symbol.py:{line}"
    )


def test_an_input_checks_its_shape_and_layout():
    assert told(lambda: Input(28, name="image")) == (
        "image (Input): the shape is not a tuple of positive whole numbers\n"
        "  got   28\n"
        "  need  the shape of one sample, without the batch, like (28, 28, 1)\n"
        "  fix   (28,)"
    )
    assert told(lambda: Input((28, 28, 1), data_format="last")) == (
        "input (Input): data_format='last' is not known\n"
        "  need  data_format one of 'channels_last', 'channels_first'\n"
        '  fix   data_format="channels_last"'
    )
    assert told(lambda: Input((28, 28, 1), "flot32")) == (
        "input (Input): dtype='flot32' is not known\n"
        "  need  dtype one of 'float32', 'float64', 'float16', 'bfloat16', 'uint8', 'int8', "
        "'int16', 'int32', 'int64', 'bool'\n"
        '  fix   did you mean "float32"?'
    )
