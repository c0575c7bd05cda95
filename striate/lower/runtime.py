"""The door to the native library: finds the one for this processor, and runs plans in it."""

from __future__ import annotations

import ctypes
import functools
import math
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, TrainingError
from ..garbage import OUTSIDE
from .moves import Moves, block, form
from .plan import Plan

FOLDER = Path(os.environ.get("STRIATE_NATIVE") or Path(__file__).parent / "native")
SUFFIX = ".dylib" if platform.system() == "Darwin" else ".so"
NONE = range(0)
ISAS = ("avx512bf16", "avx512", "avx2", "baseline")  # each has all that the next one has
NOT_BUILT = (
    "striate: the native engine was not built, so models run on torch operations, several times "
    "slower; install a C++ compiler (Debian or Ubuntu: g++, macOS: Xcode's command line tools), "
    "then install striate again\n"
)


_BYTE: Any = ctypes.c_char


class _Source(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("stride", ctypes.c_int64),
        ("count", ctypes.c_int64),
    )


class _Work(ctypes.Structure):
    _fields_ = (
        ("sources", ctypes.POINTER(_Source)),
        ("sources_count", ctypes.c_int64),
        ("order", ctypes.c_void_p),
        ("samples", ctypes.c_int64),
        ("first_stage", ctypes.c_int64),
        ("end_stage", ctypes.c_int64),
        ("rates", ctypes.c_void_p),
        ("seed", ctypes.c_uint64),
        ("number", ctypes.c_int64),
        ("update", ctypes.c_int64),
        ("sums", ctypes.c_void_p),
        ("threads", ctypes.c_int64),
        ("stop", ctypes.c_void_p),
        *(("before", ctypes.c_void_p), ("before_count", ctypes.c_int64)),
        *(("after", ctypes.c_void_p), ("after_count", ctypes.c_int64)),
        *((name, ctypes.c_int64) for name in ("left_out", "left_out_count")),
    )


class _Rule(ctypes.Structure):
    _fields_ = (
        ("optimizer", ctypes.c_int64),
        *((name, ctypes.c_double) for name in ("momentum", "second_decay", "epsilon")),
        ("nesterov", ctypes.c_int64),
        *((name, ctypes.c_double) for name in ("weight_decay", "l1", "l2", "rate")),
        ("step", ctypes.c_int64),
    )


class _Weights(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("weight", "gradient", "first", "second", "third")),
        ("count", ctypes.c_int64),
    )


# The addresses of weights, of their gradients, and of up to three arrays that are kept for them (or
# None), and their number.
Row = tuple[int, int, int | None, int | None, int | None, int]


class Library:
    """One of the compiled libraries; `isa` is the instruction set that it was compiled for."""

    def __init__(self, isa: str) -> None:
        self.isa = isa
        self.calls = ctypes.CDLL(str(FOLDER / f"engine_{isa}{SUFFIX}"))
        self.calls.striate_kernels.restype = ctypes.c_char_p
        self.calls.striate_new.restype = ctypes.c_void_p
        self.calls.striate_new.argtypes = (
            *(ctypes.c_void_p, ctypes.c_int64),
            *(ctypes.c_char_p, ctypes.c_int64),
        )
        self.calls.striate_free.restype = None
        self.calls.striate_free.argtypes = (ctypes.c_void_p,)
        self.calls.striate_arena.restype = ctypes.c_void_p
        self.calls.striate_arena.argtypes = (ctypes.c_void_p,)
        self.calls.striate_place.restype = ctypes.c_int64
        self.calls.striate_place.argtypes = (ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)
        self.calls.striate_run.restype = ctypes.c_int64
        self.calls.striate_run.argtypes = (
            *(ctypes.c_void_p, ctypes.POINTER(_Work)),
            *(ctypes.c_char_p, ctypes.c_int64),
        )
        number, pointer = ctypes.c_int64, ctypes.c_void_p
        self.calls.striate_move.restype = None
        self.calls.striate_move.argtypes = (pointer, number)
        self.calls.striate_digest.restype = ctypes.c_uint64
        self.calls.striate_digest.argtypes = (pointer, number, number)
        self.calls.striate_look_up.restype = number
        self.calls.striate_look_up.argtypes = (
            *(pointer, number, number),
            *(pointer, number, pointer, pointer, number),
        )
        self.calls.striate_crossentropy.restype = ctypes.c_double
        self.calls.striate_crossentropy.argtypes = (
            *(pointer, pointer, number, number),
            *(ctypes.c_double, pointer),
        )
        self.calls.striate_update.restype = None
        self.calls.striate_update.argtypes = (ctypes.POINTER(_Rule), pointer, number, number)
        lines = self.calls.striate_kernels().decode().splitlines()
        self.kernels: Mapping[str, tuple[int, Mapping[str, str]]] = {
            name: (number, dict(item.split(":") for item in fields))
            for number, (name, *fields) in enumerate(line.split() for line in lines)
        }

    def copy(self, target: NDArray[Any], source: NDArray[Any]) -> None:
        """Copy an array, on this thread alone.

        Torch would do it on threads that go on spinning, where those of the next run must wait.
        """
        found = None
        if target.dtype == source.dtype == np.float32 and target.shape == source.shape:
            found = form(source.shape, source.strides, target.strides)
        if found is None:
            np.copyto(target, source)
        else:
            self.calls.striate_move(ctypes.byref(block(found, target, source)), 1)

    def update(
        self, rule: Mapping[str, float], rows: Sequence[Row], threads: int | None = None
    ) -> None:
        """Change weights by their gradients, each in one pass.

        `rule`: the fields of the kernel `update`, with the learning rate as `rate` and the number
        of the step from 1 as `step`. The arrays of a row are float32, of one size, without gaps.
        """
        table = (_Weights * len(rows))(*(_Weights(*row) for row in rows))
        given = ctypes.byref(_Rule(**rule))
        self.calls.striate_update(given, table, len(rows), threads or cores())

    def look_up(
        self, rows: NDArray[np.uint8], places: NDArray[np.int64], table: NDArray[np.float32]
    ) -> NDArray[np.float32] | None:
        """Return rows of bytes, each byte as its number in a table of 256.

        None where a place is below 0 or behind the last row. The arrays lie without gaps.
        """
        shape, count = rows.shape, len(places)
        found = np.empty((count, *shape[1:]), np.float32)
        at = (address(places), count, address(table), address(found), cores())
        size = math.prod(shape[1:])
        done = self.calls.striate_look_up(address(rows), shape[0], size, *at)
        return found if done else None

    def crossentropy(
        self, scores: NDArray[np.float32], targets: NDArray[np.float32], tiny: float
    ) -> tuple[float, NDArray[np.float32]]:
        """Return the sum of `-target * log(softmax(scores) + tiny)`, and `softmax - target`.

        Both are divided by the number of rows. The arrays lie without gaps, a sample in a row.
        """
        slope = np.empty(scores.shape, np.float32)
        at = (address(scores), address(targets), *scores.shape, tiny, address(slope))
        return float(self.calls.striate_crossentropy(*at)), slope


@functools.cache
def library(isa: str | None = None) -> Library | None:
    """Return the library for this processor (or for `isa`), or None where none was built.

    The first time that there is none for this processor, a line on stderr says so.
    """
    if isa is None:
        found = next(filter(None, map(library, _own_isas())), None)
        if found is None:
            sys.stderr.write(NOT_BUILT)
        return found
    try:
        return Library(isa)
    except OSError:
        return None
    except AttributeError as error:
        raise ConfigError(
            str(FOLDER),
            "holds an engine that was compiled for another version of Striate",
            got=error,
            fix="scripts/install in a checkout, else pip install --force-reinstall striate",
        ) from None


def _own_isas() -> tuple[str, ...]:
    """Return the instruction sets that this processor has, the best one first."""
    try:
        cpu = ctypes.CDLL(str(FOLDER / f"cpu{SUFFIX}"))
    except OSError:
        return ()
    cpu.striate_cpu.restype = ctypes.c_char_p
    return ISAS[ISAS.index(cpu.striate_cpu().decode()) :]


def address(array: NDArray[Any]) -> int:
    """Return where an array without gaps begins: `array.ctypes.data`, by less code."""
    try:
        return ctypes.addressof(_BYTE.from_buffer(array))
    except (TypeError, ValueError):  # read-only, or empty
        place: int = array.__array_interface__["data"][0]
        return place


def cores() -> int:
    """Return the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Engine:
    """A plan in the native library, with its memory.

    `array(buffer)` shares memory with the arena: what is written there is what the next run sees.
    """

    def __init__(self, plan: Plan, library: Library) -> None:
        self.plan, self.library = plan, library
        self.size = plan.place()
        OUTSIDE.take(self.size)
        words = np.array(plan.words(library.kernels), np.int64)
        self._error = error = ctypes.create_string_buffer(500)
        self._engine = library.calls.striate_new(words.ctypes.data, len(words), error, len(error))
        if not self._engine:
            OUTSIDE.give(self.size)
            raise TrainingError(
                "the native engine",
                "refused a plan",
                got=error.value.decode(),
                fix='engine="torch"',
            )
        self._arena = library.calls.striate_arena(self._engine)

    def __del__(self) -> None:
        if getattr(self, "_engine", None):
            self.library.calls.striate_free(self._engine)
            OUTSIDE.give(self.size)

    def array(self, buffer: int, dtype: Any = np.float32) -> NDArray[Any]:
        """Return a buffer as an array (pieces, numbers of a piece), without a copy."""
        part = self.plan.buffers[buffer]
        size = part.stride * part.count
        memory = (ctypes.c_char * size).from_address(self._arena + part.offset)
        memory._engine = self  # type: ignore[attr-defined]  # the arena lives while the array does
        array: NDArray[Any] = np.ndarray((size // np.dtype(dtype).itemsize,), dtype, memory)  # type: ignore[arg-type]
        return array.reshape(part.count, -1)

    def place(self, buffer: int, address: int | None) -> None:
        """Let a buffer of one piece lie at an address, or in the arena again.

        The memory there belongs to the caller, as long as runs use it, and is a multiple of 64.
        Only where no kernel reads behind the buffer's numbers: `Weight.exact`.
        """
        if self.library.calls.striate_place(self._engine, buffer, address) < 0:
            raise TrainingError(
                "the native engine",
                "cannot place a buffer",
                got=f"buffer {buffer} ({self.plan.buffers[buffer].name}) at {address}",
                need="a buffer of one piece, at a multiple of 64",
            )

    def run(
        self,
        samples: int,
        sources: Sequence[NDArray[Any]] = (),
        *,
        order: NDArray[np.int32] | None = None,
        stages: tuple[int, int] | None = None,
        rates: NDArray[np.float64] | None = None,
        seed: int = 0,
        number: int = 0,
        update: int = 1,
        threads: int | None = None,
    ) -> NDArray[np.float64]:
        """Run the plan over `samples` samples, batch by batch; return the sums it reports.

        `sources`: C-contiguous arrays, a sample per row, that the plan gathers from; `order`: the
        numbers of the samples there. `stages`: a part of the plan. `rates`: the learning rate of
        each step. `number` and `update` count steps and updates over the whole training.
        """
        sums = np.zeros(max(self.plan.sums, 1))
        first, end = stages or (0, len(self.plan.stages))
        work = _Work(
            *(_table(sources), len(sources), None if order is None else order.ctypes.data, samples),
            *(first, end, None if rates is None else rates.ctypes.data),
            *(seed, number, update, sums.ctypes.data, threads or cores(), None),
        )
        self._run(work)
        return sums[: self.plan.sums]

    def prepared(
        self, samples: int, sources: Sequence[NDArray[Any]], stages: tuple[int, int], threads: int
    ) -> Callable[[], None]:
        """Return a call without arguments that runs the plan over these arrays, as they then are.

        It costs a few microseconds less than `run`, which counts where one image is predicted.
        """
        table = _table(sources)
        work = _Work(table, len(sources), None, samples, *stages)
        work.threads = threads
        work.kept = tuple(sources)  # as long as the call is there
        return functools.partial(self._run, work)

    def repeated(
        self,
        stages: tuple[int, int],
        sources: Sources,
        before: Moves | None = None,
        after: Moves | None = None,
        without: range = NONE,
    ) -> Repeated:
        """Return a part of the plan that is run again and again over what is then in `sources`.

        What the moves are then is copied in each run `before` the first stage, and `after` the last
        one, by all threads. `without`: stages in between that are not run.
        """
        return Repeated(self, stages, sources, before, after, without)

    def _run(self, work: _Work) -> None:
        if self.library.calls.striate_run(self._engine, ctypes.byref(work), self._error, 500) < 0:
            got = self._error.value.decode()
            raise TrainingError("the native engine", "refused to run", got=got)


class Sources:
    """The arrays that parts of a plan read and write in turn, each with a sample per row.

    One that several runs have is put in once; it must last as long.
    """

    def __init__(self, count: int) -> None:
        self.rows = (_Source * count)()
        self.each = list(self.rows)

    def put(self, number: int, array: NDArray[Any]) -> None:
        """Let a source be this array."""
        row, count = self.each[number], len(array)
        row.data, row.stride, row.count = address(array), array.nbytes // count, count


class Repeated:
    """A part of a plan that a loop runs step by step: a call costs a fraction of `Engine.run`.

    For one thread at a time.
    """

    def __init__(
        self,
        engine: Engine,
        stages: tuple[int, int],
        sources: Sources,
        before: Moves | None,
        after: Moves | None,
        without: range,
    ) -> None:
        self.engine, self.before, self.after = engine, before, after
        self.sums, self.rate = np.zeros(max(engine.plan.sums, 1)), np.zeros(1)
        self.work = _Work(sources.rows, len(sources.rows), None, 0, *stages)
        self.work.rates, self.work.sums = address(self.rate), address(self.sums)
        self.work.threads = cores()
        self.work.left_out, self.work.left_out_count = without.start, len(without)
        if before is not None:
            self.work.before, self.work.before_count = ctypes.addressof(before.blocks), before.count
        if after is not None:
            self.work.after, self.work.after_count = ctypes.addressof(after.blocks), after.count

    def __call__(
        self, samples: int, *, seed: int = 0, number: int = 0, update: int = 1, rate: float = 0.0
    ) -> None:
        """Run over the first samples of the sources; the arguments are those of `Engine.run`."""
        work = self.work
        work.samples, work.seed, work.number, work.update = samples, seed, number, update
        self.rate[0] = rate
        if self.before is not None and self.before.others:
            self.before.run_others()
        self.engine._run(work)
        if self.after is not None and self.after.others:
            self.after.run_others()


def _table(sources: Sequence[NDArray[Any]]) -> Any:
    table = (_Source * max(len(sources), 1))()
    for row, source in zip(table, sources, strict=False):
        # not strides[0]: NumPy leaves it open for an axis of one, as in x[None]
        stride = source.nbytes // max(len(source), 1)
        row.data, row.stride, row.count = source.ctypes.data, stride, len(source)
    return table
