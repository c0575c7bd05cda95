"""Keras's files: those of real Keras are read with its predictions, ours are read by it.

tests/golden/check_keras_files.py is the other half: real Keras reads what `write` writes here.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from cases import told

import striate as st
from striate import layers as L
from striate.core.layer import Layer
from striate.store import keras_file, keras_training, keras_weights
from striate.store.hdf5 import pack

GOLDEN = Path(__file__).parents[1] / "golden" / "keras_files"
MODELS = sorted(path.name for path in GOLDEN.iterdir() if "weights" not in path.name
                and path.suffix != ".npz")  # fmt: skip
WEIGHTS = sorted(path.name for path in GOLDEN.iterdir() if "weights" in path.name)


def numbers(name):
    """Return the inputs and outputs that real Keras wrote beside a model."""
    data = np.load(GOLDEN / f"{name.partition('.')[0].removesuffix('_old')}.npz")
    inputs, outputs = ([data[key] for key in data if key[0] == letter] for letter in "xy")
    return inputs if len(inputs) > 1 else inputs[0], outputs


def predicted(model, x):
    out = model.predict(x, verbose=0)
    return list(out) if isinstance(out, (tuple, list)) else [out]


def h5(path, arrays=None, attributes=None):
    path.write_bytes(pack(arrays or {}, attributes or {"": {}}))
    return path


def described(kind, layers, **about):
    config = {"class_name": kind, "config": layers}
    return {"": {"model_config": json.dumps(config), "keras_version": "2.2.4", **about}}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_real_keras_predicts_what_it_did_there(name, capsys):
    x, expected = numbers(name)
    model = st.load(GOLDEN / name)
    found = predicted(model, x)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    if "plain" in name:
        assert "the state of the optimizer" not in capsys.readouterr().err
        assert model.setup.state is None  # it was saved before its first step
        assert model.get_layer("stem").kernel_regularizer == st.regularizers.L2(0.01)
        scores = model.evaluate(x, np.eye(3)[[0, 1]], verbose=0)
        assert len(scores) == 2  # loss and accuracy: it is compiled as it was


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_of_real_keras_fit_the_network_built_anew(name):
    whole = name.partition("_weights")[0]
    model = st.load(next(GOLDEN / item for item in MODELS if item.startswith(whole)))
    x, expected = numbers(whole)
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    model.load_weights(GOLDEN / name)
    for one, other in zip(predicted(model, x), expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize("name", [name for name in MODELS if name.endswith(".keras")])
def test_what_is_written_is_read_back_with_the_same_numbers(name, ending, tmp_path):
    model = st.load(GOLDEN / name)
    x, _ = numbers(name)
    again = st.load(model.save(tmp_path / f"model{ending}"))
    for one, other in zip(predicted(again, x), predicted(model, x), strict=True):
        np.testing.assert_array_equal(one, other)
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    assert [w.requires_grad for w in again.weights] == [w.requires_grad for w in model.weights]


@pytest.mark.parametrize("ending", [".weights.h5", ".h5"])
def test_weights_alone_are_written_as_both_versions_of_keras_do(ending, tmp_path):
    model = st.load(GOLDEN / "keras3_transfer.keras")
    expected = model.get_weights()
    path = model.save_weights(tmp_path / f"some{ending}")
    model.set_weights([np.zeros_like(weight) for weight in expected])
    model.load_weights(path)
    for one, other in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_layers_that_keras_calls_otherwise_are_written_in_its_words(tmp_path):
    x = L.Input((4, 4, 2))
    y = L.Tanh()(L.Sigmoid()(L.SELU()(L.GELU()(L.SiLU()(L.ThresholdedReLU(0.5)(x))))))
    model = st.Model(x, 1 / (y * 2 + 3 - x))
    data = np.random.default_rng(0).normal(size=(2, 4, 4, 2)).astype("float32")
    again = st.load(model.save(tmp_path / "words.keras"))
    np.testing.assert_allclose(again.predict(data), model.predict(data), rtol=1e-6)


SCHEDULED = st.optimizers.schedules


@pytest.mark.parametrize(
    ("optimizer", "loss"),
    [
        (st.optimizers.SGD(0.25, momentum=0.5), "categorical_crossentropy"),
        (
            st.optimizers.Adam(SCHEDULED.CosineDecay(1e-3, 100)),
            st.losses.SparseCategoricalCrossentropy(from_logits=True),
        ),
        (
            st.optimizers.AdamW(SCHEDULED.PiecewiseConstantDecay([5, 9], [0.1, 0.2, 0.3])),
            st.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.125),
        ),
        (st.optimizers.RMSprop(SCHEDULED.ExponentialDecay(0.5, 3, 0.25)), st.losses.Huber(2.0)),
    ],
)
@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_what_the_model_is_compiled_with_is_kept(ending, optimizer, loss, tmp_path):
    model = st.Sequential([L.Input((4,)), L.Dense(3, activation="softmax")])
    model.compile(optimizer, loss, ["accuracy"])
    again = st.load(model.save(tmp_path / f"one{ending}"))
    assert again.setup.optimizer == model.setup.optimizer
    assert again.setup.losses == model.setup.losses
    assert again.setup.metrics == [["accuracy"]]


@pytest.mark.parametrize(
    ("written", "optimizer"),
    [
        ("rmsprop", st.optimizers.RMSprop()),
        (
            {"class_name": "SGD", "config": {"lr": 0.5, "decay": 0.25, "momentum": 0.0}},
            st.optimizers.SGD(st.optimizers.schedules.InverseTimeDecay(0.5, 1, 0.25)),
        ),
        (
            {"class_name": "Custom>Adam", "config": {"learning_rate": 0.5, "jit_compile": False}},
            st.optimizers.Adam(0.5),
        ),
    ],
)
def test_optimizers_of_all_versions(written, optimizer):
    words = keras_training.compile_words(
        {"optimizer_config": written, "loss": {"class_name": "MeanSquaredError", "config": {}},
         "metrics": [[{"class_name": "MeanMetricWrapper", "config": {"name": "mae"}}]]}
    )  # fmt: skip
    assert words["optimizer"] == optimizer
    assert words["loss"] == st.losses.MeanSquaredError()
    assert words["metrics"] == ["mae"]


# ---- Keras 1, from its description of the format -------------------------------------------------


def keras1(layout, kernel, backend=""):
    """Return the arrays and attributes of a Keras 1 file of one convolution."""
    config = {
        "name": "convolution2d_1", "nb_filter": 2, "nb_row": 2, "nb_col": 3, "init": "uniform",
        "activation": "linear", "border_mode": "valid", "subsample": [1, 1], "bias": True,
        "dim_ordering": layout,
        "W_regularizer": {"name": "WeightRegularizer", "l1": 0.0, "l2": 0.5},
        "b_regularizer": None, "activity_regularizer": None, "W_constraint": None,
        "b_constraint": None, "trainable": True, "input_dtype": "float32",
        "batch_input_shape": [None, 1, 4, 5] if layout == "th" else [None, 4, 5, 1],
    }  # fmt: skip
    merge = {"class_name": "Flatten", "config": {"name": "flatten_1", "trainable": True}}
    names = ["convolution2d_1_W", "convolution2d_1_b"]
    about = described("Sequential", [{"class_name": "Convolution2D", "config": config}, merge],
                      keras_version="1.2.2")  # fmt: skip
    if backend:
        about[""]["backend"] = backend
    about["model_weights"] = {"layer_names": ["convolution2d_1", "flatten_1"]}
    about["model_weights/convolution2d_1"] = {"weight_names": names}
    about["model_weights/flatten_1"] = {"weight_names": []}
    bias = np.array([0.5, -1], "float32")
    arrays = dict(zip((f"model_weights/convolution2d_1/{name}" for name in names),
                      (kernel, bias), strict=True))  # fmt: skip
    return arrays, about


@pytest.mark.parametrize("backend", ["", "theano", "tensorflow"])
def test_keras_1_kernels_of_theano_are_turned(backend, tmp_path):
    kernel = np.arange(12, dtype="float32").reshape(2, 1, 2, 3)  # (filters, inputs, rows, columns)
    path = h5(tmp_path / "old.h5", *keras1("th", kernel, backend))
    model = st.load(path)
    assert keras_file.read_weights(path, model) == ([] if backend else [keras_weights.UNSAID])
    x = torch.randn(2, 1, 4, 5)
    seen = np.flip(kernel, (2, 3)).copy() if backend == "theano" else kernel
    y = torch.nn.functional.conv2d(x, torch.from_numpy(seen), torch.tensor([0.5, -1]))
    np.testing.assert_allclose(model.predict(x.numpy()), y.flatten(1).numpy(), atol=1e-4)
    assert model.input_shape == (None, 1, 4, 5)
    assert model.layers[0].kernel_regularizer == st.regularizers.L1L2(0.0, 0.5)


def test_keras_1_kernels_of_tensorflow_are_as_today(tmp_path):
    kernel = np.arange(12, dtype="float32").reshape(2, 3, 1, 2)
    model = st.load(h5(tmp_path / "old.h5", *keras1("tf", kernel, "tensorflow")))
    np.testing.assert_array_equal(model.get_weights()[0], kernel)


def test_keras_1_graph_with_merge(tmp_path):
    def layer(kind, name, nodes, **config):
        return {"class_name": kind, "name": name, "inbound_nodes": nodes,
                "config": {"name": name, **config}}  # fmt: skip

    dense = {"output_dim": 2, "activation": "hard_sigmoid", "init": "glorot_uniform"}
    layers = [
        layer("InputLayer", "input_1", [], batch_input_shape=[None, 3], input_dtype="float32"),
        layer("Dense", "dense_1", [[["input_1", 0, 0]]], **dense),
        layer("Dense", "dense_2", [[["input_1", 0, 0]]], **dense),
        layer("Merge", "merge_1", [[["dense_1", 0, 0], ["dense_2", 0, 0]]], mode="concat",
              concat_axis=-1, dot_axes=-1, mode_type="raw", output_shape=None),
    ]  # fmt: skip
    config = {"name": "model_1", "layers": layers, "input_layers": [["input_1", 0, 0]],
              "output_layers": [["merge_1", 0, 0]]}  # fmt: skip
    about = described("Model", config, keras_version="1.2.2")
    about["model_weights"] = {"layer_names": ["input_1", "dense_1", "dense_2", "merge_1"]}
    arrays = {}
    rng = np.random.default_rng(0)
    for name in ("dense_1", "dense_2"):
        about[f"model_weights/{name}"] = {"weight_names": [f"{name}_W", f"{name}_b"]}
        arrays[f"model_weights/{name}/{name}_W"] = rng.normal(size=(3, 2)).astype("float32")
        arrays[f"model_weights/{name}/{name}_b"] = rng.normal(size=2).astype("float32")
    for name in ("input_1", "merge_1"):
        about[f"model_weights/{name}"] = {"weight_names": []}
    model = st.load(h5(tmp_path / "merge.h5", arrays, about))
    x = rng.normal(size=(4, 3)).astype("float32")
    w1, b1, w2, b2 = arrays.values()
    expected = np.clip(0.2 * np.hstack([x @ w1 + b1, x @ w2 + b2]) + 0.5, 0, 1)  # not x / 6
    np.testing.assert_allclose(model.predict(x), expected, atol=1e-6)


def test_weights_of_keras_03(tmp_path):
    model = st.Sequential([L.Input((3,)), L.Dense(2), L.ReLU(), L.Dense(1)])
    path = tmp_path / "old_weights.h5"
    with h5py.File(path, "w") as file:
        file.attrs["nb_layers"] = 3
        for number, shapes in enumerate([[(3, 2), (2,)], [], [(2, 1), (1,)]]):
            group = file.create_group(f"layer_{number}")
            group.attrs["nb_params"] = len(shapes)
            for index, shape in enumerate(shapes):
                group[f"param_{index}"] = np.full(shape, number + 1, "float32")
    model.load_weights(path)
    assert [float(w.mean()) for w in model.get_weights()] == [1, 1, 3, 3]


def test_a_list_of_names_too_long_for_one_attribute(tmp_path):
    names = [f"a_layer_with_a_rather_long_name_of_its_own_{n}" for n in range(1500)]
    path = h5(tmp_path / "long.h5", {}, {"": {"layer_names": names}})
    from striate.store.hdf5 import Archive

    with h5py.File(path) as file:
        assert "layer_names1" in file.attrs
    assert Archive("long.h5", path.read_bytes()).texts("", "layer_names") == names


# ---- what is refused -----------------------------------------------------------------------------


def one_layer(kind, **config):
    first = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4], "name": "x"}}
    return described(
        "Sequential", [first, {"class_name": kind, "config": {"name": "it", **config}}]
    )


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        (
            one_layer("Lambda", function=["4wEAAA==", None, None], function_type="lambda"),
            "bad.h5: layer 'it' (Lambda) is code, and no code is taken from a file\n"
            "  need  a layer of striate.layers, or a class that you name\n"
            "  fix   build the network in code, or st.load(path, custom={'Lambda': YourLayer})",
        ),
        (
            one_layer("Glow", units=3),
            "bad.h5: layer 'it' is of the unknown class 'Glow'\n"
            "  need  a layer of striate.layers, or a class that you name\n"
            "  fix   build the network in code, or st.load(path, custom={'Glow': YourLayer})",
        ),
        (
            one_layer("Dense", units=3, temperature=2.0),
            "bad.h5: layer 'it' (Dense) has a field that has no meaning here\n"
            "  got   temperature=2.0\n"
            "  need  fields of L.Dense: activation, bias_constraint, bias_initializer, "
            "bias_regularizer, kernel_constraint, kernel_initializer, kernel_regularizer, "
            "trainable, units, use_bias",
        ),
        (
            one_layer("Dense", units=3, activation={"class_name": "Swirl", "config": {}}),
            "bad.h5: layer 'it' has an activation that is no name\n"
            "  got   activation={'class_name': 'Swirl', 'config': {}}\n"
            '  need  a name like "relu"\n'
            "  fix   save the network with the activation as a layer of its own",
        ),
        (
            described("Sequential", [{"class_name": "Dense", "config": {"units": 3}}]),
            "bad.h5: does not say what the input of the network is\n"
            "  need  batch_input_shape in the first layer\n"
            "  fix   build the model before it is saved: model.build((None, 28, 28, 1))",
        ),
        (
            one_layer("Dense", units=10**9),
            "bad.h5: has fewer numbers than its network has weights\n"
            "  got   0 numbers\n"
            "  need  5,000,000,000\n"
            "  fix   use an intact copy",
        ),
        (
            described("MyNet", {}),
            "bad.h5: holds a MyNet, which is written as code\n"
            "  need  a Sequential, or a Model of inputs and outputs\n"
            "  fix   build the network in code, then model.load_weights(path)",
        ),
        (
            described("Model", {"layers": [{"class_name": "Dense"}]}),
            "bad.h5: the description of the network has another form than Keras's\n"
            "  got   KeyError: 'config'\n"
            "  fix   use an intact copy",
        ),
        (
            described("Model", {"layers": [
                {"class_name": "Dense", "name": "a", "config": {"units": 2},
                 "inbound_nodes": [[["a", 0, 0]]]}],
                "input_layers": [["a", 0, 0]], "output_layers": [["a", 0, 0]]}),
            "bad.h5: calls a layer on values that no layer gives\n"
            "  got   a\n"
            "  fix   use an intact copy",
        ),
        (
            {"": {"keras_version": "2.2.4"}},
            "bad.h5: has weights, but no network\n"
            "  got   no attribute model_config\n"
            "  need  a file of Keras's model.save\n"
            "  fix   build the network in code, then model.load_weights(path)",
        ),
        (
            {"": {"model_config": "[]"}},
            "bad.h5: model_config is not a JSON object\n  fix   use an intact copy",
        ),
        (
            one_layer("Dense", units=3, use_bias=False) | {"layers/dense/vars": {}},
            "bad.h5: has fewer numbers than its network has weights\n"
            "  got   0 numbers\n"
            "  need  12\n"
            "  fix   use an intact copy",
        ),
    ],
)  # fmt: skip
def test_a_description_that_cannot_be(attributes, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    h5(tmp_path / "bad.h5", {}, attributes)
    assert told(lambda: st.load("bad.h5")) == message


def test_weights_that_do_not_fit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    st.Sequential([L.Input((3,)), L.Dense(2, name="a")]).save_weights("two.h5")
    other = st.Sequential([L.Input((3,)), L.Dense(4, name="a")])
    before = other.get_weights()
    assert told(lambda: other.load_weights("two.h5")) == (
        "two.h5: the weights of a do not fit the model\n"
        "  got   (3, 2) (2,)\n"
        "  need  (3, 4) (4,)\n"
        "  fix   build the network that the weights were saved from"
    )
    np.testing.assert_array_equal(other.get_weights()[0], before[0])
    deeper = st.Sequential([L.Input((3,)), L.Dense(2, name="b"), L.Dense(2, name="c")])
    assert told(lambda: deeper.load_weights("two.h5")) == (
        "two.h5: has weights for another number of layers than the model\n"
        "  got   1 layers: a\n"
        "  need  2 layers: b, c\n"
        "  fix   build the network that the weights were saved from"
    )
    unbuilt = st.Sequential([L.Dense(2)])
    assert told(lambda: unbuilt.save_weights("none.h5")).startswith(
        "Sequential: has no weights yet: its input shape is not known"
    )


@pytest.mark.parametrize(
    ("layer", "got"),
    [
        (lambda: L.L2Pooling2D(2), "Keras has no L2Pooling2D"),
        (lambda: L.Lambda(torch.abs), "Keras has no Lambda"),
        (lambda: L.Conv2D(2, 3, activation=torch.sin),
         f"activation holds code, which a file cannot: {torch.sin!r}"),
        (lambda: L.UpSampling3D(2, interpolation="bilinear"),
         "interpolation='bilinear': Keras's UpSampling3D knows only 'nearest'"),
    ],
    ids=["pooling", "lambda", "activation", "interpolation"],
)  # fmt: skip
def test_what_keras_does_not_have_is_not_written(layer, got, tmp_path):
    made = layer()
    made.name = "it"
    shape = (4, 4, 4, 1) if "3D" in type(made).__name__ else (8, 8, 1)
    model = st.Sequential([L.Input(shape), made])
    assert told(lambda: model.save(tmp_path / "no.keras")) == (
        f"it ({type(made).__name__}): cannot be written in Keras's format\n"
        f"  got   {got}\n"
        "  need  layers that Keras 3 has\n"
        '  fix   model.save("model.striate"), which holds every layer'
    )


def test_padding_in_cells_is_not_written(tmp_path):
    model = st.Sequential([L.Input((8, 8, 1)), L.Conv2D(2, 3, padding=2, name="it")])
    assert told(lambda: model.save(tmp_path / "no.h5")) == (
        "it (Conv2D): cannot be written in Keras's format\n"
        "  got   padding=2: Keras knows names alone\n"
        "  need  layers that Keras 3 has\n"
        '  fix   L.ZeroPadding2D in front, and padding="valid", or model.save("model.striate"), '
        "which holds every layer"
    )


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (lambda: L.Conv2D(2, 3, padding=1), "same"),
        (lambda: L.Conv2D(2, 5, 2, padding=0), "valid"),
        (lambda: L.DepthwiseConv2D(3, padding=(1, 1)), "same"),
        (lambda: L.MaxPooling2D(2, padding=0), "valid"),
    ],
)
def test_padding_in_cells_is_written_by_the_name_that_means_the_same(layer, name, tmp_path):
    model = st.Sequential([L.Input((8, 8, 1)), layer()])
    model.save(tmp_path / "named.keras")
    same = st.load(tmp_path / "named.keras")
    x = np.random.default_rng(0).random((2, 8, 8, 1), np.float32)
    np.testing.assert_allclose(same.predict(x), model.predict(x), atol=1e-6)
    assert same.layers[-1].padding == name


def archive(**parts):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in parts.items():
            file.writestr(name.replace("__", "."), data)
    return buffer.getvalue()


def test_damaged_archives(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "bad.keras"
    path.write_bytes(archive(config__json=b"{}"))
    assert told(lambda: st.load("bad.keras")) == (
        "bad.keras: is not a .keras file: metadata.json, model.weights.h5 is missing\n"
        "  got   config.json\n"
        "  need  config.json, metadata.json and model.weights.h5, each once\n"
        "  fix   use an intact copy"
    )
    parts = {"config__json": b"{}", "metadata__json": b"{}", "model__weights__h5": bytes(10**8)}
    path.write_bytes(archive(**parts))
    text = told(lambda: st.load("bad.keras"))
    assert text.startswith("bad.keras: grows too much when it is unpacked\n  got   100000004 bytes")
    assert text.endswith("need  at most 100 times its size")
    path.write_bytes(b"PK\x03\x04 and no more")
    assert told(lambda: st.load("bad.keras")) == (
        "bad.keras: is not a .keras file, or is damaged\n"
        "  got   File is not a zip file\n"
        "  fix   use an intact copy"
    )


@pytest.mark.parametrize("name", ["keras3_plain.keras", "keras2_branches.h5"])
def test_changed_bytes_never_raise_anything_else(name, tmp_path):
    """Whatever a file says, only Striate's own error leaves the reader."""
    data = (GOLDEN / name).read_bytes()
    rng = np.random.default_rng(0)
    path = tmp_path / name
    for _ in range(20):
        changed = bytearray(data)
        for at in rng.integers(0, len(data), 8):
            changed[at] = rng.integers(256)
        path.write_bytes(bytes(changed[: rng.integers(len(data) // 2, len(data) + 1)]))
        try:
            st.load(path)
        except st.errors.StriateError as error:
            assert str(error).startswith(str(path))  # noqa: PT017  most changes are errors


class Scale(Layer):
    """A user's own layer."""

    factor: float = 1.0

    def forward(self, x):
        return x * self.factor


def test_a_class_of_the_users_own(tmp_path):
    path = h5(tmp_path / "own.h5", {}, one_layer("Custom>Scale", factor=3.0) | {"model_weights": {
        "layer_names": []}})  # fmt: skip
    model = st.load(path, custom={"Scale": Scale})
    np.testing.assert_array_equal(model.predict(np.ones((1, 4), "float32")), np.full((1, 4), 3.0))


def test_an_operation_that_is_not_known(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = L.Input((4,), name="x")
    st.Model(x, x**2).save("power.keras")
    with zipfile.ZipFile("power.keras") as file:
        parts = {name: file.read(name) for name in file.namelist()}
    text = parts["config.json"].replace(b"Power", b"Einsum")
    with zipfile.ZipFile("power.keras", "w") as file:
        for name, data in (parts | {"config.json": text}).items():
            file.writestr(name, data)
    assert told(lambda: st.load("power.keras")) == (
        "power.keras: 'arithmetic' (Einsum) is an operation that is not known\n"
        "  need  +, -, *, / and ** of two values, or of a value and a number\n"
        "  fix   build the network in code, with L.Lambda for it"
    )


def test_a_model_of_code_is_not_written(tmp_path):
    class Net(st.Model):
        def __init__(self):
            super().__init__()
            self.dense = L.Dense(2)

        def forward(self, x):
            return self.dense(x)

    net = Net()
    net.build((None, 3))
    assert told(lambda: net.save(tmp_path / "net.keras")) == (
        "Net: is written as code, which a file cannot hold\n"
        "  need  a Sequential, or a Model of inputs and outputs\n"
        "  fix   model.save_weights(path), and load_weights into the same class"
    )
