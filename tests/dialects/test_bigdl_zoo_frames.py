"""Analytics Zoo's estimators over data frames, and its expressions as layers and losses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from striate.dialects import installed

near = np.testing.assert_allclose


@pytest.fixture(autouse=True)
def served() -> Iterator[None]:
    with installed("bigdl"):
        yield


def rows(count: int = 60, one_output: bool = False) -> Any:
    """Return rows whose class is which of two numbers is larger: 1 or 2, or 0 or 1."""
    from pyspark import SparkContext
    from pyspark.sql import SQLContext

    x = np.random.default_rng(0).normal(size=(count, 2))
    labels = (x[:, 0] < x[:, 1]) + (0.0 if one_output else 1.0)
    pairs = [(row.tolist(), float(label)) for row, label in zip(x, labels, strict=True)]
    return SQLContext(SparkContext()).createDataFrame(pairs, ["features", "label"])


def test_a_classifier_adds_classes_from_1() -> None:
    from bigdl.nn.criterion import ClassNLLCriterion
    from bigdl.nn.layer import Linear, LogSoftMax, Sequential
    from bigdl.optim.optimizer import Adam, EveryEpoch, Top1Accuracy
    from zoo.feature.common import SeqToTensor
    from zoo.pipeline.nnframes import NNClassifier

    table = rows()
    network = Sequential().add(Linear(2, 2)).add(LogSoftMax())
    classifier = (NNClassifier(network, ClassNLLCriterion(), SeqToTensor([2]))
                  .setOptimMethod(Adam(0.1)).setBatchSize(20).setMaxEpoch(20)
                  .setCachingSample(False).setGradientClippingByL2Norm(5.0)
                  .setValidation(EveryEpoch(), table, [Top1Accuracy()], 30))  # fmt: skip
    assert classifier.getMaxEpoch() == 20 and not classifier.isCachingSample()
    found = classifier.fit(table).setPredictionCol("chosen").transform(table)
    assert np.mean([row["chosen"] == row["label"] for row in found.collect()]) > 0.95
    assert {row["chosen"] for row in found.collect()} == {1.0, 2.0}


def test_a_classifier_of_one_output_has_a_threshold() -> None:
    from bigdl.nn.criterion import BCECriterion
    from zoo.pipeline.api.keras.layers import Dense
    from zoo.pipeline.api.keras.models import Sequential
    from zoo.pipeline.nnframes import NNClassifier

    network = Sequential()
    network.add(Dense(1, activation="sigmoid", input_shape=(2,)))
    table = rows(one_output=True)
    made = NNClassifier(network, BCECriterion(), [2]).setLearningRate(1.0).setBatchSize(20)
    model = made.setMaxEpoch(30).fit(table)
    found = [row["prediction"] for row in model.transform(table).collect()]
    assert np.mean(np.equal(found, table.column("label"))) > 0.9
    assert {*model.setThreshold(1.0).transform(table).column("prediction")} == {0.0}


def test_labels_from_0_of_zoos_objectives_and_several_inputs() -> None:
    from zoo.pipeline.api.keras.layers import Dense, Input, merge
    from zoo.pipeline.api.keras.models import Model
    from zoo.pipeline.api.keras.objectives import SparseCategoricalCrossEntropy
    from zoo.pipeline.nnframes import NNEstimator

    first, second = Input(shape=(1,)), Input(shape=(1,))
    out = Dense(2, activation="softmax")(merge([first, second], "concat"))
    table = rows(one_output=True)
    estimator = NNEstimator(Model([first, second], out), SparseCategoricalCrossEntropy(),
                            [[1], [1]])  # fmt: skip
    trained = estimator.setLearningRate(1.0).setBatchSize(20).setMaxEpoch(30).fit(table)
    found = np.argmax(trained.transform(table).column("prediction"), -1)
    assert np.mean(found == table.column("label")) > 0.9


def test_pictures_are_prepared_by_steps(tmp_path: Path) -> None:
    from bigdl.nn.layer import Reshape
    from zoo.feature.common import ChainedPreprocessing
    from zoo.feature.image import (
        ImageCenterCrop,
        ImageChannelNormalize,
        ImageFeatureToTensor,
        ImageMatToTensor,
        RowToImageFeature,
    )
    from zoo.pipeline.nnframes import NNImageReader, NNModel

    Image.new("RGB", (10, 8), (30, 20, 10)).save(tmp_path / "one.png")
    table = NNImageReader.readImages(str(tmp_path), None, resizeH=6, resizeW=6)
    assert table.first()["image"]["height"] == 6
    steps = ChainedPreprocessing([RowToImageFeature(), ImageCenterCrop(2, 2),
                                  ImageChannelNormalize(10.0, 10.0, 10.0), ImageMatToTensor(),
                                  ImageFeatureToTensor()])  # fmt: skip
    made = NNModel(Reshape([12]), steps).setFeaturesCol("image").transform(table)
    near(made.column("prediction"), [[0.0] * 4 + [10.0] * 4 + [20.0] * 4])


def test_a_step_that_is_none_is_told() -> None:
    from zoo.feature.common import ChainedPreprocessing

    with pytest.raises(Exception, match="a list is no step") as told:
        ChainedPreprocessing([[2]])
    assert "SeqToTensor([28, 28])" in str(told.value)


X = np.random.default_rng(1).uniform(0.1, 1, (3, 2, 4)).astype("float32")
Y = np.random.default_rng(2).uniform(0.1, 1, (3, 2, 4)).astype("float32")
EXPRESSIONS = {
    "x + 3.0 - y": X + 3 - Y, "2.0 * x / y": 2 * X / Y, "1.0 / x - -y": 1 / X + Y,
    "clip(x, 0.3, 0.5)": X.clip(0.3, 0.5), "pow(x, 3.0)": X**3, "square(x) + abs(x - y)": X * X
    + abs(X - Y), "softsign(x)": X / (1 + X), "maximum(x, y)": np.maximum(X, Y),
    "sum(x, 1, False)": X.sum(1), "mean(x, axis=2, keepDims=True)": X.mean(2, keepdims=True),
    "expand_dims(x, 2)": X[:, :, None], "stack([x, y], axis=1)": np.stack([X, Y], 1),
    "x.slice(2, 1, 2)": X[:, :, 1:3], "x.slice(2, 1, -1)": X[:, :, 1:],
    "x.index_select(2, 2)": X[:, :, 2],
    "l2_normalize(x, axis=2)": X / np.sqrt((X * X).sum(2, keepdims=True)),
    "mm(x, y, axes=[2, 2])": np.einsum("nac,nbc->nab", X, Y),
    "batch_dot(x, y, axes=1)": np.einsum("nca,ncb->nab", X, Y),
    "expand_dims(x.index_select(1, 0), 1).squeeze(1)": X[:, 0],
}  # fmt: skip


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expressions_are_layers(text: str) -> None:
    from zoo.pipeline.api import autograd
    from zoo.pipeline.api.keras.layers import Input
    from zoo.pipeline.api.keras.models import Model

    inputs = [Input(shape=(2, 4)), Input(shape=(2, 4))]
    layer = autograd.Lambda(function=lambda x, y: eval(text, vars(autograd), {"x": x, "y": y}))
    model = Model(inputs, layer(inputs))
    near(model.forward([X, Y]), EXPRESSIONS[text], rtol=1e-5)


def test_layers_of_an_expression_are_trained(tmp_path: Path) -> None:
    from zoo.pipeline.api.autograd import Lambda
    from zoo.pipeline.api.keras.layers import Dense
    from zoo.pipeline.api.keras.models import Sequential

    model = Sequential()
    model.add(Lambda(lambda x: Dense(1)(x) + 1.0, input_shape=(2,)))
    assert [one.shape for one in model.get_weights()] == [(1, 2), (1,)]
    x = np.random.default_rng(0).uniform(size=(64, 2))
    y = x.sum(1, keepdims=True) + 1
    model.compile("adam", "mse")
    model.set_tensorboard(str(tmp_path), "app")
    model.fit(x, y, batch_size=16, nb_epoch=3)
    kept = np.asarray(model.get_train_summary("Loss"))
    assert len(kept) == 12 and kept[-1][1] < kept[0][1]


def test_a_loss_is_a_function_of_targets_and_outputs() -> None:
    from bigdl.optim.optimizer import SGD
    from zoo.pipeline.api.autograd import CustomLoss, mean
    from zoo.pipeline.api.keras.layers import Dense
    from zoo.pipeline.api.keras.models import Sequential

    def away(y_true: Any, y_pred: Any) -> Any:
        return mean(abs(y_true - y_pred), axis=1)

    loss = CustomLoss(away, [2])
    target, output = np.array([[1.0, 2.0]]), np.array([[0.0, 4.0]])
    assert loss.forward(target, output) == 1.5
    near(loss.backward(target, output), [[-0.5, 0.5]])
    model = Sequential()
    model.add(Dense(1, input_shape=(2,)))
    model.compile(SGD(0.1), away)
    x = np.random.default_rng(0).uniform(size=(96, 2))
    y = (2 * x).sum(1, keepdims=True) + 0.4
    model.fit(x, y, batch_size=32, nb_epoch=100)
    assert np.abs(model.predict_local(x) - y).mean() < 0.1


def test_a_loss_that_is_no_expression_is_told() -> None:
    from zoo.pipeline.api.autograd import CustomLoss

    with pytest.raises(Exception, match="does not give a variable") as told:
        CustomLoss(lambda y_true, y_pred: 1.0, [2]).forward([[1.0]], [[1.0]])
    assert "return mean(abs(y_true - y_pred), axis=1)" in str(told.value)


def test_bigdls_own_criterion_counts_from_1_in_zoo_too() -> None:
    from bigdl.nn.criterion import ClassNLLCriterion
    from zoo.pipeline.api.keras.layers import Dense
    from zoo.pipeline.api.keras.models import Sequential

    model = Sequential()
    model.add(Dense(2, activation="log_softmax", input_shape=(2,)))
    model.compile("sgd", ClassNLLCriterion())
    model.fit(np.eye(2), np.array([1.0, 2.0]), batch_size=2, nb_epoch=1)
    with pytest.raises(Exception, match="BigDL counts classes from 1"):
        model.fit(np.eye(2), np.array([0.0, 1.0]), batch_size=2, nb_epoch=1)


def test_auc_is_the_share_of_pairs_in_order() -> None:
    from zoo.pipeline.api.keras.layers import Dense
    from zoo.pipeline.api.keras.models import Sequential

    model = Sequential()
    model.add(Dense(1, activation="sigmoid", input_shape=(1,)))
    model.set_weights([np.array([[1.0]]), np.array([0.0])])
    model.compile("sgd", "binary_crossentropy", ["auc"])
    x, y = np.linspace(-3, 3, 6)[:, None], np.array([[0], [0], [1], [0], [1], [1]])
    (found,) = model.evaluate(x, y)
    assert found.method == "AUC" and abs(found.result - 8 / 9) < 1e-6
