"""What a file says of a script's own losses and metrics, and who they are when it is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

ANY = "sum_over_batch_size"  # the reduction by default, as Keras 3 calls it


def told_of(given: Any) -> dict[str, Any] | None:
    """Return a function or an object as the files of Keras 3 have it; None for what has no name."""
    name = getattr(given, "__name__", "")
    if name:
        known = name.isidentifier()
        return _entry("builtins", "function", name) if known else None
    cls = type(given)
    if not hasattr(given, "get_config"):
        return None
    config = dict(given.get_config())
    if "reduction" in config:
        config["reduction"] = ANY if config["reduction"] == "auto" else config["reduction"]
    try:
        json.dumps(config)
    except TypeError:  # it holds what is no plain value
        return None
    module = "keras.losses" if cls.__module__.startswith("striate.") else cls.__module__
    return _entry(module, cls.__name__, config)


def _entry(module: str, kind: str, config: Any) -> dict[str, Any]:
    return {"module": module, "class_name": kind, "config": config, "registered_name": kind}


def made_by(custom: Mapping[str, Any], given: Any) -> Any:
    """Return what a script has under the name that a file gives; None where it has not."""
    if isinstance(given, str):
        return custom.get(given)
    if not isinstance(given, Mapping):
        return None
    kind, config = str(given.get("class_name", given.get("name"))), given.get("config")
    if kind == "function":
        return custom.get(config) if isinstance(config, str) else None
    found = custom.get(given.get("registered_name") or kind, custom.get(kind.rpartition(">")[2]))
    if not isinstance(found, type) or not isinstance(config, Mapping):
        return None
    config = {key: one for key, one in config.items() if key != "dtype"}
    return found.from_config(config) if hasattr(found, "from_config") else found(**config)
