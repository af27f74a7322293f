"""The Python road: what is known, by its parts, how it came about, and for how long."""

from __future__ import annotations

import itertools

import pytest

from batchwright import step

CALLS: list[str] = []


def called(name):
    CALLS.append(name)


@pytest.fixture
def run(python_runs):
    """Runs, and in CALLS the calls that the last one made."""

    def run(what, **options):
        CALLS.clear()
        return python_runs(what, **options)

    run.plan, run.clear, run.runs = python_runs.plan, python_runs.clear, python_runs
    return run


def source(parts):
    called("source")
    return dict(parts)


def double(x):
    called("double")
    return x * 2


def add(x, y=10, *, z=0):
    called("add")
    return x + y + z


def length(items):
    called("length")
    return len(items)


def split(n):
    called("split")
    return n // 10, n % 10


counter = itertools.count()


def counts():
    called("counts")
    return next(counter)


# --- parts of results -----------------------------------------------------------------------------


def consumers(**parts):
    made = step(source)(parts)
    return {"a": step(double)(made["a"]), "b": step(length)(made["b"])}


def test_a_consumer_of_one_part_does_not_run_when_another_changes(run):
    run(consumers(a=1, b=[1]))
    result = run(consumers(a=2, b=[1]))
    assert CALLS == ["source", "double"]
    assert (result["a"].value, result["b"].value) == (4, 1)


def test_parts_are_told_by_content_however_the_whole_came_about(run):
    run(consumers(a=1, b=[1], c="x"))
    run(consumers(a=1, b=[1], c="y"))
    assert CALLS == ["source"]


def test_a_part_that_no_entry_tells_yet_is_looked_up_without_running(run):
    run({"s": step(source)({"a": 1})})
    result = run({"a": step(double)(step(source)({"a": 1})["a"])})
    assert CALLS == ["double"]
    assert result["a"].value == 2


def test_a_function_with_two_outputs_hands_over_each_for_itself(run):
    def fleet(n):
        tens, ones = step(split, outputs=2)(n)
        return {"tens": step(double)(tens), "ones": step(add)(ones), "both": [tens, ones]}

    first = run(fleet(47))
    assert (first["tens"].value, first["ones"].value, first["both"].value) == (8, 17, [4, 7])
    assert run(fleet(48))["ones"].value == 18
    assert CALLS == ["split", "add"]


def test_a_part_that_is_not_there_fails_its_consumer_alone(run):
    made = step(source)({"a": 1})
    result = run({"a": step(double)(made["a"]), "z": step(double)(made["z"])})
    assert (result["a"].value, result["z"].status) == (2, "failed")
    with pytest.raises(KeyError):
        _ = result["z"].value


# --- known by how it came about -------------------------------------------------------------------


def chain(n=1):
    return {"c": step(add)(step(double)(step(length)([n] * n)))}


@pytest.mark.parametrize("method", ["double", "length"])
def test_a_final_result_is_known_though_one_in_the_middle_is_gone(run, method):
    run(chain())
    assert run.clear(method) > 0
    assert run.plan(chain())["add"] == "known"
    result = run(chain())
    assert CALLS == []
    assert result["c"].value == 12


def test_what_came_from_a_result_that_comes_out_otherwise_is_computed_again(run):
    def fleet():
        return {"c": step(add)(step(double)(step(counts)()))}

    first = run(fleet())["c"].value
    run.clear("counts")
    run({"c": step(counts)()})
    assert run(fleet())["c"].value == first + 2
    assert CALLS == ["double", "add"]


def test_a_code_version_is_part_of_the_call(run):
    def fleet(version):
        return {"c": step(double)(step(length, version=version)([1, 2]))}

    run(fleet("1"))
    run(fleet("2"))
    assert CALLS == ["length"]
    run(fleet("1"))
    assert CALLS == []


# --- time -----------------------------------------------------------------------------------------


def test_a_result_expires_counted_from_its_computation(run):
    fleet = {"c": step(counts, ttl=60)()}
    first = run(fleet)["c"].value
    run.runs.now += 59.0
    assert run(fleet)["c"].value == first
    run.runs.now += 2.0
    assert run(fleet)["c"].value == first + 1
    run.runs.now += 59.0
    assert run(fleet)["c"].value == first + 1


def test_a_consumer_known_by_derivation_expires_with_the_earliest_input(run):
    def fleet():
        soon, late = step(counts, ttl=60)(), step(counts, ttl=600, sample=1)()
        return {"c": step(double)(step(add)(soon, late))}

    first = run(fleet())["c"].value
    run.clear("add")
    run.runs.now += 59.0
    assert run(fleet())["c"].value == first
    assert CALLS == []
    run.runs.now += 2.0
    assert run.plan(fleet())["double"] == "may run"
    assert run(fleet())["c"].value != first
    assert CALLS.count("counts") == 1


def test_an_expired_input_that_comes_out_the_same_spares_its_consumers(run):
    fleet = {"c": step(double)(step(length, ttl=60)([1]))}
    run(fleet)
    run.runs.now += 61.0
    assert run(fleet)["c"].value == 2
    assert CALLS == ["length"]


# --- files ----------------------------------------------------------------------------------------


def test_a_file_that_is_given_counts_by_contents_also_where_it_is_the_default(run, tmp_path):
    file = tmp_path / "text.txt"

    def read(path=file):
        called("read")
        return path.read_text()

    for text in ("one", "two"):
        file.write_text(text)
        assert run({"r": step(read)(file)})["r"].value == text
        assert CALLS == ["read"]


def test_a_plan_finds_a_cache_in_the_home_folder(run, tmp_path, monkeypatch):
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    run({"d": step(double)(1)}, cache="~/kept")
    assert run.plan({"d": step(double)(1)}, cache="~/kept") == {"double": "known"}
