"""`keras.backend`: layouts, phases, and functions of tensors, symbols and arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...core.graph import Graph
from ...core.layer import Layer
from ...core.spec import Spec
from ...core.symbol import Input, Symbol, ancestors
from ...layers.wrap import inference
from .. import (
    tensor_control as control,
    tensor_math as math,
    tensor_nn as nn,
    tensor_places as places,
    tensor_sequences as sequences,
    tensor_shapes as shapes,
    tensor_windows as windows,
)
from ..symbolic import found, lift, record, table, tensor
from ..tensor_sizes import sizes_of
from .beside import set_random_seed
from .graph_calls import Function, in_mode, run, sessions
from .layouts import in_layout, layouts
from .optimizers import Rate
from .own_optimizers import awaited, recalled
from .replaced import replaceable
from .session import KerasSession
from .words import activation_names, array, relu


def variable(value: Any, dtype: Any = None, name: Any = None, **words: Any) -> Tensor:
    """Return a tensor that gradients reach and that a layer keeps as a weight."""
    made = tensor(value() if callable(value) else value, dtype or None).detach().clone()
    made = made.float() if made.dtype == torch.float64 else made
    kept = torch.nn.Parameter(made, requires_grad=made.is_floating_point())
    if name:
        kept.name = f"{name}:0"  # type: ignore[attr-defined]
    return kept


def own_variable(value: Any, dtype: Any = None, name: Any = None, **words: Any) -> Tensor:
    """Return a variable of `K.variable`: it holds float32 unless it is told otherwise."""
    return variable(value, dtype or "float32", name)


def moving_update(session: KerasSession) -> Callable[..., Any]:
    """Return what moves an average: up to Keras 2.3 a pair for `updates`, then at once."""

    def update(x: Any, value: Any, momentum: float) -> Any:
        new = x * momentum + value * (1 - momentum)
        return (x, new) if session.version.folds else x.assign(new)

    return update


def normalize_batch_in_training(x: Any, gamma: Any, beta: Any, reduction_axes: Any,
                                epsilon: float = 1e-3) -> Any:  # fmt: skip
    """Return a batch with mean 0 and variance 1 over axes, then gamma and beta; mean; variance."""
    return lift(_normalized)(x, gamma, beta, tuple(reduction_axes), epsilon)


def _normalized(x: Any, gamma: Any, beta: Any, axes: tuple[int, ...], epsilon: float) -> Any:
    mean, variance = x.mean(axes), x.var(axes, correction=0)
    shape = [1 if axis in axes else size for axis, size in enumerate(x.shape)]
    y = (x - mean.reshape(shape)) / (variance.reshape(shape) + epsilon) ** 0.5
    y = y if gamma is None else y * tensor(gamma).reshape(shape)
    return (y if beta is None else y + tensor(beta).reshape(shape)), mean, variance


def phases(session: KerasSession) -> dict[str, Any]:
    """Return what asks whether layers train."""

    def chosen(x: Any, alt: Any, training: Any, *, in_train: bool) -> Any:
        now = session.phase if training is None else training
        first = bool(now) is in_train
        value = x if first else alt
        return value() if callable(value) and not isinstance(value, Tensor) else value

    def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
        symbols = list(found(x() if callable(x) else x, alt() if callable(alt) else alt))
        if not symbols:
            return chosen(x, alt, training, in_train=True)
        values = [value() if callable(value) else value for value in (x, alt)]
        return record(_by_mode, tuple(values), {"training": False}, list(found(values)))

    def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
        return in_train_phase(alt, x, training)

    def set_phase(value: Any) -> None:
        session.phase = bool(value)

    return {
        "learning_phase": lambda: Phase(bool(session.phase)), "set_learning_phase": set_phase,
        "in_train_phase": in_train_phase, "in_test_phase": in_test_phase,
        "learning_phase_scope": lambda value: inference(torch.nn.Identity()),
    }  # fmt: skip


def _by_mode(x: Any, alt: Any, training: bool = False) -> Any:
    return x if training else alt


class Phase(int):
    """0 or 1: what `K.learning_phase()` gives, and what `K.function` may be given."""


class Gradients(Layer):
    """The gradient of the sum of a part of a network with respect to values in it.

    Fields: `inputs`, symbols whose values are given, those asked for first; `output`; `count`.
    """

    parts: Any
    count: int

    def infer(self, *x: Spec) -> Any:
        """Return the specs of the values that are asked for."""
        return x[: self.count] if self.count > 1 else x[0]

    def macs(self, *specs: Spec) -> int:
        """Return 0: what is counted is the network alone."""
        return 0

    def forward(self, *x: Tensor) -> Any:
        """Run the part, and go back."""
        begin, output = self.parts
        trains = torch.is_grad_enabled()  # a loss of gradients has a gradient itself
        with torch.enable_grad():
            values = [v if trains and v.requires_grad else
                      v.detach().requires_grad_(v.is_floating_point()) for v in x]  # fmt: skip
            out = Graph(begin, [output]).run(
                values, lambda node, v: in_mode(node.layer, self.training, v))[0]  # fmt: skip
            grads = torch.autograd.grad(out.sum(), values[: self.count], allow_unused=True,
                                        create_graph=trains)  # fmt: skip
        made = tuple(torch.zeros_like(v) if g is None else g
                     for g, v in zip(grads, x, strict=False))  # fmt: skip
        return made if self.count > 1 else made[0]


def gradients(loss: Any, variables: Any) -> Any:
    """Return the gradients of a loss with respect to tensors or symbols, in a list."""
    several = list(variables) if isinstance(variables, (list, tuple)) else [variables]
    if not isinstance(loss, Symbol):
        return list(torch.autograd.grad(loss.sum(), several, retain_graph=True, allow_unused=True))
    asked = {id(symbol) for symbol in several}
    leaves: dict[int, Symbol] = {}
    todo, seen = [loss], set()
    while todo:
        symbol = todo.pop()
        if id(symbol) in seen or id(symbol) in asked:
            continue
        seen.add(id(symbol))
        if symbol.node is None:
            leaves[id(symbol)] = symbol
        else:
            todo += symbol.node.inputs
    begin = [*several, *leaves.values()]
    out = Gradients((begin, loss), len(several))(*begin)
    return list(out) if isinstance(out, tuple) else [out]


def set_value(variable: Any, value: Any) -> None:
    """Set a variable, or the learning rate of an optimizer."""
    variable.assign(value)


def set_values(pairs: Any) -> None:
    """Set several variables."""
    for variable, value in pairs:
        set_value(variable, value)


def get_value(x: Any) -> Any:
    """Return a variable as an array, or a learning rate as a number."""
    return float(x) if isinstance(x, (Rate, float, int)) else array(x)


def int_shape(x: Any) -> Any:
    """Return the sizes, None where they are not known."""
    return tuple(x.shape)


def symbolic_shape(x: Any) -> Any:
    """Return the sizes; that of the batch is known when the network runs."""
    return sizes_of(x, tuple(x.shape)) if isinstance(x, Symbol) else tuple(x.shape)


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """Return one value or the other, place by place."""
    values = [v() if callable(v) and not isinstance(v, Tensor) else v
              for v in (then_expression, else_expression)]  # fmt: skip
    return lift(_switched)(condition, *values)


def _switched(condition: Any, a: Any, b: Any) -> Tensor:
    where = tensor(condition).bool()
    a, b = tensor(a), tensor(b)
    where = where.reshape((*where.shape, *[1] * (max(a.dim(), b.dim()) - where.dim())))
    return torch.where(where, a, b)


def names(session: KerasSession) -> dict[str, Any]:
    """Return the names of `keras.backend`."""
    acts = activation_names(session)
    functions = {
        **table((*math.REDUCED, *math.OTHERS, *shapes.MOVED, *nn.RELATED, *windows.WINDOWS,
                 *sequences.SEQUENCES, places.slice_)),
        **{name: lift(function) for name, function in {**math.UNARY, **math.PAIRS}.items()},
        **{name: acts[name] for name in ("softmax", "elu", "softplus", "softsign", "tanh",
                                         "sigmoid", "hard_sigmoid", "selu")},
        "relu": relu, "in_top_k": lift(math.is_in_top_k), "cos": lift(math.UNARY["cos"]),
        "random_normal": nn.random_normal, "random_uniform": nn.random_uniform,
        "random_binomial": nn.random_bernoulli, "random_bernoulli": nn.random_bernoulli,
        "truncated_normal": nn.truncated_normal,
        "random_normal_variable": lambda shape, mean, scale, **w: variable(
            nn.random_normal(shape, mean, scale)),
        "random_uniform_variable": lambda shape, low, high, **w: variable(
            nn.random_uniform(shape, low, high)),
        "zeros": recalled(session, lambda shape, dtype="float32", name=None: variable(
            shapes.zeros(shape, dtype))),
        "ones": recalled(session, lambda shape, dtype="float32", name=None: variable(
            shapes.ones(shape, dtype))),
        "eye": shapes.eye, "arange": shapes.arange, "map_fn": shapes.map_fn,
        "foldl": control.foldl, "foldr": control.foldr,
    }  # fmt: skip
    functions = {name: in_layout(session, function) for name, function in functions.items()}
    functions |= {name: recalled(session, functions[name]) for name in ("zeros_like", "ones_like")}
    if not session.version.head:  # up to Keras 2.2
        functions["batch_dot"] = lift(shapes.matrices_dot)
    if session.version.old:  # Keras 1 gives the output first
        for word in ("categorical_crossentropy", "binary_crossentropy",
                     "sparse_categorical_crossentropy"):  # fmt: skip
            plain = functions[word]
            functions[word] = _turned(plain)

    def placeholder(shape: Any = None, ndim: Any = None, dtype: Any = None, sparse: bool = False,
                    name: Any = None) -> Symbol:  # fmt: skip
        sizes = tuple(shape) if shape is not None else (None,) * int(ndim or 1)
        return Input(sizes[1:] or (1,), data_format=session.layout, name=name or "")

    def function(inputs: Any, outputs: Any, updates: Any = None, **words: Any) -> Function:
        return Function(session, inputs if isinstance(inputs, (list, tuple)) else [inputs], outputs,
                        updates)  # fmt: skip

    def set_epsilon(value: float) -> None:
        session.epsilon = value

    def clear(free_memory: bool = True) -> None:
        session.counted.clear()

    def evaluate(x: Any) -> Any:
        if isinstance(x, Symbol) and not any(
            s.node is None for node in ancestors((x,)) for s in node.inputs
        ):
            return array(run([], [x], [], training=False)[0])
        return get_value(x)

    return {
        **replaceable(session, functions), **layouts(session), **phases(session),
        **({"_BACKEND": "tensorflow", "_FLOATX": "float32"} if session.version.old else {}),
        "backend": lambda: "tensorflow", "floatx": lambda: "float32",
        "set_floatx": lambda value: None,
        "cast_to_floatx": lambda x: np.asarray(array(x), "float32"),
        "epsilon": lambda: session.epsilon, "set_epsilon": set_epsilon, "clear_session": clear,
        "get_value": get_value, "batch_get_value": lambda several: [get_value(x) for x in several],
        "eval": evaluate, "set_value": set_value,
        "batch_set_value": set_values,
        "update": awaited(session, lambda x, new: new),
        "update_add": awaited(session, lambda x, more: x + more),
        "update_sub": awaited(session, lambda x, less: x - less),
        "moving_average_update": moving_update(session),
        "normalize_batch_in_training": normalize_batch_in_training,
        "variable": recalled(session, own_variable),
        "constant": lambda value, dtype=None, shape=None, name=None: (
            tensor(value, dtype) if shape is None else shapes.fill(shape, value)),
        "placeholder": placeholder, "function": function, "gradients": gradients,
        "int_shape": int_shape, "get_variable_shape": int_shape,
        "shape": symbolic_shape, "ndim": lambda x: len(x.shape),
        "switch": switch,
        "dtype": lambda x: str(getattr(x, "dtype", "float32")).removeprefix("torch."),
        "count_params": lambda x: int(np.prod(x.shape)), "is_keras_tensor": lambda x: isinstance(
            x, Symbol), "is_tensor": lambda x: isinstance(x, (Symbol, Tensor)),
        "print_tensor": lambda x, message="": x, "get_session": sessions(session),
        "set_session": _nothing,
        "get_uid": lambda prefix="": session.name(f"uid{prefix}").rpartition("_")[2],
        "reset_uids": clear, "name_scope": lambda name: inference(torch.nn.Identity()),
        "manual_variable_initialization": _nothing, "set_random_seed": set_random_seed,
        "_get_available_gpus": list, "is_sparse": lambda x: False, "to_dense": lambda x: x,
        "is_placeholder": lambda x: isinstance(x, Symbol) and x.node is None,
    }  # fmt: skip


def _turned(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(output: Any, target: Any, from_logits: bool = False) -> Any:
        return function(target, output, from_logits)

    return call


def _nothing(*args: Any, **words: Any) -> None:
    """Do nothing: there is no session and no graph to prepare."""
