"""What is no model, no sample, no label or no class is refused, with what it was."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from cases import told

import striate as st
from striate import inspect, layers as L

NET = st.Sequential(
    [
        L.Input((8, 8, 1)),
        L.Conv2D(4, 3, activation="relu"),
        L.Flatten(),
        L.Dense(3, activation="softmax"),
    ]
)
X = np.random.default_rng(0).random((6, 8, 8, 1), np.float32)
Y = np.array([0, 1, 2, 0, 1, 2])

REFUSED = {
    "a torch module": (
        lambda: inspect.feature_maps(torch.nn.Linear(3, 4), X[0]),
        "feature_maps: is asked about a model of Striate\n"
        "  got   torch.nn.modules.linear.Linear\n"
        "  fix   striate.Model.from_torch(module, ...)",
    ),
    "a path": (
        lambda: inspect.attribution(NET, "digit.png"),
        "Sequential: looks at arrays of numbers\n"
        "  got   'digit.png'\n"
        "  fix   np.asarray(PIL.Image.open(path))",
    ),
    "no samples": (
        lambda: inspect.health(NET, X[:0]),
        "Sequential: is asked about no samples\n  need  at least one",
    ),
    "no samples to find a favourite in": (
        lambda: inspect.likes(NET, X[:0], "conv2d", 0),
        "Sequential: is asked about no samples\n  need  at least one",
    ),
    "no samples to be like": (
        lambda: inspect.nearest(NET, X[:0], X[0]),
        "Sequential: is asked about no samples\n  need  at least one",
    ),
    "one sample where a batch is asked for": (
        lambda: inspect.nearest(NET, X[0], X),
        "Sequential: is asked about a batch of samples\n"
        "  got   an array of shape (8, 8, 1)\n"
        "  need  samples (8, 8, 1)\n"
        "  fix   x[None]",
    ),
    "samples of another shape": (
        lambda: inspect.likes(NET, X.reshape(6, 64), "conv2d", 0),
        "Sequential: is asked about a batch of samples\n"
        "  got   an array of shape (6, 64)\n"
        "  need  samples (8, 8, 1)",
    ),
    "a method as the class": (
        lambda: inspect.attribution(NET, X[0], "occlusion"),
        "Sequential: a class is asked for by its number\n"
        "  got   target='occlusion'\n"
        "  need  0 to 2",
    ),
    "a layer of the input": (
        lambda: inspect.attribution(NET, X[0], layer="conv2d"),
        "attribution: integrated_gradients is about the input, not about a layer\n"
        "  got   layer='conv2d'\n"
        '  fix   method="grad_cam"',
    ),
    "too few labels": (
        lambda: inspect.mistakes(NET, X, Y[:3]),
        "Sequential: there is not one label for each sample\n  got   3 for 6 samples",
    ),
    "labels between classes": (
        lambda: inspect.compare(NET, NET, X, Y + 0.5),
        "Sequential: 6 of 6 labels are none of the classes\n"
        "  got   class 0.5\n"
        "  need  whole numbers from 0 to 2",
    ),
    "a class of Grad-CAM": (
        lambda: inspect.grad_cams(NET, X, Y + 1),
        "Sequential: 2 of 6 labels are none of the classes\n"
        "  got   class 3\n"
        "  need  whole numbers from 0 to 2",
    ),
    "labels of gradients": (
        lambda: inspect.health(NET, X, Y - 1),
        "Sequential: 2 of 6 labels are none of the classes\n"
        "  got   class -1\n"
        "  need  whole numbers from 0 to 2",
    ),
    "names of classes": (
        lambda: inspect.mistakes(NET, X, Y, ["cat", "dog"]),
        "Sequential: names of classes and outputs do not fit each other\n"
        "  got   2 names\n"
        "  need  3, one for each class",
    ),
    "a unit between two": (
        lambda: inspect.unit(NET, X[0], "conv2d", (1.5, 0, 0)),
        "conv2d (Conv2D): has no such unit\n"
        "  got   unit (1.5, 0, 0)\n"
        "  need  a position in the output (6, 6, 4)",
    ),
    "images that are none": (
        lambda: inspect.show_batch(X[0, :, :, 0]),
        "show_batch: shows images\n"
        "  got   an array (8, 8)\n"
        "  need  (N, H, W), (N, H, W, C) or (N, C, H, W)",
    ),
    "fewer labels than images": (
        lambda: inspect.show_batch(X, Y[:2]),
        "show_batch: there is not one label for each sample\n  got   2 for 6 samples",
    ),
    "no history": (
        lambda: inspect.plot_history(NET),
        "plot_history: draws what fit returned\n"
        "  got   Sequential\n"
        "  need  a History, its dictionary of lists, or one row of numbers for each epoch",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_asked(case: str):
    question, message = REFUSED[case]
    assert told(question) == message


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (8, 8, 1, 1), (1, 8, 8, 1)])
def test_an_axis_of_one_may_lack_or_be_too_many(shape: tuple[int, ...]):
    expected = inspect.feature_maps(NET, X[0], "conv2d")["conv2d"].values
    assert (
        inspect.feature_maps(NET, X[0].reshape(shape), "conv2d")["conv2d"].values == expected
    ).all()
    if len(shape) < 4:
        several = inspect.mistakes(NET, X.reshape(6, *shape), Y)
        assert (several.probabilities == inspect.mistakes(NET, X, Y).probabilities).all()


def test_a_network_of_one_output_has_two_classes():
    net = st.Sequential(
        [
            L.Input((8, 8, 1)),
            L.Conv2D(4, 3),
            L.Flatten(),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    for method in ("integrated_gradients", "grad_cam", "occlusion"):
        against, for_ = (inspect.attribution(net, X[0], n, method) for n in (0, 1))
        assert (against.target, for_.target) == (0, 1)
        if method != "grad_cam":  # which shows what speaks for a class alone
            assert np.allclose(against.values, -for_.values, atol=1e-6)
            assert np.abs(for_.values).max() > 0
    said = int(np.asarray(net.predict(X[:1]))[0, 0] > 0.5)
    assert inspect.attribution(net, X[0]).target == said
    assert inspect.grad_cams(net, X, [0, 1] * 3).shape == (6, 8, 8)
