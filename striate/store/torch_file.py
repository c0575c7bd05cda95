"""PyTorch's files of weights (.pt, .pth), read without running what is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..core.layer import Layer
from ..core.spec import show
from ..errors import StoreError

INSIDE = ("state_dict", "model_state_dict", "model")  # where a training's own file keeps it
UNUSED = "num_batches_tracked"


def read_weights(path: str | Path, model: Layer) -> None:
    """Replace a model's weights by those of a state_dict that torch.save wrote.

    Tensors are found by their names where the model has torch modules of these names, else layer by
    layer in their order, with kernels turned from (out, in, ...) to Keras's (..., in, out).

    Raises: StoreError where the file holds more than tensors, or names or shapes differ.
    """
    state = _state(str(path))
    for target in (model, *(child for child in model.children() if isinstance(child, nn.Module))):
        mine = {n: t for n, t in target.state_dict().items() if not n.endswith(UNUSED)}
        if mine.keys() == state.keys():
            _copy(str(path), [(name, mine[name], state[name]) for name in mine])
            return
    _copy(str(path), list(_in_order(str(path), model, state)))


def _state(where: str) -> dict[str, Tensor]:
    try:
        found: Any = torch.load(where, map_location="cpu", weights_only=True)
    except OSError as error:
        raise StoreError(
            where, "cannot be read", got=error.strerror, fix="check the path"
        ) from None
    except Exception as error:  # torch has many classes for what it does not read
        raise StoreError(
            where,
            "is not a file of tensors alone",
            got=str(error).splitlines()[0][:160] if str(error) else type(error).__name__,
            need="torch.save(model.state_dict(), path)",
            fix="save the state_dict: a pickled model is code, and no code is taken from a file",
        ) from None
    for key in INSIDE:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    if not isinstance(found, Mapping) or not all(isinstance(t, Tensor) for t in found.values()):
        raise StoreError(
            where, "holds no state_dict", got=type(found).__name__, need="tensors by name",
            fix="torch.save(model.state_dict(), path)",
        )  # fmt: skip
    names = ((str(name).removeprefix("module."), tensor) for name, tensor in found.items())
    return {name: tensor for name, tensor in names if not name.endswith(UNUSED)}


def _in_order(
    where: str, model: Layer, state: Mapping[str, Tensor]
) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Yield the name, the model's and the file's tensor of each weight, layer by layer."""
    mine = [layer for layer in model.modules() if isinstance(layer, Layer)
            and any(True for _ in (*layer.parameters(recurse=False), *layer.buffers(recurse=False)))
            ]  # fmt: skip
    saved: dict[str, list[str]] = {}
    for name in state:
        saved.setdefault(name.rpartition(".")[0], []).append(name)
    if len(saved) != len(mine):
        raise StoreError(
            where,
            "has weights for another number of layers than the model",
            got=f"{len(saved)}: {', '.join(list(saved)[:6])}",
            need=f"{len(mine)}: {', '.join(layer.name for layer in mine[:6])}",
            fix="build the network that the weights were saved from",
        )
    for layer, names in zip(mine, saved.values(), strict=True):
        if len(names) != len(layer.weights):
            raise StoreError(
                where,
                f"the weights of {layer.name} do not fit the model",
                got=", ".join(names),
                need=f"{len(layer.weights)} tensors",
            )
        for name, weight in zip(names, layer.weights, strict=True):
            given = state[name]
            if given.dim() == weight.dim() >= 2:
                given = given.permute(*range(2, given.dim()), 1, 0)
            yield name, weight, given


def _copy(where: str, items: list[tuple[str, Tensor, Tensor]]) -> None:
    for name, mine, given in items:
        if mine.shape != given.shape:
            raise StoreError(
                where,
                f"{name} does not fit the model",
                got=show(tuple(given.shape)),
                need=show(tuple(mine.shape)),
                fix="build the network that the weights were saved from",
            )
    with torch.no_grad():
        for _, mine, given in items:
            mine.copy_(given)
