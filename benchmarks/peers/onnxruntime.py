"""ONNX Runtime: the network exported from PyTorch, one session, float32."""

from __future__ import annotations

import io
from itertools import islice

import onnxruntime
import torch

from .. import networks as N
from ..protocol import Task, serve
from . import pytorch


def export(network: N.Network, batch: int) -> tuple[bytes, int]:
    """Return the network as an ONNX model of one batch size, and its number of weights."""
    model = pytorch.build(network).eval()
    example = torch.zeros(batch, network.channels, network.size, network.size)
    program = torch.onnx.export(model, (example,), dynamo=True, verbose=False)
    file = io.BytesIO()
    program.save(file)
    return file.getvalue(), pytorch.parameters(model)


def infer(network: N.Network, batch: int, variant: str) -> Task:
    """session.run on float32 arrays, from NumPy to NumPy."""
    model, parameters = export(network, batch)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    batches = pytorch.cycle(pytorch.images(network)[0], batch)

    def run(steps: int) -> None:
        for x in islice(batches, steps):
            session.run(None, {name: x.numpy()})

    return Task(run, parameters)


if __name__ == "__main__":
    serve("onnxruntime onnx torch", infer=infer)
