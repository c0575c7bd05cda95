"""What NumPy and Python have removed since, as a script writes it today."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from .source import Rewriter

BUILTINS = ("float", "int", "bool", "object", "str", "complex")
REMOVED = {
    **{f"numpy.{name}": name for name in BUILTINS},
    **dict.fromkeys(("numpy.Inf", "numpy.infty", "numpy.Infinity", "numpy.PINF"), "{}.inf"),
    "numpy.NINF": "-{}.inf", "numpy.NaN": "{}.nan", "numpy.NAN": "{}.nan",
    "numpy.product": "{}.prod", "numpy.float_": "{}.float64", "numpy.row_stack": "{}.vstack",
    "time.clock": "{}.process_time",
}  # fmt: skip
NAMES = {"xrange": "range", "raw_input": "input", "unicode": "str", "unichr": "chr", "long": "int"}
MODULES = ("numpy", "time")


@dataclass
class Modern(Rewriter):
    """Rewrites removed names; subclasses rewrite a dialect's."""

    modules: dict[str, str] = field(default_factory=dict)
    bound_names: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Learn the script's own names."""
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Import):
                self.modules |= {one.asname or one.name: one.name for one in node.names
                                 if one.name in MODULES}  # fmt: skip
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self.bound_names.add(node.id)
            if isinstance(node, (ast.alias, ast.arg)):
                name = node.asname or node.name if isinstance(node, ast.alias) else node.arg
                self.bound_names.add(name.partition(".")[0])

    def modern_name(self, node: ast.Name) -> str | None:
        """Return what a removed name of Python is today."""
        free = node.id not in self.bound_names and isinstance(node.ctx, ast.Load)
        return NAMES.get(node.id) if free else None

    def modern_attribute(self, node: ast.Attribute) -> str | None:
        """Return what a removed name of a module is today."""
        if not isinstance(node.value, ast.Name):
            return None
        module = self.modules.get(node.value.id, "")
        today = REMOVED.get(f"{module}.{node.attr}")
        return None if today is None else today.format(node.value.id)

    def rewrite_name(self, node: ast.Name) -> str | None:
        """Rewrite a name of Python."""
        return self.modern_name(node)

    def rewrite_attribute(self, node: ast.Attribute) -> str | None:
        """Rewrite a name of a module."""
        return self.modern_attribute(node)
