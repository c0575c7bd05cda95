"""striate report: the HTML page of a run, again."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..model import Model
    from ..store.run import Run

PAGE = "report.html"
WORST = 32


def report(
    run: Annotated[str, typer.Argument(help="Folder or name of a run.")],
    root: Annotated[str, typer.Option("--runs", help="Folder that holds the runs.")] = "runs",
) -> None:
    """Write report.html of a run anew: one file that needs no server and no network.

    Example: striate report runs/mnist
    """
    from ..model import load
    from ..store.run import Run

    opened = Run.open(run, root=root)
    model = load(opened.path)
    opened.epochs = _epochs(opened.path / "metrics.jsonl")
    write_page(opened, model)
    opened.finish(model)
    print(opened.path / PAGE)


def write_page(run: Run, model: Model) -> None:
    """Write the page of a run whose results and environment are there already."""
    from ..store.report_page import page

    results = run.read("results.json")
    mistakes = _mistakes(model, results) if "confusion" in results else []
    run.write(PAGE, page(run.name, results, run.epochs, run.read("environment.json"), mistakes))


def _epochs(log: Path) -> list[dict[str, float]]:
    """Return the numbers of each epoch; none where training ended before the first was over."""
    return [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []


def _mistakes(model: Model, results: dict[str, Any]) -> list[Any]:
    """Return the test images that cost most: those whose own class got the least probability.

    None where the data are no pictures: bytes with 1 or 3 channels at the end.
    """
    import numpy as np

    from ..store.report_page import Mistake
    from .recipe import find_recipe

    x, y = find_recipe(results["recipe"]).test_data()
    if x.dtype != np.uint8 or x.ndim != 4 or x.shape[-1] not in (1, 3) or np.ndim(y) != 1:
        return []
    outputs = model.predict(x)
    said = outputs.argmax(-1)
    wrong = np.flatnonzero(said != y)
    order = wrong[np.argsort(outputs[wrong, y[wrong]], kind="stable")][:WORST]
    classes = results["classes"]
    return [
        Mistake(
            _png(x[at]), str(classes[y[at]]), str(classes[said[at]]), float(outputs[at, said[at]])
        )
        for at in order
    ]


def _png(image: Any) -> bytes:
    """Return a channels-last picture of bytes as a PNG file."""
    from PIL import Image

    out = BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(out, "PNG")
    return out.getvalue()
