"""BigDL's pictures: frames of them, their changes, data frames, and networks on all of these."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from striate.dialects import installed
from striate.dialects.table import DialectError


@pytest.fixture(autouse=True)
def served() -> Iterator[None]:
    with installed("bigdl"):
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, colour in enumerate(((255, 0, 0), (0, 0, 255), (250, 10, 0), (5, 0, 250))):
        Image.new("RGB", (8, 6), colour).save(tmp_path / f"{number}.png")
    return tmp_path


def vision() -> Any:
    from bigdl.transform.vision import image  # type: ignore[import-not-found]

    return image


def changed(change: Any, mat: Any) -> Any:
    feature = vision().ImageFeature(np.asarray(mat))
    return change.transform(feature).get_image(to_chw=False)


def test_pictures_are_read_blue_first_and_told_by_channel(folder: Path) -> None:
    frame = vision().ImageFrame.read(str(folder))
    assert frame.is_local()
    assert frame.get_image()[0][:, 0, 0].tolist() == [0, 0, 255]
    frame.transform(vision().MatToTensor(to_rgb=True))
    assert frame.features[0].value("imageTensor")[:, 0, 0].tolist() == [255, 0, 0]
    with pytest.raises(DialectError, match="there are no pictures"):
        vision().ImageFrame.read(str(folder / "none"))


def test_changes_are_what_their_names_say() -> None:
    v, mat = vision(), np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
    assert changed(v.CenterCrop(4, 2), mat).tolist() == mat[2:4, 2:6].tolist()
    assert changed(v.HFlip(), mat).tolist() == mat[:, ::-1].tolist()
    assert changed(v.FixedCrop(0.25, 0, 0.5, 0.5), mat).tolist() == mat[:3, 2:4].tolist()
    assert changed(v.Brightness(200, 200), mat).max() == 255
    assert changed(v.Contrast(0.5, 0.5), mat)[5, 7, 2] == round(143 / 2)
    assert changed(v.AspectScale(3), mat).shape == (3, 4, 3)
    assert (
        changed(v.FixExpand(8, 10), mat).tolist() == np.pad(mat, [(1, 1), (1, 1), (0, 0)]).tolist()
    )
    plain = np.full((2, 2, 3), 100, np.uint8)
    found = changed(v.ChannelNormalize(10, 20, 30, 1, 2, 3), plain)  # blue, green, red
    assert found[0, 0].tolist() == pytest.approx([70, 40, 30])  # blue by the first std: as BigDL
    scaled = changed(v.ChannelScaledNormalizer(10, 20, 30, 0.5), plain)
    assert scaled[0, 0].tolist() == [35, 40, 45]
    row = np.repeat(np.array([[0, 100, 20, 200]], np.uint8)[..., None], 3, 2)
    assert changed(v.Resize(1, 2), row)[0, :, 0].tolist() == [50, 110]  # of two cells each
    assert changed(v.RandomResize(3, 3), mat).shape == (3, 4, 3)
    assert changed(v.RandomCropper(4, 3, True, "Random", 3), mat).shape == (3, 4, 3)
    middle = changed(v.RandomCropper(4, 2, False, "Center", 3), mat)
    assert middle.tolist() == mat[2:4, 2:6].tolist()
    assert changed(v.RandomAlterAspect(0.2, 0.5, 0.75, "CUBIC", 5), mat).shape == (5, 5, 3)
    red = np.array([[[0, 0, 200]]], np.uint8)
    assert changed(v.Hue(60, 60), red)[0, 0].tolist() == [0, 200, 0]
    assert changed(v.Saturation(0, 0), red)[0, 0].tolist() == [200, 200, 200]


def test_an_rdd_of_pictures_is_changed_anew_each_time(folder: Path) -> None:
    from pyspark import SparkContext  # type: ignore[import-not-found]

    v = vision()
    frame = v.ImageFrame.read(str(folder), SparkContext.getOrCreate(), 2)
    frame.transform(v.Pipeline([v.Brightness(-100, 0), v.MatToTensor(), v.ImageFrameToSample()]))
    once, again = (frame.get_sample().map(lambda s: s.feature.to_ndarray()).collect()
                   for _ in range(2))  # fmt: skip
    assert not np.array_equal(once, again)
    with pytest.raises(DialectError, match="takes changes of pictures alone"):
        v.Pipeline([print])
    with pytest.raises(DialectError, match="the picture is smaller"):
        changed(v.RandomCrop(9, 2), np.zeros((6, 8, 3), np.uint8))


def test_a_data_frame_of_pictures_trains_a_classifier(folder: Path) -> None:
    from bigdl.dlframes.dl_classifier import DLClassifier  # type: ignore[import-not-found]
    from bigdl.dlframes.dl_image_reader import DLImageReader  # type: ignore[import-not-found]
    from bigdl.dlframes.dl_image_transformer import (  # type: ignore[import-not-found]
        DLImageTransformer,
    )
    from bigdl.nn.criterion import ClassNLLCriterion  # type: ignore[import-not-found]
    from bigdl.nn.layer import Linear, LogSoftMax, Reshape, Sequential  # type: ignore
    from pyspark.ml import Pipeline  # type: ignore[import-not-found]
    from pyspark.ml.evaluation import (  # type: ignore[import-not-found]
        MulticlassClassificationEvaluator,
    )
    from pyspark.sql.functions import col, udf  # type: ignore[import-not-found]
    from pyspark.sql.types import DoubleType  # type: ignore[import-not-found]

    v = vision()
    label = udf(lambda row: 1.0 + int(row["origin"][-5]) % 2, DoubleType())
    frame = DLImageReader.readImages(str(folder)).withColumn("label", label(col("image")))
    assert frame.filter("label = 1").count() == frame.where(col("label") > 1.5).count() == 2
    small = v.Pipeline([v.Resize(2, 2), v.ChannelNormalize(127, 127, 127, 127, 127, 127)])
    network = Sequential().add(Reshape([12])).add(Linear(12, 2)).add(LogSoftMax())
    learner = DLClassifier(network, ClassNLLCriterion(), [3, 2, 2]).setLearningRate(0.5)
    learner.setBatchSize(4).setMaxEpoch(20)
    stages = [DLImageTransformer(small).setOutputCol("features"), learner]
    told = Pipeline(stages=stages).fit(frame).transform(frame)
    assert MulticlassClassificationEvaluator(metricName="accuracy").evaluate(told) == 1
    assert MulticlassClassificationEvaluator().evaluate(told) == 1
    local = v.ImageFrame.read(str(folder))
    local.transform(v.Pipeline([small, v.MatToTensor(), v.ImageFrameToSample()]))
    pairs = network.predict_image(local).get_predict()
    assert [int(out.argmax()) for _, out in pairs] == [0, 1, 0, 1]
    assert network.quantize() is network
