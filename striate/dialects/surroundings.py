"""Surroundings: what scripts of the time found around them, served where it is absent today."""

from __future__ import annotations

import builtins
import importlib
import io
import pickle
import queue
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import Any

from ..engine.progress import say
from . import (
    surroundings_drawing,
    surroundings_images,
    surroundings_pandas,
    surroundings_sklearn,
)
from .dialect import Modules, Patch
from .importer import Aliases, served
from .restore import replaced, restored
from .session import Script
from .surroundings_absent import PACKAGES

TRACKERS = ("wandb", "mlflow", "neptune", "comet_ml")
TRACKED = ("init", "log", "config", "watch", "finish", "save", "run", "login", "Image", "Table",
           "Experiment", "start_run", "end_run", "log_param", "log_params", "log_metric",
           "log_metrics", "set_experiment", "set_tracking_uri", "log_artifact")  # fmt: skip


class Tqdm:
    """A bar that says its last words when it is closed, and nothing between."""

    def __init__(self, iterable: Any = None, desc: str = "", **words: Any) -> None:
        self.iterable, self.description, self.n = iterable, desc or "", 0
        self.total = words.get("total")

    def __iter__(self) -> Iterator[Any]:
        for self.n, item in enumerate(self.iterable):  # noqa: B020  the count is the bar's
            yield item
        self.close()

    def __len__(self) -> int:
        return len(self.iterable)

    def __enter__(self) -> Tqdm:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def set_description(self, desc: str = "", refresh: bool = True) -> None:
        """Change the words."""
        self.description = desc

    set_description_str = set_description

    def set_postfix(self, *args: Any, **numbers: Any) -> None:
        """Change the numbers behind the words."""
        shown = {**(args[0] if args and args[0] else {}), **numbers}
        self.postfix = " ".join(f"{name}={value}" for name, value in shown.items())

    def update(self, n: int = 1) -> None:
        """Go on."""
        self.n += n

    def refresh(self, *args: Any, **words: Any) -> None:
        """Show nothing."""

    clear = reset = refresh

    def write(self, text: str = "", **words: Any) -> None:
        """Print."""
        print(text)  # noqa: T201  the script's own output

    def close(self) -> None:
        """Say the words, once."""
        words = f"{self.description} {getattr(self, 'postfix', '')}".strip()
        self.description = self.postfix = ""
        if words:
            say(words)


def _trange(*args: Any, **words: Any) -> Tqdm:
    return Tqdm(range(*args), **words)


class Tolerated:
    """What a notebook, a tracker or a drawing library would be: everything can be called."""

    def __init__(self, *args: Any, **words: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Tolerated()

    def __call__(self, *args: Any, **words: Any) -> Any:
        """Do nothing."""
        return Tolerated()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: Any) -> None:
        """Go on."""


def modules(script: Script) -> Modules:
    """Return small modules by their paths; a package that is installed is not hidden by them."""
    bars = dict.fromkeys(("tqdm", "tqdm_notebook"), Tqdm) | {"trange": _trange, "tnrange": _trange}
    nothing = dict.fromkeys(("display", "clear_output", "HTML", "Image", "SVG"), _nothing)
    return {
        **surroundings_sklearn.modules(script),
        **surroundings_images.modules(),
        **surroundings_drawing.modules(),
        **surroundings_pandas.modules(),
        **dict.fromkeys(("tqdm", "tqdm.notebook", "tqdm.auto"), bars),
        "cPickle": vars(pickle),
        "StringIO": {"StringIO": io.StringIO},
        "cStringIO": {"StringIO": io.StringIO},
        "Queue": vars(queue),
        # pyplot asks a module of this name for its version
        "IPython": {"get_ipython": Tolerated, "version_info": (9, 0, 0), "__version__": "9.0.0"},
        **{tracker: dict.fromkeys(TRACKED, Tolerated()) for tracker in TRACKERS},
        "IPython.display": nothing,
        "google": {},
        "google.colab": dict.fromkeys(("drive", "files", "output"), Tolerated()),
        "missinglink": {"KerasProject": Tolerated, "PyTorchProject": Tolerated},
        "pydot": {"Dot": Tolerated, "find_graphviz": _nothing},
        "pydotplus": {"Dot": Tolerated},
    }


def _nothing(*args: Any, **words: Any) -> None:
    """Do nothing."""


def _patches(script: Script) -> Iterator[Patch]:
    """Yield what installed packages have lost, for a script that says the words."""
    said = {word.rpartition(".")[2] for kind, word, _ in script.words if kind in ("name", "import")}
    wanted = surroundings_sklearn.fetchers(script)
    if said & set(wanted) and find_spec("sklearn") is not None:
        datasets = importlib.import_module("sklearn.datasets")
        yield from ((datasets, name, function) for name, function in wanted.items())
    if "get_ipython" in said:  # notebooks that are saved as programs
        yield (builtins, "get_ipython", Tolerated)
    yield from surroundings_drawing.patches(script)
    if "hold" in said:
        pyplot = importlib.import_module("matplotlib.pyplot")
        yield from ((pyplot, name, _nothing) for name in ("hold", "ishold"))


@contextmanager
def surrounded(script: Script) -> Iterator[None]:
    """Give a script removed names of NumPy and Python, and absent packages, inside a block."""
    every = modules(script)
    with ExitStack() as stack:
        stack.enter_context(restored())
        stack.enter_context(replaced(list(_patches(script))))
        for root in sorted({path.partition(".")[0] for path in every}):
            stack.enter_context(served(_stand_in(root, every)))
        yield


def _stand_in(root: str, every: Modules) -> Aliases:
    """Return the finder of one small package."""
    own = {path: names for path, names in every.items() if path.partition(".")[0] == root}
    title = f"{root} is not installed, and its stand-in"
    refused = surroundings_sklearn.REFUSED
    hint = f"pip install {PACKAGES.get(root, root)}"
    return Aliases(title, own, refused, hides=False, hint=hint)
