"""Fetched files: mirrors, checksums, broken connections, the cache, on a server of this machine."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from striate.data.datasets import fetch
from striate.errors import StoreError

CONTENT = bytes(range(256)) * 40


class Mirror(ThreadingHTTPServer):
    """Serves /good/, /other/ (another file) and /weak/, which breaks off after 1,000 bytes."""

    asked: list[tuple[str, str]]  # path and range of each request


class Answers(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        begin = int((self.headers["Range"] or "bytes=0-")[len("bytes=") : -1])
        self.server.asked.append((self.path, self.headers["Range"] or ""))
        place = self.path.split("/")[1]
        if place not in ("good", "other", "weak"):
            self.send_error(404)
            return
        content = (b"not this" if place == "other" else CONTENT)[begin:]
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:1000] if place == "weak" else content)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with Mirror(("127.0.0.1", 0), Answers) as server:
        server.asked = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def published(mirror: Mirror, *places: str) -> fetch.Published:
    """The file of these places of the server."""
    host = f"http://127.0.0.1:{mirror.server_port}"
    mirrors = [f"{host}/{place}/" for place in places]
    return fetch.Published("set.bin", mirrors, hashlib.sha256(CONTENT).hexdigest())


def test_the_first_mirror_that_has_the_file_gives_it_once(mirror: Mirror, tmp_path: Path) -> None:
    file = published(mirror, "absent", "other", "good")
    for _ in range(2):
        assert fetch.fetch(file, tmp_path).read_bytes() == CONTENT
    assert [path for path, _ in mirror.asked] == [
        "/absent/set.bin", "/other/set.bin", "/good/set.bin",
    ]  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["set.bin"]


def test_a_broken_connection_is_gone_on_with(mirror: Mirror, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"IncompleteRead\(0 bytes read, 9240 more expected\)"):
        fetch.fetch(published(mirror, "weak"), tmp_path)
    assert (tmp_path / "set.bin.part").read_bytes() == CONTENT[:1000]
    assert fetch.fetch(published(mirror, "good"), tmp_path).read_bytes() == CONTENT
    assert mirror.asked[-1] == ("/good/set.bin", "bytes=1000-")


def test_a_damaged_file_in_the_cache_is_fetched_again(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "set.bin").write_bytes(b"damaged")
    assert fetch.fetch(published(mirror, "good"), tmp_path).read_bytes() == CONTENT


def test_where_no_mirror_has_it_all_are_told(mirror: Mirror, tmp_path: Path) -> None:
    file = published(mirror, "absent", "other")
    with pytest.raises(StoreError) as caught:
        fetch.fetch(file, tmp_path)
    assert (
        str(caught.value)
        == f"""\
set.bin: could not be fetched
  got   {file.mirrors[0]}: Not Found
        {file.mirrors[1]}: another file, of 8 bytes
  need  the published file, sha256 {file.digest}
  fix   put it at {tmp_path / "set.bin"}, or work with mnist, which is shipped with the package"""
    )
    assert list(tmp_path.iterdir()) == []


def test_a_mirror_may_pack_a_file_anew(tmp_path: Path) -> None:
    for name in ("here", "cache"):
        (tmp_path / name).mkdir()
    (tmp_path / "here" / "x.gz").write_bytes(gzip.compress(CONTENT, 1, mtime=5))
    file = fetch.Published(
        "x.gz", [f"{(tmp_path / 'here').as_uri()}/"], hashlib.sha256(CONTENT).hexdigest(),
        zipped=True,
    )  # fmt: skip
    assert gzip.decompress(fetch.fetch(file, tmp_path / "cache").read_bytes()) == CONTENT
    (tmp_path / "cut.gz").write_bytes(gzip.compress(CONTENT)[:-9])
    assert not file.is_at(tmp_path / "cut.gz")


def test_records_of_cifar_are_pictures_and_labels(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (3, 3, 32, 32), np.uint8)
    labels = np.array([[1, 7], [0, 9], [1, 3]], np.uint8)
    rows = np.concatenate([labels, pixels.reshape(3, -1)], axis=1).tobytes()
    with tarfile.open(tmp_path / "set.tar.gz", "w:gz") as archive:
        head = tarfile.TarInfo("cifar/train.bin")
        head.size = len(rows)
        archive.addfile(head, io.BytesIO(rows))
    x, y = fetch.records(tmp_path / "set.tar.gz", ["train.bin"], 2, 1)
    assert (x == pixels.transpose(0, 2, 3, 1)).all() and y.tolist() == [7, 9, 3]
