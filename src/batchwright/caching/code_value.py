"""Values that code holds: constants count by content, functions and classes by what they say.

A value that can change while the program runs, or that cannot be told apart, is counted by the
source that made it (`code_module`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import functools
import ipaddress
import pathlib
import re
import sys
import types
import uuid
import weakref
import zoneinfo
from typing import TYPE_CHECKING, Any, NamedTuple

from batchwright.caching import code_owner
from batchwright.caching.code_owner import OWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from batchwright.caching.code_reach import Place, Walk

_EXACT = (type(None), bool, int, float, complex, str, bytes, type(...), type(NotImplemented), range)
_TEXTUAL = (
    *(dt.date, dt.time, dt.datetime, dt.timedelta, dt.timezone),
    *(decimal.Decimal, fractions.Fraction, uuid.UUID, zoneinfo.ZoneInfo),
    *(ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network),
)
_ANNOTATION_FORMS = (
    types.GenericAlias,
    types.UnionType,
)
_DEPTH = 12


def token(walk: Walk, value: Any, place: Place | None) -> str:
    """The token of a value found at `place`."""
    simple = constant(walk, value)
    if simple is None:
        simple = code(walk, value, place)
    if simple is not None:
        return _as_part(walk, simple, place)
    from batchwright.caching import code_module

    return code_module.made(walk, value, place)


def _as_part(walk: Walk, simple: str, place: Place | None) -> str:
    # A named constant is a part of its own, so that a change of it can be named. What is already
    # a part, or someone else's, needs no second name.
    if place is None or place.kind not in ("module", "class") or simple[:1] == "<":
        return simple
    if simple.startswith(("foreign ", "bound ", "partial ", "descriptor ")):
        return simple
    from batchwright.caching import code_module

    home = code_module.home(place)
    if home is None:
        return simple
    if code_module.depends_on_place(walk, simple, home):
        return code_module.by_source(walk, None, home) or simple
    key = code_module.key_of(home)
    identity = ("constant", key)
    return walk.part(identity, key, lambda content: content.append(simple))


def constant(walk: Walk, value: Any, depth: int = 0) -> str | None:
    """The token of a value that cannot change; None when it may, or is not plain."""
    kind = type(value)
    if kind in _EXACT:
        return f"{kind.__name__} {value!r}"
    if kind in (tuple, frozenset):
        return _collection(walk, value, depth)
    if kind in _TEXTUAL:
        return f"{kind.__module__}.{kind.__qualname__} {value!r}"
    if kind is re.Pattern:
        return f"pattern {value.pattern!r} {value.flags}"
    if isinstance(value, pathlib.PurePath):
        return f"path {value.as_posix()!r}"
    if kind is slice:
        return f"slice {value!r}"
    if kind is types.MappingProxyType:
        return None
    if isinstance(value, enum.Enum):
        return f"member {walk.value(kind, None)} {value._name_} {constant(walk, value._value_)}"
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return f"named {walk.value(kind, None)} {_collection(walk, tuple(value), depth)}"
    return _frozen(walk, value, depth)


def _collection(walk: Walk, value: Any, depth: int) -> str | None:
    if depth > _DEPTH:
        return None
    items: list[str] = []
    for item in value:
        found = constant(walk, item, depth + 1) or code(walk, item, None)
        if found is None:
            return None
        items.append(found)
    if isinstance(value, frozenset):
        items.sort()  # the order of a set differs between processes
    return f"{type(value).__name__}({', '.join(items)})"


def _frozen(walk: Walk, value: Any, depth: int) -> str | None:
    """An instance of an own class that cannot change: a frozen dataclass, or one with slots."""
    kind = type(value)
    if isinstance(value, type) or depth > _DEPTH or not _is_own_class(kind):
        return None
    if dataclasses.is_dataclass(kind):
        if not kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]
            return None
        names = [field.name for field in dataclasses.fields(kind)]
    elif _has_only_slots(kind):
        names = sorted(slots_of(kind))
    else:
        return None
    items = [f"instance {walk.value(kind, None)}"]
    for name in names:
        held = stored(value, name)
        found = constant(walk, held, depth + 1) or code(walk, held, None)
        if found is None:
            return None
        items.append(f"{name}={found}")
    return f"({', '.join(items)})"


_NOTHING = object()


def stored(value: Any, name: str) -> Any:
    """An attribute as it is stored, past properties and `__getattr__`."""
    own = getattr(value, "__dict__", None)
    if isinstance(own, dict) and name in own:
        return own[name]
    for base in type(value).__mro__:
        member = vars(base).get(name)
        if isinstance(member, types.MemberDescriptorType):
            try:
                return member.__get__(value)
            except AttributeError:
                return None
    return None


def slots_of(kind: type) -> set[str]:
    """The names of all slots of a class and its bases."""
    return {
        name
        for base in kind.__mro__
        for name, member in vars(base).items()
        if isinstance(member, types.MemberDescriptorType)
    }


def _has_only_slots(kind: type) -> bool:
    return "__slots__" in vars(kind) and not any("__dict__" in vars(base) for base in kind.__mro__)


def _is_own_class(kind: type) -> bool:
    return code_owner.owner_of_class(kind) == OWN


# --- code ---------------------------------------------------------------------------------


def code(walk: Walk, value: Any, place: Place | None) -> str | None:  # noqa: C901
    """The token of a function, class or anything made of them; None for other values."""
    if isinstance(value, types.FunctionType):
        return walk.function(value)
    if isinstance(value, type):
        from batchwright.caching import code_class

        return code_class.class_token(walk, value)
    if isinstance(value, types.ModuleType):
        owner = code_owner.owner_of_module(value)
        if owner != OWN:
            return walk.foreign(owner, value.__name__)
        return walk.whole_module(vars(value), f"all of {value.__name__}")
    if isinstance(value, types.MethodType):
        return _bound(walk, value)
    if isinstance(value, types.BuiltinFunctionType | types.MethodWrapperType):
        return _builtin(walk, value)
    if isinstance(value, _FIELD):
        return "field"
    if isinstance(value, _FOREIGN_DESCRIPTORS):
        return walk.foreign(
            code_owner.PYTHON, f"{value.__objclass__.__qualname__}.{value.__name__}"
        )
    if isinstance(value, functools.partial | functools.partialmethod):
        held = [walk.value(value.func, None)]
        held += [walk.value(item, place and place._replace(kind="argument")) for item in value.args]
        for name, item in value.keywords.items():
            held.append(f"{name}={walk.value(item, place and place._replace(kind='argument'))}")
        return f"partial {' '.join(held)}"
    if isinstance(value, staticmethod | classmethod):
        return f"descriptor {type(value).__name__} {walk.value(value.__func__, None)}"
    if isinstance(value, property):
        parts = (value.fget, value.fset, value.fdel)
        return f"descriptor property {' '.join(walk.value(part, None) for part in parts)}"
    if isinstance(value, functools.cached_property):
        return f"descriptor cached {walk.value(value.func, None)}"
    if isinstance(value, functools.singledispatchmethod):
        both = (walk.value(value.dispatcher, None), walk.value(value.func, None))
        return f"descriptor dispatch {' '.join(both)}"
    if type(value).__name__ == "_lru_cache_wrapper":
        return f"bound cached {walk.value(value.__wrapped__, None)}"
    if isinstance(value, _ANNOTATION_FORMS) or type(value).__module__ == "typing":
        return f"typing {_type_text(value)}"
    return None


class _Named(NamedTuple):
    field: int


_FIELD = type(vars(_Named)["field"])  # what a named tuple reads its fields with
_FOREIGN_DESCRIPTORS = (
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
)


def _bound(walk: Walk, value: types.MethodType) -> str:
    function, holder = value.__func__, value.__self__
    if isinstance(holder, type):
        return f"bound {walk.value(function, None)} {walk.value(holder, None)}"
    from batchwright.caching import code_module

    held = constant(walk, holder) or code_module.by_value(walk, holder)
    return f"bound {walk.value(function, None)} {held or walk.value(type(holder), None)}"


def _builtin(walk: Walk, value: Any) -> str:
    holder = getattr(value, "__self__", None)
    if holder is None or isinstance(holder, types.ModuleType):
        module = getattr(value, "__module__", None) or "builtins"
        file = code_owner.module_file(module)
        owner = code_owner.owner_of(module, file)
        if owner != OWN:
            return walk.foreign(owner, f"{module}.{value.__qualname__}")
        if file:
            return walk.whole_module(vars(sys.modules[module]), "")
        return f"foreign {module}.{value.__qualname__}"
    return f"bound {value.__name__} {constant(walk, holder) or walk.value(type(holder), None)}"


def _type_text(value: Any) -> str:
    # The repr of an annotation names its classes by module and name, and holds no address.
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))


# --- code inside other values -------------------------------------------------------------


def own_code_in(walk: Walk, value: Any) -> str:
    """The tokens of own functions and classes held by a value, and of constants beside them."""
    found = constant(walk, value) or code(walk, value, None)
    if found is not None:
        return found
    return " ".join(code_inside(walk, value))


def code_inside(walk: Walk, value: Any, depth: int = 0) -> Iterator[str]:
    """Tokens of the functions and classes in containers, by key in a mapping."""
    if depth > 4:
        return
    if isinstance(value, dict | types.MappingProxyType | weakref.WeakKeyDictionary):
        try:
            entries = list(value.items())
        except (RuntimeError, TypeError):
            return
        for key, item in entries:
            name = constant(walk, key) or code(walk, key, None) or ""
            for found in code_inside(walk, item, depth + 1):
                yield f"{name}: {found}"
    elif isinstance(value, list | tuple | set | frozenset):
        found_inside = [found for item in value for found in code_inside(walk, item, depth + 1)]
        ordered = isinstance(value, list | tuple)
        yield from found_inside if ordered else sorted(found_inside)
    elif _is_code(value):
        found_code = code(walk, value, None)
        if found_code is not None:
            yield found_code
    elif not isinstance(value, _EXACT) and _is_own_class(type(value)):
        yield walk.value(type(value), None)
        for name, item in sorted(getattr(value, "__dict__", {}).items()):
            for found in code_inside(walk, item, depth + 1):
                yield f"{name}: {found}"


def _is_code(value: Any) -> bool:
    return isinstance(
        value,
        types.FunctionType | types.MethodType | type | functools.partial,
    ) or (type(value).__name__ == "_lru_cache_wrapper")
