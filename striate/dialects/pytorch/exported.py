"""torch.onnx.export where neither onnx nor onnxscript is installed: by torch's own writer."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import torch

from ..dialect import Patch


def patches() -> Iterator[Patch]:
    """Yield the rows; today's exporter is written in onnxscript, the one before it in torch."""
    if find_spec("onnxscript") is not None:
        return
    from torch.onnx._internal.torchscript_exporter import onnx_proto_utils as file

    original = torch.onnx.export
    takes = inspect.signature(original)

    @functools.wraps(original)
    def export(*args: Any, **words: Any) -> Any:
        given = takes.bind(*args, **words).arguments | {"dynamo": False}
        for word in ("dynamic_shapes", "report", "verify", "profile"):
            given.pop(word, None)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "You are using the legacy", DeprecationWarning)
            return original(**given)

    yield torch.onnx, "export", export
    if find_spec("onnx") is None:  # asked for functions of a script's own alone
        yield file, "_add_onnxscript_fn", lambda model_bytes, custom_opsets: model_bytes
