"""The cache's face: values under text keys, in memory, in a folder, or both."""

from __future__ import annotations

import os
import time
import weakref
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

import msgspec

from batchwright.caching.codec import Payload, decode, encode, is_immutable
from batchwright.caching.entry import EntryInfo
from batchwright.caching.flights import Flights
from batchwright.caching.location import Location, located
from batchwright.caching.memory import MemoryTier
from batchwright.caching.statistics import CacheStats, CheckReport, Figures, Held
from batchwright.errors import CachingError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from batchwright.caching.disk import DiskTier
    from batchwright.caching.memoize import Memoized

__all__ = ["Cache", "CacheStats", "CheckReport", "EntryInfo"]

P = ParamSpec("P")
R = TypeVar("R")

# What stands in memory before a folder saves decoding nothing large: the folder has it all.
_FRONT_BYTES = 256 << 20


class Cache:
    """Values under text keys, kept for later calls, threads, processes and runs.

    `location` is None for memory alone, a folder, or a list of these, nearest first; a folder
    by itself has a part of memory before it. `ttl` is the seconds a value lasts from its
    computation, None for ever. `max_entries` and `max_bytes` limit each tier; what was used
    least lately goes first.

    A value handed out is the caller's own: it may be changed without changing what is kept.
    Raises CacheUnavailable when a folder cannot be used, and CachingError for other locations.
    """

    def __init__(
        self,
        location: Location | Sequence[Location] = None,
        *,
        ttl: float | None = None,
        max_entries: int | None = None,
        max_bytes: int | None = None,
        _clock: Callable[[], float] = time.time,
    ) -> None:
        _check_limits(ttl=ttl, max_entries=max_entries, max_bytes=max_bytes)
        self.ttl = ttl
        self._clock = _clock
        self._figures = Figures()
        self._flights = Flights()
        self._memory: MemoryTier | None = None
        self._disks: list[DiskTier] = []
        self._max_entries, self._max_bytes = max_entries, max_bytes
        # Keys in memory that a lost tier could not take: the folder does not know better of them.
        self._unshared: set[str] = set()
        self._open(located(location))
        _caches.add(self)

    # --- the plain road: values under keys ------------------------------------------------

    def get(self, key: str, default: Any = None) -> Any:
        """The value under `key`, as a copy of one's own; `default` when there is none."""
        found = self._serve(_text(key), fresh=True)
        if found is None:
            self._figures.miss("")
            return default
        return found[1]

    def put(self, key: str, value: Any, *, ttl: float | None = None, method: str = "") -> None:
        """Keeps `value` under `key`, for `ttl` seconds (by default the cache's own).

        Raises NotEncodable for what cannot be stored, such as an open file.
        """
        _check_limits(ttl=ttl)
        now = self._clock()
        info = EntryInfo(_text(key), method=method, created=now, expires=self._expiry(now, ttl))
        if not self._disks and self._memory is not None and is_immutable(value):
            self._figures.count("stored")
            self._memory.hold_value(info, value)
            return
        payload = encode(value)
        self._keep(_of_payload(info, payload), payload)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and bool(self.find([key]))

    def delete(self, key: str) -> bool:
        """Drops what is under `key`; whether there was something."""
        dropped = [tier.delete(_text(key)) for tier in self._tiers()]  # from each, not the first
        return any(dropped)

    def clear(self, method: str | None = None, older_than: float | None = None) -> int:
        """Drops all entries, or those of a method, or made more than `older_than` seconds ago.

        Returns how many entries were dropped.
        """
        before = None if older_than is None else self._clock() - older_than
        return max(tier.clear(method, before) for tier in self._tiers())

    # --- what a planned run uses ----------------------------------------------------------

    def find(self, keys: Iterable[str]) -> dict[str, EntryInfo]:
        """What is known of those keys that have an entry, without reading any value.

        Expired and altered entries are left out. No request is counted.
        """
        wanted = [_text(key) for key in keys]
        now = self._clock()
        found: dict[str, EntryInfo] = {}
        for tier in self._tiers():
            missing = [key for key in wanted if key not in found]
            if missing:
                found.update(tier.find(missing, now))
        return found

    def load(self, key: str, *, method: str = "") -> Any:
        """The value under `key`, as a copy of one's own; KeyError when there is none to trust.

        A miss is counted under `method`.

        Unlike `get`, this takes a key to mean one value for ever, as keys made from contents do.
        """
        found = self._serve(_text(key), fresh=False)
        if found is None:
            self._figures.miss(method)
            raise KeyError(key)
        return found[1]

    def store(
        self,
        key: str,
        payload: Payload,
        *,
        digest: str,
        parts: Mapping[str, str] | None = None,
        method: str = "",
        expires: float | None = None,
        ttl: float | None = None,
        seconds: float | None = None,
    ) -> None:
        """Keeps an encoded value, with its content digest and those of parts of it.

        It lasts until `expires`, in seconds since the epoch, else for `ttl` seconds, else for
        the cache's own; `seconds` is what computing the value took.
        """
        now = self._clock()
        if expires is None:
            expires = self._expiry(now, ttl)
        info = EntryInfo(
            _text(key), digest, dict(parts or {}), method, now, expires, seconds=seconds
        )
        self._keep(_of_payload(info, payload), payload)

    def add_parts(self, key: str, parts: Mapping[str, str]) -> None:
        """Adds digests of parts to an entry; KeyError when there is none."""
        info = self.find([key]).get(key)
        if info is None:
            raise KeyError(key)
        info = msgspec.structs.replace(info, parts={**info.parts, **parts})
        for tier in self._tiers():
            tier.replace_info(info)

    def entries(self, method: str | None = None) -> Iterator[EntryInfo]:
        """What is known of every entry, or of those of a method, expired ones included."""
        seen: set[str] = set()
        for tier in self._tiers():
            for info in tier.entries():
                if info.key not in seen and (method is None or info.method == method):
                    seen.add(info.key)
                    yield info

    # --- functions that remember ----------------------------------------------------------

    @overload
    def memoize(self, function: Callable[P, R], /) -> Memoized[P, R]: ...

    @overload
    def memoize(
        self,
        function: None = None,
        /,
        *,
        ignore: Collection[str] = (),
        version: object = None,
        ttl: float | None = None,
    ) -> Callable[[Callable[P, R]], Memoized[P, R]]: ...

    def memoize(
        self,
        function: Callable[P, R] | None = None,
        /,
        *,
        ignore: Collection[str] = (),
        version: object = None,
        ttl: float | None = None,
    ) -> Any:
        """A decorator: the function's values are kept, and given again to equal calls.

        Calls are equal when the function's code, all it reaches by name, its arguments by
        content, and `version` are. `ignore` names parameters that do not count. Raises
        NotMemoizable for async functions and for names that are not parameters.
        """
        from batchwright.caching.memoize import Memoized

        def decorate(function: Callable[P, R]) -> Memoized[P, R]:
            return Memoized(self, function, ignore=ignore, version=version, ttl=ttl)

        return decorate if function is None else decorate(function)

    # --- the whole ------------------------------------------------------------------------

    def stats(self) -> CacheStats:
        """Figures of this process since the cache was opened, and what is held now."""
        held = {tier.name: tier.held() for tier in self._tiers()}
        methods = list(held.values())[-1]
        return self._figures.stats(
            {name: _total(each) for name, each in held.items()}, methods, _total(methods)
        )

    def check(self) -> CheckReport:
        """Reads every stored entry, and drops what was altered and files of no entry."""
        damaged = self._figures.total("damaged")
        reports = [disk.check(self._clock()) for disk in self._disks]
        if not reports:
            held = _total(self._memory.held() if self._memory else {})
            return CheckReport(held.entries, held.bytes)
        return CheckReport(
            entries=sum(report.entries for report in reports),
            bytes=sum(report.bytes for report in reports),
            altered=sum(report.altered for report in reports),
            orphans=sum(report.orphans for report in reports),
            expired=sum(report.expired for report in reports),
            damaged=self._figures.total("damaged") - damaged,
        )

    def close(self) -> None:
        """Ends the use of the folder; what is in memory alone is gone."""
        for disk in self._disks:
            disk.close()
        _caches.discard(self)

    def __enter__(self) -> Cache:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- inside ---------------------------------------------------------------------------

    def _open(self, locations: Sequence[Path | None]) -> None:
        folders = [location for location in locations if location is not None]
        if folders:
            from batchwright.caching.disk import DiskTier
            from batchwright.caching.secret import load_secret

            secret = load_secret()
            self._disks = [
                DiskTier(
                    folder,
                    secret,
                    self._figures,
                    max_entries=self._max_entries,
                    max_bytes=self._max_bytes,
                    name="disk" if number == 1 else f"disk {number}",
                )
                for number, folder in enumerate(folders, 1)
            ]
        limit = self._max_bytes
        if folders:
            limit = min(_FRONT_BYTES, limit) if limit is not None else _FRONT_BYTES
        self._memory = MemoryTier(
            # A front that makes room loses nothing; only memory by itself counts it.
            Figures() if folders else self._figures,
            max_entries=self._max_entries,
            max_bytes=limit,
            restore=self._disks[0].restore if self._disks else None,
        )

    def _tiers(self) -> list[MemoryTier | DiskTier]:
        return [*([self._memory] if self._memory else []), *self._disks]

    def _expiry(self, now: float, ttl: float | None) -> float | None:
        lasts = ttl if ttl is not None else self.ttl
        return None if lasts is None else now + lasts

    def _keep(self, info: EntryInfo, payload: Payload) -> None:
        self._figures.count("stored")
        taken = [disk.store(info, payload) for disk in self._disks]
        if all(taken):
            self._unshared.discard(info.key)
        else:
            self._unshared.add(info.key)
        if self._memory is not None:
            self._memory.hold(info, payload)

    def _peek(self, key: str) -> Any:
        # A value of the cache's own, of which no request is counted.
        for tier in self._tiers():
            found = tier.load(key, self._clock())
            if found is not None:
                value = found[1]
                return decode(value) if isinstance(value, Payload) else value
        return None

    def _serve(self, key: str, *, fresh: bool = False) -> tuple[EntryInfo, Any] | None:
        now = self._clock()
        if self._memory is not None and not (fresh and self._overtaken(key)):
            held = self._memory.load(key, now)
            if held is not None:
                self._figures.hit(self._memory.name, held[0].method, held[0].seconds)
                return held
        for place, disk in enumerate(self._disks):
            stored = disk.load(key, now)
            if stored is None:
                continue
            info, payload = stored
            kept = Payload(payload.codec, bytes(payload.data))
            try:
                value = decode(payload, disk.restore)
            except Exception:  # a pickle of a class that is gone raises anything
                self._figures.count("rejected")
                disk.delete(key)
                continue
            self._figures.hit(disk.name, info.method, info.seconds)
            if self._memory is not None:
                self._memory.take_over(info, kept, value)
            for nearer in self._disks[:place]:
                nearer.store(info, kept)
            return info, value
        return None

    def _overtaken(self, key: str) -> bool:
        # Another process may have put another value under a key that is held in memory here.
        if not self._disks or self._memory is None or key in self._unshared:
            return False
        held = self._memory.find([key], self._clock()).get(key)
        if held is None:
            return False
        return self._disks[0].find([key], self._clock()).get(key) != held


def _check_limits(**limits: float | None) -> None:
    for name, limit in limits.items():
        if limit is not None and not limit >= 0:
            raise CachingError(f"{name} is {limit}; it must not be negative (None: no limit)")


def _text(key: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"cache keys are str, not {type(key).__name__}; digest(value) makes one")
    if not key.isascii():
        try:
            key.encode()
        except UnicodeEncodeError:
            raise CachingError(f"the key {key!r} holds half a character; keys are text") from None
    return key


def _of_payload(info: EntryInfo, payload: Payload) -> EntryInfo:
    return msgspec.structs.replace(info, size=len(payload.data), codec=payload.codec)


def _total(methods: Mapping[str, Held]) -> Held:
    return Held(
        sum(held.entries for held in methods.values()), sum(held.bytes for held in methods.values())
    )


_caches: weakref.WeakSet[Cache] = weakref.WeakSet()


def _after_fork() -> None:
    for cache in list(_caches):
        cache._figures.renew_lock()
        cache._flights = Flights()
        for tier in cache._tiers():
            tier.renew_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
