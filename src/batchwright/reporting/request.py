"""What a command was asked to work on, and the state that belongs to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from batchwright.contracts.settings import settings_for
from batchwright.errors import CacheUnavailable, RecordsUnavailable, SourceNotFound

if TYPE_CHECKING:
    from batchwright.caching.cache import Cache
    from batchwright.contracts.settings import Settings
    from batchwright.records.store import Records

DATABASE = "state.db"
NOTHING_FAILED = "every contract asked for was ok when last run: nothing is left to run again"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A fleet as the user names it, and the options that say how it is read and where it lives."""

    fleet: str = "."
    inputs: dict[str, str] = {}
    only: str | None = None
    cache: str | None = None
    state: Path | None = None

    @property
    def reading(self) -> dict[str, Any]:
        """The options of reading the fleet."""
        return {"inputs": self.inputs, "only": self.only}

    @property
    def options(self) -> dict[str, Any]:
        """All options, as `run` and `plan` take them."""
        return {**self.reading, "cache": self.cache, "state": self.state}

    def state_arguments(self) -> list[str]:
        """The options that make another command see the same fleet in the same state."""
        given = [f"--input={name}={path}" for name, path in self.inputs.items()]
        given += [] if self.cache is None else [f"--cache={self.cache}"]
        return given + ([] if self.state is None else [f"--state={self.state}"])

    def settings(self) -> Settings:
        """The settings that the fleet lives by; none of its contracts is read.

        Raises `SourceNotFound` when there is nothing of that name, `InvalidSettings`.
        """
        from batchwright.contracts.files import source_folder
        from batchwright.execution.prepare import is_object_name

        if is_object_name(self.fleet):
            return settings_for(Path.cwd())
        if self.fleet != "-" and not Path(self.fleet).exists():
            raise SourceNotFound(f"there is no fleet {self.fleet}")
        return settings_for(source_folder(self.fleet))

    def state_folder(self) -> Path:
        """Where the records are, or would be."""
        return (self.state or self.settings().state_folder).absolute()

    def has_records(self) -> bool:
        """Whether anything was ever run here."""
        return (self.state_folder() / DATABASE).is_file()

    def open_records(self) -> Records:
        """The records there are; a state database is never made only to read it.

        Raises `RecordsUnavailable` when there is none.
        """
        from batchwright.records.store import Records

        folder = self.state_folder()
        if not (folder / DATABASE).is_file():
            raise RecordsUnavailable(
                f"nothing is recorded here: there is no state database in {folder}; "
                f"run the fleet first, or name another with --fleet or --state{_elsewhere()}"
            )
        return Records(folder / DATABASE)

    def not_ok_when_last_run(self) -> frozenset[str]:
        """The ids of the contracts that lacked something when last run, of those asked for.

        Raises `RecordsUnavailable` or `UnknownRun` when nothing was run here yet.
        """
        from batchwright.contracts.build import is_selected

        with self.open_records() as records:
            last = records.find_run("last")
            return frozenset(
                contract.id
                for contract in records.contracts(last.id)
                if contract.status != "ok" and is_selected(contract.id, self.only)
            )

    def open_cache(self) -> Cache:
        """The cache of the fleet, if it is there. Raises `CacheUnavailable` when not."""
        from batchwright.caching.cache import Cache

        location = self.cache
        if location is None:
            settings = self.settings()
            location = settings.cache or str(self.state_folder() / "cache")
        if "://" not in location and not Path(location).expanduser().exists():
            raise CacheUnavailable(
                f"there is no cache at {location}; run the fleet first, or name another with "
                f"--fleet or --cache{_elsewhere()}"
            )
        return Cache(location)


def _elsewhere() -> str:
    """Fleets just below the current folder that have been run, as a hint."""
    try:
        found = sorted(
            str(path.parent.parent)
            for pattern in (f"*/.batchwright/{DATABASE}", f"*/*/.batchwright/{DATABASE}")
            for path in Path().glob(pattern)
        )
    except OSError:
        return ""
    return f"; there are records in {', '.join(found[:3])}" if found else ""
