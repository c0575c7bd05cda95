"""The striate command: one file per command; results go to stdout, talk to stderr."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .. import garbage
from ..errors import StriateError
from .compare import compare
from .convert import convert
from .data import data
from .doctor import doctor
from .evaluate import evaluate
from .explain import explain
from .explore import explore
from .predict import predict
from .report import report
from .run import run
from .runs import runs
from .summary import summary
from .train import STOPPED, train


class Commands(TyperGroup):
    """The commands; a mistake of the user is told without a traceback, and the exit code is 1."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take `--debug` wherever it stands."""
        found = [word for word in args if word != "--debug"]
        return super().parse_args(ctx, [*["--debug"][: len(found) < len(args)], *found])

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except StriateError as error:
            if ctx.params["debug"]:
                raise
            print(error, file=sys.stderr)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            print("stopped by Ctrl-C", file=sys.stderr)
            raise typer.Exit(STOPPED) from None


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from .. import __version__

        print(f"striate {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of a mistake.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", is_eager=True, callback=_version),
    ] = False,
) -> None:
    """Build, train, explain and ship convolutional networks.

    Begin with: striate train mnist
    """


COMMANDS = (
    *(train, evaluate, predict, summary, explain, explore),
    *(report, compare, run, runs, convert, doctor),
)
for command in COMMANDS:
    # `train` itself says that `--epochs 3` is `epochs=3`
    app.command(context_settings={"ignore_unknown_options": command in (train, run)})(command)


app.add_typer(data, name="data")


def main() -> None:
    """Run the command that the shell was given."""
    garbage.rarely()
    app(prog_name="striate")
