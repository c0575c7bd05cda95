"""The table of the core API's layers that have weights of their own kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn

from ... import layers as native
from ...core.layer import Layer
from ...core.spec import Spec
from . import learned
from .core import INIT, REGULAR, weighted
from .kind import REQUIRED, Kind, Words

Make = Callable[[Words, Spec], Sequence[Layer]]


def learnt(act: Callable[[Words, Spec], nn.Module]) -> Make:
    """Return what makes a layer of a torch module, with penalties on its weights."""

    def make(words: Words, x: Spec) -> Sequence[Layer]:
        return [learned.layer(act(words, x), words)]

    return make


def _size(given: Any) -> tuple[int, ...]:
    return tuple(given) if isinstance(given, (list, tuple)) else (int(given),)


def _sized(name: str) -> Callable[[Words], Spec | None]:
    """Return the spec of samples of the size that a word says."""
    return lambda words: Spec(_size(words[name]))


def _filled(*names: str) -> Callable[[Words], Spec | None]:
    """Return the spec of samples whose sizes are these words: as many cells as a window has."""
    return lambda words: Spec(tuple(int(words[name]) for name in names))


def _starts(*names: str) -> Callable[[Words], Spec | None]:
    """Return the spec of a vector whose length is the first of these words."""
    return lambda words: Spec((words[names[0]],))


def _activated(given: Any) -> Any:
    """Return the function of an activation that is given as a layer of BigDL, or by name."""
    kind = getattr(given, "kind", given)
    return learned.activation(kind.lower() if isinstance(kind, str) else kind)


def _local(words: Words, x: Spec) -> nn.Module:
    kernel, strides = (words["kernel_h"], words["kernel_w"]), (words["stride_h"], words["stride_w"])
    pads = (words["pad_h"], words["pad_w"])
    return learned.Local(x.shape, words["n_output_plane"], kernel, strides, pads, True)  # type: ignore[arg-type]


def _local_1d(words: Words, x: Spec) -> nn.Module:
    steps, channels = x.shape
    shape = (int(channels or 0), int(steps or 0), 1)
    kernel, strides = (words["kernel_w"], 1), (words["stride_w"], 1)
    return learned.Turned(
        learned.Local(shape, words["output_frame_size"], kernel, strides, (0, 0), True)
    )


def _bottle(words: Words, x: Spec) -> nn.Module:
    inner = words["n_input_dim"] - 1  # axes of one sample of the module
    shape = x.shape[len(x.shape) - inner :] if inner else ()
    network: Any = words["module"].native([shape])
    return learned.Steps(network, len(x.shape) - inner + 1)


def _similar(cosine: bool) -> Callable[[Words, Spec], nn.Module]:
    return lambda words, x: learned.Similar(words["input_size"], words["output_size"], cosine)


def _separable(words: Words, x: Spec) -> nn.Module:
    channels, times = words["n_input_channel"], words["depth_multiplier"]
    kernel, strides = (words["kernel_h"], words["kernel_w"]), (words["stride_h"], words["stride_w"])
    pads = (words["pad_h"], words["pad_w"])
    return nn.Sequential(
        nn.Conv2d(channels, channels * times, kernel, strides, pads, groups=channels, bias=False),
        nn.Conv2d(channels * times, words["n_output_channel"], 1, bias=words["with_bias"]),
    )


def _temporal(words: Words, x: Spec) -> Sequence[Layer]:
    kernel = (words["kernel_w"],)
    given = {"wRegularizer": words["weight_regularizer"],
             "bRegularizer": words["bias_regularizer"]}  # fmt: skip
    made = weighted(given, words["input_frame_size"] * words["kernel_w"])
    return [native.Conv1D(words["output_frame_size"], kernel, words["stride_w"],
                          data_format="channels_last", **made)]  # fmt: skip


def _volumes(kind: Any, *names: str) -> Make:
    sides = ("t", "h", "w")

    def make(words: Words, x: Spec) -> Sequence[Layer]:
        kernel, strides, pads = (
            tuple(words[f"{word}_{side}"] for side in sides) for word in ("k", "d", "pad")
        )
        given = [words[name] for name in names]
        more = {"bias": words["with_bias"]} if names else {}
        return [learned.layer(kind(*given, kernel, strides, pads, **more), words)]

    return make


CELLS: Mapping[str, Any] = {f"{word}_{side}": REQUIRED for word in "kd" for side in "twh"}
PADS: Mapping[str, Any] = {f"pad_{side}": 0 for side in "twh"}
KERNEL: Mapping[str, Any] = {**{f"k_{side}": REQUIRED for side in "twh"},
                             **{f"d_{side}": 1 for side in "twh"}, **PADS}  # fmt: skip
VOLUME = _filled("n_input_plane", "k_t", "k_h", "k_w")
MORE = {**REGULAR, **INIT}
WEIGHTED: dict[str, Kind] = {
    "CMul": Kind("L.TorchModule(module)", {"size": REQUIRED, "wRegularizer": None, "init_weight":
                 None, "init_grad_weight": None},
                 learnt(lambda w, x: learned.Scaled(_size(w["size"]), True, False)),
                 _sized("size")),
    "CAdd": Kind("L.TorchModule(module)", {"size": REQUIRED, "bRegularizer": None, "init_bias":
                 None, "init_grad_bias": None},
                 learnt(lambda w, x: learned.Scaled(_size(w["size"]), False, True)),
                 _sized("size")),
    "Scale": Kind("L.TorchModule(module)", {"size": REQUIRED},
                  learnt(lambda w, x: learned.Scaled(_size(w["size"]), True, True)),
                  _sized("size")),
    "Mul": Kind("L.Rescaling(scale)", {}, learnt(lambda w, x: learned.Scaled((1,), True, False)),
                lambda w: Spec((1,))),
    "Add": Kind("L.TorchModule(module)", {"input_size": REQUIRED, "init_bias": None,
                "init_grad_bias": None},
                learnt(lambda w, x: learned.Scaled(_size(w["input_size"]), False, True)),
                _sized("input_size")),
    "SReLU": Kind("L.PReLU()", {"input_shape": REQUIRED, "shared_axes": None},
                  learnt(lambda w, x: learned.SReLU(
                      tuple(1 if at + 1 in (w["shared_axes"] or ()) else n
                            for at, n in enumerate(_size(w["input_shape"]))))),
                  _sized("input_shape")),
    "Highway": Kind("L.TorchModule(module)", {"size": REQUIRED, "with_bias": True,
                    "activation": None, **REGULAR},
                    learnt(lambda w, x: learned.Highway(
                        w["size"], w["with_bias"], _activated(w["activation"]))),
                    _starts("size"), 1),
    "Maxout": Kind("L.TorchModule(module)", {"input_size": REQUIRED, "output_size": REQUIRED,
                   "maxout_number": REQUIRED, "with_bias": True, **REGULAR, "init_weight": None,
                   "init_bias": None},
                   learnt(lambda w, x: learned.Maxout(
                       w["input_size"], w["output_size"], w["maxout_number"], w["with_bias"])),
                   _starts("input_size"), 1),
    **{name: Kind("L.TorchModule(module)", {"input_size": REQUIRED, "output_size": REQUIRED,
                  "fast_backward": True, "init_weight": None, "init_grad_weight": None},
                  learnt(_similar(name == "Cosine")), _starts("input_size"), 1)
       for name in ("Cosine", "Euclidean")},
    "LocallyConnected1D": Kind("L.Conv1D(filters, kernel_size)", {
        "n_input_frame": REQUIRED, "input_frame_size": REQUIRED, "output_frame_size": REQUIRED,
        "kernel_w": REQUIRED, "stride_w": 1, "propagate_back": True, "weight_regularizer": None,
        "bias_regularizer": None, **INIT}, learnt(_local_1d),
        lambda w: Spec((w["n_input_frame"], w["input_frame_size"])), 2),
    "LocallyConnected2D": Kind("L.Conv2D(filters, kernel_size)", {
        "n_input_plane": REQUIRED, "input_width": REQUIRED, "input_height": REQUIRED,
        "n_output_plane": REQUIRED, "kernel_w": REQUIRED, "kernel_h": REQUIRED, "stride_w": 1,
        "stride_h": 1, "pad_w": 0, "pad_h": 0, "propagate_back": True, **MORE, "with_bias": True,
        "data_format": "NCHW"}, learnt(_local),
        lambda w: Spec((w["n_input_plane"], w["input_height"], w["input_width"])), 3),
    "Bottle": Kind("L.TorchModule(module)", {"module": REQUIRED, "n_input_dim": 2,
                   "n_output_dim1": None}, learnt(_bottle)),
    "SpatialSeparableConvolution": Kind("L.SeparableConv2D(filters, kernel_size)", {
        "n_input_channel": REQUIRED, "n_output_channel": REQUIRED, "depth_multiplier": REQUIRED,
        "kernel_w": REQUIRED, "kernel_h": REQUIRED, "stride_w": 1, "stride_h": 1, "pad_w": 0,
        "pad_h": 0, "with_bias": True, "data_format": "NCHW"}, learnt(_separable),
        _filled("n_input_channel", "kernel_h", "kernel_w"), 3),
    "TemporalConvolution": Kind("L.Conv1D(filters, kernel_size)", {
        "input_frame_size": REQUIRED, "output_frame_size": REQUIRED, "kernel_w": REQUIRED,
        "stride_w": 1, "propagate_back": True, "weight_regularizer": None,
        "bias_regularizer": None, **INIT}, _temporal, _filled("kernel_w", "input_frame_size"), 2),
    "VolumetricConvolution": Kind("L.Conv3D(filters, kernel_size)", {
        "n_input_plane": REQUIRED, "n_output_plane": REQUIRED, **KERNEL, "with_bias": True,
        **MORE}, _volumes(nn.Conv3d, "n_input_plane", "n_output_plane"), VOLUME, 4),
    "VolumetricFullConvolution": Kind("L.Conv3DTranspose(filters, kernel_size)", {
        "n_input_plane": REQUIRED, "n_output_plane": REQUIRED, **KERNEL, "with_bias": True,
        **MORE}, _volumes(nn.ConvTranspose3d, "n_input_plane", "n_output_plane"), VOLUME, 4),
    "VolumetricMaxPooling": Kind("L.MaxPooling3D(pool_size)", {**CELLS, **PADS},
                                 _volumes(nn.MaxPool3d), rank=4),
    "VolumetricAveragePooling": Kind("L.AveragePooling3D(pool_size)", {
        **CELLS, **PADS, "count_include_pad": True, "ceil_mode": False},
        _volumes(nn.AvgPool3d), rank=4),
    "SpatialWithinChannelLRN": Kind("L.TorchModule(module)", {"size": 5, "alpha": 1.0,
                                    "beta": 0.75},
                                    learnt(lambda w, x: learned.Neighbours(
                                        w["size"], w["alpha"], w["beta"])), rank=3),
}  # fmt: skip
