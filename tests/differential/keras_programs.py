"""Random programs of Keras 3: by the real one in a process of its own, and by Striate's dialect."""

from __future__ import annotations

import contextlib
import os
import pickle
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from striate.dialects import installed

from .hunt import Choice, Finding
from .keras_writer import weights
from .outcomes import Outcome, difference
from .scripts import run

HERE = Path(__file__).resolve().parent
PYTHON = HERE / ".venv" / "bin" / "python"


class Programs:
    """Random programs of Keras 3."""

    def __init__(self, real: subprocess.Popen[bytes]) -> None:
        self.real = real
        self.failed = 0

    def ask(self, question: Any) -> Any:
        """Return what the process with the real Keras answers."""
        assert self.real.stdin is not None and self.real.stdout is not None
        pickle.dump(question, self.real.stdin)
        self.real.stdin.flush()
        return pickle.load(self.real.stdout)

    def program(self, seed: int) -> tuple[Choice, ...]:
        """Return the choices of a random program."""
        choices: tuple[Choice, ...] = self.ask(seed)
        return choices

    def finding(self, choices: Sequence[Choice]) -> Finding:
        """Run a program both ways, and compare."""
        text, plain, shaken, folder = self.ask(tuple(choices))
        mine = here(text, Path(folder))
        shutil.rmtree(folder)
        if plain.error:
            self.failed += 1
            return Finding(text, "")
        return Finding(text, difference(plain, mine, shaken), mine.where)

    def said(self) -> str:
        """Return how many programs the real Keras refused after all."""
        return f"{self.failed} were refused by the real Keras at their second run."


def here(text: str, theirs: Path) -> Outcome:
    """Run a text by the dialect, in a folder of its own; the real Keras's files are in `theirs`."""
    before = Path.cwd()
    words = {"weights": weights(0), "other": lambda path: str(theirs / path)}
    with tempfile.TemporaryDirectory() as scratch, installed("keras3"):
        os.chdir(scratch)
        try:
            return run(text, words)
        finally:
            os.chdir(before)


@contextlib.contextmanager
def language() -> Iterator[Programs]:
    """Have the programs of Keras 3; `scripts/differential` installs the real one."""
    torch.set_num_threads(1)
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent), "KERAS_BACKEND": "torch"}
    command = [str(PYTHON), "-W", "ignore", "-m", f"{__package__}.keras_real"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=environment,
    ) as real:  # fmt: skip
        yield Programs(real)
        real.stdin.close()  # type: ignore[union-attr]
