"""Folder: what is in a folder of images: classes, sizes, duplicates, and what is left out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

PARTS = {  # of a divided data set, and what their folders are called
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val"),
    "test": ("test", "testing"),
}
FEW, RARE = 10, 10  # images of a class; times fewer than the most frequent class


@dataclass(frozen=True)
class File:
    """An image: `name` below the folder, `label`, `part`, its size in pixels, `grey`, its hash."""

    name: str
    label: int
    part: str
    height: int = 0
    width: int = 0
    grey: bool = False
    digest: str = ""


@dataclass(frozen=True)
class Skipped:
    """A file that is left out, and why."""

    name: str
    why: str


@dataclass(frozen=True)
class Folder:
    """What is in a folder of images, every file decoded once.

    Fields: `root`; `classes`, in alphabetical order; `files`, the images that can be read;
    `skipped`, the files that are left out, each with the reason.
    """

    root: str
    classes: tuple[str, ...]
    files: tuple[File, ...]
    skipped: tuple[Skipped, ...]

    @property
    def given(self) -> tuple[str, ...]:
        """Parts that the folder is divided into; "train" alone where it is not."""
        present = {file.part for file in self.files}
        return tuple(part for part in PARTS if part in present)

    @property
    def channels(self) -> int:
        """1 where every image is grey, else 3."""
        return 1 if all(file.grey for file in self.files) else 3

    @property
    def sizes(self) -> list[tuple[int, int, int]]:
        """Height, width and number of images of that size, the most frequent first."""
        found = Counter((file.height, file.width) for file in self.files)
        return [(*size, many) for size, many in sorted(found.items(), key=lambda i: (-i[1], i[0]))]

    @property
    def duplicates(self) -> list[tuple[File, ...]]:
        """Files that are the same, byte for byte, group by group."""
        groups: dict[str, list[File]] = defaultdict(list)
        for file in self.files:
            groups[file.digest].append(file)
        return [tuple(group) for group in groups.values() if len(group) > 1]

    def counts(self, part: str) -> list[int]:
        """Return the number of images of each class in a part."""
        found = Counter(file.label for file in self.files if file.part == part)
        return [found[label] for label in range(len(self.classes))]

    def facts(self) -> dict[str, Any]:
        """Return everything as JSON takes it; of sizes the first 500, of files the first 200."""
        twice = self.duplicates
        return {
            "folder": self.root,
            "classes": list(self.classes),
            "counts": {part: self.counts(part) for part in self.given},
            "channels": self.channels,
            "sizes": [list(size) for size in self.sizes[:500]],
            "sizes_total": len(self.sizes),
            "skipped": [[one.name, one.why] for one in self.skipped[:200]],
            "skipped_total": len(self.skipped),
            "duplicates": [[file.name for file in group] for group in twice[:200]],
            "duplicates_total": sum(len(group) - 1 for group in twice),
            "notes": list(self.notes()),
        }

    def notes(self) -> Iterator[str]:
        """Yield what should be looked at before training."""
        if self.skipped:
            why = Counter(one.why for one in self.skipped).most_common(3)
            told = ", ".join(f"{many:,} {reason}" for reason, many in why)
            yield f"{len(self.skipped):,} files are left out: {told}"
        for group in self.duplicates:
            labels = {file.label for file in group}
            if len(labels) > 1:
                named = " and ".join(file.name for file in group[:3])
                yield f"{named} are the same image with different classes: delete the wrong one"
            elif len({file.part for file in group}) > 1:
                named = " and ".join(file.name for file in group[:3])
                yield f"{named} are the same image: a test on what was learned proves nothing"
        counts = self.counts("train")
        most = max(counts)
        for name, many in zip(self.classes, counts, strict=True):
            if many < FEW or many * RARE < most:
                yield f"class {name!r} has {many:,} images, the largest class {most:,}"
        for part in self.given[1:]:
            for name, many in zip(self.classes, self.counts(part), strict=True):
                if not many:
                    yield f"class {name!r} has no image in {part}"

    def __str__(self) -> str:
        parts = self.given
        wide = max(len(name) for name in (*self.classes, "class"))
        rows = [("class", parts), *zip(self.classes, zip(*map(self.counts, parts), strict=True),
                                       strict=True)]  # fmt: skip
        lines = [f"{self.root}: {len(self.files):,} images of {len(self.classes)} classes, "
                 f"{'grey' if self.channels == 1 else 'colour'}"]  # fmt: skip
        lines += [
            f"  {name:<{wide}}" + "".join(f"{_number(cell):>12}" for cell in cells)
            for name, cells in rows
        ]
        sizes = [f"{h} x {w} ({many:,})" for h, w, many in self.sizes[:6]]
        more = len(self.sizes) - len(sizes)
        lines.append(f"sizes (height x width): {', '.join(sizes)}" + f", {more} more" * bool(more))
        lines += [f"left out: {one.name}: {one.why}" for one in self.skipped[:20]]
        if len(self.skipped) > 20:
            lines.append(f"left out: {len(self.skipped) - 20:,} files more")
        lines += ["equal: " + ", ".join(file.name for file in one) for one in self.duplicates[:20]]
        if len(self.duplicates) > 20:
            lines.append(f"equal: {len(self.duplicates) - 20:,} groups more")
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes())])


def _number(cell: Any) -> str:
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
