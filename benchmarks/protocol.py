"""What every peer is: a process that builds one network and makes one timed pass for each line.

    echo normal | python -m benchmarks.peers.pytorch 001 train 64 2

Arguments: the network, `train` or `infer`, the batch size, the seconds of a pass, and for some
peers a variant. The first answer says that the peer is ready: its number of weights and the
versions of its packages. Then each line "normal" or "realtime" is answered by one pass; "realtime"
puts every thread of the process under SCHED_FIFO while the pass lasts. With 0 seconds the process
reads one batch, makes one step and ends, which is how start-up is measured; with those of `EPOCH` a
pass is an epoch. Answers are lines of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TextIO

from .networks import Network, find

PRIORITY = 20  # of SCHED_FIFO: above everything that has a normal priority
EPOCH = -1.0  # seconds of a pass that is as long as it takes
ROUGH = 0.25  # share of a pass that the search for its number of steps takes


@dataclass
class Task:
    """A network that is ready to work.

    `run(steps)` trains on that many batches and returns the last loss, or predicts that many
    batches and returns nothing; it comes back when the work is done. `most` is the number of steps
    that one call may make: an epoch.
    """

    run: Callable[[int], float | None]
    parameters: int
    most: int = 1 << 30


Builder = Callable[[Network, int, str], Task]


def serve(packages: str, train: Builder | None = None, infer: Builder | None = None) -> None:
    """Be a peer: build what the command line asks for and answer the lines of standard input."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a framework prints is talk
    parser = argparse.ArgumentParser()
    parser.add_argument("network")
    parser.add_argument("mode", choices=["train", "infer"])
    parser.add_argument("batch", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("variant", nargs="?", default="")
    given = parser.parse_args()
    network = find(given.network)
    builder = train if given.mode == "train" else infer
    if builder is None:
        parser.error(f"this peer does not {given.mode}")
    if not given.seconds:
        network = replace(network, images=given.batch)
    task = builder(network, given.batch, given.variant)
    if task.parameters != network.parameters:
        parser.error(f"{task.parameters} weights, need {network.parameters}")
    task.run(1)
    versions = {name: version(name) for name in packages.split() if name}
    _say(answers, {"parameters": task.parameters, "versions": versions, "peak_mib": _peak_mib()})
    steps: dict[str, int] = {}
    for line in sys.stdin if given.seconds else ():
        with priority(line.strip()) as name:
            if name not in steps:
                whole = given.seconds == EPOCH
                steps[name] = task.most if whole else _steps(task, given.seconds)
            _say(answers, _pass(task, steps[name], given))


def turns(train: Callable[[], object], samples: int) -> None:
    """Answer each line of standard input with the speed of one training on that many samples.

    For a script of a dialect, which is a peer by itself.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    train()
    _say(answers, {"samples": samples})
    for line in sys.stdin:
        with priority(line.strip()):
            started = time.perf_counter()
            train()
            spent = time.perf_counter() - started
        _say(answers, {"samples_per_s": samples / spent})


@contextmanager
def priority(name: str) -> Iterator[str]:
    """Put all threads under SCHED_FIFO for "realtime", and back to normal afterwards."""
    if name == "realtime":
        _schedule(os.SCHED_FIFO, PRIORITY)
    try:
        yield name
    finally:
        if name == "realtime":
            _schedule(os.SCHED_OTHER, 0)


def usable() -> list[str]:
    """Return the priorities that this process may take; root of a container may not take all."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except (PermissionError, AttributeError):
        return ["normal"]
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return ["realtime", "normal"]


def _schedule(policy: int, level: int) -> None:
    for thread in Path("/proc/self/task").iterdir():
        with suppress(ProcessLookupError):  # a thread that has ended meanwhile
            os.sched_setscheduler(int(thread.name), policy, os.sched_param(level))


def _steps(task: Task, seconds: float) -> int:
    """Return how many steps take about that long."""
    steps, spent = 1, 0.0
    while True:
        started = time.perf_counter()
        task.run(steps)
        spent = time.perf_counter() - started
        if spent > ROUGH * seconds or steps == task.most:
            break
        steps = min(4 * steps, task.most)
    return max(1, min(round(steps * seconds / spent), task.most))


def _pass(task: Task, steps: int, given: argparse.Namespace) -> dict[str, float | None]:
    spent, done, loss = 0.0, 0, None
    while not done or spent < 0.8 * given.seconds:
        started = time.perf_counter()
        loss = task.run(steps)
        spent += time.perf_counter() - started
        done += steps
    rate = done * given.batch / spent
    return {
        "samples_per_s": rate, "ms": 1000 * spent / done, "steps": done, "loss": loss,
        "peak_mib": _peak_mib(),
    }  # fmt: skip


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _say(answers: TextIO, content: Mapping[str, Any]) -> None:
    print(json.dumps(content), file=answers, flush=True)
