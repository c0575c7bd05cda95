"""Loaders that gather batches ahead give what torch's own give, at the same draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch.utils.data import (
    DataLoader,
    RandomSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)

from striate.dialects import installed
from striate.dialects.pytorch import loading

X, Y = torch.arange(400.0).reshape(100, 4), torch.arange(100)
SEED = 3


def drawn() -> torch.Generator:
    return torch.Generator().manual_seed(SEED)


LOADERS: dict[str, Callable[[Any], DataLoader[Any]]] = {
    "in order": lambda data: DataLoader(data, 7),
    "shuffled": lambda data: DataLoader(data, 7, shuffle=True),
    "without the rest": lambda data: DataLoader(data, 7, shuffle=True, drop_last=True),
    "by a generator": lambda data: DataLoader(data, 7, shuffle=True, generator=drawn()),
    "of a part": lambda data: DataLoader(data, 7, sampler=SubsetRandomSampler(range(30, 80))),
    "again and again": lambda data: DataLoader(
        data, 7, sampler=RandomSampler(data, replacement=True, num_samples=60)
    ),
    "more than there are": lambda data: DataLoader(
        data, 7, sampler=RandomSampler(data, num_samples=250)
    ),
    "weighted": lambda data: DataLoader(data, 7, sampler=WeightedRandomSampler(Y + 1.0, 60)),
    "one by one": lambda data: DataLoader(data, None),
    "of a subset by places from the end": lambda data: DataLoader(
        Subset(data, range(10, 90)), 7, sampler=SubsetRandomSampler([-1, 3, -80, 79] * 9)
    ),
    "of a subset": lambda data: DataLoader(Subset(data, range(99, 9, -2)), 7, shuffle=True),
}


def epochs(loader: DataLoader[Any]) -> Iterator[Any]:
    """Yield the batches of two epochs, and what is drawn beside each of them."""
    torch.manual_seed(SEED)
    for _ in range(2):
        for x, y in loader:
            yield x.clone(), y.clone(), torch.rand(())
    last = iter(loader)
    assert len([*last]) > 0
    with pytest.raises(StopIteration):
        next(last)


@pytest.mark.parametrize("name", LOADERS)
def test_batches_and_draws_are_those_of_torch(name: str) -> None:
    theirs = [*epochs(LOADERS[name](TensorDataset(X, Y)))]
    with installed("pytorch"):
        mine = [*epochs(LOADERS[name](TensorDataset(X, Y)))]
    torch.testing.assert_close(mine, theirs, rtol=0, atol=0)


def test_several_batches_are_gathered_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, original = [], loading.gathered

    def gathered(data: Any, places: Any) -> Any:
        sizes.append(len(places))
        return original(data, places)

    monkeypatch.setattr(loading, "gathered", gathered)
    with installed("pytorch"):
        assert len([*DataLoader(TensorDataset(X, Y), 5)]) == 20
    assert sizes == [5, 10, 20, 40, 25]


def test_no_more_is_gathered_than_a_few_megabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "AHEAD", 600)  # a batch of 10 has 240 bytes
    sizes, original = [], loading.gathered
    monkeypatch.setattr(loading, "gathered", lambda data, places: (
        sizes.append(len(places)), original(data, places))[1])  # fmt: skip
    with installed("pytorch"):
        assert len([*DataLoader(TensorDataset(X, Y), 10)]) == 10
    assert sizes == [10, *[20] * 4, 10]


def test_a_data_set_that_changes_meanwhile_is_seen_at_the_next_batch() -> None:
    def sums() -> list[float]:
        data = TensorDataset(X.clone(), Y)
        found = []
        for number, (x, _) in enumerate(DataLoader(data, 10)):
            found.append(float(x.sum()))
            if number == 3:
                data.tensors[0].zero_()
            if number == 6:
                data.tensors = (X + 1, Y)
        return found

    theirs = sums()
    with installed("pytorch"):
        assert sums() == theirs
    assert theirs[5] == 0 != theirs[8]


def test_a_transform_that_is_replaced_meanwhile_is_seen_at_the_next_batch() -> None:
    with installed("pytorch"):
        from torchvision import datasets, transforms  # type: ignore[import-not-found]

        digits = datasets.MNIST("", download=True, transform=transforms.ToTensor())
        largest = []
        for number, (x, _) in enumerate(DataLoader(Subset(digits, range(60)), 5)):
            largest.append(float(x.max()))
            if number == 5:
                half = [transforms.ToTensor(), transforms.Normalize((0.0,), (0.5,))]
                digits.transform = transforms.Compose(half)
    assert max(largest[:6]) == 1 < min(largest[6:])


def test_batches_may_be_changed_in_place_on_their_own() -> None:
    with installed("pytorch"):
        first, second, third = [x for x, _ in DataLoader(TensorDataset(X, Y), 34)]
    second.mul_(0)
    assert first._version == third._version == 0
    torch.testing.assert_close(torch.cat([first, third]), torch.cat([X[:34], X[68:]]))
    assert float(X.sum()) > 0
