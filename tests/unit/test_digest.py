"""Content digests of builtin and standard types: what is told apart, and what is not."""

import argparse
import array
import collections
import datetime as dt
import decimal
import fractions
import functools
import io
import ipaddress
import json
import math
import operator
import os
import pathlib
import pickle
import random
import re
import struct
import threading
import time
import types
import typing
import uuid
import zoneinfo

import pytest

from batchwright.caching.digest import KnownDigest, digest
from batchwright.caching.digest_encoding import LIMIT
from batchwright.errors import UncacheableArgument


def utc(*fields, **more):
    return dt.datetime(*fields, tzinfo=dt.UTC, **more)


PARIS = zoneinfo.ZoneInfo("Europe/Paris")

NAMELESS_ZONE = zoneinfo.ZoneInfo.from_file(
    io.BytesIO(b"TZif" + bytes(16) + struct.pack(">6I", 0, 0, 0, 0, 1, 1) + bytes(7))
)

# Each differs from every other.
DISTINCT = [
    None,
    ...,
    NotImplemented,
    True,
    False,
    *(0, 1, -1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**5000, -(10**5000)),
    *(0.0, -0.0, 1.0, math.nan, math.inf, -math.inf, 5e-324),
    *(0j, complex(0.0, -0.0), complex(-0.0, 0.0), 1 + 0j, complex(math.nan, 0)),
    *("", "1", "True", "None", "nan", "i1;", "\ud800", "\udfff", "é", "e\u0301", "\0", "a\0b"),
    *(b"", b"1", b"i1;", bytearray(b""), bytearray(b"1"), memoryview(b"1"), memoryview(b"")),
    memoryview(array.array("i", [1])),
    *((), (1,), [], [1], [[1]], [(1,)], [1, 1], (1, 1), {}, set(), frozenset(), {1}),
    *(frozenset({1}), {True}, {1.0}, {"1"}, {(1,)}, {frozenset({1})}, {frozenset()}),
    *({1: 1}, {True: 1}, {1.0: 1}, {"1": 1}, {1: True}, {1: None}, {None: 1}, {1: {1: 1}}),
    *({"a": "b"}, {"b": "a"}, {"a": 1, "b": 2}, {"a": 2, "b": 1}, [["a", "b"]], {("a", "b")}),
    *(["ab", "c"], ["a", "bc"], ["abc"], ["a", "b", "c"], [["a", "b"], "c"], [["a"], "b", "c"]),
    *("x" * LIMIT, "x" * (LIMIT + 1), b"x" * LIMIT, [0] * LIMIT, [0] * (LIMIT + 1), [0] * 9000),
    *([0] * 9001, (0,) * 9000, [[0] * 9000], list(range(9000)), set(range(9000))),
    *(range(3), range(0, 3, 2), range(0, 4, 2), slice(3), slice(0, 3), slice(0, 3, 1)),
    collections.OrderedDict(a=1, b=2),
    collections.OrderedDict(b=2, a=1),
    collections.defaultdict(None, a=1, b=2),
    collections.defaultdict(list, a=1, b=2),
    collections.defaultdict(int, a=1, b=2),
    collections.Counter(a=1, b=2),
    collections.deque([1, 2]),
    collections.deque([1, 2], 2),
    collections.deque([2, 1], 2),
    collections.ChainMap({"a": 1}),
    collections.UserDict(a=1),
    collections.UserList([1]),
    types.MappingProxyType({"a": 1}),
    types.SimpleNamespace(a=1),
    argparse.Namespace(a=1),
    *({"a": 1}.keys(), {"a": 1}.values(), {"a": 1}.items()),
    *(dt.date(2024, 2, 29), utc(2024, 2, 29), dt.time(1, 2, 3, 4)),
    dt.datetime(2024, 2, 29),  # noqa: DTZ001
    dt.datetime(2024, 2, 29, fold=1),  # noqa: DTZ001
    dt.datetime(2024, 2, 29, tzinfo=PARIS),
    dt.datetime(2024, 2, 29, tzinfo=dt.timezone(dt.timedelta(hours=1))),
    dt.datetime(2024, 2, 29, tzinfo=dt.timezone(dt.timedelta(hours=1), "CET")),
    *(dt.time(1, 2, 3, 4, fold=1), dt.timedelta(1), dt.timedelta(microseconds=1), dt.UTC, PARIS),
    *map(decimal.Decimal, ["1", "1.0", "-0", "0", "NaN", "sNaN", "Infinity", "1E+3", "1000"]),
    *(fractions.Fraction(1, 3), fractions.Fraction(1), uuid.UUID(int=1), uuid.UUID(int=2)),
    *(re.compile("a"), re.compile(b"a"), re.compile("a", re.IGNORECASE), struct.Struct("<i")),
    *(pathlib.PurePosixPath("a/b"), pathlib.PureWindowsPath("a/b"), pathlib.PurePosixPath("b")),
    ipaddress.ip_address("1.2.3.4"),
    ipaddress.ip_address("::1"),
    ipaddress.ip_network("1.2.3.0/24"),
    ipaddress.ip_interface("1.2.3.0/24"),
    *(array.array("i", [1]), array.array("l", [1]), array.array("d", [1.0]), array.array("B")),
    *(array.array("d", [0.0]), array.array("d", [-0.0])),
    *(int, float, bool, type, object, ValueError, dict, collections.OrderedDict),
    *(list[int], list[str], typing.List[int], int | None),  # noqa: UP006
    *(typing.Literal["a"], typing.Any, typing.Callable[[int], str], typing.TypeVar("T")),
    *(len, abs, json.dumps, json.loads, str.upper, [1].append, [2].append, dict.fromkeys),
    *(functools.partial(int, base=3), functools.partial(int, base=4), functools.partial(int, 3)),
    *(operator.itemgetter(1), operator.itemgetter(2), operator.attrgetter("a")),
    *(operator.methodcaller("a"), operator.methodcaller("a", 1), operator.methodcaller("a", b=1)),
    *(random.Random(1), random.Random(2), io.BytesIO(b"a"), io.StringIO("a")),
    *(time.gmtime(0), os.stat_result(range(10))),
    *(ValueError(), ValueError("a"), ValueError("a", 1), KeyError("a"), OSError(2, "a")),
    *(FileNotFoundError(2, "a", "f"), FileNotFoundError(2, "a", "g"), ImportError("a", name="b")),
    ExceptionGroup("a", [ValueError("a")]),
    *(KnownDigest("ab"), KnownDigest("cd"), ["ab"]),
]


def test_no_two_of_many_values_share_a_digest():
    seen = {}
    for value in DISTINCT:
        key = digest(value)
        assert key not in seen, (value, seen[key])
        seen[key] = value


@pytest.mark.parametrize("container", [lambda v: [v], lambda v: {"k": v}, lambda v: (0, (v,))])
def test_values_stay_apart_inside_containers(container):
    assert len({digest(container(value)) for value in DISTINCT}) == len(DISTINCT)


def test_a_digest_is_64_hexadecimal_digits():
    assert re.fullmatch("[0-9a-f]{64}", digest({"a": [1]}))


def _picklable(value):
    try:
        pickle.dumps(value)
    except Exception:  # what cannot be pickled is not asked to survive it
        return False
    return True


def test_a_round_trip_through_pickle_keeps_the_digest():
    kept = [value for value in DISTINCT if _picklable(value)]
    assert len(kept) > 150
    for value in kept:
        assert digest(pickle.loads(pickle.dumps(value))) == digest(value), value


def test_the_order_of_dicts_and_sets_does_not_count():
    mixed = [(1, "a"), ("1", 2), (None, 3), ((1, 2), 4), (2.5, 5), (frozenset({1, "x"}), 6)]
    assert digest(dict(mixed)) == digest(dict(reversed(mixed)))
    assert digest({k for k, _ in mixed}) == digest({k for k, _ in reversed(mixed)})
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest(collections.Counter("aab")) == digest(collections.Counter("baa"))


def test_keys_that_are_equal_to_python_stay_typed():
    assert digest({1: "a"}) != digest({True: "a"}) != digest({1.0: "a"})
    assert digest({1, 2}) != digest({True, 2})


def test_every_nan_is_one_nan():
    odd = struct.unpack(">d", bytes.fromhex("fff8000000000123"))[0]
    assert digest(odd) == digest(math.nan)
    assert digest([odd, {odd: 1}]) == digest([math.nan, {math.nan: 1}])
    assert digest(complex(odd, odd)) == digest(complex(math.nan, math.nan))
    assert digest(array.array("d", [odd])) == digest(array.array("d", [math.nan]))


def test_nan_keys_are_paired_with_their_values():
    first, second = float("nan"), float("nan")
    assert digest({first: 1, second: 2}) == digest({first: 2, second: 1})
    assert digest({first: 1, second: 2}) != digest({first: 1, second: 1})


def test_sharing_a_part_does_not_count():
    for part in ([1], ["x" * 5000], {"a": list(range(5000))}):
        copy = pickle.loads(pickle.dumps(part))
        assert digest([part, part]) == digest([part, copy])


def test_a_value_shared_at_every_level_is_written_once():
    value = ["x" * LIMIT]
    for _ in range(200):  # written out whole, this would be 2 ** 200 strings
        value = [value, value]
    copy = pickle.loads(pickle.dumps(value))
    assert digest(value) == digest(copy)


def test_parts_of_values_made_on_the_way_are_not_mistaken_for_each_other():
    # The node of each is a passing object, whose id the next may get.
    long = [types.SimpleNamespace(a=["x" * LIMIT, number]) for number in range(100)]
    assert len({digest([value]) for value in long}) == 100
    assert digest(long) != digest(long[::-1])


@pytest.mark.parametrize("levels", [100, 10_000])
def test_deep_nesting_is_no_trouble(levels):
    def nest(leaf):
        value = leaf
        for level in range(levels):
            value = [value] if level % 2 else {"k": value}
        return value

    assert digest(nest(1)) == digest(nest(1)) != digest(nest(2))


def test_deep_nesting_through_keys_is_no_trouble():
    def nest(leaf):
        value = frozenset([leaf])
        for _ in range(10_000):
            value = frozenset([value])
        return value

    assert digest(nest(1)) == digest(nest(1)) != digest(nest(2))


def test_a_value_that_contains_itself_is_refused():
    loop = [1]
    loop.append({"again": (loop,)})
    with pytest.raises(UncacheableArgument, match="contains itself"):
        digest(loop)
    beside = [{}, 1]
    beside.append(beside)
    with pytest.raises(UncacheableArgument, match=r"\[2\]\[2\].*contains itself"):
        digest(beside)
    mapping = {}
    mapping["self"] = mapping
    with pytest.raises(UncacheableArgument, match="contains itself"):
        digest(mapping)
    space = types.SimpleNamespace()
    space.self = space
    with pytest.raises(UncacheableArgument, match="contains itself"):
        digest(space)


@pytest.mark.parametrize(
    "value",
    [
        object(),
        threading.Lock(),
        (n for n in "ab"),
        iter([1]),
        enumerate([1]),
        json,
        random.SystemRandom(),
        threading.current_thread(),
        re.finditer("a", "a"),
        (lambda: 0).__code__,
        NAMELESS_ZONE,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_stable_content_is_refused(value):
    with pytest.raises(UncacheableArgument) as caught:
        digest({"a": [0, value]})
    assert caught.value.code == "BW201"
    assert "value['a'][1]: " in str(caught.value)


def test_a_released_buffer_is_refused_by_name():
    view = memoryview(b"abc")
    view.release()
    with pytest.raises(UncacheableArgument, match=r"value\[0\]: .*released"):
        digest([view])


@pytest.mark.parametrize(
    ("value", "way"),
    [
        ({"a": [1, 2, 3, types.SimpleNamespace(client=object())]}, "value['a'][3].client: object "),
        ([[0] * 9000 + [object()]], "value[0][9000]: "),
        ({1: 2, "x": object()}, "value['x']: "),
        ({(1, 2): object()}, "value[<tuple>]: "),
        ({len: 1, (object(),): 1}, "value key <tuple>[0]: "),
        ({("k", object())}, "value{...}[1]: "),
        (functools.partial(len, object()), "value.args[0]: "),
        (collections.deque([object()]), "value[0]: "),
        (collections.OrderedDict(a=object()), "value['a']: "),
        (dict.fromkeys("ab", object()), "value['a']: "),
        (ValueError(object()), "value.args[0]: "),
    ],
)
def test_an_error_names_the_way_to_the_culprit(value, way):
    with pytest.raises(UncacheableArgument) as caught:
        digest(value)
    assert way in str(caught.value)


def test_an_error_calls_the_value_what_the_caller_calls_it():
    with pytest.raises(UncacheableArgument, match=r"client\['a'\]: "):
        digest({"a": object()}, name="client")


def test_the_way_to_a_culprit_far_down_is_shortened():
    value = object()
    for _ in range(5000):
        value = [value]
    with pytest.raises(UncacheableArgument) as caught:
        digest(value)
    assert len(str(caught.value)) < 400


def test_memoryviews_count_by_items_not_by_layout():
    data = array.array("i", range(6))
    backwards = array.array("i", range(5, -1, -1))
    assert digest(memoryview(backwards)[::-1]) == digest(memoryview(data))
    assert digest(memoryview(b"abcd")) != digest(memoryview(b"abcd").cast("H"))


def test_unions_count_alike_however_written():
    assert digest(typing.Optional[int]) == digest(int | None) != digest(int | str)  # noqa: UP045


def test_attributes_put_on_collections_count():
    plain, marked = collections.Counter("a"), collections.Counter("a")
    marked.note = 1
    assert digest(plain) != digest(marked)


def test_streams_count_with_their_position():
    stream = io.BytesIO(b"abc")
    before = digest(stream)
    stream.read(1)
    assert digest(stream) != before


def test_a_bound_method_counts_with_its_object():
    assert digest(random.Random(1).random) == digest(random.Random(1).random)
    assert digest(random.Random(1).random) != digest(random.Random(2).random)


def test_functions_count_by_code():
    def add(a, b=1):
        return a + b

    def add_two(a, b=2):
        return a + b

    assert digest([add]) == digest([add])
    assert digest(add) != digest(add_two)
