"""What modules hold beyond functions and classes: tables, registries, instances.

Such a value changes while the program runs, so it counts by the source that made it: the
statements that bind its name, those of the module level that touch it, and what all these reach.
Functions and classes in it count as they are, which covers registries filled by decorators.
Where no source is to be had, it counts by value.
"""

from __future__ import annotations

import ast
import dataclasses
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchwright.caching import (
    code_fill,
    code_names,
    code_owner,
    code_source,
    code_tree,
    code_value,
)
from batchwright.caching.code_owner import OWN
from batchwright.caching.code_reach import Namespace, Place, Walk, hashed
from batchwright.errors import BatchwrightError, UncacheableArgument

if TYPE_CHECKING:
    from batchwright.caching.code_source import Source, Statement


def made(walk: Walk, value: Any, place: Place | None) -> str:
    """The token of a value that may change or cannot be told apart."""
    token: str | None = None
    if place is not None:
        if place.kind == "argument":
            token = by_value(walk, value)
            if token is None and isinstance(place.holder, dict | type):
                kind = "class" if isinstance(place.holder, type) else "module"
                place = place._replace(kind=kind)
        if token is None and place.kind in ("module", "class"):
            found = home(place)
            token = by_source(walk, value, found) if found is not None else None
        elif token is None and place.kind == "default":
            token = _default(walk, value, place)
        elif token is None and place.kind == "attribute":
            token = _function_attribute(walk, value, place)
    if token is None:
        token = by_value(walk, value)
    if token is None and place is not None and place.kind in ("module", "class"):
        found = home(place)
        token = by_source(walk, value, found, trusting=True) if found is not None else None
    if token is None:
        if place is not None:
            _note_unknown(walk, value, place)
        inside = " ".join(code_value.code_inside(walk, value))
        token = f"opaque {walk.value(type(value), None)} {inside}"
    return token


def _note_unknown(walk: Walk, value: Any, place: Place) -> None:
    kind = type(value)
    named = f"{kind.__module__}.{kind.__qualname__}"
    holder = place.holder
    file = str(holder.get("__file__", "")) if isinstance(holder, dict) else ""
    walk.note(file, 0, f"{place.name} ({named}) has neither source nor content to count")


def inline(walk: Walk, value: Any) -> str:
    """The token of a value by content where it has any, else of its type."""
    found = code_value.constant(walk, value) or code_value.code(walk, value, None)
    return found or by_value(walk, value) or f"opaque {walk.value(type(value), None)}"


def _namespace(place: Place) -> Namespace:
    from batchwright.caching import code_class

    return code_class.namespace_of(place.holder) if place.kind == "class" else place.holder


# --- by source ----------------------------------------------------------------------------


def key_of(place: Place) -> str:
    """The key of the part that a named value is."""
    if place.kind == "class":
        return f"{code_owner.location(place.holder)}.{place.name}"
    return f"{code_owner.module_name(place.holder.get('__name__'))}:{place.name}"


def home(place: Place) -> Place | None:
    """Where the name of a value is bound: imports are followed to the module that defines it."""
    for _ in range(20):
        if place.kind != "module":
            return place
        source = code_source.module_source(place.holder)
        if source is None:
            return place
        origin = _imported_from(source, place)
        if origin is None:
            return place
        place = origin
    return place


def _imported_from(source: Source, place: Place) -> Place | None:
    statements = source.bindings.get(place.name)
    if statements is None:
        for statement, _ in source.bindings.get("*", ()):
            assert isinstance(statement, ast.ImportFrom)  # noqa: S101  # the only star there is
            found = _loaded(statement, place.holder)
            if found is not None and place.name in found:
                return Place("module", found, place.name)
        return None
    statement = statements[-1][0]
    if not isinstance(statement, ast.ImportFrom):
        return None
    found = _loaded(statement, place.holder)
    if found is None:
        return None
    for alias in statement.names:
        if (alias.asname or alias.name) == place.name:
            return Place("module", found, alias.name)
    return None


def _loaded(statement: ast.ImportFrom, namespace: Namespace) -> Namespace | None:
    """The globals of the own module that a `from` import reads."""
    name = code_owner.absolute(statement.level, statement.module or "", namespace)
    module = sys.modules.get(name)
    if module is None or code_owner.owner_of_namespace(vars(module)) != OWN:
        return None
    return vars(module)


def by_source(walk: Walk, value: Any, place: Place, *, trusting: bool = False) -> str | None:
    """The token of a value counted by the statements that made it; None without any.

    None as well when the text may have been edited since, unless `trusting` says that nothing
    else is left to count by.
    """
    namespace = _namespace(place)
    source = code_source.module_source(namespace)
    if source is None:
        return None
    statements = _statements(source, place)
    if not statements or not (trusting or source.holds or _agrees(statements, value)):
        return None
    walk.module_read(namespace)
    holder = place.holder
    return walk.part(
        ("source", id(holder), place.name),
        key_of(place),
        lambda content: _expand(walk, content, value, place, namespace, statements),
        holder,
        value,
    )


def _statements(source: Source, place: Place) -> list[Statement]:
    if place.kind == "module":
        return [*source.bindings.get(place.name, ()), *source.touching.get(place.name, ())]
    node = source.class_at(place.holder.__qualname__)
    if node is None:
        return []
    bound = code_source.bindings([(statement, ()) for statement in node.body])
    found = list(bound.get(place.name, ()))
    if found:
        found += [
            statement
            for statement in source.touching.get(node.name, ())
            if any(
                isinstance(part, ast.Attribute) and part.attr == place.name
                for part in ast.walk(statement[0])
            )
        ]
    return found


def _agrees(statements: list[Statement], value: Any) -> bool:
    """Whether a literal in the source is the value that is loaded, so that the source holds."""
    if len(statements) != 1:
        return False
    try:
        written = ast.literal_eval(getattr(statements[0][0], "value", None))  # type: ignore[arg-type]
        return bool(type(written) is type(value) and repr(written) == repr(value))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False


def _expand(
    walk: Walk,
    content: list[str],
    value: Any,
    place: Place,
    namespace: Namespace,
    statements: list[Statement],
) -> None:
    for statement, heads in statements:
        count_tree(walk, content, namespace, statement, skip=place.name)
        for head in heads:
            count_tree(walk, content, namespace, head, skip=place.name)
    if value is not None:
        content.append(f"type {walk.value(type(value), None)}")
        content += code_value.code_inside(walk, value)
        if not _is_written_out(statements, place.name):
            content.append(_as_loaded(value))
    if place.kind == "module":
        found = code_fill.fillers(namespace, place.name)
    else:
        found = code_fill.class_fillers(place.holder, place.name)
    for where, filler in found:
        count_tree(walk, content, where, filler, skip=place.name)
        walk.module_read(where)


# Calls of these without arguments make an empty container, whose content is then its own affair.
_CONTAINERS = frozenset({"dict", "list", "set", "defaultdict", "OrderedDict", "Counter", "deque"})


def _is_written_out(statements: list[Statement], name: str) -> bool:
    """Whether statements say themselves what a value is, and call nothing to find it out.

    A call may read a file, an environment variable or a clock, which no source shows.
    """
    for statement, _ in statements:
        for node in ast.walk(statement):
            if not isinstance(node, ast.Call):
                continue
            called = node.func
            if isinstance(called, ast.Attribute) and _root(called) == name:
                continue  # TABLE.update(...): its arguments are looked at for themselves
            last = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if last not in _CONTAINERS or any(
                not isinstance(argument, ast.Name) for argument in node.args
            ):
                return False
    return True


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _as_loaded(value: Any) -> str:
    """The content of a plain table as it is now; nothing for what is not plain."""
    from batchwright.caching.digest import digest

    if not _is_plain(value):
        return ""
    try:
        return f"loaded {digest(value)}"
    except BatchwrightError:  # it contains itself
        return ""


def _is_plain(value: Any, depth: int = 0) -> bool:
    # Without functions and classes, whose digest may lead back to this very table.
    if type(value) in _PLAIN:
        return True
    if depth > _DEEPEST:
        return False
    if type(value) is dict:
        return all(_is_plain(item, depth + 1) for pair in value.items() for item in pair)
    return type(value) in (list, tuple, set, frozenset) and all(
        _is_plain(item, depth + 1) for item in value
    )


_PLAIN = (type(None), bool, int, float, complex, str, bytes, bytearray)
_DEEPEST = 20


def count_tree(
    walk: Walk, content: list[str], namespace: Namespace, node: ast.AST, *, skip: str
) -> None:
    """Adds a piece of a module's source to a part, and what it reaches."""
    said = code_source.said(node)
    content.append(said.text)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        content.append(said.annotations)
    for use in said.uses:
        if use.root == code_names.GLOBAL_NAME and use.name != skip:
            token = walk.name(namespace, use.name, use.attributes)
            content.append(f"{use.name}.{'.'.join(use.attributes)} = {token}")
        elif use.root == code_names.IMPORTED and not isinstance(node, ast.Import | ast.ImportFrom):
            from batchwright.caching import code_lazy

            content.append(code_lazy.imported(walk, use, namespace))


def depends_on_place(walk: Walk, value_text: str, home: Place) -> bool:
    """Whether a constant only says where the code lies, which moving the folder changes."""
    if "/" not in value_text and "\\" not in value_text:
        return False
    namespace = _namespace(home)
    source = code_source.module_source(namespace)
    if source is None or not source.holds:
        return False
    return _mentions_file(_statements(source, home), namespace, set())


def _mentions_file(
    statements: list[Statement], namespace: Namespace, seen: set[tuple[int, str]]
) -> bool:
    for statement, _ in statements:
        for node in ast.walk(statement):
            if not isinstance(node, ast.Name):
                continue
            if node.id == "__file__":
                return True
            if (id(namespace), node.id) in seen:
                continue
            seen.add((id(namespace), node.id))
            found = home(Place("module", namespace, node.id))
            source = found and code_source.module_source(found.holder)
            if found and source and _mentions_file(_statements(source, found), found.holder, seen):
                return True
    return False


# --- by value -----------------------------------------------------------------------------


def by_value(walk: Walk, value: Any, depth: int = 0) -> str | None:
    """The token of a changeable value by its content at this moment; None when it has none."""
    found = code_value.constant(walk, value) or code_value.code(walk, value, None)
    if found is not None or depth > 12:
        return found
    if isinstance(value, dict | types.MappingProxyType):
        pairs = [
            (by_value(walk, key, depth + 1), by_value(walk, item, depth + 1))
            for key, item in value.items()
        ]
        if any(key is None or item is None for key, item in pairs):
            return None
        return f"{type(value).__qualname__}({pairs!r})"
    if isinstance(value, list | tuple | set | frozenset):
        items = [by_value(walk, item, depth + 1) for item in value]
        if None in items:
            return None
        ordered = items if isinstance(value, list | tuple) else sorted(map(str, items))
        return f"{type(value).__qualname__}({ordered!r})"
    if code_owner.owner_of_class(type(value)) == OWN:
        return _instance(walk, value, depth)
    return _foreign_content(value)


def _instance(walk: Walk, value: Any, depth: int) -> str | None:
    kind = type(value)
    state = dict(getattr(value, "__dict__", None) or {})
    for name in code_value.slots_of(kind):
        state.setdefault(name, code_value.stored(value, name))
    if isinstance(value, BaseException):
        state["args"] = value.args
    elif kind.__basicsize__ and not state and not dataclasses.is_dataclass(kind):
        bases = [base for base in kind.__mro__ if code_owner.owner_of_class(base) != OWN]
        if bases != [object]:
            return None  # content that only a foreign base knows
    held = [(name, by_value(walk, item, depth + 1)) for name, item in sorted(state.items())]
    if any(item is None for _, item in held):
        return None
    return f"instance {walk.value(kind, None)} {held!r}"


def _foreign_content(value: Any) -> str | None:
    from batchwright.caching.digest import digest

    try:
        return f"content {digest(value)}"
    except UncacheableArgument:
        return None


# --- closures, defaults, attributes of functions ------------------------------------------


def variable(walk: Walk, value: Any, place: Place, function: types.FunctionType) -> str:
    """The token of a closure's variable. One that the code itself changes counts by source."""
    outer = code_source.enclosing(function.__code__, function.__globals__)
    if outer is None or place.name not in code_fill.changed_names(outer):
        return walk.value(value, place)
    inside = " ".join(code_value.code_inside(walk, value))
    namespace = function.__globals__
    holder = namespace.get(getattr(outer, "name", ""))
    if isinstance(holder, types.FunctionType) and holder.__code__ is not function.__code__:
        return f"made by {walk.function(holder)} {inside}"
    return f"made by {hashed(code_tree.canonical(outer)[0])} {inside}"


def _default(walk: Walk, value: Any, place: Place) -> str | None:
    _, function, node = place.holder
    if node is None:
        return None
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = list(zip(positional[::-1], arguments.defaults[::-1], strict=False))
    pairs += zip(arguments.kwonlyargs, arguments.kw_defaults, strict=False)
    for argument, default in pairs:
        if argument.arg == place.name and default is not None:
            content: list[str] = []
            count_tree(walk, content, function.__globals__, default, skip="")
            return f"made by {content!r} {' '.join(code_value.code_inside(walk, value))}"
    return None


def _function_attribute(walk: Walk, value: Any, place: Place) -> str | None:
    namespace = place.holder.__globals__
    source = code_source.module_source(namespace)
    if source is None or not source.holds:
        return None
    statements = [
        statement
        for statement, _ in source.touching.get(place.holder.__name__, ())
        if any(
            isinstance(part, ast.Attribute) and part.attr == place.name
            for part in ast.walk(statement)
        )
    ]
    if not statements:
        return None
    content: list[str] = []
    for statement in statements:
        count_tree(walk, content, namespace, statement, skip=place.holder.__name__)
    return f"made by {content!r} {' '.join(code_value.code_inside(walk, value))}"


# --- whole modules ------------------------------------------------------------------------


def whole(walk: Walk, namespace: Namespace, why: str) -> str:
    """The token of a module counted whole, with all it reaches; noted when `why` is given."""
    name = code_owner.module_name(namespace.get("__name__"))
    file = str(namespace.get("__file__") or "")
    if why:
        walk.note(file, 0, f"{why} is used as a whole, so all of {name} counts")
    return walk.part(
        ("module", id(namespace)), f"{name}:*", lambda content: _whole(walk, content, namespace)
    )


def _whole(walk: Walk, content: list[str], namespace: Namespace) -> None:
    walk.module_read(namespace)
    source = code_source.module_source(namespace)
    if source is not None and source.tree is not None and source.holds:
        content.append(code_tree.canonical(source.tree)[0])
    elif source is None and namespace.get("__file__"):
        content.append(_file_content(str(namespace["__file__"])))
    for name in sorted(namespace):
        value = namespace[name]
        if name.startswith("__") or isinstance(value, types.ModuleType):
            continue
        content.append(f"{name} = {walk.value(value, Place('module', namespace, name))}")


def _file_content(file: str) -> str:
    try:
        return hashed(Path(file).read_bytes().hex())
    except OSError:
        return ""
