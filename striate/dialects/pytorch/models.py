"""Networks of torchvision without their weights: the table of all, and the words for weights.

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
from ..published import trained
from ..table import DialectError
from . import (
    blocks_mobile,
    models_attention as attention,
    models_deep as deep,
    models_inception as inception,
    models_mobile as mobile,
    models_plain as plain,
    models_published as published,
    models_residual as residual,
    models_scaled as scaled,
    models_segmentation as segmentation,
)
from .functional import to_tensor
from .transforms import CenterCrop, Compose, Normalize, Resize


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
        handed = any(one.kind is one.VAR_KEYWORD for one in taken.values())
        unused = {word for word in UNUSED if word not in taken and not handed}
        words = {word: value for word, value in words.items() if word not in unused}
        wanted = words.pop("weights", None)
        if not pretrained and wanted is None:
            return make(**words)
        made = {**TRAINED.get(name, {}), **words}
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        files = sorted(folder.glob(f"{FILES.get(name, name)}-*.pth"))
        if not files:
            title, file = f"torchvision.models.{name}", published.published(name)
            path = trained(title, name, file, folder)
            if path is None:
                return make(**made)
            files = [path]
        net = make(**made)
        weights = torch.load(files[-1], weights_only=True)
        weights = {_today(key): value for key, value in weights.items()}
        mine = net.state_dict()
        counts = {key: value for key, value in mine.items() if key.endswith("num_batches_tracked")}
        there = {key: value for key, value in weights.items() if key in mine}  # no side outputs
        net.load_state_dict({**counts, **there})
        return net

    network.__name__ = name
    return network


DENSE_TODAY = re.compile(r"\b(norm|conv)\.(\d)\.")  # older files have a point between
MLP_TODAY = {".mlp.linear_1.": ".mlp.0.", ".mlp.linear_2.": ".mlp.3."}  # of ViT
TRAINED: dict[str, dict[str, Any]] = {  # how networks are made for trained weights
    "googlenet": {"transform_input": True, "aux_logits": False, "init_weights": False},
    "inception_v3": {"transform_input": True, "init_weights": False},
    **{name: {"weights_backbone": None} | ({"aux_loss": True} if parts else {})
       for name, (_, parts) in segmentation.NETWORKS.items()},
}  # fmt: skip


def _today(key: str) -> str:
    """Return the name that a weight of a published file has now."""
    for before, now in MLP_TODAY.items():
        key = key.replace(before, now)
    return DENSE_TODAY.sub(r"\1\2.", key)


UNUSED = ("aux_logits", "init_weights", "transform_input", "memory_efficient")
FILES = {  # where the name of a file is not the network's
    "alexnet": "alexnet-owt", "inception_v3": "inception_v3_google",
    **{f"efficientnet_b{number}": f"efficientnet_b{number}_*" for number in range(8)},
    **{name: f"{name}_coco" for name, (_, parts) in segmentation.NETWORKS.items() if parts},
    "shufflenet_v2_x0_5": "shufflenetv2_x0.5", "shufflenet_v2_x1_0": "shufflenetv2_x1",
}  # fmt: skip


MADE: dict[str, Callable[..., nn.Module]] = {
    "alexnet": plain.AlexNet, "googlenet": deep.GoogLeNet, "inception_v3": inception.Inception3,
    "mobilenet_v2": mobile.MobileNetV2,
    **{f"vgg{depth}": partial(plain.vgg, depth, False) for depth in plain.LETTERS},
    **{f"vgg{depth}_bn": partial(plain.vgg, depth, True) for depth in plain.LETTERS},
    **{f"resnet{depth}": partial(residual.resnet, depth) for depth in residual.RESNET},
    **{name: partial(residual.resnet, depth, groups=groups, width_per_group=width)
       for name, (depth, groups, width) in residual.WIDER.items()},
    **{f"densenet{depth}": partial(deep.densenet, depth) for depth in deep.DENSE},
    **{f"squeezenet{version}": partial(deep.SqueezeNet, version) for version in deep.FIRES},
    **{f"mobilenet_v3_{size}": partial(mobile.mobilenet_v3, size) for size in mobile.MOBILE3},
    **{f"efficientnet_b{number}": partial(mobile.efficientnet, number)
       for number in range(len(mobile.SCALES))},
    **{f"efficientnet_v2_{size}": partial(scaled.efficientnet_v2, size)
       for size in scaled.EFFICIENT2},
    **{f"shufflenet_v2_x{size}": partial(mobile.ShuffleNet, size) for size in mobile.SHUFFLE},
    **{f"mnasnet{word}": partial(scaled.MNASNet, alpha)
       for word, alpha in (("0_5", 0.5), ("0_75", 0.75), ("1_0", 1.0), ("1_3", 1.3))},
    **{f"regnet_{name}": partial(scaled.RegNet, name) for name in scaled.REGNET},
    **{f"vit_{name}": partial(attention.vit, name) for name in attention.VIT},
    **{f"swin_{name}": partial(attention.SwinTransformer, name) for name in attention.SWIN},
    **{f"convnext_{name}": partial(attention.ConvNeXt, name) for name in attention.CONVNEXT},
}  # fmt: skip
FOR_PIXELS = {name: partial(make, *parts) for name, (make, parts) in segmentation.NETWORKS.items()}
CLASSES = {
    **plain.NAMES, **residual.NAMES,
    **{one.__name__: one for one in (
        deep.DenseNet, deep.SqueezeNet, deep.GoogLeNet, inception.Inception3, mobile.MobileNetV2,
        mobile.MobileNetV3, mobile.EfficientNet, scaled.MNASNet, scaled.RegNet,
        attention.VisionTransformer, attention.SwinTransformer, attention.ConvNeXt)},
    "ShuffleNetV2": mobile.ShuffleNet,
}  # fmt: skip
FAMILIES: dict[str, tuple[str, ...]] = {  # of each module: how the names of its networks begin
    "alexnet": ("alexnet",), "vgg": ("vgg",), "resnet": ("resne", "wide_resnet"),
    "densenet": ("densenet",), "squeezenet": ("squeezenet",), "googlenet": ("googlenet",),
    "inception": ("inception",), "mobilenet": ("mobilenet",), "mobilenetv2": ("mobilenet_v2",),
    "mobilenetv3": ("mobilenet_v3",), "efficientnet": ("efficientnet",), "mnasnet": ("mnasnet",),
    "shufflenetv2": ("shufflenet",), "regnet": ("regnet",), "convnext": ("convnext",),
    "vision_transformer": ("vit",), "swin_transformer": ("swin",),
}  # fmt: skip
OF_FAMILIES: dict[str, dict[str, Any]] = {  # what a module has beside networks
    "alexnet": {"AlexNet": plain.AlexNet},
    "vgg": plain.NAMES,
    "resnet": residual.NAMES,
    "densenet": {"DenseNet": deep.DenseNet, "_DenseLayer": deep.DenseLayer,
                 "_DenseBlock": deep.DenseBlock, "_Transition": deep.Transition},
    "squeezenet": {"SqueezeNet": deep.SqueezeNet, "Fire": deep.Fire},
    "googlenet": {"GoogLeNet": deep.GoogLeNet, "BasicConv2d": deep.Unit,
                  "GoogLeNetOutputs": deep.GoogLeNetOutputs},
    "inception": {"Inception3": inception.Inception3, "BasicConv2d": inception.BasicConv2d,
                  "InceptionOutputs": inception.InceptionOutputs},
    "mobilenet": {"MobileNetV2": mobile.MobileNetV2, **blocks_mobile.NAMES},
    "mobilenetv2": {"MobileNetV2": mobile.MobileNetV2, **blocks_mobile.NAMES},
    "efficientnet": {"EfficientNet": mobile.EfficientNet},
    "vision_transformer": {"VisionTransformer": attention.VisionTransformer,
                           "Encoder": attention.Encoder, "EncoderBlock": attention.EncoderBlock},
    "swin_transformer": {"SwinTransformer": attention.SwinTransformer},
    "convnext": {"ConvNeXt": attention.ConvNeXt, "CNBlock": attention.CNBlock,
                 "LayerNorm2d": attention.LayerNorm2d},
}  # fmt: skip


def names() -> dict[str, Any]:
    """Return the functions that make networks, and the words for weights that are not here."""
    titles = {name: f"{TITLES.get(name, _title(name))}_Weights" for name in MADE}
    return {
        **{name: _made(name, make) for name, make in MADE.items()},
        **{title: Words(title) for title in titles.values()},
        **{word: made for word, made in CLASSES.items() if word[0].isupper()},
        "get_model": lambda name, **words: _made(name, (MADE | FOR_PIXELS)[name])(**words),
        "get_model_builder": lambda name: _made(name, (MADE | FOR_PIXELS)[name]),
        "get_model_weights": lambda name: Words(titles[name]),
        "get_weight": lambda name: Words(name.partition("_Weights")[0]),
        "list_models": lambda **words: sorted(MADE | FOR_PIXELS),
    }  # fmt: skip


def families() -> dict[str, dict[str, Any]]:
    """Return the modules of each kind of network, by their names."""
    every = names()
    pixels: dict[str, Any] = {name: _made(name, make) for name, make in FOR_PIXELS.items()}
    pixels |= {f"{SEGMENTING[name.partition('_')[0]]}_{_title(name.partition('_')[2])}_Weights":
               Words(name) for name in FOR_PIXELS}  # fmt: skip
    own = {f"segmentation{path}": pixels | names for path, names in segmentation.MODULES.items()}
    return own | {
        family: {
            "model_urls": published.addresses(begins),
            **OF_FAMILIES.get(family, {}),
            **{name: made for name, made in every.items()
               if name.startswith(begins) or _begins(name, begins)},
        }
        for family, begins in FAMILIES.items()
    }  # fmt: skip


def _begins(title: str, begins: tuple[str, ...]) -> bool:
    """Return whether the words for weights are those of a network whose name begins so."""
    return title.endswith("_Weights") and title.lower().startswith(begins)


SEGMENTING = {"fcn": "FCN", "deeplabv3": "DeepLabV3", "lraspp": "LRASPP"}
SIZES = ("tiny", "small", "base", "large")
TITLES = {"googlenet": "GoogLeNet", "alexnet": "AlexNet", "wide_resnet50_2": "Wide_ResNet50_2",
          "inception_v3": "Inception_V3", "wide_resnet101_2": "Wide_ResNet101_2"}  # fmt: skip


def _title(name: str) -> str:
    """Return the class of a network's weights: resnet18 is ResNet18, vgg16_bn is VGG16_BN."""
    begins = {"resnet": "ResNet", "resnext": "ResNeXt", "vgg": "VGG", "densenet": "DenseNet",
              "squeezenet": "SqueezeNet", "mobilenet": "MobileNet", "efficientnet": "EfficientNet",
              "shufflenet": "ShuffleNet", "mnasnet": "MNASNet", "regnet": "RegNet", "vit": "ViT",
              "swin": "Swin", "convnext": "ConvNeXt"}  # fmt: skip
    for begin, title in begins.items():
        if name.startswith(begin):
            rest = "_".join(part.capitalize() if part in SIZES else part.upper()
                            for part in name[len(begin) :].split("_"))  # fmt: skip
            return title + rest
    return name
