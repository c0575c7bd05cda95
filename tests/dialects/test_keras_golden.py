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
FILES = ("keras_dialect", "keras_recurrent")
EXPECTED = {name: json.loads((GOLDEN / f"{name}.json").read_text())["results"] for name in FILES}


@pytest.fixture(scope="module")
def found() -> Any:
    made = {}
    with installed("keras3"):
        import keras

        for name in FILES:
            spec = importlib.util.spec_from_file_location(name, GOLDEN / f"make_{name}.py")
            assert spec is not None and spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            made[name] = module.results(keras)
    return made


CASES = [(file, name) for file in FILES for name in EXPECTED[file]]


@pytest.mark.parametrize(("file", "name"), CASES)
def test_as_in_keras_3(file: str, name: str, found: Any) -> None:
    for field, expected in EXPECTED[file][name].items():
        values = found[file][name][field]
        pairs = zip(values, expected, strict=True) if isinstance(expected, list) and isinstance(
            expected[0], list) else [(values, expected)]  # fmt: skip
        for value, wanted in pairs:
            np.testing.assert_allclose(value, wanted, rtol=2e-4, atol=2e-6, err_msg=field)
