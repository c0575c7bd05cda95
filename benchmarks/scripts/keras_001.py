"""Tutorial 001's network in Keras 2."""

from keras import layers, models
from keras.datasets import mnist
from keras.utils import to_categorical

from benchmarks.protocol import turns

(images, digits), _ = mnist.load_data()
images = images.reshape((60000, 28, 28, 1)).astype("float32") / 255
digits = to_categorical(digits, 10)

net = models.Sequential()
net.add(layers.Conv2D(32, (3, 3), activation="relu", input_shape=(28, 28, 1)))
net.add(layers.MaxPooling2D((2, 2)))
net.add(layers.Conv2D(64, (3, 3), activation="relu"))
net.add(layers.MaxPooling2D((2, 2)))
net.add(layers.Flatten())
net.add(layers.Dense(64, activation="relu"))
net.add(layers.Dense(10, activation="softmax"))
net.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])

turns(lambda: net.fit(images, digits, epochs=1, batch_size=64, verbose=1), len(images))
