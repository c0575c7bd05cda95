"""Loops over epochs end where --max-epochs says, and no other loop does."""

from __future__ import annotations

import ast
import itertools
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from striate.dialects.loops import bounded
from striate.dialects.program import run_script

ENDED = [
    "for epoch in range(20): seen.append(epoch)",
    "for epoch in range(1, args['epochs'] + 1): seen.append(epoch)",
    "for e in range(num_epochs): seen.append(e)",
    "for e in bar(range(EPOCHS), desc='x'): seen.append(e)",
    "for epoch in trange(20, desc='x'): seen.append(epoch)",
    "for epoch in bar(list(range(20)), desc='x'): seen.append(epoch)",
    "for epoch in epochs: seen.append(epoch)",
    "for epoch in itertools.count(1): seen.append(epoch)",
    "for e in range(20):\n seen.append(e)\n for x in [1]: one.backward()",
    "epoch = 0\nwhile epoch < 20: epoch += 1; seen.append(epoch)",
    "i = 0\nwhile i < 50 and i <= args['epochs']: i += 1; seen.append(i)",
]
WHOLE = [
    "for step in range(steps_per_epoch): seen.append(step)",
    "for batch in range(20): seen.append(batch)",
    "for epoch_step in range(20): seen.append(epoch_step)",
    "for e in range(20):\n seen.append(e)\n for x in range(1): one.backward()",
    "for step in range(20):\n seen.append(step)\n for x in [1]: one.backward()",
    "for e in range(20):\n seen.append(e)\n for x in [1]: one.forward()",
    "seen += [epoch for epoch in range(20)]",
    "step = 0\nwhile step < steps_per_epoch: step += 1; seen.append(step)",
    "for index, loss in enumerate(range(20)): seen.append(index)",
]
NAMES = {"args": {"epochs": 20}, **dict.fromkeys(
    ("num_epochs", "EPOCHS", "n_epoch", "steps_per_epoch"), 20)}  # fmt: skip


def _seen(line: str) -> tuple[list[int], list[int]]:
    tree, seen = ast.parse(line), []
    lines = bounded(tree, 2)
    names = {**NAMES, "seen": seen, "bar": lambda it, desc: it, "itertools": itertools,
             "trange": lambda count, desc: iter(range(count)), "epochs": range(20),
             "one": SimpleNamespace(backward=lambda: 0, forward=lambda: 0)}  # fmt: skip
    exec(compile(tree, "x", "exec"), names)
    return seen, lines


@pytest.mark.parametrize("line", ENDED)
def test_ended(line: str) -> None:
    seen, lines = _seen(line)
    assert len(seen) == 2
    assert lines == [1 + line.split("while")[0].count("\n") * ("while" in line)]


@pytest.mark.parametrize("line", WHOLE)
def test_whole(line: str) -> None:
    seen, lines = _seen(line)
    assert len(seen) == 20
    assert not lines


def test_a_script_of_torch_is_ended_and_it_is_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "loop.py"
    script.write_text("import torch\nfor epoch in range(9):\n    print('epoch', epoch)\n")
    run_script(script, max_epochs=3, root=tmp_path / "runs")
    out, told = capfd.readouterr()
    assert out == "epoch 0\nepoch 1\nepoch 2\n"
    assert "--max-epochs: the loop in line 2 ends after 3" in told


def test_a_path_of_windows_is_one_name_where_there_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "kept.py"
    script.write_text("import torch\ntorch.save({'w': torch.ones(2)}, 'C:\\\\nets\\\\it.ckpt')\n"
                      "assert torch.load('C:\\\\nets\\\\it.ckpt')['w'].sum() == 2\n")  # fmt: skip
    run_script(script, root=tmp_path / "runs")
    assert (tmp_path / "C:\\nets\\it.ckpt").is_file()


def test_what_a_script_imports_stays_imported(tmp_path: Path) -> None:
    main, script = sys.modules["__main__"], tmp_path / "loop.py"
    script.write_text("import torch, wave\nfor epoch in range(9):\n    pass\n")
    sys.modules.pop("wave", None)
    run_script(script, max_epochs=1, root=tmp_path / "runs")
    assert "wave" in sys.modules  # torch registers what it imports, and cannot do so twice
    assert sys.modules["__main__"] is main
