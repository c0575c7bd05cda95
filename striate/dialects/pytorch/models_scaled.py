"""torchvision's networks that were searched for: EfficientNet V2, MNASNet, RegNet.

Names of weights are those of the published files, so that `load_state_dict` takes a copy of one.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from functools import partial
from itertools import groupby

from torch import Tensor, nn

from .blocks import SqueezeExcitation
from .models_mobile import EfficientNet, Inverted, Unit, whole

Row = tuple[int, int, int, int, int, int]  # fused, how much wider, kernel, stride, channels, blocks
EFFICIENT2: dict[str, tuple[float, tuple[Row, ...]]] = {  # dropout, and the rows of the blocks
    "s": (0.2, ((1, 1, 3, 1, 24, 2), (1, 4, 3, 2, 48, 4), (1, 4, 3, 2, 64, 4), (0, 4, 3, 2, 128, 6),
          (0, 6, 3, 1, 160, 9), (0, 6, 3, 2, 256, 15))),
    "m": (0.3, ((1, 1, 3, 1, 24, 3), (1, 4, 3, 2, 48, 5), (1, 4, 3, 2, 80, 5), (0, 4, 3, 2, 160, 7),
          (0, 6, 3, 1, 176, 14), (0, 6, 3, 2, 304, 18), (0, 6, 3, 1, 512, 5))),
    "l": (0.4, ((1, 1, 3, 1, 32, 4), (1, 4, 3, 2, 64, 7), (1, 4, 3, 2, 96, 7),
          (0, 4, 3, 2, 192, 10), (0, 6, 3, 1, 224, 19), (0, 6, 3, 2, 384, 25),
          (0, 6, 3, 1, 640, 7))),
}  # fmt: skip


def efficientnet_v2(
    size: str, num_classes: int = 1000, dropout: float | None = None
) -> EfficientNet:
    """Return EfficientNet V2. Source: Tan and Le, EfficientNetV2, 2021."""
    rate, rows = EFFICIENT2[size]
    norm = partial(nn.BatchNorm2d, eps=0.001)
    unit = partial(Unit, act=nn.SiLU, norm=norm)
    inputs, done, total = rows[0][4], 0, sum(row[5] for row in rows)
    features: list[nn.Module] = [unit(3, inputs, 3, 2)]
    for fused, wider, kernel, stride, outputs, count in rows:
        blocks = []
        for place in range(count):
            step, inside = stride if not place else 1, whole(inputs * wider)
            narrowing = Unit(inside, outputs, 1, act=None, norm=norm)
            if fused and wider == 1:
                steps: list[nn.Module] = [unit(inputs, outputs, kernel, step)]
            elif fused:
                steps = [unit(inputs, inside, kernel, step), narrowing]
            else:
                squeezed = SqueezeExcitation(inside, max(1, inputs // 4),
                                             partial(nn.SiLU, inplace=True))  # fmt: skip
                depth = unit(inside, inside, kernel, step, inside)
                steps = [unit(inputs, inside, 1), depth, squeezed, narrowing]
            keeps = step == 1 and inputs == outputs
            blocks.append(Inverted("block", steps, keeps, 0.2 * done / total))
            inputs, done = outputs, done + 1
        features.append(nn.Sequential(*blocks))
    features.append(unit(inputs, 1280, 1))
    end = nn.Dropout(rate if dropout is None else dropout, inplace=True)
    return EfficientNet(features, [end, nn.Linear(1280, num_classes)])


MNAS = (  # wider inside, kernel, stride, channels, blocks
    (3, 3, 2, 24, 3), (3, 5, 2, 40, 3), (6, 5, 2, 80, 3), (6, 3, 1, 96, 2), (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)  # fmt: skip
MNAS_NORM = partial(nn.BatchNorm2d, momentum=1 - 0.9997)


class MNASInverted(nn.Module):
    """A wide path through a convolution of each channel alone; the sum where the sizes fit."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, wider: int) -> None:
        super().__init__()
        inside, self.keeps = inputs * wider, stride == 1 and inputs == outputs
        depth = nn.Conv2d(inside, inside, kernel, stride, kernel // 2, groups=inside, bias=False)
        self.layers = nn.Sequential(
            nn.Conv2d(inputs, inside, 1, bias=False), MNAS_NORM(inside), nn.ReLU(inplace=True),
            depth, MNAS_NORM(inside), nn.ReLU(inplace=True),
            nn.Conv2d(inside, outputs, 1, bias=False), MNAS_NORM(outputs),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """Return the path, or the sum."""
        out: Tensor = self.layers(x)
        return out + x if self.keeps else out


class MNASNet(nn.Module):
    """MNASNet. Source: Tan et al., MnasNet: platform-aware architecture search, 2018."""

    def __init__(self, alpha: float, num_classes: int = 1000, dropout: float = 0.2) -> None:
        super().__init__()
        first, inputs = whole(32 * alpha), whole(16 * alpha)
        layers: list[nn.Module] = [
            nn.Conv2d(3, first, 3, 2, 1, bias=False), MNAS_NORM(first), nn.ReLU(inplace=True),
            nn.Conv2d(first, first, 3, 1, 1, groups=first, bias=False), MNAS_NORM(first),
            nn.ReLU(inplace=True), nn.Conv2d(first, inputs, 1, bias=False), MNAS_NORM(inputs),
        ]  # fmt: skip
        for wider, kernel, stride, channels, count in MNAS:
            outputs = whole(channels * alpha)
            blocks = [MNASInverted(inputs, outputs, kernel, stride, wider)]
            blocks += [MNASInverted(outputs, outputs, kernel, 1, wider) for _ in range(count - 1)]
            layers.append(nn.Sequential(*blocks))
            inputs = outputs
        layers += [nn.Conv2d(inputs, 1280, 1, bias=False), MNAS_NORM(1280), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout, inplace=True), nn.Linear(1280, num_classes)
        )
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(part, nn.Linear):
                nn.init.kaiming_uniform_(part.weight, mode="fan_out", nonlinearity="sigmoid")
                nn.init.zeros_(part.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the classes."""
        out: Tensor = self.classifier(self.layers(x).mean([2, 3]))
        return out


REGNET = {  # depth, least width, its slope, its step, width of a group; those of y are squeezed
    "x_400mf": (22, 24, 24.48, 2.54, 16), "x_800mf": (16, 56, 35.73, 2.28, 16),
    "x_1_6gf": (18, 80, 34.01, 2.25, 24), "x_3_2gf": (25, 88, 26.31, 2.25, 48),
    "x_8gf": (23, 80, 49.56, 2.88, 120), "x_16gf": (22, 216, 55.59, 2.1, 128),
    "x_32gf": (23, 320, 69.86, 2.0, 168), "y_400mf": (16, 48, 27.89, 2.09, 8),
    "y_800mf": (14, 56, 38.84, 2.4, 16), "y_1_6gf": (27, 48, 20.71, 2.65, 24),
    "y_3_2gf": (21, 80, 42.63, 2.66, 24), "y_8gf": (17, 192, 76.82, 2.19, 56),
    "y_16gf": (18, 200, 106.23, 2.48, 112), "y_32gf": (20, 232, 115.89, 2.53, 232),
    "y_128gf": (27, 456, 160.83, 2.52, 264),
}  # fmt: skip


def regnet_stages(name: str) -> list[tuple[int, int, int]]:
    """Return width, blocks and width of a group of each stage: a line, rounded to a few widths."""
    depth, least, slope, step, group = REGNET[name]
    line = [least + slope * place for place in range(depth)]
    powers = [round(math.log(width / least) / math.log(step)) for width in line]
    widths = [round(least * step**power / 8) * 8 for power in powers]
    stages = []
    for width, same in groupby(widths):
        narrow = min(group, width)
        stages.append((whole(width, narrow), len(list(same)), narrow))
    return stages


class RegBlock(nn.Module):
    """Three convolutions, the middle one in groups, whose sum with their input is the output."""

    def __init__(self, inputs: int, outputs: int, stride: int, group: int, squeezed: bool) -> None:
        super().__init__()
        unit = partial(Unit, act=nn.ReLU)
        self.proj: nn.Module | None = None
        if inputs != outputs or stride != 1:
            self.proj = Unit(inputs, outputs, 1, stride, act=None)
        parts: list[tuple[str, nn.Module]] = [
            ("a", unit(inputs, outputs, 1)), ("b", unit(outputs, outputs, 3, stride,
                                                        outputs // group)),
        ]  # fmt: skip
        if squeezed:
            parts.append(("se", SqueezeExcitation(outputs, round(0.25 * inputs))))
        parts.append(("c", Unit(outputs, outputs, 1, act=None)))
        self.f, self.activation = nn.Sequential(OrderedDict(parts)), nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum."""
        kept = x if self.proj is None else self.proj(x)
        out: Tensor = self.activation(kept + self.f(x))
        return out


class RegNet(nn.Module):
    """RegNet. Source: Radosavovic et al., Designing network design spaces, 2020."""

    def __init__(self, name: str, num_classes: int = 1000) -> None:
        super().__init__()
        self.stem, inputs = Unit(3, 32, 3, 2, act=nn.ReLU), 32
        self.trunk_output = nn.Sequential()
        for number, (width, count, group) in enumerate(regnet_stages(name), 1):
            stage = nn.Sequential()
            for place in range(count):
                block = RegBlock(inputs, width, 1 if place else 2, group, name.startswith("y"))
                stage.add_module(f"block{number}-{place}", block)
                inputs = width
            self.trunk_output.add_module(f"block{number}", stage)
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d((1, 1)), nn.Linear(inputs, num_classes)
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                fan = part.kernel_size[0] * part.kernel_size[1] * part.out_channels
                nn.init.normal_(part.weight, mean=0.0, std=math.sqrt(2.0 / fan))
            elif isinstance(part, nn.Linear):
                nn.init.normal_(part.weight, mean=0.0, std=0.01)
                nn.init.zeros_(part.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the classes."""
        out: Tensor = self.fc(self.avgpool(self.trunk_output(self.stem(x))).flatten(start_dim=1))
        return out
