"""Analytics Zoo's estimators over data frames, `zoo.pipeline.nnframes`, and their preparations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import caller
from ..table import DialectError
from . import image_changes, image_colours
from .frames import COLUMNS, DataFrame, DLEstimator, Row, Settings
from .image_changes import FeatureTransformer, read_picture
from .image_frames import ImageFeature, ImageFrame, files
from .layouts import Array
from .methods import Method
from .optimizer import Optimizer
from .session import BigdlSession
from .triggers import MaxEpoch


class Preprocessing:
    """A step that makes an array of a value of a column; `a >> b` is one after the other."""

    def __init__(self, *args: Any, **words: Any) -> None: ...

    def made(self, value: Any) -> Any:
        """Return what the step makes of a value."""
        return value

    def __rshift__(self, other: Any) -> ChainedPreprocessing:
        return ChainedPreprocessing([self, other])

    __ge__ = __rshift__


class ChainedPreprocessing(Preprocessing):
    """Steps, one after the other; changes of pictures may be among them."""

    def __init__(self, transformers: Sequence[Any], bigdl_type: str = "float") -> None:
        for one in transformers:
            if not isinstance(one, (Preprocessing, FeatureTransformer)):
                raise DialectError(
                    "Analytics Zoo ChainedPreprocessing", f"a {type(one).__name__} is no step",
                    need="SeqToTensor([28, 28]), ImageResize(32, 32), ...", at=caller(),
                )  # fmt: skip
        self.steps = list(transformers)

    def made(self, value: Any) -> Any:
        """Return what all steps make of a value."""
        for one in self.steps:
            value = one.made(value) if isinstance(one, Preprocessing) else one.transform(value)
        return value


class SeqToTensor(Preprocessing):
    """Numbers as an array of a size; of their own size if none is given."""

    def __init__(self, size: Any = (), bigdl_type: str = "float") -> None:
        self.size = tuple(int(n) for n in size or ())

    def made(self, value: Any) -> Array:
        """Return the array."""
        dense = value.toArray() if hasattr(value, "toArray") else value
        array = np.asarray(dense, "float32")
        return array.reshape(self.size) if self.size else np.atleast_1d(array)


class ScalarToTensor(SeqToTensor):
    """A number as an array."""


class ArrayToTensor(SeqToTensor):
    """An array in a size."""


class MLlibVectorToTensor(SeqToTensor):
    """A vector of Spark as an array of a size."""


class SeqToMultipleTensors(Preprocessing):
    """Numbers as several arrays, one behind another: each is an input of the network."""

    def __init__(self, size: Any = (), bigdl_type: str = "float") -> None:
        self.sizes = [tuple(int(n) for n in one) for one in size]

    def made(self, value: Any) -> list[Array]:
        """Return the arrays."""
        flat = SeqToTensor().made(value).reshape(-1)
        ends = np.cumsum([int(np.prod(one)) for one in self.sizes])
        parts = np.split(flat, ends)[: len(self.sizes)]
        return [part.reshape(size) for part, size in zip(parts, self.sizes, strict=True)]


class RowToImageFeature(Preprocessing):
    """A row of a picture as the picture."""

    def made(self, value: Any) -> ImageFeature:
        """Return the picture."""
        shape = (value["height"], value["width"], value["nChannels"])
        return ImageFeature(np.frombuffer(value["data"], np.uint8).reshape(shape),
                            path=value["origin"])  # fmt: skip


class ImageFeatureToTensor(Preprocessing):
    """The values (C, H, W) of a picture."""

    def made(self, value: Any) -> Array:
        """Return the values."""
        found = value.content.get("imageTensor")
        return np.asarray(value.get_image() if found is None else found, "float32")


class FeatureLabelPreprocessing(Preprocessing):
    """Steps for the values of features, and steps for labels."""

    def __init__(self, feature_transformer: Any, label_transformer: Any = None,
                 bigdl_type: str = "float") -> None:  # fmt: skip
        self.feature, self.label = _step(feature_transformer), _step(label_transformer)


class NNImageReader:
    """Reads pictures into a data frame."""

    @staticmethod
    def readImages(path: str, sc: Any = None, minPartitions: int = 1, resizeH: int = -1,  # noqa: N802, N803
                   resizeW: int = -1, image_codec: int = -1,  # noqa: N803
                   bigdl_type: str = "float") -> DataFrame:  # fmt: skip
        """Return rows with a picture each, as (origin, height, width, nChannels, mode, data)."""
        from .image_changes import Resize

        rows = []
        for one in files(path):
            mat = read_picture(one)
            if resizeH > 0:
                mat = np.asarray(Resize(resizeH, resizeW).change(mat)).round().astype("uint8")
            rows.append((Row(origin=one, height=mat.shape[0], width=mat.shape[1], nChannels=3,
                             mode=16, data=mat.tobytes()),))  # fmt: skip
        return DataFrame(rows, ["image"])


def _step(given: Any) -> Any:
    """Return a step for a size, for sizes, for nothing, or the step that is given."""
    if given is None:
        return SeqToTensor()
    if isinstance(given, (list, tuple)):
        several = bool(given) and isinstance(given[0], (list, tuple))
        return SeqToMultipleTensors(given) if several else SeqToTensor(given)
    return given if isinstance(given, Preprocessing) else ChainedPreprocessing([given])


def _stacked(step: Preprocessing, values: Sequence[Any]) -> list[Array]:
    """Return the inputs of a network, of what a step makes of the values of a column."""
    made = [step.made(one) for one in values]
    if made and isinstance(made[0], list):
        return [np.stack(list(part)) for part in zip(*made, strict=True)]
    return [np.stack(made).astype("float32")]


class NNModel(Settings):
    """A trained network that adds a column of predictions."""

    known = (*COLUMNS[:2], ("BatchSize", 4), ("Threshold", 0.5))
    classes = False

    def __init__(self, model: Any, feature_preprocessing: Any = None, jvalue: Any = None,
                 bigdl_type: str = "float") -> None:  # fmt: skip
        super().__init__()
        self.model, self.step = model, _step(feature_preprocessing)

    def getModel(self) -> Any:  # noqa: N802
        """Return the network."""
        return self.model

    def setSamplePreprocessing(self, value: Any) -> NNModel:  # noqa: N802
        """Choose how features are prepared."""
        self.step = value.feature if isinstance(value, FeatureLabelPreprocessing) else _step(value)
        return self

    def transform(self, dataset: DataFrame) -> DataFrame:
        """Return the rows with the predictions: numbers, or a class from 1 on.

        A single output of a classifier is 1 above the threshold, else 0.
        """
        x = _stacked(self.step, dataset.column(self.values["FeaturesCol"]))
        out = np.asarray(self.model.predict_local(x if len(x) > 1 else x[0]))
        rows = out.reshape(len(x[0]), -1)
        if not self.classes:
            found = [row.tolist() if len(row) > 1 else [float(row[0])] for row in rows]
        elif rows.shape[1] == 1:
            found = (rows[:, 0] > self.values["Threshold"]).astype(float).tolist()
        else:
            found = (rows.argmax(-1) + 1.0).tolist()
        return dataset.with_values(self.values["PredictionCol"], found)

    def save(self, path: str) -> None:
        """Write the network to a file of Striate's own."""
        self.model.saveModel(path, over_write=True)


class NNClassifierModel(NNModel):
    """A trained network that adds a column of classes."""

    classes = True


class NNEstimator(DLEstimator):
    """Trains a network on the rows of a data frame."""

    known = (*DLEstimator.known, ("CachingSample", True), ("TrainSummary", None),
             ("ValidationSummary", None), ("DataCacheLevel", "DRAM"))  # fmt: skip
    trained: type[NNModel] = NNModel

    def __init__(self, model: Any, criterion: Any, feature_preprocessing: Any = None,
                 label_preprocessing: Any = None, jvalue: Any = None,
                 bigdl_type: str = "float") -> None:  # fmt: skip
        super().__init__(model, criterion, None)
        self.step, self.label_step = _step(feature_preprocessing), _step(label_preprocessing)
        self.judged: tuple[Any, ...] | None = None
        self.clip: tuple[str, tuple[float, ...]] | None = None
        self.checkpoint: tuple[Any, ...] | None = None

    def setSamplePreprocessing(self, value: Any) -> NNEstimator:  # noqa: N802
        """Choose how features and labels are prepared."""
        self.step, self.label_step = value.feature, value.label
        return self

    def setValidation(self, trigger: Any, val_df: DataFrame, val_method: Any,  # noqa: N802
                      batch_size: int) -> NNEstimator:  # fmt: skip
        """Judge the network on further rows."""
        self.judged = (trigger, val_df, val_method, batch_size)
        return self

    def getValidation(self) -> Any:  # noqa: N802
        """Return what setValidation was given."""
        return None if self.judged is None else list(self.judged)

    def isCachingSample(self) -> bool:  # noqa: N802
        """Return whether samples are kept."""
        return bool(self.values["CachingSample"])

    def setCheckpoint(self, path: str, trigger: Any, isOverWrite: bool = True) -> NNEstimator:  # noqa: N802, N803
        """Keep the network in a folder whenever the trigger fires."""
        self.checkpoint = (trigger, path, isOverWrite)
        return self

    def getCheckpoint(self) -> Any:  # noqa: N802
        """Return the folder, the trigger, and whether files are overwritten."""
        trigger, path, over_write = self.checkpoint or (None, None, None)
        return None if path is None else (path, trigger, over_write)

    def setDataCacheLevel(self, level: str, numSlice: int | None = None) -> NNEstimator:  # noqa: N802, N803
        """Note where samples were to be kept: they are in memory."""
        self.values["DataCacheLevel"] = level if numSlice is None else (level, numSlice)
        return self

    def setConstantGradientClipping(self, min: float, max: float) -> NNEstimator:  # noqa: N802
        """Cut each gradient to a range."""
        self.clip = "set_gradclip_const", (min, max)
        return self

    def setGradientClippingByL2Norm(self, clip_norm: float) -> NNEstimator:  # noqa: N802
        """Shorten all gradients together."""
        self.clip = "set_gradclip_l2norm", (clip_norm,)
        return self

    def clearGradientClipping(self) -> NNEstimator:  # noqa: N802
        """Leave the gradients as they are."""
        self.clip = None
        return self

    def fit(self, df: DataFrame) -> Any:
        """Train; return the network as a transformer."""
        words = self.values
        method = words["OptimMethod"] or Method.of(
            "SGD", learningrate=words["LearningRate"], learningrate_decay=words["LearningRateDecay"]
        )
        trainer = Optimizer(self.session, self.model, self._data(df), self.criterion,
                            words["EndWhen"] or MaxEpoch(words["MaxEpoch"]), words["BatchSize"],
                            method)  # fmt: skip
        if self.judged is not None:
            trigger, rows, methods, size = self.judged
            trainer.set_validation(size, self._data(rows), trigger, methods)
        if self.clip is not None:
            getattr(trainer, self.clip[0])(*self.clip[1])
        if self.checkpoint is not None:
            trainer.set_checkpoint(*self.checkpoint)
        if words["TrainSummary"] is not None:
            trainer.set_train_summary(words["TrainSummary"])
        if words["ValidationSummary"] is not None:
            trainer.set_val_summary(words["ValidationSummary"])
        trainer.optimize()
        made = self.trained(self.model, self.step)
        made.values |= {name: words[name] for name, _ in COLUMNS[:-1]}
        return made

    def _data(self, df: DataFrame) -> tuple[Any, Any]:
        x = _stacked(self.step, df.column(self.values["FeaturesCol"]))
        (y,) = _stacked(self.label_step, df.column(self.values["LabelCol"]))
        if getattr(self.criterion, "from_zero", False):
            y = y + 1
        return (x if len(x) > 1 else x[0]), y


class NNClassifier(NNEstimator):
    """Trains a network that tells classes apart."""

    trained = NNClassifierModel


STEPS = (Preprocessing, ChainedPreprocessing, SeqToTensor, ScalarToTensor, ArrayToTensor,
         MLlibVectorToTensor, SeqToMultipleTensors, FeatureLabelPreprocessing)  # fmt: skip


def names(session: BigdlSession) -> dict[str, Any]:
    """Return the names of `zoo.pipeline.nnframes`."""
    of = {"session": session}
    made = [type(cls.__name__, (cls,), of) for cls in (NNEstimator, NNClassifier)]
    rest = (NNModel, NNClassifierModel, NNImageReader, *STEPS)
    return {cls.__name__: cls for cls in (*made, *rest)}


def pictures() -> dict[str, Any]:
    """Return the names of `zoo.feature.image`: BigDL's changes of pictures, with Image in front."""
    changes = {**image_changes.NAMES, **image_colours.NAMES}
    found: dict[str, Any] = {f"Image{name}": one for name, one in changes.items()}
    found |= {cls.__name__: cls for cls in (RowToImageFeature, ImageFeatureToTensor, *STEPS)}
    samples = image_changes.ImageFrameToSample
    return {**found, "ImageSet": ImageFrame, "ImageSetToSample": samples}
