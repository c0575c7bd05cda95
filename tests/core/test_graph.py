"""Graphs: order, names, the walk, and what is not a graph."""

from __future__ import annotations

import inspect

import pytest
from cases import told

from striate.core.graph import Graph
from striate.core.layer import Layer
from striate.core.symbol import Input


class Step(Layer):
    def infer(self, *x):
        return x[0]


class Split(Layer):
    def infer(self, *x):
        return x[0], x[0]


def diamond():
    x = Input((3,), name="x")
    left = Step(name="left")(x)
    right = Step(name="right")(x)
    return x, Step(name="join")(left, right)


def test_nodes_are_in_the_order_of_the_calls():
    x, y = diamond()
    graph = Graph([x], [y])
    assert [node.layer.name for node in graph.nodes] == ["left", "right", "join"]
    assert list(graph.layers) == ["left", "right", "join"]
    assert graph.names == {layer: name for name, layer in graph.layers.items()}


def test_only_what_lies_between_inputs_and_outputs_is_in_the_graph():
    x = Input((3,))
    y = Step(name="first")(x)
    z = Step(name="second")(y)
    Step(name="aside")(y)
    assert list(Graph([y], [z]).layers) == ["second"]
    assert list(Graph([x], [z]).layers) == ["first", "second"]
    assert Graph([x], [x]).nodes == ()


def test_a_shared_layer_is_one_layer_with_two_nodes():
    x, layer = Input((3,)), Step(name="twice")
    graph = Graph([x], [layer(layer(x))])
    assert len(graph.nodes) == 2
    assert list(graph.layers.values()) == [layer]


def test_layers_named_by_type_give_way_to_each_other():
    one, other = Input((3,)), Input((3,))
    left, right = Step(), Step()
    a, b = left(one), right(other)  # neither sees the other: both are called step
    assert left.name == right.name == "step"
    graph = Graph([one, other], [Step()(a, b)])
    assert sorted(graph.layers) == ["step", "step_1", "step_2"]
    assert graph.names[left] == left.name == "step"


def test_the_walk_gives_each_node_the_values_of_its_inputs():
    x, y = diamond()
    graph = Graph([x], [y, x])
    seen = []

    def call(node, values):
        seen.append(node.layer.name)
        return f"{node.layer.name}({', '.join(values)})"

    assert graph.run(["x"], call) == ("join(left(x), right(x))", "x")
    assert seen == ["left", "right", "join"]


def test_the_walk_hands_on_several_outputs():
    x = Input((3,))
    first, second = Split()(x)
    graph = Graph([x], [Step()(second), first])
    out = graph.run([1], lambda node, v: (v[0], -v[0]) if len(node.outputs) > 1 else v[0] * 10)
    assert out == (-10, 1)


def test_the_walk_wants_one_value_for_each_input():
    x, y = diamond()
    with pytest.raises(ValueError, match="zip"):
        Graph([x], [y]).run([1, 2], lambda node, values: 0)


def test_an_output_of_another_input_is_told():
    x, other = Input((3,), name="x"), Input((3,), name="other")
    y = Step(name="join")(Step()(x), Step()(other))
    assert told(lambda: Graph([x], [y], where="net (Model)")) == (
        "net (Model): an output depends on an input that the model does not list\n"
        "  got   inputs <Symbol x(None, 3) input>\n"
        "  need  <Symbol other(None, 3) input> among the inputs\n"
        "  fix   st.Model([every, Input], outputs)"
    )


def test_two_layers_of_one_given_name_are_told():
    x = Input((3,))
    y = Step(name="same")(x)
    line = inspect.currentframe().f_lineno + 1
    z = Step(name="same")(y)
    assert told(lambda: Graph([x], [z])) == (
        "Model: two layers are called 'same'\n"
        "  got   Step(name='same') and Step(name='same')\n"
        "  need  a name of its own for each layer\n"
        '  fix   name="same_2" for the second\n'
        f"  at    test_graph.py:{line}"
    )
