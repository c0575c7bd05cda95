import json
from pathlib import Path

import numpy as np
import pytest
import torch
from cases import told
from torch import nn

from striate import losses

GOLDEN = json.loads((Path(__file__).parent / "golden" / "keras_losses.json").read_text())["cases"]
LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0]])
LABELS = torch.tensor([2, 1])
ONEHOT = torch.tensor([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])


def named(case):
    return f"{case['loss']}({case['kwargs']}) {np.shape(case['y_true'])}"


@pytest.mark.parametrize("case", GOLDEN, ids=named)
def test_values_are_those_of_keras(case):
    loss = losses.get({"name": case["loss"], **case["kwargs"]})
    y_true = torch.tensor(case["y_true"], dtype=getattr(torch, case["labels"]))
    y_pred = torch.tensor(case["y_pred"])
    weight = torch.tensor(case["sample_weight"])
    close = {"rtol": 1e-6, "atol": 1e-6}
    expected = torch.tensor(case["per_sample"])
    if expected.ndim and len(expected) == len(y_pred):
        torch.testing.assert_close(loss.per_sample(y_true, y_pred), expected, **close)
    torch.testing.assert_close(loss(y_true, y_pred), torch.tensor(case["mean"]), **close)
    weighted = torch.tensor(case["weighted"])
    torch.testing.assert_close(loss(y_true, y_pred, weight), weighted, **close)
    torch.testing.assert_close(loss(y_true, y_pred, weight[:, None]), weighted, **close)


def test_every_loss_has_golden_values():
    ours = {made.__name__ for made in losses.NAMES.values()} - {"Crossentropy"}
    assert ours == {case["loss"] for case in GOLDEN}


def test_crossentropy_is_the_loss_that_fits_the_labels():
    dense, sparse = losses.CategoricalCrossentropy, losses.SparseCategoricalCrossentropy
    either = losses.Crossentropy(from_logits=True)
    expected = sparse(from_logits=True).per_sample(LABELS, LOGITS)
    for labels in (LABELS, LABELS[:, None], LABELS.int(), LABELS.float(), ONEHOT, ONEHOT.long()):
        torch.testing.assert_close(either.per_sample(labels, LOGITS), expected)
    smooth = losses.Crossentropy(True, label_smoothing=0.3)
    expected = dense(True, label_smoothing=0.3).per_sample(ONEHOT, LOGITS)
    torch.testing.assert_close(smooth.per_sample(ONEHOT, LOGITS), expected)
    torch.testing.assert_close(smooth.per_sample(LABELS, LOGITS), expected)


def test_crossentropy_learns_from_the_model_what_its_outputs_are():
    given = losses.get("crossentropy")
    assert given.resolve("softmax", (3,)) == losses.Crossentropy(False)
    assert given.resolve("", (3,)) == losses.Crossentropy(True)
    assert given.resolve("log_softmax", (8, 8, 3)) == losses.Crossentropy(True)
    assert given.resolve("sparsemax", (3,)) == losses.Crossentropy(False)
    assert given.resolve(losses.UNKNOWN, (3,)) == losses.Crossentropy(True)
    assert losses.Crossentropy(True).resolve("relu", (3,)) == losses.Crossentropy(True)
    assert given.resolve("sigmoid", (1,)) == losses.BinaryCrossentropy(False)
    assert given.resolve("", (1,)) == losses.BinaryCrossentropy(True)
    assert losses.get("bce").resolve("sigmoid", (1,)) == losses.BinaryCrossentropy()
    assert losses.Crossentropy(True).resolve("sigmoid", (3,)) == losses.Crossentropy(True)
    assert losses.get("mse").resolve("softmax", (3,)) == losses.MeanSquaredError()


def test_crossentropy_of_one_output_is_binary():
    yes = torch.tensor([1, 0])
    for labels, logits in (
        (yes, LOGITS[:, :1]),
        (yes[:, None], LOGITS[:, :1]),
        (yes, LOGITS[:, 0]),
    ):
        expected = losses.BinaryCrossentropy(True).per_sample(labels, logits)
        torch.testing.assert_close(losses.Crossentropy(True).per_sample(labels, logits), expected)
        assert (expected > 0).all()


def test_losses_that_take_logits_give_the_same_from_them():
    probabilities = LOGITS.softmax(-1)
    for name in ("categorical_crossentropy", "crossentropy"):
        given = losses.get(name).resolve("softmax", (3,))
        logits = given.takes_logits("softmax")
        assert given.takes_logits("sigmoid") is None
        assert logits.takes_logits("softmax") is None
        torch.testing.assert_close(logits(ONEHOT, LOGITS), given(ONEHOT, probabilities))
    sparse = losses.get("sparse_categorical_crossentropy")
    logits = sparse.takes_logits("softmax")
    torch.testing.assert_close(logits(LABELS, LOGITS), sparse(LABELS, probabilities))
    binary = losses.get("bce")
    logits = binary.takes_logits("sigmoid")
    assert binary.takes_logits("softmax") is None
    torch.testing.assert_close(logits(ONEHOT, LOGITS), binary(ONEHOT, LOGITS.sigmoid()))
    assert losses.get("mse").takes_logits("softmax") is None


def test_gradients_of_huge_logits_are_finite():
    for name in ("crossentropy", "bce", "categorical_crossentropy"):
        given = losses.get({"name": name, "from_logits": True})
        logits = (1e4 * LOGITS).requires_grad_()
        loss = given(ONEHOT, logits)
        loss.backward()
        assert loss.isfinite()
        assert logits.grad.isfinite().all()
        assert logits.grad.abs().sum() > 0


def test_half_precision_is_computed_in_float32():
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)(LABELS, LOGITS.bfloat16())
    assert loss.dtype == torch.float32


def test_names_in_any_spelling():
    assert losses.get("MeanSquaredError") == losses.get("mean_squared_error") == losses.get("MSE")
    assert losses.get(losses.Huber) == losses.Huber() == losses.get("huber")
    assert losses.get({"name": "huber", "delta": 2}) == losses.Huber(2)
    assert losses.get(losses.Huber(3).get_config()) == losses.Huber(3)


def test_a_loss_knows_the_name_that_keras_gives_it():
    assert losses.get("mse").name == "mean_squared_error"
    assert losses.get("bce").name == "binary_crossentropy"
    assert losses.KLDivergence().name == "kl_divergence"
    assert losses.get(nn.MSELoss()).name == "MSELoss"
    assert losses.get(nn.functional.mse_loss).name == "mse_loss"


def test_any_function_is_a_loss():
    weight = torch.tensor([1.0, 3.0])
    squares = losses.get(lambda y_true, y_pred: (y_true - y_pred) ** 2)
    mse = losses.MeanSquaredError()
    torch.testing.assert_close(squares(ONEHOT, LOGITS), mse(ONEHOT, LOGITS))
    torch.testing.assert_close(squares(ONEHOT, LOGITS, weight), mse(ONEHOT, LOGITS, weight))
    worst = losses.get(lambda y_true, y_pred: (y_true - y_pred).abs().max())
    assert worst(ONEHOT, LOGITS) == 2
    assert worst.per_sample(ONEHOT, LOGITS).tolist() == [2, 2]


def test_a_loss_of_torch_is_called_as_torch_does():
    ours = losses.SparseCategoricalCrossentropy(from_logits=True)
    theirs = losses.get(nn.CrossEntropyLoss())
    torch.testing.assert_close(theirs(LABELS, LOGITS), ours(LABELS, LOGITS))


@pytest.mark.parametrize("label", [-100, -1, 3])
def test_no_label_is_left_out(label):
    shown = "0 to 2, for 3 outputs"
    for name in ("Crossentropy", "SparseCategoricalCrossentropy"):
        given = losses.get({"name": name, "from_logits": True})
        assert told(lambda given=given: given(torch.tensor([0, label]), LOGITS)) == (
            f"{name}: a label is not one of the classes\n"
            f"  got   label {label}\n"
            f"  need  {shown}\n"
            "  fix   count classes from 0, or give the last layer one output for each class"
        )


def test_message_unknown_name():
    assert told(lambda: losses.get("crossentropi")) == (
        "losses: unknown loss 'crossentropi'\n"
        "  need  one of bce, binary_crossentropy, categorical_crossentropy, categorical_hinge, "
        "cosine_similarity, crossentropy, hinge, huber, kl_divergence, kld, log_cosh, mae, mape, "
        "mean_absolute_error, mean_absolute_percentage_error, mean_squared_error, "
        "mean_squared_logarithmic_error, mse, msle, poisson, sparse_categorical_crossentropy, "
        "squared_hinge\n"
        '  fix   did you mean "crossentropy"?'
    )


def test_message_not_a_loss():
    assert told(lambda: losses.get(3)) == (
        "losses: a loss is a name or a function of (y_true, y_pred)\n"
        "  got   3\n"
        "  need  one of crossentropy, categorical_crossentropy, sparse_categorical_crossentropy, "
        "binary_crossentropy, bce, mean_squared_error, mse, mean_absolute_error, mae, "
        "mean_absolute_percentage_error, mape, mean_squared_logarithmic_error, msle, huber, "
        "log_cosh, kl_divergence, kld, poisson, hinge, squared_hinge, categorical_hinge, "
        "cosine_similarity, or a callable\n"
        '  fix   "crossentropy"'
    )


def test_message_options():
    assert told(lambda: losses.Huber(0)) == (
        "Huber: delta=0 cannot work\n"
        "  got   delta=0\n"
        "  need  a number, delta > 0\n"
        "  fix   delta=1.0"
    )
    assert told(lambda: losses.BinaryCrossentropy(label_smoothing=2)) == (
        "BinaryCrossentropy: label_smoothing=2 cannot work\n"
        "  got   label_smoothing=2\n"
        "  need  a number, 0 <= label_smoothing <= 1\n"
        "  fix   label_smoothing=0.0"
    )
    assert told(lambda: losses.CategoricalCrossentropy("softmax")) == (
        "CategoricalCrossentropy: from_logits='softmax' is not known\n"
        "  got   from_logits='softmax'\n"
        "  need  from_logits one of False, True\n"
        "  fix   from_logits=False"
    )


def test_message_integer_labels_for_an_elementwise_loss():
    assert told(lambda: losses.get("categorical_crossentropy")(LABELS, LOGITS)) == (
        "CategoricalCrossentropy: y_true and y_pred have different shapes\n"
        "  got   y_true (2,), y_pred (2, 3)\n"
        "  need  y_true (2, 3)\n"
        '  fix   one-hot labels, or "crossentropy" and "accuracy", which take integers'
    )


def test_message_other_shapes():
    assert told(lambda: losses.get("mse")(torch.zeros(2, 4), LOGITS)) == (
        "MeanSquaredError: y_true and y_pred have different shapes\n"
        "  got   y_true (2, 4), y_pred (2, 3)\n"
        "  need  y_true (2, 3)"
    )
    assert told(lambda: losses.Crossentropy(True)(torch.zeros(2, 4), LOGITS)) == (
        "Crossentropy: the labels do not fit the outputs\n"
        "  got   y_true (2, 4), y_pred (2, 3)\n"
        "  need  integers y_true (2,)"
    )


def test_message_one_hot_labels_for_the_sparse_loss():
    assert told(lambda: losses.get("sparse_categorical_crossentropy")(ONEHOT, LOGITS)) == (
        "SparseCategoricalCrossentropy: the labels do not fit the outputs\n"
        "  got   y_true (2, 3), y_pred (2, 3)\n"
        "  need  integers y_true (2,)\n"
        '  fix   y_true.argmax(-1), or "crossentropy" and "accuracy", which take one-hot labels'
    )


def test_message_sample_weight():
    assert told(lambda: losses.get("mse")(ONEHOT, LOGITS, torch.ones(3))) == (
        "MeanSquaredError: the sample weights do not fit the batch\n"
        "  got   sample_weight (3,) for 2 samples\n"
        "  need  sample_weight (2,)\n"
        "  fix   one weight for each sample"
    )


def test_message_crossentropy_that_does_not_know_the_outputs():
    assert told(lambda: losses.get("crossentropy")(LABELS, LOGITS)) == (
        "Crossentropy: it is not known whether the outputs are logits\n"
        "  got   from_logits=None\n"
        "  need  from_logits=True for logits, False for probabilities\n"
        '  fix   model.compile(loss="crossentropy"), which sees how the model ends'
    )


def test_message_softmax_applied_twice():
    for loss in (
        losses.Crossentropy(from_logits=True),
        losses.CategoricalCrossentropy(from_logits=True),
        losses.SparseCategoricalCrossentropy(from_logits=True),
    ):
        assert told(lambda loss=loss: loss.resolve("softmax", (10,))) == (
            f"{type(loss).__name__}: softmax would be applied twice, by the model and by the loss\n"
            "  got   from_logits=True for a model that ends in softmax\n"
            "  need  one of the two\n"
            "  fix   from_logits=False"
        )
        assert loss.resolve("", (10,)) == loss
    for loss in (
        losses.Crossentropy(from_logits=True),
        losses.BinaryCrossentropy(from_logits=True),
    ):
        assert told(lambda loss=loss: loss.resolve("sigmoid", (1,))) == (
            "BinaryCrossentropy: sigmoid would be applied twice, by the model and by the loss\n"
            "  got   from_logits=True for a model that ends in sigmoid\n"
            "  need  one of the two\n"
            "  fix   from_logits=False"
        )


def test_message_outputs_that_are_neither_probabilities_nor_logits():
    assert told(lambda: losses.get("crossentropy").resolve("relu", (3,))) == (
        "Crossentropy: takes probabilities or logits, and the model gives neither\n"
        "  got   a model that ends in relu\n"
        "  need  softmax, sigmoid or no activation at the end\n"
        "  fix   leave the last activation out, or losses.Crossentropy(from_logits=True)"
    )
    for name in ("CategoricalCrossentropy", "SparseCategoricalCrossentropy"):
        assert told(lambda name=name: losses.get(name).resolve("tanh", (3,))) == (
            f"{name}: takes probabilities, which the model does not give\n"
            "  got   from_logits=False for a model that ends in tanh\n"
            "  need  outputs of softmax, or a loss of logits\n"
            '  fix   activation="softmax" in the last layer'
        )
    assert told(lambda: losses.get("bce").resolve("", (1,))) == (
        "BinaryCrossentropy: takes probabilities, which the model does not give\n"
        "  got   from_logits=False for a model that ends without an activation\n"
        "  need  outputs of sigmoid, or a loss of logits\n"
        '  fix   activation="sigmoid" in the last layer, or loss="crossentropy", '
        "which takes logits too"
    )


def test_message_softmax_over_one_output():
    for name in ("Crossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy"):
        assert told(lambda name=name: losses.get(name).resolve("softmax", (1,))) == (
            f"{name}: one output is always the most probable, so there is nothing to learn\n"
            "  got   output (1,)\n"
            "  need  one output with sigmoid, or one for each class with softmax\n"
            '  fix   L.Dense(1, activation="sigmoid") and loss="binary_crossentropy"'
        )


def test_message_function_that_returns_something_else():
    def first_row(y_true, y_pred):
        return (y_true - y_pred).mean(0)

    def words(y_true, y_pred):
        return "good"

    assert told(lambda: losses.get(first_row)(ONEHOT, LOGITS)) == (
        "first_row: does not return losses\n"
        "  got   a tensor (3,)\n"
        "  need  a tensor () or (2,)\n"
        "  fix   reduce all axes but the first: loss.flatten(1).mean(1)"
    )
    assert told(lambda: losses.get(words)(ONEHOT, LOGITS)) == (
        "words: does not return losses\n  got   'good'\n  need  a tensor () or (2,)"
    )


def test_message_weights_for_a_function_of_the_batch():
    given = losses.get(nn.MSELoss())
    assert told(lambda: given(ONEHOT, LOGITS, torch.ones(2))) == (
        "MSELoss: returns one number for the batch, so its samples cannot be weighted\n"
        "  need  one number for each sample\n"
        '  fix   reduction="none"'
    )
