"""ReNom's changes of images, and what events of its trainer find, by numbers worked out here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from striate.dialects import installed
from striate.dialects.table import DialectError


@pytest.fixture(scope="module")
def da() -> Iterator[Any]:
    with installed("renom"):
        from renom.utility.image import data_augmentation

        yield data_augmentation


def picture() -> Any:
    return np.arange(12, dtype=np.float32).reshape(2, 2, 3)


def test_flips_turn_one_axis_or_both(da: Any) -> None:
    x = picture()
    np.testing.assert_array_equal(da.flip(x, 1), x[None, :, ::-1])
    np.testing.assert_array_equal(da.Flip(2).transform(x), x[None, ::-1])
    np.testing.assert_array_equal(da.flip(x, flip=3), x[None, ::-1, ::-1])
    np.testing.assert_array_equal(da.flip(x, 0), x[None])


def test_random_flips_turn_half_of_the_images(da: Any) -> None:
    x = np.stack([picture()] * 6)
    turned = [not np.array_equal(one, picture()) for one in da.flip(x, 1, random=True)]
    assert sum(turned) == 3


def test_crops_and_shifts_take_other_cells(da: Any) -> None:
    x = np.arange(16.0).reshape(1, 4, 4, 1)
    np.testing.assert_array_equal(da.crop(x, (1, 2), (2, 2)), x[:, 1:3, 2:4])
    moved = da.shift(x, (1, -1))
    np.testing.assert_array_equal(moved[0, 1:, :3], x[0, :3, 1:])
    assert not moved[0, 0].any() and not moved[0, :, 3].any()
    near = da.shift(x, (1, 0), fill_mode="nearest")
    np.testing.assert_array_equal(near[0, 0], x[0, 0])
    assert da.crop(x, size=(2, 3), random=True).shape == (1, 2, 3, 1)


def test_a_part_outside_of_the_image_is_an_error(da: Any) -> None:
    with pytest.raises(DialectError) as told:
        da.crop(np.zeros((4, 4, 1)), (3, 0), (2, 2))
    assert str(told.value).startswith(
        "ReNom 2.7 Crop: the part does not lie in the image\n"
        "  got   left_top=(3, 0), size=(2, 2)\n"
        "  need  a part of 4 rows and 4 columns\n"
    )


def test_boxes_are_not_changed(da: Any) -> None:
    with pytest.raises(DialectError, match="boxes are not changed here: there are no detectors"):
        da.Flip(1).transform(picture(), labels=np.zeros((1, 5)), num_class=1)


def test_a_quarter_turn_moves_each_cell(da: Any) -> None:
    x = np.arange(9.0).reshape(1, 3, 3, 1)
    np.testing.assert_array_equal(da.rotate(x, 90)[0, ..., 0], np.rot90(x[0, ..., 0], -1))
    np.testing.assert_array_equal(da.Rotate(0).transform(x), x)


def test_sizes_and_ranges(da: Any) -> None:
    x = np.full((4, 4, 3), 51.0, np.float32)
    assert da.resize(x, (2, 6)).shape == (1, 2, 6, 3)
    np.testing.assert_allclose(da.resize(x, (2, 6)), 51.0, rtol=1e-6)
    assert da.zoom(x, 2).shape == (1, 4, 4, 3)
    np.testing.assert_allclose(da.rescale(x), 0.2, rtol=1e-6)
    np.testing.assert_allclose(da.Rescale("zero").transform(x), -0.3, rtol=1e-6)
    np.testing.assert_allclose(da.rescale(x, option=[-1, 1]), -0.6, rtol=1e-6)
    shifted = [51 - 123.68, 51 - 116.779, 51 - 103.939]
    np.testing.assert_allclose(da.rescale(x, "vgg")[0, 0, 0], shifted, rtol=1e-5)


def test_colours_are_changed_as_hue_saturation_value(da: Any) -> None:
    x = np.array([[[100.0, 50.0, 50.0]]], np.float32)
    np.testing.assert_allclose(da.color_jitter(x, v=2), [[[[200, 100, 100]]]], rtol=1e-5)
    np.testing.assert_allclose(da.ColorJitter(s=1.5).transform(x), [[[[100, 25, 25]]]], rtol=1e-5)
    green = np.array([[[0.0, 90.0, 0.0]]], np.float32)  # hue 1 / 3
    np.testing.assert_allclose(da.color_jitter(green, h=2), [[[[0, 0, 90]]]], atol=1e-4)


def test_changes_follow_one_another(da: Any) -> None:
    made = da.DataAugmentation([da.Flip(1), da.Rescale()])
    found = made.create(picture())
    np.testing.assert_allclose(found, picture()[None, :, ::-1] / 255, rtol=1e-6)
    assert found.dtype == np.float32


def test_events_of_the_trainer_find_lists_for_one_card() -> None:
    with installed("renom"):
        import renom as rm
        from renom.utility.distributor import NdarrayDistributor
        from renom.utility.trainer import Trainer

        seen: dict[str, Any] = {}
        model = rm.Dense(1)
        x, y = np.arange(18.0).reshape(6, 3) / 18, np.arange(6.0).reshape(6, 1) / 6
        trainer = Trainer(model, 1, rm.mean_squared_error, 3, rm.Sgd(0.1))

        @trainer.events.updated
        def updated(trainer: Any) -> None:
            seen["losses"] = trainer.losses[0].as_ndarray()
            seen["loss"] = float(trainer.loss)
            seen["shapes"] = trainer.data[0].shape, trainer.targets[0].shape
            seen["out"] = trainer.outputs[0].shape

        @trainer.events.end_epoch
        def ended(trainer: Any) -> None:
            seen["mean"] = float(trainer.avg_train_loss.as_ndarray())

        trainer.train(NdarrayDistributor(x, y))
        assert seen["shapes"] == ((3, 3), (3, 1)) and seen["out"] == (3, 1)
        assert seen["loss"] == pytest.approx(float(seen["losses"]))
        assert seen["mean"] == pytest.approx(trainer.train_loss_list[0])
        assert trainer.test(x).as_ndarray().shape == (6, 1)
