"""The order of axes of a Keras script."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from ..keras.session import LAYOUTS, KerasVersion

SETS_LAYOUT = ("image_dim_ordering", "image_data_format")  # ends of what sets it for all layers


def read_layout(tree: ast.AST, source: str, version: KerasVersion, said: Sequence[str]) -> str:
    """Return the order of axes that a script has: what it sets, or how its first input looks."""
    if any(word.endswith(SETS_LAYOUT) for word in said):
        first = "set_image_dim_ordering" in source and "th" in said
        first = first or ("set_image_data_format" in source and "channels_first" in said)
        return "channels_first" if first else version.layout
    given = {
        str(one.value.value)
        for one in ast.walk(tree)
        if isinstance(one, ast.keyword)
        and one.arg in ("data_format", "dim_ordering")
        and isinstance(one.value, ast.Constant)
    }
    if given:
        first = {LAYOUTS.get(one, one) for one in given} == {"channels_first"}
        return "channels_first" if first else version.layout
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in ("input_shape", "shape"):
            try:
                sizes = ast.literal_eval(node.value)
            except ValueError:
                continue
            if isinstance(sizes, tuple) and len(sizes) == 3:
                looks = sizes[0] in (1, 3) and all(size and size > 3 for size in sizes[1:])
                return "channels_first" if looks else "channels_last"
    return version.layout
