"""Which operations are computed together, and by what: a table of rules over a program.

A rule names the operation that it begins with, and those that may follow in this order, each only
if nothing else reads the value between. The first rule of the table that fits takes the operation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from ..core.operation import (
    Affine,
    BatchNorm,
    Concatenate,
    Correlate,
    Crop,
    Drop,
    GlobalPool,
    LayerNorm,
    Linear,
    Merge,
    Pad,
    Permute,
    Pointwise,
    Pool,
    Repeat,
    Reshape,
    Warp,
)
from .program import Program, Step
from .units.convolution import Convolution
from .units.dense import Dense
from .units.elementwise import Dropout, Function, Merging, Softmax, function_of
from .units.foreign import Foreign
from .units.layout import Concatenation, Permutation, Placement, Repetition, Reshaping
from .units.norm import BatchNormalization, LayerNormalization, Scaling
from .units.pooling import GlobalPooling, Pooling
from .units.unit import Unit, slope_of
from .units.warp import Warping

AXES = 3  # height, width, channels: the most that a native image has
LONGEST = 1 << 15  # of a convolution's rows or columns, with their padding
MOST_TAPS = 254  # of an axis of a convolution; of a maximum, whose winner a byte tells

Fits = Callable[[Program, Step], bool]


@dataclass(frozen=True)
class Rule:
    """A row of the table."""

    unit: type[Unit]
    begins: Fits
    then: tuple[Fits, ...] = ()


# ---- what operations must be like ----------------------------------------------------------------


def sizes(program: Program, step: Step) -> bool:
    """Return whether all sizes are known, and none has more axes than a native image."""
    values = [program.values[at] for at in (*step.inputs, *step.outputs)]
    return all(0 < len(value.shape) <= AXES and None not in value.shape for value in values)


def is_a(*kinds: type) -> Fits:
    """Fit operations of these kinds."""
    return lambda program, step: isinstance(step.operation, kinds)


def convolution(program: Program, step: Step) -> bool:
    """Fit convolutions over rows and columns, of all channels or of each by itself."""
    operation = step.operation
    if not isinstance(operation, Correlate) or operation.transposed:
        return False
    channels = program.values[step.inputs[0]].shape[-1]
    plain = all(w.up == 1 and w.low >= 0 and w.high >= 0 for w in operation.windows)
    return plain and operation.groups in (1, channels) and _within(program, step, operation)


def _within(program: Program, step: Step, operation: Correlate) -> bool:
    """Return whether the kernels take a convolution's windows."""
    sizes = program.values[step.inputs[0]].shape
    return all(
        window.kernel <= MOST_TAPS
        and max(window.stride, window.dilation) <= LONGEST
        and (size or 1) + window.low + window.high <= LONGEST
        for window, size in zip(operation.windows, sizes, strict=False)
    )


def linear(program: Program, step: Step) -> bool:
    """Fit dense layers over all numbers of a sample."""
    sample = program.values[step.inputs[0]].shape
    return isinstance(step.operation, Linear) and len(sample) == 1


def slope(program: Program, step: Step) -> bool:
    """Fit activations that are a line on either side of zero."""
    return isinstance(step.operation, Pointwise) and slope_of(step.operation) is not None


def inner_pool(program: Program, step: Step) -> bool:
    """Fit poolings none of whose windows hangs over an edge."""
    pool = step.operation
    return (
        isinstance(pool, Pool)
        and _told(program, pool)
        and all(
            window.low == 0 and window.high <= 0 and window.dilation == 1 for window in pool.windows
        )
    )


def inner_maximum(program: Program, step: Step) -> bool:
    """Fit such poolings to the maximum: an increasing function may change places with them."""
    return inner_pool(program, step) and getattr(step.operation, "kind", "") == "max"


def frozen_norm(program: Program, step: Step) -> bool:
    """Fit batch normalisations by kept statistics where no gradient is wanted."""
    norm = step.operation
    return isinstance(norm, BatchNorm) and norm.frozen and not program.training


def batch_norm(program: Program, step: Step) -> bool:
    """Fit batch normalisations by the statistics of the batch."""
    return isinstance(step.operation, BatchNorm) and not step.operation.frozen


def scaling(program: Program, step: Step) -> bool:
    """Fit one scale and one offset for each channel, of which none is learned."""
    norm = step.operation
    fixed = isinstance(norm, BatchNorm) and norm.frozen and not program.training
    return fixed or isinstance(step.operation, Affine)


def addition(program: Program, step: Step) -> bool:
    """Fit the sum of two values of one shape."""
    return merge(program, step) and step.operation == Merge("add") and len(step.inputs) == 2


def last_addition(program: Program, step: Step) -> bool:
    """Fit such sums where no gradient is wanted."""
    return addition(program, step) and not program.training


def merge(program: Program, step: Step) -> bool:
    """Fit merges of values of one shape: two of them, or a sum."""
    shapes = {program.values[at].shape for at in step.inputs}
    few = len(step.inputs) == 2 or step.operation == Merge("add")
    return isinstance(step.operation, Merge) and len(shapes) == 1 and few


def function(program: Program, step: Step) -> bool:
    """Fit functions of one number that a kernel knows."""
    operation = step.operation
    return isinstance(operation, (Pointwise, Affine)) and function_of(operation) is not None


def softmax(program: Program, step: Step) -> bool:
    """Fit softmax and its logarithm."""
    return step.operation in (Pointwise("softmax"), Pointwise("log_softmax"))


def dropout(program: Program, step: Step) -> bool:
    """Fit dropout of numbers, or of whole channels."""
    drop = step.operation
    if not isinstance(drop, Drop) or drop.seed is not None:
        return False
    rank = len(program.values[step.inputs[0]].shape)
    return drop.shared in ((), tuple(range(rank - 1)))


def element_dropout(program: Program, step: Step) -> bool:
    """Fit dropout of numbers."""
    return dropout(program, step) and not getattr(step.operation, "shared", ())


def still(program: Program, step: Step) -> bool:
    """Fit random moves of images that nothing has changed that learns."""
    return isinstance(step.operation, Warp) and not learns(program, step.inputs[0])


def learns(program: Program, value: int) -> bool:
    """Return whether training changes how a value is computed."""
    made = next((step for step in program.steps if value in step.outputs), None)
    if made is None:
        return False
    trained = any(weight.requires_grad for weight in made.layer.parameters())
    return trained or any(learns(program, at) for at in made.inputs)


def pool(program: Program, step: Step) -> bool:
    """Fit poolings of padded windows."""
    windows = getattr(step.operation, "windows", ())
    operation = step.operation
    padded = all(window.low >= 0 for window in windows)
    return isinstance(operation, Pool) and padded and _told(program, operation)


def _told(program: Program, pool: Pool) -> bool:
    """Return whether the winners of a maximum can be told, where a gradient is to find them."""
    taps = prod(window.kernel for window in pool.windows)
    return pool.kind != "max" or not program.training or taps <= MOST_TAPS


def spatial(program: Program, step: Step) -> bool:
    """Fit what moves numbers along rows and columns."""
    return isinstance(step.operation, (Pad, Crop))


def reshape(program: Program, step: Step) -> bool:
    """Fit other forms of the same numbers: also axes that change places with axes of one."""
    if not isinstance(step.operation, Permute):
        return isinstance(step.operation, Reshape)
    shape = program.values[step.inputs[0]].shape
    longer = [axis for axis in step.operation.axes if shape[axis] != 1]
    return longer == sorted(longer)


def always(program: Program, step: Step) -> bool:
    """Fit everything."""
    return True


# ---- the table -----------------------------------------------------------------------------------

RULES = (
    Rule(
        Convolution,
        convolution,
        (frozen_norm, last_addition, slope, inner_pool, slope, element_dropout),
    ),
    Rule(Dense, linear, (slope,)),
    Rule(BatchNormalization, batch_norm, (addition, slope)),
    Rule(Function, function),
    Rule(Scaling, scaling),
    Rule(LayerNormalization, is_a(LayerNorm)),
    Rule(Softmax, softmax),
    Rule(Dropout, dropout),
    Rule(Warping, still),
    Rule(Pooling, pool),
    Rule(GlobalPooling, is_a(GlobalPool)),
    Rule(Merging, merge),
    Rule(Reshaping, reshape),
    Rule(Permutation, is_a(Permute)),
    Rule(Placement, spatial),
    Rule(Repetition, is_a(Repeat)),
    Rule(Concatenation, is_a(Concatenate)),
    Rule(Foreign, always),
)


def units(program: Program) -> list[Unit]:
    """Return the units of a program, in an order in which each comes after what it reads."""
    readers = Counter(at for step in program.steps for at in step.inputs)
    readers.update(program.outputs)
    reader = {at: step for step in program.steps for at in step.inputs}
    found: dict[int, Unit] = {}  # by the number of the unit's last step
    place = {id(step): number for number, step in enumerate(program.steps)}
    taken: set[int] = set()
    for step in program.steps:
        if id(step) in taken:
            continue
        rule = next(
            rule
            for rule in RULES
            if rule.begins(program, step) and (rule.unit is Foreign or sizes(program, step))
        )
        steps = [step]
        for fits in rule.then:
            after = reader.get(steps[-1].output)
            if after is None or readers[steps[-1].output] != 1 or id(after) in taken:
                break
            if not sizes(program, after):
                break
            if fits(program, after) and joins(program, steps, after):
                steps.append(after)
        taken.update(map(id, steps))
        found[place[id(steps[-1])]] = rule.unit(program, tuple(steps))
    return [found[number] for number in sorted(found)]


def joins(program: Program, steps: list[Step], after: Step) -> bool:
    """Return whether a unit can take one more step, given those that it has.

    One activation, which changes places with a maximum but not with an average, whose gradient
    could not tell the signs. Dropout only behind a maximum, whose winners tell what was dropped.
    A sum is of whole images, so no pooling follows.
    """
    operations = [step.operation for step in steps]
    active = any(isinstance(operation, Pointwise) for operation in operations)
    kind = next((one.kind for one in operations if isinstance(one, Pool)), "")
    if isinstance(after.operation, Pointwise):
        return not active and kind != "average"
    if isinstance(after.operation, Pool):
        if any(isinstance(operation, Merge) for operation in operations):
            return False
        return after.operation.kind == "max" or not (active and program.training)
    return not isinstance(after.operation, Drop) or kind == "max"


def cost(program: Program, unit: Unit) -> int:
    """Return the multiply-accumulates of a unit for one sample, forward."""
    total = 0
    for step in unit.steps:
        operation, out = step.operation, program.values[step.output].shape
        if isinstance(operation, (Correlate, Linear)):
            weight = step.weight(operation.kernel)
            assert weight is not None
            places = prod(size or 1 for size in out[:-1])
            total += places * weight.numel()
    return total


def covered(program: Program) -> str:
    """Return why a program cannot be lowered, or an empty string."""
    inputs = [program.values[at].shape for at in (*program.inputs, *program.outputs)]
    if any(None in shape or not 0 < len(shape) <= AXES for shape in inputs):
        return "inputs and outputs that are no images of a known size"
    for step in program.steps:
        shapes = [program.values[at].shape for at in (*step.inputs, *step.outputs)]
        if any(None in shape or not 0 < len(shape) <= AXES for shape in shapes):
            return f"{step.name} gives what is no image of a known size"
        if any(program.values[at].dtype not in ("float32", "uint8") for at in step.outputs):
            return f"{step.name} gives {program.values[step.output].dtype}"
    done = units(program)
    if not any(cost(program, unit) for unit in done if not isinstance(unit, Foreign)):
        return "no layer that a kernel computes"
    return ""
