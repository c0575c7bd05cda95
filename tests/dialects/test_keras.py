"""Tables of the Keras dialect against the values of each version; messages in full."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import striate as st
from striate.dialects import DialectError, installed
from striate.dialects.dialect import every
from striate.dialects.evidence import find, words
from striate.dialects.keras import VERSIONS
from striate.dialects.keras.rows import LAYERS
from striate.dialects.program import run_script
from striate.engine.native import NativeStep
from striate.errors import StriateError

# Learning rate and epsilon of each version: section 0.4 of each framework's own sources.
OPTIMIZERS = {
    "keras0": {"adam": (0.001, 1e-6), "adadelta": (1.0, 1e-6), "sgd": (0.01, None)},
    "keras1": {"adam": (0.001, 1e-8), "adadelta": (1.0, 1e-8), "adamax": (0.002, 1e-8)},
    "keras2": {"adam": (0.001, 1e-7), "adadelta": (1.0, 1e-7), "nadam": (0.002, 1e-7)},
    "tf": {"adadelta": (0.001, 1e-7), "adagrad": (0.001, 1e-7), "adamax": (0.001, 1e-7)},
    "keras3": {"adadelta": (0.001, 1e-7), "nadam": (0.001, 1e-7)},
}


@pytest.mark.parametrize("version", OPTIMIZERS)
def test_defaults_of_optimizers(version: str) -> None:
    found = VERSIONS[version].optimizers
    for name, (rate, epsilon) in OPTIMIZERS[version].items():
        assert (found[name]["learning_rate"], found[name].get("epsilon")) == (rate, epsilon)


def test_an_old_rmsprop_has_its_epsilon_outside_of_the_root() -> None:
    with installed("keras2"):
        from keras.optimizers import RMSprop

        rule: Any = RMSprop(lr=0.001, rho=0.9)
    weight, grad, mean = torch.tensor([1.0]), torch.tensor([2e-3]), 0.0
    state = rule.init([weight])
    expected = 1.0
    for _ in range(5):
        mean = 0.9 * mean + 0.1 * 2e-3**2
        expected -= 0.001 * 2e-3 / (mean**0.5 + 1e-7)
        rule.update([weight], [grad], state, rule.rate(state))
    assert weight.item() == pytest.approx(expected, abs=3e-6)
    assert type(rule.rule) is st.optimizers.RMSprop  # so that its kernel trains


def test_decay_divides_the_rate_by_one_more_each_update() -> None:
    with installed("keras1"):
        from keras.optimizers import SGD

        rule: Any = SGD(lr=0.5, decay=0.1, momentum=0.9, nesterov=True)
    assert [rule.rate({"step": step}) for step in (0, 1, 10)] == [0.5, 0.5 / 1.1, 0.25]


def test_arguments_of_optimizers_come_in_the_order_of_the_version() -> None:
    with installed("keras2"):
        from keras.optimizers import SGD

        rule: Any = SGD(0.5, 0.9, 0.1, True)
        with pytest.raises(DialectError) as caught:
            SGD(0.5, 0.9, 0.1, True, 3)
    assert (rule.momentum, rule.nesterov, rule.rate({"step": 10})) == (0.9, True, 0.25)
    caught.value.rows.pop("at")
    assert str(caught.value) == (
        "Keras 2.2 SGD: takes 4 positional arguments, not 5\n"
        "  need  learning_rate, momentum, decay, nesterov\n"
        "  fix   name them"
    )
    with installed("tf"):
        from tensorflow.keras.optimizers import SGD as LATER

        assert LATER(0.5, 0.9, True).nesterov is True


def test_clipnorm_is_of_all_gradients_up_to_keras_2_and_of_each_later() -> None:
    for version, field in (("keras2", "global_clipnorm"), ("keras3", "clipnorm")):
        with installed(version):
            from keras.optimizers import Adam

            assert getattr(Adam(clipnorm=1.5), field) == 1.5


@pytest.mark.parametrize("row", LAYERS, ids=lambda row: row.target)
def test_every_row_names_a_native_layer_and_its_arguments(row: Any) -> None:
    import inspect

    known = inspect.signature(getattr(st.layers, row.target).__init__).parameters
    elsewhere = {"weights", "arguments", *row.dropped}  # given to the dialect, not to the layer
    assert set(row.order) - elsewhere <= set(known)
    assert set(row.old_order) - elsewhere - {s for n in row.folds.values() for s in n} <= set(known)
    assert set(row.folds) | set(row.defaults) <= set(known)


SUMMARY = """\
_________________________________________________________________
Layer (type)                 Output Shape              Param #
=================================================================
conv2d_1 (Conv2D)            (None, 26, 26, 6)         60
_________________________________________________________________
max_pooling2d_1 (MaxPooling2 (None, 13, 13, 6)         0
_________________________________________________________________
conv2d_2 (Conv2D)            (None, 11, 11, 16)        880
_________________________________________________________________
max_pooling2d_2 (MaxPooling2 (None, 5, 5, 16)          0
_________________________________________________________________
dropout_1 (Dropout)          (None, 5, 5, 16)          0
_________________________________________________________________
flatten_1 (Flatten)          (None, 400)               0
_________________________________________________________________
dense_1 (Dense)              (None, 128)               51328
_________________________________________________________________
dropout_2 (Dropout)          (None, 128)               0
_________________________________________________________________
dense_2 (Dense)              (None, 10)                1290
=================================================================
Total params: 53,558
Trainable params: 53,558
Non-trainable params: 0
_________________________________________________________________
"""


def test_a_summary_has_the_lines_of_keras_2(capsys: pytest.CaptureFixture[str]) -> None:
    with installed("keras2"):
        from keras.layers import Convolution2D, Dense, Dropout, Flatten, MaxPooling2D
        from keras.models import Sequential

        model = Sequential([Convolution2D(6, kernel_size=3, input_shape=(28, 28, 1))])
        model.add(MaxPooling2D(pool_size=2))
        model.add(Convolution2D(filters=16, kernel_size=3))
        for layer in (MaxPooling2D(pool_size=(2, 2)), Dropout(0.25), Flatten()):
            model.add(layer)
        for layer in (Dense(128), Dropout(0.5), Dense(10)):
            model.add(layer)
        model.summary()
    lines = capsys.readouterr().out.splitlines()
    assert [line.rstrip() for line in lines] == SUMMARY.splitlines()
    assert {len(line) for line in lines if "(" in line or "_" * 9 in line} == {65}


def test_steps_go_in_one_call_unless_a_callback_asks_for_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[bool] = []
    portions = NativeStep.portions

    def watched(self: NativeStep, batches: Any, several: bool) -> Any:
        seen.append(several)
        return portions(self, batches, several)

    monkeypatch.setattr(NativeStep, "portions", watched)
    with installed("keras2"):
        from keras.callbacks import Callback, LambdaCallback
        from keras.layers import Dense
        from keras.models import Sequential

        class Epochs(Callback):
            def on_epoch_end(self, epoch, logs=None):
                pass

        class Batches(Callback):
            def on_batch_end(self, batch, logs=None):
                pass

        model = Sequential([Dense(2, input_shape=(3,))])
        model.compile("sgd", "mse")
        epochs = LambdaCallback(on_epoch_end=lambda epoch, logs: None)
        batches = LambdaCallback(on_batch_end=lambda batch, logs: None)
        for callback in (Epochs(), Batches(), epochs, batches):
            model.fit(np.zeros((4, 3)), np.zeros((4, 2)), verbose=1, callbacks=[callback])
    assert seen == [True, False, True, False]


def test_modules_are_gone_after_the_block() -> None:
    with installed("keras"):
        import keras
        import keras.utils.np_utils

        assert keras.layers.convolutional.Convolution2D is keras.layers.Convolution2D
    assert not [name for name in sys.modules if name.partition(".")[0] == "keras"]


def test_a_layer_is_an_instance_of_the_class_that_made_it() -> None:
    with installed("keras"):
        from keras.layers import Conv2D, Dense

        assert isinstance(Dense(3), Dense) and not isinstance(Dense(3), Conv2D)


def test_hard_sigmoid_is_steeper_up_to_keras_2() -> None:
    with installed("keras2"):
        from keras.layers import Activation

        out = Activation("hard_sigmoid")(np.float32([[-3.0, 1.0, 2.5]]))
    assert out.tolist()[0] == pytest.approx([0.0, 0.7, 1.0])


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("import keras", "keras2"),
        ("from tensorflow import keras", "tf"),
        ("import keras\nm.fit(nb_epoch=1)", "keras1"),
        ("import keras\nm.fit(nb_epoch=1, show_accuracy=True)", "keras0"),
        ("import keras\nC(filters=1, border_mode='same')", "keras2"),
        ("from keras import ops", "keras3"),
        ("import keras\ng.flow_from_directory(d, class_mode='binary')", "keras2"),
        ("import keras\nm.compile('sgd', 'mse', class_mode='binary')", "keras0"),
        ("m.fit(epochs=1)\nh['val_accuracy']", "keras23"),
    ],
)
def test_the_version_is_read_from_the_words(text: str, version: str, tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text(text)
    assert find(words(tmp_path / "s.py"))[0].version == version


ERRORS = {
    "from keras.layers import Conv2D\nConv2D(filtres=3)": """\
Keras 2.2 Conv2D: there is no argument 'filtres'
  got   filtres=...
  need  one of filters, kernel_size, strides, padding, dilation_rate, groups, name, trainable, \
bias_initializer, bias_regularizer, bias_constraint, kernel_initializer, kernel_regularizer, \
kernel_constraint, data_format, activation, use_bias
  fix   did you mean "filters"? natively: L.Conv2D(filters, kernel_size, ...)
  at    script.py:2""",
    "from keras.layers import Flatten\nFlatten('a', 'b')": """\
Keras 2.2 Flatten: takes 1 positional arguments, not 2
  need  data_format
  fix   name them, or natively: L.Flatten(data_format, ...)
  at    script.py:2""",
    "from keras.layers import Dropout\nDropout(0.5, p=0.5)": """\
Keras 2.2 Dropout: p is given twice
  got   p=0.5 and 0.5
  fix   rate=0.5 alone
  at    script.py:2""",
    "from keras.layers import Conv2d": """\
keras.layers.Conv2d: Keras 2.2 has no such name here
  got   Conv2d
  fix   did you mean "Conv2D"?
  at    script.py:1""",
    "from keras.optimizers import Adam\nAdam(lr=1, rate=2)": """\
Keras 2.2 Adam: there is no argument 'rate'
  need  one of lr, decay, learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, \
exclude_from_weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, \
ema_overwrite_frequency, gradient_accumulation_steps
  fix   natively: st.optimizers.Adam()
  at    script.py:2""",
    "from keras.models import Sequential\nSequential().compile('adadelt', 'mse')": """\
Keras 2.2: there is no optimizer 'adadelt'
  need  one of sgd, rmsprop, adam, adagrad, adadelta, adamax, nadam
  fix   did you mean "adadelta"?
  at    script.py:2""",
    "from keras.datasets import imdb\nimdb.load_data()": """\
keras.datasets.imdb: there is no copy of the data set here, and none is fetched
  need  ~/.keras/datasets/imdb.npz, or path="imdb.npz" of your own
  fix   put the file there: https://storage.googleapis.com/tensorflow/tf-keras-datasets/imdb.npz
  at    script.py:2""",
    "from keras.layers import Conv2D\nConv2D(8, 3, 3, 'same')": """\
Keras 2.2 Conv2D: arguments after the kernel's sides must be named
  got   8, 3, 3, 'same'
  need  Conv2D(filters, nb_row, nb_col, name=value, ...)
  fix   init="glorot_uniform", activation="relu"
  at    script.py:2""",
    "from keras.layers import merge, Dense\nDense(output_dim=1)\nmerge([], mode='summ')": """\
Keras 1.2 merge: there is no mode 'summ'
  need  one of sum, mul, ave, max, concat, dot, cos
  fix   did you mean "sum"?
  at    script.py:3""",
    "from keras.models import Graph\nGraph().add_node(None, name='b', input='a')": """\
Keras 0.3 Graph: 'b' begins at 'a', and there is no such node
  need  one of those that graph.add_input has made
  at    script.py:2""",
    "import tensorflow as tf\ntf.lite": """\
tensorflow.lite: Keras 2.2 has no such name here
  got   lite
  need  no files of TensorFlow Lite: model.save('model.keras'), which TensorFlow converts
  fix   dir(striate.layers) lists the native layers
  at    script.py:2""",
    "from keras.models import Model\nfrom keras.layers import Dense, Input\n\
x = Input((1,))\nm = Model(x, [Dense(1)(x), Dense(1)(x)])\nm.compile('sgd', 'mse')\n\
m.fit([[1.0]], [[1.0], [1.0]], sample_weight={'a': [1], 'b': [1]})": """\
sample_weight: names outputs that the model has not
  got   a, b
  need  dense_1, dense_2
  at    script.py:6""",
    "import keras\nexec 'hello'": """\
script.py: is not Python 3
  got   exec 'hello'
  need  Missing parentheses in call to 'exec'. Did you mean exec(...)?
  fix   correct line 2; 2to3 turns Python 2 into Python 3
  at    script.py:2""",
}  # fmt: skip


@pytest.mark.parametrize("text", ERRORS)
def test_what_is_not_known_is_told_in_full(text: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(text)
    with pytest.raises(StriateError) as caught:
        run_script(script, root=tmp_path / "runs")
    assert str(caught.value) == ERRORS[text]


CHANGING = [(row.target, word) for row in LAYERS for word in row.harmless]


@pytest.mark.parametrize(("name", "word"), CHANGING)
def test_a_dropped_argument_is_refused_where_it_would_change_results(name: str, word: str) -> None:
    values = next(row.harmless[word] for row in LAYERS if row.target == name)
    first = {"AlphaDropout": (0.5,), "Dense": (2,)}.get(name, ())
    with installed("keras2"):
        make = getattr(__import__("keras.layers").layers, name)
        for value in values:
            make(*first, **{word: value})
        other = 1 if values[0] in (0, None) else not values[0]
        with pytest.raises(DialectError) as caught:
            make(*first, **{word: other})
    assert str(caught.value).startswith(
        f"Keras 2.2 {name}: {word}={other!r} changes results, and is not done here\n"
    )
    assert caught.value.rows["need"] == " or ".join(f"{word}={value!r}" for value in values)


def test_what_is_dropped_with_another_meaning_is_noted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with installed("keras1"):
        from keras.layers import BatchNormalization, Deconvolution2D

        BatchNormalization(1e-3, 0)
        assert capsys.readouterr().err == ""
        Deconvolution2D(3, 2, 2, (None, 3, 8, 8), subsample=(2, 2))
    assert capsys.readouterr().err.splitlines() == [
        "note: Keras 1.2 Deconvolution2D: output_shape=(None, 3, 8, 8): the size follows from "
        "strides and padding",
    ]


def test_the_border_of_augmented_images_is_filled_as_the_script_says() -> None:
    with installed("keras3"):
        from keras.layers import RandomTranslation

        assert RandomTranslation(0.1, 0.1, "constant", fill_value=0.5).fill_value == 0.5


def test_a_module_that_is_not_served_is_told() -> None:
    with installed("keras2"), pytest.raises(DialectError) as caught:
        import keras.dataset  # noqa: F401
    assert str(caught.value).splitlines()[0] == (
        "import keras.dataset: Keras 2.2 has no such module here"
    )
    assert caught.value.rows["fix"] == 'did you mean "keras.datasets"?'


def test_other_settings_of_the_optimizer_cannot_be_set() -> None:
    with installed("keras2"):
        from keras.layers import Dense
        from keras.models import Sequential

        model = Sequential([Dense(1, input_dim=2)])
        model.compile("sgd", "mse")
        with pytest.raises(DialectError) as caught:
            model.optimizer.momentum = 0.5
    caught.value.rows.pop("at")
    assert str(caught.value) == (
        "model.optimizer: momentum cannot be set\n"
        "  need  lr or learning_rate\n"
        "  fix   compile with another optimizer"
    )


def test_an_unknown_dialect_and_a_missing_script_are_told(tmp_path: Path) -> None:
    with pytest.raises(DialectError) as caught, installed("keras4"):
        pass
    known = [word for one in every() for word in dict.fromkeys((one.NAME, *one.VERSIONS))]
    assert known[:3] == ["keras", "keras0", "keras1"] and {"renom", "pytorch0"} <= set(known)
    assert str(caught.value) == (
        "dialect: there is no dialect 'keras4'\n"
        f"  need  one of {', '.join(known)}\n"
        '  fix   did you mean "keras"?'
    )
    with pytest.raises(DialectError) as caught:
        run_script("nowhere.py", root=tmp_path)
    assert str(caught.value) == ("run: there is no script 'nowhere.py'\n  need  a Python file")


def test_the_vocabulary_is_there_for_new_code() -> None:
    from striate.keras.layers import Dense

    import striate.keras as keras

    model = keras.Sequential([keras.Input((3,)), Dense(2)])
    assert model.output_shape == (None, 2) and [one.name for one in model.layers] == ["dense"]
    assert keras.layers.Dense is Dense
    assert keras.utils.to_categorical([1]).tolist() == [[0.0, 1.0]]
