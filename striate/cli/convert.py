"""striate convert: a model from one file format to another."""

from __future__ import annotations

from typing import Annotated

import typer


def convert(
    source: Annotated[str, typer.Argument(help="A .keras, .h5 or .striate file, or a run.")],
    target: Annotated[str, typer.Argument(help="A .striate, .keras or .h5 file to write.")],
    network: Annotated[
        str, typer.Option(help="A model file whose network takes the weights of SOURCE.")
    ] = "",
) -> None:
    """Write the model of one file in another format, which the ending of the name says.

    Weights alone (.pt, .h5, .safetensors) need --network, a model of the same layers.

    Example: striate convert old_model.h5 model.striate
    """
    from ..model import load

    model = load(network or source)
    if network:
        model.load_weights(source)
    print(model.save(target))
