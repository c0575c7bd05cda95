"""Modules of torchvision.ops of which its networks are built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

Make = Callable[..., nn.Module] | None


class _ConvNormActivation(nn.Sequential):
    """A convolution that keeps the size at stride 1, a normalisation and an activation."""

    conv: Any = None
    norm: Any = None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any = 3,
        stride: Any = 1,
        padding: Any = None,
        groups: int = 1,
        norm_layer: Any = ...,
        activation_layer: Make = nn.ReLU,
        dilation: Any = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
    ) -> None:
        if padding is None:
            padding = _half(kernel_size, dilation)
        norm = type(self).norm if norm_layer is ... else norm_layer
        bias = norm is None if bias is None else bias
        words = {"dilation": dilation, "groups": groups, "bias": bias}
        parts = [self.conv(in_channels, out_channels, kernel_size, stride, padding, **words)]
        if norm is not None:
            parts.append(norm(out_channels))
        if activation_layer is not None:
            parts.append(activation_layer(**({} if inplace is None else {"inplace": inplace})))
        super().__init__(*parts)
        self.out_channels = out_channels


def _half(kernel: Any, dilation: Any) -> Any:
    if isinstance(kernel, int) and isinstance(dilation, int):
        return (kernel - 1) // 2 * dilation
    sides = kernel if isinstance(kernel, Sequence) else (kernel,) * len(dilation)
    apart = dilation if isinstance(dilation, Sequence) else (dilation,) * len(sides)
    return tuple((side - 1) // 2 * step for side, step in zip(sides, apart, strict=True))


class Conv2dNormActivation(_ConvNormActivation):
    """Of images."""

    conv, norm = nn.Conv2d, nn.BatchNorm2d


class Conv3dNormActivation(_ConvNormActivation):
    """Of volumes."""

    conv, norm = nn.Conv3d, nn.BatchNorm3d


class SqueezeExcitation(nn.Module):
    """Scale each channel by what a small network makes of the means of all."""

    def __init__(
        self,
        input_channels: int,
        squeeze_channels: int,
        activation: Callable[..., nn.Module] = nn.ReLU,
        scale_activation: Callable[..., nn.Module] = nn.Sigmoid,
    ) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(input_channels, squeeze_channels, 1)
        self.fc2 = nn.Conv2d(squeeze_channels, input_channels, 1)
        self.activation, self.scale_activation = activation(), scale_activation()

    def forward(self, input: Tensor) -> Tensor:
        """Scale a map."""
        scale = self.fc2(self.activation(self.fc1(self.avgpool(input))))
        out: Tensor = self.scale_activation(scale) * input
        return out


class MLP(nn.Sequential):
    """Dense layers with a normalisation, an activation and dropout between them."""

    def __init__(
        self,
        in_channels: int,
        hidden_channels: Sequence[int],
        norm_layer: Make = None,
        activation_layer: Make = nn.ReLU,
        inplace: bool | None = None,
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        words = {} if inplace is None else {"inplace": inplace}
        parts: list[nn.Module] = []
        for place, width in enumerate(hidden_channels):
            parts.append(nn.Linear(in_channels, width, bias=bias))
            if place < len(hidden_channels) - 1:
                parts += [] if norm_layer is None else [norm_layer(width)]
                parts += [] if activation_layer is None else [activation_layer(**words)]
            parts.append(nn.Dropout(dropout, **words))
            in_channels = width
        super().__init__(*parts)


class Permute(nn.Module):
    """Turn the axes."""

    def __init__(self, dims: list[int]) -> None:
        super().__init__()
        self.dims = dims

    def forward(self, x: Tensor) -> Tensor:
        """Turn the axes of a tensor."""
        return torch.permute(x, self.dims)


def stochastic_depth(input: Tensor, p: float, mode: str, training: bool = True) -> Tensor:
    """Return the input, with samples (`mode="row"`) or all ("batch") dropped with probability p."""
    if not 0 <= p <= 1 or mode not in ("batch", "row"):
        raise ValueError(f"stochastic_depth: p={p!r}, mode={mode!r}; p in [0, 1], 'batch' or 'row'")
    if not training or p == 0:
        return input
    kept = torch.empty(len(input) if mode == "row" else 1, device=input.device)
    kept = kept.bernoulli_(1 - p).div_(1 - p if p < 1 else 1).to(input.dtype)
    return input * kept.reshape(-1, *(1,) * (input.ndim - 1))


class StochasticDepth(nn.Module):
    """Drop samples in training, before they are added to what goes around them."""

    def __init__(self, p: float, mode: str) -> None:
        super().__init__()
        self.p, self.mode = p, mode

    def forward(self, input: Tensor) -> Tensor:
        """Drop samples in training."""
        return stochastic_depth(input, self.p, self.mode, self.training)

    def extra_repr(self) -> str:
        """Return the two settings."""
        return f"p={self.p}, mode={self.mode}"


class FrozenBatchNorm2d(nn.Module):
    """Normalise by statistics and scales that are never trained."""

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        for name, value in (("weight", 1), ("bias", 0), ("running_mean", 0), ("running_var", 1)):
            self.register_buffer(name, torch.full((num_features,), float(value)))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise a map."""
        weight, bias, mean, var = self.buffers()
        scale = weight * (var + self.eps).rsqrt()
        return x * scale[:, None, None] + (bias - mean * scale)[:, None, None]

    def extra_repr(self) -> str:
        """Return the number of channels."""
        return f"{len(self.weight)}, eps={self.eps}"  # type: ignore[arg-type]


class DropBlock2d(nn.Module):
    """Drop square blocks of maps in training, and scale up what is left."""

    def __init__(self, p: float, block_size: int, inplace: bool = False, eps: float = 1e-6) -> None:
        super().__init__()
        self.p, self.block_size, self.inplace, self.eps = p, block_size, inplace, eps

    def forward(self, input: Tensor) -> Tensor:
        """Drop blocks in training."""
        if not self.training or self.p == 0:
            return input
        height, width = input.shape[2:]
        side = min(self.block_size, height, width)
        rate = self.p * height * width / (side**2 * (height - side + 1) * (width - side + 1))
        starts = torch.empty(*input.shape[:2], height - side + 1, width - side + 1).bernoulli_(rate)
        starts = nn.functional.pad(starts, [side // 2, (side - 1) - side // 2] * 2)
        kept = 1 - nn.functional.max_pool2d(starts, side, 1, side // 2)[..., :height, :width]
        return input * kept * kept.numel() / (self.eps + kept.sum())


NAMES: dict[str, Any] = {
    one.__name__: one
    for one in (
        *(Conv2dNormActivation, Conv3dNormActivation, SqueezeExcitation, MLP, Permute),
        *(StochasticDepth, stochastic_depth, FrozenBatchNorm2d, DropBlock2d),
    )
} | {"ConvNormActivation": Conv2dNormActivation, "DropBlock": DropBlock2d}
