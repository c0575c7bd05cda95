"""One network of tf.keras, trained in the way that the first argument names."""

import sys

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

from benchmarks.protocol import turns

COUNT, BATCH = 12000, 64
(images, digits), _ = keras.datasets.mnist.load_data()
images = images[:COUNT, ..., np.newaxis].astype("float32") / 255
digits = digits[:COUNT]
losses = keras.losses.SparseCategoricalCrossentropy()
optimizer = keras.optimizers.Adam()


class Net(keras.Model):
    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = losses(y, self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}


def network(kind=keras.Model):
    image = keras.Input((28, 28, 1))
    x = layers.MaxPooling2D()(layers.Conv2D(32, 3, activation="relu")(image))
    x = layers.MaxPooling2D()(layers.Conv2D(64, 3, activation="relu")(x))
    x = layers.Dense(128, activation="relu")(layers.Flatten()(x))
    net = kind(image, layers.Dense(10, activation="softmax")(layers.Dropout(0.5)(x)))
    net.compile(optimizer, "sparse_categorical_crossentropy")
    return net


def batches():
    for begin in range(0, COUNT - BATCH + 1, BATCH):
        yield images[begin : begin + BATCH], digits[begin : begin + BATCH]


def endless():
    while True:
        yield from batches()


def by_tape():
    for x, y in batches():
        with tf.GradientTape() as tape:
            loss = losses(y, net(x, training=True))
        gradients = tape.gradient(loss, net.trainable_variables)
        optimizer.apply_gradients(zip(gradients, net.trainable_variables, strict=True))


def predicted():
    for x, _ in batches():
        net(x, training=False)


net = network(Net if sys.argv[1] == "train_step" else keras.Model)
fit = {"batch_size": BATCH, "epochs": 1, "verbose": 0}
ways = {
    "fit": lambda: net.fit(images, digits, **fit),
    "train_step": lambda: net.fit(images, digits, **fit),
    "train_on_batch": lambda: [net.train_on_batch(x, y) for x, y in batches()],
    "a generator": lambda: net.fit(endless(), steps_per_epoch=COUNT // BATCH, epochs=1, verbose=0),
    "GradientTape": by_tape,
    "predict": lambda: net.predict(images, batch_size=BATCH, verbose=0),
    "a call": predicted,
}
turns(ways[sys.argv[1]], COUNT)
