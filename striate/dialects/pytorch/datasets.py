"""torchvision's data sets: MNIST from the package, others from files or the one store of data sets.

Samples go through the transforms one by one; where those are ToTensor and Normalize alone, a batch
goes through them at once, with the same numbers.
"""

from __future__ import annotations

import functools
import io
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from ...data.datasets import class_names, fetch, mnist
from ...data.idx import read_idx, read_idx_pair
from ...errors import DataError, caller
from ...lower.runtime import library
from ..strict import Strict
from .datasets_words import EMNIST_CLASSES, HUNDRED, KMNIST_FILES
from .functional import normalize
from .transforms import Compose, Normalize, ToTensor

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
KINDS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
Table = NDArray[np.float32]
Change = Callable[[Any], Any] | None
Parts = tuple[fetch.Part, fetch.Part] | None  # for training and for testing


class Images(Dataset[Any], metaclass=Strict):
    """Images in memory: `data` (N, H, W) or (N, H, W, C) of bytes, `targets`, `classes`."""

    limit: ClassVar[int | None] = None  # of samples, what `striate run` was asked
    classes: Sequence[str] = ()  # names, in the order of the targets

    data: Any
    targets: Any
    root: Any = ""
    train: bool | None = None
    transform: Change = None

    def _begin(self, data: Any, targets: Any, transform: Change, target_transform: Change) -> None:
        self.data, self.targets = data[: self.limit], targets[: self.limit]
        self.transform, self.target_transform = transform, target_transform

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        split = {None: "", True: "    Split: Train\n", False: "    Split: Test\n"}[self.train]
        return described(self, split)

    def picture(self, index: int) -> Image.Image:
        """Return an image as a picture."""
        return Image.fromarray(np.asarray(self.data[index]))

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image: Any = self.picture(index)
        target = int(self.targets[index])
        if self.transform is not None:
            image = self.transform(image)
        return image, target if self.target_transform is None else self.target_transform(target)

    def __getitems__(self, indices: Sequence[int]) -> list[tuple[Any, Any]]:
        """Return several samples, as a loader asks for them."""
        whole = self.batch(indices)
        if whole is None:
            return [self[index] for index in indices]
        images, labels = whole
        return list(zip(images.unbind(), labels.tolist(), strict=True))

    def batch(self, indices: Sequence[int] | NDArray[np.int64]) -> list[Tensor] | None:
        """Return several samples as one, or None where each of them needs Python code."""
        own = type(self).__getitem__ is Images.__getitem__ and self.target_transform is None
        plain = plainly(self.transform) if own else None
        data = self.data if isinstance(self.data, Tensor) else torch.as_tensor(self.data)
        if plain is None or data.dtype is not torch.uint8:
            return None
        chosen = np.array(indices, np.int64)
        batch = _grey(data, chosen, plain) if data.ndim == 3 else None
        if batch is None:
            batch = rows(data, chosen)
            batch = batch[:, None] if batch.ndim == 3 else batch.permute(0, 3, 1, 2).contiguous()
            batch = _changed(batch, plain)
        targets = self.targets
        if not isinstance(targets, Tensor):
            return [batch, torch.tensor([int(targets[index]) for index in indices])]
        return [batch, rows(targets, chosen).long()]

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The number of each class."""
        return {name: number for number, name in enumerate(self.classes)}

    train_data = test_data = property(lambda self: self.data)
    train_labels = test_labels = property(lambda self: self.targets)


def rows(tensor: Tensor, places: Sequence[int] | NDArray[np.int64]) -> Tensor:
    """Return these samples: rows are copied as a whole, which indexing does number by number."""
    given = np.asarray(places, np.int64)
    chosen = torch.from_numpy(given)
    return tensor[chosen] if given.size and given.min() < 0 else tensor.index_select(0, chosen)


def _changed(batch: Tensor, plain: Sequence[Normalize]) -> Tensor:
    """Return bytes as numbers from 0 to 1, and normalized."""
    batch = batch.to(torch.float32).div_(255)
    for change in plain:
        batch = normalize(batch, change.mean, change.std, inplace=True)
    return batch


def _grey(data: Tensor, places: NDArray[np.int64], plain: Sequence[Normalize]) -> Tensor | None:
    """Return images of one channel by a table of what each byte becomes, where it is in reach."""
    native = library()
    if native is None or not data.is_contiguous():
        return None
    numbers = tuple((_floats(one.mean), _floats(one.std)) for one in plain)
    if any(len(several) != 1 for one in numbers for several in one):
        return None
    found = native.look_up(data.numpy(), places, _table(numbers))
    if found is None:
        return None
    return torch.from_numpy(found.reshape(len(found), 1, *found.shape[1:]))


def _floats(numbers: Any) -> tuple[float, ...]:
    """Return a number, or several, as a tuple."""
    return tuple(map(float, numbers)) if isinstance(numbers, (list, tuple)) else _listed(numbers)


def _listed(numbers: Any) -> tuple[float, ...]:
    return tuple(torch.as_tensor(numbers, dtype=torch.float32).reshape(-1).tolist())


@functools.lru_cache(64)
def _table(numbers: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]) -> Table:
    """Return what each byte becomes: normalized by a mean and a deviation, or several in turn."""
    batch = torch.arange(256, dtype=torch.uint8).reshape(256, 1, 1, 1)
    return np.asarray(_changed(batch, [Normalize(*one) for one in numbers]).reshape(-1).numpy())


def described(data: Any, split: str = "") -> str:
    """Return a data set as torchvision prints it."""
    text = f"Dataset {type(data).__name__}\n    Number of datapoints: {len(data)}\n"
    text += f"    Root location: {data.root}\n{split}"
    if data.transform is not None:
        change = repr(data.transform).replace("\n", "\n" + " " * 11)
        text += f"    StandardTransform\nTransform: {change}"
    return text.rstrip("\n")


def plainly(transform: Any) -> list[Normalize] | None:
    """Return the Normalize steps behind a ToTensor, or None where there is anything else."""
    steps: Any = transform.transforms if type(transform) is Compose else [transform]
    if not isinstance(steps, (list, tuple)) or not steps or type(steps[0]) is not ToTensor:
        return None
    return list(steps[1:]) if all(type(step) is Normalize for step in steps[1:]) else None


class MNIST(Images):
    """The digits, which are shipped with the package."""

    classes: Sequence[str] = tuple(f"{number} - {word}" for number, word in enumerate(DIGITS))

    def __init__(
        self,
        root: Any = "",
        train: bool = True,
        transform: Change = None,
        target_transform: Change = None,
        download: bool = False,
    ) -> None:
        self.root, self.train, self.download = root, train, download
        data, targets = self._arrays(Path(root), train)
        self._begin(torch.from_numpy(data), torch.from_numpy(targets).long(),
                    transform, target_transform)  # fmt: skip

    training_file, test_file = "training.pt", "test.pt"  # names that scripts may join to folders

    @property
    def raw_folder(self) -> str:
        """Return where the published files are, or would be."""
        return str(Path(self.root) / type(self).__name__ / "raw")

    @property
    def processed_folder(self) -> str:
        """Return where torchvision kept tensors of them, up to 0.9."""
        return str(Path(self.root) / type(self).__name__ / "processed")

    def _arrays(self, root: Path, train: bool) -> tuple[Any, Any]:
        x, y = mnist()[0 if train else 1]
        return x[..., 0].copy(), y

    def picture(self, index: int) -> Image.Image:
        """Return an image as a picture."""
        return Image.fromarray(self.data[index].numpy())


class FashionMNIST(MNIST):
    """Clothes, from the four published files in `root`/FashionMNIST/raw, or fetched."""

    classes: Sequence[str] = class_names("fashion_mnist")
    parts = ("train", "t10k")
    prefix = ""

    def fetched(self) -> Parts:
        """Return the data set from the one store, where that has it."""
        return fetch.fashion_mnist()

    def _arrays(self, root: Path, train: bool) -> tuple[Any, Any]:
        part = self.prefix + self.parts[0 if train else 1]
        names = f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"
        title = type(self).__name__
        folder = root / title / "raw"
        found = [_file((folder, folder.parent, root), name) for name in names]
        both = self.fetched() if None in found and self.download else None
        if both is not None:
            x, y = both[0 if train else 1]
            return x[..., 0].copy(), y
        if None in found:
            raise absent(title, folder, f"{names[0]}.gz and {names[1]}.gz")
        x, y = (read_idx(path) for path in found if path is not None)
        return x, y


class KMNIST(FashionMNIST):
    """Cursive Japanese, from the four published files in `root`/KMNIST/raw."""

    classes: Sequence[str] = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")

    def fetched(self) -> Parts:
        """Return the data set, fetched from its authors once."""
        into = fetch.folder() / "kmnist"
        paths = [fetch.fetch(file, into) for file in KMNIST_FILES]
        (x, y), (x_test, y_test) = (read_idx_pair(*pair) for pair in (paths[:2], paths[2:]))
        return (x[..., None], y), (x_test[..., None], y_test)


class EMNIST(FashionMNIST):
    """Letters and digits, from the published files in `root`/EMNIST/raw."""

    parts = ("train", "test")

    def fetched(self) -> Parts:
        """Return nothing: its files are the script's."""
        return None

    def __init__(self, root: Any, split: str, **words: Any) -> None:
        self.prefix, self.classes = f"emnist-{split}-", EMNIST_CLASSES.get(split, ())
        super().__init__(root, **words)


def _file(folders: Sequence[Path], name: str) -> Path | None:
    places = (folder / one for folder in folders for one in (name, f"{name}.gz"))
    return next((place for place in places if place.is_file()), None)


def absent(name: str, folder: Path, files: str) -> DataError:
    """Return the error for a data set whose files are not there."""
    return DataError(
        f"datasets.{name}",
        "the data set is not on this machine, and nothing is fetched",
        got=f"no such files in {folder}",
        need=files,
        fix=f"put the published files into {folder}; datasets.MNIST is shipped with the package",
        at=caller(),
    )


class CIFAR10(Images):
    """Small photographs of ten kinds, from cifar-10-batches-py in `root`, or fetched."""

    classes: Sequence[str] = class_names("cifar10")
    folder = "cifar-10-batches-py"
    parts = (tuple(f"data_batch_{number}" for number in range(1, 6)), ("test_batch",))
    key = "labels"

    def fetched(self) -> tuple[fetch.Part, fetch.Part]:
        """Return the data set from the one store."""
        return fetch.cifar10()

    def __init__(
        self,
        root: Any,
        train: bool = True,
        transform: Change = None,
        target_transform: Change = None,
        download: bool = False,
    ) -> None:
        self.root, self.train = root, train
        folder = Path(root) / self.folder
        files = [folder / name for name in self.parts[0 if train else 1]]
        if not all(path.is_file() for path in files):
            if not download:
                raise absent(type(self).__name__, folder, ", ".join(path.name for path in files))
            data, labels = self.fetched()[0 if train else 1]
            self._begin(data, labels.tolist(), transform, target_transform)
            return
        batches = [read_batch(path) for path in files]
        rows = np.concatenate([batch["data"] for batch in batches])
        data = rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1).copy()  # (N, H, W, C)
        targets = [int(label) for batch in batches for label in batch[self.key]]
        self._begin(data, targets, transform, target_transform)


class CIFAR100(CIFAR10):
    """Small photographs of a hundred kinds, from cifar-100-python in `root`, or fetched."""

    classes: Sequence[str] = HUNDRED
    folder = "cifar-100-python"
    parts = (("train",), ("test",))
    key = "fine_labels"

    def fetched(self) -> tuple[fetch.Part, fetch.Part]:
        """Return the data set from the one store."""
        return fetch.cifar100()


class _Arrays(pickle.Unpickler):
    """Reads arrays, texts, lists and tables; anything else in the file is refused."""

    ALLOWED: ClassVar[dict[tuple[str, str], tuple[str, str]]] = {
        (f"numpy.{core}.multiarray", "_reconstruct"): ("numpy._core.multiarray", "_reconstruct")
        for core in ("core", "_core")
    } | {("numpy", name): ("numpy", name) for name in ("ndarray", "dtype")}
    ALLOWED["_codecs", "encode"] = ("_codecs", "encode")  # bytes, as Python 3 writes them

    def find_class(self, module: str, name: str) -> Any:
        """Return one of the few functions that make arrays."""
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name}")
        return super().find_class(*self.ALLOWED[module, name])


def read_batch(path: Path) -> dict[str, Any]:
    """Return the table of a batch file of CIFAR, without running what else it may hold."""
    try:
        table: dict[Any, Any] = _Arrays(io.BytesIO(path.read_bytes()), encoding="latin1").load()
    except Exception as error:  # a damaged pickle raises anything
        raise DataError(
            str(path), "is not a batch of CIFAR", got=str(error), fix="fetch the file again"
        ) from None
    return {key.decode() if isinstance(key, bytes) else key: value for key, value in table.items()}
