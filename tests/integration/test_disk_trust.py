"""A cache folder altered in any way serves right values or none, and runs nothing."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "trust_disk.py"
TRIALS = 600


@pytest.fixture(scope="module")
def trust():
    spec = importlib.util.spec_from_file_location("trust_disk", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    sys.modules["trust_disk"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["trust_disk"]


def test_altered_at_random_nothing_wrong_is_served_nothing_runs_and_nothing_crashes(
    trust, tmp_path
):
    sound = trust.make_sound(tmp_path)
    outcomes = [trust.trial(sound, seed, tmp_path) for seed in range(TRIALS)]
    assert [outcome for outcome in outcomes if outcome.problems] == []
    # Every alteration was tried, and most entries of most caches are still served.
    assert {outcome.alteration for outcome in outcomes} == {
        alter.__name__ for alter in trust.ALTERATIONS
    }
    assert sum(outcome.served for outcome in outcomes) > TRIALS * len(sound.values) / 2
    assert sum(outcome.noticed > 0 for outcome in outcomes) > TRIALS / 2


def test_an_unaltered_cache_is_served_in_full(trust, tmp_path):
    sound = trust.make_sound(tmp_path)
    for folder in sound.folders:
        outcome = trust._read(sound, folder, "none", limited=False)
        assert outcome == trust.Outcome("none", served=len(sound.values))


def test_what_is_planted_would_run_if_it_were_decoded(trust, tmp_path):
    import pickle

    pickle.loads(pickle.dumps(trust.Planted(tmp_path / "marker"))).close()
    assert (tmp_path / "marker").exists()
