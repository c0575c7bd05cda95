"""What is found in data and settings before the first step, in whole messages."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import striate as st
from striate import layers as L
from striate.core.symbol import Input
from striate.data import check, labels
from striate.data.feed import Batch, feed
from striate.errors import ConfigError, DataError, StriateError


def model(loss="crossentropy", units=3, activation="softmax"):
    made = st.Sequential([L.Input((4,)), L.Dense(units, activation=activation)])
    made.compile("sgd", loss)
    return made


X = np.zeros((6, 4), np.float32)
Y = np.array([0, 1, 2, 0, 1, 2])


def message(made, *args, **kwargs):
    with pytest.raises(StriateError) as error:
        made.fit(*args, verbose=0, **kwargs)
    return str(error.value)


def test_good_labels_of_every_kind():
    for y in (Y, Y.astype(np.float32), Y[:, None], Y.astype(np.uint8), np.eye(3)[Y], Y.tolist()):
        assert np.isfinite(model().fit(X, y, verbose=0).history["loss"][0])
    binary = model("binary_crossentropy", 1, "sigmoid")
    for y in (Y > 0, (Y > 0)[:, None], (Y > 0).astype(np.float32)):
        assert np.isfinite(binary.fit(X, y, verbose=0).history["loss"][0])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"batch_size": 1.5},
            "fit: batch_size=1.5 cannot work\n  got   batch_size=1.5\n"
            "  need  a whole number, batch_size >= 1\n  fix   batch_size=32",
        ),
        (
            {"epochs": -1},
            "fit: epochs=-1 cannot work\n  got   epochs=-1\n"
            "  need  a whole number, epochs >= 0\n  fix   epochs=1",
        ),
        (
            {"validation_split": 1.0},
            "fit: validation_split=1.0 cannot work\n  got   validation_split=1.0\n"
            "  need  a number, 0 <= validation_split < 1\n  fix   validation_split=0.1",
        ),
        (
            {"steps_per_epoch": 0},
            "fit: steps_per_epoch=0 cannot work\n  got   steps_per_epoch=0\n"
            "  need  a whole number, steps_per_epoch >= 1\n"
            "  fix   give steps_per_epoch a whole number of at least 1",
        ),
    ],
)
def test_settings(given, said):
    assert message(model(), X, Y, **given) == said


def test_no_samples():
    assert message(model(), X[:0], Y[:0]) == (
        "x: holds no samples\n  need  at least one\n"
        "  fix   arrays with samples, or a smaller validation_split"
    )
    assert message(model(), X, Y, validation_data=(X[:0], Y[:0])) == (
        "validation x: holds no samples\n  need  at least one"
    )


def test_no_targets():
    assert message(model(), X) == (
        "y: is missing\n  need  targets for every sample\n  fix   model.fit(x, y)"
    )


def test_rows():
    assert message(model(), X, Y[:5]) == (
        "y: has another number of samples than x\n  got   5 rows\n  need  6 rows\n"
        "  fix   one for each sample, in the order of x"
    )
    assert message(model(), X, Y, sample_weight=np.ones(7)) == (
        "sample_weight: has another number of samples than x\n  got   7 rows\n  need  6 rows\n"
        "  fix   one for each sample, in the order of x"
    )
    assert message(model(), X, Y, validation_data=(X, Y[:2])) == (
        "validation y: has another number of samples than x\n  got   2 rows\n  need  6 rows\n"
        "  fix   one for each sample, in the order of x"
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none(bad):
    x = np.zeros((5000, 4), np.float32)
    x[4321, 2] = bad
    assert message(model(), x, np.zeros(5000, int)) == (
        "x: sample 4321 holds NaN or infinity\n"
        "  need  finite numbers\n"
        "  fix   leave it out: np.delete(x, 4321, 0), np.delete(y, 4321, 0)"
    )
    y = np.zeros((6, 3), np.float32)
    y[2] = bad
    assert message(model("mse"), X, Y[:, None] * y, validation_data=None) == (
        "y: sample 2 holds NaN or infinity\n  need  finite numbers\n"
        "  fix   leave it out: np.delete(x, 2, 0), np.delete(y, 2, 0)"
    )


def test_infinities_that_cancel_are_found():
    x = X.copy()
    x[3, 0], x[4, 0] = np.inf, -np.inf
    assert "sample 3 holds" in message(model(), x, Y)


def test_an_array_for_each_output():
    assert message(model(), X, [np.eye(3)[Y], np.eye(3)[Y]]) == (
        "y: the model has 1 output\n  got   2 arrays\n  fix   one array of targets for each output"
    )


def test_labels_out_of_range():
    assert message(model(), X, np.array([0, 1, 7, 0, 1, 2])) == (
        "y: label 7 at index 2, but the model has 3 outputs\n"
        "  got   labels from 0 to 7\n  need  labels from 0 to 2\n"
        "  fix   Dense(8), or other labels"
    )
    assert message(model(), X, Y - 1) == (
        "y: label -1 at index 0, but the model has 3 outputs\n"
        "  got   labels from -1 to 1\n  need  labels from 0 to 2\n"
        "  fix   leave the samples without a class out: x[y >= 0], y[y >= 0]"
    )


def test_labels_that_begin_at_one():
    assert message(model(), X, Y + 1) == (
        "y: label 3 at index 2, but the model has 3 outputs\n"
        "  got   labels from 1 to 3\n  need  labels from 0 to 2\n"
        "  fix   the labels begin at 1: y - 1"
    )


def test_labels_that_are_not_whole():
    assert message(model(), X, np.array([0, 1, 2, 0.5, 1, 2])) == (
        "y: labels are not whole numbers\n"
        "  got   label 0.5 at index 3\n"
        "  need  class numbers 0 to 2, or one-hot rows\n"
        '  fix   y.round(), or loss="mse" for numbers that are no classes'
    )


def test_class_numbers_for_a_loss_of_one_hot_rows():
    assert message(model("categorical_crossentropy"), X, Y) == (
        "y: holds class numbers, but this loss takes one-hot rows\n"
        "  got   shape (6,)\n  need  shape (N, 3)\n"
        '  fix   loss="crossentropy", which takes both'
    )


def test_one_hot_rows_of_another_width():
    assert message(model(), X, np.eye(4)[Y]) == (
        "y: the one-hot rows have another width than the model's output\n"
        "  got   4 columns\n  need  3 columns\n"
        '  fix   Dense(4, activation="softmax")'
    )


def test_rows_that_are_no_distribution():
    y = np.eye(3)[Y]
    y[4] = [1, 1, 0]
    assert message(model(), X, y) == (
        "y: a row is not a distribution over the classes\n"
        "  got   row 4 sums to 2\n  need  rows that sum to 1\n"
        '  fix   Dense(3, activation="sigmoid") and loss="binary_crossentropy", '
        "or one class for each sample"
    )


def test_one_unit_tells_no_classes_apart():
    with pytest.raises(ConfigError) as error:
        labels.labels("y", torch.zeros(4), (1,), "sparse_categorical_crossentropy")
    assert str(error.value) == (
        'loss="sparse_categorical_crossentropy": the model\'s last layer has one unit, '
        "which can tell no classes apart\n"
        "  got   output (1,)\n  need  one unit for each class\n"
        '  fix   Dense(2, activation="softmax"), or loss="binary_crossentropy" with a sigmoid'
    )


def test_labels_of_an_output_of_unknown_width_are_taken_as_they_are():
    y = torch.tensor([5, -9])
    with pytest.raises(DataError):
        labels.labels("y", y, (3,), "crossentropy")
    labels.labels("y", y, (None,), "crossentropy")


def test_labels_for_each_place():
    y = torch.zeros(2, 5, 5, dtype=torch.int64)
    labels.labels("y", y, (5, 5, 3), "crossentropy")
    y[1, 2, 3] = 4
    with pytest.raises(DataError) as error:
        labels.labels("y", y, (5, 5, 3), "crossentropy")
    assert str(error.value) == (
        "y: label 4 at index 1, but the model has 3 outputs\n"
        "  got   labels from 0 to 4\n  need  labels from 0 to 2\n"
        "  fix   Dense(5), or other labels"
    )


def test_targets_of_another_shape():
    assert message(model("mse"), X, np.zeros((6, 2))) == (
        "y: the targets have another shape than the model's output\n"
        "  got   (6, 2)\n  need  (N, 3)\n"
        "  fix   mean_squared_error compares element by element"
    )
    assert message(model("mse"), X, Y) == (
        "y: the targets have another shape than the model's output\n"
        "  got   (6,)\n  need  (N, 3)\n"
        '  fix   loss="crossentropy" for class numbers'
    )


def test_class_weights_that_cannot_work():
    for given, number, weight in (({3: 1.0}, 3, 1.0), ({-1: 1.0}, -1, 1.0), ({0: -2.0}, 0, -2.0)):
        assert message(model(), X, Y, class_weight=given) == (
            f"class_weight: class {number} with weight {weight} cannot work\n"
            "  need  classes 0 to 2, weights >= 0\n"
            "  fix   class_weight={0: 1.0, 1: 2.0}"
        )


def test_class_weights_that_are_no_dictionary():
    assert message(model(), X, Y, class_weight="balanced") == (
        "class_weight: a str does not give each class a weight\n"
        "  got   class_weight='balanced'\n"
        "  need  a dictionary: the class number, its weight\n"
        "  fix   class_weight={0: 1.0, 1: 2.0}"
    )


def test_class_weights_multiply_sample_weights():
    weigh = labels.class_weights({0: 0.5, 1: 3.0}, [Input((1,))])
    batch = Batch((torch.zeros(3, 1),), (torch.tensor([0.0, 1.0, 1.0])[:, None],))
    assert weigh(batch).weight.tolist() == [0.5, 3.0, 3.0]
    batch = Batch(batch.x, batch.y, torch.tensor([2.0, 1.0, 0.0]))
    assert weigh(batch).weight.tolist() == [1.0, 3.0, 0.0]
    assert labels.class_weights(None, [Input((3,))])(batch) is batch


def test_large_inputs_are_said_once(capsys):
    big = np.arange(24, dtype=np.uint8).reshape(6, 4) + np.uint8(232)
    said = (
        "note: the input's values reach 255; networks learn from values near 1: "
        "begin with L.Rescaling(1 / 255)\n"
    )
    model().fit(big, Y, verbose=2)
    assert capsys.readouterr().err.startswith(said)
    model().fit(big, Y, verbose=0)
    scaled = st.Sequential([L.Input((4,)), L.Rescaling(1 / 255), L.Dense(3, activation="softmax")])
    scaled.compile("sgd", "crossentropy")
    scaled.fit(big, Y, verbose=2)
    model().fit(big / np.float32(255), Y, verbose=2)
    assert "note" not in capsys.readouterr().err


def test_arrays_are_checked_against_every_input():
    a, b = L.Input((2,)), L.Input((3,))
    made = st.Model([a, b], L.Dense(1)(L.Concatenate()([a, b])))
    made.compile("sgd", "mse")
    with pytest.raises(DataError) as error:
        made.fit([np.zeros((4, 2)), np.zeros((5, 3))], np.zeros(4), verbose=0)
    assert str(error.value) == (
        "x: has another number of samples than x\n  got   5 rows\n  need  4 rows"
    )
    arrays = feed([np.zeros((4, 2)), np.zeros((4, 3))], np.zeros(4))
    check.batch("m", made.graph, made.setup.losses, arrays.all())


def test_batches_of_an_iterable_are_checked_like_arrays_the_first_and_every_later_one():
    good = (X, Y)
    for bad, said in (
        ((X, Y + 1), message(model(), X, Y + 1)),
        ((X, Y[:5]), message(model(), X, Y[:5])),
        ((X[:, :3], Y), None),
        ((X, Y, np.ones(7)), message(model(), X, Y, sample_weight=np.ones(7))),
        ((np.full((6, 4), np.nan, np.float32), Y), None),
    ):
        said = said or message(model(), *bad)
        assert message(model(), [bad]) == said
        assert message(model(), [good, bad]) == said
        validation = message(model(), X, Y, validation_data=[bad, good])
        assert validation.removeprefix("validation ") == said


def test_looking_at_validation_batches_changes_no_random_number():
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)), 3, shuffle=True
    )
    states = []
    for valid in (loader, (X, Y)):
        st.seed(3)
        made = model()
        made.fit(X, Y, validation_data=valid, epochs=0, verbose=0)
        states.append(torch.random.get_rng_state())
    assert torch.equal(*states)


class Deep(torch.nn.Module):
    """Normalizes inside a block, where one sample has one value for a channel."""

    def __init__(self):
        super().__init__()
        self.block = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))

    def forward(self, x):
        return self.block(x) if float(x.sum()) < 1e9 else x


@pytest.mark.parametrize("module", [Deep(), Deep().block])
def test_a_last_batch_of_one_sample_for_a_torch_module(module):
    made = st.Model.from_torch(module, (4,))
    made.compile("sgd", "crossentropy")
    assert np.isfinite(made.evaluate(X, Y, batch_size=5, verbose=0))
    name = next(n for n, m in made.named_modules() if isinstance(m, torch.nn.BatchNorm1d))
    assert message(made, X, Y, batch_size=5) == (
        f"batch_size: leaves one sample for the last batch, too few for {name} (BatchNorm1d)\n"
        "  got   6 samples in batches of 5\n"
        "  need  2 samples in every batch\n"
        "  math  6 % 5 = 1\n"
        "  fix   batch_size=6"
    )
    assert message(made, [(X, Y), (X[:1], Y[:1])]) == (
        f"batch_size: leaves one sample for the last batch, too few for {name} (BatchNorm1d)\n"
        "  need  2 samples in every batch\n"
        "  fix   drop_last=True, or another batch_size"
    )
    assert message(made, X[:1], Y[:1]).endswith("\n  fix   more samples")
    assert np.isfinite(made.fit(X, Y, batch_size=4, verbose=0).history["loss"][0])
