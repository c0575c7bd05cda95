"""Striate beside its peers on one machine: scripts/bench peers [NETWORKS], writes peers.md.

For each network and task every peer is one process that stays; they take turns, A B C A B C, so
that whatever else the machine does meets all of them. What counts is the median of the passes. At
normal priority other programs disturb the peers differently; at real-time priority (as root) they
do not, so ratios are taken there.
"""

from __future__ import annotations

import argparse
import itertools
import math
import statistics
import sys
from contextlib import ExitStack
from typing import Any

from .networks import NETWORKS
from .process import PEERS, PeerError, Process
from .protocol import usable
from .results import Results, header, keep, load, origins, table

TASKS = {
    "train": "Training, samples/s at the tutorial's batch size",
    "infer 1": "Inference of one image, ms",
    "infer 256": "Inference of 256 images, images/s",
}
PRIORITIES = {"realtime": "real-time priority", "normal": "normal priority"}
OURS = "Striate"


def measure(name: str, task: str, given: argparse.Namespace) -> dict[str, Any]:
    """Return each peer's samples/s, pass by pass, and the versions of its packages."""
    mode, _, batch = task.partition(" ")
    size = int(batch or NETWORKS[name].batch)
    found: dict[str, Any] = {}
    running: dict[str, Process] = {}
    with ExitStack() as stack:
        for label in given.peers:
            if mode not in PEERS[label].modes:
                continue
            try:
                process = Process(PEERS[label], name, mode, size, given.seconds)
                running[label] = stack.enter_context(process)
                found[label] = {"versions": process.ready["versions"]}
            except PeerError as error:
                found[label] = {"error": str(error)}
                _say(f"{name} {task} {label}: {error}")
        for turn in range(given.rounds):
            for priority in given.priorities:
                for label, process in running.items():
                    passed = process.run(priority)
                    if not math.isfinite(passed["loss"] or 0.0):
                        raise PeerError(f"{label} does not train {name}: loss {passed['loss']}")
                    speed = round(passed["samples_per_s"], 1)
                    found[label].setdefault(priority, []).append(speed)
                    _say(f"{name} {task} {turn + 1} {priority} {label}: {speed:,.0f}/s")
    return found


def rate(found: dict[str, Any], priority: str) -> float:
    """Return the median samples/s of a peer's passes, or 0 if it has none."""
    passes: list[float] = found.get(priority) or [0.0]
    return statistics.median(passes)


def ratio(row: dict[str, Any], priority: str, ours: str = OURS) -> float:
    """Return how many times as fast as the best peer `ours` is, or 0 if that is not known."""
    theirs = (rate(found, priority) for label, found in row.items() if not label.startswith(OURS))
    best = max(theirs, default=0.0)
    return rate(row.get(ours, {}), priority) / best if best else 0.0


def section(results: Results, task: str, priority: str) -> list[str]:
    """Return one table: a row for each peer, a column for each network, and the ratios."""
    columns = {
        name: results[f"{name} {task}"]["peers"] for name in NETWORKS if f"{name} {task}" in results
    }
    rows = [["", *columns]]
    for label in PEERS:
        rates = [rate(found.get(label, {}), priority) for found in columns.values()]
        if any(rates):
            rows.append([label, *(_shown(task, number) for number in rates)])
    if len(rows) == 1:
        return []
    for label in (OURS, f"{OURS} bf16"):
        ratios = [ratio(found, priority, label) for found in columns.values()]
        if any(ratios):
            shown = (f"**{number:.2f}x**" if number else "-" for number in ratios)
            rows.append([f"**{label} / best peer**", *shown])
    return [f"## {TASKS[task]}, {PRIORITIES[priority]}", "", *table(rows)]


def page(results: Results) -> str:
    """Return all results as Markdown."""
    versions: dict[str, str] = {}
    for part in results.values():
        for found in part["peers"].values():
            versions |= found.get("versions", {})
    lines = [
        "# Striate and its peers", "",
        *origins(results), "",
        "Medians of the passes. "
        f"Versions: {', '.join(f'{name} {number}' for name, number in sorted(versions.items()))}. "
        f"Batch sizes: {', '.join(f'{name} {NETWORKS[name].batch}' for name in NETWORKS)}.", "",
    ]  # fmt: skip
    for priority in PRIORITIES:
        for task in TASKS:
            lines += section(results, task, priority)
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="scripts/bench peers", description=__doc__)
    parser.add_argument("networks", nargs="*", default=list(NETWORKS), metavar="NETWORK")
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--peers", nargs="+", default=list(PEERS), choices=list(PEERS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    known = usable()
    parser.add_argument("--priorities", nargs="+", default=known, choices=known)
    parser.add_argument("--dry", action="store_true", help="print the page, keep nothing")
    given = parser.parse_args()
    for name in given.networks:
        if name not in NETWORKS:
            parser.error(f"no network {name}, need one of {', '.join(NETWORKS)}")
    return given


def main() -> None:
    """Measure the tasks that are asked for; keep what was measured of others."""
    given = arguments()
    results = {} if given.dry else load("peers")
    for task, name in itertools.product(given.tasks, given.networks):
        described = header("peers")
        results[f"{name} {task}"] = {"header": described, "peers": measure(name, task, given)}
        if not given.dry:
            keep("peers", results, page)
    print(page(results))


def _shown(task: str, number: float) -> str:
    if not number:
        return "-"
    return f"{1000 / number:.3f}" if task == "infer 1" else f"{number:,.0f}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
