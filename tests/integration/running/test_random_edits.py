"""Random fleets edited at random: every run gives what computing all of it anew would give."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import batchwright
from batchwright import Cache, step

# Runs take long enough that looking for the smallest example would take minutes.
FEW = settings(
    deadline=None,
    max_examples=40,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)

CALLS: list[tuple[int, int]] = []


def mix(number, salt, modulus, *inputs):
    """A number below `modulus`, small enough that an edit often changes nothing further on."""
    CALLS.append((number, salt))
    return mixed(number, salt, modulus, inputs)


def both(number, salt, modulus, *inputs):
    CALLS.append((number, salt))
    value = mixed(number, salt, modulus, inputs)
    return [value % 2, value % 3]


def fails_at_times(number, salt, modulus, *inputs):
    CALLS.append((number, salt))
    value = mixed(number, salt, modulus, inputs)
    if value % 3 == 0:
        raise ValueError(value)
    return value


class Scale:
    def __init__(self, factor):
        self.factor = factor
        self.total = 0

    def times(self, number, salt, modulus, *inputs):
        CALLS.append((number, salt))
        return self.factor * mixed(number, salt, modulus, inputs)

    def add(self, number, salt, modulus, *inputs):
        CALLS.append((number, salt))
        self.total += mixed(number, salt, modulus, inputs)
        return self.total


def mixed(number, salt, modulus, inputs):
    total = 31 * number + 17 * salt
    for value in inputs:
        total = 7 * total + sum(value if isinstance(value, list) else [value])
    return total % modulus


KINDS = ("mix", "both", "fails", "times", "add", "uncached", "part")


@st.composite
def fleets(draw):
    """Steps as (kind, salt, modulus, the steps they read); which of them are outputs."""
    size = draw(st.integers(1, 7))
    steps = []
    for i in range(size):
        reads = sorted(draw(st.sets(st.integers(0, i - 1), max_size=2))) if i else []
        kind = draw(st.sampled_from(KINDS))
        steps.append([kind, draw(st.integers(0, 3)), draw(st.sampled_from([2, 5, 1000])), reads])
    return steps, sorted(draw(st.sets(st.integers(0, size - 1), min_size=1)))


def built(steps, outputs):
    """The fleet as contracts: one for each output."""
    makers = {
        "mix": step(mix),
        "both": step(both),
        "fails": step(fails_at_times),
        "uncached": step(mix, cache=False),
        "part": step(both),
    }
    made = []
    for i, (kind, salt, modulus, reads) in enumerate(steps):
        inputs = [made[j] for j in reads]
        if kind in ("times", "add"):
            result = getattr(step(Scale)(salt + 1), kind)(i, salt, modulus, *inputs)
        else:
            result = makers[kind](i, salt, modulus, *inputs)
        made.append(result[salt % 2] if kind == "part" else result)
    return {f"c{i}": made[i] for i in outputs}


def expected(steps, outputs):
    """What plain code gives, None for what fails; and the numbers of the steps it computes."""
    values, failed = [], set()
    for i, (kind, salt, modulus, reads) in enumerate(steps):
        if failed.intersection(reads):
            failed.add(i)
            values.append(None)
            continue
        value = mixed(i, salt, modulus, [values[j] for j in reads])
        match kind:
            case "both":
                value = [value % 2, value % 3]
            case "part":
                value = [value % 2, value % 3][salt % 2]
            case "times":
                value *= salt + 1
            case "fails" if value % 3 == 0:
                failed.add(i)
                value = None
        values.append(value)
    return {f"c{i}": values[i] for i in outputs}


def given_by(result):
    return {id_: result[id_].value if result[id_].status == "ok" else None for id_ in result}


edits = st.one_of(
    st.tuples(st.just("salt"), st.integers(0, 6), st.integers(0, 3)),
    st.tuples(st.just("outputs"), st.sets(st.integers(0, 6), min_size=1), st.none()),
    st.tuples(st.just("drop"), st.integers(0, 200), st.none()),
    st.tuples(st.just("clear"), st.sampled_from(["mix", "both", "Scale.times"]), st.none()),
    st.tuples(st.just("nothing"), st.none(), st.none()),
)


def edit(steps, outputs, cache, what):
    kind, which, to = what
    if kind == "salt":
        steps[which % len(steps)][1] = to
    elif kind == "outputs":
        outputs[:] = sorted({i % len(steps) for i in which})
    elif kind == "drop":
        keys = sorted(entry.key for entry in cache.entries())
        if keys:
            cache.delete(keys[which % len(keys)])
    elif kind == "clear":
        cache.clear(method=which)


@FEW
@given(fleets(), st.lists(edits, max_size=5))
def test_every_run_gives_what_plain_code_gives(fleet, changes):
    steps, outputs = fleet
    with tempfile.TemporaryDirectory() as folder, Cache() as cache:
        for change in [("nothing", None, None), *changes]:
            edit(steps, outputs, cache, change)
            with batchwright.run(built(steps, outputs), state=Path(folder), cache=cache) as result:
                assert given_by(result) == expected(steps, outputs), change


@FEW
@given(fleets(), st.lists(edits, min_size=1, max_size=3))
def test_what_is_said_to_be_known_or_not_needed_does_not_run(fleet, changes):
    steps, outputs = fleet
    with tempfile.TemporaryDirectory() as folder, Cache() as cache:
        for change in [("nothing", None, None), *changes]:
            edit(steps, outputs, cache, change)
            contracts = built(steps, outputs)
            with batchwright.plan(contracts, state=Path(folder), cache=cache) as prepared:
                standings = prepared.standings
            with batchwright.run(contracts, state=Path(folder), cache=cache) as result:
                given_by(result)
            for record in result.records:
                status = standings[record.number].status
                if status == "known":
                    assert record.outcome == "known"
                assert status != "not needed"


@FEW
@given(fleets())
def test_a_second_run_computes_only_what_failed_or_is_not_kept(fleet):
    steps, outputs = fleet
    with tempfile.TemporaryDirectory() as folder, Cache() as cache:
        for _ in range(2):
            CALLS.clear()
            with batchwright.run(built(steps, outputs), state=Path(folder), cache=cache) as result:
                given_by(result)
        assert all(steps[number][0] in ("fails", "uncached") for number, _ in CALLS)
