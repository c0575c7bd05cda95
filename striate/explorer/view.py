"""View: the answers about one picture in one run, as JSON."""

from __future__ import annotations

import base64
import gc
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, one_of
from ..inspect.attribution import methods
from ..inspect.whatif import Change, what_if
from ..store import epochs
from . import answer, network, requests
from .grid import Picture
from .subject import KNOWN, Pictures, Subject
from .trace import trace
from .upload import prepare

KINDS = ("random", "mistake", "class", "index")
TRUSTED = 2000  # training pictures from which ranges are taken


def encoded(picture: Picture) -> dict[str, Any]:
    """Return a picture as the page reads it."""
    height, width, channels = picture.shape
    pixels = base64.b64encode(np.ascontiguousarray(picture).tobytes()).decode()
    return {"height": height, "width": width, "channels": channels, "pixels": pixels}


def thumbnail(picture: Picture, side: int = 96) -> Picture:
    """Return a picture whose sides are at most `side`, for lists."""
    step = -(-max(picture.shape[:2]) // side)
    return picture[::step, ::step]


def model(subject: Subject) -> dict[str, Any]:
    """Return the graph, the grid, the classes, and what training pictures are like."""
    grid = subject.grid
    return {
        "run": subject.name,
        "title": subject.model.name or type(subject.model).__name__,
        "epochs": epochs.kept(subject.path),
        "classes": subject.classes,
        "gives": subject.gives,
        "methods": methods(subject.model),
        "dataset": subject.dataset,
        "pictures": {
            "train": len(subject.train.x) if subject.train else 0,
            "test": len(subject.test.x) if subject.test else 0,
            "judged": subject.judged,
        },
        "grid": {
            "height": grid.height,
            "width": grid.width,
            "channels": grid.channels,
            "low": grid.low,
            "high": grid.high,
            "raw": grid.raw,
        },
        "training": _like_training(subject),
        **network.network(subject.model),
    }


def _like_training(subject: Subject) -> dict[str, float] | None:
    """Return the range of training pictures, in bytes, and in which interval their means lie."""
    if subject.train is None or not len(subject.train.x):
        return None
    some = subject.train.x[:: max(len(subject.train.x) // TRUSTED, 1)][:TRUSTED]
    pictures = np.stack([subject.grid.picture(one) for one in some])
    means = pictures.reshape(len(pictures), -1).mean(1)
    low, high = np.quantile(means, [0.002, 0.998])
    return {
        "min": int(pictures.min()),
        "mean": float(pictures.mean()),
        "max": int(pictures.max()),
        "low": float(low),
        "high": float(high),
    }


def predict(subject: Subject, asked: requests.Edited) -> dict[str, Any]:
    """Return what the model says about a picture, by the plan that `model.predict` uses."""
    x = subject.sample(asked.pixels)
    if not asked.edits:
        return answer.answer(subject.at(asked.epoch), x, subject.gives)
    with subject.lock:
        return answer.answer(_network(subject, asked), x, subject.gives, by_torch=True)


def scored(subject: Subject, asked: requests.Edited) -> dict[str, Any]:
    """Return the scores of the classes before the activation that the network ends with."""
    with subject.lock:
        return {"logits": answer.logits(_network(subject, asked), subject.sample(asked.pixels))}


def traced(subject: Subject, asked: requests.Trace) -> bytes:
    """Return what every layer makes of a picture."""
    with subject.lock:
        x = subject.sample(asked.pixels)
        return trace(_network(subject, asked), x, asked.pages, asked.by_activity)


def _network(subject: Subject, asked: requests.Edited) -> Any:
    """Return the run's model, with the changes that are asked for."""
    model = subject.at(asked.epoch)
    if not asked.edits:
        return model
    changes = tuple(Change(**edit.model_dump()) for edit in asked.edits)
    if subject.changed is None or subject.changed[0] != (asked.epoch, changes):
        subject.changed = None
        gc.collect()  # a network is a ring of references: it would stay for a while
        subject.changed = ((asked.epoch, changes), what_if(model, changes))
    return subject.changed[1]


def upload(subject: Subject, data: bytes, invert: bool, centre: bool) -> dict[str, Any]:
    """Return the steps that bring a file to the grid."""
    steps = prepare(data, subject.grid, invert, centre)
    return {
        "steps": [{"name": step.name, "told": step.told, **encoded(step.picture)} for step in steps]
    }


def sample(subject: Subject, kind: str, at: int, label: int) -> dict[str, Any]:
    """Return a test picture: a random one, the next of a class, the next mistake, or by number."""
    one_of("sample", "kind", kind, KINDS)
    pictures = subject.test or subject.train
    if pictures is None:
        raise ConfigError(
            subject.name,
            "knows no pictures of its own",
            need=KNOWN,
            fix="draw, or drop an image",
        )
    index = _index(subject, pictures, kind, at, label)
    return {
        "index": index,
        "label": int(pictures.y[index]),
        **encoded(subject.grid.picture(pictures.x[index])),
    }


def _index(subject: Subject, pictures: Pictures, kind: str, at: int, label: int) -> int:
    """Return the number of a picture; `at` is where the page is, and is gone on from there."""
    if kind == "index":
        return min(max(at, 0), len(pictures.x) - 1)
    candidates: NDArray[np.intp] = np.arange(len(pictures.x))
    if kind == "class":
        candidates = np.flatnonzero(pictures.y == label)
    elif kind == "mistake" and subject.test is not None:
        candidates = subject.reading.wrong
    if not len(candidates):
        raise ConfigError(subject.name, "has no such picture", need="another class")
    if kind == "random":
        return int(np.random.default_rng().choice(candidates))
    return int(candidates[np.searchsorted(candidates, at, side="right") % len(candidates)])
