"""The importer: serves the modules of a dialect under the names that scripts import."""

from __future__ import annotations

import dis
import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from ..errors import caller, nearest
from .dialect import Dialect, Modules, named
from .restore import replaced
from .session import Script, Session
from .table import DialectError

PUBLISHED: set[str] = set()  # for new code: `striate.keras`, once it is imported
RUNNING: ContextVar[Script | None] = ContextVar("RUNNING", default=None)
NATIVE = "dir(striate.layers) lists the native layers"


class MissingImportError(DialectError, ImportError):
    """A module or name that is imported is not served; a script may go on without it."""


class MissingNameError(DialectError, AttributeError):
    """A module that is served has no such name; `hasattr` gives False."""


class Alias(ModuleType):
    """A module of a dialect; another process that unpickles it opens the dialect there."""

    def __reduce__(self) -> Any:
        return reopened, (vars(self)["__loader__"].version, self.__name__)


def reopened(version: str, name: str) -> ModuleType:
    """Return a module of a dialect, which is served from now on."""
    if name not in sys.modules:
        FOREVER.enter_context(installed(version))
    return importlib.import_module(name)


FOREVER = ExitStack()


class Aliases(MetaPathFinder, Loader):
    """Finds the modules of a dialect, and refuses those below its roots that it has not."""

    def __init__(
        self,
        title: str,
        modules: Modules,
        refused: Mapping[str, str],
        *,
        hides: bool = True,
        hint: str = NATIVE,
        version: str = "",
    ) -> None:
        self.hint, self.version = hint, version
        self.title, self.modules, self.refused, self.hides = title, modules, refused, hides
        self.roots = {path.partition(".")[0] for path in modules}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module that the dialect has; refuse those it should have."""
        if fullname in self.modules:
            return ModuleSpec(fullname, self, is_package=True)
        if self.owns(fullname.partition(".")[0]):
            parent, _, word = fullname.rpartition(".")
            above = [fullname[:end] for end, sign in enumerate(fullname) if sign == "."]
            told = (self.refused.get(path) for path in (fullname, word, *above))
            why = next(filter(None, told), "")
            raise MissingImportError(
                f"import {fullname}",
                f"{self.title} has no such module here",
                need=why or "one of " + ", ".join(self.children(parent)),
                fix="" if why else self.advice(fullname, self.modules),
                at=caller(),
            )
        return None

    def owns(self, root: str) -> bool:
        """Return whether a package is served by this finder, not installed."""
        here = getattr(sys.modules.get(root), "__loader__", None) is self
        return here or (self.hides and root in self.roots)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Return an empty module, one of Python's own where no dialect is behind it."""
        return Alias(spec.name) if self.version else None

    def exec_module(self, module: ModuleType) -> None:
        """Fill the module, and import those below it, as the framework itself does."""
        name = module.__name__
        vars(module).update(self.modules[name])
        words = [word for word in self.modules[name] if not word.startswith("_")]
        vars(module)["__getattr__"] = lambda word: self.missing(name, word, words)
        for child in self.children(name):
            word = child.rpartition(".")[2]
            below = importlib.import_module(child)
            setattr(module, word, self.modules[name].get(word, below))

    def children(self, name: str) -> list[str]:
        """Return the paths of the modules right below one."""
        return [path for path in self.modules if path.rpartition(".")[0] == name]

    def missing(self, module: str, word: str, words: Sequence[str]) -> Any:
        """Raise for a name that the module has not; Python's own questions get Python's answer."""
        if word.startswith("__") or f"{module}.{word}" in self.modules:
            raise AttributeError(f"module {module!r} has no attribute {word!r}")
        raise (MissingImportError if _imports() else MissingNameError)(
            f"{module}.{word}",
            f"{self.title} has no such name here",
            got=word,
            need=self.refused.get(word, ""),
            fix=self.hint
            if word in self.refused
            else self.elsewhere(word) or self.advice(word, words) or self.hint,
            at=caller(),
        )

    def advice(self, word: str, words: Iterable[str]) -> str:
        """Return the nearest word, and how to get a package that is not hidden."""
        return " or ".join(filter(None, (nearest(word, words), "" if self.hides else self.hint)))

    def elsewhere(self, word: str) -> str:
        """Return the import of a name that another module has."""
        places = [path for path, names in self.modules.items() if word in names]
        path = min(places, key=len, default="")
        return path and f"from {path} import {word}"


def _imports() -> bool:
    """Return whether the line that asks for a name is `from module import name`."""
    frame = sys._getframe(3)  # over this one, `missing` and the module's own __getattr__
    machinery = frame.f_code.co_filename.startswith("<frozen importlib")
    return machinery or dis.opname[frame.f_code.co_code[frame.f_lasti]] == "IMPORT_FROM"


@contextmanager
def serving(dialect: Dialect, session: Session) -> Iterator[Session]:
    """Serve the modules of a dialect inside a block; all is as it was after it."""
    modules = dialect.modules(session)
    version = session.version
    hint = NATIVE if dialect.HIDES else f"pip install {dialect.ROOTS[-1]}"
    finder = Aliases(version.title, modules, dialect.REFUSED, hides=dialect.HIDES, hint=hint,
                     version=version.name)  # fmt: skip
    with replaced(dialect.patches(session)), served(finder):
        yield session


@contextmanager
def served(finder: Any) -> Iterator[None]:
    """Use a finder inside a block: before all others if it hides what is installed, else last."""
    hidden = {
        name: sys.modules.pop(name)
        for name in list(sys.modules)
        if finder.hides and name.partition(".")[0] in finder.roots
    }
    sys.meta_path.insert(0 if finder.hides else len(sys.meta_path), finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        loaded = dict(sys.modules)
        for name, module in loaded.items():
            if getattr(module, "__loader__", None) is finder:
                del sys.modules[name]
        sys.modules.update(hidden)


@contextmanager
def installed(name: str) -> Iterator[Session]:
    """Make a dialect importable inside a block.

    `name` is a dialect such as "keras", or a version of it such as "keras1" or "tf".

    Example:
        >>> with installed("keras"):
        ...     from keras.utils import to_categorical
        >>> to_categorical([1, 0]).tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    dialect, version = named(name)
    with serving(dialect, dialect.open_session(version or dialect.DEFAULT, Script())) as session:
        yield session


def serve(name: str) -> None:
    """Make a dialect importable from here to the program's end, as `installed` does in a block.

    "surroundings" are the small packages of the time, and what NumPy and Python have removed. What
    is served already, as everything is inside of `striate run`, is left as it is.
    """
    dialect, version = (None, "") if name == "surroundings" else named(name)
    wanted = version or (dialect.DEFAULT if dialect else "")
    if any(isinstance(one, Aliases) and one.version == wanted for one in sys.meta_path):
        return
    if dialect is None:
        surroundings: Any = importlib.import_module(f"{__package__}.surroundings")
        FOREVER.enter_context(surroundings.surrounded(Script()))
    else:
        FOREVER.enter_context(installed(name))


def publish(package: str, version: str, root: str) -> None:
    """Give a module of this package the names of a dialect's, and the modules below it."""
    dialect, _ = named(version)
    place(package, root, dialect.modules(dialect.open_session(version, RUNNING.get() or Script())))


@contextmanager
def running(script: Script) -> Iterator[None]:
    """Let `striate.keras` and its like be those of a script inside a block: imported anew."""
    kept, token = _unpublished(), RUNNING.set(script)
    try:
        yield
    finally:
        RUNNING.reset(token)
        _unpublished()
        for name, module in kept.items():
            sys.modules[name] = module
            if name in PUBLISHED:
                parent, _, word = name.rpartition(".")
                setattr(sys.modules[parent], word, module)


def _unpublished() -> dict[str, ModuleType]:
    """Take what was published, and what lies below it, from the modules that are imported."""
    below = tuple(f"{path}." for path in PUBLISHED)
    found = {
        name: module
        for name, module in sys.modules.items()
        if name in PUBLISHED or name.startswith(below)
    }
    for name in found:
        del sys.modules[name]
        if name in PUBLISHED:
            parent, _, word = name.rpartition(".")
            vars(sys.modules[parent]).pop(word, None)
    return found


def place(package: str, root: str, modules: Modules) -> None:
    """Give a module of this package the names of another one, and the modules below it."""
    PUBLISHED.add(package)
    made = {
        path.replace(root, package, 1): content
        for path, content in modules.items()
        if path.partition(".")[0] == root.partition(".")[0] and path.startswith(root)
    }
    for path in sorted(made):
        target = sys.modules.setdefault(path, ModuleType(path))
        target.__path__ = []  # so that `from striate.keras.layers import Dense` looks below it
        vars(target).update(made[path])
        parent, _, word = path.rpartition(".")
        if path != package and word not in made[parent]:
            setattr(sys.modules[parent], word, target)
