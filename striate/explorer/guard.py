"""Guard: what stands between the network and the page: who may ask, how much, and the headers."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from ..errors import StriateError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
MAX_BODY = 12 * 2**20  # bytes: an image of 10 MB, and what surrounds it
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


class Guard:
    """An ASGI application around another that refuses strangers and bodies that are too large."""

    def __init__(self, app: Any, hosts: tuple[str, ...] = LOOPBACK) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
                return
            await self.app(scope, receive, send)
            return
        headers = {
            key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]
        }
        refusal = self._refusal(headers)
        if refusal:
            await _refuse(send, *refusal)
            return
        body = _Body(receive)
        with suppress(_TooLarge):
            await self.app(scope, body, _adding(send, body))
        if body.count > MAX_BODY:
            await _refuse(send, 413, f"the request is larger than {MAX_BODY:,} bytes")

    def _refusal(self, headers: dict[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if host.rpartition(":")[0] not in self.hosts and host not in self.hosts:
            return 421, "this address is not the explorer's"
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            return 403, "another page asks"
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return 403, "another page asks"
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY:
            return 413, f"the request is larger than {MAX_BODY:,} bytes"
        return None


class _TooLarge(Exception):
    """More bytes came than are taken."""


class _Body:
    """The body of a request, counted; reading it ends where it is too large."""

    def __init__(self, receive: Receive) -> None:
        self.receive, self.count = receive, 0

    async def __call__(self) -> Message:
        message = await self.receive()
        self.count += len(message.get("body", b""))
        if self.count > MAX_BODY:
            raise _TooLarge
        return message


def _adding(send: Send, body: _Body | None = None) -> Send:
    """Return a `send` that adds the headers, and is silent about a body that was too large."""

    async def sends(message: Message) -> None:
        if body is not None and body.count > MAX_BODY:
            return
        if message["type"] == "http.response.start":
            message["headers"] = [
                *((key, value) for key, value in message["headers"] if key != b"server"),
                *((key.encode(), value.encode()) for key, value in HEADERS.items()),
            ]
        await send(message)

    return sends


async def _refuse(send: Send, status: int, what: str) -> None:
    body = json.dumps(told(StriateError("striate explore", what))).encode()
    length = str(len(body)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", length)]
    await _adding(send)({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def told(error: StriateError) -> dict[str, Any]:
    """Return a message in its rows, as the page shows it."""
    return {"error": {"where": error.where, "what": error.what, "rows": error.rows}}
