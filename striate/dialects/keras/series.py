"""Windows over a series, as samples: `timeseries_dataset_from_array` and `TimeseriesGenerator`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .sequence import Sequence
from .tf_data import Dataset


def timeseries_dataset_from_array(
    data: Any, targets: Any, sequence_length: int, sequence_stride: int = 1,
    sampling_rate: int = 1, batch_size: int | None = 128, shuffle: bool = False,
    seed: int | None = None, start_index: int | None = None, end_index: int | None = None,
) -> Dataset:  # fmt: skip
    """Return windows of `sequence_length` steps, and the target at the first step of each."""
    first, last = int(start_index or 0), int(end_index or len(data))
    given = np.asarray(data)[first:last]
    goals = None if targets is None else np.asarray(targets)[first:last]
    count = len(given) - (sequence_length - 1) * sampling_rate
    if goals is not None:
        count = min(count, len(goals))
    starts = np.arange(0, max(count, 0), sequence_stride)
    if shuffle:
        np.random.RandomState(seed).shuffle(starts)
    steps = np.arange(sequence_length) * sampling_rate

    def window(start: Any) -> Any:
        place = int(start)
        return given[place + steps] if goals is None else (given[place + steps], goals[place])

    made = Dataset.from_tensor_slices(starts).map(window)
    return made if batch_size is None else made.batch(batch_size)


class TimeseriesGenerator(Sequence):
    """Batches of windows of a series; the target is that of the step behind each window."""

    def __init__(
        self, data: Any, targets: Any, length: int, sampling_rate: int = 1, stride: int = 1,
        start_index: int = 0, end_index: int | None = None, shuffle: bool = False,
        reverse: bool = False, batch_size: int = 128,
    ) -> None:  # fmt: skip
        if len(data) != len(targets):
            raise ValueError(f"data and targets must be of one length: {len(data)}, {len(targets)}")
        self.data, self.targets, self.length = data, targets, length
        self.sampling_rate, self.stride, self.batch_size = sampling_rate, stride, batch_size
        self.shuffle, self.reverse = shuffle, reverse
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        if self.start_index > self.end_index:
            raise ValueError(f"no window of {length} steps fits between {start_index} and "
                             f"{self.end_index}")  # fmt: skip

    def __len__(self) -> int:
        step = self.batch_size * self.stride
        return (self.end_index - self.start_index + step) // step

    def __getitem__(self, index: int) -> Any:
        if index >= len(self):
            raise IndexError(index)
        if self.shuffle:
            rng = np.random.default_rng(int(torch.randint(2**31, ())))
            rows = rng.integers(self.start_index, self.end_index + 1, self.batch_size)
        else:
            begin = self.start_index + self.batch_size * self.stride * index
            end = min(begin + self.batch_size * self.stride, self.end_index + 1)
            rows = np.arange(begin, end, self.stride)
        samples = np.array([self.data[row - self.length : row : self.sampling_rate]
                            for row in rows])  # fmt: skip
        goals = np.array([self.targets[row] for row in rows])
        return (samples[:, ::-1], goals) if self.reverse else (samples, goals)
