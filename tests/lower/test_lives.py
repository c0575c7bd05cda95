"""Images that share a place in the arena."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import pytest
from graphs import random_model

from striate.lower.lives import _lives, share
from striate.lower.lower import lower
from striate.lower.plan import ABSENT, Call, Over, Plan, Stage, View
from striate.lower.trace import trace


def plan(*stages: tuple[Over, list[tuple[int, int]]]) -> tuple[Plan, list[int]]:
    """Return a plan of copies from buffer to buffer, and its buffers, a to e by number."""
    made = Plan(batch=2)
    buffers = [made.add(16, 2, name) for name in "abcde"]
    for over, copies in stages:
        calls = [Call("copy", {"input": View(a), "output": View(b)}) for a, b in copies]
        made.stages.append(Stage(over, 1, calls))
    return made, buffers


CHAIN = [(0, 1), (1, 2), (2, 3), (3, 4)]


@pytest.mark.parametrize(
    ("stages", "lasting", "places"),
    [
        pytest.param([(Over.SAMPLES, CHAIN)], set(), [-1, -1, 0, 1, 0], id="a chain takes turns"),
        pytest.param([(Over.PARTS, CHAIN)], set(), [-1] * 5, id="parts come at any time"),
        pytest.param(
            [(Over.PARTS, [one]) for one in CHAIN], set(), [-1, -1, 0, 1, 0], id="stages wait"
        ),
        pytest.param([(Over.SAMPLES, CHAIN)], {0, 2}, [-1, -1, -1, 1, -1], id="some stay"),
        pytest.param(
            [(Over.SAMPLES, CHAIN), (Over.SAMPLES, [(1, 0)])],
            set(),
            [-1, -1, -1, -1, 2],
            id="a later reader keeps its image",
        ),
    ],
)
def test_what_is_not_read_again_gives_its_place_away(stages, lasting, places):
    made, buffers = plan(*stages)
    share(made, dict.fromkeys(buffers, "form"), lasting)
    assert [made.buffers[one].place for one in buffers] == places
    made.place()
    roots = [
        buffer if place == ABSENT else place for buffer, place in zip(buffers, places, strict=True)
    ]
    assert [made.buffers[one].offset for one in buffers] == [
        made.buffers[one].offset for one in roots
    ]


def test_images_of_other_forms_never_share():
    made, buffers = plan((Over.SAMPLES, CHAIN))
    share(made, {one: "large" if one < 2 else "small" for one in buffers}, set())
    assert [made.buffers[one].place for one in buffers] == [-1, -1, -1, -1, 2]


def test_no_two_images_of_a_network_are_in_a_place_at_once():
    shared = 0
    for seed in range(40):
        program = trace(random_model(seed).graph, training=True)
        made = lower(program, 4, ["float32"] * len(program.inputs), backward=True).plan
        lives, tenants = _lives(made), defaultdict(list)
        for number in lives:
            place = made.buffers[number].place
            tenants[number if place == ABSENT else place].append(lives[number])
            shared += place != ABSENT
        for spans in tenants.values():
            for before, after in pairwise(sorted(spans)):
                assert before[1] < after[0]
    assert shared > 40
