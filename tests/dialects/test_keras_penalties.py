"""Penalties on what layers give are in the files of Keras scripts; numbers of Keras 3.15."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate as st
from striate.dialects import installed

X = np.linspace(-1, 1, 18).reshape(6, 3).astype("float32")
Y = np.ones((6, 1), "float32")
OF_KERAS = 55.20554733276367


def penalised(keras: Any) -> Any:
    layers = keras.layers
    x = keras.Input((3,))
    l2 = keras.regularizers.L2(0.1)
    hidden = layers.Dense(4, activity_regularizer=l2, kernel_initializer="ones")(x)
    hidden = layers.ActivityRegularization(l1=0.05, l2=0.02, name="held")(hidden)
    return keras.Model(x, layers.Dense(1, kernel_initializer="ones")(hidden))


@pytest.mark.parametrize("end", [".keras", ".h5"])
def test_a_file_holds_them(tmp_path: Path, end: str) -> None:
    path = tmp_path / f"model{end}"
    with installed("keras3"):
        import keras

        model = penalised(keras)
        model.compile("sgd", "mse")
        assert model.evaluate(X, Y, verbose=0) == pytest.approx(OF_KERAS, rel=1e-5)
        model.save(path)
    with installed("keras3"):
        import keras

        made = keras.models.load_model(path)
        assert made.evaluate(X, Y, verbose=0) == pytest.approx(OF_KERAS, rel=1e-5)
        copy = keras.models.clone_model(made)
        copy.set_weights(made.get_weights())
        copy.compile("sgd", "mse")
        losses = copy.fit(X, Y, batch_size=2, shuffle=False, verbose=0).history["loss"]
        assert losses == pytest.approx([38.65340805053711], rel=1e-5)


def test_a_file_says_them_as_keras_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.keras"
    with installed("keras3"):
        import keras

        penalised(keras).save(path)
    config = json.loads(zipfile.ZipFile(path).read("config.json"))["config"]
    dense, held = (entry["config"] for entry in config["layers"][1:3])
    assert dense["activity_regularizer"]["class_name"] in ("L2", "l2")
    assert dense["activity_regularizer"]["config"] == {"l2": 0.1}
    assert (held["l1"], held["l2"]) == (0.05, 0.02)
    model = st.load(path)
    said = capsys.readouterr().err
    for name in ("dense", "held"):
        line = f"the penalty of {name} on what it gives is in the file, and left out of training"
        assert line in said
    assert np.allclose(model.predict(X[:1]), 4 * X[0].sum())
    model.save(tmp_path / "again.keras")
    assert st.load(tmp_path / "again.keras").layers[0].activity_regularizer.l2 == 0.1


def test_a_network_with_them_is_kept_whole(tmp_path: Path) -> None:
    with installed("keras3"):
        import keras

        whole = penalised(keras).in_layers()
    whole.save(tmp_path / "model.striate")
    assert np.allclose(st.load(tmp_path / "model.striate").predict(X[:1]), 4 * X[0].sum())


def test_a_layer_of_a_script_may_say_its_own() -> None:
    with installed("keras3"):
        import keras

        class Twice(keras.layers.Layer):
            def __init__(self) -> None:
                super().__init__()
                self.activity_regularizer = keras.regularizers.L1(0.5)

            def call(self, x: Any) -> Any:
                return 2 * x

        x = keras.Input((3,))
        model = keras.Model(x, Twice()(x))
        model.compile("sgd", "mse")
        wanted = ((2 * X) ** 2).mean() + 0.5 * np.abs(2 * X).sum() / len(X)
        assert model.evaluate(X, 0 * X, batch_size=6, verbose=0) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("end", [".keras", ".h5"])
def test_a_file_holds_what_metrics_and_losses_were_made_with(tmp_path: Path, end: str) -> None:
    """Numbers of Keras 3.15."""
    x = np.random.default_rng(0).normal(size=(20, 5)).astype("float32")
    y = np.eye(4)[np.arange(20) % 4]
    wanted = [20 * 1.46815, 0.35, 0.181818, 0.2]
    with installed("keras3"):
        import keras

        model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4, activation="softmax")])
        model.set_weights([np.linspace(-1, 1, 20).reshape(5, 4), np.zeros(4)])
        several = [keras.metrics.TopKCategoricalAccuracy(k=2),
                   keras.metrics.Precision(thresholds=0.3), "accuracy"]  # fmt: skip
        loss = keras.losses.CategoricalCrossentropy(reduction="sum")
        model.compile("sgd", loss, metrics=several)
        assert model.evaluate(x, y, batch_size=20, verbose=0) == pytest.approx(wanted, rel=1e-4)
        model.save(tmp_path / f"model{end}")
    with installed("keras3"):
        import keras

        same = keras.models.load_model(tmp_path / f"model{end}")
        assert same.evaluate(x, y, batch_size=20, verbose=0) == pytest.approx(wanted, rel=1e-4)


def test_losses_that_keras_alone_has_are_read_from_its_files(tmp_path: Path) -> None:
    """The description is that of Keras 3.15, and so is the number."""
    x = np.random.default_rng(0).normal(size=(20, 5)).astype("float32")
    y = np.eye(4)[np.arange(20) % 4]
    path, changed = tmp_path / "model.keras", tmp_path / "changed.keras"
    loss = {"module": "keras.losses", "class_name": "CategoricalFocalCrossentropy",
            "registered_name": None, "config": {
                "name": "categorical_focal_crossentropy", "reduction": "sum_over_batch_size",
                "alpha": 0.25, "gamma": 1.0, "from_logits": False}}  # fmt: skip
    with installed("keras3"):
        import keras

        model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4, activation="softmax")])
        model.set_weights([np.linspace(-1, 1, 20).reshape(5, 4), np.zeros(4)])
        model.compile("sgd", "mse")
        model.save(path)
        with zipfile.ZipFile(path) as given, zipfile.ZipFile(changed, "w") as made:
            for name in given.namelist():
                held = given.read(name)
                if name == "config.json":
                    config = json.loads(held)
                    config["compile_config"]["loss"] = loss
                    held = json.dumps(config).encode()
                made.writestr(name, held)
        same = keras.models.load_model(changed)
        assert same.evaluate(x, y, verbose=0) == pytest.approx(0.2834151, rel=1e-5)
