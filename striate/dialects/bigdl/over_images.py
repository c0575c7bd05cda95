"""BigDL's long short-term memory of images and volumes, whose gates are convolutions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ...core.layer import Layer
from ...core.spec import Spec
from . import learned
from .kind import REQUIRED, Kind, Words


class ImageMemory(nn.Module):
    """Reads (steps, channels, *sides); the gates see the memory through weights per channel.

    Formula: i, f = s(W x + U h + p c), c = f c + i tanh(W x + U h), o = s(W x + U h + p c),
    h = o tanh(c); the convolutions keep the sides, so that the states have the input's.
    """

    def __init__(self, words: Words, rank: int, act: Any, gates: Any) -> None:
        super().__init__()
        kind: Any = nn.Conv2d if rank == 2 else nn.Conv3d
        size = words["output_size"]
        pads = [words["padding"] if words["padding"] != -1 else words[name] // 2
                for name in ("kernel_i", "kernel_c")]  # fmt: skip
        self.into = kind(words["input_size"], 4 * size, words["kernel_i"], words["stride"], pads[0])
        self.within = kind(size, 4 * size, words["kernel_c"], 1, pads[1], bias=False)
        shape = (3, size, *[1] * rank)
        self.peepholes = learned.uniform(*shape, fan=size) if words["with_peephole"] else None
        self.act, self.gates = act, gates

    def forward(self, x: Tensor) -> Tensor:
        """Return the states of all steps."""
        given = self.into(x.flatten(0, 1)).unflatten(0, x.shape[:2])
        state = given.new_zeros(given.shape[0], given.shape[2] // 4, *given.shape[3:])
        memory, states = state, []
        for step in given.unbind(1):
            into, forget, new, out = (step + self.within(state)).chunk(4, 1)
            if self.peepholes is not None:
                into, forget = (
                    into + self.peepholes[0] * memory,
                    forget + self.peepholes[1] * memory,
                )
            memory = self.gates(forget) * memory + self.gates(into) * self.act(new)
            if self.peepholes is not None:
                out = out + self.peepholes[2] * memory
            state = self.gates(out) * self.act(memory)
            states.append(state)
        return torch.stack(states, 1)


def _memory(rank: int) -> Callable[[Words, Spec], Sequence[Layer]]:
    from .over_time import _act

    def make(words: Words, x: Spec) -> Sequence[Layer]:
        defaults = {"activation": "tanh", "inner_activation": "sigmoid"}
        acts = [learned.activation(_act(words.get(word), act)) for word, act in defaults.items()]
        return [learned.layer(ImageMemory(words, rank, *acts), words)]

    return make


def _sides(rank: int) -> Callable[[Words], Spec]:
    return lambda words: Spec((None, words["input_size"], *[None] * rank))


SIZES: Words = {"input_size": REQUIRED, "output_size": REQUIRED, "kernel_i": REQUIRED,
                "kernel_c": REQUIRED, "stride": 1, "padding": -1}  # fmt: skip
ENDS: Words = {**dict.fromkeys(("wRegularizer", "uRegularizer", "bRegularizer", "cRegularizer")),
               "with_peephole": True}  # fmt: skip
OVER_IMAGES: dict[str, Kind] = {
    "ConvLSTMPeephole": Kind("L.TorchModule(module)", {
        **SIZES, "activation": None, "inner_activation": None, **ENDS}, _memory(2),
        _sides(2), rank=4),
    "ConvLSTMPeephole3D": Kind("L.TorchModule(module)", {**SIZES, **ENDS}, _memory(3),
                               _sides(3), rank=5),
}  # fmt: skip
