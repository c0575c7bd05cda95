"""What scripts take from inside of Keras, and from the packages beside it: sizes, lists, sums."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from ...core.symbol import ancestors
from ...engine.seed import seed as seed_all
from .session import LAYOUTS, KerasSession


def source_inputs(tensor: Any, *args: Any) -> list[Any]:
    """Return the inputs that a symbol is computed of."""
    found = [one for node in ancestors((tensor,)) for one in node.inputs if one.node is None]
    return list({id(one): one for one in found}.values()) or [tensor]


def normalize_tuple(value: Any, n: int, name: str = "", **words: Any) -> tuple[int, ...]:
    """Return one number for each of n axes."""
    return (value,) * n if isinstance(value, int) else tuple(int(one) for one in value)


def normalize_padding(value: str) -> str:
    """Return the word in small letters."""
    return value.lower()


def conv_output_length(input_length: int | None, filter_size: int, padding: str, stride: int,
                       dilation: int = 1) -> int | None:  # fmt: skip
    """Return the size of a side behind a window: ceil((n - k + 1) / s), or ceil(n / s)."""
    if input_length is None:
        return None
    reach = (filter_size - 1) * dilation
    moved = {"same": 0, "causal": 0, "valid": -reach, "full": reach}[padding]
    return (input_length + moved + stride - 1) // stride


def conv_input_length(output_length: int | None, filter_size: int, padding: str,
                      stride: int) -> int | None:  # fmt: skip
    """Return the smallest size of a side before a window."""
    if output_length is None:
        return None
    pad = {"same": filter_size // 2, "valid": 0, "full": filter_size - 1}[padding]
    return (output_length - 1) * stride - 2 * pad + filter_size


def deconv_length(dim_size: int | None, stride_size: int, kernel_size: int, padding: str,
                  *args: Any, **words: Any) -> int | None:  # fmt: skip
    """Return the size of a side behind a transposed convolution."""
    if dim_size is None:
        return None
    more = {"valid": max(kernel_size - stride_size, 0), "same": 0,
            "full": 2 - stride_size - kernel_size}[padding]  # fmt: skip
    return dim_size * stride_size + more


def to_list(x: Any, allow_tuple: bool = False) -> list[Any]:
    """Return what is no list as a list of one."""
    return list(x) if isinstance(x, (list, tuple) if allow_tuple else list) else [x]


def unpack_singleton(x: Any) -> Any:
    """Return the one thing in a list of one."""
    return x[0] if len(x) == 1 else x


def has_arg(fn: Callable[..., Any], name: str, accept_all: bool = False) -> bool:
    """Return whether a function takes an argument of this name."""
    takes = inspect.signature(fn).parameters
    return name in takes or (accept_all and any(p.kind is p.VAR_KEYWORD for p in takes.values()))


def slice_arrays(arrays: Any, start: Any = None, stop: Any = None) -> Any:
    """Return a part of an array, or of each in a list: from start to stop, or these rows."""
    rows = start if hasattr(start, "__len__") else slice(start, stop)
    if isinstance(arrays, list):
        return [None if one is None else one[rows] for one in arrays]
    return arrays[rows]


def make_batches(size: int, batch_size: int) -> list[tuple[int, int]]:
    """Return where each batch begins and ends."""
    starts = range(0, size, batch_size)
    return [(start, min(size, start + batch_size)) for start in starts]


def shapes(session: KerasSession) -> dict[str, Any]:
    """Return what looks at orders of axes."""

    def obtain(input_shape: Any, default_size: int = 224, min_size: int = 32,
               data_format: Any = None, require_flatten: bool = True, weights: Any = None,
               **words: Any) -> Any:  # fmt: skip
        """Return the shape of pictures that a network takes, of `default_size` where none is."""
        if input_shape is not None:
            return tuple(input_shape)
        given = data_format or words.get("dim_ordering") or session.layout
        first = LAYOUTS.get(given, given) == "channels_first"
        whole = words.get("include_top", require_flatten)
        side = default_size if whole else None
        return (3, side, side) if first else (side, side, 3)

    return {"obtain_input_shape": obtain, "_obtain_input_shape": obtain}


def within(session: KerasSession, inner: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return modules below `keras` with more names than the tables of layers and words give them.

    `inner` are the modules without them.
    """
    layout: Any = inner["backend"]["normalize_data_format"]
    sizes = {
        made.__name__: made
        for made in (
            normalize_tuple,
            normalize_padding,
            conv_output_length,
            conv_input_length,
            deconv_length,
        )
    }
    lists = {made.__name__: made for made in (to_list, unpack_singleton, has_arg, slice_arrays)}
    parts = {"_slice_arrays": slice_arrays, "slice_X": slice_arrays,
             "_make_batches": make_batches, "make_batches": make_batches}  # fmt: skip
    model = inner["models"]["Model"]
    engine = {**inner["engine"], "get_source_inputs": source_inputs, **parts,
              "Container": model, "Network": model, "Functional": model}  # fmt: skip
    objects = objects_of(inner)
    utils = {
        **inner["utils"],
        **objects,
        "clear_session": inner["backend"]["clear_session"],
        "is_keras_tensor": inner["backend"]["is_keras_tensor"],
        "pad_sequences": inner["preprocessing.sequence"]["pad_sequences"],
        **lists,
        **parts,
        "convert_dense_weights_data_format": lambda dense, *args, **words: None,
        "count_params": lambda weights: sum(int(np.prod(w.shape)) for w in weights),
    }
    applied = {**shapes(session), **inner["applications.imagenet_utils"]}
    rows = inner["layers"]
    convolutional = {**rows, "_Conv": rows["Conv2D"], "Conv": rows["Conv2D"]}
    return {
        **{path: engine for path in inner if path.partition(".")[0] == "engine"},
        **{path: utils for path in inner if path.partition(".")[0] == "utils"},
        "utils.conv_utils": {**sizes, "deconv_output_length": deconv_length,
                             "normalize_data_format": layout,
                             "convert_kernel": lambda kernel: np.flip(kernel, (0, 1)).copy()},
        "saving": {**inner["saving"], **objects},
        "utils.theano_utils": {}, "utils.test_utils": {"keras_test": lambda function: function},
        **{path: {**as_words(inner[path]), **inner[path]} for path in (
            "initializers", "regularizers", "constraints", "losses", "metrics", "activations",
            "optimizers", "optimizers.schedules", "layers")},
        "applications.imagenet_utils": applied, "layers.convolutional": convolutional,
    }  # fmt: skip


FAMILIES = ("layers", "activations", "initializers", "regularizers", "constraints", "optimizers",
            "losses", "metrics")  # fmt: skip


def objects_of(inner: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what turns any object of Keras into plain values and back, in Keras 3's words."""
    words = {family: as_words(inner[family]) for family in FAMILIES}

    def serialize(obj: Any) -> Any:
        """Return the class and the configuration of an object; plain values as they are."""
        if isinstance(obj, (list, tuple)):
            return [serialize(one) for one in obj]
        if isinstance(obj, Mapping):
            return {key: serialize(one) for key, one in obj.items()}
        made = words["layers"]["serialize"](obj) if hasattr(obj, "get_config") else obj
        kind = made.get("class_name") if isinstance(made, Mapping) else None
        family = next((one for one in FAMILIES if kind in inner[one]), None)
        about = {"module": family and f"keras.{family}", "registered_name": None}
        return {**about, **made} if kind else made

    def deserialize(config: Any, custom_objects: Any = None, **more: Any) -> Any:
        """Return the object of a class and a configuration; plain values as they are."""
        if isinstance(config, list):
            return [deserialize(one, custom_objects) for one in config]
        if isinstance(config, str):  # with the names of a module, up to tf.keras
            return more.get("module_objects", {}).get(config, config)
        if not isinstance(config, Mapping) or "class_name" not in config:
            return config
        custom = {**inner["utils"]["get_custom_objects"](), **(custom_objects or {})}
        name = str(config["class_name"]).rpartition(">")[2]
        if name in custom:
            made = custom[name]
            given = dict(config["config"])
            return made.from_config(given) if hasattr(made, "from_config") else made(**given)
        family = next((one for one in FAMILIES if name in inner[one]), "layers")
        return words[family]["deserialize"](config, custom_objects)

    return {"serialize_keras_object": serialize, "deserialize_keras_object": deserialize}


def packages(inner: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the packages beside Keras by their paths; `inner` are the modules below it."""
    layers = inner["layers"]

    def instances(axis: Any = None, epsilon: float = 1e-3, **words: Any) -> Any:
        """Return a layer that normalises each sample alone; with an axis, each channel of it."""
        if axis is None:
            return layers["GroupNormalization"](groups=1, epsilon=epsilon, **words)
        return layers["GroupNormalization"](groups=-1, axis=axis, epsilon=epsilon, **words)

    normal = {"InstanceNormalization": instances,
              "GroupNormalization": layers["GroupNormalization"]}  # fmt: skip
    below = ("applications", "preprocessing")
    moved = {
        f"keras_{path}": names for path, names in inner.items() if path.partition(".")[0] in below
    }  # fmt: skip
    paths = ("layers", "layers.normalization", "layers.normalization.instancenormalization",
             "layers.normalization.groupnormalization")  # fmt: skip
    return {**moved, "keras_contrib": {}, **{f"keras_contrib.{path}": normal for path in paths}}


def map_structure(func: Callable[..., Any], *structures: Any, **words: Any) -> Any:
    """Return lists, tuples, dictionaries of the same form, with a function of what is in them."""
    first = structures[0]
    if isinstance(first, Mapping):
        return {key: map_structure(func, *(one[key] for one in structures)) for key in first}
    if isinstance(first, (list, tuple)):
        made = [map_structure(func, *parts) for parts in zip(*structures, strict=True)]
        return made if isinstance(first, list) else tuple(made)
    return func(*structures)


def flatten(structure: Any) -> list[Any]:
    """Return what is in lists, tuples and dictionaries, in one list."""
    if isinstance(structure, Mapping):
        return [one for key in sorted(structure) for one in flatten(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [one for part in structure for one in flatten(part)]
    return [structure]


def pack_sequence_as(structure: Any, flat_sequence: Any, **words: Any) -> Any:
    """Return a list's things in lists, tuples and dictionaries of another's form."""
    left = list(flat_sequence)

    def packed(one: Any) -> Any:
        if isinstance(one, Mapping):
            made = {key: packed(one[key]) for key in sorted(one)}
            return {key: made[key] for key in one}
        if isinstance(one, (list, tuple)):
            several = [packed(part) for part in one]
            return several if isinstance(one, list) else tuple(several)
        return left.pop(0)

    return packed(structure)


def assert_same_structure(a: Any, b: Any, **words: Any) -> None:
    """Raise ValueError unless both are lists, tuples and dictionaries of the same form."""
    try:
        map_structure(lambda *both: None, a, b)
        map_structure(lambda *both: None, b, a)
    except (TypeError, KeyError, IndexError, ValueError):
        raise ValueError(f"the structures differ: {a} and {b}") from None


def lists_to_tuples(structure: Any) -> Any:
    """Return the same with tuples for lists."""
    if isinstance(structure, Mapping):
        return {key: lists_to_tuples(one) for key, one in structure.items()}
    several = isinstance(structure, (list, tuple))
    return tuple(map(lists_to_tuples, structure)) if several else structure


TREE = {"map_structure": map_structure, "flatten": flatten, "is_nested": lambda structure: (
    isinstance(structure, (list, tuple, dict))), **{made.__name__: made for made in (
        pack_sequence_as, assert_same_structure, lists_to_tuples)}}  # fmt: skip


def as_words(names: Mapping[str, Any]) -> dict[str, Any]:
    """Return what turns the things of a module into plain values and back."""

    def serialize(made: Any, **words: Any) -> Any:
        """Return a name, or a class with its hyper-parameters."""
        config = getattr(made, "get_config", None)
        if made is None or isinstance(made, (str, Mapping)):
            return made
        kind = type(made).__name__
        if config is not None:
            return {"class_name": kind, "config": config()}
        if is_dataclass(made):
            return {"class_name": kind, "config": {f.name: getattr(made, f.name)
                                                   for f in fields(made)}}  # fmt: skip
        return getattr(made, "__name__", kind)

    def deserialize(config: Any, custom_objects: Any = None, **words: Any) -> Any:
        """Return the thing that a name, or a class with its hyper-parameters, says."""
        if isinstance(config, Mapping):
            make, given = (
                {**names, **(custom_objects or {})}[config["class_name"]],
                config["config"],
            )
            layer = "Layer" in names  # other things have no use for a name
            return make(**{key: value for key, value in given.items() if layer or key != "name"})
        return names.get(config, config) if isinstance(config, str) else config

    return {"serialize": serialize, "deserialize": deserialize}


def set_random_seed(seed: int) -> None:
    """Seed Python, NumPy and torch."""
    seed_all(int(seed))
