"""The names that a piece of code uses, with the attributes it takes of them.

Read from the byte code, nested functions, lambdas and comprehensions included, so that scopes are
exactly Python's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from batchwright.caching import code_bytes
from batchwright.caching.code_bytes import (
    ATTRIBUTE,
    CALL,
    CONSTANT,
    COPY,
    FREE,
    GLOBAL,
    IMPORT,
    IMPORT_FROM,
    LOCAL,
    OTHER,
    STORE,
    STORE_ATTRIBUTE,
    STORE_GLOBAL,
    Event,
)

if TYPE_CHECKING:
    import types

GLOBAL_NAME: Final = "global"
CLOSURE: Final = "closure"
IMPORTED: Final = "import"
MEMBER: Final = "member"
SUPER: Final = "super"
ESCAPE: Final = "escape"
STORED: Final = "stored"
NAMESPACE: Final = "namespace"
UNKNOWN: Final = "unknown"


class Use(NamedTuple):
    """One name as it is used.

    `root` is one of: `global` and `closure` (a variable), `import` (of a module by an import
    inside the function; `name` is `LEVEL:MODULE`), `member` (an attribute of the receiver, which
    is `self` or `cls`), `super` (a member of the bases), `escape` (the receiver itself is used,
    so that anything may happen to it), `stored` (an attribute of the receiver is stored to),
    `namespace` (all globals), `unknown` (cannot be followed; `name` says what).
    """

    root: str
    name: str
    attributes: tuple[str, ...]
    line: int


def uses_of(code: types.CodeType, *, receiver: bool) -> tuple[Use, ...]:
    """The uses of names in `code`, sorted, each once.

    `receiver` says that the first parameter is the object or class that members are taken of.
    """
    first = code.co_varnames[0] if receiver and code.co_argcount else None
    reader = _Reader(first, frozenset(code.co_freevars))
    reader.read(code, {}, is_receiver_visible=first is not None)
    return tuple(sorted(set(reader.found)))


class _Reader:
    def __init__(self, receiver: str | None, closure: frozenset[str]) -> None:
        self.receiver = receiver
        self.closure = closure
        self.found: list[Use] = []

    def read(
        self,
        code: types.CodeType,
        outer: dict[str, tuple[str, tuple[str, ...]]],
        *,
        is_receiver_visible: bool,
    ) -> None:
        scope = _Scope(self, code, outer, is_receiver_visible=is_receiver_visible)
        scope.read()
        for inner in code_bytes.nested(code):
            free = set(inner.co_freevars)
            visible = {name: spec for name, spec in scope.imports.items() if name in free}
            self.read(inner, visible, is_receiver_visible=scope.sees and self.receiver in free)


_DYNAMIC = {"eval", "exec", "compile"}


class _Scope:
    """Reads the events of one code object."""

    def __init__(
        self,
        reader: _Reader,
        code: types.CodeType,
        outer: dict[str, tuple[str, tuple[str, ...]]],
        *,
        is_receiver_visible: bool,
    ) -> None:
        self.reader = reader
        self.code = code
        self.events = code_bytes.events(code)
        self.sees = is_receiver_visible
        self.imports = dict(outer)
        self.loaded: set[str] = set()
        self._find_imports()

    def add(self, root: str, name: str, attributes: tuple[str, ...], event: Event) -> None:
        line = code_bytes.line_of(self.code, event[2]) if root == UNKNOWN else 0
        self.reader.found.append(Use(root, name, attributes, line))

    def kind(self, index: int) -> int:
        return self.events[index][0] if 0 <= index < len(self.events) else OTHER

    def attributes(self, index: int) -> tuple[str, ...]:
        """The names of the run of attribute loads that begins at `index`."""
        end = index
        while self.kind(end) == ATTRIBUTE:
            end += 1
        return tuple(event[1] for event in self.events[index:end])

    def read(self) -> None:
        index = 0
        while index < len(self.events):
            index = self._read_one(index)

    def _read_one(self, index: int) -> int:
        kind, name, _ = event = self.events[index]
        if kind == GLOBAL:
            special = self._special(index)
            if special is not None:
                return special
        if kind in (GLOBAL, LOCAL, FREE):
            attributes = self.attributes(index + 1)
            end = index + 1 + len(attributes)
            self._load(kind, name, attributes, index, end)
            return end
        if kind == IMPORT:
            self._import_alone(index)
        elif kind == STORE_GLOBAL:
            self.add(GLOBAL_NAME, name, (), event)
        return index + 1

    def _load(
        self, kind: int, name: str, attributes: tuple[str, ...], index: int, end: int
    ) -> None:
        event = self.events[index]
        if name in self.imports and (kind != GLOBAL or self._is_module_level()):
            module, items = self.imports[name]
            self.add(IMPORTED, module, (*items, *attributes), event)
        elif kind == GLOBAL:
            self.add(GLOBAL_NAME, name, attributes, event)
        elif self.sees and name == self.reader.receiver:
            self._receiver(attributes, index, end)
        elif kind == FREE and name in self.reader.closure:
            self.add(CLOSURE, name, attributes, event)

    def _is_module_level(self) -> bool:
        return not self.code.co_flags & 0x02  # CO_NEWLOCALS: a function's body

    def _receiver(self, attributes: tuple[str, ...], index: int, end: int) -> None:
        event = self.events[index]
        if attributes:
            self.add(MEMBER, attributes[0], attributes[1:], event)
            return
        if self.kind(end) == STORE_ATTRIBUTE:
            self.add(STORED, self.events[end][1], (), event)
            return
        if self.kind(end) == COPY and self.kind(end + 1) == ATTRIBUTE:
            # An augmented store copies the receiver, then loads the attribute.
            self.add(MEMBER, self.events[end + 1][1], (), event)
            self.add(STORED, self.events[end + 1][1], (), event)
            return
        before = self.events[index - 1] if index else (OTHER, None, 0)
        if before[0] == FREE and before[1] in self.reader.closure:
            # Handed as first argument to a function of the closure: what a decorator does.
            self.add(CLOSURE, before[1], ("()",), event)
            return
        self.add(ESCAPE, "", (), event)

    # --- names that mean something by themselves ------------------------------------------

    def _special(self, index: int) -> int | None:
        name = self.events[index][1]
        if name == "super":
            return self._super(index)
        if name in ("getattr", "hasattr", "setattr", "delattr"):
            return self._getattr(index, name)
        if name == "globals":
            return self._globals(index)
        if name in _DYNAMIC:
            self.add(UNKNOWN, f"{name}()", (), self.events[index])
        elif name in ("__import__", "import_module", "importlib"):
            self._import_by_name(index, name)
        return None

    def _super(self, index: int) -> int | None:
        end = index + 1
        while self.kind(end) in (GLOBAL, FREE, LOCAL, OTHER, CALL) and end - index < 7:
            end += 1
        if self.kind(end) != ATTRIBUTE:
            return None
        self.add(SUPER, self.events[end][1], (), self.events[index])
        return end + 1

    def _getattr(self, index: int, function: str) -> int | None:
        """`getattr(x.y, "z")` is `x.y.z`; with any other name it cannot be followed."""
        target = index + 1
        if self.kind(target) not in (GLOBAL, LOCAL, FREE):
            if not self._constant_name_follows(target):
                self.add(UNKNOWN, f"{function}() with a computed name", (), self.events[index])
            return None
        attributes = self.attributes(target + 1)
        end = target + 1 + len(attributes)
        named = self.events[end][1] if self.kind(end) == CONSTANT else None
        if not isinstance(named, str) or not self._ends_call(end + 1):
            self.add(UNKNOWN, f"{function}() with a computed name", (), self.events[index])
            return None
        name = self.events[target][1]
        if function in ("setattr", "delattr"):
            if self.sees and name == self.reader.receiver and not attributes:
                self.add(STORED, named, (), self.events[index])
                return end + 1
            return None
        names = (*attributes, *named.split(".")[:1])
        self._load(self.kind(target), name, names, target, end)
        return end + 1

    def _constant_name_follows(self, start: int) -> bool:
        # `getattr(f(x), "name")`: the object is a value, and values are counted elsewhere.
        for index in range(start, min(start + 12, len(self.events))):
            named = self.kind(index) == CONSTANT and isinstance(self.events[index][1], str)
            if named and self._ends_call(index + 1):
                return True
        return False

    def _ends_call(self, index: int) -> bool:
        """Whether the name just loaded is an argument as it stands, with a plain default or not."""
        if self.kind(index) == CALL:
            return True
        if self.kind(index) not in (CONSTANT, GLOBAL, LOCAL, FREE):
            return False
        end = index + 1 + len(self.attributes(index + 1))
        return self.kind(end) == CALL and self.events[end][1] >= 3

    def _is_taken(self, index: int) -> bool:
        # The constant is the whole key when the subscript follows at once.
        return self.kind(index) == OTHER

    def _globals(self, index: int) -> int | None:
        name = self.events[index + 2][1] if self.kind(index + 2) == CONSTANT else None
        if self.kind(index + 1) == CALL and isinstance(name, str) and self._is_taken(index + 3):
            self.add(GLOBAL_NAME, name, (), self.events[index])
            return index + 3
        self.add(NAMESPACE, "globals()", (), self.events[index])
        return index + 1

    def _import_by_name(self, index: int, name: str) -> None:
        start = index + 1
        if name == "importlib":
            if self.attributes(start) != ("import_module",):
                return
            start += 1
        module = self.events[start][1] if self.kind(start) == CONSTANT else None
        whole = self.kind(start + 1) == CALL or name == "__import__"
        if isinstance(module, str) and whole and not module.startswith("."):
            self.add(IMPORTED, f"0:{module}", (), self.events[index])
        else:
            self.add(UNKNOWN, "import of a computed name", (), self.events[index])

    # --- imports inside the code ----------------------------------------------------------

    def _find_imports(self) -> None:
        for index, (kind, name, _) in enumerate(self.events):
            if kind == IMPORT:
                for variable, items in self._stored(index, name).items():
                    self.imports[variable] = items

    def _spec(self, index: int) -> tuple[str, tuple[str, ...] | None]:
        level, wanted = self.events[index - 2][1], self.events[index - 1][1]
        name = self.events[index][1]
        return f"{level if isinstance(level, int) else 0}:{name}", wanted

    def _stored(self, index: int, name: str) -> dict[str, tuple[str, tuple[str, ...]]]:
        """The variables that an import binds, each with its module and the name taken of it."""
        spec, wanted = self._spec(index)
        found: dict[str, tuple[str, tuple[str, ...]]] = {}
        taken: str | None = None
        for kind, value, _ in self.events[index + 1 :]:
            if kind == IMPORT_FROM:
                taken = value
            elif kind in (STORE, STORE_GLOBAL):
                if wanted:
                    found[value] = (spec, (taken or "",))
                    if len(found) == len(wanted):
                        break
                else:
                    whole = spec if taken else spec.split(".")[0]
                    found[value] = (whole, ())
                    break
            elif kind != OTHER:
                break
        return found

    def _import_alone(self, index: int) -> None:
        """An import whose names nothing uses is there for its effects."""
        spec, wanted = self._spec(index)
        event = self.events[index]
        if wanted and "*" in wanted:
            self.add(IMPORTED, spec, ("*",), event)
            return
        used = set(_names_loaded(self.code))
        if not any(variable in used for variable in self._stored(index, event[1])):
            self.add(IMPORTED, spec, (), event)


def _names_loaded(code: types.CodeType) -> list[str]:
    names = [name for kind, name, _ in code_bytes.events(code) if kind in (GLOBAL, LOCAL, FREE)]
    for inner in code_bytes.nested(code):
        names += _names_loaded(inner)
    return names
