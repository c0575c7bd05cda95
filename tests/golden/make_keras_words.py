"""Makes keras_words.json from real Keras 3: functions and Anys, their arguments by Keras's names.

KERAS_BACKEND=torch python tests/golden/make_keras_words.py  (in an environment with keras)

A name with a colon stands for several cases. Numbers are rounded to 5 places.
"""

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

PAIRS = (
    "add", "arctan2", "divide", "divide_no_nan", "equal", "floor_divide", "greater",
    "greater_equal", "heaviside", "hypot", "less", "less_equal", "logaddexp", "logaddexp2",
    "logical_and", "logical_or", "logical_xor", "maximum", "minimum", "mod", "multiply",
    "nextafter", "not_equal", "power", "subtract", "true_divide",
)  # fmt: skip
WHOLE = ("bitwise_and", "bitwise_or", "bitwise_xor", "gcd", "lcm")
OPS = {
    **{name: f"{name}(x1=x, x2=y)" for name in PAIRS},
    **{name: f"{name}(x1=n, x2=m)" for name in ("gcd", "lcm")},
    **{name: f"{name}(x=n, y=m)" for name in WHOLE[:3]},
    "left_shift": "left_shift(x=n, y=m)",
    "bitwise_right_shift": "bitwise_right_shift(x=n, y=m)",
    "all": "all(x=x > 0.2, axis=1, keepdims=True)",
    "amax": "amax(x=x, axis=0, keepdims=True)",
    "amin": "amin(x=x, axis=(0, 1))",
    "append": "append(x1=x, x2=y, axis=1)",
    "arange": "arange(start=1, stop=7, step=2)",
    "argmax": "argmax(x=x, axis=1, keepdims=True)",
    "argmin": "argmin(x=x)",
    "argsort": "argsort(x=x, axis=0)",
    "array": "array(x=[1, 2], dtype='float32')",
    "array_split": "array_split(x=x, indices_or_sections=2, axis=1)",
    "average": "average(x=x, axis=1, weights=w)",
    "average_pool": "average_pool(inputs=p, pool_size=2, strides=1, padding='same')",
    "batch_normalization": "batch_normalization(x=x, mean=w, variance=w * w, axis=-1, offset=w, "
    "scale=w, epsilon=0.1)",
    "binary_crossentropy": "binary_crossentropy(target=t, output=s, from_logits=False)",
    "binary_crossentropy logits": "binary_crossentropy(target=t, output=x, from_logits=True)",
    "bincount": "bincount(x=n[0], weights=w[:3], minlength=6)",
    "broadcast_to": "broadcast_to(x=w, shape=(2, 4))",
    "cast": "cast(x=10 * x, dtype='int32')",
    "categorical_crossentropy": "categorical_crossentropy(target=o, output=s, from_logits=True, "
    "axis=-1)",
    "categorical_crossentropy axis": "categorical_crossentropy(target=o.T, output=s.T, axis=0)",
    "celu": "celu(x=x, alpha=0.5)",
    "clip": "clip(x=x, x_min=-0.5, x_max=0.5)",
    "concatenate": "concatenate(xs=[x, y], axis=1)",
    "conv": "conv(inputs=p, kernel=k, strides=2, padding='same', dilation_rate=1)",
    "conv_transpose": "conv_transpose(inputs=p, kernel=k.transpose(0, 1, 3, 2), strides=2, "
    "padding='valid')",
    "copy": "copy(x=x)",
    "correlate": "correlate(x1=w, x2=w[:2], mode='full')",
    "count_nonzero": "count_nonzero(x=n, axis=1)",
    "cross": "cross(x1=x[:, :3], x2=y[:, :3], axis=1)",
    "cumprod": "cumprod(x=x)",
    "cumprod axis": "cumprod(x=x, axis=1)",
    "cumsum": "cumsum(x=x)",
    "cumsum axis": "cumsum(x=x, axis=1, dtype='float32')",
    "depthwise_conv": "depthwise_conv(inputs=p, kernel=k[..., :1], strides=1, padding='valid')",
    "diag": "diag(x=w, k=1)",
    "diagflat": "diagflat(x=w, k=-1)",
    "diagonal": "diagonal(x=p[0], offset=1, axis1=0, axis2=1)",
    "diff": "diff(a=x, n=1, axis=0)",
    "digitize": "digitize(x=x, bins=np.array([-0.5, 0.0, 0.5]))",
    "dot": "dot(x1=x, x2=y.T)",
    "einsum": "einsum('ij,kj->ik', x, y)",
    "elu": "elu(x=x, alpha=0.3)",
    "erf": "erf(x=x)",
    "expand_dims": "expand_dims(x=x, axis=(0, 2))",
    "eye": "eye(N=3, M=4, k=1)",
    "flip": "flip(x=x, axis=1)",
    "full": "full(shape=(2, 2), fill_value=3.5)",
    "full_like": "full_like(x=x, fill_value=2)",
    "gelu": "gelu(x=x, approximate=False)",
    "get_item": "get_item(x=x, key=1)",
    "glu": "glu(x=x, axis=-1)",
    "hard_shrink": "hard_shrink(x=x, threshold=0.3)",
    "hard_sigmoid": "hard_sigmoid(x=x)",
    "hard_silu": "hard_silu(x=x)",
    "hard_tanh": "hard_tanh(x=2 * x)",
    "histogram": "histogram(x=w, bins=3, range=(-1, 1))[0]",
    "in_top_k": "in_top_k(targets=np.array([1, 0, 2]), predictions=x, k=2)",
    "isclose": "isclose(x1=x, x2=x + 1e-6)",
    "isin": "isin(x1=n, x2=np.array([1, 3]), invert=True)",
    "layer_normalization": "layer_normalization(x=x, gamma=w, beta=w, axis=-1)",
    "leaky_relu": "leaky_relu(x=x, negative_slope=0.1)",
    "leaky_relu default": "leaky_relu(x=x)",
    "linspace": "linspace(start=0.0, stop=1.0, num=4, endpoint=False)",
    "linspace arrays": "linspace(start=w, stop=2 * w, num=3)",
    "log_sigmoid": "log_sigmoid(x=x)",
    "log_softmax": "log_softmax(x=x, axis=0)",
    "logspace": "logspace(start=0.0, stop=2.0, num=3, base=2)",
    "logsumexp": "logsumexp(x=x, axis=1, keepdims=True)",
    "lu_factor": "lu_factor(x=x[:, :3])[0]",
    "map": "map(f=lambda row: row * 2, xs=x)",
    "matmul": "matmul(x1=x, x2=y.T)",
    "max": "max(x=x, axis=1, initial=0.4)",
    "max_pool": "max_pool(inputs=p, pool_size=2)",
    "mean": "mean(x=x, axis=(0, 1), keepdims=True)",
    "median": "median(x=x, axis=1)",
    "meshgrid": "meshgrid(w, w[:2], indexing='ij')",
    "min": "min(x=x, axis=0, keepdims=True, initial=-0.2)",
    "moments": "moments(x=x, axes=[0], keepdims=True)",
    "moveaxis": "moveaxis(x=p, source=1, destination=-1)",
    "multi_hot": "multi_hot(inputs=n[:, :2], num_classes=5)",
    "nan_to_num": "nan_to_num(x=np.where(x > 0.3, np.nan, x), nan=7.0)",
    "nonzero": "nonzero(x=n - 1)",
    "norm": "norm(x=x, ord=1, axis=1, keepdims=True)",
    "norm all": "norm(x=x)",
    "normalize": "normalize(x=x, axis=1, order=1)",
    "normalize two": "normalize(x=x, axis=0)",
    "one_hot": "one_hot(x=n[0], num_classes=5, axis=0)",
    "ones_like": "ones_like(x=x, dtype='int32')",
    "outer": "outer(x1=w, x2=w)",
    "pad": "pad(x=x, pad_width=((1, 0), (0, 2)), mode='constant', constant_values=3)",
    "pad reflect": "pad(x=x, pad_width=((0, 0), (1, 1)), mode='reflect')",
    "prod": "prod(x=x, axis=1, dtype='float32')",
    "ptp": "ptp(x=x, axis=1)",
    "quantile": "quantile(x=x, q=0.25, axis=1, method='lower')",
    "rearrange": "rearrange(p, 'b h w c -> b (h w) c')",
    "relu6": "relu6(x=9 * x)",
    "repeat": "repeat(x=x, repeats=2, axis=1)",
    "reshape": "reshape(x=x, newshape=(2, -1))",
    "rms_normalization": "rms_normalization(x=x, scale=w, axis=-1, epsilon=0.1)",
    "roll": "roll(x=x, shift=1, axis=1)",
    "rot90": "rot90(array=x, k=1, axes=(0, 1))",
    "round": "round(x=x, decimals=1)",
    "scatter": "scatter(indices=np.array([[0], [2]]), values=x[:2], shape=(4, 4))",
    "scatter_update": "scatter_update(inputs=x, indices=np.array([[0, 1], [2, 2]]), updates=w[:2])",
    "scatter_update add": "scatter_update(inputs=x, indices=np.array([[0, 1], [0, 1]]), "
    "updates=w[:2], reduction='add')",
    "searchsorted": "searchsorted(sorted_sequence=np.sort(w), values=x[0], side='right')",
    "segment_sum": "segment_sum(data=x, segment_ids=np.array([0, 1, 0]), num_segments=3)",
    "select": "select(condlist=[x > 0.5, x < 0], choicelist=[x, y], default=9.0)",
    "separable_conv": "separable_conv(inputs=p, depthwise_kernel=k[..., :1], "
    "pointwise_kernel=k[:1, :1], strides=1, padding='valid')",
    "sigmoid": "sigmoid(x=x)",
    "signbit": "signbit(x=x)",
    "silu": "silu(x=x)",
    "slice": "slice(inputs=x, start_indices=(1, 0), shape=(2, 2))",
    "slice_update": "slice_update(inputs=x, start_indices=(0, 1), updates=y[:1, :2])",
    "slogdet": "slogdet(x=x[:, :3])[1]",
    "soft_shrink": "soft_shrink(x=x, threshold=0.3)",
    "softmax": "softmax(x=x, axis=0)",
    "softmax axes": "softmax(x=p, axis=(1, 2))",
    "sort": "sort(x=x, axis=0)",
    "sparse_categorical_crossentropy": "sparse_categorical_crossentropy(target="
    "np.array([1, 0, 2]), output=s, from_logits=True, axis=-1)",
    "sparse_plus": "sparse_plus(x=x)",
    "sparse_sigmoid": "sparse_sigmoid(x=2 * x)",
    "split": "split(x=x, indices_or_sections=[1, 3], axis=1)",
    "squareplus": "squareplus(x=x, b=3)",
    "squeeze": "squeeze(x=x[None], axis=0)",
    "stack": "stack(x=[x, y], axis=1)",
    "std": "std(x=x, axis=1)",
    "stop_gradient": "stop_gradient(variable=ops.array(x))",
    "swapaxes": "swapaxes(x=p, axis1=1, axis2=3)",
    "take": "take(x=x, indices=np.array([1, -1]), axis=1)",
    "take flat": "take(x=x, indices=np.array([1, 7]))",
    "take_along_axis": "take_along_axis(x=x, indices=np.argsort(x, 1), axis=1)",
    "tanh_shrink": "tanh_shrink(x=x)",
    "tensordot": "tensordot(x1=p, x2=p, axes=[[1, 2], [1, 2]])",
    "threshold": "threshold(x=x, threshold=0.1, default_value=5.0)",
    "tile": "tile(x=x, repeats=(1, 2))",
    "top_k": "top_k(x=x, k=2)",
    "trace": "trace(x=x, offset=1)",
    "transpose": "transpose(x=p, axes=(3, 0, 1, 2))",
    "trapezoid": "trapezoid(y=x, dx=2.0, axis=0)",
    "tri": "tri(N=3, M=4, k=-1)",
    "tril": "tril(x=x, k=-1)",
    "triu": "triu(x=x, k=1)",
    "unravel_index": "unravel_index(indices=np.array([5, 9]), shape=(3, 4))",
    "unstack": "unstack(x=ops.array(x), num=4, axis=1)",
    "vander": "vander(x=w, N=3)",
    "var": "var(x=x, axis=0, keepdims=True)",
    "vdot": "vdot(x1=w, x2=w)",
    "vectorized_map": "vectorized_map(function=lambda row: row.sum(), elements=ops.array(x))",
    "view_as_complex": "ops.real(ops.view_as_complex(x[:, :2]))",
    "where": "where(condition=x > 0, x1=x, x2=-1.0)",
    "zeros_like": "zeros_like(x=x)",
}
ACTIVATIONS = {
    **{name: f"{name}(x)" for name in (
        "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
        "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish",
        "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus",
        "softsign", "sparse_plus", "sparse_sigmoid", "squareplus", "swish", "tanh",
        "tanh_shrink")},
    "celu:alpha": "celu(x=x, alpha=0.4)", "elu:alpha": "elu(x=x, alpha=0.4)",
    "gelu:approximate": "gelu(x=x, approximate=True)", "glu:axis": "glu(x=x[:2], axis=0)",
    "hard_shrink:threshold": "hard_shrink(x=x, threshold=0.2)",
    "leaky_relu:slope": "leaky_relu(x=x, negative_slope=0.5)",
    "relu:all": "relu(x=x, negative_slope=0.1, max_value=0.5, threshold=0.2)",
    "soft_shrink:threshold": "soft_shrink(x=x, threshold=0.2)",
    "softmax:axis": "softmax(x=x, axis=0)", "squareplus:b": "squareplus(x=x, b=2)",
    "threshold": "threshold(x=x, threshold=0.1, default_value=-2.0)",
    "get": "get(identifier='hard_swish')(x)", "get:none": "get(None)(x)",
}  # fmt: skip
LAYERS = {
    **{f"Activation:{name}": f"Activation({name!r})(x)" for name in (
        "celu", "exponential", "hard_shrink", "hard_silu", "hard_tanh", "log_sigmoid", "mish",
        "relu6", "soft_shrink", "sparse_plus", "sparse_sigmoid", "squareplus",
        "tanh_shrink", "glu")},
    "Activation:none": "Activation(None)(x)",
    "Activation:function": "Activation(keras.activations.glu)(x)",
}  # fmt: skip
LOSSES = {
    "ignore": "SparseCategoricalCrossentropy(from_logits=True, ignore_class=2)(c, x)",
    "ignore:none": "SparseCategoricalCrossentropy(ignore_class=0, reduction='none')(c, s)",
    "ignore:255": "SparseCategoricalCrossentropy(ignore_class=255)(np.array([[1], [255], [2]]), s)",
    "ignore:function": "sparse_categorical_crossentropy(y_true=c, y_pred=s, from_logits=False, "
    "ignore_class=2, axis=-1)",
    "huber": "huber(y_true=x, y_pred=y, delta=0.3)",
    "cosine": "cosine_similarity(y_true=x, y_pred=y, axis=0)",
    "smoothing": "categorical_crossentropy(y_true=o, y_pred=s, from_logits=True, "
    "label_smoothing=0.1)",
    "focal": "binary_focal_crossentropy(y_true=t, y_pred=s, gamma=3.0)",
    "generalized": "categorical_generalized_cross_entropy(y_true=c, "
    "y_pred=keras.ops.array(s), q=0.4)",
}
METRICS = {
    "wrapped": "MeanMetricWrapper(keras.losses.mean_squared_error, name='own')",
    "entropy": "SparseCategoricalCrossentropy(from_logits=True)",
    "smooth": "CategoricalCrossentropy(from_logits=True, label_smoothing=0.2)",
}


def listed(keras: Any, value: Any) -> Any:
    """Return an array, or several, as lists of rounded numbers."""
    if isinstance(value, (tuple, list)):
        return [listed(keras, one) for one in value]
    found = np.round(np.asarray(keras.ops.convert_to_numpy(value), dtype="float64"), 5)
    return (found + 0.0).tolist()


def given() -> dict[str, Any]:
    """Return what the cases are about."""
    rng = np.random.default_rng(11)
    x, y = (rng.normal(size=(3, 4)).astype("float32") * 0.7 for _ in range(2))
    s = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    return {
        "np": np, "x": x, "y": y, "s": s, "w": np.abs(y[0]) + 0.1,
        "n": rng.integers(0, 5, (2, 3)), "m": rng.integers(1, 4, (2, 3)),
        "p": rng.normal(size=(1, 4, 5, 2)).astype("float32"),
        "k": rng.normal(size=(3, 3, 2, 3)).astype("float32"), "t": (x > 0).astype("float32"),
        "o": np.eye(4, dtype="float32")[[1, 3, 2]], "c": np.array([1, 2, 0]),
    }  # fmt: skip


def _metric(keras: Any, name: str, case: str) -> Any:
    values = given()
    try:
        metric = eval(f"keras.metrics.{case}", {"keras": keras, "np": np})
        true = {"wrapped": values["y"], "entropy": values["c"], "smooth": values["o"]}[name]
        metric.update_state(true, values["x"])
        return [metric.name, listed(keras, metric.result())]
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:90]}"


def results(keras: Any) -> dict[str, Any]:
    """Return every case by its name; one that fails, as text."""
    found: dict[str, Any] = {}
    rooms = {"ops": OPS, "activations": ACTIVATIONS, "layers": LAYERS, "losses": LOSSES}
    for room, cases in rooms.items():
        for name, case in cases.items():
            names = {room: getattr(keras, room), "ops": keras.ops, "keras": keras, **given()}
            text = case if case.startswith(("ops.", "keras.")) else f"{room}.{case}"
            try:
                found[f"{room}.{name}"] = listed(keras, eval(text, names))
            except Exception as error:
                found[f"{room}.{name}"] = f"{type(error).__name__}: {str(error)[:90]}"
    for name, case in METRICS.items():
        found[f"metrics.{name}"] = _metric(keras, name, case)
    return found


if __name__ == "__main__":
    import keras

    warnings.simplefilter("ignore")
    made = results(keras)
    failed = {name: value for name, value in made.items() if isinstance(value, str)}
    print(failed, file=sys.stderr)
    path = Path(__file__).with_name("keras_words.json")
    path.write_text(json.dumps({"keras": keras.__version__, "results": made}))
