"""The process that has the real Keras: gets choices, gives a program's text and two runs of it."""

from __future__ import annotations

import os
import pickle
import sys
import tempfile
from pathlib import Path

SHAKEN = 1e-6


def main() -> None:
    """Answer until the other side closes."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed is no answer
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras
    import torch

    from .keras_writer import Writer, weights
    from .scripts import run

    torch.set_num_threads(1)
    writer = Writer(keras)
    while True:
        try:
            asked = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        if isinstance(asked, int):
            answer = writer.program(asked)
        else:
            runs = []
            with tempfile.TemporaryDirectory() as scratch:
                os.chdir(scratch)
                text = writer.text(asked)
                os.chdir(Path(__file__).parent)
            folder = tempfile.mkdtemp()
            for shake in (SHAKEN, 0):
                os.chdir(folder)
                keras.backend.clear_session()
                runs.append(run(text, {"weights": weights(shake), "other": lambda path: path}))
            answer = (text, runs[1], runs[0], folder)
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    main()
