"""Image files: the files of a folder, each decoded once, or left out with a reason."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

from ..errors import DataError
from .folder import PARTS, File, Folder, Skipped
from .image import FORMATS, MAX_BYTES, MAX_PIXELS, decoded

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")
MOVING = ("GIF", "PNG", "WEBP", "TIFF")  # formats in which several pictures follow each other
GREY = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N")
Of = TypeVar("Of")


def check_folder(folder: str | Path) -> Folder:
    """Look at every file of a folder of images, and say what is in it.

    `folder` holds a folder for each class, or `train`, `validation` and `test` with one for each
    class. Every image is decoded: of what cannot be read the name and the reason are kept, as of
    animations and of files that are no images.

    ```python
    print(st.data.check_folder("flowers"))
    ```

    Raises: DataError for a folder that is no data set: empty, without images, of one class.
    """
    found = listed(folder)
    return read(found, heads(found))


def listed(folder: str | Path) -> Folder:
    """Return the files of a folder by their names alone, with their classes and parts."""
    root = Path(folder)
    if not root.is_dir():
        raise DataError(
            str(folder),
            "is not a folder" if root.exists() else "there is no such folder",
            need="a folder that holds a folder of images for each class",
            fix="check the path",
        )
    parts = _parts(root)
    beside = [name for name in _names(root) if root / name not in (p for _, p in parts)]
    skipped = [
        Skipped(path.relative_to(root).as_posix(), "is not in the folder of a class")
        for name in (beside if parts[0][1] != root else ())
        for path in _files(root / name)
    ]
    names = _names(parts[0][1])
    files: list[File] = []
    for part, place in parts:
        _same_classes(root, place, names)
        skipped += [
            Skipped(path.relative_to(root).as_posix(), "is not in the folder of a class")
            for path in sorted(place.iterdir())
            if path.is_file() and not _hidden(path.name)
        ]
        for label, name in enumerate(names):
            for path in _files(place / name):
                told = path.relative_to(root).as_posix()
                if path.suffix.lower() in SUFFIXES:
                    files.append(File(told, label, part))
                else:
                    kind = path.suffix or "no ending"
                    skipped.append(Skipped(told, f"is no image by its name ({kind})"))
    found = Folder(str(folder), tuple(names), tuple(files), tuple(skipped))
    _enough(found)
    return found


def heads(folder: Folder) -> Folder:
    """Return the folder with the size and the colours of each image, read from its head."""

    def head(file: File) -> File | Skipped:
        from PIL import Image, UnidentifiedImageError

        path = Path(folder.root) / file.name
        try:
            if path.stat().st_size > MAX_BYTES:
                return Skipped(file.name, f"has more than {MAX_BYTES:,} bytes")
            with Image.open(path, formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    return Skipped(file.name, f"has more than {MAX_PIXELS:,} pixels")
                if image.format in MOVING and getattr(image, "n_frames", 1) > 1:
                    return Skipped(file.name, "is animated, or several pictures in one")
                if image.mode == "F":
                    return Skipped(file.name, "has floating-point pixels")
                turned = image.getexif().get(0x0112, 1) > 4  # on its side
                width, height = image.size[::-1] if turned else image.size
                return replace(file, height=height, width=width, grey=image.mode in GREY)
        except UnidentifiedImageError:
            return Skipped(file.name, "is not an image" if path.stat().st_size else "is empty")
        except Exception as error:  # a damaged file raises anything
            return Skipped(file.name, f"cannot be read: {_said(error)}")

    return _sorted_out(folder, _each(head, folder.files))


def read(folder: Folder, heads: Folder, use: Callable[[int, Any], None] | None = None) -> Folder:
    """Return the folder with a hash of each image, every one decoded.

    `use` is given the place of each image among the files of `heads`, and the image.
    """

    def whole(numbered: tuple[int, File]) -> File | Skipped:
        at, file = numbered
        try:
            data = (Path(folder.root) / file.name).read_bytes()
            image = decoded(BytesIO(data), file.name)
        except DataError as error:
            return Skipped(file.name, f"cannot be read: {error.rows.get('got', error.what)}")
        except OSError as error:
            return Skipped(file.name, f"cannot be read: {_said(error)}")
        if use is not None:
            use(at, image)
        return replace(file, digest=hashlib.blake2b(data, digest_size=16).hexdigest())

    return _sorted_out(heads, _each(whole, enumerate(heads.files)))


def _sorted_out(folder: Folder, found: Iterable[File | Skipped]) -> Folder:
    """Return the folder with the files that are good; the others are left out."""
    all_ = list(found)
    files = tuple(one for one in all_ if isinstance(one, File))
    bad = tuple(one for one in all_ if isinstance(one, Skipped))
    left = Folder(folder.root, folder.classes, files, folder.skipped + bad)
    _enough(left)
    return left


def _each(do: Callable[[Any], Of], items: Iterable[Any]) -> list[Of]:
    """Return what is done to each item, in order; Pillow decodes without Python's lock."""
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 8)) as pool:
        return list(pool.map(do, items))


def _parts(root: Path) -> list[tuple[str, Path]]:
    """Return the parts that a folder is divided into, with their folders."""
    found = [
        (part, root / name)
        for part, names in PARTS.items()
        for name in [next((one for one in names if (root / one).is_dir()), "")]
        if name
    ]
    return found if found and found[0][0] == "train" else [("train", root)]


def _names(place: Path) -> list[str]:
    return sorted(item.name for item in place.iterdir() if item.is_dir() and not _hidden(item.name))


def _files(place: Path) -> list[Path]:
    """Return the files below a folder, in order."""
    inside = [path for path in place.rglob("*") if path.is_file()] if place.is_dir() else []
    return sorted(p for p in inside if not any(map(_hidden, p.relative_to(place).parts)))


def _hidden(name: str) -> bool:
    return name.startswith((".", "__"))


def _same_classes(root: Path, place: Path, names: list[str]) -> None:
    new = sorted(set(_names(place)) - set(names))
    if new:
        raise DataError(
            str(place),
            f"has classes that training does not see: {', '.join(new[:5])}",
            need="the classes of " + str(root / "train") + ": " + ", ".join(names[:10]),
            fix="name the folders alike in all parts",
        )


def _enough(folder: Folder) -> None:
    """Raise DataError where what there is cannot be learned from."""
    need = "a folder for each class, with images in it: cat/1.jpg, dog/2.png"
    if not folder.classes:
        loose = sum(1 for _ in _files(Path(folder.root)))
        raise DataError(
            folder.root,
            "has no folders of classes" if loose else "is empty",
            got=f"{loose:,} files beside each other" if loose else "",
            need=need,
        )
    if not folder.files:
        first = folder.skipped[0] if folder.skipped else None
        raise DataError(
            folder.root,
            "has no image that can be read",
            got=f"{len(folder.skipped):,} files; {first.name} {first.why}" if first else "",
            need=f"{need}; {', '.join(FORMATS)}",
        )
    if len(folder.classes) == 1:
        raise DataError(
            folder.root,
            "has one class, and there is nothing to tell it from",
            got=folder.classes[0],
            need=need,
            fix="a second folder beside it, of images that are something else",
        )
    for name, many in zip(folder.classes, folder.counts("train"), strict=True):
        if not many:
            first = next((s for s in folder.skipped if f"{name}/" in s.name), None)
            raise DataError(
                f"{folder.root}, class {name!r}",
                "has no image that can be read",
                got=f"{first.name} {first.why}" if first else "an empty folder",
                fix="put images into it, or delete it",
            )


def _said(error: Exception) -> str:
    told = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (told.splitlines() or [type(error).__name__])[0][:100]
