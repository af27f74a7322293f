"""The memory tier: exact order of use, limits, expiry, and copies for each request."""

from __future__ import annotations

import threading

import msgspec
import numpy as np
import pytest

from batchwright.caching.codec import encode
from batchwright.caching.entry import EntryInfo
from batchwright.caching.memory import MemoryTier, footprint
from batchwright.caching.statistics import Figures


def tier(**limits):
    return MemoryTier(Figures(), **limits)


def held(memory, key, value, **facts):
    payload = encode(value)
    memory.hold(EntryInfo(key, size=len(payload.data), codec=payload.codec, **facts), payload)


def keys(memory):
    return [info.key for info in memory.entries()]


def test_the_least_lately_used_entry_goes_first():
    memory = tier(max_entries=3)
    for key in "abc":
        held(memory, key, 1)
    memory.load("a", 0)
    held(memory, "b", 2)
    held(memory, "d", 1)
    assert keys(memory) == ["a", "b", "d"]
    held(memory, "e", 1)
    assert keys(memory) == ["b", "d", "e"]


def test_looking_without_loading_is_no_use():
    memory = tier(max_entries=2)
    held(memory, "a", 1)
    held(memory, "b", 1)
    assert set(memory.find(["a", "x"], 0)) == {"a"}
    held(memory, "c", 1)
    assert keys(memory) == ["b", "c"]


def test_bytes_are_limited_and_given_back():
    memory = tier(max_bytes=1000)
    for key in "abcd":
        held(memory, key, b"x" * 300)
    assert keys(memory) == ["b", "c", "d"]
    held(memory, "d", b"x" * 10)
    held(memory, "e", b"x" * 300)
    assert keys(memory) == ["b", "c", "d", "e"]
    memory.delete("b")
    held(memory, "f", b"x" * 300)
    assert keys(memory) == ["c", "d", "e", "f"]


def test_what_is_larger_than_the_limit_is_not_held_and_drives_nothing_out():
    memory = tier(max_bytes=1000)
    held(memory, "a", b"x" * 300)
    held(memory, "b", b"x" * 3000)
    assert keys(memory) == ["a"]


def test_an_older_value_of_a_key_does_not_outlive_one_that_is_too_large():
    memory = tier(max_bytes=1000)
    held(memory, "a", b"x" * 300)
    held(memory, "a", b"x" * 3000)
    assert memory.load("a", 0) is None


def test_an_entry_lasts_until_its_time_and_not_longer():
    memory = tier()
    held(memory, "a", 1, expires=10.0)
    assert memory.load("a", 9.999) is not None
    assert set(memory.find(["a"], 9.999)) == {"a"}
    assert memory.find(["a"], 10.0) == {}
    assert memory.load("a", 10.0) is None
    assert keys(memory) == []


def test_each_request_gets_a_copy_of_its_own():
    memory = tier()
    original = {"a": np.arange(3), "b": [1]}
    held(memory, "k", original)
    original["b"].append(2)
    for _ in range(2):
        _, value = memory.load("k", 0)
        assert value["b"] == [1]
        assert value["a"].tolist() == [0, 1, 2]
        value["b"].append(3)
        value["a"] += 1


def test_a_payload_that_is_given_away_is_not_shared_with_the_reader():
    memory = tier()
    payload = encode(np.arange(3))
    given = type(payload)(payload.codec, bytearray(payload.data))
    memory.take_over(EntryInfo("k"), given, None)
    given.data[:] = bytes(len(given.data))
    held(memory, "other", 1)
    assert memory.load("k", 0) is not None


def test_unchangeable_values_are_handed_out_as_they_are():
    memory = tier()
    value = ("a", 1.5, (2**80,))
    memory.hold_value(EntryInfo("k"), value)
    assert memory.load("k", 0)[1] is value


def test_a_value_that_cannot_be_decoded_is_a_miss_and_a_figure():
    figures = Figures()
    memory = MemoryTier(figures)

    class Fussy(Exception):
        def __init__(self, a, b):
            super().__init__("one argument only")

    held(memory, "k", Fussy(1, 2))
    assert memory.load("k", 0) is None
    assert figures.total("rejected") == 1
    assert keys(memory) == []


def test_info_of_a_value_that_was_replaced_meanwhile_is_not_put_beside_the_new_one():
    memory = tier()
    held(memory, "a", 1, created=1.0)
    old = memory.find(["a"], 0.0)["a"]
    held(memory, "a", 2, created=2.0, digest="new")
    memory.replace_info(msgspec.structs.replace(old, digest="old"))
    assert memory.find(["a"], 0.0)["a"].digest == "new"


def test_clearing_by_method_and_age():
    memory = tier()
    held(memory, "a", 1, method="f", created=1.0)
    held(memory, "b", 1, method="g", created=1.0)
    held(memory, "c", 1, method="f", created=9.0)
    assert memory.clear("f", 5.0) == 1
    assert keys(memory) == ["b", "c"]
    assert memory.clear("f", None) == 1
    assert memory.clear(None, None) == 1
    assert memory.held() == {}


def test_many_threads_leave_the_sums_right():
    memory = tier(max_entries=20, max_bytes=5000)

    def work(number):
        for turn in range(300):
            key = f"k{(number * 7 + turn) % 40}"
            held(memory, key, b"x" * (turn % 200))
            memory.load(key, 0)
            memory.delete(f"k{turn % 40}")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    infos = list(memory.entries())
    assert len(infos) <= 20
    assert sum(info.size for info in infos) == sum(each.bytes for each in memory.held().values())
    assert memory._bytes == sum(info.size for info in infos) <= 5000


@pytest.mark.parametrize("value", [1, "text", (1, (2, "x")), frozenset([b"abc"])], ids=repr)
def test_a_footprint_grows_with_what_is_inside(value):
    assert footprint((value, value)) > 2 * footprint(value)
