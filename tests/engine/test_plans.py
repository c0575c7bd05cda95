"""model.lower: the plan of a model, to be read, or why there is none."""

import pytest

import striate as st
from striate import layers as L
from striate.errors import ConfigError
from striate.lower.runtime import library

pytestmark = pytest.mark.skipif(library() is None, reason="the native engine was not built")


def network() -> st.Sequential:
    return st.Sequential(
        [
            L.Input((12, 12, 1), name="image"),
            L.Conv2D(16, 3, activation="relu", name="conv"),
            L.PReLU(name="without_a_kernel"),
            L.Flatten(name="flatten"),
            L.Dense(10, name="dense"),
        ]
    )


def test_a_plan_tells_layers_kernels_cost_and_stages():
    assert network().lower(4).explain().splitlines() == [
        "inference, 4 samples a step in blocks of 1; 3 stages, 0.1 MiB",
        "",
        "layers           Mmac/step     MiB     ~us  kernels",
        "conv                   0.1    0.03       1  conv  (16 filters, direct)",
        "without_a_kernel       0.0    0.05       3  -",
        "flatten                0.0    0.05       3  -",
        "dense                  0.1    0.02       1  dense  (1600 -> 10)",
        "(in and out)           0.0    0.00       0  load, save  (float32 * 1 + 0)",
        "a step on one core       0.1    0.15       8",
        "",
        "stages, with a wait of all threads between them:",
        "  1  over samples: load, conv",
        "  2  over samples: dense, save",
        "by torch, between stages: without_a_kernel: no kernel",
    ]


def test_the_planner_may_be_called():
    model = network()
    assert st.lower(model, 8).explain() == model.lower(8).explain()


def test_a_plan_for_training_has_the_loss_and_the_updates():
    model = network()
    model.compile("adam", "mse")
    text = model.lower(8, training=True).explain()
    assert text.startswith("training, 8 samples a step in blocks of 1; ")
    assert "mean_squared_error" in text
    assert "update" in text


def message(*given: object, **options: object) -> str:
    model, *rest = given
    with pytest.raises(ConfigError) as caught:
        model.lower(*rest, **options)  # type: ignore[attr-defined]
    return str(caught.value)


def test_why_there_is_no_plan_is_told():
    model = st.Sequential([L.Input((4,)), L.ReLU()])
    assert message(model) == (
        "lower: finds no plan for this model\n  got   no layer that a kernel computes"
    )
    model = network()
    model.compile(st.optimizers.RMSprop(centered=True), "mse")
    assert message(model, training=True) == (
        "lower: finds no plan for training this model\n  got   RMSprop(centered=...) has no kernel"
    )
    assert message(model, 0).startswith("lower: batch_size")
