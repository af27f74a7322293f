"""Triggers: what parses, what does not, and when they fire."""

import dataclasses
import operator
import typing

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchwright.contracts.trigger import Comparison, Every, Some, fires, parse_trigger
from batchwright.errors import InvalidVeto

OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
             "==": operator.eq, "!=": operator.ne}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "constant"),
    [
        ("x < 0.5", 0.5), ("x < 5", 5), ("x < -1", -1), ("x < +1", 1), ("x < .5", 0.5),
        ("x < 1e-3", 0.001), ("x < 5.", 5.0), ("x<2", 2), ("  x  <  2  ", 2),
        ("x < 'a b'", "a b"), ('x < "it\'s"', "it's"), (r"x < 'it\'s'", "it's"),
        (r"x < 'a\\'", "a\\"), ("x < true", True), ("x < False", False), ("x < null", None),
        ("x < None", None), ("x < 'and'", "and"),
    ],
)  # fmt: skip
def test_constants(text, constant):
    found = parse_trigger(text)
    assert found == Comparison("x", "<", constant)
    assert type(found.constant) is type(constant)


def test_and_binds_closer_than_or_and_parentheses_closest():
    a, b, c = (Comparison(name, "==", 1) for name in "abc")
    assert parse_trigger("a == 1 or b == 1 and c == 1") == Some((a, Every((b, c))))
    assert parse_trigger("(a == 1 or b == 1) AND c == 1") == Every((Some((a, b)), c))
    assert parse_trigger("((a == 1))") == a


@pytest.mark.parametrize(
    "name", ["x", "coherence_score", "größe", "a.b.c", "_x1", "android", "nullable"]
)
def test_names(name):
    assert parse_trigger(f"{name} != 0") == Comparison(name, "!=", 0)


@pytest.mark.parametrize(
    ("text", "expected", "found", "column"),
    [
        ("", "a name", "the end", 1),
        ("x", "one of <", "the end", 2),
        ("x <", "a number", "the end", 4),
        ("x < y", "a number", "'y'", 5),
        ("0.5 > x", "a name", "'0.5'", 1),
        ("x = 1", "one of <", "'='", 3),
        ("x < 1 and", "a name", "the end", 10),
        ("x < 1 y < 2", "'and', 'or'", "'y'", 7),
        ("x < 1 xor y < 2", "'and', 'or'", "'xor'", 7),
        ("(x < 1", "')'", "the end", 7),
        ("x < 1)", "'and', 'or'", "')'", 6),
        ("not x < 1", "one of <", "'x'", 5),
        ("len(x) < 1", "one of <", "'('", 4),
        ("x < 5x", "a number", "'5x'", 5),
        (f"x < {'9' * 5000}", "a number of usual length", f"'{'9' * 5000}'", 5),
        ("x < 'open", "a number", "''open'", 5),
        ("true == 1", "a name", "'true'", 1),
        ("x. < 1", "one of <", "'.'", 2),
        ("__import__('os') == 1", "one of <", "'('", 11),
        ("x < 1; y", "'and', 'or'", "';'", 6),
    ],
)
def test_what_does_not_parse_names_the_place(text, expected, found, column):
    with pytest.raises(InvalidVeto) as caught:
        parse_trigger(text)
    assert f"expected {expected}" in caught.value.message
    assert f"found {found} at column {column}" in caught.value.message
    assert repr(text) in caught.value.message


def test_parentheses_without_end_are_refused():
    with pytest.raises(InvalidVeto, match="nested parentheses"):
        parse_trigger("(" * 100_000)


@dataclasses.dataclass
class Data:
    score: float

    @property
    def running(self):
        raise AssertionError("a property was called")


class Named(typing.NamedTuple):
    score: float


class Struct(msgspec.Struct):
    score: float


@pytest.mark.parametrize("result", [{"score": 0.4}, Data(0.4), Named(0.4), Struct(0.4)])
def test_names_are_looked_up_in_keys_and_declared_fields(result):
    assert fires(parse_trigger("score < 0.5"), result) == (True, ())
    assert fires(parse_trigger("score > 0.5"), result) == (False, ())
    assert fires(parse_trigger("other > 0.5"), result) == (False, ("other",))


def test_properties_are_not_called():
    assert fires(parse_trigger("running == 1"), Data(1)) == (False, ("running",))


def test_dotted_names_are_keys_first_and_then_ways():
    assert fires(parse_trigger("a.b == 1"), {"a.b": 1, "a": {"b": 2}}).fired
    assert fires(parse_trigger("a.b.c == 1"), {"a": {"b": Data(0), "b.c": 1}}).fired
    assert fires(parse_trigger("a.score == 1"), {"a": Data(1)}).fired
    assert fires(parse_trigger("a.x == 1"), {"a": 3}) == (False, ("a.x",))


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_name_that_is_not_there_does_not_fire(operator):
    assert fires(parse_trigger(f"x {operator} 1"), {}) == (False, ("x",))
    assert fires(parse_trigger(f"x {operator} 1"), 42) == (False, ("x",))
    assert fires(parse_trigger(f"x {operator} 1"), None) == (False, ("x",))


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("value", [1, 2, 3])
def test_comparisons_at_and_beside_the_boundary(name, value):
    assert fires(parse_trigger(f"x {name} 2"), {"x": value}).fired is OPERATORS[name](value, 2)


def test_a_missing_name_does_not_keep_the_other_side_from_firing():
    assert fires(parse_trigger("x < 1 or y < 1"), {"y": 0}) == (True, ("x",))
    assert fires(parse_trigger("y < 1 or x < 1"), {"y": 0}) == (True, ("x",))
    assert fires(parse_trigger("y < 1 and x < 1"), {"y": 0}) == (False, ("x",))


@pytest.mark.parametrize("value", ["text", None, [1], np.array([1, 2])])
def test_what_cannot_be_compared_does_not_fire(value):
    assert fires(parse_trigger("x < 1"), {"x": value}) == (False, ("x",))


def test_numpy_scalars_compare_and_nan_does_not_fire():
    assert fires(parse_trigger("x < 1"), {"x": np.float32(0.5)}) == (True, ())
    assert fires(parse_trigger("x < 1"), {"x": float("nan")}) == (False, ())


names = st.sampled_from(["a", "b", "c.d", "e"])
constants = st.one_of(
    st.integers(-5, 5), st.floats(allow_nan=False, allow_infinity=False),
    st.text(), st.booleans(), st.none(),
)  # fmt: skip
comparisons = st.builds(Comparison, names, st.sampled_from(list(OPERATORS)), constants)
triggers = st.recursive(
    comparisons,
    lambda inner: st.builds(
        lambda kind, parts: kind(tuple(parts)),
        st.sampled_from([Every, Some]),
        st.lists(inner, min_size=2, max_size=3),
    ),
    max_leaves=12,
)


def written(trigger):
    if isinstance(trigger, Comparison):
        return f"{trigger.name} {trigger.operator} {constant(trigger.constant)}"
    joiner = " and " if isinstance(trigger, Every) else " or "
    return joiner.join(f"({written(part)})" for part in trigger.parts)


def constant(value):
    if isinstance(value, str):
        text = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{text}'"
    return msgspec.json.encode(value).decode() if not isinstance(value, float) else repr(value)


@given(triggers)
def test_what_is_written_parses_to_itself(trigger):
    found = parse_trigger(written(trigger))
    assert found == trigger
    assert msgspec.json.encode(found) == msgspec.json.encode(trigger)  # 1, 1.0 and true differ


@given(triggers, st.dictionaries(names, constants))
def test_firing_agrees_with_a_plain_evaluation(trigger, result):
    def reference(part):
        if isinstance(part, Comparison):
            try:
                return OPERATORS[part.operator](result[part.name], part.constant)
            except (KeyError, TypeError):
                return False
        return (all if isinstance(part, Every) else any)([reference(p) for p in part.parts])

    firing = fires(trigger, result)
    assert firing.fired is reference(trigger)
    assert set(firing.missing) >= names_in(trigger) - set(result)


def names_in(trigger):
    if isinstance(trigger, Comparison):
        return {trigger.name}
    return set().union(*map(names_in, trigger.parts))


@given(st.text(max_size=40))
def test_any_text_parses_or_is_refused_clearly(text):
    try:
        found = parse_trigger(text)
    except InvalidVeto as error:
        found = error
    assert isinstance(found, Comparison | Every | Some) or "column" in found.message
