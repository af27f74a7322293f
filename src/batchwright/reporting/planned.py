"""What would run, and why, before anything does."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from batchwright.errors import UncacheableArgument
from batchwright.execution.telling import counted, opening_lines, seconds
from batchwright.reporting.request import NOTHING_FAILED

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from batchwright.contracts.graph import Instance
    from batchwright.execution.prepare import Prepared
    from batchwright.fleet.keys import ArgumentDigests, Unique
    from batchwright.fleet.lookup import Standing
    from batchwright.reporting.request import Request
    from batchwright.reporting.screen import Screen

_SURE = ("will run", "failed before")
_ORDER = ("failed before", "will run", "may run")
_SHOWN = 20


class Group(msgspec.Struct, frozen=True):
    """Unique steps of one method that run for one reason."""

    status: str
    method: str
    reason: str
    count: int


class PlannedStep(msgspec.Struct, frozen=True):
    """One unique step; `address` is that of the first of the calls it stands for."""

    address: str
    method: str
    status: str
    reason: str
    calls: int


class PlanReport(msgspec.Struct, frozen=True):
    """A plan for people and machines.

    `objects` and `work_ms` are ranges: without and with the steps that may be spared.
    `without_history` are methods that would run and were never measured, so that `work_ms`
    leaves them out.
    """

    fleet: str
    contracts: int
    calls: int
    distinct_steps: int
    statuses: dict[str, int]
    groups: tuple[Group, ...]
    objects: tuple[int, int]
    work_ms: tuple[float, float]
    without_history: tuple[str, ...]
    steps: tuple[PlannedStep, ...]
    opening: tuple[str, ...]
    warnings: tuple[str, ...]


def plan_and_tell(request: Request, screen: Screen, *, last_failed: bool = False) -> int:
    """Show the plan of a fleet; its exit code is 0.

    With `last_failed` only of the contracts that were not `ok` when last run.
    """
    from batchwright.execution.runner import plan

    options = request.options
    if last_failed:
        options["only"] = request.not_ok_when_last_run()
        if not options["only"]:
            screen.say([NOTHING_FAILED])
            return 0
    with plan(request.fleet, **options) as prepared:
        report = plan_report(prepared)
    screen.say(plan_lines(report, each_step=screen.verbose))
    if screen.wants_json:
        told = msgspec.structs.asdict(report)
        del told["opening"]
        screen.write_json(msgspec.json.format(msgspec.json.encode(told), indent=1).decode())
    return 0


def plan_report(prepared: Prepared) -> PlanReport:
    """What is known, will run and may run of a prepared fleet; what that takes."""
    keyed, standings = prepared.keyed, prepared.standings
    steps = tuple(
        PlannedStep(
            str(unique.step.address), unique.label, standing.status, reason, len(unique.steps)
        )
        for unique, standing, reason in zip(keyed.uniques, standings, prepared.reasons, strict=True)
    )
    sure = _with_status(keyed.uniques, standings, _SURE)
    unsure = _with_status(keyed.uniques, standings, ("may run",))
    typical = prepared.records.typical_ms()
    certain_ms = _work_ms(sure, typical)
    objects = objects_of(sure, keyed.digests)
    return PlanReport(
        fleet=prepared.fleet.name,
        contracts=len(keyed.graph.contracts),
        calls=sum(len(contract.steps) for contract in keyed.graph.contracts),
        distinct_steps=len(keyed.uniques),
        statuses=dict(Counter(standing.status for standing in standings)),
        groups=grouped(steps),
        objects=(len(objects), len(objects | objects_of(unsure, keyed.digests))),
        work_ms=(certain_ms, certain_ms + _work_ms(unsure, typical)),
        without_history=tuple(
            sorted({unique.label for unique in (*sure, *unsure)} - typical.keys())
        ),
        steps=steps,
        opening=tuple(opening_lines(prepared)),
        warnings=prepared.graph.warnings,
    )


def plan_lines(report: PlanReport, *, each_step: bool = False) -> list[str]:
    """A plan in words; `each_step` lists every distinct step after the groups."""
    lines = [*report.opening]
    lines.extend(
        f"  {group.status:<13} {group.count:>5,}  {group.method}: {group.reason}"
        for group in report.groups[:_SHOWN]
    )
    if len(report.groups) > _SHOWN:
        lines.append(f"  and {len(report.groups) - _SHOWN:,} more groups; -v lists every step")
    if report.groups:
        lines.append(f"  objects       {_ranged(*report.objects)} to be built")
        lines.append(f"  work          {_work_told(report)}")
    else:
        lines.append("  nothing is left to run")
    lines.extend(f"  warning       {warning}" for warning in report.warnings)
    if each_step:
        lines.append("steps:")
        lines.extend(
            f"  {step.address}  {step.method}  {step.status}: {step.reason}"
            for step in report.steps
        )
    return lines


def grouped(steps: Iterable[PlannedStep]) -> tuple[Group, ...]:
    """The steps that run, by method and reason: the surest first, then the most."""
    counts = Counter((step.status, step.method, step.reason) for step in steps)
    groups = [Group(*key, count) for key, count in counts.items() if key[0] in _ORDER]
    return tuple(sorted(groups, key=lambda g: (_ORDER.index(g.status), -g.count, g.method)))


def objects_of(uniques: Iterable[Unique], digests: ArgumentDigests) -> set[Hashable]:
    """What tells the distinct objects that these steps are called on."""
    return {
        _object_key(unique.step.instance, digests)
        for unique in uniques
        if unique.step.instance is not None
    }


def _object_key(instance: Instance, digests: ArgumentDigests) -> Hashable:
    made_from: list[Any] = []
    for bound in instance.arguments:
        told: Any = bound.argument.steps or id(bound.argument)
        if not bound.argument.steps:
            with suppress(UncacheableArgument):  # told apart by identity
                told = digests.constant(bound.argument)
        made_from.append((bound.name, told))
    return (instance.owner, instance.factory, tuple(made_from))


def _with_status(
    uniques: Sequence[Unique], standings: Sequence[Standing], statuses: tuple[str, ...]
) -> list[Unique]:
    pairs = zip(uniques, standings, strict=True)
    return [unique for unique, standing in pairs if standing.status in statuses]


def _work_ms(uniques: Iterable[Unique], typical: Mapping[str, float]) -> float:
    return sum(typical.get(unique.label, 0.0) for unique in uniques)


def _ranged(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _work_told(report: PlanReport) -> str:
    low, high = report.work_ms
    without = report.without_history
    if high == 0.0 and without:
        return "no estimate: none of these methods was measured before"
    least, most = seconds(low), seconds(high)
    told = least if least == most else f"{least} to {most}"
    told = f"about {told}, as earlier runs took"
    if without:
        told += f"; without {counted(len(without), 'method')} never measured"
    return told
