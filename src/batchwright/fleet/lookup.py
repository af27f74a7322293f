"""What is known before the run: each unique step is known, will run, or may run, and why.

Reads digests and keys only; no value is loaded and no step is run to find out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from batchwright.caching.digest import digest
from batchwright.errors import UncacheableArgument
from batchwright.fleet.keys import NoDigest, Told, Unique, key_of, opaque_digest, recipe_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from batchwright.caching.entry import EntryInfo
    from batchwright.fleet.keys import Keyed
    from batchwright.records.model import Recipe, StepFailure

Status = Literal["known", "failed before", "will run", "may run", "not needed"]


class Standing(msgspec.Struct, frozen=True):
    """Where a unique step stands before the run.

    `digest` tells its result when known; `parts` the digests of its projections. `recipe` and
    `key` are at hand when all inputs are known. `expires` is the earliest expiry of its result
    and of all that came from. `by_derivation` marks a step known although an input is not;
    `provided` one that is known provided that what failed before fails again as it did, which
    has to be seen first. `seconds` is what computing it took, where that is known.
    """

    status: Status
    key: str | None = None
    digest: str | None = None
    parts: dict[str, str] = {}
    recipe: Recipe | None = None
    expires: float | None = None
    failure: StepFailure | None = None
    by_derivation: bool = False
    provided: bool = False
    seconds: float | None = None

    @classmethod
    def known(cls, info: EntryInfo, recipe: Recipe | None) -> Standing:
        """The standing of a step whose result has an entry under its content key."""
        return cls(
            "known", info.key, info.digest, info.parts, recipe, info.expires, seconds=info.seconds
        )


def derivation_entry(uid: str) -> str:
    """The cache key of a derivation record."""
    return f"derivation:{uid}"


def part_name(items: tuple[Any, ...]) -> str:
    """Under what name a projection's digest stands in an entry's parts."""
    return digest(items)


def tell(
    unique: Unique,
    items: tuple[Any, ...],
    *,
    digest_: str | None,
    parts: Mapping[str, str],
    failure: StepFailure | None,
) -> Told:
    """How a step's result, or part of it, is told to the keys of its consumers."""
    if failure is not None:
        return failure
    if digest_ is None or not items:
        return digest_
    return parts.get(part_name(items))


class Lookup:
    """The standings of a fleet's unique steps.

    `find` gives the cache's entries for keys; `failures` the steps that failed when they last
    ran, by content key; `part` finds the digest of a projection that an entry lacks; `now` is
    the time in seconds, for results that are older than their step's `ttl` allows by now.
    """

    def __init__(
        self,
        keyed: Keyed,
        find: Callable[[Iterable[str]], Mapping[str, EntryInfo]],
        failures: Mapping[str, StepFailure],
        part: Callable[[str, tuple[Any, ...]], str | None],
        now: float = 0.0,
    ) -> None:
        self._keyed = keyed
        self._find = find
        self._failures = failures
        self._part = part
        self._now = now
        self.standings: list[Standing] = []

    def run(self) -> list[Standing]:
        """Look every unique step up, a level of the graph at a time."""
        uniques = self._keyed.uniques
        found: dict[int, Standing] = {}
        for level in _levels(uniques):
            keys = {number: self._content_key(uniques[number], found) for number in level}
            entries = self._find([key for key, _ in keys.values() if key is not None])
            unsure = []
            for number, (key, recipe) in keys.items():
                if key is None:
                    unsure.append(number)
                    found[number] = Standing("may run")
                elif key in entries and self._lasts(own := expiry(uniques[number], entries[key])):
                    inputs = (*uniques[number].reads, *uniques[number].before)
                    expires = earliest((own, *(found[i].expires for i in inputs)))
                    known = Standing.known(entries[key], recipe)
                    found[number] = msgspec.structs.replace(known, expires=expires)
                elif key in self._failures:
                    failure = self._failures[key]
                    found[number] = Standing("failed before", key, recipe=recipe, failure=failure)
                else:
                    found[number] = Standing("will run", key, recipe=recipe)
            self._by_derivation([uniques[number] for number in unsure], found)
        self.standings = self._settled(found)
        return self.standings

    def _content_key(
        self, unique: Unique, found: dict[int, Standing]
    ) -> tuple[str | None, Recipe | None]:
        if unique.bypass:
            return None, None
        state = []
        for number in unique.before:
            key = found[number].key
            if key is None or found[number].status == "failed before":
                return None, None
            state.append(key)
        uniques, of = self._keyed.uniques, self._keyed.of

        def result(step: int, items: tuple[Any, ...]) -> Told:
            number = of[step]
            standing = found[number]
            told = tell(
                uniques[number],
                items,
                digest_=standing.digest,
                parts=standing.parts,
                failure=standing.failure,
            )
            if told is None and standing.key is not None and standing.digest is not None:
                return self._part(standing.key, items)
            return told

        try:
            recipe = recipe_of(unique.step, unique.facts, self._keyed.digests, result, tuple(state))
        except (NoDigest, UncacheableArgument):
            return None, None
        return key_of("content", recipe), recipe

    def _by_derivation(self, uniques: list[Unique], found: dict[int, Standing]) -> None:
        """Steps whose inputs are not all known may still be known by how they are derived."""
        names = {derivation_entry(u.uid): u for u in uniques if u.derivable and not u.bypass}
        records = self._find(names)
        results = self._find([info.parts["key"] for info in records.values()])
        for name, info in records.items():
            unique, result = names[name], results.get(info.parts["key"])
            if result is None or result.digest != info.digest:
                continue  # the result itself is gone, or came out otherwise since
            if self._comes_about_alike(unique, info.parts, found):
                parts = {
                    part.removeprefix("part "): value
                    for part, value in info.parts.items()
                    if part.startswith("part ")
                }
                found[unique.number] = Standing(
                    "known",
                    result.key,
                    info.digest,
                    parts,
                    expires=info.expires,
                    by_derivation=True,
                    seconds=result.seconds,
                )

    def _comes_about_alike(
        self, unique: Unique, noted: Mapping[str, str], found: Mapping[int, Standing]
    ) -> bool:
        """Whether a derivation record may still hold, given what is known of the step's inputs.

        It is void when an input has another value now than it had then; and where the value of
        an input is not known, when that is not sure to come about as it did.
        """
        for place, number in enumerate(unique.reads):
            standing = found[number]
            if standing.digest is not None:
                if standing.digest != noted.get(f"input {place}"):
                    return False
            elif not self._repeats(number, standing, noted.get(f"input key {place}")):
                return False
        for place, number in enumerate(unique.before):
            if not self._repeats(number, found[number], noted.get(f"before {place}")):
                return False
        if unique.step.options.ttl is None:
            return True
        info = self._find([noted["key"]]).get(noted["key"])
        return info is not None and self._lasts(expiry(unique, info))

    def _repeats(self, number: int, standing: Standing, key: str | None) -> bool:
        """Whether an input is sure to be the call that it was, and not given up for its age."""
        aged = standing.digest is None and self._keyed.uniques[number].step.options.ttl is not None
        return standing.key is not None and standing.key == key and not aged

    def _lasts(self, expires: float | None) -> bool:
        return expires is None or expires > self._now

    def _settled(self, found: dict[int, Standing]) -> list[Standing]:
        """Final words: what nobody needs is not run, what waits for a run may change."""
        needed, waiting = self._needed(found)
        surely = self._waiting(found, needed, ("will run", "may run")) & needed
        standings: list[Standing] = []
        for unique in self._keyed.uniques:
            standing = found[unique.number]
            if unique.number in surely:
                standing = msgspec.structs.replace(standing, status="may run")
            elif unique.number in waiting:
                standing = msgspec.structs.replace(standing, provided=True)
            elif unique.number not in needed:
                if standing.status != "known":
                    standing = Standing("not needed")
            elif standing.status == "may run" and unique.bypass:
                standing = Standing("will run")
            standings.append(standing)
        return standings

    def _needed(self, found: dict[int, Standing]) -> tuple[set[int], set[int]]:
        """The steps whose results somebody asks for; and those of them that wait for a run.

        Asked for are outputs, and inputs of what is not known. What is known waits for a run
        when anything that it came from runs, however far back.
        """
        waiting: set[int] = set()
        while True:
            needed = self._asked_for(found, waiting)
            now_waiting = self._waiting(found, needed, ("will run", "may run", "failed before"))
            if now_waiting == waiting:
                return needed, waiting & needed
            waiting = now_waiting  # its inputs are asked for as well, which may make more wait

    def _asked_for(self, found: dict[int, Standing], waiting: set[int]) -> set[int]:
        wanted = list(demanded(self._keyed))
        needed: set[int] = set()
        while wanted:
            number = wanted.pop()
            if number in needed:
                continue
            needed.add(number)
            if found[number].status != "known" or number in waiting:
                unique = self._keyed.uniques[number]
                wanted.extend(unique.reads)
                wanted.extend(unique.before)
        return needed

    def _waiting(
        self, found: dict[int, Standing], needed: set[int], running: tuple[Status, ...]
    ) -> set[int]:
        """What is known, but came from a step that is needed and stands as one of `running`."""
        waiting: set[int] = set()
        for unique in self._keyed.uniques:
            if found[unique.number].status == "known" and any(
                i in waiting or (i in needed and found[i].status in running)
                for i in (*unique.reads, *unique.before)
            ):
                waiting.add(unique.number)
        return waiting


def expiry(unique: Unique, info: EntryInfo) -> float | None:
    """When a result expires: as was said when it was made, and as its step's `ttl` says now."""
    ttl = unique.step.options.ttl
    return earliest((info.expires, None if ttl is None else info.created + ttl))


def earliest(times: Iterable[float | None]) -> float | None:
    """The earliest of some times; None when there are none."""
    return min((time for time in times if time is not None), default=None)


def demanded(keyed: Keyed) -> dict[int, None]:
    """The unique steps that a contract's result shows."""
    found: dict[int, None] = {}
    for contract in keyed.graph.contracts:
        shown = (
            (step for phase in contract.phases for step in phase.steps)
            if contract.phases
            else (step for _, argument in contract.outputs for step in argument.steps)
        )
        found.update((keyed.of[step], None) for step in shown)
    return found


def result_digest(value: Any, key: str | None, nonce: str = "") -> str | None:
    """The digest that tells a step's result; an opaque one is told by the step's key.

    None when the result is opaque and the step has no key.
    """
    try:
        return digest(value)
    except UncacheableArgument:
        return None if key is None else opaque_digest(key, (), nonce)


def _levels(uniques: tuple[Unique, ...]) -> list[list[int]]:
    """Numbers of unique steps, grouped so that each reads only from earlier groups."""
    depth: list[int] = []
    levels: list[list[int]] = []
    for unique in uniques:
        own = 1 + max((depth[i] for i in (*unique.reads, *unique.before)), default=-1)
        depth.append(own)
        if own == len(levels):
            levels.append([])
        levels[own].append(unique.number)
    return levels
