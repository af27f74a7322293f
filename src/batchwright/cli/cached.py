"""The commands that look into the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from batchwright.cli.group import Commands
from batchwright.cli.options import (
    cache_option,
    fleet_option,
    output_options,
    quiet_option,
    request_for,
    screen_for,
    state_option,
    verbose_option,
)

if TYPE_CHECKING:
    from pathlib import Path


@click.group(cls=Commands)
def cache() -> None:
    """Look into the cache of a fleet, make room, check it."""


@cache.command("stats")
@fleet_option
@state_option
@cache_option
@output_options
def cache_stats(fleet: str, state: Path | None, cache: str | None, **output: Any) -> int:
    """Show what is held, by method."""
    from batchwright.reporting.cached import stats_and_tell

    return stats_and_tell(request_for(fleet=fleet, state=state, cache=cache), screen_for(**output))


@cache.command("clear")
@click.option("--method", metavar="NAME", help="Only the results of this method.")
@click.option("--older-than", metavar="AGE", help="Only what is older: 7d, 12h, 30m.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@fleet_option
@state_option
@cache_option
@quiet_option
@verbose_option
def cache_clear(
    method: str | None,
    older_than: str | None,
    yes: bool,
    fleet: str,
    state: Path | None,
    cache: str | None,
    **output: Any,
) -> int:
    """Drop results, after asking. What is dropped is computed again when it is needed."""
    from batchwright.reporting.cached import clear_and_tell

    return clear_and_tell(
        request_for(fleet=fleet, state=state, cache=cache),
        screen_for(**output),
        method=method,
        older_than=older_than,
        agreed=lambda question: yes or click.confirm(question),
    )


@cache.command("check")
@fleet_option
@state_option
@cache_option
@output_options
def cache_check(fleet: str, state: Path | None, cache: str | None, **output: Any) -> int:
    """Read every result, and drop those that were altered.

    Exits with 1 when there were any.
    """
    from batchwright.reporting.cached import check_and_tell

    return check_and_tell(request_for(fleet=fleet, state=state, cache=cache), screen_for(**output))
