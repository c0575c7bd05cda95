"""A page to ask without a socket, and runs for it to show."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

import striate as st
from striate import layers as L
from striate.explorer.serve import Explorer
from striate.explorer.server import page
from striate.explorer.subject import Subjects
from striate.store import epochs as weights
from striate.store.run import Run

ADDRESS = "http://127.0.0.1:8250"


class Visitor:
    """Asks the page as a browser would."""

    def __init__(self, root: Path, chosen: str = "") -> None:
        self.subjects = Subjects(root)
        self.app = page(self.subjects, chosen)

    def ask(self, method: str, path: str, **words: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
                return await client.request(method, path, **words)

        return asyncio.run(asked())

    def get(self, path: str, **query: Any) -> Any:
        answer = self.ask("GET", f"/api/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **body: Any) -> Any:
        answer = self.ask("POST", f"/api/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, method: str, path: str, **words: Any) -> tuple[int, str]:
        """Return the status and the message, laid out as a terminal has it."""
        answer = self.ask(method, path, **words)
        error = answer.json()["error"]
        rows = [f"  {key:<5} {text}" for key, text in error["rows"].items()]
        return answer.status_code, "\n".join([f"{error['where']}: {error['what']}", *rows])


class Served(Explorer):
    """The page of a folder of runs on a port, in a thread."""

    def __init__(self, root: Path) -> None:
        super().__init__(Subjects(root), "")


def encoded(pixels: NDArray[np.uint8]) -> str:
    return base64.b64encode(np.ascontiguousarray(pixels).tobytes()).decode()


def opened(data: bytes) -> tuple[list[Any], list[NDArray[np.int8]]]:
    """Return the head of a trace, and the levels of each column."""
    length = int.from_bytes(data[:4], "little")
    columns = json.loads(data[4 : 4 + length])["columns"]
    levels = []
    for column in columns:
        shape = (len(column["channels"]), column["height"], column["width"])
        start = 4 + length + column["offset"]
        levels.append(np.frombuffer(data, np.int8, int(np.prod(shape)), start).reshape(shape))
    return columns, levels


def lenet() -> st.Sequential:
    return st.Sequential(
        [
            L.Input((28, 28, 1)),
            L.Rescaling(1 / 255),
            L.Conv2D(6, 5, padding="same", activation="relu"),
            L.MaxPooling2D(2),
            L.Conv2D(16, 5, activation="relu"),
            L.MaxPooling2D(2),
            L.Flatten(),
            L.Dense(84, activation="relu"),
            L.Dense(10, activation="softmax"),
        ],
        name="lenet",
    )


def residual(size: int = 16, channels: int = 3, classes: int = 4) -> st.Model:
    x = L.Input((size, size, channels))
    y = L.Conv2D(8, 3, padding="same", activation="relu")(x)
    z = L.BatchNormalization()(L.Conv2D(8, 3, padding="same", use_bias=False)(y))
    y = L.ReLU()(L.Add()([y, z]))
    z = L.Conv2D(16, 3, strides=2, padding="same", activation="relu")(y)
    short = L.Conv2D(16, 1, strides=2)(y)
    y = L.ReLU()(L.Add()([z, short]))
    y = L.Dense(classes)(L.GlobalAveragePooling2D()(y))
    return st.Model(x, y, name="residual")


def keep(root: Path, name: str, model: st.Model, classes: list[str] | None = None) -> Run:
    """Keep a model as a run that ended."""
    run = Run.create(root, name)
    run.write("config.json", {"script": f"{name}.py"})
    if classes:
        run.write("results.json", {"classes": classes})
    run.finish(model)
    return run


def digits(root: Path, name: str, model: st.Model, epochs: int = 2, samples: int = 6000) -> Run:
    """Train a network on MNIST for a moment, and keep it as a run of the recipe."""
    (x, y), _ = st.datasets.mnist()
    st.seed(0)
    model.compile(optimizer=st.optimizers.Adam(2e-3), loss="crossentropy", metrics=["accuracy"])
    run = Run.create(root, name)
    run.write("config.json", {"recipe": "mnist", "settings": {"epochs": epochs}})
    weights.keep(run.path, 0, model)
    for epoch in range(epochs):
        logs = model.fit(x[:samples], y[:samples], batch_size=64, verbose=0).history
        run.log(epoch, {key: values[-1] for key, values in logs.items()})
        weights.keep(run.path, epoch + 1, model)
    run.write("results.json", {"classes": list("0123456789")})
    run.finish(model)
    return run
