"""Vocabularies for new code and for a notebook: `import striate.keras`, `installed`, `serve`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from striate.dialects import DialectError, installed


def test_a_cell_of_a_notebook() -> None:
    x, y = np.random.default_rng(0).random((24, 6, 6, 1)), np.arange(24) % 3
    kept = sys.modules.get("keras")
    with installed("keras"):
        from keras.layers import Conv2D, Dense, Flatten
        from keras.models import Sequential

        model = Sequential([Conv2D(2, (3, 3), input_shape=(6, 6, 1)), Flatten(),
                            Dense(3, activation="softmax")])  # fmt: skip
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["acc"])
        assert sorted(model.fit(x, y, epochs=1, verbose=0).history) == ["acc", "loss"]
    assert sys.modules.get("keras") is kept
    assert model.predict(x).shape == (24, 3)  # what was made is used after the block
    with pytest.raises(ImportError):
        import keras.layers  # noqa: F401


def failing() -> None:
    with installed("renom"), installed("bigdl"):
        import bigdl.nn.layer
        import renom

        assert renom.Dense and bigdl.nn.layer.Linear and 1 / 0


def test_versions_in_one_another_and_an_error_inside() -> None:
    with installed("keras1"):
        import keras

        assert keras.__version__ == "1.2.2"
        with installed("tf"):
            import tensorflow as tf

            assert tf.keras.layers.Conv2D(4, 3, 3).strides == (3, 3)
        with pytest.raises(ZeroDivisionError):
            failing()
        assert not [name for name in sys.modules if name.startswith(("renom.", "bigdl."))]
        assert keras.layers.Convolution2D(4, 3, 3).kernel_size == (3, 3)
    with pytest.raises(DialectError, match='did you mean "keras2"'), installed("kears2"):
        pass


def test_a_dialect_without_its_version_is_the_usual_one() -> None:
    with installed("keras") as session:
        assert session.version.name == "keras2"
    for name in ("renom", "bigdl", "pytorch"):
        with installed(name) as session:
            assert session.version.name == name


def test_keras_for_new_code() -> None:
    from striate.keras.utils import to_categorical

    import striate.keras as keras
    from striate.keras import layers

    net = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="softmax")])
    net.compile(keras.optimizers.Adadelta(), "categorical_crossentropy", metrics=["accuracy"])
    assert float(net.optimizer.learning_rate) == pytest.approx(0.001)  # as in Keras 3
    h = net.fit(np.ones((6, 4)), to_categorical([0, 1, 2] * 2), epochs=2, verbose=0)
    assert sorted(h.history) == ["accuracy", "loss"]
    assert "keras" not in sys.modules


def test_tf_for_new_code() -> None:
    import striate.tf as tf

    x = tf.constant([[1.0, 2.0]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(x * x)
    assert tape.gradient(y, x).tolist() == [[2.0, 4.0]]
    pairs = tf.data.Dataset.from_tensor_slices((np.ones((6, 4)), np.zeros(6))).batch(3)
    net = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(4,))])
    net.compile("sgd", "mse")
    assert len(net.fit(pairs, epochs=2, verbose=0).history["loss"]) == 2
    assert tf.keras.layers.Conv2D(4, 3, 3).strides == (3, 3)


def test_bigdl_for_new_code(capsys: pytest.CaptureFixture[str]) -> None:
    from striate.bigdl.nn.criterion import ClassNLLCriterion
    from striate.bigdl.nn.layer import Linear, LogSoftMax, Sequential
    from striate.bigdl.optim.optimizer import SGD, MaxEpoch, Optimizer
    from striate.bigdl.util.common import Sample

    import striate.bigdl  # noqa: F401

    net = Sequential().add(Linear(4, 3)).add(LogSoftMax())
    x, y = np.random.default_rng(0).random((9, 4)), np.arange(9) % 3 + 1
    Optimizer.create(net, (x, y), ClassNLLCriterion(), MaxEpoch(1), 3, SGD(0.1)).optimize()
    assert set(net.predict_class(x)) <= {1, 2, 3} and Sample.from_ndarray(x[0], y[0])
    assert "creating: createLinear" in capsys.readouterr().out


def test_renom_for_new_code() -> None:
    from striate.renom.utility.trainer import Trainer

    import striate.renom as rm

    net = rm.Sequential([rm.Conv2d(2, filter=3), rm.Flatten(), rm.Dense(2)])
    x, t = np.random.default_rng(0).random((6, 1, 5, 5)), np.eye(2)[[0, 1] * 3]
    with net.train():
        loss = rm.softmax_cross_entropy(net(x), t)
    loss.grad().update(rm.Sgd(lr=0.1))
    assert float(rm.softmax_cross_entropy(net(x), t)) < float(loss) and Trainer


def test_torchvision_for_new_code() -> None:
    from striate.torchvision.datasets import FakeData
    from striate.torchvision.utils import make_grid

    from striate.torchvision import transforms

    images = FakeData(4, (3, 8, 8), 3, transforms.ToTensor())
    assert make_grid([images[0][0], images[1][0]]).shape == (3, 12, 22)


SERVED = """
from striate.dialects import serve
serve("keras1")
serve("surroundings")
import numpy as np
from sklearn.preprocessing import LabelBinarizer
from keras.models import Sequential
from keras.layers import Convolution2D
m = Sequential([Convolution2D(4, 3, 3, border_mode='same', input_shape=(8, 8, 1))])
print(m.output_shape, np.zeros(1, np.float).dtype, LabelBinarizer().fit_transform([0, 1, 2]).shape)
"""


def test_a_dialect_is_served_to_the_end_of_a_program(tmp_path: Path) -> None:
    words = [sys.executable, "-c", SERVED]
    done = subprocess.run(words, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "(None, 8, 8, 4) float64 (3, 3)\n"
