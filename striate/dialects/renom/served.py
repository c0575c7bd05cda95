"""The modules of a ReNom script by their paths, with the names in each."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np

from ..dialect import Modules
from ..session import Session
from . import (
    activations,
    distributor,
    images,
    initializers,
    layers,
    losses,
    normalize,
    optimizers,
    pooling,
    recurrent,
)
from .clipping import GradientClipping
from .functional import FUNCTIONS as LAYERS_AS_FUNCTIONS
from .grads import Grads
from .model import Model, Parametrized
from .node import Node, Variable, precision
from .operations import OPERATIONS
from .searcher import GridSearcher, RandomSearcher, Searcher
from .sequential import Sequential
from .trainer import EVENTS, Trainer, default_event_end_epoch

LAYERS = (
    *(layers.Conv2d, layers.GroupConv2d, layers.Deconv2d, layers.ConvNd, layers.Conv3d),
    *(layers.DeconvNd, layers.Dense, layers.Embedding, layers.Dropout, layers.SpatialDropout),
    *(layers.Flatten, pooling.MaxPool2d, pooling.AveragePool2d, pooling.MaxPoolNd),
    *(pooling.AverageUnPool2d, pooling.AverageUnPoolNd),
    *(pooling.AveragePoolNd, pooling.MaxUnPool2d, pooling.MaxUnPoolNd, normalize.BatchNormalize),
    *(normalize.LayerNormalize, normalize.GroupNormalize, normalize.WeightNormalize),
    *(normalize.L2Norm, normalize.Lrn, recurrent.Lstm, recurrent.PeepholeLstm, recurrent.Gru),
)
LAYER_PATHS = (
    "activation", "convolution", "deconvolution", "dense", "dropout", "flatten", "pool2d",
    "poolnd", "conv2d", "convnd", "conv3d", "batch_normalize", "layer_normalize",
    "group_normalize", "weight_normalize", "lrn", "parameterized", "embedding", "utils",
    "lstm", "gru", "peephole_lstm", "deconv2d", "deconvnd", "unpool2d", "unpoolnd", "group_conv2d",
    "l2_norm", "layernormalization", "weightnormalization",
)  # fmt: skip
ACTIVATION_PATHS = (
    "relu", "relu6", "elu", "leaky_relu", "selu", "sigmoid", "tanh", "softmax", "softplus",
    "softsign", "swish", "mish", "maxout", "hard_sigmoid", "hard_tanh",
)  # fmt: skip
LOSS_PATHS = (
    "softmax_cross_entropy", "sigmoid_cross_entropy", "mean_squared_error", "cross_entropy",
    "clipped_mean_squared_error", "smoothed_l1",
)  # fmt: skip
DISTRIBUTOR_PATHS = ("distributor", "imagedistributor", "imageloader", "threadingdistributor")
OPTIMIZERS = (
    *(optimizers.Sgd, optimizers.ClampedSgd, optimizers.Adagrad, optimizers.Adadelta),
    *(optimizers.Adamax, optimizers.Adam, optimizers.Rmsprop, optimizers.Optimizer),
)
INITIALIZERS = (
    *(initializers.GlorotNormal, initializers.GlorotUniform, initializers.Gaussian),
    *(initializers.Uniform, initializers.Constant, initializers.HeNormal),
    *(initializers.HeUniform, initializers.Orthogonal, initializers.Initializer),
)


NATIVE = {  # what a new program writes for a class
    "Conv2d": "L.Conv2D(filters, kernel_size)", "GroupConv2d": "L.Conv2D(filters, kernel_size)",
    "Deconv2d": "L.Conv2DTranspose(filters, kernel_size)", "Dense": "L.Dense(units)",
    "Conv3d": "L.Conv3D(filters, kernel_size)", "Dropout": "L.Dropout(rate)",
    "SpatialDropout": "L.SpatialDropout2D(rate)", "Flatten": "L.Flatten()",
    "MaxPool2d": "L.MaxPooling2D(pool_size, strides)",
    "AveragePool2d": "L.AveragePooling2D(pool_size, strides)",
    "BatchNormalize": "L.BatchNormalization(axis=1)", "Sequential": "st.Sequential(layers)",
    "LayerNormalize": "L.LayerNormalization()", "GroupNormalize": "L.GroupNormalization(groups)",
    "Sgd": "st.optimizers.SGD(learning_rate, momentum)",
    "Adam": "st.optimizers.Adam(learning_rate)", "Rmsprop": "st.optimizers.RMSprop(learning_rate)",
    "Adagrad": "st.optimizers.Adagrad(learning_rate)",
    "Adadelta": "st.optimizers.Adadelta(learning_rate)",
    "Adamax": "st.optimizers.Adamax(learning_rate)",
    "GlorotNormal": "st.initializers.GlorotNormal()", "HeNormal": "st.initializers.HeNormal()",
}  # fmt: skip
for made in (*LAYERS, *OPTIMIZERS, *INITIALIZERS, Sequential):
    made.title, made.native = "ReNom 2.7", NATIVE.get(made.__name__, "")


def _named(*things: Any) -> dict[str, Any]:
    return {one.__name__: one for one in things}


def set_renom_seed(seed: int = 30, all_devices: bool = False) -> None:
    """Seed NumPy's generator, from which all draws come."""
    np.random.seed(seed)  # noqa: NPY002  that is what a script of ReNom expects


def nothing(*args: Any, **words: Any) -> None:
    """Do nothing."""


def _cuda(session: Session) -> dict[str, Any]:
    def set_cuda_active(activate: bool = True) -> None:
        if activate:
            session.note("renom.cuda: all is computed on the processor")

    return {
        "set_cuda_active": set_cuda_active,
        "is_cuda_active": lambda: False,
        "has_cuda": lambda: False,
        "cuGetDeviceCount": lambda: 0,
        "cuDeviceSynchronize": nothing,
        "release_mem_pool": nothing,
        "queryDeviceProperties": nothing,
        "curand_set_seed": nothing,
        "set_renom_seed": set_renom_seed,
        **dict.fromkeys(("use_cuda", "disable_cuda", "use_device"), lambda *a, **k: nullcontext()),
    }


def modules(session: Session) -> Modules:
    """Return every module by its path."""
    cuda = _cuda(session)
    functions = {**activations.FUNCTIONS, **losses.FUNCTIONS, **LAYERS_AS_FUNCTIONS, **OPERATIONS}
    classes = {**_named(*LAYERS, Model, Sequential, Parametrized), **activations.CLASSES}
    constants = {
        name: getattr(normalize, name)
        for name in ("BATCH_NORMALIZE_ELEMENT", "BATCH_NORMALIZE_FEATUREMAP")
    }
    layer_names = {**classes, **functions, **constants}
    limits = {"max_epochs": session.script.max_epochs, "limit": session.script.limit_samples}
    tools = {"Trainer": type("Trainer", (Trainer,), limits), **_named(default_event_end_epoch)}
    data = _named(distributor.Distributor, distributor.TimeSeriesDistributor,
                  distributor.ImageClassificationDistributor)  # fmt: skip
    data |= dict.fromkeys(("NdarrayDistributor", "GPUDistributor"), distributor.Distributor)
    core = {**_named(Node, Variable, Grads), **OPERATIONS, "precision": precision}
    core |= dict.fromkeys(("DEBUG_NODE_STAT", "DEBUG_GRAPH_INIT", "DEBUG_NODE_GRAPH"), nothing)
    top = {
        **core, **layer_names, **losses.CLASSES, **_named(*OPTIMIZERS),
        "precision": np.float64 if precision().itemsize == 8 else np.float32,
        "set_renom_seed": set_renom_seed, "set_cuda_active": cuda["set_cuda_active"],
        "is_cuda_active": cuda["is_cuda_active"], "__version__": "2.7.0",
    }  # fmt: skip
    inside = "layers.function", "layers.activation", "layers.loss"
    return {
        "renom": top,
        "renom.core": core,
        "renom.operation": {**OPERATIONS},
        "renom.layers": {},
        **{f"renom.{path}": {**layer_names, **losses.CLASSES} for path in inside},
        **{f"renom.layers.function.{path}": layer_names for path in LAYER_PATHS},
        **{f"renom.layers.activation.{path}": layer_names for path in ACTIVATION_PATHS},
        **{f"renom.layers.loss.{path}": {**layer_names, **losses.CLASSES} for path in LOSS_PATHS},
        "renom.optimizer": _named(*OPTIMIZERS),
        "renom.config": {"precision": top["precision"]},
        "renom.cuda": cuda,
        "renom.cuda.cuda": cuda,
        "renom.cuda.base": {},
        "renom.cuda.base.cuda_base": cuda,
        "renom.utility": {},
        "renom_img": {},
        "renom.utility.image": images.NAMES,
        "renom.utility.image.data_augmentation": images.NAMES,
        **{
            f"renom.utility.image.data_augmentation.{path}": images.NAMES
            for path in (*images.CHANGES, "augmentation", "image")
        },
        "renom.utility.initializer": _named(*INITIALIZERS),
        "renom.utility.trainer": {**tools, "EVENTS": EVENTS},
        "renom.utility.gradient_clipping": _named(GradientClipping),
        "renom.utility.searcher": _named(Searcher, GridSearcher, RandomSearcher),
        "renom.utility.distributor": data,
        **{f"renom.utility.distributor.{path}": data for path in DISTRIBUTOR_PATHS},
    }
