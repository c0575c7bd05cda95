"""striate run: a script of an older framework, unmodified."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Annotated

import typer

from .. import garbage
from ..errors import StriateError


def run(
    script: Annotated[str, typer.Argument(help="Python file or notebook, as it was written.")],
    args: Annotated[list[str] | None, typer.Argument(help="Arguments of the script.")] = None,
    dialect: Annotated[str, typer.Option(help="keras1, keras2, tf...; else inferred.")] = "",
    max_epochs: Annotated[int | None, typer.Option(min=1, help="At most so many epochs.")] = None,
    limit_samples: Annotated[
        int | None, typer.Option(min=1, help="fit sees only the first samples.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of all random choices.")] = None,
    root: Annotated[str, typer.Option("--runs", help="Folder that holds the runs.")] = "runs",
    port: Annotated[bool, typer.Option(help="Print it in the native vocabulary instead.")] = False,
) -> None:
    """Run a script that was written for another framework, unmodified, and keep its run.

    Example: striate run mnist_cnn.py --max-epochs 1 --limit-samples 2000
    """
    from ..dialects.program import port_script, run_script

    if port:
        print(port_script(script, dialect=dialect), end="")
        return
    garbage.of_what_comes()
    try:
        run_script(
            script,
            args or (),
            dialect=dialect,
            max_epochs=max_epochs,
            limit_samples=limit_samples,
            seed=seed,
            root=root,
        )
    except StriateError:
        raise
    except Exception as error:
        trace, name = error.__traceback__, str(Path(script).resolve())
        while trace is not None and trace.tb_frame.f_code.co_filename != name:
            trace = trace.tb_next
        if trace is None:
            raise
        traceback.print_exception(type(error), error, trace)  # without what runs the script
        raise typer.Exit(1) from None
