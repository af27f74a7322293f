"""The inline engine: one unique step after another, in this process."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from batchwright.execution.calling import Called, call, measured, not_called, undeclared
from batchwright.execution.fingerprint import changed, fingerprint
from batchwright.execution.keeping import Keeper
from batchwright.execution.objects import ObjectFailed, Objects
from batchwright.execution.projections import paths_in
from batchwright.execution.values import LostValue
from batchwright.fleet.keys import opaque_digest
from batchwright.fleet.lookup import Standing, expiry
from batchwright.fleet.outcome import Outcome, obstacle
from batchwright.records.model import StepFailure, StepRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from batchwright.execution.context import Context
    from batchwright.execution.instances import Warm
    from batchwright.execution.watching import Watcher
    from batchwright.fleet.keys import Unique


class InlineEngine:
    """Runs unique steps one by one; `settle` brings one to an outcome.

    Each outcome goes into the context, each record into `records` and to `ended`. Files below
    `own_folders` are batchwright's, and may be opened by anybody.
    """

    def __init__(
        self,
        context: Context,
        standings: Sequence[Standing],
        reasons: Sequence[str],
        watcher: Watcher,
        *,
        records: dict[int, StepRecord],
        ended: Callable[[StepRecord], None],
        own_folders: tuple[Path, ...] = (),
    ) -> None:
        self.context = context
        self.records = records
        self.objects = Objects(context)
        self._keeper = Keeper(context)
        self._standings = standings
        self._reasons = reasons
        self._watcher = watcher
        self._ended = ended
        self._computed: set[str | None] = set()
        self._own_folders = own_folders

    def settle(self, number: int) -> Outcome:
        """Bring a unique step to an outcome: known, computed, failed or skipped.

        Raises `StateFound` when its object is seen to change, KeyboardInterrupt when the user
        interrupts; then the step has no outcome.
        """
        unique = self.context.keyed.uniques[number]
        standing = self._standings[number]
        if standing.status == "known" and not standing.provided:
            return self._report(self._known(unique, standing, self._reasons[number]))
        self._settle_inputs(unique)
        missing = obstacle(unique, self.context.keyed, self.context.outcomes)
        if missing is not None:
            return self._report(self._skipped(unique, missing))
        return self._report(self._spared(unique) or self._run(unique))

    def recover(self, number: int) -> None:
        """Compute a known result again whose value is gone from the cache."""
        unique = self.context.keyed.uniques[number]
        self._settle_inputs(unique)
        self.context.notes.append(
            f"the value of {unique.label} was gone from the cache; it was computed again"
        )
        self._report(self._run(unique))
        # Held from now on: a cache too small for what is read at once would lose it again.
        self._keeper.hold(unique)

    def _settle_inputs(self, unique: Unique) -> None:
        for read in (*unique.reads, *unique.before):
            if read not in self.context.outcomes:
                self.settle(read)

    def _report(self, record: StepRecord) -> Outcome:
        self.records[record.number] = record
        self._ended(record)
        return self.context.outcomes[record.number]

    # --- the ways to an outcome ---------------------------------------------------------------

    def _known(self, unique: Unique, standing: Standing, reason: str) -> StepRecord:
        self.context.outcomes[unique.number] = self._keeper.known(unique, standing)
        return StepRecord(
            unique.number,
            unique.label,
            "known",
            reason,
            key=standing.key,
            digest=standing.digest,
            recipe=standing.recipe,
            started=self.context.clock(),
            saved_ms=1e3 * (standing.seconds or 0.0),
        )

    def _spared(self, unique: Unique) -> StepRecord | None:
        """The record of a step whose inputs turn out to be such that its result is there."""
        key, recipe, _ = self.context.content_key(unique)
        # Looked up again now: another run may have computed it since.
        info = None if key is None else self.context.cache.find([key]).get(key)
        expires = None if info is None else expiry(unique, info)
        if info is None or (expires is not None and expires <= self.context.clock()):
            return None
        record = self._known(
            unique,
            msgspec.structs.replace(Standing.known(info, recipe), expires=expires),
            "an equal call was computed in this run"
            if key in self._computed
            else "its inputs gave the values they had before",
        )
        self._keeper.remember_derivation(unique)
        return record

    def _skipped(self, unique: Unique, missing: str) -> StepRecord:
        failure = StepFailure("Skipped", missing)
        self.context.outcomes[unique.number] = Outcome("skipped", failure=failure)
        now = self.context.clock()
        return StepRecord(
            unique.number, unique.label, "skipped", missing, failure=failure, started=now
        )

    def _run(self, unique: Unique) -> StepRecord:
        while True:
            # Anew each time: an input that is computed again may come out otherwise.
            key, recipe, bypass = self.context.content_key(unique)
            try:
                called, warm = self._called(unique, key)
                break
            except LostValue as lost:
                self.recover(lost.number)
                missing = obstacle(unique, self.context.keyed, self.context.outcomes)
                if missing is not None:
                    return self._skipped(unique, missing)
        size = 0
        if called.failure is None:
            outcome, size = self._keeper.computed(unique, key, bypass, called)
        else:
            outcome = self._keeper.failed(key, bypass, called)
        self.context.outcomes[unique.number] = outcome
        if outcome.status == "computed" and not outcome.bypass:
            self._computed.add(key)
            self._keeper.remember_derivation(unique)
        if warm is not None and unique.storing:
            self.objects.moved(warm, unique)
        return StepRecord(
            unique.number,
            unique.label,
            outcome.status,
            self._reasons[unique.number],
            bypass=outcome.bypass,
            key=key,
            digest=outcome.digest,
            recipe=recipe,
            started=called.started,
            time_ms=called.time_ms,
            cpu_ms=called.cpu_ms,
            memory_mb=called.memory_mb,
            output_bytes=size,
            failure=called.failure,
            undeclared=undeclared(called.opened, self._declared(unique)),
        )

    # --- calling ------------------------------------------------------------------------------

    def _called(self, unique: Unique, key: str | None) -> tuple[Called, Warm | None]:
        """Make a step's call, as often as it may be tried; raises `LostValue`."""
        called, warm = self._attempt(unique, key)
        for again in range(1, 1 + (unique.step.options.retry or 0)):
            if called.failure is None:
                break
            if warm is not None and unique.storing:
                self.objects.forget(warm)  # it may have been changed half-way
            # With fresh arguments, and with random numbers of its own.
            called, warm = self._attempt(unique, key and opaque_digest(key, ("attempt", again)))
        return called, warm

    def _attempt(self, unique: Unique, seed: str | None) -> tuple[Called, Warm | None]:
        try:
            arguments = self.context.values.arguments(unique.step.arguments, self.context.outcomes)
        except LostValue:
            raise
        except Exception as error:  # a part that a result does not have, for one
            return not_called(error, self.context.clock), None
        if unique.step.instance is None:
            return self._call_function(unique, seed, arguments), None
        return self._call_method(unique, seed, arguments)

    def _call_function(self, unique: Unique, seed: str | None, arguments: dict[str, Any]) -> Called:
        assert unique.step.function is not None  # noqa: S101  # a step has one or the other
        watched = self._watcher.wants(unique)
        marks = _marks(arguments) if watched else {}
        called = self._tried(unique, seed, unique.step.function.load(), arguments)
        if watched and called.failure is None:
            self._look_at_arguments(unique, marks, arguments)
        return called

    def _call_method(
        self, unique: Unique, seed: str | None, arguments: dict[str, Any]
    ) -> tuple[Called, Warm | None]:
        try:
            warm = self.objects.ready_for(unique)
        except ObjectFailed as failed:
            return failed.called, None
        try:
            method = getattr(warm.object, unique.step.method)
        except AttributeError as error:  # a factory, or `__new__`, made something else
            return not_called(error, self.context.clock), None
        watched = self._watcher.wants(unique)
        marks = _marks(arguments) if watched else {}
        looked_at = not unique.storing and not unique.facts.said
        if looked_at:
            self.objects.prepare_to_look(warm, watched=watched)
        called = self._tried(unique, seed, method, arguments)
        if looked_at:
            warm.unverified.append(unique.number)
            if watched or called.failure is not None:
                self.objects.look(warm, unique.step.method)
        if watched and called.failure is None:
            self._look_at_arguments(unique, marks, arguments)
        return called, warm

    def _tried(
        self,
        unique: Unique,
        seed: str | None,
        function: Callable[..., Any],
        arguments: dict[str, Any],
    ) -> Called:
        work = partial(call, function, arguments, unique.step.arguments)
        return measured(work, seed, self.context.interrupted, self.context.clock)

    def _look_at_arguments(
        self,
        unique: Unique,
        marks: dict[str, dict[str, bytes | None]],
        arguments: dict[str, Any],
    ) -> None:
        for name, before in marks.items():
            if None in before.values():
                continue  # a handle; what it stands for is not ours to judge
            if changed(before, fingerprint(arguments[name])) is None:
                continue
            if self._watcher.changes_argument(unique, name):
                self.context.notes.append(
                    f"{unique.label} changes its argument {name!r}; "
                    "it works on a copy of its own, so nothing else is touched"
                )
            return
        self._watcher.was_clean(unique)

    def _declared(self, unique: Unique) -> tuple[Path, ...]:
        found = list(self._own_folders)
        for bound in unique.step.bound_arguments():
            if bound.argument.files:
                found.extend(paths_in(bound))
        return tuple(found)


def _marks(arguments: dict[str, Any]) -> dict[str, dict[str, bytes | None]]:
    return {name: fingerprint(value) for name, value in arguments.items()}
