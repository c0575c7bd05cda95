"""The tutorials' networks: the shapes and numbers of weights they print, and that they learn."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import striate as st

FOLDER = Path(__file__).parent.parent / "examples"

PARAMETERS = {
    "tutorial_000": 654_892,
    "tutorial_001": 121_930,
    "tutorial_002_keras": 203_434,
    "tutorial_002_torch": 3_199_106,
    "tutorial_003": 1_625_866,
    "tutorial_004": 53_558,
}
SHAPES = {
    "tutorial_000": [
        (20, 26, 26), (20, 13, 13), (50, 11, 11), (50, 5, 5), (1250,), (512,), (10,),
    ],
    "tutorial_001": [
        (26, 26, 32), (13, 13, 32), (11, 11, 64), (5, 5, 64), (1600,), (64,), (10,),
    ],
    "tutorial_002_keras": [(26, 26, 64), (24, 24, 32), (18432,), (10,)],
    "tutorial_003": [
        (28, 28, 32), (28, 28, 32), (28, 28, 64), (28, 28, 64), (14, 14, 64), (14, 14, 64),
        (12544,), (128,), (128,), (10,),
    ],
    "tutorial_004": [
        (26, 26, 6), (13, 13, 6), (11, 11, 16), (5, 5, 16), (5, 5, 16), (400,), (128,), (128,),
        (10,),
    ],
}  # fmt: skip
LEARNED = {  # epochs on 1,500 digits, and the accuracy they must reach on 500 others
    "tutorial_000": (4, 0.75),
    "tutorial_001": (6, 0.85),
    "tutorial_002_keras": (2, 0.85),
    "tutorial_002_torch": (2, 0.82),
    "tutorial_003": (2, 0.70),
    "tutorial_004": (6, 0.85),
}


def example(name: str) -> Any:
    """Return an example as a module."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", PARAMETERS)
def test_number_of_parameters_is_that_of_the_tutorial(name: str) -> None:
    assert example(name).build().count_params() == PARAMETERS[name]


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_are_those_of_the_tutorial(name: str) -> None:
    shapes = [
        layer.output.shape[1:]
        for layer in example(name).build().layers
        if type(layer).__name__ != "Rescaling"
    ]
    assert shapes == SHAPES[name]


def test_tutorial_004_counts_of_each_layer_are_those_that_it_prints() -> None:
    counts = [layer.count_params() for layer in example("tutorial_004").build().layers]
    assert [count for count in counts if count] == [60, 880, 51_328, 1_290]


def test_tutorial_001_written_as_calls_is_the_same_network() -> None:
    module = example("tutorial_001")
    stack, calls = module.stack(), module.calls()
    calls.set_weights(stack.get_weights())
    digits = st.datasets.mnist()[1][0][:20]
    assert (calls.predict(digits, verbose=0) == stack.predict(digits, verbose=0)).all()


def test_tutorial_001_with_a_third_convolution_has_fewer_weights() -> None:
    model = example("tutorial_001").build(third=64)
    assert [layer.output.shape[1:] for layer in model.layers][5:7] == [(3, 3, 64), (576,)]
    assert model.count_params() == 93_322


def test_tutorial_003_shows_kernels_and_maps() -> None:
    module = example("tutorial_003")
    model = module.build()
    digit = st.datasets.mnist()[1][0][0]
    kernels, maps = module.kernels(model), module.feature_maps(model, digit)
    assert kernels.shape == (32, 3, 3)
    assert maps.shape == (32, 28, 28)
    patch = digit[9:12, 13:16, 0].astype("float32")
    assert maps[5, 10, 14] == pytest.approx((patch * kernels[5]).sum(), rel=1e-4, abs=1e-3)


@pytest.mark.parametrize("name", LEARNED)
def test_learns_from_a_part_of_the_digits(
    name: str,
    mnist_small: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(st.datasets, "mnist", lambda: mnist_small)
    epochs, least = LEARNED[name]
    accuracy = example(name).main(samples=1500, epochs=epochs)
    assert least < accuracy <= 1.0
    assert f"epoch {epochs}/{epochs}" in "".join(capsys.readouterr())


def test_every_example_is_tested() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == PARAMETERS.keys() == LEARNED.keys()
