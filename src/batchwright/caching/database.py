"""The index file: its connections, its shape, and what happens when it is damaged.

An index is `index-N.sqlite`. A damaged one is renamed, and the next takes a new number: other
processes may still have the old file open, and SQLite removes the journal of a database by name
when its last user goes, so a name must never be used twice.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import sys
import threading
import warnings
import weakref
from typing import TYPE_CHECKING

from batchwright.caching.sealing import FORMAT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from batchwright.caching.statistics import Figures

_APPLICATION = 0x62_77_72_74  # "bwrt", by which `file` and we know our databases

# Only `info` and `value` are believed, and only under `mac`; the other columns serve to choose
# what to evict or clear, and at worst the wrong entry is dropped. `used` counts uses, not time.
_SCHEMA = (
    (
        "CREATE TABLE entries (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, "
        "info BLOB NOT NULL, mac BLOB NOT NULL, value BLOB, file TEXT NOT NULL, "
        "method TEXT NOT NULL, size INTEGER NOT NULL, created REAL NOT NULL, used INTEGER NOT NULL)"
    ),
    "CREATE INDEX by_use ON entries (used)",
    "CREATE INDEX by_method ON entries (method, size)",
    "CREATE TABLE totals (entries INTEGER NOT NULL, bytes INTEGER NOT NULL)",
    (
        "CREATE TRIGGER entry_added AFTER INSERT ON entries BEGIN "
        "UPDATE totals SET entries = entries + 1, bytes = bytes + new.size; END"
    ),
    (
        "CREATE TRIGGER entry_dropped AFTER DELETE ON entries BEGIN "
        "UPDATE totals SET entries = entries - 1, bytes = bytes - old.size; END"
    ),
    (
        "CREATE TRIGGER entry_resized AFTER UPDATE OF size ON entries BEGIN "
        "UPDATE totals SET bytes = bytes + new.size - old.size; END"
    ),
)

_SETTINGS = (
    "PRAGMA trusted_schema = OFF",  # a planted view or trigger must not call functions
    "PRAGMA cell_size_check = ON",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA recursive_triggers = OFF",
)

_INDEX = re.compile(r"index-(\d+)\.sqlite(\..*)?")
_BUSY_SECONDS = 10.0


class _Damaged(Exception):  # a signal inside this file
    """The index cannot be used as it stands; the suffix says what to call it when set aside."""

    def __init__(self, suffix: str, why: str) -> None:
        super().__init__(why)
        self.suffix = suffix


class Connection(sqlite3.Connection):
    """A connection that can be referred to weakly, so that it closes with its thread."""


class Database:
    """One index file in a folder, with a connection for each thread of each process."""

    def __init__(self, folder: Path, figures: Figures) -> None:
        self.folder = folder
        self._figures = figures
        self._local = threading.local()
        self._lock = threading.Lock()
        self._open: weakref.WeakSet[Connection] = weakref.WeakSet()
        # Connections inherited by a fork are kept from being closed: closing one in the child
        # would take the parent's locks and journal with it.
        self._inherited: list[Connection] = []
        self._path: Path | None = None
        self._inode = (0, 0)
        self._generation = 0
        self._closed = False
        self._fresh = False

    def after_fork(self) -> None:
        """In a forked process: connections and locks are the parent's."""
        self._inherited.extend(self._open)
        self._open = weakref.WeakSet()
        self._local = threading.local()
        self._lock = threading.Lock()

    def connection(self) -> Connection:
        """This thread's connection; sqlite3.Error or OSError when the index cannot be used."""
        held: tuple[int, Connection] | None = getattr(self._local, "held", None)
        if held is not None and held[0] == self._generation:
            return held[1]
        with self._lock:
            if self._closed:
                raise sqlite3.ProgrammingError("the cache is closed")
            with exclusively(self.folder):
                made = self._connect()
            self._open.add(made)
            self._local.held = (self._generation, made)
        return made

    def took_a_new_index(self) -> bool:
        """Whether an index was made since this was last asked."""
        fresh, self._fresh = self._fresh, False
        return fresh

    def vanished(self) -> bool:
        """Whether the index file is no longer the one that was opened."""
        try:
            return self._path is None or _inode(self._path) != self._inode
        except OSError:
            return True

    def forget(self) -> None:
        """Makes every thread connect anew, after the folder vanished."""
        with self._lock:
            self._part()

    def set_aside(self, why: str) -> None:
        """Renames a damaged index, unless another thread or process already has."""
        with self._lock, exclusively(self.folder):
            path = self._path
            self._part()
            if path is not None and path.exists() and _inode(path) == self._inode:
                self._rename(path, "damaged", why)

    def close(self) -> None:
        """Closes the connections of all threads."""
        with self._lock:
            self._closed = True
            self._part()
            for each in list(self._open):
                with contextlib.suppress(sqlite3.Error):
                    each.close()
            self._open.clear()

    def _part(self) -> None:
        # A name says nothing: a folder that was removed and made again has the same ones.
        self._path = None
        self._generation += 1

    def _connect(self) -> Connection:
        for _ in range(5):
            path = self._current()
            try:
                made = _opened(path)
            except _Damaged as found:
                self._rename(path, found.suffix, str(found))
                continue
            self._path, self._inode = path, _inode(path)
            return made
        raise sqlite3.OperationalError("the index is damaged each time it is made")

    def _current(self) -> Path:
        numbers, past = [0], [0]
        for entry in os.scandir(self.folder):
            found = _INDEX.fullmatch(entry.name)
            if found:
                (past if found[2] else numbers).append(int(found[1]))
        number = max(numbers) or max(past) + 1
        path = self.folder / f"index-{number}.sqlite"
        if not path.exists():
            # Made here, so that only the user can read it; SQLite gives its journals equal rights.
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            self._fresh = True
        return path

    def _rename(self, path: Path, suffix: str, why: str) -> None:
        number = 1
        while (aside := path.with_name(f"{path.name}.{suffix}-{number}")).exists():
            number += 1
        for ending in ("-wal", "-shm", ""):
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + ending).rename(aside.with_name(aside.name + ending))
        self._figures.count("damaged")
        warnings.warn(
            f"the cache's index {path} {why}; it was set aside as {aside.name}, and the cache "
            "goes on empty. What it held is computed again; the file may be deleted",
            RuntimeWarning,
            stacklevel=2,
        )


class AlteredIndex(sqlite3.DatabaseError):
    """The index holds what this package never writes."""


def is_damage(error: Exception) -> bool:
    """Whether an error says that the file's contents are wrong, not that it is out of reach."""
    if isinstance(error, (AlteredIndex, UnicodeDecodeError)):
        return True  # the latter where SQLite's message quotes what is no text
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return False
    return code & 0xFF in _DAMAGE or code == _SHORT_READ


_DAMAGE = frozenset(
    {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT,
     sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG,
     sqlite3.SQLITE_SCHEMA}
)  # fmt: skip
_SHORT_READ = 522  # SQLITE_IOERR_SHORT_READ


def _opened(path: Path) -> Connection:
    made = sqlite3.connect(
        path,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        factory=Connection,
    )
    try:
        # Text is never needed as str; altered text may not even be UTF-8.
        made.text_factory = bytes
        for setting in _SETTINGS:
            made.execute(setting)
        _prepare(made)
        _insist_on_writing(made, path)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        made.close()
        if is_damage(error):
            raise _Damaged("damaged", f"is damaged ({error})") from error
        raise
    except _Damaged:
        made.close()
        raise
    return made


def _insist_on_writing(made: Connection, path: Path) -> None:
    (mode,) = made.execute("PRAGMA journal_mode = WAL").fetchone()
    if _text(mode) != "wal":
        raise sqlite3.OperationalError(
            "SQLite cannot share a database between processes there (a network drive?)"
        )
    try:
        made.execute("BEGIN IMMEDIATE")
        made.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        # One byte of the header says that newer versions alone may write.
        if error.sqlite_errorcode == sqlite3.SQLITE_READONLY and os.access(path, os.W_OK):
            raise _Damaged("damaged", f"is damaged ({error})") from error
        raise


def _prepare(made: Connection) -> None:
    shape = [sql for (sql,) in made.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL")]
    (application,) = made.execute("PRAGMA application_id").fetchone()
    (version,) = made.execute("PRAGMA user_version").fetchone()
    if not shape and not version and not application:
        _create(made)
        return
    if application == _APPLICATION and version != FORMAT:
        raise _Damaged(f"format-{version}", f"has format {version}, and this version {FORMAT}")
    if application != _APPLICATION or [_text(sql) for sql in shape] != list(_SCHEMA):
        raise _Damaged("damaged", "does not have the shape of a cache's index")
    if made.execute("SELECT count(*) FROM totals").fetchone() != (1,):
        raise _Damaged("damaged", "has lost its totals")


def _create(made: Connection) -> None:
    made.execute("BEGIN IMMEDIATE")
    for statement in _SCHEMA:
        made.execute(statement)
    made.execute("INSERT INTO totals VALUES (0, 0)")
    made.execute(f"PRAGMA application_id = {_APPLICATION}")
    made.execute(f"PRAGMA user_version = {FORMAT}")
    made.execute("COMMIT")


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _inode(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


@contextlib.contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Writes inside are carried out together or not at all, one writer at a time."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def exclusively(folder: Path) -> Iterator[None]:
    """Holds the folder's lock, which one thread of one process can at a time."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    _handles.add(handle)
    try:
        _lock_file(handle)
        yield
    finally:
        if handle in _handles:  # not so in a process that was forked in here
            _handles.discard(handle)
            os.close(handle)


_handles: set[int] = set()


def _let_go() -> None:
    # A fork shares the locks that other threads hold by their handles, and would keep them.
    while _handles:
        os.close(_handles.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


if sys.platform == "win32":
    import msvcrt

    def _lock_file(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)

else:
    import fcntl

    def _lock_file(handle: int) -> None:
        # Kept by the handle, not the process: gone when it is closed, however the process ends.
        fcntl.flock(handle, fcntl.LOCK_EX)
