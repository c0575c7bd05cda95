"""Random chains of layers by ReNom's and BigDL's dialects, and the same sums in torch."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from striate.dialects import installed

from . import bigdl_rows, renom_rows
from .hunt import Choice, Finding
from .outcomes import difference
from .scripts import run
from .templates import Draw

SAMPLES, LARGEST = 6, 2000
SHAPES = ((3, 8, 7), (1, 9, 9), (2, 6, 8), (3, 12, 5), (9,))
SHAKEN = 1e-6
PLAIN = """\
z = net(x); loss = {loss}
note('out', z); note('loss', loss); rule.zero_grad()
{step}
"""


class Chains:
    """Random programs of a dialect whose layers are rows beside their sums."""

    def __init__(self, name: str, rows: ModuleType) -> None:
        self.name, self.rows = name, rows

    def program(self, seed: int) -> tuple[Choice, ...]:
        """Return the choices of a random program."""
        draw = Draw(seed + 1)
        names = ["shape", *["layer"] * draw.one(range(1, 7)), "loss", "rule"]
        names += ["step"] * draw.one((1, 2, 3))
        return tuple(Choice(name, draw.one(range(1, 1 << 30))) for name in names)

    def finding(self, choices: Sequence[Choice]) -> Finding:
        """Run a program by the dialect, and its sums in torch from the same weights."""
        text, sums = self.texts(choices)
        with installed(self.name):
            mine = run(text, {})
        weights = [value for name, value in mine.noted if name.startswith("weights.")]
        if mine.error:
            return Finding(text, mine.error, mine.where)
        plain, shaken = (run(sums, self.words(weights, shake)) for shake in (0.0, SHAKEN))
        mine.noted = mine.noted[len(weights) :]
        found = plain.error or difference(plain, mine, shaken)
        return Finding(f"{text}\n# in torch:\n{sums}", found, plain.where)

    def said(self) -> str:
        """Return nothing."""
        return ""

    def words(self, weights: Sequence[Any], shake: float) -> dict[str, Any]:
        """Return what the sums are made of: weights that learn."""
        rng = np.random.default_rng(0)
        w = [
            torch.tensor(one * (1 + shake * rng.normal(size=one.shape)), dtype=torch.float32)
            for one in weights
        ]
        return {"w": [one.requires_grad_() for one in w], "near": near, "np": np, "torch": torch,
                "F": F}  # fmt: skip

    def texts(self, choices: Sequence[Choice]) -> tuple[str, str]:
        """Return the program, and its sums."""
        rows = self.rows
        chosen = {one.table: Draw(one.seed) for one in reversed(choices)}
        shape = chosen.get("shape", Draw(0)).one(SHAPES)
        parts = [Draw(one.seed) for one in choices if one.table == "layer"]
        chain, lines, places, decayed = _Chain(rows, shape), [], 0, []
        for draw in [*parts, None]:
            for part, line, count in chain.add(draw):
                words = dict(zip("wvu", (f"w[{places + at}]" for at in range(3)), strict=True))
                lines.append("    x = " + line.format_map(words))
                decayed += [f"w[{places}]"] if count and "Layer" not in part else []
                chain.parts.append(part)
                places += count
        loss, sum_ = chosen.get("loss", Draw(0)).one(rows.LOSSES)
        draw = chosen.get("rule", Draw(0))
        words = {key: draw.one(several) for key, several in rows.WORDS.items()}
        rule, torch_rule = (one.format_map(words) for one in draw.one(rows.RULES))
        text = rows.BEGIN.format(
            seed=len(choices), shape=(SAMPLES, *shape), samples=SAMPLES, loss=loss, rule=rule,
            layers=", ".join(chain.parts), labels="label" in sum_,
        )  # fmt: skip
        sums = [
            f"rng = np.random.default_rng({len(choices)})",
            f"x = torch.tensor(rng.normal(size={(SAMPLES, *shape)}).astype('float32'))",
            f"label = torch.tensor(rng.integers(0, 4, {SAMPLES})); y = F.one_hot(label, 4).float()",
            "def net(x):", *lines, "    return x", f"rule = {torch_rule}",
            f"decayed = [{', '.join(decayed)}]",
        ]  # fmt: skip
        for one in choices:
            if one.table == "step":
                step, plain = Draw(one.seed).one(rows.STEPS)
                text += rows.STEP.format(loss=loss, step=step)
                sums.append(PLAIN.format(loss=sum_, step=plain))
        return text + rows.END, "\n".join([*sums, "note('end', w)\n"])


def near(slope: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Return a value whose gradient is that of another: ReNom writes its gradients by hand."""
    return slope + (value - slope).detach()


class _Chain:
    """Which layers fit one behind the other: the sums of each are run on zeros."""

    def __init__(self, rows: ModuleType, shape: tuple[int, ...]) -> None:
        self.rows, self.x, self.parts = rows, torch.rand(SAMPLES, *shape), []  # type: ignore[var-annotated]

    def add(self, draw: Draw | None) -> Iterator[tuple[str, str, int]]:
        """Yield the layer that is drawn, if it fits; at the end those that make four numbers."""
        if draw is not None:
            row = draw.one(self.rows.LAYERS[self.x.ndim])
            yield from self._fitting(row, draw)
            return
        if self.x.ndim != 2:
            yield from self._fitting(self.rows.FLAT, Draw(0))
        yield from self._fitting(self.rows.LAST, Draw(0))

    def _fitting(self, row: tuple[str, str, int], draw: Draw) -> Iterator[tuple[str, str, int]]:
        words: dict[str, Any] = {key: draw.one(rows) for key, rows in self.rows.WORDS.items()}
        words |= {"c": self.x.shape[1], "size": self.x[0].numel()}
        words |= {key: f"{{{key}}}" for key in "wvu"}
        part, line = (one.format_map(words) for one in row[:2])
        with contextlib.suppress(Exception):
            y = self._sums(part, line, row[2])
            if 0 < y[0].numel() <= LARGEST and y.ndim in (2, 4):
                self.x = y
                yield part, line, row[2]

    def _sums(self, part: str, line: str, count: int) -> torch.Tensor:
        """Return what a layer gives, with weights that the dialect makes."""
        with installed(self.rows.DIALECT):
            made = run(self.rows.ALONE.format(part), {"x": self.x.numpy()})
        if made.error:
            return torch.zeros(0)
        weights = [torch.tensor(one) for _, one in made.noted if isinstance(one, np.ndarray)]
        words = dict(zip("wvu", (f"w[{at}]" for at in range(3)), strict=True))
        assert len(weights) == count
        given = {"x": self.x, "w": weights, "torch": torch, "F": F}
        y: torch.Tensor = eval(line.format_map(words), given)
        return y.detach()


@contextlib.contextmanager
def _language(rows: ModuleType) -> Iterator[Chains]:
    torch.set_num_threads(1)
    yield Chains(rows.DIALECT, rows)


renom, bigdl = (functools.partial(_language, rows) for rows in (renom_rows, bigdl_rows))
