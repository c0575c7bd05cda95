"""Installed packages as scripts of the time knew them, changed from the import to a block's end."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from .dialect import Patch
from .restore import replaced

# path -> for the loaded module, rows of what is replaced, and contexts that are entered
Changes = Mapping[str, Callable[[Any], Iterable[Any]]]


class Installed(MetaPathFinder, Loader):
    """Changes modules once they are loaded, and finds those that went away where they are now.

    `moved`: path of the time -> path of today.
    """

    hides = False

    def __init__(self, changes: Changes, moved: Mapping[str, str], stack: ExitStack) -> None:
        self.changes, self.moved, self.stack = changes, moved, stack

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module that is changed, or that went away."""
        if fullname in self.moved:
            return ModuleSpec(fullname, self, is_package=True)
        spec = PathFinder.find_spec(fullname, path, target) if fullname in self.changes else None
        loader: Any = spec.loader if spec else None
        if loader is None:
            return None

        def exec_module(module: ModuleType) -> None:
            del loader.exec_module
            loader.exec_module(module)
            self.change(module.__name__, module)

        loader.exec_module = exec_module
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Return an empty module of Python's own."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Give a module that went away the names of the one that has them today."""
        today = importlib.import_module(self.moved[module.__name__])
        own = {"__all__", "__getattr__", "__version__"}
        vars(module).update(
            {name: value for name, value in vars(today).items() if name[:2] != "__" or name in own}
        )
        self.change(module.__name__, module)

    def change(self, name: str, module: Any) -> None:
        """Make the changes of a module until the end of the block."""
        for row in self.changes[name](module) if name in self.changes else ():
            self.stack.enter_context(replaced([row]) if isinstance(row, tuple) else row)


@contextmanager
def as_they_were(changes: Changes, moved: Mapping[str, str]) -> Iterator[None]:
    """Change packages inside a block, each where it is imported; all is as it was after it."""
    with ExitStack() as stack:
        finder = Installed(changes, moved, stack)
        for name in changes:
            if name in sys.modules:
                finder.change(name, sys.modules[name])
        sys.meta_path.insert(0, finder)
        try:
            yield
        finally:
            sys.meta_path.remove(finder)
            for name, module in list(sys.modules.items()):
                if getattr(module, "__loader__", None) is finder:
                    parent, _, word = name.rpartition(".")
                    del sys.modules[name]
                    vars(sys.modules.get(parent, module)).pop(word, None)


def lost(target: Any, names: Mapping[str, Any]) -> Iterator[Patch]:
    """Yield rows for the names that something has no more."""
    return ((target, name, value) for name, value in names.items() if not hasattr(target, name))


def renamed(
    function: Any, words: Mapping[str, str] = {}, values: Mapping[str, Mapping[Any, Any]] = {}
) -> Any:
    """Return a function that takes its arguments by place, and by the words and values of the time.

    `words`: word of the time -> word of today, "" where it says nothing today; a word that the
    function still takes is left as it is.
    """
    takes = inspect.signature(function).parameters
    places = [name for name, one in takes.items() if one.kind is not one.VAR_KEYWORD]
    open_ended = any(one.kind is one.VAR_POSITIONAL for one in takes.values())

    @functools.wraps(function)
    def call(*args: Any, **given: Any) -> Any:
        if not open_ended:
            given |= dict(zip(places, args, strict=False))
            args = args[len(places) :]
        for word in [one for one in words if one in given and one not in takes]:
            value = given.pop(word)
            if words[word]:
                given[words[word]] = value
        for word, table in values.items():
            if isinstance(given.get(word), str):
                given[word] = table.get(given[word], given[word])
        own = [given.pop("self")] if places[:1] == ["self"] and "self" in given else []
        return function(*own, *args, **given)

    return call


def reworded(module: Any, rows: Mapping[str, Any]) -> Iterator[Patch]:
    """Yield rows for functions and classes of a module, by the arguments of `renamed`."""
    for name, arguments in rows.items():
        thing: Any = getattr(module, name, None)
        if isinstance(thing, type):
            yield thing, "__init__", renamed(vars(thing)["__init__"], *arguments)
        elif thing is not None:
            yield module, name, renamed(thing, *arguments)


def bars_of_text(module: Any) -> Iterator[Patch]:
    """Yield rows that write the bars of a notebook as text, where there is no notebook."""
    std = importlib.import_module("tqdm.std")
    if module.IProgress is None:
        bars = {"tqdm": std.tqdm, "tqdm_notebook": std.tqdm, "trange": std.trange}
        yield from ((module, name, made) for name, made in bars.items())
