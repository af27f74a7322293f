"""Which attributes of `self` a method changes, itself or through what it hands `self` to."""

from __future__ import annotations

import ast
import types
from typing import TYPE_CHECKING, Any

from batchwright.caching import code_bytes, code_class, code_owner, code_reach
from batchwright.caching.code_bytes import (
    ATTRIBUTE,
    FREE,
    GLOBAL,
    LOCAL,
    STORE_ATTRIBUTE,
    STORE_ITEM,
)
from batchwright.caching.code_fill import MUTATING
from batchwright.caching.code_owner import OWN

if TYPE_CHECKING:
    from collections.abc import Iterator

ANY = "*"
"""Stands for attributes whose names are computed."""


def stores_of(kind: type, name: str) -> tuple[str, ...]:
    """The attributes of `self` that method `name` of `kind` may change, sorted.

    Counted are stores and deletions, in-place changes of what an attribute holds, and both in
    methods called through `self` and in functions that `self` is handed to.
    """
    search = _Search(kind)
    found = code_class.find_member(kind, name)
    if found is not None:
        for function in code_class.functions_of(found[1]):
            search.look(function, 0)
        search.work()
    return tuple(sorted(search.stores))


class _Search:
    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.stores: set[str] = set()
        self.seen: set[tuple[types.CodeType, int]] = set()
        self.waiting: list[tuple[types.FunctionType, int]] = []

    def look(self, function: types.FunctionType, parameter: int) -> None:
        """Notes a function that gets the object as its parameter of that number."""
        for held in (function, *_wrapped(function)):
            if code_owner.owner_of_namespace(held.__globals__) != OWN:
                continue
            identity = (held.__code__, parameter)
            if identity not in self.seen:
                self.seen.add(identity)
                self.waiting.append((held, parameter))

    def work(self) -> None:
        """Looks through all functions noted."""
        while self.waiting:
            function, parameter = self.waiting.pop()
            names = function.__code__.co_varnames[: function.__code__.co_argcount]
            if parameter >= len(names):
                continue
            node = code_reach.written_of(
                function.__code__, function.__globals__, receiver=True
            ).node
            if node is None:
                self._bytes(function, names[parameter])
            else:
                _Reader(self, function, names[parameter]).read(node)

    def member(self, name: str, *, superclass: bool = False) -> None:
        """Follows a method or property used through `self`."""
        for base in self.kind.__mro__:
            if name not in vars(base) or code_owner.owner_of_class(base) != OWN:
                continue
            for function in code_class.functions_of(vars(base)[name]):
                self.look(function, 0)
            if not superclass:
                return

    def _bytes(self, function: types.FunctionType, name: str) -> None:
        """The same from byte code: coarser, and what it cannot tell counts as any change."""
        for code in _all_codes(function.__code__):
            events = [*code_bytes.events(code), (code_bytes.OTHER, None, 0)]
            changes_things = any(
                kind == STORE_ITEM or (kind == ATTRIBUTE and value in MUTATING)
                for kind, value, _ in events
            )
            for index, (kind, value, _) in enumerate(events):
                if kind in (LOCAL, FREE) and value == name:
                    self._use_in_bytes(events, index + 1, changes_things=changes_things)
                elif kind == GLOBAL and value == "super":
                    following = [event[1] for event in events[index:] if event[0] == ATTRIBUTE]
                    if following:
                        self.member(following[0], superclass=True)

    def _use_in_bytes(
        self, events: list[code_bytes.Event], index: int, *, changes_things: bool
    ) -> None:
        kind, attribute, _ = events[index]
        if kind == STORE_ATTRIBUTE:
            self.stores.add(attribute)
        elif kind != ATTRIBUTE:
            self.stores.add(_augmented(events[index:]) or ANY)
        else:
            self.member(attribute)
            end = index
            while events[end][0] == ATTRIBUTE:
                end += 1
            if changes_things or events[end][0] == STORE_ATTRIBUTE:
                self.stores.add(ANY if attribute == "__dict__" else attribute)


def _augmented(events: list[code_bytes.Event]) -> str | None:
    # `self.n += 1` copies the object, loads `n` of one copy and stores it to the other.
    if len(events) > 1 and events[0][0] == code_bytes.COPY and events[1][0] == ATTRIBUTE:
        name = str(events[1][1])
        if any(kind == STORE_ATTRIBUTE and value == name for kind, value, _ in events):
            return name
    return None


def _all_codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for inner in code_bytes.nested(code):
        yield from _all_codes(inner)


def _wrapped(function: types.FunctionType) -> Iterator[types.FunctionType]:
    for cell in function.__closure__ or ():
        try:
            held = cell.cell_contents
        except ValueError:
            continue
        if isinstance(held, types.FunctionType):
            yield held
            yield from _wrapped(held)


class _Reader:
    """Reads one function's tree for what it does to the object called `name`."""

    def __init__(self, search: _Search, function: types.FunctionType, name: str) -> None:
        self.search = search
        self.function = function
        self.names = {name}

    def read(self, node: ast.AST) -> None:
        parts = list(ast.walk(node))
        self._find_aliases(parts)
        attributes = self._find_attribute_aliases(parts)
        for part in parts:
            self._changes(part, attributes)
            if isinstance(part, ast.Call):
                self._call(part)
            elif isinstance(part, ast.Attribute) and self._is_object(part.value):
                self.search.member(part.attr)

    def _find_aliases(self, parts: list[ast.AST]) -> None:
        for _ in range(3):  # an alias of an alias of an alias
            for part in parts:
                match part:
                    case ast.Assign(targets=targets, value=value) if self._is_object(value):
                        self.names |= {t.id for t in targets if isinstance(t, ast.Name)}
                    case ast.NamedExpr(target=ast.Name(id=alias), value=value):
                        if self._is_object(value):
                            self.names.add(alias)
                    case ast.AnnAssign(target=ast.Name(id=alias), value=ast.expr() as value):
                        if self._is_object(value):
                            self.names.add(alias)

    def _find_attribute_aliases(self, parts: list[ast.AST]) -> dict[str, str]:
        """Variables that hold what an attribute holds: `rows = self.rows`."""
        found: dict[str, str] = {}
        for part in parts:
            match part:
                case ast.Assign(targets=targets, value=value):
                    attribute = self._attribute(value, found)
                    if attribute is not None:
                        found |= {t.id: attribute for t in targets if isinstance(t, ast.Name)}
                case ast.NamedExpr(target=ast.Name(id=alias), value=value):
                    attribute = self._attribute(value, found)
                    if attribute is not None:
                        found[alias] = attribute
        return found

    def _is_object(self, node: ast.AST | None) -> bool:
        match node:
            case ast.Name(id=name):
                return name in self.names
            case ast.Attribute(value=value, attr="__class__"):
                return self._is_object(value)
            case ast.Call(func=ast.Name(id="type"), args=[value]):
                return self._is_object(value)
        return False

    def _attribute(self, node: ast.AST, aliases: dict[str, str]) -> str | None:
        """The attribute of the object that an expression reads from, however deep."""
        while True:
            match node:
                case ast.Attribute(value=ast.Attribute(attr="__dict__") as inner):
                    if self._is_object(inner.value):
                        return ANY
                    node = inner
                case ast.Attribute(value=value, attr=name):
                    if self._is_object(value):
                        return name
                    node = value
                case ast.Subscript(value=value, slice=index):
                    if self._is_dictionary(value):
                        return _text(index)
                    node = value
                case ast.Call(func=ast.Name(id="getattr"), args=[target, named, *_]):
                    return _text(named) if self._is_object(target) else None
                case ast.Call(func=ast.Attribute(value=value, attr="setdefault" | "get")):
                    node = value
                case ast.Name(id=name):
                    return aliases.get(name)
                case _:
                    return None

    def _is_dictionary(self, node: ast.AST) -> bool:
        """Whether an expression is `self.__dict__` or `vars(self)`."""
        match node:
            case ast.Attribute(value=value, attr="__dict__"):
                return self._is_object(value)
            case ast.Call(func=ast.Name(id="vars"), args=[value]):
                return self._is_object(value)
        return False

    def _changes(self, part: ast.AST, aliases: dict[str, str]) -> None:
        changed: str | None = None
        match part:
            case (
                ast.Attribute(ctx=ast.Store() | ast.Del())
                | ast.Subscript(ctx=ast.Store() | ast.Del())
            ):
                changed = self._attribute(part, aliases)
            case ast.AugAssign(target=ast.Name(id=name)):
                changed = aliases.get(name)
            case ast.Call(func=ast.Attribute(value=value, attr=method)) if method in MUTATING:
                changed = ANY if self._is_dictionary(value) else self._attribute(value, aliases)
        if changed is not None:
            self.search.stores.add(changed)

    def _call(self, call: ast.Call) -> None:
        match call.func:
            case ast.Name(id="setattr" | "delattr") if call.args:
                if self._is_object(call.args[0]):
                    self.search.stores.add(_text(call.args[1]) if len(call.args) > 1 else ANY)
            case ast.Attribute(attr="__setattr__" | "__delattr__") if call.args:
                named = call.args[1:] if self._is_object(call.args[0]) else call.args
                is_ours = self._is_object(call.args[0]) or self._is_super(call.func.value)
                if is_ours and named:
                    self.search.stores.add(_text(named[0]))
            case ast.Attribute(value=value, attr=name) if self._is_super(value):
                self.search.member(name, superclass=True)
        for position, argument in enumerate(call.args):
            if self._is_object(argument):
                self._handed(call.func, position)
        for keyword in call.keywords:
            if self._is_object(keyword.value):
                self._handed(call.func, keyword.arg or "")

    def _is_super(self, node: ast.AST) -> bool:
        return (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "super"
        )

    def _handed(self, called: ast.expr, parameter: int | str) -> None:
        """Follows a function that gets the object handed."""
        target = self._resolved(called)
        shift = 0
        if isinstance(target, types.MethodType):
            target, shift = target.__func__, 1
        elif isinstance(target, staticmethod):
            target = target.__func__
        elif isinstance(called, ast.Attribute) and self._is_object(called.value):
            shift = 1
        if isinstance(target, type):
            found = code_class.find_member(target, "__init__")
            target, shift = (found[1] if found else None), 1
        if not isinstance(target, types.FunctionType):
            return
        if isinstance(parameter, str):
            names = target.__code__.co_varnames
            if parameter not in names:
                return
            self.search.look(target, names.index(parameter))
        else:
            self.search.look(target, parameter + shift)

    def _resolved(self, called: ast.expr) -> Any:
        match called:
            case ast.Name(id=name):
                cells = code_reach.cells_of(self.function)
                return cells.get(name, self.function.__globals__.get(name))
            case ast.Attribute(value=value, attr=name):
                if self._is_object(value):
                    found = code_class.find_member(self.search.kind, name)
                    return found[1] if found else None
                holder = self._resolved(value)
                if isinstance(holder, types.ModuleType):
                    return vars(holder).get(name)
                if isinstance(holder, type):
                    found = code_class.find_member(holder, name)
                    return found[1] if found else None
        return None


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return ANY
