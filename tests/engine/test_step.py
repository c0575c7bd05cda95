"""One step: the same loss through logits and probabilities, penalties, limits, frozen weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import striate as st
from striate import layers as L
from striate.data.feed import Batch
from striate.engine.setup import setup_of
from striate.engine.step import Step
from striate.errors import DataError, TrainingError
from striate.optimizers import SGD


def data(samples=16):
    rng = np.random.default_rng(0)
    return rng.normal(size=(samples, 4)).astype(np.float32), rng.integers(0, 3, samples)


def network(**dense):
    st.seed(0)
    return st.Sequential([L.Input((4,)), L.Dense(3, activation="softmax", **dense)])


def test_the_logits_path_gives_the_loss_of_the_probabilities():
    x, y = data()
    model = network()
    model.compile("sgd", "crossentropy", metrics=["accuracy"])
    step = Step(model, setup_of(model))
    assert step.logits
    loss, accuracy = model.evaluate(x, y, verbose=0)
    p = model.predict(x)
    assert loss == pytest.approx(-np.log(p[np.arange(16), y]).mean(), abs=1e-6)
    assert accuracy == pytest.approx((p.argmax(1) == y).mean())


def test_the_logits_path_of_a_sigmoid():
    x, y = data()
    y = (y > 0).astype(np.float32)
    st.seed(0)
    model = st.Sequential([L.Input((4,)), L.Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    p = model.predict(x)[:, 0]
    loss, accuracy = model.evaluate(x, y, verbose=0)
    expected = -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()
    assert loss == pytest.approx(expected, abs=1e-6)
    assert accuracy == pytest.approx(((p > 0.5) == y).mean())


def test_large_logits_keep_a_finite_loss():
    model = network()
    model.compile("sgd", "crossentropy")
    x = np.full((3, 4), 1e4, np.float32)
    assert np.isfinite(model.evaluate(x, np.array([0, 1, 2]), verbose=0))


def test_regularizers_add_to_the_loss_and_to_the_gradient():
    x, y = data()
    plain, pulled = network(), network(kernel_regularizer="l2")
    for model in (plain, pulled):
        model.compile(SGD(0.5), "crossentropy")
    kernel = plain.layers[-1].kernel.detach().clone()
    penalty = 0.01 * float((kernel**2).sum())
    difference = pulled.evaluate(x, y, verbose=0) - plain.evaluate(x, y, verbose=0)
    assert difference == pytest.approx(penalty, rel=1e-4)
    for model in (plain, pulled):
        model.train_on_batch(x, y)
    moved = plain.layers[-1].kernel - pulled.layers[-1].kernel
    torch.testing.assert_close(moved.detach(), 0.5 * 2 * 0.01 * kernel, rtol=1e-3, atol=1e-6)


def test_constraints_hold_after_each_step():
    x, y = data()
    model = network(kernel_constraint="non_neg")
    model.compile(SGD(1.0), "crossentropy")
    for _ in range(3):
        model.train_on_batch(x, y)
        assert float(model.layers[-1].kernel.detach().min()) >= 0


def test_frozen_layers_do_not_move():
    x, y = data()
    st.seed(0)
    model = st.Sequential([L.Input((4,)), L.Dense(5), L.Dense(3, activation="softmax")])
    first, last = model.layers
    model.compile("adam", "crossentropy")
    model.fit(x, y, verbose=0)
    first.trainable = False
    frozen, free = first.kernel.detach().clone(), last.kernel.detach().clone()
    model.fit(x, y, epochs=2, verbose=0)
    assert torch.equal(first.kernel, frozen)
    assert not torch.equal(last.kernel, free)


def test_nothing_to_train(capsys):
    x, y = data()
    model = st.Sequential([L.Input((4,)), L.BatchNormalization(), L.Dense(3)])
    model.compile("adam", "mse")
    model.trainable = False
    before = model.get_weights()
    targets = np.eye(3)[y]
    history = model.fit(x, targets, epochs=2, verbose=2).history
    assert all(map(np.array_equal, before, model.get_weights()))
    assert history["loss"] == pytest.approx([model.evaluate(x, targets, verbose=0)] * 2)
    assert (
        capsys.readouterr().err.count(
            f"note: {model.where}: every weight is frozen, so that nothing is trained: "
            "layer.trainable = True for the layers that shall learn\n"
        )
        == 1
    )
    with pytest.raises(TrainingError) as error:
        model.find_lr(x, targets)
    assert str(error.value) == (
        f"{model.where}: has nothing to train: every weight is frozen\n"
        "  need  at least one trainable weight\n"
        "  fix   layer.trainable = True for the layers that shall learn"
    )


def test_a_learning_rate_of_zero_is_said(capsys):
    x, y = data()
    model = network()
    model.compile(SGD(0.0), "crossentropy")
    before = model.get_weights()
    model.fit(x, y, verbose=2)
    assert all(map(np.array_equal, before, model.get_weights()))
    assert "note: the learning rate is 0, so that nothing is trained\n" in capsys.readouterr().err


def test_the_optimizer_goes_on_where_fewer_weights_are_trained_and_begins_anew_with_new_ones():
    x, y = data()
    model = st.Sequential([L.Input((4,)), L.Dense(5), L.Dense(3, activation="softmax")])
    first, last = model.layers
    first.trainable = False
    model.compile("adam", "crossentropy")
    model.train_on_batch(x, y)
    kept = model.setup.state["momentum"][0].clone()
    first.trainable = True
    model.train_on_batch(x, y)
    assert model.setup.state["step"] == 1
    last.trainable = False
    model.train_on_batch(x, y)
    last.trainable = True
    model.train_on_batch(x, y)
    assert model.setup.state["step"] == 3 and len(model.setup.state["momentum"]) == 4
    assert not torch.equal(model.setup.state["momentum"][2], kept)


def test_what_is_validated_on_comes_in_batches_of_its_own():
    x, y = data()
    sizes = []
    model = network()

    def loss(y_true, y_pred):
        if not model.training:
            sizes.append(len(y_pred))
        return (y_pred**2).mean()

    model.compile("adam", loss)
    y = np.eye(3)[y]
    given = {"validation_data": (x, y), "validation_batch_size": len(x) // 2}
    model.fit(x, y, batch_size=8, epochs=3, validation_freq=(2,), verbose=0, **given)
    assert sizes[:2] == [len(x) // 2] * 2 and sum(sizes) == len(x)


def test_batches_without_targets():
    model = network()
    model.compile("adam", "crossentropy")
    with pytest.raises(DataError) as error:
        model.fit([(data()[0],)], verbose=0)
    assert str(error.value) == (
        "y: is missing\n  need  targets for every sample\n  fix   model.fit(x, y)"
    )


def test_the_average_of_weights_replaces_them_at_the_end():
    x, y = data()
    model, plain = network(), network()
    model.compile(SGD(0.5, use_ema=True, ema_momentum=0.5), "crossentropy")
    plain.compile(SGD(0.5), "crossentropy")
    plain.fit(x, y, batch_size=16, shuffle=False, verbose=0)
    one = plain.layers[-1].kernel.detach().clone()
    plain.fit(x, y, batch_size=16, shuffle=False, verbose=0)
    two = plain.layers[-1].kernel.detach().clone()
    model.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0)
    torch.testing.assert_close(model.layers[-1].kernel.detach(), 0.5 * one + 0.5 * two)


def test_the_state_of_the_optimizer_goes_where_the_weights_go():
    x, y = data()
    model = network()
    model.compile("adam", "crossentropy", engine="torch")
    model.fit(x, y, verbose=0)
    model.to("meta")
    step = Step(model, setup_of(model), training=True)
    assert model.setup.state["step"] == 1
    for slot in ("momentum", "velocity"):
        assert {one.device.type for one in model.setup.state[slot]} == {"meta"}
    step.train(Batch(tuple(map(torch.from_numpy, (x,))), (torch.from_numpy(y),)))
    assert model.setup.state["step"] == 2


@pytest.mark.parametrize("loss", ["mse", "mae", "bce"])
def test_targets_that_are_images_have_their_channels_where_the_outputs_have_them(loss: str) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(6, 2, 5, 4)), rng.uniform(size=(6, 3, 4, 3))
    found = []
    for engine in ("native", "torch"):
        st.seed(0)
        begin = L.Input((2, 5, 4), data_format="channels_first")
        end = "sigmoid" if loss == "bce" else None
        model = st.Sequential([begin, L.Conv2D(3, 2, activation=end)])
        model.compile(st.optimizers.SGD(0.5), loss, metrics=["mae"], engine=engine)
        model.fit(x, y, batch_size=3, epochs=2, shuffle=False, verbose=0)
        found.append([*model.get_weights(), *model.evaluate(x, y, verbose=0)])
    for native, torch_ in zip(*found, strict=True):
        np.testing.assert_allclose(native, torch_, rtol=1e-4, atol=1e-6)


def test_a_binary_loss_takes_one_hot_rows_column_by_column() -> None:
    x, y = np.random.default_rng(0).normal(size=(6, 4)), np.eye(3)[[0, 1, 2, 2, 1, 0]]
    found = []
    for engine in ("native", "torch"):
        st.seed(0)
        model = st.Sequential([L.Input((4,)), L.Dense(3, activation="sigmoid")])
        model.compile(st.optimizers.SGD(0.5), "bce", metrics=["accuracy"], engine=engine)
        model.fit(x, y, batch_size=3, epochs=2, shuffle=False, verbose=0)
        found.append([*model.get_weights(), *model.evaluate(x, y, verbose=0)])
    for native, torch_ in zip(*found, strict=True):
        np.testing.assert_allclose(native, torch_, rtol=1e-4, atol=1e-6)
