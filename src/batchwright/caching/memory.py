"""The memory tier: the most lately used entries of this process, in exact order of use."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import msgspec

from batchwright.caching.codec import Payload, decode, is_immutable
from batchwright.caching.statistics import Held

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from batchwright.caching.entry import EntryInfo
    from batchwright.caching.statistics import Figures


class _Cell(msgspec.Struct, frozen=True):
    """An entry in memory: its value where that cannot change, else the bytes to decode."""

    info: EntryInfo
    size: int
    payload: Payload | None = None
    value: Any = None

    def copy(self, restore: Path | None) -> Any:
        return self.value if self.payload is None else decode(self.payload, restore)


class MemoryTier:
    """Entries in order of use; the least lately used one goes first when a limit is passed.

    Unchangeable values are handed out as they are; of others each request gets a copy of its own.
    """

    name = "memory"

    def __init__(
        self,
        figures: Figures,
        *,
        max_entries: int | None = None,
        max_bytes: int | None = None,
        restore: Path | None = None,
    ) -> None:
        self._figures = figures
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._restore = restore
        self._lock = threading.Lock()
        self._cells: OrderedDict[str, _Cell] = OrderedDict()
        self._bytes = 0

    def renew_lock(self) -> None:
        """For a forked process, in which a thread that is gone may have held the lock."""
        self._lock = threading.Lock()

    def find(self, keys: Iterable[str], now: float) -> dict[str, EntryInfo]:
        """What is known of those keys that are held and not expired."""
        with self._lock:
            cells = {key: cell for key in keys if (cell := self._cells.get(key)) is not None}
        return {key: cell.info for key, cell in cells.items() if not cell.info.expired(now)}

    def load(self, key: str, now: float) -> tuple[EntryInfo, Any] | None:
        """An entry and its value; None when it is not held or has expired."""
        with self._lock:
            cell = self._cells.get(key)
            if cell is None:
                return None
            if cell.info.expired(now):
                self._drop(key)
                return None
            self._cells.move_to_end(key)
        try:
            return cell.info, cell.copy(self._restore)
        except Exception:  # a class may refuse to be unpickled, with any error
            self.delete(key)
            self._figures.count("rejected")
            return None

    def hold(self, info: EntryInfo, payload: Payload) -> None:
        """Keeps an entry by its bytes."""
        # A bytearray is given away with the payload; what stays here must not be.
        kept = Payload(payload.codec, bytes(payload.data))
        self._put(_Cell(info, len(kept.data), payload=kept))

    def hold_value(self, info: EntryInfo, value: Any) -> None:
        """Keeps an entry by its value, which must be unchangeable."""
        self._put(_Cell(info, info.size or footprint(value), value=value))

    def take_over(self, info: EntryInfo, payload: Payload, value: Any) -> None:
        """Keeps an entry read from another tier, by its value where that cannot change."""
        if is_immutable(value):
            self.hold_value(info, value)
        else:
            self.hold(info, payload)

    def replace_info(self, info: EntryInfo) -> None:
        """Puts new info beside a value that is held, unless that was replaced meanwhile."""
        with self._lock:
            cell = self._cells.get(info.key)
            if cell is not None and cell.info.created == info.created:
                self._cells[info.key] = msgspec.structs.replace(cell, info=info)

    def delete(self, key: str) -> bool:
        """Drops an entry; whether it was held."""
        with self._lock:
            return self._drop(key)

    def clear(self, method: str | None, before: float | None) -> int:
        """Drops entries, all or those of a method or made before a time; how many."""
        with self._lock:
            chosen = [
                key
                for key, cell in self._cells.items()
                if (method is None or cell.info.method == method)
                and (before is None or cell.info.created < before)
            ]
            for key in chosen:
                self._drop(key)
        return len(chosen)

    def entries(self) -> Iterator[EntryInfo]:
        """What is known of all that is held, expired or not."""
        with self._lock:
            cells = list(self._cells.values())
        return iter([cell.info for cell in cells])

    def held(self) -> dict[str, Held]:
        """How much is held of each method."""
        found: dict[str, Held] = {}
        with self._lock:
            for cell in self._cells.values():
                before = found.get(cell.info.method, Held())
                found[cell.info.method] = Held(before.entries + 1, before.bytes + cell.size)
        return found

    def _put(self, cell: _Cell) -> None:
        evicted = 0
        with self._lock:
            self._drop(cell.info.key)
            if self._max_bytes is not None and cell.size > self._max_bytes:
                return
            self._cells[cell.info.key] = cell
            self._bytes += cell.size
            while self._over():
                self._drop(next(iter(self._cells)))
                evicted += 1
        if evicted:
            self._figures.count("evicted", evicted)

    def _over(self) -> bool:
        return (self._max_entries is not None and len(self._cells) > self._max_entries) or (
            self._max_bytes is not None and self._bytes > self._max_bytes
        )

    def _drop(self, key: str) -> bool:
        cell = self._cells.pop(key, None)
        if cell is None:
            return False
        self._bytes -= cell.size
        return True


def footprint(value: Any) -> int:
    """The bytes an unchangeable value takes in memory, shared parts counted each time."""
    size = sys.getsizeof(value)
    if type(value) in (tuple, frozenset):
        size += sum(map(footprint, value))
    return size
