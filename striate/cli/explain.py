"""striate explain: why a saved run reads an image as it does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer


def explain(
    run: Annotated[str, typer.Argument(help="Folder or name of a run.")],
    image: Annotated[str, typer.Argument(help="Image file.")],
    root: Annotated[str, typer.Option("--runs", help="Folder that holds the runs.")] = "runs",
    out: Annotated[str, typer.Option("--out", help="Folder for the pictures.")] = ".",
    method: Annotated[
        str, typer.Option(help="grad_cam, integrated_gradients, occlusion or saliency.")
    ] = "integrated_gradients",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what a network sees in an image; draw what spoke for its answer, and every layer's maps.

    Example: striate explain runs/mnist digit.png
    """
    from ..inspect import attribution, feature_maps, sanity
    from ..inspect.mistakes import probabilities
    from ..model import load
    from ..store.run import Run
    from .pictures import pictures

    opened = Run.open(run, root=root)
    model = load(opened.path)
    x = pictures(opened, [image], model.graph.inputs[0].spec)[0]
    chances = probabilities(model.predict(x[None]))[0]
    names = opened.classes(len(chances))
    first, second = chances.argsort()[::-1][:2]
    found = attribution(model, x, int(first), method)
    check = sanity(model, x, int(first), method)
    for_it = found.values.sum(-1).clip(min=0)
    row, column = divmod(int(for_it.argmax()), for_it.shape[1])
    folder, name = Path(out), Path(image).stem
    folder.mkdir(parents=True, exist_ok=True)
    files = [
        found.save(folder / f"{name}-attribution.png"),
        feature_maps(model, x).save(folder / f"{name}-maps.png"),
    ]
    if as_json:
        print(json.dumps(_told(image, names, chances, found, check, (row, column), files)))
        return
    print(
        f"{image}: {names[first]} ({100 * chances[first]:.1f} %), then {names[second]} "
        f"({100 * chances[second]:.1f} %); most for it speaks the place in row {row}, "
        f"column {column} of {for_it.shape[0]} x {for_it.shape[1]}"
    )
    print(f"{found.how}: {check}")
    for file in files:
        print(file)


def _told(
    image: str,
    names: list[str],
    chances: Any,
    found: Any,
    check: Any,
    place: tuple[int, int],
    pictures: list[Path],
) -> dict[str, Any]:
    return {
        "image": image,
        "class": names[found.target],
        "probabilities": dict(zip(names, map(float, chances), strict=True)),
        "method": found.method,
        "layer": found.layer,
        "meaningful": check.meaningful,
        "strongest": {"row": place[0], "column": place[1]},
        "pictures": [str(one) for one in pictures],
    }
