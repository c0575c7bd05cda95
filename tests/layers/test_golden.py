"""Each layer computes what Keras's layer of its name does, from the same weights in one order."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from cases import every

from striate.core.symbol import Input

GOLDEN = Path(__file__).parent.parent / "golden"
CASES_OF_KERAS = {name: case for name, case in every().items() if case.keras}
WEIGHTS = {  # of each backend, the names of the weights of each case
    backend: json.loads((GOLDEN / f"keras_layers_{backend}.json").read_text())["weights"]
    for backend in ("torch", "jax")
}
PLACES = {
    name: (backend, place) for backend, names in WEIGHTS.items() for place, name in enumerate(names)
}


@pytest.fixture(scope="module")
def numbers():
    """The arrays of both backends, by (backend, name)."""
    found = {}
    for backend in WEIGHTS:
        with np.load(GOLDEN / f"keras_layers_{backend}.npz") as file:
            found.update({(backend, name): file[name] for name in file})
    return found


def test_there_are_golden_values_of_each_case():
    # if this fails, run tests/golden/make_keras_layers.py
    assert set(PLACES) == set(CASES_OF_KERAS)


@pytest.mark.parametrize("name", [name for name in CASES_OF_KERAS if name in PLACES])
def test_equals_keras(name, numbers):
    (backend, place), case = PLACES[name], CASES_OF_KERAS[name]

    def arrays(kind):
        found = (numbers.get((backend, f"{place}/{kind}{i}")) for i in itertools.count())
        return list(itertools.takewhile(lambda array: array is not None, found))

    layer = case.make()
    layer(*[Input(s.shape, s.dtype, data_format=s.data_format) for s in case.specs])
    layer.eval()
    own = {id(value): key for key, value in (*layer.named_parameters(), *layer.named_buffers())}
    assert [own[id(weight)] for weight in layer.weights] == WEIGHTS[backend][name]
    layer.set_weights(arrays("w"))  # refuses another shape
    with torch.no_grad():
        y = layer(*map(torch.from_numpy, arrays("x")))
    for got, want in zip(y if isinstance(y, tuple) else (y,), arrays("y"), strict=True):
        assert got.shape == want.shape
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-5, atol=1e-5)
