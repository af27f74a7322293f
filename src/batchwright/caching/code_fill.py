"""Who changes what: names that code changes in place, and the statements that fill a registry."""

from __future__ import annotations

import ast
import re
import sys
import types
from typing import TYPE_CHECKING, Any

from batchwright.caching import code_owner, code_source
from batchwright.caching.code_owner import OWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from batchwright.caching.code_source import Namespace, Source

MUTATING = frozenset(
    {
        *("append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "update"),
        *("setdefault", "popitem", "add", "discard", "appendleft", "extendleft", "popleft"),
        *("rotate", "subtract", "move_to_end", "difference_update", "intersection_update"),
        *("symmetric_difference_update", "__setitem__", "__delitem__", "put", "put_nowait"),
        *("fill", "resize", "itemset", "write", "writelines", "set", "push", "register"),
    }
)
_changed: dict[int, tuple[ast.AST, frozenset[str]]] = {}


def root_name(node: ast.AST) -> str | None:
    """The variable that `x.y[z].w` begins with."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def changed_names(node: ast.AST) -> frozenset[str]:
    """The variables whose content a function changes in place, or rebinds from another scope."""
    known = _changed.get(id(node))
    if known is None:
        known = (node, frozenset(_changes(node)))
        _changed[id(node)] = known
    return known[1]


def _changes(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        changed: ast.AST | None = None
        match part:
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                yield from names
            case ast.Subscript(value=holder, ctx=ast.Store() | ast.Del()):
                changed = holder
            case ast.Attribute(value=holder, ctx=ast.Store() | ast.Del()):
                changed = holder
            case ast.Call(func=ast.Attribute(value=holder, attr=name)) if name in MUTATING:
                changed = holder
            case ast.AugAssign(target=ast.Name() as target):
                changed = target
        root = root_name(changed) if changed is not None else None
        if root is not None:
            yield root


# --- registries ---------------------------------------------------------------------------


_Found = list[tuple["Namespace", ast.AST]]
_known: dict[tuple[int, str], tuple[Any, int, _Found]] = {}


def fillers(namespace: Namespace, name: str) -> _Found:
    """Calls at the level of own modules that change the global `name` of a module.

    Found are decorators and statements that call a function which changes that name: the ways
    in which registries are filled at import. Each comes with the globals it is read in.
    """
    spec, loaded = namespace.get("__spec__"), len(sys.modules)
    known = _known.get((id(namespace), name))
    if known is None or known[0] is not spec or known[1] != loaded:
        known = (spec, loaded, list(_fillers(namespace, name)))
        _known[id(namespace), name] = known
    return known[2]


def _fillers(namespace: Namespace, name: str) -> Iterator[tuple[Namespace, ast.AST]]:
    makers = {maker for maker, _ in _makers(namespace, name)}
    if not makers:
        return
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(makers)))})\b")
    objects = [namespace[maker] for maker in makers if maker in namespace]
    for module in _own_modules():
        source = code_source.module_source(vars(module))
        if source is None or not source.holds or not pattern.search(source.text):
            continue
        for call in _module_calls(source):
            if _called(call, vars(module)) in objects:
                yield vars(module), call


def _makers(namespace: Namespace, name: str) -> Iterator[tuple[str, ast.AST]]:
    source = code_source.module_source(namespace)
    if source is None or not re.search(rf"\b{re.escape(name)}\b", source.text):
        return
    for statement, _ in source.statements:
        if isinstance(
            statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        ) and name in changed_names(statement):
            yield statement.name, statement


def _own_modules() -> list[types.ModuleType]:
    return [
        module
        for module in list(sys.modules.values())
        if isinstance(module, types.ModuleType)
        and isinstance(vars(module).get("__file__"), str)
        and code_owner.owner_of_module(module) == OWN
    ]


def _module_calls(source: Source) -> Iterator[ast.AST]:
    for statement, _ in source.statements:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from statement.decorator_list
            if isinstance(statement, ast.ClassDef):
                for inner in statement.body:
                    yield from getattr(inner, "decorator_list", ())
        elif isinstance(statement, ast.Expr | ast.Assign | ast.For | ast.AnnAssign):
            yield statement


def _called(node: ast.AST, namespace: Namespace) -> Any:
    """The object that a decorator or statement calls, looked up statically."""
    if isinstance(node, ast.Expr | ast.Assign | ast.AnnAssign) and node.value is not None:
        node = node.value
    while isinstance(node, ast.Call):
        node = node.func
    trail: list[str] = []
    while isinstance(node, ast.Attribute):
        trail.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    found = namespace.get(node.id)
    while trail and isinstance(found, types.ModuleType):
        found = vars(found).get(trail.pop())
    return found
