"""How fast the explorer answers: scripts/bench explorer.

Serves a LeNet with `striate explore`, draws on it in headless Chromium as a hand does, and writes
what the page itself measured (User Timing) to results/explorer.md: from a pen stroke to new bars,
and to all maps; from a click on a unit to its arithmetic; the first paint; and the bytes of the
page's own scripts and styles. As root, server and browser run at real-time priority.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from playwright.sync_api import Page, sync_playwright

import striate as st
from striate import layers as L
from striate.store.run import Run

from .machine import ROOT
from .process import alone
from .results import Results, header, keep, origins, table

CHROMIUM = "/usr/bin/chromium"
STATIC = ROOT / "striate" / "explorer" / "static"
STROKES, CLICKS = 100, 40
GOALS = {
    "pen stroke to probabilities": 50,
    "pen stroke to all maps": 100,
    "unit click to arithmetic": 100,
    "first contentful paint": 1000,
    "scripts and styles": 400,
}


def lenet() -> st.Sequential:
    """LeNet-5 with rectifiers and max-pooling."""
    return st.Sequential(
        [
            L.Input((28, 28, 1)),
            L.Rescaling(1 / 255),
            L.Conv2D(6, 5, padding="same", activation="relu"),
            L.MaxPooling2D(2),
            L.Conv2D(16, 5, activation="relu"),
            L.MaxPooling2D(2),
            L.Flatten(),
            L.Dense(120, activation="relu"),
            L.Dense(84, activation="relu"),
            L.Dense(10, activation="softmax"),
        ]
    )


@contextmanager
def served(root: str) -> Iterator[str]:
    """Give the address of a page that shows the LeNet."""
    run = Run.create(root, "lenet")
    run.write("config.json", {"recipe": "mnist", "settings": {}})
    run.finish(lenet())
    program = "from striate.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", program, "explore", "lenet", "--runs", root],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def measured(page: Page, name: str) -> list[float]:
    """Return the milliseconds of all measures of a name."""
    found: list[float] = page.evaluate(
        f"performance.getEntriesByName('{name}', 'measure').map((one) => one.duration)"
    )
    return found


def draw(page: Page) -> None:
    """Move a pen over the sheet, at the pace of a hand."""
    sheet: Any = page.locator(".sheet").bounding_box()
    page.keyboard.press("c")
    page.mouse.move(sheet["x"] + 60, sheet["y"] + 60)
    page.mouse.down()
    for step in range(STROKES):
        across, down = divmod(step, 10)
        page.mouse.move(sheet["x"] + 50 + 10 * across, sheet["y"] + 50 + 10 * down)
        page.wait_for_timeout(16)
    page.mouse.up()
    page.wait_for_timeout(500)


def click(page: Page) -> None:
    """Click on units of the second convolution."""
    maps = page.locator("#column-4 canvas")
    for step in range(CLICKS):
        box: Any = maps.bounding_box()  # the first click opens the arithmetic, and moves the maps
        page.mouse.click(box["x"] + 3 + step % 8 * 4, box["y"] + 3 + step // 8 * 4)
        page.wait_for_timeout(150)


def pace(values: list[float]) -> dict[str, float]:
    """Return median and 95th percentile."""
    ordered = sorted(values)
    return {
        "n": len(ordered),
        "median": statistics.median(ordered),
        "p95": ordered[min(int(0.95 * len(ordered)), len(ordered) - 1)],
    }


def measure() -> dict[str, dict[str, float]]:
    """Return the figures in milliseconds, and the kilobytes of the page."""
    with tempfile.TemporaryDirectory() as root, served(root) as address, sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(address)
        page.wait_for_selector(".bars li")
        page.wait_for_timeout(4000)  # the server reads the training pictures once
        page.reload()
        page.wait_for_selector(".bars li")
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        page.evaluate("performance.clearMeasures()")
        draw(page)
        answers, maps = measured(page, "answer"), measured(page, "maps")
        click(page)
        units = measured(page, "unit")
        browser.close()
    files = [*STATIC.rglob("*.js"), *STATIC.rglob("*.css"), *STATIC.rglob("*.html")]
    size = sum(path.stat().st_size for path in files) / 1000
    return {
        "pen stroke to probabilities": pace(answers),
        "pen stroke to all maps": pace(maps),
        "unit click to arithmetic": pace(units[1:]),
        "first contentful paint": pace([paint]),
        "scripts and styles": pace([size]),
    }


def page(results: Results) -> str:
    """Return the results as Markdown."""
    part = results["explorer"]
    rows = [["", "median", "95th percentile", "goal", "unit", "n"]]
    rows += [
        [
            name, f"{one['median']:.1f}", f"{one['p95']:.1f}", f"{GOALS[name]}",
            "kB" if name.startswith("scripts") else "ms", f"{one['n']:.0f}",
        ]
        for name, one in part["figures"].items()
    ]  # fmt: skip
    lines = [
        "# The explorer", "",
        "LeNet (61,706 weights) on MNIST, served by `striate explore`; headless Chromium at "
        "1280 x 800, a move of the pen every 16 ms. The page measures itself (User Timing): from "
        "the change of the picture to new bars, and to the frame in which every map is drawn; from "
        "the choice of a unit to its arithmetic. The goal is for the 95th percentile. A shared "
        "machine.", "",
        *table(rows), *origins(results),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and keep the page."""
    parser = argparse.ArgumentParser(prog="scripts/bench explorer", description=__doc__)
    parser.add_argument("--dry", action="store_true", help="print the page and keep nothing")
    given = parser.parse_args()
    described = header("explorer")
    with alone():
        with suppress(PermissionError):  # server and browser inherit it
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        results: Results = {"explorer": {"header": described, "figures": measure()}}
    print(page(results))
    if not given.dry:
        keep("explorer", results, page)


if __name__ == "__main__":
    main()
