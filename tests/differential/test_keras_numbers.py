"""Numbers of Keras 3.15 with torch for programs that once differed from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from striate.dialects import installed

from . import keras_layers, keras_training
from .outcomes import Outcome
from .scripts import run
from .templates import Draw

BEGIN = """\
import numpy as np, keras
from keras import layers
rng = np.random.default_rng(5)
def filled(model):
    model.set_weights([rng.normal(size=one.shape).astype('float32') for one in model.get_weights()])
    return model
x0 = keras.Input((6,))
"""
PENALTY = """\
hidden = layers.ActivityRegularization(l2=0.01)(x0)
model = filled(keras.Model(x0, layers.Dense(4, activation='softmax')(hidden)))
rng = np.random.default_rng(3)
X = rng.normal(size=(20, 6)).astype('float32'); y = rng.integers(0, 4, 20)
model.compile(keras.optimizers.SGD(0.01), 'sparse_categorical_crossentropy', metrics=['accuracy'])
note('train', [model.train_on_batch(X[at:at + 5], y[at:at + 5])[0] for at in (0, 5, 10)])
note('test', [model.test_on_batch(X[at:at + 5], y[at:at + 5])[0] for at in (0, 5)])
note('evaluate', model.evaluate(X, y, verbose=0)[0])
"""
SPECTRAL = """\
hidden = layers.SpectralNormalization(layers.Dense(5))(x0)
model = filled(keras.Model(x0, layers.Dense(2)(hidden)))
X = rng.normal(size=(20, 6)).astype('float32'); y = rng.normal(size=(20, 2))
model.compile(keras.optimizers.SGD(0.01), 'mse')
history = model.fit(X, y, epochs=2, verbose=0, shuffle=False, batch_size=5).history
note('loss', history['loss'])
note('predict', model.predict(X, verbose=0)[0])
note('weights', [float(np.abs(one).sum()) for one in model.get_weights()])
"""


def noted(text: str) -> dict[str, list[float]]:
    with installed("keras3"):
        outcome = run(BEGIN + text, {})
    assert outcome.error == ""
    found: dict[str, list[float]] = {}
    for name, value in outcome.noted:
        found.setdefault(name.partition(".")[0], []).extend(np.ravel(value).tolist())
    return found


def test_a_penalty_on_values_is_in_the_loss_of_every_batch() -> None:
    found = noted(PENALTY)
    assert found["train"] == pytest.approx([5.8473, 3.2662, 5.5432], abs=1e-3)
    assert found["test"] == pytest.approx([5.7888, 3.2396], abs=1e-3)
    assert found["evaluate"] == pytest.approx([4.4996], abs=1e-3)


def test_a_kernel_that_a_layer_divides_stays_divided() -> None:
    found = noted(SPECTRAL)
    assert found["loss"] == pytest.approx([16.28076, 7.80459], abs=1e-3)
    assert found["predict"] == pytest.approx([0.76111, 0.5289], abs=1e-3)
    assert found["weights"] == pytest.approx([6.7728, 2.0899, 3.5, 6.8702, 1.7416], abs=1e-3)


def test_logs_of_a_batch_are_its_numbers_alone() -> None:
    found = noted(
        "model = keras.Model(x0, layers.Dense(1)(x0)); model.compile('sgd', 'mse'); seen = []\n"
        "class Seen(keras.callbacks.Callback):\n"
        "    def on_train_batch_end(self, batch, logs=None):\n"
        "        seen.append(sorted(logs) == ['loss'])\n"
        "model.fit(np.ones((4, 6)), np.ones((4, 1)), batch_size=2, verbose=0, callbacks=[Seen()])\n"
        "note('seen', np.array(seen))"
    )
    assert found["seen"] == [True, True]


def test_a_loss_of_a_file_is_as_lenient_as_the_scripts_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = noted(
        "import os\n"
        "model = filled(keras.Model(x0, layers.Dense(3, activation='sigmoid')(x0)))\n"
        "model.compile('sgd', keras.losses.BinaryCrossentropy(from_logits=True))\n"
        "model.save('a.keras'); os.rename('a.keras', 'b.keras')\n"
        "loaded = keras.models.load_model('b.keras')\n"
        "X = rng.normal(size=(20, 6)); y = rng.integers(0, 2, (20, 3))\n"
        "for one in (model, loaded): note('loss', one.evaluate(X, y, verbose=0))"
    )
    assert found["loss"][0] == pytest.approx(found["loss"][1]) and found["loss"][0] > 0.5


def test_a_loss_of_a_file_is_a_sum_where_the_file_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = noted(
        "import json, zipfile\n"
        "model = filled(keras.Model(x0, layers.Dense(3, activation='softmax')(x0)))\n"
        "model.compile('sgd', 'sparse_categorical_crossentropy'); model.save('a.keras')\n"
        "with zipfile.ZipFile('a.keras') as old, zipfile.ZipFile('b.keras', 'w') as new:\n"
        "    for name in old.namelist():\n"
        "        text = old.read(name)\n"
        "        if name == 'config.json':\n"
        "            told = json.loads(text)\n"
        "            told['compile_config']['loss'] = {'module': 'keras.losses', 'config': "
        "{'reduction': 'sum', 'from_logits': False, 'name': 'a'}, 'registered_name': None, "
        "'class_name': 'SparseCategoricalCrossentropy'}\n"
        "            text = json.dumps(told)\n"
        "        new.writestr(name, text)\n"
        "X = rng.normal(size=(20, 6)); y = rng.integers(0, 3, 20)\n"
        "for path in ('a.keras', 'b.keras'):\n"
        "    note('loss', keras.models.load_model(path).evaluate(X, y, batch_size=20, verbose=0))"
    )
    assert found["loss"][1] == pytest.approx(20 * found["loss"][0], rel=1e-4)


def test_metrics_of_several_outputs_are_sorted_in_a_list() -> None:
    found = noted(
        "model = filled(keras.Model(x0, [layers.Dense(2, name=name)(x0) for name in 'cba']))\n"
        "X = rng.normal(size=(20, 6)); y = rng.normal(size=(20, 2))\n"
        "model.compile('sgd', 'mse', metrics=[['mse', 'mae']] * 3)\n"
        "note('list', model.evaluate(X, [y] * 3, verbose=0))\n"
        "named = model.evaluate(X, [y] * 3, verbose=0, return_dict=True)\n"
        "note('named', [named[key] for key in ('loss', 'c_loss', 'b_loss', 'a_loss', 'a_mae', "
        "'a_mse', 'b_mae', 'b_mse', 'c_mae', 'c_mse')])"
    )
    assert found["list"] == pytest.approx(found["named"]) and len(set(found["list"])) > 5


def test_names_of_metrics_are_those_of_keras() -> None:
    found = noted(
        "metrics = keras.metrics\n"
        "made = metrics.FBetaScore(), metrics.LogCoshError(), metrics.KLDivergence()\n"
        "names = ['fbeta_score', 'logcosh', 'kl_divergence']\n"
        "note('same', np.array([one.name == name for one, name in zip(made, names)]))"
    )
    assert found["same"] == [True] * 3


@pytest.mark.parametrize("seed", range(5))
def test_every_row_can_be_written(seed: int) -> None:
    words = dict.fromkeys((*"cnhwxyz", "inner", "shape", "loss", "metrics"), "value")
    words["compile"] = "value"
    tables = (*keras_layers.LAYERS.values(), keras_layers.INPUTS, keras_training.OPTIMIZERS)
    for row in [row for table in (*tables, keras_training.MOVES) for row in table]:
        text = Draw(seed).text(row, words)
        compile(text, "row", "exec")


def test_what_is_noted_is_kept_as_it_was() -> None:
    outcome, value = Outcome(), np.zeros(2)
    outcome.note("value", {"b": [value, 1.5], "a": "text"}, [1, 2])
    value[:] = 1
    names = [name for name, _ in outcome.noted]
    assert names == ["value.a", "value.b.0", "value.b.1", "value"]
    assert outcome.noted[1][1].tolist() == [0, 0] and outcome.noted[3][1] == "[1, 2]"
