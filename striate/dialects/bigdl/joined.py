"""Networks of several outputs and one criterion on all of them: joined to one vector for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ... import layers as native
from ...errors import caller
from ...losses import Function, Loss
from ...model import Model
from ..table import DialectError
from .criterions_composed import Tabular
from .samples import Array


class Joined:
    """A network whose outputs are one vector, and the loss that takes it apart again.

    Raises: DialectError where outputs or targets are not as many as the criterion compares.
    """

    def __init__(self, model: Model, criterion: Tabular, y: Sequence[Array]) -> None:
        self.shapes = [tuple(int(n or 0) for n in one.shape[1:]) for one in model.outputs]
        self.criterion = criterion
        if len(self.shapes) != criterion.values:
            raise DialectError(
                f"BigDL 0.7 {criterion.kind}",
                "the network has another number of outputs than it compares",
                got=f"{len(self.shapes)} outputs",
                need=f"{criterion.values} outputs",
                fix="Model(inputs, [first, second]), or ConcatTable().add(first).add(second)",
                at=caller(),
            )
        symbols = [native.Flatten()(one) for one in model.outputs]
        whole = native.Concatenate()(*symbols) if len(symbols) > 1 else symbols[0]
        self.model = Model(model.inputs, whole)
        self.wanted = [one.shape[1:] for one in y]

    def targets(self, y: Sequence[Array]) -> Array:
        """Return the targets as one vector for each sample, filled up to that of the outputs."""
        rows = np.concatenate([np.asarray(one, "float32").reshape(len(one), -1) for one in y], 1)
        width = sum(math.prod(shape) for shape in self.shapes)
        if rows.shape[1] > width:
            raise DialectError(
                f"BigDL 0.7 {self.criterion.kind}",
                "the targets have more values than the outputs",
                got=f"targets {', '.join(map(str, self.wanted))}",
                need=f"outputs {', '.join(map(str, self.shapes))}",
                at=caller(),
            )
        return np.pad(rows, ((0, 0), (0, width - rows.shape[1])))

    def loss(self) -> Loss:
        """Return the native loss."""

        def compared(y_true: Tensor, y_pred: Tensor) -> Tensor:
            x, y = _apart(y_pred, self.shapes), _apart(y_true, self.wanted)
            return self.criterion.compared(x, y)

        return Function(compared)


def _apart(rows: Tensor, shapes: Sequence[Any]) -> list[Tensor]:
    sizes = [math.prod(shape) for shape in shapes]
    parts = torch.split(rows[:, : sum(sizes)], sizes, 1)
    return [part.reshape(len(part), *shape) for part, shape in zip(parts, shapes, strict=True)]
