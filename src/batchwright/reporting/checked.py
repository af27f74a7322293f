"""What `check` finds: that everything resolves, and what cannot be seen or kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from batchwright.execution.telling import counted
from batchwright.fleet.facts import FactBook
from batchwright.fleet.keys import key_graph

if TYPE_CHECKING:
    from collections.abc import Mapping

    from batchwright.contracts.graph import Step
    from batchwright.execution.prepare import Fleet
    from batchwright.fleet.facts import StepFacts
    from batchwright.records.model import Watched
    from batchwright.reporting.request import Request
    from batchwright.reporting.screen import Screen


class Blind(msgspec.Struct, frozen=True):
    """A place in the code that code digests cannot follow, and the methods it matters to."""

    file: str
    line: int
    text: str
    methods: tuple[str, ...]


class Storing(msgspec.Struct, frozen=True):
    """A method that changes its object, what it changes, and how that is known."""

    method: str
    attribute: str
    why: str


class NotKept(msgspec.Struct, frozen=True):
    """A method whose results cannot be kept, and why."""

    method: str
    why: str
    steps: int


class CheckReport(msgspec.Struct, frozen=True):
    """A fleet in figures, with what its user should know before running it."""

    fleet: str
    contracts: int
    calls: int
    distinct_steps: int
    methods: int
    classes: int
    blind: tuple[Blind, ...]
    storing: tuple[Storing, ...]
    not_kept: tuple[NotKept, ...]
    warnings: tuple[str, ...]


def check_and_tell(request: Request, screen: Screen) -> int:
    """Check a fleet and show what was found; its exit code is 0, errors are raised."""
    from batchwright.execution.runner import check

    fleet = check(request.fleet, **request.reading)
    watched: Mapping[tuple[str, str], Watched] = {}
    if request.has_records():
        with request.open_records() as records:
            watched = records.watched()
    report = check_report(fleet, watched)
    screen.say(check_lines(report))
    if screen.wants_json:
        screen.write_json(msgspec.json.format(msgspec.json.encode(report), indent=1).decode())
    return 0


def check_report(fleet: Fleet, watched: Mapping[tuple[str, str], Watched]) -> CheckReport:
    """Look at every method of a fleet; `watched` is what earlier runs saw of them."""
    graph, settings = fleet.graph, fleet.settings
    book = FactBook(watched, stateful=settings.stateful, stateless=settings.stateless)
    keyed = key_graph(graph, book)
    methods: dict[str, Step] = {}
    for step in graph.steps:
        methods.setdefault(step.label, step)
    facts = {label: book.of(step) for label, step in methods.items()}
    not_kept: dict[tuple[str, str], int] = {}
    for unique in keyed.uniques:
        if unique.bypass:
            key = (unique.label, unique.bypass)
            not_kept[key] = not_kept.get(key, 0) + 1
    owners = {step.instance.owner for step in methods.values() if step.instance is not None}
    return CheckReport(
        fleet=fleet.name,
        contracts=len(graph.contracts),
        calls=sum(len(contract.steps) for contract in graph.contracts),
        distinct_steps=len(keyed.uniques),
        methods=len(methods),
        classes=len(owners),
        blind=_blind(facts),
        storing=tuple(
            Storing(label, fact.stores, fact.why_stores)
            for label, fact in sorted(facts.items())
            if fact.stores
        ),
        not_kept=tuple(NotKept(*key, count) for key, count in sorted(not_kept.items())),
        warnings=graph.warnings,
    )


def _blind(facts: Mapping[str, StepFacts]) -> tuple[Blind, ...]:
    found: dict[tuple[str, int, str], list[str]] = {}
    for label, fact in sorted(facts.items()):
        codes = [fact.code] if fact.constructor is None else [fact.code, fact.constructor]
        for code in codes:
            for note in code.notes:
                methods = found.setdefault((note.file, note.line, note.text), [])
                if label not in methods:
                    methods.append(label)
    return tuple(Blind(*place, tuple(methods)) for place, methods in sorted(found.items()))


def check_lines(report: CheckReport) -> list[str]:
    """What was found, in words."""
    of_classes = f" of {counted(report.classes, 'class', 'classes')}" if report.classes else ""
    first = (
        f"{counted(report.contracts, 'contract')}, {counted(report.calls, 'call')} of "
        f"{counted(report.methods, 'method')}{of_classes}, "
        f"{counted(report.distinct_steps, 'distinct step')}: everything resolves"
    )
    lines = [first, *(f"  warning       {warning}" for warning in report.warnings)]
    lines.extend(
        f"  changes       {each.method} changes its object ({each.attribute}): {each.why}"
        for each in report.storing
    )
    lines.extend(
        f"  not kept      {each.method} ({counted(each.steps, 'step')}): {each.why}"
        for each in report.not_kept
    )
    for blind in report.blind:
        lines.append(f"  not followed  {blind.file}:{blind.line}: {blind.text}")
        lines.append(f"                a change there is not seen by {_some(blind.methods)}")
    return lines


def _some(names: tuple[Any, ...], limit: int = 3) -> str:
    more = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {more} more" if more > 0 else "")
