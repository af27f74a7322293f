"""Known steps run afresh: each as it ran then, and nothing that is kept changes."""

import os
from pathlib import Path

import pytest

from batchwright import plan, run, step
from batchwright.execution.reproduce import candidates, reproduce

CALLS = []


def outside():
    """What no argument shows: a file named by the environment."""
    CALLS.append("outside")
    return Path(os.environ["OUTSIDE"]).read_text()


def length(text):
    CALLS.append("length")
    return len(text)


def fitted():
    from sklearn.linear_model import LinearRegression

    return LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])


def drawn():
    import random

    return random.random()


class Reader:
    def __init__(self):
        self.text = ""

    def load(self, text):
        CALLS.append("load")
        self.text = text

    def words(self):
        CALLS.append("words")
        return self.text.split()


def reading(text):
    reader = step(Reader)()
    reader.load(text)
    return reader.words()


@pytest.fixture
def outside_file(tmp_path, monkeypatch):
    path = tmp_path / "outside.txt"
    path.write_text("then")
    monkeypatch.setenv("OUTSIDE", str(path))
    return path


@pytest.fixture
def known(tmp_path):
    """Runs contracts, and gives them prepared again with everything known."""
    opened = []

    def prepare(contracts):
        run(contracts, state=tmp_path / "state").close()
        CALLS.clear()
        prepared = plan(contracts, state=tmp_path / "state")
        opened.append(prepared)
        return prepared

    yield prepare
    for prepared in opened:
        prepared.close()


def verdicts(reproduced):
    return {one.method: one.verdict for one in reproduced}


def test_what_repeats_is_the_same_random_numbers_included(known):
    prepared = known({"a": step(drawn)(), "b": step(length)("four")})
    assert verdicts(reproduce(prepared, 1.0, 0)) == {"drawn": "same", "length": "same"}
    assert CALLS == ["length"], "it ran afresh"
    assert prepared.records.unrepeatable() == {}


def test_what_gives_another_value_is_remembered_and_its_readers_are_judged_by_what_is_kept(
    known, outside_file
):
    contracts = {"a": step(length)(step(outside)())}
    prepared = known(contracts)
    outside_file.write_text("something else now")
    told = []
    found = reproduce(prepared, 1.0, 0, told.append)
    assert verdicts(found) == {"outside": "differs", "length": "same"}
    assert told == found
    assert list(prepared.records.unrepeatable().values()) == ["outside"]
    prepared.close()
    with run(contracts, state=prepared.state_folder) as result:
        assert result["a"].value == len("then")


def test_a_step_that_fails_now_is_told(known, outside_file):
    prepared = known({"a": step(outside)()})
    outside_file.unlink()
    (found,) = reproduce(prepared, 1.0, 0)
    assert found.verdict == "failed"
    assert found.why.startswith("FileNotFoundError")
    assert prepared.records.unrepeatable() == {}


def test_a_call_on_a_changed_object_gets_the_object_in_the_state_it_had(known):
    prepared = known({"a": reading("one two"), "b": reading("three")})
    found = reproduce(prepared, 1.0, 0)
    assert [one.verdict for one in found] == ["same"] * len(found)
    assert CALLS.count("words") == 2


def test_a_result_without_content_cannot_be_compared(known):
    (found,) = reproduce(known({"a": step(fitted)()}), 1.0, 0)
    assert found.verdict == "cannot compare"
    assert "fitted model" in found.why


def test_a_step_that_is_not_meant_to_repeat_is_left_out(known, outside_file):
    prepared = known({"a": step(outside, repeats=False)(), "b": step(length)("four")})
    assert [prepared.keyed.uniques[number].label for number in candidates(prepared)] == ["length"]


def test_only_the_sample_runs_and_nothing_is_stored(known):
    prepared = known({str(n): step(length)("x" * n) for n in range(8)})
    before = {info.key: info for info in prepared.cache.entries()}
    assert len(reproduce(prepared, 3, 0)) == 3
    assert len(CALLS) == 3
    assert {info.key: info for info in prepared.cache.entries()} == before
