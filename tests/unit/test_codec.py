"""What is decoded equals what was encoded, of the same types, and is private and writable."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import io
import logging
import math
import os
import pickle
import socket
import struct
import subprocess
import sys
import tempfile
import textwrap
import threading
import uuid
from collections import OrderedDict, defaultdict, namedtuple
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchwright.caching.codec import Payload, decode, encode, is_immutable
from batchwright.errors import NotEncodable

Point = namedtuple("Point", "x y")


@dataclasses.dataclass
class Plan:
    name: str
    where: object


class Colour(enum.Enum):
    RED = 1


def there_and_back(value):
    return decode(encode(value))


def told_apart(value):
    """A value as text in which types, signs of zero, NaNs and the order of a dict show."""
    kind = type(value)
    if kind in (list, tuple):
        return kind.__name__, [told_apart(item) for item in value]
    if kind in (set, frozenset):
        return kind.__name__, sorted(map(repr, map(told_apart, value)))
    if kind is dict:
        return "dict", [(told_apart(key), told_apart(item)) for key, item in value.items()]
    return kind.__name__, repr(value)


ZONES = [
    None,
    dt.UTC,
    dt.timezone(dt.timedelta(hours=2)),
    dt.timezone(dt.timedelta(minutes=-90), "odd"),
    ZoneInfo("Europe/Madrid"),
]

PLAIN = [
    None, True, 0, 1, -1, 2**63, -(2**63), 2**64 - 1, 2**64, -(2**63) - 1, 3**500, -(3**500),
    0.0, -0.0, 1.5, math.inf, -math.inf, math.nan, 5e-324, 1e308, complex(-0.0, math.nan),
    "", "text", "ü€😀", "\ud800", "a\udcffb", "\x00", b"", b"\xff\x00", bytearray(b"ab"),
    (), [], {}, set(), frozenset(), (1,), [1], (True,), [[]], ((),), {"a": {"b": [(1, "x")]}},
    {1: "int", 1.5: "float", None: 0, (1, 2): [3], "s": b"b", True + 1: 0, frozenset([1]): {}},
    {"\ud800": 1, "huge": [2**70, {"deep": -(2**70)}]}, {2**70: 2}, {"z": 1, "a": 2},
    {1, "a", None, (1, 2)}, frozenset([frozenset(), b"x"]),
    range(0), range(5), range(2**80, 0, -(2**70)),
    dt.date(1, 1, 1), dt.timedelta(-5, 3, 7), dt.timedelta.max,
    *[dt.datetime(2024, 10, 27, 2, 30, 0, 5, zone, fold=fold) for zone in ZONES for fold in (0, 1)],
    *[dt.time(23, 59, 59, 999999, zone, fold=1) for zone in ZONES], *ZONES,
    Decimal("1.10"), Decimal("-0"), Decimal("NaN"), Decimal("sNaN12"), Decimal("1E+400"),
    Decimal("-Infinity"), Fraction(-7, 2**80), uuid.UUID(int=5),
    uuid.UUID("12345678-1234-1234-8234-567812345678"),
    Path("no/such/file"), Path("/no/such/\udcff"),
]  # fmt: skip


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: type(value).__name__)
def test_plain_data_comes_back_exactly_and_without_pickle(value):
    payload = encode(value)
    assert payload.codec == "plain"
    assert told_apart(decode(payload)) == told_apart(value)


def test_all_plain_data_in_one_container_comes_back():
    assert told_apart(there_and_back(PLAIN)) == told_apart(PLAIN)


def test_a_uuid_keeps_whether_it_is_safe():
    value = uuid.uuid1()
    assert there_and_back(value).is_safe is value.is_safe


def test_a_shared_zone_comes_back_as_the_same_object():
    assert there_and_back(ZoneInfo("Europe/Madrid")) is ZoneInfo("Europe/Madrid")
    assert there_and_back(dt.UTC) is dt.UTC


leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text(st.characters(exclude_categories=()))
    | st.binary()
    | st.decimals()
    | st.fractions()
    | st.dates()
    | st.datetimes(timezones=st.timezones())
    | st.timedeltas()
    | st.uuids()
)
keys = st.integers() | st.text() | st.tuples(st.integers(), st.text()) | st.booleans() | st.none()
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(keys, inner)
        | st.sets(keys)
        | st.frozensets(keys)
    ),
)


@given(values)
def test_any_plain_value_comes_back_exactly(value):
    payload = encode(value)
    assert payload.codec == "plain"
    assert told_apart(decode(payload)) == told_apart(value)


# --- numpy ----------------------------------------------------------------------------------

ARRAYS = [
    np.arange(10),
    np.arange(12.0).reshape(3, 4),
    np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    np.arange(20)[::3],
    np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2),
    np.array(5.5),
    np.zeros((0, 3)),
    np.zeros((2, 0), "U3"),
    np.array([1, 2], ">i4"),
    np.array(["a", "bcd"]),
    np.array([b"x", b"yz"]),
    np.array(["2024-01-01", "NaT"], "datetime64[ns]"),
    np.array([1, 2], "timedelta64[h]"),
    np.array([True, False]),
    np.array([np.nan, -0.0, np.inf]),
    np.array([1 + 2j]),
    np.array([1], np.longlong),
    np.array([1], np.longdouble),
    np.array([(1, b"a", [1.5, 2.5])], [("n", "<i4"), ("s", "S3"), ("v", "<f8", (2,))]),
    np.array([((1, 2.0),)], [("outer", [("a", "i8"), ("b", "f4")])]),
    np.zeros(2, "V7"),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}-{array.shape}")
def test_arrays_come_back_raw_exact_and_writable(array):
    payload = encode(array)
    again = decode(payload)
    assert payload.codec.startswith("plain")
    assert type(again) is np.ndarray
    assert again.dtype == array.dtype
    assert again.dtype.char == array.dtype.char
    assert again.shape == array.shape
    assert again.tobytes() == array.tobytes()
    assert again.flags.fnc == array.flags.fnc
    assert again.flags.writeable
    assert not np.shares_memory(again, array)


def test_each_decoded_array_has_memory_of_its_own():
    payload = encode([np.arange(5), {"x": np.ones(3)}])
    one, other = decode(payload), decode(payload)
    one[0][:] = 7
    one[1]["x"] -= 5
    assert other[0].tolist() == [0, 1, 2, 3, 4]
    assert decode(payload)[1]["x"].tolist() == [1, 1, 1]


def test_a_read_only_array_comes_back_read_only():
    array = np.arange(3)
    array.flags.writeable = False
    assert not there_and_back(array).flags.writeable


@pytest.mark.parametrize(
    "scalar",
    [
        np.int64(5), np.int8(-1), np.uint64(2**64 - 1), np.float32(1.5), np.float64("nan"),
        np.bool_(True), np.complex64(1j), np.str_("text"), np.bytes_(b"x"), np.longlong(3),
        np.datetime64("2024-01-01"), np.timedelta64(3, "s"), np.float64(-0.0),
    ],
    ids=lambda scalar: type(scalar).__name__,
)  # fmt: skip
def test_numpy_scalars_keep_their_type(scalar):
    payload = encode({"value": scalar})
    again = decode(payload)["value"]
    assert payload.codec == "plain"
    assert type(again) is type(scalar)
    assert again.dtype == scalar.dtype
    assert repr(again) == repr(scalar)


@pytest.mark.parametrize(
    "array",
    [
        np.array([{"a": 1}, None], object),
        np.ma.masked_array([1, 2], [True, False]),
        np.array([(1, "x")], [("a", "i4"), ("b", "O")]),
        np.array([1, 2], np.dtype("i4", metadata={"unit": "s"})),
    ],
    ids=["objects", "masked", "object-field", "metadata"],
)
def test_arrays_that_are_not_raw_memory_are_pickled(array):
    payload = encode(array)
    again = decode(payload)
    assert payload.codec.startswith("pickle")
    assert type(again) is type(array)
    assert again.tolist() == array.tolist()


# --- frames ---------------------------------------------------------------------------------


def test_a_pandas_frame_comes_back_equal_and_writable():
    frame = pd.DataFrame(
        {
            "number": [1.5, np.nan, 3.0],
            "text": ["a", None, "c"],
            "kind": pd.Categorical(["x", "y", "x"], ordered=True),
            "when": pd.to_datetime(["2024-01-01", None, "2024-05-05"]).tz_localize("Europe/Madrid"),
            "whole": pd.array([1, None, 3], "Int64"),
        },
        index=pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["l", "n"]),
    )
    frame.attrs["unit"] = "m"
    payload = encode(frame)
    again = decode(payload)
    pd.testing.assert_frame_equal(again, frame, check_freq=True)
    assert again.attrs == {"unit": "m"}
    again["number"] -= 1
    again.loc[("a", 1), "number"] = 99.0
    values = again["number"].to_numpy(copy=False)
    assert values[0] == 99.0
    pd.testing.assert_frame_equal(decode(payload), frame)


def test_polars_frames_come_back_equal():
    frame = pl.DataFrame(
        {"a": [1, None], "b": ["x", "y"], "c": [[1, 2], []], "d": [dt.date(2024, 1, 1), None]}
    ).with_columns(pl.col("b").cast(pl.Categorical))
    again = there_and_back(frame)
    assert again.schema == frame.schema
    assert again.equals(frame, null_equal=True)


def test_arrow_tables_come_back_equal_and_without_pickle():
    table = pa.table({"a": [1, None], "b": [["x"], []]}).replace_schema_metadata({"k": "v"})
    payload = encode(table)
    assert payload.codec == "arrow-table"
    assert decode(payload).equals(table, check_metadata=True)
    batch = table.to_batches()[0]
    assert encode(batch).codec == "arrow-batch"
    assert there_and_back(batch).equals(batch, check_metadata=True)
    assert there_and_back(table.slice(1, 1)).equals(table.slice(1, 1))


# --- sharing, and what is pickled -----------------------------------------------------------


def test_a_list_that_stands_twice_stays_one_list():
    shared = [1]
    again = there_and_back({"a": shared, "b": (shared,)})
    again["a"].append(2)
    assert again["b"] == ([1, 2],)


def test_an_array_that_stands_twice_stays_one_array():
    shared = np.zeros(2)
    one, other = there_and_back([shared, shared])
    one[0] = 5
    assert other[0] == 5


def test_a_list_that_holds_itself_comes_back():
    value: list[object] = [1]
    value.append(value)
    again = there_and_back(value)
    assert again[1] is again


def test_a_zone_that_was_read_from_a_file_is_refused_under_whatever_name():
    counts = struct.pack(">6L", 0, 0, 0, 0, 1, 4)
    written = b"TZif" + bytes(16) + counts + bytes(6) + b"UTC\0"
    zone = ZoneInfo.from_file(io.BytesIO(written), key="No/Where")
    with pytest.raises(NotEncodable, match="pickle"):
        encode({"zone": zone})


@pytest.mark.parametrize(
    "value",
    [
        Point(1, [2]),
        OrderedDict(b=1, a=2),
        defaultdict(list, {"x": [1]}),
        Colour.RED,
        Plan("p", [1, (2,)]),
        ValueError("bad", 3),
        PurePosixPath("/x"),
        slice(1, 2),
        logging.getLogger("some.name"),
        math.sqrt,
        Plan,
    ],
    ids=repr,
)
def test_other_values_come_back_by_pickle(value):
    payload = encode([value])
    assert payload.codec == "pickle"
    (again,) = decode(payload)
    assert type(again) is type(value)
    assert repr(again) == repr(value)


def test_subclasses_of_plain_types_keep_their_type():
    class Text(str):
        __slots__ = ()

    again = there_and_back(Text("x"))
    assert type(again).__name__ == "Text"
    assert again == "x"


def test_nested_functions_are_stored_whole():
    factor = 3
    assert there_and_back(lambda value: value * factor)(5) == 15


def test_what_main_defines_travels_to_another_process_and_stays_itself_at_home(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import sys
            from pathlib import Path
            from batchwright.caching.codec import Payload, decode, encode

            class Pair:
                def __init__(self, a):
                    self.a = a
                def doubled(self):
                    return self.a * 2

            if len(sys.argv) > 1:
                payload = encode(Pair(4))
                Path(sys.argv[1]).write_bytes(payload.data)
                again = decode(payload)
            else:
                again = decode(Payload("pickle", sys.stdin.buffer.read()))
            print(type(again) is Pair, again.doubled())
            """
        )
    )
    made = tmp_path / "pickle"
    command = [sys.executable, str(script)]
    run = subprocess.run([*command, made], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["True", "8"]
    run = subprocess.run(command, input=made.read_bytes(), capture_output=True, check=True)
    assert run.stdout.split() == [b"True", b"8"]
    assert decode(Payload("pickle", made.read_bytes())).doubled() == 8


# --- refused --------------------------------------------------------------------------------


def generator():
    yield 1


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: Path(__file__).open(),  # noqa: SIM115
        lambda folder: (folder / "f").open("wb"),
        lambda folder: (folder / "f").open("w+b"),
        lambda folder: (folder / "f").open("wb", buffering=0),
        lambda folder: threading.Lock(),
        lambda folder: threading.Thread(),
        lambda folder: socket.socket(),
        lambda folder: generator(),
        lambda folder: memoryview(b"x"),
        lambda folder: tempfile.TemporaryDirectory(dir=folder),
        lambda folder: os,
        lambda folder: sys._getframe(),
    ],
    ids=["text", "binary", "both", "raw", "lock", "thread", "socket", "generator", "view", "folder",
         "module", "frame"],
)  # fmt: skip
@pytest.mark.parametrize(
    "wrap",
    [lambda value: value, lambda value: {"k": [value]}, lambda value: Plan("p", [value])],
    ids=["bare", "nested", "attribute"],
)
def test_handles_are_refused(make, wrap, tmp_path):
    value = make(tmp_path)
    if value is os and isinstance(wrap(value), Plan):
        # A module is itself again wherever it can be imported.
        assert there_and_back(wrap(value)).where == [os]
        return
    with pytest.raises(NotEncodable, match="cannot be stored"):
        encode(wrap(value))
    if isinstance(value, (io.IOBase, socket.socket)):
        value.close()


def test_a_value_nested_too_deeply_is_refused():
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(NotEncodable, match="cannot be stored"):
        encode(value)
    while value:  # taken apart by hand: its own end would nest as deeply
        value = value.pop()


def test_an_object_whose_reduction_fails_is_refused():
    class Broken:
        def __reduce__(self):
            raise RuntimeError("no")

    with pytest.raises(NotEncodable, match="no"):
        encode(Broken())


def test_an_unknown_codec_is_an_error():
    with pytest.raises(ValueError, match="unknown codec"):
        decode(Payload("other", b""))


@pytest.mark.parametrize("cut", range(0, 110, 7))
def test_a_cut_block_is_an_error(cut):
    payload = encode([np.arange(5), np.arange(3)])
    with pytest.raises(Exception, match=r".+"):
        decode(Payload(payload.codec, payload.data[: min(cut, len(payload.data) - 1)]))


# --- unchangeable ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, True),
        ("text", True),
        ((1, ("a", None), frozenset([2.5])), True),
        (dt.datetime(2024, 1, 1, tzinfo=dt.UTC), True),
        ([], False),
        ((1, []), False),
        (Point(1, 2), False),
        (np.int64(1), False),
        (Path("x"), False),
        (Colour.RED, False),
        (bytearray(), False),
    ],
    ids=repr,
)
def test_unchangeable_values_are_told_from_others(value, expected):
    assert is_immutable(value) is expected


def test_a_time_in_a_zone_of_a_users_class_may_change():
    class Zone(dt.tzinfo):
        pass

    assert not is_immutable(dt.datetime(2024, 1, 1, tzinfo=Zone()))


def test_the_safe_codec_names_no_global_that_could_run():
    # A pickle under the safe codec's name is not unpickled, whatever it holds.
    with pytest.raises(Exception, match=r".+"):
        decode(Payload("plain", pickle.dumps(ValueError)))
