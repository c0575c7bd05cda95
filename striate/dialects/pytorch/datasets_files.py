"""torchvision's data sets whose files are read as they were published: SVHN, STL-10, USPS."""

from __future__ import annotations

import bz2
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ...data.datasets import fetch
from ...errors import DataError, caller
from .datasets import Change, Images, absent

MATRIX, PACKED = 14, 15  # kinds of elements of a MATLAB file
KINDS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
HOUSES = "http://ufldl.stanford.edu/housenumbers/"
SVHN_FILES = {
    "train": "e26dedcc434d2e4c54c9b2d4a06d8373",
    "test": "eb5a983be6a315427106f1b164d9cef3",
    "extra": "a93ce644f1a588dc4d68dda5feec44a7",
}


def elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield kind and bytes of each element of a MATLAB file; packed ones are unpacked."""
    at = 0
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind >> 16:  # a small one: its size is in the upper half, its bytes in the tag
            kind, size, begin, end = kind & 0xFFFF, kind >> 16, at + 4, at + 8
        else:
            begin = at + 8
            end = begin + size + (0 if kind == PACKED else -size % 8)
        part = data[begin : begin + size]
        if kind == PACKED:
            yield from elements(zlib.decompress(part))
        else:
            yield kind, part
        at = end


def read_mat(path: Path) -> dict[str, Any]:
    """Return the arrays of a MATLAB 5 file by name; what else it may hold is left out.

    Raises: DataError where it is not such a file.
    """
    try:
        found: dict[str, Any] = {}
        for kind, data in elements(path.read_bytes()[128:]):
            parts = list(elements(data)) if kind == MATRIX else []
            if len(parts) < 4 or parts[3][0] not in KINDS:
                continue
            shape = np.frombuffer(parts[1][1], "<i4")
            values = np.frombuffer(parts[3][1], "<" + KINDS[parts[3][0]])
            found[parts[2][1].decode("ascii")] = values.reshape(shape, order="F")
    except (ValueError, struct.error, zlib.error) as error:
        raise DataError(
            str(path), "is not a file of MATLAB 5", got=str(error), fix="fetch the file again"
        ) from None
    return found


class SVHN(Images):
    """Numbers of houses, from `split`_32x32.mat in `root`, or fetched."""

    classes = tuple("0123456789")

    def __init__(self, root: Any, split: str = "train", transform: Change = None,
                 target_transform: Change = None, download: bool = False) -> None:  # fmt: skip
        self.root, self.split = root, split
        if split not in SVHN_FILES:
            raise _split("SVHN", split, SVHN_FILES)
        name = f"{split}_32x32.mat"
        path = Path(root) / name
        if not path.is_file():
            if not download:
                raise absent("SVHN", Path(root), name)
            published = fetch.Published(name, (HOUSES,), SVHN_FILES[split], "md5")
            path = fetch.fetch(published, fetch.folder() / "svhn")
        file = read_mat(path)
        data = np.ascontiguousarray(file["X"].transpose(3, 0, 1, 2))  # (N, H, W, C)
        targets = file["y"].reshape(-1).astype(int) % 10  # a zero is class 10 there
        self._begin(data, targets, transform, target_transform)
        self.labels = self.targets


class STL10(Images):
    """Photographs of 96 x 96 of ten kinds, from stl10_binary in `root`."""

    classes = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")
    splits: ClassVar = {"train": ("train",), "test": ("test",), "unlabeled": ("unlabeled",),
                        "train+unlabeled": ("train", "unlabeled")}  # fmt: skip

    def __init__(self, root: Any, split: str = "train", folds: int | None = None,
                 transform: Change = None, target_transform: Change = None,
                 download: bool = False) -> None:  # fmt: skip
        self.root, self.split = root, split
        if split not in self.splits:
            raise _split("STL10", split, self.splits)
        folder, images, labels = Path(root) / "stl10_binary", [], []
        for part in self.splits[split]:
            path = folder / f"{part}_X.bin"
            if not path.is_file():
                raise absent("STL10", folder, f"{path.name} and {part}_y.bin")
            pixels = np.fromfile(path, np.uint8).reshape(-1, 3, 96, 96)
            images.append(pixels.transpose(0, 3, 2, 1))  # columns first there
            known = folder / f"{part}_y.bin"
            labels.append(np.fromfile(known, np.uint8).astype(int) - 1 if known.is_file()
                          else np.full(len(pixels), -1))  # fmt: skip
        data, targets = np.concatenate(images), np.concatenate(labels)
        if folds is not None:
            lines = (folder / "fold_indices.txt").read_text().splitlines()
            places = np.array(lines[folds].split(), int)
            data, targets = data[places], targets[places]
        self._begin(np.ascontiguousarray(data), targets, transform, target_transform)
        self.labels = self.targets


class USPS(Images):
    """Digits of 16 x 16 from envelopes, from usps.bz2 and usps.t.bz2 in `root`."""

    classes = tuple("0123456789")

    def __init__(self, root: Any, train: bool = True, transform: Change = None,
                 target_transform: Change = None, download: bool = False) -> None:  # fmt: skip
        self.root, self.train = root, train
        path = Path(root) / ("usps.bz2" if train else "usps.t.bz2")
        if not path.is_file():
            raise absent("USPS", Path(root), path.name)
        rows = [line.split() for line in bz2.decompress(path.read_bytes()).decode().splitlines()]
        values = np.array([[float(one.split(":")[1]) for one in row[1:]] for row in rows])
        data = ((values.reshape(-1, 16, 16) + 1) / 2 * 255).astype(np.uint8)
        targets = [int(float(row[0])) - 1 for row in rows]
        self._begin(data, targets, transform, target_transform)


def _split(name: str, got: str, known: Any) -> DataError:
    return DataError(
        f"datasets.{name}", "there is no such part", got=f"split={got!r}",
        need=", ".join(known), at=caller(),
    )  # fmt: skip


SETS = (SVHN, STL10, USPS)
