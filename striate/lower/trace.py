"""From a model's graph to a program: layers are asked for operations, nested models opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ..core.graph import Graph
from ..core.layer import UNKNOWN_SIZES, Layer
from ..core.operation import (
    Affine,
    BatchNorm,
    Chain,
    Drop,
    LayerNorm,
    Opaque,
    Permute,
    Pointwise,
    Reshape,
    Warp,
    joined,
)
from ..core.spec import Spec
from ..core.symbol import Node
from ..layers.torch_operations import watched
from .program import Program, Step, Value
from .reference import compute, reference

__all__ = ["Program", "Step", "Value", "answer", "reference", "trace"]

COMPUTES = {"forward", "before_activation", "correlate", "reduce", "combine"}
KEEPS_SHAPE = (Pointwise, BatchNorm, LayerNorm, Drop, Warp)
MOVES = (Permute, Reshape)
Known = tuple[int, Spec]  # the number of a value, and the spec of the user's tensor


def trace(graph: Graph, training: bool = False, specs: Sequence[Spec] | None = None) -> Program:
    """Return the program of a graph, for training or for inference.

    `specs` are those of the inputs if they are not the graph's own: sizes that it leaves open, say.
    What layers know when they are asked is written into it (`trainable`, statistics that were
    learned from data), so that a change of these asks for a new program; weights may change.
    """
    program = Program(training)
    given = specs or [symbol.spec for symbol in graph.inputs]
    inputs = [(program.add(Value.of(spec)), spec) for spec in given]
    outputs = _walk(graph, program, inputs, "")
    program.inputs = tuple(at for at, _ in inputs)
    program.outputs = tuple(at for at, _ in outputs)
    for at in program.inputs:
        _take_as_given(program, at)
    return program


def _take_as_given(program: Program, at: int) -> None:
    """Leave an input in the user's order, if all that reads it would bring it back to that."""
    value = program.values[at]
    last = len(value.shape) - 1
    back = Permute((last, *range(last)))
    readers = [step for step in program.steps if at in step.inputs]
    if not value.channels_first or not readers or at in program.outputs:
        return
    if all(step.operation == back for step in readers):
        program.values[at] = Value((value.shape[last], *value.shape[:last]), value.dtype)
        same = {step.output: at for step in readers}
        program.steps = [
            replace(step, inputs=tuple(same.get(one, one) for one in step.inputs))
            for step in program.steps
            if step not in readers
        ]
        program.outputs = tuple(same.get(one, one) for one in program.outputs)


def answer(layer: Layer, specs: Sequence[Spec], training: bool) -> Chain | None:
    """Return the operations that a layer says, or None where its word is not for its own forward.

    That is the case if a subclass computes something else and does not answer anew, if hooks look
    at the tensors, or if weights are made from others at each call.
    """
    if watched(layer) or hasattr(layer, "parametrizations"):
        return None
    for cls in type(layer).__mro__:
        if "operations" in cls.__dict__:
            break
        if COMPUTES & cls.__dict__.keys():
            return None
    chain = layer.operations(*specs, training=training)
    return None if chain is None else joined(chain)


def _walk(graph: Graph, program: Program, inputs: Sequence[Known], path: str) -> tuple[Known, ...]:
    """Add the steps of a graph; return its outputs."""

    def call(node: Node, given: list[Known]) -> Any:
        name = path + graph.names[node.layer]
        inner = getattr(node.layer, "graph", None)
        told = not getattr(node.layer, "untold", str)()  # of a model with a forward of its own
        if isinstance(inner, Graph) and told and not watched(node.layer):
            out = _walk(inner, program, given, f"{name}.")
        else:
            out = _add(program, node.layer, name, given)
        return out if len(out) > 1 else out[0]

    return graph.run(inputs, call)


def _add(program: Program, layer: Layer, name: str, given: list[Known]) -> tuple[Known, ...]:
    """Add the steps of a layer; return its outputs."""
    specs = [spec for _, spec in given]
    inferred = layer.infer(*specs)
    outputs = inferred if isinstance(inferred, tuple) else (inferred,)
    chain = answer(layer, specs, program.training)
    at = tuple(number for number, _ in given)
    if chain is None:
        numbers = tuple(program.add(Value.of(spec)) for spec in outputs)
        program.steps.append(Step(Opaque(), layer, name, at, numbers))
        return tuple(zip(numbers, outputs, strict=True))
    for place, operation in enumerate(chain, start=1):
        step = Step(operation, layer, name, at, (len(program.values),))
        last = place == len(chain)
        program.add(Value.of(outputs[0]) if last else _between(step, program.values))
        program.steps.append(step)
        at = step.outputs
    return ((at[0], outputs[0]),)


def _between(step: Step, values: Sequence[Value]) -> Value:
    """Return the value that a step gives, by running it on tensors without values."""
    x = values[step.inputs[0]]
    if isinstance(step.operation, KEEPS_SHAPE):
        return Value(x.shape, x.dtype)
    # torch's meta device takes a second to load for all but moves; a batch of 0 samples does not
    moves = isinstance(step.operation, MOVES)
    batch, device = (2, "meta") if moves else (0, "cpu")

    def weight(name: str) -> Tensor | None:
        found = step.weight(name)
        return None if found is None else torch.empty(found.shape)

    runs = []
    with torch.no_grad():
        for unknown in UNKNOWN_SIZES:
            shapes = [values[at].shape for at in step.inputs]
            sizes = [[unknown if n is None else n for n in shape] for shape in shapes]
            given = [torch.empty(batch, *each, device=device) for each in sizes]
            runs.append(compute(step.operation, given, weight).shape[1:])
    shape = tuple(n if n == m else None for n, m in zip(*runs, strict=True))
    return Value(shape, "float32" if isinstance(step.operation, Affine) else x.dtype)
