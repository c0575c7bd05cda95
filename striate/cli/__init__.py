"""The striate command: one file per command; results go to stdout, talk to stderr."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ..errors import StriateError
from .doctor import doctor
from .evaluate import evaluate
from .predict import predict
from .runs import runs
from .summary import summary
from .train import train


class Commands(TyperGroup):
    """The commands; a mistake of the user is told without a traceback, and the exit code is 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except StriateError as error:
            if ctx.params["debug"]:
                raise
            print(error, file=sys.stderr)
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def options(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of a mistake.")
    ] = False,
) -> None:
    """Build, train, explain and ship convolutional networks.

    Begin with: striate train mnist
    """


for command in (train, evaluate, predict, summary, runs, doctor):
    app.command()(command)


def main() -> None:
    """Run the command that the shell was given."""
    app(prog_name="striate")
