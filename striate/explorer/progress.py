"""Progress: the numbers of each epoch of a run, as they are written, and how far training is."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..inspect.alarms import alarms
from ..store import steps
from ..store.files import MANIFEST

WATCHED_S = 0.5  # between two looks at the file
SENT = 500  # points between the epochs
FORGOTTEN_S = 15 * 60  # a run that has no manifest and has not changed for so long was stopped


def rows(run: Path) -> list[dict[str, float]]:
    """Return the numbers of the epochs that are over; what is no finite number is left out."""
    return [_finite(row) for row in _written(run)]


def _written(run: Path) -> list[dict[str, float]]:
    log = run / "metrics.jsonl"
    found = []
    for line in log.read_text().splitlines() if log.is_file() else []:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            found.append({key: one for key, one in row.items() if isinstance(one, (int, float))})
    return found


def _finite(row: dict[str, float]) -> dict[str, float]:
    """Return what JSON can say."""
    return {key: one for key, one in row.items() if math.isfinite(one)}


def state(run: Path, config: dict[str, Any]) -> dict[str, Any]:
    """Return whether the run is finished, in training or stopped, its epochs and the time left."""
    done = len(_written(run))
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


async def events(run: Path, config: dict[str, Any], since: int = 0) -> AsyncIterator[str]:
    """Yield the numbers as server-sent events: what is there, then what is added.

    Each has `rows`, the epochs after the first `since`, which are told once; `since`; `steps`, all
    lines between the epochs, which are thinned as they grow; `alarms`; and the state of the run.
    """
    sent: Any = None
    while True:
        now = state(run, config)  # before the numbers: a run that is finished then has them all
        found, between = _written(run), steps.load(run, SENT)
        there = (len(found), between[-1]["at"] if between else 0.0, {**now, "left_s": None})
        if there != sent:
            event = {
                "since": since,
                "rows": [_finite(row) for row in found[since:]],
                "steps": [_finite(row) for row in between],
                "alarms": [asdict(one) for one in alarms(found, between)],
                **now,
            }
            yield f"data: {json.dumps(event, allow_nan=False)}\n\n"
            sent, since = there, max(since, len(found))
        else:
            yield ": still here\n\n"
        if now["state"] != "training":
            return
        await asyncio.sleep(WATCHED_S)
