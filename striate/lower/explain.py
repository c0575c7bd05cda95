"""Explain: a plan as text: which layers are computed together, by which kernels, at what cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .plan import Over
from .rules import cost
from .units.unit import Unit

if TYPE_CHECKING:
    from .lower import Lowered

# What a core does, in the middle of what kernels reach with vectors of 8 to 16 floats;
# estimates are for comparing the parts of a plan, not for predicting a machine.
MACS_PER_S = 60e9
BYTES_PER_S = 20e9
# How many times as fast as direct products these kernels are: they leave out some of the products.
SAVES = {
    "conv_winograd": 2.0,
    "conv_backward_winograd": 2.0,
    "conv_backward_sparse": 8.0,  # behind a pooling of 2 x 2 and a ReLU
}
SHARED_OUT = {Over.SAMPLES: "samples", Over.PARTS: "parts", Over.NOTHING: "one thread"}


@dataclass(frozen=True)
class Row:
    """A unit of a plan: its layers, kernels and cost for one step of the whole batch."""

    layers: str
    kernels: str
    note: str
    macs: int
    bytes: int
    products: float  # multiply-accumulates that are really made, about

    @property
    def microseconds(self) -> float:
        """Estimated time of one core: of the arithmetic or of the memory, whichever is longer."""
        return 1e6 * max(self.products / MACS_PER_S, self.bytes / BYTES_PER_S)


def rows(lowered: Lowered) -> list[Row]:
    """Return a row for each unit, in the order of execution; the plan's own calls come last.

    `macs` counts the products of convolutions and dense layers, forward and, where the plan trains,
    backward, as if none were saved; `bytes` what values and gradients of the unit take.
    """
    batch = lowered.plan.batch
    found = []
    for number, unit in enumerate(lowered.units):
        kernels, notes = _calls(lowered, number)
        passes = 1 + sum(1 for kernel in kernels if "backward" in kernel and unit.trains()) * 2
        if lowered.update is not None and unit.inputs[0] not in lowered.gradients:
            passes -= 1  # nothing in front of it learns: no gradient of the input
        once, back = cost(lowered.program, unit) * batch, max(passes, 1) - 1
        forward, backward = (
            max(
                (SAVES.get(name, 1.0) for name in kernels if ("backward" in name) is way), default=1
            )
            for way in (False, True)
        )
        macs, products = once * (1 + back), once * (1 / forward + back / backward)
        images = [lowered.images[at] for at in (*unit.inputs, unit.output)]
        both = 2 if lowered.update is not None else 1
        size = both * 4 * batch * sum(image.numel for image in images)
        found.append(Row(_layers(unit), ", ".join(kernels) or "-", notes, macs, size, products))
    own, notes = _calls(lowered, -1)
    found.append(
        Row("(loss, update)" if lowered.update else "(in and out)", ", ".join(own), notes, 0, 0, 0)
    )
    return found


def explain(lowered: Lowered) -> str:
    """Return the plan as a table for people: units first, then the stages in which they run."""
    plan = lowered.plan
    kind = "training" if lowered.update else "inference"
    table = rows(lowered)
    arena = plan.place() / 2**20
    block = next((stage.block for stage in plan.stages if stage.over is Over.SAMPLES), plan.batch)
    width = max(len(row.layers) for row in table)
    lines = [
        f"{kind}, {plan.batch} samples a step in blocks of {block}; {len(plan.stages)} stages, "
        f"{arena:.1f} MiB",
        "",
        f"{'layers':<{width}} {'Mmac/step':>9} {'MiB':>7} {'~us':>7}  kernels",
    ]
    for row in table:
        note = f"  ({row.note})" if row.note else ""
        lines.append(f"{row.layers:<{width}} {_cost(row)}  {row.kernels}{note}")
    lines += [
        f"{'a step on one core':<{width}} {_cost(*table)}",
        "",
        "stages, with a wait of all threads between them:",
    ]
    for number, stage in enumerate(plan.stages):
        if stage.calls:
            kernels = _counted(call.kernel for call in stage.calls)
            lines.append(f"{number:>3}  over {SHARED_OUT[stage.over]}: {kernels}")
    foreign = [unit for unit in lowered.units if unit.name == "torch"]
    lines += [f"by torch, between stages: {_layers(unit)}: no kernel" for unit in foreign]
    return "\n".join(lines)


def _cost(*table: Row) -> str:
    macs, size = sum(row.macs for row in table), sum(row.bytes for row in table)
    time = sum(row.microseconds for row in table)
    return f"{macs / 1e6:9.1f} {size / 2**20:7.2f} {time:7.0f}"


def _counted(names: Iterable[str]) -> str:
    """Return names, each once, with how often it comes."""
    return ", ".join(
        name if count == 1 else f"{count} x {name}" for name, count in Counter(names).items()
    )


def _calls(lowered: Lowered, unit: int) -> tuple[list[str], str]:
    """Return the kernels that a unit calls, each once, and what is noted at them."""
    calls = [call for stage in lowered.plan.stages for call in stage.calls if call.unit == unit]
    notes = [call.note for call in calls if call.note]
    return list(dict.fromkeys(call.kernel for call in calls)), "; ".join(dict.fromkeys(notes))


def _layers(unit: Unit) -> str:
    """Return the layers of a unit, each with what of it the unit computes."""
    return " + ".join(dict.fromkeys(step.name for step in unit.steps))
