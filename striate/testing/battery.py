"""The battery of a layer: what it answers about itself is compared with what its forward does."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from ..core.layer import Layer
from ..core.spec import Spec
from ..core.symbol import Input
from ..core.window import MOVES
from ..errors import StriateError
from .support import claimed, influence, moves

BATCH = 3
Factory = Callable[[], Layer]


def check_layer(
    make: Factory,
    *specs: Spec,
    reference: Callable[..., Any] | None = None,
    modes_differ: bool = False,
    random: bool = False,
    domain: Callable[[Tensor], Tensor] | None = None,
) -> None:
    """Compare what a layer says about itself with what it does.

    Checked are: the inferred specs, with known and unknown sizes; gradients, against differences
    in float64; multiply-accumulates, against torch's counter; the receptive field, against which
    inputs change which outputs; rebuilding from `config` and state, copying, weights in and out;
    samples being independent of each other; both layouts; float64; torch.export; training and
    inference being the same unless declared.

    `make` returns a new layer, `specs` are those of its inputs. `reference(*inputs, *weights)`
    computes the output of inference independently, from float64 tensors. `modes_differ` declares
    that training computes something else than inference, `random` that it draws numbers. `domain`
    maps normal random values to inputs that the layer is made for, like `torch.abs`.

    Raises: AssertionError that names the layer, its inputs and what differs.

    Example:
        >>> from striate import layers as L
        >>> check_layer(lambda: L.Dense(3), Spec((4,)))
    """
    bench = Bench(make, specs, domain)
    bench.check_infer()
    bench.check_unknown_sizes()
    bench.check_macs()
    bench.check_rebuilt()
    bench.check_batch_independence()
    bench.check_layouts()
    bench.check_modes(modes_differ or random, random)
    if all(getattr(torch, spec.dtype).is_floating_point for spec in specs):
        bench.check_exported()
        bench.check_gradients()
        bench.check_reach()
    if reference is not None:
        bench.check_reference(reference)


class Bench:
    """A built layer in inference mode, its specs and a batch for it."""

    def __init__(
        self, make: Factory, specs: Sequence[Spec], domain: Callable[[Tensor], Tensor] | None
    ) -> None:
        self.make = make
        self.specs = tuple(specs)
        self.domain = domain or (lambda x: x)
        self.generator = torch.Generator().manual_seed(0)
        self.layer = self.built(self.specs)
        self.scatter(self.layer)
        self.x = [self.sample(spec) for spec in self.specs]
        with torch.no_grad():
            self.y = self.layer(*self.x)

    def built(self, specs: Sequence[Spec]) -> Layer:
        """Return a new layer, called on symbols of these specs."""
        layer = self.make()
        inputs = [Input(spec.shape, spec.dtype, data_format=spec.data_format) for spec in specs]
        layer(*inputs)
        return layer.eval()

    def scatter(self, layer: Layer) -> None:
        """Move the weights off their first values, so that a bias or a gain left out is seen."""
        with torch.no_grad():
            for weight in layer.weights:
                if weight.is_floating_point():
                    noise = torch.rand(weight.shape, generator=self.generator)
                    weight += (0.1 + 0.4 * noise).to(weight)

    def sample(self, spec: Spec) -> Tensor:
        """Return a batch of values that are not near 0, where kinks are."""
        dtype = getattr(torch, spec.dtype)
        size = (BATCH, *(5 if n is None else n for n in spec.shape))
        if not dtype.is_floating_point:
            return torch.randint(0, 256, size, generator=self.generator).to(dtype)
        x = torch.randn(size, generator=self.generator)
        return self.domain(x + 0.05 * x.sign()).to(dtype)

    def fail(self, what: str) -> AssertionError:
        """Return the error that names the layer, its inputs and what differs."""
        return AssertionError(f"{self.layer!r} on {', '.join(map(str, self.specs))}: {what}")

    def equal(self, got: Any, want: Any, what: str, tolerance: float = 1e-6) -> None:
        """Raise unless two outputs are equal, in shape and values."""
        for one, other in zip(outputs(got), outputs(want), strict=True):
            if one.shape != other.shape:
                raise self.fail(f"{what}: {tuple(one.shape)} is not {tuple(other.shape)}")
            if not torch.allclose(one.double(), other.double(), tolerance, tolerance):
                most = (one.double() - other.double()).abs().max().item()
                raise self.fail(f"{what}: values differ by up to {most:.3g}")

    def check_infer(self) -> None:
        """The inferred specs, and those of the default `infer`, are those of the output."""
        answers = [symbol.spec for symbol in outputs(self.layer.output)]
        for spec, default, y in zip(
            answers, outputs(Layer.infer(self.layer, *self.specs)), outputs(self.y), strict=True
        ):
            real = Spec.of(y)
            if (spec.shape, spec.dtype) != (real.shape, real.dtype):
                raise self.fail(
                    f"infer says {spec} {spec.dtype}, forward gives {real} {real.dtype}"
                )
            if default.shape != real.shape:
                raise self.fail(f"on the meta device forward gives {default}, not {real}")

    def check_unknown_sizes(self) -> None:
        """With unknown sizes, what is inferred is unknown or right, and values are the same."""
        hidden = [hide(spec) for spec in self.specs]
        if hidden == list(self.specs):
            return
        try:
            layer = self.built(hidden)
        except StriateError:
            return
        layer.set_weights(self.layer.get_weights())
        for symbol, y in zip(outputs(layer.output), outputs(self.y), strict=True):
            shape = symbol.spec.shape
            wrong = [n for n, real in zip(shape, y.shape[1:], strict=True) if n not in (None, real)]
            if wrong or len(shape) != y.dim() - 1:
                raise self.fail(f"with unknown sizes infer says {symbol.spec}, not {Spec.of(y)}")
        self.equal(layer(*self.x), self.y, "built with unknown sizes")

    def check_macs(self) -> None:
        """One multiply-accumulate is two of the operations that torch counts."""
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            self.layer(*[x[:1] for x in self.x])
        said = self.layer.macs(*self.specs, *(Spec.of(y) for y in outputs(self.y)))
        if 2 * said != counter.get_total_flops():
            raise self.fail(f"macs says {said}, torch counts {counter.get_total_flops() / 2:g}")

    def check_rebuilt(self) -> None:
        """A layer made again from its fields and weights, and a copy, are the same layer."""
        with torch.random.fork_rng():
            torch.manual_seed(1)
            twin = type(self.layer)(**self.layer.config())
            twin(*[Input(s.shape, s.dtype, data_format=s.data_format) for s in self.specs])
        twin.eval().load_state_dict(self.layer.state_dict())
        self.equal(twin(*self.x), self.y, "made again from its config and state")
        other = self.built(self.specs)
        other.set_weights(self.layer.get_weights())
        self.equal(other(*self.x), self.y, "with the weights of get_weights")
        copied = copy.deepcopy(self.layer)
        self.equal(copied(*self.x), self.y, "a deep copy")
        shared = {w.data_ptr() for w in copied.weights} & {w.data_ptr() for w in self.layer.weights}
        if shared - {0}:
            raise self.fail("a deep copy shares weights")

    def check_batch_independence(self) -> None:
        """In inference, a sample's output does not depend on the samples beside it."""
        alone = [outputs(self.layer(*[x[i : i + 1] for x in self.x])) for i in range(BATCH)]
        for y, ones in zip(outputs(self.y), zip(*alone, strict=True), strict=True):
            self.equal(torch.cat(ones), y, "samples alone and in a batch", 1e-5)

    def check_layouts(self) -> None:
        """A layer that follows its input's layout computes the same in the other one."""
        follows = hasattr(self.layer, "rank") and getattr(self.layer, "data_format", "") is None
        if not follows:
            return
        last = self.specs[0].data_format == "channels_last"
        other = "channels_first" if last else "channels_last"
        move = (-1, 1) if last else (1, -1)
        specs = [
            dataclasses.replace(Spec.of(x.movedim(*move), other), dtype=s.dtype)
            for x, s in zip(self.x, self.specs, strict=True)
        ]
        twin = self.built(specs)
        twin.set_weights(self.layer.get_weights())
        got = outputs(twin(*[x.movedim(*move) for x in self.x]))
        back = [y.movedim(move[1], move[0]) if y.dim() > 2 else y for y in got]
        self.equal(tuple(back), outputs(self.y), f"in {other}", 1e-5)

    def check_modes(self, differ: bool, random: bool) -> None:
        """Training computes what inference does, unless declared; draws follow the seed."""
        runs = []
        for _ in range(2):
            torch.manual_seed(2)
            with torch.no_grad():
                runs.append(copy.deepcopy(self.layer).train()(*self.x))
        self.equal(runs[0], runs[1], "in training, twice from one seed", 0)
        torch.manual_seed(3)
        with torch.no_grad():
            third = copy.deepcopy(self.layer).train()(*self.x)
        drawn = not same(third, runs[0])
        if drawn != random:
            raise self.fail(f"it {'draws' if drawn else 'does not draw'} numbers in training")
        changed = not same(runs[0], self.y)
        if changed != differ:
            raise self.fail(f"training {'differs from' if changed else 'equals'} inference")

    def check_exported(self) -> None:
        """What torch.export records of one call computes the same on other values."""
        with torch.no_grad():
            exported = torch.export.export(self.layer, tuple(self.x)).module()
            other = [self.sample(spec) for spec in self.specs]
            self.equal(exported(*other), self.layer(*other), "exported by torch")

    def check_gradients(self) -> None:
        """Gradients of inputs and weights are those of differences, in float64."""
        layer = copy.deepcopy(self.layer).double()
        names = [name for name, weight in layer.named_parameters() if weight.requires_grad]
        inputs = [x[:2].double().requires_grad_() for x in self.x]
        weights = [layer.get_parameter(name).detach().requires_grad_() for name in names]

        def call(*values: Tensor) -> Any:
            state = dict(zip(names, values[len(inputs) :], strict=True))
            return torch.func.functional_call(layer, state, values[: len(inputs)])

        y = call(*inputs, *weights)
        if any(one.dtype != torch.float64 for one in outputs(y)):
            raise self.fail("float64 in does not give float64 out")
        self.equal(y, tuple(one[:2] for one in outputs(self.y)), "in float64", 1e-4)
        if not any(one.requires_grad for one in outputs(y)):
            raise self.fail("no gradient reaches the inputs or the weights")
        if not torch.autograd.gradcheck(
            call, (*inputs, *weights), fast_mode=True, raise_exception=False
        ):
            raise self.fail("gradients are not those of differences")

    def check_reach(self) -> None:
        """What an output is said to read is what changes it; exactly so where axes are stated."""
        geometry = self.layer.windows(*self.specs)
        x = [one[:1].double() for one in self.x]
        layer = copy.deepcopy(self.layer).double()
        if geometry is MOVES:
            self.equal(moves(layer, x), layer(*x), "moved as its index shows")
            return
        said = claimed(geometry, self.specs[0], Spec.of(outputs(self.y)[0]))
        if said is None:
            return
        for one in range(len(x)):
            found = influence(layer, x, one)
            if (found & ~said).any():
                raise self.fail("an output changes with an input that its windows do not read")
            if isinstance(geometry, tuple) and (said & ~found).any():
                raise self.fail("the windows read inputs that change nothing")

    def check_reference(self, reference: Callable[..., Any]) -> None:
        """The output is the one that an independent function gives, in float64."""
        layer = copy.deepcopy(self.layer).double()
        x = [one.double() if one.is_floating_point() else one for one in self.x]
        want = reference(*x, *(weight.detach() for weight in layer.weights))
        want = tuple(torch.as_tensor(one) for one in outputs(want))
        self.equal(layer(*x), want, "against its reference", 1e-9)


def outputs(y: Any) -> tuple[Any, ...]:
    """Return one output or several as a tuple."""
    return tuple(y) if isinstance(y, (tuple, list)) else (y,)


def same(one: Any, other: Any) -> bool:
    """Whether two outputs are equal to rounding."""
    pairs = zip(outputs(one), outputs(other), strict=True)
    return all(a.shape == b.shape and torch.allclose(a, b, 1e-5, 1e-6) for a, b in pairs)


def hide(spec: Spec) -> Spec:
    """Return the spec with every size but the channels' unknown."""
    return spec.replace((None,) * len(spec.spatial))
