"""ReNom's meanings: worked numbers, and what it does otherwise than its peers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from striate.dialects import installed
from striate.dialects.table import DialectError
from striate.errors import StriateError


@pytest.fixture
def rm() -> Iterator[Any]:
    with installed("renom"):
        import renom  # type: ignore[import-not-found]

        yield renom


def numbers(*shape: int) -> Any:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


# ---- optimizers ----------------------------------------------------------------------------------

STEPS: dict[str, tuple[Callable[[Any], Any], tuple[float, float, float]]] = {
    "Sgd": (lambda rm: rm.Sgd(), (0.72, 0.4864, 0.314368)),
    "Sgd without Nesterov": (lambda rm: rm.Sgd(0.1, 0.4, False), (0.8, 0.56, 0.352)),
    "Adam": (lambda rm: rm.Adam(), (0.999, 0.998, 0.997)),
    "Rmsprop": (lambda rm: rm.Rmsprop(), (0.996838, 0.994547, 0.992631)),
    "Adagrad": (lambda rm: rm.Adagrad(), (0.99, 0.982965, 0.977238)),
    "Adadelta": (lambda rm: rm.Adadelta(), (0.999553, 0.999100, 0.998643)),
    "no optimizer": (lambda rm: None, (-1.0, 1.0, -1.0)),
}


@pytest.mark.parametrize("name", STEPS)
def test_three_steps_from_one_down_a_parabola(rm: Any, name: str) -> None:
    make, expected = STEPS[name]
    optimizer, w, seen = make(rm), rm.Variable(np.ones(1)), []
    for _ in expected:
        rm.sum(w * w).grad().update(optimizer)
        seen.append(float(w[0]))
    assert seen == pytest.approx(expected, abs=1e-6)


def test_the_words_of_renom_3_are_told_what_they_are() -> None:
    with installed("renom"), pytest.raises(ImportError, match="interface of ReNom 3"):
        import renom.graph  # noqa: F401


def test_one_optimizer_keeps_the_state_of_each_variable(rm: Any) -> None:
    optimizer, first, second = rm.Sgd(), rm.Variable(np.ones(1)), rm.Variable(np.ones(1))
    for _ in range(2):
        rm.sum(first * first).grad().update(optimizer)
    rm.sum(second * second).grad().update(optimizer)
    assert [float(first[0]), float(second[0])] == pytest.approx([0.4864, 0.72])


# ---- layers --------------------------------------------------------------------------------------


def test_a_convolution_turns_its_kernel_and_shows_it_unturned(rm: Any) -> None:
    layer, x = rm.Conv2d(channel=3, filter=(3, 2), padding=1, stride=2), numbers(2, 4, 7, 6)
    y = layer(x)
    w = torch.tensor(np.array(layer.params.w))
    assert w.shape == (3, 4, 3, 2) and layer.params.b.shape == (1, 3, 1, 1)
    expected = F.conv2d(torch.tensor(x), w.flip(2, 3), padding=1, stride=2)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)
    two = np.zeros((1, 1, 2, 2), np.float32)
    two[0, 0, 0, 0] = 1.0  # a kernel that is one in its first corner takes the last of a window
    image = np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3)
    assert rm.conv2d(image, two).reshape(-1).tolist() == [4.0, 5.0, 7.0, 8.0]


def test_a_transposed_convolution_is_the_slope_of_a_convolution(rm: Any) -> None:
    layer, x = rm.Deconv2d(channel=3, filter=3, padding=1, stride=2), numbers(2, 4, 5, 5)
    y = layer(x)
    w = torch.tensor(np.array(layer.params.w))
    assert w.shape == (4, 3, 3, 3) and y.shape == (2, 3, 9, 9)
    expected = F.conv_transpose2d(torch.tensor(x), w.flip(2, 3), padding=1, stride=2)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)


def test_groups_see_their_own_channels(rm: Any) -> None:
    layer, x = rm.GroupConv2d(channel=4, filter=3, groups=2), numbers(1, 6, 5, 5)
    w = torch.tensor(np.array(layer(x) if not layer.params else layer.params.w))
    w = torch.tensor(np.array(layer.params.w))
    assert w.shape == (4, 3, 3, 3)
    expected = F.conv2d(torch.tensor(x), w.flip(2, 3), groups=2)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-5)


def test_a_maximum_pads_with_zero_and_moves_by_one(rm: Any) -> None:
    x = -np.ones((1, 1, 4, 4), np.float32)
    assert rm.MaxPool2d(filter=2)(x).shape == (1, 1, 3, 3)
    padded = rm.MaxPool2d(filter=2, padding=1, stride=2)(x)
    assert padded[0, 0].tolist() == [[0.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 0.0]]
    average = rm.AveragePool2d(filter=2, padding=1, stride=2)(x)
    assert average[0, 0, 0].tolist() == [-0.25, -0.5, -0.25]


def test_unpooling_puts_the_largest_back(rm: Any) -> None:
    x = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    pooled = rm.MaxPool2d(filter=2, stride=2)(x)
    back = rm.MaxUnPool2d()(pooled, pooled)
    assert back[0, 0].tolist() == [[0, 0, 0, 0], [0, 5, 0, 7], [0, 0, 0, 0], [0, 13, 0, 15]]


def test_averages_are_spread_over_their_windows(rm: Any) -> None:
    x = np.arange(25, dtype=np.float32).reshape(1, 1, 5, 5)
    pooled = rm.AveragePool2d(filter=2, stride=2)(x)  # the last row and column are not seen
    back = rm.AverageUnPool2d()(np.array([[[[4, 8], [12, 16]]]], np.float32), pooled)
    wide = np.array([[1, 2], [3, 4]]).repeat(2, 0).repeat(2, 1)
    np.testing.assert_array_equal(back[0, 0], np.pad(wide, (0, 1)))
    np.testing.assert_array_equal(rm.average_unpool2d(pooled), rm.AverageUnPoolNd()(pooled, pooled))
    shared = rm.AveragePool2d(filter=(1, 2), stride=1)(x[:, :, :1])
    back = rm.AverageUnPool2d()(np.ones((1, 1, 1, 4), np.float32), shared)
    assert back[0, 0, 0].tolist() == [0.5, 1, 1, 1, 0.5]
    cube = np.arange(8.0).reshape(1, 1, 2, 2, 2)
    most = rm.MaxPoolNd(kernel=2, stride=2)(cube)
    np.testing.assert_array_equal(
        rm.MaxUnPoolNd()(np.full(most.shape, 9.0), most)[0, 0, 1, 1], [0, 9]
    )
    with pytest.raises(DialectError) as told:
        rm.AverageUnPool2d()(np.ones((1, 1, 2, 2)))
    assert "does not know which pooling it undoes" in str(told.value)


def test_dropout_drops_outside_of_train_unless_inference_is_set(rm: Any) -> None:
    net, x = rm.Sequential([rm.Dropout(0.5)]), np.ones((100, 100), np.float32)
    dropped = net(x)
    assert sorted(set(dropped.reshape(-1).tolist())) == [0.0, 2.0]
    assert 0.45 < float(np.mean(dropped == 0)) < 0.55
    net.set_models(inference=True)
    assert np.array_equal(net(x), x)


def test_the_seed_of_numpy_rules_weights_and_dropout(rm: Any) -> None:
    def draw() -> Any:
        rm.set_renom_seed(3)
        return rm.Sequential([rm.Dense(5), rm.Dropout(0.5)])(np.ones((4, 3)))

    assert np.array_equal(draw(), draw())


def test_initial_weights_take_the_first_axis_of_a_kernel_for_the_fan_in(rm: Any) -> None:
    from renom.utility.initializer import (  # type: ignore[import-not-found]
        GlorotNormal,
        HeNormal,
    )

    shape = (64, 8, 3, 3)
    assert np.std(GlorotNormal()(shape)) == pytest.approx((2 / (72 * 9)) ** 0.5, rel=0.03)
    assert np.std(HeNormal()(shape)) == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.03)


def test_batch_normalisation_counts_in_its_own_way(rm: Any) -> None:
    x = numbers(6, 2, 3, 3)
    every, channel = rm.BatchNormalize(), rm.BatchNormalize(mode="feature", momentum=0.5)
    every(x)
    assert every.params.w.shape == (1, 2, 3, 3) and float(every._mov_mean) == 0.0
    y = channel(x)  # outside of train: the batch's numbers, but nothing moves
    plain = F.batch_norm(torch.tensor(x), None, None, training=True)
    np.testing.assert_allclose(y, plain.numpy() * channel.params.w, rtol=1e-3, atol=1e-5)
    assert float(channel._mov_std) == 0.0
    with channel.train():
        channel(x)
    flat = np.moveaxis(x, 1, 0).reshape(2, -1)
    np.testing.assert_allclose(channel._mov_mean.reshape(-1), flat.mean(1) / 2, rtol=1e-3)
    np.testing.assert_allclose(channel._mov_std.reshape(-1), flat.var(1, ddof=1) / 2, rtol=1e-4)
    channel.set_models(inference=True)
    mean, var = channel._mov_mean, channel._mov_std
    expected = (x - mean) / np.sqrt(var + 1e-5) * channel.params.w
    np.testing.assert_allclose(channel(x), expected, rtol=1e-4, atol=1e-5)


def test_other_normalisations(rm: Any) -> None:
    x = numbers(2, 8, 3, 3)
    layer = rm.LayerNormalize()
    plain = F.layer_norm(torch.tensor(x), (8, 3, 3)).numpy()
    np.testing.assert_allclose(layer(x), 0.1 * plain + 1.0, rtol=1e-4, atol=1e-5)
    assert layer.params.gain.shape == (1, 8, 3, 3)
    lengths = np.sqrt((np.asarray(rm.L2Norm(20)(x)) ** 2).sum(1))
    np.testing.assert_allclose(lengths, 20.0, rtol=1e-3)
    squares = np.square(x)
    near = sum(np.pad(squares, ((0, 0), (2, 2), (0, 0), (0, 0)))[:, i : i + 8] for i in range(5))
    np.testing.assert_allclose(rm.Lrn()(x), x / (2 + 1e-4 * near) ** 0.75, rtol=1e-5)


def test_activations_have_their_own_defaults(rm: Any) -> None:
    x = np.array([[-2.0, 0.0, 3.0]])
    assert rm.LeakyRelu()(x).tolist()[0] == pytest.approx([-0.02, 0.0, 3.0])
    assert rm.leaky_relu(x, slope=0.5).tolist()[0] == [-1.0, 0.0, 3.0]
    assert rm.Elu()(x).tolist()[0] == pytest.approx([0.01 * (np.exp(-2) - 1), 0.0, 3.0])
    assert rm.softmax(np.zeros((2, 4, 3)))[0, :, 0].tolist() == [0.25] * 4
    assert rm.Maxout(slice_size=3)(x).tolist() == [[3.0]]
    assert rm.Swish(2.0)(x).tolist()[0][2] == pytest.approx(3 / (1 + np.exp(-6)))


# ---- losses --------------------------------------------------------------------------------------


def test_losses_divide_by_the_samples_but_for_cross_entropy(rm: Any) -> None:
    x, t = numbers(4, 3), np.eye(3, dtype=np.float32)[[0, 2, 1, 1]]
    p = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    s = 1 / (1 + np.exp(-x))
    expected = {
        "softmax_cross_entropy": -(t * np.log(p + 1e-8)).sum() / 4,
        "sigmoid_cross_entropy": -(t * np.log(s + 1e-8) + (1 - t) * np.log(1 - s + 1e-8)).sum() / 4,
        "mean_squared_error": ((x - t) ** 2).sum() / 8,
        "clipped_mean_squared_error": ((x - t) ** 2).sum() / 8,
    }
    for name, value in expected.items():
        assert float(getattr(rm, name)(x, t)) == pytest.approx(value, rel=1e-5), name
    assert float(rm.cross_entropy(p, t)) == pytest.approx(-(t * np.log(p + 1e-8)).sum(), rel=1e-5)
    away = np.abs(x - t)
    smooth = np.where(away < 1, away**2 / 2, away - 0.5).sum() / 4
    assert float(rm.smoothed_l1(x, t)) == pytest.approx(smooth, rel=1e-5)
    assert rm.mse(x, t, reduce_sum=False).shape == (4, 3)
    assert float(rm.SoftmaxCrossEntropy()(x, t)) == float(rm.smce(x, t))


def test_the_slope_of_a_hopeless_softmax_does_not_vanish(rm: Any) -> None:
    x = rm.Variable(np.array([[0.0, 200.0]]))
    slope = rm.softmax_cross_entropy(x, np.array([[1.0, 0.0]])).grad().get(x)
    assert slope.tolist() == [[-1.0, 1.0]]


# ---- nodes and gradients -------------------------------------------------------------------------


def test_a_node_is_an_array_that_cannot_be_written_to(rm: Any) -> None:
    node = rm.Variable(np.arange(6).reshape(2, 3)) * 2
    assert isinstance(node, np.ndarray) and node.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        node[0, 0] = 1.0
    assert np.argmax(node, axis=1).tolist() == node.argmax(1).tolist() == [2, 2]
    assert np.argmax(node, axis=1).dtype == np.int64
    assert type(node.as_ndarray()) is np.ndarray and rm.sum(node).as_ndarray().shape == ()
    assert f"{float(rm.sum(node)):.1f}" == "30.0"
    assert repr(rm.Variable(np.ones(2)) + 0) == "Node([1., 1.], dtype=float32)"
    assert (1 - node)[0].tolist() == [1.0, -1.0, -3.0]
    assert (np.ones(3) * node).tolist() == node.tolist()


@pytest.mark.parametrize("key", [1, (0, 1), slice(None, None, -1), ([0, 1], [2, 0]), (..., None)])
def test_every_index_has_a_slope(rm: Any, key: Any) -> None:
    x = rm.Variable(numbers(2, 3))
    assert np.array_equal(x[key], np.asarray(x)[key])
    mask = np.zeros((2, 3))
    mask[key] += 1 if key != (..., None) else np.ones((2, 3, 1))[..., 0][..., None]
    if key != (..., None):
        assert rm.sum(x[key]).grad().get(x).tolist() == mask.tolist()


def test_nothing_is_learned_outside_of_train(rm: Any) -> None:
    net, x, t = rm.Dense(2), numbers(4, 3), np.eye(2)[[0, 1, 1, 0]]
    loss = rm.softmax_cross_entropy(net(x), t)
    before = net.params.w.as_ndarray()
    loss.grad().update(rm.Sgd())
    assert np.array_equal(before, net.params.w)
    with net.train():
        loss = rm.softmax_cross_entropy(net(x), t)
    loss.grad().update(rm.Sgd())
    changed = net.params.w.as_ndarray()
    assert not np.array_equal(before, changed)
    loss.grad().update(rm.Sgd())  # the history is gone: nothing more is found
    assert np.array_equal(changed, net.params.w)


def test_gradients_of_a_kept_history_can_be_asked_again(rm: Any) -> None:
    x = rm.Variable(np.array([3.0]))
    square = x * x
    loss = rm.sum(square * 2)
    for _ in range(2):
        grads = loss.grad(detach_graph=False)
        assert grads.get(x).tolist() == [12.0] and grads.get(square).tolist() == [2.0]
    assert loss.grad(initial=np.array(0.5)).get(x).tolist() == [6.0]
    assert loss.grad().get(x, None) is None


def test_models_restrict_an_update_and_weight_decay_is_for_w_alone(rm: Any) -> None:
    first, second, x = rm.Dense(2), rm.Dense(1), np.zeros((4, 3))
    net = rm.Sequential([first, second])
    net(x)
    w, b = first.params.w.as_ndarray(), first.params.b.as_ndarray()
    other = second.params.w.as_ndarray()
    with net.train():
        loss = rm.mse(net(x), np.zeros((4, 1)))
    loss.grad(weight_decay=0.5).update(models=(first,))
    np.testing.assert_allclose(first.params.w, w / 2, rtol=1e-6)
    assert np.array_equal(second.params.w, other) and np.array_equal(first.params.b, b)


def test_a_part_whose_update_is_prevented_stays(rm: Any) -> None:
    first, second, x = rm.Dense(2), rm.Dense(1), numbers(4, 3)
    net = rm.Sequential([first, second])
    net(x)
    w, other = first.params.w.as_ndarray(), second.params.w.as_ndarray()
    with first.prevent_update(), net.train():
        loss = rm.mse(net(x), np.ones((4, 1)))
    loss.grad().update()
    assert np.array_equal(first.params.w, w) and not np.array_equal(second.params.w, other)


# ---- models --------------------------------------------------------------------------------------


def net_of(rm: Any) -> Any:
    class Net(rm.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            self.conv = rm.Conv2d(4, filter=3)
            self.norm = rm.BatchNormalize(mode="feature")
            self.dense = rm.Dense(3)

        def forward(self, x: Any) -> Any:
            return self.dense(rm.flatten(rm.relu(self.norm(self.conv(x)))))

    return Net()


def fit(rm: Any, net: Any, x: Any, t: Any, steps: int) -> float:
    optimizer = rm.Adam(0.01)
    for _ in range(steps):
        with net.train():
            loss = rm.softmax_cross_entropy(net(x), t) + 0.001 * rm.sum(net.dense.params.w**2)
        loss.grad().update(optimizer)
    return float(loss)


def test_a_model_of_ones_own_learns_is_saved_and_read(rm: Any, tmp_path: Path) -> None:
    import h5py  # type: ignore[import-untyped]

    net, x, t = net_of(rm), numbers(12, 1, 6, 6), np.eye(3)[np.arange(12) % 3]
    assert fit(rm, net, x, t, 60) < 0.1
    net.save(tmp_path / "net.h5")
    with h5py.File(tmp_path / "net.h5") as file:
        assert sorted(file["values"]) == ["root", "root.conv", "root.dense", "root.norm"]
        assert sorted(file["values/root.norm"]) == [
            "__dict__._mov_mean", "__dict__._mov_std", "b", "w",
        ]  # fmt: skip
        assert file["types/root.conv"].attrs["w"] == "renom.Variable"
        assert np.array_equal(file["values/root.conv/w"], net.conv.params.w)
    other = net_of(rm)
    other.load(tmp_path / "net.h5")
    for one in (net, other):
        one.set_models(inference=True)
    assert np.array_equal(net(x), other(x))
    third = net_of(rm)
    third.copy_params(net)
    third.set_models(inference=True)
    assert np.array_equal(net(x), third(x))


def test_two_models_are_trained_in_two_threads(rm: Any) -> None:
    x, t = numbers(12, 1, 6, 6), np.eye(3)[np.arange(12) % 3]
    nets = [net_of(rm), net_of(rm)]
    with ThreadPoolExecutor(2) as pool:
        losses = list(pool.map(lambda net: fit(rm, net, x, t, 60), nets))
    assert max(losses) < 0.1


def test_a_part_that_is_exchanged_or_added_is_trained_from_then_on(rm: Any) -> None:
    x, t = np.ones((2, 3), np.float32), np.eye(2, dtype=np.float32)

    class Own(rm.Model):
        def __init__(self) -> None:
            self.inner = rm.Sequential([rm.Dense(4), rm.Dense(2)])

        def forward(self, x: Any) -> Any:
            return self.inner(x)

    net = Own()
    for change in (lambda: None, lambda: setattr(net, "inner", rm.Sequential([rm.Dense(2)])),
                   lambda: net.inner.__setitem__(0, rm.Dense(2)),
                   lambda: net.inner.append(rm.Dense(2))):  # fmt: skip
        change()
        with net.train():
            loss = rm.softmax_cross_entropy(net(x), t)
        found = loss.grad()
        for part in net.inner:
            assert found.get(part.params.w).shape == part.params.w.shape
            assert not part.recording


def test_parts_of_a_sequential(rm: Any, capsys: pytest.CaptureFixture[str]) -> None:
    net = rm.Sequential([rm.Dense(2), rm.Relu()])
    net.append(rm.Dense(1))
    assert net.l2 is net[2] is net._layers[2] and len(list(net.iter_models())) == 3
    with pytest.raises(AttributeError, match="there is no weight 'w'"):
        net.l0.params.w  # noqa: B018
    net.summary()
    assert capsys.readouterr().out == "summary will be printed out soon.\n"


def test_a_layer_of_ones_own_makes_its_weights_in_the_first_call(rm: Any) -> None:
    class Scale(rm.Parametrized):  # type: ignore[misc]
        def weight_initiallize(self, input_size: Any) -> None:
            self.params = {"s": rm.Variable(np.full((1, *input_size), 2.0))}

        def forward(self, x: Any) -> Any:
            return x * self.params.s

    net, x = rm.Sequential([Scale()]), np.ones((1, 2))
    with net.train():
        loss = rm.sum(net(x))
    assert float(loss) == 4.0
    loss.grad().update()
    assert net.l0.params.s.tolist() == [[1.0, 1.0]]


def test_the_trainer_tells_its_events(rm: Any) -> None:
    from renom.utility.distributor import NdarrayDistributor  # type: ignore[import-not-found]
    from renom.utility.trainer import Trainer  # type: ignore[import-not-found]

    x, t = numbers(20, 3), np.eye(2)[np.arange(20) % 2]
    train, test = NdarrayDistributor(x, t).split(0.8)
    assert [len(train), len(test)] == [16, 4]
    assert [len(a) for a, _ in train.batch(5)] == [5, 5, 5, 1]
    assert [(len(a), len(b)) for a, b in NdarrayDistributor(x, t).kfold(4)] == [(15, 5)] * 4
    trainer = Trainer(rm.Sequential([rm.Dense(2)]), 2, rm.softmax_cross_entropy, 5, rm.Adam())
    seen: list[Any] = []

    @trainer.events.end_epoch  # type: ignore[untyped-decorator]
    def after(given: Any) -> None:
        seen.append((given.epoch, len(given.train_loss_list), len(given.test_loss_list)))

    trainer.events.updated = lambda given: seen.append(given.nth)
    trainer.train(train, test)
    assert seen == [0, 1, 2, 3, (0, 1, 1), 0, 1, 2, 3, (1, 2, 2)]
    out = trainer.test(x)
    assert out.shape == (20, 2) and repr(out).startswith("array(")
    assert type(out.as_ndarray()) is np.ndarray


def test_the_paths_of_cuda_are_harmless(rm: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from renom.cuda import cuda, set_cuda_active, use_device  # type: ignore[import-not-found]
    from renom.cuda.cuda import is_cuda_active  # type: ignore[import-not-found]

    set_cuda_active(True)
    cuda.set_cuda_active(True)
    with use_device(0):
        assert not is_cuda_active() and not rm.is_cuda_active()
    assert capsys.readouterr().err == "note: renom.cuda: all is computed on the processor\n"


def test_numbers_of_64_bits_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENOM_PRECISION", "64")
    with installed("renom"):
        import renom

        assert renom.precision is np.float64
        assert renom.Dense(2)(np.ones((1, 3))).dtype == np.float64


# ---- messages ------------------------------------------------------------------------------------

MESSAGES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a list": (lambda rm: rm.Variable([1.0]), """\
rm.Variable: Invalid Node value
  got   a list
  need  an array or a number
  fix   rm.Variable(np.array(value))"""),
    "no array of numbers": (lambda rm: rm.Dense(2)(np.array([["a"]])), """\
rm.Node: holds numbers
  got   an array of <U1
  fix   x.astype(np.float32) where every element is a number"""),
    "labels of one axis": (lambda rm: rm.softmax_cross_entropy(np.ones((2, 3)), np.ones(2)), """\
rm.softmax_cross_entropy: Input arrays must have no less than 2 dimension.
  got   output (2, 3), target (2,)
  need  a target of shape (2, 3)
  fix   LabelBinarizer().fit_transform(labels), or labels.reshape(-1, 1)"""),
    "images without channels": (lambda rm: rm.Conv2d()(np.ones((5, 28, 28))), """\
rm.Conv2d: asks for 4 axes
  got   shape (5, 28, 28)
  need  (N, C, H, W), channels first
  fix   x.reshape(-1, 1, 28, 28) for digits"""),
    "a kernel too large": (lambda rm: rm.Conv2d(2, filter=7)(np.ones((1, 1, 5, 9))), """\
rm.Conv2d: the kernel does not fit the image
  got   input (1, 1, 5, 9), axis 2 = 5
  need  at least 7
  math  (5 + 2 * 0 - 7) // 1 + 1 < 1
  fix   padding=3, or a smaller filter"""),
    "images to a dense layer": (lambda rm: rm.Dense(2)(np.ones((1, 1, 5, 9))), """\
rm.Dense: the input does not fit
  got   shape (1, 1, 5, 9)
  need  two axes
  fix   rm.Flatten() in front of it"""),
    "one sample": (lambda rm: rm.BatchNormalize()(np.ones((1, 3))), """\
rm.BatchNormalize: a batch of one sample has no variance
  got   shape (1, 3)
  need  two samples or more, or model.set_models(inference=True)"""),
    "a mode": (lambda rm: rm.BatchNormalize(mode="channel"), """\
rm.BatchNormalize: mode='channel' is not known
  need  "activation", every element, or "feature", every channel"""),
    "no forward": (lambda rm: rm.Model()(1), """\
rm.Model Model: has no forward
  need  def forward(self, x): in the class"""),
    "a word that is no layer": (lambda rm: rm.Sequential(["relu"]), """\
rm.Sequential: a part cannot be called
  got   'relu'
  fix   did you mean "Relu"?"""),
    "a name": (lambda rm: rm.Conv2D, """\
renom.Conv2D: ReNom 2.7 has no such name here
  got   Conv2D
  fix   did you mean "Conv2d"?"""),
    "all steps at once": (lambda rm: rm.Lstm(3)(np.ones((2, 4, 5))), """\
rm.Lstm: takes one step of each sequence at a time
  got   shape (2, 4, 5)
  need  (N, features)
  fix   for t in range(x.shape[1]): z = model(x[:, t])"""),
    "an unreached node": (
        lambda rm: rm.sum(rm.Variable(np.ones(1))).grad().get(rm.Variable(np.ones(2))), """\
grads.get: Node not found. Ensure that _update_diff was properly called on the node first.
  got   a Variable of shape (2,)
  need  a variable that was recorded: rm.Variable(x), or one of a model inside of `with model"""),
    "lengths": (lambda rm: distributor()(np.ones(3), np.ones(2)), """\
rm.Distributor: takes x and y of one length
  got   3 and 2
  need  as many labels as samples"""),
    "a file": (lambda rm: rm.Dense(2).load(__file__), """\
test_renom.py: is not a weight file of ReNom"""),
}  # fmt: skip


def distributor() -> Any:
    from renom.utility.distributor import NdarrayDistributor

    return NdarrayDistributor


@pytest.mark.parametrize("name", MESSAGES)
def test_what_cannot_be_done_is_said(rm: Any, name: str) -> None:
    call, expected = MESSAGES[name]
    with pytest.raises(StriateError) as caught:
        call(rm)
    text = str(caught.value)
    lines = [line for line in text.splitlines() if not line.startswith("  at ")]
    if name == "a file":
        assert lines[0].endswith(expected)
    else:
        assert "\n".join(lines).startswith(expected)


# ---- natively ------------------------------------------------------------------------------------


def test_a_sequential_runs_natively_with_equal_values_and_slopes(rm: Any) -> None:
    from striate.dialects.renom.native import Runner

    net = rm.Sequential(
        [
            rm.Conv2d(4, filter=(3, 2), padding=1),
            rm.LeakyRelu(0.1),
            rm.MaxPool2d(filter=2, stride=2),
            rm.Dropout(0.0),
            rm.Flatten(),
            rm.Dense(5),
            rm.Tanh(),
            rm.Dense(3, ignore_bias=True),
        ]
    )
    x, t = (numbers(6, 2, 7, 8) * 50 + 128).astype(np.uint8), np.eye(3)[np.arange(6) % 3]
    net(x)  # makes the weights
    assert Runner()(list(net), x) is not None

    def slopes(forward: Callable[[Any], Any]) -> list[Any]:
        with net.train():
            loss = rm.softmax_cross_entropy(forward(x), t)
        grads = loss.grad()
        return [float(loss), *(np.asarray(grads.get(one)) for one in net.variables())]

    def by_parts(given: Any) -> Any:
        for layer in net:
            given = layer(given)
        return given

    for mine, theirs in zip(slopes(net), slopes(by_parts), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=2e-3, atol=2e-4)
    many = np.concatenate([x] * 30)  # a call that is not recorded goes in pieces
    np.testing.assert_allclose(net(many), by_parts(many), rtol=1e-3, atol=1e-3)


def test_parts_that_no_kernel_computes_are_computed_one_by_one(rm: Any) -> None:
    from striate.dialects.renom.native import Runner

    class Doubled(rm.Dense):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return super().forward(x) * 2

    x = numbers(3, 4)
    for part in (Doubled(2), rm.BatchNormalize(), rm.Maxout(2)):
        net = rm.Sequential([rm.Dense(4), part])
        net(x)
        assert Runner()(list(net), x) is None


# ---- what is beside of networks ------------------------------------------------------------------


def test_gradients_are_clipped_all_by_one_factor(rm: Any) -> None:
    from renom.utility.gradient_clipping import GradientClipping  # type: ignore[import-not-found]

    a, b = rm.Variable(np.array([3.0, 0.0])), rm.Variable(np.array([4.0]))
    grads = (rm.sum(a * a) / 2 + rm.sum(b * b) / 2).grad()
    assert GradientClipping(threshold=6, norm=2)(grads) == pytest.approx(5)
    assert grads.get(a).tolist() == [3, 0]
    assert GradientClipping(threshold=1, norm=2)(grads) == pytest.approx(5)
    np.testing.assert_allclose(grads.get(a), [0.6, 0], rtol=1e-5)
    grads.update()
    np.testing.assert_allclose(b, [3.2], rtol=1e-5)


def test_gradients_that_a_script_sets_count(rm: Any) -> None:
    a = rm.Variable(np.array([3.0]))
    grads = rm.sum(a * a).grad()
    variables = grads.variables
    for key in variables:
        variables[key] = variables[key] * 0 + 0.5
    grads.update(rm.Sgd(lr=1.0, momentum=0.0))
    assert a.tolist() == [2.5] and grads.get(a).tolist() == [0.5]


def test_searchers_tell_the_best_values(rm: Any) -> None:
    from renom.utility.searcher import (  # type: ignore[import-not-found]
        GridSearcher,
        RandomSearcher,
    )

    space = {"p1": [1, 2, 3], "p2": [4, 5, 6]}
    searcher = GridSearcher(space)
    tried = []
    for values in searcher.suggest():
        tried.append((values["p1"], values["p2"]))
        searcher.set_result(values["p1"] + values["p2"])
    assert tried[:4] == [(1, 4), (2, 4), (3, 4), (1, 5)] and len(tried) == len(searcher) == 9
    assert searcher.best(1) == [({"p1": 1, "p2": 4}, 5)]
    drawn = RandomSearcher(space)
    for values in drawn.suggest(20):
        drawn.set_result(-values["p1"])
    assert len(drawn.results) == 9 and drawn.best()[0][0]["p1"] == 3


def test_pictures_are_read_batch_by_batch(rm: Any, tmp_path: Path) -> None:
    from PIL import Image
    from renom.utility.distributor import (  # type: ignore[import-not-found]
        ImageClassificationDistributor,
    )

    class Darker:
        def create(self, x: Any) -> Any:
            return x - 1

    files = [tmp_path / f"{value}.png" for value in (10, 20, 30)]
    for file in files:
        Image.new("RGB", (5, 4), (int(file.stem), 0, 7)).save(file)
    data = ImageClassificationDistributor(files, y_list=[0, 1, 2], imsize=(6, 3),
                                          augmentation=Darker())  # fmt: skip
    batches = list(data.batch(2, shuffle=False))
    assert [x.shape for x, _ in batches] == [(2, 3, 3, 6), (1, 3, 3, 6)] and len(data) == 3
    assert batches[0][0].dtype == np.float32 and batches[0][0][1, :, 0, 0].tolist() == [19, -1, 6]
    assert batches[1][1].tolist() == [2]
    grey = next(ImageClassificationDistributor(files, imsize=(2, 2), color="GRAY").batch(3, False))
    assert grey.shape == (3, 1, 2, 2)


def test_layers_are_in_the_modules_of_their_names() -> None:
    with installed("renom"):
        import renom as rm
        from renom.layers.function.deconv2d import Deconv2d
        from renom.layers.function.l2_norm import L2Norm
        from renom.layers.function.unpool2d import MaxUnPool2d

        assert (Deconv2d, L2Norm, MaxUnPool2d) == (rm.Deconv2d, rm.L2Norm, rm.MaxUnPool2d)


def test_any_model_has_weights_of_its_own(rm, tmp_path):
    class Scaled(rm.Model):
        def __init__(self):
            self.inner = rm.Dense(2, input_size=3)
            self.params.scale = rm.Variable(np.array([[2.0, 3.0]]))

        def forward(self, x):
            return self.inner(x) * self.params.scale

    net, x = Scaled(), np.ones((4, 3), np.float32)
    inner = np.array(net.inner(x))
    assert np.array(net(x)) == pytest.approx(inner * [[2, 3]], abs=1e-6)
    with net.train():
        loss = rm.sum(net(x))
    loss.grad().update(rm.Sgd(0.1, momentum=0.0))
    assert np.array(net.params.scale)[0] == pytest.approx(
        np.array([2, 3]) - 0.1 * inner.sum(0), abs=1e-5)  # fmt: skip
    assert [name for name, *_ in net.flatten_values()] == [("root",), ("root", "inner")]
    net.save(tmp_path / "scaled.h5")
    read, copied = Scaled(), Scaled()
    read.load(tmp_path / "scaled.h5")
    copied.copy_params(net)
    for other in (read, copied):
        assert np.array_equal(np.array(other(x)), np.array(net(x)))


def test_a_copy_is_of_the_same_kind_and_can_be_written_to(rm):
    weight = rm.Variable(np.array([[1.0, 2.0]]))
    made = weight.copy()
    made[0, 1] = 5
    assert type(made) is rm.Variable and made.as_ndarray().tolist() == [[1, 5]]
    assert (made * 2).as_ndarray().tolist() == [[2, 10]] and weight[0, 1] == 2
    grads = rm.sum(made * weight).grad()
    assert np.asarray(grads.get(weight)).tolist() == [[1, 5]]
    assert grads.get(made, None) is None  # it is no weight
    assert isinstance((weight * 2).copy(), rm.Node)
