"""What the records hold: the runs there were, and one run looked at closely."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from batchwright.execution.telling import counted, ending_lines, seconds
from batchwright.reporting.explained import indented
from batchwright.reporting.screen import as_table, coloured
from batchwright.reporting.summary import problems_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from batchwright.records.model import ContractRecord, RunRecord, StepRecord
    from batchwright.reporting.request import Request
    from batchwright.reporting.screen import Screen

_METHODS_SHOWN = 15
_FAILURES_SHOWN = 10
_CONTRACTS_SHOWN = 20


class MethodFigures(msgspec.Struct, frozen=True):
    """One method in one run: steps that ran, their times in ms, the largest growth in memory."""

    method: str
    steps: int
    total_ms: float
    mean_ms: float
    longest_ms: float
    memory_mb: float


def runs_and_tell(request: Request, limit: int, screen: Screen) -> int:
    """Show the newest runs; the exit code is 0."""
    with request.open_records() as records:
        runs = records.runs(limit)
    screen.say(runs_lines(runs))
    if screen.wants_json:
        screen.write_json(_as_json(runs))
    return 0


def show_and_tell(request: Request, name: str, screen: Screen) -> int:
    """Show one run, by number or as `last~1`; the exit code is 0. Raises `UnknownRun`."""
    with request.open_records() as records:
        run = records.find_run(name)
        steps, contracts = records.steps(run.id), records.contracts(run.id)
    screen.say(show_lines(run, steps, contracts, everything=screen.verbose))
    if screen.wants_json:
        told = {
            "run": run,
            "methods": figures_by_method(steps),
            "steps": [_without_recipe(step) for step in steps],
            "contracts": contracts,
        }
        screen.write_json(_as_json(told))
    return 0


def runs_lines(runs: Sequence[RunRecord]) -> list[str]:
    """The runs as a table, newest first."""
    if not runs:
        return ["nothing has been run here yet"]
    heading = (
        "run", "started", "ended", "ok", "partial", "failed", "steps run", "known", "took", "saved",
        "fleet",
    )  # fmt: skip
    rows = [heading, *(_run_row(run) for run in runs)]
    return as_table(rows, right=(0, 3, 4, 5, 6, 7, 8, 9))


def _run_row(run: RunRecord) -> tuple[str, ...]:
    summary = run.summary
    if not summary:  # it goes on, or was killed before it could say anything
        return (str(run.id), _when(run.started), "not ended", *["-"] * 7, run.fleet)
    return (
        str(run.id),
        _when(run.started),
        run.status,
        f"{summary['ok']:,}",
        f"{summary['partial']:,}",
        f"{summary['contracts_failed']:,}",
        f"{summary['computed'] + summary['failed']:,}",
        f"{summary['known']:,}",
        seconds(summary["seconds"] * 1e3),
        seconds(summary["saved_ms"]) if summary["saved_ms"] else "-",
        run.fleet,
    )


def show_lines(
    run: RunRecord,
    steps: Sequence[StepRecord],
    contracts: Sequence[ContractRecord],
    *,
    everything: bool = False,
) -> list[str]:
    """One run: its summary, where its time went, what failed with tracebacks, who lacks what."""
    lines = [f"run {run.id} of {run.fleet}, {_when(run.started)}: {_ending(run)}"]
    if run.summary:
        first, *rest = ending_lines(run.summary)
        lines += [coloured(first), *rest]
    lines += _method_lines(figures_by_method(steps), everything=everything)
    lines += _failure_lines(steps, everything=everything)
    lines += _contract_lines(contracts, run.summary, everything=everything)
    return lines


def figures_by_method(steps: Iterable[StepRecord]) -> list[MethodFigures]:
    """The methods that ran in a run, the one that took most first."""
    by_method: defaultdict[str, list[StepRecord]] = defaultdict(list)
    for step in steps:
        if step.outcome in ("computed", "failed"):
            by_method[step.label].append(step)
    figures = [
        MethodFigures(
            method,
            len(ran),
            total := sum(step.time_ms for step in ran),
            total / len(ran),
            max(step.time_ms for step in ran),
            max(step.memory_mb for step in ran),
        )
        for method, ran in by_method.items()
    ]
    return sorted(figures, key=lambda each: -each.total_ms)


def _method_lines(figures: Sequence[MethodFigures], *, everything: bool) -> list[str]:
    if not figures:
        return []
    shown = figures if everything else figures[:_METHODS_SHOWN]
    rows = [("method", "steps", "total", "mean", "longest", "memory")]
    rows += [
        (
            each.method,
            f"{each.steps:,}",
            seconds(each.total_ms),
            seconds(each.mean_ms),
            seconds(each.longest_ms),
            f"{each.memory_mb:.1f} MB",
        )
        for each in shown
    ]
    lines = ["", *as_table(rows, right=(1, 2, 3, 4, 5))]
    return lines + _more(len(figures) - len(shown), "method")


def _failure_lines(steps: Sequence[StepRecord], *, everything: bool) -> list[str]:
    failed = [step for step in steps if step.outcome == "failed" and step.failure is not None]
    shown = failed if everything else failed[:_FAILURES_SHOWN]
    lines = ["", "failed:"] if failed else []
    for step in shown:
        if step.failure is None:
            continue
        lines.append(f"  {step.label}: {step.failure.type}: {step.failure.message}")
        lines.extend(indented(step.failure.traceback, 6))
    return lines + _more(len(failed) - len(shown), "failure")


def _contract_lines(
    contracts: Sequence[ContractRecord], summary: Mapping[str, Any], *, everything: bool
) -> list[str]:
    lacking = [contract for contract in contracts if contract.status != "ok"]
    shown = lacking if everything else lacking[:_CONTRACTS_SHOWN]
    lines = ["", "not ok:"] if lacking else []
    for contract in shown:
        problems = "; ".join(problems_of(contract.id, summary))
        lines.append(f"  {contract.status:<8} {contract.id}{': ' if problems else ''}{problems}")
    return lines + _more(len(lacking) - len(shown), "contract")


def _more(count: int, noun: str) -> list[str]:
    return [f"  and {counted(count, 'more ' + noun)}; -v shows all"] if count > 0 else []


def _ending(run: RunRecord) -> str:
    if run.ended is None:
        return "not ended: it goes on, or was killed"
    return run.status


def _when(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _without_recipe(step: StepRecord) -> dict[str, Any]:
    told = msgspec.structs.asdict(step)
    del told["recipe"]
    return told


def _as_json(told: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(told), indent=1).decode()
