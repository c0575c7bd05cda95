"""`tensorflow` around `tf.keras`: functions, dtypes, tape, and what is only there."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ...core.spec import Spec
from ...core.symbol import Symbol
from .. import (
    tensor_control as control,
    tensor_math as math,
    tensor_more as more,
    tensor_nn as nn,
    tensor_places as places,
    tensor_shapes as shapes,
    tensor_spectra as spectra,
    tensor_windows as windows,
)
from ..symbolic import kind, lift, table, tensor
from ..tensor_sizes import sizes_of
from . import (
    replaced,
    tf_apart,
    tf_audio,
    tf_boxes,
    tf_colors,
    tf_csv,
    tf_examples,
    tf_files,
    tf_flags,
    tf_groups,
    tf_image,
    tf_lookup,
    tf_mnist,
    tf_parsing,
    tf_records,
    tf_settings,
    tf_sources,
    tf_sparse,
    tf_texts,
)
from .backend import gradients, variable
from .beside import TREE, set_random_seed
from .checkpoints import Checkpoint, CheckpointManager
from .graph_calls import sessions
from .optimizers import Optimizer, classes
from .session import KerasSession
from .sizes import Shape
from .tapes import GradientTape
from .tf_averages import ExponentialMovingAverage
from .tf_data import AUTOTUNE, INFINITE, UNKNOWN, Dataset
from .tf_elements import parts_of
from .tf_names import nameless
from .tf_objects import (
    Anything,
    Generator,
    Methods,
    split_seed,
)
from .tf_settings import devices, nothing
from .tf_texts import Text, Texts, texts
from .words import activation_names, relu

DTYPES = {
    name: getattr(torch, name)
    for name in ("float16", "bfloat16", "float32", "float64", "uint8", "int8", "int16", "int32",
                 "int64", "bool", "complex64", "complex128",
                 "uint16", "uint32", "uint64")
}  # fmt: skip


class Module(torch.nn.Module):
    """What a script derives a set of variables from."""

    def __new__(cls, *args: Any, **words: Any) -> Any:
        """Begin as a module of torch, also where the script's constructor does not call ours."""
        made = super().__new__(cls)
        torch.nn.Module.__init__(made)
        return made

    def __init__(self, name: Any = None) -> None:
        super().__init__()

    @property
    def trainable_variables(self) -> tuple[Tensor, ...]:
        """Variables that are trained."""
        return tuple(p for p in self.parameters() if p.requires_grad)

    @property
    def variables(self) -> tuple[Tensor, ...]:
        """All variables."""
        return tuple(self.parameters())


def function(func: Any = None, **words: Any) -> Any:
    """Return the function: there is no graph to be made of it."""
    return func if callable(func) else lambda made: made


def make_variable(initial_value: Any = None, trainable: bool = True, name: Any = None,
                  dtype: Any = None, **words: Any) -> Tensor:  # fmt: skip
    """Return a variable."""
    value = initial_value() if callable(initial_value) and not isinstance(
        initial_value, Tensor) else initial_value  # fmt: skip
    made = variable(value, dtype)
    if not trainable:
        made.requires_grad_(False)
    return made


def constant(value: Any, dtype: Any = None, shape: Any = None, name: Any = None) -> Any:
    """Return a tensor, or texts."""
    found = texts(value)
    if found is not None:
        return found
    made: Tensor = tensor(value, dtype)
    return made if shape is None else made.expand(*shapes.sizes(shape)).clone()


def argmax(input: Any, axis: int | None = None, output_type: Any = None, **words: Any) -> Any:
    """Return the place of the largest value along an axis, the first for None."""
    return lift(math.argmax)(input, words.get("dimension", 0 if axis is None else axis))


def argmin(input: Any, axis: int | None = None, output_type: Any = None, **words: Any) -> Any:
    """Return the place of the least value along an axis, the first for None."""
    return lift(math.argmin)(input, 0 if axis is None else axis)


def expand_dims(input: Any, axis: Any = None, name: Any = None, **words: Any) -> Any:
    """Return a tensor with a new axis."""
    if isinstance(input, (Text, Texts)):
        return Texts([input]) if isinstance(input, Text) else input  # rows of one text each
    return lift(shapes.expand_dims)(input, words.get("dim", axis))


def reshape(tensor: Any, shape: Any = None, name: Any = None) -> Any:
    """Return the same values in another shape; a text stays what it is."""
    return tensor if isinstance(tensor, (Text, Texts)) else lift(shapes.reshape)(tensor, shape)


def tf_range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, **w: Any) -> Tensor:
    """Return numbers in equal steps."""
    return shapes.arange(start, limit, delta, dtype)


def shape(input: Any, out_type: Any = None, name: Any = None) -> Any:
    """Return the sizes, as a tensor; of a symbol, also those a run alone tells."""
    if isinstance(input, Symbol):
        return sizes_of(input, tuple(input.shape))
    return torch.tensor(tensor(input).shape)


def tf_print(*args: Any, **words: Any) -> None:
    """Print values."""
    plain = (arg.detach().numpy() if isinstance(arg, Tensor) else arg for arg in args)
    print(*plain)  # noqa: T201  the script's own output


def _to(dtype: str) -> Callable[..., Tensor]:
    """Return TensorFlow 1's function that gives numbers of a dtype."""

    def cast(x: Any, name: Any = None) -> Tensor:
        return tensor(x).to(kind(dtype))

    cast.__name__ = f"to_{dtype}"
    return cast


def softmax_pool(input: Any, ksize: Any, strides: Any, padding: str = "VALID", **w: Any) -> Any:
    """Return the maximum of windows."""
    return lift(nn.max_pool2d)(input, ksize, strides, padding)


def avg_pool(input: Any, ksize: Any, strides: Any, padding: str = "VALID", **w: Any) -> Any:
    """Return the average of windows."""
    return lift(nn.avg_pool2d)(input, ksize, strides, padding)


def tf_conv2d(input: Any = None, filters: Any = None, strides: Any = 1, padding: str = "VALID",
              data_format: Any = "NHWC", dilations: Any = 1, name: Any = None,
              filter: Any = None) -> Any:  # fmt: skip
    """Return the cross-correlation with a kernel (rows, columns, in, out)."""
    kernel = filters if filters is not None else filter
    return lift(nn.conv2d)(input, kernel, strides, padding, data_format, dilations)


def tf_conv2d_transpose(input: Any = None, filters: Any = None, output_shape: Any = None,
                        strides: Any = 1, padding: str = "SAME", data_format: Any = "NHWC",
                        dilations: Any = 1, name: Any = None, **words: Any) -> Any:  # fmt: skip
    """Return the gradient of a convolution with a kernel (rows, columns, out, in)."""
    x, kernel = words.get("value", input), words.get("filter", filters)
    return lift(windows.conv2d_transpose)(x, kernel, None, strides, padding, data_format, dilations)


def add_n(inputs: Any, name: Any = None) -> Any:
    """Return the sum of several tensors."""
    return lift(lambda several: sum(map(tensor, several)))(list(inputs))


def tf_dropout(x: Any, rate: Any = None, keep_prob: Any = None, noise_shape: Any = None,
               seed: Any = None, name: Any = None) -> Any:  # fmt: skip
    """Return x with a fraction set to 0."""
    return lift(nn.dropout)(x, rate=rate, keep_prob=keep_prob, noise_shape=noise_shape)


LINEAR = {
    "matrix_transpose": lift(lambda a, name=None: tensor(a).mT),
    "adjoint": lift(lambda matrix, name=None: tensor(matrix).mH),
    "trace": lift(lambda x, name=None: tensor(x).diagonal(0, -2, -1).sum(-1)),
    "diag": lift(lambda diagonal, name=None: torch.diag_embed(tensor(diagonal))),
    "diag_part": lift(lambda matrix, name=None: tensor(matrix).diagonal(0, -2, -1)),
    **{name: lift(getattr(torch.linalg, name)) for name in ("det", "inv", "svd", "qr", "cholesky")},
    "eye": shapes.eye, "tensordot": lift(shapes.tensordot),
    "global_norm": math.global_norm, **more.LINALG,
}  # fmt: skip
REDUCED = {f"reduce_{function.__name__.rstrip('_')}": lift(function) for function in math.REDUCED}
REDUCED |= {"reduce_variance": REDUCED["reduce_var"], "reduce_std": REDUCED["reduce_std"]}
RANDOM = {
    "normal": nn.random_normal, "uniform": nn.random_uniform, "shuffle": nn.shuffle,
    "truncated_normal": nn.truncated_normal, "set_seed": set_random_seed, "gamma": nn.gamma,
    "poisson": nn.poisson, "categorical": nn.categorical,
    "split": split_seed, "fold_in": lambda seed, data, **words: split_seed(
        [int(seed[0]) + int(data), int(seed[1])])[0], "Generator": Generator,
    **{f"stateless_{name}": made for name, made in (
        ("normal", nn.random_normal), ("uniform", nn.random_uniform))},
}  # fmt: skip


def _math() -> dict[str, Any]:
    return {
        **{name: lift(made) for name, made in {**math.UNARY, **math.PAIRS}.items()}, **REDUCED,
        **table((math.sign, math.pow_, math.cumsum, math.l2_normalize, math.norm)),
        "reduce_logsumexp": REDUCED["reduce_logsumexp"], "argmax": argmax, "argmin": argmin,
        "top_k": lift(shapes.top_k), "in_top_k": lift(math.is_in_top_k),
        "confusion_matrix": confusion_matrix, "divide_no_nan": lift(math.divide_no_nan),
        **{f"to_{word}": lift(_to(dtype)) for word, dtype in (
            ("float", "float32"), ("double", "float64"), ("int32", "int32"), ("int64", "int64"))},
        "bincount": bincount, "softmax": lift(nn.softmax),
        "log_softmax": lift(nn.log_softmax), "cumprod": lift(math.cumprod),
        **spectra.PARTS, **more.MATH, **tf_apart.MATH,
        "add_n": add_n, "accumulate_n": add_n, "reduce_euclidean_norm": lift(
            lambda input_tensor, axis=None, keepdims=False: math.norm(
                input_tensor, None, axis, keepdims)),
        **{name: lift(made) for name, made in (
            ("segment_sum", places.segment_sum), ("unsorted_segment_sum", places.segment_sum),
            ("count_nonzero", places.count_nonzero))},
    }  # fmt: skip


def _nn(session: KerasSession) -> dict[str, Any]:
    acts = activation_names(session)
    return {
        **table(nn.RELATED), **table(tf_colors.BLOCKS), **more.NN, **tf_apart.NN,
        **{name: acts[name] for name in ("softmax", "sigmoid", "tanh", "elu", "selu", "softplus",
                                         "softsign", "relu6", "gelu", "silu", "log_softmax")},
        "relu": relu, "swish": acts["silu"], "conv2d": tf_conv2d,
        "max_pool": softmax_pool, "max_pool2d": softmax_pool, "avg_pool": avg_pool,
        "avg_pool2d": avg_pool, "dropout": tf_dropout, "l2_loss": lift(math.l2_loss),
        "compute_average_loss": average_loss, "scale_regularization_loss": lambda loss: loss,
        "l2_normalize": lift(math.l2_normalize), "top_k": lift(shapes.top_k),
        "in_top_k": lift(math.is_in_top_k), "leaky_relu": lift(nn.leaky_relu),
        "softmax_cross_entropy_with_logits_v2": lift(nn.softmax_cross_entropy_with_logits),
        **table((windows.conv1d, windows.conv3d, windows.local_response_normalization)),
        "lrn": lift(windows.local_response_normalization), "conv2d_transpose": tf_conv2d_transpose,
        "separable_conv2d": lift(windows.separable_conv2d), "convolution": lift(windows.conv),
        "embedding_lookup": lift(shapes.gather), "zero_fraction": lift(math.UNARY["zero_fraction"]),
        "weighted_cross_entropy_with_logits": lift(nn.weighted_cross_entropy_with_logits),
        "crelu": lift(lambda x, axis=-1: shapes.concatenate([x, -tensor(x)], axis).relu()),
    }  # fmt: skip


def names(session: KerasSession) -> dict[str, Any]:
    """Return the names right in `tensorflow`."""
    moved = table(shapes.MOVED)
    return replaced.replaceable(session, {
        **moved, **_math(), **more.TOP, **tf_apart.TOP, **DTYPES, **REDUCED,
        **{f.__name__: f for f in shapes.MADE},
        "__version__": "2.15.0" if session.version.name == "tf" else "1.15.0",
        "newaxis": None, "complex": lift(spectra.tf_complex), "constant": constant,
        "convert_to_tensor": constant,
        "Variable": make_variable, "Tensor": Tensor, "cast": lift(math.cast), "function": function,
        "GradientTape": GradientTape, "Module": Module, "identity": lift(math.identity),
        "stop_gradient": lift(math.stop_gradient), "clip_by_value": lift(math.clip_by_value),
        **table(places.PLACES), "meshgrid": places.meshgrid, "strided_slice": lift(places.slice_),
        **{word: getattr(control, word) for word in (
            "while_loop", "switch_case", "case", "foldl", "foldr", "scan", "vectorized_map",
            "custom_gradient", "TensorArray")},
        "einsum": lift(lambda equation, *inputs, **words: torch.einsum(
            equation, *map(tensor, inputs))), "double": torch.float64,
        "gradients": lambda ys, xs, *args, **words: gradients(ys, xs), "control_dependencies":
        _block, "init_scope": _block, "ensure_shape": lift(lambda x, shape, name=None: tensor(x)),
        "reshape": reshape, **tf_parsing.FUNCTIONS, "SparseTensor": tf_sparse.Sparse,
        "edit_distance": tf_sparse.edit_distance,
        "recompute_grad": function, "scalar_mul": lift(lambda scalar, x, name=None: scalar * x),
        "as_string": lambda x, **words: str(tensor(x).item()), "timestamp": time.time,
        "clip_by_norm": lift(math.clip_by_norm), "global_norm": math.global_norm,
        "clip_by_global_norm": math.clip_by_global_norm, "argmax": argmax, "argmin": argmin,
        "expand_dims": expand_dims, "range": tf_range, "shape": shape, "print": tf_print,
        "rank": lambda x: len(x.shape), "size": lift(shapes.size), "map_fn": shapes.map_fn,
        "random_normal": nn.random_normal, "random_uniform": nn.random_uniform,
        "random_shuffle": nn.shuffle,
        "depth_to_space": lift(tf_colors.depth_to_space),
        "space_to_depth": lift(tf_colors.space_to_depth), "read_file": tf_files.read_file,
        "truncated_normal": nn.truncated_normal, "set_random_seed": set_random_seed,
        "Session": sessions(session), "InteractiveSession": sessions(session),
        "ConfigProto": Anything,
        "GPUOptions": Anything, "global_variables_initializer": nothing, **replaced.names(session),
        "reset_default_graph": nothing, "TensorSpec": TensorSpec, "TensorShape": Shape,
        "executing_eagerly": lambda: True, "device": _block,
        "name_scope": _block, "variable_scope": _block, "no_op": nothing, "cond": _cond,
        "boolean_mask": lift(shapes.boolean_mask), "is_tensor": lambda x: isinstance(
            x, (Tensor, Symbol)), "enable_eager_execution": nothing,
        "disable_v2_behavior": nothing, "disable_eager_execution": nothing, "py_function": _call,
        "py_func": lift(_call_numpy),
        "numpy_function": _call_numpy, "get_logger": lambda: logging.getLogger("tensorflow"),
        "string": str, "as_dtype": kind, "DType": torch.dtype, "UnconnectedGradients": Anything(
            NONE="none", ZERO="zero"), "IndexedSlices": Anything, "group": nothing,
    })  # fmt: skip


def modules(session: KerasSession) -> Mapping[str, Mapping[str, Any]]:
    """Return the modules of `tensorflow` that are not keras, by their paths below it."""
    made = classes(session)
    old = {
        "AdamOptimizer": _old(made, "Adam"), "GradientDescentOptimizer": _old(made, "SGD"),
        "RMSPropOptimizer": _old(made, "RMSprop"), "AdagradOptimizer": _old(made, "Adagrad"),
        "AdadeltaOptimizer": _old(made, "Adadelta"), "MomentumOptimizer": _old(made, "SGD"),
    }  # fmt: skip
    top, quiet = (
        nameless(names(session)),
        {"set_verbosity": nothing, "ERROR": 40, "INFO": 20, "WARN": 30},
    )
    quiet |= dict.fromkeys(("info", "warning", "error", "debug"), nothing)
    flags = tf_flags.modules()
    return {
        "": top, **flags, **{f"compat.v1.{path}": names for path, names in flags.items()},
        "nn": nameless(replaced.replaceable(session, _nn(session))),
        "math": nameless(replaced.replaceable(session, _math())), "linalg": {
            "matmul": top["matmul"], "norm": lift(math.norm),
            **LINEAR,
            "l2_normalize": lift(math.l2_normalize), "einsum": torch.einsum},
        "random": RANDOM, "random.experimental": {
            "stateless_split": split_seed, "Generator": Generator}, "image": nameless({
            **table(tf_image.FUNCTIONS), **table(tf_colors.FUNCTIONS), **tf_image.STATELESS,
            **tf_colors.STATELESS,
            **tf_boxes.SUPPRESSIONS, "crop_and_resize": lift(
            tf_boxes.crop_and_resize), "draw_bounding_boxes": lift(tf_boxes.draw_bounding_boxes),
            "ResizeMethod": Methods,
            "resize_image_with_crop_or_pad": lift(tf_image.resize_with_crop_or_pad),
            "resize_images": lift(tf_image.resize), **more.IMAGE,
            **tf_files.DECODERS, **tf_files.ENCODERS}),
        "signal": {**spectra.SIGNAL, **tf_audio.SIGNAL}, "audio": tf_audio.AUDIO,
        "lookup": tf_lookup.NAMES, "lookup.experimental": {},
        "strings": tf_texts.FUNCTIONS, "io": tf_files.IO, "sparse": tf_sparse.FUNCTIONS,
        "io.gfile": tf_files.GFILE, "gfile": tf_files.GFILE,
        "data": {"Dataset": Dataset, "AUTOTUNE": AUTOTUNE, "Options": Anything,
                 "INFINITE_CARDINALITY": INFINITE, "UNKNOWN_CARDINALITY": UNKNOWN,
                 **tf_sources.SOURCES},
        "data.experimental": {**tf_csv.SOURCES, **tf_groups.EXPERIMENTAL, "AUTOTUNE": AUTOTUNE,
                              "cardinality": lambda d: d.cardinality(),
                              "Counter": Dataset.counter, "sample_from_datasets":
                              Dataset.sample_from_datasets, "choose_from_datasets":
                              Dataset.choose_from_datasets, "save": tf_sources.save,
                              "load": tf_sources.load, "INFINITE_CARDINALITY": INFINITE,
                              "UNKNOWN_CARDINALITY": UNKNOWN,
                              "assert_cardinality": lambda count: lambda one: one.known(count),
                              "TFRecordWriter": tf_sources.RecordWriter,
                              "prefetch_to_device": lambda *args: lambda one: one},
        "logging": quiet, "python_io": {
            "TFRecordWriter": tf_records.Writer, "TFRecordOptions": tf_records.Options,
            "tf_record_iterator": tf_sources.as_bytes},
        "train": {**old, **tf_examples.MESSAGES, "Server": Anything(), "Checkpoint": Checkpoint,
                  "CheckpointManager": CheckpointManager,
                  "latest_checkpoint": tf_files.latest_checkpoint,
                  "ExponentialMovingAverage": ExponentialMovingAverage},
        "dtypes": DTYPES | {"cast": top["cast"], "as_dtype": kind, "DType": torch.dtype,
                            "string": str, "saturate_cast": top["saturate_cast"]},
        "bitwise": tf_apart.BITS,
        **tf_settings.MODULES,
        "autograph": {"set_verbosity": nothing, "trace": tf_print,
                      **dict.fromkeys(("to_graph", "do_not_convert"), function)},
        "nest": TREE, "autograph.experimental": {"do_not_convert": function},
        "compat": {"as_str": tf_texts.text, "as_bytes": tf_texts.raw, "as_text": tf_texts.text,
                   "as_str_any": tf_texts.text},
        "compat.v1": {**top, **old, "logging": Anything(**quiet)},
        "compat.v1.python_io": {"TFRecordWriter": tf_records.Writer,
                                "tf_record_iterator": tf_sources.as_bytes},
        "compat.v1.io": {"tf_record_iterator": tf_sources.as_bytes, **tf_files.IO},
        "compat.v1.train": {**old, **tf_examples.MESSAGES},
        "compat.v1.logging": quiet, "version": dict.fromkeys(
            ("VERSION", "GIT_VERSION", "COMPILER_VERSION"), top["__version__"]),
        "examples": {}, "examples.tutorials": {}, "examples.tutorials.mnist": {
            "input_data": Anything(**tf_mnist.NAMES)},
        "examples.tutorials.mnist.input_data": tf_mnist.NAMES,
        "experimental": {}, "python": {}, "python.client": {}, "python.client.device_lib": {
            "list_local_devices": lambda config=None: devices()},
        "python.framework": {}, "python.framework.ops": {"reset_default_graph": nothing},
    }  # fmt: skip


def confusion_matrix(labels: Any, predictions: Any, num_classes: Any = None, weights: Any = None,
                     dtype: Any = "int32", name: Any = None) -> Tensor:  # fmt: skip
    """Return how often each class, a row, was taken for each, a column."""
    true, said = tensor(labels).long().flatten(), tensor(predictions).long().flatten()
    count = int(num_classes or max(int(true.max()), int(said.max())) + 1)
    shares = torch.ones(len(true)) if weights is None else tensor(weights).float()
    out = torch.zeros(count * count).index_add_(0, true * count + said, shares)
    return out.view(count, count).to(kind(dtype))


def bincount(arr: Any, weights: Any = None, minlength: Any = None, **words: Any) -> Tensor:
    """Return how often each whole number is there."""
    shares = None if weights is None else tensor(weights)
    return torch.bincount(tensor(arr).long().flatten(), shares, int(minlength or 0))


def average_loss(per_example_loss: Any, sample_weight: Any = None,
                 global_batch_size: Any = None) -> Any:  # fmt: skip
    """Return the sum of losses, divided by the size of the batch."""
    losses = tensor(per_example_loss)
    losses = losses if sample_weight is None else losses * tensor(sample_weight)
    return losses.sum() / (global_batch_size or len(losses))


def TensorSpec(shape: Any = None, dtype: Any = "float32", name: Any = None) -> Spec:  # noqa: N802
    """Return the spec of a tensor."""
    return Spec(tuple(shape or ())[1:])


def _old(made: Mapping[str, Any], name: str) -> Callable[..., Optimizer]:
    """Return an optimizer of TensorFlow 1 in the words that it had."""
    renamed = {"beta1": "beta_1", "beta2": "beta_2", "decay": "rho", "use_nesterov": "nesterov"}

    def make(learning_rate: Any = 0.001, *args: Any, **words: Any) -> Any:
        words = {
            renamed.get(key, key): value for key, value in words.items() if key != "use_locking"
        }
        words |= {"momentum": args[0]} if args and name == "SGD" else {}
        return made[name](learning_rate, **words)

    return make


def _call(func: Any, inp: Any, *types: Any, **words: Any) -> Any:
    return _told(func(*inp))


def _call_numpy(func: Any, inp: Any, *types: Any, **words: Any) -> Any:
    return _told(func(*(one.numpy() if hasattr(one, "numpy") else one for one in inp)))


def _told(value: Any) -> Any:
    """Return what a function of Python gives, as TensorFlow does: several things are a list."""
    if isinstance(value, (list, tuple)) and not all(isinstance(one, (int, float)) for one in value):
        return [parts_of(one) for one in value]
    return None if value is None else parts_of(value)


def _cond(pred: Any, true_fn: Any = None, false_fn: Any = None, **words: Any) -> Any:
    return true_fn() if bool(pred) else false_fn()


@contextlib.contextmanager
def _block(*args: Any, **words: Any) -> Iterator[None]:
    """Change nothing inside a block."""
    yield
