"""A torch module as a model; see `Model.from_torch`."""

from __future__ import annotations

from typing import Any

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
        self.module = module
        self.build(Spec(checked_shape(self.where, input_shape), data_format=data_format))

    @property
    def _code(self) -> nn.Module:
        """The torch module."""
        return self.module

    def forward(self, *x: Tensor) -> Any:
        """Call the module."""
        return self.module(*x)
