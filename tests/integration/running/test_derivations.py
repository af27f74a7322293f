"""What is known by how it comes about: such knowledge ends with the inputs it came from."""

from __future__ import annotations

import os

import pytest

import batchwright
from batchwright import Cache, step


def fetched():
    return os.environ["SOURCE"]  # what changes behind batchwright's back


def middle(text):
    return f"m{text}"


def end(text):
    return f"e{text}"


def other_end(text):
    return f"o{text}"


def read_then_changed(document):
    text = document.read_text()
    if change := os.environ.get("CHANGE_TO"):
        document.write_text(change)
    return text


def joined(document, *texts):
    return document.read_text() + "".join(texts)


class Reader:
    def __init__(self, text=""):
        self.text = text

    def load(self, text):
        self.text = text

    def words(self):
        return self.text.split()


@pytest.fixture
def value_of(tmp_path, monkeypatch):
    """The value that a run of a step gives, at a time, while the source says something."""

    def value_of(built, *, says: str, at: float = 0.0):
        monkeypatch.setenv("SOURCE", says)
        ran = batchwright.run({"c": built}, state=tmp_path / "state", clock=lambda: 1e9 + at)
        with ran as result:
            return result["c"].value

    return value_of


def test_a_new_consumer_of_a_known_result_expires_with_what_that_came_from(value_of):
    def upstream():
        return step(middle)(step(fetched, ttl=100)())

    assert value_of(step(end)(upstream()), says="a") == "ema"
    assert value_of(step(other_end)(upstream()), says="a", at=10) == "oma"
    assert value_of(step(other_end)(upstream()), says="b", at=200) == "omb"


def test_what_is_read_from_an_object_expires_with_what_it_was_loaded_from(value_of):
    def words():
        reader = step(Reader)()
        reader.load(step(fetched, ttl=100)())
        return reader.words()

    assert value_of(words(), says="a") == ["a"]
    assert value_of(words(), says="b", at=50) == ["a"]
    assert value_of(words(), says="b", at=200) == ["b"]


def test_an_input_recomputed_with_another_value_voids_what_came_from_it(value_of, tmp_path):
    def text():
        return step(fetched)()

    assert value_of(step(end)(step(middle)(text())), says="a") == "ema"
    with Cache(tmp_path / "state" / "cache") as cache:
        cache.clear(method="fetched")
    assert value_of(text(), says="b") == "b"
    assert value_of(step(end)(step(middle)(text())), says="b") == "emb"


def test_a_reloaded_object_voids_what_was_read_from_it(value_of, tmp_path):
    def words():
        reader = step(Reader)()
        reader.load(step(fetched)())
        return step(len)(reader.words())

    assert value_of(words(), says="a") == 1
    with Cache(tmp_path / "state" / "cache") as cache:
        cache.clear(method="fetched")
    assert value_of(step(fetched)(), says="b b") == "b b"
    assert value_of(words(), says="b b") == 2


def test_a_dropped_result_that_nobody_asks_for_is_not_computed(value_of, tmp_path):
    def built():
        return step(end)(step(middle)(step(fetched)()))

    assert value_of(built(), says="a") == "ema"
    with Cache(tmp_path / "state" / "cache") as cache:
        cache.clear(method="middle")
    value = value_of(built(), says="b")  # the source is not looked at: its result is known
    assert value == "ema"


def test_a_value_does_not_outlive_that_of_a_source_run_again_beside_it(tmp_path, monkeypatch):
    def run(contracts):
        with batchwright.run(contracts, state=tmp_path / "state") as result:
            return {id_: result[id_].value for id_ in result}

    def ended():
        return step(end)(step(middle)(step(fetched)()))

    monkeypatch.setenv("SOURCE", "a")
    assert run({"e": ended()}) == {"e": "ema"}
    with Cache(tmp_path / "state" / "cache") as cache:
        cache.clear(method="fetched")
    monkeypatch.setenv("SOURCE", "b")
    text = step(fetched)()
    both = {"e": step(end)(step(middle)(text)), "o": step(other_end)(text)}
    assert run(both) == {"e": "emb", "o": "ob"}


def test_a_lost_input_that_comes_out_otherwise_is_what_its_consumer_is_kept_under(
    value_of, tmp_path, monkeypatch
):
    def built(last):
        return step(last)(step(fetched)())

    assert value_of(built(end), says="a") == "ea"
    load, lost = Cache.load, []

    def losing(cache, key):
        if not lost:
            lost.append(key)
            raise KeyError(key)
        return load(cache, key)

    with monkeypatch.context() as patched:
        patched.setattr(Cache, "load", losing)
        assert value_of(built(middle), says="b") == "mb"
    with Cache(tmp_path / "state" / "cache") as cache:
        cache.clear(method="fetched")
    assert value_of(step(fetched)(), says="a") == "a"
    assert value_of(built(middle), says="a") == "ma"


def test_a_file_that_changed_while_another_step_ran_leaves_no_derivation(tmp_path, monkeypatch):
    document = tmp_path / "document.txt"

    def run():
        first = step(read_then_changed)(document)
        built = step(joined)(document, first, step(fetched)())
        with batchwright.run({"c": built}, state=tmp_path / "state") as result:
            return result["c"].value

    monkeypatch.setenv("SOURCE", "s")
    monkeypatch.setenv("CHANGE_TO", "B")
    document.write_text("A")
    assert run() == "BAs"
    monkeypatch.delenv("CHANGE_TO")
    document.write_text("A")
    assert run() == "AAs"


def test_a_step_that_fails_no_longer_reaches_those_that_read_its_failure(fleet, tmp_path):
    marker = tmp_path / "works"
    fleet.methods(f"""
        from pathlib import Path

        class Work:
            def flaky(self):
                if not Path({str(marker)!r}).exists():
                    raise OSError("not there")
                return 1

            def sure(self):
                return 2

        class Tell:
            def names(self, observe):
                return sorted(observe)
    """)
    names = {"class_name": "Tell", "method_name": "names", "provides": "names", "phase": "infer"}
    fleet.contract("A", "Work.flaky", "Work.sure", names)
    assert fleet.run().value("A/infer/names") == ["_error_flaky", "sure"]
    marker.touch()
    assert fleet.run().value("A/infer/names") == ["flaky", "sure"]


def test_a_ttl_that_is_added_or_shortened_counts_for_what_is_there(value_of):
    def built(**options):
        return step(end)(step(middle)(step(fetched, **options)()))

    assert value_of(built(), says="a") == "ema"
    assert value_of(built(ttl=100), says="b", at=50) == "ema"
    assert value_of(built(ttl=10), says="b", at=50) == "emb"
    assert value_of(built(ttl=10), says="c", at=55) == "emb"
    assert value_of(step(end, ttl=3)(step(middle)(step(fetched)())), says="c", at=57) == "emb"
    assert value_of(built(ttl=10), says="c", at=65) == "emc"
