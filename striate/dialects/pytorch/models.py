"""Networks of torchvision without their weights: AlexNet, VGG and ResNet, with its names inside.

Names of weights are those of the published files, so that `load_state_dict` takes a copy of one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import caller
from ..table import DialectError

VGG = {  # channels of the convolutions between poolings
    11: ((64,), (128,), (256,) * 2, (512,) * 2, (512,) * 2),
    13: ((64,) * 2, (128,) * 2, (256,) * 2, (512,) * 2, (512,) * 2),
    16: ((64,) * 2, (128,) * 2, (256,) * 3, (512,) * 3, (512,) * 3),
    19: ((64,) * 2, (128,) * 2, (256,) * 4, (512,) * 4, (512,) * 4),
}
RESNET = {  # blocks of each width, and whether a block narrows in the middle
    18: ((2, 2, 2, 2), False),
    34: ((3, 4, 6, 3), False),
    50: ((3, 4, 6, 3), True),
    101: ((3, 4, 23, 3), True),
    152: ((3, 8, 36, 3), True),
}


class Plain(nn.Module):
    """Features, a pooling to a fixed size, and a classifier."""

    def __init__(self, features: nn.Module, size: int, classifier: nn.Module) -> None:
        super().__init__()
        self.features, self.classifier = features, classifier
        self.avgpool = nn.AdaptiveAvgPool2d(size)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the classes."""
        out: Tensor = self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))
        return out


def alexnet(num_classes: int = 1000, dropout: float = 0.5) -> Plain:
    """Return AlexNet as torchvision has it. Source: Krizhevsky, One weird trick, 2014."""
    sizes = ((3, 64, 11, 4, 2), (64, 192, 5, 1, 2), (192, 384, 3, 1, 1), (384, 256, 3, 1, 1),
             (256, 256, 3, 1, 1))  # fmt: skip
    layers: list[nn.Module] = []
    for number, (inputs, outputs, kernel, stride, padding) in enumerate(sizes):
        layers += [nn.Conv2d(inputs, outputs, kernel, stride, padding), nn.ReLU(inplace=True)]
        if number in (0, 1, 4):
            layers.append(nn.MaxPool2d(3, 2))
    classifier = nn.Sequential(
        nn.Dropout(dropout), nn.Linear(256 * 36, 4096), nn.ReLU(inplace=True),
        nn.Dropout(dropout), nn.Linear(4096, 4096), nn.ReLU(inplace=True),
        nn.Linear(4096, num_classes),
    )  # fmt: skip
    return Plain(nn.Sequential(*layers), 6, classifier)


def vgg(depth: int, norm: bool, num_classes: int = 1000, dropout: float = 0.5) -> Plain:
    """Return a VGG. Source: Simonyan and Zisserman, Very deep convolutional networks, 2014."""
    layers: list[nn.Module] = []
    inputs = 3
    for group in VGG[depth]:
        for outputs in group:
            layers.append(nn.Conv2d(inputs, outputs, 3, padding=1))
            layers += [nn.BatchNorm2d(outputs)] if norm else []
            layers.append(nn.ReLU(inplace=True))
            inputs = outputs
        layers.append(nn.MaxPool2d(2, 2))
    classifier = nn.Sequential(
        nn.Linear(512 * 49, 4096), nn.ReLU(inplace=True), nn.Dropout(dropout),
        nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(dropout),
        nn.Linear(4096, num_classes),
    )  # fmt: skip
    return Plain(nn.Sequential(*layers), 7, classifier)


class Block(nn.Module):
    """Convolutions whose sum with their input is the output."""

    def __init__(self, inputs: int, width: int, stride: int, narrow: bool) -> None:
        super().__init__()
        outputs = width * 4 if narrow else width
        steps = [(inputs, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)]
        if not narrow:
            steps = [(inputs, width, 3, stride), (width, width, 3, 1)]
        for number, (before, after, kernel, step) in enumerate(steps, 1):
            convolution = nn.Conv2d(before, after, kernel, step, kernel // 2, bias=False)
            self.add_module(f"conv{number}", convolution)
            self.add_module(f"bn{number}", nn.BatchNorm2d(after))
        self.relu = nn.ReLU(inplace=True)
        self.steps = len(steps)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            short = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(short, nn.BatchNorm2d(outputs))

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


class ResNet(nn.Module):
    """A stem, four widths of blocks, and a classifier."""

    def __init__(self, depth: int, num_classes: int = 1000) -> None:
        super().__init__()
        counts, narrow = RESNET[depth]
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1, self.relu = nn.BatchNorm2d(64), nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs = 64
        for number, count in enumerate(counts):
            width = 64 * 2**number
            blocks = []
            for place in range(count):
                stride = 2 if number and not place else 1
                blocks.append(Block(inputs, width, stride, narrow))
                inputs = width * 4 if narrow else width
            self.add_module(f"layer{number + 1}", nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(inputs, num_classes)
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the classes."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for number in range(1, 5):
            x = getattr(self, f"layer{number}")(x)
        out: Tensor = self.fc(torch.flatten(self.avgpool(x), 1))
        return out


def _made(name: str, make: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
    def network(pretrained: bool = False, progress: bool = True, **words: Any) -> nn.Module:
        """Return the network, its weights drawn at random."""
        if pretrained or words.pop("weights", None) is not None:
            raise DialectError(
                f"torchvision.models.{name}",
                "the trained weights are not on this machine, and nothing is fetched",
                need="weights=None",
                fix=f"net = models.{name}(); net.load_state_dict(torch.load('your_copy.pth'))",
                at=caller(),
            )
        return make(**words)

    network.__name__ = name
    return network


def names() -> dict[str, Any]:
    """Return the functions that make networks, and the words for weights that are not here."""
    made: dict[str, Callable[..., nn.Module]] = {"alexnet": alexnet}
    for depth in VGG:
        made[f"vgg{depth}"] = partial(vgg, depth, False)
        made[f"vgg{depth}_bn"] = partial(vgg, depth, True)
    for depth in RESNET:
        made[f"resnet{depth}"] = partial(ResNet, depth)
    titles: Sequence[str] = [
        *("AlexNet_Weights", "VGG11_Weights", "VGG16_Weights", "VGG19_Weights"),
        *(f"ResNet{depth}_Weights" for depth in RESNET),
    ]
    weights = {title: type(title, (), {"DEFAULT": "DEFAULT", "IMAGENET1K_V1": "IMAGENET1K_V1"})
               for title in titles}  # fmt: skip
    return {**{name: _made(name, make) for name, make in made.items()}, **weights,
            "ResNet": ResNet}  # fmt: skip
