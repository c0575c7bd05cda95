"""Embedding and Masking: what sequences of numbers begin with."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from ..core.operation import Lookup, Told, from_user, to_user
from ..core.spec import Spec, checked_count
from ..core.window import ROWS, Geometry
from ..errors import ShapeError
from .masks import marked
from .words import Initial, Limit, Penalty, Worded


class Embedding(Worded):
    """Give each whole number its row of a table of weights (input_dim, output_dim).

    Fields: `mask_zero`, whether layers over time pass over the steps of number 0.
    Shape: (steps,) -> (steps, output_dim).
    """

    input_dim: int
    output_dim: int
    embeddings_initializer: Initial = "random_uniform"
    embeddings_regularizer: Penalty = None
    embeddings_constraint: Limit = None
    mask_zero: bool = False
    dropout: float = dataclasses.field(default=0.0, kw_only=True)  # of rows, in Keras 1

    def __post_init__(self) -> None:
        """Check both sizes."""
        checked_count(self.where, "input_dim", self.input_dim)
        checked_count(self.where, "output_dim", self.output_dim)
        super().__post_init__()

    @property
    def masks(self) -> bool:
        """Whether the layer says which steps count."""
        return self.mask_zero

    def mask(self, x: Tensor) -> Tensor:
        """Return which steps count."""
        return x != 0

    def build(self, *x: Spec) -> None:
        """Create the table."""
        self.embeddings = self.add_worded("embeddings", (self.input_dim, self.output_dim))

    def infer(self, *x: Spec) -> Spec:
        """Return the spec of the rows."""
        return Spec((*x[0].shape, self.output_dim), data_format=x[0].data_format)

    def windows(self, *x: Spec) -> Geometry:
        """Each place is looked up alone."""
        return ROWS

    def told(self, *x: Spec) -> Told:
        """Look up."""
        return (*to_user(x[0]), Lookup("embeddings"), *from_user(self.infer(*x)))

    def macs(self, *specs: Spec) -> int:
        """Return 0: rows are looked up."""
        return 0

    def forward(self, *x: Tensor) -> Tensor:
        """Look up the rows."""
        numbers = x[0].long()
        table = self.embeddings
        if self.dropout and self.training:
            table = table * functional.dropout(torch.ones_like(table[:, :1]), self.dropout)
        try:
            out = functional.embedding(numbers, table)
        except IndexError:
            raise ShapeError(
                self.where,
                "was given a number that the table has no row for",
                got=f"numbers {int(numbers.min())} to {int(numbers.max())}",
                need=f"0 to {self.input_dim - 1}: input_dim={self.input_dim}",
                fix=f"input_dim={int(numbers.max()) + 1}, or imdb.load_data(num_words="
                f"{self.input_dim})",
            ) from None
        return marked(out, x[0] != 0) if self.mask_zero else out


class Masking(Worded):
    """Say that steps whose values are all `mask_value` do not count; they become 0."""

    masks: ClassVar[bool] = True
    mask_value: float = 0.0

    def mask(self, x: Tensor) -> Tensor:
        """Return which steps count."""
        return (x != self.mask_value).any(-1)

    def infer(self, *x: Spec) -> Spec:
        """Return the spec of the input."""
        return x[0]

    def macs(self, *specs: Spec) -> int:
        """Return 0."""
        return 0

    def forward(self, *x: Tensor) -> Tensor:
        """Set the steps that do not count to 0."""
        kept = self.mask(x[0])
        return marked(x[0] * kept.unsqueeze(-1), kept)
