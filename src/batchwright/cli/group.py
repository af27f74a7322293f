"""A group of commands, and the fences around it: what goes wrong is told in words."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, TextIO

import click

from batchwright.contracts.nearest import hint
from batchwright.errors import BatchwrightError

WRONG_REQUEST, OWN_FAULT, INTERRUPTED = 2, 70, 130
_VERBOSE = "batchwright.verbose"


class Commands(click.Group):
    """A group that knows what a mistyped command was meant to be."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            near = hint(name, self.list_commands(ctx))
            if Path(name).exists() and ctx.parent is None:
                near = f"; to run that fleet: {ctx.info_name} run {name}"
            raise click.UsageError(f"there is no command '{name}'{near}", ctx)
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order they are written, which is that of use


def note_verbose(ctx: click.Context, option: click.Parameter, value: bool) -> bool:
    """The callback of `--verbose`: faults, which are told outside the command, need it too."""
    if value:
        ctx.find_root().obj[_VERBOSE] = True
    return value


def carry_out(commands: click.Group, arguments: list[str] | None = None) -> int:
    """Carry out a command line and give its exit code; what goes wrong is told in words."""
    with warnings.catch_warnings():
        _show_own_warnings_plainly()
        return _fenced(commands, arguments)


def _fenced(commands: click.Group, arguments: list[str] | None) -> int:
    verbose: dict[str, Any] = {}
    try:
        return int(
            commands.main(
                arguments,
                prog_name="batchwright",
                standalone_mode=False,
                auto_envvar_prefix="BATCHWRIGHT",
                obj=verbose,
            )
            or 0
        )
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BatchwrightError as error:
        click.echo(str(error), err=True)
        return WRONG_REQUEST
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except Exception as error:
        if verbose.get(_VERBOSE):
            import traceback

            click.echo("".join(traceback.format_exception(error)), err=True)
        click.echo(
            f"batchwright failed, and the fault is its own: {type(error).__name__}: {error}\n"
            "With -v it tells where; please report that, with the command.",
            err=True,
        )
        return OWN_FAULT


def _show_own_warnings_plainly() -> None:
    """A warning of batchwright's own is a sentence for its user; where it was raised is not."""
    shown_by_python = warnings.showwarning
    package = str(Path(__file__).parents[1])

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if filename.startswith(package):
            click.echo(f"warning: {message}", err=True)
        else:
            shown_by_python(message, category, filename, lineno, file, line)

    warnings.showwarning = show
