"""Data sets of tables: the rows of files, as tuples of columns or as batches by their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from .tf_data import Dataset
from .tf_elements import stacked
from .tf_files import matching
from .tf_parsing import decode_csv
from .tf_sources import TextLineDataset
from .tf_texts import text


class CsvDataset(Dataset):
    """The rows of files: a tuple of cells, each of the kind of its default."""

    def __init__(self, filenames: Any, record_defaults: Sequence[Any], compression_type: Any = None,
                 buffer_size: Any = None, header: bool = False, field_delim: str = ",",
                 use_quote_delim: bool = True, na_value: str = "", select_cols: Any = None,
                 **words: Any) -> None:  # fmt: skip
        several = [filenames] if isinstance(filenames, (str, bytes)) else list(filenames)

        def walk() -> Iterator[Any]:
            for name in several:
                lines = TextLineDataset(name, compression_type)
                for line in islice(lines, int(header), None):
                    yield tuple(decode_csv(line, _defaults(record_defaults), field_delim,
                                           use_quote_delim, na_value, select_cols))  # fmt: skip

        super().__init__(walk)


def _defaults(given: Sequence[Any]) -> list[Any]:
    """Return a default for each column: numbers are lists of one."""
    return [[one] if isinstance(one, (int, float, str)) else one for one in given]


def make_csv_dataset(file_pattern: Any, batch_size: int, column_names: Any = None,
                     column_defaults: Any = None, label_name: Any = None,
                     select_columns: Any = None, field_delim: str = ",",
                     use_quote_delim: bool = True, na_value: str = "", header: bool = True,
                     num_epochs: Any = None, shuffle: bool = True, shuffle_buffer_size: int = 10000,
                     shuffle_seed: Any = None, **words: Any) -> Dataset:  # fmt: skip
    """Return batches of columns by their names, and labels where a column of them is named."""
    several = file_pattern if isinstance(file_pattern, (list, tuple)) else [file_pattern]
    paths = sorted({path for one in several for path in matching(one)})
    first = text(next(iter(TextLineDataset(paths[0]))))
    names = [*(column_names or (cell.strip('"') for cell in first.split(field_delim)))]
    chosen = [*(select_columns or names)]
    places = [one if isinstance(one, int) else names.index(one) for one in chosen]
    if column_defaults is None:
        line = text(next(islice(iter(TextLineDataset(paths[0])), int(header), None)))
        cells = line.split(field_delim)
        column_defaults = [_kind(cells[place]) for place in places]
    rows: Any = CsvDataset(paths, column_defaults, None, None, header, field_delim,
                           use_quote_delim, na_value, places)  # fmt: skip
    rows = rows.shuffle(shuffle_buffer_size, seed=shuffle_seed) if shuffle else rows
    rows = rows.repeat(num_epochs)

    def walk() -> Iterator[Any]:
        going = iter(rows)
        while batch := list(islice(going, batch_size)):
            cells = zip(*batch, strict=True)
            columns = {
                names[place]: stacked(list(column))
                for place, column in zip(places, cells, strict=True)
            }
            label = columns.pop(label_name, None) if label_name else None
            yield columns if label is None else (columns, label)

    return Dataset(walk)


def _kind(cell: str) -> Any:
    """Return a default for cells like this one."""
    for kind in (int, float):
        try:
            kind(cell)
        except ValueError:
            continue
        return [kind()]
    return [""]


SOURCES = {"CsvDataset": CsvDataset, "make_csv_dataset": make_csv_dataset}
