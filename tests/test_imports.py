"""What `import striate` loads, and what the rooms know of layers beyond the import contracts."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import striate
from striate import layers
from striate.core.layer import Layer

PACKAGE = Path(layers.__file__).parent.parent
LAYERS = {
    name
    for name, value in vars(layers).items()
    if isinstance(value, type) and issubclass(value, Layer) and value is not Layer
}
# Loaded by the function or the command that needs them: each costs tens of milliseconds or more.
# (torch itself imports some of torch.optim and torch.fx today: only what comes on top is counted.)
HEAVY = [
    "torch.optim", "torch.fx", "torch._dynamo", "torch._inductor", "torch.utils.tensorboard",
    "torchmetrics", "matplotlib", "rich", "typer", "pydantic", "PIL", "safetensors",
    "fastapi", "uvicorn",
]  # fmt: skip


def loaded_by(statement: str) -> set[str]:
    """The modules in a fresh interpreter after `statement`."""
    program = f"{statement}\nimport json, sys; print(json.dumps(list(sys.modules)))"
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return set(json.loads(done.stdout))


def layers_named(source: str) -> list[str]:
    """The concrete layers that a file imports, takes from a module, or tests with isinstance.

    A class of its own, or an operation, like `Permute`, is no layer though one is called the same.
    """
    found, tree = [], ast.parse(source)
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("core.operation"):
            own |= {alias.name for alias in node.names}
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), names=names) if "layers" in module.split("."):
                found += [alias.name for alias in names if alias.name in LAYERS]
            case ast.Attribute(value=ast.Name(id="layers" | "L"), attr=name) if name in LAYERS:
                found.append(name)
            case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[_, kind]):
                names = {n.id for n in ast.walk(kind) if isinstance(n, ast.Name)}
                names |= {n.attr for n in ast.walk(kind) if isinstance(n, ast.Attribute)}
                found += sorted(names & LAYERS - own)
    return found


def test_import_striate_is_light() -> None:
    every = "import striate; [getattr(striate, name) for name in striate.__all__]"
    extra = loaded_by(every) - loaded_by("import torch, numpy")
    assert sorted(extra.intersection(HEAVY)) == []
    assert "striate.cli" not in extra


def test_the_first_steps_of_training_load_no_compiler_and_no_optimizers_of_torch() -> None:
    steps = (
        "import numpy as np, striate as st; from striate import layers as L; "
        "model = st.Sequential([L.Input((8, 8, 1)), L.Conv2D(4, 3), L.Flatten(), L.Dense(2)]); "
        "model.compile('adam', 'crossentropy', ['accuracy']); x = np.zeros((64, 8, 8, 1), 'u1'); "
        "model.fit(x, np.arange(64) % 2, verbose=0); model.predict(x[:1])"
    )
    extra = loaded_by(steps) - loaded_by("import torch, numpy")
    assert sorted(extra.intersection(HEAVY)) == []


def test_the_package_alone_does_not_wait_for_torch() -> None:
    assert "torch" not in loaded_by("import striate")


def test_every_public_name_is_there() -> None:
    assert {name: hasattr(striate, name) for name in striate.__all__} == dict.fromkeys(
        striate.__all__, True
    )
    assert set(striate.__all__) <= set(dir(striate))
    with pytest.raises(AttributeError, match=r"^module 'striate' has no attribute 'Sequentiel'$"):
        striate.Sequentiel  # noqa: B018


def test_layers_are_found_where_they_are_named() -> None:
    assert layers_named("from striate.layers import Conv2D, Dense") == ["Conv2D", "Dense"]
    assert layers_named("from striate.layers.conv import Conv2D as C") == ["Conv2D"]
    assert layers_named("from striate import layers\nlayers.Dense(3)") == ["Dense"]
    assert layers_named("isinstance(x, (Layer, Conv2D))") == ["Conv2D"]
    assert layers_named("issubclass(x, striate.layers.Flatten)") == ["Flatten"]
    assert layers_named("isinstance(x, Layer) and x.name == 'Conv2D'") == []
    assert layers_named("class Permute: ...\nisinstance(x, (Permute, Conv2D))") == ["Conv2D"]
    operation = "from ..core.operation import Permute\n"
    assert layers_named(operation + "isinstance(x, (Permute, Conv2D))") == ["Conv2D"]


@pytest.mark.parametrize("room", ["core", "data", "engine", "inspect", "store"])
def test_no_room_below_or_beside_the_model_knows_a_concrete_layer(room: str) -> None:
    files = sorted((PACKAGE / room).rglob("*.py"))
    assert files
    named = {file.name: layers_named(file.read_text()) for file in files}
    assert {name: found for name, found in named.items() if found} == {}


@pytest.mark.parametrize("before", ["enable", "disable"])
def test_garbage_is_collected_after_an_import_as_before(before):
    program = f"import gc; gc.{before}(); import striate; striate.layers; print(gc.isenabled())"
    command = [sys.executable, "-c", program]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout == f"{before == 'enable'}\n"


def test_a_script_collects_garbage_as_python_does_and_not_what_imports_have_made(tmp_path):
    asks = (
        "import gc\n"
        "before = gc.get_freeze_count()\n"
        "gc.collect()\n"
        "some, few = before > 10_000, len(gc.get_objects()) < before\n"
        "print(gc.isenabled(), gc.get_threshold(), some, few)\n"
    )
    (tmp_path / "asks.py").write_text("from keras.layers import Dense\n" + asks)
    command = [sys.executable, "-c", "from striate.cli import main; main()", "run", "asks.py"]
    got = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    usual = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True)
    true, *threshold = usual.stdout.split()[:4]
    assert got.split() == [true, *threshold, "True", "True"]
