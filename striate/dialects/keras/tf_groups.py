"""Data sets whose elements are put together, or left out, by what they are."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from ..symbolic import tensor
from .tf_elements import padded, spread, stacked


class Grouping:
    """What `Dataset` has beside elements one by one; `derived` makes a data set of an iterator."""

    derived: Any

    def __iter__(self) -> Iterator[Any]:
        """Yield the elements."""
        raise NotImplementedError

    def group_by_window(self, key_func: Any, reduce_func: Any, window_size: Any = None,
                        window_size_func: Any = None, **words: Any) -> Any:  # fmt: skip
        """Return what a function makes of the elements of each key, a window of them at a time."""

        def size(key: int) -> int:
            return int(window_size_func(torch.tensor(key)) if window_size_func else window_size)

        def walk() -> Iterator[Any]:
            waiting: dict[int, list[Any]] = {}
            for item in self:
                key = int(spread(key_func, item))
                waiting.setdefault(key, []).append(item)
                if len(waiting[key]) >= size(key):
                    yield from self._reduced(reduce_func, key, waiting.pop(key))
            for key, items in waiting.items():
                yield from self._reduced(reduce_func, key, items)

        return self.derived(walk)

    def _reduced(self, function: Any, key: int, items: Iterable[Any]) -> Iterator[Any]:
        kept = list(items)
        return iter(function(torch.tensor(key), self.derived(lambda: iter(kept))))

    def bucket_by_sequence_length(
        self, element_length_func: Any, bucket_boundaries: Sequence[int],
        bucket_batch_sizes: Sequence[int], padded_shapes: Any = None, padding_values: Any = None,
        pad_to_bucket_boundary: bool = False, no_padding: bool = False,
        drop_remainder: bool = False, **words: Any,
    ) -> Any:  # fmt: skip
        """Return batches of elements whose lengths lie between the same two boundaries."""
        together = stacked if no_padding else padded

        def walk() -> Iterator[Any]:
            waiting: dict[int, list[Any]] = {}
            for item in self:
                length = int(spread(element_length_func, item))
                place = int(np.searchsorted(bucket_boundaries, length, side="right"))
                waiting.setdefault(place, []).append(item)
                if len(waiting[place]) >= bucket_batch_sizes[place]:
                    yield together(waiting.pop(place))
            if not drop_remainder:
                yield from (together(waiting[place]) for place in sorted(waiting))

        return self.derived(walk)

    def scan(self, initial_state: Any, scan_func: Callable[..., Any], **words: Any) -> Any:
        """Return what a function of a state and each element gives, beside the next state."""

        def walk() -> Iterator[Any]:
            state = initial_state
            for item in self:
                state, out = scan_func(state, *(item if isinstance(item, tuple) else (item,)))
                yield out

        return self.derived(walk)

    def unique(self, **words: Any) -> Any:
        """Return each element once."""

        def walk() -> Iterator[Any]:
            seen: set[Any] = set()
            for item in self:
                key = item if isinstance(item, str) else tensor(item).numpy().tobytes()
                if key not in seen:
                    seen.add(key)
                    yield item

        return self.derived(walk)

    def rejection_resample(self, class_func: Any, target_dist: Any, initial_dist: Any = None,
                           seed: Any = None, **words: Any) -> Any:  # fmt: skip
        """Return pairs of class and element, of which some are left out for the shares wanted."""
        wanted = np.asarray(tensor(target_dist).numpy(), "float64")

        def walk() -> Iterator[Any]:
            rng = np.random.default_rng(seed if seed is not None else int(torch.randint(2**31, ())))
            counts = np.zeros(len(wanted))
            for item in self:
                label = int(spread(class_func, item))
                counts[label] += 1
                shares = counts / counts.sum() if initial_dist is None else np.asarray(initial_dist)
                ratio = wanted / np.maximum(shares, 1e-12)
                if rng.random() < ratio[label] / ratio[shares > 0].max():
                    yield torch.tensor(label), item

        return self.derived(walk)

    def ignore_errors(self, log_warning: bool = False, **words: Any) -> Any:
        """Return the elements that can be made."""

        def walk() -> Iterator[Any]:
            running = iter(self)
            while True:
                try:
                    yield next(running)
                except StopIteration:
                    return
                except Exception:  # whatever a script's function raises
                    continue

        return self.derived(walk)

    @classmethod
    def choose_from_datasets(cls, datasets: Any, choice_dataset: Any,
                             stop_on_empty_dataset: bool = True) -> Any:  # fmt: skip
        """Return elements of data sets, of that one each time whose number comes next."""

        def walk() -> Iterator[Any]:
            running = [iter(one) for one in datasets]
            for place in choice_dataset:
                try:
                    yield next(running[int(place)])
                except StopIteration:
                    if stop_on_empty_dataset:
                        return

        return cls.derived(walk)

    @classmethod
    def random(cls, seed: Any = None, **words: Any) -> Any:
        """Return whole numbers by chance, without end."""

        def walk() -> Iterator[Any]:
            rng = np.random.default_rng(seed if seed is not None else int(torch.randint(2**31, ())))
            return (torch.tensor(int(rng.integers(2**32))) for _ in itertools.count())

        return cls.derived(walk)


def transformations(methods: Iterable[str]) -> dict[str, Any]:
    """Return methods of data sets as `tf.data.experimental` has them, for `dataset.apply`."""

    def made(name: str) -> Any:
        def transformation(*args: Any, **words: Any) -> Any:
            return lambda dataset: getattr(dataset, name)(*args, **words)

        return transformation

    return {name: made(name) for name in methods}


def map_and_batch(map_func: Any, batch_size: int, num_parallel_batches: Any = None,
                  drop_remainder: bool = False, num_parallel_calls: Any = None) -> Any:  # fmt: skip
    """Return what maps a function over a data set, and makes batches."""
    return lambda dataset: dataset.map(map_func).batch(batch_size, drop_remainder)


def shuffle_and_repeat(buffer_size: int, count: Any = None, seed: Any = None) -> Any:
    """Return what gives the elements in another order, several times."""
    return lambda dataset: dataset.shuffle(buffer_size, seed).repeat(count)


def parallel_interleave(map_func: Any, cycle_length: int, block_length: int = 1,
                        *args: Any, **words: Any) -> Any:  # fmt: skip
    """Return what takes elements of several data sets in turn."""
    return lambda dataset: dataset.interleave(map_func, cycle_length, block_length)


EXPERIMENTAL = {
    **transformations(("group_by_window", "bucket_by_sequence_length", "scan", "unique",
                       "take_while", "rejection_resample", "ignore_errors", "snapshot",
                       "unbatch")),
    "enumerate_dataset": lambda start=0: lambda dataset: dataset.enumerate(start),
    "dense_to_ragged_batch": lambda batch_size, drop_remainder=False: (
        lambda dataset: dataset.padded_batch(batch_size)),
    "copy_to_device": lambda *args, **words: lambda dataset: dataset,
    "get_single_element": lambda dataset: dataset.get_single_element(),
    **{made.__name__: made for made in (map_and_batch, shuffle_and_repeat, parallel_interleave)},
}  # fmt: skip
