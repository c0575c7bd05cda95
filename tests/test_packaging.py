"""The package as it is installed, and the scripts that install it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

import striate

ROOT = Path(__file__).resolve().parent.parent
# They reach a build of torch for graphics cards, several gigabytes, or fail beside another build.
NEVER = {"torchvision", "torchaudio", "timm", "grad-cam", "litdata", "mosaicml-streaming"}

# A package of one command and its own build backend: setting it up needs no network.
TINY_PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "striate"
version = "1.0"
"""
TINY_BACKEND = """\
from zipfile import ZipFile

INFO = "striate-1.0.dist-info/"
FILES = {
    "tiny.py": "import os, sys\\ndef main(): print(os.getcwd(), sys.argv[1:])\\n",
    INFO + "METADATA": "Metadata-Version: 2.1\\nName: striate\\nVersion: 1.0\\n",
    INFO + "WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    INFO + "entry_points.txt": "[console_scripts]\\nstriate = tiny:main\\n",
    INFO + "RECORD": "",
}

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = "striate-1.0-py3-none-any.whl"
    with ZipFile(f"{wheel_directory}/{name}", "w") as wheel:
        for path, text in FILES.items():
            wheel.writestr(path, text)
    return name
"""
SETTING_UP = "setting up (once, 1 to 4 minutes) ...\n"


def test_version_is_stated_once() -> None:
    assert distribution("striate").version == striate.__version__
    assert f"\n## {striate.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_requirements_do_not_reach_torchvision() -> None:
    requirements = distribution("striate").requires or []
    names = {re.split(r"[^\w.-]", line)[0].lower() for line in requirements}
    assert {"torch", "numpy", "safetensors"} <= names
    assert not names & NEVER
    (torch,) = (line for line in requirements if re.match(r"torch\b", line))
    assert sorted(torch.removeprefix("torch").split(",")) == ["<2.14", ">=2.10"]


def test_package_is_typed_and_carries_its_licences() -> None:
    assert (Path(striate.__file__).parent / "py.typed").is_file()
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    assert distribution("striate").metadata["License-Expression"] == "Apache-2.0"


def test_recipes_have_one_name_in_checkout_and_wheel() -> None:
    program = "import striate.recipes as r; print(*r.__path__, sep='\\n')"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout.splitlines() == [str(ROOT / "striate" / "recipes"), str(ROOT / "recipes")]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The scripts around the tiny package, in a folder with a space in its name."""
    folder = tmp_path / "a checkout"
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    (folder / "pyproject.toml").write_text(TINY_PROJECT)
    (folder / "backend.py").write_text(TINY_BACKEND)
    return folder


def start(checkout: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [checkout / "scripts" / "striate", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
    )


def test_two_first_starts_at_once_set_up_once_and_both_run(checkout: Path) -> None:
    both = [start(checkout, "train", "two words"), start(checkout, "doctor")]
    (first, first_talk), (second, second_talk) = (process.communicate() for process in both)
    assert first == "/ ['train', 'two words']\n"
    assert second == "/ ['doctor']\n"
    assert first_talk + second_talk == SETTING_UP

    assert start(checkout, "runs").communicate() == ("/ ['runs']\n", "")

    with (checkout / "pyproject.toml").open("a") as file:
        file.write('description = "changed"\n')
    assert start(checkout, "runs").communicate() == ("/ ['runs']\n", SETTING_UP)


def test_copied_checkout_gets_an_environment_of_its_own(checkout: Path) -> None:
    start(checkout).communicate()
    copy = checkout.parent / "copy"
    shutil.copytree(checkout, copy, symlinks=True)
    shutil.rmtree(checkout)
    assert start(copy, "runs").communicate() == ("/ ['runs']\n", SETTING_UP)


def test_failed_installation_shows_its_end_and_is_tried_again(checkout: Path) -> None:
    (checkout / "backend.py").write_text("raise RuntimeError('no such wheel')")
    failed = start(checkout)
    results, talk = failed.communicate()
    assert (failed.returncode, results) == (1, "")
    assert talk.startswith(SETTING_UP)
    assert "no such wheel" in talk
    assert talk.endswith(
        ".venv: the installation failed, as told above\n"
        "  fix   check the network and the disk (it takes 2 GB), then give the same command again\n"
    )
    (checkout / "backend.py").write_text(TINY_BACKEND)
    assert start(checkout, "runs").communicate() == ("/ ['runs']\n", SETTING_UP)


def fake_python(folder: Path, version: tuple[int, int], lacking: str) -> None:
    """A `python3` that states another version and does not have the module `lacking`."""
    program = folder / "fake.py"
    program.write_text(
        "import sys\n"
        f"sys.version_info = ({version[0]}, {version[1]}, 0)\n"
        f"sys.version = '{version[0]}.{version[1]}.0 (fake)'\n"
        f"sys.modules.update(dict.fromkeys({lacking.split()}))\n"
        "exec(sys.argv[2])\n"
    )
    python = folder / "python3"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{program}" "$@"\n')
    python.chmod(0o755)


@pytest.mark.parametrize(
    ("version", "lacking", "found"),
    [
        ((3, 9), "", "Python 3.9.0"),
        ((3, 14), "", "Python 3.14.0"),
        ((3, 12), "ensurepip", "Python 3.12.0 without venv or ensurepip"),
        (None, "", "no python3"),
    ],
)
def test_unfit_python_is_told_with_the_fix(
    version: tuple[int, int] | None, lacking: str, found: str, checkout: Path, tmp_path: Path
) -> None:
    only = tmp_path / "bin"
    only.mkdir()
    for tool in ("bash", "cksum", "dirname", "env", "flock", "grep"):
        if path := shutil.which(tool):
            (only / tool).symlink_to(path)
    if version:
        fake_python(only, version, lacking)
    command = [checkout / "scripts" / "install"]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env={"PATH": str(only)}
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "python3: cannot make an environment for Striate\n"
        f"  got   {found}\n"
        "  need  Python 3.10 to 3.13 with the modules venv and ensurepip\n"
        "  fix   Debian or Ubuntu: sudo apt install python3-venv; macOS: brew install python@3.13\n"
    )
