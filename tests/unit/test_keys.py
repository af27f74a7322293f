"""Keys: which calls are one, and that nothing that decides a result is left out of its key."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchwright import stateful, step
from batchwright.caching.code import CodeFacts
from batchwright.caching.digest import digest
from batchwright.contracts.graph import (
    Address,
    Argument,
    Bound,
    ContractNode,
    Instance,
    Step,
    StepGraph,
    StepOptions,
    Target,
)
from batchwright.contracts.python_graph import build_graph
from batchwright.fleet.facts import FactBook, MethodFacts
from batchwright.fleet.keys import (
    key_graph,
    key_of,
)
from batchwright.records.model import Recipe


def first(x, y=2, *more, z=None, **named):
    return x


def second(x):
    return x


class Reader:
    def __init__(self, text="", *, strict=False):
        self.text = text

    def words(self, limit=10):
        return self.text.split()

    @stateful
    def load(self, text):
        self.text = text


BOOK = FactBook()


def keyed(what, unrepeatable=()):
    return key_graph(build_graph(what), BOOK, unrepeatable)


def uids(what):
    """The name of the unique step of each contract's output."""
    made = keyed(what)
    return {
        contract.id: made.uniques[made.of[contract.outputs[0][1].steps[0]]].uid
        for contract in made.graph.contracts
    }


def uid(built):
    return uids({"c": built})["c"]


def same(one, other):
    return len(set(uids({"one": one, "other": other}).values())) == 1


names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=5)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


def by_hand(arguments, *, options=StepOptions(), code="c0", instance=None, constructor=None):
    """The uid of one hand-made step."""
    made = Step(
        0,
        Address("c", "", "f"),
        tuple(arguments),
        function=None if instance else Target("m", "f"),
        instance=instance,
        method="act" if instance else "",
        options=options,
    )
    facts = MethodFacts(
        CodeFacts(code, {}, (), (), ()), constructor and CodeFacts(constructor, {}, (), (), ())
    )
    name = "m:C.act" if instance else "m:f"
    graph = StepGraph((made,), (ContractNode("c", (0,)),))
    return key_graph(graph, FactBook(remembered={name: facts})).uniques[0].uid


def bound(arguments):
    return [Bound(name, Argument.of(value)) for name, value in arguments.items()]


@given(st.dictionaries(names, plain, min_size=2, max_size=5), st.randoms())
def test_the_order_of_arguments_does_not_matter(arguments, chance):
    given_order = bound(arguments)
    other = list(given_order)
    chance.shuffle(other)
    assert by_hand(given_order) == by_hand(other)


@given(st.dictionaries(names, plain, min_size=1, max_size=4), st.data())
def test_another_value_of_any_argument_is_another_call(arguments, draw):
    name = draw.draw(st.sampled_from(sorted(arguments)))
    value = draw.draw(plain.filter(lambda v: digest(v) != digest(arguments[name])))
    assert by_hand(bound(arguments)) != by_hand(bound({**arguments, name: value}))


@given(st.dictionaries(names, plain, min_size=1, max_size=4), st.data())
def test_another_name_of_any_argument_is_another_call(arguments, draw):
    old = draw.draw(st.sampled_from(sorted(arguments)))
    new = draw.draw(names.filter(lambda name: name not in arguments))
    renamed = {new if name == old else name: value for name, value in arguments.items()}
    assert by_hand(bound(arguments)) != by_hand(bound(renamed))


recipes = st.builds(
    Recipe,
    label=st.text(max_size=3),
    code=st.text(max_size=3),
    constructor=st.text(max_size=3),
    construction=st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3)), max_size=2).map(
        tuple
    ),
    arguments=st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3)), max_size=2).map(tuple),
    state=st.lists(st.text(max_size=3), max_size=2).map(tuple),
    version=st.none() | st.text(max_size=3),
    sample=st.none() | st.text(max_size=3),
)


@given(recipes, recipes)
def test_recipes_have_one_key_only_when_they_are_equal(one, other):
    assert (key_of("content", one) == key_of("content", other)) == (one == other)


@given(recipes, st.sampled_from(Recipe.__struct_fields__))
def test_a_change_of_any_part_of_a_recipe_changes_the_key(recipe, field):
    before = getattr(recipe, field)
    after = (*before, ("new", "new")) if isinstance(before, tuple) else f"{before}+"
    changed = msgspec.structs.replace(recipe, **{field: after})
    assert key_of("content", recipe) != key_of("content", changed)


def test_a_content_key_is_never_a_derivation_key():
    recipe = Recipe("f", "c")
    assert key_of("content", recipe) != key_of("derivation", recipe)


def test_keys_of_this_format_stay_what_they_are():
    recipe = Recipe("f", "c", arguments=(("x", "d"),), version="1")
    key = key_of("content", recipe)
    assert key == "986158e1cd5a4aa01ea4a034137f3b2807bc2bb90e0e448965cf75955d88f2fc"


@pytest.mark.parametrize(
    "other",
    [
        {"options": StepOptions(version="2")},
        {"options": StepOptions(sample=1)},
        {"code": "c1"},
        {"constructor": "k1"},
        {"instance": Instance(Target("m", "C"), tuple(bound({"a": 2})))},
        {"instance": Instance(Target("m", "C"))},
    ],
)
def test_each_of_these_makes_another_call(other):
    instance = Instance(Target("m", "C"), tuple(bound({"a": 1})))
    usual = {"instance": instance, "constructor": "k0"}
    assert by_hand(bound({"x": 1}), **usual) != by_hand(bound({"x": 1}), **(usual | other))


@pytest.mark.parametrize(
    "options", [StepOptions(ttl=5), StepOptions(retry=3), StepOptions(repeats=False)]
)
def test_each_of_these_leaves_the_call_the_same(options):
    assert by_hand(bound({"x": 1})) == by_hand(bound({"x": 1}), options=options)


def test_samples_are_told_apart_by_content():
    assert uid(step(first, sample=1)(1)) != uid(step(first, sample=True)(1))
    assert same(step(first, sample=(1, "a"))(1), step(first, sample=(1, "a"))(1))


@pytest.mark.parametrize(
    "alike",
    [
        lambda f: f(1, 2),
        lambda f: f(1, y=2),
        lambda f: f(y=2, x=1),
        lambda f: f(1, z=None),
        lambda f: f(x=1, z=None, y=2),
    ],
)
def test_an_argument_that_equals_its_default_is_left_out(alike):
    assert same(step(first)(1), alike(step(first)))


@pytest.mark.parametrize(
    "unlike", [lambda f: f(1, 2.0), lambda f: f(1, 2, 3), lambda f: f(1, z=False), lambda f: f(2)]
)
def test_an_argument_that_is_not_exactly_its_default_counts(unlike):
    assert not same(step(first)(1), unlike(step(first)))


def test_constructor_arguments_that_equal_their_defaults_are_left_out():
    assert same(step(Reader)("").words(), step(Reader)(strict=False).words(limit=10))
    assert not same(step(Reader)("").words(), step(Reader)(strict=0).words())


def test_equal_calls_are_one_unique_step_wherever_they_stand():
    made = keyed({"a": step(first)([1]), "b": step(first)([1]), "c": step(second)([1])})
    assert [unique.steps for unique in made.uniques] == [(0, 1), (2,)]
    assert made.of == (0, 0, 1)


def test_methods_of_equal_objects_are_one_unique_step():
    assert same(step(Reader)("a b").words(), step(Reader)("a b").words())
    assert not same(step(Reader)("a b").words(), step(Reader)("a  b").words())


def test_equal_calls_on_equal_results_are_one_however_deep():
    def deep():
        return step(first)({"a": [step(second)(step(second)(1)), 2]}, step(second)((3,)))

    assert same(deep(), deep())
    assert len(keyed({"a": deep(), "b": deep()}).uniques) == 4
