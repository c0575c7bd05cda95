"""Tutorial 003's network in ReNom 2, with its loop."""

import numpy as np
import renom as rm
from sklearn.datasets import fetch_mldata
from sklearn.preprocessing import LabelBinarizer

from benchmarks.protocol import turns

COUNT, BATCH = 6400, 64

digits = fetch_mldata("MNIST original")
chosen = np.random.RandomState(0).permutation(60000)[:COUNT]
images = digits["data"][chosen].reshape(-1, 1, 28, 28)
targets = LabelBinarizer().fit_transform(digits["target"][chosen]).astype(np.float32)

net = rm.Sequential(
    [
        rm.Conv2d(channel=32, filter=3, padding=1),
        rm.Relu(),
        rm.Conv2d(channel=64, filter=3, padding=1),
        rm.Relu(),
        rm.MaxPool2d(filter=2, stride=2),
        rm.Dropout(0.5),
        rm.Flatten(),
        rm.Dense(128),
        rm.Relu(),
        rm.Dense(10),
    ]
)
optimizer = rm.Sgd(lr=0.001)


def epoch():
    places = np.random.permutation(COUNT)  # noqa: NPY002
    total = 0
    for begin in range(0, COUNT, BATCH):
        batch = places[begin : begin + BATCH]
        with net.train():
            loss = rm.softmax_cross_entropy(net(images[batch]), targets[batch])
        loss.grad().update(optimizer)
        total += loss.as_ndarray()
    return total


turns(epoch, COUNT)
