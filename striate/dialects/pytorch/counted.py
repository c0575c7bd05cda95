"""thop where it is not installed: multiplications of a network's layers, counted by its rules.

Source: pytorch-OpCounter 0.1.1. What a script's own code computes between layers is not counted
there, nor are the weights that it holds itself.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from .summaries import in_evaluation

Rule = Callable[[Any, Any, Any], Any]
UPSAMPLED = {"nearest": 0, "linear": 5, "bilinear": 11, "bicubic": 259, "trilinear": 31}


def zero_ops(m: Any, x: Any, y: Any) -> float:
    """Return 0: maxima, comparisons and moves are no multiplications."""
    return 0


def count_convNd(m: Any, x: Any, y: Any) -> float:  # noqa: N802  thop's name
    """Return a multiplication for each weight of a window, at each number of the output."""
    return float(y.numel() * (x[0].shape[1] // m.groups) * math.prod(m.weight.shape[2:]))


def count_linear(m: Any, x: Any, y: Any) -> float:
    """Return a multiplication for each weight, in each row."""
    return float(m.in_features * y.numel())


def count_normalization(m: Any, x: Any, y: Any) -> float:
    """Return two for each number, and two for its own scale and shift."""
    own = getattr(m, "affine", False) or getattr(m, "elementwise_affine", False)
    return float(x[0].numel() * (4 if own else 2))


def count_prelu(m: Any, x: Any, y: Any) -> float:
    """Return one for each number, where nothing is trained."""
    return 0.0 if m.training else float(x[0].numel())


def count_softmax(m: Any, x: Any, y: Any) -> float:
    """Return an exponential, a sum and a quotient for each number."""
    features = x[0].shape[m.dim if m.dim is not None else 1]
    return float(x[0].numel() // features * (3 * features - 1))


def count_avgpool(m: Any, x: Any, y: Any) -> float:
    """Return a quotient for each number of the output."""
    return float(y.numel())


def count_adap_avgpool(m: Any, x: Any, y: Any) -> float:
    """Return a window's sums and a quotient for each number of the output."""
    sizes = zip(x[0].shape[2:], y.shape[2:], strict=True)
    return float(y.numel() * (math.prod(given // made for given, made in sizes) + 1))


def count_upsample(m: Any, x: Any, y: Any) -> float:
    """Return what a number between others costs by each way."""
    return float(UPSAMPLED.get(m.mode, 0) * y.numel())


RULES: dict[Rule, Sequence[str]] = {
    count_convNd: ("Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d",
                   "ConvTranspose3d"),
    count_normalization: ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "LayerNorm",
                          "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "SyncBatchNorm"),
    zero_ops: ("ZeroPad2d", "Identity", "ReLU", "ReLU6", "LeakyReLU", "MaxPool1d", "MaxPool2d",
               "MaxPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d",
               "Sequential", "PixelShuffle", "Dropout", "Dropout2d", "Dropout3d"),
    count_linear: ("Linear",), count_prelu: ("PReLU",), count_softmax: ("Softmax",),
    count_avgpool: ("AvgPool1d", "AvgPool2d", "AvgPool3d"),
    count_adap_avgpool: ("AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d"),
    count_upsample: ("Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d"),
}  # fmt: skip
OF_KIND = {getattr(nn, name): rule for rule, names in RULES.items() for name in names}


def profile(model: nn.Module, inputs: Sequence[Any], custom_ops: Mapping[Any, Rule] | None = None,
            verbose: bool = True) -> tuple[float, float]:  # fmt: skip
    """Return the multiplications of one call, and the weights, of the layers that have a rule."""
    rules = {**OF_KIND, **(custom_ops or {})}
    told: set[type] = set()
    ruled = [one for one in model.modules() if type(one) in rules]
    for one in ruled:
        rule = rules[type(one)]
        if type(one) not in told and verbose:
            sys.stdout.write(f"[INFO] Register {rule.__qualname__}() for {type(one)}.\n")
        told.add(type(one))
    handles = [one.register_forward_hook(_adding(rules[type(one)])) for one in ruled]
    for one in ruled:
        one.total_ops = torch.zeros(1, dtype=torch.float64)  # where a script's own rule adds
    try:
        with in_evaluation(model):
            model(*inputs)
        leaves = [one for one in ruled if not isinstance(one, (nn.Sequential, nn.ModuleList))]
        counted = sum(float(cast(Tensor, one.total_ops)) for one in leaves)
    finally:
        for one, handle in zip(ruled, handles, strict=True):
            handle.remove()
            del one.total_ops
    weights = float(sum(part.numel() for one in leaves for part in one.parameters()))
    return counted, weights


def _adding(rule: Rule) -> Callable[..., None]:
    def add(module: Any, given: Any, out: Any) -> None:
        found = rule(module, given, out)
        if found is not None:
            module.total_ops += found

    return add


def clever_format(nums: Any, format: str = "%.2f") -> Any:
    """Return numbers as texts, in thousands (K), millions (M), 1e9 (G) or 1e12 (T)."""
    several = nums if isinstance(nums, (list, tuple)) else [nums]
    steps = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "K"), (1, "B"))
    texts = []
    for one in several:
        step, letter = next((row for row in steps if one > row[0]), steps[-1])
        texts.append(format % (one / step) + letter)
    return tuple(texts) if isinstance(nums, (list, tuple)) else texts[0]


NAMES = {"profile": profile, "clever_format": clever_format}
