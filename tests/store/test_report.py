"""The report of a run, word by word, and the interval in it."""

from __future__ import annotations

import pytest

from striate.store.report import report, wilson

GOLDEN = """# first &lt;run>

75.00 % of 8 test images are right (95 % interval 40.93 to 92.85 %), 2 are wrong. \
Training took 12 s for 2 epochs. \
Most confused: a\\|b taken for &lt;i> (1), &lt;i> taken for a\\|b (1).

## Classes

| class | precision | recall | F1 | images |
| --- | --- | --- | --- | --- |
| a\\|b | 0.7500 | 0.7500 | 0.7500 | 4 |
| &lt;i> | 0.7500 | 0.7500 | 0.7500 | 4 |

## Confusion matrix

Rows: what the image is. Columns: what the network says.

|  | a\\|b | &lt;i> |
| --- | --- | --- |
| a\\|b | 3 | 1 |
| &lt;i> | 1 | 3 |

## Training

| epoch | loss | val_loss |
| --- | --- | --- |
| 1 | 0.5000 |  |
| 2 | 0.2500 | 1.0000 |

## Again

    striate train mnist --seed 1

|  |  |
| --- | --- |
| platform | x86_64 \\| linux |
| threads | 1 |
"""


def test_the_whole_text():
    results = {
        "classes": ["a|b", "<i>"],
        "confusion": [[3, 1], [1, 3]],
        "seconds": 12.2,
        "epochs": 2,
        "command": "striate train mnist\n--seed 1",
    }
    history = [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25, "val_loss": 1.0}]
    machine = {"platform": "x86_64 | linux", "threads": 1}
    assert report("first\n<run>", results, history, machine) == GOLDEN


def test_a_perfect_run_confuses_nothing():
    results = {"classes": "ab", "confusion": [[2, 0], [0, 0]], "seconds": 1, "epochs": 1}
    text = report("a", results, [], {})
    assert (
        "100.00 % of 2 test images are right (95 % interval 34.24 to 100.00 %), 0 are wrong."
        in text
    )
    assert "Most confused" not in text
    assert "| b | 0.0000 | 0.0000 | 0.0000 | 0 |" in text


def test_names_cannot_become_markup():
    results = {
        "classes": ["[x](y)", "`&`"],
        "confusion": [[1, 0], [0, 1]],
        "seconds": 1,
        "epochs": 1,
    }
    text = report("*", results, [], {})
    assert text.startswith("# \\*\n")
    assert "| \\[x\\](y) |" in text
    assert "| \\`&amp;\\` |" in text


@pytest.mark.parametrize(
    ("correct", "total", "interval"),
    [
        (0, 0, (0.0, 1.0)),
        (0, 10, (0.0, 0.27753)),
        (10, 10, (0.72247, 1.0)),
        (5, 10, (0.23659, 0.76341)),
        (81, 263, (0.25525, 0.36621)),  # Newcombe 1998, table 1: 0.2553 to 0.3662
        (15, 148, (0.06235, 0.16045)),  # the same: 0.0624 to 0.1605
    ],
)
def test_wilson_against_known_values(correct, total, interval):
    assert wilson(correct, total) == pytest.approx(interval, abs=6e-5)
