"""The mistakes newcomers make most: each is told in these words, cannot happen, or is not seen.

The numbers are those of the list of pain points that the package answers to, in its order.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from torch import nn

import striate as st
from striate import layers as L
from striate.errors import StriateError

X = np.random.default_rng(0).normal(size=(40, 8, 8, 1)).astype(np.float32)
Y = np.arange(40) % 4
RARE = np.repeat([0, 1, 2, 3], [36, 2, 1, 1])


def network(*last, loss="crossentropy", optimizer="sgd", shape=(8, 8, 1)):
    st.seed(0)
    last = last or (L.Dense(4, activation="softmax"),)
    model = st.Sequential([L.Input(shape), L.Flatten(), *last])
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def fit(x=X, y=Y, *, model=None, **settings):
    model = model or network()
    model.fit(x, y, **{"verbose": 2} | settings)
    return model


def used_after_training(x):
    fit().predict(x)


def constant_bias():
    st.seed(0)
    biased = L.Dense(4, activation="softmax", bias_initializer=st.initializers.Constant(0.0))
    model = network(biased, optimizer=st.optimizers.SGD(1e-9))
    with torch.no_grad():
        biased.kernel.zero_()
        biased.bias[2] = 1.0
    fit(model=model)


def overfitted():
    model = network(L.Dense(64, activation="relu"), L.Dense(4, activation="softmax"),
                    optimizer=st.optimizers.Adam(0.01))  # fmt: skip
    x = others()
    fit(x[:20], Y[:20], model=model, validation_data=(x[20:], Y[20:]), epochs=20)


def others():
    return np.random.default_rng(1).normal(size=(40, 8, 8, 1)).astype(np.float32)


TOLD = {
    "1 the size after Flatten": lambda: st.Model.from_torch(
        nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(100, 4)), (1, 8, 8)),
    "2 nothing left after pooling": lambda: st.Sequential(
        [L.Input((8, 8, 1)), L.MaxPooling2D(4), L.Conv2D(4, 3)]),
    "2 channels first for a model of channels last": lambda: fit(
        np.zeros((40, 3, 8, 8)), model=network(shape=(8, 8, 3))),
    "3 an image without the batch axis": lambda: fit(np.zeros((8, 8, 3)), model=network(
        shape=(8, 8, 3))),
    "5 class numbers for a loss of one-hot rows": lambda: fit(
        model=network(loss="categorical_crossentropy")),
    "5 labels that begin at 1": lambda: fit(y=Y + 1),
    "5 labels that begin at 1, with an output more": lambda: fit(
        y=Y + 1, model=network(L.Dense(5, activation="softmax"))),
    "6 another scale in use than in training": lambda: used_after_training(X * 255),
    "6 another scale in validation than in training": lambda: fit(
        validation_data=(others() / 255, Y)),
    "7 softmax twice": lambda: fit(model=network(loss=st.losses.Crossentropy(from_logits=True))),
    "7 softmax never": lambda: fit(model=network(L.Dense(4), loss="categorical_crossentropy")),
    "7 relu at the end": lambda: fit(model=network(L.Dense(4, activation="relu"))),
    "8 inputs that are not scaled": lambda: fit((np.abs(X) * 80).astype(np.uint8)),
    "9 always the same class": constant_bias,
    "9 samples that are all the same": lambda: fit(np.ones_like(X), verbose=2),
    "10 overfitting": overfitted,
    "11 validated on what was trained on": lambda: fit(validation_data=(X[:10], Y[:10])),
    "11 validated on classes that were not trained on": lambda: fit(
        X, np.sort(Y), validation_split=0.25),
    "12 rare classes": lambda: fit(y=RARE),
    "12 classes without samples": lambda: fit(y=Y % 2 * 3),
    "13 a learning rate that is too high": lambda: fit(
        model=network(optimizer=st.optimizers.SGD(30.0)), epochs=3),
    "13 a loss that is no number": lambda: fit(
        X, np.ones((40, 4)), model=network(L.Dense(4), loss="mse",
                                           optimizer=st.optimizers.SGD(1e9)), epochs=30),
    "14 an empty channel": lambda: fit(
        np.concatenate([X, X * 0, X], -1), model=network(shape=(8, 8, 3))),
    "14 grey images as colour": lambda: fit(
        np.repeat(X, 3, -1), model=network(shape=(8, 8, 3))),
    "14 colour images for a model of grey ones": lambda: fit(np.repeat(X, 3, -1)),
    "14 an image file that is not there": lambda: network().predict("my_digit.png"),
    "next: values that are NaN": lambda: fit(np.where(X > 2, np.nan, X)),
    "next: labels that do not belong to the images": lambda: fit(
        y=np.roll(RARE, 1), epochs=2, model=network(optimizer=st.optimizers.SGD(1e-9))),
}  # fmt: skip

CANNOT_HAPPEN = {
    "4 eval() forgotten": "predict and evaluate switch the mode and restore it: tests/engine",
    "16 a file of another version": "refused with its version: tests/store/test_model_file.py",
    "17 results that differ each time": "one seed rules all: test_one_seed_gives_the_same_bytes",
    "19 work lost by Ctrl-C": "history, weights and run are kept: tests/engine, tests/cli",
    "next: metrics of the last, smaller batch": "means are over samples: tests/engine/test_loop.py",
}

NOT_SEEN = {
    "14 red and blue exchanged": "both orders are images; only the one who reads them knows",
    "15 a drawing that is inverted or off the centre": "it is in range, and may be meant so",
    "18 a GPU that is not used": "striate doctor and the head of each training name the device",
    "20 the layer to look at": "nothing is attributed here",
    "next: a slow input pipeline": "images/s of each epoch show it, but not the cause",
    "next: frozen layers with normalization": "BatchNormalization that is frozen uses its means",
    "next: augmentation that changes the label": "whether a 6 may be turned is the user's to know",
}

WORDS = {
    "1 the size after Flatten": (
        "2 (TorchModule): cannot take an input of this shape\n"
        "  got   input (144,)\n"
        "  need  100 on the last axis\n"
        "  math  a and b must have same reduction dim, but got [2, 144] X [100, 4].\n"
        "  fix   nn.Linear(144, 4)"
    ),
    "2 nothing left after pooling": (
        "conv2d (Conv2D): the window does not fit axis H\n"
        "  got   input (2, 2, 1), axis H = 2\n"
        "  need  H >= 3\n"
        "  math  (2 + 0 - 3) // 1 + 1 = 0\n"
        '  fix   padding="same", a smaller window, a larger input, or one pooling layer '
        "fewer"
    ),
    "2 channels first for a model of channels last": (
        "Sequential: the batch does not fit the model's input\n"
        "  got   (40, 3, 8, 8)\n"
        "  need  (N, 8, 8, 3)\n"
        "  fix   the channels are first, the model takes them last: x.transpose(0, 2, 3, "
        "1)"
    ),
    "3 an image without the batch axis": (
        "Sequential: the batch does not fit the model's input\n"
        "  got   (8, 8, 3)\n"
        "  need  (N, 8, 8, 3)\n"
        "  fix   this is one sample without the batch axis: x[None]"
    ),
    "5 class numbers for a loss of one-hot rows": (
        "y: holds class numbers, but this loss takes one-hot rows\n"
        "  got   shape (40,)\n"
        "  need  shape (N, 4)\n"
        '  fix   loss="crossentropy", which takes both'
    ),
    "5 labels that begin at 1": (
        "y: label 4 at index 3, but the model has 4 outputs\n"
        "  got   labels from 1 to 4\n"
        "  need  labels from 0 to 3\n"
        "  fix   the labels begin at 1: y - 1"
    ),
    "5 labels that begin at 1, with an output more": (
        "note: no sample is of class 0: if labels begin at 1, train on y - 1 and 4 outputs"
    ),
    "6 another scale in use than in training": (
        "note: the values of x reach #.#, those trained on #.#: prepare both alike, best "
        "in the model (L.Rescaling)"
    ),
    "6 another scale in validation than in training": (
        "note: the values of the validation samples reach #.#, those trained on #.#: "
        "prepare both alike, best in the model (L.Rescaling)\n"
        "note: overfitting: the accuracy is #.# in training and #.# in validation; more "
        "data, L.Dropout or augmentation (L.RandomTranslation) help"
    ),
    "7 softmax twice": (
        "Crossentropy: softmax would be applied twice, by the model and by the loss\n"
        "  got   from_logits=True for a model that ends in softmax\n"
        "  need  one of the two\n"
        "  fix   from_logits=False"
    ),
    "7 softmax never": (
        "CategoricalCrossentropy: takes probabilities, which the model does not give\n"
        "  got   from_logits=False for a model that ends without an activation\n"
        "  need  outputs of softmax, or a loss of logits\n"
        '  fix   activation="softmax" in the last layer, or loss="crossentropy", which '
        "takes logits too"
    ),
    "7 relu at the end": (
        "Crossentropy: takes probabilities or logits, and the model gives neither\n"
        "  got   a model that ends in relu\n"
        "  need  softmax, sigmoid or no activation at the end\n"
        "  fix   leave the last activation out, or losses.Crossentropy(from_logits=True)"
    ),
    "8 inputs that are not scaled": (
        "note: the input's values reach 255; networks learn from values near 1: begin "
        "with L.Rescaling(1 / 255)\n"
        "note: the network says class 3 to everything: look at the learning rate "
        "(model.find_lr), the scale of the input (L.Rescaling) and class_weight"
    ),
    "9 always the same class": (
        "note: the network says class 2 to everything: look at the learning rate "
        "(model.find_lr), the scale of the input (L.Rescaling) and class_weight"
    ),
    "9 samples that are all the same": (
        "note: all samples of x are the same: there is nothing to tell them apart by\n"
        "note: the network says class 1 to everything: look at the learning rate "
        "(model.find_lr), the scale of the input (L.Rescaling) and class_weight"
    ),
    "10 overfitting": (
        "note: overfitting since epoch 3: val_loss was #.# there and is #.# now; "
        "EarlyStopping(restore_best_weights=True), dropout or augmentation help"
    ),
    "11 validated on what was trained on": (
        "note: 10 of the 10 validation samples are among the training samples too: their "
        "result shows what was learned by heart"
    ),
    "11 validated on classes that were not trained on": (
        "note: no sample is of class 3\n"
        "note: class 3 is in the validation samples only: are they in the order of their "
        "classes? Shuffle them before validation_split"
    ),
    "12 rare classes": (
        "note: 90 % of the samples are of class 0, 1 of class 2: an accuracy of 90 % "
        "means nothing; class_weight={2: 36} lets the rare one count"
    ),
    "12 classes without samples": ("note: no sample is of class 1, 2"),
    "13 a learning rate that is too high": (
        "note: the loss rose from #.# to #.#: the learning rate is too high; "
        "model.find_lr(x, y) suggests one"
    ),
    "13 a loss that is no number": (
        "stopped: the loss is inf in epoch 2. Try a lower learning rate (model.find_lr "
        "suggests one) or clipnorm=#.#"
    ),
    "14 an empty channel": ("note: channel 1 of x is the same everywhere: was it lost on the way?"),
    "14 grey images as colour": (
        "note: the 3 channels of x are equal: the images are grey, one is enough"
    ),
    "14 colour images for a model of grey ones": (
        "Sequential: the batch does not fit the model's input\n"
        "  got   (40, 8, 8, 3)\n"
        "  need  (N, 8, 8, 1)\n"
        "  fix   the model takes 1 channel, the batch has 3: x.mean(-1, keepdims=True)"
    ),
    "14 an image file that is not there": (
        "my_digit.png: there is no such image file\n  fix   check the path"
    ),
    "next: values that are NaN": (
        "x: sample 1 holds NaN or infinity\n"
        "  need  finite numbers\n"
        "  fix   leave it out: np.delete(x, 1, 0), np.delete(y, 1, 0)"
    ),
    "next: labels that do not belong to the images": (
        "note: 90 % of the samples are of class 0, 1 of class 2: an accuracy of 90 % "
        "means nothing; class_weight={2: 36} lets the rare one count\n"
        "note: nothing was learned: the accuracy is #.#, and always saying the most "
        "frequent class gives #.#. Do y[i] and x[i] belong together? Else: more epochs, "
        "another learning rate (model.find_lr), a larger network"
    ),
}


def said(call, capsys):
    """Return the error, or what is on stderr besides the lines of epochs; fractions as #.#."""
    try:
        call()
        lines = capsys.readouterr().err.splitlines()
        lines = [line for line in lines if line.startswith(("note:", "stopped:"))]
    except StriateError as error:
        lines = [line for line in str(error).splitlines() if not line.startswith("  at ")]
    return re.sub(r"\d+\.\d+", "#.#", "\n".join(lines))


@pytest.mark.parametrize("mistake", TOLD)
def test_the_mistake_is_told(mistake, capsys):
    assert said(TOLD[mistake], capsys) == WORDS[mistake]


def test_each_of_the_twenty_is_answered():
    numbers = {name.split()[0] for name in (*TOLD, *CANNOT_HAPPEN, *NOT_SEEN)}
    assert numbers - {"next:"} == {str(number) for number in range(1, 21)}
    assert TOLD.keys() == WORDS.keys()


def test_healthy_trainings_are_left_alone(mnist_small, capsys):
    (x, y), (x_test, y_test) = mnist_small
    for seed in range(3):
        st.seed(seed)
        model = st.Sequential([
            L.Input((28, 28, 1)), L.Rescaling(1 / 255), L.Flatten(),
            L.Dense(32, activation="relu"), L.Dense(10, activation="softmax"),
        ])  # fmt: skip
        model.compile("adam", "crossentropy", metrics=["accuracy"])
        model.fit(x, y, validation_data=(x_test, y_test), epochs=4, verbose=2)
        model.predict(x_test)
    assert "note" not in capsys.readouterr().err
