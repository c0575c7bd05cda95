"""A Keras script rewritten in the native vocabulary, by the rows; what changes meaning is noted."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...optimizers.rules import NAMES
from .rows import FUNCTIONS, LAYERS, MERGES
from .session import LAYOUTS, KerasVersion

ROOTS = ("tensorflow.keras", "tensorflow.python.keras", "keras")
ROWS = {name: row for row in LAYERS for name in row.names}
VERBS = {"nb_epoch": "epochs", "samples_per_epoch": "steps_per_epoch",
         "nb_val_samples": "validation_steps"}  # fmt: skip
GONE = ("show_accuracy", "class_mode", "nb_worker", "workers", "pickle_safe", "max_q_size",
        "use_multiprocessing", "max_queue_size", "dtype", "weights")  # fmt: skip
KEYS = {"acc": "accuracy", "val_acc": "val_accuracy"}
ORDER = ("x", "y", "batch_size", "epochs", "verbose", "callbacks")
SETTINGS = {"lr": "learning_rate"}


@dataclass
class Port(ast.NodeTransformer):
    """Rewrites the tree of a script; `notes` say what means something else, `keeps` the names that
    stay in Keras's vocabulary, by their modules.
    """

    version: KerasVersion
    layout: str
    bound: dict[str, str] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    keeps: dict[str, set[str]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)

    # ---- names -----------------------------------------------------------------------------------

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
        return f"keras{whole.removeprefix(root)}" if root else ""

    def visit_Import(self, node: ast.Import) -> Any:
        """Forget imports of Keras; remember what they named."""
        rest = []
        for name in node.names:
            if f"{name.name}.".startswith(("keras.", "tensorflow.")):
                top = name.name.partition(".")[0]
                self.bound[name.asname or top] = name.name if name.asname else top
            else:
                rest.append(name)
        return ast.Import(rest) if rest else None

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        """Forget imports of Keras; remember what they named."""
        module = node.module or ""
        if module == "__future__":
            return None
        if not f"{module}.".startswith(("keras.", "tensorflow.")):
            return node
        for name in node.names:
            if name.name == "*":
                for known in (*ROWS, *FUNCTIONS, "Input", "merge"):
                    self.bound[known] = f"{module}.{known}"
            else:
                self.bound[name.asname or name.name] = f"{module}.{name.name}"
        return None

    # ---- calls -----------------------------------------------------------------------------------

    def visit_Call(self, node: ast.Call) -> Any:
        """Rewrite a call of a layer, a model, an optimizer or a verb."""
        path = self.path(node.func)
        word = path.rpartition(".")[2]
        node.args = [self.visit(item) for item in node.args]
        node.keywords = [ast.keyword(item.arg, self.visit(item.value)) for item in node.keywords]
        if path:
            return self.of_keras(node, path, word)
        node.func = self.visit(node.func)
        if isinstance(node.func, ast.Attribute):
            return self.verb(node, node.func.attr)
        return node

    def of_keras(self, node: ast.Call, path: str, word: str) -> ast.expr:
        """Rewrite a call of a name of Keras."""
        if path.startswith("keras.backend."):
            return self.backend(node, word)
        if word in ROWS:
            return self.layer(node, word)[0]
        if word in FUNCTIONS or word == "merge":
            return self.merge(node, word)
        if word == "Input":
            return self.input(node)
        if word in ("Sequential", "Model"):
            return self.model(node, word)
        if path.startswith("keras.optimizers.") and word.lower() in NAMES:
            return self.optimizer(word.lower(), node.args, node.keywords)
        return ast.Call(self.kept(path), node.args, node.keywords)

    def layer(self, node: ast.Call, word: str) -> tuple[ast.Call, ast.expr | None]:
        """Return the native call, and the shape of the input that it was given, if any."""
        row, version = ROWS[word], self.version
        order = row.old_order if version.old and row.old_order else row.order
        sides = row.folds.get("kernel_size", ())
        args: list[ast.expr] = list(node.args)
        numbers = args[1 : 1 + len(sides)]
        whole = all(not isinstance(one, (ast.Tuple, ast.List, ast.Starred)) for one in numbers)
        if sides and version.folds and len(numbers) == len(sides) and whole and not (
            isinstance(numbers[1], ast.Constant) and isinstance(numbers[1].value, str)
        ):  # fmt: skip
            args = [args[0], ast.Tuple(list(numbers), ast.Load()), *args[1 + len(sides) :]]
            order = tuple(name for name in order if name not in sides)
            order = (
                "filters",
                "kernel_size",
                *(n for n in order if n not in ("filters", "kernel_size")),
            )
        elif sides and version.old and len(args) > 1 and not whole:
            order = row.order
        words: list[ast.keyword] = [
            ast.keyword(name, value) for name, value in zip(order, args, strict=False)
        ]
        shape: ast.expr | None = None
        parts: dict[str, ast.expr] = {}
        for keyword in node.keywords:
            name = keyword.arg or ""
            native = row.renamed.get(name, name)
            if name in ("input_shape", "input_dim", "batch_input_shape"):
                shape = self.shape(name, keyword.value)
            elif name in sides:
                parts[name] = keyword.value
            elif name in GONE or name in row.dropped:
                continue
            else:
                words.append(ast.keyword(native, self.value(native, keyword.value)))
        if parts:
            words.append(ast.keyword("kernel_size", ast.Tuple(
                [parts[name] for name in sides], ast.Load())))  # fmt: skip
        words = [one for one in words if one.arg not in ("weights", "output_shape", "mode")]
        words = [ast.keyword(one.arg, self.value(one.arg or "", one.value)) for one in words]
        return ast.Call(_name("L", row.target), [], words), shape

    def shape(self, name: str, value: ast.expr) -> ast.expr:
        """Return the shape of one sample."""
        if name == "input_dim":
            return ast.Tuple([value], ast.Load())
        if name == "batch_input_shape" and isinstance(value, ast.Tuple):
            return ast.Tuple(value.elts[1:], ast.Load())
        return value

    def value(self, word: str, value: ast.expr) -> ast.expr:
        """Return a constant in native words."""
        if not isinstance(value, ast.Constant) or not isinstance(value.value, str):
            return value
        text = value.value
        if word.endswith("_initializer"):
            spread = {"normal": "RandomNormal", "uniform": "RandomUniform"}.get(text)
            if spread:
                first = "stddev" if text == "normal" else "maxval"
                words = [ast.keyword(first, ast.Constant(0.05))]
                words += [] if text == "normal" else [ast.keyword("minval", ast.Constant(-0.05))]
                return ast.Call(_name("st", "initializers", spread), [], words)
            text = {"zero": "zeros", "one": "ones"}.get(text, text)
        return ast.Constant(LAYOUTS.get(text, text) if word == "data_format" else text)

    def input(self, node: ast.Call) -> ast.expr:
        """Return the symbol where a network begins."""
        shape: ast.expr = node.args[0] if node.args else ast.Tuple([], ast.Load())
        words = []
        for keyword in node.keywords:
            if keyword.arg in ("shape", "batch_shape"):
                shape = self.shape(
                    f"{keyword.arg}".replace("batch_", "batch_input_"), keyword.value
                )
            elif keyword.arg == "name":
                words.append(keyword)
        return self.begin(shape, words)

    def begin(self, shape: ast.expr, words: Any = ()) -> ast.Call:
        """Return L.Input(shape), in the layout of the script."""
        first = (
            self.layout == "channels_first" and isinstance(shape, ast.Tuple) and len(shape.elts) > 1
        )
        more = [ast.keyword("data_format", ast.Constant(self.layout))] if first else []
        return ast.Call(_name("L", "Input"), [shape], [*more, *words])

    def merge(self, node: ast.Call, word: str) -> ast.expr:
        """Return the merging layer, called."""
        words = {one.arg: one.value for one in node.keywords}
        mode = words.pop("mode", node.args[1] if len(node.args) > 1 else ast.Constant("sum"))
        target = FUNCTIONS.get(word, "")
        if word == "merge":
            text = mode.value if isinstance(mode, ast.Constant) else ""
            target = MERGES.get(str(text), "Add")
        renamed = {"concat_axis": "axis", "dot_axes": "axes"}
        keywords = [ast.keyword(renamed.get(k or "", k), v) for k, v in words.items()
                    if k not in ("inputs", "output_shape")]  # fmt: skip
        made = ast.Call(_name("L", target), [], keywords)
        return ast.Call(made, [words.get("inputs", node.args[0] if node.args else mode)], [])

    def model(self, node: ast.Call, word: str) -> ast.expr:
        """Return a native model; the input of a list's first layer becomes its own element."""
        renamed = {"input": "inputs", "output": "outputs"}
        for keyword in node.keywords:
            keyword.arg = renamed.get(keyword.arg or "", keyword.arg)
        return ast.Call(_name("st", word), node.args, node.keywords)

    def optimizer(self, word: str, args: list[ast.expr], keywords: list[ast.keyword]) -> ast.expr:
        """Return a native optimizer with the defaults of the version."""
        words = {SETTINGS.get(k.arg or "", k.arg): k.value for k in keywords}
        words |= {"learning_rate": args[0]} if args else {}
        decay = words.pop("decay", None)
        for name, value in self.version.optimizers[word].items():
            words.setdefault(name, ast.Constant(value))
        outside = self.version.folds and word in ("rmsprop", "adagrad")
        if outside and isinstance(words.get("epsilon"), ast.Constant):
            number: Any = words["epsilon"]
            words["epsilon"] = ast.Constant(float(number.value) ** 2)
            self.note(f"{word}: epsilon was added to the root; squared under it, it is the same")
        if decay is not None and not (isinstance(decay, ast.Constant) and not decay.value):
            schedule = _name("st", "optimizers", "schedules", "InverseTimeDecay")
            words["learning_rate"] = ast.Call(
                schedule, [words["learning_rate"], ast.Constant(1), decay], []
            )
        if self.version.folds and "clipnorm" in words:
            words["global_clipnorm"] = words.pop("clipnorm")
            self.note("clipnorm was of all gradients together: global_clipnorm")
        keys = [ast.keyword(name, value) for name, value in words.items() if name != "name"]
        return ast.Call(_name("st", "optimizers", NAMES[word].__name__), [], keys)

    def verb(self, node: ast.Call, word: str) -> ast.expr:
        """Return a call of a model's verb in native words."""
        words = {VERBS.get(k.arg or "", k.arg): k.value for k in node.keywords if k.arg not in GONE}
        if word in ("fit", "fit_generator"):
            words = {**dict(zip(ORDER, node.args, strict=False)), **words}
            if word == "fit_generator":
                self.note("fit_generator: fit takes the generator, and counts steps, not samples")
                words["x"] = words.pop("generator", words.get("x", ast.Constant(None)))
            words.setdefault("epochs", ast.Constant(self.version.epochs))
            if self.version.batch_size != 32:
                words.setdefault("batch_size", ast.Constant(self.version.batch_size))
            func = ast.Attribute(node.func.value, "fit", ast.Load())  # type: ignore[attr-defined]
            return ast.Call(func, [], [ast.keyword(name, value) for name, value in words.items()])
        if word == "compile":
            words |= dict(zip(("optimizer", "loss", "metrics"), node.args, strict=False))
            given = words.get("optimizer")
            if isinstance(given, ast.Constant) and str(given.value).lower() in NAMES:
                words["optimizer"] = self.optimizer(str(given.value).lower(), [], [])
            if self.version.name == "keras0":
                words["metrics"] = ast.List([ast.Constant("accuracy")], ast.Load())
            return ast.Call(node.func, [], [ast.keyword(name, v) for name, v in words.items()])
        if word == "predict_classes":
            func = ast.Attribute(node.func.value, "predict", ast.Load())  # type: ignore[attr-defined]
            called = ast.Call(func, node.args[:1], [])
            return ast.Call(ast.Attribute(called, "argmax", ast.Load()), [ast.Constant(-1)], [])
        if word in ("evaluate", "predict", "predict_proba"):
            node.keywords = [ast.keyword(k, v) for k, v in words.items()]
            node.func.attr = word.removesuffix("_proba")  # type: ignore[attr-defined]
        return node

    def backend(self, node: ast.Call, word: str) -> ast.expr:
        """Return the answer of a question about the layout; else the function itself."""
        if word == "image_data_format":
            return ast.Constant(self.layout)
        if word == "image_dim_ordering":
            return ast.Constant("th" if self.layout == "channels_first" else "tf")
        if word in ("set_image_dim_ordering", "set_image_data_format"):
            return ast.Constant(None)
        return ast.Call(self.kept(f"keras.backend.{word}"), node.args, node.keywords)

    # ---- the rest --------------------------------------------------------------------------------

    def visit_Expr(self, node: ast.Expr) -> Any:
        """Put the input in front of the first layer that a model is given."""
        call = node.value
        adds = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and (
            call.func.attr == "add" and len(call.args) == 1
        )  # fmt: skip
        shape = self.asked(call.args[0]) if adds else None  # type: ignore[attr-defined]
        made = self.generic_visit(node)
        if shape is None:
            return made
        first = ast.Call(call.func, [self.begin(shape)], [])  # type: ignore[attr-defined]
        return [ast.Expr(first), made]

    def visit_List(self, node: ast.List) -> Any:
        """Put the input in front of the first layer of a list."""
        shape = self.asked(node.elts[0]) if node.elts else None
        self.generic_visit(node)
        if shape is not None:
            node.elts.insert(0, self.begin(shape))
        return node

    def asked(self, node: ast.AST) -> ast.expr | None:
        """Return the shape of the input that a call of a layer gives, if it does."""
        if not isinstance(node, ast.Call) or self.path(node.func).rpartition(".")[2] not in ROWS:
            return None
        for keyword in node.keywords:
            if keyword.arg in ("input_shape", "input_dim", "batch_input_shape"):
                return self.shape(keyword.arg, keyword.value)
        return None

    def visit_Constant(self, node: ast.Constant) -> Any:
        """Call the accuracy by the name that the history has."""
        if node.value in KEYS and isinstance(node.value, str):
            self.note(f"{node.value!r} is {KEYS[node.value]!r} in logs and history")
            return ast.Constant(KEYS[node.value])
        return node

    def visit_Name(self, node: ast.Name) -> Any:
        """Keep a name of Keras that has no native twin, from striate.keras."""
        path = self.path(node)
        return self.kept(path) if path.count(".") > 1 else node

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        """Keep a name of Keras that has no native twin, from striate.keras."""
        path = self.path(node)
        return self.kept(path) if path.count(".") > 1 else self.generic_visit(node)

    def kept(self, path: str) -> ast.expr:
        """Return a name of striate.keras."""
        parts = path.split(".")
        known = ("utils", "datasets", "callbacks", "backend", "preprocessing", "regularizers",
                 "constraints", "initializers", "losses", "metrics", "activations")  # fmt: skip
        if len(parts) > 2 and parts[1] in known:
            self.note(f"{'.'.join(parts[1:])} stays in Keras's vocabulary: striate.keras has it")
        return _name("keras", *parts[1:])

    def note(self, text: str) -> None:
        """Remember a note once."""
        self.notes[text] = None


def port(source: str, version: KerasVersion, layout: str) -> str:
    """Return a script in the native vocabulary, its notes in front."""
    tree = ast.parse(source)
    work = Port(version, layout)
    body = list(_visited(work, tree.body))
    head = ["import striate as st", "from striate import layers as L"]
    text = ast.unparse(ast.fix_missing_locations(ast.Module(body, [])))
    head += ["import striate.keras as keras"] if "keras." in text else []
    notes = [f"# note: {note}" for note in work.notes]
    title = f"# Ported from {version.title} to Striate."
    return "\n".join([title, *notes, *head, "", text, ""])


def read_layout(source: str, version: KerasVersion, said: Sequence[tuple[str, str, str]]) -> str:
    """Return the order of axes that a script has: what it sets, or how its first input looks."""
    texts = {word for kind, word, _ in said if kind == "text"}
    speaks = any(word.endswith(("dim_ordering", "image_data_format")) for _, word, _ in said)
    if speaks:
        first = "th" in texts and "set_image_dim_ordering" in source
        return "channels_first" if first else version.layout
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg in ("input_shape", "shape"):
            try:
                sizes = ast.literal_eval(node.value)
            except ValueError:
                continue
            if isinstance(sizes, tuple) and len(sizes) == 3:
                looks = sizes[0] in (1, 3) and all(size and size > 3 for size in sizes[1:])
                return "channels_first" if looks else "channels_last"
    return version.layout


def _visited(work: Port, body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for item in body:
        made = work.visit(item)
        several = made if isinstance(made, list) else [made]
        yield from (one for one in several if one is not None)


def _name(*parts: str) -> ast.expr:
    node: ast.expr = ast.Name(parts[0], ast.Load())
    for part in parts[1:]:
        node = ast.Attribute(node, part, ast.Load())
    return node
