"""What follows the code of a network for PyTorch's scripts: nothing that the code means is lost."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.dialects import installed
from striate.dialects.pytorch.native import follow
from striate.dialects.pytorch.twins import Twin
from striate.lower.runtime import library

X = torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(0))
Y = torch.arange(8) % 3
Middle = Callable[[Any, Tensor], Tensor]


@pytest.fixture(autouse=True)
def served() -> Iterator[None]:
    assert library() is not None
    with installed("pytorch"):
        yield


class Net(nn.Module):
    """Convolution, normalisation, rectifier and a dense layer; a test gives the middle."""

    def __init__(self, middle: Middle = lambda net, h: net.relu(h)) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.relu, self.fc = nn.ReLU(inplace=True), nn.Linear(4 * 64, 3)
        self.register_buffer("steps", torch.zeros(1))
        self.alpha, self.seen, self.middle = 1.0, [], middle

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.middle(self, self.norm(self.conv(x))).flatten(1)) * self.alpha


def as_written(net: nn.Module, x: Tensor = X) -> Tensor:
    """Return what torch gives: a hook is called at each layer."""
    hook = net.conv.register_forward_hook(lambda *_: None)
    out = net(x)
    hook.remove()
    return out


def statement(net: Any, h: Tensor) -> Tensor:
    F.relu(h, inplace=True)
    return h


def used_after(net: Any, h: Tensor) -> Tensor:
    return net.relu(h) + h


def under_another_name(net: Any, h: Tensor) -> Tensor:
    g = h
    g += 1
    return F.relu(h) + g


def through_a_view(net: Any, h: Tensor) -> Tensor:
    flat = h.view(len(h), -1)
    net.relu(h)
    return flat


def part_of_it(net: Any, h: Tensor) -> Tensor:
    h.narrow(1, 0, 2).clamp_(0, 0.1)
    return h


@pytest.mark.parametrize(
    "middle", [statement, used_after, under_another_name, through_a_view, part_of_it]
)
def test_what_is_changed_in_place_is_changed_wherever_it_is_seen(middle: Any) -> None:
    net = Net(middle).eval()
    with torch.no_grad():
        assert torch.allclose(net(X), as_written(net), atol=1e-5)


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.relu, self.fc = nn.ReLU(inplace=True), nn.Linear(4 * 64, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = x = self.relu(self.first(x))
        x = self.second(x)
        x += y
        return self.fc(self.relu(x).flatten(1))


def test_the_usual_changes_in_place_are_followed() -> None:
    assert follow(Residual(), (1, 8, 8), torch.clone) is not None


def counted(net: Any, h: Tensor) -> Tensor:
    net.steps += 1
    return h


def set_anew(net: Any, h: Tensor) -> Tensor:
    net.steps = net.steps + 1
    return h


@pytest.mark.parametrize("middle", [counted, set_anew])
def test_a_network_that_counts_its_calls_counts_each_once(middle: Any) -> None:
    net = Net(middle)
    net(X)
    net(X)
    assert net.steps.tolist() == [2]


def test_a_list_that_a_network_fills_is_filled_with_tensors() -> None:
    net = Net(lambda net, h: net.seen.append(h) or h)
    net(X)
    assert [type(one) for one in net.seen] == [Tensor]


def test_an_attribute_that_is_set_after_a_call_counts() -> None:
    net = Net().eval()
    with torch.no_grad():
        once = net(X)
        net.alpha = 2.0
        assert torch.allclose(net(X), 2 * once, atol=1e-5)
        net.norm.running_mean = torch.full((4,), 3.0)
        assert torch.allclose(net(X), as_written(net), atol=1e-5)
        net._modules["relu"] = nn.Sigmoid()
        assert torch.allclose(net(X), as_written(net), atol=1e-5)


def test_an_attribute_that_changes_at_each_step_counts_at_each() -> None:
    net = Net().eval()
    with torch.no_grad():
        once = net(X)
        for step in range(1, 20):
            net.alpha = float(step)
            assert torch.allclose(net(X), step * once, atol=1e-4)


@pytest.mark.parametrize("training", [True, False])
def test_maps_that_leave_a_network_are_viewed_as_those_of_torch(training: bool) -> None:
    body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2)).train(training)
    assert follow(body, (1, 8, 8), None) is not None
    maps = body(X)
    rows = maps.view(maps.size(0), -1)
    assert torch.allclose(rows, body[2](body[1](F.conv2d(X, *body[0].parameters()))).flatten(1))
    if training:
        rows.square().sum().backward()
        theirs = torch.autograd.grad(
            F.max_pool2d(F.conv2d(X, *body[0].parameters()).relu(), 2).square().sum(),
            body[0].weight,
        )[0]
        assert torch.allclose(body[0].weight.grad, theirs, rtol=1e-4, atol=1e-5)


def flat_features(net: Any, h: Tensor) -> Tensor:
    number = 1
    for size in h.size()[1:]:
        number *= size
    return h.view(-1, number)


def until_small(net: Any, h: Tensor) -> Tensor:
    times = 0
    while h.size(2) > 3:
        h, times = F.max_pool2d(h, 2), times + 1
    return F.interpolate(h, size=(8, 8)) * times


def half_the_height(net: Any, h: Tensor) -> Tensor:
    h = F.avg_pool2d(h, int(h.size(2) * 0.5))
    return h.repeat(1, 1, *(8 // size for size in h.shape[2:]))


def each_channel(net: Any, h: Tensor) -> Tensor:
    assert h.dim() == 4
    return torch.cat([h[:, at : at + 1] * at for at in range(h.shape[1])], 1)


def by_lengths(net: Any, h: Tensor) -> Tensor:
    assert len(h.shape) == 4
    return h.view(len(h), len([1, 2]), -1)


def brought(net: Any, h: Tensor) -> Tensor:
    return h.to("cpu").cpu().to(h.device) * h.to(device=torch.device("cpu"), non_blocking=True)


def half_the_length(net: Any, h: Tensor) -> Tensor:
    return h[: len(h) // 2]


def times_the_batch(net: Any, h: Tensor) -> Tensor:
    return h * h.size(0)


def half_the_batch(net: Any, h: Tensor) -> Tensor:
    return h * (h.size(0) // 4)


def large_batches(net: Any, h: Tensor) -> Tensor:
    return h * 2 if h.size(0) > 4 else h


def this_shape(net: Any, h: Tensor) -> Tensor:
    return h * 2 if h.shape == (8, 4, 8, 8) else h


def positive(net: Any, h: Tensor) -> Tensor:
    return h * 2 if h.max() > 0 else h


@pytest.mark.parametrize(
    ("middle", "can"),
    [
        *((one, True) for one in (flat_features, until_small, half_the_height, each_channel)),
        (times_the_batch, True),
        (by_lengths, True),
        (brought, True),
        (half_the_length, False),
        *((one, False) for one in (half_the_batch, large_batches, this_shape, positive)),
    ],
)
def test_code_may_ask_for_sizes_and_is_followed_where_no_batch_changes_them(
    middle: Middle, can: bool
) -> None:
    net = Net(middle)
    assert (follow(net, (1, 8, 8), None) is not None) is can
    for x in (X, X[:3]):
        assert torch.allclose(net(x), as_written(net, x), rtol=1e-4, atol=1e-5)


def test_weights_are_todays_however_a_script_changes_them() -> None:
    net = Net().train()
    optimizer = torch.optim.Adagrad(net.parameters(), lr=0.1)  # torch does not count its steps
    for change in (
        lambda: F.cross_entropy(net.train()(X), Y).backward() or optimizer.step(),
        lambda: [one.data.mul_(0.5) for one in net.parameters()],
        lambda: net.fc.weight.data[2, 17:25].add_(3.0),
        lambda: setattr(net.conv.weight, "data", net.conv.weight.data * 2),
        lambda: net.norm.running_mean.data.add_(1.0),
    ):
        net.eval()
        with torch.no_grad():
            before = net(X)
            with torch.enable_grad():
                change()
            after = net.eval()(X)
            plain = as_written(net)
        assert not torch.allclose(before, after, atol=1e-4)
        assert torch.allclose(after, plain, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW", "Adagrad", "Adadelta"])
def test_gradients_may_lie_in_memory_in_another_order(kind: str) -> None:
    found = []
    for form in (torch.contiguous_format, torch.channels_last):
        weight = nn.Parameter(torch.linspace(-1, 1, 108).view(4, 3, 3, 3))
        optimizer = getattr(torch.optim, kind)([weight], lr=0.1)
        for turn in range(3):
            gradient = torch.sin(weight.detach() * (turn + 1) + torch.arange(3.0))
            weight.grad = gradient.contiguous(memory_format=form)
            optimizer.step()
        found.append(weight.detach().clone())
    assert torch.allclose(*found, rtol=1e-5, atol=1e-6)


def test_gradients_of_gradients_are_those_of_torch() -> None:
    def second(call: Callable[[nn.Module], Tensor]) -> list[Tensor]:
        net.zero_grad()
        weights = [weight for name, weight in net.named_parameters() if name != "conv.bias"]
        slopes = torch.autograd.grad(F.cross_entropy(call(net), Y), weights, create_graph=True)
        torch.stack([slope.pow(2).sum() for slope in slopes]).sum().backward()
        return [weight.grad.clone() for weight in weights if weight.grad is not None]

    net = Net(lambda net, h: F.softplus(h))
    found = second(lambda net: net(X))
    assert net.norm.num_batches_tracked == 1
    statistics = net.norm.running_mean.clone()
    for one, other in zip(found, second(as_written), strict=True):
        assert torch.allclose(one, other, atol=1e-4)
    assert not torch.equal(net.norm.running_mean, statistics)


def test_functions_of_a_network_are_transformed_by_torch() -> None:
    net = Net().eval()
    weights = {name: weight.detach() for name, weight in net.named_parameters()}

    def loss(given: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(torch.func.functional_call(net, given, (x[None],)), y[None])

    slopes = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))(weights, X, Y)
    F.cross_entropy(net(X), Y).backward()
    assert torch.allclose(slopes["fc.weight"].mean(0), net.fc.weight.grad, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
def test_threads_share_a_network_from_its_first_call_on(training: bool) -> None:
    net = Net(lambda net, h: F.relu(h)).train(training)
    wanted = as_written(net).detach()
    found: list[Tensor] = []
    ready = threading.Barrier(3)

    def call() -> None:
        ready.wait()
        with torch.set_grad_enabled(training):
            found.append(net(X).detach())
        assert all(weight.device.type == "cpu" for weight in net.parameters())

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert all(torch.allclose(one, wanted, atol=1e-5) for one in found)


def test_a_twin_holds_the_same_weights_in_modules_of_its_own() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sequential(nn.ReLU()))
    net.listed = [net[0]]  # type: ignore[assignment]
    made = Twin(net).module
    assert made[0].weight is net[0].weight  # type: ignore[index]
    assert made.listed[0] is made[0] is not net[0]  # type: ignore[index]
    made.eval()
    assert net[1][0].training  # type: ignore[index]


def test_what_other_threads_print_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    twin = Twin(nn.ReLU())
    with twin.watched():
        thread = threading.Thread(target=print, args=("from beside",))
        thread.start()
        thread.join()
    assert not twin.changed
    assert capsys.readouterr().out == "from beside\n"


def test_modules_with_a_hash_of_their_own_are_left_to_it() -> None:
    class Metric(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.total = 0

        def __hash__(self) -> int:
            return hash(self.total)

    assert Metric().total == 0


def test_a_function_in_the_place_of_a_layer_is_called() -> None:
    class Marked(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            return x.clamp(min=0)

        @staticmethod
        def backward(ctx: Any, slope: torch.Tensor) -> torch.Tensor:
            return 2 * slope

    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    x = torch.rand(5, 3)
    with installed("pytorch"):
        before = net(x)
        net._modules["1"] = Marked.apply  # type: ignore[assignment]
        y = net(x.requires_grad_())
        assert torch.allclose(before, y)
        y.sum().backward()
        with torch.no_grad():
            assert torch.allclose(net(x), y)
    assert x.grad is not None and x.grad.abs().sum() > 0


@pytest.mark.parametrize(
    "pool",
    [
        lambda x: F.avg_pool2d(x, x.size()[3]),
        lambda x: F.avg_pool2d(x, x.size()[2:]),
        lambda x: F.max_pool2d(x, kernel_size=x.shape[-1] // 2, stride=x.size(2)),
        lambda x: F.adaptive_avg_pool2d(x, (x.size(2) // 8, 1)),
        lambda x: torch.max_pool2d(x, 8),
        lambda x: torch.max_pool2d(x, (4, 8), stride=[8, 8], dilation=(2, 1)),
        lambda x: F.max_pool2d(x, 5, 8, 0, 1, True),  # rounded up, but not behind the end
    ],
)
def test_a_pooling_over_sizes_that_the_code_asks_for_is_followed(pool: Any) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.last = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Any:
            return self.last(pool(F.relu(self.conv(x))).view(x.size(0), -1))

    net, x = Net().eval(), torch.rand(5, 3, 8, 8)
    followed = follow(net, (3, 8, 8), None)
    assert followed is not None
    with torch.no_grad():
        torch.testing.assert_close(followed.evaluate(x), net(x))


def test_a_pooling_over_the_size_of_the_batch_is_not_followed() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3, padding=1)

        def forward(self, x: Tensor) -> Any:
            return F.avg_pool2d(self.conv(x), x.size(0))

    assert follow(Net(), (3, 8, 8), None) is None


def test_warnings_are_of_lines_that_the_script_has(tmp_path: Path) -> None:
    script = tmp_path / "x.py"
    script.write_text("""
import torch
import torch.nn.functional as F
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.place = nn.Linear(72, 6)

    def forward(self, x):
        grid = F.affine_grid(self.place(self.conv(x).flatten(1)).view(-1, 2, 3), x.size())
        return F.grid_sample(x, grid)

net = Net()
for _ in range(3):
    net(torch.ones(2, 1, 8, 8)).sum().backward()
""")
    program = f"from striate.dialects.program import run_script; run_script({str(script)!r})"
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    ).stderr
    told = [line for line in said.splitlines() if "UserWarning: Default grid_sample" in line]
    assert told
    assert all(line.startswith(str(script)) for line in told)


def test_the_profiler_finds_the_operations_of_torch() -> None:
    net, x = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).eval(), torch.rand(2, 3, 8, 8)
    with installed("pytorch"), torch.no_grad():
        expected = net(x)
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as seen:
            found = net(x)
        assert "aten::conv2d" in {row.key for row in seen.key_averages()}
        torch.testing.assert_close(found, expected)
        plan = torch.profiler.schedule(wait=1, warmup=1, active=1)
        with torch.profiler.profile(schedule=plan) as later:
            for _ in range(3):
                net(x)
                later.step()
    assert "aten::conv2d" in {row.key for row in later.key_averages()}
