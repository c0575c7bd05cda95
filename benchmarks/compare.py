"""Striate beside its peers on one machine: scripts/bench peers [NETWORKS], writes results/peers.md.

For each network and task every peer is one process that stays; they take turns, A B C A B C, so
that whatever else the machine does meets all of them. What counts is the median of the passes. At
normal priority other programs disturb the peers differently; at real-time priority (as root) they
do not, so ratios are taken there.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
from contextlib import ExitStack
from typing import Any

from . import machine
from .networks import NETWORKS
from .process import PEERS, PeerError, Process

FOLDER = machine.RESULTS / "peers"
TASKS = {
    "train": "Training, samples/s at the tutorial's batch size",
    "infer 1": "Inference of one image, ms",
    "infer 256": "Inference of 256 images, images/s",
}
PRIORITIES = {"realtime": "real-time priority", "normal": "normal priority"}
OURS = "Striate"


def measure(name: str, task: str, peers: list[str], given: argparse.Namespace) -> dict[str, Any]:
    """Return each peer's passes by priority, and the versions of its packages."""
    mode, _, batch = task.partition(" ")
    size = int(batch or NETWORKS[name].batch)
    found: dict[str, Any] = {}
    with ExitStack() as stack:
        running: dict[str, Process] = {}
        for label in peers:
            if mode not in PEERS[label].modes:
                continue
            try:
                process = Process(PEERS[label], name, mode, size, given.seconds)
                running[label] = stack.enter_context(process)
            except PeerError as error:
                found[label] = {"error": str(error)}
                _say(f"{name} {task} {label}: {error}")
                continue
            found[label] = {"versions": process.ready["versions"]}
        for turn in range(given.rounds):
            for priority in given.priorities:
                for label, process in running.items():
                    passed = process.run(priority)
                    if not math.isfinite(passed["loss"] or 0.0):
                        raise PeerError(f"{label} does not train {name}: loss {passed['loss']}")
                    found[label].setdefault(priority, []).append(passed)
                    rate = passed["samples_per_s"]
                    _say(f"{name} {task} {turn + 1} {priority} {label}: {rate:,.0f}/s")
    return found


def value(task: str, found: dict[str, Any], priority: str) -> float | None:
    """Return the median of a peer's passes in the unit of the task, or None if it has none."""
    unit = "ms" if task == "infer 1" else "samples_per_s"
    passes = found.get(priority)
    return statistics.median(item[unit] for item in passes) if passes else None


def ratio(task: str, row: dict[str, Any], priority: str, ours: str = OURS) -> float | None:
    """Return how many times as fast as the best peer `ours` is."""
    mine = value(task, row.get(ours, {}), priority)
    theirs = [value(task, row[label], priority) for label in row if not label.startswith(OURS)]
    known = [number for number in theirs if number]
    if mine is None or not known:
        return None
    return min(known) / mine if task == "infer 1" else mine / max(known)


def table(results: dict[str, Any], task: str, priority: str) -> list[str]:
    """Return one table: a row for each peer, a column for each network, and the ratios."""
    columns = {
        name: tasks["tasks"][task] for name, tasks in results.items() if task in tasks["tasks"]
    }
    rows = []
    for label in PEERS:
        values = [value(task, found.get(label, {}), priority) for found in columns.values()]
        if any(values):
            rows.append([label, *(_number(task, number) for number in values)])
    if not rows:
        return []
    for label in (OURS, f"{OURS} bf16"):
        ratios = [ratio(task, found, priority, label) for found in columns.values()]
        if any(ratios):
            shown = (f"**{number:.2f}x**" if number else "-" for number in ratios)
            rows.append([f"**{label} / best peer**", *shown])
    head = ["", *columns]
    lines = [head, ["---"] + ["---:"] * len(columns), *rows]
    title = f"## {TASKS[task]}, {PRIORITIES[priority]}"
    return [title, "", *(f"| {' | '.join(line)} |" for line in lines), ""]


def report(results: dict[str, Any]) -> str:
    """Return the page with all that was measured."""
    lines = ["# Striate and its peers", ""]
    versions: dict[str, str] = {}
    taken: dict[str, list[str]] = {}
    for name, result in results.items():
        how = (
            f"medians of {result['rounds']} turns of {result['seconds']:g} s; "
            f"`{result['command']}`; {machine.line(result['machine'])}"
        )
        taken.setdefault(how, []).append(name)
        for found in (peer for task in result["tasks"].values() for peer in task.values()):
            versions |= found.get("versions", {})
    lines += [f"- {', '.join(names)}: {how}" for how, names in taken.items()]
    lines += ["", "Versions: " + ", ".join(f"{k} {v}" for k, v in sorted(versions.items())) + "."]
    lines += ["Batch sizes: " + ", ".join(f"{k} {NETWORKS[k].batch}" for k in results) + ".", ""]
    for priority in PRIORITIES:
        for task in TASKS:
            lines += table(results, task, priority)
    return "\n".join(lines)


def main() -> None:
    """Measure the networks that are asked for; keep what was measured of others."""
    parser = argparse.ArgumentParser(prog="scripts/bench peers", description=__doc__)
    parser.add_argument("networks", nargs="*", default=list(NETWORKS), metavar="NETWORK")
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--peers", nargs="+", default=list(PEERS), choices=list(PEERS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    usable = list(PRIORITIES) if os.geteuid() == 0 else ["normal"]
    parser.add_argument("--priorities", nargs="+", default=usable, choices=usable)
    parser.add_argument("--dry", action="store_true", help="print the page, keep nothing")
    given = parser.parse_args()
    for name in given.networks:
        if name not in NETWORKS:
            parser.error(f"no network {name}, need one of {', '.join(NETWORKS)}")
    results = {
        name: json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        for name in NETWORKS
        if not given.dry and (FOLDER / f"{name}.json").is_file()
    }
    for name in given.networks:
        results[name] = {
            "command": " ".join(["scripts/bench peers", *sys.argv[1:]]),
            "rounds": given.rounds,
            "seconds": given.seconds,
            "machine": machine.describe(),
            "tasks": {task: measure(name, task, given.peers, given) for task in given.tasks},
        }
        if not given.dry:
            FOLDER.mkdir(exist_ok=True)
            text = json.dumps(results[name], indent=1) + "\n"
            (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")
            page = report({name: results[name] for name in NETWORKS if name in results})
            (FOLDER.parent / "peers.md").write_text(page, encoding="utf-8")
    print(report({name: results[name] for name in given.networks}))


def _number(task: str, number: float | None) -> str:
    if number is None:
        return "-"
    return f"{number:.3f}" if task == "infer 1" else f"{number:,.0f}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
