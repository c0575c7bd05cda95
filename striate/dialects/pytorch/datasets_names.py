"""All data sets of torchvision by their names, and the functions beside them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...data.idx import read_idx
from ...errors import DataError, caller
from .datasets import CIFAR10, CIFAR100, EMNIST, KINDS, KMNIST, MNIST, FashionMNIST
from .datasets_annotated import ANNOTATED
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
from .datasets_listed import LISTED


def names(limit: int | None) -> dict[str, Any]:
    """Return the data sets, and others, of at most `limit` samples each."""
    made = (
        *SETS,
        *LISTED,
        *ANNOTATED,
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


def extract_archive(from_path: Any, to_path: Any = None, remove_finished: bool = False) -> str:
    """Unpack an archive beside itself, or into a folder; return that."""
    folder = Path(to_path) if to_path is not None else Path(from_path).parent
    words: dict[str, Any] = {} if str(from_path).endswith(".zip") else {"filter": "data"}
    shutil.unpack_archive(from_path, folder, **words)
    if remove_finished:
        Path(from_path).unlink()
    return str(folder)


def verify_str_arg(value: Any, arg: str | None = None, valid_values: Any = None,
                   custom_msg: str | None = None) -> Any:  # fmt: skip
    """Return a word if it is one of those that are known."""
    if valid_values is not None and value not in valid_values:
        known = ", ".join(map(repr, valid_values))
        raise ValueError(custom_msg or f"{arg or 'value'}={value!r}: one of {known}")
    return value


def download_file_from_google_drive(file_id: str, root: Any, filename: str | None = None,
                                    md5: str | None = None) -> None:  # fmt: skip
    """Do nothing where the file is there; nothing is fetched."""
    download_url(f"Google Drive: {file_id}", root, filename or file_id, md5)


def read_labels(path: Any) -> Tensor:
    """Return the numbers of a file of MNIST."""
    return torch.from_numpy(read_idx(path).astype(np.int64))


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
    "has_file_allowed_extension": has_file_allowed_extension,
    **dict.fromkeys(("pil_loader", "accimage_loader"), default_loader),
    "is_image_file": lambda filename: has_file_allowed_extension(filename, KINDS),
    "IMG_EXTENSIONS": KINDS,
}  # fmt: skip
MNIST_FILES: dict[str, Any] = {
    "read_image_file": lambda path: torch.from_numpy(read_idx(path)),
    "read_label_file": read_labels,
}  # fmt: skip
FILES: dict[str, Any] = {
    "check_integrity": check_integrity, "download_url": download_url,
    "makedir_exist_ok": lambda dirpath: Path(dirpath).mkdir(parents=True, exist_ok=True),
    "calculate_md5": lambda fpath, chunk_size=0: hashlib.md5(
        Path(fpath).read_bytes()).hexdigest(),
    "download_and_extract_archive": download_and_extract_archive,
    "list_files": _listed(Path.is_file), "list_dir": _listed(Path.is_dir),
    "extract_archive": extract_archive, "verify_str_arg": verify_str_arg,
    "download_file_from_google_drive": download_file_from_google_drive,
    "iterable_to_str": lambda iterable: "'" + "', '".join(map(str, iterable)) + "'",
    "gen_bar_updater": lambda: lambda count, size, total: None,
}  # fmt: skip
