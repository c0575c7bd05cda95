"""`tf.io.parse_example` and its like: bytes of records become tensors by a description."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...errors import DataError
from ..symbolic import kind, tensor
from .tf_examples import Example, Feature, SequenceExample, field, fields, varint, varint_at
from .tf_sparse import Sparse
from .tf_texts import Text, Texts, raw, text

WORDS = (str, "string")  # a dtype of texts
NUMBERS = {  # dtypes by their numbers in TensorFlow's types.proto
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 9: "int64",
    10: "bool", 17: "uint16", 19: "float16", 22: "uint32", 23: "uint64",
}  # fmt: skip


@dataclass(frozen=True)
class FixedLenFeature:
    """As many values as a shape has; where an example has none, the default."""

    shape: Any
    dtype: Any
    default_value: Any = None

    def read(self, name: str, feature: Feature | None) -> Any:
        """Return the values of one example."""
        sizes = _sizes(self.shape)
        values = feature.values if feature is not None else []
        if not values and self.default_value is not None:
            values = np.broadcast_to(np.asarray(self.default_value), sizes).flatten().tolist()
        if len(values) != int(np.prod(sizes)):
            raise _unlike(name, f"{len(values)} values", f"{int(np.prod(sizes))}, of shape {sizes}")
        found = _values(values, self.dtype)
        if isinstance(found, Texts):
            return found if sizes else found[0]
        return found.reshape(sizes)


@dataclass(frozen=True)
class FixedLenSequenceFeature:
    """Any number of values of one shape each."""

    shape: Any
    dtype: Any
    allow_missing: bool = False
    default_value: Any = None

    def read(self, name: str, feature: Feature | None) -> Any:
        """Return the values of one example."""
        found = _values(feature.values if feature is not None else [], self.dtype)
        return found if isinstance(found, Texts) else found.reshape(-1, *_sizes(self.shape))


@dataclass(frozen=True)
class VarLenFeature:
    """Any number of values."""

    dtype: Any

    def read(self, name: str, feature: Feature | None) -> Any:
        """Return the values of one example."""
        found = _values(feature.values if feature is not None else [], self.dtype)
        return Sparse(torch.arange(len(found))[:, None], found, [len(found)])


@dataclass(frozen=True)
class RaggedFeature:
    """Any number of values, as a dense tensor."""

    dtype: Any
    value_key: Any = None

    def read(self, name: str, feature: Feature | None) -> Any:
        """Return the values of one example."""
        return _values(feature.values if feature is not None else [], self.dtype)


def _sizes(shape: Any) -> tuple[int, ...]:
    return (int(shape),) if isinstance(shape, int) else tuple(int(size) for size in shape)


def _values(values: Sequence[Any], dtype: Any) -> Any:
    if dtype in WORDS:
        return Texts(Text.of(raw(one)) for one in values)
    return torch.tensor(values, dtype=kind(dtype))


def _unlike(name: str, got: str, need: str) -> DataError:
    return DataError(
        "parse_example",
        f"feature {name!r} is not as the description says",
        got=got,
        need=need,
        fix="VarLenFeature, where numbers differ; default_value, where examples lack it",
    )


def _read(features: Mapping[str, Any], of: Any) -> dict[str, Any]:
    named = of.feature
    found = {}
    for name, how in features.items():
        feature = named.get(getattr(how, "value_key", None) or name)
        wanted = "bytes_list" if how.dtype in WORDS else None
        if feature is not None and feature.values:
            there = feature.WhichOneof()
            is_text = there == "bytes_list"
            if is_text != (wanted is not None):
                need = "tf.string" if is_text else "a dtype of numbers"
                raise _unlike(name, there, f"{need} as its dtype")
        found[name] = how.read(name, feature)
    return found


def parse_single_example(serialized: Any, features: Any, example_names: Any = None,
                         name: Any = None) -> dict[str, Any]:  # fmt: skip
    """Return the features of one example, by name, as a description says."""
    return _read(features, Example.FromString(serialized).features)


def parse_example(serialized: Any, features: Any, example_names: Any = None,
                  name: Any = None) -> dict[str, Any]:  # fmt: skip
    """Return the features of several examples, on each other."""
    from .tf_elements import padded, stacked

    if isinstance(serialized, (str, bytes)):
        return parse_single_example(serialized, features)
    several = [parse_single_example(one, features) for one in serialized]
    out = {}
    for word, how in features.items():
        put = padded if isinstance(how, (FixedLenSequenceFeature, RaggedFeature)) else stacked
        out[word] = put([one[word] for one in several])
    return out


def parse_single_sequence_example(serialized: Any, context_features: Any = None,
                                  sequence_features: Any = None, example_name: Any = None,
                                  name: Any = None) -> tuple[Any, Any]:  # fmt: skip
    """Return the features of a sequence, and those of its steps, on each other."""
    from .tf_elements import stacked

    whole = SequenceExample.FromString(serialized)
    steps: dict[str, Any] = {}
    for word, how in (sequence_features or {}).items():
        features = whole.feature_lists.feature_list[word].feature
        if isinstance(how, VarLenFeature):
            steps[word] = Sparse.stacked([how.read(word, one) for one in features])
        else:
            each = FixedLenFeature(how.shape, how.dtype)
            steps[word] = stacked([each.read(word, one) for one in features])
    return _read(context_features or {}, whole.context), steps


def decode_raw(input_bytes: Any, out_type: Any = None, little_endian: bool = True,
               fixed_length: Any = None, name: Any = None, **words: Any) -> Tensor:  # fmt: skip
    """Return the numbers that bytes are; of several texts, a row for each."""
    if isinstance(input_bytes, (list, tuple)):
        return torch.stack([decode_raw(one, out_type, little_endian) for one in input_bytes])
    name_of = str(kind(out_type)).removeprefix("torch.")
    dtype = np.dtype(name_of).newbyteorder("<" if little_endian else ">")
    return tensor(np.frombuffer(raw(input_bytes), dtype).astype(name_of))


def decode_csv(records: Any, record_defaults: Any, field_delim: str = ",",
               use_quote_delim: bool = True, na_value: str = "", select_cols: Any = None,
               name: Any = None) -> list[Any]:  # fmt: skip
    """Return the columns of a line, or of several: each has the kind of its default."""
    from .tf_elements import stacked

    if isinstance(records, list):
        rows = [decode_csv(one, record_defaults, field_delim) for one in records]
        return [stacked(list(column)) for column in zip(*rows, strict=True)]
    quote = '"' if use_quote_delim else None
    parts = next(csv.reader([text(records)], delimiter=field_delim, quotechar=quote,
                            quoting=0 if quote else 3))  # fmt: skip
    chosen = [parts[at] for at in select_cols] if select_cols is not None else parts
    return [_column(part, default, na_value)
            for part, default in zip(chosen, record_defaults, strict=True)]  # fmt: skip


def _column(part: str, default: Any, na_value: str) -> Any:
    """Return a cell: its default is a dtype, or a list of one value or of none."""
    how: Any
    if isinstance(default, (torch.dtype, type)):
        how, default = default, None
    else:
        given = np.asarray(default.tolist() if isinstance(default, Tensor) else default).flatten()
        default = given[0] if len(given) else None
        how = str if given.dtype.kind in "USO" else ("float32", "int32")[given.dtype.kind in "iub"]
    if part == na_value and default is not None:
        part = str(default)
    if how in WORDS:
        return Text(part)
    return torch.tensor(float(part)).to(kind(how)) if "." in part or "float" in str(how) else (
        torch.tensor(int(part)).to(kind(how)))  # fmt: skip


def serialize_tensor(tensor_: Any, name: Any = None) -> Text:
    """Return a tensor as bytes."""
    array = tensor(tensor_).detach().contiguous().numpy()
    number = next(number for number, word in NUMBERS.items() if word == array.dtype.name)
    shape = b"".join(field(2, b"\x08" + varint(size)) for size in array.shape)
    return Text.of(b"\x08" + varint(number) + field(2, shape) + field(4, array.tobytes()))


def parse_tensor(serialized: Any, out_type: Any = None, name: Any = None) -> Tensor:
    """Return the tensor that bytes are."""
    parts: dict[int, Any] = dict(fields(raw(serialized)))
    sizes = [varint_at(dim, 1)[0] if dim else 0 for number, dim in fields(parts.get(2, b""))]
    dtype = np.dtype(NUMBERS[parts[1]])
    return tensor(np.frombuffer(parts.get(4, b""), dtype).reshape(sizes))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    made.__name__: made
    for made in (FixedLenFeature, FixedLenSequenceFeature, VarLenFeature, RaggedFeature,
                 parse_single_example, parse_example, parse_single_sequence_example, decode_raw,
                 decode_csv, serialize_tensor, parse_tensor)
}  # fmt: skip
