"""Every layer of BigDL's tables against its formula, and one step of each that learns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from striate.dialects import installed
from striate.dialects.bigdl.core import CORE
from striate.dialects.bigdl.core_functions import FUNCTIONS
from striate.dialects.bigdl.core_weights import WEIGHTED
from striate.dialects.bigdl.keras_kinds import KERAS
from striate.dialects.bigdl.keras_weights import KERAS_WEIGHTED
from striate.dialects.bigdl.methods import ROWS, SCHEDULES
from striate.dialects.bigdl.normalizing import NORMALIZING

Formula = Callable[..., Any]
IMAGE, WIDE, STEPS, CUBE, FLAT = (2, 6, 8), (4, 5, 6), (7, 3), (2, 3, 4, 5), (4,)


@pytest.fixture(scope="module")
def bd() -> Iterator[Any]:
    with installed("bigdl"):
        from bigdl.nn import criterion, layer
        from bigdl.nn.keras import layer as keras_layer, topology
        from bigdl.optim import optimizer

        yield SimpleNamespace(layer=layer, k=keras_layer, topology=topology, optim=optimizer,
                              criterion=criterion)  # fmt: skip


def numbers(*shape: int) -> Any:
    return np.sin(np.arange(int(np.prod(shape))) * 12.9898).reshape(shape).astype("float32")


def t(act: Callable[..., Any], *args: Any, **words: Any) -> Any:
    """Call a function of torch on arrays."""
    ready = [torch.from_numpy(np.asarray(a)) if isinstance(a, np.ndarray) else a for a in args]
    return act(*ready, **words).numpy()


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def whole(w: Any) -> Any:
    """Return a kernel without the axis of its groups."""
    return w.reshape(-1, *w.shape[2:])


def normal(x: Any, g: Any, b: Any, eps: float) -> Any:
    axes = (0, *range(2, x.ndim))
    shape = (1, -1, *(1,) * (x.ndim - 2))
    scaled = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)
    return scaled * g.reshape(shape) + b.reshape(shape)


def srelu(x: Any, tl: Any, al: Any, tr: Any, ar: Any) -> Any:
    high = tl + abs(tr)  # as in Keras 1
    return np.where(x >= high, high + ar * (x - high), np.where(x <= tl, tl + al * (x - tl), x))


def locally(x: Any, w: Any, b: Any, kh: int, kw: int) -> Any:
    """Return a convolution whose kernel is another at each place: w (places, in * kh * kw, out)."""
    cut = F.unfold(torch.from_numpy(x), (kh, kw)).numpy()  # (N, in * kh * kw, places)
    sizes = x.shape[2] - kh + 1, x.shape[3] - kw + 1
    y = np.einsum("nkp,pok->nop", cut, w).reshape(len(x), -1, *sizes)
    return y + b.reshape(y.shape[1:])  # as the real one reads them


def stepwise(x: Any, w: Any, b: Any) -> Any:
    """Return LocallyConnected1D: x (N, steps, in)."""
    windows = np.concatenate([x[:, :-1], x[:, 1:]], 2)  # (N, places, steps * in)
    return np.einsum("npk,pok->npo", windows, w) + b


def along(x: Any, w: Any, b: Any, step: int = 1) -> Any:
    """Return a convolution over steps: x (N, steps, in), w of the core API (out, kernel * in)."""
    if w.ndim == 5:  # (1, kernel, 1, in, out)
        w = w[0, :, 0].transpose(2, 1, 0)
    else:
        w = w.reshape(len(w), -1, x.shape[2]).transpose(0, 2, 1)
    return t(F.conv1d, x.transpose(0, 2, 1), w, b, step).transpose(0, 2, 1)


def highway(x: Any, gate: Any, c: Any, w: Any, b: Any, act: Formula = lambda x: x) -> Any:
    part = sigmoid(x @ gate.T + c)
    return part * act(x @ w.T + b) + (1 - part) * x


def maxout(x: Any, w: Any, b: Any) -> Any:
    return (x @ w.T + b).reshape(len(x), 3, 2).max(1)


def apart(x: Any, depth: Any, point: Any, b: Any) -> Any:
    each = depth.transpose(1, 0, 2, 3).reshape(-1, 1, *depth.shape[2:])  # (multiplier, in, k, k)
    return t(F.conv2d, t(F.conv2d, x, each, groups=2), point, b)


def around(x: Any) -> Any:
    """Return the mean of the 3 x 3 cells around each place, over the channels."""
    cells = t(F.avg_pool2d, x, 3, 1, 1, False, False)
    return cells.mean(1, keepdims=True)


def rooted(x: Any) -> Any:
    """Return the root of the share-weighted sum of squares, by the share that is there."""
    share = t(F.avg_pool2d, np.ones_like(x[:, :1]), 3, 1, 1)
    return np.sqrt(around(x**2) * share) / share


SAME = lambda x: x  # noqa: E731
POINT: dict[str, tuple[str, tuple[int, ...], Formula]] = {  # core functions of each number
    "ReLU": ("ReLU()", FLAT, lambda x: x.clip(0)),
    "ReLU6": ("ReLU6()", FLAT, lambda x: x.clip(0, 6)),
    "Tanh": ("Tanh()", FLAT, np.tanh),
    "Sigmoid": ("Sigmoid()", FLAT, sigmoid),
    "SoftMax": ("SoftMax()", FLAT, lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True)),
    "LogSoftMax": ("LogSoftMax()", FLAT, lambda x: x - np.log(np.exp(x).sum(1, keepdims=True))),
    "SoftPlus": ("SoftPlus(2.0)", FLAT, lambda x: np.log1p(np.exp(2 * x)) / 2),
    "SoftSign": ("SoftSign()", FLAT, lambda x: x / (1 + abs(x))),
    "ELU": ("ELU(2.0)", FLAT, lambda x: np.where(x > 0, x, 2 * np.expm1(x))),
    "LeakyReLU": ("LeakyReLU(0.1)", FLAT, lambda x: np.where(x > 0, x, 0.1 * x)),
    "HardTanh": ("HardTanh(-0.5, 0.25)", FLAT, lambda x: x.clip(-0.5, 0.25)),
    "Clamp": ("Clamp(-0.5, 0.25)", FLAT, lambda x: x.clip(-0.5, 0.25)),
    "Threshold": ("Threshold(0.5, 9.0)", FLAT, lambda x: np.where(x > 0.5, x, 9)),
    "Power": ("Power(2.0, 3.0, 1.0)", FLAT, lambda x: (1 + 3 * x) ** 2),
    "Square": ("Square()", FLAT, np.square),
    "Sqrt": ("Sqrt()", FLAT, np.sqrt),
    "Abs": ("Abs()", FLAT, np.abs),
    "Exp": ("Exp()", FLAT, np.exp),
    "Log": ("Log()", FLAT, np.log),
    "LogSigmoid": ("LogSigmoid()", FLAT, lambda x: -np.log1p(np.exp(-x))),
    "MulConstant": ("MulConstant(3.0)", FLAT, lambda x: 3 * x),
    "AddConstant": ("AddConstant(3.0)", FLAT, lambda x: x + 3),
    "Identity": ("Identity()", FLAT, SAME),
    "Echo": ("Echo()", FLAT, SAME),
    "Contiguous": ("Contiguous()", FLAT, SAME),
    "HardSigmoid": ("HardSigmoid()", FLAT, lambda x: (0.2 * x + 0.5).clip(0, 1)),
    "SoftMin": ("SoftMin()", FLAT, lambda x: np.exp(-x) / np.exp(-x).sum(1, keepdims=True)),
    "TanhShrink": ("TanhShrink()", FLAT, lambda x: x - np.tanh(x)),
    "HardShrink": ("HardShrink(0.3)", FLAT, lambda x: np.where(abs(x) > 0.3, x, 0)),
    "SoftShrink": ("SoftShrink(0.3)", FLAT, lambda x: np.sign(x) * (abs(x) - 0.3).clip(0)),
    "Negative": ("Negative()", FLAT, np.negative),
    "BinaryThreshold": ("BinaryThreshold(0.2)", FLAT, lambda x: (x > 0.2).astype("float32")),
    "GradientReversal": ("GradientReversal(2.0)", FLAT, SAME),
    "L1Penalty": ("L1Penalty(1)", FLAT, SAME),
    "NegativeEntropyPenalty": ("NegativeEntropyPenalty(0.1)", FLAT, SAME),
    "ActivityRegularization": ("ActivityRegularization(0.1, 0.2)", FLAT, SAME),
    "Normalize": ("Normalize(2.0)", FLAT, lambda x: x / np.sqrt((x**2).sum(1, keepdims=True))),
    "Masking": ("Masking(0.0)", STEPS, SAME),
}  # fmt: skip
SHAPES: dict[str, tuple[str, tuple[int, ...], Formula]] = {  # core: sizes, places, windows
    "Reshape": ("Reshape([8, 12])", IMAGE, lambda x: x.reshape(-1, 8, 12)),
    "InferReshape": ("InferReshape([0, -1, 12])", IMAGE, lambda x: x.reshape(len(x), -1, 12)),
    "View": ("View([96])", IMAGE, lambda x: x.reshape(len(x), 96)),
    "Squeeze": ("Squeeze(2)", (1, 4), lambda x: x[:, 0]),
    "Unsqueeze": ("Unsqueeze(2)", FLAT, lambda x: x[:, None]),
    "Transpose": ("Transpose([(2, 4)])", IMAGE, lambda x: x.transpose(0, 3, 2, 1)),
    "Narrow": ("Narrow(2, 2, 2)", WIDE, lambda x: x[:, 1:3]),
    "Select": ("Select(3, 2)", IMAGE, lambda x: x[:, :, 1]),
    "SpatialZeroPadding": ("SpatialZeroPadding(1, 2, 3, 0)", IMAGE,
                           lambda x: np.pad(x, ((0, 0), (0, 0), (3, 0), (1, 2)))),
    "UpSampling2D": ("UpSampling2D([2, 3])", IMAGE, lambda x: x.repeat(2, 2).repeat(3, 3)),
    "UpSampling1D": ("UpSampling1D(2)", STEPS, lambda x: x.repeat(2, 1)),
    "UpSampling3D": ("UpSampling3D([2, 1, 2])", CUBE, lambda x: x.repeat(2, 2).repeat(2, 4)),
    "SpatialUpSamplingNearest": ("SpatialUpSamplingNearest(2)", IMAGE,
                                 lambda x: x.repeat(2, 2).repeat(2, 3)),
    "SpatialUpSamplingBilinear": (
        "SpatialUpSamplingBilinear(2)", IMAGE,
        lambda x: t(F.interpolate, x, scale_factor=2, mode="bilinear", align_corners=True)),
    "ResizeBilinear": (
        "ResizeBilinear(9, 5, True)", IMAGE,
        lambda x: t(F.interpolate, x, (9, 5), mode="bilinear", align_corners=True)),
    "Max": ("Max(2)", IMAGE, lambda x: x.max(1)),
    "Min": ("Min(3)", IMAGE, lambda x: x.min(2)),
    "Mean": ("Mean(2)", IMAGE, lambda x: x.mean(1)),
    "Sum": ("Sum(3)", IMAGE, lambda x: x.mean(2, keepdims=True)),  # its two words are exchanged
    "Cropping2D": ("Cropping2D([1, 0], [2, 3])", IMAGE, lambda x: x[:, :, 1:, 2:-3]),
    "Cropping3D": ("Cropping3D([1, 0], [0, 1], [2, 1])", CUBE, lambda x: x[:, :, 1:, :-1, 2:-1]),
    "ExpandSize": ("ExpandSize([-1, 3, 4])", (1, 4), lambda x: x.repeat(3, 1)),
    "NormalizeScale": ("NormalizeScale(2.0, 5.0, [1, 2, 1, 1])", IMAGE,
                       lambda x, w: w * x / np.sqrt((x**2).sum(1, keepdims=True))),
    "SpatialSubtractiveNormalization": ("SpatialSubtractiveNormalization(2, np.ones((3, 3)))",
                                        IMAGE, lambda x: x - around(x)),
    "SpatialDivisiveNormalization": ("SpatialDivisiveNormalization(2, np.ones((3, 3)))", IMAGE,
                                     lambda x: x / rooted(x)),
    "SpatialContrastiveNormalization": (
        "SpatialContrastiveNormalization(2, np.ones((3, 3)))", IMAGE,
        lambda x: (x - around(x)) / rooted(x - around(x))),
    "Padding": ("Padding(1, 2, 3, 7.0)", IMAGE,
                lambda x: np.pad(x, ((0, 0), (0, 2), (0, 0), (0, 0)), constant_values=7)),
    "Replicate": ("Replicate(3, 2)", FLAT, lambda x: np.stack([x] * 3, 1)),
    "Tile": ("Tile(2, 3)", FLAT, lambda x: np.concatenate([x] * 3, 1)),
    "Reverse": ("Reverse(2)", FLAT, lambda x: x[:, ::-1]),
    "SpatialMaxPooling": ("SpatialMaxPooling(3, 2, 2, 1, 1, 0)", IMAGE,
                          lambda x: t(F.max_pool2d, x, (2, 3), (1, 2), (0, 1))),
    "SpatialAveragePooling": ("SpatialAveragePooling(3, 2, 2, 1, 1, 0)", IMAGE,
                              lambda x: t(F.avg_pool2d, x, (2, 3), (1, 2), (0, 1))),
    "TemporalMaxPooling": ("TemporalMaxPooling(2, 2)", STEPS, lambda x: np.maximum(
        x[:, :6:2], x[:, 1:6:2])),
    "VolumetricMaxPooling": ("VolumetricMaxPooling(2, 3, 1, 1, 2, 1)", CUBE,
                             lambda x: t(F.max_pool3d, x, (2, 1, 3), (1, 1, 2))),
    "VolumetricAveragePooling": ("VolumetricAveragePooling(2, 3, 1, 1, 2, 1)", CUBE,
                                 lambda x: t(F.avg_pool3d, x, (2, 1, 3), (1, 1, 2))),
    "SpatialCrossMapLRN": (
        "SpatialCrossMapLRN(3, 0.5, 0.75, 2.0)", WIDE,
        lambda x: t(F.local_response_norm, x, 3, alpha=0.5, beta=0.75, k=2.0)),
    "SpatialWithinChannelLRN": (
        "SpatialWithinChannelLRN(3, 0.5, 0.75)", IMAGE,
        lambda x: x / (1 + 0.5 * t(F.avg_pool2d, x**2, 3, 1, 1)) ** 0.75),
}  # fmt: skip
LEARNED: dict[str, tuple[str, tuple[int, ...], Formula]] = {  # core: the weights come after x
    "Linear": ("Linear(4, 3)", FLAT, lambda x, w, b: x @ w.T + b),
    "SpatialConvolution": (
        "SpatialConvolution(2, 4, 3, 2, 2, 1, 1, 0)", IMAGE,
        lambda x, w, b: t(F.conv2d, x, whole(w), b, (1, 2), (0, 1))),
    "SpatialShareConvolution": (
        "SpatialShareConvolution(2, 4, 3, 2)", IMAGE,
        lambda x, w, b: t(F.conv2d, x, whole(w), b)),
    "SpatialDilatedConvolution": (
        "SpatialDilatedConvolution(2, 3, 3, 2, 1, 1, 2, 1, 2, 3)", IMAGE,
        lambda x, w, b: t(F.conv2d, x, w.reshape(3, 2, 2, 3), b, 1, (1, 2), (3, 2))),
    "SpatialFullConvolution": (
        "SpatialFullConvolution(2, 3, 3, 2, 2, 1)", IMAGE,
        lambda x, w, b: t(F.conv_transpose2d, x, whole(w), b, (1, 2))),
    "SpatialBatchNormalization": ("SpatialBatchNormalization(2, 1e-3)", IMAGE,
                                  lambda x, g, b: normal(x, g, b, 1e-3)),
    "BatchNormalization": ("BatchNormalization(4)", FLAT, lambda x, g, b: normal(x, g, b, 1e-5)),
    "PReLU": ("PReLU(2)", IMAGE, lambda x, a: np.where(x > 0, x, a.reshape(1, -1, 1, 1) * x)),
    "CMul": ("CMul([1, 4])", FLAT, lambda x, w: x * w),
    "CAdd": ("CAdd([4])", FLAT, lambda x, b: x + b),
    "Scale": ("Scale([1, 4])", FLAT, lambda x, w, b: x * w + b),
    "Mul": ("Mul()", FLAT, lambda x, w: x * w),
    "Add": ("Add(4)", FLAT, lambda x, b: x + b),
    "SReLU": ("SReLU([4])", FLAT, srelu),
    "Cosine": ("Cosine(4, 3)", FLAT, lambda x, w: (x @ w.T) / np.linalg.norm(x, axis=1)[:, None]
               / np.linalg.norm(w, axis=1)),
    "Euclidean": ("Euclidean(4, 3)", FLAT,
                  lambda x, w: np.linalg.norm(x[:, None] - w.T, axis=2)),
    "LayerNormalization": ("LayerNormalization(4)", FLAT,
                           lambda x, g, b: (x - x.mean(1, keepdims=True))
                           / np.sqrt(x.var(1, keepdims=True) + 1e-6) * g + b),
    "LocallyConnected2D": ("LocallyConnected2D(2, 8, 6, 3, 3, 2)", IMAGE,
                           lambda x, w, b: locally(x, w, b, 2, 3)),
    "TemporalConvolution": ("TemporalConvolution(3, 4, 2)", STEPS, along),
    "LocallyConnected1D": ("LocallyConnected1D(7, 3, 4, 2)", STEPS, stepwise),
    "Highway": ("Highway(4)", FLAT, highway),
    "Maxout": ("Maxout(4, 2, 3)", FLAT, maxout),
    "SpatialSeparableConvolution": ("SpatialSeparableConvolution(2, 3, 2, 3, 2)", IMAGE, apart),
    "VolumetricConvolution": (
        "VolumetricConvolution(2, 3, 2, 3, 1, 1, 2, 1)", CUBE,
        lambda x, w, b: t(F.conv3d, x, w.reshape(3, 2, 2, 1, 3), b, (1, 1, 2))),
    "VolumetricFullConvolution": (
        "VolumetricFullConvolution(2, 3, 2, 3, 1, 1, 2, 1)", CUBE,
        lambda x, w, b: t(F.conv_transpose3d, x, w[0], b, (1, 1, 2))),
    "Bottle": ("Bottle(Linear(3, 2), 2, 2)", STEPS, lambda x, w, b: x @ w.T + b),
}  # fmt: skip
OF_KERAS: dict[str, tuple[str, tuple[int, ...], Formula]] = {
    "Dense": ("Dense(3, activation='tanh')", FLAT, lambda x, w, b: np.tanh(x @ w.T + b)),
    "Convolution1D": ("Convolution1D(4, 2, subsample_length=2)", STEPS,
                      lambda x, w, b: along(x, w, b, 2)),
    "LocallyConnected1D": ("LocallyConnected1D(4, 2)", STEPS, stepwise),
    "Convolution2D": (
        "Convolution2D(4, 3, 2, border_mode='same', subsample=(2, 1))", IMAGE,
        lambda x, w, b: t(F.conv2d, np.pad(x, ((0, 0), (0, 0), (0, 1), (0, 1))), whole(w), b,
                          (2, 1))),
    "Convolution3D": ("Convolution3D(3, 2, 1, 3)", CUBE,
                      lambda x, w, b: t(F.conv3d, x, w.reshape(3, 2, 2, 1, 3), b)),
    "AtrousConvolution2D": ("AtrousConvolution2D(3, 2, 3, atrous_rate=(3, 2))", IMAGE,
                            lambda x, w, b: t(F.conv2d, x, w.reshape(3, 2, 2, 3), b, 1, 0, (3, 2))),
    "SeparableConvolution2D": ("SeparableConvolution2D(3, 2, 3, depth_multiplier=2)", IMAGE, apart),
    "AtrousConvolution1D": (
        "AtrousConvolution1D(4, 2, atrous_rate=2)", STEPS,
        lambda x, w, b: t(F.conv1d, x.transpose(0, 2, 1), w[..., 0], b, 1, 0, 2)
        .transpose(0, 2, 1)),
    "Deconvolution2D": ("Deconvolution2D(3, 2, 3, subsample=(2, 2))", IMAGE,
                        lambda x, w, b: t(F.conv_transpose2d, x, w.reshape(2, 3, 2, 3), b, 2)),
    "MaxPooling1D": ("MaxPooling1D(2)", STEPS, lambda x: np.maximum(x[:, :6:2], x[:, 1:6:2])),
    "AveragePooling1D": ("AveragePooling1D(2)", STEPS,
                         lambda x: (x[:, :6:2] + x[:, 1:6:2]) / 2),
    "MaxPooling2D": ("MaxPooling2D((3, 2))", IMAGE, lambda x: t(F.max_pool2d, x, (3, 2))),
    "AveragePooling2D": (
        "AveragePooling2D((2, 2), strides=(1, 1), border_mode='same')", IMAGE,
        lambda x: t(F.avg_pool2d, np.pad(x, ((0, 0), (0, 0), (0, 1), (0, 1))), 2, 1) * 4
        / t(F.avg_pool2d, np.pad(np.ones_like(x), ((0, 0), (0, 0), (0, 1), (0, 1))), 2, 1) / 4),
    "MaxPooling3D": ("MaxPooling3D((1, 2, 2))", CUBE, lambda x: t(F.max_pool3d, x, (1, 2, 2))),
    "AveragePooling3D": ("AveragePooling3D((1, 2, 2))", CUBE,
                         lambda x: t(F.avg_pool3d, x, (1, 2, 2))),
    "GlobalMaxPooling1D": ("GlobalMaxPooling1D()", STEPS, lambda x: x.max(1)),
    "GlobalAveragePooling1D": ("GlobalAveragePooling1D()", STEPS, lambda x: x.mean(1)),
    "GlobalMaxPooling2D": ("GlobalMaxPooling2D()", IMAGE, lambda x: x.max((2, 3))),
    "GlobalAveragePooling2D": ("GlobalAveragePooling2D()", IMAGE, lambda x: x.mean((2, 3))),
    "GlobalMaxPooling3D": ("GlobalMaxPooling3D()", CUBE, lambda x: x.max((2, 3, 4))),
    "GlobalAveragePooling3D": ("GlobalAveragePooling3D()", CUBE, lambda x: x.mean((2, 3, 4))),
    "BatchNormalization": ("BatchNormalization()", IMAGE,
                           lambda x, g, b: normal(x, g, b, 1e-3)),
    "Flatten": ("Flatten()", IMAGE, lambda x: x.reshape(len(x), -1)),
    "Reshape": ("Reshape((8, 12))", IMAGE, lambda x: x.reshape(-1, 8, 12)),
    "Permute": ("Permute((3, 1, 2))", IMAGE, lambda x: x.transpose(0, 3, 1, 2)),
    "RepeatVector": ("RepeatVector(3)", FLAT, lambda x: np.stack([x] * 3, 1)),
    "Activation": ("Activation('hard_sigmoid')", FLAT, lambda x: (0.2 * x + 0.5).clip(0, 1)),
    "SoftMax": ("SoftMax()", FLAT, lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True)),
    "ELU": ("ELU(2.0)", FLAT, lambda x: np.where(x > 0, x, 2 * np.expm1(x))),
    "LeakyReLU": ("LeakyReLU()", FLAT, lambda x: np.where(x > 0, x, 0.01 * x)),
    "ThresholdedReLU": ("ThresholdedReLU(0.3)", FLAT, lambda x: np.where(x > 0.3, x, 0)),
    "ZeroPadding1D": ("ZeroPadding1D(2)", STEPS, lambda x: np.pad(x, ((0, 0), (2, 2), (0, 0)))),
    "ZeroPadding2D": ("ZeroPadding2D((1, 2))", IMAGE,
                      lambda x: np.pad(x, ((0, 0), (0, 0), (1, 1), (2, 2)))),
    "ZeroPadding3D": ("ZeroPadding3D((1, 0, 2))", CUBE,
                      lambda x: np.pad(x, ((0, 0), (0, 0), (1, 1), (0, 0), (2, 2)))),
    "UpSampling1D": ("UpSampling1D(3)", STEPS, lambda x: x.repeat(3, 1)),
    "UpSampling2D": ("UpSampling2D((2, 3))", IMAGE, lambda x: x.repeat(2, 2).repeat(3, 3)),
    "UpSampling3D": ("UpSampling3D((2, 1, 2))", CUBE, lambda x: x.repeat(2, 2).repeat(2, 4)),
    "Cropping1D": ("Cropping1D((1, 2))", STEPS, lambda x: x[:, 1:-2]),
    "Cropping2D": ("Cropping2D(((1, 0), (2, 3)))", IMAGE, lambda x: x[:, :, 1:, 2:-3]),
    "Cropping3D": ("Cropping3D(((1, 0), (0, 1), (2, 1)))", CUBE, lambda x: x[:, :, 1:, :-1, 2:-1]),
    "SReLU": ("SReLU()", FLAT, srelu),
    "Highway": ("Highway(activation='tanh')", FLAT,
                lambda x, *w: highway(x, *w, act=np.tanh)),
    "MaxoutDense": ("MaxoutDense(2, nb_feature=3)", FLAT, maxout),
    "LocallyConnected2D": ("LocallyConnected2D(3, 2, 3)", IMAGE,
                           lambda x, w, b: locally(x, w, b, 2, 3)),
    "TimeDistributed": ("TimeDistributed(Dense(2))", STEPS, lambda x, w, b: x @ w.T + b),
    "Masking": ("Masking(0.0)", STEPS, SAME),
}  # fmt: skip

DRAWN = {  # rows that draw numbers: what they give in evaluation
    "core": ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "RReLU",
             "GaussianNoise", "GaussianDropout"),
    "keras": ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
              "GaussianNoise", "GaussianDropout"),
}  # fmt: skip
PLACES = {"1D": STEPS, "2D": IMAGE, "3D": CUBE}
CASES = [
    *(("core", name) for name in (*POINT, *SHAPES, *LEARNED)),
    *(("keras", name) for name in OF_KERAS),
]


def made(bd: Any, api: str, name: str) -> tuple[Any, Any, Formula]:
    """Return the layer in a network, its input, and its formula."""
    text, shape, formula = (OF_KERAS if api == "keras" else POINT | SHAPES | LEARNED)[name]
    x = numbers(3, *shape)
    if api == "core":
        layer = eval(text, vars(bd.layer))
        return layer, abs(x) + 0.1 if name in ("Sqrt", "Log") else x, formula
    words = f"{text[:-1]}{'' if text.endswith('()') else ', '}input_shape={shape})"
    return bd.topology.Sequential().add(eval(words, vars(bd.k))), x, formula


def weights_of(layer: Any) -> list[Any]:
    """Return the weights, other than their usual values."""
    found = layer.get_weights() or []
    given = [numbers(*w.shape) * 0.5 + 0.3 * (w.ndim == 1) for w in found]
    if found:
        layer.set_weights(given)
    return given


@pytest.mark.parametrize(("api", "name"), CASES)
def test_a_layer_gives_what_its_formula_says(bd: Any, api: str, name: str) -> None:
    layer, x, formula = made(bd, api, name)
    layer.forward(x)  # which makes the weights
    weights = weights_of(layer)
    out, expected = layer.forward(x), formula(x, *weights)
    assert out.shape == expected.shape
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize(("api", "name"), [(a, n) for a in DRAWN for n in DRAWN[a]])
def test_a_layer_that_draws_gives_what_it_is_given_in_evaluation(
    bd: Any, api: str, name: str
) -> None:
    shape = PLACES.get(name[-2:], FLAT)
    x = numbers(3, *shape)
    words = {"input_shape": shape} if api == "keras" else {}
    args = (0.5,) if (api == "keras" and "Spatial" not in name) or "Gaussian" in name else ()
    layer = getattr(bd.k if api == "keras" else bd.layer, name)(*args, **words)
    net = bd.topology.Sequential().add(layer) if api == "keras" else layer
    net.evaluate()
    expected = np.where(x > 0, x, (1 / 8 + 1 / 3) / 2 * x) if name == "RReLU" else x
    np.testing.assert_allclose(net.forward(x), expected, rtol=1e-6)
    net.training()
    assert not np.allclose(net.forward(x), expected)


LEARN = [("core", name) for name in LEARNED] + [
    ("keras", name) for name in ("Dense", "Convolution2D", "BatchNormalization", "Deconvolution2D",
                                 "SeparableConvolution2D", "SReLU", "Highway", "MaxoutDense",
                                 "LocallyConnected2D", "TimeDistributed", "Convolution1D")
]  # fmt: skip


@pytest.mark.parametrize(("api", "name"), LEARN)
def test_a_step_goes_down_the_slope_of_the_formula(bd: Any, api: str, name: str) -> None:
    layer, x, formula = made(bd, api, name)
    layer.forward(x)
    weights = weights_of(layer)
    y = numbers(*formula(x, *weights).shape) ** 2
    net = layer if api == "keras" else bd.layer.Sequential().add(layer)
    bd.optim.Optimizer.create(
        net, (x, y), bd.criterion.MSECriterion(), bd.optim.MaxIteration(1), len(x),
        bd.optim.SGD(learningrate=0.1),
    ).optimize()  # fmt: skip
    for index, (before, after) in enumerate(zip(weights, net.get_weights(), strict=True)):
        for place in {0, before.size // 2, before.size - 1}:

            def loss(step: float, index: int = index, place: int = place) -> Any:
                moved = [w.astype("float64") for w in weights]
                moved[index].ravel()[place] += step
                out = formula(x, *(w.astype("float32") for w in moved))
                return ((out.astype("float64") - y) ** 2).mean()

            slope = (loss(1e-2) - loss(-1e-2)) / 2e-2
            moved = (after - before).ravel()[place] / -0.1
            assert moved == pytest.approx(slope, rel=0.03, abs=2e-4), (index, place)


def test_every_row_is_compared() -> None:
    core = {*POINT, *SHAPES, *LEARNED, *DRAWN["core"]}
    assert {*CORE, *FUNCTIONS, *WEIGHTED, *NORMALIZING} == core | {"Bilinear"}  # it takes a pair
    assert {*KERAS, *KERAS_WEIGHTED} == {*OF_KERAS, *DRAWN["keras"]}


def test_every_method_and_schedule_is_compared() -> None:
    """By name in the other tests of BigDL, where each is worked out."""
    files = Path(__file__).parent.glob("test_bigdl*.py")
    text = "".join(one.read_text(encoding="utf-8") for one in files if one != Path(__file__))
    names = {*ROWS, *(one.__name__ for one in SCHEDULES)}
    assert {name for name in names if not re.search(rf"\b{name}\(", text)} <= {"Default"}


def test_the_default_schedule_divides_by_one_more_each_step(bd: Any) -> None:
    method = bd.optim.SGD(learningrate=0.5, leaningrate_schedule=bd.optim.Default(),
                          learningrate_decay=0.5).native()  # fmt: skip
    assert [method.rate({"step": n}) for n in range(3)] == pytest.approx([0.5, 1 / 3, 0.25])
