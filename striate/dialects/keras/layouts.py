"""The order of axes: what reads and sets it, and functions that follow it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from ..image_order import FIRST, LAST
from .session import LAYOUTS, KerasSession

SHORT = {"channels_first": "th", "channels_last": "tf"}
OLD = {"dim_ordering": "data_format", "border_mode": "padding"}  # Keras 1's words


def layouts(session: KerasSession) -> dict[str, Any]:
    """Return what reads and sets the order of axes."""

    def set_layout(data_format: str) -> None:
        session.layout = LAYOUTS.get(data_format, data_format)
        session.chose_layout = True

    def layout() -> str:
        session.chose_layout = True
        return session.layout

    return {
        "image_data_format": layout,
        "set_image_data_format": set_layout,
        "image_dim_ordering": lambda: SHORT[layout()],
        "set_image_dim_ordering": set_layout,
        "normalize_data_format": lambda value: LAYOUTS.get(value, value or session.layout),
    }


def in_layout(session: KerasSession, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of `keras.backend` that takes images in the order of axes of the script."""
    takes = list(inspect.signature(function).parameters)
    if "data_format" not in takes:
        return function

    @functools.wraps(function)
    def call(*args: Any, **words: Any) -> Any:
        words = {OLD.get(word, word): value for word, value in words.items()}
        given = dict(zip(takes, args, strict=False))
        layout = words.pop("data_format", None) or given.pop("data_format", None)
        if layout in (None, "default"):
            guess_order(session)
            layout = session.layout
        layout = LAYOUTS.get(layout, layout)
        at = takes.index("data_format")
        if len(args) > at:
            return function(*args[:at], layout, *args[at + 1 :], **words)
        return function(*args, **words, data_format=layout)

    return call


def guess_order(session: KerasSession) -> None:
    """Give data sets the order of axes that Keras 1's script writes its sizes in, if it is one."""
    said = {word for kind, word, _ in session.script.words if kind == "habit"} & {FIRST, LAST}
    if session.version.old and not session.chose_layout and said == {FIRST}:
        session.chose_layout, session.layout = True, "channels_first"
        session.note("images are channels first: the script writes sizes so, nothing else says it")


def guess_layout(session: KerasSession, shape: tuple[Any, ...]) -> None:
    """Take images of such a shape in the order of axes that they look like."""
    session.chose_layout = True
    for layout, channels, sides in (("channels_first", shape[0], shape[1:]),
                                    ("channels_last", shape[-1], shape[:-1])):  # fmt: skip
        if channels in (1, 3) and all(size and size > 3 for size in sides):
            if session.layout != layout:
                session.layout = layout
                order = layout.replace("_", " ")
                session.note(f"input {shape} is read as {order}: nothing in the script says so")
            return
