"""The files beside a script that it imports: found, and read as the script itself is."""

from __future__ import annotations

import ast
import importlib.machinery as machinery
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import CodeType, ModuleType

from .session import Script
from .sources import names, runnable

ADDS = ("sys.path.append", "sys.path.insert", "path.append", "path.insert")
PLACED = {"__file__", "str", "os", "os.path", "os.pardir", "os.curdir", "os.getcwd"} | {
    f"os.path.{word}" for word in ("join", "dirname", "abspath", "realpath", "normpath", "pardir")
}
PARTS = (ast.Constant, ast.Call, ast.BinOp, ast.Add, ast.expr_context)


def imported(tree: ast.Module, file: Path, folders: Sequence[Path]) -> set[Path]:
    """Return the files below a script's folders that one of its files imports, by their place."""
    found: set[Path] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                found |= _on_the_way(folders, name.name)
        elif isinstance(node, ast.ImportFrom):
            start = [file.parents[node.level - 1]] if node.level else folders
            for name in node.names:
                found |= _on_the_way(start, ".".join(filter(None, (node.module, name.name))))
    return found


def added(tree: ast.Module, file: Path, folder: Path) -> set[Path]:
    """Return the folders that a file adds to `sys.path`, as far as its words alone say which."""
    found: set[Path] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ADDS and node.args:
            place = _evaluated(node.args[-1], file)
            found |= {(start / place).resolve() for start in (folder, Path.cwd()) if place}
    return {place for place in found if place.is_dir()}


def _evaluated(node: ast.expr, file: Path) -> str:
    """Return what an expression of names of folders gives; "" where it is any other."""
    for part in ast.walk(node):
        named = isinstance(part, (ast.Name, ast.Attribute)) and ast.unparse(part) not in PLACED
        if named or not isinstance(part, (*PARTS, ast.Name, ast.Attribute)):
            return ""
    try:
        code = compile(ast.Expression(node), str(file), "eval")
        return str(eval(code, {"os": os, "__file__": str(file), "str": str}))
    except (TypeError, ValueError):
        return ""


def _on_the_way(folders: Sequence[Path], path: str) -> set[Path]:
    """Return the files of a module's path: of its packages and of itself, where there are any."""
    parts = path.split(".")
    places = [folder.joinpath(*parts[: end + 1]) for folder in folders for end in range(len(parts))]
    files = [file for at in places for file in (at / "__init__.py", at.with_name(f"{at.name}.py"))]
    return {file for file in files if file.is_file()}


class _Source(machinery.SourceFileLoader):
    """Loads a module as the script itself is run: see `sources.runnable`."""

    def __init__(self, fullname: str, path: str, script: Script) -> None:
        super().__init__(fullname, path)
        self.script = script

    def get_code(self, fullname: str) -> CodeType | None:
        file = Path(self.path)
        return compile(runnable(file, self.script, main=False)[1], file, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        vars(module).update(names())
        super().exec_module(module)


class _Companions(MetaPathFinder):
    """Finds the modules in a script's folder, in those that it adds to `sys.path`, and in packages.

    Fields: `folder` of the script; `before`, the folders of `sys.path` that are not the script's.
    """

    def __init__(self, folder: Path, script: Script) -> None:
        self.folder, self.script = folder, script
        self.before = set(sys.path) - {str(folder)}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> machinery.ModuleSpec | None:
        """Return the spec of a module whose source lies there."""
        own = [place for place in sys.path if place not in self.before]
        if path is not None:  # of the package that the module is in
            own = [one for one in path if any(Path(one).is_relative_to(place) for place in own)]
        spec = machinery.PathFinder.find_spec(fullname, own) if own else None
        if spec is None or type(spec.loader) is not machinery.SourceFileLoader:
            return None
        spec.loader = _Source(fullname, spec.loader.path, self.script)
        return spec


@contextmanager
def companions(folder: Path, script: Script) -> Iterator[None]:
    """Import what lies beside a script inside a block; it is the script's alone."""
    finder = _Companions(folder, script)
    sys.meta_path.insert(sys.meta_path.index(machinery.PathFinder), finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name, module in dict(sys.modules).items():
            if isinstance(getattr(module, "__loader__", None), _Source):
                del sys.modules[name]
