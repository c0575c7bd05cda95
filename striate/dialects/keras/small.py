"""Small layers of Keras 3: the identity, sums over indices, categories, pools of a fixed size."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...layers import activation as activations
from ..symbolic import tensor
from ..table import Row
from .session import KerasSession
from .words import activation as named

Made = dict[str, tuple[Row, Any]]
POOLS = {
    ("Average", 1): functional.adaptive_avg_pool1d, ("Average", 2): functional.adaptive_avg_pool2d,
    ("Average", 3): functional.adaptive_avg_pool3d, ("Max", 1): functional.adaptive_max_pool1d,
    ("Max", 2): functional.adaptive_max_pool2d, ("Max", 3): functional.adaptive_max_pool3d,
}  # fmt: skip


def rows(session: KerasSession, base: Any) -> Made:
    """Return rows and classes by the names that a script knows them by."""

    class Identity(base):  # type: ignore[misc]
        """The input."""

    class EinsumDense(base):  # type: ignore[misc]
        """The products of the input and a kernel that an equation of indices sums."""

        def __init__(self, equation: str, output_shape: Any, activation: Any = None,
                     bias_axes: Any = None, kernel_initializer: Any = "glorot_uniform",
                     bias_initializer: Any = "zeros",
                     kernel_regularizer: Any = None, bias_regularizer: Any = None,
                     kernel_constraint: Any = None,
                     bias_constraint: Any = None) -> None:  # fmt: skip
            base.__init__(self)
            self.equation, self.axes = equation.replace(" ", ""), bias_axes
            self.sizes = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
            self.ended = activations.get("activation", named(session, activation))
            self.starts = (kernel_initializer, kernel_regularizer, kernel_constraint)
            self.bias_starts = (bias_initializer, bias_regularizer, bias_constraint)

        def build(self, input_shape: Any) -> None:
            """Create the kernel, whose sizes are those of its letters."""
            given, out = self.equation.split("->")
            x, kernel = given.split(",")
            rest = len(input_shape) - len(x.replace("...", ""))
            letters = x.replace("...", "".join(chr(65 + n) for n in range(rest)))
            known = dict(zip(letters, input_shape, strict=True))
            last = out.replace("...", "")[-len(self.sizes) :]
            known |= {k: v for k, v in zip(last, self.sizes, strict=True) if v is not None}
            first, penalty, limit = self.starts
            shape = tuple(known[letter] for letter in kernel)
            self.kernel = self.add_weight("kernel", shape, initializer=first, regularizer=penalty,
                                          constraint=limit)  # fmt: skip
            if self.axes:
                ends = out[out.index(min(self.axes, key=out.index)) :]
                shape = tuple(known[one] if one in self.axes else 1 for one in ends)
                first, penalty, limit = self.bias_starts
                self.bias = self.add_weight("bias", shape, initializer=first, regularizer=penalty,
                                            constraint=limit)  # fmt: skip

        def call(self, inputs: Tensor) -> Tensor:
            """Sum."""
            out = torch.einsum(self.equation, inputs, self.kernel)
            return self.ended(out + self.bias if self.axes else out)

    class CategoryEncoding(base):  # type: ignore[misc]
        """Numbers of classes as ones in a row: each, all of a sample together, or counted."""

        def __init__(self, num_tokens: int, output_mode: str = "multi_hot") -> None:
            base.__init__(self)
            self.count, self.mode = num_tokens, output_mode

        def call(self, inputs: Any) -> Any:
            """Encode."""
            labels = tensor(inputs).long()
            labels = labels.squeeze(-1) if labels.dim() > 1 and labels.shape[-1] == 1 else labels
            hot = (labels.unsqueeze(-1) == torch.arange(self.count)).float()
            if self.mode == "one_hot":
                return hot
            hot = hot if labels.dim() > 1 else hot.unsqueeze(1)
            return hot.sum(-2) if self.mode == "count" else hot.amax(-2)

    class Discretization(base):  # type: ignore[misc]
        """The number of the part between borders that each value is in."""

        def __init__(self, bin_boundaries: Any = None, num_bins: Any = None) -> None:
            base.__init__(self)
            self.borders, self.count = bin_boundaries, num_bins

        def adapt(self, data: Any) -> None:
            """Put as many values in each part."""
            shares = np.linspace(0, 1, self.count + 1)[1:-1]
            self.borders = np.quantile(np.asarray(data), shares).tolist()

        def call(self, inputs: Any) -> Any:
            """Look up."""
            return torch.bucketize(tensor(inputs), torch.tensor(list(self.borders)), right=True)

    class Adaptive(base):  # type: ignore[misc]
        """Averages or maxima of as many windows as are asked for."""

        kind, rank = "Average", 2

        def __init__(self, output_size: Any, data_format: Any = None) -> None:
            base.__init__(self)
            one = isinstance(output_size, int)
            self.sizes = (output_size,) * self.rank if one else tuple(output_size)
            self.first = (data_format or session.layout) == "channels_first"

        def call(self, inputs: Tensor) -> Tensor:
            """Pool."""
            pool: Any = POOLS[self.kind, self.rank]
            x = inputs if self.first else inputs.movedim(-1, 1)
            out: Tensor = pool(x, self.sizes)
            return out if self.first else out.movedim(1, -1)

    class TorchModuleWrapper(base):  # type: ignore[misc]
        """A module of PyTorch as a layer."""

        def __init__(self, module: nn.Module) -> None:
            base.__init__(self)
            self.module = module

        def call(self, *inputs: Tensor) -> Any:
            """Call the module."""
            return self.module(*inputs)

    def row(made: type, *order: str) -> tuple[Row, type]:
        return Row(made.__name__, (made.__name__,), order, dropped=("sparse",)), made

    pools = {
        f"Adaptive{kind}Pooling{rank}D": type(
            f"Adaptive{kind}Pooling{rank}D", (Adaptive,), {"kind": kind, "rank": rank}
        )
        for kind, rank in POOLS
    }
    return {
        "Identity": row(Identity), "EinsumDense": row(EinsumDense, "equation", "output_shape"),
        "CategoryEncoding": row(CategoryEncoding, "num_tokens", "output_mode"),
        "Discretization": row(Discretization, "bin_boundaries", "num_bins"),
        "TorchModuleWrapper": row(TorchModuleWrapper, "module"),
        **{name: row(made, "output_size") for name, made in pools.items()},
    }  # fmt: skip
