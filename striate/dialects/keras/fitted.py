"""Keras's Normalization: its `mean` and `variance`, given or learned, and what it does before."""

from __future__ import annotations

from typing import Any

from ...core.layer import Layer
from ...layers import Normalization
from ..dialect import Patch


class Fitted:
    """A statistic that a layer was given, or else the one that it has learned."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, layer: Any, owner: Any = None) -> Any:
        given = None if layer is None else vars(layer).get(self.name)
        if given is not None or layer is None or not getattr(layer, "adapted", False):
            return given
        return getattr(layer, f"adapted_{self.name}")

    def __set__(self, layer: Any, value: Any) -> None:
        vars(layer)[self.name] = value


def _as_given(self: Any) -> dict[str, Any]:
    """Return the hyper-parameters, among which is no statistic that was learned."""
    return {**Layer.config(self), **{word: vars(self).get(word) for word in ("mean", "variance")}}


def _neutral(self: Any, *x: Any) -> None:
    """Begin with mean 0 and variance 1, with which Keras calls what is not adapted yet."""
    _BUILD(self, *x)
    if not self.fixed:
        self.get_buffer("count").fill_(1)


_BUILD = Normalization.build

BUILDS: dict[type[Layer], Any] = {Normalization: _neutral}
PATCHES: tuple[Patch, ...] = (
    (Normalization, "mean", Fitted("mean")), (Normalization, "variance", Fitted("variance")),
    (Normalization, "config", _as_given),
)  # fmt: skip
