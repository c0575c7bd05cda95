"""Two convolutions on raw pixels with Adam, validated on the test set: at least 97.57 % after 3."""

from keras.datasets import mnist
from keras.layers import Conv2D, Dense, Flatten
from keras.models import Sequential
from keras.utils import to_categorical

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train = x_train.reshape(60000, 28, 28, 1)
x_test = x_test.reshape(10000, 28, 28, 1)
y_train, y_test = to_categorical(y_train), to_categorical(y_test)

net = Sequential()
net.add(Conv2D(64, kernel_size=3, activation="relu", input_shape=(28, 28, 1)))
net.add(Conv2D(32, kernel_size=3, activation="relu"))
net.add(Flatten())
net.add(Dense(10, activation="softmax"))
net.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
history = net.fit(x_train, y_train, validation_data=(x_test, y_test), epochs=3)
print(net.predict(x_test[:4]).argmax(-1), y_test[:4].argmax(-1))
print("reached" if history.history["val_acc"][-1] >= 0.9757 else "missed")
