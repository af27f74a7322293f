"""A class as a step function: objects built once and kept warm, whose methods are steps."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import pytest

from batchwright import step
from batchwright.contracts.graph import Reference
from batchwright.contracts.marks import stateful, stateless
from batchwright.contracts.python_graph import build_graph
from batchwright.errors import InvalidFleet, NotCallable, UnknownObjectMethod, WrongCall


class Base:
    def inherited(self, x):
        return x


class Corpus(Base):
    limit = 3

    def __init__(self, language="es", *, depth=1):
        self.language = language

    def amounts(self, text, unit="EUR"):
        return text, unit

    def _private(self):
        return None

    @staticmethod
    def static(x):
        return x

    @classmethod
    def build(cls, x):
        return cls(x)

    @property
    def size(self):
        return 1

    async def fetch(self):
        return None

    def __call__(self, x):
        return x


class Index:
    def __init__(self):
        self.rows = []
        self.total = 0

    def add(self, row):
        self._put(row)

    def _put(self, row):
        self.total += row

    def append(self, row):
        self.rows.append(row)

    def sum(self):
        return self.total


@dataclass
class Point:
    x: int

    def norm(self):
        return abs(self.x)


def consume(value):
    return value


def last_step(pending):
    return build_graph(pending).steps[-1]


def labels(graph):
    return [s.label for s in graph.steps]


def test_a_method_call_is_a_step_on_an_instance():
    made = last_step(step(Corpus)(language="es").amounts("text"))
    assert made.function is None
    assert made.method == "amounts"
    assert made.instance.owner.load() is Corpus
    assert [(b.name, b.argument.template) for b in made.instance.arguments] == [("language", "es")]
    assert [(b.name, b.argument.template) for b in made.arguments] == [("text", "text")]
    assert made.label == "Corpus.amounts"
    assert made.address.provides == "amounts"


def test_calls_on_one_object_share_one_instance():
    corpus = step(Corpus)()
    graph = build_graph([corpus.amounts("a"), corpus.amounts("b"), step(Corpus)().amounts("c")])
    one, two, other = (s.instance for s in graph.steps)
    assert one is two
    assert other is not one


def test_constructor_arguments_may_be_steps():
    made = last_step(step(Corpus)(step(consume)("es")).amounts("text"))
    assert made.instance.arguments[0].argument.template == Reference(0)
    assert made.reads == (0,)


def test_the_constructor_call_is_checked():
    with pytest.raises(WrongCall, match="did you mean 'language'"):
        step(Corpus)(langage="es")


def test_a_method_call_is_checked_without_self():
    with pytest.raises(WrongCall, match=r"missing a required argument: 'text'"):
        step(Corpus)().amounts()


@pytest.mark.parametrize(
    ("call", "bound"),
    [
        (lambda c: c.inherited(1), [("x", 1)]),
        (lambda c: c.static(1), [("x", 1)]),
        (lambda c: c.build(1), [("x", 1)]),
        (lambda c: c._private(), []),
        (lambda c: c(1), [("x", 1)]),
    ],
)
def test_every_kind_of_method_can_be_a_step(call, bound):
    made = last_step(call(step(Corpus)()))
    assert made.instance.owner.load() is Corpus
    assert [(b.name, b.argument.template) for b in made.arguments] == bound


def test_an_unknown_method_names_the_nearest():
    with pytest.raises(AttributeError, match="did you mean 'amounts'") as caught:
        _ = step(Corpus)().amount
    assert isinstance(caught.value, UnknownObjectMethod)


def test_an_unknown_method_like_no_other_shows_what_there_is():
    with pytest.raises(UnknownObjectMethod, match="it has norm"):
        _ = step(Point)(1).zzz


@pytest.mark.parametrize("name", ["size", "limit"])
def test_a_value_of_the_object_is_no_step(name):
    with pytest.raises(UnknownObjectMethod, match="only methods can be steps"):
        getattr(step(Corpus)(), name)


def test_a_coroutine_method_is_refused():
    with pytest.raises(NotCallable, match="coroutine"):
        _ = step(Corpus)().fetch


def test_calling_an_object_whose_class_cannot_be_called_is_an_error():
    with pytest.raises(AttributeError, match="__call__"):
        step(Point)(1)(2)


def test_options_of_the_class_hold_for_its_methods():
    assert last_step(step(Corpus, cache=False)().amounts("a")).options.cache is False


def test_a_method_takes_options_of_its_own():
    corpus = step(Corpus)()
    text, unit = step(corpus.amounts, outputs=2)("a")
    assert last_step(unit).method == "amounts"
    assert last_step(text).instance is not None


def test_a_method_of_a_result_is_a_function_of_it():
    made = last_step(step(Point.norm)(step(consume)(Point(3))))
    assert made.function.qualname == "Point.norm"
    assert made.arguments[0].argument.template == Reference(0)


def test_an_object_handed_over_is_a_step_that_builds_it():
    point = step(Point)(3)
    graph = build_graph([step(consume)(point), step(consume)([point])])
    assert labels(graph) == ["Point", "consume", "consume"]
    assert graph.steps[0].function.load() is Point


def test_an_object_can_be_a_contracts_result():
    assert labels(build_graph({"a": step(Point)(3)})) == ["Point"]


def test_a_builtin_class_converts():
    graph = build_graph(step(list)(step(consume)((1, 2)))[0])
    assert labels(graph) == ["consume", "list"]


def test_a_call_for_its_effect_comes_along_and_in_order():
    index = step(Index)()
    index.add(step(consume)(1))
    index.add(2)
    total = index.sum()
    index.add(3)  # too late to matter
    graph = build_graph({"a": total})
    assert labels(graph) == ["consume", "Index.add", "Index.add", "Index.sum"]
    assert graph.contracts[0].steps == (0, 1, 2, 3)
    assert graph.warnings == ()


def test_a_call_for_its_effect_goes_into_each_contract_that_needs_it():
    index = step(Index)()
    index.add(1)
    graph = build_graph({"a": index.sum(), "b": index.sum(), "c": step(consume)(1)})
    assert [node.steps for node in graph.contracts] == [(0, 1), (0, 2), (3,)]


def test_a_call_that_another_contract_asks_for_stays_there():
    index = step(Index)()
    graph = build_graph({"a": index.add(1), "b": index.sum()})
    assert [node.steps for node in graph.contracts] == [(0,), (1,)]


def test_an_effect_on_another_object_is_followed():
    first, second = step(Index)(), step(Index)()
    first.add(1)
    second.add(first.sum())
    graph = build_graph(second.sum())
    assert labels(graph) == ["Index.add", "Index.sum", "Index.add", "Index.sum"]


def test_a_call_shared_by_contracts_sees_the_same_changes_in_each():
    index = step(Index)()
    added = index.add(1)
    total = index.sum()
    for fleet in ({"a": [added, total], "b": total}, {"b": total, "a": [added, total]}):
        assert [node.steps for node in build_graph(fleet).contracts] == [(0, 1), (0, 1)]


def test_what_is_said_of_a_method_settles_whether_it_changes_its_object():
    class Said:
        @stateful
        def put(self, x):
            return x

        @stateless
        def memo(self):
            self.kept = 1

        def get(self):
            return 1

    said = step(Said)()
    said.put(1)
    said.memo()
    graph = build_graph(said.get())
    assert [s.method for s in graph.steps] == ["put", "get"]
    assert graph.warnings == ()


def test_what_is_said_of_a_class_holds_for_its_methods():
    @stateless
    class Memo:
        def a(self):
            self.kept = 1

        def b(self):
            return 1

    memo = step(Memo)()
    memo.a()
    assert len(build_graph(memo.b()).steps) == 1


def test_a_call_left_out_is_told():
    index = step(Index)()
    index.append(1)
    index.append(2)
    (warning,) = build_graph({"a": index.sum(), "b": index.sum()}).warnings
    assert "2 calls of Index.append" in warning
    assert "will not run" in warning


def test_an_object_changed_by_a_step_cannot_be_handed_over_as_well():
    index = step(Index)()
    index.add(1)
    with pytest.raises(InvalidFleet, match=r"Index.add changes it as well") as caught:
        build_graph([index.sum(), step(consume)(index)])
    assert [error.code for error in caught.value.errors] == ["BW142"]


def test_an_object_that_is_only_read_can():
    point = step(Point)(3)
    assert len(build_graph([point.norm(), step(consume)(point)]).steps) == 3


def test_a_decorated_class_makes_objects():
    @step
    class Local:
        def f(self, x):
            return x

    assert last_step(Local().f(1)).label.endswith("Local.f")
    assert Local.call().f(1) == 1


def test_a_partial_of_a_class_makes_objects():
    corpus = step(functools.partial(Corpus, "de"))()
    assert last_step(corpus.amounts("a")).instance.arguments[0].argument.template == "de"
