"""Batches out of arrays, lists, dictionaries, data sets and iterables."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from striate.data.feed import ArrayFeed, IterableFeed, endless, feed, is_array, tensor, tensors
from striate.errors import DataError


def test_a_pass_holds_every_sample_once_and_rows_stay_together():
    x = np.arange(10, dtype=np.float32)[:, None]
    data = feed(x, np.arange(10), np.arange(10.0), batch_size=4, shuffle=True)
    batches = list(data)
    assert [batch.size for batch in batches] == [4, 4, 2] and len(data) == 3
    got = torch.cat([batch.x[0][:, 0] for batch in batches])
    assert sorted(got.tolist()) == list(range(10)) and got.tolist() != list(range(10))
    assert torch.equal(got, torch.cat([batch.y[0] for batch in batches]).float())
    assert torch.equal(got, torch.cat([batch.weight for batch in batches]))


def test_each_pass_has_its_own_order():
    data = feed(np.arange(50.0), batch_size=50, shuffle=True)
    assert not torch.equal(next(iter(data)).x[0], next(iter(data)).x[0])


def test_bytes_stay_bytes_and_share_their_memory():
    x = np.zeros((4, 2), np.uint8)
    made = tensor("x", x)
    made[0, 0] = 7
    assert made.dtype == torch.uint8 and x[0, 0] == 7


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.zeros(2), torch.float32),
        (np.zeros(2, np.uint16), torch.int64),
        (np.zeros(2, bool), torch.uint8),
        ([1, 2], torch.int64),
        ([0.5, 2.0], torch.float32),
        ([[1.0], [2.0]], torch.float32),
        (np.arange(4)[::-1], torch.int64),
        (np.broadcast_to(np.float32(1), (3,)), torch.float32),
        (torch.zeros(2, dtype=torch.float64), torch.float64),
    ],
)
def test_what_arrays_become(given, expected):
    made = tensor("x", given)
    assert made.dtype == expected
    assert made.tolist() == np.asarray(given).tolist()


def test_a_read_only_array_is_copied():
    x = np.zeros(3, np.float32)
    x.flags.writeable = False
    tensor("x", x)[0] = 1
    assert x[0] == 0


def test_several_inputs_and_dictionaries():
    a, b = np.zeros((3, 1)), np.ones((3, 2))
    assert [part.shape[1] for part in tensors("x", [a, b])] == [1, 2]
    assert [part.shape[1] for part in tensors("x", {"b": b, "a": a}, ("a", "b"))] == [1, 2]
    assert [part.shape[1] for part in tensors("x", {"b": b, "a": a})] == [2, 1]
    assert is_array({"a": a}) and is_array([a, b]) and is_array([1, 2.0])
    assert not is_array({}) and not is_array([(a, b)]) and not is_array("path")


def test_a_dictionary_of_other_names():
    with pytest.raises(DataError) as error:
        tensors("x", {"left": np.zeros(2)}, ("right",))
    assert str(error.value) == (
        "x: the dictionary has other names than the model\n  got   left\n  need  right"
    )


def test_split_takes_the_end():
    data = feed(np.arange(10.0), np.arange(10), np.arange(10.0), batch_size=3, shuffle=True)
    train, valid = data.split(0.3)
    assert train.x[0].tolist() == [0, 1, 2, 3, 4, 5, 6] and train.shuffle
    assert valid.x[0].tolist() == [7, 8, 9] and not valid.shuffle
    assert valid.y[0].tolist() == valid.weight.tolist() == [7, 8, 9]


def test_datasets_loaders_and_iterables():
    x, y = torch.arange(6.0)[:, None], torch.arange(6)
    for data in (
        feed(TensorDataset(x, y), batch_size=4),
        feed(DataLoader(TensorDataset(x, y), 4)),
        feed([(x[:4], y[:4]), (x[4:], y[4:])]),
    ):
        assert isinstance(data, IterableFeed) and len(data) == 2
        assert torch.equal(torch.cat([batch.y[0] for batch in data]), y)
    assert isinstance(feed(x, y), ArrayFeed)


def test_a_list_of_batches_with_several_inputs():
    a, b = np.zeros((3, 1), np.float32), np.ones((3, 2), np.float32)
    for x in ({"b": b, "a": a}, [a, b], (a, b)):
        data = feed([(x, np.zeros(3)), (x, np.zeros(3))], names=(("a", "b"), ("y",)))
        assert [[part.shape[1] for part in batch.x] for batch in data] == [[1, 2], [1, 2]]
    assert tensor("x", [(1, 2), (3, 4)]).shape == (2, 2) and is_array(a)


def test_a_dataset_that_is_only_a_stream():
    class Stream(IterableDataset):
        def __iter__(self):
            return iter(torch.arange(5.0))

    data = feed(Stream(), batch_size=2, shuffle=True)
    assert torch.cat([batch.x[0] for batch in data]).tolist() == [0, 1, 2, 3, 4]
    assert len(data) == 0


def test_a_dataset_is_shuffled_by_the_seed():
    data = TensorDataset(torch.arange(50.0))
    orders = []
    for number in (1, 1, 2):
        torch.manual_seed(number)
        orders.append(next(iter(feed(data, batch_size=50, shuffle=True))).x[0].tolist())
    assert orders[0] == orders[1] != orders[2] and orders[0] != sorted(orders[0])


def test_weights_in_batches():
    one = next(iter(feed(iter([(np.zeros((2, 1)), np.ones(2), np.full(2, 0.5))]))))
    assert one.weight.tolist() == [0.5, 0.5]


def test_looking_at_the_first_batch_takes_nothing_away():
    batches = [(np.full((2, 1), n), np.zeros(2)) for n in range(3)]
    for source in (iter(batches), batches):
        data = feed(source)
        assert data.first().x[0][0, 0] == 0
        assert [int(batch.x[0][0, 0]) for batch in data] == [0, 1, 2]
    assert feed(iter([])).first() is None
    assert feed(np.zeros((0, 2))).first() is None
    assert feed(np.zeros((5, 2)), np.zeros(5)).first().size == 1
    assert len(feed(iter(batches))) == 0


def test_endless_begins_again_and_ends_with_what_cannot():
    twice = endless(feed(np.arange(2.0), batch_size=1))
    assert [float(next(twice).x[0]) for _ in range(5)] == [0, 1, 0, 1, 0]
    assert len(list(endless(feed(iter([(np.zeros(2), np.zeros(2))]))))) == 1


def test_no_numbers():
    with pytest.raises(DataError) as error:
        tensor("x", np.array(["a", "b"]))
    assert str(error.value) == (
        "x: does not hold numbers\n"
        "  got   dtype <U1\n"
        "  need  an array of whole or floating-point numbers"
    )


def test_images_of_several_shapes():
    with pytest.raises(DataError) as error:
        tensor("x", [[1, 2], [3]])
    assert str(error.value) == (
        "x: does not hold numbers\n"
        "  got   dtype object\n"
        "  need  an array of whole or floating-point numbers\n"
        "  fix   np.stack(images), with images of one shape"
    )


def test_an_empty_batch():
    with pytest.raises(DataError) as error:
        list(feed([(None, np.zeros(2))]))
    assert str(error.value) == "x: a batch is empty\n  need  (x, y) or (x, y, weight)"


@pytest.mark.parametrize(("given", "kind"), [(None, "NoneType"), (3, "int"), ("a.png", "str")])
def test_what_holds_no_samples(given, kind):
    with pytest.raises(DataError) as error:
        feed(given)
    assert str(error.value) == (
        f"x: a value of type {kind} holds no samples\n"
        "  need  arrays, tensors, a Dataset, a DataLoader or an iterable of (x, y)"
    )


def test_the_same_batches_in_the_memory_of_a_device():
    x, y, weight = torch.arange(10), torch.arange(10) * 2, torch.ones(10)
    data = ArrayFeed((x,), (y,), weight, 4, True)
    torch.manual_seed(1)
    expected = [batch.x[0] for batch in data]
    torch.manual_seed(1)
    for batch, there in zip(data.to(torch.device("cpu")), expected, strict=True):
        assert torch.equal(batch.x[0], there) and torch.equal(batch.y[0], 2 * there)
    assert {one.device.type for one in data.to(torch.device("meta")).all().x} == {"meta"}
