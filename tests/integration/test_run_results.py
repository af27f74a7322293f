"""What `run` gives back, looked at by a program."""

import pytest

from batchwright import Contract, run, step
from batchwright.errors import NoResult, UnknownContract


def parsed(text):
    return int(text)


def doubled(number):
    return 2 * number


def listed(*numbers):
    return list(numbers)


@pytest.fixture
def ran(tmp_path):
    opened = []

    def ran(what):
        opened.append(run(what, state=tmp_path / "state"))
        return opened[-1]

    yield ran
    for result in opened:
        result.close()


def test_a_value_is_had_by_contract_id(ran):
    result = ran({"a": step(doubled)(4)})
    assert result["a"].value == 8
    assert repr(result["a"]) == "<contract 'a': ok; value>"


def test_a_failed_value_raises_what_the_step_raised(ran):
    result = ran({"a": step(parsed)("four")})
    with pytest.raises(ValueError, match="four"):
        _ = result["a"].value


def test_a_value_behind_a_failed_step_raises_what_that_step_raised(ran):
    deep = step(doubled)(step(parsed)("four"))
    result = ran({"a": step(listed)(step(doubled)(3), step(doubled)(deep))})
    with pytest.raises(ValueError, match="four"):
        _ = result["a"].value


def test_asking_whether_there_is_a_contract_or_a_result_raises_nothing(ran):
    result = ran([Contract("a", good=step(doubled)(1), bad=step(parsed)("four"))])
    assert "a" in result
    assert "b" not in result
    assert "bad" in result["a"]
    assert "worse" not in result["a"]
    with pytest.raises(UnknownContract, match="'b'"):
        result["b"]


def test_a_value_is_not_computed_anew_when_it_is_read_too_late(ran):
    with ran({"a": step(doubled)(4)}) as result:
        pass
    assert result["a"].status == "ok"
    with pytest.raises(NoResult, match="with"):
        _ = result["a"].value
    with pytest.raises(NoResult, match="with"):
        result.json()


def test_the_step_behind_a_failed_output_is_told_as_its_cause(ran):
    result = ran({"c": step(doubled)(step(parsed)("four"))})
    (cause,) = result.figures["causes"]
    assert cause["step"] == "parsed"
    assert cause["contracts"] == ["c"]
    assert "parsed: ValueError" in result.summary()


def test_a_text_that_names_a_file_is_warned_of(ran, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.txt").touch()
    result = ran({"a": step(str.upper)("data.txt")})
    assert any("names the file 'data.txt'" in note for note in result.figures["notes"])


def read_aside(path):
    with open(path) as file:  # noqa: PTH123
        return file.read()


def test_a_file_read_without_saying_so_is_told_also_when_the_result_is_known(ran, tmp_path):
    (tmp_path / "aside.txt").write_text("x")
    what = {"a": step(read_aside)(str(tmp_path / "aside.txt"))}
    for _ in range(3):
        ((label, path),) = ran(what).figures["undeclared"]
        assert (label, path) == ("read_aside", str(tmp_path / "aside.txt"))


def test_what_was_saved_includes_steps_that_nobody_asked_for(ran):
    what = {"a": step(doubled)(step(sum)(range(3_000_000)))}
    worked = ran(what).figures["work_ms"]
    assert ran(what).figures["saved_ms"] > worked / 2


def test_an_unknown_contract_is_a_key_error_too(ran):
    assert ran({"a": step(doubled)(4)}).get("zz") is None
