"""Data sets that are fetched once: Fashion-MNIST and CIFAR, from mirrors, checked before use."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import os
import shutil
import tarfile
import urllib.request
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
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
    "file:///usr/share/datasets/fashion-mnist/",  # Debian's package dataset-fashion-mnist
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
)
CIFAR = ("https://www.cs.toronto.edu/~kriz/",)
PIXELS = 3 * 32 * 32


@dataclass(frozen=True)
class Published:
    """A file as its authors published it.

    Fields: `name`; `mirrors`, addresses that end in "/"; `digest`, or how it begins, with the
    `algorithm` that its authors or we chose, of the bytes inside where the file is `zipped`:
    mirrors pack them anew. Without a digest any file of the name is it.
    """

    name: str
    mirrors: Sequence[str]
    digest: str
    algorithm: str = "sha256"
    zipped: bool = False

    def is_at(self, path: Path) -> bool:
        """Return whether the file at this path is this one."""
        if not path.is_file():
            return False
        found = hashlib.new(self.algorithm, usedforsecurity=False)
        try:
            with gzip.open(path) if self.zipped else path.open("rb") as file:
                while block := file.read(2**20):
                    found.update(block)
        except (OSError, EOFError, zlib.error):  # what is no whole gzip file
            return False
        return found.hexdigest().startswith(self.digest)


FASHION_FILES = tuple(
    Published(f"{name}-ubyte.gz", FASHION, digest, zipped=True)
    for name, digest in (
        ("train-images-idx3", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
        ("train-labels-idx1", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
        ("t10k-images-idx3", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
        ("t10k-labels-idx1", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
    )
)
# The authors of CIFAR publish MD5 sums.
CIFAR10 = Published("cifar-10-binary.tar.gz", CIFAR, "c32a1d4ab5d03f1284b67883e8d87530", "md5")
CIFAR100 = Published("cifar-100-binary.tar.gz", CIFAR, "03b5dce01913d631647c71ecec9e9cb8", "md5")


def folder() -> Path:
    """Return where fetched files are kept: $STRIATE_DATA, or the user's cache."""
    return Path(os.environ.get(FOLDER) or platformdirs.user_cache_path("striate") / "datasets")


def fetch(file: Published, into: Path) -> Path:
    """Return the path of a file, fetched from the first mirror that has it, if it is not there.

    What a broken connection left is kept as `name.part`, and the next try goes on from there.

    Raises: StoreError if no mirror gives it, or gives another file than the published one.
    """
    path = into / file.name
    if file.is_at(path):
        return path
    into.mkdir(parents=True, exist_ok=True)
    part, failed = path.with_name(path.name + ".part"), []
    for mirror in file.mirrors:
        try:
            _download(mirror + file.name, part)
        except (OSError, http.client.HTTPException) as error:
            failed.append(f"{mirror}: {getattr(error, 'reason', None) or error}")
            continue
        if file.is_at(part):
            return part.replace(path)
        failed.append(f"{mirror}: another file, of {part.stat().st_size:,} bytes")
        part.unlink()
    raise StoreError(
        file.name,
        "could not be fetched",
        got="\n".join(failed),
        need=f"the published file, {file.algorithm} {file.digest}"
        + (" of what is inside" if file.zipped else ""),
        fix=f"put it at {path}, or work with mnist, which is shipped with the package",
    )


def _download(address: str, part: Path) -> None:
    """Write what is at an address to a file, after the bytes that it has already."""
    have = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(request, timeout=WAIT_S) as source:
        continues = getattr(source, "status", None) == http.client.PARTIAL_CONTENT
        with part.open("ab" if continues else "wb") as out:
            shutil.copyfileobj(source, out)
        length = source.headers.get("Content-Length")
        got = part.stat().st_size - (have if continues else 0)
    if length is not None and got < int(length):
        raise http.client.IncompleteRead(b"", int(length) - got)


def fashion_mnist() -> tuple[Part, Part]:
    """Return Fashion-MNIST: 60,000 and 10,000 pictures of clothes in 10 classes.

    Shape: ((60000, 28, 28, 1), (60000,)), ((10000, 28, 28, 1), (10000,)), all uint8
    Raises: StoreError where the files cannot be fetched.
    Source: Xiao, Rasul and Vollgraf, 2017, MIT licence.
    """
    into = folder() / "fashion_mnist"

    def part(images: Published, labels: Published) -> Part:
        x, y = read_idx_pair(fetch(images, into), fetch(labels, into))
        return x[..., np.newaxis], y

    return part(*FASHION_FILES[:2]), part(*FASHION_FILES[2:])


def cifar10() -> tuple[Part, Part]:
    """Return CIFAR-10: 50,000 and 10,000 small photographs in 10 classes.

    Shape: ((50000, 32, 32, 3), (50000,)), ((10000, 32, 32, 3), (10000,)), all uint8
    Raises: StoreError where the file cannot be fetched.
    Source: Krizhevsky, 2009.
    """
    path = fetch(CIFAR10, folder())
    names = [f"data_batch_{number}.bin" for number in range(1, 6)]
    return records(path, names, 1, 0), records(path, ["test_batch.bin"], 1, 0)


def cifar100(*, fine: bool = True) -> tuple[Part, Part]:
    """Return CIFAR-100: as CIFAR-10, in 100 `fine` classes or 20 coarse ones."""
    path = fetch(CIFAR100, folder())
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
