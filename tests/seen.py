"""A hand on the explorer in a browser: a view is opened, a seven is drawn."""

from __future__ import annotations

from typing import Any

from explored import Served
from playwright.sync_api import Page, expect

TABS = ("unit", "curves", "mistakes", "kernels", "epochs", "compare", "data", "learn")
SEVEN = ((0.28, 0.25), (0.72, 0.25), (0.62, 0.45), (0.5, 0.66), (0.42, 0.86))


class Requests:
    """What a page has asked and not been answered yet."""

    def __init__(self, page: Page) -> None:
        self.page, self.open = page, set[object]()
        page.on("request", self._asked)
        page.on("requestfinished", self._answered)
        page.on("requestfailed", self._answered)

    def _asked(self, one: object) -> None:
        self.open.add(one)

    def _answered(self, one: object) -> None:
        self.open.discard(one)

    def settle(self) -> None:
        """Wait until the page has been quiet for a third of a second."""
        calm = 0
        while calm < 3:
            self.page.wait_for_timeout(110)
            calm = 0 if self.open else calm + 1


def opened(page: Page, served: Served, run: str, more: str = "") -> None:
    """Open a view, and wait until it is drawn."""
    page.goto("about:blank")  # or another view of the same address would keep the page
    page.goto(f"{served.address}#run={run}{more}")
    page.wait_for_selector(".reads b:not(:empty)")
    expect(page.locator(".column canvas[style]").nth(3)).to_be_attached()


def draw_seven(page: Page) -> None:
    """Draw a seven on an empty sheet."""
    page.keyboard.press("c")
    sheet: Any = page.locator(".sheet").bounding_box()
    points = [(sheet["x"] + x * sheet["width"], sheet["y"] + y * sheet["height"]) for x, y in SEVEN]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=8)
    page.mouse.up()
