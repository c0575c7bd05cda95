"""Networks of `keras.applications` of many layers: Xception to EfficientNet."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

Body = Callable[..., Any]
SCALES = {  # of EfficientNet: width, depth, side of a picture, dropout
    "B0": (1.0, 1.0, 224, 0.2), "B1": (1.0, 1.1, 240, 0.2), "B2": (1.1, 1.2, 260, 0.3),
    "B3": (1.2, 1.4, 300, 0.3), "B4": (1.4, 1.8, 380, 0.4), "B5": (1.6, 2.2, 456, 0.4),
    "B6": (1.8, 2.6, 528, 0.5), "B7": (2.0, 3.1, 600, 0.5),
}  # fmt: skip
SIDES = {"Xception": (299, 299), "InceptionV3": (299, 299)}
SIDES |= {f"EfficientNet{name}": (side, side) for name, (_, _, side, _) in SCALES.items()}


def _xception(kit: Any, begin: Any, top: bool, pooling: Any, classes: int,
              activation: Any, **words: Any) -> Any:  # fmt: skip
    layers = kit.layers

    def separable(x: Any, filters: int, word: str) -> Any:
        x = layers["SeparableConv2D"](filters, (3, 3), padding="same", use_bias=False,
                                      name=word)(x)  # fmt: skip
        return kit.norm(x, f"{word}_bn", activation=None)

    def act(x: Any, word: str) -> Any:
        return layers["Activation"]("relu", name=word)(x)

    x = act(kit.norm(kit.conv(begin, 32, 3, "block1_conv1", 2, "valid", False), "block1_conv1_bn",
                     activation=None), "block1_conv1_act")  # fmt: skip
    x = act(kit.norm(kit.conv(x, 64, 3, "block1_conv2", 1, "valid", False), "block1_conv2_bn",
                     activation=None), "block1_conv2_act")  # fmt: skip
    for block, filters in ((2, 128), (3, 256), (4, 728), (13, 1024)):
        if block == 13:
            for middle in range(5, 13):
                y = x
                for number in (1, 2, 3):
                    y = act(y, f"block{middle}_sepconv{number}_act")
                    y = separable(y, 728, f"block{middle}_sepconv{number}")
                x = layers["add"]([y, x])
        short = kit.norm(kit.conv(x, filters, 1, None, 2, use_bias=False), None, activation=None)
        y = x if block == 2 else act(x, f"block{block}_sepconv1_act")
        y = separable(y, 728 if block == 13 else filters, f"block{block}_sepconv1")
        y = separable(act(y, f"block{block}_sepconv2_act"), filters, f"block{block}_sepconv2")
        y = layers["MaxPooling2D"]((3, 3), strides=(2, 2), padding="same",
                                   name=f"block{block}_pool")(y)  # fmt: skip
        x = layers["add"]([y, short])
    for number, filters in ((1, 1536), (2, 2048)):
        x = act(separable(x, filters, f"block14_sepconv{number}"), f"block14_sepconv{number}_act")
    return kit.ended(begin, x, top, pooling, classes, "xception", activation, kit.average)


def _inception(kit: Any, begin: Any, top: bool, pooling: Any, classes: int,
               activation: Any, **words: Any) -> Any:  # fmt: skip
    layers, counted = kit.layers, iter(range(1000))

    def conv(x: Any, filters: int, *sides: int, strides: int = 1, padding: str = "same") -> Any:
        number = next(counted)
        name = ("conv2d", "batch_normalization")
        named = [f"{one}_{number}" if number else one for one in name]
        x = layers["Conv2D"](filters, kernel_size=sides if len(sides) > 1 else sides[0],
                             strides=strides, padding=padding, use_bias=False,
                             name=named[0])(x)  # fmt: skip
        x = layers["BatchNormalization"](axis=kit.axis, scale=False, name=named[1])(x)
        return layers["Activation"]("relu")(x)

    def pooled(x: Any) -> Any:
        return layers["AveragePooling2D"]((3, 3), strides=(1, 1), padding="same")(x)

    def shrunk(x: Any) -> Any:
        return layers["MaxPooling2D"]((3, 3), strides=(2, 2))(x)

    def joined(parts: Sequence[Any], word: str = "") -> Any:
        return layers["Concatenate"](axis=kit.axis, name=word or None)(list(parts))

    x = conv(begin, 32, 3, strides=2, padding="valid")
    x = conv(conv(x, 32, 3, padding="valid"), 64, 3)
    x = conv(conv(shrunk(x), 80, 1, padding="valid"), 192, 3, padding="valid")
    x = shrunk(x)
    for number, last in enumerate((32, 64, 64)):
        one, five = conv(x, 64, 1), conv(conv(x, 48, 1), 64, 5)
        three = conv(conv(conv(x, 64, 1), 96, 3), 96, 3)
        x = joined([one, five, three, conv(pooled(x), last, 1)], f"mixed{number}")
    three = conv(x, 384, 3, strides=2, padding="valid")
    double = conv(conv(conv(x, 64, 1), 96, 3), 96, 3, strides=2, padding="valid")
    x = joined([three, double, shrunk(x)], "mixed3")
    for number, inner in enumerate((128, 160, 160, 192), 4):
        one = conv(x, 192, 1)
        seven = conv(conv(conv(x, inner, 1), inner, 1, 7), 192, 7, 1)
        double = conv(conv(conv(x, inner, 1), inner, 7, 1), inner, 1, 7)
        double = conv(conv(double, inner, 7, 1), 192, 1, 7)
        x = joined([one, seven, double, conv(pooled(x), 192, 1)], f"mixed{number}")
    three = conv(conv(x, 192, 1), 320, 3, strides=2, padding="valid")
    seven = conv(conv(conv(x, 192, 1), 192, 1, 7), 192, 7, 1)
    seven = conv(seven, 192, 3, strides=2, padding="valid")
    x = joined([three, seven, shrunk(x)], "mixed8")
    for number in (9, 10):
        one, three = conv(x, 320, 1), conv(x, 384, 1)
        three = joined([conv(three, 384, 1, 3), conv(three, 384, 3, 1)], f"mixed9_{number - 9}")
        double = conv(conv(x, 448, 1), 384, 3)
        double = joined([conv(double, 384, 1, 3), conv(double, 384, 3, 1)])
        x = joined([one, three, double, conv(pooled(x), 192, 1)], f"mixed{number}")
    return kit.ended(begin, x, top, pooling, classes, "inception_v3", activation, kit.average)


def _densenet(name: str, counts: Sequence[int]) -> Body:
    def body(kit: Any, begin: Any, top: bool, pooling: Any, classes: int,
             activation: Any, **words: Any) -> Any:  # fmt: skip
        layers = kit.layers
        x = layers["ZeroPadding2D"](((3, 3), (3, 3)))(begin)
        x = kit.norm(kit.conv(x, 64, 7, "conv1_conv", 2, "valid", False), "conv1_bn", 1.001e-5)
        x = layers["MaxPooling2D"](3, strides=2, name="pool1")(layers["ZeroPadding2D"]((1, 1))(x))
        width = 64
        for stage, count in enumerate(counts, 2):
            for number in range(1, count + 1):
                word = f"conv{stage}_block{number}"
                y = kit.conv(kit.norm(x, f"{word}_0_bn", 1.001e-5), 128, 1, f"{word}_1_conv",
                             use_bias=False)  # fmt: skip
                y = kit.conv(kit.norm(y, f"{word}_1_bn", 1.001e-5), 32, 3, f"{word}_2_conv",
                             use_bias=False)  # fmt: skip
                x = layers["Concatenate"](axis=kit.axis, name=f"{word}_concat")([x, y])
            width += 32 * count
            if stage < 5:
                width //= 2
                x = kit.norm(x, f"pool{stage}_bn", 1.001e-5)
                x = kit.conv(x, width, 1, f"pool{stage}_conv", use_bias=False)
                x = layers["AveragePooling2D"](2, strides=2, name=f"pool{stage}_pool")(x)
        x = kit.norm(x, "bn", 1.001e-5, None)
        x = layers["Activation"]("relu", name="relu")(x)
        return kit.ended(begin, x, top, pooling, classes, name.lower(), activation, kit.average)

    return body


def _resnet2(name: str, counts: Sequence[int]) -> Body:
    def body(kit: Any, begin: Any, top: bool, pooling: Any, classes: int,
             activation: Any, **words: Any) -> Any:  # fmt: skip
        layers = kit.layers
        x = layers["ZeroPadding2D"]((3, 3), name="conv1_pad")(begin)
        x = kit.conv(x, 64, 7, "conv1_conv", 2, "valid")
        x = layers["ZeroPadding2D"]((1, 1), name="pool1_pad")(x)
        x = layers["MaxPooling2D"](3, strides=2, name="pool1_pool")(x)
        for stage, count in enumerate(counts, 2):
            filters = 16 * 2**stage
            for number in range(1, count + 1):
                word = f"conv{stage}_block{number}"
                stride = 2 if number == count and stage < 5 else 1
                before = kit.norm(x, f"{word}_preact_bn", 1.001e-5)
                if number == 1:
                    short = kit.conv(before, 4 * filters, 1, f"{word}_0_conv", stride)
                else:
                    short = layers["MaxPooling2D"](1, strides=stride)(x) if stride > 1 else x
                y = kit.norm(kit.conv(before, filters, 1, f"{word}_1_conv", use_bias=False),
                             f"{word}_1_bn", 1.001e-5)  # fmt: skip
                y = layers["ZeroPadding2D"]((1, 1), name=f"{word}_2_pad")(y)
                y = kit.conv(y, filters, 3, f"{word}_2_conv", stride, "valid", False)
                y = kit.norm(y, f"{word}_2_bn", 1.001e-5)
                y = kit.conv(y, 4 * filters, 1, f"{word}_3_conv")
                x = layers["Add"](name=f"{word}_out")([short, y])
        x = kit.norm(x, "post_bn", 1.001e-5, None)
        x = layers["Activation"]("relu", name="post_relu")(x)
        return kit.ended(begin, x, top, pooling, classes, name.lower(), activation, kit.average)

    return body


# Of EfficientNet: kernel, repeats, filters, expansion, stride.
PLAN = ((3, 1, 16, 1, 1), (3, 2, 24, 6, 2), (5, 2, 40, 6, 2), (3, 3, 80, 6, 2), (5, 3, 112, 6, 1),
        (5, 4, 192, 6, 2), (3, 1, 320, 6, 1))  # fmt: skip


def _efficient(name: str, width: float, depth: float, drop: float) -> Body:
    def wide(filters: float) -> int:
        filters *= width
        whole = max(8, int(filters + 4) // 8 * 8)
        return int(whole + 8 if whole < 0.9 * filters else whole)

    def body(kit: Any, begin: Any, top: bool, pooling: Any, classes: int,
             activation: Any, **words: Any) -> Any:  # fmt: skip
        layers = kit.layers

        def block(x: Any, inner: int, out: int, word: str, side: int, times: int,
                  stride: int) -> Any:  # fmt: skip
            y, full = x, inner * times
            if times > 1:
                y = kit.conv(x, full, 1, f"{word}expand_conv", use_bias=False)
                y = kit.norm(y, f"{word}expand_bn", activation="silu")
            y = kit.pad(y, side, f"{word}dwconv_pad") if stride == 2 else y
            y = layers["DepthwiseConv2D"](
                side, strides=stride, padding="same" if stride == 1 else "valid", use_bias=False,
                name=f"{word}dwconv",
            )(y)  # fmt: skip
            y = kit.norm(y, f"{word}bn", activation="silu")
            squeezed = layers["GlobalAveragePooling2D"](name=f"{word}se_squeeze")(y)
            squeezed = layers["Reshape"]((1, 1, full), name=f"{word}se_reshape")(squeezed)
            squeezed = kit.conv(squeezed, max(1, inner // 4), 1, f"{word}se_reduce",
                                activation="silu")  # fmt: skip
            squeezed = kit.conv(squeezed, full, 1, f"{word}se_expand", activation="sigmoid")
            y = layers["Multiply"](name=f"{word}se_excite")([y, squeezed])
            y = kit.conv(y, out, 1, f"{word}project_conv", use_bias=False)
            y = kit.norm(y, f"{word}project_bn", activation=None)
            if stride > 1 or inner != out:
                return y
            rate = 0.2 * block.place / block.count  # type: ignore[attr-defined]
            y = layers["Dropout"](rate, noise_shape=(None, 1, 1, 1), name=f"{word}drop")(y)
            return layers["Add"](name=f"{word}add")([y, x])

        x = layers["Rescaling"](1.0 / 255)(begin)
        x = layers["Normalization"](axis=-1)(x)  # whose statistics are among the weights of files
        x = kit.conv(kit.pad(x, 3, "stem_conv_pad"), wide(32), 3, "stem_conv", 2, "valid", False)
        x = kit.norm(x, "stem_bn", activation="silu")
        rounds = [math.ceil(depth * repeats) for _, repeats, *_ in PLAN]
        block.count, block.place = sum(rounds), 0  # type: ignore[attr-defined]
        inner = wide(32)
        for stage, ((side, _, filters, times, first), count) in enumerate(
            zip(PLAN, rounds, strict=True), 1
        ):
            for number in range(count):
                word = f"block{stage}{chr(97 + number)}_"
                stride = first if number == 0 else 1
                x = block(x, inner, wide(filters), word, side, times, stride)
                inner = wide(filters)
                block.place += 1  # type: ignore[attr-defined]
        x = kit.norm(kit.conv(x, wide(1280), 1, "top_conv", use_bias=False), "top_bn",
                     activation=None)  # fmt: skip
        x = layers["Activation"]("silu", name="top_activation")(x)

        def head(x: Any) -> Any:
            return layers["Dropout"](drop, name="top_dropout")(kit.average(x))

        return kit.ended(begin, x, top, pooling, classes, name.lower(), activation, head)

    return body


DEEP: dict[str, dict[str, Body]] = {
    "xception": {"Xception": _xception}, "inception_v3": {"InceptionV3": _inception},
    "densenet": {
        name: _densenet(name, counts) for name, counts in (
            ("DenseNet121", (6, 12, 24, 16)), ("DenseNet169", (6, 12, 32, 32)),
            ("DenseNet201", (6, 12, 48, 32)))
    },
    "resnet_v2": {
        name: _resnet2(name, counts) for name, counts in (
            ("ResNet50V2", (3, 4, 6, 3)), ("ResNet101V2", (3, 4, 23, 3)),
            ("ResNet152V2", (3, 8, 36, 3)))
    },
    "efficientnet": {
        f"EfficientNet{name}": _efficient(f"EfficientNet{name}", width, depth, drop)
        for name, (width, depth, _, drop) in SCALES.items()
    },
}  # fmt: skip
