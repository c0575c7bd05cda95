"""What becomes of the losses of a batch is what the script says: against sums written out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from striate.dialects import installed

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4)).astype("float32")
Y = RNG.normal(size=(6, 2)).astype("float32")
KERNEL = RNG.normal(size=(4, 2)).astype("float32")
WEIGHTS = np.linspace(0, 1, 6).astype("float32")
RATE = 0.1


@pytest.fixture
def keras() -> Iterator[Any]:
    with installed("keras3"):
        import keras  # type: ignore[import-not-found]

        yield keras


def trained(keras: Any, loss: Any, **words: Any) -> tuple[float, np.ndarray]:
    """Return the loss of the first step, and the kernel after it."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, use_bias=False)])
    model.set_weights([KERNEL])
    model.compile(keras.optimizers.SGD(RATE), loss)
    history = model.fit(X, Y, batch_size=6, verbose=0, **words).history
    return history["loss"][0], model.get_weights()[0]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("word", ["sum", "sum_over_batch_size", "mean_with_sample_weight"])
def test_a_reduction_is_what_it_says(keras: Any, word: str, weighted: bool) -> None:
    weight = WEIGHTS if weighted else np.ones(6, "float32")
    part = {
        "sum": weight,
        "sum_over_batch_size": weight / 6,
        "mean_with_sample_weight": weight / weight.sum(),
    }[word]
    apart = X @ KERNEL - Y
    slope = X.T @ (part[:, None] * apart)  # of the mean square of two outputs
    loss, kernel = trained(
        keras,
        keras.losses.MeanSquaredError(reduction=word),
        **({"sample_weight": WEIGHTS} if weighted else {}),
    )
    assert loss == pytest.approx(float((part * (apart**2).mean(1)).sum()), rel=1e-5)
    np.testing.assert_allclose(kernel, KERNEL - RATE * slope, rtol=1e-4, atol=1e-6)


def test_a_loss_of_the_scripts_own_is_summed_too(keras: Any) -> None:
    class Apart(keras.losses.Loss):  # type: ignore[misc]
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)

    mine, kernel = trained(keras, Apart(reduction="sum"))
    theirs, other = trained(keras, keras.losses.MeanSquaredError(reduction="sum"))
    assert mine == pytest.approx(theirs)
    np.testing.assert_allclose(kernel, other, rtol=1e-5)


def test_classes_are_still_numbers(keras: Any) -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    y = np.array([0, 1, 2, 2, 1, 0])
    found = []
    for word in ("sum", "sum_over_batch_size"):
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(reduction=word))
        found.append(model.evaluate(X, y, batch_size=6, verbose=0))
    assert found[0] == pytest.approx(6 * found[1], rel=1e-5)


def test_the_metric_of_directions_is_the_cosine(keras: Any) -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, use_bias=False)])
    model.set_weights([KERNEL])
    model.compile(
        "sgd", "cosine_similarity", ["cosine_similarity", keras.metrics.CosineSimilarity(name="c")]
    )
    found = model.evaluate(X, Y, verbose=0, return_dict=True)
    z = X @ KERNEL
    cosine = ((z * Y).sum(1) / np.linalg.norm(z, axis=1) / np.linalg.norm(Y, axis=1)).mean()
    assert found == pytest.approx(
        {"loss": -cosine, "cosine_similarity": cosine, "c": cosine}, abs=1e-6
    )


@pytest.mark.parametrize(("version", "accuracy"), [("keras2", 0.75), ("tf", 0.5), ("keras3", 0.5)])
def test_the_accuracy_under_a_binary_loss_is_that_of_the_version(
    version: str, accuracy: float
) -> None:
    x, y = np.array([[1.0, 2.0], [1.0, -1.0]]), np.array([[1.0, 0.0], [1.0, 0.0]])
    with installed(version):
        from keras.layers import Dense  # type: ignore[import-not-found]
        from keras.models import Sequential  # type: ignore[import-not-found]

        model = Sequential([Dense(2, activation="sigmoid", input_shape=(2,))])
        model.set_weights([np.eye(2), np.zeros(2)])
        model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
        assert model.evaluate(x, y, verbose=0)[1] == accuracy


def penalised(keras: Any, kind: str) -> tuple[Any, Any, Any]:
    """Return a model with two penalties on what its layers give, and these layers."""
    layers = keras.layers
    deep = layers.Dense(3, activity_regularizer="l2")
    end = layers.Dense(2, activity_regularizer=keras.regularizers.L1(0.1))
    if kind == "code":

        class Code(keras.Model):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.deep, self.end = deep, end

            def call(self, x: Any) -> Any:
                return self.end(self.deep(x))

        return Code(), deep, end
    inner = keras.Sequential([keras.Input((4,)), deep])
    image = keras.Input((4,))
    return keras.Model(image, end(inner(image))), deep, end


@pytest.mark.parametrize("kind", ["nested", "code"])
def test_penalties_on_what_layers_give_count_wherever_they_are(keras: Any, kind: str) -> None:
    model, deep, end = penalised(keras, kind)
    model.compile("sgd", "mse")
    model(X)
    within = deep(X).numpy()
    given = end(within).numpy()
    wanted = ((given - Y) ** 2).mean() + (0.01 * (within**2).sum() + 0.1 * abs(given).sum()) / 6
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(wanted, rel=1e-5)
    history = model.fit(X, Y, batch_size=6, verbose=0).history
    assert history["loss"][0] == pytest.approx(wanted, rel=1e-5)
    model(X)
    assert float(sum(model.losses)) == pytest.approx(wanted - ((given - Y) ** 2).mean(), abs=0.2)


def test_weights_may_be_those_of_places(keras: Any) -> None:
    x, y = RNG.random((6, 4, 4, 2)), RNG.random((6, 4, 4, 1)).astype("float32")
    weight = RNG.random((6, 4, 4)).astype("float32")
    model = keras.Sequential([keras.Input((4, 4, 2)), keras.layers.Conv2D(1, 1)])
    model.compile("sgd", "mse", weighted_metrics=["mae"])
    apart = model.predict(x, verbose=0) - y
    wanted = [
        ((apart[..., 0] ** 2) * weight).mean(),
        (abs(apart[..., 0]) * weight).sum() / weight.sum(),
    ]
    for given in (weight, weight[..., None]):
        found = model.evaluate(x, y, sample_weight=given, verbose=0)
        assert found == pytest.approx(wanted, rel=1e-5)


def test_a_loss_of_the_whole_batch_is_weighted_by_the_mean(keras: Any) -> None:
    def whole(y_true: Any, y_pred: Any) -> Any:
        return keras.ops.sum(y_true * y_pred)

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile("sgd", whole)
    wanted = (model.predict(X, verbose=0) * Y).sum() * WEIGHTS.mean()
    assert model.evaluate(X, Y, sample_weight=WEIGHTS, verbose=0) == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize(("version", "wanted"), [("keras2", 4.0), ("keras23", 2.0)])
def test_steps_without_weight_leave_the_mean_up_to_keras_2_2(version: str, wanted: float) -> None:
    weight = np.array([[1.0, 1, 0]] * 2 + [[1, 0, 0]] * 2)
    with installed(version):
        from keras.layers import Dense, TimeDistributed
        from keras.models import Sequential

        dense = Dense(1, kernel_initializer="ones")
        model = Sequential([TimeDistributed(dense, input_shape=(3, 2))])
        model.compile("sgd", "mse", sample_weight_mode="temporal")
        zeros = np.zeros((4, 3, 1))
        assert model.evaluate(np.ones((4, 3, 2)), zeros, sample_weight=weight, verbose=0) == wanted
