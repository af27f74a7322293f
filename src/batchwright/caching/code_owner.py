"""Whose a module is: Python's, an installed distribution's, or the user's own."""

from __future__ import annotations

import sys
import sysconfig
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import types
    from collections.abc import Mapping

OWN: Final = "own"
PYTHON: Final = "python"

_ITSELF = __name__.partition(".")[0]


def owner_of(module: str, file: str | None) -> str:
    """`OWN`, `PYTHON`, or `"NAME VERSION"` of the distribution that a module belongs to.

    `file` is the module's file, None when it has none. Code that is installed editable is own
    code, and so is what stands on the path without belonging to any distribution.
    """
    top = module.partition(".")[0]
    if top == _ITSELF:
        return f"{_ITSELF} {_own_version()}"
    if not file:
        # Without a file: built in, or made by a notebook, a console or `exec`.
        return PYTHON if top in sys.stdlib_module_names or top == "builtins" else OWN
    return _owner(top, _root(module, file))


def owner_of_module(module: types.ModuleType) -> str:
    """Whose a loaded module is."""
    return owner_of_namespace(vars(module))


def owner_of_namespace(namespace: Mapping[str, Any]) -> str:
    """Whose the module with these globals is."""
    file = namespace.get("__file__")
    return _known_owner(str(namespace.get("__name__")), file if isinstance(file, str) else None)


@cache
def _known_owner(module: str, file: str | None) -> str:
    return owner_of(module, file)


def module_file(module: str) -> str | None:
    """The file of a loaded module; None when it has none or is not loaded."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return file if isinstance(file, str) else None


def version_of_python() -> str:
    """Python's version, as far as it counts."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


@cache
def _own_version() -> str:
    from batchwright._version import __version__

    return __version__


@cache
def _root(module: str, file: str) -> str:
    """The folder on the path that a module was found in."""
    parts = module.split(".")
    path = Path(file)
    depth = len(parts) if path.stem == "__init__" else len(parts) - 1
    parents = path.parents
    return str(parents[min(depth, len(parents) - 1)])


@cache
def _python_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return tuple(str(Path(paths[name])) for name in ("stdlib", "platstdlib"))


@cache
def _owner(top: str, root: str) -> str:
    folders = _python_folders()
    if root in folders or (
        top in sys.stdlib_module_names
        and any(folder in folders for folder in (str(p) for p in Path(root).parents))
    ):
        return PYTHON
    claims = sorted({_named(found) for found in _distributions(root) if _claims(found, top)})
    return ", ".join(claims) or OWN


def _named(found: metadata.Distribution) -> str:
    return f"{found.metadata['Name']} {found.version}"


@cache
def _distributions(root: str) -> tuple[metadata.Distribution, ...]:
    if not any(Path(root).glob("*.dist-info")) and "packages" not in Path(root).name:
        return ()  # egg-info beside a source tree means that it is being worked on
    return tuple(found for found in metadata.distributions(path=[root]) if not _is_editable(found))


def _is_editable(found: metadata.Distribution) -> bool:
    # Installers write the same JSON, some with spaces and some without.
    return '"editable":true' in (found.read_text("direct_url.json") or "").replace(" ", "")


def _claims(found: metadata.Distribution, top: str) -> bool:
    tops = found.read_text("top_level.txt")
    if tops is not None and top in tops.split():
        return True
    return top in _tops_by_record(found)


_tops: dict[int, tuple[metadata.Distribution, frozenset[str]]] = {}


def _tops_by_record(found: metadata.Distribution) -> frozenset[str]:
    known = _tops.get(id(found))
    if known is None:
        # The lines of RECORD begin with the file's path; parsing them as paths took most of the
        # time of a first digest.
        record = found.read_text("RECORD")
        names = map(str, found.files or ()) if record is None else record.splitlines()
        first = {name.lstrip('"').replace("\\", "/").partition("/")[0] for name in names}
        tops = frozenset(part.partition(",")[0].partition(".")[0] for part in first)
        known = (found, tops - {""})
        _tops[id(found)] = known
    return known[1]


def location(value: Any) -> str:
    """`module:qualname` of anything that carries both."""
    return f"{module_name(getattr(value, '__module__', None))}:{value.__qualname__}"


def module_name(name: Any) -> str:
    """A module's name; for a script, its file's stem, so that script and module are the same."""
    if name != "__main__":
        return str(name)
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        named = str(spec.name)
        return named.removesuffix(".__main__")
    file = getattr(main, "__file__", None)
    return Path(file).stem if isinstance(file, str) else "__main__"


def owner_of_class(kind: type) -> str:
    """Whose a class is, by the module that it names as its own."""
    module = getattr(kind, "__module__", None)
    if not isinstance(module, str):
        return OWN
    return _known_owner(module, module_file(module))


def absolute(level: int, name: str, namespace: Mapping[str, Any]) -> str:
    """The full name of a module that an import statement names, dots resolved."""
    if not level:
        return name
    package = namespace.get("__package__")
    if not isinstance(package, str):
        package = str(namespace.get("__name__", "")).rpartition(".")[0]
        if "__path__" in namespace:
            package = str(namespace["__name__"])
    parts = package.split(".")
    base = ".".join(parts[: len(parts) - (level - 1)])
    return f"{base}.{name}" if name and base else base or name
