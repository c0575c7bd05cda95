"""The folder of a run: its name, its files, its end, and what is noticed when it is opened."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch
from cases import told

import striate as st
from striate import layers as L
from striate.store.repository import repository
from striate.store.run import Run, environment, list_runs


def model():
    return st.Sequential([L.Input((4,)), L.Dense(2)])


def finished(root, name="a"):
    run = Run.create(root, name)
    run.write("config.json", {"epochs": 1})
    run.log(0, {"loss": 0.5})
    run.finish(model())
    return run


def test_a_name_that_is_taken_gets_a_number(tmp_path):
    names = [Run.create(tmp_path / "runs", "digits").name for _ in range(3)]
    assert names == ["digits", "digits-2", "digits-3"]


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("../up", "up"),
        ("My Run", "my-run"),
        ("", "run"),
        (".", "run"),
        ("a/b", "a-b"),
        ("a\x00b", "a-b"),
        ("a\n", "a"),
        ("x" * 65, "x" * 64),
    ],
)
def test_a_name_that_is_no_folder_name(tmp_path, name, fix):
    assert told(lambda: Run.create(tmp_path, name)) == (
        f"run {name!r}: is not a name for a run\n"
        "  need  small letters, digits, - and _, at most 64, beginning with a letter or digit\n"
        f"  fix   {fix}"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_root_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    root = tmp_path / "file" / "runs"
    assert told(lambda: Run.create(root, "a")) == (
        f"{root / 'a'}: cannot be made\n  got   Not a directory\n  fix   another folder for runs"
    )


def test_a_finished_run_holds_everything(tmp_path):
    run = finished(tmp_path)
    assert sorted(item.name for item in run.path.iterdir()) == [
        "MANIFEST.sha256",
        "config.json",
        "history.csv",
        "metrics.jsonl",
        "model.json",
        "model.striate",
        "weights.safetensors",
    ]
    again = Run.open("a", tmp_path)
    assert again.path == run.path
    assert again.read("config.json") == {"epochs": 1}
    assert len(st.load(run.path).weights) == 2


def test_a_model_in_a_run_predicts_the_same(tmp_path):
    net = model()
    run = Run.create(tmp_path, "a")
    run.finish(net)
    x = torch.rand(3, 4).numpy()
    assert np.array_equal(st.load(run.path).predict(x), net.predict(x))


def test_the_history_has_a_column_for_each_number(tmp_path):
    run = Run.create(tmp_path, "a")
    run.log(0, {"loss": 0.5})
    run.log(1, {"loss": 0.25, "val_loss": 1.0})
    assert (run.path / "history.csv").read_text() == "epoch,loss,val_loss\n1,0.5,\n2,0.25,1.0\n"
    assert (run.path / "metrics.jsonl").read_text() == (
        '{"epoch": 1, "loss": 0.5}\n{"epoch": 2, "loss": 0.25, "val_loss": 1.0}\n'
    )


def test_a_changed_byte_is_noticed_in_every_file(tmp_path):
    run = finished(tmp_path)
    run.write("epochs/0000.safetensors", b"weights of an epoch")
    run.finish(model())
    for path in sorted(path for path in run.path.rglob("*") if path.is_file()):
        if path.name == "MANIFEST.sha256":
            continue
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        message = told(lambda: Run.open(run.path))
        assert message.startswith(
            f"{run.path}: {path.relative_to(run.path)} was changed or damaged\n  got   sha256 "
        )
        path.write_bytes(whole)
    Run.open(run.path)
    (run.path / "config.json").unlink()
    assert told(lambda: Run.open(run.path)).startswith(f"{run.path}: config.json is missing\n")


def test_a_run_that_was_not_finished(tmp_path):
    run = Run.create(tmp_path, "a")
    assert told(lambda: Run.open("a", tmp_path)) == (
        f"{run.path}: the run was not finished: it has no manifest\n"
        "  got   an empty folder\n"
        "  fix   train again; metrics.jsonl has the epochs that were done"
    )
    run.log(0, {"loss": 1.0})
    assert told(lambda: Run.open("a", tmp_path)) == (
        f"{run.path}: the run was not finished: it has no manifest\n"
        "  got   history.csv, metrics.jsonl\n"
        "  fix   train again; metrics.jsonl has the epochs that were done"
    )
    assert list_runs(tmp_path) == []


def test_a_run_that_is_not_there(tmp_path):
    finished(tmp_path, "digits")
    assert told(lambda: Run.open("digitz", tmp_path)) == (
        "digitz: there is no such run\n"
        f"  need  a folder, or one of the runs in {tmp_path}: digits\n"
        '  fix   did you mean "digits"?'
    )
    assert 'did you mean "digits"?' in told(lambda: Run.open("runs/digtis", tmp_path))
    empty = tmp_path / "none"
    assert told(lambda: Run.open("a", empty)) == (
        "a: there is no such run\n"
        f"  need  a folder, or one of the runs in {empty}: none yet\n"
        "  fix   striate train mnist"
    )


def test_a_file_of_a_run_that_is_not_json(tmp_path):
    run = Run.create(tmp_path, "a")
    run.write("config.json", "{")
    assert told(lambda: run.read("config.json")) == (
        f"{run.path / 'config.json'}: is not JSON\n"
        "  got   Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"
    )


def test_runs_are_listed_oldest_first(tmp_path):
    for name, age in (("b", 30), ("c", 10), ("a", 20)):
        run = finished(tmp_path, name)
        os.utime(run.path / "MANIFEST.sha256", (10**9 - age, 10**9 - age))
    assert [path.name for path in list_runs(tmp_path)] == ["b", "a", "c"]


def test_the_environment_names_what_a_result_depends_on():
    found = environment()
    assert found["striate"] == st.__version__
    assert found["torch"] == torch.__version__
    assert found["threads"] == torch.get_num_threads()
    assert list(found) == [
        "striate",
        "python",
        "torch",
        "numpy",
        "platform",
        "cpu",
        "instructions",
        "threads",
        "cuda",
        *repository(),
    ]
