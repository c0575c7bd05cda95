"""Layers over time: LSTM, GRU, SimpleRNN, RNN of any cells, Bidirectional, with masks."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from ..core.layer import Layer
from ..core.spec import Spec
from ..core.symbol import Symbol
from ..errors import ShapeError, one_of
from .cells import (
    Cell,
    CellWords,
    GRUCell,
    GRUWords,
    LSTMCell,
    LSTMWords,
    SimpleRNNCell,
)
from .masks import mask_of
from .words import Worded
from .wrap import Foreign

Masker = Callable[[Tensor], Tensor]  # from what a mask is made of to the mask (N, steps)


class Overtime(Worded):
    """A layer that reads a sequence step by step: its calls may give states, and a mask."""

    nests: ClassVar[bool] = True  # its weights are those of layers in it
    takes_states: ClassVar[bool] = True  # as further inputs of a call
    carried: ClassVar[list[Tensor]] = []  # what the last batch of a stateful layer ended with
    masked: ClassVar[Masker | None] = None
    ends: ClassVar[dict[int, bool]] = {}  # whether so many further inputs end with a mask's

    def __call__(self, x: Any = None, *more: Any, initial_state: Any = None, mask: Any = None,
                 **words: Any) -> Any:  # fmt: skip
        """Call the layer on a sequence, further states, and what a mask is made of."""
        x = words.pop("inputs", x)
        if isinstance(x, (list, tuple)):
            x, *more = x  # type: ignore[assignment]
        if initial_state is not None:
            several = isinstance(initial_state, (list, tuple))
            more = (*more, *(initial_state if several else [initial_state]))
        inner = isinstance(x, Tensor) and more and initial_state is None  # of a network that runs
        found = (mask, Tensor.bool) if mask is not None else None if inner else mask_of(x)
        if found is not None:
            object.__setattr__(self, "masked", found[1])
            more = (*more, found[0])
        if not inner:
            object.__setattr__(self, "ends", {**self.ends, len(more): found is not None})
        out = super().__call__(x, *more, **words)
        if isinstance(x, Symbol) and found is not None and mask is None:
            self.calls[-1].implied = 1
        return out

    def sorted(self, count: int, *more: Tensor) -> tuple[list[Tensor], Tensor | None]:
        """Return the states among the inputs behind the first, and the mask."""
        if self.ends.get(len(more), len(more) > count):
            masker: Any = getattr(self, "masked", None)
            return list(more[:-1]), masker(more[-1])
        return list(more), None

    def begun(self, given: list[Tensor], zeros: list[Tensor]) -> list[Tensor]:
        """Return the states to begin with: a call's, those of the last batch if stateful, zeros."""
        fits = [one.shape for one in self.carried] == [one.shape for one in zeros]
        return given or (self.carried if fits else zeros)

    def carry(self, states: list[Tensor]) -> list[Tensor]:
        """Return the last states; a stateful layer keeps them for the next batch."""
        if getattr(self, "stateful", False):
            object.__setattr__(self, "carried", [one.detach() for one in states])
        return states

    def reset_states(self, states: Any = None) -> None:
        """Let the next batch begin with zeros, or with these states."""
        several = states if isinstance(states, (list, tuple)) else [states]
        held = [] if states is None else [torch.as_tensor(one).float() for one in several]
        object.__setattr__(self, "carried", held)

    reset_state = reset_states


class Recurrent(Overtime):
    """Apply a cell to each step, beginning with states of zeros, or those that a call gives."""

    if TYPE_CHECKING:
        cell: Any = dataclasses.field(init=False)

    return_sequences: bool = dataclasses.field(default=False, kw_only=True)
    return_state: bool = dataclasses.field(default=False, kw_only=True)
    go_backwards: bool = dataclasses.field(default=False, kw_only=True)
    stateful: bool = dataclasses.field(default=False, kw_only=True)
    zero_output_for_mask: bool = dataclasses.field(default=False, kw_only=True)
    cell_class: ClassVar[type[Cell]] = SimpleRNNCell

    def __post_init__(self) -> None:
        """Make the cell, of the same words."""
        super().__post_init__()
        self.make_cell()

    def make_cell(self) -> None:
        """Make the cell of the layer."""
        known = {item.name for item in dataclasses.fields(self.cell_class)} - {"name"}
        words = {key: value for key, value in self.config().items() if key in known}
        self.cell: Any = self.cell_class(**words, name="cell")

    def build(self, *x: Spec) -> None:
        """Create the weights of the cell for one step."""
        if len(x[0].shape) < 2:
            raise ShapeError(
                self.where,
                "reads a sequence step by step",
                got=f"input {x[0]}",
                need="(steps, features)",
                fix="L.Reshape((-1, 1)) in front, for one number at each step",
            )
        self.cell.ensure_built((Spec(x[0].shape[1:], data_format=x[0].data_format),))

    def infer(self, *x: Spec) -> Any:
        """Return the spec of the output, or of the output and the states."""
        steps, last = x[0].shape[0], Spec((self.cell.units,))
        out = Spec((steps, self.cell.units)) if self.return_sequences else last
        return (out, *(last,) * self.cell.count) if self.return_state else out

    def macs(self, *specs: Spec) -> int:
        """Return the products of all steps."""
        one = Spec(specs[0].shape[1:], data_format=specs[0].data_format)
        return (specs[0].shape[0] or 1) * int(self.cell.macs(one))

    def forward(self, *x: Tensor) -> Any:
        """Go through the steps."""
        states, mask = self.sorted(self.cell.count, *x[1:])
        out, states = self.run(x[0], self.begun(states, self.cell.begin(x[0])), mask)
        states = self.carry(states)
        last = out if self.return_sequences else out[:, -1]
        return (last, *states) if self.return_state else last

    def run(self, x: Tensor, states: list[Tensor], mask: Tensor | None) -> Any:
        """Return the outputs (N, steps, units) in the order of the steps, and the last states."""
        cell = self.cell
        x = x.float() if not x.is_floating_point() else x
        if self.go_backwards:
            x, mask = x.flip(1), None if mask is None else mask.flip(1)
        x, kept = cell.kept(x)
        if mask is None and kept is None and isinstance(cell, LSTMCell) and cell.plain():
            return cell.fused(x, states)
        given = cell.prepare(x)
        return through(
            given, states, mask, lambda one, held: cell.step(one, held, kept),
            zeros=self.zero_output_for_mask,
        )  # fmt: skip


def through(given: Tensor, states: list[Tensor], mask: Tensor | None, step: Any,
            zeros: bool = False) -> tuple[Tensor, list[Tensor]]:  # fmt: skip
    """Return the outputs of all steps and the last states; a masked step repeats the one before."""
    outputs: list[Tensor] = []
    for number, one in enumerate(given.unbind(1)):  # whose gradient is one stack
        new = step(one, states)
        out = new[0]
        if mask is not None:
            keep = mask[:, number].view(-1, *(1,) * (out.dim() - 1))
            before = outputs[-1] if outputs and not zeros else torch.zeros_like(out)
            out = torch.where(keep, out, before)
            new = [torch.where(keep, a, b) for a, b in zip(new, states, strict=True)]
        outputs.append(out)
        states = new
    return torch.stack(outputs, 1), list(states)


class SimpleRNN(Recurrent, CellWords):
    """h' = activation(x @ kernel + h @ recurrent_kernel + bias)."""


class LSTM(Recurrent, LSTMWords):
    """Long short-term memory."""

    cell_class: ClassVar[type[Cell]] = LSTMCell


class GRU(Recurrent, GRUWords):
    """Gated recurrent units."""

    cell_class: ClassVar[type[Cell]] = GRUCell


class RNN(Recurrent):
    """Apply any cell to each step: one of Keras's, several of them, or a script's own."""

    cell: Any

    def make_cell(self) -> None:
        """Put several cells one on the other."""
        if isinstance(self.cell, (list, tuple)):
            self.cell = StackedRNNCells(self.cell)

    def infer(self, *x: Spec) -> Any:
        """Return the spec of the output, or of the output and the states."""
        sizes = _sizes(self.cell)
        width = getattr(self.cell, "output_size", None) or sizes[0]
        last = Spec((int(width),))
        out = Spec((x[0].shape[0], int(width))) if self.return_sequences else last
        return (out, *(Spec((size,)) for size in sizes)) if self.return_state else out

    def forward(self, *x: Tensor) -> Any:
        """Go through the steps."""
        sizes = _sizes(self.cell)
        states, mask = self.sorted(len(sizes), *x[1:])
        states = self.begun(states, [x[0].new_zeros(len(x[0]), size) for size in sizes])
        inputs = x[0].flip(1) if self.go_backwards else x[0]
        mask = mask.flip(1) if mask is not None and self.go_backwards else mask
        last: list[Tensor] = []

        def step(one: Tensor, held: list[Tensor]) -> list[Tensor]:
            out, new = self.cell(one, held)
            last[:] = new if isinstance(new, (list, tuple)) else [new]
            return [out, *last]

        # The output goes through as one more state, so that a mask holds it too.
        width = int(getattr(self.cell, "output_size", None) or sizes[0])
        first = [inputs.new_zeros(len(inputs), width), *states]
        out, ended = through(inputs, first, mask, lambda one, held: step(one, held[1:]))
        out, states = out if self.return_sequences else out[:, -1], self.carry(ended[1:])
        return (out, *states) if self.return_state else out


class StackedRNNCells(Layer):
    """Cells one on the other, as one cell."""

    nests: ClassVar[bool] = True  # its weights are those of the cells
    listed: ClassVar[str] = "cells"  # what the list of them is called in files
    cells: Any

    def __post_init__(self) -> None:
        """Hold the cells."""
        self.held = torch.nn.ModuleList(self.cells)

    @property
    def state_size(self) -> list[int]:
        """Numbers of values of all states."""
        return [size for cell in self.held for size in _sizes(cell)]

    @property
    def output_size(self) -> int:
        """Number of outputs of the last cell."""
        return _sizes(self.held[-1])[0]

    def build(self, *x: Spec) -> None:
        """Build each cell for the one before it."""
        width = x[0]
        for cell in self.held:
            cell.ensure_built((width,))  # type: ignore[operator]
            width = Spec((_sizes(cell)[0],))

    def macs(self, *specs: Spec) -> int:
        """Return the products of one step."""
        widths = [specs[0], *(Spec((_sizes(cell)[0],)) for cell in self.held)]
        return sum(
            int(cell.macs(width))  # type: ignore[operator,misc]
            for cell, width in zip(self.held, widths, strict=False)
        )

    def forward(self, *x: Any) -> Any:
        """Make one step of all."""
        out, states = x[0], list(x[1])
        new: list[Tensor] = []
        for cell in self.held:
            count = len(_sizes(cell))
            out, mine = cell(out, states[:count])
            states = states[count:]
            new += mine if isinstance(mine, (list, tuple)) else [mine]
        return out, new


def _sizes(cell: Any) -> list[int]:
    given = cell.state_size
    return [int(size) for size in given] if isinstance(given, (list, tuple)) else [int(given)]


MERGED: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "concat": lambda a, b: torch.cat([a, b], -1), "sum": torch.add, "mul": torch.mul,
    "ave": lambda a, b: (a + b) / 2,
}  # fmt: skip


class Bidirectional(Overtime):
    """Read a sequence in both directions, and put the two together.

    Fields: `layer`, for the way forward; `merge_mode`, "concat", "sum", "mul", "ave" or None;
    `backward_layer`, for the way back: the same words, turned, if not given.
    """

    if TYPE_CHECKING:  # what it makes of its fields
        forward_layer: Any

    layer: Any
    merge_mode: str | None = "concat"
    backward_layer: Any = dataclasses.field(default_factory=lambda: None)  # no class attribute

    def __post_init__(self) -> None:
        """Make the layer that reads backwards."""
        one_of(self.where, "merge_mode", self.merge_mode or "concat", tuple(MERGED))
        layer: Any = self._modules.pop("layer")
        given = self.backward_layer
        self._modules.pop("backward_layer", None)
        words = copy.deepcopy({key: v for key, v in layer.config().items() if key != "name"})
        words["go_backwards"] = not words.get("go_backwards", False)
        self.forward_layer = layer
        self.backward_layer = type(layer)(**words) if given is None else given
        base = layer.name.removeprefix("forward_")
        self.forward_layer.name, self.backward_layer.name = f"forward_{base}", f"backward_{base}"
        object.__setattr__(self, "layer", layer)

    def config(self) -> dict[str, Any]:
        """Return the fields; the layer is the one that reads forward."""
        return {"layer": self.forward_layer, "merge_mode": self.merge_mode,
                "backward_layer": self.backward_layer, "name": self.name,
                "trainable": self.trainable}  # fmt: skip

    def build(self, *x: Spec) -> None:
        """Build both."""
        for part in (self.forward_layer, self.backward_layer):
            part.ensure_built((x[0],))

    def infer(self, *x: Spec) -> Any:
        """Return the spec of both together, and of their states."""
        out = self.forward_layer.infer(x[0])
        several = out if isinstance(out, tuple) else (out,)
        shape = several[0].shape
        wide = (*shape[:-1], 2 * shape[-1]) if self.merge_mode == "concat" else shape
        ends = (Spec(wide),) if self.merge_mode else (Spec(shape), Spec(shape))
        made = (*ends, *several[1:], *several[1:])
        return made if len(made) > 1 else made[0]

    def macs(self, *specs: Spec) -> int:
        """Return those of both."""
        first = self.forward_layer.macs(specs[0], specs[-1])
        return first + int(self.backward_layer.macs(specs[0], specs[-1]))

    def forward(self, *x: Tensor) -> Any:
        """Run both, turn the sequence of the second around, and merge."""
        count = self.forward_layer.cell.count if hasattr(self.forward_layer, "cell") else 0
        states, mask = self.sorted(2 * count, *x[1:])
        found = []
        for number, part in enumerate((self.forward_layer, self.backward_layer)):
            own = states[number * count : (number + 1) * count]
            object.__setattr__(part, "masked", Tensor.bool)
            given = [*own, *([] if mask is None else [mask])]
            object.__setattr__(part, "ends", {len(given): mask is not None})
            found.append(part.forward(x[0], *given))
        several = [one if isinstance(one, tuple) else (one,) for one in found]
        there, back = several[0][0], several[1][0]
        back = back.flip(1) if self.forward_layer.return_sequences else back
        ends = (MERGED[self.merge_mode](there, back),) if self.merge_mode else (there, back)
        made = (*ends, *several[0][1:], *several[1][1:])
        return made if len(made) > 1 else made[0]

    @property
    def return_sequences(self) -> bool:
        """Whether all steps are given."""
        return bool(self.forward_layer.return_sequences)


class TimeDistributed(Foreign):
    """Apply a layer to each step of a sequence.

    Shape: (steps, ...) -> (steps, what the layer gives for a step).
    """

    nests: ClassVar[bool] = True
    layer: Any

    def build(self, *x: Spec) -> None:
        """Build the layer for one step."""
        self.layer.ensure_built((self.one(x[0]),))

    def one(self, x: Spec) -> Spec:
        """Return the spec of one step."""
        return x.reshape(x.shape[1:])

    def infer(self, *x: Spec) -> Spec:
        """Return the spec of all steps."""
        out = self.layer.infer(self.one(x[0]))
        assert isinstance(out, Spec)
        return out.reshape((x[0].shape[0], *out.shape))

    def macs(self, *specs: Spec) -> int:
        """Return those of the layer, once for each step."""
        return (specs[0].shape[0] or 1) * int(self.layer.macs(*map(self.one, specs)))

    def forward(self, *x: Tensor) -> Tensor:
        """Take all steps as one batch."""
        out: Tensor = self.layer(x[0].flatten(0, 1))
        return out.unflatten(0, x[0].shape[:2])
