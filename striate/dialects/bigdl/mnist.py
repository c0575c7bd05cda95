"""MNIST as BigDL gives it: labels 1 to 10, pixels normalised; and LeNet's own helpers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ...data import datasets
from ...data.idx import read_idx_pair
from ...errors import caller
from ..table import DialectError
from .judging import Top1Accuracy
from .samples import Sample
from .triggers import EveryEpoch, MaxEpoch, MaxIteration, Trigger

Array = NDArray[Any]
TRAIN_MEAN = 0.13066047740239506 * 255
TRAIN_STD = 0.3081078 * 255
TEST_MEAN = 0.13251460696903547 * 255
TEST_STD = 0.31048024 * 255
FILES = {"train": "train", "test": "t10k"}


def read_data_sets(train_dir: str, data_type: str = "train") -> tuple[Array, Array]:
    """Return images (N, 28, 28, 1) and labels 0 to 9, as bytes.

    They are those of the folder, if it has the four files; else the ones that are shipped.
    """
    if data_type not in FILES:
        raise DialectError(
            "bigdl.dataset.mnist",
            f"there is no part {data_type!r}",
            need="train or test",
            fix="read_data_sets(folder, 'train')",
            at=caller(),
        )
    names = [f"{FILES[data_type]}-{kind}-ubyte.gz" for kind in ("images-idx3", "labels-idx1")]
    paths = [Path(train_dir) / name for name in names]
    for path in paths:
        print("Extracting", path)  # noqa: T201  BigDL's own line
    if all(path.is_file() for path in paths):
        x, y = read_idx_pair(*paths)
        return x.reshape(*x.shape[:3], 1), y
    train, test = datasets.mnist()
    return train if data_type == "train" else test


def load_data(location: str = "/tmp/mnist") -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Return ((x_train, y_train), (x_test, y_test)): float64 normalised, labels 1 to 10.

    Both parts are normalised by the mean and deviation of the training part.
    """
    parts = []
    for part in ("train", "test"):
        x, y = read_data_sets(location, part)
        parts.append((normalizer(x.astype("float64"), TRAIN_MEAN, TRAIN_STD), y + 1))
    return parts[0], parts[1]


def normalizer(data: Any, mean: float, std: float) -> Any:
    """Return (data - mean) / std."""
    return (data - mean) / std


def maybe_download(filename: str, work_directory: str, source_url: str) -> str:
    """Return the path of a file that is there; nothing is fetched."""
    path = Path(work_directory) / filename
    if path.is_file():
        return str(path)
    raise DialectError(
        "bigdl.dataset.base",
        "the file is not on this machine, and nothing is fetched",
        got=str(path),
        need="a copy of it there",
        fix="mnist.load_data(), whose files are shipped with the package",
        at=caller(),
    )


# ---- bigdl.models.lenet.utils --------------------------------------------------------------------


def get_mnist(sc: Any, data_type: str = "train", location: str = "/tmp/mnist") -> Any:
    """Return pairs of an image and its label, which counts from 1."""
    x, y = read_data_sets(location, data_type)
    return sc.parallelize(list(zip(x, y + 1, strict=True)))


def preprocess_mnist(sc: Any, options: Any) -> tuple[Any, Any]:
    """Return normalised samples for training and for test."""

    def part(name: str, mean: float, std: float) -> Any:
        pairs = get_mnist(sc, name, options.dataPath)
        normal = pairs.map(lambda pair: (normalizer(pair[0], mean, std), pair[1]))
        return normal.map(lambda pair: Sample.from_ndarray(*pair)).cache()

    return part("train", TRAIN_MEAN, TRAIN_STD), part("test", TEST_MEAN, TEST_STD)


def get_end_trigger(options: Any) -> Trigger:
    """Return the trigger that the options ask for."""
    made = MaxEpoch if options.endTriggerType.lower() == "epoch" else MaxIteration
    return made(options.endTriggerNum)


def validate_optimizer(optimizer: Any, test_data: Any, options: Any) -> None:
    """Validate and keep the model after every epoch."""
    optimizer.set_validation(
        batch_size=options.batchSize, val_rdd=test_data, trigger=EveryEpoch(),
        val_method=[Top1Accuracy()],
    )  # fmt: skip
    optimizer.set_checkpoint(EveryEpoch(), options.checkpointPath)
