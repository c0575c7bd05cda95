"""`tf.strings`: texts as elements of data sets, such as the paths of files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from ..symbolic import kind

KEPT = "surrogateescape"  # bytes that are no UTF-8 go into a text and come out again
TEXTS = "OSU"  # kinds of arrays that may hold texts


class Text(str):
    """A text as a tensor holds it: `numpy()` gives bytes, and it is compared with each of many.

    Bytes that are no text, such as those of a picture, are kept too.
    """

    __hash__ = str.__hash__
    shape = ()
    dtype = "string"
    ndim = 0

    @classmethod
    def of(cls, data: bytes) -> Text:
        """Return bytes as a text."""
        return cls(data.decode(errors=KEPT))

    def numpy(self) -> bytes:
        """Return the bytes."""
        return self.encode(errors=KEPT)

    def __eq__(self, other: Any) -> Any:
        if isinstance(other, (list, tuple, np.ndarray)):
            return torch.tensor([str(self) == text(one) for one in other])
        return str.__eq__(self, text(other)) if isinstance(other, (str, bytes)) else False

    def __ne__(self, other: Any) -> Any:
        same = self == other
        return ~same if isinstance(same, torch.Tensor) else not same

    def decode(self, *args: Any) -> str:
        """Return the text."""
        return str(self)


class Texts(list[Any]):
    """Several texts."""

    @property
    def shape(self) -> tuple[int, ...]:
        """How many there are; of rows, how many in each too."""
        inner = self[0].shape if len(self) and isinstance(self[0], Texts) else ()
        return (len(self), *inner)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, torch.Tensor) and index.dim():
            return Texts(list.__getitem__(self, place) for place in index.tolist())
        found = list.__getitem__(self, index if isinstance(index, slice) else int(index))
        return Texts(found) if isinstance(index, slice) else found

    def numpy(self) -> Any:
        """Return an array of bytes."""
        return np.array([one.numpy() for one in self], dtype=object)


def text(value: Any) -> str:
    """Return a text of a string, bytes, an array of one, or a path."""
    value = value.item() if isinstance(value, np.ndarray) else value
    return value.decode(errors=KEPT) if isinstance(value, bytes) else str(value)


def raw(value: Any) -> bytes:
    """Return the bytes of a text, of bytes, or of an array of one."""
    value = value.item() if isinstance(value, np.ndarray) else value
    return value.encode(errors=KEPT) if isinstance(value, str) else bytes(value)


def texts(value: Any) -> Any:
    """Return texts for strings, one or many; None where there are others."""
    if isinstance(value, (str, bytes)):
        return Text(text(value))
    if isinstance(value, np.ndarray) and value.dtype.kind not in TEXTS:
        return None
    series = type(value).__module__.startswith("pandas")
    if not isinstance(value, (list, np.ndarray)) and not series:
        return None
    several = list(value)
    if several and all(isinstance(one, (str, bytes, np.str_)) for one in several):
        return Texts(Text(text(one)) for one in several)
    rows = Texts()
    for one in several:
        row = texts(one) if isinstance(one, (list, np.ndarray)) else None
        if not isinstance(row, Texts):  # of many numbers the first is enough to know
            return None
        rows.append(row)
    return rows or None


def split(input: Any, sep: Any = None, maxsplit: int = -1, **words: Any) -> Any:
    """Return the parts of a text, or of each of several."""
    if isinstance(input, list):
        return [split(one, sep, maxsplit) for one in input]
    return Texts(Text(part) for part in text(input).split(sep, maxsplit))


def join(inputs: Iterable[Any], separator: str = "", **words: Any) -> Text:
    """Return one text of several."""
    return Text(separator.join(map(text, inputs)))


def to_number(input: Any, out_type: Any = "float32", **words: Any) -> Any:
    """Return the number that a text, or each of several, says."""
    given = [float(one) for one in input] if isinstance(input, list) else float(text(input))
    return torch.tensor(given).to(kind(out_type))


def regex_full_match(input: Any, pattern: str, **words: Any) -> Any:
    """Return whether a text is of a form."""
    return torch.tensor(re.fullmatch(pattern, text(input)) is not None)


def regex_replace(input: Any, pattern: str, rewrite: str, **words: Any) -> Text:
    """Return a text with what has a form replaced."""
    return Text(re.sub(pattern, rewrite, text(input)))


def each(function: Any) -> Any:
    """Return a function of a text as one of several too."""

    def told(input: Any, *args: Any, **words: Any) -> Any:
        if isinstance(input, (list, np.ndarray)):
            found = [told(one, *args, **words) for one in input]
            numbers = found and isinstance(found[0], torch.Tensor)
            return torch.stack(found) if numbers else Texts(found)
        return function(input, *args, **words)

    return told


def characters(input: Any, *args: Any, **words: Any) -> Texts:
    """Return the characters of a text."""
    return Texts(map(Text, text(input)))


def substr(input: Any, pos: int, len: int, **words: Any) -> Text:
    """Return a part of a text."""
    return Text(text(input)[pos : pos + len])


def reduce_join(inputs: Any, axis: Any = None, separator: str = "", **words: Any) -> Any:
    """Return one text of all, or of each row along the last axis."""
    if axis in (-1, 1) and inputs and isinstance(inputs[0], list):
        return Texts(join(row, separator) for row in inputs)
    return join((one for row in inputs for one in (row if isinstance(row, list) else [row])),
                separator)  # fmt: skip


FUNCTIONS = {
    "split": split, "join": join, "to_number": to_number, "regex_full_match":
    each(regex_full_match), "regex_replace": each(regex_replace),
    "length": each(lambda x, **words: torch.tensor(len(text(x)))),
    "lower": each(lambda x, **words: Text(text(x).lower())),
    "upper": each(lambda x, **words: Text(text(x).upper())),
    "strip": each(lambda x, **words: Text(text(x).strip())),
    "as_string": lambda x, **words: Text(x.item() if hasattr(x, "item") else x),
    "unicode_split": each(characters), "bytes_split": each(characters), "substr": each(substr),
    "reduce_join": reduce_join,
}  # fmt: skip
