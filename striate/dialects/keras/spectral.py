"""SpectralNormalization: a layer whose kernel is divided by its largest singular value."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional

from ...core.spec import Spec
from ..symbolic import tensor
from ..table import Row
from .session import KerasSession

Made = dict[str, tuple[Row, Any]]


def rows(session: KerasSession, base: Any) -> Made:
    """Return rows and classes by the names that a script knows them by."""

    class SpectralNormalization(base):  # type: ignore[misc]
        """A layer with weights, whose kernel is divided by its largest singular value at each step.

        Source: Miyato et al., Spectral Normalization for Generative Adversarial Networks, 2018.
        """

        changes_weights = True  # of which the engine would have its own

        def __init__(self, layer: Any, power_iterations: int = 1) -> None:
            base.__init__(self)
            self.layer, self.power_iterations = layer, power_iterations

        def build(self, input_shape: Any) -> None:
            """Build the layer, and begin with a vector that is drawn."""
            self.layer.ensure_built((Spec(tuple(input_shape[1:]),
                                          data_format=session.layout),))  # fmt: skip
            width = int(self.kernel.shape[-1])
            self.vector_u = self.add_weight(
                name="vector_u", shape=(1, width), trainable=False,
                initializer=lambda shape, dtype=None: 0.02 * torch.randn(tuple(shape)),
            )  # fmt: skip

        @property
        def kernel(self) -> Tensor:
            """The kernel of the layer, or the table of an embedding."""
            found: Tensor = next(one for one in self.layer.weights if one.dim() > 1)
            return found

        @property
        def weights(self) -> list[Tensor]:
            """The kernel, the vector, and what else the layer has."""
            rest = [one for one in self.layer.weights if one is not self.kernel]
            return [self.kernel, self.vector_u, *rest] if self.built else []

        def normalized(self) -> None:
            """Divide the kernel, and keep the vector."""
            with torch.no_grad():
                flat = self.kernel.reshape(-1, self.kernel.shape[-1])
                u = self.vector_u
                for _ in range(self.power_iterations):
                    v = functional.normalize(u @ flat.T, dim=-1)
                    u = functional.normalize(v @ flat, dim=-1)
                self.vector_u.copy_(u)
                self.kernel.div_(v @ flat @ u.T)

        def call(self, inputs: Any, training: Any = None) -> Any:
            """Call the layer; while training, with a kernel that is divided first.

            The call has a copy of it: a second call of the same step divides the kernel again.
            """
            x = tensor(inputs).float()
            if not training:
                return self.layer(x)
            self.normalized()
            name = next(n for n, one in self.layer.named_parameters() if one is self.kernel)
            return functional_call(self.layer, {name: self.kernel.clone()}, (x,))

    order = ("layer", "power_iterations")
    return {"SpectralNormalization": (Row("SpectralNormalization", ("SpectralNormalization",),
                                          order), SpectralNormalization)}  # fmt: skip
