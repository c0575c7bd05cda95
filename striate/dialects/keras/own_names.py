"""Attributes of a script's layers that are called as something of Striate's or torch's own.

Both live in one object: code of the packages finds the method, code of a script what it has put.
"""

from __future__ import annotations

import functools
import sys
from types import FrameType
from typing import Any

from torch import nn

PACKAGES = ("striate", "torch")
_KERAS = (  # names that mean the same to a script, which may replace them
    "W activity_regularizer add_loss add_metric add_module add_update add_variable add_weight b "
    "build built call compile compiled_loss compiled_metrics compute_loss compute_mask "
    "compute_metrics compute_output_shape constraints count_params cpu cuda double eval evaluate "
    "evaluate_generator export fit fit_generator forward from_config get_config get_input_at "
    "get_layer get_output_at get_weights history input input_names input_shape inputs layers "
    "load_weights losses make_predict_function metrics metrics_names name non_trainable_variables "
    "non_trainable_weights optimizer output output_names output_shape outputs predict "
    "predict_classes predict_generator predict_on_batch predict_proba predict_step register_buffer "
    "register_parameter regularizers reset_states save save_weights set_weights stop_training "
    "summary test_on_batch test_step to_json to_yaml train train_on_batch train_step trainable "
    "trainable_variables trainable_weights training variables weights"
)
OF_KERAS = frozenset(_KERAS.split())
KEPT = ("activity", "added", "added_symbols", "auto_named", "awaits", "calls", "counts",
        "dtype_name", "followed", "handle", "keys_in", "keys_kept", "keys_out", "latch", "listing",
        "loss_mean", "means", "passes", "setup", "shape_out", "specs", "starts",
        "twin", "waiting")  # fmt: skip


class Shared:
    """A name with two meanings; who asks decides."""

    def __init__(self, key: str, method: Any = None) -> None:
        self.key, self.method = key, method

    def __get__(self, layer: Any, kind: type | None = None) -> Any:
        kind = kind or type(layer)
        if layer is None or _within(sys._getframe(1)):
            return self._native(layer, kind)
        for held in (vars(layer).get("own_names", {}), layer._modules, layer._parameters):
            if self.key in held:
                return held[self.key]
        return self._native(layer, kind) if self.method is None else _bound(
            self.method, layer, kind)  # fmt: skip

    def __set__(self, layer: Any, value: Any) -> None:
        vars(layer)[self.key] = value

    def _native(self, layer: Any, kind: type) -> Any:
        if layer is not None and self.key in vars(layer):
            return vars(layer)[self.key]
        for one in kind.__mro__:
            held = vars(one).get(self.key)
            if held is not None and not isinstance(held, Shared):
                return _bound(held, layer, kind)
        raise AttributeError(f"{kind.__name__} has no attribute {self.key!r}")


def _bound(held: Any, layer: Any, kind: type) -> Any:
    return held.__get__(layer, kind) if hasattr(held, "__get__") else held


def _within(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in PACKAGES


@functools.cache
def _taken(kind: type) -> frozenset[str]:
    """Return the names of a class that are not Keras's."""
    return frozenset(key for key in (*dir(kind), *KEPT) if key[0] != "_") - OF_KERAS


def put(base: type, layer: Any, key: str, value: Any) -> bool:
    """Keep a script's attribute beside the package's own of this name; return whether it is one."""
    if key not in _taken(base) or _within(sys._getframe(2)):
        return False
    kind = type(layer)
    if not any(isinstance(vars(one).get(key), Shared) for one in kind.__mro__):
        setattr(kind, key, Shared(key))
    held: Any = vars(layer).setdefault("own_names", {})
    if isinstance(value, nn.Module):
        held = layer._modules
    elif isinstance(value, nn.Parameter):
        held = layer._parameters
    held[key] = value
    return True


def share(base: type, kind: type) -> None:
    """Keep a script's methods beside the package's own of their names."""
    if kind.__module__.partition(".")[0] not in PACKAGES:
        for key in vars(kind).keys() & _taken(base):
            setattr(kind, key, Shared(key, vars(kind)[key]))
