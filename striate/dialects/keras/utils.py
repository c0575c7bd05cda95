"""`keras.utils`: labels as vectors, a progress bar, pictures of models, classes by name."""

from __future__ import annotations

import contextlib
import io
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...core.symbol import Symbol
from ..symbolic import lift
from . import summary as keras_summary
from .beside import set_random_seed, source_inputs
from .directories import image_dataset_from_directory, text_dataset_from_directory
from .image_files import load_img
from .images import in_order
from .sequence import Sequence
from .series import timeseries_dataset_from_array
from .session import KerasSession
from .tf_audio import audio_dataset_from_directory
from .tf_data import Dataset


def to_categorical(y: Any = None, num_classes: int | None = None, nb_classes: int | None = None,
                   dtype: Any = "float32", x: Any = None) -> Any:  # fmt: skip
    """Return labels from 0 on as one-hot rows; a last axis of 1 is dropped."""
    labels = np.asarray(x if y is None else y, dtype="int64")
    labels = labels[..., 0] if labels.ndim > 1 and labels.shape[-1] == 1 else labels
    count = num_classes or nb_classes or int(labels.max()) + 1
    one_hot: NDArray[np.float32] = np.eye(count, dtype=dtype)[labels]
    return one_hot


def to_ordinal(y: Any, num_classes: int | None = None, dtype: Any = "float32") -> Any:
    """Return labels from 0 on as rows of ones for each class below: 2 of 4 is 1, 1, 0."""
    labels = np.asarray(y, dtype="int64")
    labels = labels[..., 0] if labels.ndim > 1 and labels.shape[-1] == 1 else labels
    count = num_classes or int(labels.max()) + 1
    return (np.arange(count - 1) < labels[..., None]).astype(dtype)


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """Return vectors of length 1 along an axis."""
    if isinstance(x, (torch.Tensor, Symbol)):
        return lift(torch.nn.functional.normalize)(x, float(order), axis)
    x = np.asarray(x)
    lengths = np.atleast_1d(np.linalg.norm(x, order, axis))
    lengths[lengths == 0] = 1
    return x / np.expand_dims(lengths, axis)


def categorical_probas_to_classes(p: Any) -> Any:
    """Return the most probable classes."""
    return np.argmax(p, axis=1)


def accuracy(y_pred: Any, y: Any) -> float:
    """Return the part of labels that are right."""
    return float(np.mean(np.asarray(y_pred) == np.asarray(y)))


class Progbar:
    """Prints how far a script has come, in one line that is written over until the end."""

    def __init__(self, target: int | None, width: int = 30, verbose: int = 1,
                 interval: float = 0.05, **words: Any) -> None:  # fmt: skip
        self.target, self.width, self.verbose, self.seen = target, width, verbose, 0
        self.sums: dict[str, list[float]] = {}
        self.start, self.interval, self.last = time.time(), interval, 0.0
        stateful = words.get("stateful_metrics")
        self.stateful_metrics = set(stateful or ())

    def update(self, current: int, values: Any = (), finalize: Any = None, **words: Any) -> None:
        """Take numbers in, and print; more often than each `interval` only at the end."""
        count = current - self.seen
        for name, value in values or ():
            total, number = self.sums.get(name, [0.0, 0.0])
            if name in self.stateful_metrics:
                self.sums[name] = [float(value), 1.0]
            else:
                self.sums[name] = [total + float(value) * count, number + count]
        self.seen = current
        ends = finalize or (self.target is not None and current >= self.target)
        if self.verbose and (ends or time.time() - self.last > self.interval):
            sys.stdout.write(("\r" if self.last else "") + self._line() + ("\n" if ends else ""))
            sys.stdout.flush()
            self.last = time.time()

    def _line(self) -> str:
        numbers = "".join(f" - {n}: {t / max(c, 1):.4f}" for n, (t, c) in self.sums.items())
        if self.target is None:
            return f"{self.seen:7d}/Unknown{numbers}"
        done = min(self.width, int(self.width * self.seen / max(self.target, 1)))
        bar = "=" * done if done == self.width else ("=" * done)[:-1] + ">" * (done > 0)
        return f"{self.seen}/{self.target} [{bar.ljust(self.width, '.')}]{numbers}"

    def add(self, n: int, values: Any = (), **words: Any) -> None:
        """Go on by n."""
        self.update(self.seen + n, values)


class Diagram:
    """The drawing of a model: `create(prog="dot", format="svg")`, `write_png(path)`..."""

    def __init__(self, figure: Any) -> None:
        self.figure = figure

    def create(self, prog: Any = None, format: str = "png", **words: Any) -> bytes:
        """Return the drawing as the bytes of a file."""
        data = io.BytesIO()
        self.figure.savefig(data, format=format)
        return data.getvalue()

    def write(self, path: Any, prog: Any = None, format: str = "png", **words: Any) -> bool:
        """Write the drawing into a file."""
        Path(path).write_bytes(self.create(format=format))
        return True

    def __getattr__(self, name: str) -> Callable[..., Any]:
        verb, _, kind = name.partition("_")
        if verb not in ("create", "write") or kind not in ("png", "svg", "pdf", "jpg"):
            raise AttributeError(f"the drawing of a model has no {name!r}: it has create and write")
        return partial(getattr(self, verb), format=kind)


def plots(session: KerasSession) -> dict[str, Callable[..., Any]]:
    """Return the functions that draw a model."""

    def plot(
        model: Any, to_file: Any = "model.png", show_shapes: bool = False, **words: Any
    ) -> None:
        """Draw the layers as boxes, one under the other."""
        drawn(model, show_shapes).savefig(to_file)

    def dot(model: Any, show_shapes: bool = False, **words: Any) -> Diagram:
        """Return the drawing, as an object that has the verbs of a graph of pydot."""
        return Diagram(drawn(model, show_shapes))

    def drawn(model: Any, show_shapes: bool) -> Any:
        from matplotlib.figure import Figure

        rows = keras_summary.rows(model, session)
        figure = Figure(figsize=(6, 0.7 * len(rows) + 0.5))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set(xlim=(0, 1), ylim=(-len(rows), 0.5))
        places = {row[0].partition(" ")[0]: -index for index, row in enumerate(rows)}
        for index, row in enumerate(rows):
            text = f"{row[0]}\n{row[1]}" if show_shapes else row[0]
            axes.text(0.5, -index, text, ha="center", va="center", size=9,
                      bbox={"boxstyle": "round", "facecolor": "white"})  # fmt: skip
            for name in filter(None, row[3].split(", ")):
                start = places.get(name.partition("[")[0])
                if start is not None:
                    bend = 0.0 if start - 1 == -index else 0.3
                    axes.annotate("", (0.5, -index + 0.25), (0.5, start - 0.25), arrowprops={
                        "arrowstyle": "->", "connectionstyle": f"arc3,rad={bend}"})  # fmt: skip
        return figure

    return {"plot_model": plot, "plot": plot, "model_to_dot": dot}


def custom_objects(session: KerasSession) -> dict[str, Any]:
    """Return what names a script's own classes for files."""

    @contextlib.contextmanager
    def scope(*several: Mapping[str, Any], custom_objects: Any = None) -> Iterator[None]:
        before = dict(session.custom)
        for given in (*several, custom_objects or {}):
            session.custom.update(given)
        try:
            yield
        finally:
            session.custom.clear()
            session.custom.update(before)

    def register(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
        def keep(made: Any) -> Any:
            session.custom[name or made.__name__] = made
            return made

        return keep

    def registered(obj: Any) -> str:
        """Return the name that a class is kept under."""
        return next((name for name, one in session.custom.items() if one is obj), obj.__name__)

    return {
        "get_registered_name": registered, "get_registered_object": lambda name, *args, **words: (
            session.custom.get(str(name).rpartition(">")[2])),
        "CustomObjectScope": scope, "custom_object_scope": scope, "get_custom_objects":
        lambda: session.custom, "register_keras_serializable": register,
    }  # fmt: skip


def get_file(fname: Any = None, origin: Any = None, *args: Any, cache_dir: Any = None,
             cache_subdir: str = "datasets", **words: Any) -> str:  # fmt: skip
    """Return the path of a file, fetched once from `origin`."""
    from urllib.request import urlopen

    folder = Path(cache_dir or Path.home() / ".keras") / cache_subdir
    path = folder / str(fname or Path(str(origin)).name)
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with urlopen(origin, timeout=60) as source:  # what the script itself asks for
            path.write_bytes(source.read())
    return str(path)


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Return what a step is given."""
    if y is None:
        return x if not isinstance(x, (list, tuple)) else (x,)
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data: Any) -> Any:
    """Return inputs, labels and weights of what a step is given, None for what is not there."""
    if not isinstance(data, tuple):
        return data, None, None
    return (*data, None, None)[:3]


def split_dataset(dataset: Any, left_size: Any = None, right_size: Any = None,
                  shuffle: bool = False, seed: Any = None) -> tuple[Dataset, Dataset]:  # fmt: skip
    """Return the elements in two data sets; sizes are numbers, or parts of all."""
    whole = dataset if isinstance(dataset, Dataset) else Dataset.from_tensor_slices(dataset)
    whole = whole.shuffle(len(whole), seed, reshuffle_each_iteration=False) if shuffle else whole
    count = len(whole)
    left = None if left_size is None else round(
        left_size * count if isinstance(left_size, float) else left_size)  # fmt: skip
    right = None if right_size is None else round(
        right_size * count if isinstance(right_size, float) else right_size)  # fmt: skip
    first = count - (right or 0) if left is None else left
    return whole.take(first), whole.skip(first).take(count - first if right is None else right)


class HDF5Matrix:
    """A data set of a file, or some of its rows, read when they are asked for."""

    def __init__(self, datapath: Any, dataset: str, start: int = 0, end: int | None = None,
                 normalizer: Any = None) -> None:  # fmt: skip
        import h5py  # type: ignore[import-untyped]

        self.data = h5py.File(datapath, "r")[dataset]
        self.start, self.end = start, len(self.data) if end is None else end
        self.normalizer = normalizer or (lambda rows: rows)

    def __len__(self) -> int:
        return self.end - self.start

    def __getitem__(self, key: Any) -> Any:
        return self.normalizer(self.data[self.start : self.end][key])

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self[:], dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows, and the shape of each."""
        return (len(self), *self[:1].shape[1:])

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def dtype(self) -> Any:
        """Kind of the numbers."""
        return self[:1].dtype


def _nothing() -> None:
    """Do nothing."""


def names(session: KerasSession) -> dict[str, Any]:
    """Return the names of `keras.utils`."""
    return {
        "to_categorical": to_categorical, "to_ordinal": to_ordinal, "normalize": normalize,
        "Progbar": Progbar,
        "accuracy": accuracy, "categorical_probas_to_classes": categorical_probas_to_classes,
        "probas_to_classes": categorical_probas_to_classes,
        **plots(session), "set_random_seed": set_random_seed,
        **{made.__name__: made for made in (
            HDF5Matrix, pack_x_y_sample_weight, unpack_x_y_sample_weight, split_dataset)},
        "get_source_inputs": source_inputs, "Sequence": Sequence, "PyDataset": Sequence,
        "get_file": get_file, "timeseries_dataset_from_array": timeseries_dataset_from_array,
        "disable_interactive_logging": _nothing, "enable_interactive_logging": _nothing,
        "is_interactive_logging_enabled": lambda: True,
        **custom_objects(session),
        "print_summary": lambda model, *args, **words: model.summary(*args, **words),
        "load_img": load_img, **in_order(session),
        "image_dataset_from_directory": image_dataset_from_directory,
        "audio_dataset_from_directory": audio_dataset_from_directory,
        "text_dataset_from_directory": text_dataset_from_directory,
        "multi_gpu_model": lambda model, *args, **words: model,
        "serialize_keras_object": lambda made: made.get_config(),
        "convert_all_kernels_in_model": lambda model: None,
    }  # fmt: skip
