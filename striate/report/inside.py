"""The section about the inside: the first kernels, and the maps of an image right and one wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .evidence import Evidence
from .markup import figure, grid, heading, image, section
from .pictures import signed, strip
from .results import shown_sample

CHANNELS = 12  # maps of a layer


def inside(run: Evidence) -> str:
    """Return the first kernels before and after training, and the maps of two images."""
    content = [_kernels(run), *_two_images(run)]
    return section("inside", "Inside", *content) if any(content) else ""


def _kernels(run: Evidence) -> str:
    if run.kernels is None:
        return ""
    layer, now, before = run.kernels
    if now.ndim != 4:
        return ""
    parts = [("after training", now)]
    if before is not None:
        parts.insert(0, ("before training", before))
    peak = float(max(np.nan_to_num(np.abs(one.sum(-2))).max() for _, one in parts)) or 1.0
    columns = []
    for name, values in parts:
        flat = values.sum(-2)
        drawn = [
            image(signed(flat[..., n], peak), f"kernel {n}") for n in range(min(64, flat.shape[-1]))
        ]
        columns.append(f'<div><p class="soft">{name}</p>{grid(drawn, "kernels")}</div>')
    height, width, channels, filters = now.shape
    note = (
        f"The {filters} kernels of {layer}, {height} x {width}"
        + (f", summed over {channels} channels" if channels > 1 else "")
        + ": blue adds, orange takes away."
    )
    return heading("First kernels", note) + f'<div class="two">{"".join(columns)}</div>\n'


def _two_images(run: Evidence) -> list[str]:
    """Return the maps of one image that is right and one that is wrong."""
    if run.mistakes is None or run.pictures is None:
        return []
    right = np.flatnonzero(run.mistakes.labels == run.mistakes.said)[:1]
    wrong = run.mistakes.worst(1) if len(run.mistakes.wrong) else run.mistakes.wrong
    found = []
    for name, chosen in (("An image that is right", right), ("The worst mistake", wrong)):
        for sample in chosen.tolist():
            shown = _maps(run, sample)
            if shown:
                found.append(_one_image(run, name, sample, shown))
    return found


def _one_image(run: Evidence, name: str, sample: int, maps: Sequence[str]) -> str:
    pictures, *lines = shown_sample(run, sample, run.heats([sample]).get(sample))
    note = f"{', '.join(lines)}. Of each layer, the {CHANNELS} strongest maps, on one scale."
    first = f'<div style="max-width:12rem">{pictures}</div>'
    return heading(name, note) + f'{first}<div class="maps">{"".join(maps)}</div>\n'


def _maps(run: Evidence, sample: int) -> list[str]:
    found = run.maps(sample)
    shown, before = [], None
    for one in found.maps if found is not None else ():
        if one.values.ndim != 3 or max(one.values.shape[:2]) < 2:
            continue
        if before is not None and np.array_equal(before, one.values):
            continue  # dropout and augmentation leave an image as it is
        before = one.values
        order = np.argsort(-np.abs(one.values).mean((0, 1)), kind="stable")[:CHANNELS]
        drawn = strip([one.values[..., n] for n in order])
        size = " x ".join(map(str, one.values.shape))
        shown.append(figure(image(drawn, f"maps of {one.layer}", "strip"), one.layer, size))
    return shown
