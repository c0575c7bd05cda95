"""What made the values of an output, seen through the layers that keep it; losses decide by it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import striate as st
from striate import layers as L
from striate.engine.ending import ending
from striate.errors import ConfigError
from striate.losses import UNKNOWN


def chain(*layers, shape=(8, 8, 3)):
    return st.Sequential([L.Input(shape), *layers])


class Net(nn.Module):
    def __init__(self, last):
        super().__init__()
        self.linear, self.last = nn.Linear(4, 3), last

    def forward(self, x):
        return self.last(self.linear(x))


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 3)

    def forward(self, x):
        return self.linear(x) if float(x.sum()) >= 0 else -self.linear(x)


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (chain(L.Dense(3)), ""),
        (chain(L.Dense(3, activation="ReLU")), "relu"),
        (chain(L.Dense(3), L.ReLU()), "relu"),
        (chain(L.Dense(3), nn.LogSoftmax(-1)), "log_softmax"),
        (chain(L.Dense(3), nn.Tanh()), "tanh"),
        (chain(L.Dense(3), L.BatchNormalization()), ""),
        (chain(L.Conv2D(3, 1, activation="softmax"), L.GlobalAveragePooling2D()), "softmax"),
        (chain(L.Conv2D(3, 1), L.GlobalAveragePooling2D(), L.Softmax()), "softmax"),
        (chain(L.Dense(3, activation="softmax"), L.Reshape((64, 3))), "softmax"),
        (chain(chain(L.Dense(3, activation="sigmoid"))), "sigmoid"),
        (chain(L.Dense(3), L.Lambda(lambda x: x * 2)), UNKNOWN),
        (st.Model.from_torch(Net(nn.Softmax(-1)), (4,)), "softmax"),
        (st.Model.from_torch(Net(functional.relu), (4,)), "relu"),
        (st.Model.from_torch(Net(nn.Identity()), (4,)), ""),
        (st.Model.from_torch(Branching(), (4,)), UNKNOWN),
    ],
)
def test_the_activation_that_made_the_values(made, found):
    assert ending(made.outputs[0]) == found


def test_the_mean_of_probabilities_is_one():
    x = L.Input((4,))
    ends = [L.Dense(3, activation="softmax")(x) for _ in range(2)]
    assert ending(L.Average()(ends)) == "softmax"
    assert ending(L.Average()([ends[0], L.Dense(3)(x)])) == UNKNOWN
    assert ending(x) == ""


def test_the_loss_of_averaged_probabilities_is_theirs():
    st.seed(0)
    model = chain(L.Conv2D(3, 1, activation="softmax"), L.GlobalAveragePooling2D())
    model.compile("sgd", "crossentropy")
    x, y = np.random.default_rng(0).normal(size=(5, 8, 8, 3)), np.arange(5) % 3
    expected = -np.log(model.predict(x)[np.arange(5), y]).mean()
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_a_head_of_neither_probabilities_nor_logits_is_refused_before_the_first_step():
    x, y = np.zeros((4, 4), np.float32), np.arange(4) % 3
    model = chain(L.Dense(3, activation="relu"), shape=(4,))
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ConfigError) as error:
        model.fit(x, y, verbose=0)
    assert str(error.value) == (
        "SparseCategoricalCrossentropy: takes probabilities, which the model does not give\n"
        "  got   from_logits=False for a model that ends in relu\n"
        "  need  outputs of softmax, or a loss of logits\n"
        '  fix   activation="softmax" in the last layer'
    )


def test_what_cannot_be_seen_is_said_once(capsys):
    x, y = np.ones((4, 4), np.float32), np.arange(4) % 3
    model = st.Model.from_torch(Branching(), (4,))
    name = model.outputs[0].name
    capsys.readouterr()
    for loss, kind in (("crossentropy", "logits"), ("sparse_categorical_crossentropy", "")):
        model.compile("sgd", loss)
        model.fit(x, y, verbose=0)
        model.fit(x, y, verbose=0)
        assert capsys.readouterr().err == (
            f"note: it cannot be seen how {name} ends; {loss} takes it as "
            f"{kind or 'probabilities'}\n"
        )
    assert torch.isfinite(torch.as_tensor(model.evaluate(x, y, verbose=0)))
