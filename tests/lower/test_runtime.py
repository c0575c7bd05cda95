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


def test_an_engine_of_another_version_is_named(nothing_built, monkeypatch):
    class Old:
        def __getattr__(self, name):
            raise AttributeError(f"undefined symbol: {name}")

    monkeypatch.setattr(runtime.ctypes, "CDLL", lambda path: Old())
    with pytest.raises(ConfigError, match="compiled for another version of Striate") as caught:
        runtime.library("avx2")
    assert caught.value.rows["got"] == "undefined symbol: striate_kernels"


@pytest.mark.skipif(runtime.library() is None, reason="the native engine was not built")
@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (5, 7), (33, 70), (64, 32), (3, 4, 5)])
@pytest.mark.parametrize("way", ["plain", "from", "to", "both"])
def test_arrays_are_copied_whatever_their_order_and_nothing_beside_them_is_written(shape, way):
    rows = (*shape[:-1], shape[-1] + 3)  # the last three of each are not the array's
    source = np.random.default_rng(0).random(rows[::-1] if way in ("from", "both") else rows)
    source = np.float32(source)
    given = (source.T if way in ("from", "both") else source)[..., : shape[-1]]
    memory = np.full(rows[::-1] if way in ("to", "both") else rows, -1, np.float32)
    shown = memory.T if way in ("to", "both") else memory
    runtime.library().copy(shown[..., : shape[-1]], given)
    assert np.array_equal(shown[..., : shape[-1]], given)
    assert (shown[..., shape[-1] :] == -1).all()


@pytest.mark.skipif(runtime.library() is None, reason="the native engine was not built")
def test_bytes_are_looked_up_in_a_table_and_places_out_of_reach_are_none():
    rng = np.random.default_rng(0)
    rows, table = rng.integers(0, 256, (9, 5, 7), np.uint8), np.float32(rng.random(256))
    places = np.array([8, 0, 3, 3])
    assert np.array_equal(runtime.library().look_up(rows, places, table), table[rows[places]])
    assert runtime.library().look_up(rows, places[:0], table).shape == (0, 5, 7)
    for beyond in (-1, 9):
        assert runtime.library().look_up(rows, np.array([0, beyond]), table) is None


@pytest.mark.skipif(runtime.library() is None, reason="the native engine was not built")
@pytest.mark.parametrize("classes", [1, 2, 10, 16, 33])
def test_the_crossentropy_of_scores_and_its_slope(classes):
    rng = np.random.default_rng(0)
    scores = np.float32(rng.normal(0, 4, (6, classes)))
    targets = np.float32(rng.random((6, classes)))
    scores[0, 0] = 200  # all others underflow
    loss, slope = runtime.library().crossentropy(scores, targets, 1e-8)
    p = np.exp(np.float64(scores) - scores.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    assert loss == pytest.approx(-(targets * np.log(p + 1e-8)).sum() / 6, rel=1e-5, abs=1e-6)
    np.testing.assert_allclose(slope, (p - targets) / 6, rtol=1e-5, atol=1e-7)
