"""No framework: `import torch`, and nothing done with it. No peer over torch can start sooner."""

from __future__ import annotations

import torch  # noqa: F401

from .. import networks as N
from ..protocol import Task, serve


def train(network: N.Network, batch: int, variant: str) -> Task:
    """Make steps that do nothing."""
    return Task(lambda steps: None, network.parameters)


if __name__ == "__main__":
    serve("torch", train)
