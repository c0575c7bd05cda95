"""The order of axes that a script writes an image's sizes in, as in `(channels, rows, cols)`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

FIRST, LAST = "channels first", "channels last"
CHANNELS = re.compile(r"chan|colou?rs?$|^n?c$", re.IGNORECASE)
SIDE = re.compile(r"row|col|wid|hei|siz|dim|side|^img|^(im)?[hwxy]$", re.IGNORECASE)
COUNTS = (1, 3)  # of channels
LEAST = 8  # pixels of a side


def orders(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the orders of the tuples and lists of three that are sizes of an image, with lines."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Tuple, ast.List)) and len(node.elts) == 3:
            first, middle, last = node.elts
            if _is_side(middle) and _is_channels(first) and _is_side(last):
                yield FIRST, node.lineno
            elif _is_side(middle) and _is_channels(last) and _is_side(first):
                yield LAST, node.lineno


def _is_channels(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return node.value in COUNTS
    return bool(CHANNELS.search(_name(node)))


def _is_side(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int) and node.value >= LEAST
    return bool(SIDE.search(_name(node))) and not CHANNELS.search(_name(node))


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
