"""PyTorch as an expert writes it: resident uint8 images, channels_last, fused optimizer, no reads.

Variants: float32 (the default) and bfloat16, which is autocast.
"""

from __future__ import annotations

from itertools import islice

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import data, networks as N
from ..protocol import Task, serve
from . import pytorch


def _ready(network: N.Network) -> tuple[nn.Module, Tensor, Tensor]:
    """Return the module in channels_last, (N, C, H, W) pixels in the same memory order, labels."""
    model = pytorch.build(network).to(memory_format=torch.channels_last)
    x, y = data.load(network)
    return model, torch.from_numpy(x.copy()).permute(0, 3, 1, 2), torch.from_numpy(y.copy()).long()


def train(network: N.Network, batch: int, variant: str) -> Task:
    """Gather uint8, scale in the step, never wait for a number."""
    model, pixels, labels = _ready(network)
    update = pytorch.optimizer(network.optimizer, model, fused=True)
    half = variant == "bfloat16"

    def run(steps: int) -> float:
        order = torch.randperm(len(pixels))
        loss = torch.zeros(())
        for index in order.split(batch)[:steps]:
            x = pixels[index].float().sub_(network.mean).div_(network.std)
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                loss = F.cross_entropy(model(x), labels[index])
            update.zero_grad(set_to_none=True)
            loss.backward()
            update.step()
        return loss.item()

    return Task(run, pytorch.parameters(model), len(pixels) // batch)


def infer(network: N.Network, batch: int, variant: str) -> Task:
    """inference_mode on uint8 batches."""
    model, pixels, _ = _ready(network)
    model.eval()
    batches = pytorch.cycle(pixels, batch)
    half = variant == "bfloat16"

    def run(steps: int) -> None:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            for x in islice(batches, steps):
                model(x.float().sub_(network.mean).div_(network.std)).float().numpy()

    return Task(run, pytorch.parameters(model))


if __name__ == "__main__":
    serve("torch", train, infer)
