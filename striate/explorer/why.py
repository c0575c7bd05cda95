"""Why: what spoke for an answer, what a map likes, and which training pictures are alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ConfigError
from ..inspect import attribution, features, likes, map_layers, nearest, sanity
from .requests import Likes, Look, Why
from .subject import KNOWN, Pictures, Subject
from .view import encoded, thumbnail

LOOKED_AT = 1000  # test pictures in which a map's favourites are sought
REMEMBERED = 5000  # training pictures among which the nearest are sought


def speaks(subject: Subject, asked: Why) -> dict[str, Any]:
    """Return how much each place of the picture speaks for a class, and which layer was asked."""
    with subject.patience:
        x = subject.sample(asked.pixels)
        found = attribution(subject.at(asked.epoch), x, asked.target, asked.method, asked.layer)
    values = found.values.sum(-1) if found.values.ndim == 3 else found.values
    if values.ndim == 1:
        values = values.reshape(subject.grid.height, subject.grid.width)
    return {
        "method": found.method,
        "how": found.how,
        "target": found.target,
        "layer": found.layer,
        "layers": list(map_layers(subject.model)),
        "height": values.shape[0],
        "width": values.shape[1],
        "values": np.nan_to_num(values).astype(float).round(6).flatten().tolist(),
        "lost": not np.isfinite(values).all(),
        "peak": float(np.abs(np.nan_to_num(values)).max()) or 1.0,
    }


def checked(subject: Subject, asked: Why) -> dict[str, Any]:
    """Return whether the same question to shuffled weights gives another picture."""
    with subject.patience:
        x = subject.sample(asked.pixels)
        found = sanity(subject.at(asked.epoch), x, asked.target, asked.method, asked.layer)
    return {
        "meaningful": found.meaningful,
        "told": str(found),
        "correlations": list(found.correlations),
    }


def alike(subject: Subject, asked: Look) -> dict[str, Any]:
    """Return the training pictures that the network sees most like this one."""
    pictures = _known(subject, subject.train)
    some = Pictures(pictures.x[:REMEMBERED], pictures.y[:REMEMBERED])
    with subject.patience:
        if subject.features is None:
            subject.features = features(subject.model, some.x)
        found = nearest(
            subject.model, some.x, subject.sample(asked.pixels), 3, known=subject.features
        )
    return {
        "layer": found.layer,
        "among": len(some.x),
        "pictures": [
            {
                "likeness": likeness,
                "label": int(some.y[at]),
                **encoded(thumbnail(subject.grid.picture(some.x[at]))),
            }
            for at, likeness in zip(found.samples, found.similarities, strict=True)
        ],
    }


def favourites(subject: Subject, asked: Likes) -> dict[str, Any]:
    """Return the nine test pictures that excite a map most, and where in them."""
    pictures = _known(subject, subject.test or subject.train)
    x = pictures.x[:LOOKED_AT]
    with subject.patience:
        found = likes(subject.model, x, asked.layer, asked.channel)
    grid = subject.grid
    whole = [[0, grid.height], [0, grid.width]]
    return {
        "among": len(x),
        "found": [
            {
                "index": one.sample,
                "label": int(pictures.y[one.sample]),
                "value": one.value,
                "box": whole if one.box is None or len(one.box) != 2 else one.box,
                **encoded(grid.picture(x[one.sample])),
            }
            for one in found.found
        ],
    }


def _known(subject: Subject, pictures: Pictures | None) -> Pictures:
    if pictures is None or not len(pictures.x):
        raise ConfigError(subject.name, "knows no pictures of its own", need=KNOWN)
    return pictures
