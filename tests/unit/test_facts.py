"""What is known of the code behind a step: found once, and what it says of state."""

from __future__ import annotations

import functools

import pytest

from batchwright import stateful, stateless, step
from batchwright.caching import code as codes
from batchwright.caching.code import CodeFacts
from batchwright.caching.digest import digest
from batchwright.contracts.graph import Address, Instance, Step, Target
from batchwright.contracts.python_graph import build_graph
from batchwright.fleet.facts import FactBook, MethodFacts, name_of
from batchwright.records.model import Watched


def plain(x, y=(1, 2), *, z=None, handle=iter(())):
    return x


class Shelf:
    def __init__(self, size=3):
        self.size = size
        self.items = []

    def count(self):
        return len(self.items)

    def fill(self, items):
        self.items = items

    @stateful
    def append(self, item):
        self.items.append(item)

    @stateless
    def memo(self):
        self.cached = self.size
        return self.cached


@stateless
class Memo:
    def look(self):
        self.seen = 1

    @stateful
    def change(self):
        return 1


class SubShelf(Shelf):
    pass


def of(built, **options):
    return FactBook(**options).of(build_graph(built).steps[-1])


def test_a_plain_function_has_code_and_defaults_and_no_state():
    facts = of(step(plain)(1))
    assert facts.code == codes.describe(plain)
    assert (facts.constructor, facts.class_digest, facts.stores) == (None, "", "")
    assert facts.method.defaults == {"y": digest((1, 2)), "z": digest(None)}


def test_a_method_has_the_facts_of_its_class_and_constructor():
    facts = of(step(Shelf)().count())
    assert facts.code == codes.describe_method(Shelf, "count")
    assert facts.constructor == codes.describe_constructor(Shelf)
    assert facts.class_digest == codes.describe(Shelf).digest
    assert facts.method.constructor_defaults == {"size": digest(3)}


def by_factory(name):
    instance = Instance(Target("m", "Shelf", Shelf), (), Target("m", "make", name))
    return Step(0, Address("c", "", "count"), instance=instance, method="count")


def make(size=9):
    return Shelf(size)


def make_otherwise(size=9):
    return Shelf(size + 1)


def test_a_factory_stands_for_the_constructor():
    facts = FactBook().of(by_factory(make))
    assert facts.constructor == codes.describe(make)
    assert facts.method.constructor_defaults == {"size": digest(9)}
    assert FactBook().of(by_factory(make_otherwise)).constructor != facts.constructor


def test_a_callable_without_a_signature_has_no_defaults_to_drop():
    assert of(step(functools.partial(plain, 1))()).method.defaults.keys() >= {"y", "z"}
    assert (
        FactBook()
        .of(Step(0, Address("c", "", "f"), function=Target("builtins", "dict", dict)))
        .method.defaults
        == {}
    )


# --- state --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "stores", "said"),
    [
        (lambda shelf: shelf.count(), "", ""),
        (lambda shelf: shelf.fill([]), "items", ""),
        (lambda shelf: shelf.append(1), "state", "stateful"),
        (lambda shelf: shelf.memo(), "", "stateless"),
    ],
)
def test_what_a_method_stores_is_read_from_its_code_unless_it_is_said(call, stores, said):
    facts = of(call(step(Shelf)()))
    assert (facts.stores, facts.said) == (stores, said)


def test_a_mark_on_a_method_goes_before_one_on_its_class():
    assert of(step(Memo)().look()).stores == ""
    assert of(step(Memo)().change()).stores == "state"


def test_the_settings_say_it_of_a_class_by_its_name():
    count, fill = step(Shelf)().count(), step(Shelf)().fill([])
    assert of(count, stateful=["Shelf"]).said == "stateful"
    assert of(fill, stateless=["Shelf"]).stores == ""
    assert of(fill, stateless=["Other"]).stores == "items"


def test_a_mark_goes_before_the_settings():
    assert of(step(Shelf)().append(1), stateless=["Shelf"]).stores == "state"


def test_what_watching_saw_holds_for_that_code_of_the_class():
    whole = codes.describe(Shelf).digest
    watched = {(whole, "count"): Watched(stores="items")}
    facts = of(step(Shelf)().count(), watched=watched)
    assert (facts.stores, facts.why_stores) == ("items", "watching saw it change")
    assert of(step(SubShelf)().count(), watched=watched).stores == ""
    assert of(step(Shelf)().count(), watched={("older", "count"): Watched(stores="a")}).stores == ""
    assert of(step(Shelf)().memo(), watched={(whole, "memo"): Watched(stores="a")}).stores == ""


# --- found once, and remembered -----------------------------------------------------------------


@pytest.fixture
def described(monkeypatch):
    """What was described, in order."""
    found = []
    for name in ("describe", "describe_method", "describe_constructor"):
        real = getattr(codes, name)

        def counting(*args, name=name, real=real):
            found.append((name, *args))
            return real(*args)

        monkeypatch.setattr(codes, name, counting)
    return found


def test_a_method_is_described_once_however_many_steps_call_it(described):
    book = FactBook()
    for _ in range(3):
        for each in build_graph([step(Shelf)().count(), step(plain)(1)]).steps:
            book.of(each)
    assert len(described) == len(set(described)) == 4


def test_an_unhashable_callable_is_described_too():
    class Callable:
        __hash__ = None

        def __call__(self, x):
            return x

    assert of(step(Callable())(1)).code.digest


def test_remembered_facts_are_used_without_loading_the_code(described):
    facts = MethodFacts(CodeFacts("digest", {"part": "1"}))
    book = FactBook(remembered={"nowhere:gone": facts})
    gone = Step(0, Address("c", "", "f"), function=Target("nowhere", "gone"))
    assert book.of(gone).method is facts
    assert described == []
    assert book.methods == {"nowhere:gone": facts}
    assert book.parts() == {"digest": {"part": "1"}}


def test_the_parts_of_all_code_met_are_told_constructors_included():
    book = FactBook()
    book.of(build_graph(step(Shelf)().count()).steps[0])
    method, constructor = (
        codes.describe_method(Shelf, "count"),
        codes.describe_constructor(Shelf),
    )
    assert book.parts() == {method.digest: method.parts, constructor.digest: constructor.parts}


def test_code_goes_by_where_it_is_defined():
    assert name_of(build_graph(step(plain)(1)).steps[0]) == f"{__name__}:plain"
    assert name_of(build_graph(step(Shelf)().count()).steps[0]) == f"{__name__}:Shelf.count"
    assert name_of(by_factory(make)) == "m:Shelf.count by m:make"
