"""What is kept of a run: frozen records, free of where they are kept."""

from __future__ import annotations

from typing import Any

import msgspec


class Recipe(msgspec.Struct, frozen=True):
    """What a step's key is made of, by name, so that two keys can be compared.

    `arguments` holds (name, digest) pairs sorted by name; `state` the keys of the calls that
    changed the instance before this one.
    """

    label: str
    code: str
    constructor: str = ""
    construction: tuple[tuple[str, str], ...] = ()
    arguments: tuple[tuple[str, str], ...] = ()
    state: tuple[str, ...] = ()
    version: str | None = None
    sample: str | None = None


class StepFailure(msgspec.Struct, frozen=True):
    """An exception as a result: its type's name, its message, and where it was raised."""

    type: str
    message: str
    traceback: str = ""

    def as_value(self) -> dict[str, str]:
        """What consumers of the phase's mapping see under `_error_<provides>`."""
        return {"type": self.type, "message": self.message}


class StepRecord(msgspec.Struct, frozen=True):
    """What was measured of one unique step in one run.

    `outcome` is one of `computed`, `known`, `failed`, `skipped`; `bypass` says why a computed
    result was not kept, when it was not. Times are wall and processor time in milliseconds,
    `memory_mb` the growth of the process's resident memory in MB of 2**20 bytes, `output_bytes`
    the size of the result as stored.
    """

    number: int
    label: str
    outcome: str
    reason: str = ""
    bypass: str = ""
    key: str | None = None
    digest: str | None = None
    recipe: Recipe | None = None
    started: float = 0.0
    time_ms: float = 0.0
    cpu_ms: float = 0.0
    memory_mb: float = 0.0
    output_bytes: int = 0
    saved_ms: float = 0.0
    failure: StepFailure | None = None
    undeclared: tuple[str, ...] = ()


class ContractRecord(msgspec.Struct, frozen=True):
    """How one contract ended.

    `steps` gives for each of its steps the address (contract, phase, provides) and the number of
    its record; a step that contracts share stands under the address of the first.
    """

    id: str
    status: str
    steps: tuple[tuple[str, str, str, int], ...] = ()
    detail: dict[str, Any] = {}


class RunRecord(msgspec.Struct, frozen=True):
    """One run: when, of what, how it ended. `status` is `running`, `done` or `interrupted`."""

    id: int
    started: float
    fleet: str
    ended: float | None = None
    status: str = "running"
    summary: dict[str, Any] = {}


class Watched(msgspec.Struct, frozen=True):
    """What watching has learned of a method, under the digest of its class's code.

    `clean` counts calls after which instance and arguments were found unchanged.
    """

    clean: int = 0
    stores: str = ""
    changes_argument: str = ""
