"""The 20 newsgroups, and GloVe's vectors, from folders of the user's own: nothing is fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import caller
from ..table import DialectError

CLASS_NUM = 20


def get_news20(source_dir: str = "./data/news20/") -> list[tuple[str, int]]:
    """Return (text, label from 1) of each file below the folder's own folders of classes."""
    found = [Path(source_dir) / name for name in ("20_newsgroups", "20news-18828", ".")]
    root = next((one for one in found if any(part.is_dir() for part in one.glob("*"))), None)
    if root is None:
        raise _missing("get_news20", source_dir, "20news-18828, with a folder for each class")
    folders = sorted(part for part in root.iterdir() if part.is_dir())
    return [
        (path.read_text(encoding="latin-1"), label)
        for label, folder in enumerate(folders, 1)
        for path in sorted(folder.iterdir())
        if path.is_file()
    ]


def get_glove_w2v(source_dir: str = "./data/news20/", dim: int = 100) -> dict[str, Any]:
    """Return the vector of each word."""
    name = f"glove.6B.{dim}d.txt"
    places = [Path(source_dir) / name, Path(source_dir) / "glove.6B" / name]
    path = next((one for one in places if one.is_file()), None)
    if path is None:
        raise _missing("get_glove_w2v", source_dir, name)
    lines = (line.split(" ") for line in path.read_text(encoding="utf-8").splitlines())
    return {word: [float(number) for number in numbers] for word, *numbers in lines}


def _missing(what: str, folder: str, need: str) -> DialectError:
    return DialectError(
        f"bigdl.dataset.news20.{what}",
        "the data are not on this machine, and nothing is fetched",
        got=folder,
        need=f"{folder}{'' if folder.endswith('/') else '/'}{need}",
        at=caller(),
    )
