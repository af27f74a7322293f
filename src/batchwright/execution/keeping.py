"""Keeping results: what is stored under which key, what only lasts for the run, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchwright.caching.codec import Payload, encode
from batchwright.errors import NotEncodable, RequestError, UncacheableArgument
from batchwright.execution.projections import digests_of_parts, parts_asked_for
from batchwright.execution.values import Live
from batchwright.fleet.lookup import derivation_entry, earliest, part_name, result_digest
from batchwright.fleet.outcome import Outcome

if TYPE_CHECKING:
    from batchwright.execution.calling import Called
    from batchwright.execution.context import Context
    from batchwright.fleet.keys import Unique
    from batchwright.fleet.lookup import Standing


class Keeper:
    """Turns what a call gave into an outcome, and stores what may be stored."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._parts = parts_asked_for(context.keyed)
        self._last: tuple[int, Payload] | None = None

    def known(self, unique: Unique, standing: Standing) -> Outcome:
        """The outcome of a step whose result is there."""
        return Outcome(
            "known",
            standing.key,
            standing.digest,
            self._with_parts(unique, standing.key, standing.parts),
            expires=self._earliest(unique, standing.expires),
        )

    def failed(self, key: str | None, bypass: str, called: Called) -> Outcome:
        """The outcome of a step that raised; never stored."""
        return Outcome("failed", key, failure=called.failure, error=called.error, bypass=bypass)

    def computed(
        self, unique: Unique, key: str | None, bypass: str, called: Called
    ) -> tuple[Outcome, int]:
        """The outcome of a step that gave a value, which is kept here; and its size in bytes.

        The value is encoded at once: what the step does later with an object that it handed
        out, nobody sees.
        """
        context = self._context
        try:
            payload = encode(called.value)
        except NotEncodable as error:
            context.values.keep(unique.number, Live(called.value))
            why = bypass or f"its result cannot be kept: {error.message}"
            return Outcome("computed", key, None, bypass=why), 0
        nonce = context.nonce_of(unique)
        digest = result_digest(called.value, key, nonce)
        wanted = self._parts.get(unique.number, ())
        parts = digests_of_parts(called.value, wanted, key, nonce)
        bypass = bypass or self._changed_meanwhile(unique)
        ttl = unique.step.options.ttl
        own = None if ttl is None else called.started + ttl
        expires = self._earliest(unique, own)
        outcome = Outcome("computed", key, digest, parts, bypass=bypass, expires=expires)
        self._last = (unique.number, payload)
        if bypass or key is None or digest is None:
            context.values.keep(unique.number, payload)
        else:
            self._store(unique, key, digest, parts, payload, own, called.time_ms)
        return outcome, len(payload.data)

    def hold(self, unique: Unique) -> None:
        """Hold the value that a step has just given until the run ends, cached or not."""
        if self._last is not None and self._last[0] == unique.number:
            self._context.values.keep(*self._last)

    def _store(
        self,
        unique: Unique,
        key: str,
        digest: str,
        parts: dict[str, str],
        payload: Payload,
        expires: float | None,
        time_ms: float,
    ) -> None:
        context = self._context
        context.cache.store(
            key,
            payload,
            digest=digest,
            parts=parts,
            method=unique.label,
            expires=expires,
            seconds=time_ms / 1e3,
        )
        if key not in context.cache:  # a tier is lost or full, as its one warning has said
            context.values.keep(unique.number, payload)

    def remember_derivation(self, unique: Unique) -> None:
        """Note what a step's result is, given how its inputs come about.

        The note holds the inputs' digests and keys, for it is void when one of them turns out
        otherwise, and expires with the earliest.
        """
        context = self._context
        outcome = context.outcomes[unique.number]
        if not unique.derivable or unique.bypass or outcome.key is None or outcome.digest is None:
            return
        if any(context.keyed.digests.has_moved(b.argument) for b in unique.step.bound_arguments()):
            return  # it came about from another file than its name before the run says
        if any(context.outcomes[i].bypass for i in (*unique.reads, *unique.before)):
            return
        noted = {"key": outcome.key}
        noted |= {f"part {name}": digest for name, digest in outcome.parts.items()}
        for place, read in enumerate(unique.reads):
            digest = context.outcomes[read].digest
            if digest is None:
                return
            noted[f"input {place}"] = digest
            noted[f"input key {place}"] = context.outcomes[read].key or ""
        for place, before in enumerate(unique.before):
            noted[f"before {place}"] = context.outcomes[before].key or ""
        context.cache.store(
            derivation_entry(unique.uid),
            _NOTHING,
            digest=outcome.digest,
            parts=noted,
            method=unique.label,
            expires=outcome.expires,
        )

    def _with_parts(self, unique: Unique, key: str | None, parts: dict[str, str]) -> dict[str, str]:
        """The digests of the parts that this graph asks for, added to an entry that lacks some."""
        wanted = self._parts.get(unique.number, ())
        lacking = [items for items in wanted if part_name(items) not in parts]
        if not lacking or key is None:
            return parts
        cache = self._context.cache
        try:
            value = cache.load(key)
        except KeyError:
            return parts  # it is computed again when a consumer asks for it
        found = digests_of_parts(value, lacking, key, self._context.nonce_of(unique))
        cache.add_parts(key, found)
        return parts | found

    def _earliest(self, unique: Unique, expires: float | None) -> float | None:
        outcomes = self._context.outcomes
        inputs = [outcomes[i] for i in (*unique.reads, *unique.before) if i in outcomes]
        return earliest((expires, *(each.expires for each in inputs)))

    def _changed_meanwhile(self, unique: Unique) -> str:
        """Look at the step's files again: what it read may not be what its key says."""
        digests = self._context.keyed.digests
        for bound in unique.step.bound_arguments():
            if not bound.argument.files or bound.argument.steps:
                continue
            before = digests.constant(bound.argument)
            try:
                after: str | None = digests.look_again(bound.argument)
            except (RequestError, UncacheableArgument, OSError):
                after = None
            if after != before:
                return f"the file of argument {bound.name!r} changed while the step ran"
        return ""


_NOTHING = encode(None)
