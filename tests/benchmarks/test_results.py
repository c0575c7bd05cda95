"""Pages of results: the medians and ratios in them, and that the kept ones are up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import (
    compare,
    dialects,
    explorer,
    figures,
    loops,
    mnist_recipe,
    results,
    time_to_99,
    tutorials,
)
from benchmarks.machine import vectors

HEADER = {
    "command": "scripts/bench x", "cpu": "A processor, 2 cores", "threads": "", "memory": "8 GiB",
    "system": "Linux 6, Python 3.12", "load": "0.5", "date": "2026-01-02", "striate": "abc",
}  # fmt: skip
ORIGIN = (
    "`scripts/bench x`; A processor, 2 cores, 8 GiB, Linux 6, Python 3.12; "
    "2026-01-02, striate abc. Load average 0.5."
)
PAGES = {
    "peers": compare.page,
    "figures": figures.page,
    "tutorials": tutorials.page,
    "mnist_recipe": mnist_recipe.page,
    "time_to_99": time_to_99.page,
    "explorer": explorer.page,
    "dialects": dialects.page,
    "loops": loops.page,
}


@pytest.mark.parametrize(
    "kept",
    sorted(results.FOLDER.glob("*/*.json")),
    ids=lambda kept: f"{kept.parent.name} {kept.stem}",
)
def test_the_kept_page_is_made_from_the_kept_numbers(kept: Path) -> None:
    page = kept.with_suffix(".md").read_text(encoding="utf-8")
    assert page == PAGES[kept.stem](results.load(kept.stem, kept.parent.name))


def test_results_are_kept_part_by_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    assert results.load("speed") == {}
    results.keep("speed", {"001": 5}, lambda parts: f"{parts}\n")
    results.keep("speed", results.load("speed") | {"004": 6}, lambda parts: f"{parts}\n")
    assert results.load("speed") == {"001": 5, "004": 6}
    assert (tmp_path / vectors() / "speed.md").read_text() == "{'001': 5, '004': 6}\n"
    assert results.load("speed", "another kind") == {}


def test_parts_measured_alike_share_a_line_with_the_range_of_loads() -> None:
    parts = {
        "a": {"header": HEADER},
        "b": {"header": HEADER | {"threads": "1"}},
        "c": {"header": HEADER | {"load": "12.0"}},
    }
    assert results.origins(parts) == [
        f"- a; c: {ORIGIN[:-4]}0.5 to 12.",
        f"- b: {ORIGIN}".replace("2 cores", "2 cores (OMP_NUM_THREADS=1)"),
    ]


def test_peers_are_compared_by_medians_and_ratios_to_the_best() -> None:
    versions = {"versions": {"torch": "2.13"}}
    tasks = {
        "train": {
            "Striate": {**versions, "realtime": [100.0, 300.0, 900.0]},
            "PyTorch loop": {**versions, "realtime": [50.0, 60.0, 500.0]},
            "Flax": {"error": "no"},
            "PyTorch expert": {"versions": {"torch": "2.13"}, "realtime": [150.0, 150.0, 1.0]},
        },
        "infer 1": {
            "Striate": {**versions, "realtime": [5000.0]},
            "ONNX Runtime": {"versions": {"onnxruntime": "1.2"}, "realtime": [10_000.0]},
        },
    }
    results = {f"001 {task}": {"header": HEADER, "peers": tasks[task]} for task in tasks}
    batches = "000 8, 001 64, 002a 32, 002b 100, 003 64, 004 32, resnet20 128"
    assert compare.page(results) == "\n".join(
        [
            "# Striate and its peers", "",
            f"- 001 train; 001 infer 1: {ORIGIN}", "",
            "Medians of the passes. Versions: onnxruntime 1.2, torch 2.13. "
            f"Batch sizes: {batches}.", "",
            "## Training, samples/s at the tutorial's batch size, real-time priority", "",
            "|  | 001 |",
            "| --- | ---: |",
            "| Striate | 300 |",
            "| PyTorch loop | 60 |",
            "| PyTorch expert | 150 |",
            "| **Striate / best peer** | **2.00x** |", "",
            "## Inference of one image, ms, real-time priority", "",
            "|  | 001 |",
            "| --- | ---: |",
            "| Striate | 0.200 |",
            "| ONNX Runtime | 0.100 |",
            "| **Striate / best peer** | **0.50x** |", "",
        ]
    )  # fmt: skip


def test_without_peers_there_is_no_ratio() -> None:
    peers = {"Striate": {"versions": {}, "normal": [100.0]}}
    page = compare.page({"001 train": {"header": HEADER, "peers": peers}})
    assert "| Striate | 100 |" in page
    assert "best peer" not in page


def test_a_figure_shows_how_cost_grows() -> None:
    values = [[10.0, 20.0], [40.0, 30.0], [160.0, 60.0], [640.0, 120.0]]
    page = figures.page({"size": {"header": HEADER, "values": values}})
    assert "| 28 x 28 | 10.00 |  | 20.00 |  |" in page
    assert "| 224 x 224 | 640 | 4.00 | 120 | 2.00 |" in page
    assert page.endswith(f"- size: {ORIGIN}\n")


def test_tutorials_show_the_median_of_their_seeds_and_the_target() -> None:
    runs = [
        {"accuracy": accuracy, "s": 10.0, "peak_mib": memory}
        for accuracy, memory in ((0.99, 300.0), (0.98, 310.0), (0.97, 305.0))
    ]
    page = tutorials.page({"001": {"header": HEADER, "runs": runs}})
    assert "| 001 | 4 | 3 | 98.00 | 97.00 | 99.00 | 10 | 310 |" in page


def test_the_recipes_page_has_its_medians_first() -> None:
    run = {"test_accuracy": 0.995, "test_loss": 0.1, "seconds": 60.0, "whole": 65.4}
    runs = [{"seed": seed, **run, "peak_mib": 500.0 + seed} for seed in range(3)]
    starts = {"import_s": [0.5, 0.25, 1.0], "help_s": [0.1, 0.3, 0.2], "note": "Busy."}
    part = {"header": HEADER, **starts, "runs": runs}
    page = mnist_recipe.page({"recipe": part})
    assert page.splitlines()[2] == (
        "Median of 3 seeds: test accuracy 99.50 %, 65 s, 501 MiB. `import striate`, with every "
        "public name, takes 0.50 s beyond torch's own import, `striate --help` 0.20 s (medians of "
        "3). A shared machine. Busy."
    )
    assert "| 2 | 99.50 | 0.1000 | 60.0 | 65.4 | 502 |" in page


def test_time_to_99_is_a_mean_over_seeds() -> None:
    part: dict[str, Any] = {
        "header": HEADER, "schedule": "one cycle", "validation": 0.991,
        "runs": [[0.99, 1.0], [0.992, 2.0]],
    }  # fmt: skip
    assert time_to_99.page({"001": part}).splitlines()[2] == (
        "Mean of 2 seeds: test accuracy 99.10 % after 1.50 s of training on 36,000 images. "
        "Schedule: one cycle; mean validation accuracy 99.10 %."
    )


def test_the_most_accurate_schedule_is_chosen_without_the_test_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other = time_to_99.SCHEDULES[0], time_to_99.SCHEDULES[-1]
    outcome = {one: (0.98, 1.0), other: (0.99, 3.0)}
    seen = []

    def train(schedule: Any, seed: int, data: Any, held_out: Any) -> tuple[float, float]:
        seen.append((seed, (len(data[0]), len(held_out[0]))))
        return outcome[schedule]

    monkeypatch.setattr(time_to_99, "train", train)
    x = np.arange(60_000)
    assert time_to_99.choose(x, x, [one, other]) == (other, 0.99)
    outcome[one] = (0.995, 5.0)
    assert time_to_99.choose(x, x, [one, other])[0] is one
    assert {seed for seed, *_ in seen}.isdisjoint(time_to_99.JUDGED)
    assert {sizes for _, sizes in seen} == {(55_000, 5_000)}


def test_scripts_are_compared_by_the_ratios_of_passes_next_to_each_other() -> None:
    passes = {"script": [90.0, 60.0, 100.0], "native": [100.0, 50.0, 200.0]}
    text = dialects.page({"003 ReNom 2.7": {"header": HEADER, **passes}})
    assert "| 003 ReNom 2.7 | 64 | 3 | 90 | 100 | 0.90 |" in text


def test_loops_are_compared_with_what_is_beside_them() -> None:
    passes = {"loop": [90.0, 60.0, 100.0], "beside": [100.0, 50.0, 200.0]}
    kept = {name: {"header": HEADER, **passes} for name in ("PyTorch, GAN", "tf.keras, a call")}
    text = loops.page(kept)
    assert "| tf.keras, a call | 3 | 90 | predict | 100 | 0.90 |" in text
    assert "| PyTorch, GAN | 3 | 90 | plain PyTorch | 100 | 0.90 |" in text
