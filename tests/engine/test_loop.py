"""fit, evaluate, predict and find_lr on real numbers, against sums written out by hand."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

import striate as st
from striate import layers as L
from striate.engine import hooks, loop
from striate.errors import ConfigError, DataError, TrainingError
from striate.optimizers import SGD


def data(samples=20, features=4, classes=3):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(samples, features)).astype(np.float32)
    return x, rng.integers(0, classes, samples)


def small(activation="softmax", loss="crossentropy", rate=0.1, metrics=("accuracy",)):
    st.seed(0)
    model = st.Sequential([L.Input((4,)), L.Dense(3, activation=activation)])
    model.compile(SGD(rate), loss, metrics=list(metrics))
    return model


def images():
    st.seed(0)
    model = st.Sequential(
        [L.Input((28, 28, 1)), L.Rescaling(1 / 255), L.Flatten(), L.Dense(10, activation="softmax")]
    )
    model.compile("adam", "crossentropy", metrics=["accuracy"])
    return model


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_classes_under_a_binary_loss_are_those_of_the_metric():
    model = st.Sequential([L.Input((2,)), L.Dense(2, activation="sigmoid")])
    model.set_weights([np.eye(2), np.zeros(2)])
    x, y = np.array([[1.0, 2.0], [1.0, -1.0]]), np.array([[1.0, 0.0], [1.0, 0.0]])
    for metric, part in (("accuracy", 0.75), (st.metrics.Accuracy(), 0.5)):
        model.compile("sgd", "binary_crossentropy", metrics=[metric])
        assert model.evaluate(x, y, verbose=0)[1] == part


def test_weights_changed_between_two_fits_behind_torchs_back_are_trained_on():
    found = []
    for engine in ("auto", "torch"):
        model = small()
        model.setup.engine = engine
        x, y = data()
        model.fit(x, y, epochs=1, shuffle=False, verbose=0)
        for weight in model.parameters():
            weight.data.mul_(3)
        model.fit(x, y, epochs=1, shuffle=False, verbose=0)
        found.append(model.predict(x))
    np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-5)


def seen(model, *args, **kwargs):
    """Return the first input value of each batch, by epoch."""
    got = []
    model.setup.engine = "torch"  # whose steps are asked for one batch at a time
    original = loop.Step.train

    class Watch(hooks.Hook):
        def on_epoch_begin(self, epoch, logs=None):
            got.append([])

    def train(self, batch):
        got[-1].extend(batch.x[0][:, 0].tolist())
        original(self, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop.Step, "train", train)
        model.fit(*args, callbacks=[Watch()], verbose=0, **kwargs)
    return got


def test_fit_learns_digits(mnist_small):
    (x, y), (x_test, y_test) = mnist_small
    model = images()
    history = model.fit(x, y, epochs=5, verbose=0)
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    assert model.evaluate(x_test, y_test, verbose=0)[1] > 0.8


def test_the_loss_of_an_epoch_is_the_mean_over_samples_with_the_smaller_last_batch():
    x, y = data(10)
    model = small(rate=1e-30)
    expected = -np.log(model.predict(x)[np.arange(10), y]).mean()
    history = model.fit(x, y, batch_size=4, verbose=0)
    assert history.history["loss"][0] == pytest.approx(expected, rel=1e-5)
    assert model.evaluate(x, y, batch_size=3, verbose=0)[0] == pytest.approx(expected, rel=1e-5)


def test_validation_split_takes_the_last_fraction_before_shuffling():
    x, y = data(20)
    x[:, 0] = np.arange(20)
    model = small(rate=1e-30)
    got = seen(model, x, y, validation_split=0.25, batch_size=4)
    assert sorted(got[0]) == list(range(15)) and got[0] != list(range(15))
    history = model.fit(x, y, validation_split=0.25, verbose=0)
    expected = model.evaluate(x[15:], y[15:], verbose=0)
    assert history.history["val_loss"][0] == pytest.approx(expected[0], rel=1e-5)
    assert history.history["val_accuracy"][0] == pytest.approx(expected[1])


def test_without_shuffle_the_order_is_that_of_the_arrays():
    x, y = data(10)
    x[:, 0] = np.arange(10)
    assert seen(small(), x, y, shuffle=False, batch_size=3, epochs=2) == [list(range(10))] * 2


def test_sample_weights_scale_each_sample_as_in_keras():
    x, y = data(6)
    w = np.array([0, 1, 2, 0.5, 3, 0], np.float32)
    model = small(rate=1e-30)
    each = -np.log(model.predict(x)[np.arange(6), y])
    history = model.fit(x, y, sample_weight=w, batch_size=6, verbose=0)
    assert history.history["loss"][0] == pytest.approx((w * each).sum() / 6, rel=1e-5)


def test_class_weights_are_sample_weights_by_class():
    x, y = data(12)
    table = {0: 0.5, 1: 2.0}
    w = np.array([{0: 0.5, 1: 2.0, 2: 1.0}[int(c)] for c in y], np.float32)
    one, two = small(), small()
    one.fit(x, y, class_weight=table, shuffle=False, verbose=0)
    two.fit(x, y, sample_weight=w, shuffle=False, verbose=0)
    assert same(weights(one), weights(two))
    three = small()
    three.fit(x, np.eye(3, dtype=np.float32)[y], class_weight=table, shuffle=False, verbose=0)
    assert all(
        torch.allclose(a, b, atol=1e-6)
        for a, b in zip(three.state_dict().values(), two.state_dict().values(), strict=True)
    )


def test_steps_per_epoch_goes_on_where_the_epoch_before_ended_and_begins_again():
    x, y = data(10)
    x[:, 0] = np.arange(10)
    got = seen(small(), x, y, shuffle=False, batch_size=2, epochs=4, steps_per_epoch=2)
    assert got == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 0, 1], [2, 3, 4, 5]]


def test_an_epoch_that_ends_with_the_data_is_followed_by_another():
    x, y = data(8)
    x[:, 0] = np.arange(8)
    got = seen(small(), x, y, shuffle=False, batch_size=2, epochs=3, steps_per_epoch=2)
    assert got == [[0, 1, 2, 3], [4, 5, 6, 7], [0, 1, 2, 3]]


def test_initial_epoch_counts_on():
    history = small().fit(*data(), epochs=5, initial_epoch=3, verbose=0)
    assert history.epoch == [3, 4] and len(history.history["loss"]) == 2


def test_validation_every_second_epoch():
    x, y = data()
    history = small().fit(
        x, y, epochs=4, validation_data=(x, y), validation_freq=2, verbose=0,
        callbacks=[st.hooks.EarlyStopping(patience=1)],
    )  # fmt: skip
    assert len(history.history["loss"]) == 4 and len(history.history["val_loss"]) == 2


def test_batches_come_from_generators_datasets_and_loaders_alike():
    x, y = data(12)
    tx, ty = torch.from_numpy(x), torch.from_numpy(y)
    sources = [
        (x, y),
        (tx, ty),
        (((x[i : i + 4], y[i : i + 4]) for i in (0, 4, 8)),),
        (TensorDataset(tx, ty),),
        (DataLoader(TensorDataset(tx, ty), 4),),
        ([(x[i : i + 4], y[i : i + 4]) for i in (0, 4, 8)],),
    ]
    results = []
    for source in sources:
        model = small()
        model.fit(*source, batch_size=4, shuffle=False, verbose=0)
        results.append(weights(model))
    assert all(same(results[0], other) for other in results[1:])


def test_a_generator_loses_no_batch_to_a_model_without_shapes():
    x, y = data(12)
    st.seed(0)
    model = st.Sequential([L.Dense(3, activation="softmax")])
    model.compile(SGD(0.1), "crossentropy")
    parts = ((x[i : i + 4], y[i : i + 4]) for i in (0, 4, 8))
    counted = []
    model.fit(
        parts, verbose=0,
        callbacks=[st.hooks.LambdaCallback(on_train_batch_end=lambda n, logs: counted.append(n))],
    )  # fmt: skip
    assert counted == [0, 1, 2]


USED_UP = (
    "x: gave no batch\n"
    "  need  at least one in each epoch; a generator is used up after one pass\n"
    "  fix   an iterable that can be gone through again, or steps_per_epoch and a generator "
    "without an end"
)


def test_a_generator_that_has_ended_is_named():
    x, y = data(4)
    with pytest.raises(DataError) as error:
        small().fit(iter([(x, y)]), epochs=2, verbose=0)
    assert str(error.value) == USED_UP


def test_validation_data_that_have_ended_are_named():
    x, y = data(4)
    with pytest.raises(DataError) as error:
        small().fit(x, y, validation_data=iter([(x, y)]), epochs=2, verbose=0)
    assert str(error.value) == USED_UP


def test_validation_split_needs_arrays():
    with pytest.raises(DataError) as error:
        small().fit([data(4)], validation_split=0.5, verbose=0)
    assert str(error.value) == (
        "validation_split: can only be taken from arrays\n"
        "  got   validation_split=0.5, batches from an iterable\n"
        "  fix   validation_data=(x, y)"
    )


def test_validation_data_of_four_things_or_of_none():
    x, y = data(4)
    for given, count in ((x, y, y, y), "4 things"), ((), "0 things"):
        with pytest.raises(DataError) as error:
            small().fit(x, y, validation_data=given, verbose=0)
        assert str(error.value) == (
            f"validation_data: holds {count}\n"
            "  need  (x, y) or (x, y, sample_weight)\n"
            "  fix   validation_data=(x, y)"
        )


@pytest.mark.parametrize("field", ["y", "sample_weight"])
def test_what_batches_bring_themselves_is_not_given_beside_them(field):
    x, y = data(4)
    with pytest.raises(DataError) as error:
        small().fit([(x, y)], verbose=0, **{field: y})
    assert str(error.value) == (
        f"{field}: is given beside batches, which bring their own\n"
        "  got   x of type list\n"
        "  need  batches of (x, y) or (x, y, sample_weight)\n"
        f"  fix   put {field} into the batches, or give arrays"
    )


def test_a_list_of_samples_is_a_batch():
    model, (x, _) = small(), data(4)
    assert np.array_equal(model.predict(list(x)), model.predict(x))


@pytest.mark.parametrize(
    ("word", "fix"),
    [("nb_epoch", "epochs=3"), ("epoch", 'did you mean "epochs"?'), ("zzz", None)],
)
def test_an_argument_that_fit_does_not_take(word, fix):
    with pytest.raises(ConfigError, match=f"^fit: there is no argument '{word}'") as error:
        small().fit(*data(4), **{word: 3})
    assert error.value.rows.get("fix") == fix


def test_epochs_of_none():
    with pytest.raises(ConfigError) as error:
        small().fit(*data(4), epochs=None)
    assert str(error.value) == (
        "fit: epochs=None cannot work\n"
        "  got   epochs=None\n"
        "  need  a whole number, epochs >= 0\n"
        "  fix   epochs=1"
    )


def test_predict_and_fit_of_nothing():
    st.seed(0)
    model = st.Sequential([L.Dense(3)])
    model.compile("sgd", "mse")
    with pytest.raises(DataError) as error:
        model.fit([], [], verbose=0)
    assert str(error.value) == "x: holds no samples\n  need  at least one"
    with pytest.raises(DataError) as error:
        small().predict(np.zeros((0, 4)))
    assert str(error.value) == "x: holds no samples\n  need  at least one"


def test_bytes_and_images_without_channels_are_taken(mnist_small):
    (x, y), _ = mnist_small
    x = x[:64].reshape(64, 28, 28)
    model = images()
    assert x.dtype == np.uint8
    history = model.fit(x, y[:64], epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert np.array_equal(model.predict(x), model.predict(x[..., None].astype(np.float32)))


def test_predict_takes_samples_files_and_pictures(mnist_small, tmp_path):
    (x, _), _ = mnist_small
    x = x.reshape(-1, 28, 28)[:3]
    model = images()
    expected = model.predict(x)
    for index, pixels in enumerate(x):
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    paths = [tmp_path / f"{index}.png" for index in range(3)]
    assert np.array_equal(model.predict(paths), expected)
    one = expected[:1]
    for given in (x[0], x[0, ..., None], str(paths[0]), paths[0], Image.fromarray(x[0])):
        np.testing.assert_allclose(model.predict(given), one, rtol=1e-5)
    assert model.predict(DataLoader(TensorDataset(torch.from_numpy(x)), 2)).shape == (3, 10)
    assert model.predict(x, batch_size=1, steps=2).shape == (2, 10)


def test_training_mode_is_what_it_was():
    x, y = data()
    model = small()
    for mode in (True, False):
        model.train(mode)
        model.fit(x, y, verbose=0)
        model.evaluate(x, y, verbose=0)
        model.predict(x)
        model.train_on_batch(x, y)
        model.test_on_batch(x, y)
        model.find_lr(x, y, steps=3)
        assert model.training is mode
    with pytest.raises(DataError):
        model.train_on_batch(x)
    assert model.training is False


def test_dropout_works_in_fit_only():
    st.seed(0)
    model = st.Sequential([L.Input((4,)), L.Dropout(0.9), L.Dense(3)])
    x, _ = data()
    assert np.array_equal(model.predict(x), model.predict(x))


def test_one_batch_verbs():
    x, y = data()
    model = small()
    before = weights(model)
    loss = model.test_on_batch(x, y)
    assert same(weights(model), before)
    assert loss == pytest.approx(model.evaluate(x, y, verbose=0), rel=1e-5)
    assert model.train_on_batch(x, y) == pytest.approx(loss, rel=1e-5)
    assert not same(weights(model), before)
    assert model.test_on_batch(x, y)[0] < loss[0]
    assert np.array_equal(model.predict_on_batch(x), model.predict(x))
    assert isinstance(small(metrics=()).train_on_batch(x, y), float)


def test_evaluate_by_name_and_by_steps():
    x, y = data(12)
    model = small()
    assert list(model.evaluate(x, y, verbose=0, return_dict=True)) == ["loss", "accuracy"]
    first = model.evaluate(x[:4], y[:4], verbose=0)
    assert model.evaluate(x, y, batch_size=4, steps=1, verbose=0) == first
    assert isinstance(small(metrics=()).evaluate(x, y, verbose=0), float)


def test_find_lr_leaves_everything_as_it_was():
    x, y = data(40)
    model = small()
    model.compile("adam", "crossentropy")
    model.fit(x, y, verbose=0)
    before, optimizer = weights(model), model.setup.optimizer
    state = {name: value.clone() for name, value in optimizer.flatten(model.setup.state).items()}
    found = model.find_lr(x, y, batch_size=8, steps=30, highest=10.0)
    assert same(weights(model), before)
    assert model.setup.optimizer is optimizer
    assert same(optimizer.flatten(model.setup.state), state)
    assert found["suggestion"] in found["lr"] and 1e-6 <= found["suggestion"] <= 10
    assert len(found["lr"]) == len(found["loss"]) > 5


def test_a_loss_that_is_nan_ends_training_and_names_the_weight(capsys):
    x, _ = data()
    model = small("linear", "mse", rate=1e30, metrics=())
    history = model.fit(x, np.ones((20, 3), np.float32), epochs=50, verbose=2)
    assert len(history.epoch) < 50
    assert history.stopped.endswith(
        "the first weight that is none either is dense.kernel. Try a lower learning rate "
        "(model.find_lr suggests one) or clipnorm=1.0"
    )
    assert f"stopped: {history.stopped}" in capsys.readouterr().err


def test_ctrl_c_keeps_the_history(capsys):
    def interrupt(epoch, logs):
        if epoch == 1:
            raise KeyboardInterrupt

    hook = st.hooks.LambdaCallback(on_epoch_begin=interrupt)
    model = small()
    history = model.fit(*data(), epochs=5, callbacks=[hook], verbose=0)
    assert history.stopped == "interrupted" and history.epoch == [0]
    assert "stopped by Ctrl-C" in capsys.readouterr().err


def test_ctrl_c_within_an_epoch_keeps_the_weights_so_far(monkeypatch):
    def interrupt(show):
        raise KeyboardInterrupt

    model = small()
    before = weights(model)
    monkeypatch.setattr("striate.engine.progress.Silence.wants", interrupt)
    assert model.fit(*data(4000), verbose=0).stopped == "interrupted"
    assert not same(weights(model), before)


def test_one_seed_gives_the_same_bytes(mnist_small):
    (x, y), _ = mnist_small
    results = []
    for _ in range(2):
        model = images()
        history = model.fit(x[:200], y[:200], epochs=2, validation_split=0.1, verbose=0)
        results.append((weights(model), history.history))
    assert same(results[0][0], results[1][0]) and results[0][1] == results[1][1]


def test_a_torch_module_trains():
    st.seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    before = net[0].weight.detach().clone()
    model = st.Model.from_torch(net, (4,))
    model.compile("adam", "crossentropy", metrics=["accuracy"])
    history = model.fit(*data(), epochs=10, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert not torch.equal(before, net[0].weight)


def test_a_subclass_trains_without_known_shapes():
    class Net(st.Model):
        def __init__(self):
            super().__init__()
            self.first, self.last = L.Dense(8, activation="relu"), L.Dense(3, activation="softmax")

        def forward(self, x):
            return self.last(self.first(x))

    st.seed(0)
    model = Net()
    model.compile("adam", "crossentropy", metrics=["accuracy"])
    history = model.fit(*data(), epochs=10, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]


def test_training_without_compile():
    model = st.Sequential([L.Input((4,)), L.Dense(3)])
    rows = (
        "\n  need  compile before fit and evaluate\n"
        '  fix   model.compile(optimizer="adam", loss="crossentropy", metrics=["accuracy"])'
    )
    with pytest.raises(TrainingError) as error:
        model.fit(*data(), verbose=0)
    assert str(error.value) == f"{model.where}: cannot be trained: it has no loss{rows}"
    with pytest.raises(TrainingError) as error:
        model.evaluate(*data(), verbose=0)
    assert str(error.value) == f"{model.where}: cannot be evaluated: it has no loss{rows}"


def test_a_misspelt_setting():
    with pytest.raises(ConfigError) as error:
        small().fit(*data(), batch_size=0)
    assert str(error.value) == (
        "fit: batch_size=0 cannot work\n  got   batch_size=0\n"
        "  need  a whole number, batch_size >= 1\n  fix   batch_size=32"
    )


def test_the_history_says_where_the_time_went():
    class Slow(st.hooks.Hook):
        def on_epoch_end(self, epoch, logs=None):
            time.sleep(0.02)

    model = st.Sequential([st.layers.Input((4,)), st.layers.Dense(2)])
    model.compile(loss="mse")
    x, y = np.zeros((8, 4), np.float32), np.zeros((8, 2), np.float32)
    began = time.perf_counter()
    spent = model.fit(x, y, epochs=2, verbose=0, callbacks=[Slow()], validation_data=(x, y)).spent
    assert list(spent) == ["data", "steps", "validation", "hooks"]
    assert spent["hooks"] >= 0.04 and min(spent.values()) > 0
    assert sum(spent.values()) <= time.perf_counter() - began
