"""Files and descriptions of a Keras script's models."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...core.layer import Layer
from ...core.symbol import Symbol
from ...errors import StoreError
from ...store import config as store, model_file
from .session import KerasSession


def save(model: Any, path: Any, session: KerasSession) -> None:
    """Write a model; one that holds a script's own code is also kept for this script's run."""
    try:
        session.note(f"{path} is written in Striate's own format")
        model_file.save(model, path)
    except StoreError as error:
        session.note(f"{path}: {error.what}; the weights are written, the code is kept in memory")
        session.kept[str(path)] = copy.deepcopy(model)
        model_file.save_weights(model, path)


def save_weights(model: Any, path: Any, session: KerasSession) -> None:
    """Write the weights."""
    model_file.save_weights(model, path)


def load_weights(model: Any, path: Any, session: KerasSession, *, by_name: bool = False) -> None:
    """Read the weights."""
    model_file.load_weights(model, path)


def load(path: Any, session: KerasSession, custom: Mapping[str, Any]) -> Any:
    """Return the model of a file, or the one that this script has saved under its name."""
    if str(path) in session.kept and Path(str(path)).exists():
        return copy.deepcopy(session.kept[str(path)])
    return model_file.load(path, maker(session), dict(custom))


def config(model: Any, session: KerasSession) -> dict[str, Any]:
    """Return the network as plain values."""
    return {"class_name": type(model).__name__, "config": store.describe(model)}


def to_json(model: Any, session: KerasSession) -> str:
    """Return the network as JSON."""
    return json.dumps(config(model, session))


def from_json(text: str, session: KerasSession, custom: Mapping[str, Any]) -> Any:
    """Return the network that JSON describes, with new weights."""
    return from_config(json.loads(text), session, custom)


def from_config(
    document: Mapping[str, Any], session: KerasSession, custom: Mapping[str, Any]
) -> Any:
    """Return the network of plain values, with new weights."""
    inner = dict(document.get("config", document))
    return store.build(inner, maker(session), dict(custom))


def clone(model: Any, session: KerasSession) -> Any:
    """Return the same network with new weights."""
    return from_config(config(model, session), session, session.custom)


def maker(session: KerasSession) -> Any:
    """Return what makes the models of a description: classes that have the script's verbs."""

    def make(kind: str, inputs: tuple[Symbol, ...], outputs: tuple[Symbol, ...],
             layers: list[Layer], name: str) -> Any:  # fmt: skip
        if kind != "Sequential":
            one_in, one_out = len(inputs) == 1, len(outputs) == 1
            return session.classes["Model"](inputs[0] if one_in else list(inputs),
                                            outputs[0] if one_out else list(outputs),
                                            name=name)  # fmt: skip
        model = session.classes["Sequential"](name=name or None)
        model.adopt(outputs[0], layers)
        return model

    return make
