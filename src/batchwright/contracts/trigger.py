"""Triggers: conditions on a finished result, written as text and never evaluated as code."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from batchwright.errors import InvalidVeto

if TYPE_CHECKING:
    from collections.abc import Callable

Operator = Literal["<", "<=", ">", ">=", "==", "!="]
Constant = str | int | float | bool | None


class Comparison(msgspec.Struct, frozen=True):
    """`name operator constant`; a dotted name looks into nested results."""

    name: str
    operator: Operator
    constant: Constant


class Every(msgspec.Struct, frozen=True):
    """Conditions joined by `and`."""

    parts: tuple[Trigger, ...]


class Some(msgspec.Struct, frozen=True):
    """Conditions joined by `or`."""

    parts: tuple[Trigger, ...]


Trigger = Comparison | Every | Some


class Firing(NamedTuple):
    """Whether a trigger fired, and the names it could not look up or compare."""

    fired: bool
    missing: tuple[str, ...]


def fires(trigger: Trigger, result: Any) -> Firing:
    """Look `trigger`'s names up in the keys (or fields) of `result` and compare.

    A name that is not there, or whose value cannot be compared, does not fire.
    """
    missing: dict[str, None] = {}
    fired = _fires(trigger, result, missing)
    return Firing(fired, tuple(missing))


def _fires(trigger: Trigger, result: Any, missing: dict[str, None]) -> bool:
    if isinstance(trigger, Comparison):
        value = _value(result, trigger.name)
        if value is _ABSENT:
            missing[trigger.name] = None
            return False
        try:
            return bool(_OPERATORS[trigger.operator](value, trigger.constant))
        except Exception:  # comparing is the user's code; an array has no truth of its own
            missing[trigger.name] = None
            return False
    # Every part is looked at, so that the missing names do not depend on the values.
    fired = [_fires(part, result, missing) for part in trigger.parts]
    return all(fired) if isinstance(trigger, Every) else any(fired)


_ABSENT = object()


def _value(result: Any, name: str) -> Any:
    """The value under a key, dots and all, or along a dotted name."""
    found = _member(result, name)
    head, dot, rest = name.partition(".")
    if found is not _ABSENT or not dot:
        return found
    inner = _member(result, head)
    return _ABSENT if inner is _ABSENT else _value(inner, rest)


def _member(result: Any, name: str) -> Any:
    if isinstance(result, Mapping):
        return result.get(name, _ABSENT)
    # Declared fields only: a property would run code.
    if name in _fields(result):
        return getattr(result, name, _ABSENT)
    return _ABSENT


def _fields(result: Any) -> tuple[str, ...]:
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        return tuple(field.name for field in dataclasses.fields(result))
    if isinstance(result, msgspec.Struct):
        return result.__struct_fields__
    if isinstance(result, tuple):
        return tuple(getattr(result, "_fields", ()))
    return ()


# --- reading triggers ----------------------------------------------------------------------

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))"
    r"|(?P<string>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
    r"|(?P<word>[^\W\d]\w*(?:\.[^\W\d]\w*)*)"
    r"|(?P<operator><=|>=|==|!=|<|>)"
    r"|(?P<bracket>[()])"
    r"|(?P<end>$))"
)
_CONSTANTS: dict[str, Constant] = {
    "true": True, "True": True, "false": False, "False": False, "null": None, "None": None
}  # fmt: skip
_JOINERS = {"and": "and", "AND": "and", "or": "or", "OR": "or"}
_DEEPEST = 50
_LONGEST_NUMBER = 400  # Python itself refuses to read very long ones


class _Token(NamedTuple):
    kind: str
    text: str
    column: int


def parse_trigger(text: str) -> Trigger:
    """The condition that `text` writes; nothing of it is ever evaluated as code.

    Comparisons `name < <= > >= == != constant` joined by `and`, `or` and parentheses; `and`
    binds closer. Raises `InvalidVeto` with the column of what does not fit.
    """
    parser = _Parser(text)
    found = parser.either(0)
    parser.expect("end", "'and', 'or' or the end")
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._token = self._read()

    def either(self, depth: int) -> Trigger:
        parts = [self._both(depth)]
        while self._joined_by("or"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def expect(self, kind: str, wanted: str) -> _Token:
        token = self._token
        if token.kind != kind:
            raise self._error(wanted)
        if kind != "end":
            self._token = self._read()
        return token

    def _both(self, depth: int) -> Trigger:
        parts = [self._single(depth)]
        while self._joined_by("and"):
            parts.append(self._single(depth))
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _single(self, depth: int) -> Trigger:
        if self._token.text == "(" and self._token.kind == "bracket":
            if depth >= _DEEPEST:
                raise self._error(f"at most {_DEEPEST} nested parentheses")
            self._token = self._read()
            found = self.either(depth + 1)
            if self._token.text != ")":
                raise self._error("')'")
            self._token = self._read()
            return found
        return self._comparison()

    def _comparison(self) -> Comparison:
        if self._token.text in _CONSTANTS or self._token.text in _JOINERS:
            raise self._error("a name")
        name = self.expect("word", "a name").text
        operator = self.expect("operator", "one of < <= > >= == !=").text
        return Comparison(name, _OPERATOR_NAMES[operator], self._constant())

    def _constant(self) -> Constant:
        token = self._token
        value: Constant
        if token.kind == "number" and len(token.text) <= _LONGEST_NUMBER:
            value = float(token.text) if re.search(r"[.eE]", token.text) else int(token.text)
        elif token.kind == "string":
            value = re.sub(r"\\(.)", r"\1", token.text[1:-1])
        elif token.kind == "word" and token.text in _CONSTANTS:
            value = _CONSTANTS[token.text]
        else:
            raise self._error("a number of usual length, a quoted string, true, false or null")
        self._token = self._read()
        return value

    def _joined_by(self, joiner: str) -> bool:
        if self._token.kind != "word" or _JOINERS.get(self._token.text) != joiner:
            return False
        self._token = self._read()
        return True

    def _read(self) -> _Token:
        match = _TOKEN.match(self._text, self._position)
        if match is None or match.lastgroup is None:
            rest = self._text[self._position :].lstrip()
            column = len(self._text) - len(rest) + 1
            return _Token("unknown", rest.split()[0] if rest else "", column)
        self._position = match.end()
        kind = match.lastgroup
        return _Token(kind, match[kind], match.start(kind) + 1)

    def _error(self, wanted: str) -> InvalidVeto:
        found = "the end" if self._token.kind == "end" else f"'{self._token.text}'"
        return InvalidVeto(
            f"the trigger {self._text!r} does not parse: expected {wanted}, found {found} "
            f"at column {self._token.column}; write it as in: coherence_score < 0.5 and n >= 3"
        )


_OPERATORS: dict[Operator, Callable[[Any, Any], Any]] = {
    "<": lambda value, constant: value < constant,
    "<=": lambda value, constant: value <= constant,
    ">": lambda value, constant: value > constant,
    ">=": lambda value, constant: value >= constant,
    "==": lambda value, constant: value == constant,
    "!=": lambda value, constant: value != constant,
}
_OPERATOR_NAMES: dict[str, Operator] = {operator: operator for operator in _OPERATORS}
