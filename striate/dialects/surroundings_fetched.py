"""Files that scripts fetch from a network: those that are here are given, whatever asks for them.

A script that fetches MNIST (`urllib`, `requests`, `wget`) gets it; any other address is asked for.
"""

from __future__ import annotations

import gzip
import io
import json
import pickle
import re
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from email.message import Message
from pathlib import Path
from typing import Any, NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit

import numpy as np

from ..data import datasets
from .dialect import Modules, Patch
from .session import Script

DIGITS = Path(datasets.__file__).parent / "mnist"
IDX = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
       "t10k-labels-idx1-ubyte.gz")  # fmt: skip
VALIDATED = 10_000  # of the 60,000 digits, the last ones, in mnist.pkl.gz
# Other data sets have files of the same names: Fashion-MNIST, Kuzushiji-MNIST, EMNIST...
OTHERS = re.compile(r"fashion|zalando|kuzushiji|kannada|[a-z]mnist")
_urlopen = urllib.request.urlopen


def pickled(most: int | None = None) -> bytes:
    """Return `mnist.pkl.gz`: pairs of (N, 784) floats from 0 to 1 and labels, in three parts."""
    train, test = datasets.mnist()
    count = len(train[0]) - VALIDATED
    parts = [tuple(one[:count] for one in train), tuple(one[count:] for one in train), test]
    rows = tuple(
        (x[:most].reshape(-1, 784).astype(np.float32) / 256, y[:most].astype(np.int64))
        for x, y in parts
    )
    return gzip.compress(pickle.dumps(rows, protocol=2), compresslevel=1)


def archived(most: int | None = None) -> bytes:
    """Return `mnist.npz`: the arrays x_train, y_train, x_test, y_test."""
    (x, y), (u, v) = datasets.mnist()
    file = io.BytesIO()
    np.savez(file, x_train=x[:most, ..., 0], y_train=y[:most], x_test=u[:most, ..., 0],
             y_test=v[:most])  # fmt: skip
    return file.getvalue()


HERE: dict[str, Callable[[int | None], bytes]] = {  # by the last part of an address
    "mnist.pkl.gz": pickled,
    "mnist.npz": archived,
    **{name: lambda most, name=name: (DIGITS / name).read_bytes() for name in IDX},  # type: ignore[misc]
}


class Fetched(io.BytesIO):
    """What an address answers, as `urllib.request.urlopen` returns it."""

    status = code = 200
    reason = msg = "OK"

    def __init__(self, content: bytes, url: str) -> None:
        super().__init__(content)
        self.url, self.headers = url, Message()
        self.headers["Content-Length"] = str(len(content))

    def info(self) -> Message:
        """Return the headers."""
        return self.headers

    def getcode(self) -> int:
        """Return 200."""
        return self.status

    def geturl(self) -> str:
        """Return the address."""
        return self.url


def patches(script: Script) -> tuple[Patch, ...]:
    """Return the row by which addresses of files that are here are answered."""

    def urlopen(url: Any, *args: Any, **words: Any) -> Any:
        address = url if isinstance(url, str) else url.full_url
        made = HERE.get(urlsplit(address).path.rpartition("/")[2])
        if made is None or OTHERS.search(address.lower()):
            return _urlopen(url, *args, **words)
        script.note(f"{address}: the digits of MNIST, which are here")
        return Fetched(made(script.limit_samples), address)

    return ((urllib.request, "urlopen", urlopen),)


# ---- requests and wget, where they are not installed ---------------------------------------------


class RequestException(OSError):
    """An address that cannot be had."""


class Response:
    """What an address answers."""

    encoding = "utf-8"

    def __init__(self, content: bytes, url: str, status_code: int, headers: Any) -> None:
        self.content, self.url, self.status_code, self.headers = content, url, status_code, headers
        self.raw = io.BytesIO(content)

    @property
    def ok(self) -> bool:
        """Whether it is what was asked for."""
        return self.status_code < 400

    @property
    def text(self) -> str:
        """The content as a text."""
        return self.content.decode(self.encoding, "replace")

    def json(self, **words: Any) -> Any:
        """Return the values that the content describes."""
        return json.loads(self.content, **words)

    def raise_for_status(self) -> None:
        """Raise HTTPError for an answer that is an error."""
        if not self.ok:
            raise RequestException(f"{self.status_code} for {self.url}")

    def iter_content(self, chunk_size: int = 1, decode_unicode: bool = False) -> Iterator[bytes]:
        """Yield the content in pieces."""
        yield from iter(lambda: self.raw.read(chunk_size), b"")

    def close(self) -> None:
        """Do nothing."""

    def __enter__(self) -> Response:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()


def get(url: str, params: Any = None, headers: Any = None, timeout: Any = 60,
        **words: Any) -> Response:  # fmt: skip
    """Return what an address answers; raise RequestException where it cannot be reached."""
    address = f"{url}?{urlencode(params)}" if params else url
    asked: Any = (
        urllib.request.Request(address, headers=dict(headers or {})) if headers else address
    )
    try:
        with closing(urllib.request.urlopen(asked, timeout=timeout)) as source:
            return Response(source.read(), address, source.getcode(), source.info())
    except HTTPError as error:
        return Response(error.read(), address, error.code, error.headers)
    except URLError as error:
        raise RequestException(f"{address} cannot be reached: {error.reason}") from error


def _post(*args: Any, **words: Any) -> NoReturn:
    raise RequestException("requests is not installed: its stand-in only fetches files by get()")


def download(url: str, out: Any = None, bar: Any = None) -> str:
    """Fetch a file into the folder or under the name `out`; return its path."""
    name = urlsplit(url).path.rpartition("/")[2]
    path = Path(out or ".")
    path = path / name if path.is_dir() else path
    path.write_bytes(get(url).content)
    return str(path)


class Session:
    """Asks for several addresses."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}

    def get(self, url: str, **words: Any) -> Response:
        """Return what an address answers."""
        return get(url, **{"headers": self.headers, **words})

    post = staticmethod(_post)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: Any) -> None:
        """Do nothing."""


def modules() -> Modules:
    """Return the stand-ins by their paths."""
    wrong = dict.fromkeys(
        ("RequestException", "ConnectionError", "HTTPError", "Timeout"), RequestException
    )
    return {
        "requests": {"get": get, "post": _post, "Session": Session, "session": Session,
                     "Response": Response, **wrong},
        "requests.exceptions": wrong,
        "wget": {"download": download},
    }  # fmt: skip
