"""Results: what is taken for what among the test pictures, and what the data are like."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ConfigError, DataError, one_of
from .guard import told as said
from .subject import KNOWN, Pictures, Subject, hashes
from .view import encoded, thumbnail

PAGE = 48  # pictures that are sent at once
LISTS = ("cell", "worst", "confident", "suspects", "twins")


def overview(subject: Subject) -> dict[str, Any]:
    """Return the confusion matrix, the calibration, and how many pictures each list has.

    Of a network whose outputs are no numbers, only a message: `lost`.
    """
    try:
        found = subject.reading
    except DataError as error:
        return {"lost": said(error)["error"]}
    told = found.as_json()
    for name in ("worst", "confident", "suspects"):
        told[name] = len(getattr(found, name)(10**6))
    told["twins"] = len(subject.twins)
    return told | {"total": len(found.labels)}


def listed(subject: Subject, which: str, true: int, said: int, page: int) -> dict[str, Any]:
    """Return pictures of a cell of the matrix, or of a list, the most telling first."""
    one_of("mistakes", "list", which, LISTS)
    found = subject.reading
    many = len(found.classes)
    if which == "cell" and not (0 <= true < many and 0 <= said < many):
        raise ConfigError("mistakes", f"there is no cell ({true}, {said})", need=f"below {many}")
    if which == "cell":
        places = found.cell(true, said)
    else:
        places = subject.twins if which == "twins" else getattr(found, which)(10**6)
    assert subject.test is not None
    return {
        "total": len(places),
        "pictures": [
            {
                "index": int(at),
                "label": int(found.labels[at]),
                "said": int(found.said[at]),
                "probability": float(found.probabilities[at, found.said[at]]),
                "loss": float(found.losses[at]),
                **encoded(thumbnail(subject.grid.picture(subject.test.x[at]))),
            }
            for at in places[page * PAGE : (page + 1) * PAGE]
        ],
    }


def layers(subject: Subject) -> dict[str, Any]:
    """Return, for each layer, the maps that are zero for every picture that was looked at."""
    found = subject.health
    if found is None:
        return {"dead": {}, "notes": [], "samples": 0}
    return {
        "dead": {one.layer: list(one.dead) for one in found.layers if one.dead},
        "notes": list(found.notes),
        "samples": found.samples,
    }


def data(subject: Subject) -> dict[str, Any]:
    """Return the balance of the classes, a mean picture of each, sizes and duplicates.

    Of a folder of images all are counted, of which the run keeps the first.
    """
    parts = {"train": subject.train, "validation": subject.validation, "test": subject.test}
    known = {name: part for name, part in parts.items() if part is not None and len(part.x)}
    if not known:
        raise ConfigError(subject.name, "knows no pictures of its own", need=KNOWN)
    first = next(iter(known.values()))
    count = len(subject.classes)
    counts = subject.folder.get("counts") or {
        name: np.bincount(part.y[part.y >= 0], minlength=count).tolist()
        for name, part in known.items()
    }
    return {
        "dataset": subject.dataset,
        "folder": subject.folder,
        "classes": subject.classes,
        "counts": counts,
        "sizes": {
            name: [sum(each) or len(known[name].x), *first.x.shape[1:]]
            for name, each in counts.items()
        },
        "dtype": str(first.x.dtype),
        "duplicates": _duplicates(known),
        "ink": _ink(subject, first),
        "means": [
            encoded(thumbnail(one)) if one is not None else None for one in _means(subject, first)
        ],
    }


def _means(subject: Subject, part: Pictures) -> list[Any]:
    """Return the mean picture of each class, of at most 500 of its pictures."""
    out: list[Any] = []
    for label in range(len(subject.classes)):
        some = part.x[np.flatnonzero(part.y == label)[:500]]
        if not len(some):
            out.append(None)
            continue
        mean = np.mean([subject.grid.picture(one) for one in some], axis=0)
        out.append(mean.round().astype(np.uint8))
    return out


def _ink(subject: Subject, part: Pictures, bins: int = 32) -> list[int]:
    """Return how many pictures have which mean, from black to white."""
    some = part.x[:: max(len(part.x) // 2000, 1)]
    means = [subject.grid.picture(one).mean() for one in some]
    return np.histogram(means, bins, (0, 255))[0].tolist()  # type: ignore[no-any-return]


def _duplicates(parts: dict[str, Pictures]) -> dict[str, int]:
    """Return how many pictures are equal to an earlier one in a part, and to one of another."""
    seen = {name: hashes(part.x) for name, part in parts.items()}
    told = {name: len(found) - len(set(found)) for name, found in seen.items()}
    if len(seen) > 1:
        own = [set(found) for found in seen.values()]
        told["parts"] = sum(map(len, own)) - len(set.union(*own))
    return told
