"""What a script's run keeps of its samples."""

import numpy as np
import pytest

from striate.errors import StoreError
from striate.store import samples

RNG = np.random.default_rng(0)


def test_samples_come_back_as_they_were(tmp_path):
    x, y = RNG.random((20, 3, 4, 1)), RNG.integers(0, 5, (20, 1))
    digits = RNG.integers(0, 256, (7, 8, 8), np.uint8)
    samples.keep(tmp_path, {"train": (x, y), "test": (digits, y[:7]), "other": None})
    kept = samples.load(tmp_path)
    assert sorted(kept) == ["test", "train"]
    assert kept["train"][0].dtype == np.float32  # as the model takes them
    assert np.array_equal(kept["train"][0], x.astype(np.float32))
    assert np.array_equal(kept["train"][1], y)
    assert np.array_equal(kept["test"][0], digits) and kept["test"][0].dtype == np.uint8


def test_of_many_samples_the_first_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(samples, "MOST_BYTES", 1000)
    x = RNG.random((50, 5, 10)).astype(np.float32)  # 200 bytes each
    samples.keep(tmp_path, {"train": (x, np.arange(50))})
    kept, labels = samples.load(tmp_path)["train"]
    assert np.array_equal(kept, x[:5]) and labels.tolist() == [0, 1, 2, 3, 4]


def test_what_is_not_numbers_is_not_kept(tmp_path):
    words = np.array(["a", "b"], dtype=object)
    assert samples.keep(tmp_path, {"train": (words, np.arange(2)), "test": None}) is None
    assert samples.load(tmp_path) == {}


@pytest.mark.parametrize("damage", [b"", b"no archive at all", None])
def test_a_damaged_file_is_told(tmp_path, damage):
    path = samples.keep(tmp_path, {"test": (RNG.random((40, 9)), np.arange(40))})
    path.write_bytes(path.read_bytes()[:-200] if damage is None else damage)
    with pytest.raises(StoreError, match=r"samples\.npz: is damaged"):
        samples.load(tmp_path)


def test_code_in_a_file_is_not_run(tmp_path):
    harmful = np.array([print], dtype=object)
    np.savez(tmp_path / "samples.npz", train_x=harmful, train_y=np.arange(1))
    with pytest.raises(StoreError, match="allow_pickle"):
        samples.load(tmp_path)


def test_samples_without_labels_are_kept_apart(tmp_path):
    samples.keep(tmp_path, {"train": (np.ones((4, 2)), None), "test": (np.ones((3, 2)), range(3))})
    assert list(samples.load(tmp_path)) == ["test"]
    ((name, x),) = samples.unlabelled(tmp_path).items()
    assert (name, x.shape) == ("train", (4, 2))
