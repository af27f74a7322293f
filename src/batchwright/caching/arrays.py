"""numpy arrays and scalars in the safe codec: a description, and the raw memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from batchwright.caching.plain import _ARRAY, _SCALAR, Ext, NotPlain, _encode

if TYPE_CHECKING:
    from batchwright.caching.plain import Packer


def pack(packer: Packer, value: Any) -> Ext:
    """An array or scalar of numpy's own types; NotPlain for what is not raw memory."""
    if type(value) is np.ndarray:
        return _pack_array(packer, value)
    if isinstance(value, np.generic) and type(value) is value.dtype.type and value.dtype.itemsize:
        described = _description(value.dtype, value)
        if value.dtype.kind == "V":
            raise NotPlain(value)  # a void scalar may be a view of a row that others write to
        return Ext(_SCALAR, _encode([described, value.tobytes()]))
    raise NotPlain(value)


def _pack_array(packer: Packer, value: np.ndarray[Any, Any]) -> Ext:
    packer.once(value)
    described = _description(value.dtype, value)
    order = "F" if value.flags.fnc else "C"
    number = -1
    if value.nbytes:
        flat = value.ravel(order="K") if value.flags.fnc else np.ascontiguousarray(value).ravel()
        number = packer.buffer(flat.view(np.uint8).data)
    parts = [described, list(value.shape), order, bool(value.flags.writeable), number]
    return Ext(_ARRAY, _encode(parts))


def array(parts: list[Any], buffers: list[memoryview]) -> np.ndarray[Any, Any]:
    """The array again, in the memory of its buffer."""
    described, shape, order, writeable, number = parts
    dtype = _dtype(described)
    if number < 0:
        made: np.ndarray[Any, Any] = np.empty(shape, dtype, order)
    else:
        made = np.ndarray(shape, dtype, buffers[number], order=order)
    if not writeable:
        made.flags.writeable = False
    return made


def scalar(parts: list[Any]) -> np.generic:
    """The scalar again."""
    described, data = parts
    made: np.generic = np.frombuffer(data, _dtype(described))[0]
    return made


def _description(dtype: np.dtype[Any], value: object) -> str | bytes:
    # A structured type is described by a nested list, as in .npy files; others by one word.
    if dtype.hasobject or dtype.kind == "T" or dtype.metadata or dtype.isalignedstruct:
        raise NotPlain(value)
    described: str | bytes
    if dtype.fields is None:
        # `long` and `longlong` may be one in size; only the letter tells them apart.
        described = dtype.str if np.dtype(dtype.str).char == dtype.char else dtype.char
    else:
        described = msgspec.json.encode(np.lib.format.dtype_to_descr(dtype))
    if _dtype(described) != dtype:
        raise NotPlain(value)
    return described


def _dtype(described: str | bytes) -> np.dtype[Any]:
    if isinstance(described, str):
        return np.dtype(described)
    return np.lib.format.descr_to_dtype(_tuples(msgspec.json.decode(described)))


def _tuples(described: Any) -> Any:
    # JSON has no tuples: fields are tuples in a list, shapes are tuples, titles are too.
    if isinstance(described, str):
        return described
    return [_field(field) for field in described]


def _field(field: list[Any]) -> tuple[Any, ...]:
    name, kind, *shape = field
    title = tuple(name) if isinstance(name, list) else name
    return (title, _tuples(kind), *(tuple(each) for each in shape))
