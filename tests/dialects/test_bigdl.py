"""BigDL's meanings: worked numbers, layouts, and what it does otherwise than its peers."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from cases import told

import striate as st
from striate.dialects import installed
from striate.dialects.bigdl import training
from striate.dialects.bigdl.core import CORE
from striate.dialects.bigdl.keras_kinds import KERAS
from striate.dialects.bigdl.methods import TorchSGD
from striate.dialects.table import DialectError
from striate.optimizers import SGD, RMSprop


@pytest.fixture
def bd() -> Iterator[Any]:
    """The names of all modules of the dialect, side by side."""
    with installed("bigdl"):
        from bigdl.dataset import mnist, transformer
        from bigdl.nn import criterion, initialization_method, layer
        from bigdl.nn.keras import layer as keras_layer, topology
        from bigdl.optim import optimizer
        from bigdl.util import common

        yield SimpleNamespace(
            mnist=mnist, transformer=transformer, criterion=criterion, layer=layer, k=keras_layer,
            topology=topology, optim=optimizer, common=common, init=initialization_method,
        )  # fmt: skip


def numbers(*shape: int) -> Any:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


# ---- the Keras-style API -------------------------------------------------------------------------


def test_max_pooling_of_bigdls_documentation(bd):
    model = bd.topology.Sequential()
    model.add(bd.k.MaxPooling2D(input_shape=(2, 3, 4)))
    rows = [
        [0.82279705, 0.62487892, 0.37391352, 0.22834848],
        [0.68709158, 0.40902972, 0.73191486, 0.40095294],
        [0.651977, 0.93330601, 0.45785981, 0.45939351],
    ]
    out = model.forward(np.array([[rows, rows]]))
    assert out.dtype == np.float32
    np.testing.assert_allclose(out[0, 0], [[0.82279706, 0.7319149]])  # the third row is dropped


def test_what_is_created_is_printed_and_shapes_are_known(bd, capsys):
    model = bd.topology.Sequential()
    model.add(bd.k.Reshape((1, 28, 28), input_shape=(28, 28, 1)))
    model.add(bd.k.Convolution2D(20, 3, 3, activation="relu", input_shape=(1, 28, 28)))
    model.add(bd.k.MaxPooling2D())
    model.add(bd.k.Flatten()).add(bd.k.Dense(10, activation="softmax", name="fc2"))
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=["Accuracy"])
    assert capsys.readouterr().out.split() == [
        word for kind in ("KerasSequential", "KerasReshape", "KerasConvolution2D",
                          "KerasMaxPooling2D", "KerasFlatten", "KerasDense", "Default", "SGD",
                          "ClassNLLCriterion", "Top1Accuracy")
        for word in ("creating:", f"create{kind}")
    ]  # fmt: skip
    assert model.get_input_shape() == (None, 28, 28, 1)
    assert model.get_output_shape() == (None, 10)
    assert model.layers[1].get_output_shape() == (None, 20, 26, 26)
    assert model.layers[-1].name() == "fc2"
    shapes = {name: {key: value.shape for key, value in found.items()}
              for name, found in model.parameters().items()}  # fmt: skip
    assert next(iter(shapes.values()))["weight"] == (1, 20, 1, 3, 3)
    assert shapes["fc2"] == {"weight": (10, 3380), "gradWeight": (10, 3380), "bias": (10,),
                             "gradBias": (10,)}  # fmt: skip


@pytest.mark.parametrize(
    ("n", "k", "s", "before", "after"), [(28, 3, 2, 0, 1), (32, 5, 2, 1, 2), (6, 2, 1, 0, 1)]
)
def test_same_padding_puts_the_odd_cell_at_the_end(bd, n, k, s, before, after):
    layer = bd.k.Convolution2D(2, k, k, border_mode="same", subsample=(s, s), input_shape=(1, n, n))
    model = bd.topology.Sequential().add(layer)
    x = numbers(1, 1, n, n)
    weight, bias = model.get_weights()
    padded = F.pad(torch.from_numpy(x), (before, after, before, after))
    expected = F.conv2d(padded, torch.from_numpy(weight[0]), torch.from_numpy(bias), stride=s)
    np.testing.assert_allclose(model.forward(x), expected.numpy(), atol=1e-5)


def test_batch_normalisation_keeps_almost_only_the_last_batch(bd):
    layer = bd.k.BatchNormalization(input_shape=(2, 3, 3))
    model = bd.topology.Sequential().add(layer)
    x = numbers(4, 2, 3, 3)
    out = model.forward(x)
    mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3))
    expected = (x - mean[:, None, None]) / np.sqrt(var + 1e-3)[:, None, None]
    np.testing.assert_allclose(out, expected, atol=1e-5)
    module = layer.natives[0].module  # momentum 0.99 is the weight of the new value; n - 1
    np.testing.assert_allclose(module.running_mean, 0.99 * mean, rtol=1e-5)
    np.testing.assert_allclose(
        module.running_var, 0.99 * x.var((0, 2, 3), ddof=1) + 0.01, rtol=1e-5
    )


def test_forward_is_in_training_mode_until_told_otherwise(bd):
    model = bd.topology.Sequential().add(bd.k.Dropout(0.5, input_shape=(1000,)))
    x = np.ones((1, 1000))
    out = model.forward(x)
    assert set(np.unique(out)) == {0.0, 2.0}
    np.testing.assert_array_equal(model.evaluate().forward(x), x)
    assert set(np.unique(model.training(True).forward(x))) == {0.0, 2.0}


def test_hard_sigmoid_is_that_of_keras_1(bd):
    model = bd.topology.Sequential().add(bd.k.Activation("hard_sigmoid", input_shape=(3,)))
    np.testing.assert_allclose(model.forward(np.array([[-1.0, 0, 5]])), [[0.3, 0.5, 1.0]])


def small(bd, n=4):
    model = bd.topology.Sequential()
    model.add(bd.k.Dense(8, activation="tanh", input_shape=(n,)))
    model.add(bd.k.Dense(3, activation="softmax"))
    return model


def test_predictions_are_rdds_and_classes_count_from_1(bd):
    model = small(bd)
    x = numbers(7, 4)
    out = model.predict_local(x)
    assert out.shape == (7, 3)
    np.testing.assert_array_equal(np.stack(model.predict(x).collect()), out)
    assert model.predict_class(x).take(7) == (out.argmax(1) + 1).tolist()
    assert len(model.predict(x).take(2)) == 2


def test_fit_learns_from_classes_that_count_from_1(bd, capsys):
    x = numbers(400, 4)
    y = x[:, :3].argmax(1) + 1
    model = small(bd)
    model.compile("adam", "sparse_categorical_crossentropy")
    assert model.fit(x, y, batch_size=20, nb_epoch=12) is None
    model.compile(bd.optim.SGD(learningrate=0.5), bd.criterion.ClassNLLCriterion(
        logProbAsInput=False), [bd.optim.Top1Accuracy()])  # fmt: skip
    samples = bd.common.to_sample_rdd(x, y)
    model.fit(samples, batch_size=20, nb_epoch=3, validation_data=samples)
    (result,) = model.evaluate(samples)
    assert result.result > 0.9
    assert str(result) == f"Evaluated result: {result.result}, total_num: 400, method: Top1Accuracy"
    right = round(result.result * 400)
    assert (f"DistriOptimizer$:522 - Top1Accuracy is Accuracy(correct: {right}, count: 400, "
            f"accuracy: {result.result})") in capsys.readouterr().err  # fmt: skip


def test_every_fit_begins_anew_with_the_plans_of_the_last(bd):
    def trained(again: bool) -> tuple[Any, set[int]]:
        st.seed(0)
        model, plans = small(bd), set()
        for epoch in range(3):
            if again or not epoch:
                method = bd.optim.Adam(learningrate=0.1, learningrate_decay=0.1)
                model.compile(method, "sparse_categorical_crossentropy", ["accuracy"])
            st.seed(epoch)
            model.fit(numbers(24, 4), np.arange(24) % 3 + 1, batch_size=8, nb_epoch=1)
            plans |= {id(model.native_model().setup.plans)}
        return model.get_weights(), plans

    (kept, plans), (anew, _) = trained(False), trained(True)
    assert len(plans) == 1
    for mine, theirs in zip(kept, anew, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_functional_networks_of_several_inputs(bd):
    a, b = bd.k.Input(shape=(4,)), bd.k.Input(shape=(4,))
    shared = bd.k.Dense(3)
    both = bd.k.merge([shared(a), shared(b)], mode="concat")
    mean = bd.k.merge([shared(a), shared(b)], mode="ave")
    model = bd.topology.Model([a, b], [both, mean])
    assert model.get_input_shape() == ((None, 4), (None, 4))
    assert model.get_output_shape() == ((None, 6), (None, 3))
    assert len(model.get_weights()) == 2
    x, y = numbers(2, 4), numbers(2, 4) + 1
    left, right = model.forward([x, y])
    np.testing.assert_allclose(right, (left[:, :3] + left[:, 3:]) / 2, atol=1e-6)


@pytest.mark.parametrize("name", KERAS)
def test_every_layer_of_the_keras_style_api_can_be_made_and_run(bd, name):
    shapes = {"1D": (8, 3), "3D": (2, 6, 6, 6)}
    shape = next((s for end, s in shapes.items() if name.endswith(end)), (2, 8, 8))
    given = {
        "Dense": (3,), "Dropout": (0.5,), "GaussianNoise": (0.5,), "GaussianDropout": (0.5,),
        "Reshape": ((4, 32),), "Permute": ((2, 1, 3),), "RepeatVector": (3,),
        "Activation": ("relu",), "Convolution1D": (3, 2), "Convolution2D": (3, 2, 2),
        "Convolution3D": (3, 2, 2, 2), "AtrousConvolution2D": (3, 2, 2),
        "AtrousConvolution1D": (3, 2),
        "Deconvolution2D": (3, 2, 2), "SeparableConvolution2D": (3, 2, 2),
    }  # fmt: skip
    shape = (5,) if name in ("RepeatVector", "Dense", "SoftMax") else shape
    layer = getattr(bd.k, name)(*given.get(name, ()), input_shape=shape)
    model = bd.topology.Sequential().add(layer)
    out = model.forward(numbers(2, *shape))
    assert out.shape == (2, *model.get_output_shape()[1:])
    assert np.isfinite(out).all()


# ---- the core API --------------------------------------------------------------------------------


def test_width_comes_before_height(bd):
    layer = bd.layer.SpatialConvolution(2, 4, 3, 5, 1, 2, 1, 0, n_group=2)
    weight, bias = layer.get_weights()
    assert weight.shape == (2, 2, 1, 5, 3)  # (groups, out, in, height, width)
    x = numbers(1, 2, 9, 8)
    expected = F.conv2d(torch.from_numpy(x), torch.from_numpy(weight.reshape(4, 1, 5, 3)),
                        torch.from_numpy(bias), (2, 1), (0, 1), groups=2)  # fmt: skip
    np.testing.assert_allclose(layer.forward(x), expected.numpy(), atol=1e-5)
    other = bd.layer.SpatialConvolution(2, 4, 3, 5, 1, 2, 1, 0, n_group=2)
    other.set_weights([weight, bias])
    np.testing.assert_array_equal(other.forward(x), layer.forward(x))


def test_transposed_convolutions_have_torchs_layout(bd):
    layer = bd.layer.SpatialFullConvolution(2, 3, 3, 3, 2, 2, 1, 1, 1, 1)
    weight, bias = layer.get_weights()
    assert weight.shape == (1, 2, 3, 3, 3)
    x = numbers(1, 2, 4, 4)
    expected = F.conv_transpose2d(torch.from_numpy(x), torch.from_numpy(weight[0]),
                                  torch.from_numpy(bias), 2, 1, 1)  # fmt: skip
    np.testing.assert_allclose(layer.forward(x), expected.numpy(), atol=1e-5)


def test_weights_and_biases_are_drawn_as_torch_7_does(bd):
    weight, bias = bd.layer.Linear(400, 300).get_weights()
    assert weight.shape == (300, 400)
    for drawn in (weight, bias):
        assert 0.04 < abs(drawn).max() <= 0.05  # 1 / sqrt(400)
    gamma, beta = bd.layer.SpatialBatchNormalization(500).get_weights()
    assert 0 <= gamma.min() < 0.02
    assert 0.98 < gamma.max() <= 1
    assert (beta == 0).all()


def test_initial_weights_and_methods(bd):
    given = numbers(2, 3)
    layer = bd.layer.Linear(3, 2, init_weight=given, init_bias=np.ones(2))
    np.testing.assert_array_equal(layer.get_weights()[0], given)
    layer.set_init_method(bd.init.RandomUniform(2.0, 3.0), bd.init.ConstInitMethod(4.0))
    weight, bias = layer.get_weights()
    assert weight.min() >= 2
    assert weight.max() <= 3
    assert (bias == 4).all()


@pytest.mark.parametrize("n", [5, 6, 7, 8])
@pytest.mark.parametrize(("k", "d", "p"), [(2, 2, 0), (3, 2, 0), (3, 2, 1), (3, 3, 1)])
def test_pooling_rounds_up_as_torch_does(bd, n, k, d, p):
    x = numbers(1, 2, n, n) - 10  # all negative: padding is -inf, not 0
    ceiled = bd.layer.SpatialMaxPooling(k, k, d, d, p, p, to_ceil=True).forward(x)
    expected = F.max_pool2d(torch.from_numpy(x), k, d, p, ceil_mode=True)
    np.testing.assert_array_equal(ceiled, expected.numpy())
    ends = bd.layer.SpatialAveragePooling(k, k, d, d, p, p, ceil_mode=True).forward(x)
    expected = F.avg_pool2d(torch.from_numpy(x), k, d, p, ceil_mode=True)
    np.testing.assert_allclose(ends, expected.numpy(), rtol=1e-5)
    mean = bd.layer.SpatialAveragePooling(k, k, d, d, p, p).forward(x)
    np.testing.assert_allclose(mean, F.avg_pool2d(torch.from_numpy(x), k, d, p).numpy(), rtol=1e-5)
    apart = bd.layer.SpatialAveragePooling(k, k, d, d, p, p, count_include_pad=False).forward(x)
    expected = F.avg_pool2d(torch.from_numpy(x), k, d, p, count_include_pad=False)
    np.testing.assert_allclose(apart, expected.numpy(), rtol=1e-5)


def test_local_response_divides_alpha_by_the_size(bd):
    x = numbers(1, 8, 3, 3)
    out = bd.layer.SpatialCrossMapLRN(5, 0.5, 0.75, 2.0).forward(x)
    squares = np.pad(x**2, ((0, 0), (2, 2), (0, 0), (0, 0)))
    sums = sum(squares[:, at : at + 8] for at in range(5))
    np.testing.assert_allclose(out, x / (2 + 0.5 / 5 * sums) ** 0.75, rtol=1e-5)


def test_one_sample_needs_no_batch(bd):
    assert bd.layer.Linear(3, 2).forward(np.ones(3)).shape == (2,)
    model = bd.layer.Sequential().add(bd.layer.SpatialConvolution(1, 2, 3, 3)).add(bd.layer.ReLU())
    assert model.forward(np.ones((1, 5, 5))).shape == (2, 3, 3)


def test_tables_and_graphs(bd):
    layer = bd.layer
    x = numbers(2, 4)
    table = layer.Sequential().add(layer.ConcatTable().add(layer.Identity()).add(layer.Identity()))
    doubled = table.add(layer.CAddTable()).forward(x)
    np.testing.assert_allclose(doubled, 2 * x)
    joined = layer.Sequential().add(
        layer.Concat(2).add(layer.Identity()).add(layer.MulConstant(3.0))
    )
    np.testing.assert_allclose(joined.forward(x), np.hstack([x, 3 * x]), rtol=1e-6)
    begin = layer.Identity()()
    end = layer.CAddTable()([layer.Power(2.0)(begin), layer.AddConstant(1.0)(begin)])
    graph = layer.Model([begin], [end])
    np.testing.assert_allclose(graph.forward(x), x**2 + x + 1, rtol=1e-5)
    a, b = layer.Input(), layer.Input()
    product = layer.JoinTable(1, 1)([a, layer.CMulTable()([a, b])])
    out = layer.Model([a, b], [product, b]).forward([x, x])
    np.testing.assert_allclose(out[0], np.hstack([x, x * x]), rtol=1e-6)
    np.testing.assert_array_equal(out[1], x)


def branching(bd):
    """Return an input, and a graph of two layers beside each other behind a first one."""
    layer = bd.layer
    begin = layer.Input()
    first = layer.Linear(4, 3).set_name("first")(begin)
    left = layer.Linear(3, 2).set_name("left")(first)
    right = layer.Linear(3, 2).set_name("right")(first)
    return layer.Model([begin], [layer.CAddTable().set_name("both")([left, right])])


def trained(graph):
    return {leaf.label for leaf in graph.leaves() if any(one.trainable for one in leaf.natives)}


def test_a_part_of_a_graph_is_a_graph_of_the_same_weights(bd):
    graph, x = branching(bd), numbers(5, 4)
    part = graph.new_graph(["first"])
    weight, bias = graph.get_weights()[:2]
    np.testing.assert_allclose(part.forward(x), x @ weight.T + bias, atol=1e-6)
    graph.set_weights([0 * one for one in graph.get_weights()])
    assert not part.forward(x).any()
    assert "has no node of this name" in told(lambda: graph.new_graph(["furst"]))


def test_gradients_stop_where_no_way_leads_around(bd):
    graph = branching(bd).stop_gradient(["left"])
    assert {"first", "left", "right"} <= trained(graph)  # a way leads through the right one
    assert trained(branching(bd).stop_gradient(["left", "right"])) & {"first", "left", "right"} == {
        "left",
        "right",
    }


def test_reshaping_leaves_the_batch_alone(bd):
    layer = bd.layer
    x = numbers(2, 12)
    assert layer.Reshape([3, 4]).forward(x).shape == (2, 3, 4)
    assert layer.View([3, 4]).forward(x).shape == (2, 3, 4)
    assert layer.View([-1, 12]).forward(numbers(2, 3, 4)).shape == (2, 12)
    assert layer.InferReshape([0, -1, 4]).forward(x).shape == (2, 3, 4)
    assert layer.InferReshape([3, -1], True).forward(x).shape == (2, 3, 4)
    assert layer.InferReshape([-1, 12]).forward(numbers(2, 3, 4)).shape == (2, 12)
    assert layer.InferReshape([0, 0, -1]).forward(numbers(2, 3, 4)).shape == (2, 3, 4)
    for size in ([-1, 4], [4, -1], [-1, -1]):
        with pytest.raises(DialectError, match="would take the batch apart"):
            layer.InferReshape(size).forward(x)
    assert layer.Squeeze(2).forward(numbers(2, 1, 4)).shape == (2, 4)
    assert layer.Unsqueeze(2).forward(x).shape == (2, 1, 12)  # dimensions count the batch as 1,
    assert layer.Unsqueeze(1, 1).forward(x).shape == (2, 1, 12)  # or begin behind it
    turned = layer.Transpose([(2, 3)]).forward(numbers(2, 3, 4))
    np.testing.assert_array_equal(turned, numbers(2, 3, 4).transpose(0, 2, 1))
    np.testing.assert_array_equal(layer.Narrow(2, 3, 2).forward(x), x[:, 2:4])
    np.testing.assert_array_equal(layer.Select(2, -1).forward(x), x[:, -1])


def test_gradients_are_added_until_they_are_forgotten(bd):
    linear = bd.layer.Linear(3, 2).set_name("one")
    x, grad = numbers(4, 3), np.ones((4, 2))
    back = linear.backward(x, grad)
    np.testing.assert_allclose(back, grad @ linear.get_weights()[0], rtol=1e-5)
    linear.backward(x, grad)
    found = linear.parameters()["one"]
    np.testing.assert_allclose(found["gradWeight"], 2 * grad.T @ x, rtol=1e-5)
    np.testing.assert_allclose(found["gradBias"], [8, 8])
    before = linear.get_weights()[1]
    linear.update_parameters(0.5)
    np.testing.assert_allclose(linear.get_weights()[1], before - 4)
    linear.zero_grad_parameters()
    assert (linear.parameters()["one"]["gradBias"] == 0).all()


def test_a_layer_without_weights_says_so(bd, capsys):
    assert bd.layer.ReLU().get_weights() is None
    assert capsys.readouterr().out.endswith("The layer does not have weight/bias\n")


def test_frozen_layers_are_not_trained(bd):
    model = bd.layer.Sequential().add(bd.layer.Linear(3, 4).set_name("a"))
    model.add(bd.layer.Linear(4, 1).set_name("b")).freeze(["a"])
    before = model.get_weights()
    trainer = bd.optim.Optimizer.create(model, (numbers(8, 3), numbers(8, 1)),
                                        bd.criterion.MSECriterion(), batch_size=4)  # fmt: skip
    after = trainer.optimize().get_weights()
    np.testing.assert_array_equal(after[0], before[0])
    assert (after[2] != before[2]).any()


@pytest.mark.parametrize("name", CORE)
def test_every_layer_of_the_core_api_can_be_made_and_run(bd, name):
    given: dict[str, Any] = {
        "Linear": (8, 3), "SpatialFullConvolution": (2, 3, 2, 2),
        "SpatialMaxPooling": (2, 2, 2, 2), "SpatialAveragePooling": (2, 2, 2, 2),
        "SpatialBatchNormalization": (2,), "BatchNormalization": (8,), "Clamp": (-1, 1),
        "Power": (2.0,), "MulConstant": (2.0,), "AddConstant": (2.0,), "Reshape": ([4, 32],),
        "InferReshape": ([0, -1, 32],), "View": ([128],), "Unsqueeze": (2,),
        "Transpose": ([(2, 3)],), "Narrow": (2, 1), "Select": (2, 1), "SpatialZeroPadding": (1,),
        "GaussianNoise": (0.5,), "GaussianDropout": (0.5,), "UpSampling2D": ([2, 2],),
    }  # fmt: skip
    given |= dict.fromkeys(
        ("SpatialConvolution", "SpatialShareConvolution", "SpatialDilatedConvolution"), (2, 3, 2, 2)
    )
    shape = (8,) if name in ("Linear", "BatchNormalization", "LogSoftMax") else (2, 8, 8)
    layer = getattr(bd.layer, name)(*given.get(name, ()))
    out = layer.forward(abs(numbers(2, *shape)) + 1e-3)
    assert np.isfinite(out).all()


# ---- criterions ----------------------------------------------------------------------------------


def test_class_nll_counts_from_1_and_leaves_padding_out(bd):
    criterion = bd.criterion.ClassNLLCriterion()
    logs = np.log([[0.2, 0.3, 0.5], [0.1, 0.8, 0.1]])
    assert criterion.forward(logs, np.array([3.0, 2.0])) == pytest.approx(
        -(np.log(0.5) + np.log(0.8)) / 2, rel=1e-6
    )
    assert criterion.forward(logs, np.array([3, -1])) == pytest.approx(-np.log(0.5), rel=1e-6)
    weighted = bd.criterion.ClassNLLCriterion(weights=np.array([1.0, 1.0, 3.0]))
    expected = -(3 * np.log(0.5) + np.log(0.8)) / 4
    assert weighted.forward(logs, np.array([3, 2])) == pytest.approx(expected, rel=1e-6)
    summed = bd.criterion.ClassNLLCriterion(None, False)
    assert summed.forward(logs, np.array([3, 2])) == pytest.approx(-np.log(0.4), rel=1e-6)
    grad = criterion.backward(logs, np.array([3.0, 2.0]))
    np.testing.assert_allclose(grad, [[0, 0, -0.5], [0, -0.5, 0]])


@pytest.mark.parametrize(
    ("name", "x", "y", "expected"),
    [
        ("CrossEntropyCriterion", [[1.0, 2.0]], [2], np.log(1 + np.exp(-1))),
        ("MSECriterion", [[1.0, 2.0]], [[0.0, 4.0]], 2.5),
        ("AbsCriterion", [[1.0, 2.0]], [[0.0, 4.0]], 1.5),
        ("SmoothL1Criterion", [[1.0, 2.0]], [[0.5, 4.0]], (0.125 + 1.5) / 2),
        ("BCECriterion", [[0.25, 0.5]], [[0.0, 1.0]], -(np.log(0.75) + np.log(0.5)) / 2),
        ("CategoricalCrossEntropy", [[0.25, 0.5]], [[0.0, 1.0]], -np.log(0.5 / 0.75)),
        ("MarginCriterion", [[0.5, 2.0]], [[1.0, -1.0]], (0.5 + 3) / 2),
        ("MultiMarginCriterion", [[0.5, 1.0, 0.0]], [1], (1.5 + 0.5) / 3),
        ("PoissonCriterion", [[1.0, 2.0]], [[0.0, 4.0]], (1 + 2 - 4 * np.log(2)) / 2),
        ("CosineProximityCriterion", [[3.0, 4.0]], [[3.0, 4.0]], -0.5),
        ("L1Cost", [[1.0, -2.0]], [[0.0, 0.0]], 3.0),
        ("MeanAbsolutePercentageCriterion", [[1.0]], [[4.0]], 75.0),
        ("MeanSquaredLogarithmicCriterion", [[1.0]], [[3.0]], np.log(2) ** 2),
        ("SoftMarginCriterion", [[1.0]], [[1.0]], np.log(1 + np.exp(-1))),
        ("DistKLDivCriterion", [[np.log(0.5)]], [[1.0]], np.log(2)),
        ("KullbackLeiblerDivergenceCriterion", [[0.5, 0.5]], [[1.0, 0.0]], np.log(2)),
        ("MultiLabelSoftMarginCriterion", [[0.0]], [[1.0]], np.log(2)),
    ],
)
def test_criterions(bd, name, x, y, expected):
    criterion = getattr(bd.criterion, name)()
    assert criterion.forward(np.array(x), np.array(y)) == pytest.approx(expected, rel=1e-5)


def test_the_usual_ends_of_networks_use_native_losses(bd):
    nll = bd.criterion.ClassNLLCriterion()
    ones = np.ones(3)
    assert nll.loss("log_softmax", ones) == (st.losses.Crossentropy(), True)
    assert isinstance(nll.loss("softmax", ones)[0], st.losses.Function)  # not logarithms
    given = bd.criterion.ClassNLLCriterion(logProbAsInput=False)
    assert given.loss("softmax", ones) == (st.losses.SparseCategoricalCrossentropy(), True)
    assert isinstance(nll.loss("log_softmax", -ones)[0], st.losses.Function)  # padding
    assert bd.criterion.MSECriterion().loss("", ones) == (st.losses.MeanSquaredError(), False)


# ---- methods -------------------------------------------------------------------------------------


def steps(optimizer, count=4):
    """Return where w = 1 goes down w ** 2 by these steps."""
    w = torch.ones(1)
    state = optimizer.init([w])
    found = []
    for _ in range(count):
        optimizer.update([w], [2 * w], state, optimizer.rate(state))
        found.append(float(w))
    return found


def torch7(lr, momentum, damp, nesterov=False, decay=0.0, rate=lambda n: 1.0, count=4):
    w, v, found = 1.0, 0.0, []
    for n in range(count):
        g = 2 * w + decay * w
        v = g if n == 0 else momentum * v + (1 - damp) * g
        w -= lr * rate(n) * (g + momentum * v if nesterov else v)
        found.append(w)
    return found


def test_dampening_is_the_momentum_unless_it_is_given(bd):
    found = bd.optim.SGD(learningrate=0.1, momentum=0.9).native()
    assert isinstance(found, SGD)  # which has a kernel
    assert steps(found) == pytest.approx(torch7(0.1, 0.9, 0.9), rel=1e-5)
    plain = bd.optim.SGD(learningrate=0.1, momentum=0.9, dampening=0.0)
    assert steps(plain.native()) == pytest.approx(torch7(0.1, 0.9, 0.0), rel=1e-5)
    ahead = bd.optim.SGD(learningrate=0.1, momentum=0.9, dampening=0.0, nesterov=True)
    assert steps(ahead.native()) == pytest.approx(torch7(0.1, 0.9, 0.0, True), rel=1e-5)


def test_the_rate_is_outside_of_the_momentum(bd):
    method = bd.optim.SGD(learningrate=0.1, learningrate_decay=0.5, momentum=0.9, dampening=0.0,
                          weightdecay=0.25)  # fmt: skip
    found = method.native()
    assert isinstance(found, TorchSGD)
    expected = torch7(0.1, 0.9, 0.0, decay=0.25, rate=lambda n: 1 / (1 + 0.5 * n))
    assert steps(found) == pytest.approx(expected, rel=1e-5)


def test_weight_decay_is_added_to_the_gradient(bd):
    found = bd.optim.SGD(learningrate=0.1, weightdecay=0.5).native()
    assert steps(found, 2) == pytest.approx([0.75, 0.5625], rel=1e-6)


def test_defaults_of_methods(bd):
    assert bd.optim.SGD().native().learning_rate == 1e-3
    found = bd.optim.RMSprop().native()
    assert found == RMSprop(0.01, 0.99, 0.0, 1e-8**2)
    expected, square, w = [], 0.0, 1.0
    for _ in range(4):
        g = 2 * w
        square = 0.99 * square + 0.01 * g * g
        w -= 0.01 * g / (np.sqrt(square) + 1e-8)
        expected.append(w)
    assert steps(found) == pytest.approx(expected, rel=1e-5)
    adadelta = bd.optim.Adadelta().native()
    assert (adadelta.learning_rate, adadelta.rho, adadelta.epsilon) == (1.0, 0.9, 1e-10)
    adagrad = bd.optim.Adagrad(0.1).native()
    assert steps(adagrad, 2) == pytest.approx(
        [0.9, 0.9 - 0.1 * 1.8 / np.sqrt(4 + 1.8**2)], rel=1e-5
    )
    assert bd.optim.Adam().native().epsilon == 1e-8
    assert steps(bd.optim.Adamax().native(), 1) == pytest.approx([1 - 0.002], rel=1e-6)
    assert bd.optim.ParallelAdam(0.1, parallel_num=2).native() == bd.optim.Adam(0.1).native()
    moved = 1 - np.sqrt(0.1 / 4.1) - 0.5 * 2 / np.sqrt(4.1)
    assert steps(bd.optim.Ftrl(0.5).native(), 1) == pytest.approx([moved], rel=1e-5)
    assert steps(bd.optim.Ftrl(0.5, l1_regularization_strength=9.0).native(), 1) == [0.0]


def test_the_words_of_compile_have_keras_1s_defaults(bd):
    made = {word: training.compiled(small(bd).session, word, "mse", None).method.native()
            for word in ("sgd", "rmsprop", "adadelta", "adagrad", "adamax", "adam")}  # fmt: skip
    assert made["sgd"].learning_rate == 0.01
    assert made["rmsprop"] == RMSprop(0.001, 0.9, 0.0, 1e-8**2)
    assert (made["adadelta"].rho, made["adadelta"].epsilon) == (0.95, 1e-8)
    assert made["adagrad"].learning_rate == 0.01
    assert made["adamax"].epsilon == 1e-8


def test_schedules(bd):
    optim = bd.optim

    def rates(schedule, *at):
        method = optim.SGD(learningrate=0.5, leaningrate_schedule=schedule).native()
        return [method.rate({"step": step}) for step in at]

    assert rates(optim.Poly(2.0, 10), 0, 5, 10, 11) == pytest.approx([0.5, 0.125, 0, 0])
    assert rates(optim.Step(3, 0.1), 0, 2, 3, 6) == pytest.approx([0.5, 0.5, 0.05, 0.005])
    assert rates(optim.MultiStep([2, 5], 0.1), 1, 2, 5) == pytest.approx([0.5, 0.05, 0.005])
    assert rates(optim.Exponential(4, 0.5), 4, 6) == pytest.approx([0.25, 0.5 * 0.5**1.5])
    assert rates(optim.Exponential(4, 0.5, True), 4, 6) == pytest.approx([0.25, 0.25])
    several = optim.SequentialSchedule(5).add(optim.Warmup(0.1), 5).add(optim.Poly(1.0, 10), 10)
    assert rates(several, 0, 4, 5, 10) == pytest.approx([0.5, 0.9, 1.0, 0.5])


# ---- training ------------------------------------------------------------------------------------


def test_batches_are_full_and_an_epoch_is_as_many_as_cover_it(bd):
    model = bd.layer.Sequential().add(bd.layer.Linear(3, 1))
    data, mse = (numbers(50, 3), numbers(50, 1)), bd.criterion.MSECriterion()
    trainer = bd.optim.Optimizer.create(model, data, mse, bd.optim.MaxEpoch(2), 16)
    summary = bd.optim.TrainSummary("logs", "full")
    seen = [len(y) for _, (_, y) in zip(range(9), training.full_batches(
        [numbers(50, 3)], numbers(50, 1), 16), strict=False)]  # fmt: skip
    assert seen == [16] * 9
    summary.write = lambda: None
    trainer.set_train_summary(summary).optimize()
    assert [int(n) for n in np.array(summary.read_scalar("Loss"))[:, 0]] == list(range(1, 9))
    assert summary.read_scalar("Parameters") == []


def test_triggers_inside_an_epoch(bd, tmp_path, capsys):
    x = numbers(64, 3)
    model = bd.layer.Sequential().add(bd.layer.Linear(3, 1))
    optim = bd.optim
    trainer = optim.Optimizer(model, bd.common.to_sample_rdd(x, x[:, :1]),
                              bd.criterion.MSECriterion(), optim.MaxIteration(10), 8,
                              optim.SGD(learningrate=0.1))  # fmt: skip
    trainer.set_validation(8, x, x[:, :1], optim.SeveralIteration(4), [optim.MAE()])
    trainer.set_checkpoint(optim.SeveralIteration(5), str(tmp_path), False)
    kept, judged = (
        optim.TrainSummary(str(tmp_path), "app"),
        optim.ValidationSummary(str(tmp_path), "app"),
    )
    kept.set_summary_trigger("LearningRate", optim.SeveralIteration(5))
    trainer.set_train_summary(kept).set_val_summary(judged).set_gradclip_l2norm(10.0)
    trainer.optimize()
    assert [row[0] for row in judged.read_scalar("MAE")] == [4, 8]
    assert [row[:2] for row in kept.read_scalar("LearningRate")] == [(5, 0.1), (10, 0.1)]
    assert [row[0] for row in kept.read_scalar("Loss")] == list(range(1, 11))
    assert sorted(path.name for path in tmp_path.glob("*.striate")) == [
        "model.10.striate", "model.5.striate"]  # fmt: skip
    assert (tmp_path / "app" / "train" / "scalars.csv").read_text().startswith("tag,iteration,")
    assert "MAE is (Loss: " in capsys.readouterr().err
    again = bd.layer.Model.loadModel(str(tmp_path / "model.10.striate"))
    np.testing.assert_allclose(again.forward(x), model.forward(x), atol=1e-6)
    assert again.get_weights()[0].shape == (1, 3)


def test_combined_triggers_and_a_plateau(bd):
    optim, x = bd.optim, numbers(32, 3)
    model = bd.layer.Sequential().add(bd.layer.Linear(3, 1))
    schedule = optim.Plateau("score", factor=0.5, patience=1, mode="min", epsilon=10.0)
    method = optim.SGD(learningrate=0.1, leaningrate_schedule=schedule)
    end = optim.TriggerOr(optim.MaxEpoch(3), optim.MinLoss(-1.0))
    optim.Optimizer.create(
        model, (x, x[:, :1]), bd.criterion.MSECriterion(), end, 8, method
    ).optimize()
    (made,) = model.models.values()
    assert made.setup.optimizer.learning_rate == pytest.approx(0.025)
    assert optim.TriggerAnd(optim.MaxEpoch(3), optim.MaxScore(0.5)).epochs(4) == np.inf


def test_each_part_has_its_method(bd):
    layer, optim, x = bd.layer, bd.optim, numbers(32, 3)
    inner = layer.Sequential().add(layer.Linear(3, 4)).add(layer.ReLU()).set_name("inner")
    model = layer.Sequential().add(inner).add(layer.Linear(4, 1).set_name("last"))
    model.forward(x)
    before = [one.copy() for one in model.get_weights()]
    methods = {"inner": optim.SGD(learningrate=1e-20), "last": optim.Adam(learningrate=0.01)}
    mse = bd.criterion.MSECriterion()
    trainer = optim.Optimizer(model, (x, x[:, :1]), mse, optim.MaxIteration(1), 32, methods)
    trainer.set_gradclip_const(-1.0, 1.0).optimize()
    moved = [np.abs(b - a).max() for a, b in zip(before, model.get_weights(), strict=True)]
    assert moved == pytest.approx([0, 0, 0.01, 0.01], abs=1e-6)  # Adam's first step is its rate
    text = told(optim.Optimizer(model, (x, x[:, :1]), mse, optim.MaxEpoch(1), 32,
                                {"last": optim.SGD()}).optimize)  # fmt: skip
    assert "no method is given for the weights of Linear00000001\n" in text


def test_what_the_modules_of_lenet_import_comes_with_a_star(bd):
    from bigdl.models.lenet import utils

    assert utils.mnist.TEST_MEAN == bd.mnist.TEST_MEAN
    assert utils.Top1Accuracy and utils.Sample and utils.normalizer(4.0, 2.0, 2.0) == 1.0


def test_labels_from_0_are_refused(bd):
    model = small(bd)
    model.compile("sgd", "sparse_categorical_crossentropy", ["accuracy"])
    text = told(lambda: model.fit(numbers(6, 4), np.arange(6) % 3, batch_size=3))
    assert text.startswith(
        "BigDL 0.7 ClassNLLCriterion: a label is not a class: BigDL counts classes from 1\n"
        "  got   labels from 0 to 2\n"
        "  need  whole numbers from 1 to 3\n"
        "  fix   labels + 1\n"
    )
    criterion = bd.criterion.ClassNLLCriterion()
    assert told(lambda: criterion.forward(np.zeros((1, 3)), np.array([4.0]))).startswith(
        "BigDL 0.7 ClassNLLCriterion: a label is not a class: BigDL counts classes from 1\n"
        "  got   labels from 4 to 4\n"
        "  need  whole numbers from 1 to 3\n"
        "  fix   labels + 1\n"
    )


# ---- data ----------------------------------------------------------------------------------------


def test_mnist_is_normalised_and_its_labels_count_from_1(bd, capsys, tmp_path):
    (x, y), (x_test, y_test) = bd.mnist.load_data(str(tmp_path))
    assert (x.shape, y.shape, x_test.shape, y_test.shape) == (
        (60000, 28, 28, 1), (60000,), (10000, 28, 28, 1), (10000,))  # fmt: skip
    assert x.dtype == np.float64
    assert (y.min(), y.max(), y[0], y_test[0]) == (1, 10, 6, 8)
    assert x.min() == x_test.min() == pytest.approx(-0.13066047740239506 / 0.3081078)
    assert capsys.readouterr().out.splitlines() == [
        f"Extracting {tmp_path}/{name}-ubyte.gz"
        for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3",
                     "t10k-labels-idx1")
    ]  # fmt: skip
    raw, labels = bd.mnist.read_data_sets(str(tmp_path), "test")
    assert raw.dtype == labels.dtype == np.uint8
    assert (labels.min(), labels.max()) == (0, 9)
    np.testing.assert_allclose(bd.transformer.normalizer(3.0, 1.0, 4.0), 0.5)


def test_samples_and_tensors(bd):
    sample = bd.common.Sample.from_ndarray(numbers(2, 2), 3)
    assert sample.label.to_ndarray().tolist() == [3.0]
    assert sample.label.to_ndarray().dtype == np.float32
    np.testing.assert_array_equal(sample.feature.to_ndarray(), numbers(2, 2))
    several = bd.common.Sample.from_ndarray([numbers(2), numbers(3)], np.array([1, 2]))
    assert [one.shape for one in several.features] == [(2,), (3,)]
    assert bd.common.JTensor.from_ndarray(None) is None


def test_rdds_are_lazy_lists(bd):
    from pyspark import SparkConf, SparkContext

    conf = SparkConf().setMaster("local[2]").setAppName("app").set("a", 1)
    sc = bd.common.get_spark_context(conf)
    assert isinstance(sc, SparkContext)
    assert sc.appName == "app"
    calls = []
    rdd = sc.parallelize(range(6), 2).map(lambda n: calls.append(n) or n * n).cache()
    assert calls == []
    assert rdd.take(2) == [0, 1]
    assert rdd.count() == 6
    assert calls == [0, 1, *range(6)]  # kept by the first that asks for all
    assert rdd.filter(lambda n: n % 2).collect() == [1, 9, 25]
    assert rdd.zip(rdd.map(str)).first() == (0, "0")
    assert rdd.flatMap(lambda n: [n, n]).count() == 12
    assert rdd.mapPartitions(lambda part: [sum(part)]).collect() == [5, 50]
    assert rdd.union(rdd).sum() == 110
    assert rdd.reduce(max) == 25
    assert rdd.mean() == pytest.approx(55 / 6)
    assert 0 < rdd.union(rdd).sample(False, 0.5, 1).count() < 12
    assert rdd.repartition(3).getNumPartitions() == 3
    assert [len(part) for part in rdd.repartition(3).glom()] == [2, 2, 2]
    assert rdd.zipWithIndex().map(lambda pair: pair[1]).collect() == list(range(6))
    assert rdd.sortBy(lambda n: -n).first() == 25
    assert not rdd.isEmpty()
    seen = []
    rdd.foreach(seen.append)
    assert seen == [0, 1, 4, 9, 16, 25]
    assert sc.broadcast(3).value == 3


def test_the_log_goes_where_it_is_sent(bd, tmp_path, capsys):
    bd.common.redire_spark_logs(log_path=str(tmp_path / "bigdl.log"))
    x = numbers(8, 3)
    model = bd.layer.Sequential().add(bd.layer.Linear(3, 1))
    bd.optim.LocalOptimizer(x, x[:, :1], model, bd.criterion.MSECriterion(), bd.optim.MaxEpoch(1),
                            4).optimize()  # fmt: skip
    text = (tmp_path / "bigdl.log").read_text()
    assert "INFO  DistriOptimizer$:408 - [Epoch 1 8/8][Iteration 2][Wall Clock " in text
    assert "INFO" not in capsys.readouterr().err


def test_star_imports_bring_what_scripts_use(bd):
    for module in (bd.k, bd.common, bd.optim, bd.layer, bd.mnist):
        for name in ("sys", "np", "os", "SparkContext", "Sample", "JTensor", "RDD"):
            assert hasattr(module, name), name
    assert bd.common.get_node_and_core_number()[0] == 1


def test_both_vocabularies_for_new_code():
    from striate.bigdl.nn.layer import Linear

    import striate.bigdl  # noqa: F401

    assert Linear(3, 2).get_weights()[0].shape == (2, 3)


# ---- what cannot be ------------------------------------------------------------------------------

MISTAKES = {
    "a method for each part": (
        lambda bd: bd.optim.Optimizer(
            bd.layer.Linear(2, 2), (np.ones((4, 2)), np.ones(4)), bd.criterion.MSECriterion(),
            bd.optim.MaxEpoch(1), 4, {"a": bd.optim.Adam(), "b": bd.optim.SGD()}).optimize(),
        "BigDL 0.7 Optimizer: the network has no part 'a'\n"
        "  got   a method for each of a, b\n"
        "  need  a method for each part that has weights: Linear00000001, or what holds them\n"
        '  fix   layer.set_name("first"), and {"first": SGD(0.01), ...}',
    ),
    "an argument of another version": (
        lambda bd: bd.k.Dense(units=3),
        "BigDL 0.7 Dense: there is no argument 'units'\n"
        "  got   units=3\n"
        "  need  one of output_dim, init, activation, W_regularizer, b_regularizer, bias, "
        "input_dim, input_shape\n"
        "  fix   output_dim=3, or natively: L.Dense(units)",
    ),
    "a misspelt argument": (
        lambda bd: bd.layer.SpatialConvolution(1, 2, 3, 3, strides_w=2),
        "BigDL 0.7 SpatialConvolution: there is no argument 'strides_w'\n"
        "  got   strides_w=2\n"
        "  need  one of n_input_plane, n_output_plane, kernel_w, kernel_h, stride_w, stride_h, "
        "pad_w, pad_h, n_group, propagate_back, wRegularizer, bRegularizer, init_weight, "
        "init_bias, init_grad_weight, init_grad_bias, with_bias, data_format\n"
        '  fix   did you mean "stride_w"? natively: L.Conv2D(filters, kernel_size)',
    ),
    "an argument too many": (
        lambda bd: bd.layer.Linear(1, 2, True, None, None, None, None, None, None, 5),
        "BigDL 0.7 Linear: takes 9 positional arguments, not 10\n"
        "  need  input_size, output_size, with_bias, wRegularizer, bRegularizer, init_weight, "
        "init_bias, init_grad_weight, init_grad_bias\n"
        "  fix   natively: L.Dense(units)",
    ),
    "an argument given twice": (
        lambda bd: bd.layer.Linear(1, 2, output_size=3),
        "BigDL 0.7 Linear: output_size is given twice\n"
        "  got   output_size=3 and 2\n"
        "  fix   output_size=3 alone",
    ),
    "an argument that is missing": (
        lambda bd: bd.k.Dropout(),
        "BigDL 0.7 Dropout: p is missing\n"
        "  need  p, input_shape\n"
        "  fix   natively: L.Dropout(rate)",
    ),
    "an activation": (
        lambda bd: bd.topology.Sequential().add(bd.k.Activation("elu", input_shape=(3,))),
        "BigDL 0.7: there is no activation 'elu'\n"
        "  need  one of tanh, sigmoid, relu, softmax, softplus, softsign, hard_sigmoid, relu6, "
        "tanh_shrink, log_sigmoid, log_softmax, linear\n"
        "  fix   did you mean \"relu\"?",
    ),
    "an optimizer": (
        lambda bd: small(bd).compile("nadam", "mse"),
        "BigDL 0.7: there is no optimizer 'nadam'\n"
        "  need  one of sgd, adam, adamax, adagrad, adadelta, rmsprop\n"
        '  fix   did you mean "adam"?',
    ),
    "a loss": (
        lambda bd: small(bd).compile("sgd", "sparse_crossentropy"),
        "BigDL 0.7: there is no loss 'sparse_crossentropy'\n"
        "  need  one of categorical_crossentropy, sparse_categorical_crossentropy, mse, "
        "mean_squared_error, mae, mean_absolute_error, binary_crossentropy, hinge, squared_hinge, "
        "mape, mean_absolute_percentage_error, msle, mean_squared_logarithmic_error, kld, "
        "kullback_leibler_divergence, poisson, cosine_proximity, cosine\n"
        '  fix   did you mean "binary_crossentropy"?',
    ),
    "a metric": (
        lambda bd: small(bd).compile("sgd", "mse", ["mae"]),
        "BigDL 0.7: there is no metric 'mae'\n"
        "  need  one of accuracy",
    ),
    "Nesterov without dampening": (
        lambda bd: bd.optim.SGD(momentum=0.9, nesterov=True).native(),
        "BigDL 0.7 SGD: Nesterov momentum requires a momentum and zero dampening\n"
        "  got   momentum=0.9, dampening=not given\n"
        "  need  momentum > 0 and dampening=0.0\n"
        "  fix   SGD(learningrate=0.01, momentum=0.9, dampening=0.0, nesterov=True)",
    ),
    "a first layer without a shape": (
        lambda bd: bd.topology.Sequential().add(bd.k.Dense(3)),
        "BigDL 0.7 Dense: the first layer does not say what the input is\n"
        "  need  input_shape, without the batch\n"
        "  fix   input_shape=(1, 28, 28)",
    ),
    "fit before compile": (
        lambda bd: small(bd).fit(numbers(3, 4), np.ones(3)),
        "BigDL 0.7 Sequential: fit before compile\n"
        "  need  an optimizer and a loss\n"
        "  fix   model.compile('sgd', 'sparse_categorical_crossentropy', ['accuracy'])",
    ),
    "a layer that is a class": (
        lambda bd: bd.layer.Sequential().add(bd.layer.ReLU),
        None,
    ),
    "a graph of numbers": (
        lambda bd: bd.layer.ReLU()(np.ones(3)),
        "BigDL 0.7 ReLU: was called on a ndarray\n"
        "  need  a node, a list of nodes, or nothing for an input\n"
        "  fix   layer()(node) for a graph, layer.forward(array) for numbers",
    ),
    "a model of layers": (
        lambda bd: bd.layer.Model([bd.layer.ReLU()], [bd.layer.ReLU()]),
        "BigDL 0.7 Model: a Leaf is not one of the inputs\n"
        "  need  nodes: what Input() and layer()(node) return\n"
        "  fix   x = Input(); y = Linear(4, 2)()(x)",
    ),
    "an input that is not listed": (
        lambda bd: bd.layer.Model(
            [bd.layer.Identity()()],
            [bd.layer.ReLU().set_name("end")(bd.layer.Tanh().set_name("begin")())],
        ).forward(np.ones((1, 2))),
        "BigDL 0.7 Model Model00000001: an output depends on an input that the model does not "
        "list\n"
        "  got   begin\n"
        "  need  every input node in the first argument\n"
        "  fix   Model([input1, input2], outputs)",
    ),
    "the batch joined": (
        lambda bd: bd.layer.JoinTable(1),
        "BigDL 0.7: samples of a batch are not joined or taken apart here\n"
        "  got   dimension=1\n"
        "  need  a dimension from 2 on: 1 is the batch",
    ),
    "a file that is there": (
        lambda bd: bd.layer.Linear(2, 2).saveModel(__file__),
        f"{__file__}: is there already\n  fix   over_write=True",
    ),
    "a model without a shape": (
        lambda bd: bd.layer.ReLU().set_name("it").saveModel("never.striate"),
        "BigDL 0.7 it: the shape of its input is not known yet\n"
        "  need  a call of forward, or training, before it is saved",
    ),
    "weights of other sizes": (
        lambda bd: bd.layer.Linear(2, 2).set_name("it").set_weights([np.ones(3), np.ones(2)]),
        "BigDL 0.7 it: a weight has another number of values\n"
        "  got   (3,)\n"
        "  need  (2, 2)",
    ),
    "too few weights": (
        lambda bd: bd.layer.Linear(2, 2).set_name("it").set_weights([np.ones((2, 2))]),
        "BigDL 0.7 it: set_weights got 1 arrays for 2 weights\n"
        "  need  (2, 2), (2,)",
    ),
    "a part of MNIST": (
        lambda bd: bd.mnist.read_data_sets("/tmp", "valid"),
        "bigdl.dataset.mnist: there is no part 'valid'\n"
        "  need  train or test\n"
        "  fix   read_data_sets(folder, 'train')",
    ),
    "a batch taken apart": (
        lambda bd: bd.layer.Reshape([2, 2], batch_mode=False).forward(np.ones((2, 2))),
        "BigDL 0.7 Reshape: batch_mode=False would take the batch apart\n"
        "  need  batch_mode=None or True: the first axis is the batch\n"
        "  fix   natively: L.Reshape(target_shape)",
    ),
    "judging without labels": (
        lambda bd: bd.layer.Linear(2, 2).evaluate(np.ones((2, 2)), 2, [bd.optim.Top1Accuracy()]),
        "BigDL 0.7: evaluate got no labels\n  need  labels, or samples",
    ),
    "no samples": (
        lambda bd: bd.layer.Linear(2, 2).predict(bd.common.SparkContext().parallelize([])),
        "BigDL 0.7: the data hold no samples\n  need  at least one",
    ),
    "an empty network": (
        lambda bd: bd.topology.Sequential().get_input_shape(),
        "BigDL 0.7 Sequential: has no layers\n  fix   model.add(layer)",
    ),
    "statistics of 2 axes": (
        lambda bd: bd.topology.Sequential().add(bd.k.BatchNormalization(input_shape=(2, 3))),
        "BigDL 0.7 BatchNormalization: takes samples of 1 or 3 axes\n"
        "  got   (2, 3)\n"
        "  fix   natively: L.BatchNormalization()",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name, (_, text) in MISTAKES.items() if text])
def test_mistakes_are_told_in_one_form(bd, name):
    act, text = MISTAKES[name]
    lines = told(lambda: act(bd)).split("\n")
    kept = [line for line in lines if not line.startswith("  at    test_bigdl.py:")]
    assert "\n".join(kept) == text


def test_a_class_in_the_place_of_a_layer(bd):
    text = told(lambda: bd.layer.Sequential().add(bd.layer.ReLU))
    assert "is no layer\n  need  a layer of bigdl.nn.layer\n  fix   ReLU(...)" in text


def test_names_that_are_not_there(bd):
    import bigdl.dataset.base as base
    from bigdl.nn import layer

    assert told(lambda: layer.Nms).startswith(
        "bigdl.nn.layer.Nms: BigDL 0.7 has no such name here\n"
        "  got   Nms\n"
        "  need  networks that give one class to an image: there are no detectors\n"
    )
    assert 'did you mean "SpatialConvolution"?' in told(lambda: layer.SpatialConvolutions)
    assert told(lambda: base.maybe_download("x.gz", "/nowhere", "http")).startswith(
        "bigdl.dataset.base: the file is not on this machine, and nothing is fetched\n"
        "  got   /nowhere/x.gz\n"
        "  need  a copy of it there\n"
        "  fix   mnist.load_data(), whose files are shipped with the package\n"
    )
    with pytest.raises(ImportError, match=r"BigDL 0\.7 has no such module here"):
        import bigdl.nn.unknown  # noqa: F401
