"""A damaged state database is an error in plain words, or does no harm; it never crashes."""

from __future__ import annotations

import random

import pytest

import batchwright
from batchwright import step
from batchwright.errors import BatchwrightError
from batchwright.records.store import Records

WORDS = "a name long enough to fill the pages of the database with text, again and again"


def squared(n, words=WORDS):
    if n == 3:
        raise ValueError(words)
    return n * n


def run(tmp_path):
    contracts = {f"contract {n} {WORDS}": step(squared)(n) for n in range(12)}
    with batchwright.run(contracts, state=tmp_path / "state", cache=tmp_path / "cache") as result:
        return [result[id_].value for id_ in result if result[id_].status == "ok"]


@pytest.mark.parametrize("seed", range(25))
def test_flipped_bytes_in_the_state_database(tmp_path, seed):
    expected = run(tmp_path)
    database = tmp_path / "state" / "state.db"
    content = bytearray(database.read_bytes())
    chance = random.Random(seed)
    for _ in range(40):
        content[chance.randrange(200, len(content))] ^= chance.randrange(1, 256)
    database.write_bytes(content)
    told = ""
    try:
        assert run(tmp_path) == expected
        with Records(database) as records:
            for each in records.runs():
                records.steps(each.id)
                records.contracts(each.id)
            records.watched()
            records.typical_ms()
    except BatchwrightError as error:
        told = str(error)
    assert not told or str(database) in told
