"""Whatever is wrong with a contract, it loads or is refused with all that is wrong."""

import io
import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from batchwright.contracts.build import load_fleet
from batchwright.contracts.graph import StepGraph, Target
from batchwright.contracts.registry import Entry
from batchwright.contracts.settings import Settings
from batchwright.contracts.signature import Parameter, Signature
from batchwright.errors import InvalidFleet, UnknownMethod

METHOD = {
    "class_name": "Miner",
    "method_name": "words",
    "level": "N1-EMP",
    "provides": "words",
    "requires": [],
    "confidence_score": 0.5,
    "args": {"text": "abc", "n": 1},
    "cache": True,
    "veto_conditions": {
        "low": {"trigger": "x < 1", "action": "invalidate_graph", "scope": "a_out"}
    },
}
DOCUMENT = {
    "identity": {"contract_id": "Q1", "contract_type": "TYPE_A", "sector_id": "PA01"},
    "method_binding": {
        "execution_phases": {
            "a": {"level": "N1", "dependencies": [], "output_target": "a_out",
                  "methods": [METHOD]},
            "b": {"level": "N2", "dependencies": ["a"], "output_target": "b_out",
                  "methods": [METHOD | {"requires": ["a_out"]}]},
        }
    },
    "question_context": {"question": "what?"},
    "depends_on": [],
    "error_handling": {"on_method_failure": "continue"},
}  # fmt: skip


class OneMethod:
    """A registry that knows Miner.words(text, n=..., a_out=..., **rest) and imports nothing."""

    def method(self, class_name, method_name):
        if (class_name, method_name) != ("Miner", "words"):
            raise UnknownMethod(f"no {class_name}.{method_name}")
        parameters = (
            Parameter("text", wants="str"),
            Parameter("n", required=False),
            Parameter("a_out", required=False),
            Parameter("rest", "**", required=False),
        )
        return Entry(Target("methods", "Miner"), Signature(parameters), "words")

    def constructor(self, class_name):
        return Entry(Target("methods", class_name), Signature())

    def factory(self, name):
        raise AssertionError(name)


def places(value, way=()):
    yield way
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*way, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*way, index))


def replaced(value, way, new):
    if not way:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[way[0]] = replaced(value[way[0]], way[1:], new)
    return copy


def load(data):
    """The graph, or the errors; anything else that is raised fails the test."""
    options = Settings(folder=Path.cwd())
    try:
        return load_fleet("-", settings=options, registry=OneMethod(), stdin=io.BytesIO(data))
    except InvalidFleet as error:
        return error.errors


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["a", "b", "a_out", "b_out", "Q1", {"$path": "gone"}, "x < 1", "Miner"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5) | st.just("$path"), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def test_the_document_itself_is_good():
    assert len(load(json.dumps(DOCUMENT).encode()).steps) == 2


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(list(places(DOCUMENT))), json_values)
def test_any_value_at_any_place(way, value):
    found = load(json.dumps(replaced(DOCUMENT, way, value)).encode())
    assert isinstance(found, StepGraph) or len(found) > 0


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(json.dumps(DOCUMENT)) - 1), st.binary(min_size=0, max_size=3))
def test_any_bytes_at_any_place(at, new):
    data = json.dumps(DOCUMENT).encode()
    found = load(data[:at] + new + data[at + 1 :])
    assert isinstance(found, StepGraph) or len(found) > 0
