"""Optimizers against those of Keras; their state, their messages, and torch's optimizers."""

from __future__ import annotations

import dataclasses
import functools
import json

import pytest
import torch
from cases import told
from golden.make_keras_optimizers import FILE, LOOK, OPTIMIZERS, key

from striate import optimizers
from striate.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop, TorchOptimizer, schedules

KERAS = json.loads(FILE.read_text())
SHAPES = [(3, 2), (4,)]


def tensors(values):
    return [torch.tensor(value) for value in values]


def same(ours, theirs):
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-6, atol=1e-6)


def equal(ours, theirs):
    return all(torch.equal(mine, other) for mine, other in zip(ours, theirs, strict=True))


def random_steps(count, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return [[torch.randn(shape, generator=rng) for shape in SHAPES] for _ in range(count)]


def take(optimizer, weights, state, steps):
    for grads in steps:
        optimizer.update(weights, grads, state, optimizer.rate(state))


@pytest.mark.parametrize(("name", "fields"), OPTIMIZERS, ids=str)
def test_twenty_steps_are_those_of_keras(name, fields):
    expected = KERAS["optimizers"][key(name, fields)]
    weights = tensors(KERAS["first"])
    optimizer = getattr(optimizers, name)(**fields)
    state = optimizer.init(weights)
    for step, grads in enumerate(KERAS["grads"], 1):
        take(optimizer, weights, state, [tensors(grads)])
        if step in LOOK:
            same(weights, tensors(expected[str(step)]))
    optimizer.finalize(weights, state)
    same(weights, tensors(expected["final"]))


def test_every_optimizer_is_compared():
    assert {name.lower() for name, _ in OPTIMIZERS} == set(optimizers.rules.NAMES)


@pytest.mark.parametrize(("name", "fields"), OPTIMIZERS, ids=str)
def test_a_restored_state_continues_with_the_same_bits(name, fields):
    optimizer = getattr(optimizers, name)(**fields)
    steps = random_steps(13)
    weights = tensors(KERAS["first"])
    state = optimizer.init(weights)
    take(optimizer, weights, state, steps[:6])
    flat = {word: value.clone() for word, value in optimizer.flatten(state).items()}
    copies = [weight.clone() for weight in weights]
    again = optimizer.init(copies)
    optimizer.restore(again, flat)
    take(optimizer, weights, state, steps[6:])
    take(optimizer, copies, again, steps[6:])
    assert again["step"] == state["step"] == 13
    assert equal(weights, copies)
    ours, theirs = optimizer.flatten(state), optimizer.flatten(again)
    assert list(ours) == list(theirs)
    assert equal(ours.values(), theirs.values())


def test_the_names_of_the_state():
    optimizer = Adam(use_ema=True, gradient_accumulation_steps=2)
    flat = optimizer.flatten(optimizer.init([torch.ones(2)]))
    assert list(flat) == ["step", "momentum/0", "velocity/0", "accumulated/0", "average/0"]


def test_another_optimizers_state_is_refused():
    weights = [torch.ones(3)]
    flat = SGD(momentum=0.9).flatten(SGD(momentum=0.9).init([torch.ones(2)]))
    assert told(lambda: Adam().restore(Adam().init(weights), flat)) == (
        "Adam: the saved state belongs to another optimizer or another model\n"
        "  got   momentum/0 (2,), no velocity/0\n"
        "  need  momentum/0 (3,), velocity/0 (3,)\n"
        "  fix   compile with the optimizer of the saved run, or begin without its state"
    )


def test_the_gradients_stay_and_a_weight_without_one_stays():
    weights, grads = [torch.ones(2), torch.ones(2)], [torch.full((2,), 9.0), None]
    optimizer = AdamW(0.1, clipnorm=1.0)
    state = optimizer.init(weights)
    take(optimizer, weights, state, [grads])
    assert torch.equal(grads[0], torch.full((2,), 9.0))
    assert not torch.equal(weights[0], torch.ones(2))
    assert torch.equal(weights[1], torch.ones(2))
    assert torch.equal(state["velocity"][1], torch.zeros(2))


def test_a_step_without_any_gradient_only_counts():
    weights = [torch.ones(2)]
    state = AdamW().init(weights)
    take(AdamW(), weights, state, [[None]])
    assert state["step"] == 1
    assert torch.equal(weights[0], torch.ones(2))


def test_excluded_weights_do_not_decay():
    weights, names = [torch.ones(2), torch.ones(2)], ["conv2d/kernel", "conv2d/bias"]
    optimizer = SGD(0.5, weight_decay=0.1, exclude_from_weight_decay=["bias"])
    zeros = [torch.zeros(2), torch.zeros(2)]
    state = optimizer.init(weights)
    optimizer.update(weights, zeros, state, optimizer.rate(state), names)
    assert torch.equal(weights[0], torch.full((2,), 0.95))
    assert torch.equal(weights[1], torch.ones(2))
    assert told(lambda: optimizer.update(weights, zeros, state, 0.5)) == (
        "SGD: exclude_from_weight_decay cannot be followed: the weights have no names here\n"
        "  got   exclude_from_weight_decay=('bias',), names=()\n"
        "  need  update(..., names=[...]), one name for each parameter\n"
        "  fix   give names to update, or leave exclude_from_weight_decay out"
    )


def test_centered_rmsprop_survives_gradients_that_do_not_vary():
    weights = [torch.zeros(3)]
    optimizer = RMSprop(centered=True)
    take(optimizer, weights, optimizer.init(weights), [[torch.full((3,), 1e3)]] * 300)
    assert weights[0].isfinite().all()


def test_a_schedule_sets_the_rate_of_each_step():
    weights = [torch.zeros(1)]
    optimizer = SGD(schedules.PiecewiseConstantDecay([1], [1.0, 0.5]))
    take(optimizer, weights, optimizer.init(weights), [[torch.ones(1)]] * 4)
    assert weights[0].item() == -3.0
    assert SGD(lambda step: step / 4).rate({"step": 3}) == 0.75
    assert dataclasses.replace(optimizer, learning_rate=0.2).rate({"step": 0}) == 0.2


@pytest.mark.parametrize("given", ["adamw", "AdamW", "ADAM_W", AdamW, AdamW(), {"name": "AdamW"}])
def test_get_takes_names_classes_objects_and_descriptions(given):
    assert optimizers.get(given) == AdamW()


@pytest.mark.parametrize(("name", "fields"), OPTIMIZERS, ids=str)
def test_a_description_gives_the_same_optimizer_back(name, fields):
    optimizer = getattr(optimizers, name)(**fields)
    assert optimizers.get(json.loads(json.dumps(optimizer.get_config()))) == optimizer


def test_a_description_keeps_its_schedule():
    optimizer = Adam(schedules.WarmUp(schedules.CosineDecay(0.1, 100), steps=10))
    assert optimizers.get(json.loads(json.dumps(optimizer.get_config()))) == optimizer


def test_get_makes_an_object_of_a_class_of_ones_own():
    @dataclasses.dataclass(frozen=True)
    class Sign(Optimizer):
        def rule(self, params, grads, state, lr, step):
            for param, grad in zip(params, grads, strict=True):
                param -= lr * grad.sign()

    weights = [torch.zeros(2)]
    optimizer = optimizers.get(Sign)
    take(optimizer, weights, optimizer.init(weights), [[torch.tensor([3.0, -2.0])]])
    assert weights[0].tolist() == pytest.approx([-0.001, 0.001])


def test_messages_of_get():
    assert told(lambda: optimizers.get("adan")) == (
        "optimizers: unknown optimizer 'adan'\n"
        "  need  one of adadelta, adagrad, adam, adamax, adamw, nadam, rmsprop, sgd\n"
        '  fix   did you mean "adam"?'
    )
    assert told(lambda: optimizers.get(3)) == (
        "optimizers: an optimizer is a name, an optimizer of Striate or torch, or makes one from "
        "weights\n"
        "  got   3\n"
        "  need  one of sgd, rmsprop, adam, adamw, nadam, adamax, adagrad, adadelta, or "
        "lambda weights: torch.optim.SGD(weights, lr=0.01)\n"
        '  fix   "adam"'
    )


COMMON = (
    "weight_decay, exclude_from_weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, "
    "ema_momentum, ema_overwrite_frequency, gradient_accumulation_steps"
)


@pytest.mark.parametrize(
    ("make", "got", "fields", "fix"),
    [
        (SGD, "lr=0.1", "momentum, nesterov", "learning_rate=0.1"),
        (Adam, "eps=0.1", "beta_1, beta_2, epsilon, amsgrad", "epsilon=0.1"),
        (Adam, "beta1=0.1", "beta_1, beta_2, epsilon, amsgrad", "beta_1=0.1"),
        (RMSprop, "alpha=0.1", "rho, momentum, epsilon, centered", "rho=0.1"),
        (SGD, "momentun=0.1", "momentum, nesterov", 'did you mean "momentum"?'),
    ],
)
def test_a_word_of_others_is_answered_with_ours(make, got, fields, fix):
    word = got.split("=")[0]
    message = told(lambda: make(**{word: 0.1}))
    headline, got_row, need, fix_row, at = message.splitlines()
    assert [headline, got_row, need, fix_row] == [
        f"{make.__name__}: there is no argument {word!r}",
        f"  got   {got}",
        f"  need  one of learning_rate, {COMMON}, {fields}",
        f"  fix   {fix}",
    ]
    assert at.startswith("  at    test_optimizers.py:")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: SGD(momentum=1.5),
            "SGD: momentum=1.5 cannot work\n"
            "  got   momentum=1.5\n"
            "  need  a number, 0 <= momentum <= 1\n"
            "  fix   momentum=0.0",
        ),
        (
            lambda: Adam(beta_2=1),
            "Adam: beta_2=1 cannot work\n"
            "  got   beta_2=1\n"
            "  need  a number, 0 <= beta_2 < 1\n"
            "  fix   beta_2=0.999",
        ),
        (
            lambda: Adam(gradient_accumulation_steps=1),
            "Adam: gradient_accumulation_steps=1 cannot work\n"
            "  got   gradient_accumulation_steps=1\n"
            "  need  a whole number, gradient_accumulation_steps >= 2\n"
            "  fix   give gradient_accumulation_steps a whole number of at least 2",
        ),
        (
            lambda: AdamW(weight_decay=None),
            "AdamW: weight_decay=None cannot work\n"
            "  got   weight_decay=None\n"
            "  need  a number, weight_decay >= 0\n"
            "  fix   weight_decay=0.004",
        ),
        (
            lambda: SGD(-0.1),
            "SGD: learning_rate=-0.1 cannot work\n"
            "  got   learning_rate=-0.1\n"
            "  need  a number, learning_rate >= 0\n"
            "  fix   learning_rate=0.001",
        ),
        (
            lambda: SGD("fast"),
            "SGD, learning_rate: is neither a number nor a schedule\n"
            "  got   learning_rate='fast'\n"
            "  need  a number >= 0, a schedule, or a function from the step to a number\n"
            "  fix   learning_rate=0.001, or "
            "optimizers.schedules.CosineDecay(0.001, decay_steps=1000)",
        ),
        (
            lambda: SGD(clipnorm=1.0, clipvalue=0.5),
            "SGD: more than one way of clipping gradients\n"
            "  got   clipnorm=1.0, clipvalue=0.5\n"
            "  need  at most one of clipnorm, clipvalue, global_clipnorm\n"
            "  fix   keep clipvalue=0.5",
        ),
    ],
)
def test_messages_of_fields(make, message):
    assert told(make) == message


def test_a_rule_must_be_defined():
    weights = [torch.ones(1)]
    with pytest.raises(TypeError, match=r"^Optimizer does not define rule$"):
        take(Optimizer(), weights, Optimizer().init(weights), [[torch.ones(1)]])


# ---- torch ---------------------------------------------------------------------------------------


def momentum_of_torch(weights):
    return torch.optim.SGD(weights, lr=0.1, momentum=0.9)


def test_a_torch_optimizer_makes_the_steps_that_it_makes_alone():
    steps = random_steps(5)
    ours, theirs = tensors(KERAS["first"]), tensors(KERAS["first"])
    optimizer = optimizers.get(functools.partial(torch.optim.AdamW, lr=0.1))
    take(optimizer, ours, optimizer.init(ours), steps)
    alone = torch.optim.AdamW(theirs, lr=0.1)
    for grads in steps:
        for weight, grad in zip(theirs, grads, strict=True):
            weight.grad = grad
        alone.step()
    assert equal(ours, theirs)
    assert all(weight.grad is None for weight in ours)


def test_a_torch_optimizer_that_exists_trains_the_weights_it_has():
    weights = [torch.ones(2), torch.ones(2)]
    optimizer = optimizers.get(torch.optim.SGD(weights[:1], lr=0.5))
    take(optimizer, weights, optimizer.init(weights), [[torch.ones(2), torch.ones(2)]])
    assert [weight.tolist() for weight in weights] == [[0.5, 0.5], [1.0, 1.0]]


def test_groups_keep_the_proportion_of_their_rates():
    weights = [torch.zeros(1), torch.zeros(1)]
    made = torch.optim.SGD([{"params": weights[:1]}, {"params": weights[1:], "lr": 0.2}], lr=0.1)
    optimizer = dataclasses.replace(optimizers.get(made), learning_rate=1.0)
    state = optimizer.init(weights)
    take(optimizer, weights, state, [[torch.ones(1), torch.ones(1)]])
    assert [weight.item() for weight in weights] == [-1.0, -2.0]
    optimizer.update(weights, [torch.ones(1), torch.ones(1)], state, 0.0)
    optimizer.update(weights, [torch.ones(1), torch.ones(1)], state, 0.5)
    assert [weight.item() for weight in weights] == [-1.5, -3.0]


def test_a_torch_optimizers_state_continues_with_the_same_bits():
    steps = random_steps(8)
    for make in (momentum_of_torch, torch.optim.AdamW, torch.optim.SGD, torch.optim.Rprop):
        optimizer = TorchOptimizer(given=make, use_ema=True)
        weights = tensors(KERAS["first"])
        state = optimizer.init(weights)
        take(optimizer, weights, state, steps[:4])
        flat = {word: value.clone() for word, value in optimizer.flatten(state).items()}
        copies = [weight.clone() for weight in weights]
        again = optimizer.init(copies)
        optimizer.restore(again, flat)
        take(optimizer, weights, state, steps[4:])
        take(optimizer, copies, again, steps[4:])
        assert again["step"] == state["step"] == 8
        assert equal(weights, copies)


def test_a_torch_optimizer_describes_itself_by_name():
    config = optimizers.get(momentum_of_torch).get_config()
    assert (config["name"], config["given"]) == ("TorchOptimizer", "momentum_of_torch")
    made = torch.optim.SGD([torch.ones(1)])
    assert optimizers.get(made).get_config()["given"] == "SGD"


def test_messages_of_torch_optimizers():
    weights = [torch.ones(2)]
    assert told(lambda: optimizers.get(len).init(weights)) == (
        "optimizer: the function does not return a torch optimizer\n"
        "  got   len returned int\n"
        "  need  a function from a list of weights to a torch optimizer\n"
        "  fix   lambda weights: torch.optim.SGD(weights, lr=0.01)"
    )
    strange = torch.optim.SGD([*weights, torch.ones(3)])
    assert told(lambda: optimizers.get(strange).init(weights)) == (
        "torch.optim.SGD: trains weights that the model does not have\n"
        "  got   1 of its 2 weights are not of the model, the first of shape (3,)\n"
        "  need  the weights of this model\n"
        "  fix   give a function instead, which gets the model's weights: "
        "lambda weights: torch.optim.SGD(weights, ...)"
    )
    assert told(lambda: optimizers.get(torch.optim.LBFGS).init(weights)) == (
        "torch.optim.LBFGS: evaluates the loss several times in one step, which fit does not do\n"
        "  got   step(closure)\n"
        "  need  a step without a closure\n"
        "  fix   torch.optim.SGD or torch.optim.AdamW"
    )


@pytest.mark.parametrize("index", [0, 7])
def test_another_torch_state_is_refused(index):
    weights = [torch.ones(3)]
    optimizer = optimizers.get(momentum_of_torch)
    flat = {"step": torch.tensor(1), f"torch/momentum_buffer/{index}": torch.ones(2)}
    assert told(lambda: optimizer.restore(optimizer.init(weights), flat)) == (
        "SGD: the saved state belongs to another optimizer or another model\n"
        f"  got   torch/momentum_buffer/{index} (2,)\n"
        "  need  1 weights, [(3,)] first\n"
        "  fix   compile with the optimizer of the saved run, or begin without its state"
    )


def test_words_that_cannot_work():
    assert told(lambda: optimizers.SGD(nesterov="yes")) == (
        "SGD: nesterov='yes' is neither True nor False\n  fix   nesterov=True"
    )
    assert told(lambda: optimizers.Adam(exclude_from_weight_decay="bias")) == (
        "Adam: exclude_from_weight_decay='bias' is not a list of names\n"
        "  need  parts of the names of weights\n"
        '  fix   exclude_from_weight_decay=("bias", "gamma", "beta")'
    )
