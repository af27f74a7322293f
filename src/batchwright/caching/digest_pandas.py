"""How pandas' values are taken apart for their digest.

A frame counts by its labels and, column by column, by dtype and contents: how its columns lie in
blocks does not matter. What lies under a missing value does not count. Subclasses of frames and
series, and extension arrays of others, may hold more than can be known here, and are refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from batchwright.caching.digest_encoding import Handler, Node, items
from batchwright.errors import UncacheableArgument


def find(kind: type) -> Handler | None:
    """The function that takes apart instances of one of pandas' own types, or None."""
    known = _HANDLERS.get(kind)
    if known is not None:
        return known
    if kind.__module__.partition(".")[0] != "pandas":
        return None
    for base, handler in _BASES.items():
        if issubclass(kind, base):
            return handler
    return None


# --- Frames and indexes -------------------------------------------------------------------------


def _frame(frame: pd.DataFrame) -> Node:
    columns = [column.array for _, column in frame.items()]
    names = frame.columns

    def label(index: int) -> str:
        return f"[{names[index]!r}]"

    contents = Node("columns", columns, label=label)
    return Node("dataframe", (names, frame.index, contents, *_metadata(frame)))


def _series(series: pd.Series[Any]) -> Node:
    return Node("series", (series.name, series.index, series.array, *_metadata(series)))


def _metadata(value: Any) -> tuple[Any, ...]:
    return dict(value.attrs), value.flags.allows_duplicate_labels


def _index(index: pd.Index[Any]) -> Node:
    # The frequency decides what shifting an index of dates gives.
    frequency = getattr(index, "freqstr", None)
    return Node("index", (type(index).__name__, index.name, index.array, frequency))


def _range_index(index: pd.RangeIndex) -> Node:
    return Node("rangeindex", (index.name, index.start, index.stop, index.step))


def _multi_index(index: pd.MultiIndex) -> Node:
    # By the labels of each level, not by its tables, which may list labels no longer used.
    levels = [index.get_level_values(level) for level in range(index.nlevels)]
    return Node("multiindex", levels)


# --- Arrays -------------------------------------------------------------------------------------


def _array(array: Any) -> Node:
    parts = _ARRAYS.get(type(array).__name__)
    if parts is None:
        raise UncacheableArgument(
            f"the contents of {type(array).__qualname__} are not known; register a digest for it"
        )
    return items("pandasarray", (array.dtype, *parts(array)))


def _masked(array: Any) -> tuple[Any, ...]:
    missing = array.isna()
    return array.to_numpy(dtype=array.dtype.numpy_dtype, na_value=0), missing


def _sparse(array: Any) -> tuple[Any, ...]:
    places = array.sp_index.to_int_index().indices.astype("<i8")
    return len(array), places, np.asarray(array.sp_values)


_ARRAYS: dict[str, Any] = {
    "NumpyExtensionArray": lambda array: (array.to_numpy(),),
    "PandasArray": lambda array: (array.to_numpy(),),
    "Categorical": lambda array: (np.asarray(array.codes, dtype="<i8"),),
    "DatetimeArray": lambda array: (array.asi8,),
    "TimedeltaArray": lambda array: (array.asi8,),
    "PeriodArray": lambda array: (array.asi8,),
    "IntervalArray": lambda array: (array.left, array.right),
    "SparseArray": _sparse,
    "IntegerArray": _masked,
    "FloatingArray": _masked,
    "BooleanArray": _masked,
    "StringArray": lambda array: (array.to_numpy(dtype=object),),
    "StringArrayNumpySemantics": lambda array: (array.to_numpy(dtype=object),),
    "ArrowStringArray": lambda array: (array.__arrow_array__(),),
    "ArrowStringArrayNumpySemantics": lambda array: (array.__arrow_array__(),),
    "ArrowExtensionArray": lambda array: (array.__arrow_array__(),),
}


def _dtype(dtype: Any) -> Node:
    if isinstance(dtype, pd.CategoricalDtype):
        return Node("categories", (dtype.categories, dtype.ordered))
    if isinstance(dtype, pd.StringDtype):
        return Node("stringdtype", (dtype.storage, str(getattr(dtype, "na_value", pd.NA))))
    if isinstance(dtype, pd.SparseDtype):
        return Node("sparsedtype", (dtype.subtype, dtype.fill_value))
    return Node("pandasdtype", (type(dtype).__name__, str(dtype)))


# --- Scalars ------------------------------------------------------------------------------------


def _timestamp(value: pd.Timestamp) -> Node:
    return Node("timestamp", (value.asm8, value.tz, value.fold))


def _timedelta(value: pd.Timedelta) -> Node:
    return Node("pandastimedelta", (value.asm8,))


def _period(value: pd.Period) -> Node:
    return Node("period", (value.freqstr, value.ordinal))


def _interval(value: Any) -> Node:
    return Node("interval", (value.left, value.right, value.closed))


def _offset(value: Any) -> Node:
    return Node("offset", (type(value).__name__, value.n, value.normalize, value.kwds))


_HANDLERS: dict[type, Handler] = {
    pd.DataFrame: _frame,
    pd.Series: _series,
    pd.MultiIndex: _multi_index,
    pd.RangeIndex: _range_index,
    pd.Timestamp: _timestamp,
    pd.Timedelta: _timedelta,
    pd.Period: _period,
    pd.Interval: _interval,
    type(pd.NaT): lambda _: Node("NaT", ()),
    type(pd.NA): lambda _: Node("NA", ()),
}

_BASES: dict[type, Handler] = {
    pd.Index: _index,
    pd.api.extensions.ExtensionArray: _array,
    pd.api.extensions.ExtensionDtype: _dtype,
    pd.offsets.BaseOffset: _offset,
}
