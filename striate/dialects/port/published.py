"""Scripts of ReNom, BigDL and PyTorch whose code stays, with their packages from Striate."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..evidence import Word
from .modern import Modern
from .ported import Ported
from .source import Source

SPARK = "bigdl.util.common"  # has the names of pyspark
RENOM = {"renom": "striate.renom"}
BIGDL = {"bigdl": "striate.bigdl", "pyspark": f"striate.{SPARK}"}
TORCH = {"torchvision": "striate.torchvision"}


@dataclass
class Published(Modern):
    """Rewrites the imports of packages; `packages` has where Striate has the same names."""

    packages: Mapping[str, str] = field(kw_only=True)
    used: dict[str, None] = field(default_factory=dict)

    def place(self, module: str) -> str:
        """Return where a module is here; empty for one of another package."""
        root, _, rest = module.partition(".")
        found = self.packages.get(root, "")
        if found:
            self.used[found.rpartition(".")[0] if root == "pyspark" else found] = None
        return found if root == "pyspark" else f"{found}.{rest}".rstrip(".") if found else ""

    def rewrite_importfrom(self, node: ast.ImportFrom) -> str | None:
        """Import from where it is."""
        place = self.place(node.module or "")
        words = ", ".join(self.source.segment(name) for name in node.names)
        many = "(" in self.source.segment(node)
        if not place:
            return None
        if many:
            text = self.source.segment(node)
            return text.replace(node.module or "", place, 1)
        return f"from {place} import {words}"

    def rewrite_import(self, node: ast.Import) -> str | None:
        """Import from where it is, under the same name."""
        lines, rest = [], []
        for name in node.names:
            place = self.place(name.name)
            if place and name.asname:
                lines.append(f"import {place} as {name.asname}")
            elif place:
                root = name.name.partition(".")[0]
                lines += [f"import {place}"] if place.count(".") > 1 else []
                lines.append(f"import {self.packages[root]} as {root}")
            else:
                rest.append(self.source.segment(name))
        if not lines:
            return None
        lines = [*([f"import {', '.join(rest)}"] if rest else []), *lines]
        return f"\n{self.source.indent(node)}".join(lines)


@dataclass
class Idioms(Published):
    """Rewrites what PyTorch 0.3 had besides: volatile, loss.data[0], it.next()."""

    old: bool = False
    needs: bool = False  # whether torch has to be given back what it has lost
    whole: bool = False  # whether the script saves models as they are, not their weights

    def rewrite_subscript(self, node: ast.Subscript) -> str | None:
        """Return the number that was the only element."""
        value = node.value
        first = isinstance(node.slice, ast.Constant) and node.slice.value == 0
        if not (self.old and first and isinstance(value, ast.Attribute) and value.attr == "data"):
            return None
        base = value.value
        name = getattr(base, "id", getattr(base, "attr", "loss"))
        lost = isinstance(base, ast.Call) or "loss" in name or "cost" in name
        return f"{self.text(base)}.item()" if lost else None

    def rewrite_call(self, node: ast.Call) -> str | None:
        """Return a call of today."""
        words = [one.arg for one in node.keywords]
        if "volatile" in words:
            self.note("volatile=True is gone: `with torch.no_grad():` around it saves as much")
            kept = [one for one in self.plain(node) if one[0] != "volatile"]
            return self.called(node, self.text(node.func), kept)
        if isinstance(node.func, ast.Attribute) and not node.args and not words:
            if node.func.attr == "next":
                return f"next({self.text(node.func.value)})"
            self.needs |= node.func.attr == "cuda"
        if self.whole and self.source.segment(node.func) == "torch.load" and (
            "weights_only" not in words
        ):  # fmt: skip
            self.note("torch.load(weights_only=False) runs code of the file: read only your own")
            return self.called(
                node, "torch.load", [*self.plain(node), ("weights_only", "False", None)]
            )
        return None


def renom(text: str, name: str, said: Sequence[Word]) -> Ported:
    """Return a script that takes ReNom from Striate."""
    work = Published(Source(text), packages=RENOM)
    made = work.text(work.source.tree)
    return Ported(made, [], ["ReNom's words are those of striate.renom: its loop stays as it is"])


def bigdl(text: str, name: str, said: Sequence[Word]) -> Ported:
    """Return a script that takes BigDL, and Spark's names, from Striate."""
    work = Published(Source(text), packages=BIGDL)
    made = work.text(work.source.tree)
    notes = ["BigDL's words are those of striate.bigdl: classes count from 1, batches are full"]
    if "pyspark" in {word.partition(".")[0] for kind, word, _ in said if kind == "import"}:
        notes.append("RDDs are lists in this process; with pyspark installed, they are Spark's")
    return Ported(made, ["import striate.bigdl"] if work.used else [], notes)


def pytorch(text: str, name: str, said: Sequence[Word]) -> Ported:
    """Return a script of torch, with torchvision's names from Striate."""
    source = Source(text)
    saves = [node for node in ast.walk(source.tree) if isinstance(node, ast.Call)
             and source.segment(node.func) == "torch.save" and node.args
             and isinstance(node.args[0], (ast.Name, ast.Dict))]  # fmt: skip
    work = Idioms(source, packages=TORCH, old=name == "pytorch0", whole=bool(saves))
    made = work.text(source.tree)
    words = {word for _, word, _ in said}
    lost = {"torch.utils.tensorboard", "tensorboardX", "verbose"} & words
    head = ["from striate.dialects import serve", f'serve("{name}")'] if work.needs or lost else []
    if head:
        work.note(f"serve gives torch back {', '.join(sorted(lost)) or 'cuda() without a GPU'}")
    if work.used:
        work.note("torchvision's data sets and transforms are those of striate.torchvision")
    work.note("a torch module is a part of Striate: st.Model.from_torch(net) has fit and summary")
    return Ported(made, head, list(work.notes))
