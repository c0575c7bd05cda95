"""The table of the core API's layers that have weights of their own kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn

from ... import layers as native
from ...core.layer import Layer
from ...core.spec import Spec
from . import learned
from .core import INIT, REGULAR, padding_of, regularizer, weighted
from .kind import REQUIRED, Kind, Words
from .pooling import FIRST, layout_of

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


class Bilinear(nn.Bilinear):
    """The products of two vectors, weighed for each output; drawn as Torch 7 draws."""

    def reset_parameters(self) -> None:
        """Draw."""
        for weight in self.parameters():
            nn.init.uniform_(weight, -(self.in1_features**-0.5), self.in1_features**-0.5)


def _local(words: Words, x: Spec) -> Sequence[Layer]:
    kernel, strides = (words["kernel_h"], words["kernel_w"]), (words["stride_h"], words["stride_w"])
    first = layout_of(words) == FIRST
    shape = x.shape if first else (x.shape[-1], *x.shape[:-1])
    made = learned.layer(learned.Local(
        shape, words["n_output_plane"], kernel, strides, (words["pad_h"], words["pad_w"]),  # type: ignore[arg-type]
        words["with_bias"], frames=not first), words)  # fmt: skip
    return [made] if first else [native.Permute((3, 1, 2)), made, native.Permute((2, 3, 1))]


def _local_start(words: Words) -> Spec | None:
    channels, *sides = (words[word] for word in ("n_input_plane", "input_height", "input_width"))
    return Spec((channels, *sides) if layout_of(words) == FIRST else (*sides, channels))


def _local_1d(words: Words, x: Spec) -> nn.Module:
    steps, channels = x.shape
    shape = (int(channels or 0), int(steps or 0), 1)
    kernel, strides = (words["kernel_w"], 1), (words["stride_w"], 1)
    return learned.Turned(
        learned.Local(shape, words["output_frame_size"], kernel, strides, (0, 0), True, frames=True)
    )


def _bottle(words: Words, x: Spec) -> nn.Module:
    inner = words["n_input_dim"] - 1  # axes of one sample of the module
    shape = x.shape[len(x.shape) - inner :] if inner else ()
    network: Any = words["module"].native([shape])
    return learned.Steps(network, len(x.shape) - inner + 1)


def _similar(cosine: bool) -> Callable[[Words, Spec], nn.Module]:
    return lambda words, x: learned.Similar(words["input_size"], words["output_size"], cosine)


def _separable(words: Words, x: Spec) -> Sequence[Layer]:
    kernel, strides = (words["kernel_h"], words["kernel_w"]), (words["stride_h"], words["stride_w"])
    return [native.SeparableConv2D(
        words["n_output_channel"], kernel, strides, padding_of(words),
        depth_multiplier=words["depth_multiplier"], use_bias=words["with_bias"],
        data_format=layout_of(words), depthwise_regularizer=regularizer(words["w_regularizer"]),
        pointwise_regularizer=regularizer(words["p_regularizer"]),
        bias_regularizer=regularizer(words["b_regularizer"]),
    )]  # fmt: skip


def _separable_start(words: Words) -> Spec | None:
    cells = (words["kernel_h"], words["kernel_w"])
    if layout_of(words) == FIRST:
        return Spec((words["n_input_channel"], *cells), "float32", FIRST)
    return Spec((*cells, words["n_input_channel"]))


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


def _full(words: Words, x: Spec) -> Sequence[Layer]:
    kernel, strides = ([words[f"{word}{side}"] for side in "thw"] for word in "kd")
    return [learned.full_convolution(nn.ConvTranspose3d, words, kernel, strides, "thw")]


def _average_volumes(words: Words, x: Spec) -> Sequence[Layer]:
    kernel, strides, pads = (
        tuple(words[f"{word}_{side}"] for side in "thw") for word in ("k", "d", "pad")
    )
    ends = words["ceil_mode"], words["count_include_pad"]
    return [native.TorchModule(nn.AvgPool3d(kernel, strides, pads, *ends))]


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
    "SReLU": Kind("L.PReLU()", {"input_shape": REQUIRED, "share_axes": None},
                  learnt(lambda w, x: learned.SReLU(
                      tuple(1 if at + 1 in (w["share_axes"] or ()) else n
                            for at, n in enumerate(_size(w["input_shape"]))))),
                  _sized("input_shape")),
    "Highway": Kind("L.TorchModule(module)", {"size": REQUIRED, "with_bias": True,
                    "activation": None, **REGULAR},
                    learnt(lambda w, x: learned.Highway(
                        w["size"], w["with_bias"], _activated(w["activation"]))),
                    _starts("size"), 1),
    "Maxout": Kind("L.TorchModule(module)", {"input_size": REQUIRED, "output_size": REQUIRED,
                   "maxout_number": REQUIRED, "with_bias": True, "w_regularizer": None,
                   "b_regularizer": None, "init_weight": None,
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
        "data_format": "NCHW"}, _local, _local_start, 3),
    "Bilinear": Kind("L.TorchModule(torch.nn.Bilinear(n1, n2, n3))", {
        "input_size1": REQUIRED, "input_size2": REQUIRED, "output_size": REQUIRED,
        "bias_res": True, **REGULAR}, learnt(lambda w, x: Bilinear(
            w["input_size1"], w["input_size2"], w["output_size"], w["bias_res"])),
        lambda w: (Spec((w["input_size1"],)), Spec((w["input_size2"],)))),
    "Bottle": Kind("L.TorchModule(module)", {"module": REQUIRED, "n_input_dim": 2,
                   "n_output_dim1": None}, learnt(_bottle)),
    "SpatialSeparableConvolution": Kind("L.SeparableConv2D(filters, kernel_size)", {
        "n_input_channel": REQUIRED, "n_output_channel": REQUIRED, "depth_multiplier": REQUIRED,
        "kernel_w": REQUIRED, "kernel_h": REQUIRED, "stride_w": 1, "stride_h": 1, "pad_w": 0,
        "pad_h": 0, "with_bias": True, "data_format": "NCHW", "w_regularizer": None,
        "b_regularizer": None, "p_regularizer": None}, _separable, _separable_start, 3),
    "TemporalConvolution": Kind("L.Conv1D(filters, kernel_size)", {
        "input_frame_size": REQUIRED, "output_frame_size": REQUIRED, "kernel_w": REQUIRED,
        "stride_w": 1, "propagate_back": True, "weight_regularizer": None,
        "bias_regularizer": None, **INIT}, _temporal, _filled("kernel_w", "input_frame_size"), 2),
    "VolumetricConvolution": Kind("L.Conv3D(filters, kernel_size)", {
        "n_input_plane": REQUIRED, "n_output_plane": REQUIRED, **KERNEL, "with_bias": True,
        **MORE}, _volumes(nn.Conv3d, "n_input_plane", "n_output_plane"), VOLUME, 4),
    "VolumetricFullConvolution": Kind("L.Conv3DTranspose(filters, kernel_size)", {
        "n_input_plane": REQUIRED, "n_output_plane": REQUIRED,
        **dict.fromkeys(("kt", "kw", "kh"), REQUIRED), **dict.fromkeys(("dt", "dw", "dh"), 1),
        **PADS, **dict.fromkeys(("adj_t", "adj_w", "adj_h"), 0), "n_group": 1, "no_bias": False,
        **MORE}, _full, _filled("n_input_plane", "kt", "kh", "kw"), 4),
    "VolumetricMaxPooling": Kind("L.MaxPooling3D(pool_size)", {**CELLS, **PADS},
                                 _volumes(nn.MaxPool3d), rank=4),
    "VolumetricAveragePooling": Kind("L.AveragePooling3D(pool_size)", {
        **CELLS, **PADS, "count_include_pad": True, "ceil_mode": False},
        _average_volumes, rank=4),
    "SpatialWithinChannelLRN": Kind("L.TorchModule(module)", {"size": 5, "alpha": 1.0,
                                    "beta": 0.75},
                                    learnt(lambda w, x: learned.Neighbours(
                                        w["size"], w["alpha"], w["beta"])), rank=3),
}  # fmt: skip
