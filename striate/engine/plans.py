"""The plan of a model, to be read: model.lower().explain()."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..data import check
from ..errors import ConfigError
from ..losses import Entropy
from ..lower.lower import Lowered, lower
from ..lower.rules import covered
from ..lower.trace import trace
from .native import NativeStep
from .setup import setup_of

if TYPE_CHECKING:
    from ..model import Model


def lower_model(
    model: Model, batch_size: int = 32, *, training: bool = False, dtype: str = "float32"
) -> Lowered:
    """Return the plan of kernels with which the model predicts, or, if `training`, is trained.

    `print(model.lower().explain())` shows which layers are computed together, by which kernels,
    with how many multiply-accumulates and bytes, how long about, and where threads wait for each
    other. `dtype`: of the inputs, "float32" or "uint8".

    Raises: ConfigError for a model that runs on torch's operations as a whole, with the reason.
    """
    check.settings("lower", batch_size=batch_size)
    dtypes = (dtype,) * len(model.graph.inputs)
    if not training:
        program = trace(model.graph, False)
        why = covered(program)
        if why:
            raise ConfigError("lower", "finds no plan for this model", got=why)
        return lower(program, batch_size, dtypes)
    step = NativeStep(model, setup_of(model, training=True), training=True)
    why = step.why_not(training=True)
    labels = isinstance(step.losses[0], Entropy)
    lowered = None if why else step.lowered(batch_size, dtypes, labels, False, training=True)
    if lowered is None:
        raise ConfigError("lower", "finds no plan for training this model", got=why)
    return lowered
