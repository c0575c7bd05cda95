"""Clock: where the time of a training goes."""

from __future__ import annotations

import time


class Clock:
    """Adds up seconds by what they were spent on: `spent`, by name.

    On a graphics card a step is over when it is given to the card, and waiting for the card counts
    to whoever asks for its numbers.
    """

    def __init__(self) -> None:
        self.spent = {"data": 0.0, "steps": 0.0, "validation": 0.0, "hooks": 0.0}
        self.last = time.perf_counter()

    def lap(self, name: str) -> None:
        """Count the time since the last lap as spent on `name`."""
        now = time.perf_counter()
        self.spent[name] += now - self.last
        self.last = now
