"""In what numbers torch multiplies: decided by the device and by `compile(precision=)`."""

import numpy as np
import pytest
import torch

import striate as st
from striate import layers as L
from striate.engine import precision
from striate.engine.precision import bfloat16_on, compiled, products as products_on
from striate.errors import StriateError
from striate.lower.runtime import library


@pytest.mark.parametrize(
    ("device", "precision", "expected"),
    [
        ("cpu", "float32", False),
        ("cpu", "bfloat16", True),
        ("cpu", "auto", False),
        ("mps", "auto", True),
        ("mps", "float32", False),
    ],
)
def test_what_a_device_multiplies(device, precision, expected):
    assert bfloat16_on(torch.device(device), precision) is expected


def test_a_gpu_without_bfloat16_keeps_float32(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    assert not bfloat16_on(torch.device("cuda"), "auto")


def test_products_have_fewer_bits_and_weights_do_not():
    torch.manual_seed(0)
    layer, x = torch.nn.Linear(64, 8), torch.randn(4, 64)
    with products_on(torch.device("cpu"), "bfloat16"):
        assert layer(x).dtype == torch.bfloat16
    with products_on(torch.device("cpu"), "float32"):
        assert layer(x).dtype == torch.float32
    assert layer.weight.dtype == torch.float32


def test_nothing_is_compiled_for_a_processor():
    def forward(x):
        return x

    assert compiled(forward, torch.device("cpu")) is forward


def test_a_graphics_card_gets_a_compiled_forward(monkeypatch):
    given = []
    monkeypatch.setattr(torch, "compile", lambda forward: given.append(forward) or len)
    assert compiled(sum, torch.device("cuda")) is len
    assert compiled(sum, torch.device("mps")) is sum
    assert given[0]((1, 2)) == 3


def test_what_is_compiled_for_one_model_is_not_in_the_way_of_the_next(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda forward: forward)
    first, second = compiled(sum, torch.device("cuda")), compiled(len, torch.device("cuda"))
    assert first.__code__ is not second.__code__
    assert first.__code__.co_name != second.__code__.co_name
    assert (first([3]), second([3])) == (3, 1)


def test_a_model_is_compiled_once(monkeypatch):
    made = []
    monkeypatch.setattr(precision, "COMPILED_ON", ("cpu",))
    monkeypatch.setattr(torch, "compile", lambda forward: made.append(forward) or forward)
    model = st.Sequential([L.Input((8,)), L.Dense(3)])
    model.compile("adam", "crossentropy", engine="torch")
    x, y = np.zeros((8, 8), np.float32), np.arange(8) % 3
    for _ in range(2):
        model.fit(x, y, verbose=0)
        model.evaluate(x, y, verbose=0)
    assert len(made) == 1


@pytest.mark.skipif(library() is None, reason="the native engine was not built")
@pytest.mark.parametrize("engine", ["auto", "native", "torch"])
@pytest.mark.parametrize("products", ["float32", "bfloat16", "auto"])
def test_engines_and_precisions_go_together(engine, products):
    model = st.Sequential([L.Input((8, 8, 1)), L.Conv2D(4, 3), L.Flatten(), L.Dense(3)])
    model.compile("adam", "crossentropy", engine=engine, precision=products)
    x, y = np.zeros((8, 8, 8, 1), np.float32), np.arange(8) % 3
    assert np.isfinite(model.fit(x, y, verbose=0).history["loss"]).all()
    assert model.predict(x).shape == (8, 3)


def test_training_by_torch_in_bfloat16_follows_float32_loosely():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 8, 8, 1)).astype("float32"), rng.integers(0, 3, 64)
    losses = []
    for numbers in ("float32", "bfloat16"):
        st.seed(0)
        model = st.Sequential(
            [L.Input((8, 8, 1)), L.Conv2D(8, 3, activation="relu"), L.Flatten(), L.Dense(3)]
        )
        model.compile("adam", "crossentropy", engine="torch", precision=numbers)
        losses.append(model.fit(x, y, epochs=3, verbose=0).history["loss"])
        assert all(weight.dtype == torch.float32 for weight in model.weights)
    assert losses[0] != losses[1]
    np.testing.assert_allclose(losses[0], losses[1], rtol=0.02)


@pytest.mark.parametrize("verb", ["fit", "evaluate", "predict"])
def test_weights_of_other_numbers_are_refused(verb: str) -> None:
    model = st.Sequential([L.Input((3,)), L.Dense(2, name="last")]).double()
    model.compile("sgd", "mse")
    x, y = np.zeros((4, 3)), np.zeros((4, 2))
    with pytest.raises(StriateError) as caught:
        getattr(model, verb)(*((x,) if verb == "predict" else (x, y)))
    assert str(caught.value).split("\n  at")[0] == (
        "weights: fit, evaluate and predict compute with those of float32\n"
        "  got   last.kernel of float64\n"
        "  need  float32; in other numbers a model is called: model(x)\n"
        "  fix   model.float()"
    )
    assert model.float().predict(x).shape == (4, 2)
