"""How instances of users' classes are taken apart for their digest.

An instance counts by its class (with the class's code), by the contents of the builtin that its
class derives from, if any, and by its own attributes. That is all that decides how it behaves, so
a dict with a `__getitem__` of its own needs no special care: the code is the class's, and contents
are read by the builtin's own methods, never by overridden ones.

Only classes that declare their contents are taken apart so: enums, dataclasses, attrs and pydantic
classes, msgspec structs, exceptions, named tuples, and what derives from a builtin. Any other class
may keep what decides elsewhere, or keep things that do not matter: it is refused.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import enum
import functools
import pathlib
import types
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from batchwright.caching.digest_encoding import Handler, Node, attributes, type_name
from batchwright.caching.digest_standard import HANDLERS
from batchwright.errors import UncacheableArgument

if TYPE_CHECKING:
    from collections.abc import Callable


def find(kind: type) -> Handler | None:
    """How instances of a class that declares its contents are taken apart, or None."""
    if issubclass(kind, enum.Enum):
        return _enum
    if issubclass(kind, pathlib.Path):
        # It may lead elsewhere than into the file system, and its text alone tells nothing.
        raise UncacheableArgument(
            f"{type_name(kind)} is a kind of path that is not known; pass a plain pathlib.Path"
        )
    if issubclass(kind, tuple) and hasattr(kind, "n_sequence_fields"):
        return _structseq
    return _object if _declares_contents(kind) else None


def _enum(value: enum.Enum) -> Node:
    # `MISSING = object()` is told by its name alone; of all other values the contents count too.
    content = value._value_
    named = type(content) is object
    return Node("enum", (type(value), value._name_, None if named else content))


def _structseq(value: Any) -> Node:
    # os.stat_result, time.struct_time: some fields are not among the items.
    return Node("structseq", (type_name(type(value)), *value.__reduce__()[1]))


# --- What a class declares ----------------------------------------------------------------------

# Written in Python, with nothing but attributes that are their contents.
_OPEN = (
    argparse.Namespace,
    collections.ChainMap,
    collections.UserDict,
    collections.UserList,
    collections.UserString,
)


def _declares_contents(kind: type) -> bool:
    return (
        _base(kind) is not object
        or dataclasses.is_dataclass(kind)
        or hasattr(kind, "__attrs_attrs__")
        or issubclass(kind, (msgspec.Struct, *_OPEN))
        or _is_pydantic(kind)
    )


def _is_pydantic(kind: type) -> bool:
    return any(
        cls.__name__ == "BaseModel" and cls.__module__.partition(".")[0] == "pydantic"
        for cls in kind.__mro__
    )


def _is_frozen(kind: type) -> bool:
    config = getattr(kind, "__struct_config__", None)
    if config is not None:
        return bool(config.frozen)
    if _is_pydantic(kind):
        return bool(getattr(kind, "model_config", {}).get("frozen"))
    if hasattr(kind, "__attrs_props__"):
        return bool(kind.__attrs_props__.is_frozen)
    parameters = getattr(kind, "__dataclass_params__", None)
    return parameters is not None and bool(parameters.frozen)


# --- The contents of a builtin base -------------------------------------------------------------

# By the builtin's own methods: those of a subclass may say something else.
_CONTENTS: dict[type, Callable[[Any], Any]] = {
    int: int.__pos__,
    float: float.__pos__,
    complex: complex.__pos__,
    str: str.__str__,
    bytes: lambda value: bytes.__getitem__(value, slice(None)),
    bytearray: lambda value: bytearray.__getitem__(value, slice(None)),
    list: lambda value: list(list.__iter__(value)),
    tuple: lambda value: tuple(tuple.__iter__(value)),
    dict: lambda value: dict(dict.items(value)),
    set: lambda value: set(set.__iter__(value)),
    frozenset: lambda value: frozenset(frozenset.__iter__(value)),
    **HANDLERS,
}


def _base(kind: type) -> type:
    """The nearest class whose contents are known by themselves; `object` has none."""
    for cls in kind.__mro__:
        if cls in _CONTENTS or (cls.__module__ == "builtins" and issubclass(cls, BaseException)):
            return cls
    return object


def _exception(value: BaseException) -> Node:
    # Not its traceback, cause and context, which pickling drops: they tell how it came about.
    more: tuple[Any, ...] = ()
    if isinstance(value, OSError):
        more = (value.errno, value.strerror, value.filename, value.filename2)
    elif isinstance(value, ImportError):
        more = (value.name, value.path)
    return Node("exception", (value.args, more), label=lambda index: "" if index else ".args")


# --- Instances ----------------------------------------------------------------------------------


class _Shape(NamedTuple):
    """What of a class's instances counts; made once a class.

    `slots` are its members outside `__dict__`, `fields` a dataclass's fields, which may live behind
    descriptors, and `derived` the cached properties of a frozen class: these follow from the rest,
    and asking for one must not change the digest. Where attributes can change, a cached property
    can be out of step with them, and counts.
    """

    contents: Callable[[Any], Any] | None
    slots: tuple[tuple[str, types.MemberDescriptorType], ...]
    fields: tuple[str, ...]
    derived: frozenset[str]


@functools.lru_cache(maxsize=4096)  # bounded, for it keeps classes alive
def _shape(kind: Any, base: Any = None) -> _Shape:
    base = base or _base(kind)
    own = [cls for cls in kind.__mro__ if not issubclass(base, cls)]
    slots = [
        (name, member)
        for cls in own
        for name, member in vars(cls).items()
        if isinstance(member, types.MemberDescriptorType)
    ]
    # Beyond its slots a class written in Python adds at most a dictionary and a list of weak
    # references to an instance; more is the hidden state of an extension.
    pointer = tuple.__itemsize__
    if kind.__basicsize__ - base.__basicsize__ > pointer * (len(slots) + 2):
        raise UncacheableArgument(
            f"{kind.__qualname__} keeps state that cannot be seen from Python"
        )
    contents = _CONTENTS.get(base)
    if contents is None and issubclass(base, BaseException):
        contents = _exception
    fields = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
    derived = (
        {
            name
            for cls in kind.__mro__
            for name, member in vars(cls).items()
            if isinstance(member, functools.cached_property)
        }
        if _is_frozen(kind)
        else ()
    )
    return _Shape(contents, tuple(slots), tuple(field.name for field in fields), frozenset(derived))


_UNSET = object()


def _object(value: Any) -> Node:
    kind: Any = type(value)
    shape = _shape(kind)
    contents = None if shape.contents is None else shape.contents(value)
    return Node("object", (kind, contents, attributes("", _state(value, kind, shape))))


def state_of(value: Any, base: type) -> dict[str, Any]:
    """The attributes of an instance whose class derives from `base`, which is known otherwise."""
    kind: Any = type(value)
    return _state(value, kind, _shape(kind, base))


def _state(value: Any, kind: type, shape: _Shape) -> dict[str, Any]:
    state: dict[str, Any] = dict(getattr(value, "__dict__", ()))
    for name, member in shape.slots:
        content = _read(member, value, kind)
        if content is not _UNSET:
            # A slot may be declared twice along the line of bases, and both be in use.
            owner = f"{member.__objclass__.__qualname__}." if name in state else ""
            state[owner + name] = content
    for name in shape.fields:
        if name not in state and (content := getattr(value, name, _UNSET)) is not _UNSET:
            state[name] = content
    for name in shape.derived:
        state.pop(name, None)
    return state


def _read(member: types.MemberDescriptorType, value: Any, kind: type) -> Any:
    try:
        return member.__get__(value, kind)
    except AttributeError:
        return _UNSET
