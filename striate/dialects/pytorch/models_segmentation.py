"""torchvision's networks for each pixel: FCN, DeepLab 3 and LR-ASPP, over a network for images.

Names of weights are those of the published files, so that `load_state_dict` takes a copy of one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...engine.progress import say
from .features import IntermediateLayerGetter
from .models_mobile import mobilenet_v3
from .models_residual import resnet

LAST, EARLY = (16, 960), (4, 40)  # of MobileNet 3: a part's number, and its channels


class _SimpleSegmentationModel(nn.Module):
    """Maps of a network, scores of each place, and these enlarged to the image: {"out": ...}."""

    def __init__(
        self, backbone: nn.Module, classifier: nn.Module, aux_classifier: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.backbone, self.classifier, self.aux_classifier = backbone, classifier, aux_classifier

    def forward(self, x: Tensor) -> OrderedDict[str, Tensor]:
        """Return the scores of the classes at each pixel, and those of the side output, "aux"."""
        size, maps = x.shape[-2:], self.backbone(x)
        out = OrderedDict(out=enlarged(self.classifier(maps["out"]), size))
        if self.aux_classifier is not None:
            out["aux"] = enlarged(self.aux_classifier(maps["aux"]), size)
        return out


class FCN(_SimpleSegmentationModel):
    """A fully convolutional network. Source: Long et al., 2014."""


class DeepLabV3(_SimpleSegmentationModel):
    """DeepLab 3. Source: Chen et al., Rethinking atrous convolution, 2017."""


def enlarged(x: Tensor, size: Any) -> Tensor:
    """Return a map of another size."""
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


def unit(inputs: int, outputs: int, kernel: int = 1, rate: int = 1) -> list[nn.Module]:
    """Return a convolution that keeps the size, without a bias, its normalization and a ReLU."""
    padding = kernel // 2 * rate
    made = nn.Conv2d(inputs, outputs, kernel, padding=padding, dilation=rate, bias=False)
    return [made, nn.BatchNorm2d(outputs), nn.ReLU()]


class FCNHead(nn.Sequential):
    """A quarter of the channels, dropout, and the classes."""

    def __init__(self, in_channels: int, channels: int) -> None:
        inside = in_channels // 4
        super().__init__(
            *unit(in_channels, inside, 3), nn.Dropout(0.1), nn.Conv2d(inside, channels, 1)
        )


class ASPPConv(nn.Sequential):
    """A convolution with gaps."""

    def __init__(self, in_channels: int, out_channels: int, dilation: int) -> None:
        super().__init__(*unit(in_channels, out_channels, 3, dilation))


class ASPPPooling(nn.Sequential):
    """The means of the whole map, at each place."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(nn.AdaptiveAvgPool2d(1), *unit(in_channels, out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return a map of the same size."""
        out = x
        for part in self:
            out = part(out)
        return enlarged(out, x.shape[-2:])


class ASPP(nn.Module):
    """Convolutions with gaps of several widths beside one another."""

    def __init__(
        self, in_channels: int, atrous_rates: Sequence[int], out_channels: int = 256
    ) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            [nn.Sequential(*unit(in_channels, out_channels)),
             *(ASPPConv(in_channels, out_channels, rate) for rate in atrous_rates),
             ASPPPooling(in_channels, out_channels)]
        )  # fmt: skip
        whole = len(self.convs) * out_channels
        self.project = nn.Sequential(*unit(whole, out_channels), nn.Dropout(0.5))

    def forward(self, x: Tensor) -> Tensor:
        """Return what all of them give."""
        out: Tensor = self.project(torch.cat([one(x) for one in self.convs], dim=1))
        return out


class DeepLabHead(nn.Sequential):
    """ASPP, a convolution, and the classes."""

    def __init__(
        self, in_channels: int, num_classes: int, atrous_rates: Sequence[int] = (12, 24, 36)
    ) -> None:
        parts = [
            ASPP(in_channels, atrous_rates),
            *unit(256, 256, 3),
            nn.Conv2d(256, num_classes, 1),
        ]
        super().__init__(*parts)


class LRASPPHead(nn.Module):
    """A small map, scaled by its means, beside a larger one."""

    def __init__(
        self, low_channels: int, high_channels: int, num_classes: int, inter_channels: int
    ) -> None:
        super().__init__()
        self.cbr = nn.Sequential(*unit(high_channels, inter_channels))
        self.scale = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(high_channels, inter_channels, 1, bias=False),
            nn.Sigmoid(),
        )  # fmt: skip
        self.low_classifier = nn.Conv2d(low_channels, num_classes, 1)
        self.high_classifier = nn.Conv2d(inter_channels, num_classes, 1)

    def forward(self, input: dict[str, Tensor]) -> Tensor:
        """Return the scores at each place of the larger map."""
        low, high = input["low"], input["high"]
        x = enlarged(self.cbr(high) * self.scale(high), low.shape[-2:])
        out: Tensor = self.low_classifier(low) + self.high_classifier(x)
        return out


class LRASPP(nn.Module):
    """LR-ASPP. Source: Howard et al., Searching for MobileNetV3, 2019."""

    def __init__(self, backbone: nn.Module, low_channels: int, high_channels: int,
                 num_classes: int, inter_channels: int = 128) -> None:  # fmt: skip
        super().__init__()
        self.backbone = backbone
        self.classifier = LRASPPHead(low_channels, high_channels, num_classes, inter_channels)

    def forward(self, input: Tensor) -> OrderedDict[str, Tensor]:
        """Return the scores of the classes at each pixel: {"out": ...}."""
        out = enlarged(self.classifier(self.backbone(input)), input.shape[-2:])
        return OrderedDict(out=out)


def _residual(depth: int) -> tuple[nn.Module, dict[str, tuple[str, int]]]:
    net = resnet(depth, replace_stride_with_dilation=(False, True, True))
    return net, {"out": ("layer4", 2048), "aux": ("layer3", 1024)}


def _mobile() -> tuple[nn.Module, dict[str, tuple[str, int]]]:
    places = {"out": (str(LAST[0]), LAST[1]), "aux": (str(EARLY[0]), EARLY[1])}
    return mobilenet_v3("large", dilated=True).features, places


BACKBONES: dict[str, Callable[[], Any]] = {
    "resnet50": lambda: _residual(50),
    "resnet101": lambda: _residual(101),
    "mobilenet_v3_large": _mobile,
}
KINDS: dict[str, tuple[type[_SimpleSegmentationModel], Callable[..., nn.Module]]] = {
    "fcn": (FCN, FCNHead),
    "deeplabv3": (DeepLabV3, DeepLabHead),
}


def segmenting(kind: str, backbone: str, num_classes: int | None = None,
               aux_loss: bool | None = None, weights_backbone: Any = ...,
               pretrained_backbone: bool = True) -> nn.Module:  # fmt: skip
    """Return a network for each pixel; its backbone is drawn at random too, which is said."""
    _tell(f"{kind}_{backbone}", weights_backbone, pretrained_backbone)
    whole, head = KINDS[kind]
    net, places = BACKBONES[backbone]()
    wanted = ["out", "aux"] if aux_loss else ["out"]
    classes = 21 if num_classes is None else num_classes
    maps = IntermediateLayerGetter(net, {places[word][0]: word for word in wanted})
    aux = FCNHead(places["aux"][1], classes) if aux_loss else None
    return whole(maps, head(places["out"][1], classes), aux)


def lraspp(num_classes: int | None = None, weights_backbone: Any = ...,
           pretrained_backbone: bool = True) -> LRASPP:  # fmt: skip
    """Return LR-ASPP over MobileNet 3."""
    _tell("lraspp_mobilenet_v3_large", weights_backbone, pretrained_backbone)
    names = {str(EARLY[0]): "low", str(LAST[0]): "high"}
    maps = IntermediateLayerGetter(_mobile()[0], names)
    return LRASPP(maps, EARLY[1], LAST[1], 21 if num_classes is None else num_classes)


def _tell(name: str, weights_backbone: Any, pretrained: bool) -> None:
    if weights_backbone is not None and pretrained:
        say(f"note: {name}: its backbone begins at random, no trained weights are on this machine")


NETWORKS: dict[str, tuple[Callable[..., nn.Module], tuple[str, ...]]] = {
    **{f"{kind}_{backbone}": (segmenting, (kind, backbone))
       for kind, backbone in (("fcn", "resnet50"), ("fcn", "resnet101"), ("deeplabv3", "resnet50"),
                              ("deeplabv3", "resnet101"), ("deeplabv3", "mobilenet_v3_large"))},
    "lraspp_mobilenet_v3_large": (lraspp, ()),
}  # fmt: skip
MODULES: dict[str, dict[str, Any]] = {  # what the modules below `segmentation` have
    "": {"FCN": FCN, "DeepLabV3": DeepLabV3, "LRASPP": LRASPP},
    ".fcn": {"FCN": FCN, "FCNHead": FCNHead},
    ".deeplabv3": {"DeepLabV3": DeepLabV3, "DeepLabHead": DeepLabHead, "ASPP": ASPP,
                   "ASPPConv": ASPPConv, "ASPPPooling": ASPPPooling},
    ".lraspp": {"LRASPP": LRASPP, "LRASPPHead": LRASPPHead},
    "._utils": {"_SimpleSegmentationModel": _SimpleSegmentationModel},
}  # fmt: skip
