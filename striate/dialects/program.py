"""A script as a program: its dialect found and served, its run kept."""

from __future__ import annotations

import linecache
import os
import re
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

import numpy as np
import torch

from ..engine.progress import say
from ..engine.seed import seed as set_seed
from ..errors import nearest
from ..store.run import Run
from . import notebook, python2, python2_meaning, windows
from .companions import companions
from .dialect import every, named
from .evidence import Finding, Word, find, trees, words
from .importer import NATIVE, Aliases, running, served, serving
from .kept import keep
from .own import watched
from .port import port
from .session import PICTURES, Script
from .sources import names, runnable
from .surroundings import surrounded
from .surroundings_absent import Absent, absent
from .table import DialectError


def run_script(
    script: str | Path,
    args: Sequence[str] = (),
    *,
    dialect: str = "",
    max_epochs: int | None = None,
    limit_samples: int | None = None,
    seed: int | None = None,
    root: str | Path = "runs",
) -> Path:
    """Run a script (or a notebook) of a dialect unmodified; return the folder of its run.

    What it has trained is kept also where it fails afterwards, and the error is raised then.

    Raises: DialectError where there is no such script, it is not Python 3, or uses a word that
    has no meaning here; SystemExit where the script itself ends with a code other than 0.
    """
    path = Path(script)
    if not path.is_file():
        raise DialectError("run", f"there is no script {str(script)!r}", need="a Python file")
    path = path.resolve()
    said = words(path)
    found = _found(dialect, said)
    for finding in found:
        version = finding.dialect.VERSIONS[finding.version]
        say(f"dialect  {version.name} ({version.title}): {', '.join(finding.reasons)}")
    if not found:
        say("dialect  none: the script is in the native vocabulary")
    name = re.sub(r"[^a-z0-9_-]+", "-", path.stem.lower()).strip("-_")[:60] or "script"
    run = Run.create(Path(root).resolve(), name)
    files = list(trees(path))
    older = any(python2_meaning.older(file) for file, _ in files)
    shared = Script(max_epochs, limit_samples, run, words=said, python2=older)
    if seed is not None:
        set_seed(seed)
    with ExitStack() as stack:
        stack.enter_context(_program(path, args, shared))
        stack.enter_context(surrounded(shared))
        stack.enter_context(_own_warnings())
        for finding in found:
            session = finding.dialect.open_session(finding.version, shared)
            stack.enter_context(serving(finding.dialect, session))
        stack.enter_context(running(shared))
        if not found or _around_torch(said, found):
            stack.enter_context(watched(shared))
        roots = {root for dialect in every() for root in dialect.ROOTS}
        stack.enter_context(served(Absent(absent((tree for _, tree in files), roots))))
        failed: BaseException | None = None
        try:
            with _named(path, said, found), _numbers_as_then(found):
                _run(path, shared)
        except BaseException as error:
            failed = None if isinstance(error, SystemExit) and not error.code else error
        versions = [finding.version for finding in found]
        spoken = versions[0] if len(versions) == 1 else versions or "native"
        asked = {"script": path.name, "arguments": list(args), "dialect": spoken}
        keep(shared, asked, _told(failed, path))  # here, where the model's own code still runs
    if failed is not None:
        raise failed
    return Path(shared.run.path)


def port_script(script: str | Path, *, dialect: str = "") -> str:
    """Return a script of a dialect in the native vocabulary.

    Raises: DialectError where there is no such script, or it is not Python 3.
    """
    path = Path(script)
    if not path.is_file():
        raise DialectError("run", f"there is no script {str(script)!r}", need="a Python file")
    said = words(path)
    text, _, _ = python2.read(path)
    found = _found(dialect, said)
    if not found:
        say("note: the script is in the native vocabulary already")
    return port(text, found, said) if found else text


def _told(error: BaseException | None, path: Path) -> str:
    """Return what a script ended with, and where; "" for one that came to its end."""
    if error is None:
        return ""
    if isinstance(error, KeyboardInterrupt):
        return "Ctrl-C stopped the script"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)
             if frame.filename == str(path)]  # fmt: skip
    first = next(iter(str(getattr(error, "what", error)).splitlines()), "")
    where = f" in line {lines[-1]}" if lines else ""
    return f"the script ended with {type(error).__name__}{where}: {first}"


@contextmanager
def _own_warnings() -> Iterator[None]:
    """Show warnings of what a script's lines do, not once more of where its code is followed."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"striate\.layers\.")
        yield


@contextmanager
def _numbers_as_then(found: list[Finding]) -> Iterator[None]:
    """Print numbers of NumPy in lists as 0.1, and not as np.float64(0.1), where scripts know that.

    What a script itself sets is its own, while it runs.
    """
    versions = [one.dialect.VERSIONS[one.version] for one in found]
    plain = bool(versions) and not any(one.typed for one in versions)
    with np.printoptions(legacy="1.25" if plain else None):
        yield


@contextmanager
def _named(path: Path, said: list[Word], found: list[Finding]) -> Iterator[None]:
    """Say of a name that no `from module import *` brought what a script can write instead."""
    try:
        yield
    except NameError as error:
        stars = [word.removesuffix(".*") for kind, word, _ in said
                 if kind == "import" and word.endswith(".*")]  # fmt: skip
        last = error.__traceback__
        while last is not None and last.tb_next is not None:
            last = last.tb_next
        file = last.tb_frame.f_code.co_filename if last else ""
        for finding in found:
            here = [one for one in stars if one.partition(".")[0] in finding.dialect.ROOTS]
            if error.name is None or not here or Path(file) != path or last is None:
                continue
            loaded = [sys.modules[one] for one in here if one in sys.modules]
            names = [name for module in loaded for name in vars(module)]
            finder = next((vars(one).get("__loader__") for one in loaded), None)
            other = finder.elsewhere(error.name) if isinstance(finder, Aliases) else ""
            raise DialectError(
                error.name,
                f"{finding.dialect.VERSIONS[finding.version].title} has no such name here",
                got=f"no {error.name} in {', '.join(here)}",
                need=finding.dialect.REFUSED.get(error.name, ""),
                fix=other or nearest(error.name, names) or NATIVE,
                at=f"{path.name}:{last.tb_lineno}",
            ) from error
        raise


def _run(path: Path, script: Script) -> None:
    """Run the script as the main module."""
    text, tree = runnable(path, script, main=True)
    main = ModuleType("__main__")
    vars(main).update({"__file__": str(path), notebook.SHOWN: notebook.shown})
    vars(main).update(names())
    if path.suffix == notebook.SUFFIX:  # where an error is told, with the line
        tree = notebook.showing(tree, text)
        linecache.cache[str(path)] = (len(text), None, text.splitlines(keepends=True), str(path))
    before = sys.modules["__main__"]
    sys.modules["__main__"] = main  # it alone: what the script imports is there afterwards too
    try:
        exec(compile(tree, str(path), "exec"), vars(main))
    finally:
        sys.modules["__main__"] = before


def _found(asked: str, said: list[Word]) -> list[Finding]:
    """Return the dialects of a script; a version may be asked for, or the script serves its own."""
    found = find(said)
    reasons = {asked: f"--dialect {asked}"} if asked else _served(said)
    for word, reason in reasons.items():
        dialect, version = named(word)
        given = version or next(
            (one.version for one in found if one.dialect is dialect), dialect.DEFAULT
        )
        others = [one for one in found if one.dialect is not dialect]
        found = [Finding(dialect, given, (reason,)), *others]
    return found


def _around_torch(said: list[Word], found: list[Finding]) -> bool:
    """Return whether a script trains modules of PyTorch by the verbs of `striate` itself."""
    own = any((kind, word) == ("import", "striate") for kind, word, _ in said)
    return own and {finding.dialect.NAME for finding in found} == {"pytorch"}


def _served(said: list[Word]) -> dict[str, str]:
    """Return the versions that a script, such as one that was ported, serves by itself."""
    if not any((kind, word) == ("import", "striate.dialects.serve") for kind, word, _ in said):
        return {}
    known = {version for dialect in every() for version in dialect.VERSIONS}
    return {word: f"serve({word!r}) in {where}" for kind, word, where in said
            if kind == "text" and word in known}  # fmt: skip


@contextmanager
def _program(path: Path, args: Sequence[str], script: Script) -> Iterator[None]:
    """Give the script its own arguments, path and place for pictures."""
    threads = torch.get_num_threads()
    with (
        patch.object(sys, "argv", [str(path), *args]),
        patch.object(sys, "path", [str(path.parent), *sys.path]),
        patch.dict(os.environ, {PICTURES: str(Path(script.run.path).resolve())}),
        _drawing(any(kind == "text" and "inline" in word for kind, word, _ in script.words)),
        _working_in(_folder(path, script.words)),
        companions(path.parent, script),
    ):
        yield
    torch.set_num_threads(threads)


@contextmanager
def _drawing(inline: bool) -> Iterator[None]:
    """Save the pictures that a script shows, also where matplotlib was imported before.

    One that was a notebook (`get_ipython().magic("matplotlib inline")`) shows all that it draws.
    """
    backend, loaded = "module://striate.dialects.pictures", sys.modules.get("matplotlib")
    before, figures = loaded.get_backend() if loaded else "", _figures()
    with patch.dict(os.environ, {"MPLBACKEND": backend}):
        if loaded:
            loaded.use(backend)
        try:
            yield
        finally:
            if inline and _figures() - figures:
                sys.modules["matplotlib.pyplot"].show()
            for number in _figures() - figures:  # those that it has made, and not shown
                sys.modules["matplotlib.pyplot"].close(number)
            if loaded:
                loaded.use(before)


def _figures() -> set[int]:
    """Return the numbers of the figures that are open."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    return set(pyplot.get_fignums()) if pyplot else set()


@contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    """Work in a folder, and say so where it is another one."""
    before = Path.cwd()
    if folder != before:
        say(f"note: works in {folder}, where its files are")
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _folder(path: Path, said: list[Word]) -> Path:
    """Return where a script works: here, or beside itself where only there its files are."""
    said_here = (windows.native(word) for kind, word, _ in said if kind == "text")
    texts = {word for word in said_here if 2 < len(word) < 200}
    named = [one for one in texts if not Path(one).is_absolute() and one.isprintable()]
    beside = any((path.parent / one).exists() and not Path(one).exists() for one in named)
    return path.parent.resolve() if beside else Path.cwd()
