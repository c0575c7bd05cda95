"""Builder: what a plan is made with: values and gradients as images, weights, stages, segments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from torch import Tensor

from .plan import ABSENT, GROUP, Call, Over, Plan, Stage, Value, View, round_up

if TYPE_CHECKING:
    from .units.foreign import Foreign

FEW_CHANNELS = (
    8  # images of fewer channels lie without gaps: filling up would more than double them
)


@dataclass(frozen=True)
class Image:
    """A value or a gradient in the arena: `height` x `width` x `channels` for each sample."""

    view: View
    height: int
    width: int
    channels: int

    @property
    def numel(self) -> int:
        """Numbers in an image."""
        return self.height * self.width * self.channels

    @property
    def contiguous(self) -> bool:
        """Whether nothing lies between the numbers of an image."""
        columns = self.width == 1 or self.view.pixel == self.channels
        return columns and (self.height == 1 or self.view.row == self.width * self.channels)

    @property
    def size(self) -> dict[str, Value]:
        """Height, width and channels as the fields of a kernel."""
        return {"height": self.height, "width": self.width, "channels": self.channels}

    def reshaped(self, size: tuple[int, int, int]) -> Image:
        """Return the same numbers, which must be contiguous, as an image of another size."""
        height, width, channels = size
        view = replace(self.view, row=width * channels, pixel=channels)
        return Image(view, height, width, channels)

    def part(self, top: int, left: int, height: int, width: int) -> Image:
        """Return a rectangle of the image."""
        origin = self.view.origin + top * self.view.row + left * self.view.pixel
        return Image(replace(self.view, origin=origin), height, width, self.channels)


def image_size(shape: Sequence[int]) -> tuple[int, int, int]:
    """Return a shape without the batch, channels last, as height, width and channels."""
    return (*(1,) * (3 - len(shape)), *shape)  # type: ignore[return-value]


@dataclass(frozen=True)
class Margin:
    """Cells of zeros around an image."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    def __or__(self, other: Margin) -> Margin:
        return Margin(
            max(self.top, other.top),
            max(self.bottom, other.bottom),
            max(self.left, other.left),
            max(self.right, other.right),
        )


@dataclass(frozen=True)
class Gradient:
    """A buffer with the gradient of a weight: a piece per block of `samples`, or (0) one piece."""

    buffer: int
    samples: int


@dataclass
class Weight:
    """A weight of the model in the arena.

    `tensor` is the model's; `logical` shows the master (a flat tensor over the arena) in the
    tensor's shape, so that copying goes either way, for the gradient and the optimizer's slots too.
    `given` makes what is copied in where this is not the tensor itself (a folded kernel). `exact`:
    no kernel reads or writes anything but the weight's numbers, which lie without gaps, so that it
    may lie outside of the arena.
    """

    name: str
    tensor: Tensor
    buffer: int
    count: int
    logical: Callable[[Tensor], Tensor]
    given: Callable[[], Tensor] | None = None
    gradients: list[Gradient] = field(default_factory=list)  # several where the weight is shared
    slots: list[int] = field(default_factory=list)  # the optimizer's buffers
    exact: bool = False

    @property
    def trained(self) -> bool:
        """Whether training changes the weight."""
        return self.tensor.requires_grad


@dataclass(frozen=True)
class Update:
    """An optimizer as the kernels know it: its fields, and the names of its slots.

    `first`, `second` and `third` are the buffers of the slots, in this order.
    """

    fields: Mapping[str, float]
    slots: tuple[str, ...]


NOTHING: Mapping[str, float] = {  # the fields of an optimizer where there is none
    "optimizer": 0,
    "momentum": 0.0,
    "second_decay": 0.0,
    "epsilon": 0.0,
    "nesterov": 0,
    "weight_decay": 0.0,
    "l2": 0.0,
}


@dataclass(frozen=True)
class Segment:
    """Stages of the plan from `first` to before `end`."""

    first: int
    end: int


@dataclass(frozen=True)
class TorchForward:
    """A unit that runs as torch operations between two segments of the plan.

    `learned` tells of each input whether its gradient is wanted.
    """

    unit: Foreign
    learned: tuple[bool, ...]


@dataclass(frozen=True)
class TorchBackward:
    """The gradients of such a unit, by torch's autograd.

    `outputs`: the gradients that are given, None for an output that nothing reads; `inputs`: where
    those of the inputs go that learn, in their order; `weights`: the same of weights, as buffers.
    """

    unit: Foreign
    outputs: tuple[Image | None, ...]
    inputs: tuple[Image, ...]
    weights: tuple[tuple[Weight, int], ...]


Part = Segment | TorchForward | TorchBackward


class Builder:
    """Collects the buffers and calls of a plan; units of the program write themselves into it."""

    def __init__(
        self,
        batch: int,
        *,
        training: bool,
        block: int,
        update: Update | None = None,
        bfloat16: bool = False,
        shares: int = 1,
    ) -> None:
        self.update, self.bfloat16 = update, bfloat16
        self.shares = shares  # in how many a lone image is cut, for as many threads
        self.plan = Plan(batch, stages=[Stage(Over.PARTS)])  # the first stage packs weights
        self.training, self.block = training, block
        self.images: dict[int, Image] = {}
        self.image_forms: dict[int, object] = {}  # of a buffer with images: where its zeros lie
        self.lasting: set[int] = set()  # buffers that are read from outside of the plan's stages
        self.forms: dict[int, int] = {}  # values that are another one's numbers in another form
        self.gradients: dict[int, Image] = {}
        self.written: set[int] = set()  # values whose gradient holds something already
        self.learned: set[int] = set()  # values behind something that is trained
        self.indices: dict[int, int] = {}  # of a value: the buffer with the winners of its pooling
        self.draws: dict[int, dict[str, float]] = {}  # of a value: rate and key of its dropout
        self.moments: dict[
            int, tuple[int, int]
        ] = {}  # of a value: buffers of mean and 1 / deviation
        self.statistics: dict[int, int] = {}  # of a value: the buffer of its sums and squares
        self.weights: dict[tuple[int, str], Weight] = {}
        self.packed: dict[tuple[int, str], int] = {}
        self.uses: Counter[int] = Counter()  # how many calls of layers read a tensor, by its id
        self.segments: list[Part] = []
        self.unit = -1  # the number of the unit that is writing
        self.keys = 0
        self._segment = 1

    # ---- values ----------------------------------------------------------------------------------

    def image(
        self,
        size: tuple[int, int, int],
        name: str,
        margin: Margin | None = None,
        *,
        packed: bool = False,
    ) -> Image:
        """Add an image for each sample of the batch."""
        height, width, channels = size
        margin = margin or Margin()
        pixel = channels if packed or channels < FEW_CHANNELS else round_up(channels, GROUP)
        row = (width + margin.left + margin.right) * pixel
        buffer = self.plan.add((height + margin.top + margin.bottom) * row, self.plan.batch, name)
        self.image_forms[buffer] = (size, margin, pixel)
        origin = margin.top * row + margin.left * pixel
        return Image(View(buffer, origin, row, pixel), height, width, channels)

    def gradient(self, value: int) -> Image:
        """Return the image of a value's gradient: as large as the value, without its margin."""
        image = self.images[value]
        size = (image.height, image.width, image.channels)
        if value in self.forms:
            return self.gradient(self.forms[value]).reshaped(size)
        if value not in self.gradients:
            name = f"gradient of value {value}"
            self.gradients[value] = self.image(size, name, packed=image.contiguous)
        return self.gradients[value]

    def gradient_target(self, value: int) -> tuple[Image, Call | None]:
        """Return where to write a gradient of a value, and the call that then adds it to others.

        There is no such call for the first of several gradients.
        """
        target, root = self.gradient(value), self.root(value)
        if root not in self.written:
            self.written.add(root)
            return target, None
        size = (target.height, target.width, target.channels)
        more = self.image(size, f"more gradient of value {value}", packed=target.contiguous)
        return more, copied(more, target, add=True)

    def add_gradient(self, value: int, write: Callable[[Image], None]) -> None:
        """Let `write` fill the gradient of a value, or, where something is in it already, add."""
        target, addition = self.gradient_target(value)
        write(target)
        if addition is not None:
            self.samples(addition)

    def root(self, value: int) -> int:
        """Return the value whose numbers these are, in another form."""
        while value in self.forms:
            value = self.forms[value]
        return value

    # ---- weights ---------------------------------------------------------------------------------

    def weight(
        self,
        name: str,
        tensor: Tensor,
        count: int,
        logical: Callable[[Tensor], Tensor],
        given: Callable[[], Tensor] | None = None,
    ) -> Weight:
        """Return the weight of this tensor, added to the plan when it is first asked for."""
        key = (id(tensor), name if given else "")
        if key not in self.weights:
            buffer = self.plan.add(count, 1, name)
            self.weights[key] = Weight(name, tensor, buffer, count, logical, given)
        return self.weights[key]

    def slotted(self, weight: Weight) -> int:
        """Return a buffer for the gradient of a weight, with a piece for each block of samples."""
        blocks = -(-self.plan.batch // self.block)
        buffer = self.plan.add(weight.count, blocks, f"gradient of {weight.name}")
        weight.gradients.append(Gradient(buffer, self.block))
        return buffer

    def pack(self, weight: Weight, form: str, floats: int, call: Callable[[int], Call]) -> int:
        """Return a weight in another form, made anew when the weight has changed."""
        if (weight.buffer, form) not in self.packed:
            buffer = self.plan.add(floats, 1, f"{weight.name}, {form}")
            self.packed[weight.buffer, form] = buffer
            self.plan.stages[0].calls.append(replace(call(buffer), unit=self.unit))
        return self.packed[weight.buffer, form]

    def constant(self, name: str, size: int, given: Callable[[], Tensor]) -> int:
        """Return a buffer for numbers that are made from weights or hyper-parameters."""
        weight = self.weight(
            name, given(), round_up(size, GROUP), lambda master: master[:size], given
        )
        return weight.buffer

    def fused_update(self, weight: Weight, bias: Weight | None) -> dict[str, Value]:
        """Return the fields with which a kernel updates weight and bias where it has the gradient.

        Weights that are not trained, and those that another call has a gradient of too, get their
        gradient in memory instead.
        """
        alone = self.update is not None and all(
            one.trained and self.uses[id(one.tensor)] == 1 for one in (weight, bias) if one
        )
        fields: dict[str, Value] = {}
        for prefix, one in (("", weight), ("bias_", bias)):
            slots = self.slots(one) if alone else (ABSENT,) * 3
            names = ("first", "second", "third")
            fields |= {f"{prefix}{name}": slot for name, slot in zip(names, slots, strict=True)}
        update = self.update.fields if alone and self.update else NOTHING
        fields |= {
            "weight_gradient": ABSENT if alone else self.single(weight),
            "bias_gradient": ABSENT if alone or bias is None else self.single(bias),
            **update,
            "l1": 0.0,
            "bias_l1": 0.0,
            "bias_l2": update.get("l2", 0.0),
            "bias_weight_decay": update.get("weight_decay", 0.0),
        }
        return fields

    def single(self, weight: Weight) -> int:
        """Return a buffer for the whole gradient of a weight, made in one piece."""
        weight.gradients.append(
            Gradient(self.plan.add(weight.count, 1, f"gradient of {weight.name}"), 0)
        )
        return weight.gradients[-1].buffer

    def add_statistics(self, value: int, channels: int) -> None:
        """Let the convolution that gives a value sum it and its square, block by block."""
        blocks = -(-self.plan.batch // self.block)
        floats = 2 * round_up(channels, GROUP)
        self.statistics[value] = self.plan.add(floats, blocks, f"sums of value {value}")

    def slots(self, weight: Weight | None) -> tuple[int, int, int]:
        """Return the buffers of the optimizer's slots for a weight; ABSENT for those it lacks."""
        if weight is None or self.update is None or not weight.trained:
            return ABSENT, ABSENT, ABSENT
        if not weight.slots:
            weight.slots = [
                self.plan.add(weight.count, 1, f"{slot} of {weight.name}")
                for slot in self.update.slots
            ]
        first, second, third = (*weight.slots, *(ABSENT,) * (3 - len(weight.slots)))
        return first, second, third

    # ---- stages ----------------------------------------------------------------------------------

    def samples(self, call: Call) -> None:
        """Add a call for blocks of samples, to the stage at hand if it is one of those.

        Where threads share a lone image, one of them does what is not worth cutting.
        """
        if self.shares > 1 and len(self.plan.stages) > self._segment:
            self.alone(call)
            return
        if not self._open(Over.SAMPLES):
            self.plan.stages.append(Stage(Over.SAMPLES, self.block))
        self.plan.stages[-1].calls.append(replace(call, unit=self.unit))

    def parts(self, *calls: Call) -> None:
        """Add a stage whose calls do not depend on each other."""
        owned = [replace(call, unit=self.unit) for call in calls]
        self.plan.stages.append(Stage(Over.PARTS, 1, owned))

    def alone(self, call: Call) -> None:
        """Add a call that one thread makes while the others wait."""
        if not self._open(Over.NOTHING):
            self.plan.stages.append(Stage(Over.NOTHING))
        self.plan.stages[-1].calls.append(replace(call, unit=self.unit))

    def torch(self, part: TorchForward | TorchBackward) -> None:
        """End the native segment: what comes next runs as torch operations."""
        self.end()
        self.segments.append(part)

    def end(self) -> None:
        """End the segment at hand."""
        last = len(self.plan.stages)
        if last > self._segment:
            self.segments.append(Segment(self._segment, last))
        self._segment = last

    def key(self) -> int:
        """Return a number that no other random draw of the plan has."""
        self.keys += 1
        return self.keys

    def _open(self, over: Over) -> bool:
        return len(self.plan.stages) > self._segment and self.plan.stages[-1].over is over


def copied(source: Image, target: Image, *, add: bool = False, note: str = "") -> Call:
    """Return the call that copies an image, or adds it to another."""
    return Call(
        "copy",
        {
            "input": source.view,
            "output": target.view,
            **source.size,
            "repeat_y": 1,
            "repeat_x": 1,
            "add": int(add),
        },
        note,
    )
