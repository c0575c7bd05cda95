"""What compile is given: losses, metrics and shares for one output or several."""

from __future__ import annotations

import numpy as np
import pytest

import striate as st
from striate import layers as L
from striate.errors import ConfigError, DataError
from striate.optimizers import SGD


def two_outputs():
    st.seed(0)
    x = L.Input((4,), name="in")
    kind = L.Dense(3, activation="softmax", name="kind")(x)
    size = L.Dense(1, name="size")(x)
    return st.Model(x, [kind, size])


def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(12, 4)).astype(np.float32)
    return x, rng.integers(0, 3, 12), rng.normal(size=(12, 1)).astype(np.float32)


def by_hand(model, x, kind, size):
    p, s = model.predict(x)
    return -np.log(p[np.arange(12), kind]).mean(), ((s - size) ** 2).mean()


@pytest.mark.parametrize(
    ("loss", "shares"),
    [
        (["crossentropy", "mse"], [1.0, 0.5]),
        ({"size": "mse", "kind": "crossentropy"}, {"size": 0.5, "kind": 1.0}),
    ],
)
def test_several_outputs_add_their_shares(loss, shares):
    x, kind, size = data()
    model = two_outputs()
    model.compile(
        SGD(0.01), loss, loss_weights=shares, metrics={"kind": ["accuracy"], "size": ["mae"]}
    )
    a, b = by_hand(model, x, kind, size)
    for y in ([kind, size], {"size": size, "kind": kind}):
        logs = model.evaluate(x, y, verbose=0, return_dict=True)
        assert list(logs) == ["loss", "kind_loss", "size_loss", "kind_accuracy", "size_mae"]
        assert logs["loss"] == pytest.approx(a + 0.5 * b, rel=1e-5)
        assert logs["kind_loss"] == pytest.approx(a, rel=1e-5)
        assert logs["size_loss"] == pytest.approx(b, rel=1e-5)
    history = model.fit(x, [kind, size], epochs=20, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]


def test_one_metric_serves_every_output_without_mixing_them():
    x, kind, size = data()
    model = two_outputs()
    model.compile("sgd", ["crossentropy", "mse"], metrics=["mae"])
    one_hot = np.eye(3, dtype=np.float32)[kind]
    p, s = model.predict(x)
    logs = model.evaluate(x, [one_hot, size], verbose=0, return_dict=True)
    assert logs["kind_mae"] == pytest.approx(np.abs(p - one_hot).mean(), rel=1e-5)
    assert logs["size_mae"] == pytest.approx(np.abs(s - size).mean(), rel=1e-5)


def test_inputs_go_by_name():
    a, b = L.Input((2,), name="a"), L.Input((3,), name="b")
    model = st.Model([a, b], L.Dense(1)(L.Concatenate()([a, b])))
    model.compile("sgd", "mse")
    xa, xb = np.ones((5, 2), np.float32), np.zeros((5, 3), np.float32)
    assert np.array_equal(model.predict({"b": xb, "a": xa}), model.predict([xa, xb]))
    assert np.isfinite(model.fit({"b": xb, "a": xa}, np.zeros(5), verbose=0).history["loss"][0])
    with pytest.raises(DataError) as error:
        model.predict({"b": xb, "c": xa})
    assert str(error.value) == (
        "x: the dictionary has other names than the model\n  got   b, c\n  need  a, b"
    )


def test_another_number_of_losses():
    model = two_outputs()
    model.compile("sgd", ["mse", "mse", "mse"])
    x, kind, size = data()
    with pytest.raises(ConfigError) as error:
        model.fit(x, [kind, size], verbose=0)
    assert str(error.value) == (
        f"{model.where}: compile got another number of losses than the model has outputs\n"
        "  got   3 for 2 outputs\n"
        "  need  one for each of kind, size"
    )


def test_another_number_of_shares_and_of_metrics():
    x, kind, size = data()
    for field, given in (("loss_weights", [1.0] * 3), ("metrics", [["mae"], [], []])):
        model = two_outputs()
        model.compile("sgd", "mse", **{field: given})
        with pytest.raises(ConfigError) as error:
            model.fit(x, [kind, size], verbose=0)
        assert str(error.value) == (
            f"{model.where}: compile got another number of {field} than the model has outputs\n"
            "  got   3 for 2 outputs\n"
            "  need  one for each of kind, size"
        )


def test_names_of_other_outputs():
    model = two_outputs()
    with pytest.raises(ConfigError) as error:
        model.compile("sgd", {"kind": "crossentropy", "sise": "mse"})
    assert str(error.value) == (
        f"{model.where}: compile got loss for other outputs than the model has\n"
        "  got   kind, sise\n"
        "  need  kind, size\n"
        '  fix   did you mean "size"?'
    )
    with pytest.raises(ConfigError) as error:
        model.compile("sgd", {"kind": "crossentropy"})
    assert str(error.value) == (
        f"{model.where}: compile got loss for other outputs than the model has\n"
        "  got   kind\n"
        "  need  kind, size"
    )


def test_compiling_again_begins_with_a_new_optimizer():
    x, kind, _ = data()
    model = st.Sequential([L.Input((4,)), L.Dense(3, activation="softmax")])
    model.compile("adam", "crossentropy")
    model.fit(x, kind, verbose=0)
    assert model.setup.state["step"] == 1
    model.fit(x, kind, verbose=0)
    assert model.setup.state["step"] == 2
    model.compile("adam", "crossentropy")
    assert model.setup.state is None


def test_weighted_metrics_count_each_sample_by_its_weight():
    x, kind, size = data()
    weight = np.arange(12, dtype=np.float32)
    model = two_outputs()
    model.compile(
        "sgd", ["crossentropy", "mse"], metrics={"kind": "accuracy"},
        weighted_metrics={"kind": "accuracy", "size": "mae"},
    )  # fmt: skip
    p, s = model.predict(x)
    right = (p.argmax(1) == kind).astype(float)
    logs = model.evaluate(x, [kind, size], sample_weight=weight, verbose=0, return_dict=True)
    each = -np.log(p[np.arange(12), kind])
    assert logs == pytest.approx(
        {
            "loss": (weight * each).mean() + (weight * ((s - size) ** 2)[:, 0]).mean(),
            "kind_loss": (weight * each).mean(),
            "size_loss": (weight * ((s - size) ** 2)[:, 0]).mean(),
            "kind_accuracy": right.mean(),
            "kind_weighted_accuracy": (weight * right).sum() / weight.sum(),
            "size_mae": (weight * np.abs(s - size)[:, 0]).sum() / weight.sum(),
        },
        rel=1e-4,
    )


def test_an_output_without_a_loss():
    model = two_outputs()
    with pytest.raises(ConfigError) as error:
        model.compile("sgd", ["mse", None])
    assert str(error.value) == (
        f"{model.where}: an output has no loss\n"
        "  got   loss=['mse', None]\n"
        "  need  a loss for each output\n"
        "  fix   loss_weights with 0 for the output that shall not be trained"
    )


def test_shares_that_cannot_work():
    with pytest.raises(ConfigError) as error:
        two_outputs().compile("sgd", "mse", loss_weights=[1.0, -1.0])
    assert str(error.value) == (
        "compile: loss_weights=-1.0 cannot work\n"
        "  got   loss_weights=-1.0\n"
        "  need  a number, loss_weights >= 0\n"
        "  fix   loss_weights=1.0"
    )


def test_two_metrics_of_one_name():
    x, kind, _ = data()
    model = st.Sequential([L.Input((4,)), L.Dense(3, activation="softmax")])
    model.compile("sgd", "crossentropy", metrics=["accuracy", "accuracy"])
    with pytest.raises(ConfigError) as error:
        model.fit(x, kind, verbose=0)
    assert str(error.value) == (
        "metrics: two metrics of one output are called 'accuracy'\n"
        "  got   accuracy, accuracy\n"
        "  need  a name of its own for each\n"
        '  fix   name="accuracy_2" for one of them'
    )


def test_class_weights_of_several_outputs():
    x, kind, size = data()
    model = two_outputs()
    model.compile("sgd", ["crossentropy", "mse"])
    with pytest.raises(ConfigError) as error:
        model.fit(x, [kind, size], class_weight={0: 2.0}, verbose=0)
    assert str(error.value) == (
        "class_weight: the model has 2 outputs, and the classes of one only can be weighted\n"
        "  fix   sample_weight, one number for each sample"
    )
