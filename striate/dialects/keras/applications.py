"""`keras.applications`: well-known networks, written in the layers of the dialect, untrained."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...core.symbol import Symbol
from ..published import trained
from ..symbolic import lift
from ..tensor_math import floating
from .applications_deep import DEEP, SIDES as DEEP_SIDES
from .applications_nasnet import NASNETS, SIDES as NASNET_SIDES
from .applications_newest import NEWEST, SIDES as NEWEST_SIDES
from .applications_published import published
from .session import KerasSession

SIDES = DEEP_SIDES | NEWEST_SIDES | NASNET_SIDES
MEANS = (103.939, 116.779, 123.68)  # of ImageNet, blue first
VGG = {"VGG16": (2, 2, 3, 3, 3), "VGG19": (2, 2, 4, 4, 4)}
RESNET = {"ResNet50": (3, 4, 6, 3), "ResNet101": (3, 4, 23, 3), "ResNet152": (3, 8, 36, 3)}


class Kit:
    """Layers by which the networks are written."""

    def __init__(self, session: KerasSession) -> None:
        from .layers import families

        self.session = session
        self.layers: Mapping[str, Any] = families(session)[""]

    def conv(self, x: Any, filters: int, size: int, name: str | None, strides: int = 1,
             padding: str = "same", use_bias: bool = True,
             activation: Any = None) -> Any:  # fmt: skip
        """Return a convolution."""
        layer = self.layers["Conv2D"](filters, kernel_size=size, strides=strides, padding=padding,
                                      use_bias=use_bias, activation=activation,
                                      name=name)  # fmt: skip
        return layer(x)

    def norm(self, x: Any, name: Any, epsilon: float = 1e-3, activation: Any = "relu") -> Any:
        """Return a batch normalisation, and an activation behind it, which is called after it."""
        x = self.layers["BatchNormalization"](axis=self.axis, epsilon=epsilon, name=name)(x)
        if activation is None:
            return x
        stem = re.sub(r"_bn$", "", name, flags=re.IGNORECASE).removeprefix("bn_")
        tail = "relu" if activation in ("relu", "relu6") else "activation"
        if activation == "relu6":
            return self.layers["ReLU"](6.0, name=f"{stem}_{tail}")(x)
        return self.layers["Activation"](activation, name=f"{stem}_{tail}")(x)

    def pad(self, x: Any, size: int, name: str) -> Any:
        """Return maps with zeros around, for windows of two steps: one less before an even side."""
        before = [size // 2 - (1 - side % 2 if side else 1) for side in self.sides(x)]
        sides = tuple((one, size // 2) for one in before)
        return self.layers["ZeroPadding2D"](padding=sides, name=name)(x)

    def sides(self, x: Any) -> tuple[Any, Any]:
        """Return height and width of maps."""
        shape = tuple(x.shape)
        high, wide = shape[2:4] if self.axis == 1 else shape[1:3]
        return high, wide

    def size(self, begin: Any, known: Sequence[int]) -> int:
        """Return the side of square pictures by which a network is called: 224 for others."""
        high, wide = self.sides(begin)
        return int(high) if high == wide and high in known else 224

    @property
    def axis(self) -> int:
        """The axis of the channels."""
        return 1 if self.session.layout == "channels_first" else -1

    def ended(self, begin: Any, x: Any, top: bool, pooling: Any, classes: int, name: str,
              activation: Any, head: Callable[[Any], Any]) -> Any:  # fmt: skip
        """Return the model, with its classifier or a pooling at the end."""
        if top:
            x = self.layers["Dense"](classes, activation=activation, name="predictions")(head(x))
        elif pooling:
            kind = "Average" if pooling == "avg" else "Max"
            x = self.layers[f"Global{kind}Pooling2D"]()(x)
        return self.session.classes["Model"](begin, x, name=name)

    def average(self, x: Any) -> Any:
        """Return the average over all places."""
        return self.layers["GlobalAveragePooling2D"](name="avg_pool")(x)


def weights_of(name: str, model: str, top: bool) -> Path | None:
    """Return Keras's own file of a network's weights, in Keras's folder; it is fetched once.

    None: they are to be drawn. `model` is the model's name.
    Raises: DialectError where it cannot be fetched.
    """
    folder = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"
    file = published(name, model, top)
    if file is not None and (folder / file.name).is_file():
        return folder / file.name
    stem = re.compile(rf"{name.lower()}(?:weights.*|notop)?(?:theano.*)?")
    for path in sorted(folder.glob("*.h5")):
        word = re.sub(r"[^a-z0-9]", "", path.stem.lower())
        if stem.fullmatch(word) and ("notop" in word) != top and "thdimordering" not in word:
            return path
    return trained(f"keras.applications.{name}", name, file, folder)


ORDER = ("include_top", "weights", "input_tensor", "input_shape", "pooling", "classes",
         "classifier_activation")  # fmt: skip
_REST = ("include_top", "weights", "input_tensor", "pooling", "classes", "classifier_activation")
ORDERS = {  # of arguments, where Keras has another: the first that a name begins with
    "MobileNetV2": ("input_shape", "alpha", *_REST),
    "MobileNetV3": ("input_shape", "alpha", "minimalistic", *_REST),
    "MobileNet": ("input_shape", "alpha", "depth_multiplier", "dropout", *_REST),
    "NASNet": ("input_shape", *_REST),
    "ConvNeXt": ("include_top", "include_preprocessing", *ORDER[1:]),
}  # fmt: skip


def modules(session: KerasSession) -> Mapping[str, Mapping[str, Any]]:
    """Return the modules below `keras.applications`."""

    def made(kind: str, body: Callable[..., Any]) -> Callable[..., Any]:
        order = next((o for word, o in ORDERS.items() if kind.startswith(word)), ORDER)

        def network(*args: Any, **words: Any) -> Any:
            return build(**dict(zip(order, args, strict=False)), **words)

        def build(include_top: bool = True, weights: Any = "imagenet", input_tensor: Any = None,
                    input_shape: Any = None, pooling: Any = None, classes: int = 1000,
                    classifier_activation: Any = "softmax", name: Any = None,
                    **words: Any) -> Any:  # fmt: skip
            kit = Kit(session)
            shape = input_shape or ((*SIDES.get(kind, (224, 224)), 3) if include_top else (
                None, None, 3))  # fmt: skip
            begin = kit.layers["Input"](shape) if input_tensor is None else input_tensor
            model = body(kit, begin, include_top, pooling, classes, classifier_activation, **words)
            if weights == "imagenet":
                weights = weights_of(kind, model.name, include_top)
            if weights is not None:
                model.load_weights(weights)
            if name is not None:
                model.rename(name)
            return model

        network.__name__ = kind
        return network

    vgg = {name: made(name, _vgg(name, counts)) for name, counts in VGG.items()}
    resnet = {name: made(name, _resnet(name, counts)) for name, counts in RESNET.items()}
    mobile = {
        "MobileNet": made("MobileNet", _mobilenet),
        "MobileNetV2": made("MobileNetV2", _mobile2),
    }
    tools = {"decode_predictions": _decode}
    caffe, around = {"preprocess_input": _caffe}, {"preprocess_input": _around, **tools}
    deep = {
        path: {name: made(name, body) for name, body in bodies.items()}
        for path, bodies in {**DEEP, **NEWEST, **NASNETS}.items()
    }
    every = {
        **vgg,
        **resnet,
        **mobile,
        **{k: v for bodies in deep.values() for k, v in bodies.items()},
    }
    read = {"densenet": _torch, **dict.fromkeys(
        ("efficientnet", "efficientnet_v2", "mobilenet_v3", "convnext"), _same)}  # fmt: skip
    return {
        "applications": every, "applications.vgg16": {**vgg, **caffe, **tools},
        "applications.vgg19": {**vgg, **caffe, **tools},
        "applications.resnet": {**resnet, **caffe, **tools},
        "applications.resnet50": {**resnet, **caffe, **tools},
        "applications.mobilenet": {**mobile, **around},
        "applications.mobilenet_v2": {**mobile, **around},
        "applications.mobilenetv2": {**mobile, **around},
        "applications.imagenet_utils": {**caffe, **tools},
        **{f"applications.{path}": {**networks, **around, "preprocess_input": read.get(
            path, _around)} for path, networks in deep.items()},
    }  # fmt: skip


def _vgg(name: str, counts: Sequence[int]) -> Callable[..., Any]:
    def body(kit: Kit, begin: Any, top: bool, pooling: Any, classes: int, activation: Any) -> Any:
        x, layers = begin, kit.layers
        for block, count in enumerate(counts, 1):
            filters = min(32 * 2**block, 512)
            for number in range(1, count + 1):
                x = kit.conv(x, filters, 3, f"block{block}_conv{number}", activation="relu")
            x = layers["MaxPooling2D"]((2, 2), strides=(2, 2), name=f"block{block}_pool")(x)

        def head(x: Any) -> Any:
            x = layers["Flatten"](name="flatten")(x)
            for number in (1, 2):
                x = layers["Dense"](4096, activation="relu", name=f"fc{number}")(x)
            return x

        return kit.ended(begin, x, top, pooling, classes, name.lower(), activation, head)

    return body


SQUARES = (128, 160, 192, 224)  # sides that MobileNet is called by


def _resnet(name: str, counts: Sequence[int]) -> Callable[..., Any]:
    def block(kit: Kit, x: Any, filters: int, stride: int, word: str, project: bool) -> Any:
        short = x
        if project:
            short = kit.conv(x, 4 * filters, 1, f"{word}_0_conv", stride)
            short = kit.norm(short, f"{word}_0_bn", 1.001e-5, None)
        y = kit.norm(kit.conv(x, filters, 1, f"{word}_1_conv", stride), f"{word}_1_bn", 1.001e-5)
        y = kit.norm(kit.conv(y, filters, 3, f"{word}_2_conv"), f"{word}_2_bn", 1.001e-5)
        y = kit.norm(kit.conv(y, 4 * filters, 1, f"{word}_3_conv"), f"{word}_3_bn", 1.001e-5, None)
        y = kit.layers["Add"](name=f"{word}_add")([short, y])
        return kit.layers["Activation"]("relu", name=f"{word}_out")(y)

    def body(kit: Kit, begin: Any, top: bool, pooling: Any, classes: int, activation: Any) -> Any:
        x = kit.layers["ZeroPadding2D"]((3, 3), name="conv1_pad")(begin)
        x = kit.norm(kit.conv(x, 64, 7, "conv1_conv", 2, "valid"), "conv1_bn", 1.001e-5)
        x = kit.layers["ZeroPadding2D"]((1, 1), name="pool1_pad")(x)
        x = kit.layers["MaxPooling2D"](3, strides=2, name="pool1_pool")(x)
        for stage, count in enumerate(counts, 2):
            for number in range(1, count + 1):
                stride = 2 if number == 1 and stage > 2 else 1
                word = f"conv{stage}_block{number}"
                x = block(kit, x, 16 * 2**stage, stride, word, number == 1)
        return kit.ended(begin, x, top, pooling, classes, name.lower(), activation, kit.average)

    return body


def _mobilenet(kit: Kit, begin: Any, top: bool, pooling: Any, classes: int, activation: Any,
               alpha: float = 1.0, dropout: float = 1e-3, **words: Any) -> Any:  # fmt: skip
    layers = kit.layers
    name = f"mobilenet_{alpha:.2f}_{kit.size(begin, SQUARES)}"
    x = kit.conv(begin, int(32 * alpha), 3, "conv1", 2, use_bias=False)
    x = kit.norm(x, "conv1_bn", activation="relu6")
    plan = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2),
            (1024, 1))  # fmt: skip
    for number, (filters, stride) in enumerate(plan, 1):
        if stride == 2:
            x = layers["ZeroPadding2D"](((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
        x = layers["DepthwiseConv2D"](
            3, strides=stride, padding="same" if stride == 1 else "valid", use_bias=False,
            name=f"conv_dw_{number}",
        )(x)  # fmt: skip
        x = kit.norm(x, f"conv_dw_{number}_bn", activation="relu6")
        x = kit.conv(x, int(filters * alpha), 1, f"conv_pw_{number}", use_bias=False)
        x = kit.norm(x, f"conv_pw_{number}_bn", activation="relu6")
    if not top:
        return kit.ended(begin, x, top, pooling, classes, name, activation, kit.average)
    x = layers["GlobalAveragePooling2D"](keepdims=True)(x)
    x = kit.conv(layers["Dropout"](dropout, name="dropout")(x), classes, 1, "conv_preds")
    x = layers["Reshape"]((classes,), name="reshape_2")(x)
    x = layers["Activation"](activation or "linear", name="predictions")(x)
    return kit.session.classes["Model"](begin, x, name=name)


def _mobile2(kit: Kit, begin: Any, top: bool, pooling: Any, classes: int, activation: Any,
             alpha: float = 1.0, **words: Any) -> Any:  # fmt: skip
    def eighth(count: float) -> int:
        whole = max(8, int(count + 4) // 8 * 8)
        return whole + 8 if whole < 0.9 * count else whole

    x = kit.norm(kit.conv(begin, eighth(32 * alpha), 3, "Conv1", 2, use_bias=False), "bn_Conv1",
                 activation="relu6")  # fmt: skip
    depth, number = eighth(32 * alpha), 0
    plan = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
            (6, 160, 3, 2), (6, 320, 1, 1))  # fmt: skip
    for times, filters, count, first in plan:
        for index in range(count):
            stride, out, y = first if index == 0 else 1, eighth(filters * alpha), x
            word = f"block_{number}" if number else "expanded_conv"
            if times > 1:
                y = kit.conv(y, times * depth, 1, f"{word}_expand", use_bias=False)
                y = kit.norm(y, f"{word}_expand_BN", activation="relu6")
            y = kit.pad(y, 3, f"{word}_pad") if stride == 2 else y
            y = kit.layers["DepthwiseConv2D"](
                3, strides=stride, padding="same" if stride == 1 else "valid", use_bias=False,
                name=f"{word}_depthwise",
            )(y)  # fmt: skip
            y = kit.norm(y, f"{word}_depthwise_BN", activation="relu6")
            y = kit.conv(y, out, 1, f"{word}_project", use_bias=False)
            y = kit.norm(y, f"{word}_project_BN", activation=None)
            short = stride == 1 and depth == out
            x = kit.layers["Add"](name=f"{word}_add")([x, y]) if short else y
            depth, number = out, number + 1
    last = eighth(1280 * alpha) if alpha > 1 else 1280
    x = kit.norm(kit.conv(x, last, 1, "Conv_1", use_bias=False), "Conv_1_bn", activation=None)
    x = kit.layers["ReLU"](6.0, name="out_relu")(x)
    name = f"mobilenetv2_{alpha:.2f}_{kit.size(begin, (96, *SQUARES))}"
    return kit.ended(begin, x, top, pooling, classes, name, activation,
                     kit.layers["GlobalAveragePooling2D"]())  # fmt: skip


def _caffe(x: Any, data_format: Any = None, mode: str = "caffe") -> Any:
    """Return pictures with blue first and the means of ImageNet taken off."""
    if isinstance(x, (Symbol, Tensor)):
        return lift(lambda x: floating(x).flip(-1) - torch.tensor(MEANS))(x)
    x = np.asarray(x, dtype="float32")[..., ::-1]
    return x - np.array(MEANS, "float32")


def _around(x: Any, data_format: Any = None) -> Any:
    """Return pictures from -1 to 1."""
    if isinstance(x, (Symbol, Tensor)):
        return lift(lambda x: floating(x) / 127.5 - 1)(x)
    return np.asarray(x, dtype="float32") / 127.5 - 1


def _torch(x: Any, data_format: Any = None) -> Any:
    """Return pictures with the means and deviations of ImageNet taken off."""
    if isinstance(x, (Symbol, Tensor)):
        mean, spread = torch.tensor((0.485, 0.456, 0.406)), torch.tensor((0.229, 0.224, 0.225))
        return lift(lambda x: (floating(x) / 255 - mean) / spread)(x)
    return (np.asarray(x, dtype="float32") / 255 - np.array((0.485, 0.456, 0.406), "float32")) \
        / np.array((0.229, 0.224, 0.225), "float32")  # fmt: skip


def _same(x: Any, data_format: Any = None) -> Any:
    """Return pictures as they are: the network scales them itself."""
    return x


def _decode(preds: Any, top: int = 5) -> Any:
    """Return the numbers of the most probable classes: their names belong to trained weights."""
    best = np.argsort(-np.asarray(preds), -1)[:, :top]
    return [[(str(i), f"class_{i}", float(p[i])) for i in row]
            for row, p in zip(best, np.asarray(preds), strict=True)]  # fmt: skip
