"""Batches that fit, batches that nearly fit, and what is said of the others."""

from __future__ import annotations

import pytest
import torch

from striate.core.spec import Spec
from striate.data.fit import check_batch, diagnosis
from striate.errors import ShapeError

GREY, COLOUR = Spec((28, 28, 1)), Spec((32, 24, 3))


def test_what_fits_is_the_same_tensor():
    x = torch.zeros(2, 28, 28, 1)
    assert check_batch("m", (GREY,), (x,))[0] is x


def test_bytes_become_floats_and_floats_keep_their_width():
    assert check_batch("m", (GREY,), (torch.zeros(2, 28, 28, 1, dtype=torch.uint8),))[0].dtype == (
        torch.float32
    )
    double = torch.zeros(2, 28, 28, 1, dtype=torch.float64)
    assert check_batch("m", (GREY,), (double,))[0].dtype == torch.float64
    words = torch.zeros(2, 5, dtype=torch.int32)
    assert check_batch("m", (Spec((5,), "int64"),), (words,))[0].dtype == torch.int64


def test_a_row_of_another_width():
    with pytest.raises(ShapeError) as error:
        check_batch("model", (Spec((4,)),), (torch.zeros(5, 3),))
    assert str(error.value) == (
        "model: the batch does not fit the model's input\n"
        "  got   (5, 3)\n"
        "  need  (N, 4)\n"
        "  fix   samples of shape (4,), with the batch axis first"
    )


def test_grey_images_get_their_channel():
    x = torch.arange(2 * 28 * 28.0).reshape(2, 28, 28)
    assert torch.equal(check_batch("m", (GREY,), (x,))[0], x[..., None])
    first = Spec((1, 28, 28), data_format="channels_first")
    assert torch.equal(check_batch("m", (first,), (x,))[0], x[:, None])


def test_a_last_axis_of_one_is_left_out_where_the_input_has_none():
    x = torch.arange(2 * 28 * 28.0).reshape(2, 28, 28, 1)
    assert torch.equal(check_batch("m", (Spec((28, 28)),), (x,))[0], x[..., 0])
    with pytest.raises(ShapeError):
        check_batch("m", (Spec((28, 28)),), (x[..., None],))


def test_an_unknown_size_takes_any():
    x = torch.zeros(2, 50, 3, 1)
    assert check_batch("m", (Spec((None, None, 1)),), (x,))[0] is x


def test_another_number_of_inputs():
    with pytest.raises(ShapeError) as error:
        check_batch("model", (GREY, Spec((4,))), (torch.zeros(2, 4),))
    assert str(error.value) == (
        "model: takes 2 inputs, not 1\n"
        "  need  (28, 28, 1), (4,)\n"
        "  fix   one array for each input, in the order of model.inputs"
    )


def test_the_whole_message():
    with pytest.raises(ShapeError) as error:
        check_batch("model", (COLOUR,), (torch.zeros(5, 3, 32, 24),))
    assert str(error.value) == (
        "model: the batch does not fit the model's input\n"
        "  got   (5, 3, 32, 24)\n"
        "  need  (N, 32, 24, 3)\n"
        "  fix   the channels are first, the model takes them last: x.transpose(0, 2, 3, 1)"
    )


@pytest.mark.parametrize(
    ("spec", "shape", "said"),
    [
        (COLOUR, (32, 24, 3), "this is one sample without the batch axis: x[None]"),
        (
            Spec((3, 32, 24), data_format="channels_first"),
            (5, 32, 24, 3),
            "the channels are last, the model takes them first: x.transpose(0, 3, 1, 2)",
        ),
        (
            COLOUR,
            (5, 32, 24, 1),
            "the model takes 3 channels, the batch has 1: np.repeat(x, 3, -1)",
        ),
        (
            COLOUR,
            (5, 64, 64, 3),
            "resize the images: L.Resizing(32, 24)(x), or put the layer in front",
        ),
        (GREY, (5, 784), "the images are flat: x.reshape(-1, 28, 28, 1)"),
        (Spec((4,)), (5, 3), "samples of shape (4,), with the batch axis first"),
        (COLOUR, (5, 32, 24), "samples of shape (32, 24, 3), with the batch axis first"),
    ],
)
def test_what_was_probably_meant(spec, shape, said):
    assert diagnosis(spec, shape) == said


def test_the_advice_on_channels_is_right():
    x = torch.zeros(5, 3, 32, 24)
    assert check_batch("m", (COLOUR,), (x.permute(0, 2, 3, 1),))[0].shape == (5, 32, 24, 3)
    first = Spec((3, 32, 24), data_format="channels_first")
    y = torch.zeros(5, 32, 24, 3)
    assert check_batch("m", (first,), (y.permute(0, 3, 1, 2),))[0].shape == (5, 3, 32, 24)
