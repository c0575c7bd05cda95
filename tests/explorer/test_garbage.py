"""What the page lets go of: after hundreds of strokes and clicks no more is alive than before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from explored import Served
from playwright.sync_api import Page
from seen import TABS, Requests, draw_seven, opened

pytestmark = pytest.mark.browser


def strokes(page: Page, asked: Requests) -> None:
    for _ in range(4):
        draw_seven(page)


def units(page: Page, asked: Requests) -> None:
    for number in range(40):
        page.locator("#column-4 canvas").click(position={"x": 3 + number % 20, "y": 9})
    page.keyboard.press("Escape")


def samples(page: Page, asked: Requests) -> None:
    for key in "rmrmrmrmrmrm":
        page.keyboard.press(key)
        page.wait_for_timeout(30)


def tabs(page: Page, asked: Requests) -> None:
    for tab in TABS:
        page.click(f"#tab-{tab}")
        asked.settle()


def runs(page: Page, asked: Requests) -> None:
    for run in ("residual", "lenet", "residual", "lenet"):
        page.get_by_label("Run", exact=True).select_option(run)
        page.wait_for_selector(".facts:not(:empty)")
        asked.settle()


def themes(page: Page, asked: Requests) -> None:
    for _ in range(10):
        page.get_by_label("Light or dark").click()


@pytest.mark.parametrize("use", [strokes, units, samples, tabs, runs, themes])
def test_nothing_stays_behind(
    quiet: Page, served: Served, use: Callable[[Page, Requests], None]
) -> None:
    asked = Requests(quiet)
    opened(quiet, served, "lenet", "&sample=3&tab=learn")
    watch = quiet.context.new_cdp_session(quiet)

    def alive() -> dict[str, Any]:
        quiet.keyboard.press("8")  # the same tab, whatever was done
        asked.settle()
        for _ in range(3):
            watch.send("HeapProfiler.collectGarbage")
        return watch.send("Memory.getDOMCounters")

    use(quiet, asked)  # what is made once is made
    before = alive()
    use(quiet, asked)
    after = alive()
    for kind in ("nodes", "jsEventListeners"):
        assert after[kind] <= before[kind] + 20, (kind, before, after)
