"""How pyarrow's values are taken apart for their digest.

A table counts by its schema, with metadata, and by the contents of its columns. How these lie in
chunks and at which offset, and what lies under a null, does not matter; nor does which dictionary
a dictionary-encoded column happens to carry.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from batchwright.caching.digest_encoding import Handler, Node
from batchwright.errors import UncacheableArgument


def find(kind: type) -> Handler | None:
    """The function that takes apart instances of one of pyarrow's own types, or None."""
    if kind.__module__.partition(".")[0] != "pyarrow":
        return None
    for base, handler in _BASES.items():
        if issubclass(kind, base):
            return handler
    return None


def _table(table: Any) -> Node:
    names = table.schema.names
    contents = Node("columns", table.columns, label=lambda index: f"[{names[index]!r}]")
    return Node("arrowtable", (type(table).__name__, table.schema, table.num_rows, contents))


def _schema(schema: Any) -> Node:
    return Node("arrowschema", (list(schema), schema.metadata))


def _field(field: Any) -> Node:
    return Node("arrowfield", (field.name, field.type, field.nullable, field.metadata))


def _type(kind: Any) -> Node:
    # The text of a nested type leaves out what its fields carry, and that of an extension all.
    if isinstance(kind, pa.BaseExtensionType):
        raise UncacheableArgument(f"the contents of the extension type {kind} are not known")
    fields = [kind.field(place) for place in range(kind.num_fields)]
    return Node("arrowtype", (str(kind), fields))


def _scalar(scalar: Any) -> Node:
    return Node("arrowscalar", (pa.array([scalar], type=scalar.type),))


def _chunked(array: Any) -> Node:
    whole = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], type=array.type)
    return Node("arrowarray", ("ChunkedArray", whole.type, len(whole), _contents(whole)))


def _array(array: Any) -> Node:
    return Node("arrowarray", ("Array", array.type, len(array), _contents(array)))


def _contents(array: Any) -> Node:
    """What an array holds beside its type and length: which items are null, and the others."""
    kind = array.type
    if pa.types.is_null(kind):
        return Node("nulls", ())
    if pa.types.is_dictionary(kind):
        return _contents(array.dictionary_decode())
    if _is_of("string_view")(kind):
        array = array.cast(pa.large_string())
    elif _is_of("binary_view")(kind):
        array = array.cast(pa.large_binary())
    read = next((read for test, read in _READERS if test(kind)), None)
    if read is None:
        raise UncacheableArgument(f"the contents of Arrow's type {kind} are not known")
    if not array.null_count:
        return Node("items", read(array))
    nulls = array.is_null().to_numpy(zero_copy_only=False)
    return Node("items and nulls", (nulls, *read(array.drop_null())))


# --- The items of an array without nulls, whose type and length are written already ---------------


def _booleans(array: Any) -> tuple[Any, ...]:
    return _numbers(array.cast(pa.uint8()))


def _numbers(array: Any) -> tuple[Any, ...]:
    # Floats as such, for their NaNs; dates, decimals and the like by the bytes of their storage.
    kind = array.type
    width = kind.bit_width // 8
    dtype = f"f{width}" if pa.types.is_floating(kind) else "u1"
    values = np.frombuffer(array.buffers()[1] or b"", dtype)
    each = 1 if pa.types.is_floating(kind) else width
    return (values[array.offset * each : (array.offset + len(array)) * each],)


def _strings(array: Any) -> tuple[Any, ...]:
    return _bytes(array.cast(pa.large_string()))


def _binaries(array: Any) -> tuple[Any, ...]:
    return _bytes(array.cast(pa.large_binary()))


def _bytes(array: Any) -> tuple[Any, ...]:
    _, offsets, data = array.buffers()
    ends = _offsets(offsets, "i8", array)
    return np.diff(ends), np.frombuffer(data or b"", "u1")[ends[0] : ends[-1]]


def _offsets(buffer: Any, dtype: str, array: Any) -> Any:
    if not len(array):
        return np.zeros(1, dtype)
    return np.frombuffer(buffer, dtype)[array.offset : array.offset + len(array) + 1]


def _lists(array: Any) -> tuple[Any, ...]:
    lengths = array.value_lengths().to_numpy()
    return lengths, _contents(array.flatten())


def _fixed_lists(array: Any) -> tuple[Any, ...]:
    return (_contents(array.flatten()),)


def _maps(array: Any) -> tuple[Any, ...]:
    ends = _offsets(array.buffers()[1], "i4", array)
    first, count = int(ends[0]), int(ends[-1] - ends[0])
    keys, values = array.keys.slice(first, count), array.items.slice(first, count)
    return np.diff(ends), _contents(keys), _contents(values)


def _structs(array: Any) -> tuple[Any, ...]:
    return tuple(_contents(field) for field in array.flatten())


def _is_of(*names: str) -> Any:
    # Not every version of pyarrow has every kind of type.
    tests = [test for name in names if (test := getattr(pa.types, f"is_{name}", None))]
    return lambda kind: any(test(kind) for test in tests)


_READERS: tuple[tuple[Any, Any], ...] = (
    (pa.types.is_boolean, _booleans),
    (_is_of("string", "large_string", "string_view"), _strings),
    (_is_of("binary", "large_binary", "binary_view"), _binaries),
    (_is_of("list", "large_list"), _lists),
    (_is_of("fixed_size_list"), _fixed_lists),
    (_is_of("map"), _maps),
    (_is_of("struct"), _structs),
    (_is_of("primitive", "decimal", "fixed_size_binary"), _numbers),
)

_BASES: dict[type, Handler] = {
    pa.Table: _table,
    pa.RecordBatch: _table,
    pa.Schema: _schema,
    pa.Field: _field,
    pa.DataType: _type,
    pa.Scalar: _scalar,
    pa.ChunkedArray: _chunked,
    pa.Array: _array,
    pa.Buffer: lambda buffer: Node("arrowbuffer", (buffer.to_pybytes(),)),
}
