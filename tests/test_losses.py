import json
from pathlib import Path

import numpy as np
import pytest
import torch

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
