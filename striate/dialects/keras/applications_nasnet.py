"""NASNet-A of `keras.applications`: cells that a search has found, each of five sums.

Source: Zoph et al. 2018, "Learning transferable architectures for scalable image recognition",
figure 4; names, paddings and order of Keras.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SIDES = {"NASNetMobile": (224, 224), "NASNetLarge": (331, 331)}
GROWS = 2  # times as many filters after each reduction


class Cells:
    """Cells written in the layers of a kit; each takes the outputs of the two before it."""

    def __init__(self, kit: Any) -> None:
        self.kit, self.layers = kit, kit.layers

    def relu(self, x: Any, **words: Any) -> Any:
        """Return what is above 0."""
        return self.layers["Activation"]("relu", **words)(x)

    def norm(self, x: Any, word: str) -> Any:
        """Return a batch normalisation with slow means."""
        return self.layers["BatchNormalization"](axis=self.kit.axis, momentum=0.9997,
                                                 epsilon=1e-3, name=word)(x)  # fmt: skip

    def conv(self, x: Any, filters: int, word: str, **words: Any) -> Any:
        """Return a convolution of single places."""
        return self.layers["Conv2D"](filters, (1, 1), padding="same", use_bias=False, name=word,
                                     kernel_initializer="he_normal", **words)(x)  # fmt: skip

    def joined(self, parts: list[Any], **words: Any) -> Any:
        """Return maps behind each other."""
        return self.layers["Concatenate"](axis=self.kit.axis, **words)(parts)

    def added(self, first: Any, second: Any, word: str | None = None) -> Any:
        """Return a sum."""
        return self.layers["Add"](name=word)([first, second])

    def pool(self, kind: str, x: Any, word: str, strides: int = 1, padding: str = "same") -> Any:
        """Return the largest or the average of windows of 3 x 3."""
        layer = self.layers[f"{kind}Pooling2D"]
        return layer((3, 3), strides=(strides, strides), padding=padding, name=word)(x)

    def separable(self, x: Any, filters: int, size: int, word: str, strides: int = 1) -> Any:
        """Return two separable convolutions, each behind an activation."""
        x, padding = self.relu(x), "same"
        if strides == 2:
            x, padding = self.kit.pad(x, size, f"separable_conv_1_pad_{word}"), "valid"
        for number in (1, 2):
            x = self.relu(x) if number == 2 else x
            x = self.layers["SeparableConv2D"](
                filters, (size, size), strides=(strides, strides), padding=padding,
                use_bias=False, name=f"separable_conv_{number}_{word}",
            )(x)  # fmt: skip
            x = self.norm(x, f"separable_conv_{number}_bn_{word}")
            strides, padding = 1, "same"
        return x

    def fitted(self, before: Any, x: Any, filters: int, word: str) -> Any:
        """Return the output before the last one, as large and with as many maps as the cell."""
        if before is None:
            return x
        if self.kit.sides(before)[1] != self.kit.sides(x)[1]:
            before = self.relu(before, name=f"adjust_relu_1_{word}")
            moved = self.layers["ZeroPadding2D"](padding=((0, 1), (0, 1)))(before)
            moved = self.layers["Cropping2D"](cropping=((1, 0), (1, 0)))(moved)
            halves = []
            for number, one in enumerate((before, moved), 1):
                one = self.layers["AveragePooling2D"](
                    (1, 1), strides=(2, 2), padding="valid", name=f"adjust_avg_pool_{number}_{word}"
                )(one)
                halves.append(self.conv(one, filters // 2, f"adjust_conv_{number}_{word}"))
            return self.norm(self.joined(halves), f"adjust_bn_{word}")
        if before.shape[self.kit.axis] != filters:
            before = self.conv(self.relu(before), filters, f"adjust_conv_projection_{word}")
            return self.norm(before, f"adjust_bn_{word}")
        return before

    def squeezed(self, x: Any, filters: int, kind: str, word: str) -> Any:
        """Return the last output with as many maps as the cell."""
        return self.norm(self.conv(self.relu(x), filters, f"{kind}_conv_1_{word}"),
                         f"{kind}_bn_1_{word}")  # fmt: skip

    def normal(self, x: Any, before: Any, filters: int, word: str) -> tuple[Any, Any]:
        """Return a cell that keeps the size, and its input."""
        p = self.fitted(before, x, filters, word)
        h = self.squeezed(x, filters, "normal", word)

        def part(place: str, one: Any, size: int = 3) -> Any:
            return self.separable(one, filters, size, f"normal_{place}_{word}")

        def mean(place: str, one: Any) -> Any:
            return self.pool("Average", one, f"normal_{place}_{word}")

        sums = [
            (part("left1", h, 5), part("right1", p)), (part("left2", p, 5), part("right2", p)),
            (mean("left3", h), p), (mean("left4", p), mean("right4", p)), (part("left5", h), h),
        ]  # fmt: skip
        made = [self.added(*two, f"normal_add_{at}_{word}") for at, two in enumerate(sums, 1)]
        return self.joined([p, *made], name=f"normal_concat_{word}"), x

    def reduction(self, x: Any, before: Any, filters: int, word: str) -> tuple[Any, Any]:
        """Return a cell of half the size, and its input."""
        p = self.fitted(before, x, filters, word)
        h = self.squeezed(x, filters, "reduction", word)
        around = self.kit.pad(h, 3, f"reduction_pad_1_{word}")

        def part(place: str, one: Any, size: int, strides: int = 2) -> Any:
            return self.separable(one, filters, size, f"reduction_{place}_{word}", strides)

        def pooled(kind: str, place: str) -> Any:
            return self.pool(kind, around, f"reduction_{place}_{word}", 2, "valid")

        first = self.added(part("left1", h, 5), part("right1", p, 7), f"reduction_add_1_{word}")
        second = self.added(pooled("Max", "left2"), part("right2", p, 7),
                            f"reduction_add_2_{word}")  # fmt: skip
        third = self.added(pooled("Average", "left3"), part("right3", p, 5),
                           f"reduction_add3_{word}")  # fmt: skip
        mean = self.pool("Average", first, f"reduction_left4_{word}")
        fourth = self.added(second, mean)
        fifth = self.added(part("left4", first, 3, 1), pooled("Max", "right5"),
                           f"reduction_add4_{word}")  # fmt: skip
        parts = [second, third, fourth, fifth]
        return self.joined(parts, name=f"reduction_concat_{word}"), x


def nasnet(name: str, last: int, count: int, stem: int, skips: bool) -> Callable[..., Any]:
    """Return what writes a network with so many filters before the end, and cells of a kind."""

    def body(kit: Any, begin: Any, top: bool, pooling: Any, classes: int, activation: Any,
             **words: Any) -> Any:  # fmt: skip
        cells, filters = Cells(kit), last // 24
        x = kit.layers["Conv2D"](
            stem, (3, 3), strides=(2, 2), padding="valid", use_bias=False, name="stem_conv1",
            kernel_initializer="he_normal",
        )(begin)  # fmt: skip
        x, before = cells.norm(x, "stem_bn1"), None
        x, before = cells.reduction(x, before, filters // GROWS**2, "stem_1")
        x, before = cells.reduction(x, before, filters // GROWS, "stem_2")
        for stage in range(3):
            width, at = filters * GROWS**stage, stage * count
            if stage:
                x, far = cells.reduction(x, before, width, f"reduce_{at}")
                before = before if skips else far
            for number in range(count):
                x, before = cells.normal(x, before, width, str(at + number + (stage > 0)))
        return kit.ended(begin, cells.relu(x), top, pooling, classes, name, activation,
                         kit.layers["GlobalAveragePooling2D"]())  # fmt: skip

    return body


NASNETS = {"nasnet": {
    "NASNetMobile": nasnet("nasnet_mobile", 1056, 4, 32, skips=False),
    "NASNetLarge": nasnet("nasnet_large", 4032, 6, 96, skips=True),
}}  # fmt: skip
