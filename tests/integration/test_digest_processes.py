"""One value has one digest in every process, whatever its hash seed; a search for findings."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import collections, dataclasses, datetime, decimal, enum, uuid
import numpy as np
import pandas as pd
from batchwright.caching.digest import digest

words = [chr(97 + n % 26) * (n % 7 + 1) for n in range(200)]
print(digest({
    "set": set(words),
    "nested": {frozenset(words[i::7]): {w: {w, i, None, (w, i)} for w in words} for i in range(7)},
    "keys": {1: "a", "1": "b", None: "c", (1, "x"): "d", frozenset({"p", "q"}): "e"},
    "counter": collections.Counter(words),
    "objects": np.array([set(words), {"a": {1, "b"}}], object),
    "frame": pd.DataFrame({"a": [1.5, None], "b": ["x", "y"]}),
    "types": {int, str, decimal.Decimal, uuid.UUID},
    "when": datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC),
    "unserved": {len, abs, "x".join},
}))
"""


def run(*command, seed):
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    return subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, check=False
    )


def test_a_digest_is_the_same_in_processes_of_other_hash_seeds():
    found = {run("-c", SCRIPT, seed=seed).stdout for seed in ("0", "1", "12345")}
    assert len(found) == 1
    assert len(found.pop().strip()) == 64


@pytest.mark.parametrize("seed", ["1", "2"])
def test_a_search_for_collisions_and_unstable_values_finds_none(seed):
    script = ROOT / "benchmarks" / "fuzz_digest.py"
    result = run(str(script), "--values", "3000", "--seed", seed, seed="0")
    assert result.returncode == 0, result.stdout + result.stderr
    for figure in ("collisions", "unstable", "refused"):
        assert f"{figure.ljust(11)} 0\n" in result.stdout
