"""From steps and contracts in Python to the step graph."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchwright import Contract, step
from batchwright.contracts.graph import Address, FileInput, Reference, substitute
from batchwright.contracts.python_graph import build_graph
from batchwright.errors import InvalidFleet, MisplacedStep, NotAContract


@step
def load(path: str) -> str:
    return path


@step
def train(data: str, c: float = 1.0) -> tuple[str, float]:
    return data, c


@step
def score(model: Any, data: Any = None) -> Any:
    return model, data


def evaluate(graph):
    """What the contracts of a graph of plain functions give, each by its output names."""
    results: list[Any] = []

    def value(argument):
        def fill(leaf):
            assert type(leaf) is Reference
            found = results[leaf.step]
            for item in leaf.items:
                found = found[item]
            return found

        return substitute(argument.template, fill)

    for made in graph.steps:
        places = [value(b.argument) for b in made.arguments if b.kind == "positional"]
        for b in made.arguments:
            places += value(b.argument) if b.kind == "*" else ()
        names = {b.name: value(b.argument) for b in made.arguments if b.kind == "keyword"}
        for b in made.arguments:
            names |= value(b.argument) if b.kind == "**" else {}
        results.append(made.function.load()(*places, **names))
    return {
        node.id: {name: value(argument) for name, argument in node.outputs}
        for node in graph.contracts
    }


def ids(what):
    return [node.id for node in build_graph(what).contracts]


def addresses(graph):
    return [str(made.address) for made in graph.steps]


def problems(what):
    with pytest.raises(InvalidFleet) as caught:
        build_graph(what)
    return caught.value.errors


def test_steps_are_numbered_after_what_they_read():
    data = load("a")
    graph = build_graph({"x": score(train(data, 2.0), data)})
    assert [made.id for made in graph.steps] == [0, 1, 2]
    assert [made.reads for made in graph.steps] == [(), (0,), (1, 0)]


def test_the_graph_computes_what_the_plain_calls_would():
    data = load("a")
    fleet = {c: score(model=train(data, c=float(c)), data=[data, {"n": data}]) for c in "12"}
    assert evaluate(build_graph(fleet)) == {
        c: {None: (("a", float(c)), ["a", {"n": "a"}])} for c in "12"
    }


def test_one_step_in_several_places_is_one():
    data = load("a")
    graph = build_graph([score([data, data], data), Contract("b", data)])
    assert len(graph.steps) == 2
    assert [node.steps for node in graph.contracts] == [(0, 1), (0,)]


def test_equal_calls_stay_two_steps():
    assert len(build_graph([load("a"), load("a")]).steps) == 2


def test_what_no_contract_needs_is_left_out():
    load("unused")
    assert len(build_graph(load("a")).steps) == 1


def test_a_chain_of_fifty_thousand_steps_does_not_overflow_the_stack():
    last = load("a")
    for _ in range(50_000):
        last = load(last)
    graph = build_graph(last)
    assert len(graph.steps) == 50_001
    assert graph.steps[-1].reads == (49_999,)


def test_a_step_stands_at_the_first_contract_that_needs_it():
    data = load("a")
    graph = build_graph({"x": train(data, 1.0), "y": train(data, 2.0)})
    assert addresses(graph) == ["x/load", "x/train", "y/train"]
    assert graph.steps[0].address == Address("x", "", "load")


def test_an_output_gives_its_step_its_name():
    model = train(load("a"))
    graph = build_graph(Contract("x", model=model, accuracy=score(model), part=model[0]))
    assert addresses(graph) == ["x/load", "x/model", "x/accuracy"]


def test_a_part_of_a_result_does_not_name_its_step():
    assert addresses(build_graph(Contract("x", part=train("a")[0]))) == ["x/train"]


def test_repeated_names_are_numbered():
    graph = build_graph({"x": score([load("a"), load("b"), load("c")])})
    assert addresses(graph) == ["x/load", "x/load-2", "x/load-3", "x/score"]


def test_a_number_never_meets_a_name():
    graph = build_graph(Contract("x", load=score(load("a")), **{"load-2": score(load("b"))}))
    assert addresses(graph) == ["x/load-3", "x/load", "x/load-4", "x/load-2"]


def test_other_contracts_do_not_change_a_contracts_names():
    shared = load("a")

    def names(fleet):
        graph = build_graph(fleet)
        return [m.address.provides for m in graph.steps if m.address.contract == "y"]

    y = score([shared, load("b"), load("c")])
    alone = names({"y": y})
    assert alone == ["load", "load-2", "load-3", "score"]
    assert names({"x": shared, "y": y}) == alone[1:]


def test_a_mapping_names_its_contracts():
    assert ids({"x": load("a"), "y": [load("b")]}) == ["x", "y"]


def test_a_contracts_value_may_hold_steps_in_containers():
    fleet = {"x": {"a": load("1"), "b": [load("2"), 3]}}
    assert evaluate(build_graph(fleet)) == {"x": {None: {"a": "1", "b": ["2", 3]}}}


def test_bare_steps_get_ids_from_their_functions():
    assert ids(load("a")) == ["load"]
    assert ids([load("a"), train("b"), load("c")]) == ["load-1", "train", "load-2"]
    assert ids(load(str(n)) for n in range(2)) == ["load-1", "load-2"]
    assert ids([load("a"), Contract("load", load("b"))]) == ["load-1", "load"]


def test_contracts_and_steps_mix():
    assert ids([Contract("x", load("a")), load("b")]) == ["x", "load"]
    assert ids({"x": Contract("x", load("a"))}) == ["x"]


def test_named_outputs_are_kept_in_order():
    graph = build_graph(Contract("x", b=load("1"), a=load("2")))
    assert evaluate(graph) == {"x": {"b": "1", "a": "2"}}
    assert [name for name, _ in graph.contracts[0].outputs] == ["b", "a"]


def test_a_contract_is_taken_as_it_is_when_made():
    outputs = {"a": load("1")}
    contract = Contract("x", outputs)
    outputs["b"] = load("2")
    assert len(build_graph(contract).steps) == 1


def test_predecessors_come_first_and_the_order_is_kept_otherwise():
    a, b, c = (
        Contract("a", load("a"), depends_on=["c"]),
        Contract("b", load("b")),
        Contract("c", load("c")),
    )
    assert ids([a, b, c]) == ["c", "a", "b"]
    assert build_graph([a, b, c]).contracts[1].depends_on == ("c",)


def test_predecessors_are_ids_or_contracts():
    first = Contract("a", load("a"))
    assert Contract("b", load("b"), depends_on="a").depends_on == ("a",)
    assert Contract("b", load("b"), depends_on=first).depends_on == ("a",)
    assert Contract("b", load("b"), depends_on=[first, "c", "c"]).depends_on == ("a", "c")


def test_a_long_chain_of_predecessors_does_not_overflow_the_stack():
    count = 5_000
    fleet = [
        Contract(str(n), load("a"), depends_on=[str(n + 1)] if n + 1 < count else [])
        for n in range(count)
    ]
    assert ids(fleet) == [str(n) for n in reversed(range(count))]


def test_an_unknown_predecessor_names_the_nearest():
    (error,) = problems([Contract("first", load("a")), Contract("b", load("b"), depends_on="frst")])
    assert error.code == "BW124"
    assert "'b' depends on 'frst'" in str(error)
    assert "did you mean 'first'" in str(error)


def test_a_circle_is_named_whole():
    (error,) = problems(
        [
            Contract("a", load("a"), depends_on="c"),
            Contract("b", load("b"), depends_on="a"),
            Contract("c", load("c"), depends_on="b"),
        ]
    )
    assert error.code == "BW125"
    assert "a -> c -> b -> a" in str(error)


@pytest.mark.parametrize(
    ("what", "code", "says"),
    [
        ([], "BW113", "no contracts"),
        ({}, "BW113", "no contracts"),
        (iter(()), "BW113", "no contracts"),
        (3, "BW146", "not a int"),
        ("fleet", "BW146", "not a str"),
        (None, "BW146", "not a NoneType"),
        (load, "BW146", "has not been called"),
        ([3], "BW146", "number 0 of the list is a int"),
        ([[load("a")]], "BW146", "takes an id"),
        ({"x": load}, "BW144", "which makes steps"),
        ({"x": 3}, "BW146", "no step"),
        ({"x": None}, "BW146", "no step"),
        ({1: load("a")}, "BW146", "not 1"),
        ({"": load("a")}, "BW146", "not ''"),
        ({"x": Contract("y", load("a"))}, "BW146", "under another id, 'x'"),
        ([Contract("x", load("a")), Contract("x", load("b"))], "BW115", "2 contracts"),
    ],
)
def test_what_is_no_fleet_is_refused(what, code, says):
    (error,) = problems(what)
    assert error.code == code
    assert says in str(error)


def test_all_errors_are_told_at_once():
    found = problems({"x": 3, 1: load("a"), "y": load("b"), "z": Contract("w", load("c"))})
    assert len(found) == 3


@pytest.mark.parametrize(
    "make",
    [
        lambda: Contract("x"),
        lambda: Contract("x", 3),
        lambda: Contract("x", a=3),
        lambda: Contract("x", load("a"), b=load("b")),
        lambda: Contract("", load("a")),
        lambda: Contract(3, load("a")),
        lambda: Contract("x", load("a"), depends_on=3),
        lambda: Contract("x", load("a"), depends_on=[load("b")]),
        lambda: Contract("x", load("a"), depends_on=load("b")),
    ],
)
def test_what_is_no_contract_is_refused_when_made(make):
    with pytest.raises(NotAContract):
        make()


def test_a_step_hidden_in_an_object_of_a_contract_is_refused():
    class Holder:
        def __init__(self):
            self.held = load("a")

    with pytest.raises(MisplacedStep, match="contract 'x', output 'a'"):
        Contract("x", a=[Holder()])


def test_a_contract_shows_its_id():
    assert repr(Contract("x", load("a"))) == "<Contract 'x'>"


class Pair(NamedTuple):
    left: Any
    right: Any


@dataclass(frozen=True)
class Box:
    content: Any


plain = st.one_of(st.integers(), st.text(max_size=3), st.none(), st.booleans(), st.floats())
# A template as nested specifications: ("value", x), ("step", x) whose result is x, or a container.
hashable = st.recursive(
    st.tuples(st.sampled_from(["value", "step"]), st.integers(0, 5)),
    lambda inner: st.one_of(
        st.tuples(st.just("tuple"), st.lists(inner, max_size=3)),
        st.tuples(st.just("frozenset"), st.lists(inner, max_size=3)),
        st.tuples(st.just("pair"), st.tuples(inner, inner)),
        st.tuples(st.just("box"), inner),
    ),
    max_leaves=5,
)
templates = st.recursive(
    st.tuples(st.sampled_from(["value", "step", "part"]), plain),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["list", "tuple"]), st.lists(inner, max_size=4)),
        st.tuples(st.just("pair"), st.tuples(inner, inner)),
        st.tuples(st.just("box"), inner),
        st.tuples(st.just("dict"), st.lists(st.tuples(hashable, inner), max_size=3)),
        st.tuples(st.just("set"), st.lists(hashable, max_size=3)),
    ),
    max_leaves=12,
)


def identity(value):
    return value


def wrap(value):
    return {"part": [value]}


def build(spec, pending):
    """The value that a specification stands for, or its template when `pending`."""
    match spec:
        case "value", value:
            return value
        case "step", value:
            return step(identity)(value) if pending else value
        case "part", value:
            return step(wrap)(value)["part"][0] if pending else value
        case "pair", (left, right):
            return Pair(build(left, pending), build(right, pending))
        case "box", content:
            return Box(build(content, pending))
        case "dict", items:
            return {build(key, pending): build(item, pending) for key, item in items}
        case kind, items:
            made = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}[kind]
            return made(build(item, pending) for item in items)


@given(templates)
def test_every_nested_template_is_filled_as_written(spec):
    want = build(spec, pending=False)
    graph = build_graph({"x": step(identity)(build(spec, pending=True))})
    got = evaluate(graph)["x"][None]
    assert shape(got) == shape(want)
    (bound,) = graph.steps[-1].arguments
    assert set(bound.argument.steps) == set(range(len(graph.steps) - 1))


def shape(value):
    """The value with its types, NaN made equal to itself, sets and dicts without order."""
    kind = type(value).__name__
    if isinstance(value, Box):
        return kind, shape(value.content)
    if isinstance(value, dict):
        return kind, frozenset((shape(k), shape(v)) for k, v in value.items())
    if isinstance(value, set | frozenset):
        return kind, frozenset(shape(item) for item in value)
    if isinstance(value, list | tuple):
        return kind, tuple(shape(item) for item in value)
    return kind, repr(value)


@given(st.lists(st.lists(st.integers(0, 30), max_size=4), min_size=1, max_size=12))
def test_any_web_of_steps_is_numbered_so_that_reading_goes_back_only(wiring):
    made: list[Any] = []
    for sources in wiring:
        made.append(step(identity)([made[i % len(made)] for i in sources] if made else 0))
    graph = build_graph({str(n): s for n, s in enumerate(reversed(made))})
    assert [m.id for m in graph.steps] == list(range(len(graph.steps)))
    assert all(read < m.id for m in graph.steps for read in m.reads)
    assert len({m.address for m in graph.steps}) == len(graph.steps)
    for node in graph.contracts:
        inside = set(node.steps)
        assert all(set(graph.steps[number].reads) <= inside for number in node.steps)
        assert list(node.steps) == sorted(node.steps)


def test_no_file_inputs_are_made_of_text():
    (made,) = build_graph(load("setup.py")).steps
    assert not made.arguments[0].argument.files
    assert type(made.arguments[0].argument.template) is not FileInput


def test_steps_made_between_others_keep_the_order_of_calls():
    steps = [load(str(n)) for n in range(4)]
    for order in itertools.permutations(steps):
        graph = build_graph({"x": list(order)})
        assert [m.arguments[0].argument.template for m in graph.steps] == list("0123")
