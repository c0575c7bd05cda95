"""Blocks of MobileNet 2 by torchvision's names, of which scripts make networks of their own."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn


def _make_divisible(v: float, divisor: int, min_value: int | None = None) -> int:
    """Return a number of channels that the divisor divides, at most a tenth below the value."""
    near = max(divisor if min_value is None else min_value,
               int(v + divisor / 2) // divisor * divisor)  # fmt: skip
    return near + divisor if near < 0.9 * v else near


class ConvBNReLU(nn.Sequential):
    """A convolution without a bias, its normalization and an activation, in the same size."""

    def __init__(self, in_planes: int, out_planes: int, kernel_size: int = 3, stride: int = 1,
                 groups: int = 1, norm_layer: Any = None, activation_layer: Any = None,
                 dilation: int = 1) -> None:  # fmt: skip
        padding = (kernel_size - 1) // 2 * dilation
        convolution = nn.Conv2d(
            in_planes, out_planes, kernel_size, stride, padding, dilation, groups, bias=False
        )
        norm, activation = norm_layer or nn.BatchNorm2d, activation_layer or nn.ReLU6
        super().__init__(convolution, norm(out_planes), activation(inplace=True))
        self.out_channels = out_planes


class InvertedResidual(nn.Module):
    """Channels widened, a convolution of each alone, and narrowed; the sum where the sizes fit."""

    def __init__(self, inp: int, oup: int, stride: int, expand_ratio: float,
                 norm_layer: Any = None) -> None:  # fmt: skip
        super().__init__()
        if stride not in (1, 2):
            raise ValueError(f"stride should be 1 or 2 instead of {stride}")
        norm, wide = norm_layer or nn.BatchNorm2d, round(inp * expand_ratio)
        self.stride, self.out_channels, self._is_cn = stride, oup, stride > 1
        self.use_res_connect = stride == 1 and inp == oup
        widened = [ConvBNReLU(inp, wide, 1, norm_layer=norm)] if expand_ratio != 1 else []
        self.conv = nn.Sequential(
            *widened,
            ConvBNReLU(wide, wide, stride=stride, groups=wide, norm_layer=norm),
            nn.Conv2d(wide, oup, 1, bias=False),
            norm(oup),
        )

    def forward(self, x: Tensor) -> Any:
        """Return the narrow channels."""
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


NAMES = {"ConvBNReLU": ConvBNReLU, "Conv2dNormActivation": ConvBNReLU,
         "InvertedResidual": InvertedResidual, "_make_divisible": _make_divisible}  # fmt: skip
