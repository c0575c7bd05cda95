"""The modules of BigDL and of Spark by their paths."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ..dialect import Modules
from . import (
    converter,
    features,
    frames,
    frames_zoo,
    image_changes,
    image_colours,
    image_frames,
    mnist,
    news20,
    real_spark,
    variables,
    zoo,
)
from .columns import FUNCTIONS as COLUMN_FUNCTIONS
from .hybrid import with_bigdl_backend
from .initialization import METHODS as INITIALIZATIONS, REGULARIZERS
from .served import (
    LEAKED,
    common_names,
    core_layers,
    criterion_names,
    keras_layers,
    lenet_network,
    named,
    optimizer_names,
    topology_names,
)
from .session import BigdlSession
from .spark import RDD, SparkConf, SparkContext, SparkSession, SQLContext


def _spark() -> dict[str, Any]:
    """Return the modules of the stand-in; none where the real package is installed."""
    if real_spark.installed():
        return {}
    pipelines = {"Pipeline": frames.Pipeline, "PipelineModel": frames.PipelineModel}
    context = named(SparkContext, SparkConf, RDD)
    levels = type("StorageLevel", (), {"MEMORY_ONLY": None, "MEMORY_AND_DISK": None})
    return {
        "pyspark": {**context, "StorageLevel": levels, "__version__": SparkContext.version},
        "pyspark.context": named(SparkContext), "pyspark.conf": named(SparkConf),
        "pyspark.rdd": named(RDD), "pyspark.storagelevel": {"StorageLevel": levels},
        "pyspark.sql": named(SparkSession, SQLContext, frames.DataFrame, frames.Row),
        "pyspark.ml.feature": dict(features.NAMES), "pyspark.ml.linalg": dict(features.VECTORS),
        "pyspark.sql.dataframe": named(frames.DataFrame),
        "pyspark.sql.session": named(SparkSession),
        "pyspark.sql.types": {**frames.TYPES, "Row": frames.Row},
        "pyspark.sql.functions": COLUMN_FUNCTIONS,
        "pyspark.ml": dict(pipelines), "pyspark.ml.pipeline": dict(pipelines),
        "pyspark.ml.evaluation": named(frames.MulticlassClassificationEvaluator),
    }  # fmt: skip


def named_context(context: dict[str, Any]) -> dict[str, Any]:
    """Return the names of a context that its package has as well."""
    return {name: context[name] for name in ("init_nncontext", "init_spark_conf")}


def _context(conf: Any = None, *args: Any, **words: Any) -> Any:
    """Return a context of settings, or of a name."""
    named = LEAKED["SparkConf"]().setAppName(conf) if isinstance(conf, str) else conf
    return LEAKED["SparkContext"].getOrCreate(named)


def written_down(keras_model: Any, path: str) -> None:
    """Write the description of a Keras model, as JSON."""
    Path(path).write_text(keras_model.to_json(), encoding="utf-8")


def modules(session: BigdlSession) -> Modules:
    """Return every module by its path; those of BigDL 0.1 also without the package's name."""
    found = _named(session)
    if session.version.name != "bigdl0":
        return found
    inner = {path.removeprefix("bigdl."): names for path, names in found.items()
             if path.startswith(SHORT)}  # fmt: skip
    return {**inner, **found}


SHORT = tuple(f"bigdl.{name}" for name in ("nn", "optim", "util", "dataset", "models"))
LAYERS = ("advanced_activations", "convolutional", "convolutional_recurrent", "core", "embeddings",
          "local", "noise", "normalization", "pooling", "recurrent", "wrappers")  # fmt: skip


def _named(session: BigdlSession) -> Modules:
    """Return every module by its path."""
    words = ("TRAIN_MEAN", "TRAIN_STD", "TEST_MEAN", "TEST_STD")
    digits = {name: getattr(mnist, name) for name in (*words, "read_data_sets", "load_data")}
    base = named(mnist.maybe_download)
    lenet = named(mnist.get_mnist, mnist.preprocess_mnist, mnist.get_end_trigger,
                   mnist.validate_optimizer)  # fmt: skip
    core, criterions, optimizers = (
        core_layers(session),
        criterion_names(session),
        optimizer_names(session),
    )
    common = common_names(session)
    lenet |= {"mnist": SimpleNamespace(**digits), **named(mnist.normalizer), **optimizers, **common}
    context = {
        **common,
        "init_spark_conf": LEAKED["SparkConf"],
        "init_nncontext": _context,
    }
    return {
        "bigdl.dllib": {},
        "bigdl.dllib.nn": {},
        "bigdl.dllib.optim": {},
        "bigdl.dllib.utils": {},
        "bigdl.dllib.feature": {},
        "bigdl.dllib.feature.dataset": {},
        "bigdl.dllib.nn.layer": {**core, **REGULARIZERS, **INITIALIZATIONS, **LEAKED},
        "bigdl.dllib.nn.criterion": criterions,
        "bigdl.dllib.nn.initialization_method": {**INITIALIZATIONS, **LEAKED},
        "bigdl.dllib.optim.optimizer": optimizers,
        "bigdl.dllib.utils.common": common,
        "bigdl.dllib.nncontext": context,
        "bigdl.dllib.feature.dataset.mnist": digits,
        "zoo": {**named_context(context)},
        "zoo.pipeline": {},
        "zoo.pipeline.api": {},
        "zoo.pipeline.api.keras": {},
        "zoo.pipeline.api.keras.layers": keras_layers(session),
        **{f"zoo.pipeline.api.keras.layers.{one}": keras_layers(session) for one in LAYERS},
        "zoo.orca": {
            "init_orca_context": context["init_nncontext"],
            "stop_orca_context": lambda: None,
        },
        "zoo.pipeline.api.keras.models": {**optimizers, **zoo.topology(session), **LEAKED},
        "zoo.pipeline.api.keras.engine": {},
        "zoo.pipeline.api.keras.engine.topology": {
            **keras_layers(session),
            **zoo.topology(session),
        },
        "zoo.pipeline.api.autograd": {**variables.names(session), **LEAKED},
        "zoo.pipeline.nnframes": {**frames_zoo.names(session), **LEAKED},
        "zoo.pipeline.nnframes.nn_classifier": {**frames_zoo.names(session), **LEAKED},
        "zoo.pipeline.nnframes.nn_image_reader": named(frames_zoo.NNImageReader),
        "zoo.feature": {},
        "zoo.feature.common": {**named(*frames_zoo.STEPS), **LEAKED},
        "zoo.feature.image": frames_zoo.pictures(),
        "zoo.feature.image.imagePreprocessing": frames_zoo.pictures(),
        "zoo.pipeline.api.keras.objectives": zoo.objectives(session),
        "zoo.pipeline.api.keras.metrics": zoo.metrics(),
        "zoo.pipeline.api.keras.optimizers": zoo.optimizers(session),
        "zoo.common": {},
        "zoo.common.nncontext": context,
        "bigdl.keras": {},
        "bigdl.keras.backend": {
            **named(with_bigdl_backend),
            "use_bigdl_backend": with_bigdl_backend,
            **LEAKED,
        },
        "bigdl.dlframes": {},
        "bigdl.dlframes.dl_classifier": {**frames.estimators(session), **LEAKED},
        "bigdl.dlframes.dl_image_reader": {**named(image_frames.DLImageReader), **LEAKED},
        "bigdl.dlframes.dl_image_transformer": {
            **named(image_frames.DLImageTransformer),
            **LEAKED,
        },
        "bigdl.transform": {},
        "bigdl.transform.vision": {},
        "bigdl.transform.vision.image": {
            **image_changes.NAMES,
            **image_colours.NAMES,
            **image_frames.NAMES,
            **LEAKED,
        },
        "bigdl.keras.converter": converter.names(session),
        "bigdl.keras.optimization": {"OptimConverter": converter.OptimConverter},
        "bigdl.dataset.news20": {
            **named(news20.get_news20, news20.get_glove_w2v),
            "CLASS_NUM": news20.CLASS_NUM,
            **LEAKED,
        },
        "bigdl.models.lenet.lenet5": {
            "build_model": lambda class_num: lenet_network(core, class_num),
            **lenet,
            **LEAKED,
        },
        "bigdl": {"__version__": "0.7.0"},
        "bigdl.nn": {},
        "bigdl.nn.layer": {**core, **REGULARIZERS, **INITIALIZATIONS, **LEAKED},
        "bigdl.nn.criterion": criterions,
        "bigdl.nn.initialization_method": {**INITIALIZATIONS, **LEAKED},
        "bigdl.nn.keras": {},
        "bigdl.nn.keras.layer": keras_layers(session),
        "bigdl.nn.keras.topology": topology_names(session),
        "bigdl.optim": {},
        "bigdl.optim.optimizer": optimizers,
        "bigdl.util": {},
        "bigdl.util.common": common,
        "bigdl.version": {"__version__": "0.7.0"},
        "bigdl.models.ml_pipeline": {},
        "bigdl.models.ml_pipeline.dl_classifier": {**frames.estimators(session), **LEAKED},
        "bigdl.examples": {},
        "bigdl.examples.keras": {},
        "bigdl.examples.keras.keras_utils": {**common, "save_keras_definition": written_down},
        "bigdl.util.engine": {"prepare_env": lambda *a, **w: None},
        "bigdl.dataset": {},
        "bigdl.dataset.mnist": {**digits, **LEAKED},
        "bigdl.dataset.base": {**base, **LEAKED},
        "bigdl.dataset.transformer": {**named(mnist.normalizer), **LEAKED},
        "bigdl.models": {},
        "bigdl.models.lenet": {},
        "bigdl.models.lenet.utils": {**lenet, **LEAKED},
        **_spark(),
    }
