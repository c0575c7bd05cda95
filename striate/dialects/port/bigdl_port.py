"""A script of BigDL's Keras-style API in the native vocabulary, where it trains on plain arrays.

Its words are those of Keras 1, channels first; its classes count from 1, and natively from 0.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..bigdl.keras_kinds import KERAS, SPELLINGS
from ..bigdl.methods import STRINGS, Method
from ..evidence import Word
from ..keras import VERSIONS
from .keras_names import ROWS
from .keras_port import KerasPort
from .ported import Ported
from .published import bigdl as published
from .source import GONE, Source

LAYERS, TOPOLOGY, DIGITS = "bigdl.nn.keras.layer", "bigdl.nn.keras.topology", "bigdl.dataset"
SAME = (  # layers that mean the same with the words of Keras 1
    "Dense", "Convolution1D", "Convolution2D", "Convolution3D", "AtrousConvolution2D",
    "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "AveragePooling1D", "AveragePooling2D",
    "AveragePooling3D", "GlobalMaxPooling2D", "GlobalAveragePooling2D", "Dropout", "Flatten",
    "Reshape", "Permute", "RepeatVector", "Activation", "ELU", "ZeroPadding2D", "UpSampling2D",
    "Cropping2D", "GaussianNoise", "GaussianDropout",
)  # fmt: skip
LOSSES = ("categorical_crossentropy", "sparse_categorical_crossentropy", "mse", "mae",
          "mean_squared_error", "mean_absolute_error", "binary_crossentropy")  # fmt: skip
SHAPES = {"get_output_shape": "output_shape", "get_input_shape": "input_shape"}
OUTPUTS = ("forward", "predict_local")


class NotPlainError(Exception):
    """The script does more than what is rewritten here."""


@dataclass
class BigdlPort(KerasPort):
    """Rewrites a script of networks that are trained by compile and fit."""

    counted: bool = False  # whether classes count from 1, as the loss of a network says
    digits: bool = False

    def bind(self) -> None:
        """Learn what the names of the script stand for.

        Raises: NotPlainError for names of BigDL other than layers, networks and digits.
        """
        tree = self.source.tree
        self.bound |= {one.id: "" for one in ast.walk(tree) if isinstance(one, ast.Name)
                       and isinstance(one.ctx, ast.Store)}  # fmt: skip
        own = {one.name for one in ast.walk(tree)
               if isinstance(one, (ast.FunctionDef, ast.ClassDef))}  # fmt: skip
        own |= {one.arg for one in ast.walk(tree) if isinstance(one, ast.arg)} | set(self.bound)
        self.bound = {}
        stars = False
        for node in ast.walk(tree):
            self.parents |= dict.fromkeys(ast.iter_child_nodes(node), node)
            if isinstance(node, ast.Import):
                if any(one.name.startswith(("bigdl", "pyspark")) for one in node.names):
                    raise NotPlainError
                own |= {(one.asname or one.name).partition(".")[0] for one in node.names}
            elif isinstance(node, ast.ImportFrom):
                stars |= self.imported(node, own)
        if stars:
            free = {one.id for one in ast.walk(tree) if isinstance(one, ast.Name)}
            if free - own - set(self.bound) - set(dir(builtins)):
                raise NotPlainError  # a name that a star has brought along

    def imported(self, node: ast.ImportFrom, own: set[str]) -> bool:
        """Learn the names of one import; return whether it brings all of a module."""
        module = node.module or ""
        if module.partition(".")[0] not in ("bigdl", "pyspark"):
            own |= {one.asname or one.name for one in node.names}
            return False
        known = {LAYERS: (*KERAS, *SPELLINGS, "Input", "merge"), TOPOLOGY: ("Sequential", "Model"),
                 DIGITS: ("mnist",)}  # fmt: skip
        for one in node.names:
            words = known.get(module, ()) if one.name == "*" else (one.name,)
            for word in words:
                if word not in known.get(module, ()):
                    raise NotPlainError
                name = one.asname or word
                self.bound[name] = {
                    LAYERS: f"keras.layers.{word}",
                    TOPOLOGY: f"keras.models.{word}",
                }.get(module, "bigdl.mnist")
        return any(one.name == "*" for one in node.names)

    def rewrite_importfrom(self, node: ast.ImportFrom) -> str | None:
        """Forget BigDL, but for its digits."""
        module = node.module or ""
        if module == DIGITS:
            self.digits = True
            words = ", ".join(self.source.segment(one) for one in node.names)
            return f"from striate.bigdl.dataset import {words}"
        return GONE if module.partition(".")[0] == "bigdl" else None

    def rewrite_import(self, node: ast.Import) -> str | None:
        """Leave other imports as they are."""
        return None

    def rewrite_call(self, node: ast.Call) -> str | None:
        """Rewrite a layer, a network, or a verb."""
        path = self.path(node.func)
        word = path.rpartition(".")[2]
        if path.startswith("keras.layers."):
            name = SPELLINGS.get(word, word)
            if word not in ("Input", "merge") and (name not in SAME or name not in ROWS):
                raise NotPlainError
        if path == "bigdl.mnist" or path.startswith("bigdl."):
            return None
        return super().rewrite_call(node)

    def verb(self, node: ast.Call) -> str | None:
        """Rewrite what is done with a network."""
        assert isinstance(node.func, ast.Attribute)
        word, name = node.func.attr, self.text(node.func.value)
        if word in SHAPES:
            return f"{name}.{SHAPES[word]}"
        if word in OUTPUTS:
            self.note(f"{word} gave arrays, and forward in training mode: predict is in evaluation")
            return f"{name}.predict({self.text(node.args[0])}, verbose=0)"
        if word in ("predict", "predict_class", "parameters", "get_weights", "set_weights",
                    "set_name", "training", "save", "saveModel", "collect"):  # fmt: skip
            raise NotPlainError
        if word == "compile":
            return self.told(node, name)
        if word == "fit":
            return self.trained(node, name)
        if word == "evaluate":
            self.note("evaluate gave results of BigDL's: natively the loss, then the metrics")
            given = self.arguments(node, ("x", "y", "batch_size"))
            if "y" in given:
                return self.called(node, f"{name}.evaluate", [
                    ("" if key in ("x", "y") else key, self.from_0(key, text), one)
                    for key, text, one in given.values()])  # fmt: skip
            raise NotPlainError
        return None

    def told(self, node: ast.Call, name: str) -> str:
        """Return compile, with the rule that a word of BigDL's means."""
        given = self.arguments(node, ("optimizer", "loss", "metrics"))
        values = {key: one.value if isinstance(one, ast.keyword) else one
                  for key, (_, _, one) in given.items()}  # fmt: skip
        loss, rule = values.get("loss"), values.get("optimizer")
        if not (isinstance(loss, ast.Constant) and loss.value in LOSSES):
            raise NotPlainError
        if not (isinstance(rule, ast.Constant) and rule.value in STRINGS):
            raise NotPlainError
        if loss.value == "sparse_categorical_crossentropy":
            self.counted = True
            self.note("classes counted from 1: y - 1 is what they are natively")
        kind, words = STRINGS[str(rule.value)]
        native = shown(Method.of(kind, **words).native())
        given["optimizer"] = ("optimizer", native, given["optimizer"][2])
        return self.called(node, f"{name}.compile", [
            ("" if index < 2 and not isinstance(one, ast.keyword) else key, text, one)
            for index, (key, text, one) in enumerate(given.values())])  # fmt: skip

    def trained(self, node: ast.Call, name: str) -> str:
        """Return fit, with classes from 0 on."""
        order = ("x", "y", "batch_size", "epochs", "validation_data", "distributed")
        given = self.arguments(node, order)
        given.pop("distributed", None)
        if "y" not in given:
            raise NotPlainError  # an RDD
        given.setdefault("epochs", ("epochs", "10", None))
        self.note("BigDL's batches were all full; natively the last one may be smaller")
        items = []
        for key, text, one in given.values():
            value = one.value if isinstance(one, ast.keyword) else one
            made = self.from_0(key, text)
            if key == "validation_data":
                if not (isinstance(value, ast.Tuple) and len(value.elts) == 2):
                    raise NotPlainError
                x, y = (self.text(part) for part in value.elts)
                made = f"({x}, {self.from_0('y', y)})"
            bare = key in ("x", "y") and not isinstance(one, ast.keyword)
            items.append(("" if bare else key, made, one))
        return self.called(node, f"{name}.fit", items)

    def from_0(self, key: str, text: str) -> str:
        """Return labels that count from 0."""
        if key != "y" or not self.counted:
            return text
        simple = isinstance(ast.parse(text, mode="eval").body, (ast.Name, ast.Subscript, ast.Call))
        return f"{text} - 1" if simple else f"({text}) - 1"


def shown(rule: Any) -> str:
    """Return the text of an optimizer, with the settings that are not the usual ones."""
    usual = type(rule)()
    words = [
        f"{one.name}={getattr(rule, one.name)!r}"
        for one in dataclasses.fields(rule)
        if one.name == "learning_rate" or getattr(rule, one.name) != getattr(usual, one.name)
    ]
    return f"st.optimizers.{type(rule).__name__}({', '.join(words)})"


def bigdl(text: str, name: str, said: Sequence[Word]) -> Ported:
    """Return a script in native words; with BigDL's own from Striate, where it is not plain."""
    work = BigdlPort(Source(text), version=VERSIONS["keras1"],
                     layout="channels_first", every="channels_first")  # fmt: skip
    try:
        work.bind()
        if not any(path.startswith("keras.models.") for path in work.bound.values()):
            return published(text, name, said)
        made = work.text(work.source.tree)
    except NotPlainError:
        return published(text, name, said)
    if work.whole:
        return published(text, name, said)
    head = ["import striate as st", "from striate import layers as L"]
    return Ported(made, [*head, *(["import striate.bigdl"] if work.digits else [])],
                  list(work.notes))  # fmt: skip
