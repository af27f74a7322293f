"""The state database: opening it, its tables, and its errors in plain words."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from batchwright.errors import DamagedRecords, RecordsUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMAT = 1

_TABLES = """
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, started REAL NOT NULL, ended REAL,
    fleet TEXT NOT NULL, status TEXT NOT NULL, summary BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS steps (
    run INTEGER NOT NULL, number INTEGER NOT NULL, label TEXT NOT NULL, outcome TEXT NOT NULL,
    key TEXT, time_ms REAL NOT NULL, started REAL NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (run, number)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS steps_by_label ON steps (label, started) WHERE outcome = 'computed';
CREATE TABLE IF NOT EXISTS contracts (
    run INTEGER NOT NULL, id TEXT NOT NULL, status TEXT NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (run, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS latest (
    contract TEXT NOT NULL, phase TEXT NOT NULL, provides TEXT NOT NULL,
    run INTEGER NOT NULL, number INTEGER NOT NULL,
    PRIMARY KEY (contract, phase, provides)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS codes (digest TEXT PRIMARY KEY, parts BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failures (key TEXT PRIMARY KEY, failure BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS watched (
    class_digest TEXT NOT NULL, method TEXT NOT NULL, found BLOB NOT NULL,
    PRIMARY KEY (class_digest, method)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (
    key TEXT PRIMARY KEY, remembered BLOB NOT NULL, used REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unrepeatable (
    code TEXT PRIMARY KEY, label TEXT NOT NULL) WITHOUT ROWID;
"""


def connect(path: Path | None) -> sqlite3.Connection:
    """Open the database at `path`, making it and its folder, private to the user, when missing.

    Without a path it is in memory. Raises `RecordsUnavailable` when it cannot be opened or made,
    `DamagedRecords` when what is there is no state database or one of another format.
    """
    if path is None:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        connection.executescript(_TABLES)
        return connection
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
        elif not os.access(path, os.W_OK):
            raise PermissionError(13, "no right to write to it")
    except OSError as error:
        reason = error.strerror or str(error)
        raise RecordsUnavailable(
            f"the state database {path} cannot be used: {reason}; "
            "give the user rights to that folder, or set another state folder"
        ) from error
    with explained(path):
        connection = sqlite3.connect(path, timeout=30.0, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found not in (0, FORMAT):
            connection.close()
            raise DamagedRecords(
                f"the state database {path} has format {found}, this batchwright reads {FORMAT}; "
                f"move it away to start a new one (the cache is kept): mv {path} {path}.old"
            )
        # Two runs may make the tables at once; each statement is harmless when they are there.
        connection.executescript(_TABLES)
        connection.execute(f"PRAGMA user_version={FORMAT}")
    return connection


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn errors of SQLite, and of decoding what it holds, into ours, which name the way on."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise RecordsUnavailable(
            f"the state database {path} cannot be used: {error}; "
            "is another program holding it, or the disk full?"
        ) from error
    except (sqlite3.DatabaseError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedRecords(
            f"the state database {path} is damaged: {error}; "
            f"move it away to start a new one (the cache is kept): mv {path} {path}.old"
        ) from error
