"""Networks of `keras.applications` after EfficientNet, and Inception-ResNet."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch

from ..table import Row
from .session import KerasSession

Body = Callable[..., Any]
SMALL = (  # of MobileNetV3: times wider inside, channels, side, gate, activation, stride
    (1, 16, 3, 0.25, "relu", 2), (72 / 16, 24, 3, 0, "relu", 2), (88 / 24, 24, 3, 0, "relu", 1),
    (4, 40, 5, 0.25, "swish", 2), (6, 40, 5, 0.25, "swish", 1), (6, 40, 5, 0.25, "swish", 1),
    (3, 48, 5, 0.25, "swish", 1), (3, 48, 5, 0.25, "swish", 1), (6, 96, 5, 0.25, "swish", 2),
    (6, 96, 5, 0.25, "swish", 1), (6, 96, 5, 0.25, "swish", 1),
)  # fmt: skip
LARGE = (
    (1, 16, 3, 0, "relu", 1), (4, 24, 3, 0, "relu", 2), (3, 24, 3, 0, "relu", 1),
    (3, 40, 5, 0.25, "relu", 2), (3, 40, 5, 0.25, "relu", 1), (3, 40, 5, 0.25, "relu", 1),
    (6, 80, 3, 0, "swish", 2), (2.5, 80, 3, 0, "swish", 1), (2.3, 80, 3, 0, "swish", 1),
    (2.3, 80, 3, 0, "swish", 1), (6, 112, 3, 0.25, "swish", 1), (6, 112, 3, 0.25, "swish", 1),
    (6, 160, 5, 0.25, "swish", 2), (6, 160, 5, 0.25, "swish", 1), (6, 160, 5, 0.25, "swish", 1),
)  # fmt: skip
MOBILE = {"MobileNetV3Small": (SMALL, 1024), "MobileNetV3Large": (LARGE, 1280)}

# of EfficientNetV2, stage by stage: blocks, channels, stride, times wider inside, gated
BASE = ((1, 16, 1, 1, False), (2, 32, 2, 4, False), (2, 48, 2, 4, False), (3, 96, 2, 4, True),
        (5, 112, 1, 6, True), (8, 192, 2, 6, True))  # fmt: skip
PLANS = {
    "S": ((2, 24, 1, 1, False), (4, 48, 2, 4, False), (4, 64, 2, 4, False), (6, 128, 2, 4, True),
          (9, 160, 1, 6, True), (15, 256, 2, 6, True)),
    "M": ((3, 24, 1, 1, False), (5, 48, 2, 4, False), (5, 80, 2, 4, False), (7, 160, 2, 4, True),
          (14, 176, 1, 6, True), (18, 304, 2, 6, True), (5, 512, 1, 6, True)),
    "L": ((4, 32, 1, 1, False), (7, 64, 2, 4, False), (7, 96, 2, 4, False), (10, 192, 2, 4, True),
          (19, 224, 1, 6, True), (25, 384, 2, 6, True), (7, 640, 1, 6, True)),
    **dict.fromkeys(("B0", "B1", "B2", "B3"), BASE),
}  # fmt: skip
SCALES = {"B0": (1.0, 1.0, 224), "B1": (1.0, 1.1, 240), "B2": (1.1, 1.2, 260),
          "B3": (1.2, 1.4, 300), "S": (1.0, 1.0, 384), "M": (1.0, 1.0, 480),
          "L": (1.0, 1.0, 480)}  # fmt: skip
CONVNEXT = {  # blocks of each stage, channels of the first
    "Tiny": ((3, 3, 9, 3), 96), "Small": ((3, 3, 27, 3), 96), "Base": ((3, 3, 27, 3), 128),
    "Large": ((3, 3, 27, 3), 192), "XLarge": ((3, 3, 27, 3), 256),
}  # fmt: skip
SIDES: dict[str, Any] = {"InceptionResNetV2": (299, 299), **dict.fromkeys(MOBILE, (None, None))}
SIDES |= {f"EfficientNetV2{name}": (side, side) for name, (_, _, side) in SCALES.items()}
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet


def _eighth(count: float) -> int:
    whole = max(8, int(count + 4) // 8 * 8)
    return whole + 8 if whole < 0.9 * count else whole


def _squeezed(kit: Any, x: Any, inner: int, full: int, word: str) -> Any:
    """Return channels, each times a number that the average picture decides."""
    sides = (full, 1, 1) if kit.axis == 1 else (1, 1, full)
    y = kit.layers["GlobalAveragePooling2D"](name=f"{word}squeeze")(x)
    y = kit.layers["Reshape"](sides, name=f"{word}reshape")(y)
    y = kit.conv(y, inner, 1, f"{word}reduce", activation="silu")
    y = kit.conv(y, full, 1, f"{word}expand", activation="sigmoid")
    return kit.layers["Multiply"](name=f"{word}excite")([x, y])


def _mobile3(name: str, plan: Sequence[Any], last: int) -> Body:
    def body(kit: Any, begin: Any, top: bool, pooling: Any, classes: int, activation: Any,
             alpha: float = 1.0, minimalistic: bool = False, dropout_rate: float = 0.2,
             include_preprocessing: bool = True, **words: Any) -> Any:  # fmt: skip
        layers, smooth = kit.layers, "relu" if minimalistic else "hard_swish"

        def act(x: Any, word: str) -> Any:
            return (layers["ReLU"]() if word == "relu" else layers["Activation"]("hard_swish"))(x)

        def excited(x: Any, share: float, word: str) -> Any:
            full = int(x.shape[kit.axis])
            y = layers["GlobalAveragePooling2D"](keepdims=True, name=f"{word}avg_pool")(x)
            y = kit.conv(y, _eighth(full * share), 1, f"{word}conv")
            y = kit.conv(layers["ReLU"](name=f"{word}relu")(y), full, 1, f"{word}conv_1")
            y = layers["ReLU"](6.0)(y + 3.0) * (1.0 / 6.0)
            return layers["Multiply"](name=f"{word}mul")([x, y])

        x = begin
        if include_preprocessing:
            x = layers["Rescaling"](1.0 / 127.5, -1.0)(x)
        x = kit.norm(kit.conv(x, 16, 3, "conv", 2, use_bias=False), "conv_bn", activation=None)
        x = act(x, smooth)
        for number, (times, filters, side, share, word, stride) in enumerate(plan):
            inner, out, y = int(x.shape[kit.axis]), _eighth(filters * alpha), x
            word = "relu" if minimalistic else word
            side = 3 if minimalistic else side
            prefix = f"expanded_conv_{number}_" if number else "expanded_conv_"
            if number:
                y = kit.conv(y, _eighth(inner * times), 1, f"{prefix}expand", use_bias=False)
                y = act(kit.norm(y, f"{prefix}expand_bn", activation=None), word)
            y = kit.pad(y, side, f"{prefix}depthwise_pad") if stride == 2 else y
            y = layers["DepthwiseConv2D"](
                side, strides=stride, padding="same" if stride == 1 else "valid", use_bias=False,
                name=f"{prefix}depthwise",
            )(y)  # fmt: skip
            y = act(kit.norm(y, f"{prefix}depthwise_bn", activation=None), word)
            if share and not minimalistic:
                y = excited(y, share, f"{prefix}squeeze_excite_")
            y = kit.conv(y, out, 1, f"{prefix}project", use_bias=False)
            y = kit.norm(y, f"{prefix}project_bn", activation=None)
            whole = stride == 1 and inner == out
            x = layers["Add"](name=f"{prefix}add")([x, y]) if whole else y
        full = _eighth(int(x.shape[kit.axis]) * 6)
        x = kit.norm(kit.conv(x, full, 1, "conv_1", use_bias=False), "conv_1_bn", activation=None)
        x = act(x, smooth)
        if not top:
            return kit.ended(begin, x, top, pooling, classes, name, activation, None)
        x = layers["GlobalAveragePooling2D"](keepdims=True)(x)
        x = act(kit.conv(x, _eighth(last * alpha) if alpha > 1 else last, 1, "conv_2"), smooth)
        if dropout_rate:
            x = layers["Dropout"](dropout_rate)(x)
        x = layers["Flatten"]()(kit.conv(x, classes, 1, "logits"))
        x = layers["Activation"](activation or "linear", name="predictions")(x)
        return kit.session.classes["Model"](begin, x, name=name)

    return body


def _efficient2(name: str, plan: Sequence[Any], width: float, depth: float) -> Body:
    base = name[-2] == "B"

    def wide(filters: float) -> int:
        return max(8, int(filters * width + 4) // 8 * 8)

    def body(kit: Any, begin: Any, top: bool, pooling: Any, classes: int, activation: Any,
             include_preprocessing: bool = True, **words: Any) -> Any:  # fmt: skip
        layers, x = kit.layers, begin
        if include_preprocessing:
            x = layers["Rescaling"](*((1.0 / 255,) if base else (1.0 / 128, -1.0)))(x)
            if base:
                x = layers["Normalization"](axis=-1, mean=MEAN,
                                            variance=tuple(s * s for s in SPREAD))(x)  # fmt: skip
        inner = wide(32 if base else plan[0][1])
        x = kit.norm(kit.conv(x, inner, 3, "stem_conv", 2, use_bias=False), "stem_bn",
                     activation="silu")  # fmt: skip
        rounds = [math.ceil(depth * stage[0]) for stage in plan]
        place = 0
        for stage, ((_, filters, first, times, gated), count) in enumerate(
            zip(plan, rounds, strict=True), 1
        ):
            for number in range(count):
                word, out = f"block{stage}{chr(97 + number)}_", wide(filters)
                stride, y, full = first if number == 0 else 1, x, inner * times
                if times > 1:
                    side, step = (1, 1) if gated else (3, stride)
                    y = kit.conv(y, full, side, f"{word}expand_conv", step, use_bias=False)
                    y = kit.norm(y, f"{word}expand_bn", activation="silu")
                if gated:
                    y = layers["DepthwiseConv2D"](
                        3, strides=stride, padding="same", use_bias=False, name=f"{word}dwconv2"
                    )(y)
                    y = kit.norm(y, f"{word}bn", activation="silu")
                    y = _squeezed(kit, y, max(1, inner // 4), full, f"{word}se_")
                single = times == 1 and not gated
                y = kit.conv(y, out, 3 if single else 1, f"{word}project_conv",
                             stride if single else 1, use_bias=False)  # fmt: skip
                y = kit.norm(y, f"{word}project_bn", activation="silu" if single else None)
                if stride == 1 and inner == out:
                    drop = 0.2 * place / sum(rounds)
                    if drop:
                        y = layers["Dropout"](drop, noise_shape=(None, 1, 1, 1),
                                              name=f"{word}drop")(y)  # fmt: skip
                    y = layers["Add"](name=f"{word}add")([y, x])
                x, inner, place = y, out, place + 1
        x = kit.norm(kit.conv(x, wide(1280), 1, "top_conv", use_bias=False), "top_bn",
                     activation="silu")  # fmt: skip

        def head(x: Any) -> Any:
            return layers["Dropout"](0.2, name="top_dropout")(kit.average(x))

        called = f"efficientnetv2-{name.removeprefix('EfficientNetV2').lower()}"
        return kit.ended(begin, x, top, pooling, classes, called, activation, head)

    return body


def rows(session: KerasSession, base: Any) -> dict[str, tuple[Row, Any]]:
    """Return rows and classes of layers that only these networks have; no script imports them."""

    class LayerScale(base):  # type: ignore[misc]
        """Channels, each times a weight that begins small."""

        def __init__(self, init_values: float = 1e-6, projection_dim: Any = None) -> None:
            base.__init__(self)
            self.init_values, self.count = init_values, projection_dim

        def build(self, input_shape: Any) -> None:
            """Make the weights."""
            self.gamma = self.add_weight(
                name="gamma", shape=(int(self.count or input_shape[-1]),),
                initializer=lambda shape, dtype=None: torch.full(tuple(shape), self.init_values),
            )  # fmt: skip

        def call(self, inputs: Any) -> Any:
            """Scale."""
            return inputs * self.gamma

    class CustomScaleLayer(base):  # type: ignore[misc]
        """The first of two inputs, and a share of the second."""

        def __init__(self, scale: float) -> None:
            base.__init__(self)
            self.scale = scale

        def call(self, inputs: Any) -> Any:
            """Add."""
            return inputs[0] + inputs[1] * self.scale

    orders: dict[Any, tuple[str, ...]] = {
        LayerScale: ("init_values", "projection_dim"), CustomScaleLayer: ("scale",)
    }  # fmt: skip
    return {cls.__name__: (Row(cls.__name__, (cls.__name__,), order), cls)
            for cls, order in orders.items()}  # fmt: skip


def _convnext(name: str, depths: Sequence[int], first: int) -> Body:
    def body(kit: Any, begin: Any, top: bool, pooling: Any, classes: int, activation: Any,
             include_preprocessing: bool = True, **words: Any) -> Any:  # fmt: skip
        layers, x = kit.layers, begin
        if include_preprocessing:
            x = layers["Normalization"](
                mean=[255 * one for one in MEAN], variance=[(255 * one) ** 2 for one in SPREAD],
                name=f"{name}_prestem_normalization",
            )(x)  # fmt: skip
        for stage, count in enumerate(depths):
            filters = first * 2**stage
            side, word = (2, f"{name}_downsampling") if stage else (4, f"{name}_stem")
            tail, block = (f"_{stage - 1}", "_block") if stage else ("", "")
            conv = layers["Conv2D"](filters, kernel_size=side, strides=side,
                                    name=f"{word}_conv{tail}")  # fmt: skip
            norm = layers["LayerNormalization"](epsilon=1e-6, name=f"{word}_layernorm{tail}")
            shrink = kit.session.classes["Sequential"](
                [norm, conv] if stage else [conv, norm], name=f"{word}{block}{tail}"
            )
            x = shrink(x)
            for number in range(count):
                word, y = f"{name}_stage_{stage}_block_{number}", x
                for layer in (
                    layers["Conv2D"](filters, kernel_size=7, padding="same", groups=filters,
                                     name=f"{word}_depthwise_conv"),
                    layers["LayerNormalization"](epsilon=1e-6, name=f"{word}_layernorm"),
                    layers["Dense"](4 * filters, name=f"{word}_pointwise_conv_1"),
                    layers["Activation"]("gelu", name=f"{word}_gelu"),
                    layers["Dense"](filters, name=f"{word}_pointwise_conv_2"),
                    layers["LayerScale"](1e-6, filters, name=f"{word}_layer_scale"),
                    layers["Activation"]("linear", name=f"{word}_identity"),
                ):  # fmt: skip
                    y = layer(y)
                x = x + y
        if top:
            x = layers["GlobalAveragePooling2D"](name=f"{name}_head_gap")(x)
            x = layers["LayerNormalization"](epsilon=1e-6, name=f"{name}_head_layernorm")(x)
            x = layers["Dense"](classes, activation=activation, name=f"{name}_head_dense")(x)
            return kit.session.classes["Model"](begin, x, name=name)
        if pooling:
            x = layers[f"Global{'Average' if pooling == 'avg' else 'Max'}Pooling2D"]()(x)
        x = layers["LayerNormalization"](epsilon=1e-6)(x)
        return kit.session.classes["Model"](begin, x, name=name)

    return body


def _inception_resnet(kit: Any, begin: Any, top: bool, pooling: Any, classes: int,
                      activation: Any, **words: Any) -> Any:  # fmt: skip
    layers = kit.layers

    def conv(x: Any, filters: int, *sides: int, strides: int = 1, padding: str = "same",
             name: str | None = None) -> Any:  # fmt: skip
        called = [name and name + tail for tail in ("", "_bn", "_ac")]
        x = layers["Conv2D"](
            filters, kernel_size=sides * (3 - len(sides)), strides=strides, padding=padding,
            use_bias=False, name=called[0],
        )(x)  # fmt: skip
        x = layers["BatchNormalization"](axis=kit.axis, scale=False, name=called[1])(x)
        return layers["Activation"]("relu", name=called[2])(x)

    def chain(x: Any, *steps: tuple[Any, ...], strides: int = 1, padding: str = "same") -> Any:
        """Return convolutions one after the other, the last of them with stride and padding."""
        for step in steps[:-1]:
            x = conv(x, *step)
        return conv(x, *steps[-1], strides=strides, padding=padding)

    def joined(name: str, *several: Any) -> Any:
        return layers["Concatenate"](axis=kit.axis, name=name)(list(several))

    def block(x: Any, scale: float, word: str, *branches: Any, act: bool = True) -> Any:
        mixed = joined(f"{word}_mixed", *(chain(x, *steps) for steps in branches))
        up = kit.conv(mixed, int(x.shape[kit.axis]), 1, f"{word}_conv")
        x = layers["CustomScaleLayer"](scale)([x, up])
        return layers["Activation"]("relu", name=f"{word}_ac")(x) if act else x

    def reduced(name: str, x: Any, *branches: Any) -> Any:
        several = [chain(x, *steps, strides=2, padding="valid") for steps in branches]
        pool = layers["MaxPooling2D"](3, strides=2, padding="valid")(x)
        return joined(name, *several, pool)

    x = conv(begin, 32, 3, strides=2, padding="valid")
    x = conv(conv(x, 32, 3, padding="valid"), 64, 3)
    x = layers["MaxPooling2D"](3, strides=2)(x)
    x = conv(conv(x, 80, 1, padding="valid"), 192, 3, padding="valid")
    x = layers["MaxPooling2D"](3, strides=2)(x)
    several = [chain(x, *steps) for steps in (((96, 1),), ((48, 1), (64, 5)),
                                              ((64, 1), (96, 3), (96, 3)))]  # fmt: skip
    pool = layers["AveragePooling2D"](3, strides=1, padding="same")(x)
    x = joined("mixed_5b", *several, conv(pool, 64, 1))
    for number in range(1, 11):
        x = block(x, 0.17, f"block35_{number}", ((32, 1),), ((32, 1), (32, 3)),
                  ((32, 1), (48, 3), (64, 3)))  # fmt: skip
    x = reduced("mixed_6a", x, ((384, 3),), ((256, 1), (256, 3), (384, 3)))
    for number in range(1, 21):
        x = block(x, 0.1, f"block17_{number}", ((192, 1),), ((128, 1), (160, 1, 7), (192, 7, 1)))
    x = reduced("mixed_7a", x, ((256, 1), (384, 3)), ((256, 1), (288, 3)),
                ((256, 1), (288, 3), (320, 3)))  # fmt: skip
    for number in range(1, 11):
        x = block(x, 0.2 if number < 10 else 1.0, f"block8_{number}", ((192, 1),),
                  ((192, 1), (224, 1, 3), (256, 3, 1)), act=number < 10)  # fmt: skip
    x = conv(x, 1536, 1, name="conv_7b")
    return kit.ended(begin, x, top, pooling, classes, "inception_resnet_v2", activation,
                     kit.average)  # fmt: skip


NEWEST: dict[str, dict[str, Body]] = {
    "mobilenet_v3": {name: _mobile3(name, *given) for name, given in MOBILE.items()},
    "efficientnet_v2": {
        f"EfficientNetV2{name}": _efficient2(f"EfficientNetV2{name}", plan, *SCALES[name][:2])
        for name, plan in PLANS.items()
    },
    "convnext": {
        f"ConvNeXt{name}": _convnext(f"convnext_{name.lower()}", *given)
        for name, given in CONVNEXT.items()
    },
    "inception_resnet_v2": {"InceptionResNetV2": _inception_resnet},
}  # fmt: skip
