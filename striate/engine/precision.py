"""Precision: in what numbers torch multiplies, and whether it compiles what it is given."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

COMPILED_ON = ("cuda",)  # elsewhere compiling costs more than it gives
CHOSEN_ON = ("cuda", "mps")  # where precision="auto" takes the smaller numbers


def bfloat16_on(device: torch.device, precision: str) -> bool:
    """Return whether products are of bfloat16 numbers on this device."""
    if precision == "auto":
        can = device.type != "cuda" or torch.cuda.is_bf16_supported()
        return device.type in CHOSEN_ON and can
    return precision == "bfloat16"


def products(device: torch.device, precision: str) -> AbstractContextManager[Any]:
    """Return the context in which a forward pass multiplies as `precision` says.

    Weights and their updates stay float32; only what torch's autocast knows to be safe is done with
    fewer bits.
    """
    if bfloat16_on(device, precision):
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


def compiled(forward: Callable[..., Any], device: torch.device) -> Callable[..., Any]:
    """Return the forward pass as torch.compile makes it, on devices where that is faster."""
    if device.type not in COMPILED_ON:
        return forward
    made: Callable[..., Any] = torch.compile(forward)
    return made
