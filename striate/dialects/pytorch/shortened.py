"""Choices of samples that count on a whole data set, where `--limit-samples` has shortened it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence, Sized
from typing import Any

import numpy as np
from torch.utils import data

from ..dialect import Patch
from ..session import Session

NOTE = "--limit-samples: of chosen samples and lengths, what the shortened data set has"


def patches(session: Session) -> Iterator[Patch]:
    """Yield the rows; what a data set has as it is stays as it is chosen."""
    if session.script.limit_samples is not None:
        split = _split(session, data.random_split)
        yield data, "random_split", split
        yield data.dataset, "random_split", split
        yield data.Subset, "__init__", _subset(session, data.Subset.__init__)


def sampled(session: Session, dataset: Any, sampler: Any) -> None:
    """Let a sampler of places keep those that the data set of its loader has."""
    limited = session.script.limit_samples is not None and isinstance(dataset, Sized)
    if limited and isinstance(sampler, data.SubsetRandomSampler):
        sampler.indices = _kept(session, sampler.indices, len(dataset))


def _subset(session: Session, original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def begin(self: Any, dataset: Any, indices: Any) -> None:
        original(self, dataset, _kept(session, indices, len(dataset)))

    return begin


def _kept(session: Session, indices: Any, count: int) -> Any:
    """Return the places below a count; where there are none, others in their stead."""
    places = np.asarray(indices)
    if not places.size or not np.issubdtype(places.dtype, np.integer) or places.max() < count:
        return indices
    session.note(NOTE)
    kept = [int(place) for place in places if place < count]
    return kept or list(dict.fromkeys(int(place) % count for place in places))


def _split(session: Session, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def random_split(dataset: Any, lengths: Sequence[Any], *args: Any, **words: Any) -> Any:
        """Divide at random; lengths of the whole data set keep their proportions."""
        total, count = sum(lengths), len(dataset)
        if count < total and all(int(one) == one for one in lengths):
            session.note(NOTE)
            lengths = [int(one) * count // int(total) for one in lengths]
            lengths[0] += count - sum(lengths)
        return original(dataset, lengths, *args, **words)

    return random_split
