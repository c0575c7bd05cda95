"""The battery finds each kind of lie that a layer can tell about itself."""

from __future__ import annotations

import pytest
import torch

from striate.core.layer import Layer
from striate.core.spec import Spec
from striate.core.window import EVERYTHING, MOVES, POINTWISE, Mix, Window
from striate.testing import check_layer


class Honest(Layer):
    """y = gain * x + shift: right in every answer, a base for the wrong ones."""

    size: int = 4

    def windows(self, *x):
        return POINTWISE

    def build(self, *x):
        self.gain = self.add_weight("gain", (self.size,), lambda shape, **_: torch.ones(shape))
        self.shift = self.add_weight("shift", (self.size,), lambda shape, **_: torch.ones(shape))

    def infer(self, *x):
        return x[0]

    def macs(self, *specs):
        return 0

    def forward(self, *x):
        return x[0] * self.gain + self.shift


class WrongShape(Honest):
    def infer(self, *x):
        return x[0].reshape((*x[0].shape, 1))


class WrongType(Honest):
    def infer(self, *x):
        return Spec(x[0].shape, "float64")


class WrongUnknown(Honest):
    def infer(self, *x):
        return Spec(tuple(7 if n is None else n for n in x[0].shape))


class OwnWayOnMeta(Honest):
    def forward(self, *x):
        return super().forward(*x)[:, :1] if x[0].is_meta else super().forward(*x)


class WrongMacs(Honest):
    def macs(self, *specs):
        return 1


class Forgetful(Honest):
    def __post_init__(self):
        self.drawn = float(torch.rand(()))

    def forward(self, *x):
        return super().forward(*x) + self.drawn


class Forgets(Honest):
    more: float = 0.5

    def __post_init__(self):
        self.more = 2 * self.more  # made again from its config it is doubled again

    def extra_repr(self):
        return ""

    def forward(self, *x):
        return super().forward(*x) + self.more


class Nosy(Honest):
    def forward(self, *x):
        return super().forward(*x) + x[0].mean(0)


class WrongBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return 2 * grad


class WrongGradient(Honest):
    def forward(self, *x):
        return WrongBackward.apply(super().forward(*x))


class Float32Only(Honest):
    def forward(self, *x):
        return super().forward(*x).float()


class TooSmallReach(Honest):
    def forward(self, *x):
        return super().forward(*x) + x[0].sum(-1, keepdim=True)


class TooLargeReach(Honest):
    def windows(self, *x):
        return (Window(), Mix())


class NotMoved(Honest):
    def windows(self, *x):
        return MOVES


class Secretive(Honest):
    def forward(self, *x):
        return super().forward(*x) * (2 if self.training else 1)


class Gambler(Honest):
    def forward(self, *x):
        y = super().forward(*x)
        return y * torch.rand(()) if self.training else y


class Baked(Honest):
    def forward(self, *x):
        return super().forward(*x) + torch.tensor(x[0].detach().numpy()).mean()


class Constant(Honest):
    def forward(self, *x):
        return super().forward(*x).detach()


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (WrongShape, "infer says (3, 4, 1) float32, forward gives (3, 4) float32"),
        (WrongType, "infer says (3, 4) float64, forward gives (3, 4) float32"),
        (WrongUnknown, "with unknown sizes infer says (7, 4), not (3, 4)"),
        (OwnWayOnMeta, "on the meta device forward gives (1, 4), not (3, 4)"),
        (WrongMacs, "macs says 1, torch counts 0"),
        (Forgetful, "built with unknown sizes: values differ by up to"),
        (Forgets, "made again from its config and state: values differ by up to"),
        (Nosy, "samples alone and in a batch: values differ by up to"),
        (WrongGradient, "gradients are not those of differences"),
        (Float32Only, "float64 in does not give float64 out"),
        (TooSmallReach, "an output changes with an input that its windows do not read"),
        (TooLargeReach, "the windows read inputs that change nothing"),
        (NotMoved, "moved as its index shows: values differ by up to"),
        (Secretive, "training differs from inference"),
        (Gambler, "it draws numbers in training"),
        (Constant, "no gradient reaches the inputs or the weights"),
    ],
)
def test_a_lie_is_found(layer, message):
    with pytest.raises(AssertionError) as error:
        check_layer(layer, Spec((3, 4)))
    assert str(error.value).startswith(f"{layer.__name__}() on (3, 4): {message}")


def test_the_truth_passes():
    check_layer(Honest, Spec((3, 4)), reference=lambda x, gain, shift: x * gain + shift)


def test_declared_differences_pass_and_undeclared_sameness_does_not():
    check_layer(Secretive, Spec((3, 4)), modes_differ=True)
    check_layer(Gambler, Spec((3, 4)), random=True)
    with pytest.raises(AssertionError, match=r"Honest\(\) on \(3, 4\): training equals inference"):
        check_layer(Honest, Spec((3, 4)), modes_differ=True)
    with pytest.raises(AssertionError, match="it does not draw numbers in training"):
        check_layer(Secretive, Spec((3, 4)), random=True)


def test_a_wrong_value_is_found_by_the_reference():
    with pytest.raises(AssertionError, match="against its reference: values differ by up to 1"):
        check_layer(Honest, Spec((3, 4)), reference=lambda x, gain, shift: x * gain + shift + 1)
    with pytest.raises(AssertionError, match=r"against its reference: \(3, 3, 4\) is not \(3, 4\)"):
        check_layer(Honest, Spec((3, 4)), reference=lambda x, gain, shift: x[:, 0])


def test_what_depends_on_python_values_is_not_exported_silently():
    with pytest.raises(Exception, match=r"numpy|export|proxy|fake"):
        check_layer(Baked, Spec((3, 4)))


def test_any_reach_may_be_called_everything():
    class Everything(TooSmallReach):
        def windows(self, *x):
            return EVERYTHING

    check_layer(Everything, Spec((3, 4)))
