"""Losses of overlaps and metrics made of counts give what real Keras 3 gives, with weights too."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.dialects import DialectError, installed
from striate.dialects.keras.losses_overlap import CLASSES
from striate.dialects.keras.metrics_counted import KINDS

GOLDEN = Path(__file__).parents[1] / "golden"
EXPECTED = json.loads((GOLDEN / "keras_counted.json").read_text())["results"]


@pytest.fixture(scope="module")
def found() -> Any:
    with installed("keras3"):
        import keras

        spec = importlib.util.spec_from_file_location("counted", GOLDEN / "make_keras_counted.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.results(keras)


@pytest.mark.parametrize("name", EXPECTED)
def test_as_in_keras_3(name: str, found: Any) -> None:
    assert found[name] == pytest.approx(EXPECTED[name], rel=1e-5, abs=2e-6)


def test_every_kind_is_compared() -> None:
    newer = json.loads((GOLDEN / "keras_newer.json").read_text())["results"]
    compared = {name.partition(" ")[0] for name in (*EXPECTED, *newer)}
    assert {*CLASSES, *KINDS} <= compared


def test_areas_of_labels_apart_are_the_mean_of_each() -> None:
    rng = np.random.default_rng(0)
    true = (rng.random((40, 3)) > 0.5).astype("float32")
    said = (0.6 * rng.random((40, 3)) + 0.3 * true).astype("float32")
    weight, shares = rng.random(40).astype("float32"), [1.0, 2.0, 0.5]
    with installed("keras3"):
        from keras.metrics import AUC

        apart = []
        for index in range(3):
            one = AUC()
            one.update_state(true[:, index], said[:, index], sample_weight=weight)
            apart.append(float(one.result()))
        for words, wanted in (
            ({}, np.mean(apart)),
            ({"label_weights": shares}, np.average(apart, weights=shares)),
        ):
            whole = AUC(multi_label=True, **words)
            whole.update_state(true[:15], said[:15], sample_weight=weight[:15])
            whole.update_state(true[15:], said[15:], sample_weight=weight[15:])
            assert float(whole.result()) == pytest.approx(wanted, rel=1e-5)
        with pytest.raises(DialectError) as told:
            AUC(label_weights=shares)
        assert str(told.value).splitlines()[:4] == [
            "AUC: label_weights are for an area of each label",
            "  got   label_weights=[1.0, 2.0, 0.5]",
            "  need  multi_label=True",
            "  fix   AUC(multi_label=True, label_weights=...)",
        ]


def test_metrics_without_a_name_are_counted() -> None:
    with installed("keras3"):
        from keras import Input, Sequential, metrics

        made = [metrics.Precision(), metrics.AUC(), metrics.Precision(), metrics.F1Score()]
        made += [metrics.F1Score(), metrics.CategoricalAccuracy(), metrics.CategoricalAccuracy()]
        assert [one.name for one in made] == [
            "precision", "auc", "precision_1", "f1_score", "f1_score", "categorical_accuracy",
            "categorical_accuracy",
        ]  # fmt: skip
        model = Sequential([Input((2,))])
        model.compile("sgd", "mse", metrics=["mae", metrics.MeanSquaredError(name="mae")])
        assert [*model.evaluate(np.ones((2, 2)), np.zeros((2, 2)), return_dict=True)] == [
            "loss", "mae", "mae_1",
        ]  # fmt: skip
