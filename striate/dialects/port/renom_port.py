"""A ReNom script in the native vocabulary, where its network and its loop are plain ones.

A plain network is `net = rm.Sequential([...])` of layers with a native twin; a plain loop has
`with net.train(): loss = rm.softmax_cross_entropy(net(x), t)` and `loss.grad().update(rule)`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..evidence import Word
from .modern import Modern
from .ported import Ported
from .published import renom as published
from .source import GONE, Item, Source

DRAWN = "st.initializers.VarianceScaling(1.0, 'fan_avg', 'untruncated_normal')"
FIRST = ("data_format", "'channels_first'")
# the native layer; its argument for each of ReNom's, in their order; what is added; its defaults
Layer = tuple[str, dict[str, str], tuple[tuple[str, str], ...], dict[str, str]]
_WINDOW = {"filter": "kernel_size", "padding": "padding", "stride": "strides",
           "dilation": "dilation_rate"}  # fmt: skip
LAYERS: dict[str, Layer] = {
    "Conv2d": ("Conv2D", {"channel": "filters", **_WINDOW}, (FIRST, ("kernel_initializer", DRAWN)),
               {"filters": "32", "kernel_size": "3"}),
    "Dense": ("Dense", {"output_size": "units"}, (("kernel_initializer", DRAWN),), {}),
    "MaxPool2d": ("MaxPooling2D", {"filter": "pool_size", "": "", "stride": "strides"}, (FIRST,),
                  {"pool_size": "3", "strides": "1"}),
    "AveragePool2d": ("AveragePooling2D", {"filter": "pool_size", "": "", "stride": "strides"},
                      (FIRST,), {"pool_size": "3", "strides": "1"}),
    "Dropout": ("Dropout", {"dropout_ratio": "rate"}, (), {"rate": "0.5"}),
    "Flatten": ("Flatten", {}, (), {}),
    "Relu": ("ReLU", {}, (), {}), "Sigmoid": ("Sigmoid", {}, (), {}), "Tanh": ("Tanh", {}, (), {}),
    "LeakyRelu": ("LeakyReLU", {"slope": "negative_slope"}, (), {"negative_slope": "0.01"}),
    "Elu": ("ELU", {"alpha": "alpha"}, (), {"alpha": "0.01"}), "Selu": ("SELU", {}, (), {}),
}  # fmt: skip
RULES: dict[str, Layer] = {
    "Sgd": ("SGD", {"lr": "learning_rate", "momentum": "momentum", "nesterov": "nesterov"}, (),
            {"learning_rate": "0.1", "momentum": "0.4", "nesterov": "True"}),
    "Adam": ("Adam", {"lr": "learning_rate"}, (), {"learning_rate": "0.001", "epsilon": "1e-08"}),
    "Adagrad": ("Adagrad", {"lr": "learning_rate"}, (), {
        "learning_rate": "0.01", "initial_accumulator_value": "0.0", "epsilon": "1e-16"}),
    "Rmsprop": ("RMSprop", {"lr": "learning_rate", "g": "rho"}, (), {
        "learning_rate": "0.001", "rho": "0.9", "epsilon": "1e-16"}),
}  # fmt: skip
LOSS = "st.losses.CategoricalCrossentropy(from_logits=True)"
KNOWN = ("softmax_cross_entropy", "smce")
HARMLESS = ("set_cuda_active", "set_renom_seed")


class NotPlainError(Exception):
    """The script does more than what is rewritten here."""


@dataclass
class RenomPort(Modern):
    """Rewrites a script of one network and one rule."""

    bound: dict[str, str] = field(default_factory=dict)
    nets: dict[str, ast.Assign] = field(default_factory=dict)
    losses: set[str] = field(default_factory=set)
    rules: dict[str, str] = field(default_factory=dict)  # the rule that trains each network
    drops: bool = False

    def learn(self) -> None:
        """Find names, networks and training steps.

        Raises: NotPlainError where there is none, or one of another form.
        """
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Import):
                self.bound |= {one.asname or one.name: one.name for one in node.names
                               if one.name.partition(".")[0] == "renom"}  # fmt: skip
            elif isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith("renom."):
                self.bound |= {one.asname or one.name: f"{node.module}.{one.name}"
                               for one in node.names}  # fmt: skip
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Assign) and self.word(node.value) == "Sequential":
                (target,) = node.targets
                if not isinstance(target, ast.Name) or target.id in self.nets:
                    raise NotPlainError
                self.nets[target.id] = node
        for body in _bodies(self.source.tree):
            for block, after in zip(body, [*body[1:], None], strict=False):
                if isinstance(block, ast.With) and self.trained(block):
                    self.step(block, after)
        if not self.rules or set(self.rules) != set(self.nets):
            raise NotPlainError

    def word(self, node: ast.AST) -> str:
        """Return the name of what a call calls, if it is ReNom's."""
        func = node.func if isinstance(node, ast.Call) else node
        while isinstance(func, ast.Attribute):
            if isinstance(func.value, ast.Name) and self.bound.get(func.value.id, "") == "renom":
                return func.attr
            func = func.value
        name = self.bound.get(func.id, "") if isinstance(func, ast.Name) else ""
        return name.rpartition(".")[2] if "." in name else ""

    def trained(self, block: ast.With) -> str:
        """Return the network that a block trains."""
        (call, *more) = (item.context_expr for item in block.items)
        if more or not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
            return ""
        name = call.func.value.id if isinstance(call.func.value, ast.Name) else ""
        return name if call.func.attr == "train" and name in self.nets else ""

    def step(self, block: ast.With, after: ast.AST | None) -> None:
        """Rewrite one training step."""
        net = self.trained(block)
        outputs: dict[str, ast.expr] = {}
        *before, last = block.body
        for one in before:
            if not (isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name)
                    and self.of(one.value, net)):  # fmt: skip
                raise NotPlainError
            outputs[one.targets[0].id] = one.value
        if not (isinstance(last, ast.Assign) and isinstance(last.targets[0], ast.Name)
                and self.word(last.value) in KNOWN and isinstance(last.value, ast.Call)
                and len(last.value.args) == 2 and not last.value.keywords):  # fmt: skip
            raise NotPlainError
        out, target = last.value.args
        out = outputs.get(out.id, out) if isinstance(out, ast.Name) else out
        if not self.of(out, net) or self.used(outputs, block):
            raise NotPlainError
        assert isinstance(out, ast.Call)
        loss = last.targets[0].id
        self.rules[net] = self.rule(loss, after)
        self.losses.add(loss)
        given, wanted = self.text(out.args[0]), self.text(target)
        self.made[block] = f"{loss} = {net}.train_on_batch({given}, {wanted})"
        assert after is not None
        self.made[after] = GONE

    def of(self, node: ast.AST, net: str) -> bool:
        """Return whether a node is the network, called on one thing."""
        return (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == net
            and len(node.args) == 1 and not node.keywords
        )  # fmt: skip

    def used(self, outputs: dict[str, ast.expr], block: ast.With) -> bool:
        """Return whether the outputs of a step are read elsewhere."""
        inside = set(ast.walk(block))
        return any(isinstance(one, ast.Name) and one.id in outputs and one not in inside
                   and isinstance(one.ctx, ast.Load)
                   for one in ast.walk(self.source.tree))  # fmt: skip

    def rule(self, loss: str, after: ast.AST | None) -> str:
        """Return the name of the rule in `loss.grad().update(rule)`."""
        text = self.source.segment(after).replace(" ", "") if after is not None else ""
        call = after.value if isinstance(after, ast.Expr) else None
        if not (text.startswith(f"{loss}.grad().update(") and isinstance(call, ast.Call)
                and len(call.args) == 1 and isinstance(call.args[0], ast.Name)):  # fmt: skip
            raise NotPlainError
        return call.args[0].id

    # ---- what is rewritten -----------------------------------------------------------------------

    def rewrite_import(self, node: ast.Import) -> str | None:
        """Forget ReNom."""
        rest = [self.source.segment(one) for one in node.names
                if one.name.partition(".")[0] != "renom"]  # fmt: skip
        return None if len(rest) == len(node.names) else (
            f"import {', '.join(rest)}" if rest else GONE)  # fmt: skip

    def rewrite_importfrom(self, node: ast.ImportFrom) -> str | None:
        """Forget ReNom."""
        return GONE if f"{node.module}.".startswith("renom.") else None

    def rewrite_for(self, node: ast.For) -> str | None:
        """Compile the networks in front of the outermost loop that trains them."""
        inside = {self.trained(one) for one in ast.walk(node) if isinstance(one, ast.With)}
        nets = [net for net in self.nets if net in inside and net in self.rules]
        lines = [f"{net}.compile({self.rules.pop(net)}, {LOSS})" for net in nets]
        text = self.spliced(node)
        return f"\n{self.source.indent(node)}".join([*lines, text]) if lines else text

    def rewrite_expr(self, node: ast.Expr) -> str | None:
        """Forget what sets ReNom up, and what a network is told natively by its verbs."""
        if self.word(node.value) in HARMLESS:
            return GONE
        func = node.value.func if isinstance(node.value, ast.Call) else None
        told = isinstance(func, ast.Attribute) and func.attr == "set_models" and isinstance(
            func.value, ast.Name) and func.value.id in self.nets  # fmt: skip
        return GONE if told else None

    def rewrite_attribute(self, node: ast.Attribute) -> str | None:
        """Refuse what is asked of ReNom otherwise."""
        word = self.word(node)
        inner = node.value
        if word or (isinstance(inner, ast.Name) and inner.id in self.nets):
            raise NotPlainError
        return super().rewrite_attribute(node)

    def rewrite_call(self, node: ast.Call) -> str | None:
        """Rewrite a layer, the network, a rule, a loss, or a number that was a node."""
        word, func = self.word(node), node.func
        if word == "Sequential" and len(node.args) == 1 and isinstance(node.args[0], ast.List):
            return self.called(node, "st.Sequential", self.plain(node))
        for table, room in ((LAYERS, "L"), (RULES, "st.optimizers")):
            if word in table:
                self.drops |= word == "Dropout"
                return self.by(table[word], room, node)
        if word in KNOWN and len(node.args) == 2 and not node.keywords:
            out, target = node.args
            for net in self.nets:
                if self.of(out, net) and isinstance(out, ast.Call):
                    if self.drops:
                        self.note("losses outside of train() were computed with dropout, as ReNom "
                                  "does; test_on_batch drops nothing")  # fmt: skip
                    given, wanted = self.text(out.args[0]), self.text(target)
                    return f"{net}.test_on_batch({given}, {wanted})"
        if word:
            raise NotPlainError
        if isinstance(func, ast.Name) and func.id in self.nets:
            if len(node.args) != 1:
                raise NotPlainError
            return f"{func.id}.predict({self.text(node.args[0])}, verbose=0)"
        if isinstance(func, ast.Attribute):
            name = func.value.id if isinstance(func.value, ast.Name) else ""
            if func.attr == "as_ndarray":
                return self.text(func.value)
            if name in self.losses:
                raise NotPlainError
        return None

    def by(self, row: Layer, room: str, node: ast.Call) -> str:
        """Return the native call for a row."""
        target, words, more, defaults = row
        items: list[Item] = []
        for name, value in zip(words, node.args, strict=False):
            items.append((words[name], self.text(value), value))
        for one in node.keywords:
            if one.arg not in words:
                raise NotPlainError
            items.append((words[one.arg], self.text(one.value), one))
        if len(node.args) > len(words) or any(not name for name, _, _ in items):
            raise NotPlainError
        given = {name for name, _, _ in items}
        items += [(name, text, None) for name, text in defaults.items() if name not in given]
        items += [(name, text, None) for name, text in more]
        return self.called(node, f"{room}.{target}", items)

    def rewrite_name(self, node: ast.Name) -> str | None:
        """Refuse ReNom's module, and networks that are handed on."""
        if node.id in self.bound or (node.id in self.nets and isinstance(node.ctx, ast.Load)):
            raise NotPlainError
        return super().rewrite_name(node)


def _bodies(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if isinstance(body, list):
                yield body


def renom(text: str, name: str, said: Sequence[Word]) -> Ported:
    """Return a script in native words; with ReNom's own from Striate, where it is not plain."""
    work = RenomPort(Source(text))
    try:
        work.learn()
        made = work.text(work.source.tree)
    except NotPlainError:
        return published(text, name, said)
    if work.rules:  # trained outside of any loop
        return published(text, name, said)
    work.note("kernels are not turned natively: the same network, whose kernels look turned")
    return Ported(made, ["import striate as st", "from striate import layers as L"],
                  list(work.notes))  # fmt: skip
