"""A Keras script in the native vocabulary, by the rows of its dialect."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...optimizers.rules import NAMES
from ..evidence import Word
from ..keras import VERSIONS
from ..keras.rows import FUNCTIONS, LAYERS, MERGES
from ..keras.session import LAYOUTS, KerasVersion
from ..table import Row
from .keras_verbs import Verbs
from .keras_words import (
    ATTRIBUTES,
    BACKEND,
    CALLBACKS,
    FILES,
    KEYS,
    LOSSES,
    PUBLISHED,
    ROOTS,
    UNPORTED,
    WHOLE,
)
from .ported import Ported, served
from .source import GONE, Item, Source

ROWS = {name: row for row in LAYERS for name in row.names}
JUDGING = ("keras.losses.", "keras.metrics.", "keras.objectives.")
SHAPES = ("input_shape", "input_dim", "batch_input_shape")
DROPPED = ("weights", "output_shape", "mode", "dtype")


@dataclass
class KerasPort(Verbs):
    """Rewrites a script of Keras; `whole` has the reasons why it has to stay in Keras's words."""

    version: KerasVersion = field(kw_only=True)
    layout: str = field(kw_only=True)
    bound: dict[str, str] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    whole: dict[str, None] = field(default_factory=dict)
    begun: set[ast.AST] = field(default_factory=set)
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)
    computed: set[str] = field(default_factory=set)  # names that hold what a call has given
    last_compile: int = 10**9
    mixed: bool = False  # whether the order of axes is said layer by layer
    uses_torch: bool = False
    every: str = ""  # the order of axes that each layer is told

    # ---- names -----------------------------------------------------------------------------------

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
    said_alone = not any(w.endswith(("dim_ordering", "image_data_format")) for _, w, _ in said)
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


def read_layout(tree: ast.AST, source: str, version: KerasVersion, said: Sequence[str]) -> str:
    """Return the order of axes that a script has: what it sets, or how its first input looks."""
    if any(word.endswith(("dim_ordering", "image_data_format")) for word in said):
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


def _of_keras(path: str) -> bool:
    return f"{path}.".startswith(("keras.", "tensorflow."))


def _public(module: str) -> str:
    return module.replace("tensorflow", "tf", 1) if module.startswith("tensorflow") else module


def _strings(node: ast.AST) -> list[str]:
    """Return the texts of a list; an empty one for what is none."""
    parts = node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node]
    return [one.value if isinstance(one, ast.Constant) and isinstance(one.value, str) else ""
            for one in parts]  # fmt: skip


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
