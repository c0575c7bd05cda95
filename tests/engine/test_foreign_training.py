"""Networks written as code train natively where their graph tells all, with the losses of torch."""

from __future__ import annotations

import copy
import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import striate as st
from striate import layers as L
from striate.errors import ConfigError
from striate.lower.runtime import library

pytestmark = pytest.mark.skipif(library() is None, reason="the native engine was not built")


class Block(nn.Module):
    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(after, eps=1e-2)
        self.second = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(after, eps=1e-2)
        self.short = nn.Sequential()
        if stride > 1:
            self.short = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after, eps=1e-2)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm(self.first(x)))
        y = self.norm2(self.second(y))
        y += self.short(x)
        return F.relu(y)


class SmallResNet(nn.Module):
    """As people write it: functions, in-place sums, view."""

    def __init__(self) -> None:
        super().__init__()
        self.begin = nn.Conv2d(1, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8, eps=1e-2)
        self.blocks = nn.Sequential(Block(8, 8, 1), Block(8, 16, 2))
        self.pool = nn.AdaptiveAvgPool2d((1, 1))
        self.end = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(F.relu(self.norm(self.begin(x))))
        return self.end(self.pool(x).view(x.size(0), -1))


class Branches(nn.Module):
    """Concatenation, poolings and flattening by functions, dropout by the mode."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(1, 4, 5, padding=2)
        self.end = nn.Linear(8 * 6 * 6, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([torch.tanh(self.left(x)), torch.sigmoid(self.right(x))], dim=1)
        x = torch.flatten(F.avg_pool2d(x, 2), 1)
        return self.end(F.dropout(x, 0.0, training=self.training))


class OwnForward(st.Model):
    """A subclass with layers of this package."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = L.Conv2D(8, 3, activation="tanh", data_format="channels_first")
        self.flat, self.dense = L.Flatten(data_format="channels_first"), L.Dense(10)

    def forward(self, x: Tensor) -> Any:
        return self.dense(self.flat(self.conv(x)))


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((96, 1, 12, 12), np.float32)
    return x, rng.integers(0, 10, 96)


def model_of(network: nn.Module) -> st.Model:
    if isinstance(network, st.Model):
        network.build(st.Input((1, 12, 12), data_format="channels_first").spec)
        return network
    return st.Model.from_torch(network, (1, 12, 12))


@pytest.mark.parametrize("network", [SmallResNet, Branches, OwnForward])
def test_they_train_natively_with_the_losses_and_statistics_of_torch(network):
    st.seed(0)
    made = model_of(network())
    twin, (x, y), found = copy.deepcopy(made), data(), []
    for model, engine in ((made, "native"), (twin, "torch")):
        model.compile(
            st.optimizers.SGD(0.05, momentum=0.9), st.losses.Crossentropy(from_logits=True),
            ["accuracy"], engine=engine,
        )  # fmt: skip
        losses = model.fit(x, y, batch_size=16, epochs=4, shuffle=False, verbose=0).history["loss"]
        found.append((losses, model.evaluate(x, y, verbose=0)[0], model.predict(x)))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-3)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-3)
    np.testing.assert_allclose(found[0][2], found[1][2], atol=5e-3)


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.end = nn.Conv2d(1, 4, 3), nn.Linear(400, 10)
        self.calls, self.twice, self.seen = 0, False, []

    def forward(self, x: Tensor) -> Tensor:
        return self.end(torch.flatten(self.conv(x), 1))


class Counts(Plain):
    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return super().forward(x)


class Keeps(Plain):
    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x)
        return super().forward(x)


class DrawsAtRandom(Plain):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x if random.random() < 0.9 else x * 2)


class OtherInTraining(Plain):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x * 2 if self.training else x)


class DropsAlways(Plain):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.dropout(x, 0.5, training=True))


class Frozen(Plain):
    def train(self, mode: bool = True) -> Frozen:
        super().train(mode)
        self.conv.eval()
        return self


class Values(Plain):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x if x.sum() > 0 else -x)


class Switched(Plain):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x * 2 if self.twice else x)


UNTOLD = {
    Counts: "code that changes something, or draws random numbers, at each call",
    Keeps: "code that changes something, or draws random numbers, at each call",
    DrawsAtRandom: "code that changes something, or draws random numbers, at each call",
    OtherInTraining: "code that is not the same in training, or no longer",
    Switched: "code that is not the same in training, or no longer",
    DropsAlways: "a mode that the code gives",
    Frozen: "parts that keep to a mode of their own",
    Values: "code that cannot be followed",
}


@pytest.mark.parametrize("network", UNTOLD, ids=lambda network: network.__name__)
def test_what_the_graph_does_not_tell_is_left_to_torch(network):
    made = network()
    model = st.Model.from_torch(made, (1, 12, 12))
    made.twice = True
    modes = [part.training for part in made.modules()]
    assert model.untold() == UNTOLD[network]
    assert [part.training for part in made.modules()] == modes
    model.compile("sgd", "crossentropy", engine="native")
    with pytest.raises(ConfigError) as caught:
        model.fit(*data(), verbose=0)
    assert f"that its graph does not tell: {UNTOLD[network]}\n" in str(caught.value)
    inner = st.Sequential([L.Input((1, 12, 12), data_format="channels_first"), model])
    x = data()[0][:4]
    with torch.no_grad():
        want = inner.eval()(torch.from_numpy(x)).numpy()
    if network not in (DropsAlways, DrawsAtRandom):
        np.testing.assert_allclose(inner.predict(x), want, atol=1e-5)


def test_hooks_are_left_to_torch():
    made = Plain()
    model = st.Model.from_torch(made, (1, 12, 12))
    assert model.untold() == ""
    made.conv.register_forward_hook(lambda module, x, y: None)
    assert model.untold() == "hooks of torch, which look at tensors on their way"
