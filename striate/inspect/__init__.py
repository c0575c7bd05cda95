"""Read-only questions about a model: what it is made of, what a layer does, what a unit sees."""

from __future__ import annotations

from .attribution import attribution, grad_cams, map_layers
from .batch import plot_history, show_batch
from .compare import compare, compare_maps
from .diagram import plot_model
from .explain import explain
from .field import receptive_field
from .health import health
from .kernels import kernels
from .likes import likes
from .maps import feature_maps
from .mistakes import mistakes
from .nearest import features, nearest
from .sanity import sanity
from .summary import summary
from .unit import unit

__all__ = [
    "attribution",
    "compare",
    "compare_maps",
    "explain",
    "feature_maps",
    "features",
    "grad_cams",
    "health",
    "kernels",
    "likes",
    "map_layers",
    "mistakes",
    "nearest",
    "plot_history",
    "plot_model",
    "receptive_field",
    "sanity",
    "show_batch",
    "summary",
    "unit",
]
