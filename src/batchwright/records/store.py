"""Reading and writing records; every method is one transaction."""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import msgspec

from batchwright.errors import UnknownRun
from batchwright.records.database import connect, explained
from batchwright.records.model import (
    ContractRecord,
    RunRecord,
    StepFailure,
    StepRecord,
    Watched,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Mapping

_encode = msgspec.msgpack.encode
_T = TypeVar("_T")

# Facts are kept under a key that changes with Python, batchwright and the import path.
_FACTS_LAST_S = 90 * 86_400.0


class Records:
    """The state database of one fleet's folder; without a path an empty one that nothing keeps.

    >>> records = Records(folder / "state.db")           # doctest: +SKIP
    >>> run = records.begin("fleet/")                     # doctest: +SKIP
    """

    def __init__(self, path: Path | None, *, clock: Callable[[], float] = time.time) -> None:
        self.path = path or Path(":memory:")
        self._clock = clock
        self._connection = connect(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; the object cannot be used afterwards."""
        self._connection.close()

    # --- runs -----------------------------------------------------------------------------

    def begin(self, fleet: str) -> RunRecord:
        """A new run, numbered."""
        started = self._clock()
        with self._transaction() as db:
            row = db.execute(
                "INSERT INTO runs (started, fleet, status, summary) VALUES (?, ?, 'running', ?)"
                " RETURNING id",
                (started, fleet, _encode({})),
            ).fetchone()
        return RunRecord(id=row[0], started=started, fleet=fleet)

    def finish(
        self,
        run: RunRecord,
        *,
        status: str,
        summary: Mapping[str, Any],
        steps: Iterable[StepRecord],
        contracts: Iterable[ContractRecord],
        codes: Mapping[str, Mapping[str, str]],
    ) -> RunRecord:
        """Write all that a run left behind, and what each address stands at now."""
        ended = self._clock()
        with self._transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (run.id, s.number, s.label, s.outcome, s.key, s.time_ms, s.started, _encode(s))
                    for s in steps
                ),
            )
            for contract in contracts:
                db.execute(
                    "INSERT OR REPLACE INTO contracts VALUES (?, ?, ?, ?)",
                    (run.id, contract.id, contract.status, _encode(contract)),
                )
                db.executemany(
                    "INSERT OR REPLACE INTO latest VALUES (?, ?, ?, ?, ?)",
                    (
                        (owner, phase, provides, run.id, number)
                        for owner, phase, provides, number in contract.steps
                    ),
                )
            db.executemany(
                "INSERT OR IGNORE INTO codes VALUES (?, ?)",
                ((digest, _encode(parts)) for digest, parts in codes.items()),
            )
            db.execute(
                "UPDATE runs SET ended = ?, status = ?, summary = ? WHERE id = ?",
                (ended, status, _encode(summary), run.id),
            )
        return msgspec.structs.replace(run, ended=ended, status=status, summary=dict(summary))

    def runs(self, limit: int = 20) -> list[RunRecord]:
        """The newest runs, newest first."""
        rows = self._rows(
            "SELECT id, started, fleet, ended, status, summary FROM runs ORDER BY id DESC LIMIT ?",
            (limit,),
        )
        return [
            RunRecord(i, started, fleet, ended, status, self._decoded(summary, dict[str, Any]))
            for i, started, fleet, ended, status, summary in rows
        ]

    def find_run(self, name: str = "last") -> RunRecord:
        """The run called `last`, `last~N` (N before it), or by its number.

        Raises `UnknownRun` when there is none.
        """
        runs = self.runs(limit=10_000)
        back = name.removeprefix("last")
        if name.startswith("last") and (back == "" or (back[0] == "~" and _is_number(back[1:]))):
            offset = int(back[1:]) if back else 0
            if offset < len(runs):
                return runs[offset]
        elif _is_number(name):
            for run in runs:
                if run.id == int(name):
                    return run
        if not runs:
            raise UnknownRun(f"no run {name!r}: nothing has been run here yet ({self.path})")
        raise UnknownRun(
            f"no run {name!r} in {self.path}; there are runs {runs[-1].id} to {runs[0].id}, "
            "and `last`, `last~1`, ..."
        )

    def steps(self, run_id: int) -> list[StepRecord]:
        """The step records of a run, in the order the steps stood in its plan."""
        rows = self._rows("SELECT record FROM steps WHERE run = ? ORDER BY number", (run_id,))
        return [self._decoded(record, StepRecord) for (record,) in rows]

    def contracts(self, run_id: int) -> list[ContractRecord]:
        """The contract records of a run, sorted by id."""
        rows = self._rows("SELECT record FROM contracts WHERE run = ? ORDER BY id", (run_id,))
        return [self._decoded(record, ContractRecord) for (record,) in rows]

    # --- what earlier runs know -------------------------------------------------------------

    def latest(self) -> dict[tuple[str, str, str], StepRecord]:
        """The newest record of every address (contract, phase, provides)."""
        rows = self._rows(
            "SELECT contract, phase, provides, run, number FROM latest ORDER BY run, number"
        )
        wanted = {(run, number) for *_, run, number in rows}
        found: dict[tuple[int, int], StepRecord] = {}
        for run in {run for run, _ in wanted}:
            for number, blob in self._rows("SELECT number, record FROM steps WHERE run=?", (run,)):
                if (run, number) in wanted:
                    found[run, number] = self._decoded(blob, StepRecord)
        return {
            (contract, phase, provides): found[run, number]
            for contract, phase, provides, run, number in rows
            if (run, number) in found
        }

    def code_parts(self, digest: str) -> dict[str, str]:
        """What a code digest covered, by name; empty when it was never recorded."""
        rows = self._rows("SELECT parts FROM codes WHERE digest = ?", (digest,))
        return self._decoded(rows[0][0], dict[str, str]) if rows else {}

    def typical_ms(self) -> dict[str, float]:
        """The mean time in ms that each method's computed steps have taken."""
        return dict(
            self._rows(
                "SELECT label, AVG(time_ms) FROM steps WHERE outcome = 'computed' GROUP BY label"
            )
        )

    def failures(self) -> dict[str, StepFailure]:
        """By content key, the steps that failed when they last ran."""
        return {
            key: self._decoded(failure, StepFailure)
            for key, failure in self._rows("SELECT key, failure FROM failures")
        }

    def remember_failure(self, key: str, failure: StepFailure | None) -> None:
        """Note that the step with this content key failed, or (None) that it no longer does."""
        with self._transaction() as db:
            if failure is None:
                db.execute("DELETE FROM failures WHERE key = ?", (key,))
            else:
                db.execute("INSERT OR REPLACE INTO failures VALUES (?, ?)", (key, _encode(failure)))

    def watched(self) -> dict[tuple[str, str], Watched]:
        """What watching has learned, by (digest of the class's code, method)."""
        return {
            (class_digest, method): self._decoded(found, Watched)
            for class_digest, method, found in self._rows("SELECT * FROM watched")
        }

    def remember_watched(self, found: Mapping[tuple[str, str], Watched]) -> None:
        """Keep what watching has learned."""
        with self._transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO watched VALUES (?, ?, ?)",
                ((digest, method, _encode(w)) for (digest, method), w in found.items()),
            )

    def facts(self, key: str) -> bytes | None:
        """Remembered facts of code, as their owner encoded them."""
        rows = self._rows("SELECT remembered FROM facts WHERE key = ?", (key,))
        return rows[0][0] if rows else None

    def remember_facts(self, key: str, remembered: bytes) -> None:
        """Keep facts of code under a key; those not kept anew for long are dropped."""
        now = self._clock()
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", (key, remembered, now))
            db.execute("DELETE FROM facts WHERE used < ?", (now - _FACTS_LAST_S,))

    def unrepeatable(self) -> dict[str, str]:
        """By code digest, the methods seen to give two values for one key."""
        return dict(self._rows("SELECT code, label FROM unrepeatable"))

    def remember_unrepeatable(self, code: str, label: str) -> None:
        """Note that a method with this code was seen not to repeat."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO unrepeatable VALUES (?, ?)", (code, label))

    # --- the database -----------------------------------------------------------------------

    def _rows(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with explained(self.path):
            return self._connection.execute(query, values).fetchall()

    def _decoded(self, blob: bytes, kind: type[_T]) -> _T:
        with explained(self.path):
            return msgspec.msgpack.decode(blob, type=kind)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with explained(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) < 19  # what SQLite counts to
