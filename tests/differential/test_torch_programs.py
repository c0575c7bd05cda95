"""Programs of PyTorch by torch and by the dialect: those that once differed, and random ones."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from torch import nn

from striate.lower.runtime import library

from .hunt import Choice, hunt, smallest
from .outcomes import Outcome, difference
from .templates import Draw
from .torch_programs import Programs, compared, language

pytestmark = pytest.mark.skipif(library() is None, reason="the native engine was not built")
QUICK, ALL = 40, 1000

NETWORK = """\
import torch, torch.nn.functional as F
from torch import nn
torch.manual_seed(0)
X, Y = torch.randn(16, 3, 8, 8), torch.arange(16) % 5
net = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(),
                    nn.Linear(384, 5))
def step(optimizer, x=X):
    optimizer.zero_grad(); F.cross_entropy(net(x), Y).backward(); optimizer.step()
sgd = torch.optim.SGD(net.parameters(), 0.05)
step(sgd)
"""
FOUND = {
    "a forward of its own": "before = net.forward; net.forward = lambda x: before(x) * 2\n"
    "note('twice', net(X))",
    "a layer's forward of its own": "net[0].forward = lambda x: x.repeat(1, 2, 1, 1)\n"
    "note('repeated', net(X))",
    "other numbers and back": "net.double(); net.float(); step(sgd)",
    "half and back": "net.half().float(); step(sgd); net.eval()\nnote('out', net(X).detach())",
    "two calls of which one is torch's own": "sgd.zero_grad()\n"
    "(net(X.clone().requires_grad_()) + net(X)).pow(2).mean().backward(); sgd.step()",
    "memory turned between steps of Adam": "adam = torch.optim.Adam(net.parameters(), eps=1e-3)\n"
    "step(adam); net.to(memory_format=torch.channels_last); step(adam)",
    "memory turned between steps with momentum": "heavy = torch.optim.SGD(net.parameters(), 0.05, "
    "momentum=0.9)\nstep(heavy); net.to(memory_format=torch.channels_last); step(heavy)",
    "a normalisation that is called twice": "class Twice(nn.Module):\n"
    "    def __init__(self):\n        super().__init__(); self.norm = nn.BatchNorm2d(3)\n"
    "        self.fc = nn.Linear(192, 5)\n"
    "    def forward(self, x): return self.fc(torch.flatten(self.norm(self.norm(x)), 1))\n"
    "net = Twice(); net(X)",
    "a normalisation beside the output": "class Beside(nn.Module):\n"
    "    def __init__(self):\n"
    "        super().__init__(); self.norm = nn.BatchNorm2d(3, affine=False)\n"
    "        self.conv = nn.Conv2d(3, 4, 3)\n"
    "    def forward(self, x): self.norm(x); return self.conv(x)\n"
    "net = Beside(); net(X)",
    "second gradients through a hook": "net[4].weight.register_hook(lambda slope: slope * 0.5)\n"
    "found = torch.autograd.grad(F.cross_entropy(net(X), Y), [*net.parameters()], "
    "create_graph=True)\nnote('first', found)\n"
    "sgd.zero_grad(); sum(one.pow(2).sum() for one in found).backward()\n"
    "note('second', [one.grad for one in net.parameters()])",
    "an axis before the samples": "class Two(nn.Module):\n"
    "    def __init__(self): super().__init__(); self.fc = nn.Linear(192, 5)\n"
    "    def forward(self, x):\n"
    "        x = x.flatten(1); return self.fc(torch.stack([x, 2 * x]).mean(0))\n"
    "net = Two().eval()\nwith torch.no_grad(): note('stacked', net(X))",
    "a split into one part": "class Whole(nn.Module):\n"
    "    def __init__(self): super().__init__(); self.fc = nn.Linear(192, 5)\n"
    "    def forward(self, x): return self.fc(torch.split(x, 3, dim=1)[0].flatten(1))\n"
    "net = Whole().eval()\nwith torch.no_grad(): note('whole', net(X))",
    "a large weight that torch learns": "class Steps(nn.Module):\n"
    "    def __init__(self):\n"
    "        super().__init__(); self.a = nn.Linear(64, 6); self.b = nn.Linear(18, 5)\n"
    "    def forward(self, x): return self.b(self.a(x.view(-1, 3, 64)).flatten(1))\n"
    "net = Steps(); step(torch.optim.SGD(net.parameters(), 0.05))",
    "a function that drops nothing": "class Kept(nn.Module):\n"
    "    def __init__(self): super().__init__(); self.fc = nn.Linear(192, 5)\n"
    "    def forward(self, x): return self.fc(F.dropout(x.flatten(1), 0.5, training=False))\n"
    "net = Kept(); note('kept', net(X))",
    "a mean over the samples": "class Centred(nn.Module):\n"
    "    def __init__(self): super().__init__(); self.fc = nn.Linear(192, 5)\n"
    "    def forward(self, x): x = x.flatten(1); return self.fc(x - x.mean(0))\n"
    "net = Centred().eval()\nwith torch.no_grad(): note('centred', net(X))",
    "second gradients of a view": "class View(nn.Module):\n"
    "    def __init__(self):\n"
    "        super().__init__(); self.conv = nn.Conv2d(3, 4, 3); self.fc = nn.Linear(144, 5)\n"
    "    def forward(self, x): return self.fc(F.relu(self.conv(x)).view(-1, 144))\n"
    "net = View()\n"
    "note('first', torch.autograd.grad(net(X).sum(), [*net.parameters()], create_graph=True))",
}


@pytest.mark.parametrize("name", FOUND)
def test_a_program_that_once_differed(name: str) -> None:
    text = f"{NETWORK}{FOUND[name]}\nnote('state', net.state_dict())\n"
    found, mine = compared(text)
    assert mine.error == "" and len(mine.noted) > 2
    assert found == ""


@pytest.fixture
def programs() -> Iterator[Programs]:
    with language() as made:
        yield made


@pytest.mark.parametrize(
    "seeds", [range(QUICK), pytest.param(range(QUICK, ALL), marks=pytest.mark.slow)]
)
@pytest.mark.timeout(1800)
def test_random_programs(seeds: range, programs: Programs) -> None:
    told: list[str] = []
    assert hunt(programs, seeds, told.append) == 0, "\n".join(told)
    assert sum(programs.calls) > len(programs.calls) // 10  # many of them on kernels


def test_a_fault_is_found_and_told_by_a_small_program(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = programs.finding

    def wrong(choices: tuple[Choice, ...]):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("differential.torch_programs.installed", faulty)
            return right(choices)

    monkeypatch.setattr(programs, "finding", wrong)
    told: list[str] = []
    assert hunt(programs, range(6), told.append) > 0
    assert "nn.Linear" in told[0] and len(told[0].splitlines()) < 40


class faulty:  # noqa: N801  in the place of a function
    """A dialect in which a dense layer adds a little."""

    def __init__(self, name: str) -> None:
        self.right = nn.Linear.forward

    def __enter__(self) -> SimpleNamespace:
        nn.Linear.forward = lambda layer, x: self.right(layer, x) + 0.05  # type: ignore[method-assign]
        return SimpleNamespace(script=SimpleNamespace(words=[]))

    def __exit__(self, *error: object) -> None:
        nn.Linear.forward = self.right  # type: ignore[method-assign]


def test_the_smallest_program_has_what_it_needs_alone() -> None:
    choices = [Choice(table, seed) for seed, table in enumerate("abcabcabc", 1)]

    def differs(some) -> bool:
        return {"a", "c"} <= {one.table for one in some} and any(one.seed == 3 for one in some)

    least = smallest(choices, differs)
    assert sorted(one.table for one in least) == ["a", "c"]
    assert Choice("c", 3) in least and any(one == Choice("a", 0) for one in least)


def test_rows_are_drawn_with_one_of_each_alternative() -> None:
    row = "nn.<A|B>({c}, <1|2|(3, <4|5>)>)"
    assert Draw(0).text(row, {"c": 7}) == "nn.A(7, 1)"
    drawn = {Draw(seed).text(row, {"c": 7}) for seed in range(1, 100)}
    assert drawn == {f"nn.{k}(7, {n})" for k in "AB" for n in ("1", "2", "(3, 4)", "(3, 5)")}


def test_runs_agree_within_what_shaken_weights_make() -> None:
    plain, mine, shaken = Outcome(), Outcome(), Outcome()
    for outcome, value in ((plain, 1.0), (mine, 1.1), (shaken, 1.0)):
        outcome.note("w", value)
    assert difference(plain, mine, shaken) == "#0 w: 0.1 apart, the largest number is 1"
    shaken.noted[0] = ("w", np.array(1.01))
    assert difference(plain, mine, shaken) == ""
    mine.note("more", 1)
    assert difference(plain, mine, shaken) == "#1 is more, not nothing"
    mine.error = "ValueError: 3"
    assert difference(plain, mine, shaken) == "ValueError: 3, not none"
