"""What NumPy and Python have removed since, given back to a script for as long as it runs."""

from __future__ import annotations

import builtins
import collections
import collections.abc
import fractions
import functools
import inspect
import io
import math
import multiprocessing
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import torch
import torch.multiprocessing
from PIL import Image, ImageDraw, ImageFont

from . import restore_numpy

ABSENT = object()  # in place of a value that was not there


@functools.wraps(np.array)
def array(object: Any, dtype: Any = None, *, copy: Any = True, **words: Any) -> Any:
    """Return an array; `copy=False` copies where it must, as up to NumPy 1."""
    return _array(object, dtype, copy=None if copy is False else copy, **words)


def forked(method: str | None = None, force: bool = False) -> None:
    """Choose that processes are copies of this one: others would not know a script's packages."""
    _start_method("fork", force=True)


_torch_processes: Any = torch.multiprocessing


def forked_context(method: str | None = None) -> Any:
    """Return the ways of multiprocessing whose processes are copies of this one."""
    return _context("fork")


@functools.wraps(_torch_processes.spawn)
def spawn(fn: Any, args: Any = (), nprocs: int = 1, join: bool = True, daemon: bool = False,
          start_method: str = "spawn") -> Any:  # fmt: skip
    """Run a function in several processes, which are copies of this one."""
    return _torch_processes.start_processes(fn, args, nprocs, join, daemon, "fork")


def stacking(act: Any) -> Any:
    """Return one of NumPy's functions that join arrays, for iterators too, as up to NumPy 1.15."""

    @functools.wraps(act)
    def stacked(arrays: Any, *args: Any, **words: Any) -> Any:
        return act(list(arrays) if isinstance(arrays, Iterator) else arrays, *args, **words)

    return stacked


def text_size(font: Any, text: Any, *args: Any, **words: Any) -> tuple[int, int]:
    """Return width and height of a text in a font, from where it begins to be drawn."""
    _, _, width, height = font.getbbox(text, *args, **words)
    return int(width), int(height)


def drawn_size(
    draw: Any, text: Any, font: Any = None, spacing: int = 4, *args: Any, **words: Any
) -> tuple[int, int]:
    """Return width and height of a text, or of its lines, in a picture."""
    words["font"], words["spacing"] = font, spacing
    _, _, width, height = draw.multiline_textbbox((0, 0), text, **words)
    return int(width), int(height)


def popen(cmd: str, mode: str = "r", buffering: int = -1) -> Any:
    """Run a command; whoever asks for the size of a terminal gets one also where there is none."""
    if cmd.split() == ["stty", "size"] and not os.isatty(0):
        size = shutil.get_terminal_size()
        return io.StringIO(f"{size.lines} {size.columns}\n")
    return _popen(cmd, mode, buffering)


_array, _start_method, _popen = np.array, multiprocessing.set_start_method, os.popen
_context = multiprocessing.get_context
CHANGED: tuple[tuple[Any, str, Any], ...] = (
    (np, "array", array),
    *(
        (np, name, stacking(getattr(np, name)))
        for name in ("vstack", "hstack", "dstack", "column_stack", "stack", "concatenate")
    ),
    (multiprocessing, "set_start_method", forked),
    (torch.multiprocessing, "set_start_method", forked),
    (multiprocessing, "get_context", forked_context),
    (torch.multiprocessing, "get_context", forked_context),
    (torch.multiprocessing, "spawn", spawn),
    (os, "popen", popen),
)
REMOVED: tuple[tuple[Any, str, Any], ...] = (
    *((np, kind.__name__, kind) for kind in (float, int, object, bool, str, complex)),
    *((np, name, np.inf) for name in ("Inf", "infty", "Infinity", "PINF")),
    *((np, name, value) for name, value in (("NaN", np.nan), ("NAN", np.nan), ("NINF", -np.inf))),
    *((np, "product", np.prod), (np, "cumproduct", np.cumprod)),
    *((np, "sometrue", np.any), (np, "alltrue", np.all), (np, "row_stack", np.vstack)),
    *((np, "float_", np.float64), (np, "complex_", np.complex128), (np, "long", int)),
    *((np, "unicode_", np.str_), (np, "string_", np.bytes_), (np, "unicode", str)),
    *((np, "asscalar", lambda array: array.item()), (np, "in1d", np.isin)),
    *(
        (Image, name, sampling)
        for name, sampling in (
            ("ANTIALIAS", Image.Resampling.LANCZOS),
            ("LINEAR", Image.Resampling.BILINEAR),
            ("CUBIC", Image.Resampling.BICUBIC),
        )
    ),
    *((font, "getsize", text_size) for font in (ImageFont.ImageFont, ImageFont.FreeTypeFont)),
    (ImageDraw.ImageDraw, "textsize", drawn_size),
    *((np, "trapz", np.trapezoid), (np, "msort", lambda array: np.sort(array, axis=0))),
    (time, "clock", time.process_time),
    (fractions, "gcd", math.gcd),
    (inspect, "getargspec", inspect.getfullargspec),
    *(
        (collections, name, getattr(collections.abc, name))
        for name in ("Iterable", "Iterator", "Mapping", "MutableMapping", "Sequence", "Callable")
    ),
    *((builtins, "xrange", range), (builtins, "raw_input", input), (builtins, "unicode", str)),
    *((builtins, "long", int), (builtins, "unichr", chr), (builtins, "reduce", functools.reduce)),
)


@contextmanager
def replaced(rows: Iterable[tuple[Any, str, Any]]) -> Iterator[None]:
    """Set attributes (object, name, value) inside a block; all is as it was after it."""
    before: list[tuple[Any, str, Any]] = []
    try:
        for target, name, value in rows:
            before.append((target, name, vars(target).get(name, ABSENT)))
            setattr(target, name, value)
        yield
    finally:
        for target, name, value in reversed(before):
            if value is ABSENT:
                delattr(target, name)
            else:
                setattr(target, name, value)


def restored() -> AbstractContextManager[None]:
    """Put the removed names back inside a block, and what has another meaning since."""
    removed = (*REMOVED, *restore_numpy.REMOVED)
    rows = [row for row in removed if row[1] not in vars(row[0])]
    return replaced([*CHANGED, *restore_numpy.CHANGED, *rows])
