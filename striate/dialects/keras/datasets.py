"""`keras.datasets`: Striate's one store, in the forms of Keras."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...data.datasets import fetch, mnist
from ...errors import caller
from ..table import DialectError
from .layouts import guess_order
from .session import KerasSession

ARCHIVES = {  # data sets without images: the file that Keras keeps
    "imdb": "imdb.npz", "reuters": "reuters.npz", "boston_housing": "boston_housing.npz",
    "california_housing": "california_housing.npz",
}  # fmt: skip
FOLDER = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def modules(session: KerasSession) -> Mapping[str, Mapping[str, Any]]:
    """Return the module of each data set by its path."""

    def grey(load: Callable[[], Any]) -> Callable[..., Any]:
        def load_data(path: Any = None, **words: Any) -> Any:
            (x_train, y_train), (x_test, y_test) = load()
            return (x_train[..., 0], y_train), (x_test[..., 0], y_test)  # no axis of channels

        return load_data

    def coloured(load: Callable[..., Any]) -> Callable[..., Any]:
        def load_data(label_mode: str = "fine", **words: Any) -> Any:
            parts = load(fine=label_mode == "fine") if load is fetch.cifar100 else load()
            guess_order(session)
            first = session.layout == "channels_first"
            return tuple((x.transpose(0, 3, 1, 2) if first else x, y[:, None]) for x, y in parts)

        return load_data

    return {
        "datasets.mnist": {"load_data": grey(mnist)},
        "datasets.fashion_mnist": {"load_data": grey(fetch.fashion_mnist)},
        "datasets.cifar10": {"load_data": coloured(fetch.cifar10)},
        "datasets.cifar100": {"load_data": coloured(fetch.cifar100)},
        "datasets.cifar": {},
        **{
            f"datasets.{name}": {"load_data": _numbers(name), "get_word_index": _words(name)}
            for name in ARCHIVES
        },
    }


def _file(name: str, path: Any, title: str) -> Path:
    """Return the user's own copy of a file: nothing of texts is fetched."""
    kept = Path.home() / ".keras" / "datasets" / Path(str(path or name)).name
    found = next((one for one in (Path(str(path or name)), kept) if one.is_file()), None)
    if found is not None:
        return found
    raise DialectError(
        f"keras.datasets.{title}",
        "there is no copy of the data set here, and none is fetched",
        need=f'~/.keras/datasets/{name}, or path="{name}" of your own',
        fix=f"put the file there: {FOLDER}{name}",
        at=caller(),
    )


def _numbers(title: str) -> Callable[..., Any]:
    """Return `load_data` of sequences of numbers of words, or of rows of numbers."""
    texts = title in ("imdb", "reuters")

    def load_data(path: Any = None, num_words: Any = None, skip_top: int = 0, maxlen: Any = None,
                  test_split: float = 0.2, seed: int = 113, start_char: Any = 1,
                  oov_char: Any = 2, index_from: int = 3, nb_words: Any = None,
                  **words: Any) -> Any:  # fmt: skip
        most = num_words if num_words is not None else nb_words
        with np.load(_file(ARCHIVES[title], path, title), allow_pickle=texts) as archive:
            held = {key: archive[key] for key in archive.files}
        rng = np.random.RandomState(seed)

        def mixed(x: Any, y: Any) -> Any:
            order = np.arange(len(x))
            rng.shuffle(order)
            return x[order], y[order]

        if title == "imdb":
            parts = [mixed(held[f"x_{part}"], held[f"y_{part}"]) for part in ("train", "test")]
            x, y = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
            cut = len(parts[0][0])
        else:
            x, y = mixed(held["x"], held["y"])
            cut = int(len(x) * (1 - test_split))
        if texts:
            x, y, cut = _read(x, y, cut, start_char, index_from, maxlen, most, skip_top, oov_char)
        return (x[:cut], y[:cut]), (x[cut:], y[cut:])

    return load_data


def _read(x: Any, y: Any, cut: int, start: Any, base: int, longest: Any, most: Any, skip: int,
          unknown: Any) -> tuple[Any, Any, int]:  # fmt: skip
    """Return sequences with their numbers moved, cut and replaced, as Keras does."""
    lists = [([] if start is None else [start]) + [word + base for word in one] for one in x]
    if longest:
        kept = [number for number, one in enumerate(lists) if len(one) < longest]
        lists, y, cut = [lists[n] for n in kept], y[kept], sum(n < cut for n in kept)
    most = most or max(max(one) for one in lists) + 1
    known = [
        [word if skip <= word < most else unknown for word in one
         if unknown is not None or skip <= word < most]
        for one in lists
    ]  # fmt: skip
    out = np.empty(len(known), dtype=object)
    out[:] = known
    return out, y, cut


def _words(title: str) -> Callable[..., Any]:
    def get_word_index(path: Any = None) -> Any:
        name = f"{title}_word_index.json"
        return json.loads(_file(name, path, title).read_text())

    return get_word_index
