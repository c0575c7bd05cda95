import numpy as np
import pytest
import torch
import torchmetrics
from cases import told

from striate import losses, metrics

PRED = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.3, 0.4, 0.3], [0.2, 0.2, 0.6]])
LABELS = torch.tensor([0, 1, 1, 2])  # the second is wrong
ONEHOT = torch.eye(3)[LABELS]
YES = torch.tensor([1, 0, 1, 1])
SIGMOID = torch.tensor([[0.9], [0.6], [0.3], [0.8]])
NAMES = sorted({"accuracy", *metrics.NAMES, "mse", "crossentropy"})


def value(metric, *batches):
    metric.reset()
    for batch in batches:
        metric.update(*batch)
    return pytest.approx(float(metric.compute()))


def test_accuracy_takes_integers_and_one_hot_labels():
    metric = metrics.get("accuracy", losses.Crossentropy(False), (3,))
    for labels in (LABELS, LABELS[:, None], LABELS.int(), ONEHOT, LABELS.numpy()):
        assert value(metric, (labels, PRED)) == 0.75
    pixels = PRED.reshape(1, 2, 2, 3)
    assert value(metric, (LABELS.reshape(1, 2, 2), pixels)) == 0.75
    assert value(metric, (ONEHOT.reshape(1, 2, 2, 3), pixels)) == 0.75


def test_accuracy_of_one_output_is_binary():
    for labels in (YES, YES[:, None], YES.float()):
        assert value(metrics.get("accuracy", losses.get("bce"), (1,)), (labels, SIGMOID)) == 0.5
    assert value(metrics.get("acc"), (YES, SIGMOID[:, 0])) == 0.5


def test_accuracy_under_binary_crossentropy_counts_every_output():
    metric = metrics.get("accuracy", losses.get("bce"), (3,))
    assert value(metric, (ONEHOT, PRED)) == 9 / 12  # not the 3 / 4 of the largest outputs


def test_accuracy_of_a_logit_turns_at_zero():
    metric = metrics.get("accuracy", losses.BinaryCrossentropy(from_logits=True), (1,))
    assert value(metric, (YES, SIGMOID.logit())) == 0.5
    assert value(metric, (torch.tensor([1, 0]), torch.tensor([[0.1], [-0.1]]))) == 1


def test_accuracies_by_full_name():
    assert value(metrics.get("categorical_accuracy"), (ONEHOT, PRED)) == 0.75
    assert value(metrics.get("sparse_categorical_accuracy"), (LABELS, PRED)) == 0.75
    assert value(metrics.get("binary_accuracy"), (YES, SIGMOID)) == 0.5


def test_top_k():
    scores = torch.arange(8.0).repeat(4, 1)  # the five best are 3, 4, 5, 6, 7
    labels = torch.tensor([7, 3, 2, 0])
    for name in ("top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy", "top5"):
        assert value(metrics.get(name), (labels, scores)) == 0.5
        assert value(metrics.get(name), (torch.eye(8)[labels], scores)) == 0.5
    assert value(metrics.TopK(2), (LABELS, PRED)) == 1
    assert value(metrics.TopK(6), (labels, scores)) == 0.75
    assert value(metrics.TopK(5), (labels, torch.full((4, 8), torch.nan))) == 0


def test_means_of_losses():
    half = PRED / 2
    loss = losses.Crossentropy(False)
    assert value(metrics.get("mse"), (PRED, half)) == float(losses.get("mse")(PRED, half))
    assert value(metrics.get("mae"), (PRED, half)) == float(losses.get("mae")(PRED, half))
    metric = metrics.get("crossentropy", loss, (3,))
    assert value(metric, (LABELS, PRED)) == float(loss(LABELS, PRED))
    logits = metrics.get("crossentropy", losses.Crossentropy(True), (3,))
    assert value(logits, (LABELS, PRED.log())) == float(loss(LABELS, PRED))
    assert value(metrics.get(losses.Huber(0.1)), (PRED, half)) == float(
        losses.Huber(0.1)(PRED, half)
    )


def test_the_cosine_is_that_of_the_angle():
    true, pred = torch.tensor([[3.0, 4.0], [1.0, 0.0]]), torch.tensor([[6.0, 8.0], [-2.0, 0.0]])
    metric = metrics.get("cosine_similarity")
    assert value(metric, (true[:1], pred[:1])) == 1
    assert value(metric, (true, pred)) == 0
    assert value(metrics.CosineSimilarity(axis=0), (true[:, :1], pred[:, :1])) == 0.8
    assert losses.CosineSimilarity()(true[:1], pred[:1]) == pytest.approx(-1)


def test_mean_over_batches_of_several_sizes_and_weights():
    weight = torch.tensor([1.0, 3.0, 0.0, 0.0])
    for name in ("accuracy", "categorical_accuracy", "mse"):
        metric = metrics.get(name, losses.Crossentropy(False), (3,))
        whole = float(value(metric, (ONEHOT, PRED)).expected)
        assert value(metric, (ONEHOT[:3], PRED[:3]), (ONEHOT[3:], PRED[3:])) == whole
    metric = metrics.get("accuracy", losses.Crossentropy(False), (3,))
    assert value(metric, (LABELS, PRED, weight)) == 0.25
    assert value(metric, (LABELS, PRED, weight[:, None])) == 0.25
    assert value(metric, (LABELS, PRED, torch.zeros(4))) == 0
    pixels = (LABELS.reshape(2, 2), PRED.reshape(2, 2, 3))
    assert value(metric, (*pixels, torch.tensor([1.0, 3.0]))) == 0.875


def test_mean_keeps_small_numbers_of_long_epochs():
    mean = metrics.Mean("loss")
    mean.update(torch.tensor(1.0), 2**25)
    for _ in range(8):
        mean.update(torch.tensor(1.0), 1)
    mean.update(torch.tensor(0.0), 1)
    assert float(mean.compute()) == (2**25 + 8) / (2**25 + 9)


def test_mean_does_not_hide_what_is_not_a_number():
    mean = metrics.Mean()
    mean.update(torch.tensor([1.0, torch.nan]))
    assert mean.compute().isnan()
    mean.reset()
    assert float(mean.compute()) == 0


@pytest.mark.parametrize("name", NAMES)
def test_updating_never_waits_for_the_device(name):
    loss = losses.Crossentropy(False)
    metric = metrics.get(name, loss, (6,))
    labels, outputs = torch.zeros(4, 6, device="meta"), torch.zeros(4, 6, device="meta")
    if "sparse" in name:
        labels = torch.zeros(4, dtype=torch.int64, device="meta")
    metric.update(labels, outputs)  # a tensor of this device cannot be read: it has no values


@pytest.mark.parametrize("labels", [LABELS, LABELS[:, None], ONEHOT])
def test_torchmetrics_by_name(labels):
    loss = losses.Crossentropy(False)
    # Classes 0, 1, 2 are predicted 1, 1, 2 times, and right 1, 1, 1 times of 1, 2, 1.
    assert value(metrics.get("precision", loss, (3,)), (labels, PRED)) == (1 + 1 + 1 / 2) / 3
    assert value(metrics.get("f1", loss, (3,)), (labels, PRED)) == (1 + 2 / 3 + 2 / 3) / 3
    assert value(metrics.get("recall", loss, (3,)), (labels, PRED)) == (1 + 1 / 2 + 1) / 3
    # Of the pairs (in the class, not in it) 3 of 3, 4 of 4 and 2.5 of 3 are in order.
    assert value(metrics.get("auc", loss, (3,)), (labels, PRED)) == (1 + 1 + 2.5 / 3) / 3


def test_torchmetrics_by_name_for_pixels():
    metric = metrics.get("recall", losses.Crossentropy(False), (2, 2, 3))
    assert value(metric, (LABELS.reshape(1, 2, 2), PRED.reshape(1, 2, 2, 3))) == (1 + 1 / 2 + 1) / 3


@pytest.mark.parametrize("labels", [YES, YES[:, None], YES.float(), YES[:, None].float()])
def test_torchmetrics_by_name_for_one_output(labels):
    loss = losses.get("bce")
    assert value(metrics.get("precision", loss, (1,)), (labels, SIGMOID)) == 2 / 3
    assert value(metrics.get("recall", loss, (1,)), (labels, SIGMOID)) == 2 / 3
    assert value(metrics.get("f1", loss, (1,)), (labels, SIGMOID)) == 2 / 3
    assert value(metrics.get("auc", loss, (1,)), (labels, SIGMOID)) == 2 / 3


def test_torchmetrics_by_name_for_several_yes_or_no():
    metric = metrics.get("recall", losses.get("bce"), (3,))
    assert value(metric, (ONEHOT, PRED)) == (1 + 0 + 1) / 3


def test_an_object_of_torchmetrics_is_a_metric():
    metric = metrics.get(torchmetrics.MeanSquaredError())
    assert metric.name == "MeanSquaredError"
    assert float(metric.compute()) == 0
    assert value(metric, (YES.float(), SIGMOID)) == (0.01 + 0.36 + 0.49 + 0.04) / 4
    recall = torchmetrics.Recall(task="multiclass", num_classes=3, average="macro")
    assert value(metrics.get(recall), (LABELS, PRED)) == (1 + 1 / 2 + 1) / 3


def test_any_function_is_a_metric():
    def largest_error(y_true, y_pred):
        return (y_true - y_pred).abs().amax(-1)

    metric = metrics.get(largest_error)
    assert metric.name == "largest_error"
    expected = np.abs(ONEHOT.numpy() - PRED.numpy()).max(1).mean()
    assert value(metric, (ONEHOT, PRED)) == expected


def test_names_are_those_that_were_given():
    for name in ("accuracy", "acc", "mse", "MAE", "auc", "top5"):
        assert metrics.get(name, losses.get("mse"), (3,)).name == name
    assert metrics.get(losses.Huber()).name == "huber"
    own = metrics.Accuracy()
    assert metrics.get(own) is own


def test_message_unknown_name():
    assert told(lambda: metrics.get("acuracy")) == (
        "metrics: unknown metric 'acuracy'\n"
        "  need  one of acc, accuracy, auc, bce, binary_accuracy, binary_crossentropy, "
        "categorical_accuracy, categorical_crossentropy, categorical_hinge, cosine_similarity, "
        "crossentropy, f1, hinge, huber, kl_divergence, kld, log_cosh, mae, mape, "
        "mean_absolute_error, mean_absolute_percentage_error, mean_squared_error, "
        "mean_squared_logarithmic_error, mse, msle, poisson, precision, recall, "
        "sparse_categorical_accuracy, sparse_categorical_crossentropy, "
        "sparse_top_k_categorical_accuracy, squared_hinge, top5, top_k_categorical_accuracy\n"
        '  fix   did you mean "accuracy"?'
    )


def test_message_not_a_metric():
    known = told(lambda: metrics.get("?")).split("one of ")[1]
    said = (
        "metrics: a metric is a name, a metric or a function of (y_true, y_pred)\n"
        f"  got   {{}}\n  need  one of {known}, or an object\n  fix   {{}}"
    )
    assert told(lambda: metrics.get(3)) == said.format(3, '"accuracy"')
    given = torchmetrics.MeanSquaredError
    assert told(lambda: metrics.get(given)) == said.format(given, "MeanSquaredError()")
    assert told(lambda: metrics.get(metrics.TopK)) == said.format(metrics.TopK, "TopK()")


def test_message_top_k_of_few_outputs():
    assert told(lambda: metrics.get("top5").update(LABELS, PRED)) == (
        "top5: the best 5 of 3 outputs are always right\n"
        "  got   y_pred (4, 3), k=5\n"
        "  need  more than 5 outputs\n"
        "  fix   metrics.TopK(k=1)"
    )


def test_message_shapes():
    assert told(lambda: metrics.get("accuracy", None, (3,)).update(LABELS[:2], PRED)) == (
        "accuracy: the labels do not fit the outputs\n"
        "  got   y_true (2,), y_pred (4, 3)\n"
        "  need  integers y_true (4,)"
    )
    assert told(lambda: metrics.get("categorical_accuracy").update(LABELS, PRED)) == (
        "categorical_accuracy: y_true and y_pred have different shapes\n"
        "  got   y_true (4,), y_pred (4, 3)\n"
        "  need  y_true (4, 3)\n"
        '  fix   one-hot labels, or "crossentropy" and "accuracy", which take integers'
    )


def test_message_weights_for_torchmetrics():
    metric = metrics.get("f1", losses.get("bce"), (1,))
    assert told(lambda: metric.update(YES, SIGMOID, torch.ones(4))) == (
        "f1: metrics of torchmetrics do not weigh samples\n"
        "  got   sample_weight\n"
        "  fix   leave this metric out, or train without weights"
    )


def test_message_several_values():
    recall = torchmetrics.Recall(task="multiclass", num_classes=3, average="none")
    metric = metrics.get(recall)
    metric.update(LABELS, PRED)
    assert told(metric.compute) == (
        "MulticlassRecall: gives several values, and a report has room for one\n"
        "  got   tensor([1.0000, 0.5000, 1.0000])\n"
        "  need  one number\n"
        '  fix   average="macro"'
    )


def test_message_best_of_none():
    assert told(lambda: metrics.TopK(k=0)) == (
        "TopK: k=0 cannot work\n  got   k=0\n  need  a whole number, k >= 1\n  fix   k=5"
    )


def test_the_name_of_a_loss_follows_what_the_loss_takes():
    logits, labels = torch.tensor([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0]]), torch.tensor([2, 1])
    expected = losses.Crossentropy(True)(labels, logits)
    made = losses.SparseCategoricalCrossentropy(from_logits=True)
    for name in ("sparse_categorical_crossentropy", "crossentropy"):
        metric = metrics.get(name, made, (3,))
        metric.update(labels, logits)
        torch.testing.assert_close(metric.compute().float(), expected)
