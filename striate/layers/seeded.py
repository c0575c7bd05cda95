"""What layers that draw numbers share: where the numbers come from, and where that is kept."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..core.layer import Layer
from ..settings import check_range

STATE = "generator_state"


class Seeded(Layer):
    """A layer that draws numbers, and declares a field `seed`.

    None draws from torch's own generator, which `torch.manual_seed` sets. A number gives the layer
    a generator of its own; it draws the same numbers on every device, and its state is part of the
    layer's state, so that training goes on after a restart as if there had been none.
    """

    def __post_init__(self) -> None:
        """Check the seed and make the state that the layer's own draws begin with."""
        seed = self.config()["seed"]
        self.generator_state: Tensor | None = None
        if seed is not None:
            check_range(self.where, "seed", seed, "int [0, inf)", 0)
            self.generator_state = torch.Generator().manual_seed(seed).get_state()

    def uniform(self, shape: Any, like: Tensor) -> Tensor:
        """Return numbers that are even on [0, 1), in the dtype and on the device of `like`."""
        return self._drawn(Tensor.uniform_, shape, like)

    def normal(self, shape: Any, like: Tensor) -> Tensor:
        """Return normal numbers of mean 0 and variance 1, as `uniform` does."""
        return self._drawn(Tensor.normal_, shape, like)

    def kept(self, shape: Any, like: Tensor, rate: float) -> Tensor:
        """Return a mask with 0 for a part `rate` of its places and 1 for the others."""
        return self._drawn(Tensor.bernoulli_, shape, like, 1 - rate)

    def _drawn(self, fill: Any, shape: Any, like: Tensor, *args: float) -> Tensor:
        """Return a tensor filled from torch's generator, or from the layer's own state."""
        if self.generator_state is None:
            made: Tensor = fill(torch.empty(shape, dtype=like.dtype, device=like.device), *args)
            return made
        own = torch.Generator()
        own.set_state(self.generator_state)
        made = fill(torch.empty(shape, dtype=like.dtype), *args, generator=own)
        self.generator_state.copy_(own.get_state())  # in place: state_dict gives this tensor
        return made.to(like.device)

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Put the state of the layer's own draws beside its weights."""
        super()._save_to_state_dict(destination, prefix, keep_vars)
        if self.generator_state is not None:
            destination[prefix + STATE] = self.generator_state

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: Any,
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Take back what `_save_to_state_dict` put."""
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )
        key = prefix + STATE
        if self.generator_state is None:
            return
        if key in state_dict:
            self.generator_state.copy_(state_dict[key])
            unexpected_keys[:] = [name for name in unexpected_keys if name != key]
        elif strict:
            missing_keys.append(key)
