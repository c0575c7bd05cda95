"""What callbacks are told while a model is judged or used: the moments of tests and predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from .progress import Numbers, Told, hears
from .session import KerasSession

TESTS = ("on_test_begin", "on_test_end", "on_test_batch_begin", "on_test_batch_end")
PREDICTIONS = ("on_predict_begin", "on_predict_end", "on_predict_batch_begin",
               "on_predict_batch_end")  # fmt: skip


@contextmanager
def listening(session: KerasSession, hooks: Iterable[Any]) -> Iterator[None]:
    """Tell callbacks inside a block what happens when the model is judged."""
    before = session.listeners
    told = [one for one in hooks if isinstance(one, Told) and hears(one.callback, TESTS)]
    session.listeners = [*before, *told]
    try:
        yield
    finally:
        session.listeners = before


class Judging:
    """Tells what listens of one pass over data that are not trained on."""

    def __init__(self, listeners: list[Any], numbers: Callable[[], Any]) -> None:
        self.listeners, self.numbers, self.begun = listeners, numbers, False

    def tell(self, moment: str, *args: Any) -> None:
        """Call a moment of all."""
        for one in self.listeners:
            one.tell(moment, *args)

    def before(self, number: int) -> None:
        """Tell that a batch begins."""
        if not self.begun:
            self.begun = True
            self.tell("on_test_begin", Numbers())
        self.tell("on_test_batch_begin", number, Numbers())

    def after(self, number: int) -> None:
        """Tell the numbers so far."""
        for one in self.listeners:
            one.tell("on_test_batch_end", number, one.rename(self.numbers()))

    def end(self) -> None:
        """Tell that the pass has ended."""
        if self.begun:
            self.begun = False
            for one in self.listeners:
                one.tell("on_test_end", one.rename(self.numbers()))


def heard(session: KerasSession, step: Any) -> Any:
    """Return the engine's step, which tells of every batch that it judges where somebody listens.

    Then it takes one batch at a time.
    """
    if not session.listeners:
        return step
    judging = Judging(session.listeners, step.logs)
    portions, test, number = step.portions, step.test, [0]

    def one_by_one(batches: Any, several: bool) -> Iterator[Any]:
        for number[0], batch in enumerate(portions(batches, several=False)):
            yield batch
        judging.end()

    def tested(batch: Any) -> None:
        judging.before(number[0])
        test(batch)
        judging.after(number[0])

    step.portions, step.test = one_by_one, tested
    return step


def told_of_prediction(callbacks: Iterable[Any], owner: Any, steps: int) -> None:
    """Tell callbacks that a model was used on so many batches."""
    hooks = [Told(one, owner) for one in callbacks if hears(one, PREDICTIONS)]
    for hook in hooks:
        hook.set_model(owner)
        hook.tell("on_predict_begin", Numbers())
        for number in range(steps):
            hook.tell("on_predict_batch_begin", number, Numbers())
            hook.tell("on_predict_batch_end", number, Numbers())
        hook.tell("on_predict_end", Numbers())
