"""Losses of overlaps and metrics made of counts give what real Keras 3 gives, with weights too."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from striate.dialects import DialectError, installed
from striate.dialects.keras.losses_overlap import CLASSES
from striate.dialects.keras.metrics_counted import KINDS

GOLDEN = Path(__file__).parents[1] / "golden"
EXPECTED = json.loads((GOLDEN / "keras_counted.json").read_text())["results"]


@pytest.fixture(scope="module")
def found() -> Any:
    with installed("keras3"):
        import keras

        spec = importlib.util.spec_from_file_location("counted", GOLDEN / "make_keras_counted.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.results(keras)


@pytest.mark.parametrize("name", EXPECTED)
def test_as_in_keras_3(name: str, found: Any) -> None:
    assert found[name] == pytest.approx(EXPECTED[name], rel=1e-5, abs=2e-6)


def test_every_kind_is_compared() -> None:
    newer = json.loads((GOLDEN / "keras_newer.json").read_text())["results"]
    compared = {name.partition(" ")[0] for name in (*EXPECTED, *newer)}
    assert {*CLASSES, *KINDS} <= compared


def test_an_area_of_several_labels_apart_is_refused() -> None:
    with installed("keras3"):
        from keras.metrics import AUC

        with pytest.raises(DialectError, match="multi_label"):
            AUC(multi_label=True)
