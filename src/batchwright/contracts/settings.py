"""Settings: `batchwright.toml`, or `[tool.batchwright]` of a `pyproject.toml`."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from batchwright.contracts.nearest import hint, listing
from batchwright.errors import InvalidSettings

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS_FILE = "batchwright.toml"
_PROJECT_FILE = "pyproject.toml"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a fleet's settings file says.

    `folder` is where the file stands (or would): paths in it are relative to that folder, which
    is on the import path for `methods`. `path` is the file itself, None when there is none.

    `instances` holds constructor arguments by class name; its entry `factory` names a function
    `module:function` to call instead of the class. `stateful` and `stateless` are class names.
    `cache` is a location, absolute when it is a folder.
    """

    folder: Path
    path: Path | None = None
    methods: tuple[str, ...] = ()
    inputs: dict[str, Any] = {}
    instances: dict[str, dict[str, Any]] = {}
    stateful: tuple[str, ...] = ()
    stateless: tuple[str, ...] = ()
    cache: str | None = None
    workers: int | None = None
    engine: Literal["local", "dask", "inline"] | None = None
    strict: bool = False

    @property
    def state_folder(self) -> Path:
        """Where records, reports and, unless told otherwise, the cache live."""
        return self.folder / ".batchwright"

    @property
    def where(self) -> str:
        """The file's name for messages; where it would be when there is none."""
        return str(self.path if self.path is not None else self.folder / SETTINGS_FILE)


class _Written(msgspec.Struct, frozen=True):
    """The keys of the file with their types."""

    methods: tuple[str, ...] = ()
    inputs: dict[str, Any] = {}
    instances: dict[str, dict[str, Any]] = {}
    stateful: tuple[str, ...] = ()
    stateless: tuple[str, ...] = ()
    cache: str | None = None
    workers: int | None = None
    engine: Literal["local", "dask", "inline"] | None = None
    strict: bool = False


def settings_for(start: Path) -> Settings:
    """The settings of a fleet in `start`, or defaults in that folder when there are none.

    Raises `InvalidSettings`.
    """
    start = start.absolute()
    found = find_settings(start)
    folder = start if start.is_dir() else start.parent
    return Settings(folder=folder) if found is None else read_settings(found)


def find_settings(start: Path) -> Path | None:
    """The settings file of `start` (a folder, or a file in it): there, or in the first parent.

    In one folder `batchwright.toml` goes before `pyproject.toml`, which counts only with a
    table `[tool.batchwright]`. Raises `InvalidSettings` for a `pyproject.toml` on the way that
    cannot be read.
    """
    start = start.absolute()
    for folder in (start, *start.parents):
        own = folder / SETTINGS_FILE
        if own.is_file():
            return own
        project = folder / _PROJECT_FILE
        if project.is_file() and _project_table(_toml(project)) is not None:
            return project
    return None


def read_settings(path: Path) -> Settings:
    """The settings in a file.

    Raises `InvalidSettings` naming the file and, where one is at fault, the key.
    """
    path = path.absolute()
    table: Any = _toml(path)
    if path.name == _PROJECT_FILE:
        table = _project_table(table) or {}
    names = _Written.__struct_fields__
    for key in table:
        if key not in names:
            raise InvalidSettings(
                f"{path}: there is no setting '{key}'{hint(key, names)} "
                f"(there are {listing(names)})"
            )
    try:
        written = msgspec.convert(table, _Written)
    except msgspec.ValidationError as error:
        text = str(error).replace("`", "").replace("$.", "").replace(" - at ", " in ")
        raise InvalidSettings(f"{path}: {text[:1].lower()}{text[1:]}") from error
    if written.workers is not None and written.workers < 1:
        raise InvalidSettings(f"{path}: workers must be 1 or more, not {written.workers}")
    _refuse_both_states(path, written)
    values = msgspec.structs.asdict(written)
    values["cache"] = _location(written.cache, path.parent)
    return Settings(folder=path.parent, path=path, **values)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InvalidSettings(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InvalidSettings(f"{path} is not UTF-8 text (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidSettings(f"{path} is not valid TOML: {error}") from error


def _project_table(project: dict[str, Any]) -> dict[str, Any] | None:
    tool = project.get("tool")
    table = tool.get("batchwright") if isinstance(tool, dict) else None
    return table if isinstance(table, dict) else None


def _refuse_both_states(path: Path, written: _Written) -> None:
    both = sorted(set(written.stateful) & set(written.stateless))
    if both:
        raise InvalidSettings(f"{path}: {', '.join(both)} is both stateful and stateless")


def _location(cache: str | None, folder: Path) -> str | None:
    if cache is None or "://" in cache:
        return cache
    return os.path.normpath(folder / os.path.expanduser(cache))  # noqa: PTH111  # raises nothing
