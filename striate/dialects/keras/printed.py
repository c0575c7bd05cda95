"""How symbols are printed, in the words of each version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .session import KerasSession

OPERATIONS = {  # the last operation of a layer, by its activation
    "relu": "Relu", "softmax": "Softmax", "sigmoid": "Sigmoid", "tanh": "Tanh", "elu": "Elu",
    "selu": "Selu", "softplus": "Softplus",
}  # fmt: skip


def printed(session: KerasSession) -> Callable[[Any], str]:
    """Return how the version prints a symbol."""

    def show(self: Any) -> str:
        layer = self.node.layer if self.node else None
        name = str(self.name or getattr(layer, "name", "") or "input_1")
        shape = tuple(self.shape)
        if session.version.name == "keras3":
            return (f"<KerasTensor shape={shape}, dtype={self.dtype}, sparse=False, ragged=False,"
                    f" name={name}>")  # fmt: skip
        made = OPERATIONS.get(getattr(layer, "activation_name", ""), "BiasAdd")
        path = f"{name}/{made}:0" if layer is not None else name
        if session.version.name == "tf":
            spec = f"TensorSpec(shape={shape}, dtype=tf.{self.dtype}, name="
            if layer is None:
                return (f"<KerasTensor: shape={shape} dtype={self.dtype} (created by layer"
                        f" '{name}')>")  # fmt: skip
            return (f"KerasTensor(type_spec={spec}None), name='{path}',"
                    f" description=\"created by layer '{layer.name}'\")")  # fmt: skip
        sizes = ", ".join("?" if size is None else str(size) for size in shape)
        end = "," if len(shape) == 1 else ""
        return f'Tensor("{path}{"" if layer else ":0"}", shape=({sizes}{end}), dtype={self.dtype})'

    return show
