"""Two padded convolutions in ReNom on raw pixels; what the first of them has learned, as pictures.

Of the digits sorted by class, the first four fifths are for training: the rest is 4,000 nines and
the test set. Its loss is measured with dropout, as ReNom has it outside of inference.
"""

import matplotlib.pyplot as plt
import numpy as np
import renom as rm
from renom.cuda.cuda import set_cuda_active
from sklearn.datasets import fetch_mldata
from sklearn.preprocessing import LabelBinarizer, MinMaxScaler

BATCH, EPOCHS = 64, 10

set_cuda_active(True)
digits = fetch_mldata("MNIST original", data_home="./")
images = digits["data"].reshape(-1, 1, 28, 28)
classes = LabelBinarizer().fit_transform(digits["target"]).astype(np.float32)
edge = int(0.8 * len(images))

network = rm.Sequential(
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


def batches(places):
    for begin in range(0, len(places) - BATCH + 1, BATCH):
        chosen = places[begin : begin + BATCH]
        yield images[chosen], classes[chosen]


for epoch in range(EPOCHS):
    seen, held = [], []
    for x, t in batches(np.random.permutation(edge)):  # noqa: NPY002
        with network.train():
            loss = rm.softmax_cross_entropy(network(x), t)
        loss.grad().update(optimizer)
        seen.append(loss.as_ndarray())
    for x, t in batches(np.arange(edge, len(images))):
        held.append(rm.softmax_cross_entropy(network(x), t).as_ndarray())
    print(f"epoch {epoch:02d} loss {np.mean(seen):.4f} held out {np.mean(held):.4f}")

kernels = network[0].params.w
assert kernels.shape == (32, 1, 3, 3)
maps = network[0](images[-1:])
for pictures in (kernels[:, 0], maps[0]):
    plt.figure()
    for place, picture in enumerate(pictures):
        plt.subplot(4, 8, place + 1)
        plt.imshow(MinMaxScaler((0, 255)).fit_transform(picture), cmap="gray")
    plt.show()
if len(images) == 70000:
    assert np.mean(held) <= 0.13, np.mean(held)
print("weights", sum(weight.size for weight in network.variables()))
