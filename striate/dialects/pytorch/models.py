"""Networks of torchvision without their weights: AlexNet, VGG and ResNet, and the table of all.

Names of weights are those of the published files, so that `load_state_dict` takes a copy of one.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import caller
from ..table import DialectError
from . import models_deep as deep, models_inception as inception, models_mobile as mobile
from .functional import to_tensor
from .transforms import CenterCrop, Compose, Normalize, Resize

VGGS = {  # channels of the convolutions between poolings
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
WIDER = {  # depth, groups of the convolutions in the middle, width of each group
    "resnext50_32x4d": (50, 32, 4),
    "resnext101_32x8d": (101, 32, 8),
    "resnext101_64x4d": (101, 64, 4),
    "wide_resnet50_2": (50, 1, 128),
    "wide_resnet101_2": (101, 1, 128),
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


class AlexNet(Plain):
    """AlexNet."""


class VGG(Plain):
    """A VGG."""


def alexnet(num_classes: int = 1000, dropout: float = 0.5) -> AlexNet:
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
    return AlexNet(nn.Sequential(*layers), 6, classifier)


def vgg(depth: int, norm: bool, num_classes: int = 1000, dropout: float = 0.5) -> VGG:
    """Return a VGG. Source: Simonyan and Zisserman, Very deep convolutional networks, 2014."""
    layers: list[nn.Module] = []
    inputs = 3
    for group in VGGS[depth]:
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
    return VGG(nn.Sequential(*layers), 7, classifier)


class Block(nn.Module):
    """Convolutions whose sum with their input is the output."""

    def __init__(self, inputs: int, width: int, stride: int, narrow: bool, groups: int = 1,
                 group_width: int = 64) -> None:  # fmt: skip
        super().__init__()
        outputs = width * 4 if narrow else width
        inside = width * group_width // 64 * groups
        steps = [(inputs, inside, 1, 1), (inside, inside, 3, stride), (inside, outputs, 1, 1)]
        if not narrow:
            steps = [(inputs, width, 3, stride), (width, width, 3, 1)]
        for number, (before, after, kernel, step) in enumerate(steps, 1):
            parts = groups if kernel == 3 else 1
            convolution = nn.Conv2d(before, after, kernel, step, kernel // 2, groups=parts,
                                    bias=False)  # fmt: skip
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


class BasicBlock(Block):
    """Two convolutions."""

    expansion = 1


class Bottleneck(Block):
    """Three convolutions, narrow in the middle."""

    expansion = 4


class ResNet(nn.Module):
    """A stem, four widths of blocks, and a classifier."""

    def __init__(self, depth: int, num_classes: int = 1000, *, groups: int = 1,
                 width_per_group: int = 64, zero_init_residual: bool = False) -> None:  # fmt: skip
        super().__init__()
        counts, narrow = RESNET[depth]
        kind = Bottleneck if narrow else BasicBlock
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1, self.relu = nn.BatchNorm2d(64), nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs = 64
        for number, count in enumerate(counts):
            width = 64 * 2**number
            blocks = []
            for place in range(count):
                stride = 2 if number and not place else 1
                blocks.append(kind(inputs, width, stride, narrow, groups, width_per_group))
                inputs = width * 4 if narrow else width
            self.add_module(f"layer{number + 1}", nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(inputs, num_classes)
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
            if zero_init_residual and isinstance(part, Block):
                nn.init.zeros_(getattr(part, f"bn{part.steps}").weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the classes."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for number in range(1, 5):
            x = getattr(self, f"layer{number}")(x)
        out: Tensor = self.fc(torch.flatten(self.avgpool(x), 1))
        return out


class Words:
    """The words for weights of a network that are published: all are the file of one name."""

    def __init__(self, title: str) -> None:
        self.title = title

    def __getattr__(self, word: str) -> Words:
        if word.startswith("_"):
            raise AttributeError(word)
        return self

    def transforms(self, **words: Any) -> Any:
        """Return how these weights want their images."""
        middle, spread = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
        steps = (Resize(256), CenterCrop(224), AsTensor(), Normalize(middle, spread))
        return Compose(steps)

    @property
    def meta(self) -> dict[str, Any]:
        """What is known of them; the names of the classes are in no file here."""
        raise DialectError(
            f"torchvision.models.{self.title}",
            "the names of ImageNet's classes are not on this machine",
            need="a list of your own",
            at=caller(),
        )


class AsTensor:
    """A picture as floats; a tensor of bytes too."""

    def __call__(self, img: Any) -> Tensor:
        """Return the tensor."""
        if not isinstance(img, Tensor):
            return to_tensor(img)
        return img if img.is_floating_point() else img.float().div(255)


def _made(name: str, make: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
    def network(pretrained: bool = False, progress: bool = True, **words: Any) -> nn.Module:
        """Return the network; its weights are drawn at random, or those of a file."""
        taken = inspect.signature(make).parameters
        unused = {word for word in UNUSED if word not in taken}
        words = {word: value for word, value in words.items() if word not in unused}
        wanted = words.pop("weights", None)
        if not pretrained and wanted is None:
            return make(**words)
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        files = sorted(folder.glob(f"{FILES.get(name, name)}-*.pth"))
        if not files:
            raise DialectError(
                f"torchvision.models.{name}",
                "the trained weights are not on this machine, and nothing is fetched",
                got=f"no {name}-*.pth in {folder}",
                need="weights=None, or the published file there",
                fix=f"net = models.{name}(); net.load_state_dict(torch.load('your_copy.pth'))",
                at=caller(),
            )
        net = make(**words)
        weights = torch.load(files[-1], weights_only=True)
        weights = {DENSE_TODAY.sub(r"\1\2.", key): value for key, value in weights.items()}
        mine = net.state_dict()
        counts = {key: value for key, value in mine.items() if key.endswith("num_batches_tracked")}
        there = {key: value for key, value in weights.items() if key in mine}  # no side outputs
        net.load_state_dict({**counts, **there})
        return net

    network.__name__ = name
    return network


DENSE_TODAY = re.compile(r"\b(norm|conv)\.(\d)\.")  # older files have a point between
UNUSED = ("aux_logits", "init_weights", "transform_input", "memory_efficient")
FILES = {  # where the name of a file is not the network's
    "alexnet": "alexnet-owt", "inception_v3": "inception_v3_google",
    **{f"efficientnet_b{number}": f"efficientnet_b{number}_*" for number in range(8)},
    "shufflenet_v2_x0_5": "shufflenetv2_x0.5", "shufflenet_v2_x1_0": "shufflenetv2_x1",
}  # fmt: skip


def names() -> dict[str, Any]:
    """Return the functions that make networks, and the words for weights that are not here."""
    made: dict[str, Callable[..., nn.Module]] = {
        "alexnet": alexnet,
        "googlenet": deep.GoogLeNet,
        "inception_v3": inception.Inception3,
        "mobilenet_v2": mobile.mobilenet_v2,
    }
    for depth in VGGS:
        made[f"vgg{depth}"] = partial(vgg, depth, False)
        made[f"vgg{depth}_bn"] = partial(vgg, depth, True)
    made |= {f"resnet{depth}": partial(ResNet, depth) for depth in RESNET}
    made |= {name: partial(ResNet, depth, groups=groups, width_per_group=width)
             for name, (depth, groups, width) in WIDER.items()}  # fmt: skip
    made |= {f"densenet{depth}": partial(deep.DenseNet, depth) for depth in deep.DENSE}
    made |= {f"squeezenet{version}": partial(deep.SqueezeNet, version) for version in deep.FIRES}
    for size in mobile.MOBILE3:
        made[f"mobilenet_v3_{size}"] = partial(mobile.mobilenet_v3, size)
    for number in range(len(mobile.SCALES)):
        made[f"efficientnet_b{number}"] = partial(mobile.efficientnet, number)
    made |= {f"shufflenet_v2_x{size}": partial(mobile.ShuffleNet, size) for size in mobile.SHUFFLE}
    titles = {f"{TITLES.get(name, _title(name))}_Weights" for name in made}
    return {
        **{name: _made(name, make) for name, make in made.items()},
        **{title: Words(title) for title in titles},
        "ResNet": ResNet, "AlexNet": AlexNet, "VGG": VGG,
        "DenseNet": deep.DenseNet, "SqueezeNet": deep.SqueezeNet,
        "Inception3": inception.Inception3,
        "get_model": lambda name, **words: _made(name, made[name])(**words),
        "list_models": lambda **words: sorted(made),
    }  # fmt: skip


TITLES = {"googlenet": "GoogLeNet", "alexnet": "AlexNet", "wide_resnet50_2": "Wide_ResNet50_2",
          "inception_v3": "Inception_V3", "wide_resnet101_2": "Wide_ResNet101_2"}  # fmt: skip


def _title(name: str) -> str:
    """Return the class of a network's weights: resnet18 is ResNet18, vgg16_bn is VGG16_BN."""
    begins = {"resnet": "ResNet", "resnext": "ResNeXt", "vgg": "VGG", "densenet": "DenseNet",
              "squeezenet": "SqueezeNet", "mobilenet": "MobileNet", "efficientnet": "EfficientNet",
              "shufflenet": "ShuffleNet"}  # fmt: skip
    for begin, title in begins.items():
        if name.startswith(begin):
            rest = "_".join(part.capitalize() if part in ("large", "small") else part.upper()
                            for part in name[len(begin) :].split("_"))  # fmt: skip
            return title + rest
    return name
