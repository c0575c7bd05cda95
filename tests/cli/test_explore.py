"""striate explore: which run it shows, on which port, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from explored import keep, lenet
from typer.testing import CliRunner

from striate.cli import app
from striate.errors import ConfigError
from striate.explorer.serve import HOST, PORT, free_socket


def test_without_runs_it_says_how_to_make_one(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["explore", "--runs", str(tmp_path)])
    assert done.exit_code == 1
    assert done.stderr == (
        f"{tmp_path}: there are no runs to show\n  need  a run\n  fix   striate train mnist\n"
    )


def test_an_unknown_run_is_named_with_the_nearest(tmp_path: Path) -> None:
    keep(tmp_path, "digits", lenet())
    done = CliRunner().invoke(app, ["explore", "digit", "--runs", str(tmp_path)])
    assert done.exit_code == 1
    assert done.stderr == (
        "run 'digit': there is no such run\n  need  one of digits\n"
        '  fix   did you mean "digits"?\n'
    )


def test_a_port_that_is_taken_is_refused_and_else_the_next_is_used() -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.raises(ConfigError) as error:
            free_socket(taken)
        assert str(error.value) == (
            f"striate explore: port {taken} is taken\n  need  a free port\n  fix   leave out --port"
        )
    with free_socket() as first, free_socket() as second:
        assert first.getsockname()[0] == second.getsockname()[0] == HOST
        assert first.getsockname()[1] >= PORT
        assert first.getsockname()[1] != second.getsockname()[1]


def test_it_prints_the_address_serves_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    keep(tmp_path, "digits", lenet())
    command = [sys.executable, "-c", "from striate.cli import main; main()", "explore"]
    command += ["--runs", str(tmp_path)]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout and process.stderr
        address = process.stdout.readline().strip()
        assert address.startswith(f"http://{HOST}:")
        with urllib.request.urlopen(f"{address}api/runs") as answer:
            assert answer.read() == b'{"runs":["digits"],"chosen":"digits"}'
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(60) == 0
    assert rest == f"shows digits and the other runs of {tmp_path}; Ctrl-C ends it\nstopped\n"
