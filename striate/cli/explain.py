"""striate explain: why a saved run reads an image as it does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def explain(
    run: Annotated[str, typer.Argument(help="Folder or name of a run.")],
    image: Annotated[str, typer.Argument(help="Image file.")],
    root: Annotated[str, typer.Option("--runs", help="Folder that holds the runs.")] = "runs",
    out: Annotated[str, typer.Option("--out", help="Folder for the pictures.")] = ".",
) -> None:
    """Say what a network sees in an image; draw what spoke for its answer, and every layer's maps.

    Example: striate explain runs/mnist digit.png
    """
    from ..data.image import load as pixels
    from ..inspect import attribution, feature_maps
    from ..model import load
    from ..store.run import Run

    opened = Run.open(run, root=root)
    classes = opened.read("results.json")["classes"]
    model = load(opened.path)
    x = pixels(image, model.graph.inputs[0].spec)[0]
    chances = model.predict(x[None])[0]
    first, second = chances.argsort()[::-1][:2]
    found = attribution(model, x, int(first))
    for_it = found.values.sum(-1).clip(min=0)
    row, column = divmod(int(for_it.argmax()), for_it.shape[1])
    print(
        f"{image}: {classes[first]} ({100 * chances[first]:.1f} %), then {classes[second]} "
        f"({100 * chances[second]:.1f} %); most for it speaks the place in row {row}, "
        f"column {column} of {for_it.shape[0]} x {for_it.shape[1]}"
    )
    folder, name = Path(out), Path(image).stem
    folder.mkdir(parents=True, exist_ok=True)
    print(found.save(folder / f"{name}-attribution.png"))
    print(feature_maps(model, x).save(folder / f"{name}-maps.png"))
