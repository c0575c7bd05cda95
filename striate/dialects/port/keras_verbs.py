"""Verbs, optimizers and callbacks of a Keras script in the native vocabulary."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from ...optimizers.rules import NAMES
from ..keras.arguments import COMPILE_ORDER, FIT_ORDER, GENERATOR_ORDER
from ..keras.optimizers import OLD_ORDER, OUTSIDE
from ..keras.session import KerasVersion
from .keras_words import CALLBACKS, SETTINGS, UNSEEN, VERBS
from .modern import Modern
from .source import Item


@dataclass
class Verbs(Modern):
    """Rewrites what a script does with a model."""

    version: KerasVersion = field(kw_only=True)
    whole: dict[str, None] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)

    def arguments(self, node: ast.Call, order: tuple[str, ...]) -> dict[str, Item]:
        """Return the arguments of a verb by their native names."""
        made: dict[str, Item] = {}
        for name, value in zip(order, node.args, strict=False):
            made[name] = (name, self.text(value), value)
        for one in node.keywords:
            if one.arg not in UNSEEN:
                name = VERBS.get(one.arg or "", one.arg or "**")
                made[name] = (name, self.text(one.value), one)
        return made

    def verb(self, node: ast.Call) -> str | None:
        """Return a call of a model's verb in native words."""
        assert isinstance(node.func, ast.Attribute)
        word, name = node.func.attr, self.text(node.func.value)
        if word == "pop" and name.endswith(".layers"):
            self.whole[".layers.pop"] = None
        if word in ("fit", "fit_generator"):
            return self.fit(node, name, word)
        if word == "compile" and (node.args or node.keywords) and not name.startswith("re"):
            return self.compiled(node, name)
        if word == "predict_classes":
            asked = self.text(node.args[0] if node.args else node.keywords[0].value)
            return f"{name}.predict({asked}).argmax(-1)"
        if word == "predict_proba":
            return self.called(node, f"{name}.predict", self.plain(node)[:1])
        if word == "evaluate" or (word == "predict" and node.keywords):
            order = FIT_ORDER[:3] if word == "evaluate" else ("x", "batch_size", "verbose")
            words = self.arguments(node, (*order, "verbose"))
            if word == "predict":
                words.pop("verbose", None)
            return self.called(node, f"{name}.{word}", _bare(words, ("x", "y")))
        return None

    def fit(self, node: ast.Call, name: str, word: str) -> str | None:
        """Return a call of fit, with the defaults of the version."""
        words = {one.arg for one in node.keywords}
        known = {*FIT_ORDER, *VERBS, *UNSEEN}
        if words - known or len(node.args) + len(words) < 1:
            return None
        order = (*GENERATOR_ORDER, "initial_epoch") if word == "fit_generator" else FIT_ORDER
        given = self.arguments(node, order)
        single = word == "fit" and len(given) == 1
        if single and not isinstance(node.func.value, ast.Name):  # type: ignore[attr-defined]
            return None
        if word == "fit_generator":
            if not {"steps_per_epoch"} & set(given):
                self.whole["fit_generator without steps_per_epoch"] = None
            if {"samples_per_epoch", "nb_val_samples"} & words or (
                self.version.old and len(node.args) > 1
            ):
                self.whole["fit_generator that counts samples, not steps"] = None
            self.note("fit_generator: fit takes the generator")
        if "**" in given:
            return None
        if self.version.epochs != 1 and not single:
            given.setdefault("epochs", ("epochs", str(self.version.epochs), None))
        if self.version.batch_size != 32 and word == "fit" and not single:
            given.setdefault("batch_size", ("batch_size", str(self.version.batch_size), None))
        return self.called(node, f"{name}.fit", _bare(given, ("x", "y")))

    def compiled(self, node: ast.Call, name: str) -> str:
        """Return a call of compile, whose optimizer has the defaults of the version."""
        given = self.arguments(node, COMPILE_ORDER)
        origin = given.get("optimizer", ("", "", None))[2]
        value = origin.value if isinstance(origin, ast.keyword) else origin
        word = str(value.value).lower() if isinstance(value, ast.Constant) else ""
        if word in NAMES:
            given["optimizer"] = ("optimizer", self.rule(word, {}, None), origin)
        if self.version.name == "keras0":
            given["metrics"] = ("metrics", "['accuracy']", None)
        return self.called(node, f"{name}.compile", _bare(given, ("optimizer", "loss")))

    def optimizer(self, word: str, node: ast.Call) -> str:
        """Return a native optimizer with the defaults of the version."""
        known = ("learning_rate", "momentum", "nesterov") if word == "sgd" else ("learning_rate",)
        order = OLD_ORDER.get(word, known) if self.version.folds else known
        words = {name: self.text(one) for name, one in zip(order, node.args, strict=False)}
        words |= {SETTINGS.get(one.arg or "", one.arg or ""): self.text(one.value)
                  for one in node.keywords}  # fmt: skip
        return self.rule(word, words, node)

    def rule(self, word: str, words: dict[str, str], node: ast.Call | None) -> str:
        """Return the text of a native optimizer."""
        for name in ("name", "schedule_decay", "jit_compile"):
            words.pop(name, None)
        words = {name: text for name, text in words.items() if text != "None"}
        decay = words.pop("decay", "")
        for name, value in self.version.optimizers[word].items():
            words.setdefault(name, repr(value))
        if self.version.folds and word in OUTSIDE:
            words["epsilon"] = _squared(words["epsilon"])
            self.note(f"{word}: epsilon was added to the root; squared under it, it is the same")
        if decay and _number(decay) != 0.0:
            rate = words["learning_rate"]
            words["learning_rate"] = f"st.optimizers.schedules.InverseTimeDecay({rate}, 1, {decay})"
        if self.version.folds and "clipnorm" in words:
            words["global_clipnorm"] = words.pop("clipnorm")
            self.note("clipnorm was of all gradients together: global_clipnorm")
        order = {"learning_rate": words.pop("learning_rate"), **words}
        said = ", ".join(f"{name}={text}" for name, text in order.items())
        return f"st.optimizers.{NAMES[word].__name__}({said})"

    def callback(self, node: ast.Call, word: str) -> str | None:
        """Return the native hook."""
        known: Any = CALLBACKS[word]
        old = {"epsilon": "min_delta"} if word == "ReduceLROnPlateau" else {}
        order = known if word != "LambdaCallback" else ()
        given = self.arguments(node, order)
        if not {old.get(name, name) for name in given} <= set(known):
            unknown = ", ".join(name for name in given if old.get(name, name) not in known)
            self.whole[f"{word}({unknown}=...)"] = None
        items = [(old.get(name, name), text, one) for name, text, one in given.values()]
        if word == "EarlyStopping" and self.version.strict_wait:
            self.note("EarlyStopping waits one epoch more in Keras 1: its patience is one higher")
            items = [(n, f"{text} + 1" if n == "patience" else text, one) for n, text, one in items]
            if "patience" not in given:
                items.append(("patience", "1", None))
        if word == "ModelCheckpoint" and self.version.old:
            self.note("ModelCheckpoint: {epoch} counts from 1 natively, from 0 in Keras 1")
        return self.called(node, f"st.hooks.{word}", _named(items))


def _named(items: list[Item]) -> list[Item]:
    return [("", text, one) if not isinstance(one, ast.keyword) and index == 0 and one is not None
            else (name, text, one) for index, (name, text, one) in enumerate(items)]  # fmt: skip


def _bare(given: dict[str, Item], first: tuple[str, ...]) -> list[Item]:
    """Return arguments in their order; those that come first natively, without their names."""
    out: list[Item] = []
    for index, (name, text, origin) in enumerate(given.values()):
        bare = index < len(first) and name == first[index] and not isinstance(origin, ast.keyword)
        out.append(("" if bare else name, text, origin))
    return out


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _squared(text: str) -> str:
    number = _number(text)
    return f"({text}) ** 2" if number is None else f"{number**2:g}"
