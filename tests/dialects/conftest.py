"""Packages that have stand-ins are taken as absent, also where they are installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from typing import Any

import pytest

from striate.engine.taped import Call
from striate.lower.runtime import library

STOOD_IN = {"torchvision", "IPython", "torchsummary", "torchinfo", "tensorboard", "tensorboardX",
            "wandb"}  # fmt: skip
LACKED = {"skimage", "timm", "bs4", "cv2", "requests", "albumentations"}  # of which tests say so


@pytest.fixture(autouse=True, scope="module")
def only_stand_ins() -> Iterator[None]:
    """Hide what is installed."""
    find, hidden = PathFinder.find_spec, STOOD_IN | LACKED

    def find_spec(name: str, path: Any = None, target: Any = None) -> Any:
        return None if name.partition(".")[0] in hidden else find(name, path, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PathFinder, "find_spec", staticmethod(find_spec))
        for name in [one for one in sys.modules if one.partition(".")[0] in hidden]:
            patch.delitem(sys.modules, name)
        yield


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether a step was one run with its loss, for each time that this was tried."""
    assert library() is not None
    steps: list[bool] = []
    original = Call.step_of_loss

    def step(self: Call, *args: Any) -> float | None:
        loss = original(self, *args)
        steps.append(loss is not None)
        return loss

    monkeypatch.setattr(Call, "step_of_loss", step)
    return steps
