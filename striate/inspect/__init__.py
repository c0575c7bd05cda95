"""Read-only questions about a model: what it is made of, what a layer does, what a unit sees."""

from __future__ import annotations

from .attribution import attribution, map_layers, sanity
from .explain import explain
from .field import receptive_field
from .health import health
from .kernels import kernels
from .maps import feature_maps
from .mistakes import mistakes
from .summary import summary
from .unit import unit

__all__ = [
    "attribution",
    "explain",
    "feature_maps",
    "health",
    "kernels",
    "map_layers",
    "mistakes",
    "receptive_field",
    "sanity",
    "summary",
    "unit",
]
