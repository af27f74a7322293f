"""The cache in a folder: what is kept, for how long, within which limits, and when it breaks."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

from batchwright.caching.cache import Cache
from batchwright.caching.codec import encode
from batchwright.caching.disk import INLINE_BYTES
from batchwright.errors import BatchwrightError, CacheUnavailable, CachingError, NotEncodable


class Clock:
    def __init__(self):
        self.now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def clock():
    return Clock()


def value_files(folder):
    return [path for path in (folder / "values").rglob("*") if path.is_file()]


BIG = b"x" * (INLINE_BYTES + 1)


# --- kept -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [None, 0, "", [1, (2,)], {"a": {1, 2}}, b"x" * INLINE_BYTES, BIG, ValueError("x"), [BIG, BIG]],
    ids=lambda value: repr(value)[:20],
)
def test_a_value_is_there_after_reopening(folder, value):
    with Cache(folder) as cache:
        cache.put("k", value)
        assert repr(cache.get("k")) == repr(value)
    with Cache(folder) as cache:
        assert "k" in cache
        assert repr(cache.get("k", "absent")) == repr(value)


def test_small_values_lie_in_the_index_and_large_ones_in_files(folder):
    with Cache(folder) as cache:
        cache.put("small", b"x" * (INLINE_BYTES - 10))
        assert value_files(folder) == []
        cache.put("large", BIG)
        assert len(value_files(folder)) == 1
        cache.put("large", b"now small")
        assert value_files(folder) == []
        cache.put("large", BIG)
        assert cache.delete("large")
        assert value_files(folder) == []
        assert not cache.delete("large")


def test_arrays_read_from_files_are_private_and_writable(folder):
    with Cache(folder) as cache:
        cache.put("k", np.arange(100_000))
    for _ in range(2):
        with Cache(folder) as cache:
            for _ in range(3):
                array = cache.get("k")
                assert array.sum() == 4_999_950_000
                array -= 5


@pytest.mark.parametrize("key", ["", "é😀\x00", "k" * 10_000, "'; DROP TABLE entries; --"])
def test_any_text_is_a_key(folder, key):
    with Cache(folder) as cache:
        cache.put(key, 1)
        cache.put(key + "other", 2)
    with Cache(folder) as cache:
        assert cache.get(key) == 1
        assert set(cache.find([key])) == {key}


def test_only_text_is_a_key(folder):
    with Cache(folder) as cache:
        assert 5 not in cache
        for call in (cache.get, cache.load, cache.delete, lambda key: cache.put(key, 1)):
            with pytest.raises(TypeError, match="keys are str, not int"):
                call(5)


def test_half_a_character_is_no_key(folder):
    with Cache(folder) as cache, pytest.raises(CachingError, match="half a character"):
        cache.put("\ud800", 1)


def test_everything_is_for_the_user_alone(folder):
    before = os.umask(0)
    try:
        with Cache(folder) as cache:
            cache.put("k", BIG)
            for path in [folder, *folder.rglob("*")]:
                mode = stat.S_IMODE(path.stat().st_mode)
                assert mode == (0o700 if path.is_dir() else 0o600), path
    finally:
        os.umask(before)


def test_what_cannot_be_stored_is_an_error_of_put(folder):
    with Cache(folder) as cache, pytest.raises(NotEncodable, match="lock"):
        cache.put("k", threading.Lock())


# --- find, load, store ----------------------------------------------------------------------


def test_what_is_known_is_found_without_the_value(folder, clock):
    parts = {"[0]": "d0"}
    with Cache(folder, _clock=clock) as cache:
        payload = encode([BIG])
        cache.store("k", payload, digest="d", parts=parts, method="m", expires=2e6, seconds=1.5)
        cache.add_parts("k", {"[1]": "d1"})
    for path in value_files(folder):
        path.unlink()
    with Cache(folder, _clock=clock) as cache:
        (info,) = cache.find(["k", "other"]).values()
        assert info.key == "k"
        assert info.digest == "d"
        assert info.parts == {"[0]": "d0", "[1]": "d1"}
        assert (info.method, info.created, info.expires) == ("m", 1e6, 2e6)
        assert (info.size, info.codec, info.seconds) == (len(payload.data), "plain", 1.5)
        with pytest.raises(KeyError):
            cache.load("k")
        assert cache.stats().rejected == 1
        with pytest.raises(KeyError):
            cache.add_parts("other", {})


def test_thousands_of_keys_are_found_at_once(folder):
    with Cache(folder) as cache:
        for number in range(1200):
            cache.store(f"k{number}", encode(number), digest=str(number))
    with Cache(folder) as cache:
        found = cache.find(f"k{number}" for number in range(2400))
        assert {key: info.digest for key, info in found.items()} == {
            f"k{number}": str(number) for number in range(1200)
        }


def test_an_entry_lasts_its_time_from_the_computation(folder, clock):
    with Cache(folder, ttl=10, _clock=clock) as cache:
        cache.put("default", BIG)
        cache.put("longer", 1, ttl=20)
    clock.now += 9.5
    with Cache(folder, _clock=clock) as cache:
        assert cache.get("default") == BIG
        clock.now += 0.5
        assert cache.get("default") is None
        assert cache.find(["default", "longer"]).keys() == {"longer"}
        assert "default" not in cache
        with pytest.raises(KeyError):
            cache.load("default")
        assert {info.key for info in cache.entries()} == {"longer", "default"}
        clock.now += 10
        assert cache.get("longer") is None


def test_a_value_put_by_another_process_overtakes_the_one_in_memory(folder):
    with Cache(folder) as one, Cache(folder) as other:
        one.put("k", 1)
        assert one.get("k") == 1
        other.put("k", 2)
        assert one.get("k") == 2
        other.delete("k")
        assert one.get("k") is None


# --- limits ---------------------------------------------------------------------------------


def test_entries_are_limited_by_last_use(folder):
    with Cache(folder, max_entries=3) as cache:
        for key in "abc":
            cache.put(key, key)
    with Cache(folder, max_entries=3) as cache:
        cache.load("a")
        cache.put("d", "d")
        assert cache.find("abcd").keys() == {"a", "c", "d"}
        assert cache.stats().evicted == 1


def test_bytes_are_limited_and_files_go_with_their_entries(folder):
    with Cache(folder, max_bytes=10 * len(BIG)) as cache:
        for number in range(30):
            cache.put(f"k{number}", BIG + bytes(number))
        stats = cache.stats()
        assert stats.bytes <= 10 * len(BIG)
        assert stats.entries == len(value_files(folder)) == 9
        assert cache.find(f"k{n}" for n in range(30)).keys() == {f"k{n}" for n in range(21, 30)}
        cache.put("huge", bytes(11 * len(BIG)))
        assert cache.stats().entries == 9


def test_a_limit_given_later_holds_from_the_next_store(folder):
    with Cache(folder) as cache:
        for number in range(200):
            cache.put(f"k{number}", number)
    with Cache(folder, max_entries=5) as cache:
        cache.put("new", 1)
        assert cache.stats().entries == 5


@pytest.mark.parametrize("limits", [{"ttl": -1}, {"max_entries": -1}, {"max_bytes": -5}])
def test_limits_below_zero_are_refused(limits):
    with pytest.raises(CachingError, match="must not be negative"):
        Cache(**limits)


# --- clearing, figures, checking ------------------------------------------------------------


def test_clearing_by_method_and_age(folder, clock):
    with Cache(folder, _clock=clock) as cache:
        cache.put("a", BIG, method="f")
        cache.put("b", 1, method="g")
        clock.now += 100
        cache.put("c", 1, method="f")
        assert cache.clear("f", older_than=50) == 1
        assert value_files(folder) == []
        assert cache.find("abc").keys() == {"b", "c"}
        assert cache.clear("f") == 1
        assert cache.clear() == 1
        assert cache.stats().entries == 0


def test_each_request_is_counted_once_at_the_tier_that_served_it(folder):
    with Cache(folder) as cache:
        cache.store("k", encode([1]), digest="", method="f", seconds=2.0)
    with Cache(folder) as cache:
        cache.load("k")
        cache.load("k")
        cache.get("k")
        cache.get("absent")
        with pytest.raises(KeyError):
            cache.load("absent", method="f")
        cache.find(["k"])
        stats = cache.stats()
        assert (stats.hits, stats.misses, stats.entries) == (3, 2, 1)
        assert {tier.name: tier.hits for tier in stats.tiers} == {"memory": 2, "disk": 1}
        assert stats.seconds_saved == 6.0
        assert (stats.methods["f"].hits, stats.methods["f"].misses) == (3, 1)
        assert stats.hit_rate == 0.6
        cache.clear()
        assert cache.stats().hits == 3


def test_check_drops_what_was_altered_and_files_of_no_entry(folder):
    with Cache(folder) as cache:
        for key in "abc":
            cache.put(key, BIG)
        cache.put("d", 1)
        value_files(folder)[0].write_bytes(BIG)
        orphan = folder / "values" / "ab" / "cd" / ("abcd" + "0" * 28)
        orphan.parent.mkdir(parents=True, exist_ok=True)
        orphan.write_bytes(b"left behind")
        (orphan.parent / f"new-4194999-{'0' * 32}").write_bytes(b"by a writer that died")
        report = cache.check()
        assert (report.entries, report.altered, report.orphans) == (4, 1, 2)
        assert not report.clean
        again = cache.check()
        assert (again.entries, again.clean) == (3, True)
        assert len(value_files(folder)) == 2


# --- what breaks ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["index-1.sqlite", "index-1.sqlite-wal"])
@pytest.mark.parametrize(
    "garbage", [b"", b"garbage" * 1000, b"SQLite format 3\x00" + b"\xff" * 5000]
)
def test_a_damaged_index_is_set_aside_and_the_cache_goes_on(folder, name, garbage):
    with Cache(folder) as cache:
        cache.put("k", 1)
    (folder / name).write_bytes(garbage)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with Cache(folder) as cache:
            assert cache.get("k") in (None, 1)
            cache.put("k", 2)
            damaged = cache.stats().damaged
        with Cache(folder) as cache:
            assert cache.get("k") == 2
            assert cache.check().clean
    assert len(caught) == damaged == len(list(folder.glob("*.damaged-[0-9]"))) <= 1
    if name == "index-1.sqlite" and garbage:
        assert damaged == 1
        assert "was set aside as index-1.sqlite.damaged-1" in str(caught[0].message)


def test_an_index_damaged_while_open_is_set_aside_once_by_all_who_have_it_open(folder):
    with Cache(folder) as one, Cache(folder) as other:
        for number in range(2000):
            one.put(f"k{number}", b"x" * 3000)
        one._disks[0]._do(lambda connection: connection.execute("PRAGMA wal_checkpoint"), None)
        with (folder / "index-1.sqlite").open("r+b") as file:
            file.seek(4096)
            file.write(os.urandom(os.fstat(file.fileno()).st_size - 4096))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for cache in (one, other):
                cache._memory.clear(None, None)
                for number in range(0, 2000, 50):
                    assert cache.get(f"k{number}") in (None, b"x" * 3000)
                cache.put("new", 1)
        assert len(list(folder.glob("*.damaged-[0-9]"))) == 1
        assert one.stats().damaged + other.stats().damaged == 1
        one._memory.clear(None, None)
        assert one.get("new") == 1


def test_another_format_is_set_aside_with_a_word(folder):
    with Cache(folder) as cache:
        cache.put("k", 1)
    with sqlite3.connect(folder / "index-1.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.warns(RuntimeWarning, match="has format 99, and this version 1"):
        cache = Cache(folder)
    with cache:
        assert cache.get("k") is None
        assert (folder / "index-1.sqlite.format-99-1").exists()


def test_entries_vouched_for_by_another_secret_are_misses(folder, monkeypatch, tmp_path):
    with Cache(folder) as cache:
        cache.put("k", 1)
    monkeypatch.setenv("BATCHWRIGHT_SECRET_FILE", str(tmp_path / "other"))
    with Cache(folder) as cache:
        assert cache.find(["k"]) == {}
        assert cache.get("k") is None
        assert cache.stats().rejected == 2


def test_a_file_in_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheUnavailable, match=r"file is a file; name a folder"):
        Cache(tmp_path / "file")
    with pytest.raises(CacheUnavailable, match=r"below cannot be used: Not a directory\. Make it"):
        Cache(tmp_path / "file" / "below")


def as_another_user(work):
    """Runs `work` in a process that has no rights over what this user made; its outcome."""
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            if os.geteuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            os.write(writer, work().encode())
        except BaseException as error:
            os.write(writer, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.waitpid(process, 0)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        return file.read().decode()


def test_a_folder_without_rights_is_named_with_the_cure(tmp_path, monkeypatch):
    tmp_path.parent.parent.chmod(0o755)
    tmp_path.parent.chmod(0o755)
    tmp_path.chmod(0o555)
    monkeypatch.setattr("batchwright.caching.secret.load_secret", lambda: b"s" * 32)
    said = as_another_user(lambda: str(Cache(tmp_path / "cache")))
    tmp_path.chmod(0o700)
    assert said.startswith("CacheUnavailable: BW211 the cache's folder")
    assert "cache cannot be used: Permission denied. Make it writable, or name another" in said


@pytest.mark.parametrize("location", ["redis://localhost:6379/0", "s3://bucket/x"])
def test_urls_are_refused_clearly(location):
    with pytest.raises(CachingError, match="is a URL, which this version cannot use"):
        Cache(location)


def test_no_location_at_all_is_refused():
    with pytest.raises(CachingError, match="empty list"):
        Cache([])


def test_files_of_an_index_that_was_set_aside_do_not_stay(folder):
    with Cache(folder) as cache:
        cache.put("k", BIG)
    (folder / "index-1.sqlite").write_bytes(b"garbage")
    with pytest.warns(RuntimeWarning, match="set aside"):
        cache = Cache(folder)
    with cache:
        assert value_files(folder) == []
        cache.put("k", BIG)
        assert len(value_files(folder)) == 1


def test_threads_do_not_go_on_with_an_index_that_was_removed(folder):
    with Cache(folder) as cache:
        cache.put("k", 1)
        steps = threading.Barrier(2)
        seen = []

        def other():
            seen.append(cache.find(["k"]).keys())
            steps.wait(10)
            steps.wait(10)
            cache._memory.clear(None, None)
            seen.append(cache.get("new"))

        cache._memory.clear(None, None)
        thread = threading.Thread(target=other)
        thread.start()
        steps.wait(10)
        shutil.rmtree(folder)
        with pytest.warns(RuntimeWarning, match="no longer there"):
            cache.put("new", 2)
        steps.wait(10)
        thread.join(10)
        assert seen == [{"k"}, 2]


def test_clearing_all_removes_restored_files(folder, tmp_path):
    made = tmp_path / "made"
    made.write_text("x")
    with Cache(folder) as cache:
        cache.put("k", made)
        made.unlink()
        restored = cache.get("k")
        cache.clear(method="other")
        assert restored.exists()
        cache.clear()
        assert not restored.exists()


def test_a_folder_that_vanishes_is_one_warning_and_work_goes_on(folder):
    with Cache(folder) as cache:
        cache.put("k", 1)
        shutil.rmtree(folder)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for number in range(5):
                cache.put(f"n{number}", [number])
                cache.put(f"b{number}", BIG)
                assert cache.get(f"n{number}") == [number]
            shutil.rmtree(folder)
            cache.put("last", 1)
        assert len(caught) == 1
        assert "is no longer there; starting it anew" in str(caught[0].message)
        assert cache.stats().lost == 2
    with Cache(folder) as cache:
        assert cache.get("last") == 1


def test_a_folder_that_cannot_be_made_again_is_one_warning_and_work_goes_on(folder):
    with Cache(folder) as cache:
        shutil.rmtree(folder)
        folder.write_text("in the way")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for number in range(5):
                cache.put(f"n{number}", [number])
                assert cache.load(f"n{number}") == [number]
                assert cache.get("absent") is None
        assert len(caught) == 1
        assert cache.stats().lost >= 5


FULL = """
    import resource, signal, sys, warnings
    from batchwright.caching.cache import Cache

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    caught = []
    warnings.showwarning = lambda message, *rest: caught.append(str(message))
    warnings.simplefilter("always")
    with Cache(sys.argv[1]) as cache:
        cache.put("before", 1)
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
        for number in range(20):
            cache.put(f"big{number}", bytes(100_000))
            cache.put(f"small{number}", bytes(20_000))
            assert cache.get(f"big{number}") == bytes(100_000)
        assert cache.get("before") == 1
        print(len(caught), cache.stats().lost > 20, cache.stats().damaged)
"""


def test_a_full_disk_is_one_warning_and_work_goes_on(folder):
    # No file may grow past a limit: to the writer that is what a full disk looks like.
    assert resource.getrlimit(resource.RLIMIT_FSIZE)
    command = [sys.executable, "-c", textwrap.dedent(FULL), str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["1", "True", "0"], run.stderr
    with Cache(folder) as cache:
        assert cache.get("before") == 1
        assert cache.check().altered == 0
        assert cache.check().clean


def test_a_location_may_be_a_list_of_tiers(tmp_path):
    near, far = tmp_path / "near", tmp_path / "far"
    with Cache(far) as cache:
        cache.put("k", [BIG])
    with Cache([None, near, str(far)]) as cache:
        assert cache.find(["k"]).keys() == {"k"}
        assert cache.get("k") == [BIG]
        cache.put("l", 2)
        assert [tier.name for tier in cache.stats().tiers] == ["memory", "disk", "disk 2"]
    with Cache(near) as cache:
        assert cache.load("k") == [BIG]
        assert cache.load("l") == 2
    with Cache(far) as cache:
        assert cache.load("l") == 2


def test_every_error_names_the_cure_in_its_own_hierarchy():
    assert issubclass(CacheUnavailable, CachingError)
    assert issubclass(NotEncodable, BatchwrightError)
    assert Path(__file__).exists()
