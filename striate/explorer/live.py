"""Live: the page of a model that is in memory, beside a program or a notebook."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any
from weakref import finalize

import numpy as np
import torch

from ..data.fit import check_batch
from ..inspect.alarms import by_epoch
from ..inspect.asked import about_model, class_numbers, numbers
from ..inspect.outputs import CLASSES, gives, loss_of
from ..store import samples
from ..store.files import MANIFEST, manifest
from ..store.run import Run
from .subject import Subjects, still

if TYPE_CHECKING:
    from .serve import Explorer

Pair = tuple[Any, Any]


@about_model
def explore(
    model: Any,
    test: Pair | None = None,
    train: Pair | None = None,
    classes: Sequence[str] | None = None,
    history: Any = None,
    port: int | None = None,
) -> Explorer:
    """Show a model as it is now in the browser, as `striate explore` shows a run.

    `test` and `train`, each (samples, labels), are the pictures that the page knows, of each part
    the first 32 MB; without them one draws, or drops an image. Labels may be None, and are left out
    where the network gives no classes. `classes` are the names of the
    classes, `history` is what `fit` returned. `port`: else the first free one from 8250.

    Raises: DataError or ShapeError for samples and labels that do not fit the model, ConfigError
    where the port is taken.
    """
    given = {name: pair for name, pair in (("train", train), ("test", test)) if pair is not None}
    parts = {name: _checked(model, name, *pair) for name, pair in given.items()}
    from .serve import Explorer

    subjects = Subjects(Path(mkdtemp(prefix="striate-")))
    gone = finalize(subjects, rmtree, subjects.root, ignore_errors=True)  # at the latest with it
    run = Run.create(subjects.root, _name(model))
    run.write("config.json", {"loss": loss_of(model)})
    run.write("results.json", {"classes": list(map(str, classes))} if classes else {})
    samples.keep(run.path, parts)
    for at, row in enumerate(by_epoch(getattr(history, "history", history) or {})):
        run.log(at, row)
    run.write(MANIFEST, manifest({}))
    subject = subjects[run.name]
    vars(subject)["model"] = still(copy.deepcopy(model))
    subject.grid  # noqa: B018  # a model that reads no picture is refused here
    return Explorer(subjects, run.name, port, gone)


def _name(model: Any) -> str:
    """Return the name of a model as that of a run."""
    name = getattr(model, "name", "") or type(model).__name__
    return re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_")[:64] or "model"


def _checked(model: Any, name: str, x: Any, y: Any) -> Pair:
    """Return samples, and class numbers if there are any, that fit the model."""
    array = numbers(name, x)
    check_batch(model.where, (model.graph.inputs[0].spec,), (torch.as_tensor(array[:1]),))
    if y is None or gives(model) != CLASSES:
        return array, None
    count = model.graph.outputs[0].spec.shape[-1] or np.asarray(y).max() + 1
    return array, class_numbers(name, y, len(array), max(int(count), 2))
