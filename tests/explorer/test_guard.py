"""Who may ask the page, and how much may be sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from explored import Visitor

from striate.explorer import guard


@pytest.fixture
def visitor(tmp_path: Path) -> Visitor:
    return Visitor(tmp_path)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8250", ""]
)
def test_another_host_name_is_refused(visitor: Visitor, host: str) -> None:
    status, message = visitor.refused("GET", "/api/runs", headers={"host": host})
    assert (status, message) == (421, "striate explore: this address is not the explorer's")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_page_is_refused(visitor: Visitor, headers: dict[str, str], method: str) -> None:
    status, message = visitor.refused(method, "/api/runs", headers=headers)
    assert (status, message) == (403, "striate explore: another page asks")


@pytest.mark.parametrize("host", ["127.0.0.1:8250", "localhost:8250", "[::1]:8250"])
def test_the_loopback_is_answered_under_each_of_its_names(visitor: Visitor, host: str) -> None:
    headers = {"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"}
    assert visitor.ask("GET", "/api/runs", headers=headers).status_code == 200


def test_a_body_that_says_it_is_large_is_not_read(visitor: Visitor) -> None:
    status, message = visitor.refused(
        "POST", "/api/predict", headers={"content-length": str(10**9)}, content=b"{}"
    )
    assert (status, message) == (
        413,
        "striate explore: the request is larger than 12,582,912 bytes",
    )


def test_a_body_that_lies_about_its_size_is_cut(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "MAX_BODY", 1000)

    async def endless():
        for _ in range(10_000):
            yield b"x" * 100

    status, _ = visitor.refused("POST", "/api/predict", content=endless())
    assert status == 413


def test_every_answer_forbids_foreign_scripts_and_frames(visitor: Visitor) -> None:
    for path in ("/", "/static/app/main.js", "/api/runs", "/nothing"):
        headers = visitor.ask("GET", path).headers
        assert (
            "default-src 'none'; script-src 'self'; style-src 'self'"
            in (headers["content-security-policy"])
        )
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "server" not in headers
        assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    "path",
    [
        "/static/../guard.py",
        "/static/%2e%2e/guard.py",
        "/static/%252e%252e/guard.py",
        "/static/..%2fguard.py",
        "/static/..\\guard.py",
        "/static/%00",
        "/static//etc/passwd",
        "/api/model?run=..%2F..%2Fetc",
        "/api/model?run=%00",
        "/api/model?run=/etc",
    ],
)
def test_no_path_leads_out_of_the_folders(visitor: Visitor, path: str) -> None:
    answer = visitor.ask("GET", path)
    assert answer.status_code in (404, 422)
    assert "import" not in answer.text and "root:" not in answer.text
