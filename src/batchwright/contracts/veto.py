"""Vetoes: conditions on finished results that lower confidence or void outputs.

They are applied afterwards to the finished results of a contract; they are never bound and
stand in no key.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from batchwright.contracts.nearest import hint, listing
from batchwright.contracts.trigger import Trigger, fires, parse_trigger
from batchwright.errors import InvalidVeto

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from batchwright.contracts.graph import ContractNode, Phase, Step

Action = Literal["reduce_confidence", "invalidate_graph"]
_ACTIONS: tuple[Action, ...] = ("reduce_confidence", "invalidate_graph")
_EVERYTHING = ("contract", "all")


class Veto(msgspec.Struct, frozen=True):
    """One veto of a method.

    `scope` names what it acts on: an output target, a `provides` name, `target.provides`, or
    `contract` for all results of the method's own level and below. `multiplier` is what
    `reduce_confidence` multiplies by, between 0 and 1.
    """

    name: str
    trigger: Trigger
    action: Action
    scope: str = "contract"
    multiplier: float = 1.0
    rationale: str = ""
    source: str = ""


def parse_veto(
    name: str,
    trigger: str,
    action: str,
    scope: str | None = None,
    multiplier: float | None = None,
    rationale: str | None = None,
) -> Veto:
    """The veto that a contract's `veto_conditions` write under `name`.

    Raises `InvalidVeto` for a trigger that does not parse, an unknown action, or a
    `reduce_confidence` that does not say by how much.
    """
    for known in _ACTIONS:
        if action == known:
            break
    else:
        raise InvalidVeto(
            f"the action {action!r} is not known{hint(action, _ACTIONS)} "
            f"(known: {', '.join(_ACTIONS)})"
        )
    if known == "reduce_confidence" and multiplier is None:
        raise InvalidVeto("reduce_confidence needs a confidence_multiplier between 0 and 1")
    return Veto(
        name=name,
        trigger=parse_trigger(trigger),
        action=known,
        scope=scope or "contract",
        multiplier=1.0 if multiplier is None else multiplier,
        rationale=rationale or "",
        source=trigger,
    )


def level_rank(level: str) -> int:
    """1 for `N1-EMP`, 2 for `N2-INF`, 3 for `N3-AUD`; 0 for a level that is not of this kind."""
    match = re.match(r"[Nn](\d+)", level)
    return int(match[1]) if match else 0


def steps_in_scope(
    veto: Veto, owner: Step, phases: Sequence[Phase], steps: Mapping[int, Step] | Sequence[Step]
) -> tuple[int, ...]:
    """The numbers of the steps that a veto of `owner` acts on, within one contract.

    Raises `InvalidVeto` for a scope that is not there, or that holds results of a higher
    level than the owner's: N3 may veto N2, never the reverse.
    """
    rank = level_rank(owner.level)
    own = [number for phase in phases for number in phase.steps]
    if veto.scope in _EVERYTHING:
        return tuple(number for number in own if level_rank(steps[number].level) <= rank)
    scopes = _scopes(phases, steps)
    if veto.scope not in scopes:
        raise InvalidVeto(
            f"there is no scope '{veto.scope}'{hint(veto.scope, (*scopes, *_EVERYTHING))} "
            f"(output targets: {listing(phase.target for phase in phases)}; "
            "or a provides name, or contract)"
        )
    found = scopes[veto.scope]
    for number in found:
        if level_rank(steps[number].level) > rank:
            raise InvalidVeto(
                f"a method of level {owner.level or 'none'} may not veto '{veto.scope}', which "
                f"holds results of level {steps[number].level}; give the veto to a method of "
                "that level or a higher one"
            )
    return found


def _scopes(
    phases: Sequence[Phase], steps: Mapping[int, Step] | Sequence[Step]
) -> dict[str, tuple[int, ...]]:
    scopes: dict[str, tuple[int, ...]] = {}
    for phase in phases:
        for number in phase.steps:
            provides = steps[number].address.provides
            scopes[provides] = (*scopes.get(provides, ()), number)
            scopes.setdefault(f"{phase.target}.{provides}", (number,))
    # A target's name wins over a result of the same name.
    return scopes | {phase.target: phase.steps for phase in phases}


class FiredVeto(NamedTuple):
    """A veto whose trigger fired on the result of step `step`, and the steps it acted on."""

    step: int
    veto: Veto
    acted_on: tuple[int, ...]


class UnreadName(NamedTuple):
    """A name in a veto of step `step` that its result does not have, or cannot compare."""

    step: int
    veto: str
    name: str


class VetoOutcome(NamedTuple):
    """What vetoes make of a contract.

    `confidences` holds the confidence of each finished step, between 0 and 1; `voided` the
    steps whose results are void, in order.
    """

    confidences: dict[int, float]
    voided: tuple[int, ...]
    fired: tuple[FiredVeto, ...]
    unread: tuple[UnreadName, ...]


def apply_vetoes(
    contract: ContractNode, steps: Sequence[Step], results: Mapping[int, Any]
) -> VetoOutcome:
    """Judge a contract's finished `results`, by step number, by the vetoes of its methods.

    `steps` are the graph's. Only values of steps that carry vetoes are looked at, so that
    `results` may be a mapping that loads on demand. Steps that have no result neither veto nor
    have a confidence. The order of vetoes does not matter.
    """
    confidences = {n: steps[n].confidence for n in contract.steps if n in results}
    voided: set[int] = set()
    fired: list[FiredVeto] = []
    unread: list[UnreadName] = []
    for number in confidences:
        for veto in steps[number].vetoes:
            firing = fires(veto.trigger, results[number])
            unread += [UnreadName(number, veto.name, name) for name in firing.missing]
            if not firing.fired:
                continue
            scope = steps_in_scope(veto, steps[number], contract.phases, steps)
            fired.append(FiredVeto(number, veto, scope))
            if veto.action == "invalidate_graph":
                voided.update(scope)
                continue
            for reduced in scope:
                if reduced in confidences:
                    confidences[reduced] *= veto.multiplier
    return VetoOutcome(confidences, tuple(sorted(voided)), tuple(fired), tuple(unread))
