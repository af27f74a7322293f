"""The options that several commands take, and what commands make of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from batchwright.cli.group import note_verbose

if TYPE_CHECKING:
    from collections.abc import Callable

    from batchwright.reporting.request import Request
    from batchwright.reporting.screen import Screen

    Decorated = TypeVar("Decorated", bound=Callable[..., Any])


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


# A path, so that shells complete it; `-` and `module:attribute` pass as well.
fleet_argument = click.argument("fleet", metavar="FLEET", type=click.Path(allow_dash=True))
fleet_option = click.option(
    "--fleet",
    default=".",
    show_default=True,
    type=click.Path(),
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
    type=click.Path(),
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
    type=click.Path(allow_dash=True),
    metavar="FILE",
    help="Write it as JSON too; - for standard output, where it then stands alone.",
)
verbose_option = click.option(
    "-v",
    "--verbose",
    is_flag=True,
    callback=note_verbose,
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


def request_for(**options: Any) -> Request:
    from batchwright.reporting.request import Request

    return Request(**options)


def screen_for(*, json: str | None = None, quiet: bool = False, verbose: bool = False) -> Screen:
    from batchwright.reporting.screen import STANDARD_OUTPUT, Screen, set_aside_standard_output

    stream = set_aside_standard_output() if json == STANDARD_OUTPUT else None
    return Screen(json=json, quiet=quiet, verbose=verbose, json_stream=stream)
