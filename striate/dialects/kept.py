"""What a script leaves: its run, with the model, the numbers, the samples and the report."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..engine.progress import say
from ..errors import StoreError, StriateError
from ..inspect.outputs import loss_of
from ..model import Model
from ..report import images, known, write_last
from ..store import config, model_file, samples
from .session import Looped, Script


def keep(script: Script, asked: dict[str, Any], stopped: str) -> None:
    """Write the run of a script: `asked`, the machine, and what was trained.

    Of one that failed, `stopped` says how; then what it has trained is kept as far as that goes.
    """
    run = script.run
    if stopped and script.fitted is None and not script.trained:
        with suppress(OSError):  # it has pictures
            Path(run.path).rmdir()
            return
    if script.span is not None and script.span[0] < script.span[1] < math.inf:
        asked = asked | {"input_range": list(script.span)}
    if loss := loss_of(script.fitted):
        asked = asked | {"loss": loss}
    run.write("config.json", asked)
    run.describe_machine()
    try:
        _trained(script, stopped)
    except Exception as error:
        if not stopped:
            raise
        say(f"note: what was trained could not be kept: {type(error).__name__}: {error}")
        return
    say(f"kept in {run.path}")


def _trained(script: Script, stopped: str) -> None:
    run, model = script.run, script.fitted
    if model is None and script.trained:
        looped = [*script.trained.values()]
        *others, last = [one for one in looped if not one.seen_only(looped)] or looped[-1:]
        if kept := ", ".join(_beside(run, others)):
            script.note(f"the run keeps the other networks of the loop too: {kept}")
        model = last.kept(run, "")
    model = _in_layers(model)
    if model is None:
        return
    names = script.images.classes if script.images else ()
    data, results = known(model, *script.seen, names=names) if script.seen else (None, {})
    if results:
        seconds = sum(row.get("seconds", 0.0) for row in run.epochs)
        results |= {"epochs": len(run.epochs), "seconds": round(seconds, 2)}
    if stopped:
        results["stopped"] = stopped
    if results:
        run.write("results.json", results)
    if data is not None and script.images is not None:
        run.write(samples.FACTS, script.images.facts())
    if data is not None:
        samples.keep(run.path, {"train": data.train, "test": data.test})
    elif script.seen:
        samples.keep(run.path, images(model, script.seen[0], script.seen[2]))
    if failed := write_last(run, model, data):
        script.note(failed)
    _finish(run, script, model)


def _beside(run: Any, others: Sequence[Looped]) -> Iterator[str]:
    """Write the networks that were trained before the last one; yield the names of their files."""
    for number, one in enumerate(others, 1):
        stem = f"{one.name}-{number}"
        model = _in_layers(one.kept(run, stem))
        if model is not None:
            with suppress(StriateError):
                yield model_file.save(model, Path(run.path) / f"{stem}.striate").name
                continue
        yield f"{stem}, by its weights"


def _in_layers(model: Any) -> Any:
    """Return a model that is code as its layers, where a file can hold them."""
    if model is None:
        return None
    try:
        made = model.in_layers()
        config.describe(made)
    except StriateError:  # it is told where the run is finished
        return model
    return made


def _finish(run: Any, script: Script, model: Any) -> None:
    """Write the model into the run; of one that holds code, its weights and the models in it."""
    try:
        run.finish(model)
    except StoreError as error:
        weights = model.state_dict()
        if not weights:  # code of which nothing was run
            script.note(f"the run keeps no model: {error.where} {error.what}")
            return
        run.write("weights.safetensors", model_file.pack(weights))
        kept = ", ".join(_parts(run, model))
        what = f"the weights, and of its parts {kept}" if kept else "the weights alone"
        script.note(f"the run keeps {what}: {error.where} {error.what}")


def _parts(run: Any, model: Any) -> Iterator[str]:
    """Write the models that a model holds; yield the names of their files."""
    for name, part in model.named_children():
        if isinstance(part, Model):
            with suppress(StriateError):
                yield model_file.save(part, Path(run.path) / f"{name}.striate").name
