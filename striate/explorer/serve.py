"""Serve: a free port of this machine, and the server that listens on it until Ctrl-C."""

from __future__ import annotations

import base64
import gc
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import torch
import uvicorn

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


def serve(root: Path, chosen: str, port: int | None, started: Callable[[str], None]) -> None:
    """Show the runs of a folder until Ctrl-C; `started` is told the address."""
    torch.set_num_threads(1)  # one picture at a time: threads would wait longer than they compute
    sys.setswitchinterval(0.001)  # probabilities do not wait 5 ms for maps
    bound = free_socket(port)
    subjects = Subjects(root)
    address = f"http://{HOST}:{bound.getsockname()[1]}/"
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
    gc.freeze()  # what is loaded stays: to look for what can go is quick then
    started(address)
    threading.Thread(target=warm, args=(subjects[chosen],)).start()
    try:
        uvicorn.Server(settings).run(sockets=[bound])
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
