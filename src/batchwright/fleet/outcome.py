"""How steps and contracts ended: pure functions from step outcomes to a contract's result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from batchwright.contracts.graph import Outputs, Reference, leaves
from batchwright.contracts.veto import VetoOutcome, apply_vetoes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from batchwright.contracts.graph import ContractNode, Step
    from batchwright.fleet.keys import Keyed, Unique
    from batchwright.records.model import StepFailure


class Outcome(msgspec.Struct, frozen=True):
    """How a unique step ended in this run.

    `known`: its result was there; `computed`: it ran; `failed`: it raised; `skipped`: what it
    needs failed. `digest` tells the result to consumers, `parts` its projections; `bypass` says
    why the result was not kept. `expires` is the earliest expiry of it and its inputs.
    """

    status: Literal["known", "computed", "failed", "skipped"]
    key: str | None = None
    digest: str | None = None
    parts: dict[str, str] = {}
    failure: StepFailure | None = None
    error: BaseException | None = None
    bypass: str = ""
    expires: float | None = None

    @property
    def succeeded(self) -> bool:
        """Whether there is a result."""
        return self.failure is None


def obstacle(unique: Unique, keyed: Keyed, outcomes: Mapping[int, Outcome]) -> str | None:
    """What a step cannot run without and does not get; None when it can run.

    A step that names a failed one cannot; one that takes a phase's mapping can, unless the
    phase gave nothing but errors.
    """
    for bound in unique.step.bound_arguments():
        for leaf in _leaves(bound.argument.template) if bound.argument.steps else ():
            if isinstance(leaf, Reference):
                number = keyed.of[leaf.step]
                if not outcomes[number].succeeded:
                    return f"needs {_named(keyed.uniques[number], outcomes[number])}"
            elif leaf.entries and not any(
                outcomes[keyed.of[step]].succeeded for _, step in leaf.entries
            ):
                return f"needs {bound.name!r}, all of whose results failed"
    return None


def _named(unique: Unique, outcome: Outcome) -> str:
    assert outcome.failure is not None  # noqa: S101  # only failures are named
    if outcome.status == "skipped":
        return f"{unique.label}, which was skipped"
    return f"{unique.label}, which failed ({outcome.failure.type}: {outcome.failure.message})"


def _leaves(template: Any) -> Iterator[Reference | Outputs]:
    for leaf in leaves(template):
        if isinstance(leaf, Reference | Outputs):
            yield leaf


class ContractOutcome(msgspec.Struct, frozen=True):
    """How a contract ended, and why when it is not `ok`.

    `failures` pairs the ids of its steps that gave no result with their failures; `problems`
    are lines for the user.
    """

    id: str
    status: Literal["ok", "partial", "failed"]
    failures: tuple[tuple[int, StepFailure], ...] = ()
    problems: tuple[str, ...] = ()
    vetoes: VetoOutcome | None = None
    unreached: tuple[int, ...] = ()


def shown_steps(contract: ContractNode) -> tuple[int, ...]:
    """The steps whose results a contract shows, in written order."""
    if contract.phases:
        return tuple(step for phase in contract.phases for step in phase.steps)
    steps = (step for _, argument in contract.outputs for step in argument.steps)
    return tuple(dict.fromkeys(steps))


def contract_outcome(
    contract: ContractNode,
    keyed: Keyed,
    outcomes: Mapping[int, Outcome],
    ended: Mapping[str, ContractOutcome],
    value: Callable[[int], Any],
) -> ContractOutcome:
    """Judge a contract by the outcomes of its steps.

    `ended` holds the contracts it may depend on; `value` gives the result of a step by id, for
    the vetoes, which are applied here and nowhere earlier.
    """
    for predecessor in contract.depends_on:
        before = ended.get(predecessor)
        if before is not None and before.status == "failed":
            return ContractOutcome(
                contract.id,
                "failed",
                problems=(f"not run: {predecessor}, on which it depends, failed",),
                unreached=shown_steps(contract),
            )
    steps = keyed.graph.steps
    failures: list[tuple[int, StepFailure]] = []
    unreached: list[int] = []
    stopped = False
    shown = shown_steps(contract)
    for step in shown:
        outcome = outcomes.get(keyed.of[step])
        if outcome is None or stopped:
            unreached.append(step)
        elif outcome.failure is not None:
            failures.append((step, outcome.failure))
            stopped = contract.on_failure == "raise"
    lost = len(failures) + len(unreached)
    status: Literal["ok", "partial", "failed"] = "ok"
    if failures:
        all_failed = not contract.phases and lost == len(shown)
        status = "failed" if stopped or all_failed else "partial"
    elif unreached:
        status = "failed"
    vetoes = None
    if any(steps[step].vetoes for step in contract.steps):
        results = _Results(
            [s for s in shown if s not in unreached and outcomes[keyed.of[s]].succeeded], value
        )
        vetoes = apply_vetoes(contract, steps, results)
        if status == "ok" and vetoes.voided:
            status = "partial"
    return ContractOutcome(contract.id, status, tuple(failures), (), vetoes, tuple(unreached))


class _Results(dict[int, Any]):
    """Results by step id, loaded when one is looked at."""

    def __init__(self, steps: list[int], value: Callable[[int], Any]) -> None:
        super().__init__(dict.fromkeys(steps))
        self._value = value

    def __getitem__(self, step: int) -> Any:
        return self._value(step)


def confidence_of(step: Step, outcome: ContractOutcome) -> float:
    """The confidence of a step's result after vetoes, between 0 and 1."""
    if outcome.vetoes is None:
        return step.confidence
    return outcome.vetoes.confidences.get(step.id, step.confidence)
