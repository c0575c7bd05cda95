"""A long use of the explorer: what the page and its server hold in memory, minute by minute.

Draws, clicks on units, silences maps, opens every tab, moves through the epochs and from run to
run, as somebody does who looks at networks for a while. What grows is not bounded.
"""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

TABS = ("unit", "curves", "mistakes", "kernels", "epochs", "compare", "data", "learn")
GOAL_MB = 300  # of the page, after ten minutes


def proportional(process: int) -> float:
    """Return the megabytes of a process: its own, and its part of what is shared."""
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    line = next(one for one in rollup.splitlines() if one.startswith("Pss:"))
    return float(line.split()[1]) / 1000


def page_memory(browser: Any) -> float:
    """Return the megabytes of the page's process."""
    session = browser.new_browser_cdp_session()
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    pages = [one["id"] for one in found if one["type"] == "renderer"]
    return max(proportional(one) for one in pages if Path(f"/proc/{one}/smaps_rollup").is_file())


def draw(page: Page, strokes: int, pause_ms: int = 16) -> None:
    """Move a pen over the sheet, at the pace of a hand."""
    sheet: Any = page.locator(".sheet").bounding_box()
    page.keyboard.press("c")
    page.mouse.move(sheet["x"] + 60, sheet["y"] + 60)
    page.mouse.down()
    for step in range(strokes):
        across, down = divmod(step, 10)
        page.mouse.move(sheet["x"] + 50 + 10 * across, sheet["y"] + 50 + 10 * down)
        page.wait_for_timeout(pause_ms)
    page.mouse.up()
    page.wait_for_timeout(500)


def click(page: Page, clicks: int) -> None:
    """Click on units of the second convolution."""
    maps = page.locator("#column-4 canvas")
    for step in range(clicks):
        box: Any = maps.bounding_box()  # the first click opens the arithmetic, and moves the maps
        page.mouse.click(box["x"] + 3 + step % 8 * 4, box["y"] + 3 + step // 8 * 4)
        page.wait_for_timeout(150)


def look(page: Page, tab: str, run: str) -> None:
    """Look at a run for a few seconds: a drawing, units, a silenced map, a tab, the epochs."""
    page.get_by_label("Run", exact=True).select_option(run)
    page.wait_for_selector(".facts:not(:empty)")  # it is there
    page.wait_for_selector("#column-4 canvas[style]")  # and drawn
    draw(page, 60)
    for step in range(6):
        page.locator("#column-4 canvas").click(position={"x": 3 + 4 * step, "y": 9})
        page.wait_for_timeout(150)
    page.get_by_role("button", name="Silence map").click()
    page.wait_for_timeout(200)
    page.click(f"#tab-{tab}")
    page.wait_for_timeout(600)
    for key in "rmr":
        page.keyboard.press(key)
        page.wait_for_timeout(300)
    page.click("#tab-epochs")
    for answer in page.locator(".epoch-answer").all()[:3]:
        answer.click()
        page.wait_for_timeout(150)
    page.keyboard.press("Escape")


Held = list[float]  # minutes since the begin, megabytes of the page, of the server


def used(page: Page, browser: Any, server: int, minutes: float, runs: list[str]) -> list[Held]:
    """Return what page and server hold after each minute of use."""
    begin = time.monotonic()
    found: list[Held] = []

    def measured() -> float:
        passed = (time.monotonic() - begin) / 60
        found.append([round(passed, 2), page_memory(browser), proportional(server)])
        return passed

    due = measured() + 1
    for number in itertools.count():
        look(page, TABS[number % len(TABS)], runs[number % len(runs)])
        if (passed := (time.monotonic() - begin) / 60) >= min(due, minutes):
            due = measured() + 1
        if passed >= minutes:
            return found
    raise AssertionError("the use ended early")


def large(page: Page, browser: Any, server: int, run: str, other: str) -> list[Held]:
    """Return what they hold each time that a large network is in view, between looks at another."""
    found: list[Held] = []
    for _ in range(4):
        look(page, "unit", run)
        found.append([len(found) + 1, page_memory(browser), proportional(server)])
        look(page, "unit", other)
    return found
