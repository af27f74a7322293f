"""A run in words: the lines that summaries, whether printed or returned, are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from batchwright.execution.prepare import Prepared

_SHOWN = 5


def opening_lines(prepared: Prepared, workers: int = 1) -> list[str]:
    """What a fleet is, and what of it is known, before it runs."""
    graph = prepared.graph
    calls = sum(len(contract.steps) for contract in graph.contracts)
    counts: dict[str, int] = {}
    for standing in prepared.standings:
        counts[standing.status] = counts.get(standing.status, 0) + 1
    told = [f"{counts.get('known', 0):,} known"]
    told += [f"{counts['failed before']:,} failed before"] if "failed before" in counts else []
    told += [f"{counts['will run']:,} will run"] if "will run" in counts else []
    told += [f"{counts['may run']:,} may run"] if "may run" in counts else []
    told += [f"{counts['not needed']:,} not needed"] if "not needed" in counts else []
    sizes = (
        f"{counted(len(graph.contracts), 'contract')}, {counted(calls, 'call')}, "
        f"{counted(len(prepared.keyed.uniques), 'distinct step')}"
    )
    return [f"{sizes}: {', '.join(told)}; {counted(workers, 'worker')}"]


def ending_lines(summary: Mapping[str, Any]) -> list[str]:
    """How a run ended: counts, work, what was slow, what failed and why."""
    verb = "done" if not summary["not_ended"] else "stopped"
    saved = summary["saved_ms"]
    first = (
        f"{verb} in {seconds(summary['seconds'] * 1e3)}: {summary['ok']:,} ok, "
        f"{summary['partial']:,} partial, {summary['contracts_failed']:,} failed"
    )
    if summary["not_ended"]:
        first += f", {summary['not_ended']:,} not finished"
    if saved >= 1.0:
        first += f"; {seconds(saved)} saved"
    lines = [first]
    ran = summary["computed"] + summary["failed"]
    if ran:
        lines.append(
            f"  work      {seconds(summary['work_ms'])} in {counted(ran, 'step')}; "
            f"{counted(summary['objects_built'], 'object')} built"
        )
        slowest = ", ".join(f"{label} {seconds(ms)}" for label, ms in summary["slowest"][:3])
        lines.append(f"  slowest   {slowest}")
    lines.extend(_cause_lines(summary["causes"]))
    for label, why, count in summary["bypasses"][:_SHOWN]:
        lines.append(f"  not kept  {label} ({counted(count, 'step')}): {why}")
    for label, path in summary["undeclared"][:_SHOWN]:
        lines.append(
            f"  undeclared {label} read {path}, which no argument names: a change there is not seen"
        )
    if summary["cache_rejected"]:
        lines.append(
            f"  cache     {counted(summary['cache_rejected'], 'altered entry', 'altered entries')} "
            "found and not used"
        )
    lines.extend(f"  note      {note}" for note in summary["notes"])
    return lines


def _cause_lines(causes: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each cause, those that differ only in the exception's message taken together."""
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for cause in causes:
        kind = cause["problem"].partition(":")[0] if cause["step"] else cause["problem"]
        groups.setdefault((cause["status"], cause["step"], kind), []).append(cause)
    contracts_of = {
        key: list(dict.fromkeys(id_ for cause in alike for id_ in cause["contracts"]))
        for key, alike in groups.items()
    }
    lines = []
    for key in sorted(groups, key=lambda key: -len(contracts_of[key]))[:_SHOWN]:
        (status, step, _), alike, contracts = key, groups[key], contracts_of[key]
        what = f"{step}: {alike[0]['problem']}" if step else alike[0]["problem"]
        what += f", and {len(alike) - 1} like it" if len(alike) > 1 else ""
        some = ", ".join(contracts[:3]) + (", ..." if len(contracts) > 3 else "")
        lines.append(f"  {status:<9} {len(contracts):,}: {what} ({some})")
    if len(groups) > _SHOWN:
        lines.append(f"  and {counted(len(groups) - _SHOWN, 'more cause')}")
    return lines


def counted(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def seconds(ms: float) -> str:
    """A time in ms as a person reads it."""
    if ms < 1.0:
        return f"{ms * 1e3:.0f} us"
    if ms < 999.5:
        return f"{ms:.0f} ms"
    if ms < 120_000.0:
        return f"{ms / 1e3:.1f} s"
    minutes, rest = divmod(round(ms / 1e3), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
