"""torchvision's AlexNet and VGG: convolutions, one after the other, and a classifier.

Names of weights are those of the published files, so that `load_state_dict` takes a copy of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

PLACES = {"A": (1, 1, 2, 2, 2), "B": (2,) * 5, "D": (2, 2, 3, 3, 3), "E": (2, 2, 4, 4, 4)}
WIDTHS = (64, 128, 256, 512, 512)
LETTERS = {11: "A", 13: "B", 16: "D", 19: "E"}
CONFIGURATIONS: dict[str, list[Any]] = {  # channels of the convolutions; "M" is a pooling
    letter: [
        step
        for width, count in zip(WIDTHS, counts, strict=True)
        for step in (*[width] * count, "M")
    ]
    for letter, counts in PLACES.items()
}


class Plain(nn.Module):
    """Features, a pooling to a fixed size, and a classifier."""

    def __init__(self, features: nn.Module, size: int, classifier: nn.Module) -> None:
        super().__init__()
        self.features, self.classifier = features, classifier
        self.avgpool = nn.AdaptiveAvgPool2d((size, size))

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the classes."""
        out: Tensor = self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))
        return out


class AlexNet(Plain):
    """AlexNet as torchvision has it. Source: Krizhevsky, One weird trick, 2014."""

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5) -> None:
        sizes = ((3, 64, 11, 4, 2), (64, 192, 5, 1, 2), (192, 384, 3, 1, 1), (384, 256, 3, 1, 1),
                 (256, 256, 3, 1, 1))  # fmt: skip
        layers: list[nn.Module] = []
        for number, (inputs, outputs, kernel, stride, padding) in enumerate(sizes):
            convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding)
            layers += [convolution, nn.ReLU(inplace=True)]
            if number in (0, 1, 4):
                layers.append(nn.MaxPool2d(3, 2))
        classifier = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(256 * 36, 4096), nn.ReLU(inplace=True),
            nn.Dropout(dropout), nn.Linear(4096, 4096), nn.ReLU(inplace=True),
            nn.Linear(4096, num_classes),
        )  # fmt: skip
        super().__init__(nn.Sequential(*layers), 6, classifier)


class VGG(Plain):
    """A VGG. Source: Simonyan and Zisserman, Very deep convolutional networks, 2014."""

    def __init__(self, features: nn.Module, num_classes: int = 1000, init_weights: bool = True,
                 dropout: float = 0.5) -> None:  # fmt: skip
        classifier = nn.Sequential(
            nn.Linear(512 * 49, 4096), nn.ReLU(inplace=True), nn.Dropout(dropout),
            nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(dropout),
            nn.Linear(4096, num_classes),
        )  # fmt: skip
        super().__init__(features, 7, classifier)
        for part in self.modules() if init_weights else ():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(part, nn.Linear):
                nn.init.normal_(part.weight, 0, 0.01)
            if isinstance(part, (nn.Conv2d, nn.Linear)) and part.bias is not None:
                nn.init.zeros_(part.bias)


def make_layers(cfg: Sequence[Any], batch_norm: bool = False) -> nn.Sequential:
    """Return convolutions of these channels; "M" is a pooling between them."""
    layers: list[nn.Module] = []
    inputs = 3
    for step in cfg:
        if step == "M":
            layers.append(nn.MaxPool2d(2, 2))
            continue
        layers.append(nn.Conv2d(inputs, step, 3, padding=1))
        layers += [nn.BatchNorm2d(step)] if batch_norm else []
        layers.append(nn.ReLU(inplace=True))
        inputs = step
    return nn.Sequential(*layers)


def vgg(depth: int, norm: bool, **words: Any) -> VGG:
    """Return a VGG of that many layers."""
    return VGG(make_layers(CONFIGURATIONS[LETTERS[depth]], norm), **words)


NAMES: dict[str, Any] = {
    "AlexNet": AlexNet, "VGG": VGG, "make_layers": make_layers, "cfgs": CONFIGURATIONS,
    "cfg": CONFIGURATIONS,
}  # fmt: skip
