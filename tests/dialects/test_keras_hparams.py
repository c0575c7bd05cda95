"""Hyper-parameters and numbers that scripts hand to TensorBoard go to tables where it is absent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.dialects import installed
from striate.dialects.session import Script
from striate.dialects.surroundings import surrounded


def rows(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_trials_of_keras(tmp_path: Path) -> None:
    with surrounded(Script()), installed("tf"):
        import tensorflow as tf
        from tensorboard.plugins.hparams import api as hp

        units = hp.HParam("units", hp.Discrete([8, 4]))
        rate = hp.HParam("rate", hp.RealInterval(0.1, 0.2))
        assert units.domain.values == [4, 8] and rate.domain.min_value == 0.1
        assert 0.1 <= rate.domain.sample_uniform() <= 0.2
        with tf.summary.create_file_writer(str(tmp_path)).as_default():
            hp.hparams_config([units, rate], metrics=[hp.Metric("loss", display_name="Loss")])
        tf.summary.scalar("nowhere", 1.0, step=0)
        for count in units.domain.values:
            run = tmp_path / f"run-{count}"
            trial = {units: count, rate: np.float32(0.125)}
            with tf.summary.create_file_writer(str(run)).as_default():
                hp.hparams(trial)
                tf.summary.scalar("loss", tf.constant(0.5), step=1)
        model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(2,))])
        model.compile("sgd", "mse")
        called = hp.KerasCallback(str(tmp_path / "fit"), trial)
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0, callbacks=[called])
    assert rows(tmp_path / "run-4/hparams.jsonl") == [{"hparams": {"units": 4, "rate": 0.125}}]
    assert rows(tmp_path / "run-8/scalars.jsonl") == [{"name": "loss", "step": 1, "value": 0.5}]
    assert rows(tmp_path / "fit/hparams.jsonl")[0]["hparams"]["units"] == 8


def test_trials_of_pytorch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with surrounded(Script()), installed("pytorch"):
        from torch.utils.tensorboard import SummaryWriter

        with SummaryWriter(str(tmp_path)) as writer:
            writer.add_hparams({"rate": 0.1, "kind": "sgd"}, {"accuracy": 0.75})
    assert rows(tmp_path / "hparams.jsonl") == [
        {"hparams": {"rate": 0.1, "kind": "sgd"}, "metrics": {"accuracy": 0.75}}
    ]
    assert rows(tmp_path / "scalars.jsonl")[0]["value"] == 0.75
    assert "tensorboard is not installed" in capsys.readouterr().err
