"""torchvision's ResNet, ResNeXt and Wide ResNet; scripts make networks of their own of the blocks.

Names of weights are those of the published files, so that `load_state_dict` takes a copy of one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

Norm = Callable[..., nn.Module]
RESNET = {  # blocks of each width, and whether a block narrows in the middle
    18: ((2, 2, 2, 2), False),
    34: ((3, 4, 6, 3), False),
    50: ((3, 4, 6, 3), True),
    101: ((3, 4, 23, 3), True),
    152: ((3, 8, 36, 3), True),
}
WIDER = {  # depth, groups of the convolutions in the middle, width of each group
    "resnext50_32x4d": (50, 32, 4),
    "resnext101_32x8d": (101, 32, 8),
    "resnext101_64x4d": (101, 64, 4),
    "wide_resnet50_2": (50, 1, 128),
    "wide_resnet101_2": (101, 1, 128),
}


def conv3x3(
    in_planes: int, out_planes: int, stride: int = 1, groups: int = 1, dilation: int = 1
) -> nn.Conv2d:
    """Return a convolution that keeps the size at stride 1, without a bias."""
    return nn.Conv2d(in_planes, out_planes, 3, stride, dilation, dilation, groups, bias=False)


def conv1x1(in_planes: int, out_planes: int, stride: int = 1) -> nn.Conv2d:
    """Return a convolution of single places, without a bias."""
    return nn.Conv2d(in_planes, out_planes, 1, stride, bias=False)


class Block(nn.Module):
    """Convolutions whose sum with their input is the output."""

    expansion = 1  # how many times as many channels leave a block as its `planes`

    def __init__(self, convolutions: Sequence[nn.Conv2d], norm: Norm, stride: int,
                 downsample: nn.Module | None) -> None:  # fmt: skip
        super().__init__()
        for number, convolution in enumerate(convolutions, 1):
            self.add_module(f"conv{number}", convolution)
            self.add_module(f"bn{number}", norm(convolution.out_channels))
        self.relu = nn.ReLU(inplace=True)
        self.steps, self.stride, self.downsample = len(convolutions), stride, downsample

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum."""
        out = x
        for number in range(1, self.steps + 1):
            out = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(out))
            if number < self.steps:
                out = self.relu(out)
        kept = x if self.downsample is None else self.downsample(x)
        total: Tensor = self.relu(out + kept)
        return total


class BasicBlock(Block):
    """Two convolutions."""

    def __init__(self, inplanes: int, planes: int, stride: int = 1,
                 downsample: nn.Module | None = None, groups: int = 1, base_width: int = 64,
                 dilation: int = 1, norm_layer: Norm | None = None) -> None:  # fmt: skip
        if groups != 1 or base_width != 64 or dilation > 1:
            raise ValueError("BasicBlock has groups=1, base_width=64 and dilation=1 alone")
        both = [conv3x3(inplanes, planes, stride), conv3x3(planes, planes)]
        super().__init__(both, norm_layer or nn.BatchNorm2d, stride, downsample)


class Bottleneck(Block):
    """Three convolutions, narrow in the middle."""

    expansion = 4

    def __init__(self, inplanes: int, planes: int, stride: int = 1,
                 downsample: nn.Module | None = None, groups: int = 1, base_width: int = 64,
                 dilation: int = 1, norm_layer: Norm | None = None) -> None:  # fmt: skip
        inside = int(planes * (base_width / 64.0)) * groups
        middle = conv3x3(inside, inside, stride, groups, dilation)
        outer = conv1x1(inplanes, inside), conv1x1(inside, planes * self.expansion)
        three = [outer[0], middle, outer[1]]
        super().__init__(three, norm_layer or nn.BatchNorm2d, stride, downsample)


class ResNet(nn.Module):
    """A stem, four widths of blocks, and a classifier.

    Source: He et al., Deep residual learning, 2015.
    """

    def __init__(self, block: Any, layers: Sequence[int], num_classes: int = 1000,
                 zero_init_residual: bool = False, groups: int = 1, width_per_group: int = 64,
                 replace_stride_with_dilation: Sequence[bool] | None = None,
                 norm_layer: Norm | None = None) -> None:  # fmt: skip
        super().__init__()
        self._norm_layer: Norm = norm_layer or nn.BatchNorm2d
        self.inplanes, self.dilation = 64, 1
        self.groups, self.base_width = groups, width_per_group
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1, self.relu = self._norm_layer(64), nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        dilated = (False, *(replace_stride_with_dilation or (False, False, False)))
        for number, count in enumerate(layers):
            made = self._make_layer(block, 64 * 2**number, count, 2 if number else 1,
                                    dilated[number])  # fmt: skip
            self.add_module(f"layer{number + 1}", made)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(self.inplanes, num_classes)
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
            if zero_init_residual and isinstance(part, Block):
                nn.init.zeros_(getattr(part, f"bn{part.steps}").weight)

    def _make_layer(
        self, block: Any, planes: int, blocks: int, stride: int = 1, dilate: bool = False
    ) -> nn.Sequential:
        """Return blocks of one width; where it is dilated, its fields grow and its map does not."""
        before, norm, outputs = self.dilation, self._norm_layer, planes * block.expansion
        if dilate:
            self.dilation, stride = self.dilation * stride, 1
        short = None
        if stride != 1 or self.inplanes != outputs:
            short = nn.Sequential(conv1x1(self.inplanes, outputs, stride), norm(outputs))
        wide = self.groups, self.base_width
        made = [block(self.inplanes, planes, stride, short, *wide, before, norm)]
        self.inplanes = outputs
        made += [
            block(outputs, planes, 1, None, *wide, self.dilation, norm) for _ in range(1, blocks)
        ]
        return nn.Sequential(*made)

    def _forward_impl(self, x: Tensor) -> Tensor:
        """Return the scores of the classes."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for number in range(1, 5):
            x = getattr(self, f"layer{number}")(x)
        out: Tensor = self.fc(torch.flatten(self.avgpool(x), 1))
        return out

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the classes."""
        return self._forward_impl(x)


def resnet(depth: int, **words: Any) -> ResNet:
    """Return a ResNet of that many layers."""
    layers, narrow = RESNET[depth]
    return ResNet(Bottleneck if narrow else BasicBlock, layers, **words)


NAMES: dict[str, Any] = {
    one.__name__: one for one in (ResNet, BasicBlock, Bottleneck, conv3x3, conv1x1)
}
