"""Networks of torchvision for small machines: MobileNet 2 and 3, EfficientNet, ShuffleNet.

Names of weights are those of the published files, so that `load_state_dict` takes a copy of one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from .blocks import SqueezeExcitation

Made = Callable[..., nn.Module]


def whole(value: float, parts: int = 8) -> int:
    """Return a number of channels that the parts divide, at most a tenth below the value."""
    near = max(parts, int(value + parts / 2) // parts * parts)
    return near + parts if near < 0.9 * value else near


class Unit(nn.Sequential):
    """A convolution without a bias, its normalization, and an activation if there is one."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1,
                 groups: int = 1, act: Made | None = nn.ReLU6, norm: Made = nn.BatchNorm2d,
                 rate: int = 1) -> None:  # fmt: skip
        padding = kernel // 2 * rate
        convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding, rate, groups, bias=False)
        parts = [convolution, norm(outputs)]
        super().__init__(*parts, *([act(inplace=True)] if act else []))
        self.out_channels = outputs


class DropPath(nn.Module):
    """A path of samples left out at random, in training."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Return the path, scaled for those that are left out."""
        if not self.training or not self.p:
            return x
        kept = torch.rand(len(x), 1, 1, 1, device=x.device) >= self.p
        return x * kept / (1 - self.p)


class Inverted(nn.Module):
    """A wide path through a convolution of each channel alone; the sum where the sizes fit."""

    def __init__(self, field: str, steps: Sequence[nn.Module], keeps: bool, drop: float) -> None:
        super().__init__()
        self.field, self.keeps = field, keeps
        self.add_module(field, nn.Sequential(*steps))
        self.drop = DropPath(drop)

    def forward(self, x: Tensor) -> Tensor:
        """Return the path, or the sum."""
        out: Tensor = getattr(self, self.field)(x)
        return x + self.drop(out) if self.keeps else out


class Mobile(nn.Module):
    """Features, their means, and a classifier."""

    def __init__(self, features: Sequence[nn.Module], classifier: Sequence[nn.Module]) -> None:
        super().__init__()
        self.features, self.classifier = nn.Sequential(*features), nn.Sequential(*classifier)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out")
                if part.bias is not None:
                    nn.init.zeros_(part.bias)
            elif isinstance(part, nn.Linear):
                nn.init.normal_(part.weight, 0, 0.01)
                nn.init.zeros_(part.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the classes."""
        out: Tensor = self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))
        return out


class MobileNetV3(Mobile):
    """MobileNet 3."""


class EfficientNet(Mobile):
    """An EfficientNet."""


MOBILE2 = (  # how much wider inside, channels, blocks, stride of the first
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
    (6, 320, 1, 1),
)  # fmt: skip


class MobileNetV2(Mobile):
    """MobileNet 2. Source: Sandler et al., Inverted residuals, 2018."""

    def __init__(self, num_classes: int = 1000, width_mult: float = 1.0,
                 inverted_residual_setting: Any = MOBILE2, round_nearest: int = 8,
                 dropout: float = 0.2) -> None:  # fmt: skip
        inputs = whole(32 * width_mult, round_nearest)
        last = whole(1280 * max(1.0, width_mult), round_nearest)
        features: list[nn.Module] = [Unit(3, inputs, 3, 2)]
        for wider, channels, count, stride in inverted_residual_setting:
            outputs = whole(channels * width_mult, round_nearest)
            for place in range(count):
                step, inside = stride if not place else 1, inputs * wider
                steps = [Unit(inputs, inside, 1)] if wider > 1 else []
                steps += [Unit(inside, inside, 3, step, inside), nn.Conv2d(inside, outputs, 1,
                          bias=False), nn.BatchNorm2d(outputs)]  # type: ignore[list-item]  # fmt: skip
                features.append(Inverted("conv", steps, step == 1 and inputs == outputs, 0.0))
                inputs = outputs
        features.append(Unit(inputs, last, 1))
        super().__init__(features, [nn.Dropout(dropout), nn.Linear(last, num_classes)])
        self.last_channel = last


MOBILE3 = {  # kernel, inside, outside, squeezed, hard swish, stride; channels at the end
    "large": ((
        (3, 16, 16, 0, 0, 1), (3, 64, 24, 0, 0, 2), (3, 72, 24, 0, 0, 1), (5, 72, 40, 1, 0, 2),
        (5, 120, 40, 1, 0, 1), (5, 120, 40, 1, 0, 1), (3, 240, 80, 0, 1, 2), (3, 200, 80, 0, 1, 1),
        (3, 184, 80, 0, 1, 1), (3, 184, 80, 0, 1, 1), (3, 480, 112, 1, 1, 1),
        (3, 672, 112, 1, 1, 1), (5, 672, 160, 1, 1, 2), (5, 960, 160, 1, 1, 1),
        (5, 960, 160, 1, 1, 1)), 1280),
    "small": ((
        (3, 16, 16, 1, 0, 2), (3, 72, 24, 0, 0, 2), (3, 88, 24, 0, 0, 1), (5, 96, 40, 1, 1, 2),
        (5, 240, 40, 1, 1, 1), (5, 240, 40, 1, 1, 1), (5, 120, 48, 1, 1, 1), (5, 144, 48, 1, 1, 1),
        (5, 288, 96, 1, 1, 2), (5, 576, 96, 1, 1, 1), (5, 576, 96, 1, 1, 1)), 1024),
}  # fmt: skip


DILATED = 3  # blocks at the end of MobileNet 3 that see further, and keep the size, where it is so


def mobilenet_v3(
    size: str, num_classes: int = 1000, dropout: float = 0.2, dilated: bool = False
) -> MobileNetV3:
    """Return MobileNet 3. Source: Howard et al., Searching for MobileNetV3, 2019."""
    rows, last = MOBILE3[size]
    norm = partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)
    features: list[nn.Module] = [Unit(3, 16, 3, 2, act=nn.Hardswish, norm=norm)]
    inputs = 16
    for place, (kernel, inside, outputs, squeezed, swish, stride) in enumerate(rows):
        rate = 2 if dilated and place >= len(rows) - DILATED else 1
        act = nn.Hardswish if swish else nn.ReLU
        steps: list[nn.Module] = []
        if inside != inputs:
            steps.append(Unit(inputs, inside, 1, act=act, norm=norm))
        step = 1 if rate > 1 else stride
        steps.append(Unit(inside, inside, kernel, step, inside, act, norm, rate))
        if squeezed:
            steps.append(SqueezeExcitation(inside, whole(inside / 4), nn.ReLU, nn.Hardsigmoid))
        steps.append(Unit(inside, outputs, 1, act=None, norm=norm))
        features.append(Inverted("block", steps, stride == 1 and inputs == outputs, 0.0))
        inputs = outputs
    features.append(Unit(inputs, 6 * inputs, 1, act=nn.Hardswish, norm=norm))
    return MobileNetV3(features, [nn.Linear(6 * inputs, last), nn.Hardswish(inplace=True),
                             nn.Dropout(dropout), nn.Linear(last, num_classes)])  # fmt: skip


EFFICIENT = (  # how much wider inside, kernel, stride, channels, blocks
    (1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4), (6, 3, 1, 320, 1),
)  # fmt: skip
SCALES = ((1.0, 1.0, 0.2), (1.0, 1.1, 0.2), (1.1, 1.2, 0.3), (1.2, 1.4, 0.3), (1.4, 1.8, 0.4),
          (1.6, 2.2, 0.4), (1.8, 2.6, 0.5), (2.0, 3.1, 0.5))  # width, depth, dropout  # fmt: skip


def efficientnet(
    number: int, num_classes: int = 1000, dropout: float | None = None
) -> EfficientNet:
    """Return EfficientNet B0 to B7. Source: Tan and Le, EfficientNet, 2019."""
    width, depth, drop = SCALES[number]
    norm = nn.BatchNorm2d if number < 5 else partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)
    inputs = whole(32 * width)
    features: list[nn.Module] = [Unit(3, inputs, 3, 2, act=nn.SiLU, norm=norm)]
    counts = [math.ceil(row[4] * depth) for row in EFFICIENT]
    done = 0
    for (wider, kernel, stride, channels, _), count in zip(EFFICIENT, counts, strict=True):
        outputs, blocks = whole(channels * width), []
        for place in range(count):
            step, inside = stride if not place else 1, whole(inputs * wider)
            steps: list[nn.Module] = []
            if inside != inputs:
                steps.append(Unit(inputs, inside, 1, act=nn.SiLU, norm=norm))
            steps.append(Unit(inside, inside, kernel, step, inside, nn.SiLU, norm))
            small = max(1, inputs // 4)
            steps.append(
                SqueezeExcitation(inside, small, partial(nn.SiLU, inplace=True), nn.Sigmoid)
            )
            steps.append(Unit(inside, outputs, 1, act=None, norm=norm))
            keeps = step == 1 and inputs == outputs
            blocks.append(Inverted("block", steps, keeps, 0.2 * done / sum(counts)))
            inputs, done = outputs, done + 1
        features.append(nn.Sequential(*blocks))
    features.append(Unit(inputs, 4 * inputs, 1, act=nn.SiLU, norm=norm))
    rate = drop if dropout is None else dropout
    return EfficientNet(
        features, [nn.Dropout(rate, inplace=True), nn.Linear(4 * inputs, num_classes)]
    )


SHUFFLE = {"0_5": (48, 96, 192, 1024), "1_0": (116, 232, 464, 1024),
           "1_5": (176, 352, 704, 1024), "2_0": (244, 488, 976, 2048)}  # fmt: skip


class Shuffled(nn.Module):
    """Half of the channels, or all where it narrows, through a path; then all are mixed."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        half, self.stride = outputs // 2, stride
        begin = inputs if stride > 1 else half

        def alone(channels: int) -> list[nn.Module]:
            depth = nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False)
            return [depth, nn.BatchNorm2d(channels)]

        def point(before: int) -> list[nn.Module]:
            return [nn.Conv2d(before, half, 1, bias=False), nn.BatchNorm2d(half),
                    nn.ReLU(inplace=True)]  # fmt: skip

        first = [*alone(inputs), *point(inputs)] if stride > 1 else []
        self.branch1 = nn.Sequential(*first)
        self.branch2 = nn.Sequential(*point(begin), *alone(half), *point(half))

    def forward(self, x: Tensor) -> Tensor:
        """Return the mixed channels."""
        kept, path = x.chunk(2, 1) if self.stride == 1 else (self.branch1(x), x)
        out = torch.cat((kept, self.branch2(path)), 1)
        return torch.unflatten(out, 1, (2, -1)).transpose(1, 2).flatten(1, 2)


class ShuffleNet(nn.Module):
    """A stem, three stages, and a classifier.

    Source: Ma et al., ShuffleNet V2, 2018.
    """

    def __init__(self, size: str, num_classes: int = 1000) -> None:
        super().__init__()
        *stages, last = SHUFFLE[size]

        def unit(inputs: int, outputs: int, kernel: int, stride: int, pad: int) -> nn.Sequential:
            convolution = nn.Conv2d(inputs, outputs, kernel, stride, pad, bias=False)
            return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))

        self.conv1, self.maxpool = unit(3, 24, 3, 2, 1), nn.MaxPool2d(3, 2, 1)
        inputs = 24
        for number, (outputs, count) in enumerate(zip(stages, (4, 8, 4), strict=True), 2):
            blocks = [Shuffled(inputs, outputs, 2)]
            blocks += [Shuffled(outputs, outputs, 1) for _ in range(count - 1)]
            self.add_module(f"stage{number}", nn.Sequential(*blocks))
            inputs = outputs
        self.conv5, self.fc = unit(inputs, last, 1, 1, 0), nn.Linear(last, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the classes."""
        x = self.maxpool(self.conv1(x))
        for number in (2, 3, 4):
            x = getattr(self, f"stage{number}")(x)
        out: Tensor = self.fc(self.conv5(x).mean((2, 3)))
        return out
