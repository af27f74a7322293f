"""What a run tells while it goes on; whoever shows progress takes part by this protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from batchwright.execution.prepare import Prepared
    from batchwright.fleet.keys import Unique
    from batchwright.fleet.outcome import ContractOutcome
    from batchwright.records.model import RunRecord, StepRecord


class Observer(Protocol):
    """Told of a run's progress, in the thread that runs it."""

    def planned(self, prepared: Prepared) -> None:
        """The keys are made and what is known is found; again when a class proves stateful."""

    def step_started(self, unique: Unique) -> None:
        """A unique step is about to be settled."""

    def step_ended(self, record: StepRecord) -> None:
        """A unique step has an outcome."""

    def contract_ended(self, outcome: ContractOutcome) -> None:
        """All that a contract needs has an outcome."""

    def run_ended(self, run: RunRecord) -> None:
        """The run is in the records: done, or interrupted with what was computed so far."""
