"""Mistakes: counts, orders, suspects and calibration, on numbers whose answer is known."""

from __future__ import annotations

import json

import numpy as np
import pytest
from cases import told as message

from striate import layers as L
from striate.inspect import mistakes
from striate.inspect.mistakes import probabilities, told
from striate.model import Sequential

CHANCES = np.array(
    [[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.1, 0.1, 0.8], [0.6, 0.3, 0.1], [0.05, 0.05, 0.9]]
)
LABELS = np.array([0, 1, 2, 1, 0])


def test_counts_and_orders():
    found = told("net", CHANCES, LABELS, ["a", "b", "c"])
    assert found.confusion.tolist() == [[1, 0, 1], [1, 1, 0], [0, 0, 1]]
    assert found.accuracy == pytest.approx(0.6)
    assert found.wrong.tolist() == [3, 4]
    assert found.confident().tolist() == [4, 3]
    assert found.worst(2).tolist() == [4, 3]
    assert found.cell(1, 0).tolist() == [3]
    assert found.confused() == ((0, 2, 1), (1, 0, 1))
    assert found.suspects().tolist() == [4, 3]
    assert found.losses[3] == pytest.approx(-np.log(0.3))
    assert json.loads(json.dumps(found.as_json()))["confused"] == [[0, 2, 1], [1, 0, 1]]
    assert found._repr_png_().startswith(b"\x89PNG")


def test_planted_wrong_labels_are_suspects():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 400)
    chances = np.full((400, 4), 0.05)
    chances[np.arange(400), labels] = 0.85
    given = labels.copy()
    planted = rng.choice(400, 12, replace=False)
    given[planted] = (given[planted] + 1) % 4
    assert set(told("net", chances, given).suspects()) == set(planted)


def test_calibration_is_the_distance_of_confidence_and_accuracy():
    chances = np.array([[0.75, 0.25]] * 8)
    labels = np.array([0] * 4 + [1] * 4)
    found = told("net", chances, labels).calibration(4)
    assert found.count.tolist() == [0, 0, 0, 8]
    assert (found.confidence[3], found.accuracy[3]) == (0.75, 0.5)
    assert found.error == pytest.approx(0.25)
    assert found._repr_png_().startswith(b"\x89PNG")


def test_outputs_become_probabilities():
    assert np.allclose(probabilities([[0.0, 0.0]]), 0.5)
    assert np.allclose(probabilities([[0.2, 0.8]]), [[0.2, 0.8]])
    assert np.allclose(probabilities([[0.3], [0.9]]), [[0.7, 0.3], [0.1, 0.9]])
    assert np.allclose(probabilities([[0.0], [-30.0]]), [[0.5, 0.5], [1, 0]])
    assert np.allclose(probabilities([[2.0, 2.0, -50]]), [[0.5, 0.5, 0]])


def test_a_model_is_asked():
    model = Sequential([L.Input((2,)), L.Dense(2, activation="softmax")])
    model.set_weights([np.eye(2), np.zeros(2)])
    x = np.array([[3.0, 0.0], [0.0, 3.0]], dtype=np.float32)
    assert mistakes(model, x, [0, 0]).confusion.tolist() == [[1, 1], [0, 0]]
    assert mistakes(model, x, np.eye(2)).accuracy == 1.0
    assert message(lambda: mistakes(model, x, [0])) == (
        "Sequential: there is not one label for each sample\n  got   1 for 2 samples"
    )


def test_outputs_that_are_no_numbers_and_labels_that_are_no_classes_are_refused():
    broken = CHANCES.copy()
    broken[1, 2] = np.nan
    assert message(lambda: told("net", broken, LABELS)) == (
        "net: gives outputs that are no numbers for 1 of 5 samples\n"
        "  need  finite weights and samples\n"
        "  fix   train it anew with a lower learning rate, or take the weights of an earlier epoch"
    )
    assert message(lambda: told("net", CHANCES, LABELS + 2)) == (
        "net: 3 of 5 labels are none of the classes\n"
        "  got   class 3\n"
        "  need  whole numbers from 0 to 2"
    )
