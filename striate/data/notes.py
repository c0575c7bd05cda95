"""What data say about themselves before a network sees them: remarks, none of them an error."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ..core.graph import Graph
from ..core.spec import Spec
from .feed import Tensors

SCALING = ("Rescaling", "Normalization", "BatchNormalization", "Embedding")
LARGE = 20  # times what networks learn well from, or what they were trained on
SAMPLES = 1000  # looked at for the scale; all are for classes and duplicates
RARE = 10  # times fewer samples than the most frequent class
SHOWN = 5  # classes named in a sentence


def reach(x: Tensor) -> float:
    """Return the largest absolute value of the first samples."""
    return float(x[:SAMPLES].abs().max()) if x.numel() else 0.0


def scale(graph: Graph, x: Tensor) -> Iterator[str]:
    """Say that the values of the input are large and no layer scales them."""
    first = next((node.layer for node in graph.nodes), None)
    if reach(x) > LARGE and type(first).__name__ not in SCALING:
        yield (
            f"the input's values reach {reach(x):g}; networks learn from values near 1: "
            "begin with L.Rescaling(1 / 255)"
        )


def another_scale(trained: float, now: float, whose: str) -> Iterator[str]:
    """Say that values are far larger or smaller than those the network was trained on."""
    if trained and now and not trained / LARGE < now < trained * LARGE:
        yield (
            f"the values of {whose} reach {now:g}, those trained on {trained:g}: "
            "prepare both alike, best in the model (L.Rescaling)"
        )


def channels(spec: Spec, x: Tensor) -> Iterator[str]:
    """Say that samples are all the same, or that channels hold nothing, or nothing new."""
    x = x[:SAMPLES]
    if len(x) > 1 and bool((x == x[:1]).all()):
        yield "all samples of x are the same: there is nothing to tell them apart by"
        return
    if not spec.channels or spec.channels < 2 or not spec.spatial:
        return
    parts = x.movedim(spec.channel_axis if spec.channel_axis == -1 else 1, 0)
    if parts.shape[0] != spec.channels:
        return
    empty = [index for index, part in enumerate(parts) if bool((part == part.flatten()[0]).all())]
    if empty:
        yield f"channel {_listed(empty)} of x is the same everywhere: was it lost on the way?"
    elif bool((parts == parts[:1]).all()):
        yield f"the {spec.channels} channels of x are equal: the images are grey, one is enough"


def balance(numbers: Tensor, classes: int) -> Iterator[str]:
    """Say that classes have no samples, or far fewer than others."""
    counts = torch.bincount(numbers, minlength=classes)
    absent = [index for index, count in enumerate(counts.tolist()) if not count]
    if absent == [0]:
        yield (
            f"no sample is of class 0: if labels begin at 1, train on y - 1 and {classes - 1} "
            "outputs"
        )
    elif absent:
        yield f"no sample is of class {_listed(absent)}"
    most, least = int(counts.argmax()), int(counts.masked_fill(counts == 0, 2**62).argmin())
    if counts[most] > RARE * counts[least]:
        share = 100 * float(counts[most]) / len(numbers)
        ratio = float(counts[most]) / float(counts[least])
        yield (
            f"{share:.0f} % of the samples are of class {most}, {int(counts[least])} of class "
            f"{least}: an accuracy of {share:.0f} % means nothing; "
            f"class_weight={{{least}: {ratio:.0f}}} lets the rare one count"
        )


def strange_classes(train: Tensor, valid: Tensor) -> Iterator[str]:
    """Say that there are classes in the validation samples that training does not see."""
    new = sorted(set(valid.tolist()) - set(train.tolist()))
    if new:
        yield (
            f"class {_listed(new)} is in the validation samples only: are they in the order of "
            "their classes? Shuffle them before validation_split"
        )


def duplicates(train: Tensors, valid: Tensors) -> Iterator[str]:
    """Say that samples are in both parts, so that their validation proves nothing."""
    known = set(_fingerprints(train))
    count = sum(mark in known for mark in _fingerprints(valid))
    if count:
        yield (
            f"{count:,} of the {len(valid[0]):,} validation samples are among the training samples "
            "too: their result shows what was learned by heart"
        )


def _fingerprints(x: Tensors) -> Iterator[int]:
    """Yield a hash of each sample."""
    for row in zip(*(part.detach().cpu().flatten(1).numpy() for part in x), strict=True):
        yield hash(tuple(part.tobytes() for part in row))


def _listed(numbers: list[int]) -> str:
    more = f" and {len(numbers) - SHOWN} more" if len(numbers) > SHOWN else ""
    return ", ".join(map(str, numbers[:SHOWN])) + more
