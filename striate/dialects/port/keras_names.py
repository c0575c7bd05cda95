"""The names of a Keras script: what they stand for, and from where they come natively."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from ..keras.rows import FUNCTIONS, LAYERS
from .keras_verbs import Verbs
from .keras_words import ATTRIBUTES, CALLBACKS, KEYS, LOSSES, PUBLISHED, ROOTS
from .source import GONE

ROWS = {name: row for row in LAYERS for name in row.names}
JUDGING = ("keras.losses.", "keras.metrics.", "keras.objectives.")


@dataclass
class Names(Verbs):
    """Rewrites names and imports."""

    bound: dict[str, str] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)
    computed: set[str] = field(default_factory=set)  # names that hold what a call has given
    last_compile: int = 10**9

    def bind(self) -> None:
        """Learn what the names of the script stand for."""
        for node in ast.walk(self.source.tree):
            self.parents |= dict.fromkeys(ast.iter_child_nodes(node), node)
            if isinstance(node, ast.Attribute) and node.attr == "compile":
                before = self.last_compile if self.last_compile < 10**9 else 0
                self.last_compile = max(before, node.lineno)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                named = [one for target in node.targets for one in ast.walk(target)]
                self.computed |= {one.id for one in named if isinstance(one, ast.Name)}
            if isinstance(node, ast.Import):
                for name in node.names:
                    if _of_keras(name.name):
                        top = name.name.partition(".")[0]
                        self.bound[name.asname or top] = name.name if name.asname else top
            elif isinstance(node, ast.ImportFrom) and _of_keras(node.module or ""):
                for name in node.names:
                    if name.name == "*":
                        for known in (*ROWS, *FUNCTIONS, "Input", "merge", "Sequential", "Model"):
                            self.bound.setdefault(known, f"{node.module}.{known}")
                    else:
                        self.bound[name.asname or name.name] = f"{node.module}.{name.name}"

    def path(self, node: ast.AST) -> str:
        """Return the path of a name of Keras, `keras.layers.Dense`; empty for any other."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self.bound:
            return ""
        whole = ".".join([self.bound[node.id], *parts])
        root = next((one for one in ROOTS if f"{whole}.".startswith(f"{one}.")), "")
        return f"keras{whole.removeprefix(root)}" if root else whole

    def rewrite_import(self, node: ast.Import) -> str | None:
        """Import what is still used from where it is."""
        rest, own = [], []
        for name in node.names:
            word = name.asname or name.name.partition(".")[0]
            if not _of_keras(name.name):
                rest.append(self.source.segment(name))
            elif word in self.kept:
                own.append(f"import striate.{name.name} as {word}")
        lines = [*([f"import {', '.join(rest)}"] if rest else []), *own]
        indent = self.source.indent(node)
        return None if len(rest) == len(node.names) else f"\n{indent}".join(lines) or GONE

    def rewrite_importfrom(self, node: ast.ImportFrom) -> str | None:
        """Import what is still used from where it is."""
        module = node.module or ""
        if not _of_keras(module):
            return None
        stars = any(name.name == "*" for name in node.names)
        words = [self.source.segment(one) for one in node.names
                 if (one.asname or one.name) in self.kept]  # fmt: skip
        if stars:
            words += sorted(one for one in self.kept if self.bound[one] == f"{module}.{one}")
        return f"from striate.{_public(module)} import {', '.join(words)}" if words else GONE

    def rewrite_name(self, node: ast.Name) -> str | None:
        """Rewrite a name of Keras that is not called."""
        return self.named(node) or self.modern_name(node)

    def rewrite_attribute(self, node: ast.Attribute) -> str | None:
        """Rewrite a name of Keras that is not called."""
        if self.path(node):
            return self.named(node)
        if node.attr == "metrics_names":
            return self.judged()
        late = node.attr == "trainable" and node.lineno > self.last_compile
        if node.attr in ATTRIBUTES or (late and isinstance(node.ctx, ast.Store)):
            self.whole[f".{node.attr}"] = None
        if node.attr == "name":
            self.note("names of layers that a script does not give are counted otherwise")
        return self.modern_attribute(node)

    def judged(self) -> str | None:
        """Return the names of loss and metrics, where every compile of the script says the same."""
        found = {
            tuple(_strings(one.value))
            for node in ast.walk(self.source.tree) if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute) and node.func.attr == "compile"
            for one in [*(w for w in node.keywords if w.arg == "metrics"), None][:1]
            if one is not None
        }  # fmt: skip
        if len(found) != 1 or "" in (names := next(iter(found))):
            self.whole[".metrics_names"] = None
            return None
        return repr(["loss", *(KEYS.get(name, name) for name in names)])

    def named(self, node: ast.Name | ast.Attribute) -> str | None:
        """Return the native name, or keep it from striate.keras."""
        path = self.path(node)
        word = path.rpartition(".")[2]
        if not path or (isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)):
            return None
        if word in ROWS and path.startswith("keras.layers"):
            return f"L.{ROWS[word].target}"
        if path.startswith("keras.callbacks.") and word in ("Callback", *CALLBACKS):
            return "st.hooks.Hook" if word == "Callback" else f"st.hooks.{word}"
        if word in LOSSES and path.startswith(JUDGING):
            return repr(word)
        return self.keep(node, path)

    def keep(self, node: ast.AST, path: str) -> str | None:
        """Keep a name from striate.keras, or say why the script cannot leave Keras's words."""
        if self.path(self.parents.get(node, node)) != path and self.path(self.parents[node]):
            pass  # the name of the whole says it
        elif path.count(".") > 1 and not path.startswith(PUBLISHED):
            self.whole[path] = None
        elif path.count(".") > 1:
            self.note(f"{path.partition('.')[2]} stays in Keras's words: striate.keras has it")
        while isinstance(node, ast.Attribute):
            node = node.value
        if isinstance(node, ast.Name):
            self.kept.add(node.id)
        return None

    def rewrite_classdef(self, node: ast.ClassDef) -> None:
        """Keep a script whose classes are Keras's, but for callbacks."""
        for base in node.bases:
            path = self.path(base)
            batches = [one.name for one in node.body if isinstance(one, ast.FunctionDef)
                       and "_batch_" in one.name]  # fmt: skip
            if path and (path != "keras.callbacks.Callback" or batches):
                self.whole[f"class {node.name}({path.rpartition('.')[2]})"] = None


def _of_keras(path: str) -> bool:
    return f"{path}.".startswith(("keras.", "tensorflow."))


def _public(module: str) -> str:
    return module.replace("tensorflow", "tf", 1) if module.startswith("tensorflow") else module


def _strings(node: ast.AST) -> list[str]:
    """Return the texts of a list; an empty one for what is none."""
    parts = node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node]
    return [one.value if isinstance(one, ast.Constant) and isinstance(one.value, str) else ""
            for one in parts]  # fmt: skip
