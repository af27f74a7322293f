"""The figures of a run, as a plain mapping that the records keep and every report reads."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from batchwright.contracts.nearest import listing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from batchwright.caching.cache import Cache
    from batchwright.contracts.graph import ContractNode
    from batchwright.fleet.keys import Keyed
    from batchwright.fleet.lookup import Standing
    from batchwright.fleet.outcome import ContractOutcome
    from batchwright.records.model import StepRecord

_SLOWEST = 5


def summarise(
    keyed: Keyed,
    records: Mapping[int, StepRecord],
    ended: Mapping[str, ContractOutcome],
    standings: Sequence[Standing],
    *,
    built: int,
    build_ms: float,
    seconds: float,
    notes: Sequence[str],
    cache: Cache,
) -> dict[str, Any]:
    """Counts, times (`_ms` in milliseconds, `seconds` in seconds), causes and notes of a run.

    `work_ms` is what computed steps and the objects they needed took, `build_ms` the objects'
    part of it.
    """
    outcomes = Counter(record.outcome for record in records.values())
    statuses = Counter(outcome.status for outcome in ended.values())
    before = Counter(standing.status for standing in standings)
    computed = [r for r in records.values() if r.outcome in ("computed", "failed")]
    return {
        "contracts": len(keyed.graph.contracts),
        "calls": sum(len(contract.steps) for contract in keyed.graph.contracts),
        "distinct_steps": len(keyed.uniques),
        "known_before": before["known"],
        "failed_before": before["failed before"],
        "known": outcomes["known"],
        "computed": outcomes["computed"],
        "failed": outcomes["failed"],
        "skipped": outcomes["skipped"],
        "bypassed": sum(1 for record in records.values() if record.bypass),
        "ok": statuses["ok"],
        "partial": statuses["partial"],
        "contracts_failed": statuses["failed"],
        "not_ended": len(keyed.graph.contracts) - len(ended),
        "objects_built": built,
        "seconds": seconds,
        "work_ms": build_ms + sum(record.time_ms for record in computed),
        "build_ms": build_ms,
        "saved_ms": _saved_ms(records, standings),
        "slowest": _slowest(computed),
        "causes": _causes(keyed, records, ended),
        "bypasses": _bypasses(records),
        "undeclared": _undeclared(records),
        "notes": [*dict.fromkeys(notes), *_unread_names(keyed, ended)],
        "cache_rejected": cache.stats().rejected,
    }


def _saved_ms(records: Mapping[int, StepRecord], standings: Sequence[Standing]) -> float:
    """What known steps took when they were computed, those that nobody asked for included."""
    not_asked_for = (
        standing.seconds or 0.0
        for number, standing in enumerate(standings)
        if standing.status == "known" and number not in records
    )
    return sum(record.saved_ms for record in records.values()) + 1e3 * sum(not_asked_for)


def _slowest(records: Sequence[StepRecord]) -> list[tuple[str, float]]:
    by_label: Counter[str] = Counter()
    for record in records:
        by_label[record.label] += record.time_ms  # type: ignore[assignment]  # a sum of floats
    return [(label, float(ms)) for label, ms in by_label.most_common(_SLOWEST)]


def _causes(
    keyed: Keyed, records: Mapping[int, StepRecord], ended: Mapping[str, ContractOutcome]
) -> list[dict[str, Any]]:
    """What made contracts partial or failed, each cause once with the contracts that have it."""
    causes: dict[tuple[str, str], dict[str, Any]] = {}
    nodes = {node.id: node for node in keyed.graph.contracts}
    for contract in ended.values():
        told: list[tuple[str, str]] = [("", problem) for problem in contract.problems]
        if contract.failures or (contract.unreached and not contract.problems):
            told += _failed_steps(nodes[contract.id], keyed, records, contract)
        if contract.vetoes is not None and contract.vetoes.voided:
            for fired in contract.vetoes.fired:
                if fired.veto.action == "invalidate_graph":
                    label = keyed.graph.steps[fired.step].label
                    told.append((label, f"veto {fired.veto.name}: {fired.veto.source}"))
        for label, problem in dict.fromkeys(told):
            cause = causes.setdefault(
                (label, problem),
                {"step": label, "problem": problem, "status": contract.status, "contracts": []},
            )
            cause["contracts"].append(contract.id)
    return sorted(causes.values(), key=lambda cause: -len(cause["contracts"]))


def _failed_steps(
    node: ContractNode, keyed: Keyed, records: Mapping[int, StepRecord], contract: ContractOutcome
) -> list[tuple[str, str]]:
    """The steps of a contract that raised, also those that it does not show, and what they did."""
    found = []
    for step in node.steps:
        record = records.get(keyed.of[step])
        if record is None or record.outcome != "failed" or step in contract.unreached:
            continue
        if record.failure is not None:
            found.append((record.label, f"{record.failure.type}: {record.failure.message}"))
    return found


def _unread_names(keyed: Keyed, ended: Mapping[str, ContractOutcome]) -> list[str]:
    """A word on what vetoes name and results do not have: it never makes one fire."""
    unread: dict[str, dict[str, None]] = {}
    for contract in ended.values():
        for one in () if contract.vetoes is None else contract.vetoes.unread:
            unread.setdefault(keyed.graph.steps[one.step].label, {})[one.name] = None
    if not unread:
        return []
    told = listing((f"{label} ({', '.join(unread[label])})" for label in sorted(unread)), 5)
    return [
        f"vetoes name what results do not have or cannot compare, and do not fire by it: {told}"
    ]


def _bypasses(records: Mapping[int, StepRecord]) -> list[tuple[str, str, int]]:
    """Results that were not kept: method, why, and how many steps."""
    counted = Counter((r.label, r.bypass) for r in records.values() if r.bypass)
    return [(label, why, count) for (label, why), count in counted.most_common()]


def _undeclared(records: Mapping[int, StepRecord]) -> list[tuple[str, str]]:
    """Files that steps read without declaring them: method and path."""
    return sorted({(r.label, path) for r in records.values() for path in r.undeclared})
