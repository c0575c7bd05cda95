"""The files beside a script that it imports: found, and read as the script itself is."""

from __future__ import annotations

import ast
import importlib.machinery as machinery
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import CodeType, ModuleType

from . import python2, windows


def imported(tree: ast.Module, file: Path, folder: Path) -> set[Path]:
    """Return the files below a script's folder that one of its files imports, by their place."""
    found: set[Path] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                found |= _on_the_way(folder, name.name)
        elif isinstance(node, ast.ImportFrom):
            start = file.parents[node.level - 1] if node.level else folder
            for name in node.names:
                found |= _on_the_way(start, ".".join(filter(None, (node.module, name.name))))
    return found


def _on_the_way(folder: Path, path: str) -> set[Path]:
    """Return the files of a module's path: of its packages and of itself, where there are any."""
    parts = path.split(".")
    places = [folder.joinpath(*parts[: end + 1]) for end in range(len(parts))]
    files = [file for at in places for file in (at / "__init__.py", at.with_name(f"{at.name}.py"))]
    return {file for file in files if file.is_file()}


class _Source(machinery.SourceFileLoader):
    """Loads a module that may be written in Python 2, or in another encoding than it says."""

    def get_code(self, fullname: str) -> CodeType | None:
        file = Path(self.path)
        try:
            if b"\\" not in file.read_bytes():
                return super().get_code(fullname)
        except (SyntaxError, UnicodeDecodeError):
            pass
        tree = python2.read(file)[1]
        windows.read_here(tree)
        return compile(tree, file, "exec", dont_inherit=True)


class _Companions(MetaPathFinder):
    """Finds the modules that lie in a script's folder and in the packages there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> machinery.ModuleSpec | None:
        """Return the spec of a module whose source lies there."""
        place = self.folder.joinpath(*fullname.split(".")[:-1])
        if path is not None and str(place) not in path:
            return None
        spec = machinery.PathFinder.find_spec(fullname, [str(place)])
        if spec is None or type(spec.loader) is not machinery.SourceFileLoader:
            return None
        spec.loader = _Source(fullname, spec.loader.path)
        return spec


@contextmanager
def companions(folder: Path) -> Iterator[None]:
    """Import what lies beside a script inside a block; it is the script's alone."""
    finder = _Companions(folder)
    sys.meta_path.insert(sys.meta_path.index(machinery.PathFinder), finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name, module in dict(sys.modules).items():
            if isinstance(getattr(module, "__loader__", None), _Source):
                del sys.modules[name]
