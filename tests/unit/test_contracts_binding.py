"""Binding: the order in which names are looked up, and how arguments are passed."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchwright.contracts.binding import Named, bind
from batchwright.contracts.graph import Argument, FileInput
from batchwright.contracts.signature import Parameter, Signature, signature_of
from batchwright.errors import MissingArgument, MissingPath, UnknownArgument


def layer(title, **values):
    return Named(title, {name: Argument(value) for name, value in values.items()})


def bound(function, own=None, *others, **options):
    signature = function if isinstance(function, Signature) else signature_of(function)
    arguments, errors = bind(signature, layer("args", **(own or {})), others, **options)
    return [(b.name, b.kind, b.argument.template) for b in arguments], list(errors)


def call(function, own):
    """What the function gets when the arguments are passed as they are bound."""
    args, kwargs = [], {}
    passed, errors = bound(function, own)
    assert errors == []
    for name, kind, value in passed:
        match kind:
            case "positional":
                args.append(value)
            case "*":
                args.extend(value)
            case "**":
                kwargs.update(value)
            case "keyword":
                kwargs[name] = value
    return function(*args, **kwargs)


NAMES = ["a", "b", "c", "d"]
layers = st.lists(st.dictionaries(st.sampled_from(NAMES), st.integers()), min_size=1, max_size=4)


@given(layers, st.lists(st.tuples(st.sampled_from(NAMES), st.booleans()), unique_by=lambda p: p[0]))
def test_the_first_layer_that_has_a_name_gives_it(values, wanted):
    signature = Signature(tuple(Parameter(name, required=needed) for name, needed in wanted))
    own, *others = [layer(str(n), **given) for n, given in enumerate(values)]
    arguments, errors = bind(signature, own, others)
    expected = {}
    for given_here in reversed(values):
        expected.update(given_here)
    named = dict(wanted)
    assert {b.name: b.argument.template for b in arguments} == {
        name: value for name, value in expected.items() if name in named
    }
    missing = [name for name, needed in wanted if needed and name not in expected]
    unknown = sorted(name for name in values[0] if name not in named)
    assert [type(e) for e in errors] == [MissingArgument] * len(missing) + [UnknownArgument] * len(
        unknown
    )
    for name, error in zip([*missing, *unknown], errors, strict=True):
        assert f"'{name}'" in error.message


def test_only_what_the_signature_names_is_bound():
    def f(text): ...

    assert bound(f, {}, layer("inputs", text="x", document="y")) == ([("text", "keyword", "x")], [])


def test_arguments_are_handed_on_as_the_same_objects():
    def f(text): ...

    shared = layer("inputs", text="x")
    (argument,), _ = bind(signature_of(f), layer("args"), [shared])
    assert argument.argument is shared.arguments["text"]


def test_collected_keywords_are_own_arguments_only_sorted_by_name():
    def f(a, **rest): ...

    passed, errors = bound(f, {"z": 1, "a": 2, "b": 3}, layer("inputs", text="x"))
    assert errors == []
    assert passed == [("a", "keyword", 2), ("rest", "**", {"b": 3, "z": 1})]
    assert list(passed[1][2]) == ["b", "z"]
    assert bound(f, {"a": 1}) == ([("a", "keyword", 1)], [])


def test_a_positional_only_name_may_also_be_a_collected_keyword():
    def f(a, /, **rest):
        return a, rest

    assert call(f, {"a": 1, "b": 2}) == (1, {"b": 2})


def test_collected_positionals_take_a_list_and_push_what_stands_before_them():
    def f(a, b=5, *rest, c=0):
        return a, b, rest, c

    assert call(f, {"a": 1, "b": 2, "rest": [3, 4], "c": 9}) == (1, 2, (3, 4), 9)
    assert call(f, {"a": 1, "c": 9}) == (1, 5, (), 9)


def test_collected_positionals_are_not_looked_for_elsewhere():
    def f(*rest): ...

    assert bound(f, {}, layer("inputs", rest=[1])) == ([], [])


def test_collected_positionals_that_are_no_list():
    def f(*rest): ...

    _, (error,) = bound(f, {"rest": 3})
    assert isinstance(error, UnknownArgument)
    assert "given as a list" in error.message


def test_a_gap_before_a_positional_argument_is_named():
    def f(a=1, b=2, /): ...

    _, (error,) = bound(f, {"b": 3})
    assert isinstance(error, MissingArgument)
    assert "'b' can only be passed by position after 'a'" in error.message


def test_a_missing_argument_lists_every_layer_and_the_nearest_name():
    def f(raw_facts, n): ...

    _, (error,) = bound(
        f, {"n": 1}, layer("outputs", raw_fact=1), layer("contract"), layer("inputs", text="")
    )
    assert error.message == (
        "nothing gives the argument 'raw_facts'; did you mean 'raw_fact'? "
        "(there are args: n; outputs: raw_fact; inputs: text)"
    )


def test_a_name_that_comes_later_is_explained():
    def f(inferences): ...

    _, (error,) = bound(f, {}, later={"inferences": "phase 'b' makes it"})
    assert error.message == "nothing gives the argument 'inferences' yet: phase 'b' makes it"


def test_what_a_parameter_wants_reaches_the_layer_and_its_errors_name_the_parameter():
    class Files:
        title = "inputs"

        def names(self):
            return ["document", "gone"]

        def find(self, name, wants):
            if name == "gone":
                raise MissingPath("there is no file gone")
            return Argument(FileInput(Path("x"), wants))

    def f(document: str, gone: Path): ...

    arguments, (error,) = bind(signature_of(f), layer("args"), [Files()])
    assert arguments[0].argument.template == FileInput(Path("x"), "str")
    assert isinstance(error, MissingPath)
    assert error.message == "argument 'gone': there is no file gone"


@pytest.mark.parametrize("own", [{"text": None}, {"text": 0}, {"text": ""}])
def test_false_values_are_values(own):
    def f(text="default"):
        return text

    assert call(f, own) == own["text"]
