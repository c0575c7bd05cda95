"""Frames of pictures, as BigDL holds them: a list, or an RDD whose changes are drawn anew."""

from __future__ import annotations

import copy
import glob
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import caller, nearest
from ..table import DialectError
from .frames import DataFrame, Row, Settings
from .image_changes import FeatureTransformer, read_picture
from .layouts import Array
from .spark import RDD

PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"}


class ImageFeature:
    """One picture and what is known of it, by keys: its matrix, label, sample, prediction."""

    def __init__(self, image: Any = None, label: Any = None, path: str | None = None,
                 bigdl_type: str = "float") -> None:  # fmt: skip
        self.content: dict[str, Any] = {}
        if image is not None:
            self.content["mat"] = np.asarray(image)
        if label is not None:
            self.content["label"] = np.atleast_1d(np.asarray(label, np.float32))
        if path is not None:
            self.content["uri"] = path

    @property
    def mat(self) -> Array:
        """The matrix (H, W, 3)."""
        if "mat" not in self.content and "bytes" in self.content:
            self.content["mat"] = read_picture(bytes(self.content["bytes"]))
        found: Array = self.value("mat")
        return found

    def value(self, key: str) -> Any:
        """Return what is under a key."""
        if key not in self.content:
            raise DialectError(
                "BigDL 0.7 ImageFeature",
                f"has nothing under {key!r}",
                need="one of " + ", ".join(self.content),
                fix=nearest(key, self.content) or "MatToTensor() before ImageFrameToSample()",
                at=caller(),
            )
        return self.content[key]

    def keys(self) -> list[str]:
        """Return the keys."""
        return list(self.content)

    def get_image(self, float_key: str = "floats", to_chw: bool = True) -> Array:
        """Return the picture as floats."""
        mat = np.asarray(self.content.get(float_key, self.mat), np.float32)
        return np.ascontiguousarray(mat.transpose(2, 0, 1)) if to_chw else mat

    def get_label(self) -> Any:
        """Return the label, if there is one."""
        return self.content.get("label")


def files(path: str) -> list[str]:
    """Return the picture files of paths with commas between, of folders and with wildcards."""
    found: list[str] = []
    for part in str(path).split(","):
        part = part.removeprefix("file://")
        inside = f"{part}/*" if Path(part).is_dir() else part
        matching = sorted(glob.glob(inside))  # noqa: PTH207  a path may be absolute, with wildcards
        found += [one for one in matching if Path(one).suffix.lower() in PICTURES]
    if not found:
        raise DialectError(
            "BigDL 0.7 ImageFrame.read",
            "there are no pictures",
            got=str(path),
            need="a folder with picture files, or a path with * for them",
            at=caller(),
        )
    return found


class ImageFrame:
    """Pictures, each an ImageFeature."""

    def __init__(self, features: Any) -> None:
        self.features = features

    @classmethod
    def read(cls, path: str, sc: Any = None, min_partitions: int = 1,
             bigdl_type: str = "float") -> ImageFrame:  # fmt: skip
        """Return the pictures of files."""
        found = [ImageFeature(read_picture(one), path=one) for one in files(path)]
        return DistributedImageFrame.of(found) if sc is not None else LocalImageFrame.of(found)

    def is_local(self) -> bool:
        """Return whether it is a list."""
        return isinstance(self.features, list)

    def is_distributed(self) -> bool:
        """Return whether it is an RDD."""
        return not self.is_local()

    def transform(self, transformer: FeatureTransformer, bigdl_type: str = "float") -> ImageFrame:
        """Change the pictures; those of an RDD are changed whenever they are asked for."""
        if self.is_local():
            for one in self.features:
                transformer.transform(one)
        else:
            self.features = self.features.map(lambda one: transformer.transform(_copied(one)))
        return self

    def _each(self, ask: Any) -> Any:
        return [*map(ask, self.features)] if self.is_local() else self.features.map(ask)

    def get_image(self, float_key: str = "floats", to_chw: bool = True) -> Any:
        """Return the pictures as floats."""
        return self._each(lambda one: one.get_image(float_key, to_chw))

    def get_label(self) -> Any:
        """Return the labels."""
        return self._each(lambda one: one.get_label())

    def get_sample(self, key: str = "sample") -> Any:
        """Return the samples."""
        return self._each(lambda one: one.value(key))

    def get_uri(self, key: str = "uri") -> Any:
        """Return the paths."""
        return self._each(lambda one: one.content.get(key))

    def get_predict(self, key: str = "predict") -> Any:
        """Return pairs of path and prediction."""
        return self._each(lambda one: (one.content.get("uri"), one.content.get(key)))

    def random_split(self, weights: list[float]) -> list[ImageFrame]:
        """Return parts of about these shares."""
        parts = RDD(list(self.features)).randomSplit(weights)
        return [type(self).of(part.collect()) for part in parts]

    def set_label(self, labels: Any, bigdl_type: str = "float") -> ImageFrame:
        """Give the pictures labels."""
        for one, label in zip(self.features, labels, strict=True):
            one.content["label"] = np.atleast_1d(np.asarray(label, np.float32))
        return self

    def predicted(self, model: Any, key: str) -> ImageFrame:
        """Return the pictures with what a network gives for their samples."""
        features = [_copied(one) for one in self.features]
        x = np.stack([one.value("sample").feature.to_ndarray() for one in features])
        for one, out in zip(features, model.predict_local(x), strict=True):
            one.content[key] = out
        return type(self).of(features)

    @classmethod
    def of(cls, features: list[ImageFeature]) -> ImageFrame:
        """Return a frame of these pictures."""
        made = object.__new__(cls)
        ImageFrame.__init__(made, features if issubclass(cls, LocalImageFrame) else RDD(features))
        return made


def _copied(feature: ImageFeature) -> ImageFeature:
    made = copy.copy(feature)
    made.content = dict(feature.content)
    return made


class LocalImageFrame(ImageFrame):
    """A list of pictures, of arrays and labels."""

    def __init__(self, image_list: Iterable[Any], label_list: Iterable[Any] | None = None,
                 bigdl_type: str = "float") -> None:  # fmt: skip
        images = list(image_list)
        labels = [None] * len(images) if label_list is None else list(label_list)
        super().__init__([ImageFeature(x, y) for x, y in zip(images, labels, strict=True)])


class DistributedImageFrame(ImageFrame):
    """An RDD of pictures, of RDDs of arrays and labels."""

    def __init__(self, image_rdd: Any, label_rdd: Any = None, bigdl_type: str = "float") -> None:
        labels = image_rdd.map(lambda x: None) if label_rdd is None else label_rdd
        super().__init__(image_rdd.zip(labels).map(lambda pair: ImageFeature(*pair)))


class DLImageReader:
    """Reads pictures into a data frame."""

    @staticmethod
    def readImages(path: str, sc: Any = None, minParitions: int = 1,  # noqa: N802, N803
                   bigdl_type: str = "float") -> DataFrame:  # fmt: skip
        """Return rows with a picture each, as (origin, height, width, nChannels, mode, data)."""
        rows = []
        for one in files(path):
            mat = read_picture(one)
            row = Row(origin=one, height=mat.shape[0], width=mat.shape[1], nChannels=3, mode=16,
                      data=mat.tobytes())  # fmt: skip
            rows.append((row,))
        return DataFrame(rows, ["image"])


class DLImageTransformer(Settings):
    """Changes the pictures of a data frame."""

    known = (("InputCol", "image"), ("OutputCol", "output"))

    def __init__(self, transformer: FeatureTransformer, jvalue: Any = None,
                 bigdl_type: str = "float") -> None:  # fmt: skip
        super().__init__()
        self.transformer = transformer

    def transform(self, dataset: DataFrame) -> DataFrame:
        """Return the rows with one more column: the values (C, H, W) of the changed pictures."""
        made = []
        for row in dataset.column(self.values["InputCol"]):
            mat = np.frombuffer(row["data"], np.uint8).reshape(row["height"], row["width"], 3)
            one = self.transformer.transform(ImageFeature(mat, path=row["origin"]))
            found = one.content.get("imageTensor")
            made.append(one.get_image() if found is None else found)
        return dataset.with_values(self.values["OutputCol"], made)


NAMES: dict[str, Any] = {
    one.__name__: one for one in (ImageFeature, ImageFrame, LocalImageFrame, DistributedImageFrame)
}
