"""PyTorch as the tutorials write it: a DataLoader, one step after another, loss and accuracy read.

The images are scaled beforehand, which is kinder than the tutorial's transforms of each sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from .. import data, networks as N
from ..protocol import Task, serve


class Residual(nn.Module):
    """Sum of two branches."""

    def __init__(self, main: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.main, self.shortcut = main, shortcut

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.main(x) + self.shortcut(x)
        return out


def build(network: N.Network) -> nn.Module:
    """Return the network as a module that takes (N, C, H, W) and gives logits."""
    shape = (1, network.channels, network.size, network.size)
    return _stack(network.layers, torch.zeros(shape))[0].train()


def _stack(rows: tuple[N.Row, ...], x: Tensor) -> tuple[nn.Sequential, Tensor]:
    """Return the layers of the rows, and what they make of `x`: its shape is what they need."""
    layers = nn.Sequential().eval()
    for row in rows:
        layer = _layer(row, x).eval()
        layers.append(layer)
        with torch.no_grad():
            x = layer(x)
    return layers, x


def _layer(row: N.Row, x: Tensor) -> nn.Module:
    match row:
        case N.Conv(filters, kernel, padding, stride, bias):
            return nn.Conv2d(x.shape[1], filters, kernel, stride, padding, bias=bias)
        case N.Relu():
            return nn.ReLU()
        case N.MaxPool():
            return nn.MaxPool2d(2)
        case N.BatchNorm():
            return nn.BatchNorm2d(x.shape[1])
        case N.Dropout(rate):
            return nn.Dropout(rate)
        case N.Flatten():
            return nn.Flatten()
        case N.GlobalAverage():
            return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        case N.Dense(units):
            return nn.Linear(x.shape[1], units)
        case N.Residual(main, shortcut):
            return Residual(_stack(main, x)[0], _stack(shortcut, x)[0])


def optimizer(chosen: N.Optimizer, model: nn.Module, **options: bool) -> torch.optim.Optimizer:
    """Return the network's optimizer; Keras's defaults where the formulas differ."""
    weights, rate = model.parameters(), chosen.learning_rate
    if chosen.name == "rmsprop":  # the one that has no fused form
        return torch.optim.RMSprop(weights, rate, alpha=0.9, eps=1e-7)
    if chosen.name == "adam":
        return torch.optim.Adam(weights, rate, eps=1e-7, **options)
    return torch.optim.SGD(weights, rate, momentum=chosen.momentum, **options)


def parameters(model: nn.Module) -> int:
    """Return the number of trainable weights."""
    return sum(weight.numel() for weight in model.parameters())


def images(network: N.Network) -> tuple[Tensor, Tensor]:
    """Return scaled (N, C, H, W) images and labels."""
    x, y = data.load(network)
    scaled = torch.from_numpy(data.scaled(network, x)).permute(0, 3, 1, 2).contiguous()
    return scaled, torch.from_numpy(y.copy()).long()


def train(network: N.Network, batch: int, variant: str) -> Task:
    """Train as tutorial 002 does."""
    model = build(network)
    update = optimizer(network.optimizer, model)
    criterion = nn.CrossEntropyLoss()
    dataset = TensorDataset(*images(network))
    loader = DataLoader(dataset, batch_size=batch, shuffle=True, drop_last=True)
    losses: list[float] = []
    accuracies: list[float] = []

    def run(steps: int) -> float:
        for x, y in islice(loader, steps):
            outputs = model(x)
            loss = criterion(outputs, y)
            losses.append(loss.item())
            update.zero_grad()
            loss.backward()
            update.step()
            _, predicted = torch.max(outputs.data, 1)
            accuracies.append((predicted == y).sum().item() / len(y))
        return losses[-1]

    return Task(run, parameters(model), len(loader))


def infer(network: N.Network, batch: int, variant: str) -> Task:
    """Predict as the tutorial does: eval and no_grad."""
    model = build(network).eval()
    batches = cycle(images(network)[0], batch)

    def run(steps: int) -> None:
        with torch.no_grad():
            for x in islice(batches, steps):
                model(x).numpy()

    return Task(run, parameters(model))


def cycle(x: Tensor, batch: int) -> Iterator[Tensor]:
    """Yield one batch of the images after another, without end."""
    while True:
        for start in range(0, len(x) - batch + 1, batch):
            yield x[start : start + batch]


if __name__ == "__main__":
    serve("torch", train, infer)
