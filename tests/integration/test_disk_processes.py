"""One cache folder, many threads and processes, some of which die."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import threading
import time
import warnings

import pytest

from batchwright.caching.cache import Cache
from batchwright.caching.database import exclusively

# forkserver and spawn would import this file by name, which tests are not; fork is what is tried.
context = multiprocessing.get_context("fork")


def value_of(key):
    return [key, key.encode() * (20_000 if int(key[1:]) % 3 == 0 else 5)]


def work(folder, seed, turns, results):
    draw = random.Random(seed)
    wrong = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Cache(folder, max_entries=40, max_bytes=2_000_000) as cache:
            for _ in range(turns):
                key = f"k{draw.randrange(60)}"
                if draw.random() < 0.3:
                    cache.put(key, value_of(key))
                elif draw.random() < 0.05:
                    cache.delete(key)
                else:
                    value = cache.get(key)
                    wrong += value is not None and value != value_of(key)
            stats = cache.stats()
    if results is not None:
        results.put((wrong, stats.rejected, stats.damaged, stats.lost))


def test_processes_at_once_never_see_a_wrong_value_and_keep_the_limits(tmp_path):
    results = context.SimpleQueue()
    processes = [
        context.Process(target=work, args=(tmp_path / "c", seed, 300, results)) for seed in range(4)
    ]
    for process in processes:
        process.start()
    outcomes = [results.get() for _ in processes]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert outcomes == [(0, 0, 0, 0)] * 4
    with Cache(tmp_path / "c") as cache:
        stats = cache.stats()
        assert 0 < stats.entries <= 40
        assert stats.bytes <= 2_000_000
        assert cache.check().clean


def test_threads_at_once_never_see_a_wrong_value(tmp_path):
    wrong = []
    with Cache(tmp_path / "c", max_entries=40) as cache:

        def turn(seed):
            draw = random.Random(seed)
            for _ in range(150):
                key = f"k{draw.randrange(60)}"
                if draw.random() < 0.4:
                    cache.put(key, value_of(key))
                else:
                    cache._memory.delete(key)
                    if cache.get(key) not in (None, value_of(key)):
                        wrong.append(key)

        threads = [threading.Thread(target=turn, args=(seed,)) for seed in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        stats = cache.stats()
        assert (wrong, stats.rejected, stats.damaged, stats.lost) == ([], 0, 0, 0)
        assert cache.check().clean


def test_connections_end_with_their_threads(tmp_path):
    with Cache(tmp_path / "c") as cache:
        cache.put("k", 1)
        for _ in range(20):
            thread = threading.Thread(target=cache.find, args=(["k"],))
            thread.start()
            thread.join(10)
        assert len(cache._disks[0]._database._open) == 1


def test_writers_killed_at_any_moment_leave_nothing_wrong_and_no_file(tmp_path):
    draw = random.Random(7)
    for _ in range(12):
        process = context.Process(target=work, args=(tmp_path / "c", draw.random(), 10**6, None))
        process.start()
        time.sleep(draw.uniform(0.02, 0.15))  # the moment is the test's matter, not its patience
        os.kill(process.pid, signal.SIGKILL)
        process.join(30)
    with Cache(tmp_path / "c") as cache:
        for number in range(60):
            assert cache.get(f"k{number}") in (None, value_of(f"k{number}"))
        report = cache.check()
        assert (report.altered, report.damaged) == (0, 0)
        assert cache.check().clean
        files = [path for path in (tmp_path / "c" / "values").rglob("*") if path.is_file()]
        large = [info for info in cache.entries() if info.size > 32 << 10]
        assert len(files) == len(large)


def test_a_forked_process_uses_the_cache_and_leaves_the_parents_alone(tmp_path):
    with Cache(tmp_path / "c") as cache:
        cache.put("before", [1])

        def child(results):
            cache._memory.clear(None, None)
            value = cache.get("before")
            cache.put("by the child", [2])
            cache.close()
            results.put(value)

        # Locks held by a thread of the parent must not stay held in the child.
        held = [cache._memory._lock, cache._figures._lock, cache._disks[0]._uses._lock,
                cache._disks[0]._database._lock]  # fmt: skip
        results = context.SimpleQueue()
        process = context.Process(target=child, args=(results,))
        for lock in held:
            lock.acquire()
        process.start()
        for lock in held:
            lock.release()
        process.join(30)
        assert process.exitcode == 0
        assert results.get() == [1]
        assert cache.get("by the child") == [2]
        cache.put("after", 3)
        assert cache.stats().lost == 0
    with Cache(tmp_path / "c") as cache:
        assert cache.find(["before", "by the child", "after"]).keys() == {
            "before", "by the child", "after",
        }  # fmt: skip


def test_a_forked_process_does_not_keep_the_folder_locked(tmp_path):
    reader, writer = os.pipe()
    with exclusively(tmp_path):
        child = os.fork()
        if child == 0:
            os.close(writer)
            os.read(reader, 1)  # lives until the parent closes its end
            os._exit(0)
    entered = []

    def enter():
        with exclusively(tmp_path):
            entered.append(True)

    thread = threading.Thread(target=enter, daemon=True)
    thread.start()
    thread.join(10)
    os.close(writer)
    os.waitpid(child, 0)
    os.close(reader)
    assert entered == [True]


@pytest.mark.parametrize("turn", range(3))
def test_processes_that_open_a_new_folder_at_once_share_one_index(tmp_path, turn):
    start = context.Event()

    def child(number):
        start.wait(30)
        with Cache(tmp_path / "c") as cache:
            cache.put(f"k{number}", number)
            sys.exit(cache.stats().lost + cache.stats().damaged)

    processes = [context.Process(target=child, args=(number,)) for number in range(6)]
    for process in processes:
        process.start()
    start.set()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    with Cache(tmp_path / "c") as cache:
        assert [cache.get(f"k{number}") for number in range(6)] == list(range(6))
    assert [path.name for path in (tmp_path / "c").glob("index*")] == ["index-1.sqlite"]
