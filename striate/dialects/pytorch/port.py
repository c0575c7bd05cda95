"""A torch network in native layers, so that a file can keep it without its code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ... import layers as L
from ...core.layer import Layer
from ...core.symbol import Node, Symbol
from ...layers.wrap import TorchCall, TorchModule
from ...model import Model

Made = tuple[Layer, list[Tensor]]  # a native layer, and its weights in the order of `weights`


def _conv(module: nn.Conv2d) -> Made | None:
    if module.padding_mode != "zeros":
        return None
    layer = L.Conv2D(
        module.out_channels, module.kernel_size, module.stride, module.padding, module.dilation,
        groups=module.groups, use_bias=module.bias is not None,
    )  # fmt: skip
    return layer, [module.weight.permute(2, 3, 1, 0), *_given(module.bias)]


def _linear(module: nn.Linear) -> Made:
    layer = L.Dense(module.out_features, use_bias=module.bias is not None)
    return layer, [module.weight.t(), *_given(module.bias)]


def _norm(module: Any) -> Made | None:
    if module.running_mean is None or module.momentum is None:
        return None
    affine = module.affine
    layer = L.BatchNormalization(
        axis=1, momentum=1 - module.momentum, epsilon=module.eps, center=affine, scale=affine
    )
    numbers = [module.weight, module.bias] if affine else []
    return layer, [*numbers, module.running_mean, module.running_var]


def _pool(kind: Callable[..., Layer]) -> Callable[[Any], Made | None]:
    def make(module: Any) -> Made | None:
        if module.ceil_mode or (kind is L.AveragePooling2D and module.padding):
            return None
        return kind(module.kernel_size, module.stride, module.padding), []

    return make


def _given(bias: Tensor | None) -> list[Tensor]:
    return [] if bias is None else [bias]


def _plain(kind: Callable[..., Layer], *fields: str) -> Callable[[Any], Made]:
    return lambda module: (kind(*(getattr(module, field) for field in fields)), [])


MODULES: dict[type[nn.Module], Callable[[Any], Made | None]] = {
    nn.Conv2d: _conv,
    nn.Linear: _linear,
    nn.BatchNorm2d: _norm,
    nn.BatchNorm1d: _norm,
    nn.MaxPool2d: _pool(L.MaxPooling2D),
    nn.AvgPool2d: _pool(L.AveragePooling2D),
    nn.AdaptiveAvgPool2d: _plain(L.AdaptiveAveragePooling2D, "output_size"),
    nn.ReLU: _plain(L.ReLU),
    nn.LeakyReLU: _plain(L.LeakyReLU, "negative_slope"),
    nn.ELU: _plain(L.ELU, "alpha"),
    nn.Sigmoid: _plain(L.Sigmoid),
    nn.Tanh: _plain(L.Tanh),
    nn.Dropout: _plain(L.Dropout, "p"),
    nn.Dropout2d: _plain(L.SpatialDropout2D, "p"),
    nn.Flatten: _plain(L.Flatten),
    nn.Softmax: lambda module: (L.Activation("softmax"), []),
    nn.LogSoftmax: lambda module: (L.Activation("log_softmax"), []),
}
WORDS: dict[str, Callable[[TorchCall], Layer]] = {
    **dict.fromkeys(("relu", "relu_"), lambda call: L.ReLU()),
    **dict.fromkeys(("view", "reshape", "flatten"), lambda call: L.Flatten()),
    **dict.fromkeys(("add", "iadd"), lambda call: L.Add()),
    "sigmoid": lambda call: L.Sigmoid(),
    "tanh": lambda call: L.Tanh(),
    "softmax": lambda call: L.Activation("softmax"),
    "log_softmax": lambda call: L.Activation("log_softmax"),
    "dropout": lambda call: L.Dropout((*call.args[1:2], call.kwargs.get("p", 0.5))[0]),
}


def ported(model: Model, start: Symbol) -> Model | None:
    """Return a model of native layers with the weights of a traced torch network.

    None where a part has no native layer, or where the outputs are not the same. The torch network
    is in evaluation afterwards.
    """
    values: dict[int, Symbol] = {id(model.inputs[0]): start}
    numbers: list[tuple[Layer, list[Tensor]]] = []
    known: dict[int, Made] = {}
    for node in model.graph.nodes:
        made = known.get(id(node.layer)) or _layer(node)
        if made is None or len(node.outputs) != 1:
            return None
        known[id(node.layer)] = made
        inputs = [values[id(symbol)] for symbol in node.inputs]
        values[id(node.outputs[0])] = made[0](*inputs)
        numbers.append(made)
    native = Model(start, values[id(model.outputs[0])])
    with torch.no_grad():
        for layer, given in numbers:
            for mine, theirs in zip(_weights(layer), given, strict=True):
                mine.copy_(theirs)
    return native if _same(model, native) else None


def _layer(node: Node) -> Made | None:
    layer = node.layer
    if isinstance(layer, TorchModule):
        make = MODULES.get(type(layer.module))
        return make(layer.module) if make else None
    if isinstance(layer, TorchCall) and layer.word in WORDS:
        return WORDS[layer.word](layer), []
    return None


def _weights(layer: Layer) -> Iterator[Tensor]:
    yield from layer.parameters()
    yield from layer.buffers()


@torch.no_grad()
def _same(model: Model, native: Model) -> bool:
    """Return whether both give the same for a few samples of noise."""
    model.eval()
    native.eval()
    x = torch.rand(3, *(size or 1 for size in model.input_shape[1:]))
    return torch.allclose(model(x), native(x), rtol=1e-3, atol=1e-4)
