"""Content digests of pandas, polars, Arrow and scikit-learn values."""

import datetime as dt
import decimal
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from batchwright.caching.digest import digest
from batchwright.errors import UncacheableArgument

FRAME = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
DAYS = pd.date_range("2024-01-01", periods=3)

PANDAS = [
    *(pd.Series([1, 2]), pd.Series([1, 2], name="a"), pd.Series([1, 2], index=[1, 2])),
    *(
        pd.Series([1, 2], dtype=d)
        for d in ("Int64", "int32", "Float64", "object", "int64[pyarrow]")
    ),
    *(pd.Series([1, None], dtype=d) for d in ("Int64", "Float64", "object", "float64")),
    *(pd.Series([True, None], dtype=d) for d in ("boolean", "object")),
    *(
        pd.Series(["a", None], dtype=d)
        for d in ("str", "object", "string[python]", "string[pyarrow]")
    ),
    *(pd.Series(["a", "b"], dtype="category"), pd.Series(["b", "a"], dtype="category")),
    pd.Series(pd.Categorical(["a", "b"], categories=["b", "a"])),
    pd.Series(pd.Categorical(["a", "b"], ordered=True)),
    *(pd.Series(DAYS), pd.Series(DAYS.tz_localize("UTC")), pd.Series(DAYS.tz_localize("CET"))),
    *(pd.Series(pd.to_timedelta([1, 2])), pd.Series(pd.period_range("2024", periods=2, freq="M"))),
    pd.Series(pd.period_range("2024", periods=2, freq="D")),
    *(pd.Series(pd.interval_range(0, 2)), pd.Series(pd.interval_range(0, 2, closed="left"))),
    *(
        pd.Series(pd.arrays.SparseArray([0, 1])),
        pd.Series(pd.arrays.SparseArray([0, 1], fill_value=1)),
    ),
    *(pd.RangeIndex(3), pd.Index([0, 1, 2]), pd.Index([0, 1, 2], name="a"), pd.Index(["a"])),
    *(
        DAYS,
        pd.DatetimeIndex(list(DAYS)),
        pd.CategoricalIndex(["a"]),
        pd.IntervalIndex.from_breaks([0, 1]),
    ),
    *(
        pd.MultiIndex.from_tuples([(1, "a")]),
        pd.MultiIndex.from_tuples([(1, "a")], names=["x", None]),
    ),
    *(FRAME, FRAME.rename(columns={"a": "c"}), FRAME[["b", "a"]], FRAME.T, FRAME.iloc[::-1]),
    *(FRAME.astype({"a": "int8"}), FRAME.set_index("a"), FRAME.iloc[:0], pd.DataFrame()),
    *(pd.DataFrame(index=[0, 1]), pd.DataFrame({"a": [[1], {"b": 2}]})),
    *(pd.Timestamp("2024"), pd.Timestamp("2024", tz="UTC"), pd.Timestamp("2024").as_unit("ns")),
    *(
        pd.Timestamp("2024") + pd.Timedelta(1, "ns"),
        pd.NaT,
        pd.NA,
        pd.Timedelta(1),
        pd.Period("2024"),
    ),
    *(pd.Interval(0, 1), pd.Interval(0, 1, "left"), pd.offsets.MonthEnd(2), pd.offsets.MonthEnd(1)),
    *(pd.DateOffset(months=1), pd.CategoricalDtype(["a"]), pd.Int64Dtype(), pd.StringDtype()),
]

POLARS = [
    *(
        pl.Series([1, None]),
        pl.Series([1, 0]),
        pl.Series([1, None], dtype=pl.Int8),
        pl.Series("a", [1]),
    ),
    *(
        pl.Series(["a", None]),
        pl.Series(["a", ""]),
        pl.Series([b"a", None]),
        pl.Series([None, None]),
    ),
    *(pl.Series([0.0, None]), pl.Series([-0.0, None]), pl.Series([float("nan"), None])),
    *(pl.Series([True, None]), pl.Series([True, False]), pl.Series([1, 2], dtype=pl.Int128)),
    *(pl.Series([[1], None, []]), pl.Series([[1], [], None]), pl.Series([[1], [], []])),
    *(pl.Series([[1, 2], [3]]), pl.Series([[1], [2, 3]]), pl.Series([[[1], []], [None]])),
    *(pl.Series([[1, 2], None], dtype=pl.Array(pl.Int8, 2)), pl.Series([], dtype=pl.List(pl.Int8))),
    *(pl.Series([{"a": 1}, None]), pl.Series([{"a": 1}, {"a": None}]), pl.Series([{"b": 1}, None])),
    *(pl.Series(["a"], dtype=pl.Categorical), pl.Series(["a"], dtype=pl.Enum(["a", "b"]))),
    *(
        pl.Series(["a"], dtype=pl.Enum(["b", "a"])),
        pl.Series([["a"]], dtype=pl.List(pl.Categorical)),
    ),
    *(
        pl.Series([dt.date(2024, 1, 1)]),
        pl.Series([dt.datetime(2024, 1, 1)]),  # noqa: DTZ001
        pl.Series([dt.time(1)]),
    ),
    *(pl.Series([0], dtype=pl.Datetime(u, z)) for u in ("ns", "us") for z in (None, "UTC")),
    *(pl.Series([dt.timedelta(1)]), pl.Series([decimal.Decimal("1.5"), None])),
    *(pl.DataFrame({"a": [1], "b": ["x"]}), pl.DataFrame({"b": ["x"], "a": [1]}), pl.DataFrame()),
    *(pl.Datetime("us"), pl.Datetime("ns"), pl.List(pl.Int8()), pl.Int8()),
]

ARROW = [
    *(pa.array([1, None, 3]), pa.array([1, 0, 3]), pa.array([1, None, 3], pa.int8())),
    *(pa.array(["a", None, "bcd"], t) for t in (pa.string(), pa.large_string(), pa.string_view())),
    *(
        pa.array([b"a", None]),
        pa.array([b"abcd", None], pa.binary(4)),
        pa.array(["", None, "abcd"]),
    ),
    *(pa.array([True, None, False]), pa.array([None, None]), pa.array([], pa.string())),
    *(pa.array([0.0, None]), pa.array([-0.0, None]), pa.array([float("nan"), None])),
    *(pa.array([[1, 2], None, []]), pa.array([[1], [2], None]), pa.array([[[1]], [[], None]])),
    pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int64(), 2)),
    pa.array([[("a", 1)], None, [], [("b", 2), ("c", 3)]], pa.map_(pa.string(), pa.int64())),
    *(pa.array([{"a": 1}, None, {"a": None}]), pa.array([{"a": 1}, {"a": None}, None])),
    *(pa.array([1.5, None], pa.float16()), pa.array([decimal.Decimal("1.5"), None])),
    *(pa.array(["a", "b", "a", None]).dictionary_encode(), pa.array(["a", "b", "a", None])),
    *(pa.array([0, None], pa.timestamp(u, z)) for u in ("s", "ns") for z in (None, "UTC")),
    *(pa.table({"a": [1, 2], "b": ["x", None]}), pa.record_batch({"a": [1, 2], "b": ["x", None]})),
    *(pa.table({"a": [1]}), pa.table({"a": [1]}).replace_schema_metadata({"k": "v"})),
    *(
        pa.chunked_array([[1, 2], [3]]),
        pa.chunked_array([], pa.int8()),
        pa.scalar(1),
        pa.scalar("x"),
    ),
    *(pa.schema([("a", pa.int8())]), pa.field("a", pa.int8()), pa.field("a", pa.int8(), False)),
    *(pa.int8(), pa.list_(pa.int8()), pa.struct([("a", pa.int8())]), pa.timestamp("s")),
]

LEARNERS = [
    *(SVC(), SVC(C=2), LogisticRegression(), RandomForestClassifier(random_state=1)),
    *(make_pipeline(StandardScaler(), SVC()), make_pipeline(StandardScaler(), SVC(C=2)), SVC),
    StandardScaler().set_output(transform="pandas"),
    StandardScaler(),
]

DISTINCT = [*PANDAS, *POLARS, *ARROW, *LEARNERS]


def test_no_two_of_many_values_share_a_digest():
    seen = {}
    for value in DISTINCT:
        key = digest(value)
        assert key not in seen, (value, seen[key])
        seen[key] = value


def test_a_round_trip_through_pickle_keeps_the_digest():
    for value in DISTINCT:
        assert digest(pickle.loads(pickle.dumps(value))) == digest(value), repr(value)


# --- pandas ------------------------------------------------------------------------------------


def test_how_the_columns_of_a_frame_lie_in_blocks_does_not_count():
    whole = pd.DataFrame(np.arange(12.0).reshape(4, 3), columns=list("abc"))
    apart = pd.DataFrame({name: whole[name].to_numpy().copy() for name in "abc"})
    assert digest(whole) == digest(apart)
    assert digest(whole.iloc[1:3]) == digest(whole.iloc[1:3].copy())
    assert digest(whole[["a", "c"]]) == digest(apart[["a", "c"]].copy())


def test_labels_no_longer_used_do_not_count():
    index = pd.MultiIndex.from_product([["a", "b"], [1, 2]])
    assert digest(index[:1]) == digest(pd.MultiIndex.from_tuples([("a", 1)]))


def test_what_lies_under_a_missing_value_does_not_count():
    array = pd.arrays.IntegerArray(np.array([1, 7]), np.array([False, True]))
    other = pd.arrays.IntegerArray(np.array([1, 9]), np.array([False, True]))
    assert digest(pd.Series(array)) == digest(pd.Series(other))


def test_attributes_of_a_frame_count():
    marked = FRAME.copy()
    marked.attrs["source"] = "x"
    assert digest(marked) != digest(FRAME)


def test_frames_of_other_classes_are_refused():
    class Special(pd.DataFrame):
        pass

    class Moment(pd.Timestamp):
        pass

    with pytest.raises(UncacheableArgument, match="Special"):
        digest(Special({"a": [1]}))
    moment = pd.Timestamp.__new__(Moment, "2024-01-01T00:00:00.000000001")
    if type(moment) is Moment:
        with pytest.raises(UncacheableArgument):
            digest(moment)


def test_a_culprit_in_a_frame_is_named_by_its_column():
    with pytest.raises(UncacheableArgument, match=r"value\['b'\].*: object has no"):
        digest(pd.DataFrame({"a": [1], "b": [object()]}))
    with pytest.raises(UncacheableArgument, match="DataFrameGroupBy"):
        digest(FRAME.groupby("a"))


# --- polars and Arrow ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "series", [v for v in POLARS if isinstance(v, pl.Series)], ids=lambda s: str(s.dtype)
)
def test_chunks_of_a_series_do_not_count(series):
    doubled = pl.concat([series, series], rechunk=False)
    assert digest(doubled) == digest(doubled.rechunk())
    assert digest(doubled[: len(series)]) == digest(series)
    assert digest(doubled[len(series) :]) == digest(series)


def test_which_strings_a_categorical_has_seen_does_not_count():
    first = pl.Series(["a", "b"], dtype=pl.Categorical)
    second = pl.Series(["z", "b", "a", "b"], dtype=pl.Categorical)[2:]
    assert digest(first) == digest(second)


def test_plans_of_polars_are_refused():
    for plan in (pl.LazyFrame({"a": [1]}), pl.col("a")):
        with pytest.raises(UncacheableArgument, match="collect it"):
            digest(plan)


@pytest.mark.parametrize(
    "array", [v for v in ARROW if isinstance(v, pa.Array)], ids=lambda a: str(a.type)
)
def test_offsets_and_chunks_of_an_array_do_not_count(array):
    doubled = pa.concat_arrays([array, array])
    assert digest(doubled.slice(len(array))) == digest(array)
    assert digest(doubled.slice(0, len(array))) == digest(array)
    tail = array.slice(1) if len(array) else array
    assert digest(tail) == digest(pickle.loads(pickle.dumps(tail)))
    assert digest(pa.chunked_array([array, array])) == digest(pa.chunked_array([doubled]))


def test_what_lies_under_a_null_does_not_count():
    valid = pa.py_buffer(b"\x01")
    arrays = [
        pa.Array.from_buffers(pa.int64(), 2, [valid, pa.py_buffer(np.array([1, n]).tobytes())])
        for n in (7, 9)
    ]
    assert digest(arrays[0]) == digest(arrays[1])


def test_which_dictionary_an_array_carries_does_not_count():
    first = pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(["a", "b"]))
    second = pa.DictionaryArray.from_arrays(pa.array([1, 0]), pa.array(["b", "a"]))
    assert digest(first) == digest(second)


def test_arrow_types_not_known_are_refused():
    union = pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])
    with pytest.raises(UncacheableArgument, match="not known"):
        digest(union)


# --- scikit-learn ---------------------------------------------------------------------------------


def test_a_fitted_estimator_is_refused():
    model = SVC().fit([[0], [1]], [0, 1])
    with pytest.raises(UncacheableArgument, match="fitted"):
        digest(model)
    with pytest.raises(UncacheableArgument, match=r"value\.steps\[0\]\[1\]: .*fitted"):
        digest(make_pipeline(StandardScaler().fit([[1]]), SVC()))


def test_equal_unfitted_estimators_share_a_digest():
    assert digest(SVC(C=3)) == digest(SVC(C=3))
