"""torchvision's data sets of folders, of noise, and what a script's own are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from PIL import Image
from torch.utils.data import Dataset

from ...errors import DataError, caller
from ..picture_files import picture
from ..strict import Strict
from .datasets import KINDS, Change, absent, described


class StandardTransform:
    """Changes of an image and of its target, together."""

    def __init__(self, transform: Change = None, target_transform: Change = None) -> None:
        self.transform, self.target_transform = transform, target_transform

    def __call__(self, input: Any, target: Any) -> tuple[Any, Any]:
        """Return both, each changed."""
        image = input if self.transform is None else self.transform(input)
        return image, target if self.target_transform is None else self.target_transform(target)


class VisionDataset(Dataset[Any]):
    """What data sets of a script's own are made of: a folder, and changes of images and targets."""

    _repr_indent = 4

    def __init__(self, root: Any = None, transforms: Change = None, transform: Change = None,
                 target_transform: Change = None) -> None:  # fmt: skip
        self.root = str(root)
        self.transform, self.target_transform = transform, target_transform
        together: Any = transforms or self._both
        self.transforms: Callable[[Any, Any], tuple[Any, Any]] = together

    def _both(self, image: Any, target: Any) -> tuple[Any, Any]:
        """Return image and target, each changed."""
        image = image if self.transform is None else self.transform(image)
        return image, target if self.target_transform is None else self.target_transform(target)

    def __repr__(self) -> str:
        return described(self)


def find_classes(directory: Any) -> tuple[list[str], dict[str, int]]:
    """Return the folders of a folder in the order of their names, and their numbers."""
    folder = Path(directory)
    found = sorted(one.name for one in folder.iterdir() if one.is_dir()) if folder.is_dir() else []
    return found, {name: number for number, name in enumerate(found)}


def make_dataset(directory: Any, class_to_idx: dict[str, int] | None = None,
                 extensions: Any = None, is_valid_file: Callable[[str], bool] | None = None,
                 allow_empty: bool = False) -> list[tuple[str, int]]:  # fmt: skip
    """Return the files of a folder for each class, with the number of the class."""
    ends = (extensions,) if isinstance(extensions, str) else tuple(extensions or KINDS)
    fits = is_valid_file or (lambda path: path.lower().endswith(ends))
    return [
        (str(path), number)
        for name, number in (class_to_idx or find_classes(directory)[1]).items()
        for path in sorted((Path(directory) / name).rglob("*"))
        if path.is_file() and fits(str(path))
    ]


class DatasetFolder(VisionDataset, metaclass=Strict):
    """Files in a folder for each class, read by `loader`."""

    limit: ClassVar[int | None] = None

    def __init__(self, root: Any, loader: Callable[[str], Any], extensions: Sequence[str] = KINDS,
                 transform: Change = None, target_transform: Change = None,
                 is_valid_file: Callable[[str], bool] | None = None) -> None:  # fmt: skip
        super().__init__(root, None, transform, target_transform)
        self.loader, self.extensions = loader, extensions
        self.classes, self.class_to_idx = self.find_classes(root)
        self.samples = make_dataset(root, self.class_to_idx, extensions, is_valid_file)
        if not self.samples:
            raise DataError(
                f"datasets.{type(self).__name__}",
                "there are no images",
                got=f"{root}: " + (", ".join(self.classes) or "no folders"),
                need="a folder for each class, with images in it",
                at=caller(),
            )
        if self.limit is not None:
            step = max(1, len(self.samples) // self.limit)  # some of every class
            self.samples = self.samples[::step][: self.limit]
        self.imgs, self.targets = self.samples, [number for _, number in self.samples]

    def __len__(self) -> int:
        return len(self.samples)

    def find_classes(self, directory: Any) -> tuple[list[str], dict[str, int]]:
        """Return the classes and their numbers; a class below may say others."""
        return find_classes(directory)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, target = self.samples[index]
        return self._both(self.loader(path), target)


def default_loader(path: str) -> Image.Image:
    """Return the picture of a file, in colours."""
    image: Image.Image = picture(path).convert("RGB")
    return image


class ImageFolder(DatasetFolder):
    """Pictures in a folder for each class."""

    def __init__(self, root: Any, transform: Change = None, target_transform: Change = None,
                 loader: Callable[[str], Any] = default_loader,
                 is_valid_file: Callable[[str], bool] | None = None) -> None:  # fmt: skip
        super().__init__(root, loader, KINDS, transform, target_transform, is_valid_file)


class Omniglot(VisionDataset, metaclass=Strict):
    """Characters of many alphabets, each drawn by twenty people, from omniglot-py in `root`.

    A class is a character. Source: Lake et al., Human-level concept learning, 2015.
    """

    limit: ClassVar[int | None] = None

    def __init__(self, root: Any, background: bool = True, transform: Change = None,
                 target_transform: Change = None, download: bool = False,
                 loader: Callable[[str], Any] | None = None) -> None:  # fmt: skip
        part = "images_background" if background else "images_evaluation"
        super().__init__(Path(root) / "omniglot-py", None, transform, target_transform)
        self.background, self.loader = background, loader
        self.target_folder = str(Path(self.root) / part)
        characters = sorted(one for one in Path(self.target_folder).glob("*/*") if one.is_dir())
        if not characters:
            raise absent("Omniglot", Path(self.target_folder), "a folder for each alphabet")
        self._alphabets = sorted({one.parent.name for one in characters})
        self._characters = [f"{one.parent.name}/{one.name}" for one in characters]
        files = [(str(path), number) for number, one in enumerate(characters)
                 for path in sorted(one.glob("*.png"))]  # fmt: skip
        step = 1 if self.limit is None else max(1, len(files) // self.limit)
        self._flat_character_images = files[::step][: self.limit]

    def __len__(self) -> int:
        return len(self._flat_character_images)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, target = self._flat_character_images[index]
        image = Image.open(path).convert("L") if self.loader is None else self.loader(path)
        return self._both(image, target)


class FakeData(Dataset[Any], metaclass=Strict):
    """Pictures of noise, the same ones each time."""

    def __init__(self, size: int = 1000, image_size: tuple[int, int, int] = (3, 224, 224),
                 num_classes: int = 10, transform: Change = None, target_transform: Change = None,
                 random_offset: int = 0) -> None:  # fmt: skip
        self.size, self.image_size, self.num_classes = size, image_size, num_classes
        self.transform, self.target_transform = transform, target_transform
        self.random_offset = random_offset

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if index >= self.size:
            raise IndexError(f"{index} of {self.size}")
        generator = torch.Generator().manual_seed(index + self.random_offset)
        pixels = torch.randn(self.image_size, generator=generator)
        target: Any = int(torch.randint(self.num_classes, (1,), generator=generator))
        array = pixels.mul(255).byte().permute(1, 2, 0).numpy()
        image: Any = Image.fromarray(array[..., 0] if array.shape[-1] == 1 else array)
        image = image if self.transform is None else self.transform(image)
        return image, target if self.target_transform is None else self.target_transform(target)
