"""The disk tier: small values in an SQLite index, large ones in files beside it.

Nothing of it is decoded before it is known to be what was stored: the info by its MAC, the value
by its hash in the info. What was altered is a miss and a figure. A folder that is lost while
running (removed, full, made read-only) is one warning and a figure; computing goes on.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import stat
import warnings
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from batchwright.caching.codec import Payload
from batchwright.caching.database import Database, is_damage, transaction
from batchwright.caching.sealing import FORMAT, Record, seal, unseal, value_hash
from batchwright.caching.statistics import CheckReport, Held
from batchwright.caching.usage import Limits, Uses
from batchwright.caching.value_files import ValueFiles
from batchwright.errors import CacheUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from batchwright.caching.database import Connection
    from batchwright.caching.entry import EntryInfo
    from batchwright.caching.statistics import Figures

T = TypeVar("T")

INLINE_BYTES = 32 << 10
_BATCH = 500


class DiskTier:
    """Entries in a folder, shared by threads and processes."""

    def __init__(
        self,
        folder: Path,
        secret: bytes,
        figures: Figures,
        *,
        max_entries: int | None = None,
        max_bytes: int | None = None,
        name: str = "disk",
    ) -> None:
        """Opens or makes the folder; CacheUnavailable when it cannot be used."""
        self.name = name
        self.folder = folder
        self.restore = folder / "restored"
        self._secret = secret
        self._figures = figures
        self._limits = Limits(max_entries, max_bytes)
        self._files = ValueFiles(folder / "values")
        self._uses = Uses()
        self._warned = False
        self._database = Database(folder, figures)
        self._open()

    def renew_lock(self) -> None:
        """For a forked process: connections and locks are the parent's."""
        self._uses = Uses()
        self._database.after_fork()

    def find(self, keys: Iterable[str], now: float) -> dict[str, EntryInfo]:
        """What is known of those keys that are stored, unaltered and not expired."""
        wanted = list(dict.fromkeys(keys))

        def work(connection: Connection) -> dict[str, EntryInfo]:
            found: dict[str, EntryInfo] = {}
            for start in range(0, len(wanted), _BATCH):
                batch = [_stored_key(key) for key in wanted[start : start + _BATCH]]
                marks = ",".join("?" * len(batch))
                for key, blob, mac in connection.execute(
                    f"SELECT key, info, mac FROM entries WHERE key IN ({marks})",  # noqa: S608
                    batch,
                ):
                    record = self._verified(key, blob, mac)
                    if record is not None and not record.info.expired(now):
                        found[record.info.key] = record.info
            return found

        return self._do(work, {})

    def load(self, key: str, now: float) -> tuple[EntryInfo, Payload] | None:
        """An entry and its value's bytes; None when it is not stored, altered or expired."""
        stored = _stored_key(key)

        def work(connection: Connection) -> tuple[EntryInfo, Payload] | None:
            # Twice, for between reading the row and its file another process may replace both.
            for _ in range(2):
                row = connection.execute(
                    "SELECT info, mac, value FROM entries WHERE key = ?", (stored,)
                ).fetchone()
                if row is None:
                    return None
                blob, mac, inline = row
                record = self._record(stored, blob, mac)
                if record is None:
                    break
                if record.info.expired(now):
                    return None
                data = self._value(record, inline)
                if data is not None and value_hash(data) == record.hash:
                    self._note_use(stored)
                    return record.info, Payload(record.info.codec, data)
            self._reject(connection, stored, mac)
            return None

        return self._do(work, None)

    def store(self, info: EntryInfo, payload: Payload) -> bool:
        """Keeps an entry, in place of any that stands under its key; False when that failed."""
        if self._limits.max_bytes is not None and info.size > self._limits.max_bytes:
            self.delete(info.key)
            return True
        data = payload.data
        file = secrets.token_hex(16) if len(data) > INLINE_BYTES else ""
        record = Record(FORMAT, info, value_hash(data), file)
        blob, mac = seal(self._secret, record)
        key = _stored_key(info.key)
        row = (key, blob, mac, None if file else data, file, info.method, info.size, info.created)

        def work(connection: Connection) -> bool:
            temporary = self._files.write_temporary(file, data) if file else None
            gone: list[object] = []
            try:
                with transaction(connection):
                    self._replace(connection, key, row, gone)
                    evicted = self._limits.evict(connection)
                    if temporary is not None:
                        # Inside the transaction, so that a file no row names is an orphan for sure.
                        temporary.rename(self._files.path(file))
            finally:
                if temporary is not None:
                    temporary.unlink(missing_ok=True)
            if evicted:
                self._figures.count("evicted", len(evicted))
            self._remove_files([*gone, *evicted])
            return True

        self._reconnect_if_vanished()
        return self._do(work, False)

    def replace_info(self, info: EntryInfo) -> None:
        """Puts new info beside a value that is stored; nothing when it is not stored."""
        key = _stored_key(info.key)

        def work(connection: Connection) -> None:
            with transaction(connection):
                row = connection.execute(
                    "SELECT info, mac FROM entries WHERE key = ?", (key,)
                ).fetchone()
                record = row and self._verified(key, *row)
                if record and record.info.created == info.created:
                    blob, mac = seal(self._secret, msgspec.structs.replace(record, info=info))
                    connection.execute(
                        "UPDATE entries SET info = ?, mac = ? WHERE key = ?", (blob, mac, key)
                    )

        self._do(work, None)

    def delete(self, key: str) -> bool:
        """Drops an entry; whether it was stored."""
        return self._drop_where("key = ?", (_stored_key(key),)) > 0

    def clear(self, method: str | None, before: float | None) -> int:
        """Drops entries, all or those of a method or made before a time; how many."""
        terms: list[str] = ["1"]
        values: list[object] = []
        if method is not None:
            terms.append("method = ?")
            values.append(method)
        if before is not None:
            terms.append("created < ?")
            values.append(before)
        if len(terms) == 1:
            shutil.rmtree(self.restore, ignore_errors=True)
        return self._drop_where(" AND ".join(terms), tuple(values))

    def entries(self) -> Iterator[EntryInfo]:
        """What is known of all that is stored and unaltered, expired or not."""

        def work(connection: Connection) -> list[EntryInfo]:
            rows = connection.execute("SELECT key, info, mac FROM entries").fetchall()
            records = (self._verified(*row) for row in rows)
            return [record.info for record in records if record is not None]

        nothing: list[EntryInfo] = []
        return iter(self._do(work, nothing))

    def held(self) -> dict[str, Held]:
        """How much is stored of each method."""

        def work(connection: Connection) -> dict[str, Held]:
            rows = connection.execute(
                "SELECT method, count(*), total(iif(typeof(size) = 'integer', size, 0)) "
                "FROM entries GROUP BY method"
            )
            return {_text(method): Held(count, int(size)) for method, count, size in rows}

        return self._do(work, {})

    def check(self, now: float) -> CheckReport:
        """Reads all, drops what was altered and files of no entry, and says what it found."""

        def work(connection: Connection) -> CheckReport:
            entries = held = altered = expired = 0
            gone: list[object] = []
            with transaction(connection):
                kept: set[str] = set()
                for row_id, key, blob, mac, inline, file in connection.execute(
                    "SELECT id, key, info, mac, value, file FROM entries"
                ).fetchall():
                    entries += 1
                    record = self._verified(key, blob, mac)
                    data = None if record is None else self._value(record, inline)
                    if record is None or data is None or value_hash(data) != record.hash:
                        altered += 1
                        connection.execute("DELETE FROM entries WHERE id = ?", (row_id,))
                        gone.append(file)
                        continue
                    held += record.info.size
                    expired += record.info.expired(now)
                    kept.add(record.file)
                    connection.execute(
                        "UPDATE entries SET file = ?, method = ?, size = ?, created = ? "
                        "WHERE id = ?",
                        (record.file, record.info.method, record.info.size, record.info.created,
                         row_id),
                    )  # fmt: skip
                connection.execute(
                    "UPDATE totals SET entries = (SELECT count(*) FROM entries), "
                    "bytes = (SELECT coalesce(sum(size), 0) FROM entries)"
                )
                self._remove_files(gone)
                orphans = self._files.remove_others(kept)
            return CheckReport(entries, held, altered, orphans, expired)

        return self._do(work, CheckReport())

    def close(self) -> None:
        """Notes what was used last, and closes the connections of all threads."""
        self._flush_uses()
        self._database.close()

    # --- the folder -----------------------------------------------------------------------

    def _open(self) -> None:
        try:
            if self.folder.exists() and not self.folder.is_dir():
                raise CacheUnavailable(
                    f"the cache's location {self.folder} is a file; name a folder, or move it away"
                )
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            status = self.folder.stat()
            if os.name == "posix" and status.st_uid == os.geteuid() and status.st_mode & 0o077:
                self.folder.chmod(stat.S_IMODE(status.st_mode) & ~0o077)  # private to its user
            self._files.folder.mkdir(exist_ok=True, mode=0o700)
            self._sweep_if_new(self._database.connection())
        except OSError as error:
            raise CacheUnavailable(
                f"the cache's folder {self.folder} cannot be used: {error.strerror or error}. "
                "Make it writable, or name another folder"
            ) from error
        except sqlite3.Error as error:
            raise CacheUnavailable(
                f"the index in the cache's folder {self.folder} cannot be used: {error}. "
                "Make the folder writable, or name another one"
            ) from error

    def _reconnect_if_vanished(self) -> None:
        if self._database.vanished():
            self._lose("it is no longer there; starting it anew")
            self._database.forget()

    def _do(self, work: Callable[[Connection], T], otherwise: T) -> T:
        for _ in range(3):
            try:
                connection = self._database.connection()
                self._sweep_if_new(connection)
                return work(connection)
            except (sqlite3.Error, UnicodeDecodeError) as error:
                if not is_damage(error):
                    self._lose(str(error))
                    return otherwise
                try:
                    self._database.set_aside(f"is damaged ({error})")
                except OSError as unreachable:
                    self._lose(str(unreachable))
                    return otherwise
            except OSError as error:
                self._lose(str(error))
                return otherwise
        self._lose("its index is damaged again each time it is made")
        return otherwise

    def _lose(self, why: str) -> None:
        self._figures.count("lost")
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"the cache's folder {self.folder} cannot be used now: {why}. Work goes on "
                "without it; this is said once, and counted as `lost`",
                RuntimeWarning,
                stacklevel=3,
            )

    # --- rows -----------------------------------------------------------------------------

    def _verified(self, key: object, blob: object, mac: object) -> Record | None:
        record = self._record(key, blob, mac)
        if record is None:
            self._figures.count("rejected")
        return record

    def _record(self, key: object, blob: object, mac: object) -> Record | None:
        record = unseal(self._secret, blob, mac)
        return record if record is not None and _stored_key(record.info.key) == key else None

    def _reject(self, connection: Connection, key: bytes, mac: object) -> None:
        # Dropped, so that it is counted once; by its MAC too, for it may have been replaced.
        self._figures.count("rejected")
        with transaction(connection):
            rows = connection.execute(
                "DELETE FROM entries WHERE key = ? AND mac IS ? RETURNING file", (key, mac)
            ).fetchall()
        self._remove_files(file for (file,) in rows)

    def _replace(
        self, connection: Connection, key: bytes, row: tuple[Any, ...], gone: list[object]
    ) -> None:
        place = self._uses.write(connection)
        gone += [
            file for (file,) in connection.execute("SELECT file FROM entries WHERE key = ?", (key,))
        ]
        connection.execute(
            "INSERT INTO entries (key, info, mac, value, file, method, size, created, used) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
            "info = excluded.info, mac = excluded.mac, value = excluded.value, "
            "file = excluded.file, method = excluded.method, size = excluded.size, "
            "created = excluded.created, used = excluded.used",
            (*row, place),
        )

    def _drop_where(self, condition: str, values: tuple[object, ...]) -> int:
        def work(connection: Connection) -> int:
            with transaction(connection):
                rows = connection.execute(
                    f"DELETE FROM entries WHERE {condition} RETURNING file",  # noqa: S608
                    values,
                ).fetchall()
            self._remove_files(file for (file,) in rows)
            return len(rows)

        return self._do(work, 0)

    # --- beside the rows --------------------------------------------------------------------

    def _value(self, record: Record, inline: object) -> bytes | bytearray | None:
        if record.file:
            return self._files.read(record.file, record.info.size)
        return inline if type(inline) is bytes else None

    def _note_use(self, key: bytes) -> None:
        if self._uses.note(key):
            self._flush_uses()

    def _flush_uses(self) -> None:
        def work(connection: Connection) -> None:
            with transaction(connection):
                self._uses.write(connection)

        if self._uses.pending:
            self._do(work, None)

    def _remove_files(self, names: Iterable[object]) -> None:
        self._files.remove(map(_text, names))

    def _sweep_if_new(self, connection: Connection) -> None:
        # What an index that was set aside named would lie about for ever, outside every limit.
        if self._database.took_a_new_index():
            with transaction(connection):
                names = connection.execute("SELECT file FROM entries").fetchall()
                self._files.remove_others({_text(name) for (name,) in names})


def _stored_key(key: str) -> bytes:
    # As bytes: SQLite's text cannot hold every str.
    return key.encode("utf-8", "surrogatepass")


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
