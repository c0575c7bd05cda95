"""Units: the arithmetic of one unit as JSON, and what it sees as rows and columns of maps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.spec import Spec
from ..inspect.field import FieldSet, Mask, node_of
from ..inspect.unit import unit
from .grid import pictured
from .requests import Unit
from .subject import Subject


def index_of(spec: Spec, asked: Unit) -> tuple[int, ...]:
    """Return the position in a layer's output of a map's row and column."""
    rank = len(spec.shape) - 1
    if rank < 1:
        return (asked.channel,)[: len(spec.shape)]
    height = spec.spatial[-2] if rank > 1 else 1
    deep = divmod(asked.row, height or 1) if rank > 2 else (asked.row,)
    places = (*deep, asked.column)[-rank:]
    if spec.data_format == "channels_last":
        return (*places, asked.channel)
    return (asked.channel, *places)


def unit_of(subject: Subject, asked: Unit) -> dict[str, Any]:
    """Return the stages of a unit's arithmetic, and its field on every column of the page."""
    model = subject.at(asked.epoch)
    node = node_of(model, asked.layer)
    place = index_of(node.outputs[0].spec, asked)
    with subject.lock:
        found = unit(model, subject.sample(asked.pixels), asked.layer, place)
    told = found.as_json()
    told["field"] = {} if found.field is None else _columns(model, found.field)
    told["numbers"] = str(found)
    return told


def _columns(model: Any, field: FieldSet) -> dict[int, Any]:
    """Return what is seen of each column, by its number."""
    graph = model.graph
    first = len(graph.inputs)
    number = {node.layer.name: first + at for at, node in enumerate(graph.nodes)}
    spec = {node.layer.name: node.outputs[0].spec for node in graph.nodes}
    seen = {at: _seen(mask, pictured(graph.inputs[at].spec)) for at, mask in enumerate(field.masks)}
    seen |= {
        number[name]: _seen(mask, spec[name]) for name, mask in field.between if name in number
    }
    return {at: one for at, one in seen.items() if one is not None}


def _seen(mask: Mask | None, spec: Spec) -> dict[str, Any] | None:
    """Return a set of places: its span of maps, rows and columns, and its cells within a map."""
    if mask is None or not mask.any():
        return None
    maps = mask if spec.data_format == "channels_first" else np.moveaxis(mask, -1, 0)
    maps = maps.reshape(len(maps), -1, maps.shape[-1] if maps.ndim > 1 else 1)
    flat: Mask = np.logical_or.reduce(maps, 0)
    spans = [_span(np.argwhere(maps)[:, 0]), *(_span(places) for places in np.nonzero(flat))]
    _, (top, bottom), (left, right) = spans
    return {
        "channels": spans[0],
        "rows": spans[1],
        "cols": spans[2],
        "width": flat.shape[1],
        "height": flat.shape[0],
        "cells": np.flatnonzero(flat).tolist() if flat.size <= 256**2 else None,
        "count": int(maps.sum()),
        "whole": bool(flat[top:bottom, left:right].all()),
    }


def _span(places: NDArray[np.intp]) -> list[int]:
    return [int(places.min()), int(places.max()) + 1]
