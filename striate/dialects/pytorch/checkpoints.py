"""Files of torch.save: read as a whole where all that they name is known, as up to torch 2.5."""

from __future__ import annotations

import functools
import importlib
import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from ..dialect import Patch
from . import absent_gpu

FUNCTIONS = "torch.nn.functional"
CLASSES_OF = ("torch.nn", "torch.optim", "torch.utils.data", "torchvision",
              "striate.dialects.pytorch", "striate.layers")  # fmt: skip
PLAIN = {
    "argparse.Namespace", "types.SimpleNamespace", "collections.defaultdict", "collections.deque",
    "collections.Counter", "functools.partial", "pathlib.Path", "pathlib.PosixPath",
    "pathlib.WindowsPath", "datetime.datetime", "datetime.date", "datetime.timedelta",
    "builtins.set", "builtins.frozenset", "builtins.slice", "builtins.range", "builtins.complex",
    "numpy.dtype", "numpy.ndarray",
    *(f"numpy.{core}.multiarray.{word}" for core in ("core", "_core")
      for word in ("scalar", "_reconstruct")),
}  # fmt: skip


def patches() -> Iterator[Patch]:
    """Let a script read back what it has itself written, and networks of classes that it has."""
    written: set[Path] = set()
    save, load = torch.save, torch.load

    @functools.wraps(save)
    def remember(obj: Any, f: Any, *args: Any, **words: Any) -> None:
        if isinstance(f, str) and "\\" in f and os.sep == "/":  # a path of Windows: one name here
            with Path(f).open("wb") as file:
                save(obj, file, *args, **words)
        else:
            save(obj, f, *args, **words)
        if isinstance(f, (str, Path)):
            written.add(Path(f).resolve())

    @functools.wraps(load)
    def trust(f: Any, *args: Any, **words: Any) -> Any:
        if isinstance(f, (str, Path)) and (Path(f).resolve() in written or harmless(f)):
            words.setdefault("weights_only", False)
        place, rest = (args[0], args[1:]) if args else (words.pop("map_location", None), ())
        return load(f, _there(place), *rest, **words)

    yield (torch, "save", remember)
    yield (torch, "load", trust)


def _there(place: Any) -> Any:
    """Return where tensors of a file go: to the processor, where a script means a GPU's memory."""
    if torch.cuda.is_available():
        return place
    named = isinstance(place, (str, torch.device))
    return place if named and not absent_gpu.elsewhere(place) else "cpu"


def harmless(path: str | Path) -> bool:
    """Return whether a file names nothing but plain values, layers, and the script's own classes.

    To read it as a whole then runs no code but that of torch's layers and of the script.
    """
    try:
        named = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # an older form, or none of torch's files: torch.load says what it is
        return False
    return all(map(_known, named))


def _known(name: str) -> bool:
    """Return whether what a file names is a plain value, or a class that may be made of it.

    A module that another one has imported is none of its names: `torch.nn.functional.torch.os`.
    """
    module, _, word = name.rpartition(".")
    if name in PLAIN or module == "numpy.dtypes":
        return True
    if module == FUNCTIONS:
        return not word.startswith("_") and callable(getattr(functional, word, None))
    if not (_own(module) or any(_begins(module, room) for room in CLASSES_OF)):
        return False
    try:
        found = getattr(importlib.import_module(module), word)
    except (ImportError, AttributeError):
        return False
    home = getattr(found, "__module__", "")
    own = _own(home) or any(_begins(home, room) for room in CLASSES_OF)
    return isinstance(found, type) and own


def _begins(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


def _own(name: str) -> bool:
    """Return whether a module is the script, or lies beside it."""
    main = sys.modules["__main__"]
    if name == "__main__":
        return True
    script = getattr(main, "__file__", None)
    folders = {Path.cwd(), *([Path(script).resolve().parent] if script else [])}
    within = Path(*name.split("."))
    places = [folder / within for folder in folders]
    there = any(one.with_suffix(".py").is_file() or one.is_dir() for one in places)
    return (there and _beside(sys.modules.get(name), folders)) or _imported(name)


def _imported(name: str) -> bool:
    """Return whether the script has imported a module from a folder that its user has named.

    That is one of PYTHONPATH or `sys.path.append`, none of Python's own or of its packages.
    """
    file = getattr(sys.modules.get(name), "__file__", None)
    if file is None:
        return False
    homes = [Path(one).resolve() for one in (sys.prefix, sys.base_prefix, *_packages())]
    named = {Path(one).resolve() for one in sys.path if one}
    named -= {one for one in named if any(one.is_relative_to(home) for home in homes)}
    named.discard(Path(__file__).resolve().parents[3])  # where this package itself is worked on
    return _beside(sys.modules[name], named)


def _packages() -> Iterator[str]:
    paths = sysconfig.get_paths()
    yield from (paths[word] for word in ("stdlib", "platstdlib", "purelib", "platlib"))
    yield from (str(Path(one).parent) for one in (torch.__path__[0], np.__path__[0]))


def _beside(module: ModuleType | None, folders: set[Path]) -> bool:
    """Return whether a module that is loaded is that of the script, no package of the same name."""
    if module is None or getattr(module, "__file__", None) is None:
        return True
    file = Path(str(module.__file__)).resolve()
    return any(file.is_relative_to(folder.resolve()) for folder in folders)
