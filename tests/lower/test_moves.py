"""Arrays that are copied again and again, in every order of axes."""

import numpy as np
import pytest
import torch

from striate.lower import runtime
from striate.lower.moves import Moves, form

pytestmark = pytest.mark.skipif(runtime.library() is None, reason="the native engine was not built")


def numbers(shape):
    return np.float32(np.random.default_rng(0).random(shape))


CASES = {  # what is copied, and how the target shows memory without gaps
    "a vector": (numbers(7), (7,), lambda memory: memory),
    "one number": (numbers((1, 1)), (1,), lambda memory: memory.reshape(1, 1)),
    "an axis of one": (numbers((1, 9)), (9,), lambda memory: memory.reshape(1, 9)),
    "rows with gaps": (numbers((5, 12))[:, :9], (5, 16), lambda memory: memory[:, :9]),
    "exchanged": (numbers((33, 70)), (70, 33), lambda memory: memory.T),
    "a kernel of torch": (
        numbers((20, 6, 5, 3)), (5, 3, 6, 32),
        lambda memory: memory[..., :20].transpose(3, 2, 0, 1),
    ),
    "a kernel that is turned": (
        numbers((20, 6, 5, 3))[:, :, ::-1, ::-1], (5, 3, 6, 32),
        lambda memory: memory[..., :20].transpose(3, 2, 0, 1),
    ),
    "into a kernel that is turned": (
        numbers((5, 3, 6, 20)), (20, 6, 5, 3),
        lambda memory: memory[:, :, ::-1, ::-1].transpose(2, 3, 1, 0),
    ),
    "more than matrices": (
        numbers((3, 4, 5, 6))[::2, ::2, ::2, ::2], (2, 2, 3, 3), lambda memory: memory,
    ),
    "doubles": (np.random.default_rng(0).random((4, 5)), (5, 4), lambda memory: memory.T),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_pair_is_copied_in_each_run_and_nothing_beside_it_is_written(name):
    source, shape, shown = CASES[name]
    memory = np.full(shape, -1, np.float32)
    source = source.copy() if name == "doubles" else source
    target = shown(memory)
    moves = Moves(runtime.library(), 2)
    moves.set(0, target, source)
    other = np.zeros(3, np.float32)
    moves.set(1, other, np.ones(3, np.float32))
    for _ in range(2):
        target[...] = 0
        other[...] = 0
        moves.run()
        assert np.array_equal(target, np.float32(source))
        assert (other == 1).all()
    assert (memory == -1).sum() == memory.size - source.size


def test_kernels_are_matrices_both_ways():
    turned = (-12, -4, 36, 1152)  # (3, 3, 32, 64) of ReNom's (64, 32, 3, 3)
    flat = (24576, 8192, 256, 4)
    for strides in ((turned, flat), (flat, turned)):
        assert form((3, 3, 32, 64), *strides) is not None


def test_what_is_cleared_is_not_copied():
    moves = Moves(runtime.library(), 1)
    target, doubles = np.zeros((3, 4), np.float32), np.ones((3, 4))
    for source in (np.ones((3, 4), np.float32), doubles):
        moves.set(0, target, source)
        moves.clear(0)
        moves.run()
        assert not target.any()
        moves.set(0, target, source)
        moves.run()
        assert target.all()
        target[:] = 0


def test_tensors_that_are_sent_to_are_others_each_time():
    moves = Moves(runtime.library(), 1)
    source = numbers((5, 3, 6, 32))[..., :20].transpose(3, 2, 0, 1)
    for _ in range(3):
        for order in (torch.contiguous_format, torch.channels_last):
            target = torch.empty(20, 6, 5, 3).contiguous(memory_format=order)
            moves.send(0, target, source)
            moves.run()
            moves.forget()
            assert np.array_equal(target.numpy(), source)


def test_a_form_says_what_no_matrix_can():
    assert form((4, 4), (0, 4), (16, 4)) is None  # a row that is repeated
    assert form((4, 4), (17, 4), (16, 4)) is None  # between two numbers
    assert form((4, 0), (16, 4), (16, 4)) is None
    assert form((4, 4), (16, 4), (16, 4)) == form((16,), (4,), (4,))
