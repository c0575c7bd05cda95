"""A peer seen from outside: its process, started with a task and asked for one pass at a time."""

from __future__ import annotations

import fcntl
import json
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typing_extensions import Self

from .machine import ROOT

LOCK = Path(tempfile.gettempdir()) / "bench.lock"  # passes of two benchmarks must not overlap
PATIENCE_S = 300.0  # for one answer: a compiler may work for a minute


class PeerError(Exception):
    """A peer ended, or did not answer."""


@dataclass(frozen=True)
class Peer:
    """A framework, in one of the ways to use it."""

    module: str
    variant: str = ""
    modes: tuple[str, ...] = ("train", "infer")


PEERS = {
    "Striate": Peer("striate"),
    "Striate bf16": Peer("striate", "bfloat16"),
    "import torch alone": Peer("import_torch", modes=("start",)),
    "PyTorch loop": Peer("pytorch"),
    "PyTorch expert": Peer("pytorch_expert"),
    "PyTorch expert bf16": Peer("pytorch_expert", "bfloat16"),
    "Lightning": Peer("lightning", modes=("train",)),
    "Keras TensorFlow": Peer("keras", "tensorflow"),
    "Keras JAX": Peer("keras", "jax"),
    "Flax": Peer("flax"),
    "ONNX Runtime": Peer("onnxruntime", modes=("infer",)),
    "OpenVINO": Peer("openvino", modes=("infer",)),
    "OpenVINO bf16": Peer("openvino", "bfloat16", modes=("infer",)),
}


@contextmanager
def alone() -> Iterator[None]:
    """Wait until no other benchmark makes a pass, and keep them waiting."""
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Process:
    """One peer at work on one task; a context manager that ends it.

    `launcher` are words before the command: `taskset -c 0`, `chrt -f 20`. `ready` is the first
    answer; `started_s` the seconds from nothing to the end of the first step.
    """

    def __init__(
        self,
        peer: Peer,
        network: str,
        mode: str,
        batch: int,
        seconds: float,
        launcher: Sequence[str] = (),
    ) -> None:
        python = sys.executable if peer.module == "striate" else str(_peers_python())
        module = f"benchmarks.peers.{peer.module}"
        words = [network, mode, str(batch), str(seconds), *peer.variant.split()]
        self._start([*launcher, python, "-m", module, *words], ROOT)

    def _start(self, command: Sequence[str], folder: Path) -> None:
        self.talk = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed in __exit__
        started = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            env=_environment(), cwd=folder, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.talk,
        )  # fmt: skip
        self.ready = self._answer()
        self.started_s = time.perf_counter() - started

    def run(self, priority: str) -> dict[str, Any]:
        """Return what one pass measured."""
        assert self.process.stdin is not None
        with alone():
            self.process.stdin.write(priority + "\n")
            self.process.stdin.flush()
            return self._answer()

    def _answer(self) -> dict[str, Any]:
        answers = self.process.stdout
        assert answers is not None
        there, _, _ = select.select([answers], [], [], PATIENCE_S)
        line = answers.readline() if there else ""
        while line and not line.startswith("{"):  # a script talks before it is ready
            line = answers.readline()
        if not line:
            self.talk.seek(0)
            said = self.talk.read().strip().splitlines()[-1:]
            self.close()
            raise PeerError(*said or ["no answer"])
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()
        self.talk.close()


class ScriptProcess(Process):
    """A script of a dialect at work, through `striate run`; its run is kept in `folder`."""

    def __init__(self, script: Path, folder: Path, *args: str, seed: int = 0) -> None:
        program = "from striate.cli import main; main()"
        words = ["run", "--seed", str(seed), str(script), *args]
        self._start([sys.executable, "-c", program, *words], folder)


class PlainProcess(Process):
    """A script of PyTorch at work without Striate."""

    def __init__(self, script: Path, folder: Path, *args: str) -> None:
        self._start([sys.executable, str(script), *args], folder)


def _environment() -> dict[str, str]:
    """Return the environment, in which Python keeps what it compiles, as it does by default."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(ROOT)}


def _peers_python() -> Path:
    python = ROOT / "benchmarks" / ".venv" / "bin" / "python"
    if not python.is_file():
        raise SystemExit("the peers are not installed\n  fix   scripts/peers")
    return python


def in_turn(both: Mapping[str, Process], passes: int, priority: str) -> dict[str, list[float]]:
    """Return the samples per second of every pass of processes that take turns.

    A first pass of each has what is only done once, and does not count.
    """
    for process in both.values():
        process.run(priority)
    found: dict[str, list[float]] = {name: [] for name in both}
    for _ in range(passes):
        for name, process in both.items():
            found[name].append(process.run(priority)["samples_per_s"])
    return found


def times(one: Sequence[float], other: Sequence[float]) -> float:
    """Return how many times as fast one is: the median of passes next to each other."""
    return statistics.median(a / b for a, b in zip(one, other, strict=True))
