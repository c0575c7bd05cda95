"""Serve: a free port of this machine, and the server that listens on it until Ctrl-C."""

from __future__ import annotations

import base64
import gc
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from html import escape
from pathlib import Path

import torch
import uvicorn
from typing_extensions import Self

from ..errors import ConfigError, StriateError
from . import requests, view, why
from .server import page
from .subject import Subject, Subjects

HOST = "127.0.0.1"
PORT, TRIED = 8250, 20


def free_socket(port: int | None = None) -> socket.socket:
    """Return a socket that listens on `port` of the loopback, or on the first free one from 8250.

    Raises: ConfigError if the port that was asked for is taken.
    """
    for candidate in [port] if port is not None else [*range(PORT, PORT + TRIED), 0]:
        # asyncio sends at once (TCP_NODELAY) only where the protocol is named; else the end of an
        # answer waits up to 40 ms for the browser to confirm its beginning
        one = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((HOST, candidate))
            one.listen(128)
        except OSError:
            one.close()
            continue
        return one
    raise ConfigError(
        "striate explore", f"port {port} is taken", need="a free port", fix="leave out --port"
    )


def address_of(bound: socket.socket) -> str:
    """Return the address of the page behind a socket."""
    return f"http://{HOST}:{bound.getsockname()[1]}/"


def server_of(subjects: Subjects, chosen: str) -> uvicorn.Server:
    """Return the server of the page that shows runs, beginning with `chosen`."""
    settings = uvicorn.Config(
        page(subjects, chosen),
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        limit_concurrency=200,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(settings)


class Explorer:
    """The page of a model: served at `address`, to this machine alone, until it is closed.

    It is closed by `close()`, at the end of a `with`, and with the program; then `closed` is
    called. A notebook shows its link.
    """

    def __init__(
        self,
        subjects: Subjects,
        chosen: str,
        port: int | None = None,
        closed: Callable[[], object] = bool,
    ) -> None:
        self.subjects, self._closed = subjects, closed
        self._socket = free_socket(port)
        self.address = address_of(self._socket)
        self._server = server_of(subjects, chosen)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )
        self._thread.start()

    def wait(self) -> None:
        """Let the program stay until Ctrl-C."""
        try:
            self._thread.join()
        except KeyboardInterrupt:
            self.close()

    def close(self) -> None:
        """End the server."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
        self._closed()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Explorer at {self.address}"

    def _repr_html_(self) -> str:
        address = escape(self.address)
        return f'<a href="{address}" target="_blank" rel="noopener">{address}</a>'


def serve(root: Path, chosen: str, port: int | None, started: Callable[[str], None]) -> None:
    """Show the runs of a folder until Ctrl-C; `started` is told the address."""
    torch.set_num_threads(1)  # one picture at a time: threads would wait longer than they compute
    sys.setswitchinterval(0.001)  # probabilities do not wait 5 ms for maps
    bound = free_socket(port)
    subjects = Subjects(root)
    server = server_of(subjects, chosen)
    gc.freeze()  # what is loaded stays: to look for what can go is quick then
    started(address_of(bound))
    threading.Thread(target=warm, args=(subjects[chosen],)).start()
    try:
        server.run(sockets=[bound])
    except KeyboardInterrupt:
        pass
    finally:
        bound.close()


def warm(subject: Subject) -> None:
    """Open a run before the page asks for it; what goes wrong, the page will be told."""
    with suppress(StriateError):
        view.model(subject)
        blank = base64.b64encode(bytes(subject.grid.size))
        view.traced(subject, requests.Trace(run=subject.name, pixels=blank))
        view.predict(subject, requests.Edited(run=subject.name, pixels=blank))
        why.speaks(subject, requests.Why(run=subject.name, pixels=blank))
