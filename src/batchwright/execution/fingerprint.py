"""Fingerprints of live objects, used only to see that one has changed, never as a key.

An object's fingerprint is taken attribute by attribute, so that what changed can be named.
What cannot be fingerprinted counts as changing.
"""

from __future__ import annotations

import hashlib
import logging
import marshal
import pickle
import random
import re
import types
from pathlib import PurePath
from typing import Any

from batchwright.caching.digest import digest
from batchwright.errors import BatchwrightError

# Things that have no content of their own that a method could change to good effect.
_BY_IDENTITY: tuple[type, ...] = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    logging.Logger,
    re.Pattern,
    property,
)
_SCALARS = frozenset({type(None), bool, int, float, complex, str, bytes})
_PLAIN = _SCALARS | {list, tuple, dict}
_CONTAINERS = (list, dict, set, tuple)
_BY_IDENTITY_NAMES = frozenset({"lock", "RLock", "Condition", "Event", "Semaphore"})


class Changing(Exception):  # an answer, not a fault
    """What is looked at has no fingerprint, and so counts as changing."""


def fingerprint(value: Any) -> dict[str, bytes | None]:
    """A mark for each attribute of an object; None where there can be none.

    A value without attributes of its own has a single mark under the empty name.
    """
    attributes = _attributes(value)
    if attributes is None:
        return {"": _mark_or_none(value)}
    marks = {name: _mark_or_none(inner) for name, inner in attributes.items()}
    if isinstance(value, _CONTAINERS):
        marks[""] = _mark_or_none(_builtin_content(value))
    if _holds_more(type(value)):
        marks[""] = _content_or_none(value)
    return marks


def changed(before: dict[str, bytes | None], after: dict[str, bytes | None]) -> str | None:
    """The name of an attribute that changed, is new, is gone, or cannot be told; None if none."""
    for name in (*before, *after):
        mark = after.get(name)
        if mark is None or before.get(name) != mark:
            return name or "its content"
    return None


def _mark_or_none(value: Any) -> bytes | None:
    try:
        return _mark(value, {})
    except (Changing, RecursionError):
        return None


def _content_or_none(value: Any) -> bytes | None:
    try:
        return _mark_by_content(value)
    except Changing:
        return None


def _mark(value: Any, seen: dict[int, tuple[int, Any]]) -> bytes:
    if _is_plain(value):
        # marshal does plain data at the speed of C; version 2 writes no references, so that
        # equal content gives equal bytes.
        return b"m" + hashlib.sha256(marshal.dumps(value, 2)).digest()
    if isinstance(value, PurePath):
        # By its text: a path fills hidden slots when it is used, and its file is not its content.
        return b"f" + str(value).encode(errors="surrogateescape")
    if isinstance(value, _BY_IDENTITY) or type(value).__name__ in _BY_IDENTITY_NAMES:
        return _mark_by_identity(value, seen)
    if id(value) in seen:  # a cycle, or a second road to the same object
        return b"r%d" % seen[id(value)][0]
    seen[id(value)] = (len(seen), value)  # held, for an id is used again once its object is gone
    kind = type(value)
    if kind in (list, tuple):
        return _joined(b"l", [_mark(item, seen) for item in value])
    if kind is dict:
        pairs = [_mark(key, seen) + _mark(item, seen) for key, item in value.items()]
        return _joined(b"d", pairs)
    if kind in (set, frozenset):
        return _joined(b"s", sorted(_mark(item, dict(seen)) for item in value))
    if isinstance(value, random.Random):
        return _mark(value.getstate(), seen)
    if kind.__module__.partition(".")[0] not in ("builtins", "numpy", "pandas", "polars"):
        attributes = _attributes(value)
        if attributes is not None:
            items = [name.encode() + b"=" + _mark(v, seen) for name, v in attributes.items()]
            if isinstance(value, _CONTAINERS):
                items.append(_mark(_builtin_content(value), seen))
            if _holds_more(kind):
                items.append(_mark_by_content(value))
            return _joined(b"o" + kind.__qualname__.encode(), items)
    return _mark_by_content(value)


def _mark_by_identity(value: Any, seen: dict[int, tuple[int, Any]]) -> bytes:
    mark = b"i%d" % id(value)
    held = _state_of(value) if isinstance(value, types.FunctionType) else None
    if held is None or id(value) in seen:
        return mark
    # A function is itself; what it closes over is state that an object may keep in it.
    seen[id(value)] = (len(seen), value)
    return _joined(mark, [_mark(item, seen) for item in held])


def _state_of(function: types.FunctionType) -> list[Any] | None:
    """What a function holds that a call of it may change; None when it holds nothing."""
    held: list[Any] = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    for cell in function.__closure__ or ():
        try:
            held.append(cell.cell_contents)
        except ValueError:  # not bound yet
            held.append(None)
    return held or None


def _is_plain(value: Any) -> bool:
    """Whether a value is made of plain builtins only, found mostly at the speed of C.

    marshal itself cannot be asked: it takes anything with a buffer, and an array of objects
    would be marked by the addresses of its elements.
    """
    kind = type(value)
    if kind in _SCALARS:
        return True
    try:
        if kind is dict:
            return _all_plain(value) and _all_plain(value.values())
        return kind in (list, tuple) and _all_plain(value)
    except RecursionError:  # a cycle, which marshal cannot write
        return False


def _all_plain(values: Any) -> bool:
    kinds = set(map(type, values))
    if kinds <= _SCALARS:
        return True
    if not kinds <= _PLAIN:
        return False
    return all(_is_plain(value) for value in values)


def _mark_by_content(value: Any) -> bytes:
    try:
        return b"c" + digest(value).encode()
    except (BatchwrightError, OSError):
        pass
    try:
        return b"p" + hashlib.sha256(pickle.dumps(value, 5)).digest()
    except Exception as error:  # whatever a user's class raises when it is pickled
        raise Changing from error


def _joined(tag: bytes, items: list[bytes]) -> bytes:
    mixed = hashlib.sha256(tag)
    for item in items:
        mixed.update(len(item).to_bytes(8, "little"))
        mixed.update(item)
    return b"h" + mixed.digest()


def _attributes(value: Any) -> dict[str, Any] | None:
    """An object's own attributes, from its dict and its slots; None for what has neither."""
    if isinstance(value, PurePath):
        return None
    found: dict[str, Any] = {}
    has_any = False
    own = getattr(value, "__dict__", None)
    if isinstance(own, dict):
        has_any = True
        found.update(own)
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name in ("__dict__", "__weakref__"):
                continue
            has_any = True
            mangled = f"_{kind.__name__.lstrip('_')}{name}" if _is_private(name) else name
            try:
                found[name] = object.__getattribute__(value, mangled)
            except AttributeError:
                continue  # a slot that was never set
    return found if has_any else None


def _holds_more(kind: type) -> bool:
    """Whether instances hold more than their attributes and what `_builtin_content` gives.

    So do subclasses of types written in C: arrays, queues, partials. It shows in their size.
    """
    base = next(each for each in kind.__mro__ if each in (*_CONTAINERS, object))
    pointer = tuple.__itemsize__
    explained = base.__basicsize__
    explained += pointer * (kind.__dictoffset__ > 0 and not base.__dictoffset__)
    explained += pointer * (kind.__weakrefoffset__ > 0 and not base.__weakrefoffset__)
    for each in kind.__mro__:
        slots = each.__dict__.get("__slots__", ())
        names = (slots,) if isinstance(slots, str) else tuple(slots)
        explained += pointer * sum(name not in ("__dict__", "__weakref__") for name in names)
    return kind.__basicsize__ > explained or kind.__itemsize__ != base.__itemsize__


def _is_private(name: str) -> bool:
    return name.startswith("__") and not name.endswith("__")


def _builtin_content(value: Any) -> Any:
    """The plain content of a subclass of a builtin container."""
    if isinstance(value, dict):
        return dict(value)
    for kind in (list, tuple, set):
        if isinstance(value, kind):
            return kind(value)
    return value
