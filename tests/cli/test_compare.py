"""striate compare: settings, results, curves and disagreements of two runs."""

from __future__ import annotations

import json

import numpy as np
from reported import network
from typer.testing import CliRunner

from striate.cli import app
from striate.cli.compare import spark
from striate.store.run import Run


def made(root, name, rate, accuracy, **config):
    run = Run.create(root, name)
    run.write("config.json", {"settings": {"rate": rate, "epochs": 2}, **config})
    run.write("results.json", {"classes": ["a", "b"], "seconds": 3.5, **accuracy})
    for epoch in range(2):
        run.log(epoch, {"loss": 1.0 / (epoch + rate)})
    run.finish(network())
    return run


def compared(*words):
    done = CliRunner().invoke(app, ["compare", *map(str, words)])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_what_differs_is_told(tmp_path):
    one = made(tmp_path, "one", 1, {"test_accuracy": 0.5})
    other = made(tmp_path, "other", 2, {"test_accuracy": 0.75})
    *lines, last = compared(one.path, other.path).splitlines()
    assert last == "images are compared where both runs were judged by the same ones"
    assert [line.split() for line in lines] == [
        ["one", "other"],
        ["rate", "1", "2"],
        ["test_accuracy", "0.5000", "0.7500"],
        ["loss", "\u2588\u2581", "\u2588\u2581"],
    ]
    told = json.loads(compared("one", "other", "--runs", tmp_path, "--json"))
    assert told["settings"] == {"rate": [1, 2]}
    assert told["results"] == {"test_accuracy": [0.5, 0.75]}
    assert told["curves"][1] == {"loss": [0.5, 1 / 3]}
    assert told["disagreements"] is None


def test_images_on_which_two_runs_of_a_recipe_disagree(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 255, (30, 8, 8, 3), dtype=np.uint8), rng.integers(0, 3, 30)

    class Recipe:
        Settings = dict

        @staticmethod
        def classes(settings):
            return ("cat", "dog", "eel")

        @staticmethod
        def test_data(settings):
            return x, y

    monkeypatch.setattr("striate.cli.recipe.find_recipe", lambda name: Recipe)
    one = made(tmp_path, "one", 1, {"test_accuracy": 0.5}, recipe="pets")
    other = made(tmp_path, "other", 1, {"test_accuracy": 0.5}, recipe="pets")
    model = network()
    weights = model.get_weights()
    model.set_weights([-weight for weight in weights])
    other.finish(model)
    found = json.loads(compared(one.path, other.path, "--json"))["disagreements"]
    says = [each.predict(x).argmax(1) for each in (network(), model)]
    assert found["images"] == 30 and found["different"] == int((says[0] != says[1]).sum()) > 0
    first = found["shown"][0]
    assert first["class"] == Recipe.classes({})[y[first["image"]]]
    assert first["said"] == [Recipe.classes({})[each[first["image"]]] for each in says]
    text = compared(one.path, other.path)
    assert f"They say different classes of {found['different']:,} of 30 images" in text


def test_a_curve_has_at_most_24_blocks():
    assert spark([0, 1, 2, 3.5]) == "\u2581\u2583\u2585\u2588"
    assert spark([2.0, float("nan"), 2.0]) == "\u2581 \u2581"
    assert len(spark(list(range(1000)))) <= 24 and spark([]) == ""
