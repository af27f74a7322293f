"""From what the user named to a fleet that is ready: its graph, keys, and what is known."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from batchwright.caching.cache import Cache
from batchwright.contracts.settings import Settings, settings_for
from batchwright.errors import RequestError
from batchwright.fleet.explain import reasons
from batchwright.fleet.facts import FactBook
from batchwright.fleet.keys import key_graph
from batchwright.fleet.lookup import Lookup, part_name
from batchwright.records.store import Records

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from types import TracebackType

    from batchwright.contracts.graph import StepGraph
    from batchwright.fleet.keys import Keyed
    from batchwright.fleet.lookup import Standing
    from batchwright.records.model import StepFailure, StepRecord

__all__ = ["Fleet", "Prepared", "fleet_of", "is_object_name"]

_OBJECT_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


class Fleet(msgspec.Struct, frozen=True):
    """A fleet by name, with its step graph and settings."""

    name: str
    graph: StepGraph
    settings: Settings


def fleet_of(
    what: Any,
    *,
    inputs: Mapping[str, Any] | None = None,
    only: str | Collection[str] | None = None,
    settings: Settings | None = None,
) -> Fleet:
    """The fleet that a user names: a folder, file or `-`; `module:attribute`; or Python objects.

    Raises `InvalidFleet` with all its errors.
    """
    if isinstance(what, Path) or (isinstance(what, str) and not is_object_name(what)):
        from batchwright.contracts.build import load_fleet
        from batchwright.contracts.files import source_folder

        settings = settings or settings_for(source_folder(what))
        graph = load_fleet(what, settings=settings, inputs=inputs, only=only)
        return Fleet(str(what), graph, settings)
    if inputs:
        raise RequestError("inputs are for contracts in JSON; Python steps take arguments directly")
    settings = settings or settings_for(Path.cwd())
    if isinstance(what, str):
        from batchwright.contracts.fleet_object import load_object

        return Fleet(what, _selected(load_object(what), only), settings)
    from batchwright.contracts.python_graph import build_graph

    return Fleet("python", _selected(build_graph(what), only), settings)


def is_object_name(name: str) -> bool:
    """Whether a text means `module:attribute` rather than a file."""
    return _OBJECT_NAME.fullmatch(name) is not None and not Path(name).exists()


def _selected(graph: StepGraph, only: str | Collection[str] | None) -> StepGraph:
    if only is None:
        return graph
    from batchwright.contracts.build import is_selected, nothing_selected

    chosen = tuple(c for c in graph.contracts if is_selected(c.id, only))
    if not chosen:
        raise nothing_selected(only, [c.id for c in graph.contracts])
    return msgspec.structs.replace(graph, contracts=chosen)


class Prepared:
    """A fleet with its state at hand: records, cache, keys, and what is known before the run.

    A context manager: it holds the state database and the cache open.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        cache: Cache | str | Path | None = None,
        state: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.fleet = fleet
        self.graph = fleet.graph
        settings = fleet.settings
        self.state_folder = (state or settings.state_folder).absolute()
        self.clock = clock
        self.records = Records(self.state_folder / "state.db", clock=clock)
        self._own_cache = not isinstance(cache, Cache)
        try:
            if isinstance(cache, Cache):
                self.cache = cache
            else:
                location = cache or settings.cache or self.state_folder / "cache"
                self.cache = Cache(location, _clock=clock)
        except BaseException:
            self.records.close()
            raise
        self.book = FactBook(
            self.records.watched(), stateful=settings.stateful, stateless=settings.stateless
        )
        self.unrepeatable = frozenset(self.records.unrepeatable())
        self.failures: dict[str, StepFailure] = self.records.failures()
        self.latest: dict[tuple[str, str, str], StepRecord] = self.records.latest()
        self.keyed: Keyed
        self.standings: list[Standing]
        self.reasons: list[str]
        try:
            self.look_up()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Prepared:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the state database, and the cache unless it was the caller's."""
        self.records.close()
        if self._own_cache:
            self.cache.close()

    def look_up(self) -> None:
        """Make the keys, and find what is known; again after the facts of a class changed."""
        self.keyed = key_graph(self.graph, self.book, self.unrepeatable)
        lookup = Lookup(self.keyed, self.cache.find, self.failures, self._part)
        self.standings, self.reasons = reasons(
            self.keyed, lookup.run(), self.latest, self.records.code_parts
        )

    def _part(self, key: str, items: tuple[Any, ...]) -> str | None:
        """The digest of a part that an entry lacks; the value is loaded for it, once."""
        from batchwright.execution.projections import digests_of_parts

        try:
            value = self.cache.load(key)
        except KeyError:
            return None
        found = digests_of_parts(value, [items], key)
        self.cache.add_parts(key, found)
        return found.get(part_name(items))
