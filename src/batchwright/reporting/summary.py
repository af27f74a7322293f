"""How a run ended: its summary, its exit code, and where to look next."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from batchwright.execution.telling import ending_lines
from batchwright.reporting.progress import progress_on
from batchwright.reporting.request import NOTHING_FAILED
from batchwright.reporting.screen import coloured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from batchwright.reporting.request import Request
    from batchwright.reporting.screen import Screen

OK, FAILED, INTERRUPTED = 0, 1, 130


def run_and_tell(
    request: Request, screen: Screen, *, last_failed: bool, strict: bool, **running: Any
) -> int:
    """Run a fleet, show its progress and summary, and give the exit code.

    `running` are further options of `run`: `stop_at_first`, `workers` and `engine`.

    With `last_failed` only the contracts are run that were not `ok` when last run.
    """
    from batchwright.execution.runner import run

    options = request.options
    if last_failed:
        options["only"] = request.not_ok_when_last_run()
        if not options["only"]:
            screen.say([NOTHING_FAILED])
            return OK
    try:
        with progress_on(screen) as progress:
            result = run(request.fleet, observer=progress, **running, **options)
    except KeyboardInterrupt:
        screen.progress("")  # the terminal has just shown ^C
        summary = None if progress.run is None else progress.run.summary
        screen.say(interrupted_lines(summary, begun=progress.prepared is not None))
        return INTERRUPTED
    with result:
        if screen.wants_json:  # first: whoever reads the lines may stop reading at any of them
            screen.write_json(result.json())
        screen.say(ended_lines(request, result.figures))
        strict = strict or request.settings().strict
        return exit_code(
            result.figures, strict=strict, stop_at_first=running.get("stop_at_first", False)
        )


def exit_code(summary: Mapping[str, Any], *, strict: bool, stop_at_first: bool) -> int:
    """0 when all contracts are ok or partial; 1 when some failed.

    1 as well for a partial one when `strict`, and for any failed step when the run was to stop
    at the first.
    """
    failed = summary["contracts_failed"] > 0
    failed = failed or (strict and summary["partial"] > 0)
    failed = failed or (stop_at_first and summary["failed"] > 0)
    return FAILED if failed else OK


def ended_lines(request: Request, summary: Mapping[str, Any]) -> list[str]:
    """The summary of a run, and the command that explains what went wrong in it."""
    first, *rest = ending_lines(summary)
    lines = [coloured(first), *rest]
    contract = worst_contract(summary)
    if contract is not None and request.fleet != "-":
        command = ["batchwright", "explain", request.fleet, contract, *request.state_arguments()]
        lines.append(f"why: {shlex.join(command)}")
    return lines


def interrupted_lines(summary: Mapping[str, Any] | None, *, begun: bool = True) -> list[str]:
    """What was done before the user interrupted, and how to go on.

    There is no summary when the run had not begun, or was interrupted again at its end.
    """
    kept = "what was computed is kept: the same command goes on from there"
    if summary is None:
        return ["interrupted", kept] if begun else ["interrupted before anything ran"]
    first, *rest = ending_lines(summary)
    return [f"interrupted: {coloured(first)}", *rest, kept]


def worst_contract(summary: Mapping[str, Any]) -> str | None:
    """A contract worth looking at: a failed one, else a partial one; None when all are ok."""
    by_status: dict[str, str] = {}
    for cause in summary["causes"]:
        by_status.setdefault(cause["status"], cause["contracts"][0])
    return by_status.get("failed", by_status.get("partial"))


def problems_of(contract: str, summary: Mapping[str, Any]) -> tuple[str, ...]:
    """What a contract lacked in a run, a line for each cause."""
    return tuple(
        f"{cause['step']}: {cause['problem']}" if cause["step"] else cause["problem"]
        for cause in summary.get("causes", ())
        if contract in cause["contracts"]
    )
