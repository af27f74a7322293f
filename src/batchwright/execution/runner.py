"""Running a fleet: the face that both roads, the command line and programs use."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

import msgspec

from batchwright.caching.digest import fixed_code
from batchwright.errors import RequestError, StepFailed
from batchwright.execution.context import Context
from batchwright.execution.inline import InlineEngine
from batchwright.execution.interrupt import Interrupt
from batchwright.execution.prepare import Fleet, Prepared, fleet_of
from batchwright.execution.result import Result
from batchwright.execution.summary import summarise
from batchwright.execution.values import LostValue, Values
from batchwright.execution.watching import StateFound, Watcher
from batchwright.fleet.explain import last_record
from batchwright.fleet.lookup import demanded, derivation_entry
from batchwright.fleet.outcome import ContractOutcome, Outcome, contract_outcome, shown_steps
from batchwright.records.model import ContractRecord, StepRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from batchwright.caching.cache import Cache
    from batchwright.contracts.graph import ContractNode
    from batchwright.contracts.settings import Settings
    from batchwright.execution.observer import Observer
    from batchwright.records.model import RunRecord


def run(
    what: Any,
    *,
    inputs: Mapping[str, Any] | None = None,
    only: str | Collection[str] | None = None,
    cache: Cache | str | Path | None = None,
    state: Path | None = None,
    settings: Settings | None = None,
    observer: Observer | None = None,
    workers: int | None = None,
    engine: str | None = None,
    stop_at_first: bool = False,
    clock: Callable[[], float] = time.time,
) -> Result:
    """Run a fleet and give its results.

    `what` is a folder or file of contracts, `-`, `module:attribute`, or Python contracts:
    a `Contract`, an `{id: step}` mapping, a step, or a list of these. `inputs` are the run's
    inputs of a JSON fleet by name. `only` is a pattern on contract ids, or a set of ids.
    `cache` is a `Cache` or a location, by default in the state folder; `state` that folder, by
    default `.batchwright` beside the settings. With `stop_at_first` the run ends at the first
    failed step.

    A failed step does not raise: its contract is `partial` or `failed`, and reading a failed
    value raises what the step raised. Raises `InvalidFleet` before anything runs when the fleet
    has errors. KeyboardInterrupt ends the run; what was computed is kept.
    """
    started = time.perf_counter()
    notes = _asked_in_vain(workers, engine)
    prepared = Prepared(
        what, inputs=inputs, only=only, cache=cache, state=state, settings=settings, clock=clock
    )
    try:
        notes += _asked_in_vain_by(prepared.fleet.settings, workers, engine)
        prepared.load_code()
        with fixed_code():
            return _Run(prepared, observer, started, notes, stop_at_first=stop_at_first).run()
    except BaseException:
        prepared.close()
        raise


def plan(what: Any, **options: Any) -> Prepared:
    """What is known of a fleet before it runs, and why; nothing is run.

    Takes `inputs`, `only`, `cache`, `state` and `settings` as `run` does. Close what it gives, or
    use it in a `with` block. Raises `InvalidFleet` when the fleet has errors.
    """
    return Prepared(what, **options, only_looking=True)


def check(what: Any, **options: Any) -> Fleet:
    """Resolve every contract, method and argument; nothing is run.

    Takes `inputs`, `only` and `settings` as `run` does. Raises `InvalidFleet` with all errors.
    """
    return fleet_of(what, **options)


def _asked_in_vain(workers: int | None, engine: str | None) -> list[str]:
    """Refuse engines that there are not; note workers that the inline engine does not use."""
    if engine not in (None, "inline"):
        raise RequestError(f"there is no engine {engine!r} in this version, only 'inline'")
    if workers is not None and workers < 1:
        raise RequestError(f"workers must be 1 or more, not {workers}")
    if workers is not None and workers > 1:
        return [f"{workers} workers were asked for; this version runs all steps in one process"]
    return []


def _asked_in_vain_by(settings: Settings, workers: int | None, engine: str | None) -> list[str]:
    """Note what the settings ask for that the inline engine does not use."""
    notes = []
    if workers is None and (settings.workers or 1) > 1:
        notes.append(
            f"{settings.where} asks for {settings.workers} workers; this version runs all steps "
            "in one process"
        )
    if engine is None and settings.engine not in (None, "inline"):
        notes.append(
            f"{settings.where} asks for the engine {settings.engine!r}; this version has only "
            "'inline'"
        )
    return notes


class _Run:
    """One run from look-up to records."""

    def __init__(
        self,
        prepared: Prepared,
        observer: Observer | None,
        started: float,
        notes: list[str],
        *,
        stop_at_first: bool,
    ) -> None:
        self.prepared = prepared
        self.observer = observer
        self.started = started
        self.stop_at_first = stop_at_first
        self.watcher = Watcher(prepared.book.watched)
        self.interrupt = Interrupt()
        self.ended: dict[str, ContractOutcome] = {}
        self.notes: list[str] = [*prepared.graph.warnings, *notes]
        self.built, self.build_ms = 0, 0.0
        self.carried: dict[str, tuple[Outcome, StepRecord, Any]] = {}
        self.context: Context
        self.engine: InlineEngine
        self.values: Values

    def run(self) -> Result:
        prepared = self.prepared
        begun = prepared.records.begin(prepared.fleet.name)
        status = "interrupted"
        self._start_pass()
        try:
            with self.interrupt.noted():
                while True:
                    try:
                        self._pass()
                        self.engine.objects.last_look()
                        break
                    except StateFound as found:
                        self._learn(found)
                        self._start_pass()
            status = "done"
        finally:
            result = self._finish(begun, status, time.perf_counter() - self.started)
        return result

    # --- passes -----------------------------------------------------------------------------

    def _start_pass(self) -> None:
        prepared = self.prepared
        keyed = prepared.keyed
        self.values = Values(keyed, prepared.cache)
        outcomes: dict[int, Outcome] = {}
        records: dict[int, StepRecord] = {}
        self.ended = {}
        for unique in keyed.uniques:
            carried = self.carried.get(unique.uid)
            if carried is not None:
                outcome, record, held = carried
                outcomes[unique.number] = outcome
                records[unique.number] = msgspec.structs.replace(record, number=unique.number)
                if held is not None:
                    self.values.keep(unique.number, held)
        self.context = Context(
            keyed,
            prepared.cache,
            self.values,
            outcomes,
            lambda: self.interrupt.seen,
            prepared.clock,
            nonce=uuid.uuid4().hex,
            unrepeatable=prepared.unrepeatable,
            notes=self.notes,
        )
        self.engine = InlineEngine(
            self.context,
            prepared.standings,
            prepared.reasons,
            self.watcher,
            records=records,
            ended=self._step_ended,
            own_folders=(prepared.state_folder,),
        )
        if self.observer is not None:
            self.observer.planned(prepared)

    def _pass(self) -> None:
        keyed = self.prepared.keyed
        wanted = demanded(keyed)
        for contract in keyed.graph.contracts:
            if not self._may_start(contract):
                self._end(contract)
                continue
            cut_short = False
            for step in contract.steps:
                number = keyed.of[step]
                outcome = self.context.outcomes.get(number)
                if outcome is None:
                    standing = self.prepared.standings[number]
                    if standing.status == "not needed":
                        continue
                    if number not in wanted and standing.status == "known":
                        continue  # loaded if somebody asks for it
                    outcome = self._settle(number)
                if not outcome.succeeded and self._ends(contract):
                    cut_short = True
                    break
            self._end(contract)
            if self.stop_at_first and (cut_short or self.ended[contract.id].failures):
                return

    def _settle(self, number: int) -> Outcome:
        if self.observer is not None:
            self.observer.step_started(self.prepared.keyed.uniques[number])
        return self.engine.settle(number)

    def _step_ended(self, record: StepRecord) -> None:
        if record.outcome == "known":
            self._still_undeclared(record)
        self._remember(record)
        if self.observer is not None:
            self.observer.step_ended(record)

    def _still_undeclared(self, record: StepRecord) -> None:
        """What a kept result was computed from without saying so is told whenever it is used."""
        unique = self.prepared.keyed.uniques[record.number]
        before = last_record(unique, self.prepared.keyed, self.prepared.latest)
        if before is not None and before.key == record.key and before.undeclared:
            self.engine.records[record.number] = msgspec.structs.replace(
                record, undeclared=before.undeclared
            )

    def _ends(self, contract: ContractNode) -> bool:
        return contract.on_failure == "raise" or self.stop_at_first

    def _may_start(self, contract: ContractNode) -> bool:
        return all(
            self.ended[before].status != "failed"
            for before in contract.depends_on
            if before in self.ended
        )

    def _end(self, contract: ContractNode) -> None:
        keyed = self.prepared.keyed
        while True:
            try:
                outcome = contract_outcome(
                    contract, keyed, self.context.outcomes, self.ended, self._value_of_step
                )
                break
            except _LostForGood:
                continue  # the step has failed now, and is judged as such
        self.ended[contract.id] = outcome
        if self.observer is not None:
            self.observer.contract_ended(outcome)

    def _value_of_step(self, step: int) -> Any:
        number = self.prepared.keyed.of[step]
        while True:
            try:
                return self.values.result(number, self.context.outcomes[number])
            except LostValue as lost:
                self.engine.recover(lost.number)
                outcome = self.context.outcomes[number]
                if not outcome.succeeded:
                    raise _LostForGood(outcome) from None

    def _value_for_reader(self, step: int) -> Any:
        try:
            return self._value_of_step(step)
        except _LostForGood as lost:
            if lost.outcome.error is not None:
                raise lost.outcome.error from None
            raise StepFailed(str(lost)) from None

    def _remember(self, record: StepRecord) -> None:
        if record.key is None:
            return
        failures = self.prepared.failures
        if record.outcome == "failed" and record.failure is not None:
            failures[record.key] = record.failure
            self.prepared.records.remember_failure(record.key, record.failure)
        elif record.key in failures:
            del failures[record.key]
            self.prepared.records.remember_failure(record.key, None)

    # --- state ------------------------------------------------------------------------------

    def _learn(self, found: StateFound) -> None:
        """A class is stateful after all: withdraw what it gave, make keys anew, run again."""
        self.built += self.engine.objects.built
        self.build_ms += self.engine.objects.build_ms
        prepared = self.prepared
        self.watcher.stores(found)
        prepared.watched.update(self.watcher.learned)
        prepared.book.watched.update(self.watcher.learned)
        prepared.records.remember_watched(self.watcher.learned)
        methods = ", ".join(f"{found.owner}.{method}" for method in found.methods)
        self.notes.append(
            f"{methods} changes {found.owner}.{found.attribute}: calls on one {found.owner} now "
            "run in written order within a contract; if it is only a memo, mark it @stateless"
        )
        keyed = prepared.keyed
        tainted = set(found.suspect)
        for unique in keyed.uniques:
            if tainted.intersection((*unique.reads, *unique.before)):
                tainted.add(unique.number)
        for number in found.suspect:
            outcome = self.context.outcomes.get(number)
            if outcome is not None and outcome.key is not None:
                prepared.cache.delete(outcome.key)
            prepared.cache.delete(derivation_entry(keyed.uniques[number].uid))
        kept = self.values.kept()
        self.carried = {
            keyed.uniques[number].uid: (outcome, self.engine.records[number], kept.get(number))
            for number, outcome in self.context.outcomes.items()
            if number not in tainted
        }
        prepared.look_up()

    # --- the end ------------------------------------------------------------------------------

    def _finish(self, begun: RunRecord, status: str, seconds: float) -> Result:
        prepared = self.prepared
        keyed = prepared.keyed
        summary = summarise(
            keyed,
            self.engine.records,
            self.ended,
            prepared.standings,
            built=self.built + self.engine.objects.built,
            build_ms=self.build_ms + self.engine.objects.build_ms,
            seconds=seconds,
            notes=self.notes,
            cache=prepared.cache,
        )
        contracts = [
            self._contract_record(contract, self.ended[contract.id])
            for contract in keyed.graph.contracts
            if contract.id in self.ended
        ]
        prepared.records.remember_watched(self.watcher.learned)
        prepared.remember_code()
        record = prepared.records.finish(
            begun,
            status=status,
            summary=summary,
            steps=self.engine.records.values(),
            contracts=contracts,
            codes=prepared.book.parts(),
        )
        if self.observer is not None:
            self.observer.run_ended(record)
        return Result(prepared, record, self.engine.records, self.context.outcomes, self.ended,
                      self._value_for_reader)  # fmt: skip

    def _contract_record(self, contract: ContractNode, outcome: ContractOutcome) -> ContractRecord:
        keyed = self.prepared.keyed
        steps = [
            (keyed.graph.steps[step].address, keyed.of[step])
            for step in dict.fromkeys((*contract.steps, *shown_steps(contract)))
            if keyed.of[step] in self.engine.records
        ]
        return ContractRecord(
            contract.id,
            outcome.status,
            tuple((a.contract, a.phase, a.provides, number) for a, number in steps),
            {"problems": list(outcome.problems)},
        )


class _LostForGood(Exception):  # a cue; a reader of the value is told what was raised
    """A value was gone from the cache, and the step failed when it ran again."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        failure = outcome.failure
        super().__init__("" if failure is None else f"{failure.type}: {failure.message}")
