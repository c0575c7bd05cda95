"""Hooks: what may happen at named moments of training, under Keras's callback names."""

from __future__ import annotations

from collections.abc import Callable

from ...errors import one_of
from .hook import MOMENTS, History, Hook, Watching, ready, tell, tell_steps, watch_batches
from .save import CSVLogger, ModelCheckpoint, TensorBoard
from .schedule import LearningRateScheduler, ReduceLROnPlateau, current_rate, set_rate
from .stop import EarlyStopping, TerminateOnNaN

__all__ = [
    "MOMENTS",
    "CSVLogger",
    "EarlyStopping",
    "History",
    "Hook",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
    "TensorBoard",
    "TerminateOnNaN",
    "Watching",
    "current_rate",
    "ready",
    "set_rate",
    "tell",
    "tell_steps",
    "watch_batches",
]


class LambdaCallback(Hook):
    """A hook of functions, by the moments' names: `LambdaCallback(on_epoch_end=print)`."""

    def __init__(self, **moments: Callable[..., None]) -> None:
        for name, function in moments.items():
            one_of("LambdaCallback", "moment", name, MOMENTS)
            setattr(self, name, function)
