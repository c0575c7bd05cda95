"""What the page asks beside the maps: why, mistakes, progress, runs beside each other."""

from __future__ import annotations

import asyncio
import json
import math
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from explored import Visitor, digits, encoded, keep, lenet, residual

import striate as st
from striate.explorer import progress, shelf
from striate.explorer.subject import KNOWN
from striate.store import samples
from striate.store.run import Run


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Visitor:
    root = tmp_path_factory.mktemp("runs")
    digits(root, "first", lenet(), epochs=2, samples=1000)
    digits(root, "second", lenet(), epochs=1, samples=500)
    keep(root, "other", residual())
    visitor = Visitor(root)
    for name in ("first", "second"):  # a thousand pictures are enough here
        subject = visitor.subjects[name]
        for part in ("train", "test"):
            pictures: Any = getattr(subject, part)
            vars(subject)[part] = type(pictures)(pictures.x[:1000], pictures.y[:1000])
    return visitor


def pixels(visitor: Visitor, index: int = 4) -> str:
    return str(visitor.get("sample", run="first", kind="index", at=index)["pixels"])


@pytest.mark.parametrize("method", ["grad_cam", "occlusion", "saliency"])
def test_attributions_are_those_of_inspect(visitor: Visitor, method: str) -> None:
    subject = visitor.subjects["first"]
    assert subject.test is not None
    told = visitor.post("cam", run="first", pixels=pixels(visitor), method=method, target=3)
    found = st.inspect.attribution(subject.model, subject.test.x[4], 3, method)
    assert np.allclose(told["values"], found.values.sum(-1).flatten(), atol=1e-5)
    assert told["layer"] == found.layer
    assert "conv2d_1" in told["layers"]


def test_an_attribution_is_checked_with_shuffled_weights(visitor: Visitor) -> None:
    told = visitor.post("sanity", run="first", pixels=pixels(visitor))
    assert told["meaningful"] == (abs(np.mean(told["correlations"])) < 0.5)


def test_the_nearest_pictures_and_a_maps_favourites_are_those_of_inspect(visitor: Visitor) -> None:
    subject = visitor.subjects["first"]
    assert subject.test is not None
    assert subject.train is not None
    told = visitor.post("nearest", run="first", pixels=pixels(visitor))
    found = st.inspect.nearest(subject.model, subject.train.x, subject.test.x[4])
    assert [one["likeness"] for one in told["pictures"]] == pytest.approx(found.similarities)
    assert [one["label"] for one in told["pictures"]] == [
        int(subject.train.y[at]) for at in found.samples
    ]
    liked = visitor.post("likes", run="first", layer="conv2d", channel=2)["found"]
    best = st.inspect.likes(subject.model, subject.test.x, "conv2d", 2).found
    assert [one["index"] for one in liked] == [one.sample for one in best]
    assert [one["box"] for one in liked] == [[list(side) for side in one.box or ()] for one in best]


def test_a_cell_of_the_matrix_has_its_pictures(visitor: Visitor) -> None:
    told = visitor.get("mistakes", run="first")
    subject = visitor.subjects["first"]
    assert subject.test is not None
    said = subject.model.predict(subject.test.x).argmax(-1)
    assert np.trace(told["confusion"]) == int((said == subject.test.y).sum())
    true, pred, count = told["confused"][0]
    cell = visitor.get("mistakes/pictures", run="first", which="cell", true=true, pred=pred)
    assert cell["total"] == count == told["confusion"][true][pred]
    losses = [one["loss"] for one in cell["pictures"]]
    assert losses == sorted(losses, reverse=True)
    assert {(one["label"], one["said"]) for one in cell["pictures"]} == {(true, pred)}


def test_the_next_mistake_is_a_mistake(visitor: Visitor) -> None:
    found = visitor.get("sample", run="first", kind="mistake", at=-1)
    answer = visitor.post("predict", run="first", pixels=found["pixels"])
    assert answer["best"] != found["label"]
    after = visitor.get("sample", run="first", kind="mistake", at=found["index"])
    assert after["index"] > found["index"]


def test_the_data_are_counted(visitor: Visitor) -> None:
    subject = visitor.subjects["first"]
    assert subject.train is not None
    told = visitor.get("data", run="first")
    assert told["counts"]["train"] == np.bincount(subject.train.y, minlength=10).tolist()
    assert told["sizes"]["test"] == [1000, 28, 28, 1]
    assert sum(told["counts"]["validation"]) == told["sizes"]["validation"][0] == 5000
    assert len(told["means"]) == 10
    assert sum(told["ink"]) == 1000


def test_layers_tell_their_dead_maps(visitor: Visitor) -> None:
    told = visitor.get("health", run="first")
    assert told["samples"] == 256
    assert set(told["dead"]) <= {"conv2d", "conv2d_1", "dense", "max_pooling2d", "flatten"} | {
        "max_pooling2d_1"
    }


def test_an_epoch_is_looked_at_again(visitor: Visitor) -> None:
    assert visitor.get("model", run="first")["epochs"] == [0, 1, 2]
    ask = {"run": "first", "pixels": pixels(visitor)}
    answers = [visitor.post("predict", **ask, epoch=epoch)["outputs"] for epoch in (0, 1, 2)]
    assert answers[0] != answers[1] != answers[2]
    assert answers[2] == visitor.post("predict", **ask)["outputs"]
    unit = {**ask, "layer": "conv2d", "channel": 1, "row": 9, "column": 9}
    assert visitor.post("unit", **unit, epoch=0)["agrees"]
    assert visitor.refused("POST", "/api/predict", json={**ask, "epoch": 9}) == (
        404,
        "first: epoch 9 was not kept\n  need  one of 0, 1, 2",
    )


def test_kernels_before_and_after(visitor: Visitor) -> None:
    told = visitor.get("kernels", run="first", layer="conv2d_1")
    values = st.inspect.kernels(visitor.subjects["first"].model, "conv2d_1").values
    assert np.allclose(told["values"], np.moveaxis(values, (3, 2), (0, 1)), atol=1e-5)
    assert told["before"] is not None
    assert told["before"] != told["values"]


def test_a_unit_is_told_with_what_it_sees(visitor: Visitor) -> None:
    ask = {"run": "first", "pixels": pixels(visitor), "layer": "max_pooling2d_1"}
    told = visitor.post("unit", **ask, channel=3, row=2, column=1)
    assert told["total"] == pytest.approx(told["value"], rel=1e-5)
    assert told["field"]["0"]["rows"] == [6, 22]
    assert told["field"]["0"]["cols"] == [2, 18]
    assert told["field"]["4"]["channels"] == [3, 4]
    found = visitor.post("unit", **(ask | {"layer": "dense_1"}), channel=7)
    assert found["field"]["0"]["count"] == 784
    assert visitor.refused("POST", "/api/unit", json={**ask, "channel": 99}) == (
        422,
        "max_pooling2d_1 (MaxPooling2D): has no such unit\n"
        "  got   unit (0, 0, 99)\n  need  a position in the output (5, 5, 16)",
    )


def test_runs_beside_each_other(visitor: Visitor) -> None:
    rows = {row["run"]: row for row in visitor.get("table")["runs"]}
    assert rows["first"]["curve"][-1] == rows["first"]["best"]
    assert rows["first"]["number"] == "accuracy"
    assert rows["other"]["curve"] == []
    told = visitor.get("compare", one="first", other="second")
    assert told["differs"] == [["settings.epochs", "2", "1"]]
    one, other = (visitor.subjects[name] for name in ("first", "second"))
    assert one.test is not None
    found = st.inspect.compare(one.model, other.model, one.test.x, one.test.y)
    assert told["disagree"] == len(found.disagree)
    assert [row["index"] for row in told["pictures"]] == list(found.disagree[: shelf.SHOWN])
    assert visitor.get("compare", one="first", other="other")["agreement"] is None


def test_curves_come_as_they_are_written(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "live")
    config = {"settings": {"epochs": 3}}
    run.write("config.json", config)

    async def watched() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        async for event in progress.events(run.path, config):
            if not event.startswith("data: "):
                continue
            found.append(json.loads(event.removeprefix("data: ")))
            if len(found) < 4:
                run.log(len(found) - 1, {"loss": 1.0 / len(found), "odd": float("nan")})
            else:
                run.finish(lenet())
        return found

    told = asyncio.run(asyncio.wait_for(watched(), 60))
    assert [one["since"] for one in told] == [0, 0, 1, 2, 3]
    assert [one["state"] for one in told] == ["training"] * 4 + ["finished"]
    assert [one["rows"] for one in told] == [
        [],
        [{"epoch": 1, "loss": 1.0}],
        [{"epoch": 2, "loss": 0.5}],
        [{"epoch": 3, "loss": 1.0 / 3}],
        [],
    ]


def test_a_loss_that_is_no_number_is_an_alarm_at_its_step_and_no_broken_json(
    tmp_path: Path,
) -> None:
    run = Run.create(tmp_path, "lost")
    lines = [
        {"at": n / 10, "step": n, "steps": 1, "loss": 1.0 if n < 3 else math.nan} for n in (1, 2, 3)
    ]
    (run.path / "steps.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in lines))
    run.log(0, {"loss": math.nan, "lr": 0.1})
    run.finish(lenet())

    async def first(since: int) -> str:
        return await anext(progress.events(run.path, {}, since))

    def refused(word: str) -> Any:
        raise AssertionError(word)

    text = asyncio.run(first(0)).removeprefix("data: ")
    told = json.loads(text, parse_constant=refused)
    assert told["rows"] == [{"epoch": 1, "lr": 0.1}]
    (alarm,) = told["alarms"]
    assert alarm["at"] == 0.3 and "since step 3:" in alarm["text"]
    assert json.loads(asyncio.run(first(1)).removeprefix("data: "))["rows"] == []


def test_a_run_that_was_left_is_not_in_training(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "left")
    path = run.write("config.json", {})
    old = time.time() - progress.FORGOTTEN_S - 1
    os.utime(path, (old, old))
    assert progress.state(run.path, {})["state"] == "not finished"


def test_a_line_that_is_half_written_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"epoch": 1, "loss": 2.0}\n{"epoch": 2, "lo')
    assert progress.rows(tmp_path) == [{"epoch": 1, "loss": 2.0}]


def test_pictures_that_are_there_twice(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (30, 16, 16, 3), np.uint8)
    y = np.arange(30) % 4
    run = keep(tmp_path, "pets", residual(), list("abcd"))
    test = np.concatenate([x[20:], x[3:4], x[25:26]])  # one of training, one of its own
    labels = np.concatenate([y[20:], [0, 1]])
    samples.keep(run.path, {"train": (x[:20], y[:20]), "test": (test, labels)})
    visitor = Visitor(tmp_path)
    assert visitor.get("mistakes", run="pets")["twins"] == 3
    found = visitor.get("mistakes/pictures", run="pets", which="twins")
    assert [one["index"] for one in found["pictures"]] == [5, 10, 11]
    assert visitor.get("data", run="pets")["duplicates"] == {"train": 0, "test": 1, "parts": 1}


def test_what_lies_between_the_epochs_is_sent(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "young")
    run.write("config.json", {"settings": {"epochs": 4}})
    lines = [{"at": n / 700, "step": n, "steps": 1, "loss": 2.0} for n in range(1, 1401)]
    (run.path / "steps.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    async def first() -> str:
        async for one in progress.events(run.path, {"settings": {"epochs": 4}}):
            return one
        return ""

    told = json.loads(asyncio.run(first()).removeprefix("data: "))
    assert told["rows"] == [] and told["state"] == "training"
    assert 100 < len(told["steps"]) <= progress.SENT
    assert told["steps"][-1]["step"] == 1400 and told["steps"][-1]["at"] == 2.0


def test_messages_of_lists(visitor: Visitor) -> None:
    assert visitor.refused("GET", "/api/mistakes/pictures?run=first&which=best") == (
        422,
        "mistakes: list='best' is not known\n"
        "  need  list one of 'cell', 'worst', 'confident', 'suspects', 'twins'",
    )
    assert visitor.refused("GET", "/api/mistakes/pictures?run=first&which=cell&true=99") == (
        422,
        "mistakes: there is no cell (99, 0)\n  need  below 10",
    )
    assert visitor.refused("GET", "/api/mistakes?run=other") == (
        422,
        f"other: knows no test pictures\n  need  {KNOWN}",
    )
    assert visitor.refused("GET", "/api/data?run=other") == (
        422,
        f"other: knows no pictures of its own\n  need  {KNOWN}",
    )
    asked = {"run": "other", "pixels": encoded(np.zeros((16, 16, 3), np.uint8))}
    assert visitor.refused("POST", "/api/nearest", json=asked)[0] == 422
