"""What the import of a fleet's modules looked at besides code: files, folders, environment, names.

A table read from a file, a mode taken from the environment, a module that is used when it is
there: each decides what the code does, and none shows in the files of the code.
"""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
from contextlib import contextmanager
from functools import cache
from importlib.machinery import PathFinder
from types import ModuleType
from typing import TYPE_CHECKING, Any

import msgspec

from batchwright.caching.code_owner import OWN, owner_of_module

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Stat = tuple[int, int, int, int, int]


class Surroundings(msgspec.Struct, frozen=True):
    """What was looked at, and how it was: None for what was not there.

    `modules` tells where own modules are found, and those that were looked for in vain. Of
    environment variables, which may be secret, digests are kept.
    """

    files: dict[str, Stat | None] = {}
    folders: dict[str, str] = {}
    environment: dict[str, str | None] = {}
    modules: dict[str, tuple[str, ...] | None] = {}

    def hold(self, path: Sequence[str]) -> bool:
        """Whether all of it is as it was; `path` is what modules are imported from."""
        return (
            all(stat_of(name) == stat for name, stat in self.files.items())
            and all(_names_in(folder) == names for folder, names in self.folders.items())
            and all(_variable(name) == value for name, value in self.environment.items())
            and all(_found(name, path) == found for name, found in self.modules.items())
        )


class Looked:
    """The names of what was looked at, filled while `looking`."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.folders: set[str] = set()
        self.variables: set[str] = set()
        self.modules: set[str] = set()

    def surroundings(self, path: Sequence[str]) -> Surroundings:
        """What was looked at, as it is now."""
        return Surroundings(
            {name: stat_of(name) for name in sorted(self.files)},
            {name: _names_in(name) for name in sorted(self.folders)},
            {name: _variable(name) for name in sorted(self.variables)},
            {name: _found(name, path) for name in sorted(self.modules)},
        )


@contextmanager
def looking() -> Iterator[Looked]:
    """Note what is looked at meanwhile, by any code, and which own modules are imported."""
    global _looked, _hook_added  # noqa: PLW0603  # an audit hook can never be taken away again
    if not _hook_added:
        sys.addaudithook(_note)
        _hook_added = True
    looked = Looked()
    before = set(sys.modules)
    outer, _looked = _looked, looked
    last = _LastFinder(looked.modules)
    sys.meta_path.append(last)
    kind = type(os.environ)
    os.environ.__class__ = _noting(kind, looked.variables)
    try:
        yield looked
    finally:
        os.environ.__class__ = kind
        sys.meta_path.remove(last)
        _looked = outer
        looked.modules.update(
            name
            for name in sys.modules.keys() - before
            if "." not in name
            and isinstance(module := sys.modules[name], ModuleType)
            and owner_of_module(module) == OWN
        )


def stat_of(path: str) -> Stat | None:
    """What tells a file from another in its place; None when there is none."""
    try:
        stat = os.stat(path)  # noqa: PTH116  # the paths are texts
    except OSError:
        return None
    return (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


# --- noting -------------------------------------------------------------------------------

_looked: Looked | None = None
_hook_added = False


def _note(event: str, args: tuple[Any, ...]) -> None:
    if _looked is None or event not in ("open", "os.listdir", "os.scandir", "sqlite3.connect"):
        return
    name = args[0]
    if isinstance(name, bytes):
        name = os.fsdecode(name)
    if name is None:
        name = "."
    if not isinstance(name, str) or _is_import_system(sys._getframe(1).f_code.co_filename):
        return
    path = os.path.abspath(name)  # noqa: PTH100  # an audit hook runs often
    if path.endswith((".py", ".pyc", ".so", ".pyd")) or path.startswith(_foreign()):
        return  # code, which is followed as such; and what counts by its version
    (_looked.folders if event in ("os.listdir", "os.scandir") else _looked.files).add(path)


def _is_import_system(file: str) -> bool:
    return file.startswith("<frozen importlib")


@cache
def _foreign() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    folders = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders |= {"/proc", "/dev", "/sys", "/usr/share/zoneinfo", "/etc"}
    return tuple(
        each + os.sep for folder in sorted(folders) for each in {folder, os.path.realpath(folder)}
    )


def _noting(kind: Any, variables: set[str]) -> type:
    """`os.environ`'s class, with each look at a variable noted."""

    def read(self: Any, name: Any) -> Any:
        if isinstance(name, str):
            variables.add(name)
        return kind.__getitem__(self, name)

    return type(kind.__name__, (kind,), {"__getitem__": read})


class _LastFinder:
    """Asked for a module when nobody else has it."""

    def __init__(self, absent: set[str]) -> None:
        self._absent = absent

    def find_spec(self, name: str, path: Any = None, _target: Any = None) -> None:
        """Never finds anything."""
        if path is None:  # inside a package its folder tells, or its distribution
            self._absent.add(name)


# --- looking again ------------------------------------------------------------------------


def _found(name: str, path: Sequence[str]) -> tuple[str, ...] | None:
    """Where a module that does not stand in a package is found; nothing is imported."""
    spec = PathFinder.find_spec(name, list(path))
    if spec is None:
        return None
    return (spec.origin or "", *(spec.submodule_search_locations or ()))


def _variable(name: str) -> str | None:
    value = os.environ.get(name)
    if value is None:
        return None
    return hashlib.sha256(value.encode(errors="surrogateescape")).hexdigest()


def _names_in(folder: str) -> str:
    """A mark of the names in a folder, hidden ones and what Python itself makes left out."""
    try:
        names = sorted(n for n in os.listdir(folder) if n[:1] != "." and n != "__pycache__")  # noqa: PTH208
    except OSError:
        return ""
    return hashlib.sha256("\0".join(names).encode(errors="surrogateescape")).hexdigest()
