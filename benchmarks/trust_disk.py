"""Alters a cache folder in random ways and counts what is served wrongly, executed, or crashes.

    python benchmarks/trust_disk.py --trials 10000

Each trial copies a sound cache, alters the copy as an accident or an attacker would, opens it
and reads everything. Right values and misses are fine; the exit code is 1 for anything else.
The altering is the attacker's: whoever can write into the folder, but does not know the secret.
"""

# ruff: noqa: S311, S608  # chance and altered statements are what this file is about

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import pickle
import random
import shutil
import sqlite3
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from batchwright.caching import sealing
from batchwright.caching.cache import Cache
from batchwright.caching.codec import encode

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = 1_800_000_000.0
EXPIRED = "expired"


class Planted:
    """Runs as it is unpickled: makes a file that says so."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return open, (str(self.marker), "w")


@dataclasses.dataclass(frozen=True)
class Sound:
    """Sound caches to alter, and what each key must give."""

    folders: tuple[Path, ...]
    values: dict[str, bytes]
    digests: dict[str, str]


def entries() -> dict[str, Any]:
    """Values of every codec, inline and in files."""
    draw = np.random.default_rng(5)
    values: dict[str, Any] = {f"small-{n}": [n, {"name": str(n)}, (n,)] for n in range(12)}
    values |= {f"exception-{n}": ValueError("pickled", n) for n in range(4)}
    values |= {f"array-{n}": draw.random(5000 + n) for n in range(4)}
    values |= {f"text-{n}": str(n) * 40_000 for n in range(2)}
    values["classes"] = [dataclasses.field, random.Random(3), b"x" * 40_000]
    values["none"] = None
    return values


def as_bytes(value: Any) -> bytes:
    """A value as bytes to compare by; its own pickle tells types apart."""
    return pickle.dumps(value, protocol=4)


def make_sound(folder: Path) -> Sound:
    """One cache that was closed, and one copied while its journal held all it had."""
    values, digests = {}, {}
    running = folder / "running"
    with Cache(running, _clock=lambda: NOW) as cache:
        for number, (key, value) in enumerate(entries().items()):
            payload = encode(value)
            digests[key] = f"digest of {key}"
            cache.store(key, payload, digest=digests[key], method=f"m{number % 3}")
        cache.store(EXPIRED, encode("old"), digest="old", expires=NOW - 1)
        for key in digests:
            values[key] = as_bytes(cache.load(key))
        shutil.copytree(running, folder / "journal")
    running.rename(folder / "closed")
    return Sound((folder / "closed", folder / "journal"), values, digests)


# --- alterations ----------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Victim:
    """A copy to alter, with a source of chance and the file a planted pickle would make."""

    folder: Path
    draw: random.Random
    marker: Path

    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def value_files(self) -> list[Path]:
        return [path for path in self.files() if "values" in path.parts]

    def index_files(self) -> list[Path]:
        return [path for path in self.files() if path.name.startswith("index")]

    @contextlib.contextmanager
    def index(self) -> Any:
        connection = sqlite3.connect(self.folder / "index-1.sqlite")
        try:
            with connection:
                yield connection
        finally:
            connection.close()

    def rows(self, connection: sqlite3.Connection, count: int) -> list[int]:
        ids = [row[0] for row in connection.execute("SELECT id FROM entries ORDER BY id")]
        return self.draw.sample(ids, count)

    def planted(self) -> bytes:
        return pickle.dumps(Planted(self.marker))


def flip_a_bit(victim: Victim) -> None:
    path = victim.draw.choice([path for path in victim.files() if path.stat().st_size])
    data = bytearray(path.read_bytes())
    data[victim.draw.randrange(len(data))] ^= 1 << victim.draw.randrange(8)
    path.write_bytes(data)


def scatter_flips_over_the_index(victim: Victim) -> None:
    path = victim.draw.choice([path for path in victim.index_files() if path.stat().st_size])
    data = bytearray(path.read_bytes())
    for _ in range(victim.draw.randrange(2, 200)):
        data[victim.draw.randrange(len(data))] = victim.draw.randrange(256)
    path.write_bytes(data)


def flip_the_header(victim: Victim) -> None:
    path = victim.draw.choice([path for path in victim.index_files() if path.stat().st_size])
    data = bytearray(path.read_bytes())
    data[victim.draw.randrange(min(100, len(data)))] ^= 1 << victim.draw.randrange(8)
    path.write_bytes(data)


def cut_a_file(victim: Victim) -> None:
    path = victim.draw.choice(victim.files())
    os.truncate(path, victim.draw.randrange(path.stat().st_size + 1))


def empty_a_file(victim: Victim) -> None:
    victim.draw.choice(victim.files()).write_bytes(b"")


def overwrite_with_garbage(victim: Victim) -> None:
    path = victim.draw.choice(victim.files())
    path.write_bytes(victim.draw.randbytes(victim.draw.choice([1, 100, 4096, 100_000])))


def lengthen_a_file(victim: Victim) -> None:
    with victim.draw.choice(victim.files()).open("ab") as file:
        file.write(victim.draw.randbytes(victim.draw.randrange(1, 9000)))


def delete_a_file(victim: Victim) -> None:
    victim.draw.choice(victim.files()).unlink()


def a_folder_in_place_of_a_file(victim: Victim) -> None:
    path = victim.draw.choice(victim.value_files())
    path.unlink()
    path.mkdir()


def swap_value_files(victim: Victim) -> None:
    one, other = victim.draw.sample(victim.value_files(), 2)
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def plant_in_a_value_file(victim: Victim) -> None:
    path = victim.draw.choice(victim.value_files())
    planted = victim.planted()
    size = path.stat().st_size if victim.draw.random() < 0.5 else len(planted)
    path.write_bytes(planted.ljust(size, b"\0"))


def plant_in_a_row(victim: Victim) -> None:
    with victim.index() as index:
        for row in victim.rows(index, 5):
            index.execute("UPDATE entries SET value = ? WHERE id = ?", (victim.planted(), row))


def forge_rows(victim: Victim) -> None:
    """Rows made as the cache makes them, but sealed with another secret, or none."""
    with victim.index() as index:
        for row in victim.rows(index, 5):
            key = index.execute("SELECT key FROM entries WHERE id = ?", (row,)).fetchone()[0]
            data = victim.planted()
            info = msgspec.structs.replace(
                _record(index, row).info, key=key.decode(), codec="pickle", size=len(data)
            )
            record = sealing.Record(sealing.FORMAT, info, sealing.value_hash(data), "")
            blob, mac = sealing.seal(victim.draw.randbytes(32), record)
            if victim.draw.random() < 0.3:
                mac = victim.draw.choice([b"", bytes(32), mac[:16]])
            index.execute(
                "UPDATE entries SET info = ?, mac = ?, value = ?, file = '' WHERE id = ?",
                (blob, mac, data, row),
            )


def change_the_info(victim: Victim) -> None:
    """Codec, expiry, digest, format or file changed, the MAC left as it was."""
    with victim.index() as index:
        rows = [row[0] for row in index.execute("SELECT id FROM entries")]
        for row in victim.draw.sample(rows, 8) if victim.draw.random() < 0.5 else rows:
            record = _record(index, row)
            change: dict[str, Any] = victim.draw.choice(
                [{"codec": "pickle"}, {"codec": "plain"}, {"expires": NOW + 1e6}, {"digest": "0"}]
            )
            info = msgspec.structs.replace(record.info, **change)
            changed = msgspec.structs.replace(record, info=info)
            blob = msgspec.msgpack.encode(changed)
            index.execute("UPDATE entries SET info = ? WHERE id = ?", (blob, row))


def swap_columns(victim: Victim) -> None:
    columns = victim.draw.choice(
        [("value",), ("info", "mac"), ("info", "mac", "value", "file"), ("mac",), ("file",)]
    )
    with victim.index() as index:
        one, other = victim.rows(index, 2)
        names = ", ".join(columns)
        marks = ", ".join(f"{column} = ?" for column in columns)
        take = f"SELECT {names} FROM entries WHERE id = ?"
        first = index.execute(take, (one,)).fetchone()
        second = index.execute(take, (other,)).fetchone()
        index.execute(f"UPDATE entries SET {marks} WHERE id = ?", (*second, one))
        index.execute(f"UPDATE entries SET {marks} WHERE id = ?", (*first, other))


def swap_keys(victim: Victim) -> None:
    with victim.index() as index:
        one, other = victim.rows(index, 2)
        take = "SELECT key FROM entries WHERE id = ?"
        first, second = (index.execute(take, (row,)).fetchone()[0] for row in (one, other))
        index.execute("UPDATE entries SET key = x'00' WHERE id = ?", (one,))
        index.execute("UPDATE entries SET key = ? WHERE id = ?", (first, other))
        index.execute("UPDATE entries SET key = ? WHERE id = ?", (second, one))


def odd_types(victim: Victim) -> None:
    column = victim.draw.choice(["info", "mac", "value", "file", "method", "size", "used", "key"])
    value = victim.draw.choice(
        [5, -(2**63), 2**63 - 1, 1.5, float("inf"), "text", b"\xff\xfe", "", b"", "../../../etc/x"]
    )
    with victim.index() as index, contextlib.suppress(sqlite3.IntegrityError):
        (row,) = victim.rows(index, 1)
        index.execute(f"UPDATE entries SET {column} = ? WHERE id = ?", (value, row))


def text_that_is_not_text(victim: Victim) -> None:
    with victim.index() as index:
        index.execute("UPDATE entries SET method = CAST(x'fffe' AS TEXT), file = x'2e2e2f'")


def change_the_shape(victim: Victim) -> None:
    statement = victim.draw.choice(
        [
            "DROP TABLE entries",
            "DROP TABLE totals",
            "DROP INDEX by_use",
            "DROP TRIGGER entry_dropped",
            "DELETE FROM totals",
            "UPDATE totals SET entries = 'many', bytes = NULL",
            "UPDATE totals SET entries = -5, bytes = 9000000000000000000",
            "DELETE FROM entries",
            "ALTER TABLE entries RENAME COLUMN mac TO old",
            "CREATE TRIGGER x AFTER DELETE ON entries BEGIN DELETE FROM entries; END",
            "PRAGMA user_version = 7",
            "PRAGMA application_id = 7",
            "CREATE VIEW more AS SELECT * FROM entries",
        ]
    )
    with victim.index() as index, contextlib.suppress(sqlite3.IntegrityError):
        index.execute(statement)


def a_view_in_place_of_the_table(victim: Victim) -> None:
    with victim.index() as index:
        index.execute("ALTER TABLE entries RENAME TO true_entries")
        index.execute(
            "CREATE VIEW entries AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
            " SELECT * FROM true_entries, n"
        )


def journal_of_garbage(victim: Victim) -> None:
    garbage = victim.draw.randbytes(victim.draw.choice([8, 32, 5000, 40_000]))
    wal = victim.folder / "index-1.sqlite-wal"
    if victim.draw.random() < 0.5:
        garbage = bytes.fromhex("377f0682002de218") + garbage  # how a journal begins
    wal.write_bytes(garbage)


def another_index(victim: Victim) -> None:
    for path in victim.index_files():
        path.unlink()
    with sqlite3.connect(victim.folder / "index-1.sqlite") as other:
        other.execute("CREATE TABLE entries (key, info, mac, value, file)")
    other.close()


def _record(index: sqlite3.Connection, row: int) -> sealing.Record:
    (blob,) = index.execute("SELECT info FROM entries WHERE id = ?", (row,)).fetchone()
    return msgspec.msgpack.decode(blob, type=sealing.Record)


# Bits are flipped more often than the rest: every byte of every file can be hit.
ALTERATIONS: tuple[Callable[[Victim], None], ...] = (
    *[flip_a_bit] * 8,
    *[scatter_flips_over_the_index] * 2,
    *[flip_the_header] * 2,
    *[cut_a_file] * 2,
    *[change_the_info] * 2,
    *[swap_columns] * 2,
    *[odd_types] * 3,
    *[change_the_shape] * 2,
    *[forge_rows] * 2,
    empty_a_file,
    overwrite_with_garbage,
    lengthen_a_file,
    delete_a_file,
    a_folder_in_place_of_a_file,
    swap_value_files,
    plant_in_a_value_file,
    plant_in_a_row,
    swap_keys,
    text_that_is_not_text,
    a_view_in_place_of_the_table,
    journal_of_garbage,
    another_index,
)


# --- trials ---------------------------------------------------------------------------------


class Outcome(msgspec.Struct, frozen=True):
    """What became of one altered cache."""

    alteration: str
    served: int = 0
    missed: int = 0
    noticed: int = 0
    problems: tuple[str, ...] = ()


def trial(sound: Sound, seed: int, folder: Path) -> Outcome:
    """One copy altered by the chance of `seed`, opened and read in full."""
    draw = random.Random(seed)
    alter = draw.choice(ALTERATIONS)
    copy, marker = folder / "copy", folder / "executed"
    shutil.copytree(draw.choice(sound.folders), copy)
    try:
        alter(Victim(copy, draw, marker))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                outcome = _read(sound, copy, alter.__name__, limited=draw.random() < 0.3)
            except Exception:
                problem = "crash: " + traceback.format_exc(limit=-3)
                outcome = Outcome(alter.__name__, problems=(problem,))
        if marker.exists():
            marker.unlink()
            outcome = msgspec.structs.replace(outcome, problems=(*outcome.problems, "executed"))
        return outcome
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _read(sound: Sound, folder: Path, name: str, *, limited: bool) -> Outcome:
    problems: list[str] = []
    served = missed = 0
    limits: dict[str, int] = {"max_entries": 10, "max_bytes": 100_000} if limited else {}
    with Cache(folder, _clock=lambda: NOW, **limits) as cache:
        for key, info in cache.find([*sound.values, EXPIRED]).items():
            if key == EXPIRED or info.digest != sound.digests[key]:
                problems.append(f"wrong info for {key}")
        absent = object()
        for key, expected in sound.values.items():
            value = cache.get(key, absent)
            if value is absent:
                missed += 1
            elif as_bytes(value) == expected:
                served += 1
            else:
                problems.append(f"wrong value for {key}")
        if cache.get(EXPIRED, absent) is not absent:
            problems.append("an expired value was served")
        stats = cache.stats()
        cache.check()
        again = cache.check()
        if not again.clean and not stats.lost:
            problems.append(f"not sound after a check: {again}")
        cache.put("new", "value")
        if cache.get("new") != "value":
            problems.append("what was put is not there")
    return Outcome(
        name, served, missed, stats.rejected + stats.damaged + stats.lost, tuple(problems)
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ["BATCHWRIGHT_SECRET_FILE"] = str(folder / "secret")
        sound = make_sound(folder)
        outcomes = [trial(sound, options.seed + n, folder) for n in range(options.trials)]
    problems = [(each.alteration, each.problems) for each in outcomes if each.problems]
    for alteration, what in problems[:20]:
        print(alteration, *what, sep="\n    ")
    kinds = Counter(what.split()[0].rstrip(":") for _, each in problems for what in each)
    silent = Counter(each.alteration for each in outcomes if each.missed and not each.noticed)
    print(f"{len(outcomes):,} altered caches of {len(sound.values)} entries, two sound ones copied")
    print(f"  values served right       {sum(each.served for each in outcomes):,}")
    print(f"  misses                    {sum(each.missed for each in outcomes):,}")
    print(f"  caches with a figure      {sum(each.noticed > 0 for each in outcomes):,}")
    print(f"  misses without a figure   {silent.total():,} caches {dict(silent)}")
    print(f"  wrong                     {kinds['wrong'] + kinds['an'] + kinds['what']}")
    print(f"  executed                  {kinds['executed']}")
    print(f"  crashes                   {kinds['crash']}")
    print(f"  not sound after a check   {kinds['not']}")
    print(f"  seconds                   {time.perf_counter() - started:.0f}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
