"""Striate: define, explain and train convolutional networks."""

from __future__ import annotations

from . import errors, initializers, inspect, layers, losses, metrics, optimizers
from .core.layer import Layer
from .core.symbol import Input
from .data import datasets
from .engine import hooks
from .engine.seed import seed
from .model import Model, Sequential, load

__version__ = "0.1.0"

__all__ = [
    "Input",
    "Layer",
    "Model",
    "Sequential",
    "datasets",
    "errors",
    "hooks",
    "initializers",
    "inspect",
    "layers",
    "load",
    "losses",
    "metrics",
    "optimizers",
    "seed",
]
