"""Precision: in what numbers torch multiplies, and whether it compiles what it is given."""

from __future__ import annotations

import warnings
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
    """Return the forward pass as torch.compile makes it, on devices where that is faster.

    To be made once for a model: another call compiles it again.
    """
    if device.type not in COMPILED_ON:
        return forward

    def own(*x: Any) -> Any:
        return forward(*x)

    # torch keeps eight compiled forms of one piece of code, and learns from its name which sizes
    # change. All models share their code, so that each gets a piece that only it runs through.
    own.__code__ = own.__code__.replace(co_name=f"forward_{id(own):x}")
    warnings.filterwarnings("ignore", "Dynamo detected a call to a `functools.lru_cache`")
    made: Callable[..., Any] = torch.compile(own)
    return made
