"""BigDL's layers and criterions against numbers that the real BigDL has computed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from striate.dialects import installed

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/bigdl_real.json").read_text("utf-8"))
CLOSE = {"rtol": 2e-4, "atol": 2e-5}


@pytest.fixture(scope="module")
def bd() -> Iterator[Any]:
    with installed("bigdl"):
        from bigdl.nn import criterion, layer
        from bigdl.nn.keras import layer as keras, topology

        yield SimpleNamespace(core=layer, keras=keras, topology=topology, criterion=criterion)


def numbers(shape: Any, phase: float = 0.3) -> Any:
    return np.sin(np.arange(int(np.prod(shape))) * 12.9898 + phase).reshape(shape).astype("float32")


def inputs(shape: Any) -> Any:
    if isinstance(shape[0], list):
        return [numbers(one, at + 0.5) for at, one in enumerate(shape)]
    return numbers(shape)


def slopes(out: Any) -> Any:
    if isinstance(out, list):
        return [numbers(one.shape, at + 0.7) for at, one in enumerate(out)]
    return numbers(out.shape, 0.7)


def read(written: Any) -> Any:
    if isinstance(written, list):
        return [read(one) for one in written]
    return np.array(written["values"]).reshape(written["shape"])


def near(found: Any, expected: Any) -> None:
    if isinstance(expected, list):
        assert len(found) == len(expected)
        for pair in zip(found, expected, strict=True):
            near(*pair)
        return
    assert np.shape(found) == expected.shape
    np.testing.assert_allclose(found, expected, **CLOSE)


@pytest.mark.parametrize(("api", "key"), [(api, key) for api in ("core", "keras")
                                          for key in GOLDEN[api]])  # fmt: skip
def test_a_layer_gives_what_the_real_one_gives(bd: Any, api: str, key: str) -> None:
    case = GOLDEN[api][key]
    made = eval(case["text"], {**vars(getattr(bd, api)), "np": np})
    layer = bd.topology.Sequential().add(made) if api == "keras" else made
    weights = layer.get_weights() or []
    assert [list(w.shape) for w in weights] == case["weights"]
    if weights:
        layer.set_weights([numbers(w.shape, at) * 0.5 for at, w in enumerate(weights)])
    x = inputs(case["shape"])
    out = layer.forward(x)
    near(out, read(case["out"]))
    near(layer.backward(x, slopes(out)), read(case["back"]))


@pytest.mark.parametrize("text", GOLDEN["criterion"])
def test_a_criterion_gives_what_the_real_one_gives(bd: Any, text: str) -> None:
    case = GOLDEN["criterion"][text]
    made = eval(text, {**vars(bd.criterion), "np": np})
    x, y = read(case["x"]), read(case["y"])
    assert made.forward(x, y) == pytest.approx(case["out"], rel=2e-4)
    near(made.backward(x, y), read(case["back"]))


def test_dropout_goes_back_through_the_mask_of_the_last_forward(bd: Any) -> None:
    dropped = bd.core.Dropout(0.5)
    x = np.ones((4, 50), "float32")
    out = dropped.forward(x)
    np.testing.assert_array_equal(dropped.backward(x, x), out)
    assert not np.array_equal(dropped.backward(x, x), out)  # computed anew, as no forward was


def test_statistics_move_once_for_a_forward_and_its_backward(bd: Any) -> None:
    norm = bd.core.BatchNormalization(2, 1e-5, 0.5, affine=False)
    x = np.array([[0.0, 4.0], [2.0, 8.0]], "float32")
    norm.forward(x)
    norm.backward(x, x)
    norm.evaluate()  # means 0.5 * (1, 6), variances 0.5 * 1 + 0.5 * (2, 8)
    np.testing.assert_allclose(norm.forward(x), (x - [0.5, 3.0]) / np.sqrt([1.5, 4.5]), rtol=1e-4)
