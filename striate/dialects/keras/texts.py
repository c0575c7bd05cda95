"""`keras.preprocessing.sequence` and `.text`: sequences of one length, and numbers for words."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from .series import TimeseriesGenerator

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


def pad_sequences(sequences: Any, maxlen: Any = None, dtype: Any = "int32", padding: str = "pre",
                  truncating: str = "pre", value: Any = 0.0) -> Any:  # fmt: skip
    """Return sequences cut to one length, or filled up, at the front unless told otherwise."""
    lists = [np.asarray(one) for one in sequences]
    length = int(maxlen if maxlen is not None else max((len(one) for one in lists), default=0))
    inner = next((one.shape[1:] for one in lists if len(one)), ())
    kind = object if isinstance(value, str) else dtype
    out = np.full((len(lists), length, *inner), value, dtype=kind)
    for row, one in zip(out, lists, strict=True):
        kept = one[-length:] if truncating == "pre" else one[:length]
        if len(kept) and length:
            part = slice(len(kept)) if padding == "post" else slice(length - len(kept), None)
            row[part] = kept
    return out


def text_to_word_sequence(input_text: str, filters: str = FILTERS, lower: bool = True,
                          split: str = " ", **words: Any) -> list[str]:  # fmt: skip
    """Return the words of a text."""
    text = words.get("text", input_text)
    text = text.lower() if lower else text
    spaced = text.translate(str.maketrans(dict.fromkeys(filters, split)))
    return [word for word in spaced.split(split) if word]


def one_hot(input_text: str, n: int, filters: str = FILTERS, lower: bool = True,
            split: str = " ", **words: Any) -> list[int]:  # fmt: skip
    """Return a number from 1 to n - 1 for each word; two words may have the same."""
    found = text_to_word_sequence(input_text, filters, lower, split)
    return [hash(word) % (n - 1) + 1 for word in found]


class Tokenizer:
    """Numbers for words, the most frequent first; 0 stays free."""

    def __init__(self, num_words: Any = None, filters: str = FILTERS, lower: bool = True,
                 split: str = " ", char_level: bool = False, oov_token: Any = None,
                 **words: Any) -> None:  # fmt: skip
        self.num_words = words.get("nb_words", num_words)
        self.filters, self.lower, self.split = filters, lower, split
        self.char_level, self.oov_token = char_level, oov_token
        self.word_counts: dict[str, int] = {}
        self.word_docs: dict[str, int] = {}
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}
        self.document_count = 0

    def parts(self, text: Any) -> list[str]:
        """Return the words, or the characters, of a text."""
        if isinstance(text, (list, tuple)):
            return [word.lower() if self.lower else word for word in text]
        if self.char_level:
            return list(text.lower() if self.lower else text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts: Iterable[Any]) -> None:
        """Count the words."""
        counts, docs = Counter(self.word_counts), Counter(self.word_docs)
        for text in texts:
            found = self.parts(text)
            counts.update(found)
            docs.update(set(found))
            self.document_count += 1
        self.word_counts, self.word_docs = dict(counts), dict(docs)
        ordered = sorted(counts, key=lambda word: -counts[word])
        ordered = ([] if self.oov_token is None else [self.oov_token]) + ordered
        self.word_index = {word: number for number, word in enumerate(ordered, 1)}
        self.index_word = {number: word for word, number in self.word_index.items()}

    def numbers(self, text: Any) -> Iterator[int]:
        """Yield the numbers of the words that have one."""
        unknown = self.word_index.get(self.oov_token) if self.oov_token is not None else None
        for word in self.parts(text):
            number = self.word_index.get(word)
            known = number is not None and not (self.num_words and number >= self.num_words)
            if known or unknown is not None:
                yield number if known else unknown  # type: ignore[misc]

    def texts_to_sequences(self, texts: Iterable[Any]) -> list[list[int]]:
        """Return the numbers of the words of each text."""
        return [list(self.numbers(text)) for text in texts]

    def texts_to_sequences_generator(self, texts: Iterable[Any]) -> Iterator[list[int]]:
        """Yield the numbers of the words of each text."""
        for text in texts:
            yield list(self.numbers(text))

    def sequences_to_texts(self, sequences: Iterable[Any]) -> list[str]:
        """Return the words of the numbers."""
        return [
            " ".join(self.index_word[n] for n in one if n in self.index_word) for one in sequences
        ]

    def texts_to_matrix(self, texts: Iterable[Any], mode: str = "binary") -> Any:
        """Return a row for each text."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Any, mode: str = "binary") -> Any:
        """Return, for each sequence, which numbers are in it, or how often: binary, count, freq."""
        out = np.zeros((len(sequences), self.num_words or len(self.word_index) + 1))
        for row, one in zip(out, sequences, strict=True):
            for number, count in Counter(n for n in one if n < out.shape[1]).items():
                idf = np.log(1 + self.document_count / (1 + self.word_docs.get(
                    self.index_word.get(number, ""), 0)))  # fmt: skip
                row[number] = {"binary": 1, "count": count, "freq": count / len(one),
                               "tfidf": (1 + np.log(count)) * idf}[mode]  # fmt: skip
        return out

    def get_config(self) -> dict[str, Any]:
        """Return the words and their numbers."""
        return {key: value for key, value in vars(self).items() if not key.startswith("_")}

    def to_json(self, **words: Any) -> str:
        """Return all that is known as JSON."""
        return json.dumps({"class_name": "Tokenizer", "config": self.get_config()})


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """Return a tokenizer of what `to_json` gave."""
    config, made = json.loads(json_string)["config"], Tokenizer()
    numbers = {int(key): word for key, word in config.pop("index_word").items()}
    vars(made).update(config, index_word=numbers)
    return made


SEQUENCE = {"pad_sequences": pad_sequences, "TimeseriesGenerator": TimeseriesGenerator}
TEXT = {"text_to_word_sequence": text_to_word_sequence, "one_hot": one_hot,
        "Tokenizer": Tokenizer, "tokenizer_from_json": tokenizer_from_json}  # fmt: skip
