"""What vouches for an entry: one MAC over all that is known of it, the value's hash included.

So the info alone can be trusted without reading the value, and the value once its hash agrees.
blake2b keyed makes the MAC, for it is the quickest on a few hundred bytes; SHA-256, which
processors have in hardware, hashes the value.
"""

from __future__ import annotations

import hashlib
import hmac

import msgspec

from batchwright.caching.entry import EntryInfo  # noqa: TC001  # msgspec reads it when run

# Part of every MAC: entries of another format are never taken for ones of this.
FORMAT = 1

_PERSON = b"batchwright"


class Record(msgspec.Struct, frozen=True, array_like=True):
    """What is sealed: the info, the value's SHA-256, and the file it is in ("" when inline)."""

    format: int
    info: EntryInfo
    hash: bytes
    file: str


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Record).decode


def value_hash(data: bytes | bytearray) -> bytes:
    """The hash by which a sealed record knows its value."""
    return hashlib.sha256(data).digest()


def seal(secret: bytes, record: Record) -> tuple[bytes, bytes]:
    """A record as bytes, and its MAC."""
    blob = _encode(record)
    return blob, _mac(secret, blob)


def unseal(secret: bytes, blob: object, mac: object) -> Record | None:
    """The record; None when it was not sealed with this secret. Whose it is, its info says."""
    if type(blob) is not bytes or type(mac) is not bytes:
        return None
    if not hmac.compare_digest(_mac(secret, blob), mac):
        return None
    try:
        record = _decode(blob)
    except msgspec.MsgspecError:
        return None
    return record if record.format == FORMAT else None


def _mac(secret: bytes, blob: bytes) -> bytes:
    return hashlib.blake2b(blob, digest_size=32, key=secret[:64], person=_PERSON).digest()
