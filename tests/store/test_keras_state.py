"""The optimizer's state in Keras's files: a model trains on as if it had never been a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import striate as st
from striate import layers as L
from striate.store import keras_file

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3)).astype("float32")
Y = RNG.normal(size=(12, 2)).astype("float32")
OPTIMIZERS = [
    st.optimizers.SGD(0.1, momentum=0.9),
    st.optimizers.Adam(0.05, amsgrad=True),
    st.optimizers.Nadam(0.05),
    st.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    st.optimizers.Adadelta(1.0),
    st.optimizers.Adam(0.05, use_ema=True, gradient_accumulation_steps=2),
    st.optimizers.SGD(st.optimizers.schedules.CosineDecayRestarts(0.1, 4), momentum=0.5),
]


def network(optimizer: Any) -> Any:
    st.seed(0)
    x = L.Input((3,))
    inner = st.Sequential([L.Input((4,)), L.Dense(3), L.BatchNormalization()])
    model = st.Model(x, L.Dense(2)(inner(L.Dense(4, activation="tanh")(x))))
    model.compile(optimizer, "mse")
    return model


def trained(model: Any) -> Any:
    model.fit(X, Y, epochs=2, batch_size=4, shuffle=False, verbose=0)
    return model


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_model_of_a_file_trains_on_as_the_model_itself(
    optimizer: Any, name: str, tmp_path: Path
) -> None:
    model = trained(network(optimizer))
    again = st.load(model.save(tmp_path / name))
    for mine, theirs in zip(
        trained(again).get_weights(), trained(model).get_weights(), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


def test_weights_of_keras_3_bring_the_state_to_an_optimizer_that_has_made_steps(
    tmp_path: Path,
) -> None:
    model = trained(network(OPTIMIZERS[0]))
    path = model.save_weights(tmp_path / "some.weights.h5")
    begun, fresh = trained(trained(network(OPTIMIZERS[0]))), network(OPTIMIZERS[0])
    begun.load_weights(path)
    fresh.load_weights(path)
    expected = trained(model).get_weights()
    np.testing.assert_array_equal(trained(begun).get_weights()[0], expected[0])
    assert not np.allclose(trained(fresh).get_weights()[0], expected[0])  # as Keras does


def test_the_file_has_what_keras_3_expects(tmp_path: Path) -> None:
    model = trained(network(st.optimizers.Adam(0.25)))
    keras_file.write_weights(model, tmp_path / "some.weights.h5")
    with h5py.File(tmp_path / "some.weights.h5") as file:
        held = file["optimizer/vars"]
        shapes = [held[str(at)].shape for at in range(len(held))]
        assert (int(held["0"][()]), float(held["1"][()])) == (6, 0.25)
    kernels = [(3, 4), (4,), (4, 3), (3,), (3,), (3,), (3, 2), (2,)]
    assert shapes == [(), (), *(one for one in kernels for _ in range(2))]


def test_up_to_tensorflow_2_10_each_slot_lies_together(tmp_path: Path) -> None:
    model = st.Sequential([L.Input((3,)), L.Dense(4, activation="tanh"), L.Dense(2)])
    model.compile(st.optimizers.Adam(0.25), "mse")
    path = trained(model).save(tmp_path / "old.h5")
    with h5py.File(path, "r+") as file:
        del file["optimizer_weights"]
        file.attrs["keras_version"] = "2.2.4"
        state = model.setup.state
        kept = {"Adam/iterations:0": np.array(6)}
        kept |= {f"Adam/m_{at}:0": one.numpy() for at, one in enumerate(state["momentum"])}
        kept |= {f"Adam/v_{at}:0": one.numpy() for at, one in enumerate(state["velocity"])}
        kept["Adam/vhat:0"] = np.zeros(1)
        group = file.create_group("optimizer_weights")
        group.attrs["weight_names"] = np.array([name.encode() for name in kept])
        for name, value in kept.items():
            group[name] = value
    again = st.load(path)
    np.testing.assert_array_equal(trained(again).get_weights()[0], trained(model).get_weights()[0])


def test_a_state_of_another_network_is_left_out_and_this_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = trained(network(OPTIMIZERS[0])).save(tmp_path / "model.h5")
    with h5py.File(path, "r+") as file:
        names = file["optimizer_weights"].attrs["weight_names"]
        file["optimizer_weights"].attrs["weight_names"] = names[:-1]
    model = st.load(path)
    assert "the state of the optimizer is not read: training begins anew" in capsys.readouterr().err
    assert model.setup.state is None
