"""TensorBoard's hyper-parameters where it is not installed: what is tried goes to hparams.jsonl."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from .dialect import Modules
from .scalars import HERE, hyper_parameters


class Discrete:
    """Some values."""

    def __init__(self, values: Iterable[Any], dtype: Any = None) -> None:
        self.values = sorted(values)
        self.dtype = dtype or type(self.values[0])

    def sample_uniform(self, rng: Any = random) -> Any:
        """Return one of them."""
        return rng.choice(self.values)


@dataclass(frozen=True)
class Interval:
    """Numbers between two."""

    min_value: Any
    max_value: Any
    dtype: ClassVar[type]
    draw: ClassVar[str]  # the method of a generator

    def sample_uniform(self, rng: Any = random) -> Any:
        """Return one of them."""
        return self.dtype(getattr(rng, self.draw)(self.min_value, self.max_value))


class RealInterval(Interval):
    """Real numbers between two."""

    dtype = float
    draw = "uniform"


class IntInterval(Interval):
    """Whole numbers between two, both among them."""

    dtype = int
    draw = "randint"


@dataclass(frozen=True, eq=False)
class HParam:
    """A hyper-parameter: its name, and what it may be."""

    name: str
    domain: Any = None
    display_name: Any = None
    description: Any = None


@dataclass(frozen=True, eq=False)
class Metric:
    """A number that is compared."""

    tag: str
    group: Any = None
    display_name: Any = None
    description: Any = None
    dataset_type: Any = None
    TRAINING: ClassVar[str] = "training"
    VALIDATION: ClassVar[str] = "validation"


def hparams(hparams: Mapping[Any, Any], *args: Any, **words: Any) -> bool:
    """Write the values of a trial into the folder of the default writer, if there is one."""
    writer = HERE.get()
    if writer is not None:
        hyper_parameters(writer.folder, hparams)
    return writer is not None


def hparams_config(*args: Any, **words: Any) -> bool:
    """Do nothing: a table needs no description."""
    return True


class KerasCallback:
    """Writes the values of a trial when its training begins."""

    def __init__(self, writer: Any, hparams: Mapping[Any, Any], *args: Any, **words: Any) -> None:
        self.folder, self.given = Path(getattr(writer, "folder", writer) or "."), hparams

    def on_train_begin(self, logs: Any = None) -> None:
        """Write them."""
        self.folder.mkdir(parents=True, exist_ok=True)
        hyper_parameters(self.folder, self.given)

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("on_", "set_")):
            return lambda *args, **words: None
        raise AttributeError(name)


def modules() -> Modules:
    """Return the modules by their paths."""
    made = {
        one.__name__: one
        for one in (Discrete, RealInterval, IntInterval, HParam, Metric, hparams, hparams_config,
                    KerasCallback)
    }  # fmt: skip
    return {
        "tensorboard": {}, "tensorboard.plugins": {}, "tensorboard.plugins.hparams": {},
        "tensorboard.plugins.hparams.api": made,
    }  # fmt: skip
