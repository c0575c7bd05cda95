"""A network of 53,558 weights in the words of two versions at once: at least 98.9 % after 10."""

from keras.datasets import mnist
from keras.layers import Convolution2D, Dense, Dropout, Flatten, MaxPooling2D
from keras.models import Sequential
from keras.utils import np_utils

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train = x_train.reshape(x_train.shape[0], 28, 28, 1).astype("float32") / 255
x_test = x_test.reshape(x_test.shape[0], 28, 28, 1).astype("float32") / 255
y_train, y_test = np_utils.to_categorical(y_train, 10), np_utils.to_categorical(y_test, 10)

net = Sequential()
net.add(Convolution2D(filters=6, kernel_size=3, activation="relu", input_shape=(28, 28, 1)))
net.add(MaxPooling2D(pool_size=2))
net.add(Convolution2D(filters=16, kernel_size=3, activation="relu"))
net.add(MaxPooling2D(pool_size=(2, 2)))
net.add(Dropout(0.25))
net.add(Flatten())
net.add(Dense(128, activation="relu"))
net.add(Dropout(0.5))
net.add(Dense(10, activation="softmax"))
net.summary()
net.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
net.fit(x_train, y_train, batch_size=32, epochs=10, verbose=1)
score = net.evaluate(x_test, y_test, verbose=0)
print(net.metrics_names[1], score[1])
print("reached" if score[1] >= 0.989 else "missed")
