"""A torch module as a model; see `Model.from_torch`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .core.spec import Shape, Spec, checked_shape
from .errors import ConfigError
from .model import Model


class TorchModel(Model):
    """A model whose code is a torch module, which trains in place."""

    def __init__(
        self,
        module: nn.Module,
        input_shape: Shape,
        *,
        data_format: str = "channels_first",
        name: str = "",
    ) -> None:
        super().__init__(name=name)
        if not isinstance(module, nn.Module):
            raise ConfigError(
                self.where,
                f"{module!r} is not a torch.nn.Module",
                fix="from_torch(net, (1, 28, 28))",
            )
        wide = next((one.dtype for one in module.parameters() if one.dtype is torch.float64), None)
        if wide is not None:
            raise ConfigError(
                self.where,
                "the weights of the module are float64, and a model's inputs are float32",
                got=f"{type(module).__name__} of {wide}",
                need="weights of torch.float32",
                fix="from_torch(net.float(), input_shape)",
            )
        self.module = module
        self.build(Spec(checked_shape(self.where, input_shape), data_format=data_format))

    @property
    def _code(self) -> nn.Module:
        """The torch module."""
        return self.module

    def forward(self, *x: Tensor) -> Any:
        """Call the module."""
        return self.module(*x)
