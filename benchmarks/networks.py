"""The networks that are compared: rows of layers, written once, that every framework builds alike.

The first six are those of the tutorials, with their batch sizes and optimizers; ResNet-20 stands
for networks with residual connections and batch normalization; `stack` gives a network of any image
size, width and depth. Nothing here knows a framework.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Conv:
    """Convolution with a square kernel."""

    filters: int
    kernel: int
    padding: int = 0
    stride: int = 1
    bias: bool = True


@dataclass(frozen=True)
class Relu:
    """max(x, 0)."""


@dataclass(frozen=True)
class MaxPool:
    """Maximum of each 2 x 2 block."""


@dataclass(frozen=True)
class BatchNorm:
    """Batch normalization over the channels."""


@dataclass(frozen=True)
class Dropout:
    """Zeros a share of the values in training."""

    rate: float


@dataclass(frozen=True)
class Flatten:
    """One vector of an image."""


@dataclass(frozen=True)
class GlobalAverage:
    """Mean of each channel."""


@dataclass(frozen=True)
class Dense:
    """Fully connected layer."""

    units: int


@dataclass(frozen=True)
class Residual:
    """Sum of what `main` and `shortcut` make of the input; an empty shortcut is the input."""

    main: tuple[Row, ...]
    shortcut: tuple[Row, ...] = ()


Row = Conv | Relu | MaxPool | BatchNorm | Dropout | Flatten | GlobalAverage | Dense | Residual


@dataclass(frozen=True)
class Optimizer:
    """`sgd`, `rmsprop` or `adam`; what is not said is Keras's default."""

    name: str
    learning_rate: float
    momentum: float = 0.0
    nesterov: bool = False


@dataclass(frozen=True)
class Network:
    """One network and how it is trained; the last layer gives the logits of ten classes.

    What the network sees is `(pixel - mean) / std`: (0, 1) are raw pixels, (0, 255) are 0 to 1.
    """

    layers: tuple[Row, ...]
    parameters: int  # trainable ones; every peer counts its own and must agree
    batch: int
    optimizer: Optimizer
    mean: float = 0.0
    std: float = 255.0
    size: int = 28
    channels: int = 1
    images: int = 60_000  # to be read, at most
    given: str = "uint8"  # what `fit` is given: pixels, or a float type, scaled beforehand
    channels_first: bool = False
    kernels: str = "keras"  # whose rule they are drawn by


MEAN, STD = 0.1307 * 255, 0.3081 * 255  # of MNIST's training pixels


def _block(filters: int, stride: int = 1) -> tuple[Row, ...]:
    """Two 3 x 3 convolutions beside a shortcut: a 1 x 1 convolution where the shape changes."""
    first, second = (Conv(filters, 3, 1, step, bias=False) for step in (stride, 1))
    shortcut = (Conv(filters, 1, 0, stride, bias=False), BatchNorm()) if stride > 1 else ()
    return Residual((first, BatchNorm(), Relu(), second, BatchNorm()), shortcut), Relu()


RESNET20 = (
    Conv(16, 3, 1, bias=False), BatchNorm(), Relu(),
    *_block(16), *_block(16), *_block(16),
    *_block(32, 2), *_block(32), *_block(32),
    *_block(64, 2), *_block(64), *_block(64),
    GlobalAverage(), Dense(10),
)  # fmt: skip

NETWORKS = {
    "000": Network(
        (
            Conv(20, 3), Relu(), MaxPool(), Conv(50, 3), Relu(), MaxPool(),
            Flatten(), Dense(512), Relu(), Dense(10),
        ),
        parameters=654_892, batch=8, optimizer=Optimizer("sgd", 0.01),
    ),
    "001": Network(
        (
            Conv(32, 3), Relu(), MaxPool(), Conv(64, 3), Relu(), MaxPool(),
            Flatten(), Dense(64), Relu(), Dense(10),
        ),
        parameters=121_930, batch=64, optimizer=Optimizer("rmsprop", 0.001),
    ),
    "002a": Network(
        (Conv(64, 3), Relu(), Conv(32, 3), Relu(), Flatten(), Dense(10)),
        parameters=203_434, batch=32, optimizer=Optimizer("adam", 0.001), std=1.0,
    ),
    "002b": Network(
        (
            Conv(32, 5, 2), Relu(), MaxPool(), Conv(64, 5, 2), Relu(), MaxPool(),
            Flatten(), Dropout(0.5), Dense(1000), Dense(10),
        ),
        parameters=3_199_106, batch=100, optimizer=Optimizer("adam", 0.001), mean=MEAN, std=STD,
    ),
    "003": Network(
        (
            Conv(32, 3, 1), Relu(), Conv(64, 3, 1), Relu(), MaxPool(), Dropout(0.5),
            Flatten(), Dense(128), Relu(), Dense(10),
        ),
        parameters=1_625_866, batch=64, optimizer=Optimizer("sgd", 0.001), std=1.0,
    ),
    "004": Network(
        (
            Conv(6, 3), Relu(), MaxPool(), Conv(16, 3), Relu(), MaxPool(), Dropout(0.25),
            Flatten(), Dense(128), Relu(), Dropout(0.5), Dense(10),
        ),
        parameters=53_558, batch=32, optimizer=Optimizer("adam", 0.001),
    ),
    "resnet20": Network(
        RESNET20, parameters=272_474, batch=128, optimizer=Optimizer("sgd", 0.1, momentum=0.9),
        mean=MEAN, std=STD, size=32, channels=3,
    ),
}  # fmt: skip


def stack(size: int, width: int, depth: int) -> Network:
    """Return `depth` 3 x 3 convolutions of `width` filters on images of `size` x `size` pixels.

    Only the first two are followed by pooling, so that cost grows with size squared, about with
    width squared, and with depth.
    """
    rows: list[Row] = []
    for index in range(depth):
        rows += [Conv(width, 3, 1), Relu(), *([MaxPool()] if index < 2 else [])]
    rows += [GlobalAverage(), Dense(10)]
    parameters = 10 * width + (depth - 1) * (9 * width + 1) * width + 10 * width + 10
    optimizer = Optimizer("adam", 0.001)
    return Network(tuple(rows), parameters, batch=64, optimizer=optimizer, size=size)


DEFAULTS = Optimizer("sgd", 0.001, momentum=0.4, nesterov=True)  # what rm.Sgd(lr=0.001) is
AS_SCRIPTS = {
    "000-bigdl": replace(
        NETWORKS["000"], images=20_000, mean=MEAN, std=STD, given="float64", channels_first=True
    ),
    "001-keras": replace(NETWORKS["001"], given="float32"),
    "002b-pytorch": replace(NETWORKS["002b"], images=6000, channels_first=True, kernels="pytorch"),
    "003-renom": replace(
        NETWORKS["003"], images=6400, optimizer=DEFAULTS, channels_first=True, kernels="renom"
    ),
}


def find(name: str) -> Network:
    """Return the network of a name: a key of `NETWORKS`, or `stack-SIZE-WIDTH-DEPTH`.

    Those of `AS_SCRIPTS` are what `striate run --port` makes of a dialect's script: the same images
    in the same form, order of axes, optimizer and first weights. The longer a network is trained
    on its images, the more gradients are zero, which is faster.
    """
    if name.startswith("stack-"):
        return stack(*(int(part) for part in name.split("-")[1:]))
    return AS_SCRIPTS.get(name) or NETWORKS[name]
