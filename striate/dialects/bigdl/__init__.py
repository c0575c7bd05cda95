"""BigDL 0.x as a dialect: its version, its words, and where its modules are."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence

from ..dialect import Modules, Patch
from ..session import Script, Version
from . import real_spark
from .session import BigdlSession

NAME, DEFAULT, HIDES = "bigdl", "bigdl", True
VERSIONS = {"bigdl": Version("bigdl", "BigDL 0.7"), "bigdl0": Version("bigdl0", "BigDL 0.1")}
ROOTS = ("bigdl", "zoo", "nn.layer optim.optimizer")  # BigDL 0.1 is on the path without its name
CLUES = (("import", "bigdl", "bigdl"), ("import", "zoo", "bigdl"),
         ("import", "nn.layer", "bigdl0"))  # fmt: skip
_KERAS = (
    "the Keras-style API of BigDL 0.x: bigdl.nn.keras.topology and bigdl.nn.keras.layer, whose "
    "classes count from 1; or a script of Keras itself"
)
REFUSED: dict[str, str] = {
    "callBigDlFunc": "Striate's own verbs: there is no JVM behind this dialect",
    "SpatialConvolutionMap": "SpatialConvolution, with n_group for parts of the planes",
    "Nms": "networks that give one class to an image: there are no detectors",
    "RoiPooling": "networks that give one class to an image: there are no detectors",
    "bigdl.dllib.keras": _KERAS,
    "bigdl.orca": _KERAS,
    **dict.fromkeys(
        (
            "zoo.pipeline.api.net",
            "zoo.pipeline.inference",
            "zoo.pipeline.estimator",
            "zoo.feature.text",
            "zoo.feature.image3d",
            "zoo.models",
            "zoo.tfpark",
            "zoo.zouwu",
            "zoo.automl",
        ),
        "zoo.pipeline.api.keras on arrays or an RDD of samples; of images, ImageFrame of "
        "bigdl.transform.vision.image",
    ),
    **dict.fromkeys(
        (
            "pyspark.ml.classification",
            "pyspark.ml.regression",
            "pyspark.ml.tuning",
            "pyspark.ml.stat",
            "pyspark.ml.param",
            "pyspark.mllib",
            "pyspark.streaming",
        ),
        "pip install pyspark, which is used where it is installed: the stand-in has no such part",
    ),
    "bigdl.contrib": "Model.load_keras(json_path, hdf5_path): files of ONNX are not read here",
    "bigdl.models.inception": "the network's lines in the script: it is not here ready-made",
    "bigdl.dataset.movielens": "networks that give one class to an image, with data of your own",
    "sentence": "a text that the script itself takes apart",
    **dict.fromkeys(("zoo.orca.learn", "zoo.orca.data", "zoo.orca.automl"), _KERAS),
    "SeqFileFolder": "ImageFrame.read(folder) of picture files",
    **dict.fromkeys(
        ("RoiProject", "RoiHFlip", "RoiResize", "RoiNormalize", "RandomSampler", "DetectionCrop"),
        "networks that give one class to an image: there are no detectors",
    ),
    **dict.fromkeys(
        (
            "RoiAlign",
            "Pooler",
            "FPN",
            "PriorBox",
            "Proposal",
            "DetectionOutputSSD",
            "DetectionOutputFrcnn",
            "MeanAveragePrecisionObjectDetection",
        ),
        "networks that give one class to an image: there are no detectors",
    ),
    **dict.fromkeys(
        (
            "Transformer",
            "Attention",
            "FeedForwardNetwork",
            "SequenceBeamSearch",
            "BinaryTreeLSTM",
            "TreeNNAccuracy",
            "RecurrentDecoder",
        ),
        "LSTM or GRU in Recurrent: networks of convolutions, dense and recurrent layers are here",
    ),
    **dict.fromkeys(
        ("SparseLinear", "DenseToSparse", "SparseJoinTable", "LookupTableSparse"),
        "Linear, JoinTable, LookupTable on dense tensors",
    ),
    "HitRatio": "Top5Accuracy: measures of recommendation are not here",
    "NDCG": "Top5Accuracy: measures of recommendation are not here",
    "MeanAveragePrecision": "Top1Accuracy, Top5Accuracy or Loss",
    "MaskedSelect": "CMulTable with the mask: samples keep their sizes",
    "Index": "Select or Narrow, whose places are numbers",
    "Gemm": "Linear, or MM and CAddTable",
    "Merge": "merge(inputs, mode), or CAddTable, CMulTable, JoinTable",
}


def decide(found: Mapping[str, Sequence[str]]) -> str:
    """Return that of BigDL 0.1 only where no package has its name of today."""
    return DEFAULT if DEFAULT in found else next(iter(found))


def open_session(version: str, script: Script) -> BigdlSession:
    """Return the state of a script."""
    return BigdlSession(VERSIONS[version], script)


def modules(session: BigdlSession) -> Modules:
    """Return every module of the dialect by its path."""
    from .places import modules as made

    return made(session)


def patches(session: BigdlSession) -> Sequence[Patch]:
    """Return what a shell of pyspark has made before a script begins: its context and session."""
    from .served import LEAKED
    from .spark import SparkSession, SQLContext

    context = LEAKED["SparkContext"]
    made = {} if real_spark.installed() else {
        "sc": context(), "spark": SparkSession(context()), "sqlContext": SQLContext(context())
    }  # fmt: skip
    return [(builtins, name, value) for name, value in made.items()]
