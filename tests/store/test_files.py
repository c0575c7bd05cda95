"""Files are written whole or not at all, and a manifest notices every change."""

from __future__ import annotations

import hashlib

import pytest
from cases import told

from striate.store import files


def test_a_file_is_written_and_replaced(tmp_path):
    path = tmp_path / "new" / "a.bin"
    assert files.write_atomic(path, b"one") == path
    assert files.write_atomic(str(path), b"two") == path
    assert files.read(path) == b"two"
    assert [item.name for item in path.parent.iterdir()] == ["a.bin"]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    files.write_atomic(path, b"old")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    assert told(lambda: files.write_atomic(path, b"new")) == (
        f"{path}: cannot be written\n"
        "  got   No space left on device\n"
        "  need  3 bytes of space and the right to write there\n"
        "  fix   another folder, or more space"
    )
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["a.bin"]


def test_a_link_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "target").write_bytes(b"mine")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    files.write_atomic(tmp_path / "link", b"new")
    assert (tmp_path / "target").read_bytes() == b"mine"
    assert not (tmp_path / "link").is_symlink()


def test_a_file_that_cannot_be_read(tmp_path):
    assert told(lambda: files.read(tmp_path)) == (
        f"{tmp_path}: cannot be read\n  got   Is a directory\n  fix   check the path"
    )


PARTS = {"b": b"two", "a": b"one"}
ONE, TWO = (hashlib.sha256(data).hexdigest() for data in (b"one", b"two"))


def test_the_manifest_is_that_of_sha256sum():
    assert files.manifest(PARTS) == f"{ONE}  a\n{TWO}  b\n".encode()
    files.verify("run", files.manifest(PARTS), PARTS)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"a": b"One", "b": b"two"},
            "run: a was changed or damaged\n"
            f"  got   sha256 {hashlib.sha256(b'One').hexdigest()}\n"
            f"  need  sha256 {ONE}\n"
            "  fix   use an intact copy",
        ),
        ({"a": b"one"}, "run: b is missing\n  need  a, b\n  fix   use an intact copy"),
        (
            {**PARTS, "c": b""},
            "run: c is not in the manifest\n  need  a, b\n  fix   use an intact copy",
        ),
    ],
)
def test_a_change_is_noticed(parts, message):
    assert told(lambda: files.verify("run", files.manifest(PARTS), parts)) == message
