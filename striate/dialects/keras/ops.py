"""Keras 3's own rooms: `keras.ops`, `keras.random`, `keras.config`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .. import (
    tensor_control as control,
    tensor_math as math,
    tensor_nn as nn,
    tensor_numpy as numpy,
    tensor_places as places,
    tensor_sequences as sequences,
    tensor_shapes as shapes,
    tensor_spectra as spectra,
    tensor_windows as windows,
)
from ..surroundings_einops import rearrange
from ..symbolic import lift, table, tensor, told_as
from . import newer, tf_colors, tf_image
from .beside import set_random_seed
from .ops_words import MEANT, worded
from .session import KerasSession
from .small import POOLS
from .tf_objects import Anything
from .words import activation_names, array, relu


def concatenate(xs: Any, axis: int = 0) -> Any:
    """Return tensors one after the other along an axis."""
    return lift(shapes.concatenate)(xs, axis)


def _any_axis(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return lift(function)(x, axis)

    return call


def average_pool(inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid",
                 data_format: Any = None) -> Any:  # fmt: skip
    """Return the average of windows."""
    return lift(windows.pool)(inputs, pool_size, strides, padding, data_format, "avg")


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """Return the entropy of independent labels, value by value."""
    return lift(nn.binary_crossentropy)(target, output, from_logits)


def names(session: KerasSession) -> dict[str, Any]:
    """Return the names of `keras.ops`."""
    acts = activation_names(session)
    made: dict[str, Any] = {
        **{name: lift(function) for name, function in numpy.FUNCTIONS.items()}, **numpy.MADE,
        **spectra.PAIRED,
        **table((*math.REDUCED, *math.OTHERS, *shapes.MOVED, *nn.RELATED, *places.MORE)),
        **table((places.slice_, tf_colors.depth_to_space, tf_colors.space_to_depth)),
        **{f"adaptive_{kind.lower()}_pool": _adaptive(kind) for kind in ("Average", "Max")},
        "ctc_loss": lift(sequences.ctc_loss), "ctc_decode": lift(sequences.ctc_decoded),
        "scatter": lift(places.scatter_nd), "dstack": lift(
            lambda xs: torch.dstack([tensor(x) for x in xs])),
        **{name: lift(function) for name, function in {**math.UNARY, **math.PAIRS}.items()},
        **{name: acts[name] for name in ("softmax", "sigmoid", "tanh", "elu", "selu", "softplus",
                                         "softsign", "gelu", "silu", "relu6", "log_softmax",
                                         "hard_sigmoid", "leaky_relu")},
        **{function.__name__: function for function in shapes.MADE},
        "relu": relu, "concatenate": concatenate, "argmax": _any_axis(math.argmax),
        "argmin": _any_axis(math.argmin), "power": lift(math.pow_), "absolute": lift(
            math.UNARY["abs"]), "amax": lift(math.max_), "amin": lift(math.min_),
        "max_pool": lift(windows.pool), "average_pool": average_pool, "conv": lift(windows.conv),
        "conv_transpose": lift(windows.conv_transpose), "separable_conv": lift(
            windows.separable_conv2d), "depthwise_conv": lift(nn.depthwise_conv2d),
        "binary_crossentropy": binary_crossentropy, "einsum": lift(_einsum),
        "convert_to_tensor": tensor, "convert_to_numpy": array, "ravel": lift(shapes.flatten),
        "shape": lambda x: tuple(x.shape), "is_tensor": lambda x: isinstance(x, Tensor),
        "take": lift(shapes.gather), "flip": lift(shapes.reverse), "swapaxes": lift(
            lambda x, a, b: tensor(x).transpose(a, b)), "moveaxis": lift(
            lambda x, a, b: tensor(x).movedim(a, b)), "custom_gradient": control.custom_gradient,
        "cond": lambda pred, a, b: a() if bool(pred) else b(),
        "while_loop": control.while_loop, "fori_loop": control.fori_loop, "scan": control.scanned,
        "vectorized_map": control.vectorized_map, "map": control.vectorized_map,
        "switch": lambda index, branches, *given: branches[int(index)](*given),
        "full": places.full, "meshgrid": places.meshgrid, "divide_no_nan": lift(math.divide_no_nan),
        "in_top_k": lambda targets, predictions, k: lift(math.is_in_top_k)(predictions, targets, k),
        "swish": acts["silu"], "average": _any_axis(math.mean), "conj": lift(tensor),
        "array": tensor, "copy": lift(math.identity), "ndim": lambda x: len(x.shape),
        "hstack": lift(lambda xs: torch.hstack([tensor(x) for x in xs])),
        "vstack": lift(lambda xs: torch.vstack([tensor(x) for x in xs])),
        "append": lambda x1, x2, axis=None: concatenate(
            [x1, x2] if axis is not None else [shapes.flatten(x1), shapes.flatten(x2)], axis or 0),
        "select": lambda conditions, choices, default=0: _select(conditions, choices, default),
        "rot90": lift(lambda x, k=1, axes=(0, 1): torch.rot90(tensor(x), k, axes)),
        "dtype": lambda x: str(x.dtype),
        "dot_product_attention": lift(dot_product_attention), "rearrange": lift(
            lambda x, pattern, **sizes: rearrange(tensor(x), pattern, **sizes)),
        "empty": shapes.zeros,
    }  # fmt: skip
    made |= {**worded(made), **MEANT, "get_item": lambda x, key: x[
        tuple(key) if isinstance(key, list) else key]}  # fmt: skip
    return {name: told_as(name, one) for name, one in made.items()}


def _adaptive(kind: str) -> Callable[..., Any]:
    def pool(inputs: Any, output_size: Any, data_format: Any = None) -> Tensor:
        x = math.floating(inputs)
        rank, last = x.dim() - 2, data_format != "channels_first"
        sizes = (output_size,) * rank if isinstance(output_size, int) else tuple(output_size)
        made: Any = POOLS[kind, rank]
        out: Tensor = made(x.movedim(-1, 1) if last else x, sizes)
        return out.movedim(1, -1) if last else out

    return lift(pool)


def dot_product_attention(query: Any, key: Any, value: Any, bias: Any = None, mask: Any = None,
                          scale: Any = None, is_causal: bool = False,
                          **words: Any) -> Tensor:  # fmt: skip
    """Return values (batch, steps, heads, size) mixed by softmax(scale query key)."""
    q, k, v = (math.floating(one).transpose(1, 2) for one in (query, key, value))
    hides = bias if mask is None else mask
    out = torch.nn.functional.scaled_dot_product_attention(
        q, k, v, None if hides is None else tensor(hides), scale=scale, is_causal=is_causal
    )
    return out.transpose(1, 2)


def _select(conditions: Any, choices: Any, default: Any) -> Any:
    out = default
    for holds, choice in reversed(list(zip(conditions, choices, strict=True))):
        out = lift(shapes.where)(holds, choice, out)
    return out


def _einsum(pattern: str, *tensors: Any) -> Tensor:
    return torch.einsum(pattern, *map(tensor, tensors))


def image_names() -> dict[str, Any]:
    """Return the names of `keras.ops.image`."""

    def resize(images: Any, size: Any, interpolation: str = "bilinear", **words: Any) -> Any:
        return lift(tf_image.resize)(images, size, interpolation)

    colours = ("rgb_to_hsv", "hsv_to_rgb", "extract_patches", "sobel_edges", "ssim")
    made = {
        "gaussian_blur": lift(numpy.gaussian_blur),
        "resize": resize, "rgb_to_grayscale": lift(tf_image.rgb_to_grayscale),
        **{name: lift(getattr(tf_colors, name)) for name in colours}, **newer.OF_PICTURES,
    }  # fmt: skip
    return {name: told_as(name, _of_image(function)) for name, function in made.items()}


def _of_image(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of pictures that also takes them as `image`, as up to Keras 3.3."""

    @functools.wraps(function)
    def call(*args: Any, **words: Any) -> Any:
        pictures = [words.pop("image")] if "image" in words and not args else []
        return function(*pictures, *args, **words)

    return call


def random_names() -> dict[str, Any]:
    """Return the names of `keras.random`."""

    def randint(
        shape: Any, minval: int, maxval: int, dtype: Any = "int32", seed: Any = None
    ) -> Tensor:
        return nn.random_uniform(shape, minval, maxval, dtype, _number(seed))

    def drawn(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def draw(*args: Any, seed: Any = None, **words: Any) -> Tensor:
            return function(*args, seed=_number(seed), **words)

        return draw

    def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
        return lift(nn.dropout)(inputs, rate=rate, noise_shape=noise_shape)

    return {
        "normal": drawn(nn.random_normal), "uniform": drawn(nn.random_uniform),
        "truncated_normal": drawn(nn.truncated_normal), "shuffle": drawn(nn.shuffle),
        "randint": randint, "dropout": dropout, "SeedGenerator": SeedGenerator,
        "categorical": drawn(nn.categorical), "gamma": drawn(nn.gamma),
        "binomial": lambda shape, counts, probabilities, dtype="float32", seed=None: (
            torch.distributions.Binomial(tensor(counts), tensor(probabilities)).expand(
                shapes.sizes(shape)).sample()),
        "beta": lambda shape, alpha, beta, dtype="float32", seed=None: (
            torch.distributions.Beta(tensor(alpha).float(), tensor(beta).float()).expand(
                shapes.sizes(shape)).sample()),
    }  # fmt: skip


class SeedGenerator:
    """What functions of chance are given; they draw from one sequence here."""

    def __init__(self, seed: int | None = None, **words: Any) -> None:
        self.seed = seed

    def next(self) -> int:
        """Return a number."""
        return int(torch.randint(2**31, ()))


def _number(seed: Any) -> Any:
    return seed if isinstance(seed, int) else None


def config_names(session: KerasSession) -> dict[str, Any]:
    """Return the names of `keras.config`."""
    return {
        "backend": lambda: "torch", "floatx": lambda: "float32", "set_floatx": lambda value: None,
        "epsilon": lambda: session.epsilon, "image_data_format": lambda: session.layout,
        "set_image_data_format": lambda data_format: setattr(session, "layout", data_format),
        "set_dtype_policy": lambda policy: None, "set_random_seed": set_random_seed,
        **dict.fromkeys((f"{word}_{what}" for word in ("enable", "disable") for what in (
            "traceback_filtering", "interactive_logging", "flash_attention")), nothing),
        "enable_unsafe_deserialization": nothing, "dtype_policy": Policy,
        **dict.fromkeys((f"is_{word}_enabled" for word in (
            "interactive_logging", "traceback_filtering")), lambda: True),
        "is_flash_attention_enabled": lambda: False, "set_backend": nothing,
        "set_epsilon": lambda value: setattr(session, "epsilon", value),
    }  # fmt: skip


def precision_names(session: KerasSession) -> dict[str, Any]:
    """Return the names of `keras.mixed_precision`; a policy is kept, and numbers stay float32."""
    kept = [Policy()]

    def put(policy: Any) -> None:
        """Keep a policy, and say what it changes."""
        kept[0] = policy if isinstance(policy, Policy) else Policy(policy)
        if kept[0].name != "float32":
            session.note(f"{kept[0].name}: numbers stay float32 here")

    def get() -> Policy:
        """Return the policy."""
        return kept[0]

    return {
        "Policy": Policy, "DTypePolicy": Policy, "LossScaleOptimizer": loss_scaled,
        **dict.fromkeys(("set_global_policy", "set_dtype_policy", "set_policy"), put),
        **dict.fromkeys(("global_policy", "dtype_policy"), get),
    }  # fmt: skip


def nothing(*args: Any, **words: Any) -> None:
    """Change nothing."""


DISTRIBUTION = {
    "list_devices": lambda device_type=None: ["cpu:0"], "distribution": lambda: None,
    "get_device_count": lambda device_type=None: 1,
    **dict.fromkeys(("DataParallel", "ModelParallel", "DeviceMesh", "LayoutMap", "TensorLayout"),
                    Anything),
    **dict.fromkeys(("set_distribution", "initialize"), nothing),
    "distribute_tensor": lambda tensor, layout: tensor,
}  # fmt: skip


class Policy:
    """The dtypes that a script asks for; numbers are float32 whatever it says."""

    def __init__(self, name: str = "float32", **words: Any) -> None:
        self.name = name
        self.compute_dtype = name.removeprefix("mixed_")
        self.variable_dtype = "float32" if name.startswith("mixed_") else name

    def __repr__(self) -> str:
        return f'<Policy "{self.name}">'


def loss_scaled(optimizer: Any, *args: Any, **words: Any) -> Any:
    """Return the optimizer: in float32 no loss has to be scaled."""
    return optimizer
