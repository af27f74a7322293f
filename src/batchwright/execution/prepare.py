"""From what the user named to a fleet that is ready: its graph, keys, and what is known."""

from __future__ import annotations

import re
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from batchwright.caching.cache import Cache
from batchwright.caching.digest import fixed_code
from batchwright.contracts.registry import Entry, import_registry
from batchwright.contracts.settings import Settings, settings_for
from batchwright.errors import InvalidFleet, RequestError
from batchwright.fleet.explain import reasons
from batchwright.fleet.facts import FactBook
from batchwright.fleet.keys import key_graph
from batchwright.fleet.lookup import Lookup, part_name
from batchwright.fleet.remembered import (
    NotRemembered,
    RecordingRegistry,
    Remembered,
    RememberedRegistry,
    import_path,
    memory_key,
    remember,
)
from batchwright.fleet.surroundings import Surroundings, looking
from batchwright.records.store import Records

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from batchwright.contracts.graph import Step, StepGraph
    from batchwright.contracts.registry import Registry
    from batchwright.fleet.keys import Keyed
    from batchwright.fleet.lookup import Standing
    from batchwright.records.model import StepFailure, StepRecord

__all__ = ["Fleet", "Prepared", "fleet_of", "is_object_name"]

_OBJECT_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


class Fleet(msgspec.Struct, frozen=True):
    """A fleet by name, with its step graph and settings.

    `entries` are what names in contracts were found to stand for, by import, and `surroundings`
    what else that import looked at, None when it took place earlier; `remembered` is what names
    were known to stand for without.
    """

    name: str
    graph: StepGraph
    settings: Settings
    entries: dict[str, Entry] = {}
    surroundings: Surroundings | None = None
    remembered: Remembered | None = None


def settings_of(what: Any) -> Settings:
    """The settings that go with what a user names; raises `RequestError` kinds."""
    if _is_folder_or_file(what):
        from batchwright.contracts.files import source_folder

        return settings_for(source_folder(what))
    return settings_for(Path.cwd())


def fleet_of(
    what: Any,
    *,
    inputs: Mapping[str, Any] | None = None,
    only: str | Collection[str] | None = None,
    settings: Settings | None = None,
    remembered: Remembered | None = None,
) -> Fleet:
    """The fleet that a user names: a folder, file or `-`; `module:attribute`; or Python objects.

    With `remembered`, names in contracts are looked up there and nothing is imported; it raises
    `NotRemembered` when one is new. Raises `InvalidFleet` with all its errors.
    """
    try:
        settings = settings or settings_of(what)
    except RequestError as error:
        raise InvalidFleet([error]) from error
    if _is_folder_or_file(what):
        from batchwright.contracts.build import load_fleet
        from batchwright.contracts.importing import make_importable

        if remembered is not None:
            make_importable(settings)  # values may name their classes by module
            registry: Registry = RememberedRegistry(remembered)
            graph = load_fleet(what, settings=settings, inputs=inputs, only=only, registry=registry)
            return Fleet(str(what), graph, settings, remembered=remembered)
        path = import_path(settings)
        imported_before = any(name in sys.modules for name in settings.methods)
        try:
            with looking() as looked:
                recording = RecordingRegistry(import_registry(settings))
        except RequestError:
            recording = None  # told together with all other errors
        surroundings = None if imported_before else looked.surroundings(path)
        graph = load_fleet(what, settings=settings, inputs=inputs, only=only, registry=recording)
        entries = recording.entries if recording else {}
        return Fleet(str(what), graph, settings, entries, surroundings)
    if inputs:
        raise RequestError("inputs are for contracts in JSON; Python steps take arguments directly")
    if isinstance(what, str):
        from batchwright.contracts.fleet_object import load_object

        return Fleet(what, _selected(load_object(what), only), settings)
    from batchwright.contracts.python_graph import build_graph

    return Fleet("python", _selected(build_graph(what), only), settings)


def _is_folder_or_file(what: Any) -> bool:
    return isinstance(what, Path) or (isinstance(what, str) and not is_object_name(what))


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

    A context manager: it holds the state database and the cache open. With `only_looking` neither
    is made where there is none yet. Raises `InvalidFleet` when the fleet has errors; then nothing
    was made.
    """

    def __init__(
        self,
        what: Any,
        *,
        inputs: Mapping[str, Any] | None = None,
        only: str | Collection[str] | None = None,
        cache: Cache | str | Path | None = None,
        state: Path | None = None,
        settings: Settings | None = None,
        clock: Callable[[], float] = time.time,
        only_looking: bool = False,
    ) -> None:
        try:
            settings = settings or settings_of(what)
        except RequestError as error:
            raise InvalidFleet([error]) from error
        self.state_folder = (state or settings.state_folder).absolute()
        self.clock = clock
        database = self.state_folder / "state.db"
        ask = partial(fleet_of, what, inputs=inputs, only=only, settings=settings)
        remembered = self._remembered(database, settings) if what != "-" else None
        try:
            self.fleet = ask(remembered=remembered)
        except (NotRemembered, InvalidFleet):
            if remembered is None:
                raise
            self.fleet = ask()  # by import, which also says best what is wrong
        self._ask = ask
        self._own_cache = not isinstance(cache, Cache)
        absent = only_looking and not database.exists()
        self.records = Records(None if absent else database, clock=clock)
        try:
            if isinstance(cache, Cache):
                self.cache = cache
            else:
                location = cache or settings.cache or self.state_folder / "cache"
                absent = only_looking and not Path(location).expanduser().exists()
                self.cache = Cache(None if absent else location, _clock=clock)
        except BaseException:
            self.records.close()
            raise
        self.book: FactBook
        self.keyed: Keyed
        self.standings: list[Standing]
        self.reasons: list[str]
        try:
            self.unrepeatable = frozenset(self.records.unrepeatable())
            self.failures: dict[str, StepFailure] = self.records.failures()
            self.latest: dict[tuple[str, str, str], StepRecord] = self.records.latest()
            self.watched = self.records.watched()
            self._open_book()
        except BaseException:
            self.close()
            raise

    @property
    def graph(self) -> StepGraph:
        """The fleet's step graph."""
        return self.fleet.graph

    def _remembered(self, database: Path, settings: Settings) -> Remembered | None:
        if not database.exists() or not settings.methods:
            return None
        with Records(database, clock=self.clock) as records:
            found = records.facts(memory_key(settings))
        if found is None:
            return None
        try:
            remembered = msgspec.msgpack.decode(found, type=Remembered)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        return remembered if remembered.holds(settings) else None

    def _open_book(self) -> None:
        settings, remembered = self.fleet.settings, self.fleet.remembered
        self.book = FactBook(
            self.watched,
            stateful=settings.stateful,
            stateless=settings.stateless,
            remembered=None if remembered is None else remembered.methods,
        )
        self.look_up()

    def load_code(self, *, all_of_it: bool = False) -> None:
        """Import what is going to run; when that is not what is remembered, look up anew."""
        remembered = self.fleet.remembered
        to_run = [
            unique.step
            for unique, standing in zip(self.keyed.uniques, self.standings, strict=True)
            if all_of_it or standing.provided or standing.status not in ("known", "not needed")
        ]
        if remembered is None or not to_run:
            return
        try:
            for step in to_run:
                _load(step)
        except Exception:  # whatever a user's module raises; said well by the other road
            still_holds = False
        else:
            # Looked at after the import: it is then the imported code that it describes.
            still_holds = remembered.holds(self.fleet.settings)
        if not still_holds:
            self.fleet = self._ask()
            self._open_book()

    def remember_code(self) -> None:
        """Keep the facts of the fleet's code for the next run, if it was imported for this one."""
        surroundings = self.fleet.surroundings
        if surroundings is None or not self.fleet.entries:
            return
        modules = [sys.modules.get(name) for name in self.fleet.settings.methods]
        files = [file for module in modules if (file := getattr(module, "__file__", None))]
        now_ns = int(self.clock() * 1e9)
        remembered = remember(self.book.methods, self.fleet.entries, files, surroundings, now_ns)
        if remembered is None:
            return
        try:
            encoded = msgspec.msgpack.encode(remembered)
        except (TypeError, ValueError, OverflowError):
            return  # options of a step that only this process can hold
        self.records.remember_facts(memory_key(self.fleet.settings), encoded)

    def __enter__(self) -> Prepared:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        from batchwright.execution.telling import opening_lines

        return f"<{self.fleet.name}: {opening_lines(self)[0]}>"

    def close(self) -> None:
        """Close the state database, and the cache unless it was the caller's."""
        self.records.close()
        if self._own_cache:
            self.cache.close()

    def look_up(self) -> None:
        """Make the keys, and find what is known; again after the facts of a class changed."""
        with fixed_code():
            self.keyed = key_graph(self.graph, self.book, self.unrepeatable)
        lookup = Lookup(self.keyed, self.cache.find, self.failures, self._part, self.clock())
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


def _load(step: Step) -> None:
    """Import the code of a step."""
    if step.instance is None:
        assert step.function is not None  # noqa: S101  # a step has one or the other
        step.function.load()
        return
    (step.instance.factory or step.instance.owner).load()
