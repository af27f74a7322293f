"""Facts of code remembered by its files, so that a fully known run imports no user module.

What is remembered holds while every file that the code was read from is the very file it was,
the folders of those files hold the same modules, the distributions have their versions, and what
else the import looked at is as it was.
"""

from __future__ import annotations

import hashlib
import os
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from batchwright._version import __version__
from batchwright.contracts.graph import Target
from batchwright.contracts.importing import import_folders
from batchwright.contracts.registry import Entry  # noqa: TC001  # msgspec reads it to decode
from batchwright.fleet.facts import MethodFacts  # noqa: TC001  # msgspec reads it to decode
from batchwright.fleet.surroundings import Stat, Surroundings, stat_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from batchwright.contracts.registry import Registry
    from batchwright.contracts.settings import Settings

# A file younger than this may still change without its times showing it, as file systems keep
# time in ticks (2 s on FAT).
_YOUNG_NS = 2_000_000_000


class Remembered(msgspec.Struct, frozen=True):
    """Facts by method, what names in contracts stand for, and what all of that was read from."""

    methods: dict[str, MethodFacts]
    entries: dict[str, Entry]
    files: dict[str, Stat]
    folders: dict[str, str]
    distributions: dict[str, str]
    surroundings: Surroundings

    def holds(self, settings: Settings) -> bool:
        """Whether everything it was read from is as it was."""
        return (
            all(stat_of(path) == stat for path, stat in self.files.items())
            and all(_modules_in(folder) == found for folder, found in self.folders.items())
            and all(_version(name) == version for name, version in self.distributions.items())
            and self.surroundings.hold(import_path(settings))
        )


def memory_key(settings: Settings) -> str:
    """Under what a fleet's facts are remembered: all that decides which files are imported."""
    told = (__version__, sys.version, import_path(settings), settings.methods)
    return hashlib.sha256(repr(told).encode()).hexdigest()


def import_path(settings: Settings) -> tuple[str, ...]:
    """The folders that a fleet's modules are, or would be, imported from."""
    own = import_folders(settings)  # on the path before all others, once something was imported
    return (*own, *(entry for entry in sys.path if entry not in own))


def remember(
    methods: Mapping[str, MethodFacts],
    entries: Mapping[str, Entry],
    module_files: Iterable[str],
    surroundings: Surroundings,
    now_ns: int,
) -> Remembered | None:
    """What can be remembered of these facts; None when they may not be trusted later.

    Not trusted are facts of code that was loaded from other files than there are now, or from
    files so young that a change would not show in their times.
    """
    described = [facts for method in methods.values() for facts in method.described]
    if not all(facts.current for facts in described):
        return None
    paths = {path for facts in described for path in facts.files} | set(module_files)
    paths |= {path for method in methods.values() for path in method.class_files}
    files: dict[str, Stat] = {}
    for path in sorted(paths):
        stat = stat_of(path)
        if stat is None:
            return None
        files[path] = stat
    looked_at = (stat for stat in surroundings.files.values() if stat is not None)
    if any(now_ns - max(stat[3], stat[4]) < _YOUNG_NS for stat in (*files.values(), *looked_at)):
        return None
    distributions = {
        name.removeprefix("dist "): version
        for facts in described
        for name, version in facts.parts.items()
        if name.startswith("dist ")
    }
    if any(_version(name) != version for name, version in distributions.items()):
        return None
    return Remembered(
        dict(methods),
        dict(entries),
        files,
        {folder: _modules_in(folder) for folder in sorted({str(Path(p).parent) for p in files})},
        distributions,
        surroundings,
    )


class NotRemembered(Exception):  # the cue to import the modules after all
    """A name was asked for that no earlier run has met."""


class RememberedRegistry:
    """The registry that answers from memory; raises `NotRemembered` for what is new to it."""

    def __init__(self, remembered: Remembered) -> None:
        self._entries = remembered.entries

    def method(self, class_name: str, method_name: str) -> Entry:
        """A method; without a class name, a plain function."""
        return self._entry(f"method {class_name}.{method_name}")

    def constructor(self, class_name: str) -> Entry:
        """A class, as called to make an object."""
        return self._entry(f"class {class_name}")

    def factory(self, name: str) -> Entry:
        """A function named `module:function`."""
        return self._entry(f"factory {name}")

    def _entry(self, name: str) -> Entry:
        found = self._entries.get(name)
        if found is None:
            raise NotRemembered(name)
        return found


class RecordingRegistry:
    """A registry that notes what it was asked, to be remembered."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.entries: dict[str, Entry] = {}

    def method(self, class_name: str, method_name: str) -> Entry:
        """A method; without a class name, a plain function."""
        return self._noted(
            f"method {class_name}.{method_name}",
            lambda: self._registry.method(class_name, method_name),
        )

    def constructor(self, class_name: str) -> Entry:
        """A class, as called to make an object."""
        return self._noted(f"class {class_name}", lambda: self._registry.constructor(class_name))

    def factory(self, name: str) -> Entry:
        """A function named `module:function`."""
        return self._noted(f"factory {name}", lambda: self._registry.factory(name))

    def _noted(self, name: str, ask: Callable[[], Entry]) -> Entry:
        found = ask()
        target = Target(found.target.module, found.target.qualname)
        self.entries[name] = msgspec.structs.replace(found, target=target)
        return found


def _modules_in(folder: str) -> str:
    """A mark of the names in a folder that an import could find."""
    try:
        names = sorted(
            entry.name
            for entry in os.scandir(folder)
            if entry.name.endswith((".py", ".so", ".pyd", ".zip"))
            or (entry.name.isidentifier() and entry.name != "__pycache__" and entry.is_dir())
        )
    except OSError:
        return ""
    return hashlib.sha256("\0".join(names).encode(errors="surrogateescape")).hexdigest()


def _version(name: str) -> str | None:
    if name == "batchwright":
        return __version__
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
