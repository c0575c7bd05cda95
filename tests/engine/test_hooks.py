"""Hooks: when they are called, what they do to training, and what they say of misuse."""

from __future__ import annotations

import ast
import csv
import sys

import numpy as np
import pytest
import torch

import striate as st
from striate import hooks, layers as L
from striate.engine.hooks import MOMENTS, current_rate
from striate.errors import ConfigError, MissingExtra
from striate.optimizers import SGD


def data(samples=12):
    rng = np.random.default_rng(0)
    return rng.normal(size=(samples, 4)).astype(np.float32), rng.integers(0, 3, samples)


def fit(callbacks, epochs=5, rate=0.1, model=None, **kwargs):
    if model is None:
        st.seed(0)
        model = st.Sequential([L.Input((4,)), L.Dense(3, activation="softmax")])
        model.compile(SGD(rate), "crossentropy", metrics=["accuracy"])
    x, y = data()
    kwargs.setdefault("validation_data", (x, y))
    history = model.fit(x, y, epochs=epochs, batch_size=6, verbose=0, callbacks=callbacks, **kwargs)
    return model, history


class Forced(hooks.Hook):
    """Puts numbers of the test's choice where the next hook looks."""

    def __init__(self, values, name="val_loss"):
        self.values, self.name = values, name

    def on_epoch_end(self, epoch, logs=None):
        logs[self.name] = self.values[epoch]


class Weights(hooks.Hook):
    """Keeps the weights of each epoch."""

    def on_train_begin(self, logs=None):
        self.kept = []

    def on_epoch_end(self, epoch, logs=None):
        self.kept.append(self.model.layers[-1].kernel.detach().clone())


def test_moments_come_in_order():
    said = []

    def note(name):
        return lambda *args: said.append((name.removeprefix("on_"), *args[:-1]))

    fit([hooks.LambdaCallback(**{name: note(name) for name in MOMENTS})], epochs=2)
    epoch = [
        ("train_batch_begin", 0),
        ("train_batch_end", 0),
        ("train_batch_begin", 1),
        ("train_batch_end", 1),
    ]
    assert said == [
        ("train_begin",),
        *(("epoch_begin", 0), *epoch, ("epoch_end", 0)),
        *(("epoch_begin", 1), *epoch, ("epoch_end", 1)),
        ("train_end",),
    ]


def test_a_hook_knows_the_model_and_the_run():
    class Look(hooks.Hook):
        def on_train_begin(self, logs=None):
            self.found = (self.model, dict(self.params))

    look = Look()
    model, _ = fit([look], epochs=3)
    assert look.found[0] is model
    assert look.found[1] == {"epochs": 3, "steps": 2, "verbose": 0, "validates": True}


def test_a_misspelt_moment():
    with pytest.raises(ConfigError) as error:

        class Wrong(hooks.Hook):
            def on_epoch_ends(self, epoch, logs=None):
                pass

    assert str(error.value) == (
        "Wrong: there is no moment 'on_epoch_ends'\n"
        "  need  one of on_train_begin, on_train_end, on_epoch_begin, on_epoch_end, "
        "on_train_batch_begin, on_train_batch_end\n"
        '  fix   did you mean "on_epoch_end"?'
    )


def test_a_misspelt_moment_of_lambda_callback():
    with pytest.raises(ConfigError) as error:
        hooks.LambdaCallback(on_epoch_ends=print)
    assert str(error.value) == (
        "LambdaCallback: moment='on_epoch_ends' is not known\n"
        "  need  moment one of 'on_train_begin', 'on_train_end', 'on_epoch_begin', 'on_epoch_end', "
        "'on_train_batch_begin', 'on_train_batch_end'\n"
        '  fix   did you mean "on_epoch_end"?'
    )


def test_what_is_not_a_hook():
    with pytest.raises(ConfigError) as error:
        fit([3])
    assert str(error.value) == (
        "callbacks: 3 is not a hook\n"
        "  need  an object with on_epoch_end and the other moments\n"
        "  fix   subclass st.hooks.Hook"
    )
    with pytest.raises(ConfigError) as error:
        fit([hooks.EarlyStopping])
    assert str(error.value) == (
        "callbacks: <class 'striate.engine.hooks.stop.EarlyStopping'> is not a hook\n"
        "  need  an object with on_epoch_end and the other moments\n"
        "  fix   EarlyStopping()"
    )


def test_one_hook_needs_no_list():
    _, history = fit(hooks.EarlyStopping(patience=99), epochs=2)
    assert history.epoch == [0, 1]
    with pytest.raises(ConfigError, match="callbacks: 3 is not a hook"):
        fit(3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: hooks.EarlyStopping(patince=3),
            "EarlyStopping: there is no argument 'patince'\n"
            "  need  one of monitor, min_delta, patience, verbose, mode, baseline, "
            "restore_best_weights, start_from_epoch\n"
            '  fix   did you mean "patience"?',
        ),
        (
            lambda: hooks.EarlyStopping(restore_best_weights="no"),
            "EarlyStopping: restore_best_weights='no' is neither True nor False\n"
            "  fix   restore_best_weights=False",
        ),
        (
            lambda: hooks.EarlyStopping(monitor=["loss"]),
            "EarlyStopping: monitor=['loss'] is not a name\n"
            "  need  a text\n"
            '  fix   monitor="val_loss"',
        ),
        (
            lambda: hooks.EarlyStopping(baseline="0.5"),
            "EarlyStopping: baseline='0.5' cannot work\n"
            "  got   baseline='0.5'\n"
            "  need  a finite number\n"
            "  fix   baseline=0.5",
        ),
        (
            lambda: hooks.CSVLogger(None),
            'CSVLogger: filename=None is not a name\n  need  a text\n  fix   filename="log.csv"',
        ),
        (
            lambda: hooks.LearningRateScheduler(0.1),
            "LearningRateScheduler: schedule=0.1 is not a function\n"
            "  need  a function of the epoch, or of the epoch and the rate so far\n"
            "  fix   LearningRateScheduler(lambda epoch: 0.1 * 0.5**epoch)",
        ),
    ],
)
def test_arguments_that_cannot_work(make, message):
    with pytest.raises(ConfigError) as error:
        make()
    assert str(error.value).split("\n  at ")[0] == message


def test_verbose_hooks_say_what_they_do(tmp_path, capsys):
    path = str(tmp_path / "m{epoch}.striate")
    fit([
        Forced([3.0, 1.0, 2.0, 2.0, 2.0]),
        hooks.ModelCheckpoint(path, save_best_only=True, verbose=1),
        hooks.EarlyStopping(patience=2, restore_best_weights=True, verbose=1),
        hooks.ReduceLROnPlateau(patience=1, verbose=0),
    ])  # fmt: skip
    assert capsys.readouterr().err.splitlines() == [
        f"epoch 1: saved in {tmp_path / 'm1.striate'}",
        f"epoch 2: saved in {tmp_path / 'm2.striate'}",
        "the weights are those of epoch 2, the best",
    ]


def test_a_hook_stops_training_within_the_epoch_and_the_next_training_begins_anew():
    class Once(hooks.Hook):
        steps = 0

        def on_train_batch_end(self, batch, logs=None):
            self.steps += 1
            if self.steps == 1:
                self.stop("seen enough")

    hook = Once()
    model, history = fit([hook])
    assert (hook.steps, history.epoch, history.stopped) == (1, [0], "seen enough")
    _, history = fit([hook], model=model)
    assert (hook.steps, history.stopped) == (11, "")


def test_stop_training_of_keras():
    class Keras(hooks.Hook):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    _, history = fit([Keras()])
    assert history.epoch == [0, 1]


def test_early_stopping_restores_the_best_weights():
    watch = Weights()
    stop = hooks.EarlyStopping(patience=2, restore_best_weights=True)
    model, history = fit([watch, Forced([3.0, 1.0, 2.0, 2.0, 0.0]), stop])
    assert history.epoch == [0, 1, 2, 3]
    assert history.stopped == "val_loss has not improved for 2 epochs"
    assert stop.best_epoch == 1
    assert torch.equal(model.layers[-1].kernel, watch.kept[1])
    assert not torch.equal(watch.kept[1], watch.kept[3])


def test_early_stopping_with_a_difference_a_baseline_and_a_first_epoch():
    values = [1.0, 0.95, 0.94, 0.93, 0.92]
    _, history = fit([Forced(values), hooks.EarlyStopping(min_delta=0.1, patience=2)])
    assert history.epoch == [0, 1, 2]
    _, history = fit([Forced(values), hooks.EarlyStopping(baseline=0.5, patience=2)])
    assert history.epoch == [0, 1]
    stop = hooks.EarlyStopping(baseline=0.5, patience=1, start_from_epoch=3)
    _, history = fit([Forced(values), stop])
    assert history.epoch == [0, 1, 2, 3]


def test_accuracies_are_better_when_higher():
    stop = hooks.EarlyStopping("val_accuracy", patience=1)
    _, history = fit([Forced([0.1, 0.2, 0.3, 0.2, 0.9], "val_accuracy"), stop])
    assert history.epoch == [0, 1, 2, 3]


def test_a_number_that_is_not_there():
    with pytest.raises(ConfigError) as error:
        fit([hooks.EarlyStopping("val_acuracy")])
    assert str(error.value) == (
        "EarlyStopping: there is no number 'val_acuracy' to watch\n"
        "  need  one of loss, accuracy, val_loss, val_accuracy\n"
        '  fix   did you mean "val_accuracy"?'
    )
    with pytest.raises(ConfigError) as error:
        fit([hooks.ModelCheckpoint("m", "val_xy", save_best_only=True)], validation_data=None)
    assert str(error.value) == (
        "ModelCheckpoint: there is no number 'val_xy' to watch\n"
        "  need  one of loss, accuracy\n"
        "  fix   fit(..., validation_data=...)"
    )


def test_a_mode_that_is_not_known():
    with pytest.raises(ConfigError) as error:
        hooks.EarlyStopping(mode="mni")
    assert str(error.value) == (
        "EarlyStopping: mode='mni' is not known\n"
        "  need  mode one of 'auto', 'min', 'max'\n"
        '  fix   did you mean "min"?'
    )


def test_checkpoints_are_the_best_models(tmp_path):
    watch = Weights()
    save = hooks.ModelCheckpoint(
        tmp_path / "m-{epoch:02d}-{val_loss:.1f}.striate", save_best_only=True
    )
    fit([watch, Forced([3.0, 1.0, 2.0, 0.5, 4.0]), save])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "m-01-3.0.striate",
        "m-02-1.0.striate",
        "m-04-0.5.striate",
    ]
    model = st.load(tmp_path / "m-02-1.0.striate")
    assert torch.equal(model.layers[-1].kernel, watch.kept[1])


def test_checkpoints_of_weights(tmp_path):
    path = tmp_path / "weights.safetensors"
    model, _ = fit([hooks.ModelCheckpoint(path, save_weights_only=True)], epochs=2)
    kernel = model.layers[-1].kernel.detach().clone()
    with torch.no_grad():
        model.layers[-1].kernel.zero_()
    model.load_weights(path)
    assert torch.equal(model.layers[-1].kernel, kernel)


def test_reduce_lr_on_plateau_waits_cools_and_has_a_floor(capsys):
    rates = []
    note = hooks.LambdaCallback(on_epoch_begin=lambda e, logs: rates.append(current_rate(model)))
    st.seed(0)
    model = st.Sequential([L.Input((4,)), L.Dense(3, activation="softmax")])
    model.compile(SGD(1.0), "crossentropy")
    reduce = hooks.ReduceLROnPlateau(factor=0.1, patience=2, cooldown=2, min_lr=0.05)
    fit([note, Forced([1.0] * 9), reduce], epochs=9, model=model)
    # two epochs without improvement after the first; two of cooling, the second counts; one more
    assert rates == pytest.approx([1, 1, 1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05])
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "val_loss has not improved for 2 epochs: learning rate 0.1",
        "val_loss has not improved for 2 epochs: learning rate 0.05",
    ]


@pytest.mark.parametrize(
    ("hook", "given", "need", "fix"),
    [
        (hooks.ReduceLROnPlateau, "factor=1.5", "a number, 0 < factor < 1", "factor=0.1"),
        (hooks.ReduceLROnPlateau, "patience=-1", "a whole number, patience >= 0", "patience=10"),
        (hooks.ReduceLROnPlateau, "cooldown=0.5", "a whole number, cooldown >= 0", "cooldown=0"),
        (hooks.ReduceLROnPlateau, "min_lr=-0.1", "a number, min_lr >= 0", "min_lr=0.0"),
        (hooks.EarlyStopping, "patience='5'", "a whole number, patience >= 0", "patience=0"),
        (
            hooks.EarlyStopping,
            "start_from_epoch=-2",
            "a whole number, start_from_epoch >= 0",
            "start_from_epoch=0",
        ),
        (hooks.EarlyStopping, "min_delta=None", "a finite number", "min_delta=0.0"),
    ],
)
def test_numbers_that_cannot_work(hook, given, need, fix):
    field, _, value = given.partition("=")
    with pytest.raises(ConfigError) as error:
        hook(**{field: ast.literal_eval(value)})
    assert str(error.value) == (
        f"{hook.__name__}: {given} cannot work\n  got   {given}\n  need  {need}\n  fix   {fix}"
    )


@pytest.mark.parametrize("schedule", [lambda e: 0.5**e, lambda e, lr: 1.0 if e == 0 else lr / 2])
def test_learning_rate_scheduler(schedule, capsys):
    rates = []
    model, _ = fit(None, epochs=1, rate=1.0)
    note = hooks.LambdaCallback(
        on_train_batch_begin=lambda n, logs: rates.append(current_rate(model))
    )
    fit([hooks.LearningRateScheduler(schedule, verbose=1), note], epochs=3, model=model)
    assert rates == [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    assert capsys.readouterr().err.splitlines()[1] == "epoch 2: learning rate 0.5"


def test_an_error_within_a_schedule_is_not_hidden():
    def broken(epoch, rate):
        return None + epoch

    with pytest.raises(TypeError, match="unsupported operand"):
        fit([hooks.LearningRateScheduler(broken)])


def test_terminate_on_nan():
    _, history = fit([Forced([0.5, float("nan"), 0.5, 0.5, 0.5], "loss"), hooks.TerminateOnNaN()])
    assert history.epoch == [0, 1]
    assert history.stopped == "the loss is nan in epoch 2"


def test_csv_logger(tmp_path):
    path = tmp_path / "log.csv"
    _, history = fit([hooks.CSVLogger(path)], epochs=2)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert [float(row["loss"]) for row in rows] == history.history["loss"]
    fit([hooks.CSVLogger(path)], epochs=1)
    assert len(path.read_text().splitlines()) == 2
    fit([hooks.CSVLogger(path, append=True, separator=",")], epochs=2)
    assert len(path.read_text().splitlines()) == 4


def test_tensorboard_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtra) as error:
        fit([hooks.TensorBoard()])
    assert str(error.value) == (
        'tensorboard: is not installed\n  fix   pip install "striate[tensorboard]"'
    )


def test_tensorboard_is_given_the_numbers(monkeypatch, tmp_path):
    written = []

    class Writer:
        def __init__(self, folder):
            written.append(folder)

        def add_scalar(self, name, value, epoch):
            written.append((name, value, epoch))

        def close(self):
            written.append("closed")

    stand_in = type(sys)("torch.utils.tensorboard")
    stand_in.SummaryWriter = Writer
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", stand_in)
    _, history = fit([hooks.TensorBoard(tmp_path)], epochs=1, validation_data=None)
    assert written[0] == str(tmp_path) and written[-1] == "closed"
    assert written[1] == ("epoch_loss", history.history["loss"][0], 0)
