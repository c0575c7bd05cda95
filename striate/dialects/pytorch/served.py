"""The modules of torchvision by their paths, where it is not installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from ..dialect import Modules
from ..session import Session
from . import datasets, functional, grid, models, scalars, transforms


def modules(session: Session) -> Modules:
    """Return every module by its path."""
    writer = type("SummaryWriter", (scalars.SummaryWriter,), {"session": session})
    served: dict[str, dict[str, Any]] = {"tensorboardX": {"SummaryWriter": writer}}
    return served if find_spec("torchvision") is not None else served | vision(session)


def vision(session: Session) -> dict[str, dict[str, Any]]:
    """Return the modules of torchvision."""
    sets = datasets.names(session.script.limit_samples)
    pictures = {"make_grid": grid.make_grid, "save_image": grid.save_image}
    return {
        "torchvision": {"__version__": "0.28.0", "set_image_backend": lambda backend: None},
        "torchvision.datasets": sets,
        "torchvision.datasets.mnist": sets,
        "torchvision.datasets.cifar": sets,
        "torchvision.datasets.folder": {**sets, "default_loader": datasets.default_loader},
        "torchvision.transforms": transforms.CLASSES,
        "torchvision.transforms.transforms": transforms.CLASSES,
        "torchvision.transforms.functional": functional.FUNCTIONS,
        "torchvision.transforms.v2": transforms.NEWER,
        "torchvision.transforms.v2.functional": functional.FUNCTIONS,
        "torchvision.utils": pictures,
        "torchvision.models": models.names(),
    }
