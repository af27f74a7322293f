"""The inline engine: one unique step after another, in this process."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from batchwright.caching.codec import Payload, encode
from batchwright.errors import NotEncodable, RequestError, UncacheableArgument
from batchwright.execution.calling import Called, call, measured, undeclared
from batchwright.execution.fingerprint import changed, fingerprint
from batchwright.execution.instances import InstancePool, Warm
from batchwright.execution.projections import digests_of_parts, parts_asked_for, paths_in
from batchwright.execution.values import Live, LostValue
from batchwright.execution.watching import StateFound
from batchwright.fleet.keys import NoDigest, key_of, opaque_digest, recipe_of
from batchwright.fleet.lookup import (
    Standing,
    derivation_entry,
    part_name,
    result_digest,
    tell,
)
from batchwright.fleet.outcome import Outcome, obstacle
from batchwright.records.model import StepFailure, StepRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

    from batchwright.caching.cache import Cache
    from batchwright.execution.values import Values
    from batchwright.execution.watching import Watcher
    from batchwright.fleet.keys import Keyed, Told, Unique
    from batchwright.records.model import Recipe


class ConstructorFailed(Exception):  # the step fails with what the constructor raised
    """Building an object raised; `called` has the exception."""

    def __init__(self, called: Called) -> None:
        self.called = called
        super().__init__()


class InlineEngine:
    """Runs unique steps one by one; `settle` gives the outcome and record of one.

    Every step it is asked for must come after those it reads. Results go through the cache, or
    to `values` where the cache may not keep them.
    """

    def __init__(
        self,
        keyed: Keyed,
        standings: list[Standing],
        reasons: list[str],
        cache: Cache,
        values: Values,
        watcher: Watcher,
        *,
        outcomes: dict[int, Outcome],
        records: dict[int, StepRecord],
        ended: Callable[[StepRecord], None],
        unrepeatable: frozenset[str] = frozenset(),
        interrupted: Callable[[], bool] = lambda: False,
        clock: Callable[[], float],
        nonce: str = "",
        allowed: tuple[Path, ...] = (),
    ) -> None:
        self.keyed = keyed
        self.outcomes = outcomes
        self.records = records
        self.pool = InstancePool()
        self.build_ms = 0.0
        self._standings = standings
        self._reasons = reasons
        self._cache = cache
        self._values = values
        self._watcher = watcher
        self._ended = ended
        self._unrepeatable = unrepeatable
        self._interrupted = interrupted
        self._clock = clock
        self._nonce = nonce
        self._allowed = allowed
        self._parts = parts_asked_for(keyed)
        self._broken: dict[Hashable, Called] = {}
        self.notes: list[str] = []

    # --- one step ---------------------------------------------------------------------------

    def settle(self, number: int) -> Outcome:
        """Bring a unique step to an outcome: known, computed, failed or skipped.

        Raises `StateFound` when its object is seen to change, KeyboardInterrupt when the user
        interrupts; then the step has no outcome.
        """
        unique = self.keyed.uniques[number]
        standing = self._standings[number]
        if standing.status == "known":
            return self._report(self._known(unique, standing, self._reasons[number]))
        for read in (*unique.reads, *unique.before):
            if read not in self.outcomes:
                self.settle(read)
        missing = obstacle(unique, self.keyed, self.outcomes)
        if missing is not None:
            return self._report(self._skipped(unique, missing))
        key, recipe, bypass = self._content_key(unique)
        if key is not None:
            info = self._cache.find([key]).get(key)
            if info is not None:
                spared = "its inputs gave the values they had before"
                record = self._known(unique, Standing.known(info, recipe), spared)
                self._remember_derivation(unique)
                return self._report(record)
        return self._report(self._run(unique, key, recipe, bypass))

    def recover(self, number: int) -> None:
        """Compute a known result again whose value is gone from the cache."""
        unique = self.keyed.uniques[number]
        for read in (*unique.reads, *unique.before):
            if read not in self.outcomes:
                self.settle(read)
        self.notes.append(f"the value of {unique.label} was gone from the cache; computed again")
        self._report(self._run(unique, *self._content_key(unique)))

    def _report(self, record: StepRecord) -> Outcome:
        self.records[record.number] = record
        self._ended(record)
        return self.outcomes[record.number]

    def _known(self, unique: Unique, standing: Standing, reason: str) -> StepRecord:
        self.outcomes[unique.number] = Outcome(
            "known",
            standing.key,
            standing.digest,
            self._with_parts(unique.number, standing.key, standing.parts),
            expires=self._earliest(unique, standing.expires),
        )
        return StepRecord(
            unique.number,
            unique.label,
            "known",
            reason,
            key=standing.key,
            digest=standing.digest,
            recipe=standing.recipe,
            started=self._clock(),
            saved_ms=1e3 * (standing.seconds or 0.0),
        )

    def _skipped(self, unique: Unique, missing: str) -> StepRecord:
        failure = StepFailure("Skipped", missing)
        self.outcomes[unique.number] = Outcome("skipped", failure=failure)
        return StepRecord(
            unique.number, unique.label, "skipped", missing, failure=failure, started=self._clock()
        )

    def _run(
        self, unique: Unique, key: str | None, recipe: Recipe | None, bypass: str
    ) -> StepRecord:
        while True:
            try:
                arguments = self._values.arguments(unique.step.arguments, self.outcomes)
                called, warm = self._call(unique, key, arguments)
                break
            except LostValue as lost:
                self.recover(lost.number)
        opened = undeclared(called.opened, self._declared(unique))
        if called.failure is None:
            outcome, size = self._keep(unique, key, bypass, called)
        else:
            outcome, size = Outcome(
                "failed", key, failure=called.failure, error=called.error, bypass=bypass
            ), 0  # fmt: skip
        self.outcomes[unique.number] = outcome
        if outcome.status == "computed" and not outcome.bypass:
            self._remember_derivation(unique)
        if warm is not None and unique.storing:
            self._moved(warm, unique, called)
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
            undeclared=opened,
        )

    # --- keys and digests -------------------------------------------------------------------

    def _content_key(self, unique: Unique) -> tuple[str | None, Recipe | None, str]:
        """The content key and what it is made of, or why there is none."""
        if unique.bypass:
            return None, None, unique.bypass
        state = []
        for number in unique.before:
            before = self.outcomes[number]
            label = self.keyed.uniques[number].label
            if before.key is None:
                return None, None, f"{label} before it on its instance has no key"
            if not before.succeeded:
                return None, None, f"{label} before it on its instance failed"
            state.append(before.key)
        try:
            recipe = recipe_of(
                unique.step, unique.facts, self.keyed.digests, self._tell, tuple(state)
            )
        except NoDigest as error:
            maker = self.keyed.uniques[self.keyed.of[error.step]]
            return None, None, f"the result of {maker.label} that it reads has no stable content"
        return key_of("content", recipe), recipe, ""

    def _tell(self, step: int, items: tuple[Any, ...]) -> Told:
        number = self.keyed.of[step]
        outcome = self.outcomes[number]
        return tell(
            self.keyed.uniques[number],
            items,
            digest_=outcome.digest,
            parts=outcome.parts,
            failure=outcome.failure,
        )

    def _with_parts(self, number: int, key: str | None, parts: dict[str, str]) -> dict[str, str]:
        """The digests of the parts that this graph asks for, added to an entry that lacks some."""
        lacking = [items for items in self._parts.get(number, ()) if part_name(items) not in parts]
        if not lacking or key is None:
            return parts
        try:
            value = self._cache.load(key)
        except KeyError:
            return parts  # it is computed again when a consumer asks for it
        found = digests_of_parts(value, lacking, key, self._nonce_for(number))
        self._cache.add_parts(key, found)
        return parts | found

    def _nonce_for(self, number: int) -> str:
        unique = self.keyed.uniques[number]
        return self._nonce if unique.facts.code.digest in self._unrepeatable else ""

    def _earliest(self, unique: Unique, expires: float | None) -> float | None:
        times = [self.outcomes[i].expires for i in unique.reads if i in self.outcomes]
        return min((time for time in [expires, *times] if time is not None), default=None)

    # --- keeping ------------------------------------------------------------------------------

    def _keep(
        self, unique: Unique, key: str | None, bypass: str, called: Called
    ) -> tuple[Outcome, int]:
        number, value = unique.number, called.value
        nonce = self._nonce_for(number)
        held: Payload | Live
        try:
            held = encode(value)
        except NotEncodable as error:
            held = Live(value)
            return self._aside(number, held, Outcome(
                "computed", key, None, bypass=bypass or f"its result cannot be kept: {error.message}"
            )), 0  # fmt: skip
        size = len(held.data)
        digest = result_digest(value, key, nonce)
        parts = digests_of_parts(value, self._parts.get(number, ()), key, nonce)
        if not bypass:
            bypass = self._changed_meanwhile(unique)
        own = None if unique.step.options.ttl is None else called.started + unique.step.options.ttl
        outcome = Outcome(
            "computed", key, digest, parts, bypass=bypass, expires=self._earliest(unique, own)
        )
        if bypass or key is None or digest is None:
            return self._aside(number, held, outcome), size
        self._cache.store(
            key, held, digest=digest, parts=parts, method=unique.label, expires=own,
            seconds=called.time_ms / 1e3,
        )  # fmt: skip
        if key not in self._cache:  # a lost or full tier; its one warning has been given
            self._values.keep(number, held)
        return outcome, size

    def _aside(self, number: int, held: Payload | Live, outcome: Outcome) -> Outcome:
        self._values.keep(number, held)
        return outcome

    def _changed_meanwhile(self, unique: Unique) -> str:
        for bound in unique.step.bound_arguments():
            if not bound.argument.files or bound.argument.steps:
                continue
            before = self.keyed.digests.constant(bound.argument)
            try:
                after: str | None = self.keyed.digests.look_again(bound.argument)
            except (RequestError, UncacheableArgument, OSError):
                after = None
            if after != before:
                return f"the file of argument {bound.name!r} changed while the step ran"
        return ""

    def _remember_derivation(self, unique: Unique) -> None:
        outcome = self.outcomes[unique.number]
        if not unique.derivable or unique.bypass or outcome.key is None or outcome.digest is None:
            return
        inputs = {
            f"input {place}": self.outcomes[read].digest for place, read in enumerate(unique.reads)
        }
        if any(digest is None for digest in inputs.values()):
            return
        parts = {f"part {name}": digest for name, digest in outcome.parts.items()}
        self._cache.store(
            derivation_entry(unique.uid),
            _NOTHING,
            digest=outcome.digest,
            parts={"key": outcome.key} | parts | {k: v for k, v in inputs.items() if v},
            method=unique.label,
            expires=outcome.expires,
        )

    # --- calling ------------------------------------------------------------------------------

    def _call(
        self, unique: Unique, key: str | None, arguments: dict[str, Any]
    ) -> tuple[Called, Warm | None]:
        step = unique.step
        watched = self._watcher.wants(unique)
        marks = {n: fingerprint(v) for n, v in arguments.items()} if watched else {}
        if step.instance is None:
            assert step.function is not None  # noqa: S101  # a step has one or the other
            warm, function = None, step.function.load()
        else:
            try:
                warm = self._instance(unique)
            except ConstructorFailed as failed:
                return failed.called, None
            function = getattr(warm.object, step.method)
            if not unique.storing:
                self._mark_before(warm, watched=watched)
        called = self._tried(lambda: call(function, arguments, step.arguments), key, step)
        if warm is not None and not unique.storing:
            warm.unverified.append(unique.number)
            if watched or called.failure is not None:
                self._look(warm, (step.method,))
        if watched and called.failure is None:
            self._look_at_arguments(unique, marks, arguments)
        return called, warm

    def _tried(self, work: Callable[[], Any], key: str | None, step: Any) -> Called:
        called = measured(work, key, self._interrupted)
        for _ in range(step.options.retry or 0):
            if called.failure is None:
                break
            called = measured(work, key, self._interrupted)
        return called

    def _look_at_arguments(
        self, unique: Unique, marks: dict[str, dict[str, bytes | None]], arguments: dict[str, Any]
    ) -> None:
        for name, before in marks.items():
            if None in before.values():
                continue  # a handle; what it stands for is not ours to judge
            if changed(before, fingerprint(arguments[name])) is not None:
                if self._watcher.changes_argument(unique, name):
                    self.notes.append(
                        f"{unique.label} changes its argument {name!r}; "
                        "it works on a copy, so nothing else is touched"
                    )
                return
        self._watcher.was_clean(unique)

    # --- instances ----------------------------------------------------------------------------

    def _mark_before(self, warm: Warm, *, watched: bool) -> None:
        """Make sure that a change during the next call can be told from an earlier one."""
        if warm.marks is None:
            warm.mark()
        elif watched and warm.unverified:
            self._look(warm, ())

    def _look(self, warm: Warm, methods: tuple[str, ...]) -> None:
        suspect = tuple(warm.unverified)
        attribute = warm.look()
        if attribute is None:
            return
        self.pool.discard(warm)
        uniques = self.keyed.uniques
        if not methods or len(suspect) > 1:  # earlier calls were not watched one by one
            methods = tuple(dict.fromkeys(uniques[i].step.method for i in suspect)) or methods
        owner = type(warm.object).__qualname__
        raise StateFound(warm.class_digest, methods, owner, attribute, suspect)

    def last_look(self) -> None:
        """Look once more at every object with unwatched calls; raises `StateFound`."""
        for warm in self.pool:
            if warm.marks is not None and warm.unverified:
                self._look(warm, ())

    def _instance(self, unique: Unique) -> Warm:
        """The instance in the state that the step needs, built and brought there if need be."""
        made = self._made_from(unique)
        state = tuple(self._state_mark(number) for number in unique.before)
        warm = self.pool.find(made, state)
        if warm is not None:
            return warm
        warm = self.pool.longest_prefix(made, state)
        if warm is not None and warm.marks is not None and warm.unverified:
            self._look(warm, ())
        if warm is None:
            warm = self._build(unique, made)
        for number in unique.before[len(warm.state) :]:
            earlier = self.keyed.uniques[number]
            arguments = self._values.arguments(earlier.step.arguments, self.outcomes)
            method, bound = getattr(warm.object, earlier.step.method), earlier.step.arguments
            called = measured(
                partial(call, method, arguments, bound),
                self.outcomes[number].key,
                self._interrupted,
            )
            self._moved(warm, earlier, called)
        return warm

    def _moved(self, warm: Warm, unique: Unique, called: Called) -> None:
        self.pool.moved(warm, self._state_mark(unique.number))

    def _state_mark(self, number: int) -> Hashable:
        outcome = self.outcomes[number]
        return outcome.key if outcome.key is not None else ("call", number)

    def _made_from(self, unique: Unique) -> Hashable:
        instance = unique.step.instance
        assert instance is not None  # noqa: S101  # asked only for methods
        try:
            digests: Hashable = tuple(
                (bound.name, self.keyed.digests.of(bound.argument, self._tell))
                for bound in instance.arguments
            )
        except (UncacheableArgument, NoDigest):
            digests = id(instance)
        return (instance.owner, instance.factory, digests)

    def _build(self, unique: Unique, made: Hashable) -> Warm:
        if made in self._broken:
            raise ConstructorFailed(self._broken[made])
        instance = unique.step.instance
        assert instance is not None  # noqa: S101  # asked only for methods
        maker = (instance.factory or instance.owner).load()
        arguments = self._values.arguments(instance.arguments, self.outcomes)
        seed = opaque_digest(repr((unique.facts.class_digest, made[2])))  # type: ignore[index]
        called = measured(
            lambda: call(maker, arguments, instance.arguments), seed, self._interrupted
        )
        if called.failure is not None:
            self._broken[made] = called
            raise ConstructorFailed(called)
        self.build_ms += called.time_ms
        warm = Warm(made, (), called.value, unique.facts.class_digest)
        self.pool.add(warm)
        return warm

    def _declared(self, unique: Unique) -> tuple[Path, ...]:
        paths: list[Path] = list(self._allowed)
        for bound in unique.step.bound_arguments():
            if bound.argument.files:
                paths.extend(paths_in(bound))
        return tuple(paths)


_NOTHING = encode(None)
