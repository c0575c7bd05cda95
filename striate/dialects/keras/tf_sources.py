"""Data sets of files: records, lines, pieces of one length, and data sets that were saved."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...errors import DataError
from .tf_data import Dataset
from .tf_elements import tree
from .tf_records import Writer, compression, records
from .tf_texts import Text, Texts, raw, text

ELEMENTS, FORM = "elements.npz", "elements.json"


def names(filenames: Any) -> list[str]:
    """Return paths: of one, of several, or of a data set of them."""
    if isinstance(filenames, (str, bytes, Path)):
        return [text(filenames)]
    return [text(one) for one in filenames]


def _opened(name: str, options: Any) -> Any:
    return gzip.open(name) if compression(options) == "GZIP" else Path(name).open("rb")


def _lines(name: str, options: Any) -> Iterator[Text]:
    with _opened(name, options) as file:
        for line in file:
            yield Text.of(line.rstrip(b"\r\n"))


class Files(Dataset):
    """A data set of files, by the name of its class: what is read from each is `read`."""

    read: Callable[[str, Any], Iterator[Any]]

    def __init__(self, filenames: Any, compression_type: Any = None, *args: Any,
                 **words: Any) -> None:  # fmt: skip
        made, kind = type(self).read, compression_type
        super().__init__(lambda: (one for name in names(filenames) for one in made(name, kind)))


class TFRecordDataset(Files):
    """The records of files."""

    read = staticmethod(records)


class TextLineDataset(Files):
    """The lines of files."""

    read = staticmethod(_lines)


class FixedLengthRecordDataset(Dataset):
    """Pieces of one length of files, without what is before and behind."""

    def __init__(self, filenames: Any, record_bytes: int, header_bytes: int = 0,
                 footer_bytes: int = 0, buffer_size: Any = None, compression_type: Any = None,
                 **words: Any) -> None:  # fmt: skip
        def walk() -> Iterator[Text]:
            for name in names(filenames):
                with _opened(name, compression_type) as file:
                    data = file.read()
                end = len(data) - footer_bytes
                for at in range(header_bytes, end - record_bytes + 1, record_bytes):
                    yield Text.of(data[at : at + record_bytes])

        super().__init__(walk)


def save(dataset: Dataset, path: Any, **words: Any) -> None:
    """Write the elements into a folder: arrays, and how they are put together."""
    arrays: dict[str, Any] = {}
    folder = Path(text(path))
    folder.mkdir(parents=True, exist_ok=True)
    form: Any = None
    count = 0
    for number, item in enumerate(dataset):
        leaves: list[Any] = []

        def keep(one: Any, leaves: list[Any] = leaves) -> dict[str, Any]:
            leaves.append(one)
            several = isinstance(one, Texts)
            return {"leaf": len(leaves) - 1, "texts": several or isinstance(one, Text),
                    "several": several}  # fmt: skip

        form = _shaped(tree(item, keep))
        for place, one in enumerate(leaves):
            arrays |= {f"{number}-{place}{end}": array for end, array in _arrays(one)}
        count = number + 1
    np.savez(folder / ELEMENTS, **arrays)
    (folder / FORM).write_text(json.dumps({"count": count, "element": form}))


def _arrays(one: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(one, (Text, Texts)):
        parts = [raw(word) for word in (one if isinstance(one, Texts) else [one])]
        yield "", np.frombuffer(b"".join(parts), np.uint8)
        yield "-lengths", np.array([len(part) for part in parts])
    else:
        yield "", one.detach().numpy() if isinstance(one, torch.Tensor) else np.asarray(one)


def _shaped(value: Any) -> Any:
    """Return an element with tuples as JSON has them."""
    if isinstance(value, tuple):
        return {"tuple": [_shaped(one) for one in value]}
    if "leaf" in value:
        return value
    return {"dict": {key: _shaped(one) for key, one in value.items()}}


def load(path: Any, element_spec: Any = None, compression: Any = None, reader_func: Any = None,
         **words: Any) -> Dataset:  # fmt: skip
    """Return a data set that `save` has written.

    Raises: DataError where there is none.
    """
    folder = Path(text(path))
    if not (folder / FORM).is_file():
        raise DataError(
            str(folder),
            "holds no data set that is read here",
            need=f"{FORM} and {ELEMENTS}",
            fix="dataset.save(path) of this script; what TensorFlow has saved is its own",
        )
    form = json.loads((folder / FORM).read_text())

    def walk() -> Iterator[Any]:
        with np.load(folder / ELEMENTS) as arrays:
            for number in range(form["count"]):
                yield _element(form["element"], arrays, number)

    return Dataset(walk, form["count"])


def _element(form: Any, arrays: Any, number: int) -> Any:
    if "tuple" in form:
        return tuple(_element(one, arrays, number) for one in form["tuple"])
    if "dict" in form:
        return {key: _element(one, arrays, number) for key, one in form["dict"].items()}
    key = f"{number}-{form['leaf']}"
    if not form["texts"]:
        return torch.from_numpy(arrays[key])
    whole, out, at = arrays[key].tobytes(), Texts(), 0
    for length in arrays[f"{key}-lengths"].tolist():
        out.append(Text.of(whole[at : at + length]))
        at += length
    return out if form["several"] else out[0]


def as_bytes(path: Any, options: Any = None) -> Iterator[bytes]:
    """Yield the records of a file as bytes, as TensorFlow 1 does."""
    return (one.numpy() for one in records(path, options))


class RecordWriter:
    """Writes a data set of records into a file."""

    def __init__(self, filename: Any, compression_type: Any = None) -> None:
        self.filename, self.kind = filename, compression_type

    def write(self, dataset: Any) -> None:
        """Write all elements."""
        with Writer(self.filename, self.kind) as file:
            for one in dataset:
                file.write(one)


SOURCES = {
    made.__name__: made for made in (TFRecordDataset, TextLineDataset, FixedLengthRecordDataset)
}  # fmt: skip
