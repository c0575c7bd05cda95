"""A layer may be the activation of another: it is computed, trained and kept with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import striate as st
from striate import layers as L

X = np.random.default_rng(0).normal(size=(20, 6, 6, 2)).astype("float32")
Y = np.arange(20) % 2


def model(conv, dense):
    st.seed(0)
    return st.Sequential(
        [
            L.Input((6, 6, 2)),
            L.Conv2D(4, 3, activation=conv),
            L.Flatten(),
            L.Dense(3, activation=dense),
            L.Dense(2, activation="softmax"),
        ]
    )


@pytest.mark.parametrize(
    "make", [lambda: L.LeakyReLU(0.1), lambda: L.ReLU(1.5), lambda: L.ELU(0.5)]
)
def test_it_gives_what_it_gives_behind_the_layer(make):
    z = torch.randn(5, 7)
    layer = L.Dense(7, activation=make(), use_bias=False, kernel_initializer="identity")
    torch.testing.assert_close(layer(z), make()(z))
    assert layer.config()["activation"] is layer.activation


def test_the_engine_computes_it_as_torch_does():
    found = []
    for engine in ("native", "torch"):
        net = model(L.LeakyReLU(0.1), L.ELU(0.5))
        net.compile("sgd", "crossentropy", engine=engine)
        net.fit(X, Y, epochs=2, shuffle=False, verbose=0)
        found.append(net.predict(X))
    np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-6)


def test_its_weights_are_trained_and_kept(tmp_path):
    net = model("relu", L.PReLU())
    assert [tuple(weight.shape) for weight in net.layers[2].weights] == [(64, 3), (3,), (3,)]
    net.compile("adam", "crossentropy")
    net.fit(X, Y, epochs=2, verbose=0)
    assert net.layers[2].activation.alpha.abs().min() > 0
    same = st.load(net.save(tmp_path / "net.striate"))
    np.testing.assert_array_equal(same.predict(X), net.predict(X))


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_a_file_of_keras_holds_it(suffix, tmp_path):
    net = model(L.LeakyReLU(0.1), L.ReLU(1.5))
    same = st.load(net.save(tmp_path / f"net.{suffix}"))
    np.testing.assert_allclose(same.predict(X), net.predict(X), rtol=1e-5)
    assert same.layers[0].activation.negative_slope == 0.1
