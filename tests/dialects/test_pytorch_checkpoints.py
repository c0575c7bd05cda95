"""Files of torch.save that another run has written: whole networks, numbers of NumPy, places."""

from __future__ import annotations

import os
import pickle
import sys
import zipfile
from pathlib import Path

import pytest
import torch

from striate.dialects.program import run_script
from striate.dialects.pytorch.checkpoints import harmless

NETS = """
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten())
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.body(x))
"""
WRITES = """
import argparse
import numpy as np
import torch
from parts.nets import Net

class Score:
    best = 0

net, score = Net(), Score()
score.best = np.float64(0.5)
torch.save(net, 'net.pth')
torch.save({'net': net.state_dict(), 'best': np.mean([0.25, 0.75]), 'score': score,
            'args': argparse.Namespace(lr=0.1)}, 'state.pth')
torch.save((torch.ones(1, 1, 4, 4), net(torch.ones(1, 1, 4, 4))), 'seen.pth')
"""
READS = """
import torch

class Score:
    pass

net = torch.load('net.pth', map_location=torch.device('cuda'))
state = torch.load('state.pth', 'cuda:0')
x, y = torch.load('seen.pth', map_location=lambda storage, place: storage.cuda(0))
assert torch.equal(net(x), y) and type(net).__module__ == 'parts.nets'
net.load_state_dict(state['net'])
assert state['best'] == state['score'].best == 0.5 and state['args'].lr == 0.1
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a package of networks, and work in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "__init__.py").write_text("")
    (tmp_path / "parts" / "nets.py").write_text(NETS)
    return tmp_path


def test_whole_networks_of_an_earlier_run_are_read(folder: Path) -> None:
    for name, text in (("train.py", WRITES), ("test.py", READS)):
        (folder / name).write_text(text)
        run_script(str(folder / name), root=str(folder / "runs"))
        for module in [one for one in sys.modules if one.partition(".")[0] == "parts"]:
            del sys.modules[module]


def test_networks_of_a_folder_that_the_user_has_named_are_read_once_imported(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "train").mkdir()
    (folder / "nets_beside.py").write_text(NETS)
    text = "import torch\nfrom nets_beside import Net\nassert type(torch.load('it.pth')) is Net\n"
    (folder / "train" / "x.py").write_text(text)
    (folder / "train" / "y.py").write_text("import torch\ntorch.load('it.pth')\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.chdir(folder / "train")
    from nets_beside import Net  # type: ignore[import-not-found]

    torch.save(Net(), "it.pth")
    run_script("x.py", root=str(folder / "runs"))
    del sys.modules["nets_beside"]
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        run_script("y.py", root=str(folder / "runs"))


class Command:
    """What a file may not hold: code that runs where it is read."""

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return os.getenv, ("HOME",)


@pytest.mark.parametrize("part", [Command(), os.getenv, pickle.Pickler, getattr])
def test_a_file_that_names_other_code_is_left_to_torch(folder: Path, part: object) -> None:
    torch.save({"a": torch.ones(1), "b": part}, folder / "it.pth")
    assert not harmless(folder / "it.pth")
    (folder / "x.py").write_text("import torch\ntorch.load('it.pth')\n")
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        run_script(str(folder / "x.py"), root=str(folder / "runs"))


@pytest.mark.parametrize(
    "way", ["torch.nn.functional torch.os.getenv", "torch.nn.functional importlib.import_module",
            "torch.nn functional.torch.os.getenv", "torch.nn.modules.conv torch.os.getenv",
            "striate.lower.runtime Library"]
)  # fmt: skip
def test_a_file_that_goes_to_other_code_by_way_of_a_known_module_is_left_to_torch(
    folder: Path, way: str
) -> None:
    torch.save({"a": torch.ones(1), "b": Command()}, folder / "it.pth")
    with zipfile.ZipFile(folder / "it.pth") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    module, word = way.split()
    with zipfile.ZipFile(folder / "it.pth", "w") as archive:
        for name, content in files.items():
            changed = content.replace(b"cos\ngetenv\n", f"c{module}\n{word}\n".encode())
            if changed != content:  # from this version on a name may have points
                changed = changed.replace(b"\x80\x02", b"\x80\x04", 1)
            archive.writestr(name, changed)
    assert not harmless(folder / "it.pth")


def test_a_file_of_plain_values_is_harmless_and_no_file_is_not(folder: Path) -> None:
    torch.save({"a": torch.ones(1), "b": {1, 2}, "c": slice(3)}, folder / "it.pth")
    (folder / "text.pth").write_text("no file of torch")
    assert harmless(folder / "it.pth")
    assert not harmless(folder / "text.pth") and not harmless(folder / "absent.pth")
