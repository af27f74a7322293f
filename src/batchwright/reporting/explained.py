"""Why each step of one contract would run, or did, and how it ended when last run."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from batchwright.contracts.nearest import hint
from batchwright.errors import UnknownContract
from batchwright.execution.telling import seconds
from batchwright.fleet.explain import last_record
from batchwright.reporting.summary import problems_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from batchwright.execution.prepare import Prepared
    from batchwright.records.model import StepFailure, StepRecord
    from batchwright.reporting.request import Request
    from batchwright.reporting.screen import Screen

_RUNS_LOOKED_AT = 10


class LastTime(msgspec.Struct, frozen=True):
    """How a step ended in the last run that came to it; `started` is seconds since the epoch."""

    outcome: str
    reason: str
    started: float
    time_ms: float
    failure: StepFailure | None


class ExplainedStep(msgspec.Struct, frozen=True):
    """One step of the contract: where it stands now, and what it was when last run."""

    address: str
    method: str
    status: str
    reason: str
    last: LastTime | None


class ContractLastTime(msgspec.Struct, frozen=True):
    """How the contract ended when last run."""

    run: int
    status: str
    problems: tuple[str, ...]


class Explanation(msgspec.Struct, frozen=True):
    """A contract's steps in written order."""

    contract: str
    last: ContractLastTime | None
    steps: tuple[ExplainedStep, ...]


def explain_and_tell(request: Request, contract: str, screen: Screen) -> int:
    """Explain a contract; the exit code is 0. Raises `UnknownContract`."""
    from batchwright.execution.runner import plan

    with plan(request.fleet, **request.options) as prepared:
        explanation = explain(prepared, contract)
    screen.say(explanation_lines(explanation, tracebacks=screen.verbose))
    if screen.wants_json:
        told = msgspec.json.format(msgspec.json.encode(explanation), indent=1)
        screen.write_json(told.decode())
    return 0


def explain(prepared: Prepared, contract: str) -> Explanation:
    """Where each step of a contract stands, and why. Raises `UnknownContract`."""
    keyed = prepared.keyed
    contracts = {each.id: each for each in prepared.graph.contracts}
    if contract not in contracts:
        raise UnknownContract(
            f"{prepared.fleet.name} has no contract '{contract}'{hint(contract, contracts)}"
        )
    steps = []
    for number in contracts[contract].steps:
        unique = keyed.uniques[keyed.of[number]]
        address = prepared.graph.steps[number].address
        at_address = (address.contract, address.phase, address.provides)
        record = prepared.latest.get(at_address) or last_record(unique, keyed, prepared.latest)
        steps.append(
            ExplainedStep(
                str(address),
                unique.label,
                prepared.standings[unique.number].status,
                prepared.reasons[unique.number],
                None if record is None else _last(record),
            )
        )
    return Explanation(contract, _contract_last(prepared, contract), tuple(steps))


def _last(record: StepRecord) -> LastTime:
    return LastTime(record.outcome, record.reason, record.started, record.time_ms, record.failure)


def _contract_last(prepared: Prepared, contract: str) -> ContractLastTime | None:
    for run in prepared.records.runs(_RUNS_LOOKED_AT):
        for record in prepared.records.contracts(run.id):
            if record.id == contract:
                problems = problems_of(contract, run.summary)
                return ContractLastTime(run.id, record.status, problems)
    return None


def explanation_lines(explanation: Explanation, *, tracebacks: bool = False) -> list[str]:
    """The explanation in words: where each step stands, and how it ended if it ran last time."""
    last = explanation.last
    ended = "not run before" if last is None else f"{last.status} in run {last.run}"
    lines = [f"{explanation.contract}: {ended}"]
    if last is not None:
        lines.extend(f"  {problem}" for problem in last.problems)
    for step in explanation.steps:
        place = step.address.removeprefix(f"{explanation.contract}/")
        lines.append(f"  {place}  {step.method}: {step.status}: {step.reason}")
        if step.last is not None and step.last.outcome != "known":
            lines.append(f"      last time: {_last_told(step.last)}")
            if tracebacks and step.last.failure is not None:
                lines.extend(indented(step.last.failure.traceback, 8))
    return lines


def _last_told(last: LastTime) -> str:
    when = datetime.fromtimestamp(last.started).astimezone().strftime("%d %b %H:%M")
    match last.outcome:
        case "failed" if last.failure is not None:
            what = f"failed: {last.failure.type}: {last.failure.message}"
        case "skipped":
            what = f"skipped: {last.reason}"
        case "computed":
            what = f"computed in {seconds(last.time_ms)}"
            what += f", because {last.reason}" if last.reason else ""
        case _:
            what = last.outcome
    return f"{what} ({when})"


def indented(text: str, by: int) -> Iterable[str]:
    """The lines of a text, moved in."""
    return (" " * by + line for line in text.rstrip("\n").splitlines())
