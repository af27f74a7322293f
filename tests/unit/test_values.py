"""Values on their way: each taker has one of its own, equal to what was given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchwright import Cache
from batchwright.caching.codec import Payload, encode
from batchwright.caching.digest import digest
from batchwright.contracts.graph import Argument, Bound, FileInput, Outputs, Reference
from batchwright.execution.values import Live, LostValue, Values, held_as
from batchwright.fleet.outcome import Outcome
from batchwright.records.model import StepFailure


class Keyed:
    """Steps that are each a unique step of the same number."""

    of = tuple(range(9))


def made(results):
    """Values with these results in the cache, and their outcomes."""
    cache, outcomes = Cache(), {}
    for number, value in results.items():
        if isinstance(value, StepFailure):
            outcomes[number] = Outcome("failed", failure=value)
            continue
        cache.store(f"k{number}", encode(value), digest=digest(value))
        outcomes[number] = Outcome("known", f"k{number}", digest(value))
    return Values(Keyed(), cache), outcomes


def taken(template, results=None):
    values, outcomes = made(results or {})
    return values.argument(Argument.of(template), outcomes)


plain = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(plain)
def test_a_constant_comes_out_as_it_went_in(value):
    assert digest(taken(value)) == digest(value)


@given(plain)
def test_a_result_comes_out_as_it_went_in_wherever_it_stands(value):
    results = {0: value}
    assert digest(taken(Reference(0), results)) == digest(value)
    assert digest(taken([{"a": (Reference(0), 1)}], results)) == digest([{"a": (value, 1)}])


def test_what_one_taker_does_to_an_argument_no_other_sees():
    values, outcomes = made({0: {"x": [1]}, 1: np.zeros(3)})
    for template in ([1, 2], [Reference(0)], [Reference(1)], [np.zeros(3)]):
        argument = Argument.of(template)
        first = values.argument(argument, outcomes)
        first[0] = "changed"
        second = values.argument(argument, outcomes)
        assert digest(second) != digest(first)
        second[0] = "changed again"
    array = values.argument(Argument.of(Reference(1)), outcomes)
    array += 1
    assert values.argument(Argument.of(Reference(1)), outcomes).sum() == 0


def test_a_constant_is_encoded_once_for_all_takers(monkeypatch):
    encoded = []
    monkeypatch.setattr(
        "batchwright.execution.values.encode", lambda value: encoded.append(1) or encode(value)
    )
    values, argument = made({})[0], Argument.of([1, 2])
    assert [values.argument(argument, {}) for _ in range(3)] == [[1, 2]] * 3
    assert encoded == [1]


def test_a_part_of_a_result_is_taken_item_by_item():
    assert taken(Reference(0, ("a", 1)), {0: {"a": [1, 2]}}) == 2


def test_a_part_that_is_not_there_raises_as_it_would_in_plain_code():
    with pytest.raises(KeyError):
        taken(Reference(0, ("b",)), {0: {}})


def test_a_mapping_holds_results_by_name_and_failures_as_type_and_message():
    mapping = Outputs((("a", 0), ("b", 1)))
    results = {0: [1], 1: StepFailure("ValueError", "bad", "trace")}
    wanted = {"a": [1], "_error_b": {"type": "ValueError", "message": "bad"}}
    assert taken(mapping, results) == wanted
    assert list(taken(mapping, results)) == sorted(wanted)
    assert taken([mapping, Reference(0)], results) == [wanted, [1]]


def test_files_are_handed_over_as_the_parameter_wants(tmp_path):
    path = tmp_path / "a.txt"
    assert taken(FileInput(path, "path")) == path
    assert taken(FileInput(path, "str")) == str(path)
    assert taken([path, {"x": [1]}]) == [path, {"x": [1]}]


def test_a_container_with_a_path_in_it_is_each_takers_own(tmp_path):
    values, argument = made({})[0], Argument.of({"path": tmp_path, "items": [1]})
    values.argument(argument, {})["items"].append(2)
    assert values.argument(argument, {})["items"] == [1]


def test_the_arguments_of_a_call_go_by_name():
    values, outcomes = made({0: "r"})
    bound = (Bound("x", Argument.of(1)), Bound("y", Argument.of(Reference(0)), "positional"))
    assert values.arguments(bound, outcomes) == {"x": 1, "y": "r"}


# --- what the cache does not keep -----------------------------------------------------------------


def test_what_is_kept_here_goes_before_the_cache():
    values, outcomes = made({0: "cached"})
    values.keep(0, Live("kept"))
    assert values.result(0, outcomes[0]) == "kept"
    assert values.kept() == {0: Live("kept")}


def test_what_is_kept_encoded_is_each_takers_own():
    values, _ = made({})
    values.keep(0, encode({"a": np.zeros(2)}))
    first = values.result(0, Outcome("computed"))
    first["a"] += 1
    assert values.result(0, Outcome("computed"))["a"].sum() == 0


@pytest.mark.parametrize("outcome", [Outcome("known"), Outcome("known", "gone")])
def test_a_result_that_is_nowhere_is_lost(outcome):
    with pytest.raises(LostValue) as raised:
        made({})[0].result(4, outcome)
    assert raised.value.number == 4


def test_a_lost_input_is_told_from_deep_within_an_argument():
    values, outcomes = made({0: 1, 1: 2})
    values._cache.delete("k1")
    with pytest.raises(LostValue) as raised:
        values.argument(Argument.of([Reference(0), {"a": Reference(1)}]), outcomes)
    assert raised.value.number == 1


def test_none_is_a_result():
    assert taken(Reference(0), {0: None}) is None


# --- how a value is held --------------------------------------------------------------------------


def test_what_cannot_change_is_held_as_it_is():
    value = (1, "a", (2.5, None))
    assert held_as(value).value is value


def test_what_can_change_is_held_encoded():
    assert isinstance(held_as([1]), Payload)


def test_a_handle_is_held_as_it_is(tmp_path):
    with (tmp_path / "a").open("w") as handle:
        assert held_as(handle).value is handle
