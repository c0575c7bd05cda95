"""Lives: images of one form lie in one place where they are not needed at the same time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .plan import Over, Plan, View

Moment = tuple[int, int]  # a stage of a plan, and a call in it
ALL_CALLS = 1 << 30  # behind every call of a stage


def share(plan: Plan, forms: Mapping[int, object], lasting: set[int]) -> None:
    """Let buffers of the plan lie where others did that no later call reads.

    `forms`: the buffers that hold an image for each sample, with all that tells where in them the
    zeros are; only those of equal forms come to lie in one place, since zeros are written once.
    `lasting`: buffers that are read from outside, and stay as they are. A buffer begins when it is
    first written, in each step anew, so that its samples are those of the calls around it.
    """
    free: dict[object, list[tuple[Moment, int]]] = {}
    lives = _lives(plan)
    for buffer in sorted(forms.keys() & lives.keys(), key=lambda one: (lives[one][0], one)):
        begin, end = lives[buffer]
        if buffer in lasting:
            continue
        places = free.setdefault(forms[buffer], [])
        unused = [(last, place) for last, place in places if last < begin]
        place = buffer
        if unused:
            last, place = max(unused)  # what was used last is still in the caches
            places.remove((last, place))
            plan.buffers[buffer].place = place
        places.append((end, place))


def _lives(plan: Plan) -> dict[int, tuple[Moment, Moment]]:
    """Return the first and the last moment of each buffer that calls know as an image."""
    lives: dict[int, tuple[Moment, Moment]] = {}
    for buffer, begin, end in _uses(plan):
        first, last = lives.get(buffer, (begin, end))
        lives[buffer] = (min(first, begin), max(last, end))
    return lives


def _uses(plan: Plan) -> Iterator[tuple[int, Moment, Moment]]:
    """Yield each use of a buffer, from when to when.

    A sample goes through the calls of a stage over samples one after the other; in other stages the
    calls may come at any time.
    """
    for number, stage in enumerate(plan.stages):
        for place, call in enumerate(stage.calls):
            ordered = stage.over is Over.SAMPLES
            begin, end = (
                (number, place if ordered else 0),
                (number, place if ordered else ALL_CALLS),
            )
            for value in call.fields.values():
                if isinstance(value, View) and value.buffer >= 0:
                    yield value.buffer, begin, end
