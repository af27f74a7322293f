"""The commands that read a fleet: run it, or say what running it would mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from batchwright.cli.options import (
    cache_option,
    fleet_argument,
    output_options,
    reading_options,
    request_for,
    screen_for,
    state_option,
    verbose_option,
)


@click.command()
@click.option("--small", is_flag=True, help="30 contracts on a twentieth of the text.")
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


@click.command()
@fleet_argument
@reading_options
@click.option(
    "-j",
    "--workers",
    type=click.IntRange(min=1),
    envvar="BATCHWRIGHT_WORKERS",
    help="How many workers; this version runs all steps in one process.",
)
@click.option(
    "--engine",
    type=click.Choice(["inline"]),
    envvar="BATCHWRIGHT_ENGINE",
    help="What runs the steps; in this version always this process.",
)
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
    workers: int | None,
    engine: str | None,
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
    request = request_for(fleet=fleet, inputs=inputs, only=only, cache=cache, state=state)
    if dry_run:
        from batchwright.reporting.planned import plan_and_tell

        return plan_and_tell(request, screen_for(**output), last_failed=last_failed)
    from batchwright.reporting.summary import run_and_tell

    return run_and_tell(
        request,
        screen_for(**output),
        workers=workers,
        engine=engine,
        stop_at_first=exitfirst,
        last_failed=last_failed,
        strict=strict,
    )


@click.command()
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

    request = request_for(fleet=fleet, inputs=inputs, only=only, state=state)
    return check_and_tell(request, screen_for(**output))


@click.command()
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

    request = request_for(fleet=fleet, inputs=inputs, only=only, cache=cache, state=state)
    return plan_and_tell(request, screen_for(**output))


@click.command()
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

    request = request_for(fleet=fleet, inputs=inputs, only=only, cache=cache, state=state)
    return explain_and_tell(request, contract, screen_for(**output))


@click.command()
@fleet_argument
@click.option(
    "--sample",
    default="5%",
    show_default=True,
    metavar="SHARE",
    help="How many of the known steps: 5%, or a number of them.",
)
@click.option("--seed", type=int, metavar="N", help="Choose the same steps as an earlier time.")
@reading_options
@cache_option
@state_option
@output_options
def reproduce(
    fleet: str,
    sample: str,
    seed: int | None,
    inputs: dict[str, str],
    only: str | None,
    cache: str | None,
    state: Path | None,
    **output: Any,
) -> int:
    """Run known steps afresh and compare what they give.

    A method that gives another value for the same code and inputs is noted as not repeating.
    Exits with 1 when there was one, or a step failed. What is kept stays as it is.
    """
    from batchwright.reporting.reproduced import reproduce_and_tell

    request = request_for(fleet=fleet, inputs=inputs, only=only, cache=cache, state=state)
    return reproduce_and_tell(request, sample, seed, screen_for(**output))
