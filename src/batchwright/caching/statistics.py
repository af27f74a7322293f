"""The cache's figures: every request counted once, at the tier that served it."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping


class TierStats(msgspec.Struct, frozen=True):
    """One tier: requests it served, and what it holds (bytes as stored)."""

    name: str
    hits: int = 0
    entries: int = 0
    bytes: int = 0


class MethodStats(msgspec.Struct, frozen=True):
    """One method: its requests, what is held of it, and the seconds its hits spared."""

    hits: int = 0
    misses: int = 0
    entries: int = 0
    bytes: int = 0
    seconds_saved: float = 0.0


class CacheStats(msgspec.Struct, frozen=True):
    """Figures since the cache was opened; `entries` and `bytes` are what is held now.

    `rejected` are entries that were altered or could
    not be decoded, `bypassed` calls that could not be keyed or stored, `evicted` entries that
    made room, `lost` operations that a tier could not carry out, `damaged` index files that
    were set aside.
    """

    hits: int = 0
    misses: int = 0
    stored: int = 0
    rejected: int = 0
    bypassed: int = 0
    evicted: int = 0
    lost: int = 0
    damaged: int = 0
    entries: int = 0
    bytes: int = 0
    seconds_saved: float = 0.0
    tiers: tuple[TierStats, ...] = ()
    methods: dict[str, MethodStats] = {}

    @property
    def hit_rate(self) -> float:
        """Hits as a share of all requests; 0.0 when there were none."""
        requests = self.hits + self.misses
        return self.hits / requests if requests else 0.0


class CheckReport(msgspec.Struct, frozen=True):
    """What `Cache.check` found, and dropped: entries read, altered ones, files of no entry."""

    entries: int = 0
    bytes: int = 0
    altered: int = 0
    orphans: int = 0
    expired: int = 0
    damaged: int = 0

    @property
    def clean(self) -> bool:
        """Whether nothing was wrong."""
        return not (self.altered or self.orphans or self.damaged)


class Held(msgspec.Struct, frozen=True):
    """How much is held, in entries and in bytes."""

    entries: int = 0
    bytes: int = 0


class Figures:
    """Counts what happens; shared by the tiers of one cache and all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._tier_hits: Counter[str] = Counter()
        self._method_hits: Counter[str] = Counter()
        self._method_misses: Counter[str] = Counter()
        self._saved: Counter[str] = Counter()  # in microseconds, for a Counter holds ints

    def renew_lock(self) -> None:
        """For a forked process, in which a thread that is gone may have held the lock."""
        self._lock = threading.Lock()

    def count(self, what: str, times: int = 1) -> None:
        """Adds to a figure of `CacheStats` by its name."""
        with self._lock:
            self._counts[what] += times

    def total(self, what: str) -> int:
        """One figure by its name."""
        with self._lock:
            return self._counts[what]

    def hit(self, tier: str, method: str, seconds: float | None) -> None:
        """A request was served by `tier`, which spared `seconds` of work."""
        with self._lock:
            self._tier_hits[tier] += 1
            self._method_hits[method] += 1
            if seconds:
                self._saved[method] += round(seconds * 1e6)

    def miss(self, method: str) -> None:
        """A request was served by no tier."""
        with self._lock:
            self._counts["misses"] += 1
            self._method_misses[method] += 1

    def stats(
        self, tiers: Mapping[str, Held], methods: Mapping[str, Held], total: Held
    ) -> CacheStats:
        """The figures beside what is held, by tier, by method and in all."""
        with self._lock:
            names = {*methods, *self._method_hits, *self._method_misses}
            return CacheStats(
                hits=self._tier_hits.total(),
                entries=total.entries,
                bytes=total.bytes,
                seconds_saved=self._saved.total() / 1e6,
                tiers=tuple(
                    TierStats(name, self._tier_hits[name], held.entries, held.bytes)
                    for name, held in tiers.items()
                ),
                methods={name: self._method(name, methods) for name in sorted(names)},
                **self._counts,
            )

    def _method(self, name: str, methods: Mapping[str, Held]) -> MethodStats:
        held = methods.get(name, Held())
        return MethodStats(
            self._method_hits[name],
            self._method_misses[name],
            held.entries,
            held.bytes,
            self._saved[name] / 1e6,
        )
