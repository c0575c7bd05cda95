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
    from ..errors import ConfigError
    from ..inspect.mistakes import probabilities
    from ..model import load
    from ..store.run import Run
    from .pictures import pictures

    opened = Run.open(run, root=root)
    model = load(opened.path)
    outputs = model.predict(pictures(opened, images, model.graph.inputs[0].spec))
    if isinstance(outputs, list) or outputs.ndim != 2:
        raise ConfigError(
            str(opened.path),
            "the network tells no classes",
            got=f"outputs {[one.shape[1:] for one in outputs]}"
            if isinstance(outputs, list)
            else f"output {outputs.shape[1:]} for each image",
            need="one row of numbers, a number for each class",
            fix=f'st.load("{opened.path}").predict(image) gives the numbers themselves',
        )
    chances = probabilities(outputs)
    classes = opened.classes(chances.shape[1])
    found = [
        {
            "image": image,
            "class": classes[int(row.argmax())],
            "probabilities": dict(zip(classes, map(float, row), strict=True)),
        }
        for image, row in zip(images, chances, strict=True)
    ]
    if as_json:
        print(json.dumps({"run": str(opened.path), "predictions": found}))
        return
    for item, row in zip(found, chances, strict=True):
        best = sorted(zip(classes, row, strict=True), key=lambda pair: -pair[1])[:3]
        told = "  ".join(f"{name} {100 * chance:.1f} %" for name, chance in best)
        print(f"{item['image']}: {item['class']}  ({told})")
