"""The command line: parses and delegates. Whatever takes long to import is imported by a command.

Every command gives its exit code: 0 fine, 1 something failed, 2 the request was wrong, 70 a
fault of batchwright's own, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from batchwright._version import __version__
from batchwright.contracts.nearest import hint
from batchwright.errors import BatchwrightError

if TYPE_CHECKING:
    from collections.abc import Callable

    from batchwright.reporting.request import Request
    from batchwright.reporting.screen import Screen

    Decorated = TypeVar("Decorated", bound=Callable[..., Any])

WRONG_REQUEST, OWN_FAULT, INTERRUPTED = 2, 70, 130
_VERBOSE = "batchwright.verbose"

EXAMPLES = """\b
Examples:
  batchwright demo                        see it at work on a fleet of its own
  batchwright run fleet/                  run the contracts in a folder
  batchwright run fleet/ -n               only show what would run, and why
  batchwright explain fleet/ Q014_PA09    why a contract's steps ran, or did not
  batchwright show last --fleet fleet/    figures and failures of the last run
  batchwright COMMAND --help              what a command takes

\b
FLEET is a folder, a JSON or JSON lines file, - (standard input), or module:attribute.
"""


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


def main() -> NoReturn:
    """The entry point of the installed command."""
    sys.exit(run_command_line())


def run_command_line(arguments: list[str] | None = None) -> int:
    """Carry out a command line and give its exit code; what goes wrong is told in words."""
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
    except BrokenPipeError:
        # Whoever read our output has had enough; the interpreter must not complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
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


# --- what several commands take --------------------------------------------------------------


def _note_verbose(ctx: click.Context, option: click.Parameter, value: bool) -> bool:
    if value:
        ctx.find_root().obj[_VERBOSE] = True
    return value


def _pairs(ctx: click.Context, option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in given:
        name, equals, path = text.partition("=")
        if not equals or not name or not path:
            raise click.BadParameter(f"'{text}' is not of the form NAME=PATH", ctx, option)
        if name in pairs:
            raise click.BadParameter(f"'{name}' is given twice", ctx, option)
        pairs[name] = path
    return pairs


def _together(*decorators: Callable[[Any], Any]) -> Callable[[Decorated], Decorated]:
    def decorate(function: Decorated) -> Decorated:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


fleet_argument = click.argument("fleet", metavar="FLEET")
fleet_option = click.option(
    "--fleet",
    default=".",
    show_default=True,
    metavar="FLEET",
    envvar="BATCHWRIGHT_FLEET",
    help="The fleet whose records and cache are meant.",
)
state_option = click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="BATCHWRIGHT_STATE",
    help="The folder of the records and the cache.  [default: .batchwright beside the settings]",
)
cache_option = click.option(
    "--cache",
    metavar="FOLDER",
    envvar="BATCHWRIGHT_CACHE",
    help="Where results are kept.  [default: as the settings say, else in the state folder]",
)
reading_options = _together(
    click.option(
        "--input",
        "inputs",
        multiple=True,
        callback=_pairs,
        metavar="NAME=PATH",
        help="An input: a file or folder; NAME=@PATH for a file's text. Repeatable.",
    ),
    click.option(
        "--only",
        metavar="PATTERN",
        help="Only the contracts whose ids match, such as 'Q01*'.",
    ),
)
json_option = click.option(
    "--json",
    metavar="FILE",
    help="Write it as JSON too; - for standard output, where it then stands alone.",
)
verbose_option = click.option(
    "-v",
    "--verbose",
    is_flag=True,
    callback=_note_verbose,
    envvar="BATCHWRIGHT_VERBOSE",
    help="Say more; of a fault of batchwright's own, where it is.",
)
quiet_option = click.option(
    "-q",
    "--quiet",
    is_flag=True,
    envvar="BATCHWRIGHT_QUIET",
    help="Say nothing but errors; the exit code tells.",
)
output_options = _together(json_option, quiet_option, verbose_option)


def _request(**options: Any) -> Request:
    from batchwright.reporting.request import Request

    return Request(**options)


def _screen(*, json: str | None = None, quiet: bool = False, verbose: bool = False) -> Screen:
    from batchwright.reporting.screen import Screen

    return Screen(json=json, quiet=quiet, verbose=verbose)


# --- commands --------------------------------------------------------------------------------


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXAMPLES,
)
@click.version_option(__version__, message="%(prog)s %(version)s", allow_from_autoenv=False)
@click.pass_context
def commands(ctx: click.Context) -> None:
    """Runs fleets of similar jobs: shared steps once, unchanged ones never."""
    if os.environ.get("NO_COLOR"):
        ctx.color = False


@commands.command()
@click.option("--small", is_flag=True, help="30 contracts on a fifth of the text.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the fleet is put; it stays there.  [default: the user's cache folder]",
)
@verbose_option
def demo(small: bool, folder: Path | None, verbose: bool) -> int:
    """Run the built-in fleet: cold, then again.

    300 contracts over the documentation of Python's standard library. Each demo begins with
    nothing known; what it leaves can be looked at, edited and run like any fleet.
    """
    from batchwright.reporting.demo import demo_and_tell

    return demo_and_tell(folder, small=small)


@commands.command()
@fleet_argument
@reading_options
@click.option("-n", "--dry-run", is_flag=True, help="Only show the plan, as `plan` does.")
@click.option("-x", "--exitfirst", is_flag=True, help="Stop at the first failed step.")
@click.option(
    "--last-failed",
    is_flag=True,
    help="Only the contracts that were not ok when last run.",
)
@click.option(
    "--strict",
    is_flag=True,
    envvar="BATCHWRIGHT_STRICT",
    help="Exit with 1 for a partial contract, as for a failed one.",
)
@cache_option
@state_option
@output_options
def run(
    fleet: str,
    inputs: dict[str, str],
    only: str | None,
    dry_run: bool,
    exitfirst: bool,
    last_failed: bool,
    strict: bool,
    cache: str | None,
    state: Path | None,
    **output: Any,
) -> int:
    """Run a fleet; what is known is not run again.

    Results are kept as they are computed, so a run that was interrupted is continued by
    repeating the command.
    """
    request = _request(fleet=fleet, inputs=inputs, only=only, cache=cache, state=state)
    if dry_run:
        from batchwright.reporting.planned import plan_and_tell

        return plan_and_tell(request, _screen(**output), last_failed=last_failed)
    from batchwright.reporting.summary import run_and_tell

    return run_and_tell(
        request,
        _screen(**output),
        stop_at_first=exitfirst,
        last_failed=last_failed,
        strict=strict,
    )


@commands.command()
@fleet_argument
@reading_options
@state_option
@output_options
def check(
    fleet: str, inputs: dict[str, str], only: str | None, state: Path | None, **output: Any
) -> int:
    """Resolve every contract, method and argument.

    Tells all errors at once; of a fleet without errors, what changes between runs could not be
    seen, which methods change their object, and whose results cannot be kept. Nothing is run.
    """
    from batchwright.reporting.checked import check_and_tell

    request = _request(fleet=fleet, inputs=inputs, only=only, state=state)
    return check_and_tell(request, _screen(**output))


@commands.command()
@fleet_argument
@reading_options
@cache_option
@state_option
@output_options
def plan(
    fleet: str,
    inputs: dict[str, str],
    only: str | None,
    cache: str | None,
    state: Path | None,
    **output: Any,
) -> int:
    """Show what is known, what will or may run, and why.

    Also how many objects would be built, and how long it took before. -v lists each step.
    """
    from batchwright.reporting.planned import plan_and_tell

    request = _request(fleet=fleet, inputs=inputs, only=only, cache=cache, state=state)
    return plan_and_tell(request, _screen(**output))


@commands.command()
@fleet_argument
@click.argument("contract", metavar="CONTRACT")
@reading_options
@cache_option
@state_option
@output_options
def explain(
    fleet: str,
    contract: str,
    inputs: dict[str, str],
    only: str | None,
    cache: str | None,
    state: Path | None,
    **output: Any,
) -> int:
    """Say why each step of a contract would run, or not.

    Also how it ended when last run. -v adds the tracebacks of what failed.
    """
    from batchwright.reporting.explained import explain_and_tell

    request = _request(fleet=fleet, inputs=inputs, only=only, cache=cache, state=state)
    return explain_and_tell(request, contract, _screen(**output))
