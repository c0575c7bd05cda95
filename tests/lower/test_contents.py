"""Changes of tensors are seen, also those that torch does not count."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from striate.lower.contents import SOME, Contents
from striate.lower.runtime import library


def stepped(tensor: Tensor) -> None:
    tensor.grad = torch.ones_like(tensor)
    torch.optim.Adam([tensor], lr=1e-3, fused=True).step()


def swapped(tensor: Tensor) -> None:
    first, last = tensor.data.flatten()[[0, -1]].tolist()
    tensor.data.view(-1)[0], tensor.data.view(-1)[-1] = last, first


WAYS: dict[str, Callable[[Tensor], object]] = {
    "data": lambda tensor: tensor.data.mul_(0.5),
    "signs": lambda tensor: tensor.data.neg_(),
    "twice": lambda tensor: tensor.data.mul_(2),
    "other data": lambda tensor: setattr(tensor, "data", tensor.data * 0.5),
    "detached": lambda tensor: tensor.detach().clamp_(-0.1, 0.1),
    "numpy": lambda tensor: tensor.detach().numpy().fill(0.5),
    "a fused optimizer": stepped,
    "two numbers": swapped,
}


def contents(*tensors: Tensor, sure: bool = False) -> Contents:
    native = library()
    assert native is not None
    return Contents(tensors, native, sure)


@pytest.mark.parametrize("shape", [(1,), (3, 3), (257,), (64, 64, 3, 3)])
@pytest.mark.parametrize("way", WAYS)
def test_a_change_is_seen_and_none_is_not(way: str, shape: tuple[int, ...]) -> None:
    tensor, other = nn.Parameter(torch.randn(shape)), nn.Parameter(torch.randn(5))
    held = contents(other, tensor)
    before = held.state()
    assert held.state() == before
    if tensor.numel() > 1 or way != "two numbers":
        WAYS[way](tensor)
        assert held.state() != before


def test_of_large_tensors_each_number_is_looked_at_where_that_is_asked_for() -> None:
    tensor = torch.zeros(SOME)  # of four bytes each
    sure, fast = contents(tensor, sure=True), contents(tensor)
    before, loose = sure.state(), fast.state()
    seen = 0
    for place in range(len(tensor)):
        tensor.numpy()[place] = 1
        assert sure.state() != before
        seen += fast.state() != loose
        tensor.numpy()[place] = 0
    assert sure.state() == before
    assert SOME // 4 <= seen < len(tensor)


def test_bytes_at_the_ends_of_tensors_count_and_those_behind_do_not() -> None:
    for size in range(1, 150):
        room = torch.zeros(size + 1, dtype=torch.uint8)
        held = contents(room[:size])
        before = held.state()[1]
        room.numpy()[size] = 1
        assert held.state()[1] == before
        room.numpy()[size - 1] = 1
        assert held.state()[1] != before


def test_tensors_with_their_axes_in_another_order_count() -> None:
    maps = torch.randn(4, 3, 5, 5).contiguous(memory_format=torch.channels_last)
    held = contents(maps)
    before = held.state()
    maps.data[3, 2, 4, 4] += 1
    assert held.state() != before
