"""The .striate file and the weights file: what is saved comes back, what is damaged does not."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import random
import zipfile

import numpy as np
import pytest
import torch
from cases import told
from torch import nn
from torch.nn import functional

import striate as st
from striate import layers as L
from striate.core.layer import Layer
from striate.errors import StoreError
from striate.model import make
from striate.store import model_file
from striate.store.files import MANIFEST, manifest


class Scale(Layer):
    """A user's own layer."""

    start: float = 1.0

    def build(self, x):
        self.gain = self.add_weight("gain", (x.channels,), lambda s, **_: torch.full(s, self.start))

    def forward(self, x):
        return x * self.gain


def small():
    return st.Sequential(
        [L.Input((6, 6, 1)), L.Conv2D(2, 3, activation="relu"), L.Flatten(), L.Dense(3)]
    )


def branches():
    x = L.Input((6, 6, 2), name="image")
    shared = L.Conv2D(2, 3, padding="same", name="shared")
    y = L.Add()([shared(x), shared(shared(x))])
    y = L.BatchNormalization(trainable=False)(y)
    z = L.Concatenate()([y, x])
    return st.Model(x, [L.GlobalAveragePooling2D()(z), L.Flatten()(y)], name="two")


def nested():
    inner = st.Sequential([L.Input((6, 6, 2)), L.Conv2D(3, 3), L.ReLU()], name="inner")
    x = L.Input((6, 6, 2))
    y = L.GlobalMaxPooling2D()(inner(x))
    return st.Model(x, L.Dense(2)(y))


def torch_leaf():
    leaf = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.PReLU(4))
    x = L.Input((6, 6, 2))
    y = L.TorchModule(leaf, data_format="channels_first")(x)
    return st.Model(x, L.TorchModule(nn.AvgPool2d(2, stride=2), data_format="channels_first")(y))


def objects():
    return st.Sequential(
        [
            L.Input((6, 6, 2)),
            L.Normalization(mean=np.array([1.0, 2.0]), variance=[1.0, 4.0]),
            L.Conv2D(
                2,
                (3, 2),
                kernel_initializer=st.initializers.HeNormal(seed=3),
                kernel_regularizer=st.regularizers.L2(0.01),
                kernel_constraint=st.constraints.MaxNorm(2.0),
            ),
        ]
    )


def twice():
    layer = L.Dense(4, activation="tanh")
    return st.Sequential([L.Input((4,)), layer, layer])


def shared_by_two_models():
    layer = L.Dense(4, name="both")
    x = L.Input((4,))
    one = st.Model(x, layer(x), name="one")
    z = L.Input((4,))
    two = st.Model(z, L.ReLU()(layer(z)), name="two")
    w = L.Input((4,))
    return st.Model(w, L.Add()([one(w), two(w)]))


MODELS = [small, branches, nested, torch_leaf, objects, twice, shared_by_two_models]


def outputs(model):
    torch.manual_seed(1)
    x = torch.rand(3, *model.inputs[0].spec.shape)
    out = model.predict(x.numpy())
    return out if isinstance(out, (list, tuple)) else [out]


@pytest.mark.parametrize("made", MODELS)
def test_a_loaded_model_predicts_the_same_and_saves_the_same_bytes(made, tmp_path):
    model = made()
    path = model.save(tmp_path / "a.striate")
    loaded = st.load(path)
    for mine, theirs in zip(outputs(model), outputs(loaded), strict=True):
        assert np.array_equal(mine, theirs)
    assert type(loaded) is type(model)
    assert repr(loaded.layers) == repr(model.layers)
    assert loaded.name == model.name
    assert path.read_bytes() == loaded.save(tmp_path / "b.striate").read_bytes()


def test_equal_models_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        torch.manual_seed(5)
        branches().save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_layer_shared_by_two_models_stays_one_layer(tmp_path):
    loaded = st.load(shared_by_two_models().save(tmp_path / "m"))
    assert loaded.get_layer("one").get_layer("both") is loaded.get_layer("two").get_layer("both")
    assert len(loaded.trainable_weights) == 2


def test_a_custom_layer_comes_back_by_name(tmp_path):
    model = st.Sequential([L.Input((3,)), Scale(2.5), L.Dense(2)])
    loaded = st.load(model.save(tmp_path / "m"), custom={"Scale": Scale})
    assert loaded.layers[0].start == 2.5
    assert np.array_equal(outputs(model)[0], outputs(loaded)[0])


def test_a_custom_torch_module_is_made_by_the_reader(tmp_path):
    class Twice(nn.Module):
        def forward(self, x):
            return 2 * x

    model = st.Sequential([L.Input((3,)), L.TorchModule(Twice())])
    path = model.save(tmp_path / "m")
    assert np.array_equal(outputs(model)[0], outputs(st.load(path, custom={"Twice": Twice}))[0])
    assert told(lambda: st.load(path)) == (
        f"{path}: holds a torch module of the unknown class 'Twice'\n"
        "  need  a class of torch.nn, or one that you name\n"
        "  fix   st.load(path, custom={'Twice': Twice})"
    )


def test_names_and_trainable_survive(tmp_path):
    model = st.Sequential(
        [L.Input((4,)), L.Dense(3, name="first"), L.Dense(3), L.Dense(2, trainable=False)],
        name="whole",
    )
    loaded = st.load(model.save(tmp_path / "m"))
    assert [layer.name for layer in loaded.layers] == ["first", "dense", "dense_1"]
    assert [layer.auto_named for layer in loaded.layers] == [False, True, True]
    assert [layer.trainable for layer in loaded.layers] == [True, True, False]
    assert len(loaded.trainable_weights) == 4
    assert loaded.name == "whole"
    model.trainable = False
    loaded = st.load(model.save(tmp_path / "m"))
    assert not loaded.trainable
    assert loaded.trainable_weights == []


def test_double_precision_survives(tmp_path):
    model = small().double()
    loaded = st.load(model.save(tmp_path / "m"))
    for mine, theirs in zip(model.weights, loaded.weights, strict=True):
        assert theirs.dtype == torch.float64
        assert torch.equal(mine, theirs)


def test_loading_leaves_the_random_numbers_alone(tmp_path):
    path = small().save(tmp_path / "m")
    torch.manual_seed(3)
    wanted = torch.rand(4)
    torch.manual_seed(3)
    st.load(path)
    assert torch.equal(torch.rand(4), wanted)


# ---- damage --------------------------------------------------------------------------------------


def test_every_flipped_bit_is_a_store_error(tmp_path):
    data = bytearray(small().save(tmp_path / "m").read_bytes())
    draw = random.Random(0)
    for place in draw.sample(range(8 * len(data)), 200):
        data[place // 8] ^= 1 << place % 8
        (tmp_path / "bad").write_bytes(data)
        with pytest.raises(StoreError):
            st.load(tmp_path / "bad")
        data[place // 8] ^= 1 << place % 8


def test_every_truncation_is_a_store_error(tmp_path):
    data = small().save(tmp_path / "m").read_bytes()
    draw = random.Random(0)
    for size in [0, 1, len(data) - 1, *draw.sample(range(len(data)), 47)]:
        (tmp_path / "bad").write_bytes(data[:size])
        with pytest.raises(StoreError):
            st.load(tmp_path / "bad")


def test_damaged_weights_are_a_store_error_and_change_nothing(tmp_path):
    model = small()
    before = model.get_weights()
    data = model.save_weights(tmp_path / "w").read_bytes()
    for size in range(0, len(data), 37):
        (tmp_path / "bad").write_bytes(data[:size])
        with pytest.raises(StoreError):
            model.load_weights(tmp_path / "bad")
    for mine, old in zip(model.get_weights(), before, strict=True):
        assert np.array_equal(mine, old)


def test_what_is_no_archive(tmp_path):
    path = tmp_path / "m"
    path.write_bytes(b"hello")
    assert told(lambda: st.load(path)) == (
        f"{path}: is not a model file, or is damaged\n"
        "  got   File is not a zip file\n"
        "  need  a .striate file, whole\n"
        "  fix   use an intact copy"
    )


def test_bytes_after_the_archive(tmp_path):
    path = small().save(tmp_path / "m")
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    assert told(lambda: st.load(path)) == (
        f"{path}: is not a model file, or is damaged\n"
        "  got   bytes that belong to no part of it\n"
        "  need  a .striate file, whole\n"
        "  fix   use an intact copy"
    )


def test_a_missing_file(tmp_path):
    path = tmp_path / "none.striate"
    assert told(lambda: st.load(path)) == (
        f"{path}: cannot be read\n  got   No such file or directory\n  fix   check the path"
    )


def archive(members, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, data in members:
            file.writestr(zipfile.ZipInfo(name), data, compression)
    return buffer.getvalue()


def members():
    parts = model_file.contents(small())
    return [*parts.items(), (MANIFEST, manifest(parts))]


def test_a_member_with_another_name(tmp_path):
    path = tmp_path / "m"
    path.write_bytes(archive([*members(), ("../evil", b"x")]))
    assert told(lambda: st.load(path)) == (
        f"{path}: is not a model file: it has other parts\n"
        "  got   '../evil', 'MANIFEST.sha256', 'model.json', 'weights.safetensors'\n"
        "  need  MANIFEST.sha256, model.json, weights.safetensors"
    )
    assert [item.name for item in tmp_path.iterdir()] == ["m"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice(tmp_path):
    path = tmp_path / "m"
    path.write_bytes(archive([*members(), ("model.json", b"{}")]))
    assert told(lambda: st.load(path)) == (
        f"{path}: is not a model file: it has other parts\n"
        "  got   'MANIFEST.sha256', 'model.json', 'model.json', 'weights.safetensors'\n"
        "  need  MANIFEST.sha256, model.json, weights.safetensors"
    )


def test_a_compressed_bomb(tmp_path):
    path = tmp_path / "m"
    parts = dict(members()) | {"weights.safetensors": bytes(10**7)}
    path.write_bytes(archive(parts.items(), zipfile.ZIP_DEFLATED))
    assert told(lambda: st.load(path)) == f"{path}: model.json is too large or compressed"


# ---- a whole file that says nonsense -------------------------------------------------------------


def assembled(text, model=None, custom=None):
    parts = model_file.contents(model or small())
    parts["model.json"] = text if isinstance(text, bytes) else json.dumps(text).encode()
    return model_file.assemble("m", parts, make, custom)


def document(model=None):
    return json.loads(model_file.contents(model or small())["model.json"])


@pytest.mark.parametrize(
    ("version", "fix"),
    [
        (2, "install a newer striate"),
        (0, "open it with the version that wrote it, and save it with each one that follows"),
        (True, "open it with the version that wrote it, and save it with each one that follows"),
        (None, "open it with the version that wrote it, and save it with each one that follows"),
    ],
)
def test_another_version(version, fix):
    assert told(lambda: assembled({**document(), "striate": version})) == (
        "m: is of another version of the format\n"
        f"  got   version {version}\n"
        "  need  version 1\n"
        f"  fix   {fix}"
    )


def test_an_unknown_layer():
    text = document()
    text["layers"]["conv2d"]["class"] = "Conv2DD"
    assert told(lambda: assembled(text)) == (
        "m: holds a layer of the unknown class 'Conv2DD'\n"
        "  need  a layer of this version, or one that you name\n"
        '  fix   did you mean "Conv2D"?'
    )
    text["layers"]["conv2d"]["class"] = "os.system"
    assert told(lambda: assembled(text)) == (
        "m: holds a layer of the unknown class 'os.system'\n"
        "  need  a layer of this version, or one that you name\n"
        "  fix   st.load(path, custom={'os.system': os.system})"
    )


def test_what_is_not_json():
    assert told(lambda: assembled(b"{")) == (
        "m: model.json is not JSON\n"
        "  got   Expecting property name enclosed in double quotes: line 1 column 2 (char 1)\n"
        "  fix   use an intact copy"
    )


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 100_000, b"\xff", b"1" * 10_000])
def test_deep_or_strange_json(text):
    with pytest.raises(StoreError):
        assembled(text)


@pytest.mark.parametrize("value", [None, 3, -1, "x", [], [[]], {}, {"a": 1}, 1e400, [None, 2]])
def test_every_field_of_another_type_is_a_store_error(value):
    """Each place of the description is replaced in turn: the model is refused, or unchanged."""
    model = objects()
    whole = document(model)

    def places(item):
        for key in list(item) if isinstance(item, dict) else range(len(item)):
            yield item, key
            if isinstance(item[key], (dict, list)):
                yield from places(item[key])

    for item, key in places(whole):
        old, item[key] = item[key], value
        try:
            made = assembled(whole, model)
        except StoreError:
            continue
        finally:
            item[key] = old
        assert made.count_params() == model.count_params()


def test_a_layer_that_cannot_be_made():
    text = document()
    text["layers"]["conv2d"]["config"]["filters"] = 0
    assert told(lambda: assembled(text)).startswith(
        "m: the network cannot be made from its description\n  got   Conv2D: filters=0"
    )
    del text["layers"]
    assert told(lambda: assembled(text)) == (
        "m: the network cannot be made from its description\n"
        "  got   KeyError: 'layers'\n"
        "  fix   use an intact copy"
    )


# ---- what a file cannot hold ---------------------------------------------------------------------

CODE = "model.save_weights(path), and build the network in code again"


def test_more_weights_than_the_file_holds_take_no_memory():
    units = 10**11  # would be 12.8 TB of float32 for 32 inputs
    text = document()
    layer = next(item for item in text["layers"].values() if "units" in item["config"])
    layer["config"]["units"] = units
    assert told(lambda: assembled(text)) == (
        "m: 2 weights do not fit the model\n"
        "  got   dense.kernel: (32, 3) in the file, (32, 100000000000) in the model\n"
        "        dense.bias: (3,) in the file, (100000000000,) in the model\n"
        "  need  the same names and shapes\n"
        "  fix   load it into the network that it was saved from"
    )


def test_a_callable_is_refused(tmp_path):
    model = st.Sequential([L.Input((4,)), L.Lambda(torch.square, name="square")])
    assert told(lambda: model.save(tmp_path / "m")) == (
        "square (Lambda): function holds code, which a file cannot\n"
        f"  got   function={torch.square!r}\n"
        "  need  names and numbers\n"
        f"  fix   {CODE}"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_model_with_a_lambda_can_keep_its_weights(tmp_path):
    def made():
        return st.Sequential([L.Input((4,)), L.Dense(3), L.Lambda(torch.square)])

    model, other = made(), made()
    other.load_weights(model.save_weights(tmp_path / "w"))
    assert np.array_equal(outputs(model)[0], outputs(other)[0])


class Written(st.Model):
    """A model that is code."""

    def __init__(self):
        super().__init__()
        self.dense = L.Dense(2)

    def forward(self, x):
        return self.dense(x)


def test_a_model_that_is_code_is_saved_as_its_layers(tmp_path):
    model, other = Written(), Written()
    assert told(lambda: model.save(tmp_path / "m")) == (
        "Written: is code whose input shape is not known yet, so that a file cannot hold it\n"
        "  fix   call model.build((None, 28, 28, 1)), or model.save_weights(path)"
    )
    assert told(lambda: model.save_weights(tmp_path / "w")) == (
        "Written: has no weights yet: its input shape is not known\n"
        "  fix   begin the model with L.Input(shape), or call model.build(shape)"
    )
    model.build((None, 4))
    other.build((None, 4))
    found = st.load(model.save(tmp_path / "m.striate"))
    assert type(found) is st.Model and [layer.name for layer in found.layers][-1] == "dense"
    x = np.random.default_rng(0).random((3, 4), dtype="float32")
    assert np.allclose(found.predict(x), model.predict(x), rtol=1e-5, atol=1e-6)
    other.load_weights(model.save_weights(tmp_path / "w"))
    assert np.array_equal(outputs(model)[0], outputs(other)[0])


def test_code_that_cannot_be_followed_is_refused(tmp_path):
    class Asks(Written):
        def forward(self, x):
            return self.dense(x) if x.sum() > 0 else -self.dense(x)

    model = Asks()
    model.build((None, 4))
    assert told(lambda: model.save(tmp_path / "m")).startswith(
        "Asks: holds code that cannot be followed, and a file holds no code\n  got   Asks\n"
    )


def test_a_sequential_with_its_own_forward_is_refused(tmp_path):
    class Odd(st.Sequential):
        def __init__(self, layers):
            super().__init__(layers)

        def forward(self, x):
            return 2 * super().forward(x)

    assert told(lambda: Odd([L.Input((4,)), L.Dense(2)]).save(tmp_path / "m")) == (
        "Odd: is written as code, which a file cannot hold\n"
        "  need  a Sequential, or a Model of inputs and outputs\n"
        "  fix   model.save_weights(path), and load_weights into the same class"
    )


def test_weights_that_do_not_fit(tmp_path):
    path = small().save_weights(tmp_path / "w")
    other = st.Sequential(
        [L.Input((6, 6, 1)), L.Conv2D(3, 3), L.Flatten(), L.Dense(3, use_bias=False)]
    )
    assert told(lambda: other.load_weights(path)) == (
        f"{path}: 4 weights do not fit the model\n"
        "  got   conv2d.kernel: (3, 3, 1, 2) in the file, (3, 3, 1, 3) in the model\n"
        "        conv2d.bias: (2,) in the file, (3,) in the model\n"
        "        dense.kernel: (32, 3) in the file, (48, 3) in the model\n"
        "        dense.bias: (3,) in the file, none in the model\n"
        "  need  the same names and shapes\n"
        "  fix   load it into the network that it was saved from"
    )


def test_weights_from_a_model_file(tmp_path):
    path = small().save(tmp_path / "m")
    size, header = path.stat().st_size, int.from_bytes(path.read_bytes()[:8], "little")
    assert told(lambda: small().load_weights(path)) == (
        f"{path}: the weights are not a safetensors file\n"
        f"  got   {size} bytes, a header of {header}\n"
        "  need  a header of at most 16777216 bytes, and no other than the file has\n"
        "  fix   st.load(path) reads a whole model"
    )


def test_a_damaged_header_of_the_weights(tmp_path):
    path = small().save_weights(tmp_path / "w")
    path.write_bytes(path.read_bytes().replace(b'"F32"', b'"F99"', 1))
    message = told(lambda: small().load_weights(path))
    assert message.startswith(f"{path}: the weights cannot be read\n  got   ")
    assert message.endswith("\n  fix   use an intact copy")
    path.write_bytes(b"")
    assert told(lambda: small().load_weights(path)) == (
        f"{path}: the weights are not a safetensors file\n"
        "  got   0 bytes, a header of -1\n"
        "  need  a header of at most 16777216 bytes, and no other than the file has\n"
        "  fix   use an intact copy"
    )


def test_a_flipped_bit_of_the_weights_header_never_gives_other_weights(tmp_path):
    model = small()
    before = model.get_weights()
    data = bytearray(model.save_weights(tmp_path / "w").read_bytes())
    length = 8 + int.from_bytes(data[:8], "little")
    draw = random.Random(0)
    for place in draw.sample(range(8 * length), 200):
        data[place // 8] ^= 1 << place % 8
        (tmp_path / "bad").write_bytes(data)
        with contextlib.suppress(StoreError):
            model.load_weights(tmp_path / "bad")
        data[place // 8] ^= 1 << place % 8
    for mine, old in zip(model.get_weights(), before, strict=True):
        assert np.array_equal(mine, old)


def test_weights_of_another_kind_of_number(tmp_path):
    path = small().save_weights(tmp_path / "w")
    path.write_bytes(path.read_bytes().replace(b'"F32"', b'"I32"', 1))
    assert told(lambda: small().load_weights(path)) == (
        f"{path}: 1 weight does not fit the model\n"
        "  got   conv2d.bias: (2,) int32 in the file, (2,) in the model\n"
        "  need  the same names and shapes\n"
        "  fix   load it into the network that it was saved from"
    )


def test_a_custom_initializer_comes_back_by_name(tmp_path):
    @dataclasses.dataclass(frozen=True)
    class Halves(st.initializers.Initializer):
        scale: float = 0.5

        def draw(self, shape, generator, dtype):
            return torch.full(shape, self.scale, dtype=dtype)

    model = st.Sequential([L.Input((4,)), L.Dense(2, kernel_initializer=Halves(0.25))])
    path = model.save(tmp_path / "m")
    loaded = st.load(path, custom={"Halves": Halves})
    assert loaded.layers[0].kernel_initializer == Halves(0.25)
    message = told(lambda: st.load(path))
    assert message.startswith(
        f"{path}: the network cannot be made from its description\n"
        "  got   initializers: unknown initializer 'Halves'\n"
    )


def test_frozen_and_unfrozen_parts_of_a_nested_model(tmp_path):
    model = nested()
    model.get_layer("inner").trainable = False
    loaded = st.load(model.save(tmp_path / "m"))
    assert not loaded.get_layer("inner").trainable
    assert len(loaded.trainable_weights) == 2
    assert loaded.trainable


def test_a_frozen_weight_of_a_torch_module_stays_frozen(tmp_path):
    leaf = nn.Linear(4, 2)
    leaf.weight.requires_grad_(False)
    model = st.Sequential([L.Input((4,)), L.TorchModule(leaf), L.Dense(2)])
    loaded = st.load(model.save(tmp_path / "m"))
    assert [weight.requires_grad for weight in loaded.weights] == [False, True, True, True]


class Residual(nn.Module):
    """A network of torch that calls functions, and modules twice."""

    def __init__(self):
        super().__init__()
        self.first, self.second = (nn.Conv2d(n, 4, 3, padding=1, bias=False) for n in (1, 4))
        self.norm, self.relu = nn.BatchNorm2d(4), nn.ReLU()
        self.dense = nn.Linear(16, 3)

    def forward(self, x):
        x = self.relu(self.norm(self.first((x - 0.5) * 2)))
        y = functional.max_pool2d(self.relu(self.second(x)) + x, 2)
        y = functional.dropout(y, 0.2, training=self.training)
        y = torch.cat([y, torch.sigmoid(y), torch.mul(y, torch.sigmoid(y)), y.contiguous()], 1)
        return torch.softmax(self.dense(y.mean((2, 3)).view(x.size(0), -1)), dim=-1)


def test_a_model_from_torch_is_kept_as_its_layers(tmp_path):
    model = st.Model.from_torch(Residual(), (1, 6, 6), name="net")
    model.compile("sgd", "crossentropy")
    x = np.random.default_rng(0).random((16, 1, 6, 6), dtype=np.float32)
    model.fit(x, np.arange(16) % 3, epochs=2, verbose=0)
    loaded = st.load(model.save(tmp_path / "net.striate"))
    assert np.allclose(loaded.predict(x), model.predict(x), atol=1e-6)
    assert loaded.name == "net" and loaded.training == model.training
    assert (
        loaded.save(tmp_path / "again.striate").read_bytes()
        == (tmp_path / "net.striate").read_bytes()
    )
    other = st.Model.from_torch(Residual(), (1, 6, 6), name="net")
    other.load_weights(model.save_weights(tmp_path / "w"))
    assert np.array_equal(outputs(model)[0], outputs(other)[0])


class Own(nn.Module):
    def forward(self, x):
        return x * 2


class Choosing(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


class Multiplying(nn.Module):
    def forward(self, x):
        return torch.cumprod(x, -1)


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return torch.relu(x)


NEED = (
    "  need  modules of torch.nn and functions that have layers: relu, flatten, view, add, cat...\n"
)


@pytest.mark.parametrize(
    ("module", "what", "got"),
    [
        (Choosing(), "code that cannot be followed", "Choosing"),
        (Multiplying(), "a call of cumprod that no layer stands for", "cumprod"),
        (
            Counting(),
            "code that changes something, or draws random numbers, at each call",
            "Counting",
        ),
    ],
)
def test_what_of_torch_a_file_cannot_hold(tmp_path, module, what, got):
    model = st.Model.from_torch(module, (4,), name="net")
    assert told(lambda: model.save(tmp_path / "m")) == (
        f"net (TorchModel): holds {what}, and a file holds no code\n  got   {got}\n{NEED}"
        "  fix   modules in the place of it, or model.save_weights(path) and load_weights into "
        "the same class"
    )


def test_a_module_of_ones_own_is_followed_into(tmp_path):
    model = st.Model.from_torch(nn.Sequential(Own(), nn.Linear(4, 2)), (4,))
    loaded = st.load(model.save(tmp_path / "m"))
    x = np.ones((2, 4), np.float32)
    assert np.allclose(loaded.predict(x), model.predict(x))
