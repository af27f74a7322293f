"""Importing a fleet's own modules from its settings' folder."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from batchwright.contracts.nearest import hint
from batchwright.errors import MethodsImportError

if TYPE_CHECKING:
    from types import ModuleType

    from batchwright.contracts.settings import Settings


def import_folders(settings: Settings) -> tuple[str, ...]:
    """The folders that a fleet's modules are imported from, before all others."""
    return tuple(dict.fromkeys([str(settings.folder), str(Path.cwd())]))


def make_importable(settings: Settings) -> None:
    """Put a fleet's folders on the import path, for good.

    For good, as methods may import late, and results name their classes by module.
    """
    wanted = import_folders(settings)
    if tuple(sys.path[: len(wanted)]) != wanted:
        sys.path[:] = [*wanted, *(entry for entry in sys.path if entry not in wanted)]


def import_module_of(settings: Settings, name: str) -> ModuleType:
    """A module of the fleet.

    Raises `MethodsImportError` when there is none, when it raises, or when a module of that
    name from elsewhere is already imported in this process.
    """
    make_importable(settings)
    if not all(part.isidentifier() for part in name.split(".")):
        raise MethodsImportError(f"{settings.where}: '{name}' is not the name of a module")
    _refuse_other(settings.folder, name)
    # A module written a moment ago may be missing in what the finders remember.
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise MethodsImportError(_no_module(settings, name, error.name)) from error
        raise MethodsImportError(_raised(settings, name, error)) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever the user's module raises
        raise MethodsImportError(_raised(settings, name, error)) from error


def _no_module(settings: Settings, name: str, missing: str) -> str:
    parent = missing.rpartition(".")[0]
    if parent:
        paths = list(getattr(sys.modules.get(parent), "__path__", ()))
    else:
        paths = list(import_folders(settings))
    names = [f"{parent}.{m.name}" if parent else m.name for m in pkgutil.iter_modules(paths)]
    return (
        f"{settings.where}: there is no module '{name}'{hint(missing, names)} "
        f"(looked for in {', '.join(paths) or parent} and the installed packages)"
    )


def _raised(settings: Settings, name: str, error: BaseException) -> str:
    text = f"{settings.where}: importing '{name}' failed: {type(error).__name__}: {error}"
    if isinstance(error, SyntaxError):
        return text  # it names its own file and line
    place = _place(error)
    return f"{text} ({place})" if place else text


def _place(error: BaseException) -> str:
    """The last place in the traceback that is neither the import system's nor ours."""
    ours = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.startswith("<frozen importlib") or frame.filename == importlib.__file__:
            continue
        if not frame.filename.startswith(ours):
            return f"{frame.filename}:{frame.lineno}"
    return ""


def _refuse_other(folder: Path, name: str) -> None:
    """Refuse to take another fleet's module, already imported, for this one's."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        loaded = getattr(sys.modules.get(".".join(parts[:end])), "__file__", None)
        stem = folder.joinpath(*parts[:end])
        own = [path for path in (stem / "__init__.py", stem.with_suffix(".py")) if path.is_file()]
        if loaded is None or not own:
            continue
        if not Path(loaded).exists() or not own[0].samefile(loaded):
            raise MethodsImportError(
                f"a module '{'.'.join(parts[:end])}' from {loaded} is already imported, so that "
                f"{own[0]} cannot be; run this fleet in a process of its own"
            )
