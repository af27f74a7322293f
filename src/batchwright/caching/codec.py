"""Values as bytes and back: equal, of the same types, and private to whoever asks."""

from __future__ import annotations

import datetime as dt
import types
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from batchwright.caching import framing, plain
from batchwright.errors import NotEncodable

if TYPE_CHECKING:
    from pathlib import Path


class Payload(msgspec.Struct, frozen=True):
    """A value as stored: the name of its codec, and bytes.

    Bytes of a `bytearray` are given away with it: a value decoded from it may live in them.
    """

    codec: str
    data: bytes | bytearray


# The names are part of the format: never change or reuse one.
PLAIN, PLAIN_BUFFERS = "plain", "plain+buffers"
PICKLE, PICKLE_BUFFERS = "pickle", "pickle+buffers"
ARROW_TABLE, ARROW_BATCH = "arrow-table", "arrow-batch"


def encode(value: Any) -> Payload:
    """A value as bytes; NotEncodable for what stands for something outside it (a file handle)."""
    kind = type(value)
    if kind.__module__ == "pyarrow.lib" and kind.__name__ in ("Table", "RecordBatch"):
        return _encode_arrow(value, ARROW_TABLE if kind.__name__ == "Table" else ARROW_BATCH)
    try:
        return _framed(PLAIN, PLAIN_BUFFERS, *plain.pack(value))
    except plain.NotPlain as found:
        if isinstance(found.culprit, types.ModuleType):
            raise NotEncodable(
                f"the module {found.culprit.__name__} cannot be stored as, or in, a value"
            ) from None
    except RecursionError:
        pass
    # Late, for cloudpickle is slow to import and most caches never need it.
    from batchwright.caching import pickling

    return _framed(PICKLE, PICKLE_BUFFERS, *pickling.pack(value))


def decode(payload: Payload, restore: Path | None = None) -> Any:
    """The value again, as a private and writable copy.

    Pickles run code: the bytes must be one's own, or have had their MAC checked. Paths whose
    contents are gone are written out under `restore`, without one under a temporary folder.
    Raises ValueError for an unknown codec, and whatever the bytes lead to when they are damaged.
    """
    codec, data = payload.codec, payload.data
    if codec == PLAIN:
        return plain.unpack(data, [], restore)
    if codec == PLAIN_BUFFERS:
        return plain.unpack(*framing.split(_private(data)), restore)
    if codec in (PICKLE_BUFFERS, PICKLE):
        from batchwright.caching import pickling

        if codec == PICKLE:
            return pickling.unpack(data, [], restore)
        return pickling.unpack(*framing.split(_private(data)), restore)
    if codec in (ARROW_TABLE, ARROW_BATCH):
        return _decode_arrow(codec, data)
    raise ValueError(f"unknown codec {codec!r}")


def is_immutable(value: Any) -> bool:
    """Whether a value is of exact, unchangeable builtin types all the way down.

    Such a value may be handed out as it is; any other must be copied. A `Path` is not among
    them, for what it names can change.
    """
    kind = type(value)
    if kind in _IMMUTABLE:
        return True
    if kind is tuple or kind is frozenset:
        try:
            return _IMMUTABLE.issuperset(map(type, value)) or all(map(is_immutable, value))
        except RecursionError:
            return False
    if kind is dt.datetime or kind is dt.time:
        # A zone may be an object of a user's class.
        return value.tzinfo is None or type(value.tzinfo) in _IMMUTABLE
    return False


_IMMUTABLE = frozenset(
    {
        type(None), bool, int, float, complex, str, bytes, range,
        dt.date, dt.timedelta, dt.timezone, ZoneInfo,
        Decimal, Fraction, UUID,
    }
)  # fmt: skip


def _framed(bare: str, framed: str, head: bytes, buffers: list[memoryview]) -> Payload:
    if not buffers:
        return Payload(bare, head)
    return Payload(framed, framing.join(head, buffers))


def _private(data: bytes | bytearray) -> bytearray:
    return data if type(data) is bytearray else bytearray(data)


def _encode_arrow(value: Any, codec: str) -> Payload:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, value.schema) as writer:
        writer.write(value)
    return Payload(codec, sink.getvalue().to_pybytes())


def _decode_arrow(codec: str, data: bytes | bytearray) -> Any:
    import pyarrow as pa

    with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
        return reader.read_all() if codec == ARROW_TABLE else reader.read_next_batch()
