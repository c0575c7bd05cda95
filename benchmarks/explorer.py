"""How fast the explorer answers: scripts/bench explorer.

Serves a LeNet and a ResNet-18 with `striate explore`, draws on them in headless Chromium as a hand
does, and writes what the page itself measured (User Timing) to results/explorer.md: from a pen
stroke to new bars, and to all maps; from a click on a unit to its arithmetic; the first paint; the
frames while drawing; the memory of the page after a long use; and the bytes of the page's own
scripts and styles. As root, server and browser run at real-time priority.

`--minutes 10` measures a long use instead, and what page and server hold after each minute of it.
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

import striate as st
from striate import layers as L
from striate.store import epochs
from striate.store.run import Run

from .browser import Browser, Page
from .explorer_use import GOAL_MB, click, draw, large, used
from .machine import ROOT
from .process import alone
from .results import Results, header, keep, load, origins, table

STATIC = ROOT / "striate" / "explorer" / "static"
STROKES, CLICKS, LARGE_STROKES = 100, 40, 15
GOALS = {  # by figure: the unit, and what the 95th percentile shall be at most
    "pen stroke to probabilities": ("ms", 50),
    "pen stroke to all maps": ("ms", 100),
    "unit click to arithmetic": ("ms", 100),
    "first contentful paint": ("ms", 1000),
    "pen stroke to all maps, ResNet-18 at 224 x 224": ("ms", 1000),
    "between two frames while drawing": ("ms", 17),
    "scripts and styles": ("kB", 400),
}
RUNS = ("lenet", "other", "resnet18")
SPEED = (
    "LeNet (61,706 weights) on MNIST, served by `striate explore`; headless Chromium at "
    "1280 x 800, a move of the pen every 16 ms. The page measures itself (User Timing): from "
    "the change of the picture to new bars, and to the frame in which the maps are drawn (of the "
    "columns in view; those beside them are, when they come into view); from "
    "the choice of a unit to its arithmetic. ResNet-18 (11.7 million weights) is drawn on with "
    "a move every 0.4 s. A screen of 60 Hz shows a frame every 16.7 ms. The goal is for the 95th "
    "percentile. A shared machine."
)
MEMORY = (
    "What a long use holds in memory: drawing, units, silenced maps, every tab, the epochs, from "
    "one of two LeNets to the other; then ResNet-18 again and again, whose 70 columns have 64 maps "
    "each. *Page* is the proportional set size of the page's process (all that it has of its own, "
    "the garbage of its scripts too, and its part of what Chromium's processes share), whose goal "
    f"is {GOAL_MB} MB after ten minutes; *private*, what is its own alone; *JS heap*, what its "
    "scripts have in use. The browser is not watched by a test tool: those make it keep the body "
    "of every answer of the server, which was most of what was counted here before."
)
FRAMES = """(() => { window.frames_ = []; let last = performance.now();
const look = (now) => {
  frames_.push(now - last); last = now; window.looks && requestAnimationFrame(look); };
window.looks = true; requestAnimationFrame(look); })()"""


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


def resnet18(size: int = 224, classes: int = 1000) -> st.Model:
    """ResNet-18 of He et al. 2015: 11.7 million weights."""

    def block(x: Any, filters: int, stride: int) -> Any:
        y = L.Conv2D(filters, 3, stride, padding="same", use_bias=False)(x)
        y = L.ReLU()(L.BatchNormalization()(y))
        y = L.BatchNormalization()(L.Conv2D(filters, 3, padding="same", use_bias=False)(y))
        if stride > 1:
            x = L.BatchNormalization()(L.Conv2D(filters, 1, stride, use_bias=False)(x))
        return L.ReLU()(L.Add()([x, y]))

    image = L.Input((size, size, 3))
    x = L.Conv2D(64, 7, 2, padding="same", use_bias=False)(L.Rescaling(1 / 255)(image))
    x = L.MaxPooling2D(3, 2, padding="same")(L.ReLU()(L.BatchNormalization()(x)))
    for filters, first in ((64, 1), (128, 2), (256, 2), (512, 2)):
        x = block(block(x, filters, first), filters, 1)
    x = L.Dense(classes, activation="softmax")(L.GlobalAveragePooling2D()(x))
    return st.Model(image, x, name="resnet18")


@contextmanager
def served(root: str) -> Iterator[tuple[str, int]]:
    """Give the address of a page that shows two LeNets and a ResNet-18, and its process."""
    for name in RUNS[:2]:
        run, model = Run.create(root, name), lenet()
        run.write("config.json", {"recipe": "mnist", "settings": {}})
        for epoch in range(3):
            epochs.keep(run.path, epoch, model)
        run.finish(model)
    large = Run.create(root, "resnet18")
    large.write("config.json", {"script": "resnet18.py"})
    large.finish(resnet18())
    program = "from striate.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", program, "explore", "lenet", "--runs", root],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process.pid
        finally:
            process.terminate()


def measured(page: Page, name: str) -> list[float]:
    """Return the milliseconds of all measures of a name."""
    found: list[float] = page.evaluate(
        f"performance.getEntriesByName('{name}', 'measure').map((one) => one.duration)"
    )
    return found


def frames(page: Page) -> list[float]:
    """Return the milliseconds between two frames while a pen is moved."""
    page.evaluate(FRAMES)
    draw(page, STROKES)
    between: list[float] = page.evaluate("window.looks = false, frames_")
    return between[1:]


def pace(values: list[float]) -> dict[str, float]:
    """Return median and 95th percentile."""
    ordered = sorted(values)
    return {
        "n": len(ordered),
        "median": statistics.median(ordered),
        "p95": ordered[min(int(0.95 * len(ordered)), len(ordered) - 1)],
    }


@contextmanager
def opened() -> Iterator[tuple[Page, str, int]]:
    """Give a page in a browser, its address, and the process of its server."""
    with (
        tempfile.TemporaryDirectory() as root,
        served(root) as (address, server),
        Browser() as browser,
    ):
        page = browser.page(1280, 800)
        page.goto(address)
        page.wait(".bars li")
        page.pause(4000)  # the server reads the training pictures once
        yield page, address, server


def measure() -> dict[str, dict[str, float]]:
    """Return the figures in milliseconds, and the kilobytes of the page."""
    with opened() as (page, address, _):
        page.goto("about:blank")
        page.goto(address)
        page.wait(".bars li")
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        page.evaluate("performance.clearMeasures()")
        draw(page, STROKES)
        answers, maps = measured(page, "answer"), measured(page, "maps")
        click(page, CLICKS)
        units = measured(page, "unit")
        page.press("Escape")
        shown = frames(page)
        page.goto("about:blank")
        page.goto(f"{address}#run=resnet18")
        page.wait(".bars li")
        page.pause(5000)
        page.evaluate("performance.clearMeasures()")
        draw(page, LARGE_STROKES, 400)
        page.pause(2000)
        large = measured(page, "maps")
    files = [*STATIC.rglob("*.js"), *STATIC.rglob("*.css"), *STATIC.rglob("*.html")]
    size = sum(path.stat().st_size for path in files) / 1000
    return {
        "pen stroke to probabilities": pace(answers),
        "pen stroke to all maps": pace(maps),
        "unit click to arithmetic": pace(units[1:]),
        "first contentful paint": pace([paint]),
        "pen stroke to all maps, ResNet-18 at 224 x 224": pace(large),
        "between two frames while drawing": pace(shown),
        "scripts and styles": pace([size]),
    }


def page(results: Results) -> str:
    """Return the results as Markdown."""
    lines = ["# The explorer", ""]
    if "explorer" in results:
        rows = [["", "median", "95th percentile", "goal", "unit", "n"]]
        rows += [
            [
                name, f"{one['median']:.1f}", f"{one['p95']:.1f}", f"{GOALS[name][1]}",
                GOALS[name][0], f"{one['n']:.0f}",
            ]
            for name, one in results["explorer"]["figures"].items()
        ]  # fmt: skip
        lines += [SPEED, "", *table(rows)]
    if "use" in results:
        for title, name in (("minutes of use", "held"), ("ResNet-18 in view, time", "large")):
            rows = [[title, "page, MB", "private, MB", "JS heap, MB", "server, MB"]]
            rows += [
                [when, *(f"{one:.0f}" for one in sizes)]
                for when, *sizes in (held.values() for held in results["use"][name])
            ]
            lines += [*([MEMORY, ""] if name == "held" else []), *table(rows)]
    return "\n".join([*lines, *origins(results)]) + "\n"


def main() -> None:
    """Measure, and keep the page."""
    parser = argparse.ArgumentParser(prog="scripts/bench explorer", description=__doc__)
    parser.add_argument("--dry", action="store_true", help="print the page and keep nothing")
    parser.add_argument("--minutes", type=float, help="measure the memory of so long a use instead")
    given = parser.parse_args()
    described = header("explorer")
    if given.minutes:
        with opened() as (shown, _, server):
            results: Results = {
                "use": {
                    "header": described,
                    "held": used(shown, server, given.minutes, list(RUNS[:2])),
                    "large": large(shown, server, RUNS[2], RUNS[0]),
                }
            }
    else:
        with alone():
            with suppress(PermissionError):  # server and browser inherit it
                os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
            results = {"explorer": {"header": described, "figures": measure()}}
    results = load("explorer") | results
    print(page(results))
    if not given.dry:
        keep("explorer", results, page)


if __name__ == "__main__":
    main()
