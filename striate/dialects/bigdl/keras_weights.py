"""Layers of the Keras-style API that no native layer is, or that take another layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from ... import layers as native
from ...core.layer import Layer
from ...core.spec import Spec
from ...errors import caller
from ..table import DialectError
from . import learned
from .core_functions import FUNCTIONS
from .core_weights import learnt
from .kind import REQUIRED, Kind, Words

Make = Callable[[Words, Spec], Sequence[Layer]]
SHAPE = {"input_shape": None}
PENALTIES = {"W_regularizer": None, "b_regularizer": None}
TH = {"dim_ordering": "th"}


def _act(words: Words) -> Any:
    from .keras_kinds import ACTIVATIONS, looked_up

    return learned.activation(looked_up("activation", words["activation"], ACTIVATIONS))


def _highway(words: Words, x: Spec) -> nn.Module:
    return learned.Highway(int(x.shape[-1] or 0), words["bias"], _act(words))


def _maxout(words: Words, x: Spec) -> nn.Module:
    inputs = int(x.shape[-1] or 0)
    return learned.Maxout(inputs, words["output_dim"], words["nb_feature"], words["bias"])


def _srelu(words: Words, x: Spec) -> nn.Module:
    shared = words["shared_axes"] or ()
    return learned.SReLU([1 if at + 1 in shared else int(n or 0) for at, n in enumerate(x.shape)])


def _local(words: Words, x: Spec) -> nn.Module:
    _valid(words, "dim_ordering", "th")
    kernel = (words["nb_row"], words["nb_col"])
    pads = [(k - 1) // 2 if words["border_mode"] == "same" else 0 for k in kernel]
    return learned.Local(x.shape, words["nb_filter"], kernel, words["subsample"], pads,  # type: ignore[arg-type]
                         words["bias"], _act(words))  # fmt: skip


def _local_1d(words: Words, x: Spec) -> nn.Module:
    _valid(words, "border_mode", "valid")
    steps, channels = (int(n or 0) for n in x.shape)
    kernel, strides = (words["filter_length"], 1), (words["subsample_length"], 1)
    return learned.Turned(learned.Local((channels, steps, 1), words["nb_filter"], kernel, strides,
                                        (0, 0), words["bias"], _act(words), True))  # fmt: skip


def _valid(words: Words, word: str, value: str) -> None:
    if words[word] != value:
        raise DialectError(
            "BigDL 0.7 LocallyConnected",
            f"{word}={words[word]!r} is not done here",
            need=f"{word}={value!r}",
            fix=f"{word}={value!r}",
            at=caller(),
        )


def _distributed(words: Words, x: Spec) -> nn.Module:
    network: Any = words["layer"].native([x.shape[1:]])
    return learned.Steps(network, 2)


def _cropped(words: Words, x: Spec) -> Sequence[Layer]:
    sides = tuple(map(tuple, words["cropping"]))
    return [native.Cropping3D(sides, data_format="channels_first")]


ENDS = {**PENALTIES, "bias": True, **SHAPE}
KERAS_WEIGHTED: dict[str, Kind] = {
    "SReLU": Kind("L.PReLU()", {"t_left_init": "zero", "a_left_init": "glorot_uniform",
                  "t_right_init": "glorot_uniform", "a_right_init": "one", "shared_axes": None,
                  **SHAPE}, learnt(_srelu)),
    "Highway": Kind("L.TorchModule(module)", {"activation": None, **PENALTIES, "bias": True,
                    "input_dim": None, **SHAPE}, learnt(_highway)),
    "MaxoutDense": Kind("L.TorchModule(module)", {"output_dim": REQUIRED, "nb_feature": 4,
                        **PENALTIES, "bias": True, "input_dim": None, **SHAPE}, learnt(_maxout)),
    "LocallyConnected1D": Kind("L.Conv1D(filters, kernel_size)", {
        "nb_filter": REQUIRED, "filter_length": REQUIRED, "activation": None,
        "border_mode": "valid", "subsample_length": 1, **ENDS}, learnt(_local_1d)),
    "LocallyConnected2D": Kind("L.Conv2D(filters, kernel_size)", {
        "nb_filter": REQUIRED, "nb_row": REQUIRED, "nb_col": REQUIRED, "activation": None,
        "border_mode": "valid", "subsample": (1, 1), **TH, **ENDS}, learnt(_local)),
    "TimeDistributed": Kind("L.TorchModule(module)", {"layer": REQUIRED, **SHAPE},
                            learnt(_distributed)),
    "Masking": Kind("L.Lambda(function)", {"mask_value": 0.0, **SHAPE},
                    FUNCTIONS["Masking"].make),
    "ZeroPadding3D": Kind("L.ZeroPadding3D(padding)", {"padding": (1, 1, 1), **TH, **SHAPE},
                          lambda w, x: [native.ZeroPadding3D(
                              tuple(w["padding"]), data_format="channels_first")]),
    "Cropping3D": Kind("L.Cropping3D(cropping)", {
        "cropping": ((1, 1),) * 3, **TH, **SHAPE}, _cropped),
}  # fmt: skip
