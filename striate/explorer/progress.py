"""Progress: the numbers of each epoch of a run, as they are written, and how far training is."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from ..store import steps
from ..store.files import MANIFEST

WATCHED_S = 0.5  # between two looks at the file
SENT = 500  # points between the epochs
FORGOTTEN_S = 15 * 60  # a run that has no manifest and has not changed for so long was stopped


def rows(run: Path) -> list[dict[str, float]]:
    """Return the numbers of the epochs that are over; what is no finite number is left out."""
    log = run / "metrics.jsonl"
    found = []
    for line in log.read_text().splitlines() if log.is_file() else []:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            numbers = {key: one for key, one in row.items() if isinstance(one, (int, float))}
            found.append({key: one for key, one in numbers.items() if math.isfinite(one)})
    return found


def state(run: Path, config: dict[str, Any]) -> dict[str, Any]:
    """Return whether the run is finished, in training or stopped, its epochs and the time left."""
    done = len(rows(run))
    settings = config.get("settings")
    planned = settings.get("epochs") if isinstance(settings, dict) else None
    if (run / MANIFEST).is_file():
        return {"state": "finished", "done": done, "planned": planned, "left_s": None}
    log, began = run / "metrics.jsonl", run / "config.json"
    newest = max((path.stat().st_mtime for path in (log, began) if path.is_file()), default=0.0)
    alive = time.time() - newest < FORGOTTEN_S
    left = None
    if alive and done and planned and log.is_file() and began.is_file():
        each = (log.stat().st_mtime - began.stat().st_mtime) / done
        left = max(each * planned - (time.time() - began.stat().st_mtime), 0.0)
    word = "training" if alive else "not finished"
    return {"state": word, "done": done, "planned": planned, "left_s": left}


async def events(run: Path, config: dict[str, Any]) -> AsyncIterator[str]:
    """Yield the epochs as server-sent events: those that are there, then each that is added."""
    sent, before = (-1, -1.0), ""
    while True:
        found, between, now = rows(run), steps.load(run, SENT), state(run, config)
        there = (len(found), between[-1]["at"] if between else 0.0)
        told = json.dumps({**now, "left_s": None})
        if there != sent or told != before:
            yield f"data: {json.dumps({'rows': found, 'steps': between, **now})}\n\n"
            sent, before = there, told
        else:
            yield ": still here\n\n"
        if now["state"] != "training":
            return
        await asyncio.sleep(WATCHED_S)
