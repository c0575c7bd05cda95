"""Writes plans/*.txt, with which tests/lower/test_golden.py compares.

The plans of the tutorials' networks and of ResNet-20, for training and for inference. Run it when
a plan has changed on purpose, and look at the difference.
"""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "plans"
sys.path.insert(0, str(FOLDER.parents[2]))

from benchmarks.networks import NETWORKS  # noqa: E402
from benchmarks.peers.striate import ready  # noqa: E402


def text(name: str) -> str:
    """Return both plans of a network."""
    network = NETWORKS[name]
    model = ready(network, "")
    training = model.lower(network.batch, training=True, dtype="uint8").explain()
    return f"{training}\n\n{model.lower(256, dtype='uint8').explain()}\n"


if __name__ == "__main__":
    for name in NETWORKS:
        (FOLDER / f"{name}.txt").write_text(text(name))
