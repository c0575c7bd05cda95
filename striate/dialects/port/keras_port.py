"""A Keras script in the native vocabulary, by the rows of its dialect."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...optimizers.rules import NAMES
from ..evidence import Word
from ..keras import VERSIONS
from ..keras.rows import FUNCTIONS, MERGES
from ..keras.session import LAYOUTS
from ..table import Row
from .keras_layout import SETS_LAYOUT, read_layout
from .keras_names import ROWS, Names
from .keras_words import (
    BACKEND,
    CALLBACKS,
    FILES,
    KEYS,
    UNPORTED,
    WHOLE,
)
from .ported import Ported, served
from .source import GONE, Item, Source

SHAPES = ("input_shape", "input_dim", "batch_input_shape")
DROPPED = ("weights", "output_shape", "mode", "dtype")


@dataclass
class KerasPort(Names):
    """Rewrites a script of Keras; `whole` has the reasons why it has to stay in Keras's words."""

    layout: str = field(kw_only=True)
    begun: set[ast.AST] = field(default_factory=set)
    mixed: bool = False  # whether the order of axes is said layer by layer
    uses_torch: bool = False
    every: str = ""  # the order of axes that each layer is told

    # ---- calls -----------------------------------------------------------------------------------

    def rewrite_call(self, node: ast.Call) -> str | None:
        """Rewrite a call of a layer, a model, an optimizer or a verb."""
        path = self.path(node.func)
        word = path.rpartition(".")[2]
        if not path:
            return self.verb(node) if isinstance(node.func, ast.Attribute) else None
        if any(isinstance(one, ast.Starred) for one in node.args) or any(
            one.arg is None for one in node.keywords
        ):
            self.whole[f"{word}(*...) or {word}(**...)"] = None
            return None
        if word in WHOLE:
            self.whole[path] = None
            return None
        if path.startswith("keras.backend."):
            return self.backend(node, word)
        if word in ROWS and path.startswith("keras.layers"):
            return self.layer(node, word)
        if word in FUNCTIONS or word == "merge":
            return self.merge(node, word)
        if word in ("Input", "InputLayer"):
            return self.input(node)
        if word in ("Sequential", "Model"):
            return self.model(node, word)
        if path.startswith("keras.optimizers.") and word.lower() in NAMES:
            return self.optimizer(word.lower(), node)
        if path.startswith("keras.callbacks.") and word in CALLBACKS:
            return self.callback(node, word)
        if word in FILES:
            return self.called(node, "st.load", self.plain(node)[:1])
        return None

    def layer(self, node: ast.Call, word: str) -> str:
        """Return the native call; in front of it the input, where the network begins with it."""
        row, items = ROWS[word], list[Item]()
        for name, text, origin in self.positional(node, row):
            items.append((name, self.worded(name, text, origin), origin))
        parts: dict[str, ast.keyword] = {}
        for keyword in node.keywords:
            name = keyword.arg or ""
            native = row.renamed.get(name, name)
            if name in row.folds.get("kernel_size", ()):
                parts[name] = keyword
            elif name in UNPORTED and not _is(keyword.value, None):
                self.whole[f"{word}({name}=...)"] = None
            elif name not in (*SHAPES, *DROPPED, *row.dropped):
                text = self.worded(native, self.text(keyword.value), keyword.value)
                items.append((native, text, keyword))
        if row.spatial and any(name == "data_format" and text.strip("\"'") != self.layout
                               for name, text, _ in items):  # fmt: skip
            self.whole["layers of two orders of axes"] = None
        if row.spatial and self.mixed and not any(name == "data_format" for name, _, _ in items):
            self.whole["layers of two orders of axes"] = None
        told = any(name == "data_format" for name, _, _ in items)
        if row.spatial and self.every and "1D" not in row.target and not told:
            items.append(("data_format", repr(self.every), None))
        if parts:
            sides = ", ".join(self.text(parts[name].value) for name in row.folds["kernel_size"]
                              if name in parts)  # fmt: skip
            items.append(("kernel_size", f"({sides})", next(iter(parts.values()))))
        made = self.called(node, f"L.{row.target}", _shortened(row, items))
        shape = self.asked(node)
        if shape is not None and node in self.begun:
            before = self.source.text[: self.source.span(node)[0]].rpartition("\n")[2]
            gap = f"\n{before}" if not before.strip() else " "
            return f"{self.begin(shape)},{gap}{made}"
        return made

    def positional(self, node: ast.Call, row: Row) -> list[Item]:
        """Return the arguments that have no name, with their native ones."""
        version = self.version
        order = row.old_order if version.old and row.old_order else row.order
        sides = row.folds.get("kernel_size", ())
        args = list(node.args)
        numbers = args[1 : 1 + len(sides)]
        whole = all(not isinstance(one, (ast.Tuple, ast.List)) for one in numbers)
        text = len(numbers) > 1 and isinstance(numbers[1], ast.Constant) and isinstance(
            numbers[1].value, str)  # fmt: skip
        made: list[Item] = [(order[0], self.text(args[0]), args[0])] if args and order else []
        if sides and version.folds and len(numbers) == len(sides) and whole and not text:
            window = ", ".join(self.text(one) for one in numbers)
            made.append(("kernel_size", f"({window})", numbers[0]))
            rest = args[1 + len(sides) :]
            order = tuple(one for one in order[1:] if one not in (*sides, "kernel_size"))
        else:
            order = (row.order if sides and version.old and len(args) > 1 else order)[1:]
            rest = args[1:]
        pairs = zip(order, rest, strict=False)
        made += [(name, self.text(arg), arg) for name, arg in pairs if name not in DROPPED]
        return made

    def worded(self, word: str, text: str, value: ast.AST | None) -> str:
        """Return a constant in native words."""
        if not isinstance(value, ast.Constant) or not isinstance(value.value, str):
            return text
        given = value.value
        if word.endswith("_initializer"):
            if given == "normal":
                return "st.initializers.RandomNormal(stddev=0.05)"
            if given == "uniform":
                return "st.initializers.RandomUniform(-0.05, 0.05)"
            return repr({"zero": "zeros", "one": "ones"}.get(given, given))
        if given == "hard_sigmoid" and self.version.folds:
            self.note("hard_sigmoid was clip(0.2 x + 0.5, 0, 1), and is relu6(x + 3) / 6")
        return repr(LAYOUTS.get(given, given)) if word == "data_format" else text

    # ---- the beginning of a network --------------------------------------------------------------

    def asked(self, node: ast.AST) -> str | None:
        """Return the shape of the input that a call of a layer gives, if it does."""
        if not isinstance(node, ast.Call) or self.path(node.func).rpartition(".")[2] not in ROWS:
            return None
        for keyword in node.keywords:
            if keyword.arg in SHAPES:
                return self.shape(keyword.arg, keyword.value)
        return None

    def shape(self, name: str, value: ast.expr) -> str:
        """Return the shape of one sample."""
        if name == "input_dim":
            return f"({self.text(value)},)"
        if name.startswith("batch"):
            if isinstance(value, (ast.Tuple, ast.List)):
                sizes = ", ".join(self.text(one) for one in value.elts[1:])
                return f"({sizes},)" if len(value.elts) == 2 else f"({sizes})"
            return f"{self.text(value)}[1:]"
        return self.text(value)

    def begin(self, shape: str, more: str = "") -> str:
        """Return L.Input(shape), in the layout of the script."""
        first = self.layout == "channels_first" and shape.count(",") != 1
        layout = ", data_format='channels_first'" if first else ""
        return f"L.Input({shape}{layout}{more})"

    def input(self, node: ast.Call) -> str:
        """Return the symbol where a network begins."""
        words = {one.arg or "": one.value for one in node.keywords}
        name = next((one for one in ("shape", "input_shape", "batch_shape", "batch_input_shape")
                     if one in words), "")  # fmt: skip
        value = words.get(name, node.args[0] if node.args else None)
        shape = self.shape(name, value) if value is not None else "()"
        return self.begin(shape, f", name={self.text(words['name'])}" if "name" in words else "")

    def rewrite_expr(self, node: ast.Expr) -> str | None:
        """Put the input in front of the first layer that a model is given."""
        call = node.value
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
            return None
        if call.func.attr == "add" and len(call.args) == 1:
            name, shape = self.text(call.func.value), self.asked(call.args[0])
            if shape is not None and name not in self.opened:
                self.opened.add(name)
                between = f"\n{self.source.indent(node)}"
                return f"{name}.add({self.begin(shape)}){between}{self.spliced(node)}"
        return GONE if self.sets_layout(call) else None

    def rewrite_assign(self, node: ast.Assign) -> None:
        """Begin anew with a name that is given another model."""
        if isinstance(node.value, ast.Call) and self.path(node.value.func).endswith("Sequential"):
            self.opened -= {self.source.segment(one) for one in node.targets}

    def sets_layout(self, call: ast.Call) -> bool:
        """Return whether a call sets the order of axes, which the inputs have here."""
        return self.path(call.func).endswith(("set_image_dim_ordering", "set_image_data_format"))

    # ---- networks --------------------------------------------------------------------------------

    def merge(self, node: ast.Call, word: str) -> str:
        """Return the merging layer, called."""
        words = {one.arg or "": one.value for one in node.keywords}
        mode = words.pop("mode", node.args[1] if len(node.args) > 1 else None)
        target = FUNCTIONS.get(word, "")
        if word == "merge":
            text = str(mode.value) if isinstance(mode, ast.Constant) else "sum"
            if mode is not None and not isinstance(mode, ast.Constant):
                self.whole["merge(mode=<code>)"] = None
            target = MERGES.get(text, "Add")
            if text == "cos":
                words["normalize"] = ast.Constant(True)
        renamed = {"concat_axis": "axis", "dot_axes": "axes"}
        given = words.pop("inputs", node.args[0] if node.args else ast.Constant(None))
        said = [f"{renamed.get(key, key)}={_constant(one) or self.text(one)}"
                for key, one in words.items() if key != "output_shape"]  # fmt: skip
        return f"L.{target}({', '.join(said)})({self.text(given)})"

    def model(self, node: ast.Call, word: str) -> str:
        """Return a native model; the input of a list's first layer becomes its own element."""
        renamed = {"input": "inputs", "output": "outputs", "layers": ""}
        for given in (*node.args[:1], *(one.value for one in node.keywords if one.arg == "layers")):
            if word == "Sequential" and isinstance(given, (ast.List, ast.Tuple)):
                self.begun |= set(given.elts[:1])
        items: list[Item] = [("", self.text(one), one) for one in node.args]
        items += [(renamed.get(one.arg or "", one.arg or ""), self.text(one.value), one)
                  for one in node.keywords]  # fmt: skip
        return self.called(node, f"st.{word}", items)

    def backend(self, node: ast.Call, word: str) -> str | None:
        """Return the answer of a question about the layout, or torch's function of tensors."""
        answers = {
            "image_data_format": repr(self.layout),
            "image_dim_ordering": "'th'" if self.layout == "channels_first" else "'tf'",
            "clear_session": "None", "set_image_dim_ordering": "None", "epsilon": "1e-07",
            "set_image_data_format": "None", "backend": "'tensorflow'",
        }  # fmt: skip
        if word in answers:
            return answers[word]
        if word in BACKEND and self.free(node):
            self.uses_torch = True
            return self.called(node, f"torch.{BACKEND[word]}", self.plain(node))
        self.whole[f"keras.backend.{word}"] = None
        return None

    def free(self, node: ast.AST) -> bool:
        """Return whether a call is in a function that sees tensors alone, no part of a network."""
        functions = []
        while node in self.parents:
            node = self.parents[node]
            if isinstance(node, (ast.FunctionDef, ast.Lambda)):
                functions.append(node)
        if not functions:
            return False
        inside = list(ast.walk(functions[-1]))
        own = {one.arg for one in inside if isinstance(one, ast.arg)}
        own |= {one.id for one in inside if isinstance(one, ast.Name) and isinstance(
            one.ctx, ast.Store)}  # fmt: skip
        used = {one.id for one in inside if isinstance(one, ast.Name)} - own
        return not used & self.computed

    # ---- the rest --------------------------------------------------------------------------------

    def rewrite_constant(self, node: ast.Constant) -> str | None:
        """Call the accuracy by the name that the history has."""
        if isinstance(node.value, str) and node.value in KEYS:
            self.note(f"{node.value!r} is {KEYS[node.value]!r} in logs and history")
            quote = self.source.segment(node)[-1]
            return f"{quote}{KEYS[node.value]}{quote}"
        return None


def ported(text: str, name: str, said: Sequence[Word]) -> Ported:
    """Return a script in the native vocabulary; or served as it is, where it needs Keras's own."""
    source, version = Source(text), VERSIONS[name]
    layout = read_layout(source.tree, text, version, [word for _, word, _ in said])
    work = KerasPort(source, version=version, layout=layout)
    work.bind()
    said_alone = not any(word.endswith(SETS_LAYOUT) for _, word, _ in said)
    work.mixed = layout != version.layout and said_alone and "data_format" in text
    for node in ast.walk(source.tree):
        if not isinstance(node, (ast.Import, ast.ImportFrom)) and isinstance(node, ast.stmt):
            work.text(node)
    if work.whole:
        return served(source, name, version.title, work.whole)
    work.made.clear()
    work.opened.clear()
    made = work.text(source.tree)
    head = ["import striate as st"] if "st." in made else []
    head += ["from striate import layers as L"] if "L." in made else []
    head = ["import torch", *head] if work.uses_torch else head
    return Ported(made, head, list(work.notes))


def _is(node: ast.AST, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _constant(node: ast.AST) -> str:
    return "" if hasattr(node, "lineno") else ast.unparse(node)


def _shortened(row: Row, items: Sequence[Item]) -> list[Item]:
    """Return arguments without their names, as far as they are the first ones natively."""
    out = list(items)
    for index, (name, text, origin) in enumerate(out):
        if index >= len(row.order) or name != row.order[index] or index > 1:
            break
        if isinstance(origin, ast.keyword):
            break
        out[index] = ("", text, origin)
    return out
