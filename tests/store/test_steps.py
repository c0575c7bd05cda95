"""What is written between the epochs: places, means, and a file that stays small."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

import striate as st
from striate import layers as L
from striate.engine.hooks.log import Log
from striate.store import steps
from striate.store.run import Run


def row(number, **more):
    return {"at": number / 4, "step": number, "steps": 1, "loss": float(number), **more}


def test_two_neighbours_become_their_mean():
    rows = [row(1, lr=0.1), {**row(4, lr=0.4), "steps": 3}, row(5, lr=0.5)]
    assert steps.joined(rows) == [
        {"at": 1.0, "step": 4, "steps": 4, "loss": 3.25, "lr": pytest.approx(0.325)},
        {"at": 1.25, "step": 5, "steps": 1, "loss": 5.0, "lr": 0.5},
    ]


def test_the_file_stays_small_and_ends_with_the_last_step(tmp_path):
    kept = steps.Steps(tmp_path)
    for number in range(1, 10_001):
        kept.add(row(number, lr=0.123456789, images_s=12345.678))
    place = tmp_path / steps.FILE
    assert place.stat().st_size < 150 * steps.MOST
    rows = steps.load(tmp_path)
    assert 1000 < len(rows) <= steps.MOST
    assert rows[-1]["step"] == 10_000
    assert sum(one["steps"] for one in rows) == 10_000
    assert kept.every_s == steps.EVERY_S * 2**8
    mean = sum(one["loss"] * one["steps"] for one in rows) / 10_000
    assert mean == pytest.approx(5000.5, rel=1e-4)
    assert len(steps.load(tmp_path, 100)) <= 100


def test_a_line_that_is_being_written_is_left_out(tmp_path):
    (tmp_path / steps.FILE).write_text(json.dumps(row(1)) + '\n{"at": 1.5, "st')
    assert steps.load(tmp_path) == [row(1)]
    assert steps.load(tmp_path / "none") == []


@pytest.mark.parametrize("engine", ["native", "torch"])
def test_training_tells_what_lies_between_its_epochs(tmp_path, monkeypatch, engine):
    clock = itertools.count(step=0.3)
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    rng = np.random.default_rng(0)
    x, y = rng.random((320, 4), dtype=np.float32), rng.integers(0, 2, 320)
    st.seed(0)
    model = st.Sequential([L.Input((4,)), L.Dense(8, activation="relu"), L.Dense(2)])
    model.compile(st.optimizers.SGD(0.1), "crossentropy", engine=engine)
    run = Run.create(tmp_path)
    history = model.fit(x, y, epochs=3, batch_size=10, verbose=0, callbacks=[Log(run)])
    rows = steps.load(run.path)
    assert len(rows) > (6 if engine == "torch" else 3)  # native steps come together
    assert [one["step"] for one in rows] == sorted(one["step"] for one in rows)
    assert rows[-1]["step"] == 96 and rows[-1]["at"] == 3.0
    for epoch in range(3):
        own = [one for one in rows if epoch < one["at"] <= epoch + 1]
        mean = sum(one["loss"] * one["steps"] for one in own) / sum(one["steps"] for one in own)
        assert mean == pytest.approx(history.history["loss"][epoch], rel=1e-4)
        assert all(one["lr"] == 0.1 and one["images_s"] > 0 for one in own)
