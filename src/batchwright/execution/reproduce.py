"""Does a step give today what it gave then? Known steps run afresh, their results compared."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from batchwright.caching.cache import Cache
from batchwright.execution.context import Context
from batchwright.execution.inline import InlineEngine
from batchwright.execution.interrupt import Interrupt
from batchwright.execution.values import Values
from batchwright.execution.watching import StateFound, Watcher
from batchwright.fleet.keys import opaque_digest
from batchwright.fleet.lookup import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from batchwright.caching.codec import Payload
    from batchwright.caching.entry import EntryInfo
    from batchwright.execution.prepare import Prepared
    from batchwright.fleet.keys import Unique
    from batchwright.records.model import StepRecord

Verdict = Literal["same", "differs", "failed", "cannot compare"]


class Reproduced(msgspec.Struct, frozen=True):
    """One step run afresh. `why` says what differs, or why nothing could be compared."""

    address: str
    method: str
    verdict: Verdict
    why: str = ""
    time_ms: float = 0.0


def candidates(prepared: Prepared) -> list[int]:
    """The unique steps that can be reproduced: known ones that are meant to repeat."""
    return [
        unique.number
        for unique, standing in zip(prepared.keyed.uniques, prepared.standings, strict=True)
        if standing.status == "known" and unique.step.options.repeats
    ]


def sample_of(numbers: Sequence[int], share: float | int, seed: int) -> list[int]:
    """Some of `numbers` in their order, the same ones for the same seed.

    A float is a share, of which at least one is taken; an int says how many.
    """
    wanted = max(1, round(share * len(numbers))) if isinstance(share, float) else share
    # Which steps are looked at is nobody's secret.
    chosen = random.Random(seed).sample(list(numbers), min(wanted, len(numbers)))  # noqa: S311
    return sorted(chosen)


def reproduce(
    prepared: Prepared,
    share: float | int,
    seed: int,
    told: Callable[[Reproduced], None] = lambda reproduced: None,
) -> list[Reproduced]:
    """Run a sample of the known steps afresh and compare what they give with what is kept.

    Each gets the inputs it had, on an object in the state it was in, with the same seeds of the
    random generators. Nothing that is kept changes; only methods seen not to repeat are
    remembered. `told` is given each verdict as it falls. KeyboardInterrupt ends it.
    """
    prepared.load_code(all_of_it=True)
    interrupt = Interrupt()
    again = _Again(prepared, interrupt)
    verdicts = []
    with interrupt.noted():
        for number in sample_of(candidates(prepared), share, seed):
            verdict = again.run(number)
            if verdict.verdict == "differs":
                unique = prepared.keyed.uniques[number]
                prepared.records.remember_unrepeatable(unique.facts.code.digest, unique.label)
            verdicts.append(verdict)
            told(verdict)
    return verdicts


class _Again:
    """An engine that finds everything known except the one step it is to run."""

    def __init__(self, prepared: Prepared, interrupt: Interrupt) -> None:
        self._keyed = prepared.keyed
        self._standings = list(prepared.standings)
        self._cache = _ReadThrough(prepared.cache)
        self._records: dict[int, StepRecord] = {}
        self._context = Context(
            self._keyed,
            self._cache,
            Values(self._keyed, self._cache),
            {},
            lambda: interrupt.seen,
            prepared.clock,
        )
        self._engine = InlineEngine(
            self._context,
            self._standings,
            prepared.reasons,
            Watcher(prepared.book.watched),
            records=self._records,
            ended=lambda record: None,
            own_folders=(prepared.state_folder,),
        )

    def run(self, number: int) -> Reproduced:
        unique, kept = self._keyed.uniques[number], self._standings[number]
        # Others read what is kept, never what was computed afresh; only objects stay warm.
        self._context.outcomes.clear()
        self._context.values = Values(self._keyed, self._cache)
        self._standings[number] = Standing("will run")
        self._cache.hidden = kept.key
        try:
            self._engine.settle(number)
        except StateFound as found:
            return _verdict(
                unique,
                "cannot compare",
                f"{found.owner}.{found.attribute} was seen to change; run the fleet, which "
                "then learns that its methods depend on each other",
            )
        finally:
            self._standings[number] = kept
            self._cache.hidden = None
        return _compared(unique, kept, self._records[number])


def _compared(unique: Unique, kept: Standing, fresh: StepRecord) -> Reproduced:
    if fresh.failure is not None:
        why = f"{fresh.failure.type}: {fresh.failure.message}"
        return _verdict(unique, "failed", why, fresh.time_ms)
    if fresh.key is None or fresh.key != kept.key:
        return _verdict(
            unique, "cannot compare", fresh.bypass or "its inputs are not at hand as they were"
        )
    if fresh.digest is None or fresh.digest == opaque_digest(fresh.key):
        why = "its result has no stable content, such as a fitted model has"
        return _verdict(unique, "cannot compare", why, fresh.time_ms)
    if fresh.digest != kept.digest:
        why = "the same code and inputs gave another value"
        return _verdict(unique, "differs", why, fresh.time_ms)
    return _verdict(unique, "same", "", fresh.time_ms)


def _verdict(unique: Unique, verdict: Verdict, why: str, time_ms: float = 0.0) -> Reproduced:
    return Reproduced(str(unique.step.address), unique.label, verdict, why, time_ms)


class _ReadThrough(Cache):
    """A cache seen without its entry `hidden`, in which nothing is ever changed."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self.hidden: str | None = None

    def find(self, keys: Iterable[str]) -> dict[str, EntryInfo]:
        return self._cache.find(key for key in keys if key != self.hidden)

    def load(self, key: str, *, method: str = "") -> Any:
        return self._cache.load(key, method=method)

    def store(self, key: str, payload: Payload, **about: Any) -> None:
        pass

    def add_parts(self, key: str, parts: Mapping[str, str]) -> None:
        pass

    def delete(self, key: str) -> bool:
        return False
