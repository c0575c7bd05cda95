"""Lower: from a model's graph to a plan, for training or for inference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from ..core.operation import Affine, Pointwise
from .builder import NOTHING, Builder, Gradient, Image, Margin, Part, Update, Weight, image_size
from .explain import explain
from .lives import share
from .plan import ABSENT, ABSENT_VIEW, Call, Plan, Value
from .program import Program
from .rules import cost, units
from .units.convolution import Convolution
from .units.elementwise import Function
from .units.norm import BatchNormalization
from .units.unit import Unit

SHARED_FROM = 1_000_000  # products of a lone image: 20 us or more, so that threads gain
BLOCKS = 16  # tasks in a stage over samples: enough to share out evenly, few enough to add up
DTYPES = {"uint8": 1, "float32": 4}


@dataclass(frozen=True)
class Head:
    """The loss at the output: its kernel, and how labels come: as class numbers, or as an array."""

    kernel: str
    labels: bool
    undone: str = ""  # the model's last activation, which the loss does not want
    smoothing: float = 0.0
    weighted: bool = False  # each sample has a weight
    bytes: int = 4  # of the number of a class
    tiny: float = 0.0  # as the kernels of a softmax explain it


@dataclass(frozen=True)
class Lowered:
    """A plan with what is needed to run it: weights, segments, and where values lie."""

    program: Program
    units: tuple[Unit, ...]
    plan: Plan
    segments: tuple[Part, ...]
    weights: tuple[Weight, ...]
    images: dict[int, Image]
    gradients: dict[int, Image]
    sources: int  # arrays that the plan gathers from: inputs, labels, weights of samples
    loads: tuple[Load, ...]
    output: int  # the value that the loss is taken of, or the first output
    update: Update | None = None
    turn: int = 0  # the first stage after the outputs are saved; with `backward` more follow
    given: range = range(0)  # of the stages that read the gradients of the outputs
    judged: range = range(0)  # of those that make them instead, of the loss

    @property
    def training(self) -> bool:
        """Whether the plan has gradients: layers are called as in training."""
        return self.update is not None or 0 < self.turn < len(self.plan.stages)

    def explain(self) -> str:
        """Return the plan for people: layers, kernels, cost, stages."""
        return explain(self)


def lower(
    program: Program,
    batch: int,
    dtypes: Sequence[str],
    *,
    head: Head | None = None,
    update: Update | None = None,
    bfloat16: bool = False,
    shares: int = 1,
    backward: bool = False,
    slopes: bool = False,
) -> Lowered:
    """Return the plan of a program for batches of up to `batch` samples.

    `dtypes` are those of the input arrays. With a `head` and an `update` the plan trains; with a
    `head` alone it measures the loss; with neither it saves the outputs. `backward` goes on from
    there: it takes the gradients of the outputs from further arrays, and leaves those of the
    weights in memory; with `slopes` it also saves those of the inputs. With `backward` and a `head`
    a run has either the stages that take the gradients, or those of the loss. `bfloat16`:
    convolutions multiply numbers of 16 bits; weights, sums and all else stay float32. `shares`: for
    how many threads a lone image is cut into parts, if it is large enough.
    """
    training = update is not None or backward
    block = max(1, -(-batch // BLOCKS))
    made, loads = _loads(program, units(program), dtypes, fold=not slopes)
    small = sum(cost(program, unit) for unit in made) < SHARED_FROM
    builder = Builder(
        batch,
        training=training,
        block=block,
        update=update,
        bfloat16=bfloat16,
        shares=1 if training or batch > 1 or small else shares,
    )
    if head is not None and not backward and made[-1].steps[0].operation == Pointwise(head.undone):
        made = made[:-1]
    _place(builder, made, loads)
    builder.learned.update(program.inputs if slopes else ())
    _learn(builder, made)
    for source, load in enumerate(loads):
        builder.samples(load.call(source, builder.images[load.value]))
    for builder.unit, unit in enumerate(made):
        unit.forward(builder)
    builder.unit, sources, turn = -1, len(loads), 0
    given = judged = range(0)
    if head is None or backward:
        sources = _save(builder, [builder.images[at] for at in program.outputs], sources)
        builder.end()
        turn = len(builder.plan.stages)
        if backward:
            sources = _given(builder, program, sources)
        if backward and head is not None:
            builder.end()
            given = range(turn, len(builder.plan.stages))
    if head is not None:
        sources = _loss(builder, made[-1].output, head, sources)
        if backward:
            builder.end()
            judged = range(given.stop, len(builder.plan.stages))
    if training:
        for builder.unit, unit in reversed(list(enumerate(made))):
            if unit.output in builder.learned:
                unit.backward(builder)
        builder.unit = -1
        if slopes:
            images = [builder.gradient(at) for at in program.inputs]
            sources = _save(builder, images, sources)
        if update is not None:
            _update(builder)
        else:
            _leave(builder)
    builder.end()
    output = made[-1].output if head and not backward else program.outputs[0]
    builder.lasting.add(builder.images[output].view.buffer)
    share(builder.plan, builder.image_forms, builder.lasting)
    return Lowered(
        program,
        tuple(made),
        builder.plan,
        tuple(builder.segments),
        tuple(builder.weights.values()),
        builder.images,
        builder.gradients,
        sources,
        tuple(loads),
        output,
        update,
        turn,
        given,
        judged,
    )


@dataclass(frozen=True)
class Load:
    """An input array, brought into the arena as `value` = array * scale + offset."""

    value: int
    size: tuple[int, int, int]
    dtype: str
    scale: float = 1.0
    offset: float = 0.0

    def call(self, source: int, image: Image) -> Call:
        """Return the call that gathers the samples of a batch."""
        fields: dict[str, Value] = {"source": source, "bytes": DTYPES[self.dtype], **image.size}
        fields |= {"scale": self.scale, "offset": self.offset, "output": image.view}
        return Call("load", fields, f"{self.dtype} * {self.scale:g} + {self.offset:g}")


def _loads(
    program: Program, made: list[Unit], dtypes: Sequence[str], *, fold: bool
) -> tuple[list[Unit], list[Load]]:
    """Return the loads of the inputs, and the units without the rescalings that they `fold` in.

    Such a rescaling is all that reads an input.
    """
    readers = Counter(at for unit in made for at in unit.inputs)
    readers.update(program.outputs)
    loads = []
    for at, dtype in zip(program.inputs, dtypes, strict=True):
        load = Load(at, image_size(program.values[at].shape), dtype)  # type: ignore[arg-type]
        reader = next((unit for unit in made if at in unit.inputs), None)
        operation = reader.steps[0].operation if isinstance(reader, Function) else None
        if fold and reader and isinstance(operation, Affine) and readers[at] == 1:
            made = [unit for unit in made if unit is not reader]
            scale, offset = operation.scale[0], operation.offset[0]
            load = replace(load, value=reader.output, scale=scale, offset=offset)
        loads.append(load)
    return made, loads


def _place(builder: Builder, made: Sequence[Unit], loads: Sequence[Load]) -> None:
    """Give every value a place that suits all who read it."""
    margins: dict[int, Margin] = {}
    contiguous: dict[int, bool] = {}
    for unit in made:
        for at in unit.inputs:
            margins[at] = margins.get(at, Margin()) | unit.margin(at)
            contiguous[at] = contiguous.get(at, False) or unit.needs_contiguous(at)
    for load in loads:
        margin = margins.get(load.value, Margin())
        packed = contiguous.get(load.value, False)
        name = f"input {load.value}"
        builder.images[load.value] = builder.image(load.size, name, margin, packed=packed)
    producers = {unit.output: unit for unit in made}
    for unit in made:
        given = unit.steps[-1].outputs
        margin = reduce(Margin.__or__, (margins.get(at, Margin()) for at in given))
        packed = any(contiguous.get(at, False) for at in given) and margin == Margin()
        unit.place(builder, margin, packed)
        before = producers.get(unit.inputs[0]) if isinstance(unit, BatchNormalization) else None
        if isinstance(before, Convolution) and len(before.steps) == 1:
            builder.add_statistics(before.output, before.size(before.output)[2])


def _learn(builder: Builder, made: Sequence[Unit]) -> None:
    """Find the values behind something that is trained, and weights that several calls share."""
    for unit in made:
        builder.uses.update(id(one) for step in unit.steps for one in step.parameters().values())
        if unit.trains() or any(at in builder.learned for at in unit.inputs):
            builder.learned.update(at for step in unit.steps for at in step.outputs)


def _save(builder: Builder, images: Sequence[Image], source: int) -> int:
    """Write images into arrays of the run; return the number of the next array."""
    for image in images:
        fields = {"target": source, **image.size, "input": image.view}
        builder.samples(Call("save", fields))
        source += 1
    return source


def _given(builder: Builder, program: Program, source: int) -> int:
    """Read the gradients of the outputs from arrays of the run; return the number of the next."""
    for at in program.outputs:
        image = builder.gradient(at)
        size = (image.height, image.width, image.channels)
        builder.samples(Load(at, size, "float32").call(source, image))
        builder.written.add(builder.root(at))
        source += 1
    return source


def _loss(builder: Builder, at: int, head: Head, source: int) -> int:
    """Add the loss, and in training its gradient; return the number of the next array."""
    image = builder.images[at]
    builder.plan.sums = 2
    values = builder.plan.add(2, builder.plan.batch, "loss and correctness of each sample")
    weights = ABSENT
    fields: dict[str, Value] = {}
    if head.labels:
        labels = builder.plan.add(1, builder.plan.batch, "labels")
        builder.samples(
            Call("load_labels", {"source": source, "bytes": head.bytes, "output": labels})
        )
        fields["labels"] = labels
    else:
        size = (image.height, image.width, image.channels)
        targets = builder.image(size, "targets")
        builder.samples(Load(at, size, "float32").call(source, targets))
        fields["targets"] = targets.view
    source += 1
    if head.weighted:
        one = builder.image((1, 1, 1), "weights of samples")
        builder.samples(Load(at, (1, 1, 1), "float32").call(source, one))
        weights = one.view.buffer
        builder.lasting.add(weights)
        source += 1
    gradient = builder.gradient(at).view if builder.training else ABSENT_VIEW
    builder.written.add(builder.root(at))
    if head.kernel.startswith("mean"):
        fields |= {"predictions": image.view, "count": image.numel}
    else:
        fields |= {"logits": image.view, "classes": image.numel, "smoothing": head.smoothing}
    if head.kernel.startswith("softmax"):
        fields |= {"probabilities": ABSENT_VIEW, "tiny": head.tiny}
    fields |= {"weights": weights, "gradient": gradient, "values": values}
    builder.samples(Call(head.kernel, fields))
    builder.alone(Call("add_sums", {"values": values, "first": 0}))
    return source


def _update(builder: Builder) -> None:
    """Add the calls that change the weights by the gradients that are in memory."""
    assert builder.update is not None
    calls = []
    for weight in builder.weights.values():
        if weight.trained and weight.gradients:
            gradient = _total(builder, weight)
            fields = builder.update.fields
            slots = builder.slots(weight)
            calls.append(_update_call(weight.buffer, weight.count, gradient, slots, fields))
    if calls:
        builder.parts(*calls)


def _leave(builder: Builder) -> None:
    """Add up the gradients of each weight, and leave them in one piece."""
    for weight in builder.weights.values():
        if weight.trained and weight.gradients:
            weight.gradients[:] = [_total(builder, weight, whole=True)]


def _total(builder: Builder, weight: Weight, *, whole: bool = False) -> Gradient:
    """Return the gradient of a weight; those of several calls that share it are added up.

    `whole`: also the pieces of a single one.
    """
    if len(weight.gradients) == 1 and not (whole and weight.gradients[0].samples):
        return weight.gradients[0]
    before = ABSENT
    for gradient in weight.gradients:
        kept = (before, ABSENT, ABSENT)
        builder.parts(_update_call(weight.buffer, weight.count, gradient, kept, NOTHING))
        before = gradient.buffer
    return Gradient(before, 0)


def _update_call(
    weight: int,
    count: int,
    gradient: Gradient,
    slots: tuple[int, int, int],
    fields: Mapping[str, float],
) -> Call:
    """Return the call that changes a weight.

    Without an optimizer it adds the pieces of the gradient up in the first of them.
    """
    given: dict[str, Value] = {
        "weight": weight,
        "gradient": gradient.buffer,
        "slots_block": gradient.samples,
        **dict(zip(("first", "second", "third"), slots, strict=True)),
        "count": count,
        **fields,
        "l1": 0.0,
    }
    return Call("update", given)
