"""The commands that read the records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from batchwright.cli.options import (
    fleet_option,
    output_options,
    request_for,
    screen_for,
    state_option,
)

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@fleet_option
@state_option
@click.option("--limit", default=20, show_default=True, metavar="N", help="How many at most.")
@output_options
def runs(fleet: str, state: Path | None, limit: int, **output: Any) -> int:
    """List the runs there were, newest first."""
    from batchwright.reporting.history import runs_and_tell

    return runs_and_tell(request_for(fleet=fleet, state=state), limit, screen_for(**output))


@click.command()
@click.argument("run_name", metavar="[RUN]", default="last")
@fleet_option
@state_option
@output_options
def show(run_name: str, fleet: str, state: Path | None, **output: Any) -> int:
    """Look at one run: figures, slowest methods, failures.

    RUN is its number, or `last`, `last~1` for the one before it, and so on. -v shows all that is
    otherwise cut short.
    """
    from batchwright.reporting.history import show_and_tell

    return show_and_tell(request_for(fleet=fleet, state=state), run_name, screen_for(**output))
