"""Sequential of ReNom: modules one after the other, natively where the engine knows all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...errors import caller, nearest
from ..table import DialectError
from .model import Model
from .native import Runner, kept
from .parts import PARTS


class Sequential(Model):
    """Modules and functions, one after the other; `l0`, `l1`... are its attributes."""

    def __init__(self, layers: Sequence[Any] = (), loss_function: Any = None) -> None:
        self._layers: list[Any] = []
        for layer in layers:
            self.append(layer)

    def append(self, layer: Any) -> None:
        """Add a module or a function at the end."""
        if not callable(layer):
            raise DialectError(
                "rm.Sequential",
                "a part cannot be called",
                got=repr(layer),
                fix=nearest(layer, ("Relu", "Flatten", "Dense")) or "rm.Relu(), rm.Dense(10)...",
                at=caller(),
            )
        PARTS.changed()
        setattr(self, f"l{len(self._layers)}", layer)
        self._layers.append(layer)

    def __len__(self) -> int:
        return len(self._layers)

    def __getitem__(self, index: Any) -> Any:
        return self._layers[index]

    def __setitem__(self, index: int, layer: Any) -> None:
        PARTS.changed()
        self._layers[index] = layer
        setattr(self, f"l{range(len(self._layers))[index]}", layer)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._layers)

    def forward(self, x: Any) -> Any:
        """Compute part by part, or all at once where the native engine knows every part."""
        runner = self._native()
        whole = runner(self._layers, x)
        if whole is not None:
            if self.script is not None and not runner.told:
                self.script.native_is_running()
                runner.told = True
            return whole
        for layer in self._layers:
            x = layer(x)
        return x

    def _native(self) -> Runner:
        if "_runner" not in vars(self):
            self._runner = Runner()
        return self._runner

    def kept(self, run: Any, stem: str) -> Any:
        """Write the weights into the folder of a run; return the native network, if any."""
        model = kept(self._layers, vars(self)["_runner"]) if "_runner" in vars(self) else None
        if model is None or type(self).forward is not Sequential.forward:
            return super().kept(run, stem)
        self.save(run.path / f"{stem or 'weights'}.h5")
        return model
