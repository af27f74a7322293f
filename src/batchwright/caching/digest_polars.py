"""How polars' frames and series are taken apart for their digest.

By names, dtypes and contents; how a series lies in chunks does not matter. Expressions and lazy
frames are plans, not contents, and are refused: collect them first.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from batchwright.caching.digest_encoding import Handler, Node
from batchwright.errors import UncacheableArgument


def find(kind: type) -> Handler | None:
    """The function that takes apart instances of one of polars' own types, or None."""
    if kind is pl.DataFrame:
        return _frame
    if kind is pl.Series:
        return _series
    if issubclass(kind, pl.DataType) and kind.__module__.partition(".")[0] == "polars":
        return _dtype
    if kind is pl.LazyFrame or kind is pl.Expr:
        raise UncacheableArgument(f"a polars {kind.__name__} is a plan; collect it first")
    return None


def _frame(frame: pl.DataFrame) -> Node:
    names = frame.columns
    contents = Node("columns", frame.get_columns(), label=lambda index: f"[{names[index]!r}]")
    return Node("polarsframe", (frame.height, contents))


def _series(series: pl.Series) -> Node:
    return Node("polarsseries", (series.name, series.dtype, len(series), _contents(series)))


def _contents(series: pl.Series) -> Node:
    """What a series holds beside dtype and length: which items are null, and the others."""
    if series.dtype == pl.Null:
        return Node("nulls", ())
    if not series.null_count():
        return Node("items", _items(series))
    nulls = series.is_null().to_numpy()
    return Node("items and nulls", (nulls, *_items(series.drop_nulls())))


def _items(series: pl.Series) -> tuple[Any, ...]:
    dtype = series.dtype
    if isinstance(dtype, pl.Array):
        series = series.arr.to_list()
        dtype = series.dtype
    if isinstance(dtype, pl.List):
        lengths = series.list.len()
        # Whether exploding an empty list leaves a null is a matter of the version.
        flat = series.filter(lengths > 0).explode()
        return lengths.to_numpy(), _contents(flat)
    if isinstance(dtype, pl.Struct):
        return tuple(_contents(series.struct.field(field.name)) for field in dtype.fields)
    if isinstance(dtype, (pl.Categorical, pl.Enum)):
        return (series.cast(pl.String).to_list(),)
    if isinstance(dtype, pl.Object) or dtype in (pl.String, pl.Binary):
        return (series.to_list(),)
    series = series.to_physical()
    if series.dtype in _WITHOUT_NUMPY:
        return (series.to_list(),)
    return (series.to_numpy(),)


# Numbers that numpy has no type for.
_WITHOUT_NUMPY = tuple(
    getattr(pl, name) for name in ("Int128", "UInt128", "Decimal") if hasattr(pl, name)
)


def _dtype(dtype: pl.DataType) -> Node:
    if isinstance(dtype, pl.Enum):
        return Node("polarsenum", (dtype.categories.to_list(),))
    if isinstance(dtype, pl.Categorical):
        return Node("polarsdtype", ("Categorical",))
    if isinstance(dtype, pl.List):
        return Node("polarslist", (dtype.inner,))
    if isinstance(dtype, pl.Array):
        return Node("polarsarray", (dtype.size, dtype.inner))
    if isinstance(dtype, pl.Struct):
        return Node("polarsstruct", [(field.name, field.dtype) for field in dtype.fields])
    return Node("polarsdtype", (repr(dtype),))
