"""Packages that a script imports and that are not installed: refused where they are used."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from ..errors import caller
from .importer import Aliases, MissingImportError

PACKAGES = {  # where pip's name is another
    "sklearn": "scikit-learn", "cv2": "opencv-python", "skimage": "scikit-image",
    "dateutil": "python-dateutil", "pytorch_lightning": "pytorch-lightning",
    "bs4": "beautifulsoup4", "git": "gitpython", "kerastuner": "keras-tuner",
    "keras_tuner": "keras-tuner", "tensorflow_hub": "tensorflow-hub",
}  # fmt: skip


class Missing:
    """A name of a package that is not installed; its own names are too."""

    def __init__(self, path: str) -> None:
        vars(self)["path"] = path

    def __getattr__(self, word: str) -> Any:
        if word.startswith("__"):
            raise AttributeError(word)
        return Missing(f"{self.path}.{word}")

    def _refuse(self, *args: Any, **words: Any) -> Any:
        """Say what is missing."""
        root = self.path.partition(".")[0]
        raise MissingImportError(
            root,
            "is not installed, and the script uses it",
            got=self.path,
            fix=f"pip install {PACKAGES.get(root, root)}",
            at=caller(),
        )

    __call__ = __iter__ = __len__ = __getitem__ = __enter__ = __exit__ = __mro_entries__ = _refuse
    __add__ = __radd__ = __sub__ = __mul__ = __rmul__ = __truediv__ = __or__ = __lt__ = _refuse

    def __instancecheck__(self, item: object) -> bool:
        return False


class Absent(MetaPathFinder, Loader):
    """Finds modules of packages that are not installed; every name of them is a Missing."""

    hides = False

    def __init__(self, roots: Iterable[str]) -> None:
        self.roots = set(roots)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a spec for what is below one of the packages."""
        if fullname.partition(".")[0] in self.roots:
            return ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Return an empty module of Python's own."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Give the module names that are refused where they are used."""
        name = module.__name__

        def missing(word: str) -> Any:
            if word.startswith("__"):
                raise AttributeError(f"module {name!r} has no attribute {word!r}")
            return Missing(f"{name}.{word}")

        vars(module)["__getattr__"] = missing


class Partial(Aliases):
    """Serves some names of a package that is not installed; every other one is a Missing."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a spec for whatever is below the package."""
        if fullname in self.modules or self.owns(fullname.partition(".")[0]):
            return ModuleSpec(fullname, self, is_package=True)
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Fill the module, or give it names that are refused where they are used."""
        name = module.__name__
        if name in self.modules:
            super().exec_module(module)
        else:
            vars(module)["__getattr__"] = lambda word: self.missing(name, word, ())

    def missing(self, module: str, word: str, words: Sequence[str]) -> Any:
        """Return what is refused where it is used; Python's own questions get Python's answer."""
        if word.startswith("__") or f"{module}.{word}" in self.modules:
            raise AttributeError(f"module {module!r} has no attribute {word!r}")
        return Missing(f"{module}.{word}")


def absent(trees: Iterable[ast.Module], known: Iterable[str]) -> set[str]:
    """Return the packages that the files of a script import without asking whether they are there.

    `known`: those that are served. One that is imported inside of `try` is left to the script.
    """
    asked: set[str] = set()
    plain: set[str] = set()
    for tree in trees:
        for roots, guarded in _imports(tree, guarded=False):
            (asked if guarded else plain).update(roots)
    return {root for root in plain - asked - set(known) if find_spec(root) is None}


def _imports(node: ast.AST, *, guarded: bool) -> Iterator[tuple[list[str], bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield [name.name.partition(".")[0] for name in child.names], guarded
        elif isinstance(child, ast.ImportFrom) and child.module and not child.level:
            star = any(name.name == "*" for name in child.names)
            yield [child.module.partition(".")[0]], guarded or star
        else:
            yield from _imports(child, guarded=guarded or isinstance(child, ast.Try))
