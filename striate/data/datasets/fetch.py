"""Data sets that are fetched once: Fashion-MNIST and CIFAR, from mirrors, checked before use."""

from __future__ import annotations

import hashlib
import os
import tarfile
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from ...errors import StoreError
from ..idx import read_idx_pair

Part = tuple[NDArray[np.uint8], NDArray[np.uint8]]
FOLDER = "STRIATE_DATA"  # in the environment: where fetched files are kept
WAIT_S = 30.0
FASHION = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
)
CIFAR = ("https://www.cs.toronto.edu/~kriz/",)
MD5 = {  # as published beside the files
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
    "cifar-10-binary.tar.gz": "c32a1d4ab5d03f1284b67883e8d87530",
    "cifar-100-binary.tar.gz": "03b5dce01913d631647c71ecec9e9cb8",
}
PIXELS = 3 * 32 * 32


def folder() -> Path:
    """Return where fetched files are kept: $STRIATE_DATA, or the user's cache."""
    return Path(os.environ.get(FOLDER) or platformdirs.user_cache_path("striate") / "datasets")


def fetch(name: str, mirrors: Sequence[str], md5: str, into: Path) -> Path:
    """Return the path of a file, fetched from the first mirror that has it, if it is not there.

    Raises: StoreError if no mirror gives it, or gives another file than the published one.
    """
    path = into / name
    if path.is_file() and _digest(path.read_bytes()) == md5:
        return path
    failed: list[str] = []
    for mirror in mirrors:
        try:
            with urllib.request.urlopen(mirror + name, timeout=WAIT_S) as source:
                data = source.read()
        except (urllib.error.URLError, OSError) as error:
            failed.append(f"{mirror}: {getattr(error, 'reason', error)}")
            continue
        if _digest(data) == md5:
            into.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".part{os.getpid()}")
            part.write_bytes(data)
            part.replace(path)
            return path
        failed.append(f"{mirror}: another file, of {len(data):,} bytes")
    raise StoreError(
        name,
        "could not be fetched",
        got="\n".join(failed),
        need=f"the published file, MD5 {md5}",
        fix=f"put it at {path}, or work with mnist, which is shipped with the package",
    )


def fashion_mnist() -> tuple[Part, Part]:
    """Return Fashion-MNIST: 60,000 and 10,000 pictures of clothes in 10 classes.

    Shape: ((60000, 28, 28, 1), (60000,)), ((10000, 28, 28, 1), (10000,)), all uint8
    Raises: StoreError where the files cannot be fetched.
    Source: Xiao, Rasul and Vollgraf, 2017, MIT licence.
    """
    into = folder() / "fashion_mnist"

    def part(name: str) -> Part:
        files = [f"{name}-images-idx3-ubyte.gz", f"{name}-labels-idx1-ubyte.gz"]
        paths = [fetch(file, FASHION, MD5[file], into) for file in files]
        x, y = read_idx_pair(*paths)
        return x[..., np.newaxis], y

    return part("train"), part("t10k")


def cifar10() -> tuple[Part, Part]:
    """Return CIFAR-10: 50,000 and 10,000 small photographs in 10 classes.

    Shape: ((50000, 32, 32, 3), (50000,)), ((10000, 32, 32, 3), (10000,)), all uint8
    Raises: StoreError where the file cannot be fetched.
    Source: Krizhevsky, 2009.
    """
    name = "cifar-10-binary.tar.gz"
    path = fetch(name, CIFAR, MD5[name], folder())
    names = [f"data_batch_{number}.bin" for number in range(1, 6)]
    return records(path, names, 1, 0), records(path, ["test_batch.bin"], 1, 0)


def cifar100(*, fine: bool = True) -> tuple[Part, Part]:
    """Return CIFAR-100: as CIFAR-10, in 100 `fine` classes or 20 coarse ones."""
    name = "cifar-100-binary.tar.gz"
    path = fetch(name, CIFAR, MD5[name], folder())
    return records(path, ["train.bin"], 2, int(fine)), records(path, ["test.bin"], 2, int(fine))


def records(path: Path, names: Sequence[str], labels: int, which: int) -> Part:
    """Return pictures and labels of CIFAR's binary form: `labels` bytes, then 3 x 32 x 32."""
    found: dict[str, bytes] = {}
    with tarfile.open(path) as archive:
        for item in archive:
            if item.isfile() and Path(item.name).name in names:
                source = archive.extractfile(item)
                assert source is not None
                found[Path(item.name).name] = source.read()
    whole = np.frombuffer(b"".join(found[name] for name in names), np.uint8)
    rows = whole.reshape(-1, labels + PIXELS)
    pixels = rows[:, labels:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(pixels), rows[:, which].copy()


def _digest(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
