"""The order in which entries were last used, and what goes first when a limit is passed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from batchwright.caching.database import AlteredIndex

if TYPE_CHECKING:
    from batchwright.caching.database import Connection

# Uses noted before they are written all at once.
_MOST_NOTED = 500


class Uses:
    """Uses noted in this process, and the order of all in the index, which counts them on.

    Reads are written down with the next store, or when many have come together: a write for
    every read would make readers wait for each other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._noted: dict[bytes, None] = {}

    def note(self, key: bytes) -> bool:
        """An entry was used; whether so many have come together that they should be written."""
        with self._lock:
            self._noted.pop(key, None)
            self._noted[key] = None
            return len(self._noted) >= _MOST_NOTED

    @property
    def pending(self) -> bool:
        """Whether there is anything to write."""
        return bool(self._noted)

    def write(self, connection: Connection) -> int:
        """Writes down what was noted, inside the caller's transaction; the next place in order."""
        with self._lock:
            noted, self._noted = self._noted, {}
        (last,) = connection.execute("SELECT coalesce(max(used), 0) FROM entries").fetchone()
        if type(last) is not int or not 0 <= last < 2**62:
            connection.execute("UPDATE entries SET used = 0")
            last = 0
        if noted:
            connection.executemany(
                "UPDATE entries SET used = ? WHERE key = ?",
                [(last + place, key) for place, key in enumerate(noted, 1)],
            )
        return last + len(noted) + 1


class Limits:
    """How much an index may hold: entries, and bytes of values."""

    def __init__(self, max_entries: int | None, max_bytes: int | None) -> None:
        self.max_entries = max_entries
        self.max_bytes = max_bytes

    def evict(self, connection: Connection) -> list[object]:
        """Drops what was used least lately until the limits hold; the files of what went.

        Inside the caller's transaction. Raises AlteredIndex when the index's sums are no numbers.
        """
        if self.max_entries is None and self.max_bytes is None:
            return []
        gone: list[object] = []
        totals = connection.execute("SELECT entries, bytes FROM totals").fetchone() or ()
        entries, held = _numbers(*totals, count=2)
        while self._passed(entries, held):
            rows = connection.execute(
                "SELECT id, file, size FROM entries ORDER BY used, id LIMIT 50"
            ).fetchall()
            if not rows:
                break
            for row_id, file, size in rows:
                if not self._passed(entries, held):
                    break
                connection.execute("DELETE FROM entries WHERE id = ?", (row_id,))
                gone.append(file)
                entries, held = entries - 1, held - _numbers(size, count=1)[0]
        return gone

    def _passed(self, entries: int, held: int) -> bool:
        return (self.max_entries is not None and entries > self.max_entries) or (
            self.max_bytes is not None and held > self.max_bytes
        )


def _numbers(*values: object, count: int) -> tuple[int, ...]:
    if len(values) != count or not all(type(value) is int for value in values):
        raise AlteredIndex("a size or count is no whole number")
    return tuple(value for value in values if isinstance(value, int))
