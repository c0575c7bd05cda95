"""Weights after each epoch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import striate as st
from striate import layers as L
from striate.errors import StoreError
from striate.model import make
from striate.store import epochs


def network(units: int = 3) -> st.Sequential:
    return st.Sequential([L.Input((4,)), L.Dense(units)])


def test_a_network_comes_back_as_it_was_after_an_epoch(tmp_path: Path) -> None:
    model = network()
    x = np.ones((1, 4), np.float32)
    before = model.predict(x)
    epochs.keep(tmp_path, 0, model)
    model.set_weights([weight + 1 for weight in model.get_weights()])
    epochs.keep(tmp_path, 1, model)
    assert epochs.kept(tmp_path) == [0, 1]
    for number, outputs in ((0, before), (1, model.predict(x))):
        found = epochs.load(tmp_path, number, make)
        assert isinstance(found, st.Model)
        assert np.array_equal(found.predict(x), outputs)


def test_a_large_network_keeps_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epochs, "MOST_BYTES", 59)
    assert epochs.keep(tmp_path, 0, network()) is None
    assert epochs.kept(tmp_path) == []


def test_an_epoch_that_was_not_kept_is_told(tmp_path: Path) -> None:
    epochs.keep(tmp_path, 2, network())
    with pytest.raises(StoreError) as error:
        epochs.load(tmp_path, 3, make)
    assert str(error.value) == f"{tmp_path.name}: epoch 3 was not kept\n  need  one of 2"


def test_another_network_lets_the_epochs_of_the_one_before_go(tmp_path):
    first, second = network(), network(2)
    epochs.keep(tmp_path, 0, first)
    epochs.keep(tmp_path, 1, first)
    assert epochs.kept(tmp_path) == [0, 1]
    epochs.keep(tmp_path, 2, second)
    assert epochs.kept(tmp_path) == [2]
    again = epochs.load(tmp_path, 2, make)
    assert [tuple(w.shape) for w in again.weights] == [tuple(w.shape) for w in second.weights]
