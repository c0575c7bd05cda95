"""Random programs of PyTorch: once by torch alone, once by Striate's dialect of it."""

from __future__ import annotations

import contextlib
import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.dialects import installed
from striate.dialects.pytorch.native import Caller
from striate.engine import taped

from . import torch_steps as S
from .hunt import Choice, Finding
from .outcomes import Outcome, difference
from .scripts import Growing, module, run
from .templates import Draw
from .torch_layers import COMMON, COMMON_INPUTS, FLATTENED, INPUTS, LAYERS, RETURNS
from .torch_moves import MOVES

LARGEST, BATCH = 5000, 4  # numbers of a sample; samples that a network is grown with
RANKS = {2: "vectors", 3: "sequences", 4: "images", 5: "volumes"}
PRELUDE = """\
import copy, io
import numpy as np, torch, torch.nn.functional as F
from torch import nn
"""
STARTED = "def started(net): return net\ndef note(*words): print(*words)\n"
HEAD = "torch.manual_seed({seed}); np.random.seed({seed})\n"
SHAKEN = 1e-6
BETWEEN = 0.1  # of the steps, in which something comes between their gradients and their update
QUIET = [row for row in MOVES if not re.search(r"\bgrad\b|_hook|\.step\(", row)]


def kind(x: Tensor) -> str:
    """Return the table of the layers for a value."""
    return RANKS[x.ndim] if x.is_floating_point() else "tokens"


class Words(dict[str, Any]):
    """The words of a row for one value of a network."""

    def __init__(self, draw: Draw, name: str, values: dict[str, Tensor], parts: list[str]) -> None:
        x = values[name]
        like = [key for key, y in values.items() if y.shape == x.shape and y is not x]
        joined = [
            key for key, y in values.items() if y is not x and y.ndim == x.ndim
            and y.is_floating_point() and y[:, :1].shape == x[:, :1].shape
        ]  # fmt: skip
        super().__init__(
            x=name, c=x.shape[1], n=x.shape[-1], h=x.shape[2] if x.ndim > 2 else 1,
            w=x.shape[-1], size=x[0].numel(), shape=list(x.shape[1:]), y=draw.one(like or [name]),
            z=draw.one(joined or [name]), name=f"part{len(parts)}",
            again=draw.one(parts) if parts else "part0",
        )  # fmt: skip


class Network:
    """A module that is written while its lines run on tensors; a line that fails is left out."""

    def __init__(self, inputs: Sequence[Tensor]) -> None:
        self.module = nn.Module()
        self.values = dict(zip("xt", inputs, strict=False))
        self.names = {"self": self.module, "torch": torch, "nn": nn, "F": F, **self.values}
        self.parts: list[str] = []
        self.defined: list[str] = []
        self.lines: list[str] = []

    def add(self, draw: Draw, rows: Sequence[Any], name: str = "") -> str:
        """Add a layer on a value; return the name of the new value, or nothing."""
        name = name or draw.recent(list(self.values))
        words = Words(draw, name, self.values, self.parts)
        row = draw.one(rows)
        made, y = f"v{len(self.lines)}", ""
        if isinstance(row, tuple):
            made_by, y = (draw.text(one, words) for one in row)
        elif row.startswith("nn."):
            made_by, y = draw.text(row, words), f"self.{words['name']}({name})"
        else:
            made_by, y = "", draw.text(row, words)
        line = f"self.{words['name']} = {made_by}" if made_by else ""
        try:
            exec(line, self.names)
            value = eval(y, self.names)
            fits = self._fits(value)
        except Exception:
            fits = False
        if not fits:
            return ""
        if line:
            self.parts.append(words["name"])
            self.defined.append(line)
        self.lines.append(f"{made} = {y}")
        self.names[made] = self.values[made] = value.detach()
        return made

    def _fits(self, value: Any) -> bool:
        return (
            isinstance(value, Tensor) and value.is_floating_point() and value.ndim in RANKS
            and len(value) == BATCH and 0 < value[0].numel() <= LARGEST
            and bool(value.isfinite().all())
        )  # fmt: skip

    def last(self) -> str:
        """Return the name of the value that was made last."""
        return [*self.values][-1]

    def end(self, draw: Draw, pixels: bool) -> str:
        """Add what makes five numbers of a sample, or of a pixel; return their name."""
        name = self.last()
        if kind(self.values[name]) == "tokens":
            name = self.add(Draw(0), LAYERS["tokens"], name)
        if pixels and self.values[name].ndim == 4:
            return self.add(Draw(0), ["nn.Conv2d({c}, 5, <1|3>)"], name)
        while self.values[name].ndim != 2:
            rows = FLATTENED[kind(self.values[name])]
            name = self.add(draw, rows, name) or self.add(Draw(0), rows, name)
        return self.add(Draw(0), ["nn.Linear({n}, 5)"], name)

    def text(self, returned: str) -> str:
        """Return the code of the class, without what its output does not need."""
        lines = [f"return {returned}"]
        for line in reversed(self.lines):
            if re.search(rf"\b{line.partition(' ')[0]}\b", "\n".join(lines)):
                lines.insert(0, line)
        code = "\n".join(lines)
        defined = [line for line in self.defined if re.search(rf"{line.partition(' ')[0]}\b", code)]
        given = ", ".join(key for key in "xt" if key in self.values)
        made = textwrap.indent("\n".join(["super().__init__()", *defined]), " " * 8)
        forward = textwrap.indent(code, " " * 8)
        return (
            f"class Net(nn.Module):\n    def __init__(self):\n{made}\n"
            f"    def forward(self, {given}):\n{forward}\n"
        )


class Programs:
    """Random programs of PyTorch."""

    def __init__(self) -> None:
        self.calls: list[bool] = []  # whether each call of a network was native

    def program(self, seed: int) -> tuple[Choice, ...]:
        """Return the choices of a random program."""
        draw = Draw(seed + 1)
        steady = draw.one((True, False, False))
        common = steady or draw.one((True, True, False))
        layers = ["common" if common else "layer"] * draw.one(range(1, 9))
        names = ["common input" if common else "input", *layers, "end", "start"]
        for _ in range(draw.one((8, 10, 12)) if steady else 0):
            names += ["quiet move"] * draw.one((0, 0, 0, 0, 1)) + ["steady"]
        for _ in range(draw.one((4, 5, 6)) if not steady else 0):
            names += ["move"] * draw.one((0, 1, 1, 2)) + ["step"]
        return tuple(Choice(name, draw.one(range(1, 1 << 30))) for name in [*names, "move"])

    def text(self, choices: Sequence[Choice]) -> str:
        """Write a program."""
        chosen = {one.table: Draw(one.seed) for one in reversed(choices)}
        draw = chosen.get("input") or chosen.get("common input", Draw(0))
        inputs = INPUTS if "input" in chosen else COMMON_INPUTS
        given = [draw.text(row, {}) for row in draw.one(inputs)]
        torch.manual_seed(0)
        network = Network([eval(row, {"torch": torch})[:BATCH] for row in given])
        for one in choices:
            if one.table in ("layer", "common"):
                layer = Draw(one.seed)
                name = layer.recent(list(network.values))
                table = kind(network.values[name])
                rows = COMMON.get(table) if one.table == "common" else None
                network.add(layer, rows or LAYERS[table], name)
        draw = chosen.get("end", Draw(0))
        out = network.end(draw, pixels=not draw.plain and draw.rng.random() < 0.15)
        returned, take = draw.one(RETURNS)
        arrays = dict(zip("XT", given, strict=False))
        passed = ", ".join(key for key in "xt" if key in network.values)
        words = {
            "p": "net.parameters()", "given": passed, "take": take.format(given=passed),
            "more": " + 1e-2 * more.pow(2).mean()" if "more" in take else "",
            "T": "T" in arrays,
        }  # fmt: skip
        data = "".join(f"{key} = {row}\n" for key, row in arrays.items())
        with module("", {"note": lambda *_: None, "started": lambda net: net}) as made:
            growing = Growing(vars(made))
            growing.add(PRELUDE + HEAD.format(seed=len(choices)))
            growing.add(f"{data}Y = torch.randint(0, 5, (40,))")
            code = network.text(returned.format(out=out, x=network.last()))
            growing.add(f"{code}net = started(Net())")
            growing.add("x, y = X[:8], Y[:8]" + ("; t = T[:8]" if words["T"] else ""))
            self._loop(growing, choices, words)
        return growing.text

    def _loop(self, growing: Growing, choices: Sequence[Choice], words: dict[str, Any]) -> None:
        """Add the optimizer, the moves and the steps."""
        start = next((one for one in choices if one.table == "start"), Choice("start", 0))
        draw = Draw(start.seed)
        steady = any(one.table == "steady" for one in choices)
        made = draw.text(draw.one(S.OPTIMIZERS[:5] if steady else S.OPTIMIZERS), words)
        growing.add(f"optimizer = {made}") or growing.add("optimizer = torch.optim.SGD("
                                                          "net.parameters(), 0.05)")  # fmt: skip
        scheduled = not draw.plain and draw.rng.random() < 0.4 and growing.add(
            f"schedule = torch.optim.lr_scheduler.{draw.text(draw.one(S.SCHEDULES), words)}"
        )  # fmt: skip
        for one in choices:
            draw = Draw(one.seed)
            if one.table == "move":
                growing.add(draw.text(draw.one(MOVES), words))
            elif one.table == "quiet move":
                growing.add(draw.text(draw.one(QUIET), words))
            elif one.table == "step":
                growing.add(self._step(draw, words, growing.names["net"], scheduled))
            elif one.table == "steady":
                again = Draw(start.seed)
                growing.add(self._steady(draw, again, words, growing.names["net"], scheduled))
        growing.add("note('state', net.state_dict()); net.eval()")
        growing.add(f"x = X{'; t = T' if words['T'] else ''}\n"
                    f"with torch.no_grad(): {words['take']}\nnote('end', out)")  # fmt: skip
        growing.add("note('optimizer', [[one for one in state.values() if torch.is_tensor(one)] "
                    "for state in optimizer.state.values()])")  # fmt: skip

    def _step(self, draw: Draw, words: dict[str, Any], net: nn.Module, scheduled: bool) -> str:
        """Return the lines of a step."""
        batch = draw.one(S.BATCHES if not words["T"] else S.BATCHES[:1])
        pixels = "nn.Conv2d" in str([*net.children()][-1:])
        losses = S.PIXEL_LOSSES if pixels else S.VECTOR_LOSSES
        beside = draw.one(S.BESIDE)
        rows = [
            batch + ("; t = T[:8]" if words["T"] else ""),
            draw.one(S.CLEARED),
            "{take}; note('out', out, out.requires_grad)",
            f"loss = {draw.one(losses)}{{more}}{' + ' + beside if beside else ''}; "
            "note('loss', loss)",
            draw.one(S.BACKWARDS),
            "note('gradients', [one.grad for one in net.parameters()])",
            draw.one(S.STEPS),
            "schedule.step()" if scheduled else "",
        ]
        return "\n".join(draw.text(row, words) for row in rows if row)

    def _steady(
        self, draw: Draw, again: Draw, words: dict[str, Any], net: nn.Module, scheduled: bool
    ) -> str:
        """Return the lines of a step as most loops have it: `again` draws the same each time."""
        batch = draw.one(S.BATCHES[:6] if not words["T"] else S.BATCHES[:1])
        pixels = "nn.Conv2d" in str([*net.children()][-1:])
        losses = S.PIXEL_LOSSES if pixels else S.VECTOR_LOSSES
        cleared, first = again.one(S.CLEARED_ALWAYS), again.one((True, True, False))
        loss = again.one(again.one((losses, losses[:1])))
        early, noted = again.one((True, False)), again.one(S.NOTED)
        between = draw.one(S.BETWEEN) if draw.rng.random() < BETWEEN else ""
        rows = [
            batch + ("; t = T[:8]" if words["T"] else ""),
            cleared if first else "",
            f"{{take}}; loss = {loss}{{more}}",
            noted if early else "",
            "loss.backward()",
            between,
            "optimizer.step()",
            "" if early else noted,
            "schedule.step()" if scheduled else "",
            "" if first else cleared,
        ]
        return "\n".join(again.text(row, words) for row in rows if row)

    def finding(self, choices: Sequence[Choice]) -> Finding:
        """Run a program by torch alone, also from shaken weights, and by the dialect."""
        text = self.text(choices)
        with self.counted():
            told, mine = compared(text)
        return Finding(text, told, mine.where)

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Count the calls that go through a plan."""
        original = Caller._native

        def native(caller: Caller, module: nn.Module, x: Tensor) -> Tensor | None:
            out = original(caller, module, x)
            self.calls.append(out is not None)
            return out

        Caller._native = native  # type: ignore[method-assign]
        try:
            yield
        finally:
            Caller._native = original  # type: ignore[method-assign]

    def said(self) -> str:
        """Return how many calls were native."""
        return f"{sum(self.calls):,} of {len(self.calls):,} calls of networks were native."


def compared(text: str) -> tuple[str, Outcome]:
    """Run a text by torch alone, also from shaken weights, and by the dialect.

    Returns where the two differ, or nothing, and what the dialect has made.
    """
    plain, shaken = (run(text, {"started": started(shake)}) for shake in (0, SHAKEN))
    with installed("pytorch") as session:
        said = set(re.findall(r"\w+", text))
        session.script.words = [("name", word, "") for word in said]  # as `striate run` reads it
        mine = run(text, {"started": started(0)})
    if plain.error and mine.error:  # a row that torch refuses at another seed
        return "", mine
    return difference(plain, mine, shaken), mine


def started(shake: float) -> Any:
    """Return a function that changes the weights of a network by a share of themselves."""

    def start(net: nn.Module) -> nn.Module:
        draw = torch.Generator().manual_seed(1)
        for one in net.parameters() if shake else ():
            one.data.mul_(1 + shake * torch.randn(one.shape, generator=draw))
        return net

    return start


@contextlib.contextmanager
def language() -> Iterator[Programs]:
    """Have the programs of PyTorch."""
    threads, worth = torch.get_num_threads(), taped.WORTH
    torch.set_num_threads(1)
    taped.WORTH = 0  # layers of torch between kernels, however little it gains
    try:
        yield Programs()
    finally:
        torch.set_num_threads(threads)
        taped.WORTH = worth
