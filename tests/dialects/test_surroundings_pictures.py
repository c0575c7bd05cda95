"""cv2 and skimage where they are not installed: numbers worked out by hand, or of their manuals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from striate.dialects.resampling import along, gaussian, mirrored, scaling, smoothing
from striate.dialects.session import Script
from striate.dialects.surroundings import surrounded
from striate.dialects.table import DialectError


@pytest.fixture
def cv2() -> Iterator[Any]:
    with surrounded(Script()):
        import cv2  # type: ignore[import-not-found]

        yield cv2


@pytest.fixture
def skimage() -> Iterator[Any]:
    with surrounded(Script()):
        import skimage.color
        import skimage.exposure
        import skimage.metrics
        import skimage.util  # type: ignore[import-not-found]

        yield skimage


@pytest.mark.parametrize(
    ("kind", "size", "new", "values", "expected"),
    [
        ("linear", 2, 4, [0, 100], [0, 25, 75, 100]),
        ("linear", 4, 2, [0, 10, 20, 90], [5, 55]),
        ("nearest", 4, 2, [1, 2, 3, 4], [1, 3]),
        ("area", 3, 2, [0, 30, 90], [10, 70]),
        ("area", 2, 4, [0, 100], [0, 25, 75, 100]),  # it grows as linear does
    ],
)
def test_an_axis_of_another_size(
    kind: str, size: int, new: int, values: list[float], expected: list[float]
) -> None:
    matrix = scaling(size, new, kind)
    np.testing.assert_allclose(matrix.sum(1), 1)
    np.testing.assert_allclose(matrix @ values, expected, atol=1e-9)


def test_the_cubic_is_that_of_torch() -> None:
    image = np.random.default_rng(0).random((5, 7))
    found = along(image, scaling(5, 8, "cubic"), scaling(7, 3, "cubic"))
    expected = torch.nn.functional.interpolate(
        torch.tensor(image)[None, None], (8, 3), mode="bicubic", align_corners=False
    )
    np.testing.assert_allclose(found, expected[0, 0], atol=1e-9)


def test_smoothing_is_mirrored_at_the_ends() -> None:
    np.testing.assert_array_equal(mirrored(np.arange(-3, 6), 3), [1, 2, 1, 0, 1, 2, 1, 0, 1])
    matrix = smoothing(3, np.array([0.25, 0.5, 0.25]))
    np.testing.assert_allclose(matrix @ [0, 4, 8], [2, 4, 6])
    image = np.arange(24.0).reshape(2, 4, 3)
    same = along(image, np.eye(2), np.eye(4))
    np.testing.assert_array_equal(same, image)
    assert gaussian(1.0, 3).sum() == pytest.approx(1)


def test_pictures_are_blue_first(cv2: Any, tmp_path: Path) -> None:
    file = str(tmp_path / "a.png")
    Image.new("RGB", (3, 2), (200, 100, 50)).save(file)
    image = cv2.imread(file)
    assert image.shape == (2, 3, 3) and image[0, 0].tolist() == [50, 100, 200]
    assert cv2.imread(file, cv2.IMREAD_GRAYSCALE)[0, 0] == 124
    assert cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[0, 0] == 124  # 0.114*50 + 0.587*100 + 0.299*200
    assert cv2.cvtColor(image, cv2.COLOR_BGR2RGB)[0, 0].tolist() == [200, 100, 50]
    assert cv2.imread(str(tmp_path / "none.png")) is None
    assert cv2.imwrite(file, image) and np.array(Image.open(file))[0, 0].tolist() == [200, 100, 50]
    assert cv2.imdecode(np.fromfile(file, np.uint8), 1).tolist() == image.tolist()
    colours = np.uint8([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 200, 30], [7, 7, 7]]])
    hsv = cv2.cvtColor(colours, cv2.COLOR_BGR2HSV)
    assert hsv[0, :3].tolist() == [[120, 255, 255], [60, 255, 255], [0, 255, 255]]
    back = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    assert np.abs(back.astype(int) - colours).max() <= 3


def test_pictures_are_changed(cv2: Any) -> None:
    image = np.uint8([[0, 100], [200, 250]])
    assert cv2.resize(image, (4, 2))[0].tolist() == [0, 25, 75, 100]  # width before height
    assert cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).tolist() == [[138]]
    assert cv2.flip(image, 1).tolist() == [[100, 0], [250, 200]]
    assert cv2.flip(image, 0).tolist() == [[200, 250], [0, 100]]
    assert cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE).tolist() == [[200, 0], [250, 100]]
    half = cv2.threshold(image, 150, 255, cv2.THRESH_BINARY)
    assert half[0] == 150 and half[1].tolist() == [[0, 0], [255, 255]]
    assert 100 <= cv2.threshold(image, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0] < 200
    assert cv2.addWeighted(image, 0.5, image, 1.0, 10).tolist() == [[10, 160], [255, 255]]
    line = np.float32([[0, 0, 0, 0, 16, 0, 0, 0, 0]])
    np.testing.assert_allclose(
        cv2.GaussianBlur(line, (5, 1), 0)[0, 2:7], 16 * gaussian(1.1, 2), rtol=1e-6
    )
    border = cv2.copyMakeBorder(image, 1, 0, 0, 1, cv2.BORDER_CONSTANT, value=7)
    assert border.tolist() == [[7, 7, 7], [0, 100, 7], [200, 250, 7]]
    turn = cv2.getRotationMatrix2D((0.5, 0.5), 90, 1)
    assert cv2.warpAffine(image, turn, (2, 2)).tolist() == [[100, 250], [0, 200]]
    spots = cv2.rectangle(np.zeros((5, 5, 3), np.uint8), (1, 1), (3, 3), (0, 9, 0), -1)
    assert spots[2, 2].tolist() == [0, 9, 0] and not spots[0].any()
    assert cv2.applyColorMap(image, cv2.COLORMAP_JET)[0, 0].tolist() == [128, 0, 0]
    with pytest.raises(DialectError, match="pip install opencv-python"):
        cv2.resize(image, (3, 3), interpolation=cv2.INTER_LANCZOS4)


def test_pictures_of_skimage_are_floats(skimage: Any, tmp_path: Path) -> None:
    file = str(tmp_path / "a.png")
    Image.new("RGB", (4, 2), (255, 0, 51)).save(file)
    image = skimage.io.imread(file)
    assert image.dtype == np.uint8 and image.shape == (2, 4, 3)
    np.testing.assert_allclose(skimage.color.rgb2gray(image), 0.2125 + 0.2 * 0.0721)
    half = skimage.transform.resize(image, (2, 2))
    np.testing.assert_allclose(half, np.broadcast_to([1, 0, 0.2], (2, 2, 3)))
    kept = skimage.transform.resize(image, (2, 2, 3), preserve_range=True, anti_aliasing=False)
    assert kept.max() == 255 and skimage.transform.rescale(image, 0.5).shape == (1, 2, 3)
    wide = skimage.transform.resize(np.array([[0.0, 1.0]]), (1, 4), mode="edge")
    np.testing.assert_allclose(wide, [[0, 0.25, 0.75, 1]])
    turned = skimage.transform.rotate(np.eye(3), 90)
    np.testing.assert_allclose(turned, np.eye(3)[::-1], atol=1e-6)
    assert skimage.img_as_ubyte(np.array([0.2, 1.0])).tolist() == [51, 255]
    noisy = skimage.util.random_noise(half, var=0.01, seed=0)
    assert noisy.min() >= 0 and noisy.max() <= 1
    assert skimage.metrics.peak_signal_noise_ratio(np.zeros(4), np.full(4, 0.1)) == pytest.approx(
        20
    )
    with pytest.raises(DialectError, match="order=3"):
        skimage.transform.resize(image, (2, 2), order=3)


def test_exposure_and_hue_of_an_image(skimage: Any) -> None:
    exposure, color = skimage.exposure, skimage.color
    image = np.array([[0, 0, 1, 3]], "uint8")
    np.testing.assert_allclose(exposure.equalize_hist(image), [[0.5, 0.5, 0.75, 1]])
    assert exposure.rescale_intensity(image).tolist() == [[0, 0, 85, 255]]
    stretched = exposure.rescale_intensity(image / 2.0, out_range=(-1, 1))
    np.testing.assert_allclose(stretched, [[-1, -1, -1 / 3, 1]])
    assert exposure.adjust_gamma(np.array([[255, 64]], "uint8"), 2).tolist() == [[255, 16]]
    counts, middles = exposure.histogram(image)
    assert counts.tolist() == [2, 1, 0, 1] and middles.tolist() == [0, 1, 2, 3]
    hsv = color.rgb2hsv(np.array([[[0, 0, 255], [0, 128, 0]]], "uint8"))
    np.testing.assert_allclose(hsv, [[[2 / 3, 1, 1], [1 / 3, 1, 128 / 255]]])
    np.testing.assert_allclose(color.hsv2rgb(hsv), [[[0, 0, 1], [0, 128 / 255, 0]]], atol=1e-9)


def test_measures_are_those_of_scikit_image(skimage: Any) -> None:
    """Numbers of scikit-image 0.26 for the same images."""
    draws = np.random.RandomState(0)
    first = draws.rand(20, 24, 3)
    second = np.clip(first + 0.1 * draws.randn(20, 24, 3), 0, 1)
    early, late = ((one * 255).astype(np.uint8) for one in (first, second))
    alike = skimage.metrics.structural_similarity
    assert alike(first, second, channel_axis=-1, data_range=1) == pytest.approx(0.9539980377)
    assert alike(early[..., 0], late[..., 0]) == pytest.approx(0.9545808306)
    assert alike(early, late, multichannel=True, gaussian_weights=True, sigma=1.5,
                 use_sample_covariance=False) == pytest.approx(0.9541187391)  # fmt: skip
    mean, places = alike(first[..., 0], second[..., 0], 5, data_range=1.0, full=True)
    assert (mean, places.sum()) == pytest.approx((0.9537985928, 457.26608718))
    measure = skimage.metrics.peak_signal_noise_ratio
    assert measure(first, second) == pytest.approx(20.80743245510942)
    assert measure(early, late) == pytest.approx(20.808022272352655)
    assert measure(first - 0.5, second - 0.5) == pytest.approx(26.828032368389046)
    assert measure(first, first) == float("inf")
    assert skimage.metrics.mean_squared_error(early, late) == pytest.approx(539.85625)
    roots = [skimage.metrics.normalized_root_mse(first, second, normalization=one)
             for one in ("euclidean", "min-max", "mean")]  # fmt: skip
    assert roots == pytest.approx([0.1571169411, 0.0911903197, 0.1823437384])


def test_measures_of_images_that_do_not_fit(skimage: Any) -> None:
    alike = skimage.metrics.structural_similarity
    with pytest.raises(ValueError, match="win_size exceeds image extent"):
        alike(np.zeros((5, 9)), np.zeros((5, 9)))
    with pytest.raises(ValueError, match="same dimensions"):
        alike(np.zeros((9, 9)), np.zeros((9, 8)))
    with pytest.raises(DialectError, match="pip install scikit-image"):
        alike(np.zeros((9, 9)), np.zeros((9, 9)), gradient=True)


def test_lightness_and_the_two_colours_of_lab(skimage: Any) -> None:
    color = skimage.color
    lab = color.rgb2lab(np.array([[[255, 255, 255], [255, 0, 0]]], "uint8"))
    np.testing.assert_allclose(lab, [[[100, 0, 0], [53.24, 80.09, 67.20]]], atol=0.02)
    np.testing.assert_allclose(color.lab2rgb(lab), [[[1, 1, 1], [1, 0, 0]]], atol=1e-3)


@pytest.mark.parametrize(
    ("kind", "bytes_"),
    [
        # light 124.2; (200 - 124.2) * 0.713 + 128, (50 - 124.2) * 0.564 + 128
        ("YCrCb", [124, 182, 86]), ("YUV", [124, 91, 194]),
        ("HLS", [10, 125, 153]),  # 30 - 20 degrees by the half; (200 + 50) / 2; 150 / 250
    ],
)  # fmt: skip
def test_other_spaces_of_colours(cv2: Any, kind: str, bytes_: list[int]) -> None:
    image = np.full((2, 2, 3), (50, 100, 200), "uint8")
    found = cv2.cvtColor(image, getattr(cv2, f"COLOR_BGR2{kind}"))
    assert found[0, 0].tolist() == bytes_
    same = cv2.cvtColor(image[..., ::-1], getattr(cv2, f"COLOR_RGB2{kind}"))
    assert (same == found).all()
    back = cv2.cvtColor(found, getattr(cv2, f"COLOR_{kind}2BGR"))
    assert abs(back.astype(int) - image).max() <= 2
    lab = cv2.cvtColor(np.full((1, 1, 3), 255, "uint8"), cv2.COLOR_BGR2LAB)
    assert lab[0, 0].tolist() == [255, 128, 128]
    assert cv2.PSNR(image, image + 1) == pytest.approx(48.13, abs=0.01)  # 20 log10(255)
