"""Explain: a plan as text: which layers are computed together, by which kernels, at what cost."""

from __future__ import annotations

from dataclasses import dataclass

from .lower import Lowered
from .plan import Over
from .rules import cost
from .units.unit import Unit

# What a core does, in the middle of what kernels reach with vectors of 8 to 16 floats;
# estimates are for comparing the parts of a plan, not for predicting a machine.
MACS_PER_S = 60e9
BYTES_PER_S = 20e9
SHARED_OUT = {Over.SAMPLES: "samples", Over.PARTS: "parts", Over.NOTHING: "one thread"}


@dataclass(frozen=True)
class Row:
    """A unit of a plan: its layers, kernels and cost for one step of the whole batch."""

    layers: str
    kernels: str
    note: str
    macs: int
    bytes: int

    @property
    def microseconds(self) -> float:
        """Estimated time of one core: of the arithmetic or of the memory, whichever is longer."""
        return 1e6 * max(self.macs / MACS_PER_S, self.bytes / BYTES_PER_S)


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
        macs = cost(lowered.program, unit) * max(passes, 1) * batch
        images = [lowered.images[at] for at in (*unit.inputs, unit.output)]
        both = 2 if lowered.update is not None else 1
        size = both * 4 * batch * sum(image.numel for image in images)
        found.append(Row(_layers(unit), ", ".join(kernels) or "-", notes, macs, size))
    own, notes = _calls(lowered, -1)
    found.append(
        Row("(loss, update)" if lowered.update else "(in and out)", ", ".join(own), notes, 0, 0)
    )
    return found


def explain(lowered: Lowered) -> str:
    """Return the plan as a table for people: units first, then the stages in which they run."""
    plan = lowered.plan
    kind = "training" if lowered.update else "inference"
    table = rows(lowered)
    arena = sum(buffer.bytes for buffer in plan.buffers) / 2**20
    block = next((stage.block for stage in plan.stages if stage.over is Over.SAMPLES), plan.batch)
    lines = [
        f"{kind}, {plan.batch} samples a step in blocks of {block}; {len(plan.stages)} stages, "
        f"{arena:.1f} MiB",
        "",
        f"{'layers':<44} {'Mmac/step':>9} {'MiB':>7} {'~us':>7}  kernels",
    ]
    for row in table:
        size = f"{row.macs / 1e6:9.1f} {row.bytes / 2**20:7.2f} {row.microseconds:7.0f}"
        note = f"  ({row.note})" if row.note else ""
        lines.append(f"{row.layers:<44} {size}  {row.kernels}{note}")
    lines += ["", "stages, with a wait of all threads between them:"]
    for number, stage in enumerate(plan.stages):
        if stage.calls:
            kernels = ", ".join(call.kernel for call in stage.calls)
            lines.append(f"{number:>3}  over {SHARED_OUT[stage.over]}: {kernels}")
    foreign = [unit for unit in lowered.units if unit.name == "torch"]
    lines += [f"by torch, between stages: {_layers(unit)}: no kernel" for unit in foreign]
    return "\n".join(lines)


def _calls(lowered: Lowered, unit: int) -> tuple[list[str], str]:
    """Return the kernels that a unit calls, each once, and what is noted at them."""
    calls = [call for stage in lowered.plan.stages for call in stage.calls if call.unit == unit]
    notes = [call.note for call in calls if call.note]
    return list(dict.fromkeys(call.kernel for call in calls)), "; ".join(dict.fromkeys(notes))


def _layers(unit: Unit) -> str:
    """Return the layers of a unit, each with what of it the unit computes."""
    return " + ".join(dict.fromkeys(step.name for step in unit.steps))
