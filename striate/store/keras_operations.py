"""Functions of `keras.ops` in Keras 3's files: their configurations, and their calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from torch import Tensor

from ..core.layer import snake
from ..layers.wrap import Place

TOLD = "as_operation"  # of a layer: name, arguments and keywords of the function that it calls
ROWS = (  # module, arguments of the call, further ones, which are the configuration; names
    ("numpy", "x", "", "abs absolute arccos arccosh arcsin arcsinh arctan arctanh ceil conj cos "
     "cosh exp expm1 floor imag isfinite isinf isnan log log10 log1p log2 logical_not negative "
     "ravel real reciprocal sign sin sinh sqrt square tan tanh trunc"),
    ("numpy", "x", "axes", "transpose"),
    ("numpy", "x", "axis", "argsort count_nonzero expand_dims flip sort squeeze stack"),
    ("numpy", "x", "axis dtype", "cumprod cumsum"),
    ("numpy", "x", "axis keepdims", "all amax amin any argmax argmin mean median std sum var"),
    ("numpy", "x", "axis keepdims dtype", "prod"),
    ("numpy", "x", "axis keepdims initial", "max min"),
    ("numpy", "x", "axis1 axis2", "swapaxes"), ("numpy", "x", "decimals", "round"),
    ("numpy", "x", "dtype", "ones_like zeros_like"),
    ("numpy", "x", "indices_or_sections axis", "split array_split"),
    ("numpy", "x", "k", "diag tril triu"), ("numpy", "x", "newshape", "reshape"),
    ("numpy", "x", "repeats", "tile"), ("numpy", "x", "repeats axis", "repeat"),
    ("numpy", "x", "shape", "broadcast_to"), ("numpy", "x", "shift axis", "roll"),
    ("numpy", "x", "source destination", "moveaxis"), ("numpy", "x", "x_min x_max", "clip"),
    ("numpy", "x constant_values", "pad_width mode constant_values", "pad"),
    ("numpy", "x indices", "axis", "take take_along_axis"), ("numpy", "x key", "", "get_item"),
    ("numpy", "x1 x2", "", "add arctan2 divide dot equal floor_divide greater greater_equal less "
     "less_equal logaddexp logical_and logical_or logical_xor matmul maximum minimum mod multiply "
     "not_equal outer power subtract true_divide vdot"),
    ("numpy", "x1 x2", "axes", "tensordot"), ("numpy", "xs", "", "hstack vstack"),
    ("numpy", "xs", "axis", "concatenate"), ("numpy", "condition x1 x2", "", "where"),
    ("core", "x", "dtype", "cast"), ("core", "variable", "", "stop_gradient"),
    ("core", "x", "num axis", "unstack"),
    ("math", "x", "", "erf erfinv rsqrt"), ("math", "x", "axis keepdims", "logsumexp"),
    ("math", "x", "k sorted", "top_k"), ("linalg", "x", "ord axis keepdims", "norm"),
    ("nn", "x", "", "hard_sigmoid hard_silu hard_tanh log_sigmoid relu relu6 selu sigmoid silu "
     "softplus softsign tanh_shrink"),
    ("nn", "x", "alpha", "celu elu"), ("nn", "x", "approximate", "gelu"),
    ("nn", "x", "axis", "glu log_softmax softmax sparsemax"),
    ("nn", "x", "axis order epsilon", "normalize"), ("nn", "x", "negative_slope", "leaky_relu"),
    ("nn", "x", "block_size data_format", "depth_to_space space_to_depth"),
    ("nn", "x", "num_classes axis dtype sparse", "one_hot"),
    ("nn", "x", "axes keepdims synchronized", "moments"),
    ("nn", "inputs", "pool_size strides padding data_format", "average_pool max_pool"),
    ("image", "images", "size interpolation antialias crop_to_aspect_ratio pad_to_aspect_ratio "
     "fill_mode fill_value data_format", "resize"),
)  # fmt: skip
KNOWN = {
    name: (module, call.split(), further.split())
    for module, call, further, names in ROWS for name in names.split()
}  # fmt: skip


def entry(told: tuple[str, Any, Any]) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    """Return module and class of a function, its configuration, and the arguments of its call.

    Raises: KeyError for a function that has none, TypeError for a call in other words.
    """
    name, args, kwargs = told
    if name == "einsum":
        return (
            "numpy",
            "Einsum",
            {"subscripts": args[0]},
            {str(at): one for at, one in enumerate(args[1:])},
        )
    module, call, further = KNOWN[name]
    order = [*call, *(word for word in further if word not in call)]
    if name == "pad":
        order = ["x", *further]
    given = {**dict(zip(order, args, strict=False)), **kwargs}
    if len(args) > len(order) or not given.keys() <= set(order):
        raise TypeError(f"{name} is called with other words than {', '.join(order)}")
    config = {word: _listed(given[word]) for word in further if word in given and word not in call}
    made = "".join(part.capitalize() for part in name.split("_"))
    return module, made, config, {word: given[word] for word in call if word in given}


def written(value: Any, tensor_at: Callable[[int], Any]) -> Any:
    """Return an argument of a call as Keras's files have it; `tensor_at` gives the inputs'."""
    if isinstance(value, Place):
        return tensor_at(value.index)
    if isinstance(value, slice):
        ends = {"start": value.start, "stop": value.stop, "step": value.step}
        return {"class_name": "__slice__", "config": ends}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(value, (list, tuple)):
        return [written(one, tensor_at) for one in value]
    return _listed(value)


def _listed(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, (list, tuple)):
        return [_listed(one) for one in value]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (np.ndarray, Tensor)):
        array = np.asarray(value.detach().cpu() if isinstance(value, Tensor) else value)
        about = {"value": array.tolist(), "dtype": array.dtype.name}
        return {"class_name": "__numpy__", "config": about} if array.ndim else array.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{type(value).__name__} is no plain value")


def read(value: Any, tensor_of: Callable[[Any], Any]) -> Any:
    """Return an argument of a call; `tensor_of` gives the value of a history."""
    if isinstance(value, list):
        return [read(one, tensor_of) for one in value]
    kind = value.get("class_name") if isinstance(value, Mapping) else None
    if kind is None:
        return value
    config = value["config"]
    if kind == "__keras_tensor__":
        name, call, index = config["keras_history"]
        return tensor_of((str(name), int(call), int(index)))
    if kind == "__slice__":
        return slice(config["start"], config["stop"], config["step"])
    if kind == "__ellipsis__":
        return Ellipsis
    if kind in ("__numpy__", "__tensor__"):
        return np.asarray(config["value"], config["dtype"])
    raise TypeError(f"{kind} is no argument of a function")


def called(kind: str) -> str:
    """Return the name of the function whose class a file gives: `ExpandDims` is `expand_dims`."""
    return snake(kind)
