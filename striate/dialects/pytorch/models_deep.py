"""Networks of torchvision that are made of many small blocks: SqueezeNet, DenseNet, GoogLeNet.

Names of weights are those of the published files, so that `load_state_dict` takes a copy of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .models_inception import as_half

DENSE = {  # growth, layers of each block, channels of the stem
    121: (32, (6, 12, 24, 16), 64),
    161: (48, (6, 12, 36, 24), 96),
    169: (32, (6, 12, 32, 32), 64),
    201: (32, (6, 12, 48, 32), 64),
}
FIRES = {  # channels inside and outside of each fire, and behind which ones it is pooled
    "1_0": (96, 7, (16, 16, 32, 32, 48, 48, 64, 64), (3, 7)),
    "1_1": (64, 3, (16, 16, 32, 32, 48, 48, 64, 64), (2, 4)),
}
GOOGLE = {  # 1x1, before and after 3x3, before and after 5x5, behind the pooling
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


class Fire(nn.Module):
    """A narrow convolution, and two wide ones side by side."""

    def __init__(self, inputs: int, narrow: int, wide: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, narrow, 1)
        self.squeeze_activation = nn.ReLU(inplace=True)
        self.expand1x1 = nn.Conv2d(narrow, wide, 1)
        self.expand1x1_activation = nn.ReLU(inplace=True)
        self.expand3x3 = nn.Conv2d(narrow, wide, 3, padding=1)
        self.expand3x3_activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return both, one after the other."""
        x = self.squeeze_activation(self.squeeze(x))
        small, large = self.expand1x1(x), self.expand3x3(x)
        parts = self.expand1x1_activation(small), self.expand3x3_activation(large)
        return torch.cat(parts, 1)


class SqueezeNet(nn.Module):
    """A stem, eight fires, and a convolution to the classes.

    Source: Iandola et al., SqueezeNet, 2016.
    """

    def __init__(self, version: str = "1_0", num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        stem, kernel, narrow, pooled = FIRES[version]
        layers: list[nn.Module] = [nn.Conv2d(3, stem, kernel, 2), nn.ReLU(inplace=True)]
        layers.append(nn.MaxPool2d(3, 2, ceil_mode=True))
        inputs = stem
        for number, inside in enumerate(narrow, 1):
            layers.append(Fire(inputs, inside, inside * 4))
            inputs = inside * 8
            if number in pooled:
                layers.append(nn.MaxPool2d(3, 2, ceil_mode=True))
        self.num_classes = num_classes
        self.features = nn.Sequential(*layers)
        last = nn.Conv2d(512, num_classes, 1)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), last, nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the classes."""
        return torch.flatten(self.classifier(self.features(x)), 1)


class DenseLayer(nn.Module):
    """Two convolutions behind normalizations, of all that came before."""

    def __init__(self, num_input_features: int, growth_rate: int, bn_size: int = 4,
                 drop_rate: float = 0.0, memory_efficient: bool = False) -> None:  # fmt: skip
        super().__init__()
        inside = bn_size * growth_rate
        self.norm1, self.relu1 = nn.BatchNorm2d(num_input_features), nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(num_input_features, inside, 1, bias=False)
        self.norm2, self.relu2 = nn.BatchNorm2d(inside), nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(inside, growth_rate, 3, padding=1, bias=False)
        self.drop = nn.Dropout(drop_rate)

    def forward(self, input: Any) -> Tensor:
        """Return the new channels."""
        x = torch.cat(input, 1) if isinstance(input, (list, tuple)) else input
        x = self.conv2(self.relu2(self.norm2(self.conv1(self.relu1(self.norm1(x))))))
        out: Tensor = self.drop(x)
        return out


class DenseBlock(nn.ModuleDict):
    """Layers of which each sees what all before it gave."""

    def __init__(self, num_layers: int, num_input_features: int, bn_size: int, growth_rate: int,
                 drop_rate: float = 0.0, memory_efficient: bool = False) -> None:  # fmt: skip
        sizes = [num_input_features + place * growth_rate for place in range(num_layers)]
        super().__init__({f"denselayer{place}": DenseLayer(size, growth_rate, bn_size, drop_rate)
                          for place, size in enumerate(sizes, 1)})  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """Return all channels."""
        for layer in self.values():
            x = torch.cat((x, layer(x)), 1)
        return x


class Transition(nn.Sequential):
    """A narrowing between two dense blocks."""

    def __init__(self, num_input_features: int, num_output_features: int) -> None:
        super().__init__()
        self.norm, self.relu = nn.BatchNorm2d(num_input_features), nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(num_input_features, num_output_features, 1, bias=False)
        self.pool = nn.AvgPool2d(2, 2)


class DenseNet(nn.Module):
    """A stem, dense blocks with narrowings between, and a classifier.

    Source: Huang et al., Densely connected convolutional networks, 2017.
    """

    def __init__(self, growth_rate: int = 32, block_config: Sequence[int] = (6, 12, 24, 16),
                 num_init_features: int = 64, bn_size: int = 4, drop_rate: float = 0.0,
                 num_classes: int = 1000, memory_efficient: bool = False) -> None:  # fmt: skip
        super().__init__()
        inputs = num_init_features
        self.features = nn.Sequential()
        parts: list[tuple[str, nn.Module]] = [
            ("conv0", nn.Conv2d(3, inputs, 7, 2, 3, bias=False)), ("norm0", nn.BatchNorm2d(inputs)),
            ("relu0", nn.ReLU(inplace=True)), ("pool0", nn.MaxPool2d(3, 2, 1)),
        ]  # fmt: skip
        for number, count in enumerate(block_config, 1):
            block = DenseBlock(count, inputs, bn_size, growth_rate, drop_rate)
            parts.append((f"denseblock{number}", block))
            inputs += count * growth_rate
            if number < len(block_config):
                parts.append((f"transition{number}", Transition(inputs, inputs // 2)))
                inputs //= 2
        for name, part in (*parts, ("norm5", nn.BatchNorm2d(inputs))):
            self.features.add_module(name, part)
        self.classifier = nn.Linear(inputs, num_classes)
        drawn(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the classes."""
        x = torch.relu(self.features(x)).mean((2, 3))
        out: Tensor = self.classifier(x)
        return out


def densenet(depth: int, **words: Any) -> DenseNet:
    """Return a DenseNet of that many layers."""
    growth, counts, inputs = DENSE[depth]
    return DenseNet(growth, counts, inputs, **words)


class Unit(nn.Module):
    """A convolution, its normalization and a ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1,
                 padding: int = 0) -> None:  # fmt: skip
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """Return the output."""
        return torch.relu(self.bn(self.conv(x)))


class Inception(nn.Module):
    """Four paths side by side."""

    def __init__(self, inputs: int, sizes: Sequence[int]) -> None:
        super().__init__()
        one, before3, three, before5, five, pool = sizes
        self.branch1 = Unit(inputs, one, 1)
        self.branch2 = nn.Sequential(Unit(inputs, before3, 1), Unit(before3, three, 3, padding=1))
        # the published network has a kernel of 3 here, not of 5
        self.branch3 = nn.Sequential(Unit(inputs, before5, 1), Unit(before5, five, 3, padding=1))
        widest = nn.MaxPool2d(3, 1, 1, ceil_mode=True)
        self.branch4 = nn.Sequential(widest, Unit(inputs, pool, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return all paths, one after the other."""
        paths = (self.branch1, self.branch2, self.branch3, self.branch4)
        return torch.cat([path(x) for path in paths], 1)


class Beside(nn.Module):
    """A further classifier, in the middle of the network, which helps in training."""

    def __init__(self, inputs: int, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.conv, self.fc1 = Unit(inputs, 128, 1), nn.Linear(2048, 1024)
        self.fc2, self.dropout = nn.Linear(1024, num_classes), nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the classes."""
        x = self.conv(F.adaptive_avg_pool2d(x, (4, 4))).flatten(1)
        out: Tensor = self.fc2(self.dropout(F.relu(self.fc1(x))))
        return out


class GoogLeNetOutputs(NamedTuple):
    """The scores of all classifiers, the last one first."""

    logits: Tensor
    aux_logits2: Tensor | None
    aux_logits1: Tensor | None


class GoogLeNet(nn.Module):
    """A stem, nine inception blocks, and a classifier; in training it gives the scores of three.

    Source: Szegedy et al., Going deeper with convolutions, 2015.
    """

    def __init__(self, num_classes: int = 1000, aux_logits: bool = True,
                 transform_input: bool = False, init_weights: bool | None = None,
                 dropout: float = 0.2, dropout_aux: float = 0.7) -> None:  # fmt: skip
        super().__init__()
        self.aux_logits, self.transform_input = aux_logits, transform_input
        self.conv1 = Unit(3, 64, 7, 2, 3)
        self.maxpool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2, self.conv3 = Unit(64, 64, 1), Unit(64, 192, 3, padding=1)
        self.maxpool2 = self.maxpool3 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.maxpool4 = nn.MaxPool2d(2, 2, ceil_mode=True)
        inputs = 192
        for name, sizes in GOOGLE.items():
            self.add_module(f"inception{name}", Inception(inputs, sizes))
            inputs = sizes[0] + sizes[2] + sizes[4] + sizes[5]
        self.aux1 = Beside(512, num_classes, dropout_aux) if aux_logits else None
        self.aux2 = Beside(528, num_classes, dropout_aux) if aux_logits else None
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout, self.fc = nn.Dropout(dropout), nn.Linear(inputs, num_classes)
        for part in () if init_weights is False else self.modules():
            if isinstance(part, (nn.Conv2d, nn.Linear)):
                nn.init.trunc_normal_(part.weight, mean=0.0, std=0.01, a=-2, b=2)

    def forward(self, x: Tensor) -> Any:
        """Return the scores of the classes."""
        if self.transform_input:
            x = as_half(x)
        x = self.maxpool2(self.conv3(self.conv2(self.maxpool1(self.conv1(x)))))
        beside: list[Tensor | None] = []
        for name in GOOGLE:
            if name in ("4a", "5a"):
                x = (self.maxpool3 if name == "4a" else self.maxpool4)(x)
            if name in ("4b", "4e"):
                aux = self.aux1 if name == "4b" else self.aux2
                beside.append(aux(x) if aux is not None and self.training else None)
            x = getattr(self, f"inception{name}")(x)
        out: Tensor = self.fc(self.dropout(torch.flatten(self.avgpool(x), 1)))
        if not (self.training and self.aux_logits):
            return out
        return GoogLeNetOutputs(out, beside[1], beside[0])


def drawn(net: nn.Module) -> None:
    """Draw convolutions as ResNet's, and let linear layers begin without a bias."""
    for part in net.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight)
        elif isinstance(part, nn.Linear):
            nn.init.zeros_(part.bias)
