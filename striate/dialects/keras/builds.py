"""`layer.build(input_shape)` of the native layers, which scripts call with shapes as Keras has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from ... import layers as native
from ...core.layer import Layer
from ...core.spec import Spec
from ...layers.attention import Called
from ..dialect import Patch
from .fitted import BUILDS
from .session import KerasSession


def specs(session: KerasSession, shapes: tuple[Any, ...]) -> tuple[Spec, ...]:
    """Return the specs of shapes that begin with the batch: one, several, or a list of them."""
    one = shapes[0] if len(shapes) == 1 else None
    if isinstance(one, (list, tuple)) and one and isinstance(one[0], (list, tuple, torch.Size)):
        shapes = tuple(one)
    return tuple(
        shape if isinstance(shape, Spec) else
        Spec(tuple(None if size is None else int(size) for size in shape[1:]),
             data_format=session.layout)
        for shape in shapes if shape is not None
    )  # fmt: skip


def _build(session: KerasSession, own: Callable[..., None]) -> Callable[..., None]:
    def build(self: Any, *shapes: Any, input_shape: Any = None, **words: Any) -> None:
        """Create the weights for inputs of these shapes, once."""
        shapes = (*shapes, *(() if input_shape is None else (input_shape,)), *words.values())
        if all(isinstance(shape, Spec) for shape in shapes):
            own(self, *shapes)
            return
        if isinstance(self, Called):
            return  # the first call says which of its inputs is which
        wanted = specs(session, shapes)
        if type(self).build is build:
            self.ensure_built(wanted)
        else:  # from the build of a script's own class
            own(self, *wanted)

    return build


def _kinds() -> Iterator[type[Layer]]:
    kinds = [one for one in vars(native).values() if isinstance(one, type)]
    yield from {one: None for kind in kinds for one in kind.__mro__
                if issubclass(one, Layer) and "build" in vars(one)}  # fmt: skip


def patches(session: KerasSession) -> list[Patch]:
    """Return the rows: class, attribute, value."""
    return [(kind, "build", _build(session, BUILDS.get(kind, vars(kind)["build"])))
            for kind in _kinds()]  # fmt: skip
