"""Analytics Zoo's Keras-style API: BigDL's, with classes from 0 on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from striate.dialects import installed
from striate.dialects.table import DialectError


@pytest.fixture
def network() -> Iterator[Any]:
    with installed("bigdl"):
        from zoo.pipeline.api.keras.layers import Convolution2D, Dense, Flatten
        from zoo.pipeline.api.keras.models import Sequential

        made = Sequential()
        made.add(Convolution2D(4, 3, 3, activation="relu", input_shape=(1, 8, 8)))
        made.add(Flatten())
        made.add(Dense(3, activation="softmax", name="out"))
        yield made


def halves() -> tuple[Any, Any]:
    """Return images whose class from 0 on is where they are bright: nowhere, left, right."""
    draw = np.random.default_rng(0)
    x, y = draw.random((90, 1, 8, 8)), draw.integers(0, 3, (90, 1))
    x[y[:, 0] == 1, :, :, :4] += 2
    x[y[:, 0] == 2, :, :, 4:] += 2
    return x, y


def test_labels_and_predicted_classes_count_from_0(network: Any) -> None:
    from zoo.pipeline.api.keras.optimizers import Adam

    x, y = halves()
    network.compile(Adam(lr=0.01), "sparse_categorical_crossentropy", ["accuracy"])
    network.fit(x, y, batch_size=15, nb_epoch=20, validation_split=0.2)
    (found,) = network.evaluate(x, y, 30)
    assert found.result > 0.95
    classes = network.predict_classes(x).collect()
    assert set(classes) == {0, 1, 2} and np.mean(classes == y[:, 0]) > 0.95
    ones = network.predict_classes(x, zero_based_label=False).collect()
    assert ones == [one + 1 for one in classes]
    assert network.predict(x, distributed=False).shape == (90, 3)
    assert len(network.predict(x).collect()) == 90


def test_objectives_and_metrics_have_their_names(network: Any, capsys: Any) -> None:
    from zoo import init_nncontext
    from zoo.pipeline.api.keras.metrics import SparseCategoricalAccuracy
    from zoo.pipeline.api.keras.objectives import SparseCategoricalCrossEntropy

    assert init_nncontext("app").version
    x, y = halves()
    network.compile("adam", SparseCategoricalCrossEntropy(), [SparseCategoricalAccuracy()])
    network.fit(x, y, batch_size=30, nb_epoch=1, validation_data=(x, y))
    network.set_tensorboard("logs", "app")
    assert network.set_evaluate_status() is network and network.to_model() is network
    network.summary()
    out = capsys.readouterr()
    assert "creating: createClassNLLCriterion" in out.out and "Top1Accuracy" in out.err + out.out
    assert network.get_layer("out").get_output_shape() == (None, 3)


def test_a_graph_knows_its_shapes() -> None:
    with installed("bigdl"):
        from zoo.pipeline.api.keras.layers import Dense, Input
        from zoo.pipeline.api.keras.models import Model

        x = Input(shape=(4,))
        assert Model(x, Dense(2)(x)).get_output_shape() == (None, 2)


def test_adam_follows_its_schedule(network: Any, capsys: Any) -> None:
    from bigdl.optim.optimizer import MultiStep, Poly
    from zoo.pipeline.api.keras.optimizers import Adam

    capsys.readouterr()
    Adam()
    assert capsys.readouterr().out.split() == [
        "creating:", "createZooKerasAdam", "creating:", "createDefault"]  # fmt: skip
    x, y = halves()
    network.compile(Adam(schedule=MultiStep([0], 0.0)), "sparse_categorical_crossentropy")
    before = [np.array(one) for one in network.get_weights()]
    network.fit(x, y, batch_size=30, nb_epoch=1)  # at a rate of 0
    assert all(np.array_equal(*pair) for pair in zip(before, network.get_weights(), strict=True))

    def rates(**words: Any) -> list[float]:
        rate = Adam(lr=0.1, **words).native().learning_rate
        return [round(rate(step), 6) if callable(rate) else rate for step in range(4)]

    assert rates(schedule=Poly(1.0, 4)) == [0.1, 0.075, 0.05, 0.025]
    assert rates(decay=1.0) == [0.1, 0.05, 0.033333, 0.025] and rates() == [0.1] * 4


def test_the_decay_of_adam_is_a_part_of_the_gradient(network: Any) -> None:
    from zoo.pipeline.api.keras.optimizers import Adam

    start, decay = np.array([2.0, -0.5]), 0.1
    weight, first, second = start.copy(), np.zeros(2), np.zeros(2)
    adam, params = Adam(lr=0.1, weight_decay=decay).native(), [torch.tensor(start)]
    state = {name: [torch.zeros_like(params[0])] for name in adam.slots()}
    for step in (1, 2, 3):
        gradient = np.array([0.01, -0.04]) * step
        adam.rule(params, [torch.tensor(gradient)], state, 0.1, step)
        decayed = gradient + decay * weight
        first, second = 0.9 * first + 0.1 * decayed, 0.999 * second + 0.001 * decayed**2
        rate = 0.1 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        weight -= rate * first / (np.sqrt(second) + 1e-8)
    assert params[0].numpy() == pytest.approx(weight, abs=1e-5)
    assert not hasattr(Adam(lr=0.1).native(), "l2")


def test_what_is_no_schedule_is_refused(network: Any) -> None:
    from bigdl.optim.optimizer import SGD
    from zoo.pipeline.api.keras.optimizers import Adam

    for make in (lambda: Adam(schedule="poly"), lambda: SGD(leaningrate_schedule="poly")):
        with pytest.raises(DialectError, match="schedule of the learning rate is none") as error:
            make()
        assert "'poly', str" in str(error.value) and "MultiStep" in str(error.value)


@pytest.mark.parametrize(("module", "name"), [
    ("zoo.pipeline.estimator", "Estimator"), ("zoo.pipeline.api.net", "Net"),
    ("zoo.pipeline.inference", "InferenceModel"), ("zoo.feature.text", "TextSet"),
    ("zoo.models.recommendation", "NeuralCF"), ("zoo.tfpark", "KerasModel"),
])  # fmt: skip
def test_what_is_not_here_says_so(module: str, name: str) -> None:
    with installed("bigdl"), pytest.raises(ImportError) as told:
        exec(f"from {module} import {name}", {})
    assert "zoo.pipeline.api.keras on arrays or an RDD of samples" in str(told.value)


def test_modules_beside_the_layers(tmp_path: Any) -> None:
    with installed("bigdl"):
        import bigdl.version
        from bigdl.examples.keras.keras_utils import save_keras_definition, sys as leaked
        from bigdl.models.ml_pipeline.dl_classifier import DLClassifier
        from pyspark.ml.pipeline import Pipeline

        assert bigdl.version.__version__ == "0.7.0" and leaked.__name__ == "sys"
        assert DLClassifier.__name__ == "DLClassifier" and Pipeline.__name__ == "Pipeline"

        class Described:
            def to_json(self) -> str:
                return "{}"

        save_keras_definition(Described(), str(tmp_path / "a.json"))
        assert (tmp_path / "a.json").read_text("utf-8") == "{}"
