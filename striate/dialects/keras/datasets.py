"""`keras.datasets`: Striate's one store, in the forms of Keras."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...data.datasets import fetch, mnist
from ...errors import caller
from ..table import DialectError
from .session import KerasSession

TEXTS = ("imdb", "reuters", "boston_housing", "california_housing")


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
            first = session.layout == "channels_first"
            return tuple((x.transpose(0, 3, 1, 2) if first else x, y[:, None]) for x, y in parts)

        return load_data

    return {
        "datasets.mnist": {"load_data": grey(mnist)},
        "datasets.fashion_mnist": {"load_data": grey(fetch.fashion_mnist)},
        "datasets.cifar10": {"load_data": coloured(fetch.cifar10)},
        "datasets.cifar100": {"load_data": coloured(fetch.cifar100)},
        "datasets.cifar": {},
        **{f"datasets.{name}": {"load_data": _absent(name)} for name in TEXTS},
    }


def _absent(name: str) -> Callable[..., Any]:
    def load_data(*args: Any, **words: Any) -> Any:
        raise DialectError(
            f"keras.datasets.{name}",
            "the data set holds no images",
            need="mnist, fashion_mnist, cifar10 or cifar100",
            fix="from keras.datasets import mnist, or np.load of your own copy",
            at=caller(),
        )

    return load_data
