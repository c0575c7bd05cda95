"""All data sets of torchvision by their names, and the functions beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...errors import DataError, caller
from .datasets import CIFAR10, CIFAR100, EMNIST, KINDS, KMNIST, MNIST, FashionMNIST
from .datasets_files import SETS
from .datasets_folders import (
    DatasetFolder,
    FakeData,
    ImageFolder,
    Omniglot,
    VisionDataset,
    default_loader,
    find_classes,
    make_dataset,
)


def names(limit: int | None) -> dict[str, Any]:
    """Return the data sets, and others, of at most `limit` samples each."""
    made = (
        *SETS,
        MNIST,
        FashionMNIST,
        KMNIST,
        EMNIST,
        CIFAR10,
        CIFAR100,
        DatasetFolder,
        ImageFolder,
        Omniglot,
    )
    if limit is None:
        limited: dict[str, Any] = {one.__name__: one for one in made}
    else:
        limited = {one.__name__: type(one.__name__, (one,), {"limit": limit}) for one in made}
    return {**limited, "FakeData": FakeData, "VisionDataset": VisionDataset}


def check_integrity(fpath: Any, md5: str | None = None) -> bool:
    """Return whether a file is there, and has this checksum."""
    path = Path(fpath)
    if not path.is_file():
        return False
    return md5 is None or hashlib.md5(path.read_bytes()).hexdigest() == md5


def download_url(url: str, root: Any, filename: str | None = None, md5: str | None = None,
                 max_redirect_hops: int = 3) -> None:  # fmt: skip
    """Do nothing where the file is there; nothing is fetched."""
    path = Path(root) / (filename or url.rpartition("/")[2])
    if not check_integrity(path, md5):
        raise DataError(
            str(path), "is not here, and nothing is fetched for a script",
            got=url, need="the published file" + (f", md5 {md5}" if md5 else ""),
            fix=f"put it at {path}", at=caller(),
        )  # fmt: skip


def download_and_extract_archive(url: str, download_root: Any, extract_root: Any = None,
                                 filename: str | None = None, md5: str | None = None,
                                 remove_finished: bool = False) -> None:  # fmt: skip
    """Do nothing where the archive has been unpacked already; nothing is fetched."""
    name = filename or url.rpartition("/")[2]
    unpacked = Path(extract_root or download_root) / name.partition(".")[0]
    if not unpacked.exists():
        download_url(url, unpacked.parent, unpacked.name)


def _listed(keep: Callable[[Path], bool]) -> Callable[..., list[str]]:
    def listed(root: Any, suffix: str = "", prefix: bool = False) -> list[str]:
        """Return the names in a folder, or their paths."""
        found = sorted(one for one in Path(root).iterdir() if keep(one))
        return [str(one) if prefix else one.name for one in found if one.name.endswith(suffix)]

    return listed


def has_file_allowed_extension(filename: str, extensions: Any) -> bool:
    """Return whether a name ends in one of some ways."""
    ends = extensions if isinstance(extensions, str) else tuple(extensions)
    return filename.lower().endswith(ends)


FOLDER: dict[str, Any] = {
    "default_loader": default_loader, "make_dataset": make_dataset, "find_classes": find_classes,
    "has_file_allowed_extension": has_file_allowed_extension, "pil_loader": default_loader,
    "is_image_file": lambda filename: has_file_allowed_extension(filename, KINDS),
    "IMG_EXTENSIONS": KINDS,
}  # fmt: skip
FILES: dict[str, Any] = {
    "check_integrity": check_integrity, "download_url": download_url,
    "download_and_extract_archive": download_and_extract_archive,
    "list_files": _listed(Path.is_file), "list_dir": _listed(Path.is_dir),
}  # fmt: skip
