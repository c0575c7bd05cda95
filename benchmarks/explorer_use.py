"""A long use of the explorer: what the page and its server hold in memory, minute by minute.

Draws, clicks on units, silences maps, opens every tab, moves through the epochs and from run to
run, as somebody does who looks at networks for a while. What grows is not bounded.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .browser import Page

TABS = ("unit", "curves", "mistakes", "kernels", "epochs", "compare", "data", "learn")
GOAL_MB = 300  # of the page, after ten minutes
CHOOSE = (
    "((one) => {{ one.value = {!r}; one.dispatchEvent(new Event('change')); }})"
    "(document.querySelector('select[aria-label=Run]'))"
)


@dataclass(frozen=True)
class Held:
    """What page and server hold, in megabytes.

    Fields: `when`; `page`, the proportional set size of the page's process: its own memory, and its
    part of what it shares with the browser's other processes; `private`, its own memory; `heap`,
    what the page's scripts have in use, garbage too; `server`, the server's proportional set size.
    """

    when: str
    page: float
    private: float
    heap: float
    server: float


def memory(process: int) -> dict[str, float]:
    """Return the megabytes of a process by the kernel's words for them."""
    rows = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]
    words = (row.split()[:2] for row in rows)
    return {name.rstrip(":"): int(size) / 1000 for name, size in words}


def held(page: Page, server: int, when: str) -> Held:
    """Return what page and server hold now."""
    own = memory(page.browser.renderer)
    heap = page.send("Runtime.getHeapUsage")["usedSize"] / 1e6
    private = own["Private_Clean"] + own["Private_Dirty"]
    return Held(when, own["Pss"], private, heap, memory(server)["Pss"])


def draw(page: Page, strokes: int, pause_ms: int = 16) -> None:
    """Move a pen over the sheet, at the pace of a hand."""
    sheet = page.box(".sheet")
    page.press("c")
    left, top = sheet["x"] + 50, sheet["y"] + 50
    page.mouse("Moved", left, top)
    page.mouse("Pressed", left, top)
    for step in range(strokes):
        across, down = divmod(step, 10)
        page.mouse("Moved", left + 10 * across, top + 10 * down, held=True)
        page.pause(pause_ms)
    page.mouse("Released", left, top)
    page.pause(500)


def click(page: Page, clicks: int) -> None:
    """Click on units of the second convolution."""
    for step in range(clicks):
        page.click("#column-4 canvas", 3 + step % 8 * 4, 3 + step // 8 * 4)
        page.pause(150)


def look(page: Page, tab: str, run: str) -> None:
    """Look at a run for a few seconds: a drawing, units, a silenced map, a tab, the epochs."""
    page.evaluate(CHOOSE.format(run))
    page.wait(".facts:not(:empty)")  # it is there
    page.wait("#column-4 canvas[style]")  # and drawn
    draw(page, 60)
    click(page, 6)
    page.click(".whatif .buttons button")
    page.pause(200)
    page.click(f"#tab-{tab}")
    page.pause(600)
    for key in "rmr":
        page.press(key)
        page.pause(300)
    page.click("#tab-epochs")
    page.pause(300)
    known = page.evaluate("document.querySelectorAll('.epoch-answer').length")
    for number in range(min(known, 3)):
        page.click(f".epoch-answer:nth-child({number + 1})")
        page.pause(150)
    page.press("Escape")


def used(page: Page, server: int, minutes: float, runs: list[str]) -> list[dict[str, Any]]:
    """Return what page and server hold after each minute of use, and after a collection."""
    begin = time.monotonic()
    found = [held(page, server, "0")]
    for number in itertools.count():
        look(page, TABS[number % len(TABS)], runs[number % len(runs)])
        passed = (time.monotonic() - begin) / 60
        if passed >= min(len(found), minutes):
            found.append(held(page, server, f"{passed:.0f}"))
        if passed >= minutes:
            break
    return [*map(asdict, found), _collected(page, server)]


def large(page: Page, server: int, run: str, other: str) -> list[dict[str, Any]]:
    """Return what they hold each time that a large network is in view, between looks at another."""
    found = []
    for number in range(4):
        look(page, "unit", run)
        found.append(held(page, server, f"{number + 1}"))
        look(page, "unit", other)
    return [*map(asdict, found), _collected(page, server)]


def _collected(page: Page, server: int) -> dict[str, Any]:
    page.send("HeapProfiler.collectGarbage")
    return asdict(held(page, server, "then collected"))
