"""striate train: a recipe from data to a saved run with its report."""

from __future__ import annotations

import json
import math
import re
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from types import ModuleType

    from ..data import ImageFolder
    from ..engine.hooks import History
    from ..model import Model
    from ..store.run import Run

STOPPED = 130  # the exit code of a program that Ctrl-C has ended


def train(
    recipe: Annotated[
        str, typer.Argument(help="Name of the recipe, such as mnist; or a folder of images.")
    ],
    settings: Annotated[
        list[str] | None, typer.Argument(help="Settings of the recipe: epochs=3 seed=1")
    ] = None,
    root: Annotated[str, typer.Option("--runs", help="Folder that holds the runs.")] = "runs",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Train a recipe, test it once, and keep the run: model, numbers, report.

    Example: striate train mnist epochs=3 learning_rate=3e-3
    Example: striate train flowers/ image_size=96
    """
    from ..engine.loop import INTERRUPTED
    from ..engine.progress import counted, say
    from ..engine.seed import seed
    from ..report import begin
    from ..store.run import Run
    from .recipe import find_recipe, read_settings, recipe_names
    from .score import accuracy_line, score

    words, name = [recipe, *(settings or ())], recipe
    if recipe not in recipe_names() and Path(recipe).is_dir():
        settings, name = [f"folder={recipe}", *(settings or ())], _name(recipe)
        recipe = "images"
    module = find_recipe(recipe)
    chosen = read_settings(module, settings or ())
    classes = list(module.classes(chosen))
    seed(chosen.seed)
    run = Run.create(root=root, name=name)
    run.write("config.json", {"recipe": recipe, "settings": chosen.model_dump()})
    _introduce(run, chosen)
    samples = keep_images(run, module.images(chosen)) if hasattr(module, "images") else {}
    model = module.model(chosen)
    begin(run, model)
    model.summary(print_fn=say)
    results: dict[str, Any] = {
        "run": str(run.path),
        "recipe": recipe,
        "command": shlex.join(["striate", "train", *words]),
        "classes": classes,
        **samples,
    }
    started = time.monotonic()
    try:
        history = _fit(model, module, chosen, run)
    except Exception as error:
        results |= _ended(run, started, f"{type(error).__name__}: {error}")
        _keep(run, model, results)  # what there is, with its report, before the error is told
        raise
    results |= _ended(run, started, history.stopped)
    results["steps"] = int(model.setup.state["step"]) if model.setup.state else 0
    results["spent"] = {name: round(seconds, 3) for name, seconds in history.spent.items()}
    tested = _sound(history)
    if tested:
        x, y = module.test_data(chosen)
        results |= score(model, x, y, classes)
    _keep(run, model, results)
    if as_json:
        print(json.dumps(results))
    elif tested:
        print(accuracy_line(results))
    epochs = counted(results["epochs"], "epoch")
    say(f"{epochs} in {results['seconds']:.1f} s, kept in {run.path} (see report.html there)")
    place = shlex.quote(str(run.path))
    if tested:
        say(f"next: striate predict {place} image.png   or   striate evaluate {place}")
        return
    say("the test set was not touched, as training did not end by itself")
    say(f"next: {results['command']}   to train again, or   striate evaluate {place}")
    raise typer.Exit(STOPPED if history.stopped == INTERRUPTED else 1)


def _name(folder: str) -> str:
    """Return the name of a run that is trained on a folder: the folder's own."""
    own = Path(folder).resolve().name.lower()
    return re.sub(r"[^a-z0-9_-]+", "-", own).strip("-_")[:64] or "images"


def keep_images(run: Run, images: ImageFolder) -> dict[str, Any]:
    """Say what is in a folder, keep that and the first of its images; return how many there are."""
    from ..engine.progress import say
    from ..store import samples

    say(f"{images}\n")
    run.write(samples.FACTS, images.facts())
    parts = {"train": images.train, "validation": images.validation, "test": images.test}
    samples.keep(run.path, parts)
    names = {"train": "training"}
    return {"samples": {names.get(part, part): len(x) for part, (x, _) in parts.items()}}


def _ended(run: Run, started: float, stopped: str) -> dict[str, Any]:
    seconds = round(time.monotonic() - started, 2)
    return {"epochs": len(run.epochs), "seconds": seconds, "stopped": stopped}


def _sound(history: History) -> bool:
    """Return whether training ended by itself, with a loss that is a number."""
    from ..engine.loop import INTERRUPTED

    losses = history.history.get("loss", [])
    return history.stopped != INTERRUPTED and all(map(math.isfinite, losses[-1:]))


def _introduce(run: Run, settings: Any) -> None:
    import torch

    from .. import __version__
    from ..engine.progress import counted, say

    words = "  ".join(f"{key}={value}" for key, value in settings.model_dump().items())
    say(f"striate {__version__}  torch {torch.__version__}")
    threads = counted(torch.get_num_threads(), "thread")
    say(f"device    cpu, {threads} (recipes train on the CPU so far)")
    say(f"settings  {words}")
    say(f"run       {run.path}\n")


def _fit(model: Model, recipe: ModuleType, settings: Any, run: Run) -> History:
    from ..engine.hooks.log import Log
    from ..engine.progress import counted, say

    (x, y), validation = recipe.data(settings)
    say(f"\n{counted(len(x), 'image')} to train on, {len(validation[0]):,} to validate on")
    return model.fit(
        x,
        y,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        validation_data=validation,
        callbacks=[Log(run)],
    )


def _keep(run: Run, model: Model, results: dict[str, Any]) -> None:
    from ..engine.progress import say
    from ..engine.setup import held
    from ..report import write_last
    from ..store.model_file import pack
    from ..store.report import report
    from .report import data_of

    run.write("results.json", results)
    machine = run.describe_machine()
    setup = held(model)
    if setup.state is not None:
        run.write("optimizer.safetensors", pack(setup.optimizer.flatten(setup.state)))
    run.write("report.md", report(run.name, results, run.epochs, machine))
    if failed := write_last(run, model, data_of(run)):
        say(f"note: {failed}")
    run.finish(model)
