"""Declaring the cases of a layer once, for the battery, for golden values and for messages.

In tests/layers/test_<family>.py:

    from cases import Case, each, told

    CASES = [
        Case(Dense, {"units": 3}, (4,)),                              # one input, without the batch
        Case(Add, {}, [(4, 3), (4, 3)]),                              # several inputs
        Case(L2Pooling2D, {}, (6, 6, 2), keras=False, reference=l2),  # Keras has no such layer
        Case(Dropout, {"rate": 0.5}, (8,), random=True),
    ]

    @each(CASES)
    def test_battery(case):
        case.check()

    def test_message():
        assert told(lambda: Dense(0)) == "Dense: units=0 is not ..."

Class and kwargs are what golden values are made from (tests/golden/make_keras_layers.py), so kwargs
are plain values that Keras takes too, unless keras=False.
"""

from __future__ import annotations

import copy
import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from striate.core.layer import Layer
from striate.core.spec import Spec
from striate.errors import StriateError
from striate.testing import check_layer


@dataclass(frozen=True)
class Case:
    """A layer, its arguments and its inputs.

    `keras`: Keras has a layer of this name that takes these arguments and computes the same in
    inference. `reference(*inputs, *weights)` computes the output independently, on float64
    tensors. `modes_differ`: training computes something else; `random`: it draws numbers. `domain`
    maps normal random values to inputs that the layer is made for (torch.abs, torch.sigmoid...).
    """

    layer: type[Layer]
    kwargs: dict[str, Any] = field(default_factory=dict)
    shapes: Any = ()
    data_format: str = "channels_last"
    dtype: str = "float32"
    keras: bool = True
    reference: Callable[..., Any] | None = None
    modes_differ: bool = False
    random: bool = False
    domain: Callable[[torch.Tensor], torch.Tensor] | None = None

    @property
    def specs(self) -> tuple[Spec, ...]:
        """Specs of the inputs."""
        several = isinstance(self.shapes, list)
        shapes = self.shapes if several else [self.shapes]
        return tuple(Spec(tuple(shape), self.dtype, self.data_format) for shape in shapes)

    def make(self) -> Layer:
        """Return a new layer."""
        return self.layer(**copy.deepcopy(self.kwargs))

    def check(self) -> None:
        """Run the battery."""
        check_layer(
            self.make,
            *self.specs,
            reference=self.reference,
            modes_differ=self.modes_differ,
            random=self.random,
            domain=self.domain,
        )

    def __str__(self) -> str:
        """Class, arguments and inputs: the name of the test and of the golden values."""
        words = ", ".join(f"{key}={value!r}" for key, value in self.kwargs.items())
        words = re.sub(r" at 0x[0-9a-f]+", "", words)  # addresses differ between processes
        layout = " channels_first" if self.data_format == "channels_first" else ""
        dtype = "" if self.dtype == "float32" else f" {self.dtype}"
        inputs = " ".join(str(spec) for spec in self.specs)
        return f"{self.layer.__name__}({words}) on {inputs}{layout}{dtype}"


def each(cases: list[Case]) -> pytest.MarkDecorator:
    """Run a test for each case, named after it."""
    return pytest.mark.parametrize("case", cases, ids=str)


def told(act: Callable[[], Any]) -> str:
    """Return the whole message of the StriateError that `act` raises."""
    with pytest.raises(StriateError) as error:
        act()
    return str(error.value)


def every() -> dict[str, Case]:
    """Return the cases of all families, by their names."""
    cases: dict[str, Case] = {}
    for file in sorted((Path(__file__).parent / "layers").glob("test_*.py")):
        place = importlib.util.spec_from_file_location(f"cases_of_{file.stem}", file)
        assert place is not None
        assert place.loader is not None
        module = importlib.util.module_from_spec(place)
        if "\nCASES = " in file.read_text():
            place.loader.exec_module(module)
            cases.update({str(case): case for case in module.CASES})
    return cases
