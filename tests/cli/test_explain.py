"""striate explain: one sentence and two pictures."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
from PIL import Image
from typer.testing import CliRunner

import striate as st
from striate import layers as L
from striate.cli import app
from striate.store.run import Run


def test_a_sentence_and_two_pictures(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "small")
    run.write("results.json", {"classes": ["cat", "dog", "eel"]})
    model = st.Sequential([L.Input((8, 8, 3)), L.Conv2D(4, 3, activation="relu"), L.Flatten()])
    model.add(L.Dense(3, activation="softmax"))
    run.finish(model)
    pixels = np.random.default_rng(0).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    image = tmp_path / "pet.png"
    Image.fromarray(pixels).save(image)
    words = ["explain", str(run.path), str(image), "--out", str(tmp_path / "seen")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0
    first, check, *pictures = done.stdout.splitlines()
    assert re.match(r"integrated gradients: (not )?meaningful", check)
    said = ["cat", "dog", "eel"][int(model.predict(pixels[None])[0].argmax())]
    form = rf"{re.escape(str(image))}: {said} \(\d+\.\d %\), then \w+ \(\d+\.\d %\); most for it "
    assert re.fullmatch(form + r"speaks the place in row [0-7], column [0-7] of 8 x 8", first)
    assert pictures == [
        str(tmp_path / "seen" / f"pet-{one}.png") for one in ("attribution", "maps")
    ]
    for picture in pictures:
        with Image.open(picture) as drawn:
            assert drawn.format == "PNG"
    told = json.loads(CliRunner().invoke(app, [*words, "--method", "grad_cam", "--json"]).stdout)
    assert told["class"] == said and told["layer"] == "conv2d" and told["pictures"] == pictures
    assert told["probabilities"].keys() == {"cat", "dog", "eel"}
    assert isinstance(told["meaningful"], bool)
    assert set(told["strongest"]) == {"row", "column"}


def test_a_run_without_names_of_classes_has_numbers(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "plain")
    model = st.Sequential([L.Input((8, 8, 1)), L.Conv2D(2, 3), L.Flatten(), L.Dense(2)])
    run.finish(model)  # its outputs are logits
    image = tmp_path / "x.png"
    Image.fromarray(np.full((8, 8), 200, np.uint8)).save(image)
    words = ["explain", str(run.path), str(image), "--out", str(tmp_path), "--json"]
    told = json.loads(CliRunner().invoke(app, words).stdout)
    assert told["class"] in ("0", "1") and abs(sum(told["probabilities"].values()) - 1) < 1e-6
