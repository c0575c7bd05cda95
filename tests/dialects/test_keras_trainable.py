"""What `trainable` means when it is set after compile, and training in which nothing is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.dialects import installed
from striate.dialects.evidence import find, words

RNG = np.random.default_rng(0)
X = 3 * RNG.normal(size=(16, 3)).astype("float32")
Y = RNG.normal(size=(16, 1)).astype("float32")


def frozen_later(version: str) -> Any:
    """Freeze a network after compile, and make a step; return which of its weights have changed."""
    with installed(version):
        from keras.layers import BatchNormalization, Dense
        from keras.models import Sequential

        model = Sequential()
        model.add(Dense(4, input_shape=(3,)))
        model.add(BatchNormalization())
        model.add(Dense(1))
        model.compile(loss="mse", optimizer="sgd")
        model.trainable = False
        before = model.get_weights()
        loss = model.train_on_batch(X, Y)
        model.test_on_batch(X, Y)
        after = model.get_weights()
        assert not any(weight.requires_grad for weight in model.parameters())
    kernel, _, gamma, _, mean, *_ = (
        not np.allclose(*pair) for pair in zip(before, after, strict=True)
    )
    return loss, kernel, gamma, mean


@pytest.mark.parametrize(
    ("version", "trained", "moved"),
    [("keras1", True, True), ("keras2", True, False), ("tf", True, True), ("keras3", False, False)],
)
def test_trainable_waits_for_the_next_compile_up_to_tf_keras(
    version: str, trained: bool, moved: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    _, kernel, gamma, mean = frozen_later(version)
    assert (kernel, gamma, mean) == (trained, trained, moved)
    said = capsys.readouterr().err
    assert ("Discrepancy between trainable weights" in said) == (version in ("keras1", "keras2"))
    assert ("does not have any trainable weights" in said) == (version == "keras3")


def test_a_frozen_normalisation_goes_on_with_the_batch_in_keras_2() -> None:
    losses = {version: frozen_twice(version) for version in ("keras2", "tf")}
    normal = (X[:, :1] - X[:, :1].mean()) / np.sqrt(X[:, :1].var() + 1e-3)
    assert losses["keras2"] == pytest.approx(float(((normal - Y) ** 2).mean()), rel=1e-4)
    plain = X[:, :1] / np.sqrt(1 + 1e-3)
    assert losses["tf"] == pytest.approx(float(((plain - Y) ** 2).mean()), rel=1e-4)


def frozen_twice(version: str) -> float:
    """Return the loss of training a normalisation that was frozen before compile."""
    with installed(version):
        from keras.layers import BatchNormalization
        from keras.models import Sequential

        model = Sequential([BatchNormalization(input_shape=(1,))])
        model.trainable = False
        model.compile(loss="mse", optimizer="sgd")
        loss = model.fit(X[:, :1], Y, batch_size=16, epochs=1, verbose=0).history["loss"][0]
        assert np.allclose(model.get_weights()[2], 0)
    return float(loss)


def test_keras_3_goes_on_where_fewer_weights_are_trained() -> None:
    with installed("keras3"):
        import keras

        model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.Adam(0.01), "mse")
        model.fit(X, Y, epochs=2, batch_size=8, verbose=0)
        momenta = [one.clone() for one in model.setup.state["momentum"]]
        model.layers[0].trainable = False
        before = model.get_weights()
        model.fit(X, Y, epochs=1, batch_size=8, verbose=0)
        after = model.get_weights()
        assert np.array_equal(before[0], after[0]) and not np.array_equal(before[2], after[2])
        assert int(model.optimizer.iterations) == 6
        model.layers[0].trainable = True
        model.train_on_batch(X, Y)
        assert int(model.optimizer.iterations) == 7
        assert len(momenta) == len(model.setup.state["momentum"]) == 4


@pytest.mark.parametrize("version", ["keras2", "tf", "keras3"])
def test_a_layer_in_what_is_frozen_as_a_whole_is_not_freed_alone(version: str) -> None:
    with installed(version):
        from keras.layers import Dense
        from keras.models import Sequential

        model = Sequential([Dense(2, input_shape=(3,)), Dense(1)])
        model.trainable = False
        model.layers[0].trainable = True
        assert model.trainable_weights == []
        lines: list[str] = []
        model.summary(print_fn=lines.append)
        assert any("rainable params: 0" in line for line in lines)
        model.compile("sgd", "mse")
        before = model.get_weights()
        model.fit(X, Y, epochs=1, verbose=0)
        assert all(map(np.array_equal, before, model.get_weights()))
        model.trainable = True
        model.layers[0].trainable = False
        model.compile("sgd", "mse")
        model.fit(X, Y, epochs=1, verbose=0)
        same = [*map(np.array_equal, before, model.get_weights())]
        assert same == [True, True, False, False]


@pytest.mark.parametrize("version", ["keras2", "tf", "keras3"])
def test_a_frozen_network_is_fitted_for_its_numbers(version: str) -> None:
    with installed(version):
        from keras.layers import Dense
        from keras.models import Sequential

        model = Sequential([Dense(1, input_shape=(3,))])
        model.trainable = False
        model.compile("sgd", "mse")
        history = model.fit(X, Y, epochs=2, validation_data=(X, Y), verbose=0).history
        assert history["loss"] == pytest.approx([model.evaluate(X, Y, verbose=0)] * 2)
        assert history["val_loss"] == pytest.approx(history["loss"])
        assert int(model.optimizer.iterations) == 0


def test_a_rate_of_zero_and_sums_of_several_gradients() -> None:
    with installed("keras3"):
        import keras

        model = keras.Sequential([keras.layers.Dense(1, input_shape=(3,))])
        model.compile(keras.optimizers.Adam(learning_rate=0.0), "mse")
        before = model.get_weights()
        model.fit(X, Y, verbose=0)
        assert all(map(np.array_equal, before, model.get_weights()))
        model.compile(keras.optimizers.SGD(0.1, gradient_accumulation_steps=2), "mse")
        model.fit(X[:12], Y[:12], batch_size=4, verbose=0)
        assert int(model.optimizer.iterations) == 1


def test_batches_to_validate_on_have_a_size_of_their_own() -> None:
    with installed("keras3"):
        import keras

        class Own(keras.Model):
            def __init__(self) -> None:
                super().__init__()
                self.dense = keras.layers.Dense(1)

            def call(self, x: Any) -> Any:
                return self.dense(x)

            def train_step(self, data: Any) -> Any:
                return super().train_step(data)

        class Count(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
                self.batches = [*getattr(self, "batches", []), 0]

            def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
                self.batches[-1] += 1

        plain = keras.Sequential([keras.layers.Dense(1, input_shape=(3,))])
        for model in (plain, Own()):
            model.compile("sgd", "mse")
            for words, wanted in (
                ({}, [2, 2]),
                ({"validation_batch_size": 4}, [4, 4]),
                ({"validation_batch_size": 16, "validation_freq": [2]}, [0, 1]),
            ):
                count = Count()
                model.fit(X, Y, batch_size=8, epochs=2, validation_data=(X, Y), verbose=0,
                          callbacks=[count], **words)  # fmt: skip
                assert count.batches == wanted
        count = Count()
        plain.fit(X, Y, batch_size=8, validation_split=0.5, validation_batch_size=2, verbose=0,
                  callbacks=[count])  # fmt: skip
        assert count.batches == [4]


@pytest.mark.parametrize(("version", "counts"), [("keras2", True), ("tf", True), ("keras3", False)])
def test_penalties_on_frozen_weights_are_in_the_loss_up_to_tf_keras(
    version: str, counts: bool
) -> None:
    with installed(version):
        from keras.layers import Dense
        from keras.models import Sequential
        from keras.regularizers import l2

        first = Dense(3, kernel_regularizer=l2(0.5), kernel_initializer="ones", input_shape=(3,))
        model = Sequential([first, Dense(1, kernel_initializer="zeros")])
        first.trainable = False
        model.compile("sgd", "mse")
        wanted = float((Y**2).mean()) + 0.5 * 9 * counts
        assert model.evaluate(X, Y, verbose=0) == pytest.approx(wanted, rel=1e-5)
        assert float(model.fit(X, Y, batch_size=16, epochs=1, verbose=0).history["loss"][0]) == (
            pytest.approx(wanted, rel=1e-5))  # fmt: skip


GAN = """
import keras
from keras import layers
critic = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
critic.compile("adam", "mse")
critic.trainable = False
critic.train_on_batch(real, ones)
"""


def test_a_network_frozen_after_compile_and_trained_speaks_for_what_waits(tmp_path: Path) -> None:
    script = tmp_path / "gan.py"

    def version(text: str) -> str:
        script.write_text(text)
        return find(words(script))[0].version

    assert version(GAN.replace("keras.Input((2,))", "layers.Rescaling(2)")) == "tf"
    freed = GAN.replace("critic.train_on", "critic.trainable = True\ncritic.train_on")
    assert version(freed) == version(GAN.replace("False", "True")) == "keras3"
    assert (
        version(GAN.replace("import keras\n", "import keras\nfrom keras import ops\n")) == "keras3"
    )
