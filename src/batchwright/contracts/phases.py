"""The phases of a contract: their order, and which outputs are finished before each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from batchwright.contracts.nearest import hint, listing
from batchwright.contracts.order import closure, in_order
from batchwright.errors import (
    DependencyCycle,
    DuplicateOutput,
    RequestError,
    UnknownOutput,
    UnknownPhase,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from batchwright.contracts.model import MethodDocument, PhaseDocument

    Refuse = Callable[[RequestError, str], None]


class PlannedPhase(msgspec.Struct, frozen=True):
    """A phase in its place: `finished` are the output targets that its methods may name."""

    name: str
    target: str
    level: str
    methods: tuple[MethodDocument, ...]
    finished: tuple[str, ...]


def plan_phases(phases: Mapping[str, PhaseDocument], refuse: Refuse) -> tuple[PlannedPhase, ...]:
    """The phases in an order in which each comes after those it needs, else as written.

    A phase needs its `dependencies`, the phases that make what its methods require, and what
    these need. What is wrong is handed to `refuse` with its place in the contract.
    """
    targets = _targets(phases, refuse)
    needs = {
        name: (*_named_needs(name, phases, refuse), *_required_needs(name, phases, targets, refuse))
        for name in phases
    }
    order, cycles = in_order(needs)
    for cycle in cycles:
        refuse(DependencyCycle(f"phases wait for each other: {' -> '.join(cycle)}"), "")
    for name in order:
        _refuse_equal_provides(name, phases[name], refuse)
    return tuple(_planned(name, phases, needs, order) for name in order)


def told(phase: str, method: MethodDocument | None = None) -> str:
    """The place of a phase or method within its contract, for messages."""
    return f"phase '{phase}'" if method is None else f"phase '{phase}', {label(method)}"


def label(method: MethodDocument) -> str:
    """`Class.method`, or the function's name."""
    if not method.class_name:
        return method.method_name
    return f"{method.class_name}.{method.method_name}"


def provides(method: MethodDocument) -> str:
    """The name of a method's result in its phase, the method's own name when not given."""
    return method.provides or method.method_name


def target(name: str, phase: PhaseDocument) -> str:
    """The name that a phase's results stand under, the phase's own name when not given."""
    return phase.output_target or name


def _planned(
    name: str,
    phases: Mapping[str, PhaseDocument],
    needs: Mapping[str, tuple[str, ...]],
    order: tuple[str, ...],
) -> PlannedPhase:
    before = closure(needs, name)
    return PlannedPhase(
        name=name,
        target=target(name, phases[name]),
        level=phases[name].level or _common_level(phases[name]),
        methods=phases[name].methods or (),
        finished=tuple(target(other, phases[other]) for other in order if other in before),
    )


def _common_level(phase: PhaseDocument) -> str:
    levels = {method.level or "" for method in phase.methods or ()}
    return levels.pop() if len(levels) == 1 else ""


def _targets(phases: Mapping[str, PhaseDocument], refuse: Refuse) -> dict[str, str]:
    """The phase that makes each output target."""
    makers: dict[str, str] = {}
    for name, phase in phases.items():
        first = makers.setdefault(target(name, phase), name)
        if first != name:
            error = f"the output target '{target(name, phase)}' is taken by phase '{first}'"
            refuse(DuplicateOutput(f"{error}; give each phase its own"), told(name))
    return makers


def _named_needs(name: str, phases: Mapping[str, PhaseDocument], refuse: Refuse) -> tuple[str, ...]:
    wanted = phases[name].dependencies or ()
    for other in wanted:
        if other not in phases:
            error = f"there is no phase '{other}' to depend on{hint(other, phases)}"
            refuse(UnknownPhase(f"{error} (phases: {listing(phases)})"), told(name))
    return tuple(other for other in wanted if other in phases)


def _required_needs(
    name: str,
    phases: Mapping[str, PhaseDocument],
    targets: Mapping[str, str],
    refuse: Refuse,
) -> tuple[str, ...]:
    needed: dict[str, None] = {}
    for method in phases[name].methods or ():
        for output in method.requires or ():
            if output in targets:
                needed[targets[output]] = None
                continue
            error = f"no phase makes the required output '{output}'{hint(output, targets)}"
            refuse(
                UnknownOutput(f"{error} (output targets: {listing(targets)})"), told(name, method)
            )
    return tuple(needed)


def _refuse_equal_provides(name: str, phase: PhaseDocument, refuse: Refuse) -> None:
    makers: dict[str, str] = {}
    for method in phase.methods or ():
        result = provides(method)
        if result in makers:
            error = f"{makers[result]} and {label(method)} both provide '{result}'"
            refuse(
                DuplicateOutput(f"{error}; give one of them another `provides`"),
                told(name, method),
            )
        makers.setdefault(result, label(method))
