"""What a script derives its own learning rate schedules from."""

from __future__ import annotations

import functools
from typing import Any

import torch

from ...optimizers.schedules import Schedule


class LearningRateSchedule(Schedule):
    """A schedule of a script, with a constructor of its own; it is called with a tensor."""

    def __new__(cls, *args: Any, **words: Any) -> Any:
        """Take whatever the script's constructor takes."""
        return object.__new__(cls)

    def __init__(self, *args: Any, **words: Any) -> None:
        pass

    def __init_subclass__(cls, **words: Any) -> None:
        super().__init_subclass__(**words)
        own = cls.__dict__.get("__call__")
        if own is None:
            return

        @functools.wraps(own)
        def call(self: Any, step: Any) -> Any:
            """Return the rate of a step."""
            with torch.no_grad():
                found = own(self, torch.tensor(step) if isinstance(step, int) else step)
            return float(found) if isinstance(found, torch.Tensor) and isinstance(step, int) else (
                found
            )  # fmt: skip

        cls.__call__ = call  # type: ignore[method-assign]

    def __setattr__(self, key: str, value: Any) -> None:
        object.__setattr__(self, key, value)

    def __delattr__(self, key: str) -> None:
        object.__delattr__(self, key)

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def get_config(self) -> dict[str, Any]:
        """Return the settings; a script's own class says which."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return a schedule with these settings."""
        return cls(**config)
