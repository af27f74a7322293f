"""Why a step would run: the cause is named, and only causes that there are."""

from __future__ import annotations

import msgspec
import pytest

from batchwright.caching.code import CodeFacts
from batchwright.caching.digest import digest
from batchwright.contracts.graph import (
    Address,
    Argument,
    Bound,
    ContractNode,
    Instance,
    Reference,
    Step,
    StepGraph,
    StepOptions,
    Target,
)
from batchwright.execution.context import Context
from batchwright.fleet.explain import code_changes, last_record, reasons
from batchwright.fleet.facts import FactBook, MethodFacts
from batchwright.fleet.keys import key_graph
from batchwright.fleet.lookup import Lookup, Standing
from batchwright.fleet.outcome import Outcome
from batchwright.records.model import StepFailure, StepRecord

ADDRESS = ("c", "", "f")


def bound(**arguments):
    return tuple(Bound(name, Argument.of(value)) for name, value in arguments.items())


def one_step(*, code="c0", defaults=None, options=StepOptions(), **arguments):
    made = Step(0, Address(*ADDRESS), bound(**arguments), Target("m", "f"), options=options)
    facts = MethodFacts(CodeFacts(code, {"m:f": code, "m:g": "g"}), defaults=defaults or {})
    graph = StepGraph((made,), (ContractNode("c", (0,), outputs=(("o", _ref(0)),)),))
    return key_graph(graph, FactBook(remembered={"m:f": facts}))


def method_step(*, constructor="k0", **constructed):
    instance = Instance(Target("m", "C"), bound(**constructed))
    made = Step(0, Address(*ADDRESS), (), instance=instance, method="act")
    facts = MethodFacts(CodeFacts("c0", {}), CodeFacts(constructor, {}), "class")
    graph = StepGraph((made,), (ContractNode("c", (0,), outputs=(("o", _ref(0)),)),))
    return key_graph(graph, FactBook(remembered={"m:C.act": facts}))


def _ref(number):
    return Argument.of(Reference(number))


def recorded(keyed, **changes):
    """The records that a run of this fleet would have left, by address."""
    context = Context(keyed, None, None, {}, bool, float)
    latest = {}
    for unique in keyed.uniques:
        key, recipe, bypass = context.content_key(unique)
        context.outcomes[unique.number] = Outcome("computed", key, "d")
        record = StepRecord(unique.number, unique.label, "computed", key=key, recipe=recipe,
                            bypass=bypass)  # fmt: skip
        address = unique.step.address
        latest[address.contract, address.phase, address.provides] = msgspec.structs.replace(
            record, **changes
        )
    return latest


def why(keyed, latest, *, parts=None, standings=None):
    """The statuses, and the lines that say why."""
    found = standings or Lookup(keyed, lambda keys: {}, {}, lambda *_: None).run()
    precise, lines = reasons(keyed, found, latest, (parts or {}).get)
    return [standing.status for standing in precise], lines


def why_now(then, now, parts=None):
    """Why the one step of `now` would run, having run as in `then`."""
    found = Lookup(now, lambda keys: {}, {}, lambda *_: None).run()
    codes = {"c0": {"m:f": "c0", "m:g": "g"}} if parts is None else parts
    _, lines = reasons(now, found, recorded(then), lambda digest: codes.get(digest, {}))
    return lines[-1]


@pytest.mark.parametrize(
    ("now", "line"),
    [
        (one_step(x=1), "its result is no longer in the cache"),
        (one_step(x=2), "argument 'x' changed"),
        (one_step(x=1, y=1), "argument 'y' changed"),
        (one_step(), "argument 'x' is gone"),
        (one_step(x=1, code="c1"), "code of f changed: m:f changed"),
        (one_step(x=1, options=StepOptions(version="2")), "version None became '2'"),
        (one_step(x=1, options=StepOptions(sample=1)), "it is another sample"),
        (one_step(x=2, code="c1"), "code of f changed: m:f changed; argument 'x' changed"),
        (
            one_step(x=1, options=StepOptions(ttl=60)),
            "its result has expired (ttl 60 s)",
        ),
    ],
)
def test_what_changed_since_the_last_run_is_named(now, line):
    assert why_now(one_step(x=1), now) == line


@pytest.mark.parametrize(
    ("now", "line"),
    [
        (method_step(a=1), "its result is no longer in the cache"),
        (method_step(a=2), "constructor argument 'a' changed"),
        (method_step(), "constructor argument 'a' is gone"),
        (method_step(a=1, constructor="k1"), "code of making its C changed"),
    ],
)
def test_what_changed_in_the_making_of_an_object_is_named(now, line):
    assert why_now(method_step(a=1), now, parts={}) == line


def test_code_whose_parts_were_never_recorded_changed_as_a_whole():
    assert why_now(one_step(x=1), one_step(x=1, code="c1"), parts={}) == "code of f changed"


def test_an_argument_left_at_its_default_is_no_change():
    default = {"x": digest(1)}
    assert why_now(one_step(defaults=default), one_step(x=1, defaults=default)) == (
        "its result is no longer in the cache"
    )
    assert why_now(one_step(defaults=default), one_step(x=2, defaults=default)) == (
        "argument 'x' changed"
    )


def test_parts_of_code_that_came_and_went_are_named_a_few_at_most():
    then = {f"m:{name}": "1" for name in "abcx"}
    now = {f"m:{name}": "2" for name in "abcdef"}
    (line,) = code_changes("f", "old", now, "new", lambda digest: then)
    assert line == "code of f changed: m:a changed, m:b changed, m:c changed, m:d is new and 3 more"
    assert code_changes("f", "old", now, "old", lambda digest: then) == []


def test_what_changed_is_named_before_what_came_and_went_by_it():
    then = {"dist d": "1", "m:a": "1", "m:b": "1", "m:c": "1", "z:edited": "1"}
    now = {"m:n": "1", "z:edited": "2"}
    (line,) = code_changes("f", "old", now, "new", lambda digest: then)
    assert line == (
        "code of f changed: z:edited changed, m:n is new, dist d is gone, m:a is gone and 2 more"
    )


# --- a chain ------------------------------------------------------------------------------------


def chain(*, first=1, code="c0"):
    steps = (
        Step(0, Address("c", "", "a"), bound(x=first), Target("m", "a")),
        Step(1, Address("c", "", "b"), bound(y=Reference(0)), Target("m", "b")),
    )
    facts = {name: MethodFacts(CodeFacts(c, {})) for name, c in [("m:a", "a0"), ("m:b", code)]}
    graph = StepGraph(steps, (ContractNode("c", (0, 1), outputs=(("o", _ref(1)),)),))
    return key_graph(graph, FactBook(remembered=facts))


def test_what_never_ran_will_run():
    statuses, lines = why(chain(), {})
    assert statuses == ["will run", "will run"]
    assert lines == ["never run before"] * 2


def test_a_step_whose_own_code_and_constants_are_as_they_were_may_be_spared():
    statuses, lines = why(chain(first=2), recorded(chain()))
    assert statuses == ["will run", "may run"]
    assert lines == ["argument 'x' changed", "waits for a, which may give another value"]


def test_a_waiting_step_whose_own_code_changed_will_run():
    statuses, lines = why(chain(first=2, code="c1"), recorded(chain()), parts={"a0": {}, "c0": {}})
    assert statuses == ["will run", "will run"]
    assert lines[1] == "code of b changed"


def test_an_input_that_is_known_with_another_value_is_named():
    now = chain()
    known = Standing("known", "k", "another digest")
    recipe = msgspec.structs.replace(
        recorded(now)["c", "", "b"].recipe, arguments=(("y", "another digest"),)
    )
    found = [known, Standing("will run", "k2", recipe=recipe)]
    statuses, lines = why(now, recorded(now), standings=found)
    assert statuses == ["known", "will run"]
    assert lines[1] == "result 'y' of a changed"


@pytest.mark.parametrize(
    ("standing", "line"),
    [
        (Standing("known", "k", "d"), "the same code and inputs were computed before"),
        (
            Standing("known", "k", "d", by_derivation=True),
            "the same code and inputs were computed before, as its inputs were",
        ),
        (Standing("not needed"), "all that read it are known"),
        (
            Standing("failed before", "k", failure=StepFailure("E", "m")),
            "it failed when last run (E: m); failures are not kept",
        ),
    ],
)
def test_how_a_step_stands_is_said(standing, line):
    statuses, lines = why(one_step(x=1), {}, standings=[standing])
    assert (statuses, lines) == ([standing.status], [line])


@pytest.mark.parametrize(
    ("left", "line"),
    [
        ({"outcome": "failed"}, "it failed when last run; failures are not kept"),
        ({"outcome": "skipped", "reason": "needs g"}, "it was skipped when last run: needs g"),
        ({"bypass": "it is a handle"}, "its last result was not kept: it is a handle"),
        (
            {"bypass": "x has no content", "recipe": None},
            "its last result was not kept: x has no content",
        ),
        ({"recipe": None}, "its result is no longer in the cache"),
    ],
)
def test_what_the_last_run_left_behind_is_said(left, line):
    made = one_step(x=1)
    assert why(made, recorded(made, **left))[1] == [line]


def test_what_a_step_known_by_derivation_was_made_of_is_that_of_the_record_with_its_key():
    made = chain()
    latest = recorded(made)
    record = latest["c", "", "b"]
    found = [Standing("not needed"), Standing("known", record.key, "d", by_derivation=True)]
    precise, _ = reasons(made, found, latest, lambda digest: {})
    assert precise[1].recipe == record.recipe
    other = {"c": msgspec.structs.replace(record, key="another")}
    precise, _ = reasons(made, found, {("c", "", "b"): other["c"]}, lambda digest: {})
    assert precise[1].recipe is None


def test_a_step_that_is_not_kept_says_so():
    made = one_step(x=1, options=StepOptions(cache=False))
    assert why(made, recorded(made)) == (["will run"], ["cache is off for it"])


def test_the_record_of_a_step_is_found_at_any_of_its_addresses():
    steps = tuple(
        Step(i, Address(name, "", "f"), bound(x=1), Target("m", "f")) for i, name in enumerate("ab")
    )
    contracts = tuple(ContractNode(name, (i,)) for i, name in enumerate("ab"))
    book = FactBook(remembered={"m:f": MethodFacts(CodeFacts("c", {}))})
    keyed = key_graph(StepGraph(steps, contracts), book)
    record = StepRecord(7, "f", "computed")
    assert last_record(keyed.uniques[0], keyed, {("b", "", "f"): record}) is record
    assert last_record(keyed.uniques[0], keyed, {("b", "", "g"): record}) is None
