"""Imports inside functions: followed by the text of the modules alone.

Such a module may not be loaded yet, and loading it would run its code. So the names it defines
are followed through its text, whether or not it happens to be loaded: the digest must not depend
on what else has run in this process.
"""

from __future__ import annotations

import ast
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from batchwright.caching import code_fill, code_names, code_owner, code_source, code_tree
from batchwright.caching.code_owner import OWN

if TYPE_CHECKING:
    from batchwright.caching.code_names import Use
    from batchwright.caching.code_reach import Namespace, Walk
    from batchwright.caching.code_source import Source


def imported(walk: Walk, use: Use, namespace: Namespace) -> str:
    """The token of what an import inside a function takes."""
    level, _, name = use.name.partition(":")
    module = code_owner.absolute(int(level), name, namespace)
    return _path(walk, module, use.attributes)


def _path(walk: Walk, module: str, attributes: tuple[str, ...]) -> str:
    file = _file_of(module)
    owner = code_owner.owner_of(module, file)
    trail = ".".join((module, *attributes))
    if owner != OWN:
        return walk.foreign(owner, trail)
    loaded = sys.modules.get(module)
    if loaded is not None:
        source = code_source.module_source(vars(loaded))
        if source is None or not source.holds:
            return _loaded(walk, loaded, attributes)
    else:
        source = code_source.file_source(file) if file else None
    if source is None:
        return f"missing {trail}"
    walk.files.add(source.name)
    if not attributes or attributes[0] == "*":
        return _whole(walk, module, source)
    return _attribute(walk, module, source, attributes)


def _loaded(walk: Walk, module: Any, attributes: tuple[str, ...]) -> str:
    from batchwright.caching.code_reach import Place

    if attributes[:1] == ("*",):
        return walk.whole_module(vars(module), "")
    return walk.path(module, attributes, Place("module", vars(module), ""))


def _attribute(walk: Walk, module: str, source: Source, attributes: tuple[str, ...]) -> str:
    name, rest = attributes[0], attributes[1:]
    statements = source.bindings.get(name)
    if statements is not None:
        taken = _import_of(statements[-1][0], name)
        if taken is not None:
            return _imported_again(walk, module, source, taken, rest)
        return _part(walk, module, source, name)
    if _file_of(f"{module}.{name}") is not None:
        return _path(walk, f"{module}.{name}", rest)
    for statement, _ in source.bindings.get("*", ()):
        assert isinstance(statement, ast.ImportFrom)  # noqa: S101  # the only star there is
        origin = _absolute(statement.level, statement.module or "", module, source)
        found = _source_of(origin)
        if found is not None and (name in found.bindings or "*" in found.bindings):
            token = _path(walk, origin, attributes)
            if not token.startswith("missing"):
                return token
    if "__getattr__" in source.bindings:
        walk.note(source.name, 0, f"{module}.{name} is made by the module's __getattr__")
        return _whole(walk, module, source)
    return f"missing {module}.{name}"


def _import_of(statement: ast.stmt, name: str) -> tuple[int, str, str | None] | None:
    """Level, module and name that an import binds `name` to; None for other statements."""
    if isinstance(statement, ast.ImportFrom):
        for alias in statement.names:
            if (alias.asname or alias.name) == name:
                return statement.level, statement.module or "", alias.name
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            if alias.asname == name:
                return 0, alias.name, None
            if alias.asname is None and alias.name.split(".")[0] == name:
                return 0, name, None
    return None


def _imported_again(
    walk: Walk,
    module: str,
    source: Source,
    taken: tuple[int, str, str | None],
    rest: tuple[str, ...],
) -> str:
    level, origin, item = taken
    absolute = _absolute(level, origin, module, source)
    return _path(walk, absolute, rest if item is None else (item, *rest))


def _part(walk: Walk, module: str, source: Source, name: str) -> str:
    key = f"{code_owner.module_name(module)}:{name}"
    return walk.part(
        ("text", source.name, name),
        key,
        lambda content: _expand(walk, content, module, source, name),
        source,
    )


def _expand(walk: Walk, content: list[str], module: str, source: Source, name: str) -> None:
    statements = [*source.bindings.get(name, ()), *source.touching.get(name, ())]
    for statement, heads in statements:
        for node in (statement, *heads):
            _count(walk, content, module, source, node, name)
    for filler in code_fill.fillers_in(source, name):
        _count(walk, content, module, source, filler, name)


def _count(
    walk: Walk, content: list[str], module: str, source: Source, node: ast.AST, name: str
) -> None:
    said = code_source.said(node)
    content.append(said.text)
    if getattr(node, "decorator_list", ()):
        content.append(said.annotations)
    for use in said.uses:
        if use.root == code_names.IMPORTED:
            level, _, origin = use.name.partition(":")
            absolute = _absolute(int(level), origin, module, source)
            content.append(f"{absolute} {_path(walk, absolute, use.attributes)}")
        elif use.root == code_names.UNKNOWN:
            walk.note(source.name, use.line, f"{use.name} cannot be followed")
        elif use.root == code_names.NAMESPACE:
            content.append(_whole(walk, module, source))
        elif use.root == code_names.GLOBAL_NAME and use.name != name:
            token = _attribute(walk, module, source, (use.name, *use.attributes))
            content.append(f"{use.name}.{'.'.join(use.attributes)} {token}")


def _whole(walk: Walk, module: str, source: Source) -> str:
    key = f"{code_owner.module_name(module)}:*"
    return walk.part(
        ("text", source.name, "*"),
        key,
        lambda content: _expand_whole(walk, content, module, source),
        source,
    )


def _expand_whole(walk: Walk, content: list[str], module: str, source: Source) -> None:
    if source.tree is not None:
        content.append(code_tree.canonical(source.tree)[0])
    names = sorted(source.bindings.keys() - {"*"})
    content += [f"{name} {_attribute(walk, module, source, (name,))}" for name in names]


# --- finding modules without loading them -------------------------------------------------


def _absolute(level: int, name: str, module: str, source: Source) -> str:
    is_package = source.name.endswith(("__init__.py", "__init__.pyc"))
    package = module if is_package else module.rpartition(".")[0]
    return code_owner.absolute(level, name, {"__name__": module, "__package__": package})


def _source_of(module: str) -> Source | None:
    file = _file_of(module)
    if file is None or code_owner.owner_of(module, file) != OWN:
        return None
    return code_source.file_source(file)


def _file_of(module: str) -> str | None:
    loaded = code_owner.module_file(module)
    if loaded is not None:
        return loaded
    if module in sys.modules or module in sys.builtin_module_names:
        return None
    return _found(module, tuple(sys.path))


@cache
def _found(module: str, path: tuple[str, ...]) -> str | None:
    """The file a module would be loaded from; `path` only tells apart what is remembered."""
    parent, _, _ = module.rpartition(".")
    locations: list[str] | None = None
    if parent:
        locations = _locations(parent, path)
        if locations is None:
            return None
    spec = _spec(module, locations)
    origin = spec.origin if spec is not None else None
    return origin if isinstance(origin, str) and origin not in ("built-in", "frozen") else None


def _locations(module: str, path: tuple[str, ...]) -> list[str] | None:
    loaded = sys.modules.get(module)
    if loaded is not None:
        return list(getattr(loaded, "__path__", None) or []) or None
    parent, _, _ = module.rpartition(".")
    outer = _locations(parent, path) if parent else None
    if parent and outer is None:
        return None
    spec = _spec(module, outer)
    if spec is None or spec.submodule_search_locations is None:
        return None
    return list(spec.submodule_search_locations)


def _spec(module: str, locations: list[str] | None) -> Any:
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        try:
            spec = find(module, locations) if find is not None else None
        except (ImportError, AttributeError, ValueError, TypeError):
            continue
        if spec is not None:
            return spec
    return None
