"""The modules of a Keras script, by the paths of all versions, with the names in each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...layers import Resizing
from . import (
    applications as keras_applications,
    backend as keras_backend,
    beside as keras_beside,
    callbacks as keras_callbacks,
    datasets as keras_datasets,
    files as keras_files,
    graph as keras_graph,
    images as keras_images,
    layers as keras_layers,
    losses as keras_losses,
    metrics as keras_metrics,
    models as keras_models,
    newer,
    ops as keras_ops,
    optimizers as keras_optimizers,
    star_imports,
    tensorflow,
    texts as keras_texts,
    tf_addons,
    tf_datasets,
    tf_layers,
    tf_settings,
    utils as keras_utils,
    words as keras_words,
    wrappers as keras_wrappers,
)
from .callback_list import CallbackList
from .session import KerasSession

Modules = dict[str, Mapping[str, Any]]


def modules(session: KerasSession) -> Mapping[str, Mapping[str, Any]]:
    """Return every module by its path: below `keras`, and below `tensorflow.keras`."""
    inner = _inner(session)
    top = _top(session, inner)
    made = {**_below("keras", top, inner), **_below("tensorflow.keras", top, inner)}
    made |= {**_below("keras.api", top, inner), **_below("keras._tf_keras.keras", top, inner)}
    made |= {f"keras.src.{path}": names for path, names in inner.items() if path[:3] != "src"}
    made |= {f"keras.src.optimizers.{name.lower()}": {name: made_by} for name, made_by in
             inner["optimizers"].items() if name[:1].isupper()}  # fmt: skip
    for path in (
        "tensorflow.python.keras",
        "tensorflow.contrib.keras",
        "tf_keras",
        "keras_core",
        "tensorflow.compat.v1.keras",
    ):
        made |= _below(path, top, inner)
    for path, names in tensorflow.modules(session).items():
        made[f"tensorflow.{path}".rstrip(".")] = names
    for path in ("losses", "metrics", "optimizers", "initializers"):
        made[f"tensorflow.{path}"] = inner[path]
    for path in ("layers", "compat.v1.layers"):
        made[f"tensorflow.{path}"] = tf_layers.names(inner["layers"])
    first = inner["initializers"]
    made["tensorflow"] = {**made["tensorflow"], **{
        f"{word}_initializer": first[name] for word, name in (
            ("random_normal", "RandomNormal"), ("random_uniform", "RandomUniform"),
            ("truncated_normal", "TruncatedNormal"), ("zeros", "Zeros"), ("ones", "Ones"),
            ("constant", "Constant"), ("glorot_uniform", "GlorotUniform"))
    }}  # fmt: skip
    made["tensorflow.contrib"] = {}
    made["tensorflow.experimental"] = {}
    made["tensorflow.experimental.numpy"] = {
        **inner["ops"],
        "experimental_enable_numpy_behavior": tf_settings.nothing,
    }
    for path, names in tf_addons.modules(inner).items():
        made[f"tensorflow_addons.{path}".rstrip(".")] = names
    made["tensorflow_datasets"] = tf_datasets.NAMES
    return {**made, **keras_beside.packages(inner)}


def _top(session: KerasSession, inner: Modules) -> Mapping[str, Any]:
    version = "2.15.0" if session.version.name == "tf" else session.version.number
    return {
        "Model": inner["models"]["Model"], "Sequential": inner["models"]["Sequential"],
        "Input": inner["layers"]["Input"], "Layer": inner["layers"]["Layer"],
        "Function": inner["models"]["Model"], "Variable": newer.Variable,
        "__version__": version, **newer.top(inner),
    }  # fmt: skip


def _inner(session: KerasSession) -> Modules:
    families, models = keras_layers.families(session), keras_models.names(session)
    layers = families.pop("")
    layers = {**layers, **keras_graph.older(session, layers)}
    utils, images = keras_utils.names(session), keras_images.names(session)
    losses = {**keras_losses.loss_functions(session), **keras_losses.loss_classes()}
    metrics = {**keras_losses.loss_functions(session), **keras_metrics.metric_functions(session),
               **keras_metrics.metric_classes(session)}  # fmt: skip
    metrics = keras_metrics.of_batches(metrics) if session.version.old else metrics
    backend, engine = keras_backend.names(session), {**models, **layers}
    first = keras_words.initializer_names(session)
    activations = keras_words.activation_names(session)
    optimizers = keras_optimizers.names(session)
    callbacks = {**keras_callbacks.names(session), "CallbackList": CallbackList}
    limits, penalties = keras_words.limits(), keras_words.penalties()
    made: Modules = {
        "layers": layers, **{f"layers.{path}": layers for path in families},
        "layers.experimental": {**layers, "SyncBatchNormalization": layers["BatchNormalization"]},
        "layers.experimental.preprocessing": {**layers, "PreprocessingLayer": layers["Layer"]},
        "layers.normalization.batch_normalization": layers,
        "models": {**models, "Layer": layers["Layer"], **keras_graph.names(session, layers)},
        "layers.containers": {"Sequential": models["Sequential"],
                              **keras_graph.names(session, layers)},
        "engine": engine, "engine.topology": engine, "engine.training": engine,
        "engine.base_layer": engine, "engine.input_layer": engine, "engine.network": engine,
        "legacy": {}, "legacy.layers": {**layers}, "legacy.interfaces": {
            "legacy_get_updates_support": lambda function: function},
        "optimizers": optimizers, "optimizers.schedules": keras_optimizers.schedule_names(),
        "optimizers.legacy": optimizers, "losses": losses, "objectives": losses,
        "metrics": metrics, "regularizers": penalties, "constraints": limits,
        "initializers": first, "initializations": keras_words.initializations(session),
        "activations": activations, "callbacks": callbacks, "backend": backend,
        "backend.common": backend, "backend.tensorflow_backend": backend,
        "utils": utils, "utils.np_utils": utils, "utils.generic_utils": utils,
        "utils.vis_utils": utils, "utils.visualize_util": utils, "utils.layer_utils": utils,
        "utils.io_utils": utils, "utils.data_utils": utils, "utils.training_utils": utils,
        "utils.multi_gpu_utils": utils,
        "preprocessing": {name: utils[name] for name in (
            "image_dataset_from_directory", "text_dataset_from_directory",
            "timeseries_dataset_from_array")},
        "preprocessing.sequence": keras_texts.SEQUENCE, "preprocessing.text": keras_texts.TEXT,
        "preprocessing.image": {
            **images, "image_dataset_from_directory": utils["image_dataset_from_directory"],
            "smart_resize": lambda x, size, **words: Resizing(*size)(x),
        },
        "datasets": {}, **keras_datasets.modules(session),
        "applications": {}, **keras_applications.modules(session),
        "wrappers": keras_wrappers.NEW, "wrappers.scikit_learn": keras_wrappers.names(),
        "ops": keras_ops.names(session), "ops.nn": keras_ops.names(session),
        "ops.linalg": keras_ops.names(session), "ops.numpy": keras_ops.names(session),
        "tree": keras_beside.TREE, "ops.image": keras_ops.image_names(),
        "random": keras_ops.random_names(),
        "saving": {**models, **utils, **keras_files.FUNCTIONS},
        "config": keras_ops.config_names(session), "distribution": keras_ops.DISTRIBUTION,
        "mixed_precision": keras_ops.precision_names(session),
        "src": {}, "src.legacy": {}, "src.legacy.preprocessing": {},
        "src.legacy.preprocessing.image": images,
        "legacy.preprocessing": {}, "legacy.preprocessing.image": images,
    }  # fmt: skip
    session.functions |= {**keras_ops.image_names(), **keras_ops.names(session)}
    made |= newer.modules(made)
    made |= star_imports.brought(session, made)
    return {**made, **keras_beside.within(session, made)}


def _below(
    root: str, top: Mapping[str, Any], inner: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    return {root: top, **{f"{root}.{path}": content for path, content in inner.items()}}
