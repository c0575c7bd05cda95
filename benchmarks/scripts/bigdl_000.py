"""Tutorial 000's network in BigDL 0.7."""

from bigdl.dataset import mnist
from bigdl.nn.keras.layer import Convolution2D, Dense, Flatten, MaxPooling2D, Reshape
from bigdl.nn.keras.topology import Sequential

from benchmarks.protocol import turns

(images, digits), _ = mnist.load_data("mnist")
images, digits = images[:20000], digits[:20000]

net = Sequential()
net.add(Reshape((1, 28, 28), input_shape=(28, 28, 1)))
net.add(Convolution2D(20, 3, 3, activation="relu"))
net.add(MaxPooling2D())
net.add(Convolution2D(50, 3, 3, activation="relu"))
net.add(MaxPooling2D())
net.add(Flatten())
net.add(Dense(512, activation="relu"))
net.add(Dense(10, activation="softmax"))
net.compile("sgd", "sparse_categorical_crossentropy", ["accuracy"])

turns(lambda: net.fit(images, digits, batch_size=8, nb_epoch=1), len(images))
