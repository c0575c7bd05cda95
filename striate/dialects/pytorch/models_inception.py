"""torchvision's Inception v3. Source: Szegedy et al., Rethinking the Inception, 2015."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class BasicConv2d(nn.Module):
    """A convolution, a normalisation and a rectifier."""

    def __init__(self, in_channels: int, out_channels: int, **words: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, bias=False, **words)
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map."""
        return F.relu(self.bn(self.conv(x)), inplace=True)


MIDDLE, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's channels
Row = tuple[str, int, int, Any, int, Any]  # name, channels in and out, kernel, stride, padding


class Branches(nn.Module):
    """Chains of convolutions beside each other, and a pooling; their maps are put together.

    `chains` are names of convolutions, one after the other; the last of a chain may be several,
    in a tuple, beside each other. `pool` is "average" or "largest", `after` a convolution of it.
    """

    def __init__(
        self, rows: Sequence[Row], chains: Sequence[Sequence[Any]], pool: str, after: str = ""
    ) -> None:
        super().__init__()
        for name, before, made, kernel, stride, padding in rows:
            words = {"kernel_size": kernel, "stride": stride, "padding": padding}
            self.add_module(name, BasicConv2d(before, made, **words))
        self.chains, self.pool, self.after = chains, pool, after

    def forward(self, x: Tensor) -> Tensor:
        """Return the maps together."""
        out: list[Tensor] = []
        for chain in self.chains:
            y = x
            for name in chain:
                if isinstance(name, tuple):
                    out += [self._modules[one](y) for one in name]  # type: ignore[misc]
                else:
                    y = self._modules[name](y)  # type: ignore[misc]
            if not isinstance(chain[-1], tuple):
                out.append(y)
        if self.pool == "average":
            y = F.avg_pool2d(x, kernel_size=3, stride=1, padding=1)
            out.append(self._modules[self.after](y))  # type: ignore[misc]
        else:
            out.append(F.max_pool2d(x, kernel_size=3, stride=2))
        return torch.cat(out, 1)


def block_a(wide: int, pooled: int) -> Branches:
    """Return a block of windows of 5 and 3."""
    rows = [
        ("branch1x1", wide, 64, 1, 1, 0),
        ("branch5x5_1", wide, 48, 1, 1, 0), ("branch5x5_2", 48, 64, 5, 1, 2),
        ("branch3x3dbl_1", wide, 64, 1, 1, 0), ("branch3x3dbl_2", 64, 96, 3, 1, 1),
        ("branch3x3dbl_3", 96, 96, 3, 1, 1), ("branch_pool", wide, pooled, 1, 1, 0),
    ]  # fmt: skip
    chains = [["branch1x1"], ["branch5x5_1", "branch5x5_2"],
              ["branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"]]  # fmt: skip
    return Branches(rows, chains, "average", "branch_pool")


def block_b(wide: int) -> Branches:
    """Return a block that halves the map of 35."""
    rows = [
        ("branch3x3", wide, 384, 3, 2, 0), ("branch3x3dbl_1", wide, 64, 1, 1, 0),
        ("branch3x3dbl_2", 64, 96, 3, 1, 1), ("branch3x3dbl_3", 96, 96, 3, 2, 0),
    ]  # fmt: skip
    chains = [["branch3x3"], ["branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"]]
    return Branches(rows, chains, "largest")


def block_c(wide: int, inner: int) -> Branches:
    """Return a block of windows of 7 along one axis at a time."""
    along, down = ((1, 7), 1, (0, 3)), ((7, 1), 1, (3, 0))
    rows = [
        ("branch1x1", wide, 192, 1, 1, 0),
        ("branch7x7_1", wide, inner, 1, 1, 0), ("branch7x7_2", inner, inner, *along),
        ("branch7x7_3", inner, 192, *down),
        ("branch7x7dbl_1", wide, inner, 1, 1, 0), ("branch7x7dbl_2", inner, inner, *down),
        ("branch7x7dbl_3", inner, inner, *along), ("branch7x7dbl_4", inner, inner, *down),
        ("branch7x7dbl_5", inner, 192, *along), ("branch_pool", wide, 192, 1, 1, 0),
    ]  # fmt: skip
    chains = [["branch1x1"], [f"branch7x7_{at}" for at in range(1, 4)],
              [f"branch7x7dbl_{at}" for at in range(1, 6)]]  # fmt: skip
    return Branches(rows, chains, "average", "branch_pool")


def block_d(wide: int) -> Branches:
    """Return a block that halves the map of 17."""
    rows = [
        ("branch3x3_1", wide, 192, 1, 1, 0), ("branch3x3_2", 192, 320, 3, 2, 0),
        ("branch7x7x3_1", wide, 192, 1, 1, 0), ("branch7x7x3_2", 192, 192, (1, 7), 1, (0, 3)),
        ("branch7x7x3_3", 192, 192, (7, 1), 1, (3, 0)), ("branch7x7x3_4", 192, 192, 3, 2, 0),
    ]  # fmt: skip
    chains = [["branch3x3_1", "branch3x3_2"], [f"branch7x7x3_{at}" for at in range(1, 5)]]
    return Branches(rows, chains, "largest")


def block_e(wide: int) -> Branches:
    """Return a block whose chains end in two convolutions beside each other."""
    along, down = ((1, 3), 1, (0, 1)), ((3, 1), 1, (1, 0))
    rows = [
        ("branch1x1", wide, 320, 1, 1, 0), ("branch3x3_1", wide, 384, 1, 1, 0),
        ("branch3x3_2a", 384, 384, *along), ("branch3x3_2b", 384, 384, *down),
        ("branch3x3dbl_1", wide, 448, 1, 1, 0), ("branch3x3dbl_2", 448, 384, 3, 1, 1),
        ("branch3x3dbl_3a", 384, 384, *along), ("branch3x3dbl_3b", 384, 384, *down),
        ("branch_pool", wide, 192, 1, 1, 0),
    ]  # fmt: skip
    chains: list[list[Any]] = [
        ["branch1x1"],
        ["branch3x3_1", ("branch3x3_2a", "branch3x3_2b")],
        ["branch3x3dbl_1", "branch3x3dbl_2", ("branch3x3dbl_3a", "branch3x3dbl_3b")],
    ]
    return Branches(rows, chains, "average", "branch_pool")


class Beside(nn.Module):
    """The second classifier, which helps in training."""

    def __init__(self, wide: int, num_classes: int) -> None:
        super().__init__()
        self.conv0, self.conv1 = (
            BasicConv2d(wide, 128, kernel_size=1),
            BasicConv2d(128, 768, kernel_size=5),
        )
        self.fc = nn.Linear(768, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores."""
        x = F.avg_pool2d(x, kernel_size=5, stride=3)
        x = F.adaptive_avg_pool2d(self.conv1(self.conv0(x)), (1, 1))
        scores: Tensor = self.fc(torch.flatten(x, 1))
        return scores


def as_half(x: Tensor) -> Tensor:
    """Return images, normalised by ImageNet's channels, as if by means and deviations of 0.5."""
    spread, middle = x.new_tensor(SPREAD), x.new_tensor(MIDDLE)
    return x * (spread / 0.5)[:, None, None] + ((middle - 0.5) / 0.5)[:, None, None]


class InceptionOutputs(NamedTuple):
    """The scores of both classifiers."""

    logits: Tensor
    aux_logits: Tensor | None


class Inception3(nn.Module):
    """A network for images of 299 x 299; in training it gives the scores of two classifiers."""

    def __init__(self, num_classes: int = 1000, aux_logits: bool = True,
                 transform_input: bool = False, init_weights: bool | None = True,
                 dropout: float = 0.5) -> None:  # fmt: skip
        super().__init__()
        self.aux_logits, self.transform_input = aux_logits, transform_input
        self.Conv2d_1a_3x3 = BasicConv2d(3, 32, kernel_size=3, stride=2)
        self.Conv2d_2a_3x3 = BasicConv2d(32, 32, kernel_size=3)
        self.Conv2d_2b_3x3 = BasicConv2d(32, 64, kernel_size=3, padding=1)
        self.maxpool1 = nn.MaxPool2d(kernel_size=3, stride=2)
        self.Conv2d_3b_1x1 = BasicConv2d(64, 80, kernel_size=1)
        self.Conv2d_4a_3x3 = BasicConv2d(80, 192, kernel_size=3)
        self.maxpool2 = nn.MaxPool2d(kernel_size=3, stride=2)
        self.Mixed_5b, self.Mixed_5c = block_a(192, 32), block_a(256, 64)
        self.Mixed_5d = block_a(288, 64)
        self.Mixed_6a = block_b(288)
        self.Mixed_6b, self.Mixed_6c = block_c(768, 128), block_c(768, 160)
        self.Mixed_6d, self.Mixed_6e = block_c(768, 160), block_c(768, 192)
        self.AuxLogits = Beside(768, num_classes) if aux_logits else None
        self.Mixed_7a = block_d(768)
        self.Mixed_7b, self.Mixed_7c = block_e(1280), block_e(2048)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout, self.fc = nn.Dropout(p=dropout), nn.Linear(2048, num_classes)
        for part in self.modules():
            if isinstance(part, (nn.Conv2d, nn.Linear)) and init_weights is not False:
                nn.init.trunc_normal_(part.weight, mean=0.0, std=0.1, a=-2, b=2)

    def forward(self, x: Tensor) -> Any:
        """Return the scores."""
        if self.transform_input:
            x = as_half(x)
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.maxpool2(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(self.maxpool1(x))))
        x = self.Mixed_6a(self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(x))))
        beside = self.AuxLogits(x) if self.AuxLogits is not None and self.training else None
        x = self.avgpool(self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x))))
        x = self.fc(torch.flatten(self.dropout(x), 1))
        return InceptionOutputs(x, beside) if self.training and self.aux_logits else x
