"""`tf.lookup`: tables of keys and values, of texts or numbers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..symbolic import kind, tensor
from .tf_texts import Text, Texts, text


class KeyValueTensorInitializer:
    """Keys and their values."""

    def __init__(self, keys: Any, values: Any, key_dtype: Any = None, value_dtype: Any = None,
                 name: Any = None) -> None:  # fmt: skip
        self.pairs = dict(zip(map(_plain, _each(keys)), map(_plain, _each(values)), strict=True))
        self.value_dtype = value_dtype


class TextFileIndex:
    """What of a line of a file is a key, or a value; other numbers are those of columns."""

    LINE_NUMBER, WHOLE_LINE = -1, -2


class TextFileInitializer(KeyValueTensorInitializer):
    """Keys and values from the lines of a file."""

    def __init__(self, filename: Any, key_dtype: Any, key_index: int, value_dtype: Any,
                 value_index: int, vocab_size: Any = None, delimiter: str = "\t",
                 **words: Any) -> None:  # fmt: skip
        lines = Path(text(filename)).read_text(encoding="utf-8").splitlines()[:vocab_size]

        def column(place: int, wanted: Any) -> list[Any]:
            if place == TextFileIndex.LINE_NUMBER:
                return list(range(len(lines)))
            parts = lines if place == TextFileIndex.WHOLE_LINE else [
                line.split(delimiter)[place] for line in lines]  # fmt: skip
            return parts if wanted in (str, "string") else [int(one) for one in parts]

        super().__init__(column(key_index, key_dtype), column(value_index, value_dtype))


class StaticHashTable:
    """A table: `lookup` gives the values of keys, and `default_value` for others."""

    def __init__(self, initializer: KeyValueTensorInitializer, default_value: Any,
                 name: Any = None, **words: Any) -> None:  # fmt: skip
        self.pairs, self.default = dict(initializer.pairs), _plain(default_value)
        self.value_dtype = initializer.value_dtype

    def missing(self, key: Any) -> Any:
        """Return the value of a key that is not there."""
        return self.default

    def lookup(self, keys: Any, name: Any = None) -> Any:
        """Return the value of a key, or of each of several."""
        if isinstance(keys, (Text, str, bytes)) or (isinstance(keys, Tensor) and not keys.dim()):
            return self._told(self._one(keys))
        flat = keys.flatten() if isinstance(keys, Tensor) else keys
        found = [self._one(key) for key in _each(flat)]
        if any(isinstance(one, str) for one in found):
            return Texts(Text(one) for one in found)
        out = self._told(found)
        return out.reshape(keys.shape) if isinstance(keys, Tensor) else out

    __getitem__ = lookup

    def size(self, name: Any = None) -> Tensor:
        """Return the number of keys."""
        return torch.tensor(len(self.pairs))

    def _one(self, key: Any) -> Any:
        plain = _plain(key)
        return self.pairs[plain] if plain in self.pairs else self.missing(plain)

    def _told(self, value: Any) -> Any:
        if isinstance(value, str):
            return Text(value)
        made = torch.as_tensor(value)
        return made if self.value_dtype in (None, str) else made.to(kind(self.value_dtype))


class StaticVocabularyTable(StaticHashTable):
    """A table whose other keys have further numbers, `num_oov_buckets` of them."""

    def __init__(self, initializer: Any, num_oov_buckets: int, **words: Any) -> None:
        super().__init__(initializer, -1)
        self.buckets = num_oov_buckets

    def missing(self, key: Any) -> int:
        """Return a number behind those of the table, the same one for the same key."""
        from .lookups import hashed

        return len(self.pairs) + int(hashed(key, self.buckets))


def _each(several: Any) -> Iterable[Any]:
    return several.tolist() if isinstance(several, Tensor) else list(several)


def _plain(value: Any) -> Any:
    if isinstance(value, (str, bytes)):
        return str(text(value))
    return tensor(value).item() if hasattr(value, "shape") else value


NAMES = {made.__name__: made for made in (
    KeyValueTensorInitializer, TextFileIndex, TextFileInitializer, StaticHashTable,
    StaticVocabularyTable,
)}  # fmt: skip
