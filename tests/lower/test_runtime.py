"""The door to the native library where there is none."""

import numpy as np
import pytest

import striate as st
from striate import layers as L
from striate.errors import ConfigError
from striate.lower import runtime


@pytest.fixture
def nothing_built(tmp_path, monkeypatch):
    monkeypatch.setattr(runtime, "FOLDER", tmp_path)
    runtime.library.cache_clear()
    yield
    runtime.library.cache_clear()


def test_without_a_library_models_run_on_torch_and_it_is_said_once(nothing_built, capsys):
    model = st.Sequential([L.Input((4, 4, 1)), L.Conv2D(2, 3), L.Flatten(), L.Dense(3)])
    model.compile("sgd", "crossentropy")
    x, y = np.zeros((8, 4, 4, 1), np.float32), np.arange(8) % 3
    for _ in range(2):
        model.fit(x, y, verbose=0)
        assert model.predict(x).shape == (8, 3)
    assert capsys.readouterr().err.count("the native engine was not built") == 1
    assert runtime.NOT_BUILT.startswith("striate: the native engine was not built, so models run")
    model.compile("sgd", "crossentropy", engine="native")
    with pytest.raises(ConfigError) as caught:
        model.fit(x, y, verbose=0)
    assert str(caught.value).startswith(
        'engine="native": cannot train this model\n'
        "  got   the native library was not built\n"
        '  fix   engine="auto": torch does what has no kernel'
    )
