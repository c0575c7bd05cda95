"""The page of a model in memory: what it shows is that model, and it goes when it is closed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import torch
from cases import told
from explored import encoded, lenet

import striate as st
from striate import layers as L

PIXELS = np.random.default_rng(0).integers(0, 256, (28, 28, 1), np.uint8)


def asked(address: str, path: str, **body: Any) -> Any:
    answer = httpx.post(f"{address}api/{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_model_is_shown_as_it_was_with_its_pictures_and_curves() -> None:
    model = lenet()
    model.compile("adam", "crossentropy", metrics=["accuracy"])
    (x, y), _ = st.datasets.mnist()
    history = model.fit(x[:600], y[:600], epochs=2, verbose=0)
    before, mode = model.predict(PIXELS[None])[0], model.training
    names = [f"digit {n}" for n in range(10)]
    with st.explore(model, test=(x[:200], y[:200]), classes=names, history=history) as shown:
        assert repr(shown) == f"Explorer at {shown.address}"
        assert f'href="{shown.address}"' in shown._repr_html_()
        model.set_weights([weight * 0 for weight in model.get_weights()])  # the page has a copy
        chances = asked(shown.address, "predict", run="lenet", pixels=encoded(PIXELS))
        assert chances["probabilities"] == pytest.approx(before.tolist(), abs=1e-6)
        found = httpx.get(f"{shown.address}api/model", params={"run": "lenet"}).json()
        assert found["classes"] == names and found["pictures"] == {
            "train": 0,
            "test": 200,
            "judged": True,
        }
        told_ = httpx.get(f"{shown.address}api/curves", params={"run": "lenet"}).text
        assert '"state": "finished"' in told_ and told_.count('"val') == 0
        assert [f'"epoch": {n}' in told_ for n in (1, 2, 3)] == [True, True, False]
        assert model.training is mode
        folder = Path(shown.subjects.root)
        assert (folder / "lenet" / "samples.npz").is_file()
        address = shown.address
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)
    assert not folder.exists()


class Odd(torch.nn.Module):
    """A module that no file of Striate can hold."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.fft.rfft(x.flatten(1)).abs()[:, :4]


def test_a_torch_module_that_is_code_is_shown_too() -> None:
    model = st.Model.from_torch(Odd(), (1, 8, 8))
    with st.explore(model) as shown:
        name = next(iter(shown.subjects.names()))
        pixels = encoded(np.zeros((8, 8, 1), np.uint8))
        found = asked(shown.address, "predict", run=name, pixels=pixels)
        assert len(found["probabilities"]) == 4


def test_pictures_without_classes_are_shown() -> None:
    model = st.Sequential([L.Input((8, 8, 1)), L.Conv2D(1, 3, padding="same")])
    model.compile("adam", "mse")
    x = np.random.default_rng(0).random((9, 8, 8), np.float32)
    with st.explore(model, train=(x, None), test=(x[:4], x[:4])) as shown:
        found = httpx.get(f"{shown.address}api/model", params={"run": "sequential"}).json()
    assert found["pictures"] == {"train": 9, "test": 4, "judged": False}
    assert found["gives"] == "maps"


def test_what_does_not_fit_is_refused_before_anything_is_served() -> None:
    model = lenet()
    x, y = np.zeros((5, 28, 28), np.uint8), np.arange(5) + 8
    assert told(lambda: st.explore(model, test=(x, y))) == (
        "test: 3 of 5 labels are none of the classes\n"
        "  got   class 10\n"
        "  need  whole numbers from 0 to 9"
    )
    assert told(lambda: st.explore(model, train=(np.zeros((5, 32, 32)), y % 10))).startswith(
        "lenet (Sequential): the batch does not fit the model's input\n  got   (1, 32, 32)\n"
    )
    assert told(lambda: st.explore(torch.nn.Linear(2, 2))) == (
        "explore: is asked about a model of Striate\n"
        "  got   torch.nn.modules.linear.Linear\n"
        "  fix   striate.Model.from_torch(module, ...)"
    )
    flat = st.Sequential([L.Input((5, 8, 8, 1)), L.Flatten(), L.Dense(2)])
    assert told(lambda: st.explore(flat)).startswith(
        "Sequential: reads no picture, so that there is nothing to draw on"
    )
