"""The importer: serves the modules of a dialect under the names that scripts import."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from ..errors import caller, nearest
from .session import Session
from .table import DialectError

Modules = Mapping[str, Mapping[str, Any]]  # path -> the names in it
DIALECTS = ("keras",)  # each is a file of this folder with `open_session` and `modules`


class Aliases(MetaPathFinder, Loader):
    """Finds the modules of a dialect before those that may be installed."""

    def __init__(self, title: str, modules: Modules, refused: Mapping[str, str]) -> None:
        self.title, self.modules, self.refused = title, modules, refused
        self.roots = {path.partition(".")[0] for path in modules}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module that the dialect has; refuse those it should have."""
        if fullname in self.modules:
            return ModuleSpec(fullname, self, is_package=True)
        if fullname.partition(".")[0] in self.roots:
            raise DialectError(
                f"import {fullname}",
                f"{self.title} has no such module here",
                need="one of " + ", ".join(self.children(fullname.rpartition(".")[0])),
                fix=nearest(fullname, self.modules),
                at=caller(),
            )
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Fill the module, and import those below it, as the framework itself does."""
        name = module.__name__
        vars(module).update(self.modules[name])
        words = [word for word in self.modules[name] if not word.startswith("_")]
        vars(module)["__getattr__"] = lambda word: self.missing(name, word, words)
        for child in self.children(name):
            word = child.rpartition(".")[2]
            if word not in self.modules[name]:
                setattr(module, word, importlib.import_module(child))

    def children(self, name: str) -> list[str]:
        """Return the paths of the modules right below one."""
        return [path for path in self.modules if path.rpartition(".")[0] == name]

    def missing(self, module: str, word: str, words: Sequence[str]) -> Any:
        """Raise for a name that the module has not; Python's own questions get Python's answer."""
        if word.startswith("__") or f"{module}.{word}" in self.modules:
            raise AttributeError(f"module {module!r} has no attribute {word!r}")
        raise DialectError(
            f"{module}.{word}",
            f"{self.title} has no such name here",
            got=word,
            need=self.refused.get(word, ""),
            fix=nearest(word, words) or "dir(striate.layers) lists the native layers",
            at=caller(),
        )


@contextmanager
def serving(session: Session, modules: Modules, refused: Mapping[str, str]) -> Iterator[Session]:
    """Serve these modules inside a block; modules of the same names come back after it."""
    finder = Aliases(session.version.title, modules, refused)

    def take() -> dict[str, ModuleType]:
        mine = [name for name in sys.modules if name.partition(".")[0] in finder.roots]
        return {name: sys.modules.pop(name) for name in mine}

    hidden = take()
    sys.meta_path.insert(0, finder)
    try:
        yield session
    finally:
        sys.meta_path.remove(finder)
        take()
        sys.modules.update(hidden)


def find_dialect(name: str) -> tuple[Any, str]:
    """Return the module of a dialect and the version that a name such as "keras1" asks for."""
    for word in DIALECTS:
        module = importlib.import_module(f"{__package__}.{word}")
        if name == word or name in module.VERSIONS:
            return module, "" if name == word and name not in module.VERSIONS else name
    known = [
        version
        for word in DIALECTS
        for version in (word, *importlib.import_module(f"{__package__}.{word}").VERSIONS)
    ]
    raise DialectError(
        "dialect",
        f"there is no dialect {name!r}",
        need="one of " + ", ".join(known),
        fix=nearest(name, known),
    )


@contextmanager
def installed(name: str) -> Iterator[Session]:
    """Make a dialect importable inside a block.

    `name` is "keras", or a version of it: "keras0", "keras1", "keras2", "keras23", "tf", "keras3".

    Example:
        >>> with installed("keras"):
        ...     from keras.utils import to_categorical
        >>> to_categorical([1, 0]).tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    module, version = find_dialect(name)
    session = module.open_session(version or module.DEFAULT)
    with serving(session, module.modules(session), module.REFUSED):
        yield session


def publish(package: str, version: str, root: str) -> None:
    """Give a module of this package the names of a dialect's, and the modules below it."""
    module, _ = find_dialect(version)
    session = module.open_session(version)
    made = {
        path.replace(root, package, 1): content for path, content in module.modules(session).items()
    }
    for path in sorted(made):
        target = sys.modules.setdefault(path, ModuleType(path))
        target.__path__ = []  # so that `from striate.keras.layers import Dense` looks below it
        vars(target).update(made[path])
        parent, _, word = path.rpartition(".")
        if path != package and word not in made[parent]:
            setattr(sys.modules[parent], word, target)
