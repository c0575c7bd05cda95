"""A script of several files, and files as other systems write them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from striate.dialects.program import run_script

PROJECT = {
    "train.py": "import helper\nfrom nets import build\nhelper.say(build().output_shape)\n",
    "helper.py": "import not_there\ndef say(shape):\n    print 'ends with', shape\n",
    "nets/__init__.py": "from .small import build\n",
    "nets/small.py": (
        "from keras.models import Sequential\nfrom .blocks import first\n"
        "def build():\n    return Sequential([first()])\n"
    ),
    "nets/blocks.py": (
        "from keras.layers import Convolution2D\n"
        "def first():\n"
        "    return Convolution2D(4, 3, 3, border_mode='valid', input_shape=(8, 8, 1))\n"
    ),
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder / next(iter(files))


def test_the_packages_of_a_script_speak_for_its_version_and_may_be_python_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_script(write(tmp_path, PROJECT), root=tmp_path / "runs")
    captured = capsys.readouterr()
    assert captured.out == "ends with (None, 6, 6, 4)\n"
    assert "dialect  keras1 (Keras 1.2): " in captured.err
    assert "border_mode in line 3 of blocks.py" in captured.err


def test_what_a_script_imported_is_gone_after_it(tmp_path: Path) -> None:
    for size in (3, 5):
        files = PROJECT | {
            "nets/blocks.py": PROJECT["nets/blocks.py"].replace("3, 3", f"{size}, 1")
        }
        run_script(write(tmp_path / str(size), files), root=tmp_path / "runs")
        assert not {"helper", "nets", "nets.small", "nets.blocks"} & set(sys.modules)


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfprint('caf\xc3\xa9')\r\n",
        b"# -*- coding: latin-1 -*-\nprint('caf\xe9')\n",
        b"# of caf\xe9s, as Windows writes it\nprint('caf\xe9')\n",
    ],
    ids=["byte order mark", "declared", "not declared"],
)
def test_a_script_is_read_as_it_was_written(
    text: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "script.py").write_bytes(text)
    run_script(tmp_path / "script.py", root=tmp_path / "runs")
    assert capsys.readouterr().out == "café\n"


SPREAD = {
    "model/train.py": (
        "import os, sys\nsys.path.append('../tools')\n"
        "sys.path.insert(0, os.path.join(os.path.dirname(__file__), os.pardir, 'nets'))\n"
        "from keras.models import Sequential\nimport counting, blocks\n"
        "counting.train(Sequential([blocks.first()]).output_shape)\n"
    ),
    "tools/counting.py": (
        "def train(shape, epochs=9):\n"
        "    for epoch in range(epochs):\n"
        "        print 'epoch', epoch, shape, (epoch + 5) / 2\n"
    ),
    "nets/blocks.py": PROJECT["nets/blocks.py"],
}


def test_modules_lie_in_folders_that_a_script_adds_to_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, SPREAD)
    monkeypatch.chdir(path.parent)
    run_script(path, root=tmp_path / "runs", max_epochs=2)
    captured = capsys.readouterr()
    assert captured.out == "epoch 0 (None, 6, 6, 4) 2\nepoch 1 (None, 6, 6, 4) 3\n"
    assert "border_mode in line 3 of blocks.py" in captured.err
    assert "--max-epochs: the loop in line 2 of counting.py ends after 2" in captured.err
    assert "Python 2: / of whole numbers goes down" in captured.err
    assert not {"counting", "blocks"} & set(sys.modules)
