"""`tf.data.Dataset`: elements one after the other, mapped, shuffled and put into batches."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .tf_elements import Arrays, Steps, first, padded, parts_of, spread, stacked, tree
from .tf_files import matching
from .tf_groups import Grouping

AUTOTUNE = -1
INFINITE, UNKNOWN = -1, -2
CYCLE = 10  # data sets that are read in turn, unless a script says how many


class Dataset(Grouping):
    """Elements that can be gone through again and again.

    `make` gives an iterator over the elements; `count` is their number, None where it is not known.
    """

    def __init__(self, make: Callable[[], Iterator[Any]], count: int | None = None) -> None:
        self.make, self.count = make, count

    def __iter__(self) -> Iterator[Any]:
        return self.make()

    def __len__(self) -> int:
        if self.count is None:
            raise TypeError("the dataset length is unknown")
        return self.count

    # ---- sources ---------------------------------------------------------------------------------

    @staticmethod
    def from_tensor_slices(tensors: Any) -> Dataset:
        """Return the parts of arrays along their first axis."""
        whole = tree(tensors, parts_of)
        return Slices(whole, len(first(whole)))

    @staticmethod
    def list_files(file_pattern: Any, shuffle: bool = True, seed: int | None = None,
                   **words: Any) -> Dataset:  # fmt: skip
        """Return the paths of files."""
        several = file_pattern if isinstance(file_pattern, (list, tuple)) else [file_pattern]
        paths = sorted({path for one in several for path in matching(one)})
        made = Dataset.from_tensor_slices(paths)
        return made.shuffle(len(paths), seed) if shuffle and paths else made

    @staticmethod
    def from_tensors(tensors: Any) -> Dataset:
        """Return one element."""
        whole = tree(tensors, parts_of)
        return Dataset(lambda: iter([whole]), 1)

    @staticmethod
    def from_generator(generator: Callable[..., Iterable[Any]], *types: Any, args: Any = (),
                       **words: Any) -> Dataset:  # fmt: skip
        """Return what a function yields."""
        return Dataset(lambda: (tree(item, parts_of) for item in generator(*args)))

    @staticmethod
    def range(*ends: int, **words: Any) -> Dataset:
        """Return whole numbers."""
        numbers = range(*ends)
        return Dataset(lambda: (torch.tensor(number) for number in numbers), len(numbers))

    @staticmethod
    def zip(*datasets: Any, **words: Any) -> Dataset:
        """Return pairs of elements; pairs of data sets inside are put together too."""
        given = datasets[0] if len(datasets) == 1 else datasets
        several = [Dataset.zip(*one) if isinstance(one, tuple) else one for one in given]
        return Dataset(lambda: zip(*several, strict=False), min_of(several))

    @staticmethod
    def counter(start: int = 0, step: int = 1, **words: Any) -> Dataset:
        """Return whole numbers without end."""
        return Dataset(lambda: (torch.tensor(number) for number in itertools.count(start, step)))

    @staticmethod
    def sample_from_datasets(datasets: Any, weights: Any = None, seed: Any = None,
                             **words: Any) -> Dataset:  # fmt: skip
        """Return elements of data sets that are drawn by chance, until all have ended."""

        def walk() -> Iterator[Any]:
            rng = np.random.default_rng(seed if seed is not None else int(torch.randint(2**31, ())))
            shares = np.ones(len(datasets)) if weights is None else np.asarray(weights, "float64")
            running = [iter(one) for one in datasets]
            while shares.sum() > 0:
                place = int(rng.choice(len(running), p=shares / shares.sum()))
                try:
                    yield next(running[place])
                except StopIteration:
                    shares = np.where(np.arange(len(shares)) == place, 0.0, shares)

        return Dataset(walk)

    # ---- elements --------------------------------------------------------------------------------

    def map(self, map_func: Callable[..., Any], num_parallel_calls: Any = None,
            **words: Any) -> Dataset:  # fmt: skip
        """Return a function of each element."""

        def walk() -> Iterator[Any]:
            for item in self:
                yield spread(map_func, item)

        return Dataset(walk, self.count)

    def filter(self, predicate: Callable[..., Any], **words: Any) -> Dataset:
        """Return the elements for which it holds."""
        return Dataset(lambda: (item for item in self if bool(spread(predicate, item))))

    def flat_map(self, map_func: Callable[..., Any], **words: Any) -> Dataset:
        """Return the elements of the data sets that a function gives."""
        return Dataset(
            lambda: itertools.chain.from_iterable(spread(map_func, item) for item in self)
        )

    def interleave(self, map_func: Callable[..., Any], cycle_length: int | None = None,
                   block_length: int | None = None, num_parallel_calls: Any = None,
                   **words: Any) -> Dataset:  # fmt: skip
        """Return elements of the data sets that a function gives, from several of them in turn."""
        width = CYCLE if cycle_length in (None, AUTOTUNE) else int(cycle_length or 1)

        def walk() -> Iterator[Any]:
            sources = (iter(spread(map_func, item)) for item in self)
            running: list[Any] = list(itertools.islice(sources, width))
            while running:
                for place, one in enumerate(running):
                    for _ in range(block_length or 1):
                        try:
                            yield next(one)
                        except StopIteration:
                            running[place] = next(sources, None)
                            break
                running = [one for one in running if one is not None]

        return Dataset(walk)

    def known(self, count: int) -> Dataset:
        """Return the elements, of which a script says how many there are."""
        return Dataset(self.make, count)

    def shuffle(self, buffer_size: int, seed: int | None = None,
                reshuffle_each_iteration: bool = True, **words: Any) -> Dataset:  # fmt: skip
        """Return the elements in another order: each is drawn from the next `buffer_size`."""
        if seed is None and not reshuffle_each_iteration:
            seed = int(torch.randint(2**31, ()))

        def walk() -> Iterator[Any]:
            rng = np.random.default_rng(seed if seed is not None else int(torch.randint(2**31, ())))
            source, buffer = iter(self), []
            for item in source:
                buffer.append(item)
                if len(buffer) >= buffer_size:
                    yield _drawn(buffer, rng)
            while buffer:
                yield _drawn(buffer, rng)

        return Dataset(walk, self.count)

    def repeat(self, count: int | None = None, **words: Any) -> Dataset:
        """Return the elements several times, or without end."""
        if count is None or count < 0:
            return Dataset(self._endless)
        total = None if self.count is None else self.count * count
        return Dataset(lambda: itertools.chain.from_iterable([self] * count), total)

    def _endless(self) -> Iterator[Any]:
        """Yield the elements again and again; nothing, where there are none."""
        item = None
        for item in self:
            yield item
        while item is not None:
            yield from self

    def batch(self, batch_size: int, drop_remainder: bool = False, **words: Any) -> Dataset:
        """Return batches of elements."""

        def walk() -> Iterator[Any]:
            source = iter(self)
            while items := list(itertools.islice(source, batch_size)):
                if len(items) < batch_size and drop_remainder:
                    return
                yield stacked(items)

        counted = None if self.count is None else (
            self.count // batch_size if drop_remainder else -(-self.count // batch_size)
        )  # fmt: skip
        return Dataset(walk, counted)

    def unbatch(self) -> Dataset:
        """Return the elements of batches."""
        return Dataset(
            lambda: (item for whole in self for item in Slices(whole, len(first(whole))))
        )

    def take(self, count: int, **words: Any) -> Dataset:
        """Return the first elements."""
        known = None if self.count is None else min(self.count, count)
        return Dataset(lambda: itertools.islice(iter(self), count), known if self.count else count)

    def skip(self, count: int, **words: Any) -> Dataset:
        """Return the elements after the first."""
        known = None if self.count is None else max(self.count - count, 0)
        return Dataset(lambda: itertools.islice(iter(self), count, None), known)

    def concatenate(self, dataset: Dataset, **words: Any) -> Dataset:
        """Return the elements of both."""
        both = (self, dataset)
        known = [one.count for one in both]
        total = None if None in known else sum(k for k in known if k is not None)
        return Dataset(lambda: itertools.chain(*both), total)

    def enumerate(self, start: int = 0, **words: Any) -> Dataset:
        """Return pairs of a number and an element."""
        return Dataset(lambda: iter(enumerate(self, start)), self.count)

    def cache(self, *args: Any, **words: Any) -> Dataset:
        """Return the elements, kept in memory after the first pass."""
        kept: list[Any] = []

        def walk() -> Iterator[Any]:
            if kept:
                yield from kept
                return
            seen: list[Any] = []
            for item in self:
                seen.append(item)
                yield item
            kept.extend(seen)

        return Dataset(walk, self.count)

    def prefetch(self, *args: Any, **words: Any) -> Dataset:
        """Return the elements."""
        return self

    def with_options(self, *args: Any, **words: Any) -> Dataset:
        """Return the elements."""
        return self

    def options(self) -> None:
        """Return nothing: there is nothing to be chosen."""

    def shard(self, num_shards: int, index: int) -> Dataset:
        """Return one element of so many."""
        return Dataset(lambda: itertools.islice(iter(self), index, None, num_shards))

    def rebatch(self, batch_size: int, drop_remainder: bool = False) -> Dataset:
        """Return the elements in batches of another size."""
        return self.unbatch().batch(batch_size, drop_remainder)

    def snapshot(self, *args: Any, **words: Any) -> Dataset:
        """Return the elements."""
        return self

    def save(self, path: Any, **words: Any) -> None:
        """Write the elements into a folder."""
        from .tf_sources import save

        save(self, path)

    @staticmethod
    def load(path: Any, *args: Any, **words: Any) -> Dataset:
        """Return the data set that a folder holds."""
        from .tf_sources import load

        return load(path)

    def apply(self, transformation: Callable[[Dataset], Dataset]) -> Dataset:
        """Return what a function makes of the data set."""
        return transformation(self)

    def reduce(self, initial_state: Any, reduce_func: Callable[[Any, Any], Any]) -> Any:
        """Return what is left after a function of all elements."""
        state = initial_state
        for item in self:
            state = reduce_func(state, item)
        return state

    def as_numpy_iterator(self) -> Arrays:
        """Return the elements as arrays."""
        return Arrays(self)

    def padded_batch(self, batch_size: int, *args: Any, **words: Any) -> Dataset:
        """Return batches of elements that are filled up with zeros to one length."""

        def walk() -> Iterator[Any]:
            source = iter(self)
            while items := list(itertools.islice(source, batch_size)):
                yield padded(items)

        return Dataset(walk, None if self.count is None else -(-self.count // batch_size))

    def window(self, size: int, shift: int | None = None, stride: int = 1,
               drop_remainder: bool = False) -> Dataset:  # fmt: skip
        """Return data sets of elements that follow each other."""

        def walk() -> Iterator[Any]:
            items = list(self)
            for start in range(0, len(items), shift or size):
                part = items[start : start + size * stride : stride]
                if len(part) == size or not drop_remainder:
                    yield Dataset(lambda part=part: iter(part), len(part))  # type: ignore[misc]

        return Dataset(walk)

    def take_while(self, predicate: Callable[..., Any], **words: Any) -> Dataset:
        """Return the elements before the first for which it does not hold."""
        return Dataset(lambda: itertools.takewhile(lambda one: bool(spread(predicate, one)), self))

    def get_single_element(self) -> Any:
        """Return the only element."""
        return next(iter(self))

    def cardinality(self) -> Tensor:
        """Return the number of elements."""
        return torch.tensor(UNKNOWN if self.count is None else self.count)

    def make_one_shot_iterator(self) -> Steps:
        """Return an iterator."""
        return Steps(self)

    @property
    def element_spec(self) -> Any:
        """Shapes and dtypes of an element."""
        return tree(next(iter(self)), lambda one: (tuple(one.shape), one.dtype))


class Slices(Dataset):
    """The parts of arrays along their first axis; batches are cut out at once."""

    def __init__(self, whole: Any, count: int, order: Callable[[], Any] | None = None) -> None:
        self.whole, self.order = whole, order
        super().__init__(self._parts, count)

    def _order(self) -> Any:
        assert self.count is not None
        return self.order() if self.order else torch.arange(self.count)

    def _parts(self) -> Iterator[Any]:
        for index in self._order().tolist():
            yield tree(self.whole, itemgetter(index))

    def shuffle(self, buffer_size: int, seed: int | None = None,
                reshuffle_each_iteration: bool = True, **words: Any) -> Dataset:  # fmt: skip
        """Return the parts in another order; a buffer as large as all mixes all."""
        if self.order or self.count is None or buffer_size < self.count:
            return super().shuffle(buffer_size, seed, reshuffle_each_iteration)
        count = self.count
        if not reshuffle_each_iteration:
            first = int(torch.randint(2**31, ())) if seed is None else seed
            order = torch.from_numpy(np.random.default_rng(first).permutation(count))
            return Slices(self.whole, count, lambda: order)
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        return Slices(self.whole, count, lambda: torch.randperm(count, generator=generator))

    def batch(self, batch_size: int, drop_remainder: bool = False, **words: Any) -> Dataset:
        """Return batches of parts."""
        count = self.count or 0
        number = count // batch_size if drop_remainder else -(-count // batch_size)

        def walk() -> Iterator[Any]:
            order = self._order()
            for index in range(number):
                places = order[index * batch_size : (index + 1) * batch_size]
                yield tree(self.whole, itemgetter(places))

        return Dataset(walk, number)


Grouping.derived = Dataset


def min_of(datasets: Any) -> int | None:
    """Return the least number of elements, None where one is not known."""
    counts = [one.count for one in datasets]
    return None if None in counts else min(counts)


def _drawn(buffer: list[Any], rng: np.random.Generator) -> Any:
    index = int(rng.integers(len(buffer)))
    buffer[index], buffer[-1] = buffer[-1], buffer[index]
    return buffer.pop()
