"""Values that go from the cache while a run needs them: computed again, once, or failed."""

from __future__ import annotations

import os

import numpy as np
import pytest

import batchwright
from batchwright import Cache, step


def made(n):
    if os.environ.get("BROKEN"):
        raise OSError("not there any more")
    return np.full(20_000, float(n))


def total(*arrays):
    return float(sum(array[0] for array in arrays))


def first(array):
    return float(array[0])


def lose_what_is_loaded_first(monkeypatch):
    load, lost = Cache.load, []

    def losing(cache, key):
        if not lost:
            lost.append(key)
        if key in lost:
            raise KeyError(key)
        return load(cache, key)

    monkeypatch.setattr(Cache, "load", losing)


def test_a_cache_too_small_for_the_arguments_of_one_step(tmp_path):
    with Cache(tmp_path / "cache", max_bytes=500_000) as cache:
        for _ in range(2):
            built = step(total)(*(step(made)(n) for n in range(12)))
            with batchwright.run(built, state=tmp_path / "state", cache=cache) as result:
                (ran,) = result.values()
                assert ran.value == 66.0


def test_a_lost_value_that_cannot_be_computed_again_fails_its_reader(tmp_path, monkeypatch):
    batchwright.run(step(total)(step(made)(3)), state=tmp_path / "state").close()
    monkeypatch.setenv("BROKEN", "1")
    lose_what_is_loaded_first(monkeypatch)
    with batchwright.run({"c": step(first)(step(made)(3))}, state=tmp_path / "state") as result:
        assert result["c"].status == "failed"
        with pytest.raises(OSError, match="not there any more"):
            _ = result["c"].value


def test_a_lost_output_that_cannot_be_computed_again_raises_what_it_raised(tmp_path, monkeypatch):
    batchwright.run({"c": step(made)(3)}, state=tmp_path / "state").close()
    monkeypatch.setenv("BROKEN", "1")
    lose_what_is_loaded_first(monkeypatch)
    with (
        batchwright.run({"c": step(made)(3)}, state=tmp_path / "state") as result,
        pytest.raises(OSError, match="not there any more"),
    ):
        _ = result["c"].value
