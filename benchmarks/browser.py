"""A browser at the end of a pipe, without the tools that test with one.

Those listen to a page's network, for which Chromium keeps the body of every answer: the page then
seems to hold what its watcher holds. Here nothing is switched on but input and evaluation.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from typing_extensions import Self

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    *("--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-extensions", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--hide-scrollbars", "about:blank"),
)
PATIENCE_S = 30.0
PIPED = 'exec "$@" 3<&{} 4>&{}'  # Chromium reads commands from file 3 and answers on file 4


class Browser:
    """Chromium, headless; a context manager that ends it."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        ours, theirs = os.pipe(), os.pipe()
        command = [CHROMIUM, f"--user-data-dir={self.folder.name}", *FLAGS]
        self.process = subprocess.Popen(
            ["bash", "-c", PIPED.format(ours[0], theirs[1]), "bash", *command],
            pass_fds=(ours[0], theirs[1]), stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        os.close(ours[0])
        os.close(theirs[1])
        self.asks, self.answers = os.fdopen(ours[1], "wb", 0), theirs[0]
        self.rest, self.numbers = b"", itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.send("Browser.close")
        self.process.wait(PATIENCE_S)
        self.asks.close()
        os.close(self.answers)
        self.folder.cleanup()

    def send(self, method: str, session: str = "", **words: Any) -> dict[str, Any]:
        """Return the answer to a command of the DevTools protocol."""
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": words}
        message |= {"sessionId": session} if session else {}
        self.asks.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                break
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        found: dict[str, Any] = answer["result"]
        return found

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            some = os.read(self.answers, 1 << 20)
            if not some:
                raise RuntimeError("the browser ended")
            self.rest += some
        first, self.rest = self.rest.split(b"\0", 1)
        found: dict[str, Any] = json.loads(first)
        return found

    def page(self, width: int, height: int) -> Page:
        """Return an empty page of so many pixels."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        found = self.send("Target.attachToTarget", targetId=target, flatten=True)
        page = Page(self, found["sessionId"])
        page.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        return page

    @property
    def renderer(self) -> int:
        """The process of the page: of those that render, the largest."""
        found = self.send("SystemInfo.getProcessInfo")["processInfo"]
        pages = [one["id"] for one in found if one["type"] == "renderer"]
        sizes = {one: Path(f"/proc/{one}/statm") for one in pages}
        return max(
            (one for one, file in sizes.items() if file.is_file()),
            key=lambda one: int(sizes[one].read_text().split()[1]),
        )


class Page:
    """A page that is looked at and operated as by a hand."""

    def __init__(self, browser: Browser, session: str) -> None:
        self.browser, self.session = browser, session

    def send(self, method: str, **words: Any) -> dict[str, Any]:
        """Return the answer to a command about this page."""
        return self.browser.send(method, self.session, **words)

    def goto(self, address: str) -> None:
        """Go to an address."""
        self.send("Page.navigate", url=address)

    def evaluate(self, expression: str) -> Any:
        """Return what an expression of JavaScript comes to."""
        found = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in found:
            raise RuntimeError(found["exceptionDetails"]["exception"]["description"])
        return found["result"].get("value")

    def wait(self, selector: str) -> None:
        """Wait until there is an element."""
        end = time.monotonic() + PATIENCE_S
        while not self.evaluate(f"Boolean(document.querySelector({selector!r}))"):
            if time.monotonic() > end:
                raise TimeoutError(selector)
            time.sleep(0.02)

    def pause(self, milliseconds: float) -> None:
        """Do nothing for a while."""
        time.sleep(milliseconds / 1000)

    def box(self, selector: str) -> dict[str, float]:
        """Bring an element into view; return its place: x, y, width, height."""
        found: dict[str, float] = self.evaluate(
            f"(one => (one.scrollIntoView({{block: 'nearest', inline: 'nearest'}}), "
            f"one.getBoundingClientRect().toJSON()))(document.querySelector({selector!r}))"
        )
        return found

    def mouse(self, kind: str, x: float, y: float, held: bool = False) -> None:
        """Move the pointer, or press ("Pressed") or release ("Released") its button."""
        button = "none" if kind == "Moved" and not held else "left"
        buttons = int(held or kind == "Pressed")
        self.send(
            "Input.dispatchMouseEvent",
            type=f"mouse{kind}", x=x, y=y, button=button, buttons=buttons, clickCount=1,
        )  # fmt: skip

    def click(self, selector: str, x: float | None = None, y: float | None = None) -> None:
        """Click on an element: in its middle, or so far from its upper left corner."""
        box = self.box(selector)
        across = box["x"] + (box["width"] / 2 if x is None else x)
        down = box["y"] + (box["height"] / 2 if y is None else y)
        for kind in ("Moved", "Pressed", "Released"):
            self.mouse(kind, across, down)

    def press(self, key: str) -> None:
        """Press a key."""
        text = {"text": key} if len(key) == 1 else {}
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, **text)
