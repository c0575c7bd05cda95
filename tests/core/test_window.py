"""Windows: sizes, what is read and the closed form of fields, against plain counting."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from cases import told
from hypothesis import assume, given, strategies as st

from striate.core.window import (
    Field,
    Gone,
    Mix,
    Table,
    Window,
    checked_padding,
    explicit,
    windows,
)

small = st.integers(1, 4)
some_windows = st.builds(
    Window, small, small, small, st.integers(-2, 5), st.integers(-2, 5), st.integers(1, 3)
)


def places(window, size):
    """The cells that each place of the window reads, counted one by one; None is not an input."""
    row = [None] * window.low if window.low > 0 else []
    for cell in range(size):
        row += [cell, *[None] * (window.up - 1)] if cell < size - 1 else [cell]
    row += [None] * max(window.high, 0)
    row = row[max(-window.low, 0) :]
    row = row[: len(row) + min(window.high, 0)] if window.high < 0 else row
    found, start = [], 0
    while start + window.dilation * (window.kernel - 1) < len(row):
        taps = [row[start + tap * window.dilation] for tap in range(window.kernel)]
        found.append({cell for cell in taps if cell is not None})
        start += window.stride
    return found


@given(some_windows, st.integers(1, 12))
def test_size_and_reads_are_those_of_counting(window, size):
    assume((size - 1) * window.up + 1 + min(window.low, 0) + min(window.high, 0) > 0)
    counted = places(window, size)
    assert max(window.size(size), 0) == len(counted)
    if counted:
        reads = window.reads(size, len(counted))
        assert [set(np.flatnonzero(row)) for row in reads] == counted


@given(st.integers(1, 40), small, small, small)
def test_same_gives_the_ceiling_of_size_by_stride(size, kernel, stride, dilation):
    window = Window.same(size, kernel, stride, dilation)
    assert window.size(size) == -(-size // stride)
    assert window.high - window.low in (0, 1)
    without = Window(kernel, stride, dilation, window.low, window.high - 1)
    assert window.high == 0 or without.size(size) < window.size(size)


def test_same_of_an_unknown_size_is_that_of_a_size_which_the_stride_divides():
    assert Window.same(None, 3, 2) == Window.same(28, 3, 2) == Window(3, 2, 1, 0, 1)


@given(some_windows)
def test_smallest_is_the_first_size_with_a_place(window):
    smallest = window.smallest()
    assert window.size(smallest) >= 1
    assert smallest == 1 or window.size(smallest - 1) < 1


@given(some_windows, st.integers(1, 40))
def test_the_printed_arithmetic_is_true(window, size):
    left, right = window.arithmetic(size).split(" = ")
    assert eval(left) == int(right) == window.size(size)


def test_the_printed_arithmetic():
    assert Window(3).arithmetic(28) == "(28 + 0 - 3) // 1 + 1 = 26"
    assert Window(3, 2, 2, 1, 2).arithmetic(28) == "(28 + 3 - (2*(3 - 1) + 1)) // 2 + 1 = 14"
    assert Window(1, low=-1, high=-1).arithmetic(28) == "(28 - 2 - 1) // 1 + 1 = 26"
    assert Window(3, low=2, high=1, up=2).arithmetic(7) == "((7 - 1)*2 + 1 + 3 - 3) // 1 + 1 = 14"
    assert Window(3).arithmetic(None) == "the input size is known only at run time"
    assert Window(3).size(None) is None


stacks = st.lists(
    st.builds(Window, small, small, small, st.integers(0, 3), st.integers(0, 3)),
    min_size=1,
    max_size=4,
)


@given(stacks, st.integers(10, 40))
def test_a_field_is_what_a_stack_of_windows_reads_away_from_borders(stack, size):
    sizes = [size]
    for window in stack:
        sizes.append(window.size(sizes[-1]))
        assume(sizes[-1] >= 1)
    reads = [w.reads(n, m) for w, n, m in zip(stack, sizes, sizes[1:], strict=False)]
    whole = functools.reduce(lambda below, above: above @ below, reads)
    field = functools.reduce(Field.then, stack, Field())
    for unit, row in enumerate(whole):
        cells = np.flatnonzero(row)
        low, high = field.low + unit * field.step, field.high + unit * field.step
        assert all(low <= cell <= high for cell in cells)
        if inside(stack, sizes, unit):
            assert (cells[0], cells[-1]) == (low, high)
            assert field.size == cells[-1] - cells[0] + 1


def inside(stack, sizes, unit):
    """Whether what the unit reads lies inside of every map below it."""
    low = high = unit
    for window, size in zip(reversed(stack), reversed(sizes[:-1]), strict=True):
        low = low * window.stride - window.low
        high = high * window.stride - window.low + window.extent - 1
        if low < 0 or high >= size:
            return False
    return True


@given(some_windows, some_windows, some_windows)
def test_a_window_of_one_cell_changes_no_field(first, second, third):
    def after(*stack):
        return functools.reduce(Field.then, stack, Field())

    assert after(first, Window(), second, third) == after(first, second, third)


def test_fields_join_where_their_steps_agree():
    wide, narrow = Field().then(Window(5, low=2, high=2)), Field().then(Window(1))
    assert wide.join(narrow) == wide
    assert narrow.join(Field().then(Window(2))) == Field().then(Window(2))
    assert wide.join(Field().then(Window(1, 2))) is None


def test_a_transposed_window_reads_fewer_inputs_than_it_has_taps():
    assert Field().then(Window(4, low=3, high=3, up=2)).size == 2


def test_mixing_in_groups_reads_the_part_of_the_group():
    assert Mix().reads(3, 2).all()
    assert Mix(2).reads(4, 2).tolist() == [[True, True, False, False], [False, False, True, True]]


def test_what_is_gone_was_read_as_a_whole():
    assert Gone().reads(3, 1).tolist() == [[True, True, True]]


def test_a_table_reads_its_spans():
    assert Table(((0, 2), (1, 3))).reads(3, 2).tolist() == [
        [True, True, False],
        [False, True, True],
    ]


def test_padding_in_each_of_its_forms():
    assert explicit(2, 2) == ((2, 2), (2, 2))
    assert explicit((1, 2), 2) == ((1, 1), (2, 2))
    assert explicit(((0, 1), (2, 3)), 2) == ((0, 1), (2, 3))
    assert checked_padding("here", [[0, 1], 2], 2, ()) == ((0, 1), 2)
    assert checked_padding("here", "SAME", 2, ("same",)) == "same"


def test_windows_of_each_padding():
    sizes, kernel, strides = (8, None), (3, 3), (2, 2)
    assert windows(sizes, kernel, strides) == (Window(3, 2), Window(3, 2))
    assert windows(sizes, kernel, strides, "same") == (Window(3, 2, 1, 0, 1),) * 2
    assert windows((8,), (3,), (1,), "causal", (2,)) == (Window(3, 1, 2, 4, 0),)
    assert windows(sizes, kernel, strides, ((1, 2), 3)) == (
        Window(3, 2, 1, 1, 2),
        Window(3, 2, 1, 3, 3),
    )


@pytest.mark.parametrize("padding", [-1, True, 1.5, (1,), (1, 2, 3), ((1, 2), (3,)), (1, -1), None])
def test_a_padding_that_is_none_of_its_forms_is_told(padding):
    assert told(lambda: checked_padding("conv (Conv2D)", padding, 2, ("valid", "same"))) == (
        f"conv (Conv2D): padding={padding!r} is not known\n"
        '  need  "valid", "same", a number of cells, or a tuple of 2 numbers or pairs\n'
        '  fix   padding="same"'
    )
