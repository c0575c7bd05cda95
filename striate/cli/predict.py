"""striate predict: the classes of images by a saved run."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def predict(
    run: Annotated[str, typer.Argument(help="Folder or name of a run.")],
    images: Annotated[list[str], typer.Argument(help="Image files.")],
    root: Annotated[str, typer.Option("--runs", help="Folder that holds the runs.")] = "runs",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print the class of each image and its probability.

    An image is brought to the size and channels of the network's input. MNIST's digits are light
    on a dark ground.

    Example: striate predict runs/mnist digit.png
    """
    from ..model import load
    from ..store.run import Run

    opened = Run.open(run, root=root)
    classes = opened.read("results.json")["classes"]
    outputs = load(opened.path).predict(list(images))
    found = [
        {
            "image": image,
            "class": classes[int(row.argmax())],
            "probabilities": dict(zip(classes, map(float, row), strict=True)),
        }
        for image, row in zip(images, outputs, strict=True)
    ]
    if as_json:
        print(json.dumps({"run": str(opened.path), "predictions": found}))
        return
    for item in found:
        best = sorted(item["probabilities"].items(), key=lambda pair: -pair[1])[:3]
        chances = "  ".join(f"{name} {100 * chance:.1f} %" for name, chance in best)
        print(f"{item['image']}: {item['class']}  ({chances})")
