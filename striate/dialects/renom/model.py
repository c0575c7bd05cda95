"""Model of ReNom: modules whose history is recorded inside of `train()` alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from ...core.layer import snake
from ...errors import caller
from ..strict import Strict
from ..table import DialectError
from .followed import followed
from .node import Variable
from .parts import PARTS, Params, Recording


class Model(metaclass=Strict):
    """A module; a subclass makes its parts in `__init__` and calls them in `forward`.

    Parts are found where an attribute is a model; a list of models is not looked into.
    """

    inference = False
    recording = False
    updating = True
    parametrized: ClassVar[bool] = False  # has weights of its own, once they are made
    carries: ClassVar[bool] = False  # something over from call to call
    order: ClassVar[Literal["K", "F"]] = "K"  # of the weights in memory
    _initializer: Any = None
    script: Any = None  # the Script that is run, while one is
    _shape: tuple[int, ...] | None = None  # of the samples that it was trained on

    def __setattr__(self, name: str, value: Any) -> None:
        part = isinstance(value, Model) or isinstance(vars(self).get(name), Model)
        if part or name == "inference":
            PARTS.changed()
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        PARTS.changed()
        object.__delattr__(self, name)

    def __call__(self, *args: Any, **words: Any) -> Any:
        """Compute."""
        if self.script is not None and self.recording and args and type(args[0]) is np.ndarray:
            self.script.saw(args[0])  # what the script gives, and no layer
            vars(self)["_shape"] = args[0].shape[1:]
        return self.forward(*args, **words)

    def forward(self, *args: Any, **words: Any) -> Any:
        """Compute; a subclass says what."""
        raise DialectError(
            f"rm.Model {type(self).__name__}",
            "has no forward",
            need="def forward(self, x): in the class",
            at=caller(),
        )

    # ---- parts -----------------------------------------------------------------------------------

    def children(self) -> list[tuple[str, Model]]:
        """Return the parts and the names of their attributes, each part once."""
        found = {id(part): (name, part) for name, part in reversed(vars(self).items())
                 if isinstance(part, Model)}  # fmt: skip
        return list(reversed(found.values()))

    def iter_models(self) -> Iterator[Model]:
        """Yield this model and all parts of it."""
        return iter(self._gathered([]))

    def _gathered(self, found: list[Model]) -> list[Model]:
        found.append(self)
        parts = {id(one): one for one in vars(self).values() if isinstance(one, Model)}
        for part in parts.values():
            part._gathered(found)
        return found

    @property
    def params(self) -> Params:
        """The weights that are this module's, not those of its parts."""
        if "_params" not in vars(self):
            self._params = Params()
        return self._params

    @params.setter
    def params(self, weights: dict[str, Any]) -> None:
        PARTS.changed()
        self._params = Params(weights)
        self._begin()

    def own(self) -> dict[str, Any]:
        """Return the weights that are this module's, not those of its parts."""
        return self.params

    def variables(self) -> list[Variable]:
        """Return the weights of this model and of its parts."""
        return [one for part in self.iter_models() for one in part.own().values()]

    params_list = variables

    def values(self) -> tuple[Any, ...]:
        """Return the weights, the attributes, and the same of each part by its name."""
        parts = {name: part.values() for name, part in self.children()}
        return dict(self.own()), self.statistics(), parts

    def flatten_values(self) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
        """Yield the path, weights and attributes of this model and of its parts."""
        yield from self._flattened(("root",))

    def _flattened(self, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
        yield path, dict(self.own()), self.statistics()
        for name, part in self.children():
            yield from part._flattened((*path, name))

    def statistics(self) -> dict[str, Any]:
        """Return the numbers that are kept with the weights and are none."""
        return {}

    # ---- recording -------------------------------------------------------------------------------

    def train(self) -> Recording:
        """Record what is computed with the weights of this model, from nothing."""
        return Recording(self)

    def _begin(self) -> None:
        for variable in self.own().values():
            if self.recording:
                variable.record()
            else:
                variable.rest()
        self.carry_on()

    def carry_on(self) -> None:
        """Begin with what was carried over from call to call, without its history."""

    @contextmanager
    def prevent_update(self) -> Iterator[None]:
        """Record nothing of this model inside of the block."""
        before = [(part, part.updating) for part in self.iter_models()]
        self.set_prevent_update(True)
        try:
            yield
        finally:
            for part, updating in before:
                part.updating = updating

    def set_prevent_update(self, flag: bool) -> None:
        """Say whether what is recorded leaves this model out."""
        for part in self.iter_models():
            part.updating = not flag
            part.recording = part.recording and not flag
            part._begin()

    def set_auto_update(self, value: bool) -> None:
        """Say whether training changes the weights."""
        for variable in self.variables():
            variable.set_auto_update(value)

    # ---- settings --------------------------------------------------------------------------------

    def set_models(self, **attributes: Any) -> None:
        """Set attributes of this model and of all parts: `set_models(inference=True)`."""
        for part in self.iter_models():
            for name, value in attributes.items():
                setattr(part, name, value)

    def set_initializer(self, initializer: Any) -> None:
        """Let weights that are still to be made be drawn by this."""
        for part in self.iter_models():
            if part._initializer is not None:
                part._initializer = initializer

    def truncate(self) -> None:
        """Forget what was carried over from call to call."""
        for _, part in self.children():
            part.truncate()

    def set_gpu(self, gpu_id: int) -> None:
        """Do nothing: all is computed on the processor."""

    def summary(self) -> None:
        """Print what ReNom prints."""
        print("summary will be printed out soon.")  # noqa: T201  the script's own output

    # ---- weights ---------------------------------------------------------------------------------

    def copy_params(self, model: Model) -> None:
        """Take over the weights of a model of the same parts."""
        mine, theirs = list(self.iter_models()), list(model.iter_models())
        here, there = (", ".join(type(one).__name__ for one in parts) for parts in (mine, theirs))
        if here != there:
            raise DialectError(
                "copy_params",
                "the models have other parts",
                got=there,
                need=here,
                at=caller(),
            )
        for part, source in zip(mine, theirs, strict=True):
            part.take(source.own(), source.statistics())

    def take(self, weights: dict[str, Any], statistics: dict[str, Any]) -> None:
        """Replace the weights and the statistics of this module by copies of others."""
        self.params = {
            name: Variable(np.array(value, order=self.order), value.auto_update, value.weight_decay)
            for name, value in weights.items()
        }
        self._begin()
        for name, value in statistics.items():
            setattr(self, name, np.array(value))

    def sync(self) -> None:
        """Do nothing: there are no copies on other devices."""

    def save(self, filename: str | Path) -> None:
        """Write the weights as ReNom does, to an HDF5 file."""
        from .files import save

        save(self, filename)

    @property
    def name(self) -> str:
        """Name of the class."""
        return snake(type(self).__name__)

    def seen_only(self, others: Any) -> bool:
        """Return False: what is called is told by the script."""
        return False

    def kept(self, run: Any, stem: str) -> Any:
        """Write the weights into the folder of a run; return the native network, if any."""
        file = f"{stem or 'weights'}.h5"
        self.save(run.path / file)
        model, why = followed(self, self._shape)
        if model is None and self.script is not None:
            name = type(self).__name__
            self.script.note(f"the run keeps the weights alone, {file}: {name} is code, {why}")
        return model

    def load(self, filename: str | Path, devices: str = "cpu") -> None:
        """Read the weights of a file that ReNom or `save` has written."""
        from .files import load

        load(self, filename)


class Parametrized(Model):
    """A module with weights; a subclass makes them in `weight_initiallize(input_size)`."""

    parametrized = True

    def __init__(self, input_size: Any = None, **words: Any) -> None:
        self._params = Params()
        if input_size is not None:
            sizes = input_size if isinstance(input_size, (tuple, list)) else (input_size,)
            self.make(tuple(sizes))

    def weight_initiallize(self, size_i: tuple[int, ...]) -> None:
        """Make the weights for an input of this shape, without the batch."""
        raise DialectError(
            f"rm.Parametrized {type(self).__name__}",
            "has no weight_initiallize",
            need="def weight_initiallize(self, input_size): self.params = {'w': rm.Variable(...)}",
            at=caller(),
        )

    def make(self, size: tuple[int, ...]) -> None:
        """Make the weights, and record them where the model is recorded."""
        self.weight_initiallize(size)
        self._begin()

    def __call__(self, x: Any, *args: Any, **words: Any) -> Any:
        """Compute; make the weights in the first call."""
        if not self.params:
            self.make(tuple(np.shape(x)[1:]))
        return self.forward(x, *args, **words)
