"""A small convolutional network in Keras 2, and its twin in the functional form: about 99 %."""

from keras import Input, layers, models
from keras.datasets import mnist
from keras.models import Model
from keras.utils import to_categorical

(images, digits), (test_images, test_digits) = mnist.load_data()
images = images.reshape((60000, 28, 28, 1)).astype("float32") / 255
test_images = test_images.reshape((10000, 28, 28, 1)).astype("float32") / 255
digits, test_digits = to_categorical(digits), to_categorical(test_digits)

plan = [
    layers.Conv2D(32, (3, 3), activation="relu", input_shape=(28, 28, 1)),
    layers.MaxPooling2D((2, 2)),
    layers.Conv2D(64, (3, 3), activation="relu"),
    layers.MaxPooling2D((2, 2)),
    layers.Flatten(),
    layers.Dense(64, activation="relu"),
    layers.Dense(10, activation="softmax"),
]
net = models.Sequential()
for layer in plan:
    net.add(layer)

begin = Input(shape=(28, 28, 1))
end = begin
for layer in plan:
    end = layer(end)
twin = Model(inputs=begin, outputs=end)

twin.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
twin.fit(images, digits, epochs=4, batch_size=64)
loss, accuracy = twin.evaluate(test_images, test_digits)
same = (net.predict(test_images[:9]) == twin.predict(test_images[:9])).all()
print("test accuracy", accuracy, "in both", same)
print("reached" if accuracy >= 0.985 else "missed")
