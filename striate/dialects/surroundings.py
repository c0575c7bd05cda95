"""Surroundings: what scripts of the time found around them, served where it is absent today."""

from __future__ import annotations

import builtins
import io
import pickle
import queue
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from . import (
    restore_hdf5,
    surroundings_coco,
    surroundings_drawing,
    surroundings_einops,
    surroundings_fetched,
    surroundings_hparams,
    surroundings_imageio,
    surroundings_images,
    surroundings_opencv,
    surroundings_pandas,
    surroundings_scipy,
    surroundings_skimage,
    surroundings_sklearn,
)
from .dialect import Modules
from .importer import Aliases, served
from .notebook import shown
from .restore import replaced, restored
from .session import Script
from .surroundings_absent import PACKAGES, Partial
from .surroundings_installed import Changes, as_they_were, bars_of_text

TRACKERS = ("wandb", "mlflow", "neptune", "comet_ml")
TRACKED = ("init", "log", "config", "watch", "finish", "save", "run", "login", "Image", "Table",
           "Experiment", "start_run", "end_run", "log_param", "log_params", "log_metric",
           "log_metrics", "set_experiment", "set_tracking_uri", "log_artifact", "Histogram",
           "Video", "Audio", "Html", "Artifact", "Settings", "Api", "alert", "define_metric",
           "sweep", "agent", "summary", "unwatch", "plot", "set_tag", "set_tags", "autolog",
           "pytorch", "keras")  # fmt: skip

PARTIAL = ("cv2", "skimage", "requests", "imageio", "einops", "pycocotools")


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


def modules() -> Modules:
    """Return small modules by their paths; a package that is installed is not hidden by them."""
    nothing = dict.fromkeys(("clear_output", "HTML", "Image", "SVG"), _nothing)
    return {
        **surroundings_skimage.modules(),
        **surroundings_coco.modules(),
        **surroundings_einops.modules(),
        **surroundings_fetched.modules(),
        **surroundings_imageio.modules(),
        **surroundings_hparams.modules(),
        "cv2": surroundings_opencv.NAMES,
        "cPickle": vars(pickle),
        "StringIO": {"StringIO": io.StringIO},
        "cStringIO": {"StringIO": io.StringIO},
        "Queue": vars(queue),
        # pyplot asks a module of this name for its version
        "IPython": {"get_ipython": Tolerated, "version_info": (9, 0, 0), "__version__": "9.0.0"},
        **{tracker: dict.fromkeys(TRACKED, Tolerated()) for tracker in TRACKERS},
        "visdom": {"Visdom": Tolerated},
        "torchviz": {"make_dot": Tolerated},
        "IPython.display": {"display": _display, **nothing},
        "google": {},
        "google.colab": dict.fromkeys(("drive", "files", "output"), Tolerated()),
        "missinglink": {"KerasProject": Tolerated, "PyTorchProject": Tolerated},
        "matplotlib_inline": {},
        "matplotlib_inline.backend_inline": {"set_matplotlib_formats": _nothing},
        "pydot": {"Dot": Tolerated, "find_graphviz": _nothing},
        "pydotplus": {"Dot": Tolerated},
    }


def _nothing(*args: Any, **words: Any) -> None:
    """Do nothing."""


def _display(*values: Any, **words: Any) -> None:
    """Print values as a cell of a notebook does."""
    for value in values:
        shown(value)


def _changes(script: Script) -> Changes:
    """Return what is changed in packages that are installed."""
    return {
        **surroundings_sklearn.changes(script), **surroundings_pandas.changes(script),
        **surroundings_scipy.changes(), **surroundings_images.changes(),
        **surroundings_drawing.changes(script),
        "tqdm.notebook": bars_of_text,
    }  # fmt: skip


def packages() -> set[str]:
    """Return the packages that are stood in for, or changed."""
    return {path.partition(".")[0] for path in (*modules(), *_changes(Script()))}


@contextmanager
def surrounded(script: Script) -> Iterator[None]:
    """Give a script what NumPy, Python and packages have lost, and absent ones, inside a block."""
    every, changes = modules(), _changes(script)
    moved = {
        **surroundings_sklearn.MOVED, **surroundings_pandas.MOVED, **surroundings_images.MOVED
    }  # fmt: skip
    said = {word.rpartition(".")[2] for kind, word, _ in script.words if kind in ("name", "import")}
    known = {"get_ipython": Tolerated, "display": _display}
    notebook = [(builtins, name, made) for name, made in known.items() if name in said]
    with ExitStack() as stack:
        stack.enter_context(restored())
        stack.enter_context(replaced(surroundings_fetched.patches(script)))
        stack.enter_context(replaced(restore_hdf5.patches(script)))
        stack.enter_context(replaced(notebook))  # notebooks that are saved as programs
        stack.enter_context(as_they_were(changes, moved))
        for root in sorted({path.partition(".")[0] for path in every}):
            stack.enter_context(served(_stand_in(root, every)))
        yield


def _stand_in(root: str, every: Modules) -> Aliases:
    """Return the finder of one small package."""
    own = {path: names for path, names in every.items() if path.partition(".")[0] == root}
    title = f"{root} is not installed, and its stand-in"
    kind = Partial if root in PARTIAL else Aliases
    return kind(title, own, {}, hides=False, hint=f"pip install {PACKAGES.get(root, root)}")
