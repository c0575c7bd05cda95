"""`mean` and `variance` of Keras's Normalization: what it was given, or what it has learned."""

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


PATCHES: tuple[Patch, ...] = (
    (Normalization, "mean", Fitted("mean")), (Normalization, "variance", Fitted("variance")),
    (Normalization, "config", _as_given),
)  # fmt: skip
