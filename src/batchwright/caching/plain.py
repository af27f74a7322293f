"""The safe codec: plain data and numpy arrays, with exact types, and nothing that runs.

MessagePack holds what it knows by itself (None, bool, int, float, str, bytes, list, dict with
str keys); every other plain type is an extension of it. Arrays lie outside the MessagePack, as
raw buffers, so that a large one is copied only once.

A list or dict that stands in a value twice is refused here and left to pickle: two equal lists
in the place of one would make a hit behave otherwise than the first call.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, SafeUUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

Ext = msgspec.msgpack.Ext

_INT_LOW, _INT_HIGH = -(2**63), 2**64 - 1

# Types whose values MessagePack gives back as they were, but for huge ints and lone surrogates,
# which it refuses to encode; `_Careful` then looks at each.
_AS_IS = frozenset({type(None), bool, int, float, str, bytes})

# Extension codes are part of the format: never change or reuse one.
_TUPLE, _SET, _FROZENSET, _DICT, _BIG_INT, _SURROGATES, _BYTEARRAY, _COMPLEX, _RANGE = range(1, 10)
_DATE, _TIME, _DATETIME, _TIMEDELTA, _TIMEZONE, _ZONE = range(10, 16)
_DECIMAL, _FRACTION, _UUID, _PATH, _ARRAY, _SCALAR, _STORED_PATH = range(16, 23)


class NotPlain(Exception):  # a signal between codecs, never seen by a user
    """The value holds something that this codec does not know; `culprit` is that thing."""

    def __init__(self, culprit: object) -> None:
        super().__init__(type(culprit).__name__)
        self.culprit = culprit


def pack(value: Any) -> tuple[bytes, list[memoryview]]:
    """A value as MessagePack and buffers; NotPlain when it holds anything else than plain data."""
    try:
        packer = Packer()
        return _encode(packer.pack(value)), packer.buffers
    except (OverflowError, UnicodeEncodeError):
        packer = _Careful()
        return _encode(packer.pack(value)), packer.buffers


def unpack(
    head: bytes | bytearray | memoryview, buffers: list[memoryview], restore: Path | None
) -> Any:
    """The value again. Arrays share the memory of `buffers`, which must be the value's alone."""
    if not buffers:
        return _SIMPLE.decode(head)
    return Unpacker(buffers, restore).decode(head)


class Packer:
    """Turns one value into what MessagePack can hold."""

    def __init__(self) -> None:
        self.buffers: list[memoryview] = []
        self._seen: set[int] = set()

    def pack(self, value: Any) -> Any:
        """What stands for `value` in the MessagePack."""
        kind = type(value)
        if kind in _AS_IS:
            return self.leaf(value)
        rule = _RULES.get(kind)
        if rule is not None:
            return rule(self, value)
        if getattr(kind, "__module__", "") == "numpy":
            from batchwright.caching import arrays

            return arrays.pack(self, value)
        raise NotPlain(value)

    def leaf(self, value: Any) -> Any:
        return value

    def items(self, values: Any) -> list[Any]:
        if _AS_IS.issuperset(map(type, values)):
            return list(values)
        return [self.pack(item) for item in values]

    def mapping(self, value: dict[Any, Any]) -> Any:
        if _STR.issuperset(map(type, value)):
            if _AS_IS.issuperset(map(type, value.values())):
                return value
            return {key: self.pack(item) for key, item in value.items()}
        return self.pairs(value)

    def pairs(self, value: dict[Any, Any]) -> Ext:
        flat = [self.pack(each) for pair in value.items() for each in pair]
        return Ext(_DICT, _encode(flat))

    def buffer(self, view: memoryview) -> int:
        """Puts a flat view of bytes beside the MessagePack; its number."""
        self.buffers.append(view)
        return len(self.buffers) - 1

    def once(self, value: object) -> None:
        """Says that a changeable object was met; NotPlain when it was met before."""
        if id(value) in self._seen:
            raise NotPlain(value)
        self._seen.add(id(value))


class _Careful(Packer):
    def leaf(self, value: Any) -> Any:
        if type(value) is int and not _INT_LOW <= value <= _INT_HIGH:
            return Ext(_BIG_INT, value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True))
        if type(value) is str and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                return Ext(_SURROGATES, value.encode("utf-8", "surrogatepass"))
        return value

    def items(self, values: Any) -> list[Any]:
        return [self.pack(item) for item in values]

    def mapping(self, value: dict[Any, Any]) -> Any:
        return self.pairs(value)


_STR = frozenset({str})
_encode: Callable[[Any], bytes] = msgspec.msgpack.Encoder().encode


def _extension(code: int, parts: Callable[[Any], list[Any]]) -> Callable[[Packer, Any], Ext]:
    def rule(packer: Packer, value: Any) -> Ext:
        return Ext(code, _encode(packer.items(parts(value))))

    return rule


def _list(packer: Packer, value: list[Any]) -> Any:
    packer.once(value)
    return packer.items(value)


def _set(packer: Packer, value: set[Any]) -> Ext:
    packer.once(value)
    return Ext(_SET, _encode(packer.items(value)))


def _dict(packer: Packer, value: dict[Any, Any]) -> Any:
    packer.once(value)
    return packer.mapping(value)


def _bytearray(packer: Packer, value: bytearray) -> Ext:
    packer.once(value)
    return Ext(_BYTEARRAY, bytes(value))


def _datetime_parts(value: dt.datetime) -> list[Any]:
    return [
        value.year, value.month, value.day, value.hour, value.minute, value.second,
        value.microsecond, value.tzinfo, value.fold,
    ]  # fmt: skip


def _time_parts(value: dt.time) -> list[Any]:
    clock = [value.hour, value.minute, value.second, value.microsecond]
    return [*clock, value.tzinfo, value.fold]


def _timezone_parts(value: dt.timezone) -> list[Any]:
    # The only public way to tell a named zone from one whose name follows from its offset.
    return list(value.__reduce__()[1])


def _zone(packer: Packer, value: ZoneInfo) -> Ext:
    try:
        shared = value.key is not None and ZoneInfo(value.key) is value
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a name of the user's own
        shared = False
    if not shared:
        raise NotPlain(value)  # read from a file, or made apart from the shared ones
    return Ext(_ZONE, value.key.encode())


def _path(packer: Packer, value: Path) -> Ext:
    from batchwright.caching import files

    stored = files.take(value)
    if stored is None:
        return Ext(_PATH, files.name_bytes(value))
    description, contents = stored
    # An empty folder has no contents; one buffer all the same says that there is a path in here.
    numbers = [packer.buffer(memoryview(content)) for content in contents or [b""]]
    return Ext(_STORED_PATH, _encode([numbers, description]))


_RULES: dict[type, Callable[[Packer, Any], Any]] = {
    list: _list,
    dict: _dict,
    tuple: _extension(_TUPLE, list),
    set: _set,
    frozenset: _extension(_FROZENSET, list),
    bytearray: _bytearray,
    complex: _extension(_COMPLEX, lambda value: [value.real, value.imag]),
    range: _extension(_RANGE, lambda value: [value.start, value.stop, value.step]),
    dt.date: _extension(_DATE, lambda value: [value.year, value.month, value.day]),
    dt.time: _extension(_TIME, _time_parts),
    dt.datetime: _extension(_DATETIME, _datetime_parts),
    dt.timedelta: _extension(
        _TIMEDELTA, lambda value: [value.days, value.seconds, value.microseconds]
    ),
    dt.timezone: _extension(_TIMEZONE, _timezone_parts),
    ZoneInfo: _zone,
    Decimal: _extension(_DECIMAL, lambda value: [str(value)]),
    Fraction: _extension(_FRACTION, lambda value: [value.numerator, value.denominator]),
    UUID: _extension(_UUID, lambda value: [value.bytes, value.is_safe.value]),
    type(Path()): _path,
}


class Unpacker:
    """Turns MessagePack and buffers into the value again."""

    def __init__(self, buffers: list[memoryview], restore: Path | None) -> None:
        self.buffers = buffers
        self.restore = restore
        self.decode = msgspec.msgpack.Decoder(ext_hook=self._extension).decode

    def _extension(self, code: int, data: memoryview) -> Any:
        bare = _BARE.get(code)
        if bare is not None:
            return bare(bytes(data))
        parts = self.decode(data)
        made = _MADE.get(code)
        if made is not None:
            return made(parts)
        if code == _STORED_PATH:
            from batchwright.caching import files

            numbers, description = parts
            return files.give(description, [self.buffers[n] for n in numbers], self.restore)
        from batchwright.caching import arrays

        if code == _ARRAY:
            return arrays.array(parts, self.buffers)
        if code == _SCALAR:
            return arrays.scalar(parts)
        raise ValueError(f"extension {code} is not part of this format")


def _big_int(data: bytes) -> int:
    return int.from_bytes(data, "little", signed=True)


def _pairs(flat: list[Any]) -> dict[Any, Any]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _time(parts: list[Any]) -> dt.time:
    return dt.time(*parts[:5], fold=parts[5])


def _datetime(parts: list[Any]) -> dt.datetime:
    return dt.datetime(*parts[:8], fold=parts[8])  # noqa: DTZ001  # the zone is among the parts


def _path_again(data: bytes) -> Path:
    from batchwright.caching import files

    return files.named(data)


_BARE: dict[int, Callable[[bytes], Any]] = {
    _BIG_INT: _big_int,
    _SURROGATES: lambda data: data.decode("utf-8", "surrogatepass"),
    _BYTEARRAY: bytearray,
    _ZONE: lambda data: ZoneInfo(data.decode()),
    _PATH: _path_again,
}

_MADE: dict[int, Callable[[list[Any]], Any]] = {
    _TUPLE: tuple,
    _SET: set,
    _FROZENSET: frozenset,
    _DICT: _pairs,
    _COMPLEX: lambda parts: complex(*parts),
    _RANGE: lambda parts: range(*parts),
    _DATE: lambda parts: dt.date(*parts),
    _TIME: _time,
    _DATETIME: _datetime,
    _TIMEDELTA: lambda parts: dt.timedelta(*parts),
    _TIMEZONE: lambda parts: dt.timezone(*parts),
    _DECIMAL: lambda parts: Decimal(parts[0]),
    _FRACTION: lambda parts: Fraction(*parts),
    _UUID: lambda parts: UUID(bytes=parts[0], is_safe=SafeUUID(parts[1])),
}

_SIMPLE = Unpacker([], None)
