"""Habits of published programs that few scripts have: each asserts what it must mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from striate.dialects.program import run_script

KERAS: dict[str, str] = {
    "states from one batch to the next": """
import numpy as np
from keras.models import Sequential
from keras.layers import LSTM, GRU, Dense
for layer in (LSTM, GRU):
    model = Sequential([layer(4, batch_input_shape=(2, 3, 1), stateful=True, return_sequences=True),
                        layer(3, stateful=True), Dense(1)])
    model.compile('sgd', 'mse')
    x = np.random.randn(2, 6, 1)
    both = [model.predict(part, batch_size=2) for part in (x[:, :3], x[:, 3:])]
    model.reset_states()
    again = [model.predict(part, batch_size=2) for part in (x[:, :3], x[:, 3:])]
    assert np.allclose(both, again)
    model.layers[0].reset_states(); model.layers[1].reset_states()
    assert not np.allclose(model.predict(x[:, 3:], batch_size=2), both[1])
    model.fit(x[:, :3], np.zeros((2, 1)), batch_size=2, epochs=2, shuffle=False, verbose=0)
""",
    "rows of padding add nothing to the loss": """
import numpy as np
from keras.models import Sequential
from keras.layers import Conv1D
model = Sequential([Conv1D(3, 1, activation='softmax', input_shape=(4, 2))])
model.compile('sgd', 'categorical_crossentropy')
y = np.zeros((2, 4, 3)); y[:, :2, 0] = 1
x = np.ones((2, 4, 2))
p = model.predict(x)
assert np.isclose(model.evaluate(x, y, verbose=0), -np.log(p[:, :2, 0]).sum() / 8, atol=1e-5)
assert np.isclose(model.evaluate(x, 2 * y, verbose=0), -np.log(p[:, :2, 0]).sum() / 4, atol=1e-5)
""",
    "a model on inputs with one axis more": """
import numpy as np
from keras import layers
from keras.models import Sequential, Model
inner = Sequential([layers.Dense(8, input_dim=6), layers.Reshape((2, 4))])
latent, number = layers.Input((6,)), layers.Input((1,), dtype='int32')
outer = Model([latent, number], inner(layers.multiply([latent, layers.Embedding(3, 6)(number)])))
assert outer.predict([np.ones((5, 6)), np.ones((5, 1))]).shape == (5, 2, 4)
""",
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what old programs use
@pytest.mark.parametrize("name", [*KERAS])
def test_a_program_means_what_it_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "script.py"
    script.write_text({**KERAS}[name])
    assert "assert " in script.read_text()  # it is the program that compares
    run_script(script, seed=0, root=tmp_path / "runs")
