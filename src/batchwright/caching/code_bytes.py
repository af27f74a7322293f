"""Byte code read as a flat list of events, one reading for every Python from 3.11 on.

Only what matters to names is told apart: loads and stores of names, attribute access, imports,
constants, calls of `super`. Everything else is `OTHER`. Newer Pythons join two steps into one
instruction; they are taken apart here, so that nothing above knows of versions.
"""

from __future__ import annotations

import dis
import sys
import types
from bisect import bisect_left
from functools import cache
from hashlib import blake2b
from typing import Any, Final

GLOBAL: Final = 1  # load of a global or builtin name
LOCAL: Final = 2  # load of a local variable
FREE: Final = 3  # load of a cell: a variable shared with an enclosing or nested function
ATTRIBUTE: Final = 4
CONSTANT: Final = 5
IMPORT: Final = 6
IMPORT_FROM: Final = 7
STORE: Final = 8  # store to a local variable or cell
STORE_GLOBAL: Final = 9
STORE_ATTRIBUTE: Final = 10
STORE_ITEM: Final = 11
OTHER: Final = 12
CALL: Final = 13  # of a function, with the number of its arguments
COPY: Final = 14  # of what was just loaded

Event = tuple[int, Any, int]
"""What happens, with which name or constant, and the offset of its instruction."""

_NAMED: dict[str, tuple[int, int]] = {
    # instruction: event, bits of the argument that are flags
    "LOAD_GLOBAL": (GLOBAL, 1),
    "LOAD_NAME": (GLOBAL, 0),
    "LOAD_FROM_DICT_OR_GLOBALS": (GLOBAL, 0),
    "LOAD_ATTR": (ATTRIBUTE, 1 if sys.version_info >= (3, 12) else 0),
    "LOAD_METHOD": (ATTRIBUTE, 0),
    "LOAD_SUPER_ATTR": (ATTRIBUTE, 2),
    "IMPORT_NAME": (IMPORT, 2 if sys.version_info >= (3, 15) else 0),
    "IMPORT_FROM": (IMPORT_FROM, 0),
    "STORE_GLOBAL": (STORE_GLOBAL, 0),
    "DELETE_GLOBAL": (STORE_GLOBAL, 0),
    "STORE_NAME": (STORE, 0),
    "STORE_ATTR": (STORE_ATTRIBUTE, 0),
    "DELETE_ATTR": (STORE_ATTRIBUTE, 0),
}
_VARIABLES: dict[str, int] = {
    "LOAD_FAST": LOCAL,
    "LOAD_FAST_CHECK": LOCAL,
    "LOAD_FAST_BORROW": LOCAL,
    "LOAD_FAST_AND_CLEAR": OTHER,
    "LOAD_DEREF": FREE,
    "LOAD_CLASSDEREF": FREE,
    "LOAD_FROM_DICT_OR_DEREF": FREE,
    "STORE_FAST": STORE,
    "DELETE_FAST": OTHER,
    "STORE_DEREF": STORE,
    "DELETE_DEREF": STORE,
}
_PAIRS: dict[str, tuple[int, int]] = {
    "LOAD_FAST_LOAD_FAST": (LOCAL, LOCAL),
    "LOAD_FAST_BORROW_LOAD_FAST_BORROW": (LOCAL, LOCAL),
    "STORE_FAST_LOAD_FAST": (STORE, LOCAL),
    "STORE_FAST_STORE_FAST": (STORE, STORE),
}
_NUMBERED = {"LOAD_SMALL_INT": CONSTANT, "CALL": CALL, "CALL_KW": CALL, "COPY": COPY}
_SILENT = {
    *("CACHE", "NOP", "RESUME", "PUSH_NULL", "PRECALL", "KW_NAMES", "MAKE_CELL", "COPY_FREE_VARS"),
    *("LOAD_CLOSURE", "NOT_TAKEN", "EXTENDED_ARG"),
}
_EXTENDED = dis.opmap["EXTENDED_ARG"]


def _table() -> list[tuple[int, int, int]]:
    # For each operation code: how to read it (0 silent, 1 named, 2 variable, 3 pair, 4 constant,
    # 5 bare, 6 number), then what the reading needs.
    table = [(5, OTHER, 0)] * 256
    for name, code in dis.opmap.items():
        if code > 255:  # pseudo-instructions never reach the byte code
            continue
        if name in _SILENT:
            table[code] = (0, 0, 0)
        elif name in _NAMED:
            table[code] = (1, *_NAMED[name])
        elif name in _VARIABLES:
            table[code] = (2, _VARIABLES[name], 0)
        elif name in _PAIRS:
            table[code] = (3, *_PAIRS[name])
        elif name == "LOAD_CONST":
            table[code] = (4, CONSTANT, 0)
        elif name in _NUMBERED:
            table[code] = (6, _NUMBERED[name], 0)
        elif name in ("STORE_SUBSCR", "DELETE_SUBSCR", "STORE_SLICE"):
            table[code] = (5, STORE_ITEM, 0)
    table[0] = (0, 0, 0)  # inline caches read as zeros
    return table


_TABLE: Final = _table()


def variables(code: types.CodeType) -> list[str]:
    """The names of local variables and cells, in the order in which instructions number them."""
    names = list(code.co_varnames)
    names += [cell for cell in code.co_cellvars if cell not in names]
    return names + list(code.co_freevars)


def events(code: types.CodeType) -> list[Event]:
    """The events of one code object, nested functions not included."""
    raw = code.co_code
    names, constants = code.co_names, code.co_consts
    local = variables(code)
    cells = {*code.co_cellvars, *code.co_freevars}
    found: list[Event] = []
    add = found.append
    high = 0
    for offset in range(0, len(raw), 2):
        operation = raw[offset]
        if operation == _EXTENDED:
            high = (high | raw[offset + 1]) << 8
            continue
        reading, first, second = _TABLE[operation]
        if reading == 5:
            add((first, None, offset))
        elif reading == 1:
            add((first, names[(high | raw[offset + 1]) >> second], offset))
        elif reading == 2:
            name = local[high | raw[offset + 1]]
            add((FREE if first == LOCAL and name in cells else first, name, offset))
        elif reading == 4:
            add((CONSTANT, constants[high | raw[offset + 1]], offset))
        elif reading == 6:
            add((first, high | raw[offset + 1], offset))
        elif reading == 3:
            argument = high | raw[offset + 1]
            add((first, local[argument >> 4], offset))
            add((second, local[argument & 15], offset))
        high = 0
    return found


def nested(code: types.CodeType) -> list[types.CodeType]:
    """The code objects directly inside `code`, in order."""
    return [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]


def line_of(code: types.CodeType, offset: int) -> int:
    """The source line of the instruction at `offset`."""
    for start, end, line in code.co_lines():
        if start <= offset < end and line is not None:
            return line
    return code.co_firstlineno


def normalised(code: types.CodeType) -> str:
    """A digest of byte code without line numbers, docstring, no-operations and jump distances.

    For code whose source is not at hand. It is exact for what runs, yet layout can still show
    through (3.11 threads jumps by line number), so the syntax tree is preferred to it.
    """
    return blake2b("\n".join(_normal_lines(code)).encode(), digest_size=20).hexdigest()


def _normal_lines(code: types.CodeType) -> list[str]:
    kept = [
        instruction
        for instruction in dis.get_instructions(code)
        if instruction.opname not in ("NOP", "CACHE", "EXTENDED_ARG", "RESUME", "PRECALL")
    ]
    targets = sorted({i.argval for i in kept if _jumps(i)})
    labels = {target: number for number, target in enumerate(targets)}
    lines = [
        code.co_name,
        repr((code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)),
        repr((code.co_varnames, code.co_cellvars, code.co_freevars)),
    ]
    waiting = list(labels.items())
    for instruction in kept:
        while waiting and waiting[0][0] <= instruction.offset:
            lines.append(f"label {waiting.pop(0)[1]}")
        name = instruction.opname.replace("_FORWARD_", "_").replace("_BACKWARD_", "_")
        if _jumps(instruction):
            lines.append(f"{name} to {labels[instruction.argval]}")
        elif instruction.opname == "LOAD_CONST" or isinstance(instruction.argval, types.CodeType):
            lines.append(f"{name} {_constant(instruction.argval)}")
        else:
            lines.append(f"{name} {instruction.argval!r}")
    lines += _handlers(code, [instruction.offset for instruction in kept])
    return lines


def _jumps(instruction: dis.Instruction) -> bool:
    return instruction.opcode in _JUMPS


@cache
def _jump_codes() -> frozenset[int]:
    return frozenset(dis.hasjrel) | frozenset(dis.hasjabs)


_JUMPS: Final = _jump_codes()


def _handlers(code: types.CodeType, offsets: list[int]) -> list[str]:
    # What a `try` covers stands in no instruction, only in this table; its ranges are counted by
    # the number of the instruction instead of by offset.
    entries: list[Any] = getattr(dis, "_parse_exception_table", lambda _: [])(code)
    return [
        f"handler {bisect_left(offsets, entry.start)} {bisect_left(offsets, entry.end)} "
        f"{bisect_left(offsets, entry.target)} {entry.depth} {entry.lasti}"
        for entry in entries
    ]


def _constant(value: Any) -> str:
    if isinstance(value, types.CodeType):
        return "(" + "; ".join(_normal_lines(value)) + ")"
    if isinstance(value, tuple):
        return "(" + ",".join(_constant(item) for item in value) + ")"
    if isinstance(value, frozenset):
        return "{" + ",".join(sorted(_constant(item) for item in value)) + "}"
    return f"{type(value).__name__} {value!r}"


def globals_set(code: types.CodeType) -> list[str]:
    """The names of globals that a piece of code binds when called, its inner code included."""
    found = {
        str(instruction.argval)
        for instruction in (dis.get_instructions(code) if _may_set(code) else ())
        if instruction.opcode in _SETTING
    }
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found.update(globals_set(constant))
    return sorted(found)


def _may_set(code: types.CodeType) -> bool:
    return not _SETTING.isdisjoint(code.co_code[::2])


_SETTING = frozenset({dis.opmap["STORE_GLOBAL"], dis.opmap["DELETE_GLOBAL"]})
