"""ConvLSTM1D to 3D: LSTMs whose products are convolutions, over sequences of images."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from ...core.spec import Spec, checked_count, checked_sizes
from ...layers import Conv1D, Conv2D, Conv3D
from ...layers.cells import RecurrentWords, States
from ...layers.kernel import Activation
from ...layers.recurrent import Overtime, through
from ..tensor_nn import conv2d, same

Sizes = int | tuple[int, ...]
CONVOLUTIONS: dict[int, Any] = {1: Conv1D, 2: Conv2D, 3: Conv3D}
PLAIN: dict[int, Any] = {1: functional.conv1d, 3: functional.conv3d}


def convolved(x: Tensor, kernel: Tensor, strides: tuple[int, ...], padding: str,
              dilation: tuple[int, ...]) -> Tensor:  # fmt: skip
    """Return the cross-correlation (N, ..., channels) with a kernel (..., in, out)."""
    rank = kernel.dim() - 2
    if rank == 2:
        return conv2d(x, kernel, strides, padding, "channels_last", dilation)
    x = x.movedim(-1, 1)
    x = same(x, kernel.shape[:rank], strides, dilation) if padding == "same" else x
    weight = kernel.movedim((-1, -2), (0, 1))
    out: Tensor = PLAIN[rank](x, weight, stride=strides, dilation=dilation)
    return out.movedim(1, -1)


class ConvLSTMWords(RecurrentWords):
    """The fields of the cell and of the layer."""

    of_keras: ClassVar[bool] = True  # files may name the class: its fields have Keras's names
    rank: ClassVar[int] = 2
    filters: int
    kernel_size: Sizes
    strides: Sizes = 1
    padding: str = "valid"
    data_format: str | None = None
    dilation_rate: Sizes = 1
    activation: Activation = "tanh"
    recurrent_activation: Activation = "sigmoid"
    use_bias: bool = True
    unit_forget_bias: bool = dataclasses.field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        """Check the sizes, and look every word up."""
        checked_count(self.where, "filters", self.filters)
        for field in ("kernel_size", "strides", "dilation_rate"):
            checked_sizes(self.where, field, getattr(self, field), self.rank)
        super().__post_init__()

    def sizes(self, field: str) -> tuple[int, ...]:
        """Return one number for each axis of an image."""
        return checked_sizes(self.where, field, getattr(self, field), self.rank)


class ConvLSTM2DCell(ConvLSTMWords):
    """One step: an image and the states -> the output and the memory."""

    def build(self, *x: Spec) -> None:
        """Create the kernels (rows, columns, in, 4 * filters) and the bias."""
        sides, wide = self.sizes("kernel_size"), 4 * self.filters
        self.kernel = self.add_worded("kernel", (*sides, int(x[0].channels or 0), wide))
        self.recurrent_kernel = self.add_worded(
            "recurrent_kernel", (*sides, self.filters, wide), "recurrent"
        )
        self.bias = self.add_worded("bias", (wide,)) if self.use_bias else None
        if self.bias is not None and self.unit_forget_bias:
            self.bias.data[self.filters : 2 * self.filters] = 1.0

    def prepare(self, x: Tensor) -> Tensor:
        """Return what the inputs (N, steps, H, W, C) add to the gates."""
        out = convolved(x.flatten(0, 1), self.kernel, self.sizes("strides"), self.padding,
                        self.sizes("dilation_rate"))  # fmt: skip
        out = out if self.bias is None else out + self.bias
        return out.unflatten(0, x.shape[:2])

    def step(self, given: Tensor, states: States, kept: Tensor | None) -> list[Tensor]:
        """Return the new output and the new memory."""
        before = states[0] if kept is None else states[0] * kept
        once = (1,) * self.rank
        inner = convolved(before, self.recurrent_kernel, once, "same", once)
        into, forget, candidate, out = (given + inner).chunk(4, -1)
        memory = self.ended(forget, "recurrent_activation") * states[1]
        memory = memory + self.ended(into, "recurrent_activation") * self.ended(candidate)
        return [self.ended(out, "recurrent_activation") * self.ended(memory), memory]


class ConvLSTM2D(Overtime, ConvLSTMWords):
    """Apply the cell to each image of a sequence.

    Shape: (steps, H, W, C) -> (H', W', filters), or of all steps.
    Source: Shi et al., Convolutional LSTM Network, 2015.
    """

    return_sequences: bool = dataclasses.field(default=False, kw_only=True)
    return_state: bool = dataclasses.field(default=False, kw_only=True)
    go_backwards: bool = dataclasses.field(default=False, kw_only=True)
    stateful: bool = dataclasses.field(default=False, kw_only=True)

    cell_class: ClassVar[type[ConvLSTM2DCell]] = ConvLSTM2DCell

    def __post_init__(self) -> None:
        """Make the cell, of the same words."""
        super().__post_init__()
        known = {item.name for item in dataclasses.fields(self.cell_class)} - {"name"}
        words = {key: value for key, value in self.config().items() if key in known}
        self.cell = self.cell_class(**words, name="cell")

    def build(self, *x: Spec) -> None:
        """Create the weights of the cell for one image."""
        self.cell.ensure_built((self.image(x[0]),))

    def image(self, x: Spec) -> Spec:
        """Return the spec of one image, with its channels last."""
        _, *sizes = x.shape
        first = (self.data_format or x.data_format) == "channels_first"
        return Spec((*sizes[1:], sizes[0]) if first else tuple(sizes))

    def infer(self, *x: Spec) -> Any:
        """Return the spec of the output, or of the output and the states."""
        self.expect_rank(x[0], self.rank + 2)
        image = self.image(x[0])
        words = (self.filters, self.kernel_size, self.strides, self.padding, self.dilation_rate)
        out = CONVOLUTIONS[self.rank](*words).infer(image)
        assert isinstance(out, Spec)
        first = (self.data_format or x[0].data_format) == "channels_first"
        shape = (out.shape[-1], *out.shape[:-1]) if first else out.shape
        one = Spec(shape, data_format=x[0].data_format)
        whole = one.reshape((x[0].shape[0], *shape)) if self.return_sequences else one
        return (whole, one, one) if self.return_state else whole

    def macs(self, *specs: Spec) -> int:
        """Return the products of all steps."""
        *places, channels = (size or 1 for size in self.image(specs[0]).shape)
        cells = math.prod(places) * math.prod(self.sizes("kernel_size")) * 4 * self.filters
        return (specs[0].shape[0] or 1) * cells * (channels + self.filters)

    def forward(self, *x: Tensor) -> Any:
        """Go through the images."""
        states, mask = self.sorted(2, *x[1:])
        first = (self.data_format or self.specs[0].data_format) == "channels_first"
        images = x[0].movedim(2, -1) if first else x[0]
        if self.go_backwards:
            images, mask = images.flip(1), None if mask is None else mask.flip(1)
        if self.training and self.dropout:
            images = images * functional.dropout(torch.ones_like(images[:, :1]), self.dropout)
        given = self.cell.prepare(images)
        empty = given.new_zeros(*given[:, 0].shape[:-1], self.filters)
        states = [one.movedim(1, -1) if first else one for one in states]
        states = self.begun(states, [empty, empty])
        drops = self.training and self.recurrent_dropout
        kept = functional.dropout(torch.ones_like(empty), self.recurrent_dropout) if drops else None
        out, states = through(given, states, mask, lambda one, held: self.cell.step(
            one, held, kept))  # fmt: skip
        states = self.carry(states)
        out = out if self.return_sequences else out[:, -1]
        out, *states = (one.movedim(-1, -1 - self.rank) if first else one for one in (out, *states))
        return (out, *states) if self.return_state else out


class ConvLSTM1DCell(ConvLSTM2DCell):
    """One step, of a line."""

    rank = 1


class ConvLSTM1D(ConvLSTM2D):
    """Apply the cell to each line of a sequence: (steps, L, C) -> (L', filters)."""

    rank = 1
    cell_class = ConvLSTM1DCell


class ConvLSTM3DCell(ConvLSTM2DCell):
    """One step, of a volume."""

    rank = 3


class ConvLSTM3D(ConvLSTM2D):
    """Apply the cell to each volume of a sequence: (steps, D, H, W, C) -> (D', H', W', filters)."""

    rank = 3
    cell_class = ConvLSTM3DCell
