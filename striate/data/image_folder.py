"""Image folder: a folder of images as arrays to train on, divided by a seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, DataError, one_of
from ..settings import check_range
from .folder import PARTS, File, Folder
from .image import pixels
from .image_files import heads, listed, read

Pair = tuple[NDArray[np.uint8], NDArray[np.int64]]
MODES = {"grayscale": 1, "rgb": 3}
MAX_BYTES = 2 * 2**30  # of the pixels of all images: 14,000 of 224 x 224 in colour


@dataclass(frozen=True)
class ImageFolder:
    """A folder of images in memory.

    Fields: `classes`; `folder`, what was found in it, its files with the part that each went into;
    `image_size` (height, width); `channels`, 1 or 3; `train`, `validation`, `test`: images
    (N, height, width, channels), bytes of 0 to 255, and class numbers (N,), in an order drawn from
    the seed, each of them empty where it was not wanted.
    """

    classes: tuple[str, ...]
    folder: Folder
    image_size: tuple[int, int]
    channels: int
    train: Pair
    validation: Pair
    test: Pair

    @cached_property
    def resized(self) -> int:
        """Number of images that had another size."""
        return sum((file.height, file.width) != self.image_size for file in self.folder.files)

    def facts(self) -> dict[str, Any]:
        """Return what is in the folder and what was made of it, as JSON takes it."""
        more = {"image_size": list(self.image_size), "resized": self.resized}
        return self.folder.facts() | more | {"channels": self.channels}

    def __str__(self) -> str:
        height, width = self.image_size
        colours = "grey" if self.channels == 1 else "colour"
        told = f"{self.resized:,} images resized by bilinear filtering" if self.resized else "as is"
        return f"{self.folder}\nused as: {height} x {width} in {colours}, {told}"


def image_folder(
    folder: str | Path,
    image_size: Sequence[int] | None = None,
    color_mode: str | None = None,
    validation: float = 0.1,
    test: float = 0.1,
    seed: int = 0,
    max_bytes: int = MAX_BYTES,
) -> ImageFolder:
    """Read a folder of images, with a folder for each class.

    It may be divided into `train`, `validation` and `test`, each with the folders of the classes.
    `image_size` is (height, width): an image of another size is brought to it by bilinear
    filtering, its sides apart, as `predict` does; None where all have one size. `color_mode` is
    "rgb" or "grayscale"; None is grey where all images are.

    `validation` and `test` are the share of each class that becomes that part, at least one image,
    where the folder has no part of that name; 0 for none. Files that are equal byte for byte stay
    in one part, and the same `seed` divides the same folder in the same way. `max_bytes` is what
    all images may take in memory; reading them takes up to twice as much.

    What cannot be read is left out and listed in `images.folder.skipped`; `print(images)` says so.

    ```python
    images = st.data.image_folder("flowers", image_size=(64, 64))
    model.fit(*images.train, validation_data=images.validation)
    model.evaluate(*images.test)
    ```

    Raises: DataError for a folder that is no data set, for sizes that differ without `image_size`,
    for a class of one image, and for more pixels than `max_bytes`.
    """
    if color_mode is not None:
        one_of("image_folder", "color_mode", color_mode, MODES)
    for name, share in (("validation", validation), ("test", test)):
        check_range("image_folder", name, share, "[0, 1)", 0.1)
    found = heads(listed(folder))
    height, width = _size(found, image_size)
    channels = MODES[color_mode] if color_mode else found.channels
    _fits(found, (height, width, channels), max_bytes)
    x = np.empty((len(found.files), height, width, channels), dtype=np.uint8)

    def keep(at: int, image: Any) -> None:
        x[at] = pixels(image, height, width, channels)

    places = {file.name: at for at, file in enumerate(found.files)}
    good = _divided(read(found, found, keep), {"validation": validation, "test": test}, seed)
    order = np.random.default_rng(seed).permutation(len(good.files))
    parts = {}
    for part in PARTS:
        own = [good.files[at] for at in order if good.files[at].part == part]
        y = np.array([file.label for file in own], dtype=np.int64)
        parts[part] = (x[[places[file.name] for file in own]], y)
    return ImageFolder(good.classes, good, (height, width), channels, **parts)


def _size(folder: Folder, image_size: Sequence[int] | None) -> tuple[int, int]:
    if image_size is not None:
        sides = tuple(image_size) if isinstance(image_size, (list, tuple)) else ()
        if len(sides) != 2 or not all(type(side) is int and side > 0 for side in sides):
            raise ConfigError(
                "image_folder",
                f"image_size={image_size!r} is no size",
                need="(height, width) in pixels, two whole numbers above 0",
                fix="image_size=(64, 64)",
            )
        return sides[0], sides[1]
    sizes = folder.sizes
    if len(sizes) == 1:
        return sizes[0][0], sizes[0][1]
    side = min(224, max(16, 16 * round(np.median([math.sqrt(f.height * f.width)
                                                  for f in folder.files]) / 16)))  # fmt: skip
    shown = ", ".join(f"{h} x {w} ({many:,})" for h, w, many in sizes[:4])
    raise DataError(
        folder.root,
        f"the images have {len(sizes):,} sizes, and a network takes one",
        got=shown + (", ..." if len(sizes) > 4 else ""),
        need="image_size=(height, width), to which all are brought",
        fix=f"image_size=({side}, {side})",
    )


def _fits(folder: Folder, shape: tuple[int, int, int], most: int) -> None:
    """Raise DataError where the images take more memory than was allowed."""
    count = len(folder.files)
    need = count * math.prod(shape)
    if need > most:
        height, width, channels = shape
        smaller = math.sqrt(most / need)
        raise DataError(
            folder.root,
            "the images do not fit into the memory that they may take",
            got=f"{need:,} bytes",
            need=f"at most max_bytes={most:,}",
            math=f"{count:,} * {height} * {width} * {channels} = {need:,}",
            fix=f"image_size=({max(int(height * smaller), 1)}, {max(int(width * smaller), 1)}), "
            f"or max_bytes={need} where there is memory for twice as much",
        )


def _divided(folder: Folder, shares: dict[str, float], seed: int) -> Folder:
    """Return the folder with files of `train` moved to the parts that it has no folders for."""
    wanted = {part: share for part, share in shares.items() if share and part not in folder.given}
    part_of: dict[str, str] = {}
    for label, name in enumerate(folder.classes if wanted else ()):
        own = [file for file in folder.files if (file.label, file.part) == (label, "train")]
        digests = list(dict.fromkeys(file.digest for file in own if file.digest not in part_of))
        if len(digests) < 2:
            raise _one_image(folder, name, own, wanted)
        order = np.random.default_rng([seed, label]).permutation(len(digests))
        start = 0
        for part, share in reversed(wanted.items()):
            many = min(max(1, round(share * len(digests))), len(digests) - 1 - start)
            part_of |= {digests[at]: part for at in order[start : start + many]}
            start += many
        part_of |= {digests[at]: "train" for at in order[start:]}
    files = tuple(
        replace(file, part=part_of.get(file.digest, "train")) if file.part == "train" else file
        for file in folder.files
    )
    return replace(folder, files=files)


def _one_image(
    folder: Folder, name: str, own: Sequence[File], wanted: dict[str, float]
) -> DataError:
    same = f"{len(own)} files that are the same image: " if len(own) > 1 else ""
    nothing = ", ".join(f"{part}=0" for part in wanted)
    return DataError(
        f"{folder.root}, class {name!r}",
        "has one image, which cannot be both learned from and tested on",
        got=same + ", ".join(file.name for file in own[:3]),
        need=f"at least 2 images, {len(wanted) + 1} for a part each",
        fix=f"more images of it, or {nothing}, to train on all of them",
    )
