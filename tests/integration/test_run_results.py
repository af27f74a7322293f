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
