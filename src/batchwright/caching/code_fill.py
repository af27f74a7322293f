"""Who changes what: names that code changes in place, and the statements that fill a registry."""

from __future__ import annotations

import ast
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
_known: dict[tuple[int, str], tuple[Any, Any, int, _Found]] = {}


def fillers(namespace: Namespace, name: str) -> _Found:
    """Calls at the level of own modules that change the global `name` of a module.

    Found are decorators and statements that call a function which changes that name: the ways
    in which registries are filled at import. Each comes with the globals it is read in.
    """
    spec, loaded = namespace.get("__spec__"), len(sys.modules)
    known = _known.get((id(namespace), name))
    if known is None or known[0] is not namespace or known[1] is not spec or known[2] != loaded:
        known = (namespace, spec, loaded, list(_fillers(namespace, name)))
        _known[id(namespace), name] = known
    return known[3]


def _fillers(namespace: Namespace, name: str) -> Iterator[tuple[Namespace, ast.AST]]:
    source = code_source.module_source(namespace)
    if source is None:
        return
    for alias in _aliases(source, name):
        for statement, _ in source.touching.get(alias, ()):
            yield namespace, statement
    makers = _makers(source, name)
    yield from _calls_of(makers, [namespace[maker] for maker in makers if maker in namespace])
    for where, elsewhere in _sources_with({name}):
        if where is not namespace:
            for touched in _touching_elsewhere(elsewhere, where, namespace, name):
                yield where, touched


def class_fillers(kind: type, name: str) -> _Found:
    """Calls at the level of own modules of methods that change the class attribute `name`."""
    loaded = len(sys.modules)
    known = _known.get((id(kind), name))
    if known is None or known[0] is not kind or known[2] != loaded:
        known = (kind, None, loaded, list(_class_fillers(kind, name)))
        _known[id(kind), name] = known
    return known[3]


def _class_fillers(kind: type, name: str) -> Iterator[tuple[Namespace, ast.AST]]:
    makers: set[str] = set()
    for base in kind.__mro__:
        module = sys.modules.get(base.__module__)
        if module is None or code_owner.owner_of_module(module) != OWN:
            continue
        source = code_source.module_source(vars(module))
        node = source.class_at(base.__qualname__) if source is not None else None
        for method in node.body if node is not None else ():
            if isinstance(method, ast.FunctionDef) and name in _changed_attributes(method):
                makers.add(method.name)
    members = [
        vars(base)[maker] for maker in makers for base in kind.__mro__ if maker in vars(base)
    ]
    yield from _calls_of(makers, members)


def fillers_in(source: Source, name: str) -> list[ast.AST]:
    """The same for a module of which only the text is at hand."""
    makers = _makers(source, name)
    return (
        [call for call in _module_calls(source) if _called_name(call) in makers] if makers else []
    )


def _makers(source: Source, name: str) -> set[str]:
    """The functions and classes of a module that change its global `name`."""
    if name not in source.text:
        return set()
    known = _makers_of.get(id(source))
    if known is None:
        found: dict[str, set[str]] = {}
        for statement, _ in source.statements:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                for changed in changed_names(statement):
                    found.setdefault(changed, set()).add(statement.name)
        known = _makers_of[id(source)] = (source, found)
    return known[1].get(name, set())


_makers_of: dict[int, tuple[Source, dict[str, set[str]]]] = {}


def _aliases(source: Source, name: str) -> Iterator[str]:
    for statement, _ in source.statements:
        match statement:
            case ast.Assign(targets=targets, value=ast.Name(id=original)) if original == name:
                yield from (target.id for target in targets if isinstance(target, ast.Name))


_changed_of: dict[int, tuple[ast.AST, frozenset[str]]] = {}


def _changed_attributes(method: ast.AST) -> frozenset[str]:
    """The attributes, of anything, that a method stores to or changes in place."""
    known = _changed_of.get(id(method))
    if known is None:
        known = (method, frozenset(_attribute_changes(method)))
        _changed_of[id(method)] = known
    return known[1]


def _attribute_changes(method: ast.AST) -> Iterator[str]:
    for part in ast.walk(method):
        match part:
            case ast.Attribute(attr=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.Subscript(value=ast.Attribute(attr=name), ctx=ast.Store() | ast.Del()):
                yield name
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=name), attr=called)):
                if called in MUTATING:
                    yield name


def _calls_of(makers: set[str], objects: list[Any]) -> Iterator[tuple[Namespace, ast.AST]]:
    if not makers:
        return
    for where, source in _sources_with(makers):
        for call in _module_calls(source):
            found = _called(call, where)
            if any(found is maker for maker in objects):
                yield where, call


def _sources_with(names: set[str]) -> Iterator[tuple[Namespace, Source]]:
    """The texts of own modules in which one of the names occurs."""
    for module in _own_modules():
        source = code_source.module_source(vars(module))
        if source is not None and source.holds and any(name in source.text for name in names):
            yield vars(module), source


def _touching_elsewhere(
    source: Source, where: Namespace, home: Namespace, name: str
) -> Iterator[ast.AST]:
    """Statements of another module that touch a global of `home`."""
    for root, statements in source.touching.items():
        held = where.get(root)
        if held is home.get(name) and held is not None and _imports(source, root):
            yield from (statement for statement, _ in statements)
        elif isinstance(held, types.ModuleType):
            for statement, _ in statements:
                if any(
                    isinstance(part, ast.Attribute)
                    and part.attr == name
                    and _resolved(part.value, where) is sys.modules.get(str(home.get("__name__")))
                    for part in ast.walk(statement)
                ):
                    yield statement


def _imports(source: Source, name: str) -> bool:
    return any(
        isinstance(statement, ast.ImportFrom) for statement, _ in source.bindings.get(name, ())
    )


_own: tuple[int, list[types.ModuleType]] = (0, [])


def _own_modules() -> list[types.ModuleType]:
    global _own  # noqa: PLW0603  # remembered until another module is loaded
    loaded = list(sys.modules.values())
    if _own[0] != len(loaded) or any(sys.modules.get(m.__name__) is not m for m in _own[1]):
        found = [
            module
            for module in loaded
            if isinstance(module, types.ModuleType)
            and isinstance(vars(module).get("__file__"), str)
            and code_owner.owner_of_module(module) == OWN
        ]
        _own = (len(loaded), found)
    return _own[1]


def _module_calls(source: Source) -> Iterator[ast.AST]:
    for statement, _ in source.statements:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from statement.decorator_list
            if isinstance(statement, ast.ClassDef):
                for inner in statement.body:
                    yield from getattr(inner, "decorator_list", ())
        elif isinstance(statement, ast.Expr | ast.Assign | ast.For | ast.AnnAssign):
            yield statement


def _function_of(node: ast.AST) -> ast.AST:
    """What a decorator or statement calls first: `f` of `f(1)(2)`."""
    if isinstance(node, ast.Expr | ast.Assign | ast.AnnAssign) and node.value is not None:
        node = node.value
    while isinstance(node, ast.Call):
        node = node.func
    return node


def _called_name(node: ast.AST) -> str | None:
    return root_name(_function_of(node))


def _called(node: ast.AST, namespace: Namespace) -> Any:
    """The object that a decorator or statement calls, looked up statically."""
    return _resolved(_function_of(node), namespace)


def _resolved(node: ast.AST, namespace: Namespace) -> Any:
    trail: list[str] = []
    while isinstance(node, ast.Attribute):
        trail.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    found = namespace.get(node.id)
    while trail:
        name = trail.pop()
        if isinstance(found, types.ModuleType):
            found = vars(found).get(name)
        elif isinstance(found, type):
            found = next((vars(base)[name] for base in found.__mro__ if name in vars(base)), None)
        else:
            return None
    return found
