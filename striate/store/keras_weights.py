"""The weights of a model among the groups of Keras's HDF5 files, of every version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.graph import Graph
from ..core.layer import Layer, snake
from ..core.spec import show
from ..core.symbol import Node
from ..errors import StoreError
from .hdf5 import Archive, Array

FLIPPED = ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose")  # Theano turns these kernels
GATES = {"LSTM": "icfo", "GRU": "zrh", "ConvLSTM2D": "icfo"}  # in the files of Keras 1
TODAY = {"LSTM": "ifco", "GRU": "zrh", "ConvLSTM2D": "ifco"}
UNSAID = (
    "the file does not say which backend wrote it; its kernels are taken as TensorFlow's. Theano's "
    "are turned: if it was Theano, set the file's attribute backend to theano with h5py"
)
SEEDED = ("Dropout", "GaussianDropout", "GaussianNoise", "AlphaDropout", "SpatialDropout1D",
          "SpatialDropout2D", "SpatialDropout3D", "RandomFlip", "RandomRotation", "RandomZoom",
          "RandomTranslation", "RandomContrast", "RandomBrightness", "RandomCrop")  # fmt: skip


def ordered(model: Layer) -> list[Layer]:
    """Return a model's layers in Keras's order: by their distance from the output."""
    if hasattr(model, "adopt"):
        layers: list[Layer] = getattr(model, "layers")  # noqa: B009  a Sequential
        return layers
    graph: Graph | None = getattr(model, "graph", None)
    if graph is None:
        return [child for child in model.children() if isinstance(child, Layer)]
    finished, first = _visited(graph)
    of_node: dict[int, int] = {}
    of_layer: dict[Layer, int] = {}
    for node in reversed(finished):
        depth = max(of_node.get(id(node), 0), of_layer.get(node.layer, 0))
        of_layer[node.layer] = depth
        for symbol in node.inputs:
            if symbol.node is not None:
                before = of_node.get(id(symbol.node), 0)
                of_node[id(symbol.node)] = max(depth + 1, before)
    return sorted(of_layer, key=lambda layer: (-of_layer[layer], first[layer]))


def _visited(graph: Graph) -> tuple[list[Node], dict[Layer, int]]:
    """Return the calls, each behind those it depends on, and when each layer was first met."""
    within = {id(node) for node in graph.nodes}
    finished: list[Node] = []
    known: set[int] = set()
    first: dict[Layer, int] = {}
    for output in graph.outputs:
        stack: list[tuple[Node, Iterator[Any]]] = []

        def enter(node: Node | None, stack: list[tuple[Node, Iterator[Any]]] = stack) -> None:
            if node is not None and id(node) in within and id(node) not in known:
                known.add(id(node))
                first.setdefault(node.layer, len(first))
                stack.append((node, iter(node.inputs)))

        enter(output.node)
        while stack:
            symbol = next(stack[-1][1], None)
            if symbol is None:
                finished.append(stack.pop()[0])
            else:
                enter(symbol.node)
    return finished, first


def is_model(layer: Layer) -> bool:
    """Whether a layer is a network of layers."""
    return hasattr(layer, "runs_graph")


# ---- Keras 3: by class and order -----------------------------------------------------------------


def places(model: Layer, prefix: str = "") -> Iterator[tuple[str, Layer]]:
    """Yield the group and the layer of each layer, each once, in Keras 3's naming."""
    yield prefix, model
    seen: set[int] = set()
    counted: Counter[str] = Counter()
    for layer in ordered(model):
        kind = type(layer).__name__
        if is_model(layer):
            kind = "Sequential" if hasattr(layer, "adopt") else "Functional"
        name = snake(kind)
        number = counted[name]
        counted[name] += 1
        path = f"{prefix}layers/{name}{f'_{number}' if number else ''}/"
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        if is_model(layer):
            yield from places(layer, path)
        else:
            yield from _inside(path, layer)


def _inside(path: str, layer: Layer) -> Iterator[tuple[str, Layer]]:
    """Yield a layer, and the layers that it is made of by their names."""
    yield path, layer
    listed = getattr(layer, "listed", "")
    if listed:
        counted: Counter[str] = Counter()
        for cell in layer.modules():
            if isinstance(cell, Layer) and cell is not layer:
                name = snake(type(cell).__name__)
                number = f"_{counted[name]}" if counted[name] else ""
                counted[name] += 1
                yield from _inside(f"{path}{listed}/{name}{number}/", cell)
    elif getattr(layer, "nests", False):
        for name, part in layer.named_children():
            if isinstance(part, Layer):
                yield from _inside(f"{path}{name}/", part)


def _empty(layer: Layer) -> bool:
    """Whether the weights of a layer are those of other layers in it."""
    return is_model(layer) or getattr(layer, "nests", False)


def put_tree(archive: Archive, model: Layer) -> None:
    """Give the model the weights of a `.weights.h5` file.

    Raises: StoreError where a layer's weights are missing or have other shapes.
    """
    found: dict[int, tuple[Layer, list[Array]]] = {}
    for path, layer in places(model):
        if _empty(layer) or id(layer) in found or not layer.weights:
            continue
        arrays: list[Array] = []
        while f"{path}vars/{len(arrays)}" in archive.arrays:
            arrays.append(archive.arrays[f"{path}vars/{len(arrays)}"])
        found[id(layer)] = (layer, arrays)
    put(archive.where, list(found.values()))


def tree(model: Layer) -> tuple[dict[str, Array], dict[str, dict[str, Any]]]:
    """Return the arrays and attributes of a `.weights.h5` file."""
    arrays: dict[str, Array] = {}
    attributes: dict[str, dict[str, Any]] = {}
    for path, layer in places(model):
        attributes[f"{path}vars"] = {"name": layer.name}
        if _empty(layer):
            continue
        for index, array in enumerate(layer.get_weights()):
            arrays[f"{path}vars/{index}"] = array
        if type(layer).__name__ in SEEDED:
            attributes[f"{path}seed_generator/vars"] = {"name": "seed_generator"}
            seed = layer.config()["seed"] or 0
            arrays[f"{path}seed_generator/vars/0"] = np.array([seed, 0], dtype="uint32")
    return arrays, attributes


# ---- Keras 1 and 2: by name or order -------------------------------------------------------------


def put_groups(archive: Archive, root: str, model: Layer, by_name: bool = False) -> list[str]:
    """Give the model the weights of an `.h5` file, whose groups are below `root`.

    Layers are found by their names where the file has all of them, else by their order. With
    `by_name`, layers that the file does not have keep their weights. Returns notes.

    Raises: StoreError where the numbers of layers or weights, or shapes, differ.
    """
    saved = _saved(archive, root)
    mine = [layer for layer in ordered(model) if layer.weights]
    if by_name:
        mine = [layer for layer in mine if layer.name in saved]
    elif not all(layer.name in saved for layer in mine):
        if len(mine) != len(saved):
            raise StoreError(
                archive.where,
                "has weights for another number of layers than the model",
                got=f"{len(saved)} layers: {_few(list(saved))}",
                need=f"{len(mine)} layers: {_few([layer.name for layer in mine])}",
                fix="build the network that the weights were saved from",
            )
        saved = dict(zip((layer.name for layer in mine), saved.values(), strict=True))
    version = int((archive.text(root, "keras_version") or archive.text("", "keras_version")
                   or "1").partition(".")[0])  # fmt: skip
    backend = archive.text(root, "backend") or archive.text("", "backend")
    pairs: list[tuple[Layer, list[Array]]] = []
    for layer in mine:
        pairs += _dealt(layer, saved[layer.name])
    put(archive.where, [(each, _today(each, arrays, version, backend)) for each, arrays in pairs])
    unsaid = version == 1 and not backend and any(_may_be_turned(*pair) for pair in pairs)
    return [UNSAID] if unsaid else []


def _may_be_turned(layer: Layer, arrays: list[Array]) -> bool:
    """Return whether a kernel is (filters, inputs, rows, columns), as Theano's Keras wrote it."""
    if type(layer).__name__ not in FLIPPED or not arrays or arrays[0].ndim != 4:
        return False
    sides = tuple(layer.weights[0].shape[:-2])
    return arrays[0].shape[2:] == sides and arrays[0].shape[:2] != sides and max(sides) > 1


def _saved(archive: Archive, root: str) -> dict[str, dict[str, Array]]:
    """Return the arrays of each layer that has some, by the names of layer and weight."""
    stem = f"{root}/" if root else ""
    names = archive.texts(root, "layer_names")
    if names is None and "nb_layers" in archive.attributes.get(root, {}):  # Keras 0.3
        names = [f"layer_{n}" for n in range(int(archive.attributes[root]["nb_layers"]))]
    if names is None:
        raise archive.refused(root or "/", "has no layer_names", "a file of Keras's save_weights")
    found = {}
    for name in names:
        weights = archive.texts(f"{stem}{name}", "weight_names")
        if weights is None:
            count = int(archive.attributes.get(f"{stem}{name}", {}).get("nb_params", 0))
            weights = [f"param_{n}" for n in range(count)]
        if weights:
            found[name] = {w: archive.array(f"{stem}{name}/{w}") for w in weights}
    return found


def _dealt(layer: Layer, arrays: dict[str, Array]) -> list[tuple[Layer, list[Array]]]:
    """Return the arrays of a layer, or of each layer of a nested model."""
    if not is_model(layer):
        return [(layer, list(arrays.values()))]
    leaves = [leaf for leaf in innermost(layer) if leaf.weights]
    by_owner: dict[str, list[Array]] = {}
    for name, array in arrays.items():
        by_owner.setdefault(name.rpartition("/")[0].rpartition("/")[2], []).append(array)
    if all(len(by_owner.get(leaf.name, ())) == len(leaf.weights) for leaf in leaves):
        return [(leaf, _in_place(leaf, by_owner[leaf.name])) for leaf in leaves]
    trained = [
        (leaf, w) for leaf in leaves for w in leaf.weights if isinstance(w, torch.nn.Parameter)
    ]
    others = [(leaf, w) for leaf in leaves for w in leaf.weights
              if not isinstance(w, torch.nn.Parameter)]  # fmt: skip
    dealt: dict[int, list[Array]] = {id(leaf): [] for leaf in leaves}
    for (leaf, _), array in zip([*trained, *others], arrays.values(), strict=False):
        dealt[id(leaf)].append(array)
    return [(leaf, _in_place(leaf, dealt[id(leaf)])) for leaf in leaves]


def _in_place(leaf: Layer, arrays: list[Array]) -> list[Array]:
    """Return arrays of which those that are trained came first in the order of the weights."""
    weights = leaf.weights
    if len(arrays) != len(weights) or not any(weight.requires_grad for weight in weights):
        return arrays
    order = sorted(range(len(weights)), key=lambda at: not weights[at].requires_grad)
    placed: dict[int, Array] = dict(zip(order, arrays, strict=True))
    made = [placed[at] for at in range(len(weights))]
    fits = all(tuple(w.shape) == a.shape for w, a in zip(weights, made, strict=True))
    return made if fits else arrays


def innermost(model: Layer) -> list[Layer]:
    """Return the layers of a model, those of nested ones in their places."""
    return [leaf for layer in ordered(model)
            for leaf in (innermost(layer) if is_model(layer) else [layer])]  # fmt: skip


def _today(layer: Any, arrays: list[Array], version: int, backend: str) -> list[Array]:
    """Return arrays in the layout of Keras 3."""
    kind = type(layer).__name__
    if arrays and kind == "Bidirectional" and len(arrays) % 2 == 0:
        half = len(arrays) // 2
        parts = (layer.forward_layer, arrays[:half]), (layer.backward_layer, arrays[half:])
        return [one for part in parts for one in _today(*part, version, backend)]
    if arrays and kind == "TimeDistributed":
        return _today(layer.layer, arrays, version, backend)
    if len(arrays) == 3 * len(GATES.get(kind, "")):
        return _gates_together(kind, arrays)
    if len(arrays) == 3 and kind in GATES and arrays[2].ndim == 1:
        gates = len(GATES[kind])
        if arrays[2].shape[0] == 2 * gates * arrays[1].shape[0]:
            return _of_cudnn(kind, arrays, gates)
    if not arrays or kind not in (*FLIPPED, "DepthwiseConv2D", "SeparableConv2D"):
        return arrays
    kernel, *rest = arrays
    if version == 1:
        kernel = _kernel_of_keras1(kind, kernel, tuple(layer.weights[0].shape))
    if backend == "theano" and kind in FLIPPED:
        kernel = np.flip(kernel, tuple(range(kernel.ndim - 2)))
    return [kernel, *rest]


def _gates_together(kind: str, arrays: list[Array]) -> list[Array]:
    """Return one kernel, recurrent kernel and bias for those of each gate, as Keras 1 has them."""
    before, now = GATES[kind], TODAY[kind]
    order = [before.index(gate) for gate in now]
    return [np.concatenate([arrays[3 * at + part] for at in order], -1) for part in range(3)]


def _of_cudnn(kind: str, arrays: list[Array], gates: int) -> list[Array]:
    """Return the weights of CuDNNLSTM and CuDNNGRU, which has two biases, as a usual layer's.

    Keras kept each gate's kernel in the memory order of cuDNN: rows of it are read as columns.
    """
    kernel, recurrent, bias = arrays
    kernels = [one.T.reshape(one.shape, order="F") for one in np.split(kernel, gates, 1)]
    states = [one.T for one in np.split(recurrent, gates, 1)]
    both = bias.reshape(2, -1)
    return [np.hstack(kernels), np.hstack(states), both.sum(0) if kind == "LSTM" else both]


def _kernel_of_keras1(kind: str, kernel: Array, shape: tuple[int, ...]) -> Array:
    """Return a kernel of Keras 1 as (*spatial, in, out), whichever of its layouts it has."""
    if kind == "Conv1D" and kernel.ndim == 4:
        if kernel.shape[1] != 1:  # (filters, inputs, length, 1)
            kernel = kernel.transpose(2, 3, 1, 0)
        return kernel[:, 0]
    if kind == "Conv2DTranspose":  # today (rows, columns, filters, inputs)
        turned = kernel.transpose(2, 3, 0, 1)
        return turned if turned.shape == shape else kernel.transpose(0, 1, 3, 2)
    if kernel.shape == shape and kernel.shape[0] != kernel.shape[-1]:
        return kernel
    spatial = range(2, kernel.ndim)
    turned = kernel.transpose(*spatial, 1, 0)
    return turned if turned.shape == shape else kernel


def groups(model: Layer) -> tuple[dict[str, Array], dict[str, dict[str, Any]]]:
    """Return the arrays and attributes of an `.h5` file of weights, by layers' names."""
    arrays: dict[str, Array] = {}
    layers = ordered(model)
    attributes: dict[str, dict[str, Any]] = {
        "": {"layer_names": [layer.name for layer in layers], "backend": "tensorflow",
             "keras_version": "3.0.0"}
    }  # fmt: skip
    for layer in layers:
        named = list(_named(layer, layer.name))
        if is_model(layer):
            named.sort(key=lambda item: not item[1].requires_grad)
        attributes[layer.name] = {"weight_names": [name for name, _ in named]}
        for name, tensor in named:
            arrays[f"{layer.name}/{name}"] = tensor.detach().cpu().numpy()
    return arrays, attributes


def _named(layer: Layer, path: str) -> Iterator[tuple[str, Tensor]]:
    if is_model(layer):
        for inner in ordered(layer):
            yield from _named(inner, f"{path}/{inner.name}")
        return
    of = {id(tensor): name for name, tensor in (*layer.named_parameters(), *layer.named_buffers())}
    for tensor in layer.weights:
        yield f"{path}/{of[id(tensor)]}", tensor


# ---- into the model ------------------------------------------------------------------------------


def put(where: str, pairs: Sequence[tuple[Layer, list[Array]]]) -> None:
    """Check every layer's arrays, then copy them all."""
    for layer, arrays in pairs:
        mine = [tuple(weight.shape) for weight in layer.weights]
        given = [tuple(array.shape) for array in arrays]
        if mine != given:
            raise StoreError(
                where,
                f"the weights of {layer.name} do not fit the model",
                got=" ".join(map(show, given)) or "none",
                need=" ".join(map(show, mine)),
                fix="build the network that the weights were saved from",
            )
    with torch.no_grad():
        for layer, arrays in pairs:
            for weight, array in zip(layer.weights, arrays, strict=True):
                weight.copy_(torch.from_numpy(np.array(array)))


def _few(names: list[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
