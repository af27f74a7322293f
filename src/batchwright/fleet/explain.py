"""Why a step would run, or did: what its key is made of now, against what it was made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from batchwright.caching.digest import digest
from batchwright.errors import UncacheableArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from batchwright.contracts.graph import Bound
    from batchwright.fleet.keys import ArgumentDigests, Keyed, Unique
    from batchwright.fleet.lookup import Standing, Status
    from batchwright.records.model import Recipe, StepRecord

    # The parts of a code digest, by name; empty when they were never recorded.
    CodeParts = Callable[[str], Mapping[str, str]]
    Latest = Mapping[tuple[str, str, str], StepRecord]

_SHOWN = 4


def last_record(unique: Unique, keyed: Keyed, latest: Latest) -> StepRecord | None:
    """The newest record at one of the unique step's addresses, its own first."""
    for number in unique.steps:
        address = keyed.graph.steps[number].address
        record = latest.get((address.contract, address.phase, address.provides))
        if record is not None:
            return record
    return None


def reasons(
    keyed: Keyed, standings: Sequence[Standing], latest: Latest, code_parts: CodeParts
) -> tuple[list[Standing], list[str]]:
    """The standings made precise, and for each unique step a line that says why.

    A step that waits for a run *may* run only if it ran before with its own code and constants;
    when those are new, nothing can spare it and it *will* run.
    """
    precise: list[Standing] = []
    lines: list[str] = []
    for unique, standing in zip(keyed.uniques, standings, strict=True):
        record = last_record(unique, keyed, latest)
        whole = _with_recipe(standing, record)
        status, line = _reason(unique, whole, record, keyed, precise, code_parts)
        precise.append(msgspec.structs.replace(whole, status=status))
        lines.append(line)
    return precise, lines


def _with_recipe(standing: Standing, record: StepRecord | None) -> Standing:
    """What is known by its derivation has a key but no recipe; equal keys are of equal recipes."""
    if standing.recipe is None and standing.key and record and record.key == standing.key:
        return msgspec.structs.replace(standing, recipe=record.recipe)
    return standing


def _reason(
    unique: Unique,
    standing: Standing,
    record: StepRecord | None,
    keyed: Keyed,
    earlier: Sequence[Standing],
    code_parts: CodeParts,
) -> tuple[Status, str]:
    match standing.status:
        case "known":
            told = "the same code and inputs were computed before"
            return "known", f"{told}, as its inputs were" if standing.by_derivation else told
        case "not needed":
            return "not needed", "all that read it are known"
        case "failed before" if standing.failure is not None:
            told = f"{standing.failure.type}: {standing.failure.message}"
            return "failed before", f"it failed when last run ({told}); failures are not kept"
    if unique.bypass:
        return "will run", unique.bypass
    if record is None:
        return "will run", "never run before"
    own = _changes(unique, standing, record, keyed, code_parts)
    if own:
        return "will run", _listed(own)
    if record.bypass and record.recipe is None:
        return "will run", f"its last result was not kept: {record.bypass}"
    waiting = _waiting(unique, keyed, earlier)
    if waiting:
        return standing.status, f"waits for {waiting}, which may give another value"
    if record.outcome == "failed":
        return standing.status, "it failed when last run; failures are not kept"
    if record.outcome == "skipped":
        return standing.status, f"it was skipped when last run: {record.reason}"
    if record.bypass:
        return standing.status, f"its last result was not kept: {record.bypass}"
    if unique.step.options.ttl is not None:
        return standing.status, f"its result has expired (ttl {unique.step.options.ttl:g} s)"
    return standing.status, "its result is no longer in the cache"


def _changes(
    unique: Unique, standing: Standing, record: StepRecord, keyed: Keyed, code_parts: CodeParts
) -> list[str]:
    """What differs from when it last ran, as far as it is known what it was made of then."""
    if record.recipe is None:
        return []
    changes = own_changes(unique, record.recipe, keyed.digests, code_parts)
    if standing.recipe is not None:
        changes += input_changes(unique, keyed, standing.recipe, record.recipe)
    return changes


def _waiting(unique: Unique, keyed: Keyed, earlier: Sequence[Standing]) -> str:
    names = [
        keyed.uniques[i].label
        for i in (*unique.reads, *unique.before)
        if earlier[i].status in ("will run", "may run", "failed before")
    ]
    return _shortened(list(dict.fromkeys(names)))


def own_changes(
    unique: Unique, then: Recipe, digests: ArgumentDigests, code_parts: CodeParts
) -> list[str]:
    """What of a step's own, apart from results it reads, differs from an earlier recipe."""
    facts = unique.facts
    changes = code_changes(unique.label, then.code, facts.code.parts, facts.code.digest, code_parts)
    if facts.constructor is not None:
        changes += code_changes(
            f"making its {_class_of(unique)}",
            then.constructor,
            facts.constructor.parts,
            facts.constructor.digest,
            code_parts,
        )
        assert unique.step.instance is not None  # noqa: S101  # it has a constructor
        changes += _constant_changes(
            "constructor argument",
            unique.step.instance.arguments,
            facts.method.constructor_defaults,
            dict(then.construction),
            digests,
        )
    changes += _constant_changes(
        "argument", unique.step.arguments, facts.method.defaults, dict(then.arguments), digests
    )
    if then.version != unique.step.options.version:
        changes.append(f"version {then.version!r} became {unique.step.options.version!r}")
    sample = unique.step.options.sample
    if then.sample != (None if sample is None else digest(sample)):
        changes.append("it is another sample")
    return changes


def input_changes(unique: Unique, keyed: Keyed, now: Recipe, then: Recipe) -> list[str]:
    """Which results that a step reads differ from an earlier recipe."""
    before = dict(then.arguments) | dict(then.construction)
    after = dict(now.arguments) | dict(now.construction)
    changes = []
    for bound in unique.step.bound_arguments():
        if bound.argument.steps and after.get(bound.name) != before.get(bound.name):
            makers = {keyed.uniques[keyed.of[i]].label for i in bound.argument.steps}
            changes.append(f"result {bound.name!r} of {_shortened(sorted(makers))} changed")
    if now.state != then.state:
        changes.append(f"the calls before it on its {_class_of(unique)} changed")
    return changes


def code_changes(
    what: str, then: str, parts_now: Mapping[str, str], now: str, code_parts: CodeParts
) -> list[str]:
    """Name what changed between two code digests, as far as the older one's parts are known."""
    if then == now:
        return []
    parts_then = code_parts(then)
    if not parts_then:
        return [f"code of {what} changed"]
    # What changed comes first, as it is the likely cause of what is new or gone.
    changes = [
        f"{name} changed"
        for name in sorted(parts_now.keys() & parts_then.keys())
        if parts_now[name] != parts_then[name]
    ]
    changes += [f"{name} is new" for name in sorted(parts_now.keys() - parts_then.keys())]
    changes += [f"{name} is gone" for name in sorted(parts_then.keys() - parts_now.keys())]
    return [f"code of {what} changed: {_shortened(changes)}"]


def _constant_changes(
    what: str,
    arguments: tuple[Bound, ...],
    defaults: Mapping[str, str],
    then: Mapping[str, str],
    digests: ArgumentDigests,
) -> list[str]:
    changes = []
    for bound in arguments:
        if bound.argument.steps:
            continue
        try:
            now = digests.constant(bound.argument)
        except UncacheableArgument:
            continue
        before = then.get(bound.name, defaults.get(bound.name))
        if before != now:
            changes.append(f"{what} {bound.name!r} changed")
    given = {bound.name for bound in arguments}
    changes.extend(f"{what} {name!r} is gone" for name in then if name not in given)
    return changes


def _class_of(unique: Unique) -> str:
    instance = unique.step.instance
    return instance.owner.qualname if instance is not None else unique.label


def _shortened(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _listed(changes: list[str]) -> str:
    return "; ".join(dict.fromkeys(changes))
