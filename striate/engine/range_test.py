"""The range test: which learning rate makes the loss fall fastest."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ConfigError, TrainingError
from ..settings import check_range
from . import hooks as moments
from .batches import Batches, checked, prepare
from .setup import setup_of
from .step import Step

if TYPE_CHECKING:
    from ..model import Model


def find_lr(
    model: Model,
    x: Any,
    y: Any = None,
    *,
    batch_size: int = 64,
    steps: int = 100,
    lowest: float = 1e-6,
    highest: float = 1.0,
) -> dict[str, Any]:
    """Try learning rates from `lowest` to `highest`, one a step.

    Returns {"suggestion", "lr", "loss"}: the suggestion is the rate at which the smoothed loss
    falls fastest. The weights and the optimizer's state are those of before.

    Source: L. Smith, Cyclical Learning Rates for Training Neural Networks, 2017.
    """
    check_range("find_lr", "batch_size", batch_size, "int [1, inf)", 64)
    check_range("find_lr", "steps", steps, "int [3, inf)", 100)
    check_range("find_lr", "lowest", lowest, "(0, inf)", 1e-6)
    check_range("find_lr", "highest", highest, "(0, inf)", 1.0)
    if not lowest < highest:
        raise ConfigError(
            "find_lr",
            "the range of learning rates is empty",
            got=f"lowest={lowest!r}, highest={highest!r}",
            need="lowest < highest",
            fix="lowest=1e-06, highest=1.0",
        )
    data = prepare(model, x, y, None, batch_size, shuffle=True)
    setup, mode = setup_of(model), model.training
    step = Step(model, setup, training=True)
    if not step.weights:
        raise TrainingError(
            model.where,
            "has nothing to train: every weight is frozen",
            need="at least one trainable weight",
            fix="layer.trainable = True for the layers that shall learn",
        )
    batches = Batches(model, checked(model, step, data), steps)
    state, optimizer = setup.state, setup.optimizer
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    rates: list[float] = []
    losses: list[float] = []
    smooth = 0.0
    setup.state = optimizer.init(step.weights)
    try:
        for number, batch in enumerate(batches):
            rate = lowest * (highest / lowest) ** (number / (steps - 1))
            moments.set_rate(model, rate)
            step.reset()
            step.train(batch)
            smooth = 0.9 * smooth + 0.1 * step.logs()["loss"]
            value = smooth / (1 - 0.9 ** (number + 1))  # without the pull of the first 0
            if not math.isfinite(value) or (losses and value > 4 * min(losses)):
                break
            rates.append(rate)
            losses.append(value)
    finally:
        setup.state, setup.optimizer = state, optimizer
        model.load_state_dict(weights)
        model.train(mode)
    slope = np.gradient(losses, np.log(rates)) if len(losses) > 2 else np.zeros(1)
    best = rates[int(np.argmin(slope))] if rates else lowest
    setup.range_test = {"suggestion": best, "lr": rates, "loss": losses}
    return setup.range_test
