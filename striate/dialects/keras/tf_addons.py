"""`tensorflow_addons`: the optimizers, losses and layers of it that networks of pictures use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ..symbolic import lift, tensor
from ..tensor_math import UNARY, floating
from ..tensor_nn import binary_crossentropy


def modules(inner: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the modules by their paths; `inner` are those of Keras."""
    optimizers, layers, losses = inner["optimizers"], inner["layers"], inner["losses"]
    focal = type("SigmoidFocalCrossEntropy", (losses["Loss"],), {
        "__init__": _start(losses["Loss"]), "call": lambda self, y_true, y_pred: focal_crossentropy(
            y_true, y_pred, *self.given)})  # fmt: skip

    def adamw(weight_decay: Any, learning_rate: Any = 0.001, *args: Any, **words: Any) -> Any:
        """Return Adam whose weights shrink by `weight_decay` a step, whatever the rate is."""
        first = learning_rate(0) if callable(learning_rate) else learning_rate
        share = float(weight_decay) / float(first)
        return optimizers["AdamW"](learning_rate, share, *args, **words)

    def instances(**words: Any) -> Any:
        """Return a layer that normalises each channel of each sample alone."""
        return layers["GroupNormalization"](groups=-1, **{"epsilon": 1e-3, **words})

    names: dict[str, Mapping[str, Any]] = {
        "optimizers": {"AdamW": adamw} if "AdamW" in optimizers else {},
        "losses": {"SigmoidFocalCrossEntropy": focal,
                   "sigmoid_focal_crossentropy": lift(focal_crossentropy)},
        "layers": {"GroupNormalization": layers["GroupNormalization"],
                   "InstanceNormalization": instances},
        "metrics": {"F1Score": lambda num_classes=None, average=None, threshold=None, **words: (
            inner["metrics"]["F1Score"](average=average, threshold=threshold, **words))},
        "activations": {"mish": lift(UNARY["mish"]), "gelu": inner["activations"]["gelu"]},
    }  # fmt: skip
    return {"": {"__version__": "0.23.0"}, **names}


def _start(base: Any) -> Any:
    def start(self: Any, from_logits: bool = False, alpha: float = 0.25, gamma: float = 2.0,
              reduction: Any = "none", name: Any = None) -> None:  # fmt: skip
        base.__init__(self, reduction=reduction, name=name)
        self.given = (alpha, gamma, from_logits)

    return start


def focal_crossentropy(y_true: Any, y_pred: Any, alpha: float = 0.25, gamma: float = 2.0,
                       from_logits: bool = False) -> Tensor:  # fmt: skip
    """Return alpha (1 - p_t)^gamma times the entropy, p_t the probability of what is so."""
    said = floating(y_pred)
    true = tensor(y_true).to(said)
    p = said.sigmoid() if from_logits else said
    right = true * p + (1 - true) * (1 - p)
    share = true * alpha + (1 - true) * (1 - alpha)
    return (share * (1 - right) ** gamma * binary_crossentropy(true, said, from_logits)).sum(-1)
