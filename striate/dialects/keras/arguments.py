"""Arguments of a Keras model's verbs: their order and spellings, and the arrays among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from ...errors import caller, nearest
from ..table import DialectError
from .batches import Stream

FIT = {"nb_epoch": "epochs", "samples_per_epoch": "steps_per_epoch", "X": "x", "Y": "y",
       "nb_val_samples": "validation_steps", "generator": "x"}  # fmt: skip
UNSEEN = ("nb_worker", "workers", "pickle_safe", "use_multiprocessing", "max_q_size",
          "max_queue_size", "nb_val_worker", "reset_metrics")  # fmt: skip
FIT_ORDER = ("x", "y", "batch_size", "epochs", "verbose", "callbacks", "validation_split",
             "validation_data", "shuffle", "class_weight", "sample_weight", "initial_epoch",
             "steps_per_epoch", "validation_steps", "validation_batch_size", "validation_freq",
             "show_accuracy")  # fmt: skip
GENERATOR_ORDER = ("x", "steps_per_epoch", "epochs", "verbose", "callbacks", "validation_data",
                   "validation_steps", "class_weight")  # fmt: skip
COMPILE_UNSEEN = ("sample_weight_mode", "target_tensors", "run_eagerly", "steps_per_execution",
                  "jit_compile", "auto_scale_loss", "class_mode", "theano_mode",
                  "distribute")  # fmt: skip
COMPILE_ORDER = ("optimizer", "loss", "metrics", "loss_weights", "weighted_metrics")


def read(title: str, order: tuple[str, ...], args: Any, words: Mapping[str, Any],
         renamed: Mapping[str, str], unseen: tuple[str, ...]) -> dict[str, Any]:  # fmt: skip
    """Return the arguments of a verb by their names; raise DialectError for one that is not."""
    given = dict(zip(order, args, strict=False))
    for key, value in words.items():
        name = renamed.get(key, key)
        if key in unseen:
            continue
        if name not in order:
            raise DialectError(
                title,
                f"there is no argument {key!r}",
                got=f"{key}=...",
                need="one of " + ", ".join(order),
                fix=nearest(key, [*order, *renamed]),
                at=caller(),
            )
        given[name] = value
    return given


WIDENED = (np.dtype(bool), np.dtype("float16"))


def arrays(given: Any) -> Any:
    """Return data as arrays: lists of numbers become one, what is an array stays one.

    Truths become 0 and 1, and numbers of half precision those of Keras's.
    """
    made = _arrays(given)
    several = isinstance(made, list)
    out = [
        one.astype("float32") if isinstance(one, np.ndarray) and one.dtype in WIDENED else one
        for one in (made if several else [made])
    ]
    return out if several else out[0]


def _arrays(given: Any) -> Any:
    if isinstance(given, (list, tuple)) and given:
        first = given[0]
        if isinstance(first, (np.ndarray, torch.Tensor)) and first.ndim > 0:
            return [np.asarray(one) if isinstance(one, torch.Tensor) else one for one in given]
        if isinstance(first, (int, float, np.number, list)):
            return np.asarray(given)
    if isinstance(given, torch.Tensor):
        return given.detach().cpu().numpy()
    return given.values if type(given).__module__.startswith("pandas") else given


def weights(model: Any, given: Any) -> Any:
    """Return weights of samples: one array, or a list with one for each output; None for none."""
    if given is None:
        return None
    if isinstance(given, Mapping):
        names = model.graph.output_names
        if wrong := [name for name in given if name not in names]:
            raise DialectError(
                "sample_weight",
                "names outputs that the model has not",
                got=", ".join(map(str, wrong)),
                need=", ".join(names),
                fix=nearest(str(wrong[0]), names),
                at=caller(),
            )
        given = [given.get(name) for name in names]
    count = len(model.outputs)
    several = isinstance(given, (list, tuple)) and count > 1 and len(given) == count
    if several and any(np.ndim(one) for one in given):
        return [None if one is None else arrays(one) for one in given]
    made = arrays(given)
    return made[0] if isinstance(made, list) and len(made) == 1 else made


def seen(x: Any, y: Any, words: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """Return samples, labels and validation data of a training, a split of Keras's made."""
    valid, split = words.get("validation_data"), words.get("validation_split")
    if split and valid is None and hasattr(x, "shape") and hasattr(y, "shape"):
        cut = int(len(x) * (1 - split))
        return x[:cut], y[:cut], (x[cut:], y[cut:])
    return x, y, valid if isinstance(valid, tuple) else None


def plain(x: Any) -> bool:
    """Return whether data are arrays, and not something that gives batches."""
    if isinstance(x, (list, tuple)):
        return all(isinstance(item, (np.ndarray, torch.Tensor)) for item in x)
    if isinstance(x, Mapping):
        return True
    return x is None or (hasattr(x, "shape") and hasattr(x, "dtype") and not isinstance(x, Stream))


def held(x: Any, y: Any, words: Mapping[str, Any]) -> Any:
    """Return, in one list, the arrays to validate on and the weights of their samples."""
    valid, split = words.get("validation_data"), words.get("validation_split")
    if split and valid is None and not isinstance(x, (Mapping, Stream)):
        start = int(len(leading(x)) * (1 - split))
        several = [part if isinstance(part, (list, tuple)) else [part] for part in (x, y)]
        valid = tuple([one[start:] for one in part] for part in several)
    if not isinstance(valid, tuple) or any(isinstance(part, Mapping) for part in valid):
        return None
    parts = [
        part if isinstance(part, (list, tuple)) else [part] for part in valid if part is not None
    ]
    flat = [one for part in parts for one in part]
    return [*flat, *([np.ones(len(flat[0]), "float32")] if len(valid) < 3 else [])]


def leading(x: Any) -> Any:
    """Return the first of several arrays."""
    if isinstance(x, Mapping):
        return next(iter(x.values()))
    return x[0] if isinstance(x, (list, tuple)) else x
