"""Networks in Keras's words give what real Keras 3 gives: outputs, steps, statistics."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.dialects import installed

GOLDEN = Path(__file__).parents[1] / "golden"
EXPECTED = json.loads((GOLDEN / "keras_dialect.json").read_text())["results"]


@pytest.fixture(scope="module")
def found() -> Any:
    with installed("keras3"):
        import keras

        path = GOLDEN / "make_keras_dialect.py"
        spec = importlib.util.spec_from_file_location("make_keras_dialect", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.results(keras)


@pytest.mark.parametrize("name", EXPECTED)
def test_as_in_keras_3(name: str, found: Any) -> None:
    for field, expected in EXPECTED[name].items():
        values = found[name][field]
        pairs = zip(values, expected, strict=True) if isinstance(expected, list) and isinstance(
            expected[0], list) else [(values, expected)]  # fmt: skip
        for value, wanted in pairs:
            np.testing.assert_allclose(value, wanted, rtol=2e-4, atol=2e-6, err_msg=field)
