"""Layers of Keras that give numbers to texts and to whole numbers: they run before the network."""

from __future__ import annotations

import math
import re
import string
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...core.symbol import Symbol
from ...errors import caller
from ..symbolic import kind
from ..table import DialectError
from .tf_data import Dataset
from .tf_texts import Text, Texts, text

PUNCTUATION = re.compile(f"[{re.escape(string.punctuation)}]")
STANDARD: dict[Any, Callable[[str], str]] = {
    None: lambda one: one, "lower": str.lower,
    "strip_punctuation": lambda one: PUNCTUATION.sub("", one),
    "lower_and_strip_punctuation": lambda one: PUNCTUATION.sub("", one.lower()),
}  # fmt: skip
SPLITS: dict[Any, Callable[[str], list[str]]] = {
    "whitespace": str.split, "character": list, None: lambda one: [one],
}  # fmt: skip


def no_texts(where: str, got: str) -> DialectError:
    """Return the error for texts inside of a network."""
    return DialectError(
        where,
        "a network takes no texts here",
        got=got,
        need="the layer in front of the network, on the data",
        fix="dataset.map(lambda x, y: (layer(x), y)), and a model of whole numbers",
        at=caller(),
    )


def nested(value: Any) -> Any:
    """Return texts, or whole numbers, as lists in lists, and one alone as itself."""
    if isinstance(value, Tensor):
        return value.tolist()
    if isinstance(value, np.ndarray):
        return nested(value.tolist())
    if isinstance(value, (list, tuple)) or type(value).__module__.startswith("pandas"):
        return [nested(one) for one in value]
    return text(value) if isinstance(value, (str, bytes)) else value


def leaves(value: Any) -> Iterator[Any]:
    """Yield what lists in lists hold."""
    if isinstance(value, list):
        for one in value:
            yield from leaves(one)
    else:
        yield value


def mapped(value: Any, function: Callable[[Any], Any]) -> Any:
    """Return a function of each, in the same lists."""
    return [mapped(one, function) for one in value] if isinstance(value, list) else function(value)


def hashed(value: Any, bins: int, salt: Any = "") -> int:
    """Return a number below `bins`, the same in every process."""
    return zlib.crc32(f"{salt}{value}".encode()) % bins


def counted(data: Any) -> Iterator[Any]:
    """Yield what a data set, or lists, hold."""
    for part in data if isinstance(data, Dataset) else [data]:
        yield from leaves(nested(part[0] if isinstance(part, tuple) else part))


def ordered(counts: Counter[Any]) -> list[Any]:
    """Return what was counted, the most frequent first; of equals, the last in the alphabet."""
    return sorted(counts, key=lambda one: (counts[one], one), reverse=True)


class Lookup:
    """A table of what is known, and its numbers; the first numbers are for what is not.

    Raises: DialectError for a symbol: texts are no numbers that a network computes with.
    """

    oov: Any = "[UNK]"
    mask: Any = None

    def __init__(self, max_tokens: Any = None, num_oov_indices: int = 1, mask_token: Any = None,
                 oov_token: Any = None, vocabulary: Any = None, vocabulary_dtype: Any = None,
                 idf_weights: Any = None, invert: bool = False, output_mode: str = "int",
                 sparse: bool = False, pad_to_max_tokens: bool = False, name: str | None = None,
                 max_values: Any = None, max_strings: Any = None, encoding: str = "utf-8",
                 **words: Any) -> None:  # fmt: skip
        self.max_tokens = max_tokens or max_values or max_strings
        self.num_oov, self.invert = num_oov_indices, invert
        self.mask_token = self.mask if mask_token is None else mask_token
        self.oov_token = self.oov if oov_token is None else oov_token
        self.output_mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(output_mode, output_mode)
        self.name, self.pads, self.trainable = name or type(self).__name__.lower(), False, False
        self.weights: list[Any] = []
        self.idf: dict[Any, float] = {}
        self.known: list[Any] = []
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    # ---- the table -------------------------------------------------------------------------------

    @property
    def first(self) -> list[Any]:
        """What has the first numbers: the mask, and the unknown."""
        masks = [] if self.mask_token is None or self.output_mode != "int" else [self.mask_token]
        return [*masks, *[self.oov_token] * self.num_oov]

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Give the values in order, or a text file with one in each line."""
        if isinstance(vocabulary, str):
            lines = Path(vocabulary).read_text(encoding="utf-8").splitlines()
            vocabulary = [self.read(line) for line in lines]
        given = list(leaves(nested(vocabulary)))
        own = len(self.first)
        given = given[own:] if own and given[:own] == self.first else given
        self.known = given
        if idf_weights is not None:
            self.idf = dict(zip(given, leaves(nested(idf_weights)), strict=False))
        self._number()

    def read(self, line: str) -> Any:
        """Return a value of a line of a file."""
        return line

    def _number(self) -> None:
        limit = None if self.max_tokens is None else self.max_tokens - len(self.first)
        self.known = self.known[:limit]
        base = len(self.first)
        self.index = {one: base + place for place, one in enumerate(self.known)}
        if self.mask_token is not None and self.output_mode == "int":
            self.index[self.mask_token] = 0

    def adapt(self, data: Any, batch_size: Any = None, steps: Any = None) -> None:
        """Learn the values of a data set, or of lists, the most frequent first."""
        counts: Counter[Any] = Counter()
        documents: Counter[Any] = Counter()
        total = 0
        for one in counted(data):
            parts = self.parts(one)
            counts.update(parts)
            documents.update(set(parts))
            total += 1
        for reserved in (self.mask_token, self.oov_token, ""):
            counts.pop(reserved, None)
        self.known = ordered(counts)
        self.idf = {one: math.log(1 + total / (1 + found)) for one, found in documents.items()}
        self._number()

    build = adapt

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """Return the values in the order of their numbers."""
        return [*(self.first if include_special_tokens else []), *self.known]

    def vocabulary_size(self) -> int:
        """Return how many numbers there are."""
        return len(self.get_vocabulary())

    vocab_size = vocabulary_size

    def get_config(self) -> dict[str, Any]:
        """Return what the layer was made with, and the values."""
        return {"max_tokens": self.max_tokens, "output_mode": self.output_mode,
                "vocabulary": self.get_vocabulary(), "name": self.name}  # fmt: skip

    # ---- calls -----------------------------------------------------------------------------------

    def parts(self, value: Any) -> list[Any]:
        """Return what of a value is looked up."""
        return [value]

    def number(self, value: Any) -> int:
        """Return the number of a value."""
        found = self.index.get(value)
        if found is not None:
            return found
        if self.num_oov == 0:
            raise DialectError(
                f"{type(self).__name__} {self.name}",
                "a value is not in the vocabulary, and none stands for the unknown",
                got=repr(value),
                need="one of " + ", ".join(map(str, self.known[:8])),
                fix="num_oov_indices=1",
                at=caller(),
            )
        masks = len(self.first) - self.num_oov
        return masks + hashed(value, self.num_oov)

    def __call__(self, inputs: Any, **words: Any) -> Any:
        """Return the numbers of values, or with `invert` the values of numbers."""
        if isinstance(inputs, Symbol):
            raise no_texts(f"{type(self).__name__} {self.name}", "a symbol")
        given = nested(inputs)
        if self.invert:
            every = self.get_vocabulary()
            names = mapped(given, lambda n: every[n] if 0 <= n < len(every) else self.oov_token)
            return self.named(names)
        return self.counts(mapped(given, self.number)) if self.output_mode != "int" else (
            torch.tensor(mapped(given, self.number)))  # fmt: skip

    def named(self, names: Any) -> Any:
        """Return values for numbers."""
        if isinstance(names, list):
            return Texts(self.named(one) for one in names)
        return Text(str(names))

    def counts(self, numbers: Any) -> Tensor:
        """Return, for each sample, a row with a place for each number."""
        width = self.max_tokens if self.pads and self.max_tokens else self.vocabulary_size()
        if self.output_mode == "one_hot":
            each = torch.tensor(numbers).long().reshape(-1)
            made = torch.nn.functional.one_hot(each, width).float()
            return made if isinstance(numbers, list) else made[0]
        several = isinstance(numbers, list) and bool(numbers) and isinstance(numbers[0], list)
        samples = numbers if several else [numbers]
        out = torch.zeros(len(samples), width)
        for place, sample in enumerate(samples):
            for number, count in Counter(leaves(sample)).items():
                out[place, number] = count
        if self.output_mode == "multi_hot":
            out = (out > 0).float()
        if self.output_mode == "tf_idf":
            average = float(np.mean([self.idf.get(one, 1.0) for one in self.known] or [1.0]))
            out = out * torch.tensor([average] * len(self.first)
                                     + [self.idf.get(one, 1.0) for one in self.known])  # fmt: skip
        return out if several else out[0]


class StringLookup(Lookup):
    """Numbers for texts."""


class IntegerLookup(Lookup):
    """Numbers from 0 on for whole numbers."""

    oov = -1

    def read(self, line: str) -> Any:
        """Return the number that a line says."""
        return int(line)

    def named(self, names: Any) -> Any:
        """Return whole numbers."""
        return torch.tensor(names)


class TextVectorization(Lookup):
    """Numbers for the words of texts, in rows of one length; 0 is padding, 1 the unknown."""

    mask = ""

    def __init__(self, max_tokens: Any = None, standardize: Any = "lower_and_strip_punctuation",
                 split: Any = "whitespace", ngrams: Any = None, output_mode: str = "int",
                 output_sequence_length: Any = None, pad_to_max_tokens: bool = False,
                 vocabulary: Any = None, idf_weights: Any = None, sparse: bool = False,
                 ragged: bool = False, **words: Any) -> None:  # fmt: skip
        self.standardize, self.split = standardize, split
        self.ngrams = range(1, ngrams + 1) if isinstance(ngrams, int) else ngrams
        self.length = output_sequence_length
        super().__init__(max_tokens, vocabulary=vocabulary, idf_weights=idf_weights,
                         output_mode=output_mode, **words)  # fmt: skip
        self.pads = pad_to_max_tokens

    def parts(self, value: Any) -> list[Any]:
        """Return the words of a text, or its groups of words."""
        if callable(self.standardize):
            value = text(self.standardize(Text(value)))
        else:
            value = STANDARD[self.standardize](value)
        if callable(self.split):
            found = [text(one) for one in self.split(Text(value))]
        else:
            found = SPLITS[self.split](value)
        if self.ngrams is None:
            return found
        return [" ".join(found[at : at + size]) for size in self.ngrams
                for at in range(len(found) - size + 1)]  # fmt: skip

    def __call__(self, inputs: Any, **words: Any) -> Any:
        """Return a row of numbers for each text."""
        if isinstance(inputs, Symbol):
            return super().__call__(inputs)
        given = nested(inputs)
        several = isinstance(given, list)
        texts = [one[0] if isinstance(one, list) and one else one for one in given] if (
            several) else [given]  # fmt: skip
        rows = [[self.number(part) for part in self.parts(one)] for one in texts]
        if self.output_mode != "int":
            out = self.counts(rows)
        else:
            length = self.length or max(map(len, rows), default=0)
            out = torch.tensor([(row + [0] * length)[:length] for row in rows], dtype=torch.int64)
        return out if several else out[0]


class Hashing:
    """A number below `num_bins` for each value, always the same; it may be that of others too."""

    def __init__(self, num_bins: int, mask_value: Any = None, salt: Any = None,
                 output_mode: str = "int", name: str | None = None,
                 **words: Any) -> None:  # fmt: skip
        self.num_bins, self.mask_value, self.salt = num_bins, mask_value, salt or 0
        self.output_mode, self.name = output_mode, name or "hashing"

    def __call__(self, inputs: Any) -> Any:
        """Return the numbers."""
        low = 0 if self.mask_value is None else 1

        def number(one: Any) -> int:
            masked = low == 1 and one == self.mask_value
            return 0 if masked else low + hashed(one, self.num_bins - low, self.salt)

        out = torch.tensor(mapped(nested(inputs), number))
        if self.output_mode == "int":
            return out
        return torch.nn.functional.one_hot(out, self.num_bins).to(kind("float32"))


NAMES = {cls.__name__: cls for cls in (StringLookup, IntegerLookup, TextVectorization, Hashing)}
