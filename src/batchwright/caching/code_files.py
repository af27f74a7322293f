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
_closures: dict[int, tuple[object, int, frozenset[str]]] = {}


def files_behind(namespace: Namespace) -> frozenset[str]:
    """The file of an own module and of all own modules that it imports, one after another."""
    loaded = len(sys.modules)
    known = _closures.get(id(namespace))
    spec = namespace.get("__spec__")
    if known is not None and known[0] is spec and known[1] == loaded:
        return known[2]
    seen: dict[int, Namespace] = {}
    waiting = [namespace]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen[id(current)] = current
        waiting += [vars(module) for module in _imports(current)]
    files = frozenset(
        file
        for found in seen.values()
        if isinstance(file := found.get("__file__"), str) and not file.startswith("<")
    )
    _closures[id(namespace)] = (spec, loaded, files)
    return files


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
        if isinstance(found, types.ModuleType) and _is_own(found):
            yield found


def _is_own(module: types.ModuleType) -> bool:
    file = vars(module).get("__file__")
    return code_owner.owner_of(module.__name__, file if isinstance(file, str) else None) == OWN
