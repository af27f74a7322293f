"""How values of the standard library's types are taken apart for their digest."""

from __future__ import annotations

import array
import collections
import datetime as dt
import decimal
import fractions
import functools
import io
import ipaddress
import operator
import random
import re
import struct
import types
import typing
import uuid
import zoneinfo
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from batchwright.caching.digest_classes import class_node
from batchwright.caching.digest_encoding import (
    ORDERED,
    UNORDERED,
    Handler,
    Node,
    Written,
    attributes,
    items,
    pairs,
)
from batchwright.errors import UncacheableArgument

# --- Numbers, dates, and other single values ------------------------------------------------


def _decimal(value: decimal.Decimal) -> Node:
    # 1.0 and 1.00 are equal but print, and round, differently.
    return Node("decimal", value.as_tuple()[:])


def _fraction(value: fractions.Fraction) -> Node:
    return Node("fraction", (value.numerator, value.denominator))


def _date(value: dt.date) -> Node:
    return Node("date", (value.year, value.month, value.day))


def _clock(value: dt.time | dt.datetime) -> tuple[Any, ...]:
    return (
        value.hour,
        value.minute,
        value.second,
        value.microsecond,
        value.fold,
        value.tzinfo,
    )


def _time(value: dt.time) -> Node:
    return Node("time", _clock(value), label=_zone_label)


def _datetime(value: dt.datetime) -> Node:
    parts = (value.year, value.month, value.day, *_clock(value))
    return Node("datetime", parts, label=_zone_label)


def _zone_label(index: int) -> str:
    return ".tzinfo"


def _timedelta(value: dt.timedelta) -> Node:
    return Node("timedelta", (value.days, value.seconds, value.microseconds))


def _timezone(value: dt.timezone) -> Node:
    return Node("timezone", (value.utcoffset(None), value.tzname(None)))


def _zoneinfo(value: zoneinfo.ZoneInfo) -> Node:
    if value.key is None:
        raise UncacheableArgument("a ZoneInfo read from a file has no name; give it a key")
    return Node("zoneinfo", (value.key,))


def _uuid(value: uuid.UUID) -> Node:
    return Node("uuid", (value.int,))


def _pattern(value: re.Pattern[Any]) -> Node:
    return Node("pattern", (value.pattern, value.flags))


def _range(value: range) -> Node:
    return Node("range", (value.start, value.stop, value.step))


def _slice(value: Any) -> Node:
    return Node("slice", (value.start, value.stop, value.step))


def _address(value: Any) -> Node:
    return Node("ipaddress", (type(value).__name__, str(value)))


def _pure_path(value: Any) -> Node:
    return Node("purepath", (type(value).__name__, str(value)))


# --- Collections ------------------------------------------------------------------------------


def _ordered_dict(value: collections.OrderedDict[Any, Any]) -> Node:
    parts = [part for pair in collections.OrderedDict.items(value) for part in pair]
    label = pairs("", zip(parts[::2], parts[1::2], strict=True)).label
    return Node("ordereddict", parts, ORDERED, label)


def _default_dict(value: collections.defaultdict[Any, Any]) -> Node:
    return Node(
        "defaultdict", (value.default_factory, pairs("", dict.items(value))), label=_factory
    )


def _factory(index: int) -> str:
    return "" if index else ".default_factory"


def _counter(value: collections.Counter[Any]) -> Node:
    return pairs("counter", dict.items(value))


def _deque(value: collections.deque[Any]) -> Node:
    return Node("deque", (value.maxlen, items("", collections.deque.__iter__(value))))


def _mapping_proxy(value: types.MappingProxyType[Any, Any]) -> Node:
    return Node("mappingproxy", (value | {},))


def _keys(value: Any) -> Node:
    return items("dictkeys", value, UNORDERED)


def _values(value: Any) -> Node:
    return items("dictvalues", value)


def _items(value: Any) -> Node:
    return pairs("dictitems", value)


def _array(value: array.array[Any]) -> Node:
    # Through numpy, which knows byte order and the one NaN; the code `u` has no numpy type.
    if value.typecode in "uw":
        return Node("array", (value.typecode, value.tounicode()))
    return Node("array", (value.typecode, _as_numpy(value)))


def _memoryview(value: memoryview) -> Node:
    if value.format == "B" and value.ndim == 1:
        return Node("memoryview", (value.format, bytes(value)))
    return Node("memoryview", (value.format, _as_numpy(value)))


def _as_numpy(value: Any) -> Any:
    import numpy as np

    return np.asarray(value)


# --- Callables and types ------------------------------------------------------------------------


def _code(value: Any) -> Node:
    from batchwright.caching.code import code_digest

    return Node("code", (code_digest(value),))


def _method(value: types.MethodType) -> Node:
    return Node("method", (value.__func__, value.__self__), label=_method_label)


def _method_label(index: int) -> str:
    return ".__self__" if index else ".__func__"


def _builtin(value: types.BuiltinFunctionType) -> Node:
    # A bound method of an object, [].append, has that object; a function of a module, the module.
    owner = value.__self__
    if owner is None or isinstance(owner, types.ModuleType):
        return _code(value)
    return Node("builtinmethod", (value.__name__, owner), label=lambda _: ".__self__")


def _partial(value: functools.partial[Any]) -> Node:
    return attributes(
        "partial", {"func": value.func, "args": value.args, "keywords": value.keywords}
    )


def _reduced(value: Any) -> Node:
    # operator's getters say themselves what they were made from.
    _, arguments = value.__reduce__()[:2]
    return Node(type(value).__name__, arguments)


def _alias(value: Any) -> Node:
    origin, arguments = typing.get_origin(value), typing.get_args(value)
    if origin in (types.UnionType, typing.Union):
        # int | None and Optional[int] are equal, and from Python 3.14 on the same.
        return Node("union", arguments)
    form = type(value).__name__  # list[int] and typing.List[int] are not equal
    return Node("typealias", (form, origin, arguments))


def _type_variable(value: Any) -> Node:
    return Node("typevar", (value.__name__, value.__bound__, value.__constraints__))


def _special_form(value: Any) -> Node:
    return Node("typing", (str(value),))


def find(kind: type) -> Handler | None:
    """The function that takes apart the private types that annotations are made of, or None."""
    if kind.__module__ != "typing":
        return None
    if kind.__name__.endswith("Alias"):
        return _alias
    return _special_form if kind.__name__.endswith("SpecialForm") else None


# --- Things with a state ----------------------------------------------------------------------


def _namespace(value: types.SimpleNamespace) -> Node:
    return attributes("namespace", vars(value))


def _random(value: random.Random) -> Node:
    return Node("random", (value.getstate(),))


def _bytes_stream(value: io.BytesIO) -> Node:
    return Node("bytesio", (value.getvalue(), value.tell()))


def _text_stream(value: io.StringIO) -> Node:
    return Node("stringio", (value.getvalue(), value.tell()))


def _struct(value: struct.Struct) -> Node:
    return Node("struct", (value.format,))


def _with_attributes(handler: Handler) -> Handler:
    """For types whose instances take further attributes, which count when there are any."""

    def both(value: Any) -> Written | Node:
        further = vars(value)
        if not further:
            return handler(value)
        return Node("extended", (handler(value), attributes("", further)))

    return both


HANDLERS: dict[type, Handler] = {
    array.array: _array,
    collections.Counter: _with_attributes(_counter),
    collections.OrderedDict: _with_attributes(_ordered_dict),
    collections.defaultdict: _default_dict,
    collections.deque: _deque,
    dt.date: _date,
    dt.datetime: _datetime,
    dt.time: _time,
    dt.timedelta: _timedelta,
    dt.timezone: _timezone,
    decimal.Decimal: _decimal,
    fractions.Fraction: _fraction,
    functools.partial: _with_attributes(_partial),
    io.BytesIO: _with_attributes(_bytes_stream),
    io.StringIO: _with_attributes(_text_stream),
    memoryview: _memoryview,
    operator.attrgetter: _reduced,
    operator.itemgetter: _reduced,
    operator.methodcaller: _reduced,
    random.Random: _random,
    range: _range,
    re.Pattern: _pattern,
    slice: _slice,
    struct.Struct: _struct,
    type: class_node,
    typing.TypeVar: _type_variable,
    uuid.UUID: _uuid,
    zoneinfo.ZoneInfo: _zoneinfo,
    PurePosixPath: _pure_path,
    PureWindowsPath: _pure_path,
    type({}.items()): _items,
    type({}.keys()): _keys,
    type({}.values()): _values,
    types.BuiltinFunctionType: _builtin,
    types.ClassMethodDescriptorType: _code,
    types.FunctionType: _code,
    types.GenericAlias: _alias,
    types.MappingProxyType: _mapping_proxy,
    types.MethodDescriptorType: _code,
    types.MethodType: _method,
    types.SimpleNamespace: _namespace,
    types.UnionType: _alias,
    types.WrapperDescriptorType: _code,
    type(functools.lru_cache(len)): _code,
    **{
        getattr(ipaddress, f"IPv{version}{what}"): _address
        for version in (4, 6)
        for what in ("Address", "Network", "Interface")
    },
}
