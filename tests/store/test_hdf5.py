"""HDF5 files of strangers: what points elsewhere, and what is larger than it looks, is refused."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from cases import told

from striate.store.hdf5 import Archive, pack

FIX = "\n  fix   save the file again with Keras, or use an intact copy"


def soft(file, folder):
    file["a"] = np.zeros(2)
    file["b"] = h5py.SoftLink("/a")


def external(file, folder):
    file["b"] = h5py.ExternalLink("/etc/passwd", "x")


def twice(file, folder):
    group = file.create_group("a")
    group["b"] = group


def outside(file, folder):
    (folder / "raw").write_bytes(bytes(16))
    file.create_dataset("b", (2,), "f8", external=[(str(folder / "raw"), 0, 16)])


def virtual(file, folder):
    layout = h5py.VirtualLayout((2,), "f8")
    layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "x", (2,))
    file.create_virtual_dataset("b", layout)


def squeezed(file, folder):
    file.create_dataset("b", data=np.zeros(1000), compression="gzip")


def huge(file, folder):
    file.create_dataset("b", (10**12,), "f8")


def objects(file, folder):
    file.create_dataset("b", data=[file.ref], dtype=h5py.ref_dtype)


def deep(file, folder):
    file.create_group("/".join("abcdefgh" * 5))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (soft, "b is a link to another place\n  need  the data themselves"),
        (external, "b is a link to another place\n  need  the data themselves"),
        (twice, "a/b is in the file under two names\n  need  one name"),
        (outside, "b lies in another file\n  need  the data themselves"),
        (virtual, "b lies in another file\n  need  the data themselves"),
        (squeezed, "b is compressed\n  need  plain data, as Keras writes them"),
        (huge, "b is larger than the file\n  got   8000000000000 bytes\n  need  its numbers"),
        (objects, "b is not an array of numbers\n  got   object\n  need  numbers"),
        (deep, f"{'/'.join(('abcdefgh' * 5)[:33])} holds too much\n  need  100000 objects at most"),
    ],
)
def test_refused(make, message, tmp_path):
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as file:
        make(file, tmp_path)
    assert told(lambda: Archive("file.h5", path.read_bytes())) == f"file.h5: {message}{FIX}"


def test_no_hdf5():
    assert told(lambda: Archive("file.h5", b"nothing")) == (
        "file.h5: is not an HDF5 file, or is damaged\n"
        "  got   Unable to synchronously open file (file signature not found)\n"
        "  fix   use an intact copy"
    )


def test_what_is_packed_is_found():
    data = pack({"a/b": np.arange(3)}, {"": {"words": ["x", "yz"]}, "a": {"text": "ä"}, "c": {}})
    archive = Archive("file.h5", data)
    assert archive.array("a/b").tolist() == [0, 1, 2]
    assert archive.texts("", "words") == ["x", "yz"]
    assert archive.text("a", "text") == "ä"
    assert archive.texts("a", "words") is None
    assert archive.groups == {"": ["a", "c"], "a": [], "c": []}
    assert told(lambda: archive.array("a/c")) == (
        "file.h5: a/c is missing\n  need  an array of numbers" + FIX
    )
