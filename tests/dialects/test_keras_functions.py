"""Functions of tensors, metrics and losses that a script calls by themselves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch.nn import functional

from striate.dialects import installed
from striate.dialects.table import DialectError


@pytest.fixture
def tf() -> Iterator[None]:
    with installed("tf"):
        yield


def test_windows_of_one_two_and_three_axes_are_torchs() -> None:
    with installed("keras2"):
        from keras import backend as K

        x, k = torch.randn(2, 9, 3), torch.randn(4, 3, 5)
        wanted = functional.conv1d(x.mT, k.permute(2, 1, 0)).mT
        torch.testing.assert_close(K.conv1d(x, k), wanted)
        causal = functional.conv1d(functional.pad(x.mT, (3, 0)), k.permute(2, 1, 0)).mT
        torch.testing.assert_close(K.conv1d(x, k, padding="causal"), causal)
        x, k = torch.randn(2, 5, 6, 7, 3), torch.randn(3, 3, 3, 3, 4)
        wanted = functional.conv3d(x.movedim(-1, 1), k.permute(4, 3, 0, 1, 2)).movedim(1, -1)
        torch.testing.assert_close(K.conv3d(x, k), wanted)
        x, k = torch.randn(2, 5, 5, 3), torch.randn(3, 3, 4, 3)  # (rows, columns, out, in)
        back = functional.conv_transpose2d(x.movedim(-1, 1), k.permute(3, 2, 0, 1), stride=2)
        out = K.conv2d_transpose(x, k, (2, 11, 11, 4), strides=(2, 2))
        torch.testing.assert_close(out, back.movedim(1, -1))
        out = K.conv2d_transpose(x, k, (2, 10, 10, 4), strides=(2, 2), padding="same")
        torch.testing.assert_close(out, back.movedim(1, -1)[:, :10, :10])
        assert K.spatial_2d_padding(x, ((1, 0), (2, 3))).shape == (2, 6, 10, 3)
        assert K.temporal_padding(torch.ones(1, 4, 2), (1, 2)).shape == (1, 7, 2)
        volume = torch.randn(1, 4, 4, 4, 2)
        wanted = functional.max_pool3d(volume.movedim(-1, 1), 2).movedim(1, -1)
        torch.testing.assert_close(K.pool3d(volume, (2, 2, 2), (2, 2, 2)), wanted)


def test_the_product_of_batches_is_that_of_the_version() -> None:
    a, b = torch.randn(2, 10, 7), torch.randn(2, 10, 7, 16)
    with installed("keras2"):
        from keras import backend as K

        routed = K.batch_dot(a, b, [2, 2])  # as networks of capsules write it
        torch.testing.assert_close(routed, torch.einsum("bcn,bcnd->bcd", a, b))
        back = K.batch_dot(routed, b, [2, 3])
        torch.testing.assert_close(back, torch.einsum("bcd,bcnd->bcn", routed, b))
        same = K.batch_dot(a[:, 0], a[:, 1], axes=1)
        torch.testing.assert_close(same, (a[:, 0] * a[:, 1]).sum(1, keepdim=True))
    with installed("tf"):
        import tensorflow as tf

        every = tf.keras.backend.batch_dot(a, b, (2, 2))
        torch.testing.assert_close(every, torch.einsum("bcn,bend->bced", a, b))


@pytest.mark.usefixtures("tf")
def test_counts_of_answers_are_kept_over_batches() -> None:
    from tensorflow.keras import metrics

    true, said = np.array([0, 1, 1, 0, 1]), np.array([0.2, 0.9, 0.4, 0.6, 0.7], "float32")
    found = {name: float(getattr(metrics, name)()(true, said))
             for name in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives",
                          "Precision", "Recall")}  # fmt: skip
    assert found == pytest.approx({
        "TruePositives": 2, "FalsePositives": 1, "TrueNegatives": 1, "FalseNegatives": 1,
        "Precision": 2 / 3, "Recall": 2 / 3})  # fmt: skip
    strict = metrics.Precision(thresholds=0.65)
    strict.update_state(true[:2], said[:2])
    strict.update_state(true[2:], said[2:])
    assert float(strict.result()) == 1.0
    union = metrics.MeanIoU(num_classes=2)
    union.update_state([0, 0, 1, 1], [0, 1, 0, 1])
    assert float(union.result()) == pytest.approx(1 / 3)
    score = metrics.F1Score()([[1, 0], [0, 1], [0, 1]], [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    np.testing.assert_allclose(score, [2 / 3, 2 / 3], rtol=1e-6)
    assert float(metrics.RecallAtPrecision(0.9)(true, said)) == pytest.approx(2 / 3)


@pytest.mark.usefixtures("tf")
def test_values_at_places_and_loops_as_functions() -> None:
    import tensorflow as tf

    x = tf.reshape(tf.range(6), (2, 3))
    assert tf.gather_nd(x, [[0, 1], [1, 2]]).tolist() == [1, 5]
    assert tf.tensor_scatter_nd_update(x, [[0, 0]], [9]).tolist() == [[9, 1, 2], [3, 4, 5]]
    assert tf.scatter_nd([[1], [3]], [5, 6], [5]).tolist() == [0, 5, 0, 6, 0]
    assert tf.slice(x, [0, 1], [-1, 2]).tolist() == [[1, 2], [4, 5]]
    values, places = tf.unique([3, 1, 3, 2])
    assert (values.tolist(), places.tolist()) == ([3, 1, 2], [0, 1, 0, 2])
    assert tf.while_loop(lambda i, s: i < 4, lambda i, s: (i + 1, s + i), (0, 0)) == (4, 6)
    assert tf.scan(lambda a, b: a + b, tf.constant([1, 2, 3])).tolist() == [1, 3, 6]
    array = tf.TensorArray(tf.float32, size=2)
    assert array.write(1, 2.0).write(0, 1.0).stack().tolist() == [1.0, 2.0]

    @tf.custom_gradient
    def clipped(x):  # type: ignore[no-untyped-def]
        return x * 2.0, lambda upstream: upstream * 10.0

    with tf.GradientTape() as tape:
        v = tf.Variable(3.0)
        y = clipped(v)
    assert float(y) == 6.0
    assert float(tape.gradient(y, v)) == 10.0


@pytest.mark.usefixtures("tf")
def test_what_is_drawn_with_a_seed_of_its_own_is_the_same_again() -> None:
    import tensorflow as tf

    image, seed = tf.random.uniform((8, 8, 3)), tf.random.split([3, 4], num=1)[0, :]
    first = tf.image.stateless_random_crop(image, size=[4, 4, 3], seed=seed)
    assert torch.equal(first, tf.image.stateless_random_crop(image, size=[4, 4, 3], seed=seed))
    others = [tf.image.stateless_random_brightness(image, 0.5, seed=(n, 0)) for n in range(3)]
    assert len({float(one.mean()) for one in others}) == 3
    counter = tf.data.experimental.Counter()
    pairs = tf.data.Dataset.zip((tf.data.Dataset.range(3), (counter, counter)))
    assert [int(b) for _, (a, b) in pairs] == [0, 1, 2]
    assert int(tf.data.Dataset.range(3).as_numpy_iterator().next()) == 0
    assert int(tf.data.Dataset.range(3).make_one_shot_iterator().get_next()) == 0
    boxes = tf.constant([[0.0, 0, 1, 1], [0, 0, 0.9, 1], [0.5, 0.5, 1, 1]])
    assert tf.image.non_max_suppression(boxes, [0.8, 0.9, 0.7], 3).tolist() == [1, 2]
    whole = tf.image.crop_and_resize(image[None], [[0.0, 0, 1, 1]], [0], (8, 8))
    torch.testing.assert_close(whole[0], image)


def test_mnist_is_read_as_by_the_first_tutorials() -> None:
    with installed("keras2"):
        from tensorflow.examples.tutorials.mnist import input_data

        data = input_data.read_data_sets("MNIST_data", one_hot=True)
        assert data.train.images.shape == (55000, 784)
        assert data.validation.num_examples == 5000
        assert data.test.labels.shape == (10000, 10)
        images, labels = data.train.next_batch(100)
        assert (images.shape, float(images.max()) <= 1, labels.sum()) == ((100, 784), True, 100)


def test_what_tensorflow_1_had_is_told_what_to_write_instead() -> None:
    with installed("keras2"):
        import tensorflow as tf

        with pytest.raises(DialectError, match=r"tf\.estimator is gone"):
            _ = tf.estimator
        with pytest.raises(DialectError, match=r"tf\.keras layers"):
            _ = tf.placeholder


def test_starts_of_weights_with_a_name_are_called_as_keras_1_called_them() -> None:
    with installed("keras1"):
        from keras.initializations import identity, normal
        from keras.layers import SimpleRNN
        from keras.models import Sequential

        model = Sequential()
        model.add(
            SimpleRNN(
                output_dim=4,
                input_shape=(5, 1),
                activation="relu",
                init=lambda shape, name: normal(shape, scale=0.001, name=name),
                inner_init=lambda shape, name: identity(shape, scale=1.0, name=name),
            )
        )
        np.testing.assert_array_equal(model.get_weights()[1], np.eye(4))


def test_labels_of_truths_are_labels() -> None:
    with installed("keras2"):
        from keras.layers import Activation, Dense
        from keras.models import Sequential

        model = Sequential([Dense(3, input_shape=(2,)), Activation("softmax")])
        model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
        labels = np.eye(3, dtype=bool)[[0, 1, 2, 0]]
        assert 0 <= model.evaluate(np.ones((4, 2)), labels, verbose=0)[1] <= 1


def test_two_outputs_of_one_model_that_is_called_have_a_loss_each() -> None:
    with installed("keras2"):
        from keras.layers import Dense, Input
        from keras.models import Model

        image = Input((4,))
        judge = Model(image, [Dense(1, activation="sigmoid")(image), Dense(3)(image)])
        judge.trainable = False
        noise = Input((5,))
        combined = Model(noise, judge(Dense(4)(noise)))
        combined.compile("sgd", ["binary_crossentropy", "mse"])
        losses = combined.train_on_batch(np.ones((2, 5)), [np.ones(2), np.ones((2, 3))])
        assert len(losses) == len(set(combined.metrics_names)) == 3
        assert losses[0] == pytest.approx(losses[1] + losses[2], rel=1e-5)


SPACED = """\
Model: "sequential"
_________________________________________________________________
 Layer (type)                Output Shape              Param #
=================================================================
 conv2d (Conv2D)             (None, 26, 26, 6)         60

 max_pooling2d (MaxPooling2D  (None, 13, 13, 6)        0
 )

 flatten (Flatten)           (None, 1014)              0

 dense (Dense)               (None, 10)                10150

=================================================================
Total params: 10210 (39.88 KB)
Trainable params: 10210 (39.88 KB)
Non-trainable params: 0 (0.00 Byte)
_________________________________________________________________
"""
JOINED = """\
__________________________________________________________________________________________________
Layer (type)                    Output Shape         Param #     Connected to
==================================================================================================
input_1 (InputLayer)            (None, 8, 8, 3)      0
__________________________________________________________________________________________________
conv2d_1 (Conv2D)               (None, 8, 8, 3)      84          input_1[0][0]
__________________________________________________________________________________________________
add_1 (Add)                     (None, 8, 8, 3)      0           conv2d_1[0][0]
                                                                 input_1[0][0]
==================================================================================================
Total params: 84
Trainable params: 84
Non-trainable params: 0
__________________________________________________________________________________________________
"""


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    return "".join(f"{line.rstrip()}\n" for line in capsys.readouterr().out.splitlines())


@pytest.mark.usefixtures("tf")
def test_tensorflow_prints_its_table_with_spaces(capsys: pytest.CaptureFixture[str]) -> None:
    from tensorflow.keras import Sequential, layers

    model = Sequential([layers.Conv2D(6, 3, input_shape=(28, 28, 1)), layers.MaxPooling2D(),
                        layers.Flatten(), layers.Dense(10)])  # fmt: skip
    model.summary()
    assert printed(capsys) == SPACED


def test_keras_says_every_input_of_a_layer_in_a_line_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with installed("keras2"):
        from keras.layers import Conv2D, Input, add
        from keras.models import Model

        image = Input((8, 8, 3))
        Model(image, add([Conv2D(3, (3, 3), padding="same")(image), image])).summary()
    assert printed(capsys) == JOINED


@pytest.mark.usefixtures("tf")
def test_a_model_whose_compile_sets_the_optimizer_itself_is_trained_by_it() -> None:
    import tensorflow as tf
    from tensorflow import keras

    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.inner = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])

        def compile(self, learning_rate, **words):  # type: ignore[no-untyped-def]
            super().compile(**words)
            self.optimizer = keras.optimizers.SGD(learning_rate=learning_rate)
            self.followed = keras.metrics.Mean(name="loss")

        @property
        def metrics(self):  # type: ignore[no-untyped-def]
            return [self.followed]

        def train_step(self, data):  # type: ignore[no-untyped-def]
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(self.inner(data))
            weights = self.inner.trainable_weights
            self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
            self.followed.update_state(loss)
            return {"loss": self.followed.result()}

    model = Own()
    before = np.array(model.inner.get_weights()[0])
    model.compile(learning_rate=0.5)
    model.fit(tf.data.Dataset.from_tensor_slices(np.ones((4, 2), "float32")).batch(4), verbose=0)
    np.testing.assert_allclose(model.inner.get_weights()[0], before - 0.5, rtol=1e-5)


@pytest.mark.usefixtures("tf")
def test_the_addons_of_tensorflow_mean_what_they_meant() -> None:
    import tensorflow_addons as tfa
    from tensorflow import keras

    model = keras.Sequential([keras.layers.Dense(1, use_bias=False, input_shape=(2,))])
    model.set_weights([np.full((2, 1), 2.0)])
    model.compile(tfa.optimizers.AdamW(weight_decay=0.1, learning_rate=0.5), "mae")
    model.train_on_batch(np.zeros((1, 2)), np.zeros((1, 1)))  # no slope: only the decay is left
    np.testing.assert_allclose(model.get_weights()[0], 2.0 * (1 - 0.1), rtol=1e-5)
    true, logits = torch.tensor([[1.0, 0.0]]), torch.tensor([[2.0, -1.0]])
    p = torch.sigmoid(logits)
    wanted = -0.25 * (1 - p[0, 0]) ** 2 * p[0, 0].log() - 0.75 * p[0, 1] ** 2 * (1 - p[0, 1]).log()
    found = tfa.losses.SigmoidFocalCrossEntropy(from_logits=True)(true, logits)
    torch.testing.assert_close(found, wanted[None])
    assert tfa.layers.InstanceNormalization()(np.ones((1, 4, 4, 3), "float32")).shape == (
        1,
        4,
        4,
        3,
    )


@pytest.mark.usefixtures("tf")
def test_a_loss_that_is_called_in_its_own_way_is_the_one_that_trains() -> None:
    import tensorflow as tf
    from tensorflow import keras

    class Apart(keras.losses.Loss):
        def __call__(self, y_true, y_pred, sample_weight=None):  # type: ignore[no-untyped-def]
            return tf.reduce_mean(y_pred) + 0 * tf.reduce_sum(
                tf.cast(tf.squeeze(y_true), "float32")
            )

    model = keras.Sequential([keras.layers.Dense(3, use_bias=False, input_shape=(2,))])
    before = np.array(model.get_weights()[0])
    model.compile(keras.optimizers.SGD(0.3), loss=Apart())
    model.fit(np.ones((4, 2)), np.arange(4) % 3, batch_size=4, epochs=1, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], before - 0.1, rtol=1e-4, atol=1e-6)
