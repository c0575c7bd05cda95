"""Lightning: the training step in a LightningModule, the loop is the Trainer's."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from .. import networks as N
from ..protocol import Task, serve
from . import pytorch


class Classifier(lightning.LightningModule):
    """The network with its loss and optimizer."""

    def __init__(self, network: N.Network) -> None:
        super().__init__()
        self.net: nn.Module = pytorch.build(network)
        self.chosen = network.optimizer
        self.last = torch.zeros(())

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        x, y = batch
        self.last = F.cross_entropy(self.net(x), y)
        return self.last

    def configure_optimizers(self) -> Any:
        return pytorch.optimizer(self.chosen, self.net)


def train(network: N.Network, batch: int, variant: str) -> Task:
    """Train with everything off that is not training: no bar, no log, no checkpoint."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")
    model = Classifier(network)
    dataset = TensorDataset(*pytorch.images(network))
    loader = DataLoader(dataset, batch_size=batch, shuffle=True, drop_last=True)

    def run(steps: int) -> float:
        trainer = lightning.Trainer(
            max_epochs=1,
            limit_train_batches=steps,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(model, loader)
        return float(model.last)

    return Task(run, pytorch.parameters(model), len(loader))


if __name__ == "__main__":
    serve("lightning torch", train)
