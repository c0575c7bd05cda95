"""The shipped data: the published bytes, the shapes that a user feeds, and damage that is told."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

import striate as st
from striate.data import datasets
from striate.errors import ConfigError, StoreError

FOLDER = Path(datasets.__file__).parent / "mnist"
# The hashes that the publishers of the four files and their mirrors state.
PUBLISHED = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


@pytest.mark.parametrize(("name", "sha256"), PUBLISHED.items())
def test_shipped_files_decompress_to_the_published_bytes(name: str, sha256: str) -> None:
    content = gzip.decompress((FOLDER / f"{name}.gz").read_bytes())
    assert hashlib.sha256(content).hexdigest() == sha256
    assert sha256 in (FOLDER / "ATTRIBUTION.md").read_text()


def test_authors_and_licence_lie_beside_the_data() -> None:
    text = (FOLDER / "ATTRIBUTION.md").read_text()
    for words in ("Yann LeCun", "Corinna Cortes", "Christopher J. C. Burges", "CC BY-SA 3.0"):
        assert words in text


def test_mnist_is_what_everybody_knows() -> None:
    (x_train, y_train), (x_test, y_test) = st.datasets.mnist()
    assert (x_train.shape, y_train.shape) == ((60000, 28, 28, 1), (60000,))
    assert (x_test.shape, y_test.shape) == ((10000, 28, 28, 1), (10000,))
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype("uint8")}
    assert y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert y_test[:5].tolist() == [7, 2, 1, 0, 4]
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(y_train).tolist() == counts
    # mean and deviation that two decades of scripts normalise with
    assert round(float(x_train.mean()) / 255, 4) == 0.1307
    assert round(float(x_train.std()) / 255, 4) == 0.3081


def test_arrays_belong_to_the_caller() -> None:
    (x, _), _ = datasets.mnist()
    x[:] = 0
    (again, _), _ = datasets.mnist()
    assert again.max() == 255


def test_small_part_is_the_beginning_of_the_real_data(mnist_small) -> None:
    (x_train, y_train), (x_test, y_test) = mnist_small
    full_train, full_test = datasets.mnist()
    np.testing.assert_array_equal(x_train, full_train[0][:2000])
    np.testing.assert_array_equal(y_train, full_train[1][:2000])
    np.testing.assert_array_equal(x_test, full_test[0][:500])
    np.testing.assert_array_equal(y_test, full_test[1][:500])


def test_class_names() -> None:
    assert datasets.class_names("mnist") == ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")


def test_class_names_of_an_unknown_data_set() -> None:
    with pytest.raises(ConfigError) as error:
        datasets.class_names("mnits")
    assert str(error.value) == (
        "class_names: dataset='mnits' is not known\n"
        "  need  dataset one of 'mnist', 'fashion_mnist', 'cifar10'\n"
        '  fix   did you mean "mnist"?'
    )


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped folder that a test may damage."""
    folder = tmp_path / "mnist"
    shutil.copytree(FOLDER, folder)
    monkeypatch.setattr(datasets, "_MNIST", folder)
    return folder


def test_changed_content_is_refused_with_both_hashes(copied: Path) -> None:
    file = copied / "t10k-labels-idx1-ubyte.gz"
    content = bytearray(gzip.decompress(file.read_bytes()))
    content[-1] = 7
    file.write_bytes(gzip.compress(content))
    with pytest.raises(StoreError) as error:
        datasets.mnist()
    assert str(error.value) == (
        f"{file}: the content is not the published one\n"
        f"  got   sha256 {hashlib.sha256(content).hexdigest()}\n"
        "  need  sha256 ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2\n"
        "  fix   pip install --force-reinstall striate"
    )


def test_cut_file_is_refused(copied: Path) -> None:
    file = copied / "train-labels-idx1-ubyte.gz"
    file.write_bytes(file.read_bytes()[:20000])
    with pytest.raises(StoreError) as error:
        datasets.mnist()
    assert str(error.value) == (
        f"{file}: the gzip data are damaged or cut\n"
        "  got   Compressed file ended before the end-of-stream marker was reached\n"
        "  fix   pip install --force-reinstall striate"
    )


def test_missing_file_is_named(copied: Path) -> None:
    file = copied / "t10k-images-idx3-ubyte.gz"
    file.unlink()
    with pytest.raises(StoreError) as error:
        datasets.mnist()
    assert str(error.value) == (
        f"{file}: cannot be read\n"
        "  got   No such file or directory\n"
        "  fix   pip install --force-reinstall striate"
    )
