"""Networks that are no classifiers of images: each is shown, and asked what has an answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cases import told
from explored import Served, Visitor, encoded, keep
from playwright.sync_api import Page, expect
from seen import TABS, opened

import striate as st
from striate import layers as L
from striate.explorer.subject import UNLABELLED
from striate.inspect import attribution, likes
from striate.inspect.attribution import METHODS, methods
from striate.inspect.outputs import gives, loss_of
from striate.report import images
from striate.store import samples

SIDE = (8, 8, 1)


def conv(*ends: Any) -> st.Sequential:
    return st.Sequential([L.Input(SIDE), L.Conv2D(4, 3, padding="same", activation="relu"), *ends])


KINDS = {  # model, loss; what it gives, how it can be asked
    "softmax": (lambda: conv(L.Flatten(), L.Dense(3, activation="softmax")), "classes", METHODS),
    "sigmoid": (lambda: conv(L.Flatten(), L.Dense(1, activation="sigmoid")), "classes", METHODS),
    "labels": (lambda: conv(L.Flatten(), L.Dense(3, activation="sigmoid")), "labels", METHODS),
    "logits": (lambda: conv(L.Flatten(), L.Dense(3)), "classes", METHODS),
    "number": (lambda: conv(L.Flatten(), L.Dense(1)), "numbers", METHODS),
    "numbers": (lambda: conv(L.Flatten(), L.Dense(3)), "numbers", METHODS),
    "maps": (lambda: conv(L.ReLU(), L.Conv2D(1, 3, activation="sigmoid")), "maps", ()),
    "flat": (
        lambda: st.Sequential(
            [L.Input((64,)), L.Dense(6), L.ReLU(), L.Dense(3, activation="softmax")]
        ),
        "classes",
        METHODS[:2],
    ),
    "rows": (
        lambda: st.Sequential([L.Input((8, 8)), L.LSTM(4), L.Dense(3, activation="softmax")]),
        "classes",
        METHODS[:2],
    ),
    "dense": (
        lambda: st.Sequential([L.Input((1, 8, 1)), L.Flatten(), L.Dense(2, activation="softmax")]),
        "classes",
        METHODS[:3],
    ),
}
LOSSES = {"number": "MeanSquaredError", "numbers": "Huber", "logits": "Crossentropy"}
TEXTS = {"number": "", "numbers": "", "maps": "map"}


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Visitor:
    root = tmp_path_factory.mktemp("kinds")
    for name, (make, _, _) in KINDS.items():
        run = keep(root, name, make())
        run.write("config.json", {"loss": LOSSES.get(name, "")})
    return Visitor(root)


@pytest.mark.parametrize("name", KINDS)
def test_what_a_network_gives_is_said_and_asked(visitor: Visitor, name: str):
    _, kind, known = KINDS[name]
    model = visitor.get("model", run=name)
    assert (model["gives"], tuple(model["methods"])) == (kind, known)
    sides = (model["grid"]["height"], model["grid"]["width"], 1)
    pixels = encoded(np.random.default_rng(0).integers(0, 256, sides, np.uint8))
    answer = visitor.post("predict", run=name, pixels=pixels, edits=[])
    chances, outputs = answer["probabilities"], answer["outputs"]
    if kind == "classes":
        assert sum(chances) == pytest.approx(1, abs=1e-5) and len(chances) == len(model["classes"])
    elif kind == "labels":
        assert chances == outputs and len(chances) == 3
    else:
        assert chances == [] and len(outputs) == {"number": 1, "numbers": 3, "maps": 0}[name]
    for method in known:
        found = visitor.post("cam", run=name, pixels=pixels, method=method)
        assert (found["height"], found["width"]) == sides[:2]


def test_the_loss_tells_numbers_from_logits():
    model = conv(L.Flatten(), L.Dense(3))
    assert (gives(model), loss_of(model)) == ("classes", "")
    model.compile("sgd", "mae")
    assert (gives(model), loss_of(model)) == ("numbers", "MeanAbsoluteError")
    model.compile("sgd", "crossentropy")
    assert gives(model) == "classes"


def test_a_vector_and_a_table_are_explained_and_drawn():
    for name in ("flat", "rows"):
        model = KINDS[name][0]()
        x = np.random.default_rng(0).random(model.input_shape[1:], np.float32)
        found = attribution(model, x)
        assert found.values.shape == x.shape and found._repr_png_().startswith(b"\x89PNG")
        image, black = (
            model.before_activation(torch.from_numpy(one)) for one in (x[None], x[None] * 0)
        )
        gain = float((image - black)[0, found.target].detach())
        assert found.values.sum() == pytest.approx(gain, rel=0.02, abs=1e-3)


def test_what_has_no_answer_is_refused():
    assert told(lambda: attribution(KINDS["maps"][0](), np.zeros(SIDE))) == (
        "Sequential: cannot be asked by integrated_gradients\n"
        "  got   inputs (8, 8, 1), outputs (6, 6, 1)\n"
        "  need  one input of real values and a row of outputs for each sample; for occlusion and "
        "grad_cam, an image"
    )
    assert told(lambda: attribution(KINDS["flat"][0](), np.zeros(64), method="grad_cam")).endswith(
        '  fix   method="integrated_gradients"'
    )
    words = st.Sequential(
        [L.Input((5,), dtype="int64"), L.Embedding(9, 2), L.Flatten(), L.Dense(2)]
    )
    assert methods(words) == ()


def test_favourites_of_images_of_any_size():
    sizes = st.Sequential(
        [L.Input((None, None, 1)), L.Conv2D(2, 3), L.GlobalMaxPooling2D(), L.Dense(2)]
    )
    x = np.zeros((3, 9, 11, 1), np.float32)
    x[1, 4:7, 5:8] = 1
    sizes.set_weights([np.ones((3, 3, 1, 2)), np.zeros(2), np.ones((2, 2)), np.zeros(2)])
    found = likes(sizes, x, "conv2d", 1).found[0]
    assert (found.sample, found.unit, found.value) == (1, (4, 5, 1), 9.0)


def test_samples_without_classes_are_shown(tmp_path: Path):
    x = np.random.default_rng(0).integers(0, 256, (20, 8, 8), np.uint8)
    run = keep(tmp_path, "maps", KINDS["maps"][0]())
    samples.keep(run.path, images(st.load(run.path), [x], ({"a": x[:5]}, x[:5])))
    visitor = Visitor(tmp_path)
    pictures = visitor.get("model", run="maps")["pictures"]
    assert pictures == {"train": 20, "test": 5, "judged": False}
    assert visitor.get("sample", run="maps")["label"] == UNLABELLED
    found = visitor.get("data", run="maps")
    assert found["sizes"] == {"train": [20, 8, 8, 1], "test": [5, 8, 8, 1]}
    assert len(visitor.post("likes", run="maps", layer="conv2d", channel=1)["found"]) == 5
    refused = visitor.refused("GET", "/api/mistakes", params={"run": "maps"})
    assert refused == (422, "maps: has test pictures whose labels are no classes")
    other = np.zeros((20, 9, 9))
    assert images(st.load(run.path), other) == images(st.load(run.path), None) == {}


@pytest.mark.browser
@pytest.mark.parametrize("name", ["flat", "maps", "number", "labels"])
def test_every_tab_of_a_network_that_is_no_classifier_of_images(
    quiet: Page, tmp_path: Path, name: str
) -> None:
    run = keep(tmp_path, name, KINDS[name][0]())
    run.write("config.json", {"loss": LOSSES.get(name, "")})
    if name in ("maps", "number"):
        shape = st.load(run.path).input_shape[1:]
        samples.keep(run.path, {part: (np.ones((6, *shape)), None) for part in ("train", "test")})
    served = Served(tmp_path)
    try:
        opened(quiet, served, name)
        expect(quiet.locator(".reads b")).to_contain_text(TEXTS.get(name, ""))
        part = quiet.get_by_label("What spoke for it", exact=True)
        (expect(part).to_be_hidden if name == "maps" else expect(part).to_be_visible)()
        for tab in TABS:
            quiet.click(f"#tab-{tab}")
            quiet.wait_for_load_state("networkidle")
            expect(quiet.locator(".tab-body")).not_to_be_empty()
        assert quiet.locator(".message").all_inner_texts() == []
    finally:
        served.close()
