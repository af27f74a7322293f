"""Digests of arguments: results by their own, constants once, files again when asked."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import pytest

from batchwright.contracts.graph import (
    Argument,
    FileInput,
    Outputs,
    Reference,
)
from batchwright.errors import UncacheableArgument
from batchwright.fleet.keys import (
    ArgumentDigests,
    NoDigest,
    opaque_digest,
)
from batchwright.records.model import StepFailure


class Handle:
    def __init__(self):
        self.stream = io.StringIO()


@dataclasses.dataclass
class Box:
    inside: object


def told(values):
    return lambda number, items: values.get((number, items))


@pytest.mark.parametrize(
    "template",
    [
        [Reference(0)],
        (Reference(0), 1),
        {"a": {"b": Reference(0)}},
        Box([Reference(0)]),
        {Reference(0): 1},
        [Reference(0, (1, "a"))],
    ],
)
def test_a_result_counts_by_its_digest_wherever_it_stands(template):
    digests = ArgumentDigests()
    argument = Argument.of(template)
    values = {(0, ()): "d0", (0, (1, "a")): "d0"}
    other = dict.fromkeys(values, "d1")
    one = digests.of(argument, told(values))
    assert one == ArgumentDigests().of(argument, told(values))
    assert one != digests.of(argument, told(other))


def test_a_bare_result_is_told_by_its_own_digest():
    assert ArgumentDigests().of(Argument.of(Reference(3)), told({(3, ()): "d"})) == "d"
    part = Argument.of(Reference(3, ("k",)))
    assert ArgumentDigests().of(part, told({(3, ("k",)): "p"})) == "p"


def test_a_mapping_with_a_failure_counts_its_type_and_message_not_its_traceback():
    argument = Argument.of(Outputs((("a", 0), ("b", 1))))
    digests = ArgumentDigests()

    def of(failure):
        return digests.of(argument, told({(0, ()): "d", (1, ()): failure}))

    assert of(StepFailure("E", "m", "here")) == of(StepFailure("E", "m", "there"))
    assert of(StepFailure("E", "m")) != of(StepFailure("E", "n"))
    assert of(StepFailure("E", "m")) != of("d")


def test_a_mapping_inside_a_container_counts_as_it_does_alone():
    digests = ArgumentDigests()
    values = told({(0, ()): "d", (1, ()): StepFailure("E", "m")})
    mapping = Outputs((("a", 0), ("b", 1)))
    one = digests.of(Argument.of([mapping]), values)
    assert one != digests.of(Argument.of([Outputs((("a", 0), ("c", 1)))]), values)


def test_a_result_without_a_digest_leaves_its_consumer_without_a_key():
    with pytest.raises(NoDigest) as raised:
        ArgumentDigests().of(Argument.of([1, Reference(4)]), told({}))
    assert raised.value.step == 4


def test_a_failure_that_is_named_leaves_its_consumer_without_a_key():
    with pytest.raises(NoDigest):
        ArgumentDigests().of(Argument.of(Reference(0)), told({(0, ()): StepFailure("E", "m")}))


def test_a_constant_is_digested_once(monkeypatch):
    counted = []
    monkeypatch.setattr("batchwright.fleet.keys.digest", lambda value: counted.append(value) or "d")
    digests, argument = ArgumentDigests(), Argument.of([1, 2])
    assert [digests.constant(argument) for _ in range(3)] == ["d"] * 3
    assert len(counted) == 1


def test_a_constant_without_content_is_refused_each_time():
    digests, argument = ArgumentDigests(), Argument.of(Handle())
    for _ in range(2):
        with pytest.raises(UncacheableArgument):
            digests.constant(argument)


def test_a_file_is_looked_at_again_when_asked(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one")
    digests, argument = ArgumentDigests(), Argument.of(FileInput(path, "str"))
    before = digests.constant(argument)
    assert digests.look_again(argument) == before
    assert not digests.has_moved(argument)
    path.write_text("other")
    assert digests.constant(argument) == before
    assert digests.look_again(argument) != before
    assert digests.has_moved(argument)


def test_a_file_counts_alike_as_text_or_as_a_path(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one")
    counted = {
        ArgumentDigests().constant(Argument.of(given))
        for given in (FileInput(path, "str"), FileInput(path, "path"), Path(path))
    }
    assert len(counted) == 1


def test_opaque_results_are_told_by_key_part_and_nonce():
    made = {
        opaque_digest("k"),
        opaque_digest("l"),
        opaque_digest("k", (0,)),
        opaque_digest("k", (False,)),
        opaque_digest("k", nonce="n"),
    }
    assert len(made) == 5
    assert opaque_digest("k", (0,), "n") == opaque_digest("k", (0,), "n")
