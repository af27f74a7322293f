"""The files whose change can change what a module's names stand for."""

from __future__ import annotations

import re
import sys
import types
from typing import TYPE_CHECKING

from batchwright.caching import code_owner, code_source
from batchwright.caching.code_owner import OWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from batchwright.caching.code_source import Namespace

_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^#\n]*)"
    r"|import[ \t]+([^#\n]+))",
    re.MULTILINE,
)
_Known = tuple["Namespace", object, int, tuple["Namespace", ...]]
_imported: dict[int, _Known] = {}


def add_files(files: set[str], seen: dict[int, Namespace], namespace: Namespace) -> None:
    """Adds the file of an own module and of all own modules that it imports, one after another.

    `seen` holds the modules added before, by the identity of their globals.
    """
    waiting = [namespace]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen[id(current)] = current
        file = current.get("__file__")
        if isinstance(file, str) and not file.startswith("<"):
            files.add(file)
        waiting += _imports_of(current)


def _imports_of(namespace: Namespace) -> tuple[Namespace, ...]:
    """The globals of the own modules that a module imports, as far as they are loaded by now."""
    known = _imported.get(id(namespace))
    spec = namespace.get("__spec__")
    loaded = len(sys.modules)
    if known is None or known[0] is not namespace or known[1:3] != (spec, loaded):
        found = tuple(vars(module) for module in _imports(namespace))
        known = (namespace, spec, loaded, found)
        _imported[id(namespace)] = known
    return known[3]


def _imports(namespace: Namespace) -> Iterator[types.ModuleType]:
    names: set[str] = set()
    source = code_source.module_source(namespace)
    for match in _IMPORT.finditer(source.text) if source is not None else ():
        dots, module, taken, plain = match.groups()
        if plain is not None:
            names.update(part.split()[0] for part in plain.split(",") if part.strip())
            continue
        base = code_owner.absolute(len(dots), module, namespace)
        names.add(base)
        names.update(f"{base}.{name}" for name in re.findall(r"\w+", taken))
    parts = str(namespace.get("__name__", "")).split(".")
    names.update(".".join(parts[:depth]) for depth in range(1, len(parts)))
    for value in list(namespace.values()):
        if isinstance(value, types.ModuleType):
            names.add(value.__name__)
    for name in names:
        found = sys.modules.get(name)
        if isinstance(found, types.ModuleType) and code_owner.owner_of_module(found) == OWN:
            yield found
