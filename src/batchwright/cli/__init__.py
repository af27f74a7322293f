"""The command line: parses and delegates. Whatever takes long to import is imported by a command.

Every command gives its exit code: 0 fine, 1 something failed, 2 the request was wrong, 70 a
fault of batchwright's own, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

from batchwright._version import __version__
from batchwright.cli.cached import cache
from batchwright.cli.fleets import check, demo, explain, plan, reproduce, run
from batchwright.cli.group import Commands, carry_out
from batchwright.cli.history import runs, show

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


for command in (demo, run, check, plan, explain, reproduce, runs, show, cache):
    commands.add_command(command)


def main() -> NoReturn:
    """The entry point of the installed command."""
    sys.exit(carry_out(commands))
