"""Early: how often a loop has used the output of a network before its step."""

from __future__ import annotations

MOST = 2  # times, until no output waits for the step any more


class Early:
    """Whether the outputs of a network may be `later`: computed with the step."""

    def __init__(self) -> None:
        self.times, self.later = 0, False

    def looked_at(self) -> None:
        """Note that an output was used before the step."""
        self.times += 1
        self.later &= self.times < MOST

    def stepped(self, *, whole: bool) -> None:
        """Note a step; `whole`: it could have been one run with its output and its loss."""
        self.later = whole and self.times < MOST
