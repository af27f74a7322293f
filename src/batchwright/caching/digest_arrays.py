"""How values of numpy's types, and scipy's sparse arrays, are taken apart for their digest.

An array counts by its exact dtype, save the byte order; its shape; and its items in row-major
order, every NaN as the one NaN. Padding inside structured items and long doubles holds left-over
bytes, so these go field by field, and as sums of plain doubles.
"""

from __future__ import annotations

import sys
from typing import Any, TypeAlias

import numpy as np

from batchwright.caching import digest_objects
from batchwright.caching.digest_encoding import (
    Handler,
    Node,
    Written,
    attributes,
    encode_buffer,
    items,
)
from batchwright.errors import UncacheableArgument

_Array: TypeAlias = "np.ndarray[Any, Any]"


def find(kind: type) -> Handler | None:
    """The function that takes apart instances of one of numpy's or scipy's types, or None."""
    known = _HANDLERS.get(kind)
    if known is not None:
        return known
    if issubclass(kind, np.dtype):
        return _dtype
    if issubclass(kind, np.generic) and kind.__module__.partition(".")[0] == "numpy":
        return _scalar
    if issubclass(kind, np.ndarray):
        return _subclass
    if issubclass(kind, np.random.BitGenerator):
        return _bit_generator
    sparse = sys.modules.get("scipy.sparse")
    if sparse is not None and kind in {getattr(sparse, name, None) for name in _SPARSE}:
        return _sparse
    return None


# --- Arrays -------------------------------------------------------------------------------------


def array_node(array: _Array) -> Node:
    """The node of an array of any dtype."""
    return Node("ndarray", (array.dtype, array.shape, _items(array)), label=_no_item)


def _no_item(index: int) -> str:
    return ".dtype" if index == 0 else ""


def _items(array: _Array) -> Written | Node:
    dtype = array.dtype
    if dtype.names is not None:
        names = dtype.names
        parts = [_items(array[name]) for name in names]
        return Node("fields", parts, label=lambda index: f"[{names[index]!r}]")
    if dtype.kind == "O":
        return items("objects", array.ravel(order="C").tolist())
    if dtype.kind == "T":
        return items("strings", array.ravel(order="C").tolist())
    if dtype.kind in "fc":
        return _floats(array)
    return _raw(array)


def _floats(array: _Array) -> Written | Node:
    if array.dtype.itemsize > (8 if array.dtype.kind == "f" else 16):
        return _long_floats(array)
    if array.dtype.kind == "c":
        array = np.ascontiguousarray(array)
        array = array.view(array.real.dtype)
    # The largest item is NaN when any is: much cheaper than to look at each.
    if array.size and np.isnan(array.max()):
        array = np.where(np.isnan(array), array.dtype.type(np.nan), array)
    return _raw(array)


def _long_floats(array: _Array) -> Node:
    if array.dtype.kind == "c":
        return Node("long", (_items(array.real), _items(array.imag)))
    with np.errstate(all="ignore"):
        mantissa, exponent = np.frexp(array)
        high = mantissa.astype("<f8")
        low = (mantissa - high).astype("<f8")
    return Node("long", (_items(high), _items(low), _items(exponent.astype("<i8"))))


def _raw(array: _Array) -> Written:
    order = array.dtype.newbyteorder("<")
    plain = np.ascontiguousarray(array, dtype=order).reshape(-1)
    # As bytes, for the buffer protocol knows no dates and no zero-width strings.
    size = plain.nbytes
    return Written(encode_buffer(b"r", plain.view(np.uint8).data if size else b"", size))


def _masked(array: np.ma.MaskedArray[Any, Any]) -> Node:
    # What lies under the mask counts: a step may lift it.
    state = {
        "data": np.asarray(array.data),
        "mask": np.ma.getmaskarray(array),
        "fill_value": np.asarray(array.fill_value),
        "hardmask": array.hardmask,
    }
    return attributes("maskedarray", state)


def _subclass(array: _Array) -> Node:
    # A class of a user's own: its code, the items, and whatever else its instances carry.
    state = digest_objects.state_of(array, np.ndarray)
    return Node("arrayobject", (type(array), np.asarray(array), attributes("", state)))


# --- Scalars and dtypes -------------------------------------------------------------------------


def _scalar(value: np.generic) -> Node:
    array = np.asarray(value)
    return Node("npscalar", (array.dtype, _items(array)))


def _dtype(dtype: np.dtype[Any]) -> Node:
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return Node("subdtype", (base, shape))
    if dtype.names is not None:
        fields = [(name, *dtype.fields[name]) for name in dtype.names]  # type: ignore[index]
        return Node("struct dtype", (dtype.type.__name__, fields, dtype.itemsize))
    if dtype.kind == "T":
        missing = getattr(dtype, "na_object", None)
        return Node("dtype", ("T", hasattr(dtype, "na_object"), missing))
    if type(dtype).__module__.partition(".")[0] != "numpy":
        raise UncacheableArgument(f"the dtype {dtype} is not numpy's own")
    return Node("dtype", (dtype.newbyteorder("<").str, dtype.type.__name__))


def _ufunc(value: np.ufunc) -> Node:
    # One made from a Python function has its name, and nothing of its code.
    for home in ("numpy", "scipy.special"):
        module = sys.modules.get(home)
        if getattr(module, value.__name__, None) is value:
            return Node("ufunc", (home, value.__name__, _version(home)))
    raise UncacheableArgument(
        f"the universal function {value.__name__} is not one of numpy's; pass the function it is "
        "made from"
    )


def _version(module: str) -> str:
    return str(sys.modules[module.partition(".")[0]].__version__)


def _function(value: Any) -> Node:
    from batchwright.caching.code import code_digest

    return Node("code", (code_digest(value),))


# --- Random generators --------------------------------------------------------------------------


def _generator(value: np.random.Generator) -> Node:
    return Node("rng", (value.bit_generator,))


def _random_state(value: np.random.RandomState) -> Node:
    return Node("randomstate", (value.get_state(legacy=False),))


def _bit_generator(value: np.random.BitGenerator) -> Node:
    # The seed sequence decides what `spawn` gives.
    seeds = getattr(value, "seed_seq", None)
    return Node("bitgenerator", (value.state, seeds))


def _seed_sequence(value: np.random.SeedSequence) -> Node:
    return attributes("seedsequence", dict(value.state))


# --- Sparse arrays ------------------------------------------------------------------------------

_SPARSE = tuple(
    f"{form}_{what}"
    for form in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
    for what in ("array", "matrix")
)


def _sparse(value: Any) -> Node:
    # By coordinates, sorted, duplicates summed: how a form orders its entries does not matter.
    entries = value.tocoo(copy=True)
    entries.sum_duplicates()
    coordinates = [np.asarray(axis, dtype="<i8") for axis in entries.coords]
    return Node("sparse", (type(value).__name__, value.shape, coordinates, entries.data))


_HANDLERS: dict[type, Handler] = {
    np.ndarray: array_node,
    np.memmap: lambda value: array_node(np.asarray(value)),
    np.ufunc: _ufunc,
    type(np.dot): _function,
    np.matrix: lambda value: Node("matrix", (np.asarray(value),)),
    np.recarray: lambda value: Node("recarray", (value.view(np.ndarray),)),
    np.ma.MaskedArray: _masked,
    np.random.Generator: _generator,
    np.random.RandomState: _random_state,
    np.random.SeedSequence: _seed_sequence,
}
