"""Subject: a run that is looked at, with its model, its classes and the pictures it knows."""

from __future__ import annotations

import gc
import hashlib
import importlib
import pkgutil
import threading
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import recipes
from ..core.operation import Affine
from ..core.spec import sample_shape
from ..data.datasets import class_names, mnist
from ..errors import ConfigError, StoreError, nearest
from ..inspect.health import Health, health
from ..inspect.mistakes import Mistakes, told
from ..inspect.outputs import CLASSES, MAPS, NUMBERS, gives
from ..model import Model, load, make
from ..report.evidence import numbers
from ..store import epochs, samples
from ..store.run import MODEL, Run
from .grid import Grid

MOST = 10_000  # test pictures that are read
OLD_BYTES = 32 * 2**20  # of weights of earlier epochs that stay at hand
UNLABELLED = -1  # the class of a picture that has none
KNOWN = "the run of a recipe, or of a script that fits arrays"  # that has pictures of its own


@dataclass(frozen=True)
class Pictures:
    """Samples with their classes: `x` in the form that the model takes, `y` whole numbers.

    A class of -1 is none: of the samples of an autoencoder, or with numbers or maps for labels.
    """

    x: NDArray[Any]
    y: NDArray[Any]


class Subject:
    """A run, opened to be looked at.

    `lock` is held while its model answers at once, `patience` while it looks through many pictures:
    those questions wait for each other, and drawing does not wait for them.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run = Run(path)
        self.lock = threading.RLock()
        self.patience = threading.RLock()
        self.features: NDArray[np.float32] | None = None  # of training pictures
        self.old: dict[int, Model] = {}  # by epoch, the one that was asked for last at the end
        self.changed: tuple[Any, Any] | None = None  # changes, and the network that has them

    @property
    def name(self) -> str:
        """Name of the run."""
        return self.run.name

    @cached_property
    def model(self) -> Model:
        """The run's model, in training that of the last epoch; raises StoreError if none."""
        with self.lock:
            if (self.path / MODEL).is_file():
                return still(load(self.path))
            kept = epochs.kept(self.path)
            if kept:
                return self.at(kept[-1])
        raise StoreError(
            self.name,
            "has no model yet",
            need=f"{MODEL}, which is written when training ends",
            fix="the curves are there already; wait for the end of training",
        )

    def at(self, epoch: int | None) -> Model:
        """Return the model as it was after an epoch; None: as it is."""
        if epoch is None:
            return self.model
        with self.lock:
            model = self.old.pop(epoch, None) or self._as_it_was(epoch)
            self.old[epoch] = model  # as the last
            return model

    def _as_it_was(self, epoch: int) -> Model:
        """Read the model of an epoch, and let go of those that there is no room for."""
        model = epochs.load(self.path, epoch, make)
        assert isinstance(model, Model)
        size = sum(weight.numel() * weight.element_size() for weight in model.weights)
        while len(self.old) > 1 and (len(self.old) + 1) * size > OLD_BYTES:
            self.old.pop(next(iter(self.old)))
            gc.collect()  # a network is a ring of references: it would stay for a while
        return still(model)

    @cached_property
    def grid(self) -> Grid:
        """How pictures go in; raises ConfigError for a model that reads none."""
        graph = self.model.graph
        known = self.train.x[:2000] if self.train is not None else None
        found = None
        if len(graph.inputs) == 1:
            span = self.run.input_range
            found = Grid.of(graph.inputs[0].spec, known, _takes_bytes(self.model), span)
        if found is None:
            raise ConfigError(
                self.model.where,
                "reads no picture, so that there is nothing to draw on",
                got="inputs " + ", ".join(str(symbol.spec) for symbol in graph.inputs),
                need="one input of grey or colour pixels",
            )
        return found

    def sample(self, pixels: bytes) -> NDArray[Any]:
        """Return the model's input for the bytes that the page sent."""
        return self.grid.sample(self.grid.read(pixels))

    @cached_property
    def classes(self) -> list[str]:
        """Names of the classes; numbers where the run has none."""
        names = self.results.get("classes")
        if isinstance(names, list) and names:
            return [str(name) for name in names]
        if self.dataset == "mnist":
            return list(class_names("mnist"))
        if self.gives == MAPS:
            return []
        count = self.model.graph.outputs[0].spec.numel or 1
        if self.gives == NUMBERS and count == 1:
            return ["a smaller number", "a larger number"]
        return [str(index) for index in range(max(count, 2))]

    @cached_property
    def gives(self) -> str:
        """What the network gives: classes, labels, numbers or maps."""
        return gives(self.model, str(self.config.get("loss", "")))

    @cached_property
    def config(self) -> dict[str, Any]:
        """What was asked of the run."""
        found = self.run.read("config.json") if (self.path / "config.json").is_file() else {}
        return found if isinstance(found, dict) else {}

    @cached_property
    def results(self) -> dict[str, Any]:
        """What came out: classes, accuracy, seconds; empty while there is nothing."""
        return self.run.results

    # ---- pictures --------------------------------------------------------------------------------

    @cached_property
    def dataset(self) -> str:
        """Where its pictures come from: a recipe, a script, "mnist" where it fits, or nowhere."""
        recipe = self.config.get("recipe")
        if recipe in {module.name for module in pkgutil.iter_modules(recipes.__path__)}:
            return str(recipe)
        if self.kept:
            return str(self.config.get("script", self.name))
        graph = self.model.graph
        fits = [symbol.spec.numel for symbol in graph.inputs] == [28 * 28]
        return "mnist" if fits and graph.outputs[0].spec.numel == 10 else ""

    @cached_property
    def train(self) -> Pictures | None:
        """Pictures that the model was trained on."""
        return self._pictures("train")

    @cached_property
    def validation(self) -> Pictures | None:
        """Pictures by which its training was watched."""
        return self._pictures("validation")

    @cached_property
    def test(self) -> Pictures | None:
        """Pictures that the model was tested on."""
        return self._pictures("test")

    @property
    def judged(self) -> bool:
        """Whether there are test pictures with classes, of a network that gives classes."""
        return self.gives == CLASSES and self.test is not None and UNLABELLED not in self.test.y

    @cached_property
    def reading(self) -> Mistakes:
        """What the model says about the test pictures."""
        if self.test is None:
            raise ConfigError(self.name, "knows no test pictures", need=KNOWN)
        if not self.judged:
            raise ConfigError(self.name, "has test pictures whose labels are no classes")
        x, y = self.test.x[:MOST], self.test.y[:MOST].astype(np.int64)
        with self.patience:
            outputs = self.model.predict(x)
        outputs = np.asarray(outputs[0] if isinstance(outputs, list) else outputs, np.float64)
        return told(self.model.where, outputs, y, self.classes)

    @cached_property
    def twins(self) -> NDArray[np.int64]:
        """Test pictures that are also there as another one, in testing or in training."""
        if self.test is None:
            return np.empty(0, np.int64)
        own = hashes(self.test.x[:MOST])
        trained = set(hashes(self.train.x)) if self.train is not None else set()
        many = Counter(own)
        return np.flatnonzero([one in trained or many[one] > 1 for one in own])

    @cached_property
    def health(self) -> Health | None:
        """Units that are zero for every picture that was looked at; None without pictures."""
        pictures = self.test or self.train
        if pictures is None:
            return None
        with self.patience:
            return health(self.model, pictures.x)

    @cached_property
    def kept(self) -> dict[str, samples.Pair]:
        """What a script's run keeps of the samples that it trained and was judged on."""
        bare = samples.unlabelled(self.path)
        return samples.load(self.path) | {
            part: (x, np.full(len(x), UNLABELLED)) for part, x in bare.items()
        }

    @cached_property
    def folder(self) -> dict[str, Any]:
        """What was found in the folder of images that it was trained on; empty without one."""
        return samples.facts(self.path)

    def _pictures(self, part: str) -> Pictures | None:
        if not self.dataset:
            return None
        if self.kept:
            pair = self.kept.get(part)
            if pair is None:
                return None
            return Pictures(self._fit(pair[0]), numbers(pair[1]))
        if "recipe" not in self.config:
            return None if part == "validation" else self._fitted(*mnist()[part == "test"])
        module, settings = self._recipe
        own = module.test_data(settings) if part == "test" else self._trained[part != "train"]
        return None if own is None else Pictures(np.asarray(own[0]), numbers(own[1]))

    @property
    def _recipe(self) -> tuple[Any, Any]:
        module: Any = importlib.import_module(f"{recipes.__name__}.{self.dataset}")
        return module, module.Settings(**self.config.get("settings", {}))

    @cached_property
    def _trained(self) -> tuple[Any, Any]:
        """The samples of a recipe to train and to validate on, which are read together."""
        module, settings = self._recipe
        found: tuple[Any, Any] = module.data(settings)
        return found

    def _fit(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return samples in the shape that the model reads them in."""
        return x.reshape(-1, *sample_shape(self.model.graph.inputs[0].spec, x.shape[1:]))

    def _fitted(self, x: NDArray[Any], y: NDArray[Any]) -> Pictures:
        """Return MNIST in the form of a model that was not trained by a recipe."""
        spec = self.model.graph.inputs[0].spec
        grid = Grid.of(spec, None, _takes_bytes(self.model), self.run.input_range)
        assert grid is not None
        values = grid.values(x)
        moved = np.moveaxis(values, -1, 1) if grid.first else values
        return Pictures(moved.reshape(len(x), *grid.shape), y)


def hashes(x: NDArray[Any]) -> list[bytes]:
    """Return what two pictures share only if they are equal."""
    return [
        hashlib.blake2b(np.ascontiguousarray(one).tobytes(), digest_size=12).digest() for one in x
    ]


def still(model: Model) -> Model:
    """Return the model in inference for good, so that no question changes its mode for another."""
    model.eval()
    return model


def _takes_bytes(model: Model) -> bool:
    """Return whether the model scales pixels itself: it begins with a factor and a shift."""
    for node in model.graph.nodes:
        chain = node.layer.operations(*(symbol.spec for symbol in node.inputs))
        if chain:
            return all(isinstance(step, Affine) for step in chain)
        if chain is None:
            return False
    return False


class Subjects:
    """The runs of a folder, opened when they are asked for; the newest few stay open."""

    KEPT = 4

    def __init__(self, root: Path) -> None:
        self.root = root
        self.opened: dict[str, Subject] = {}
        self.lock = threading.Lock()

    def names(self) -> list[str]:
        """Return the names of all runs, newest first, those that are being trained too."""
        if not self.root.is_dir():
            return []
        folders = [
            item
            for item in self.root.iterdir()
            if item.is_dir() and (item / "config.json").is_file() | (item / MODEL).is_file()
        ]
        return [item.name for item in sorted(folders, key=_touched, reverse=True)]

    def __getitem__(self, name: str) -> Subject:
        """Return a run; raises StoreError if there is none of that name."""
        names = self.names()
        if name not in names:
            raise StoreError(
                f"run {name[:80]!r}",
                "there is no such run",
                need="one of " + ", ".join(names[:20]) if names else "a run",
                fix=nearest(name, names),
            )
        with self.lock:
            subject = self.opened.pop(name, None)
            stale = subject is not None and "model" in vars(subject) and _changed(subject)
            if subject is None or stale:
                subject = Subject(self.root / name)
            self.opened[name] = subject
            while len(self.opened) > self.KEPT:
                self.opened.pop(next(iter(self.opened)))
                gc.collect()
            return subject


def _changed(subject: Subject) -> bool:
    stamp = _touched(subject.path)
    before: int = vars(subject).setdefault("stamp", stamp)
    return stamp != before


def _touched(path: Path) -> int:
    file = next((path / name for name in (MODEL, "metrics.jsonl", "config.json")
                 if (path / name).is_file()), path)  # fmt: skip
    return file.stat().st_mtime_ns
