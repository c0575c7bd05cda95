"""What is shown while training runs, and where."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

import striate as st
from striate import layers as L
from striate.engine import progress


class Terminal:
    """A stderr that is a terminal."""

    def __init__(self):
        self.text = ""

    def isatty(self):
        return True

    def write(self, text):
        self.text += text
        return len(text)

    def flush(self):
        pass


def train(verbose):
    model = st.Sequential([L.Input((4,)), L.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((6, 4), np.float32)
    model.fit(x, np.ones(6, np.float32), epochs=2, batch_size=2, verbose=verbose)
    model.evaluate(x, np.ones(6, np.float32), verbose=verbose)


def test_one_line_for_each_epoch(capsys):
    train("auto")
    out, err = capsys.readouterr()
    assert out == ""
    numbers = r"\d+\.\d s  [\d,]+ images/s  loss \d\.\d+(e-\d+)?"
    first, second, last = (line for line in err.splitlines() if not line.startswith("note:"))
    assert re.fullmatch(rf"epoch 1/2  {numbers}  lr 0\.0100", first)
    assert re.fullmatch(rf"epoch 2/2  {numbers}  lr 0\.0100", second)
    assert re.fullmatch(rf"evaluate  {numbers}", last)


def test_silence(capsys):
    train(0)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("verbose", "terminal", "kind"),
    [
        (0, True, progress.Silence),
        (1, True, progress.Bar),
        ("auto", True, progress.Bar),
        (2, True, progress.Lines),
        (1, False, progress.Lines),
    ],
)
def test_what_shows(verbose, terminal, kind, monkeypatch):
    if terminal:
        monkeypatch.setattr(sys, "stderr", Terminal())
    assert type(progress.reporter(verbose, 1)) is kind


def test_the_bar_gives_way_to_the_line(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress, "REFRESH_S", -1.0)
    bar = progress.reporter(1, 3)
    bar.close()
    bar.begin(0, 2)
    assert bar.wants()
    bar.step(1, 32, {"loss": 0.5})
    bar.end(64, {"loss": 0.25})
    assert re.search(r"epoch 1/3  \d\.\d s  [\d,]+ images/s  loss 0\.2500\n$", terminal.text)


def test_small_numbers_keep_their_digits():
    assert progress.show({"loss": 0.12345, "lr": 0.00012, "none": 0.0}) == (
        "loss 0.1235  lr 1.20e-04  none 0.0000"
    )
