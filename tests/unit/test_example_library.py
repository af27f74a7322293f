"""The example fleet is what it promises: real text, 300 contracts, few different calls."""

from __future__ import annotations

import importlib
import inspect
import json
import sys
import textwrap
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from batchwright.contracts.veto import parse_veto

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FLEET = Path(__file__).parents[2] / "examples" / "library"


@pytest.fixture(scope="module")
def load() -> Iterator[Callable[[str], Any]]:
    """Import a module of the fleet; all of them are forgotten afterwards."""
    before = set(sys.modules)
    sys.path.insert(0, str(FLEET))
    importlib.invalidate_caches()
    yield importlib.import_module
    sys.path.remove(str(FLEET))
    for name in set(sys.modules) - before:
        if str(FLEET) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture(scope="module")
def text(load: Callable[[str], Any]) -> str:
    made: str = load("make_text").make_text()
    return made


def contracts() -> list[dict[str, Any]]:
    return [json.loads(path.read_text("utf-8")) for path in sorted((FLEET / "contracts").iterdir())]


def methods(contract: dict[str, Any]) -> list[dict[str, Any]]:
    phases = contract["method_binding"]["execution_phases"].values()
    return [method for phase in phases for method in phase["methods"]]


# --- the text ------------------------------------------------------------------------------


def test_the_text_is_large_and_has_every_area(load: Callable[[str], Any], text: str) -> None:
    assert len(text) > 1_500_000
    areas = load("library.areas")
    words = Counter[str]()
    for page in load("library.pages").pages_of(text):
        words[areas.area_of(page)] += len(page.body.split())
    assert sorted(words) == [f"PA{number:02}" for number in range(1, 11)]
    assert min(words.values()) > 5_000


@pytest.mark.parametrize(
    ("documented", "heading"),
    [
        (json.JSONDecoder, "## class JSONDecoder(object)"),
        (json.dumps, "## def dumps(obj, "),
        (textwrap.dedent, "## def dedent(text)"),
        (inspect.cleandoc, "## def cleandoc(doc)"),
    ],
)
def test_the_text_is_what_the_modules_document(documented: Any, heading: str, text: str) -> None:
    body = textwrap.indent(inspect.getdoc(documented) or "", "    ")
    start = text.index(f"\n{heading}")
    assert body.strip() in text[start : start + len(body) + 300]


def test_the_text_is_the_same_each_time_and_short_on_request(load: Callable[[str], Any]) -> None:
    make_text = load("make_text").make_text
    short = make_text(every=50)
    assert short == make_text(every=50)
    pages = load("library.pages").pages_of(short)
    assert 5 < len(pages) < 20
    assert [page.name for page in pages if page.kind == "module"] == sorted(
        page.name for page in pages if page.kind == "module"
    )


def test_every_page_of_the_text_is_read_as_one(load: Callable[[str], Any], text: str) -> None:
    pages = load("library.pages").pages_of(text)
    headings = [line for line in text.splitlines() if line.startswith("# ")]
    assert [f"# {page.kind} {page.name}" for page in pages] == headings


# --- the contracts -------------------------------------------------------------------------


def test_the_contracts_are_what_the_script_makes(
    load: Callable[[str], Any], tmp_path: Path
) -> None:
    (tmp_path / "Q999_PA01.json").write_text("{}")
    load("make_contracts").write(tmp_path)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_bytes() for path in (FLEET / "contracts").iterdir()}
    assert made == kept


def test_contracts_are_300_of_five_types_and_19_plans() -> None:
    made = contracts()
    types = Counter(contract["identity"]["contract_type"] for contract in made)
    assert types == {"TYPE_A": 20, "TYPE_B": 120, "TYPE_C": 40, "TYPE_D": 80, "TYPE_E": 40}
    sequences = {tuple(method["provides"] for method in methods(contract)) for contract in made}
    assert len(sequences) == 19
    assert {len(sequence) for sequence in sequences} <= set(range(13, 18))
    ids = {contract["identity"]["contract_id"] for contract in made}
    assert ids == {f"Q{q:03}_PA{a:02}" for q in range(1, 31) for a in range(1, 11)}


def test_calls_are_many_and_few_of_them_differ(load: Callable[[str], Any]) -> None:
    make_contracts = load("make_contracts")
    assert make_contracts.calls() == sum(len(methods(contract)) for contract in contracts())
    assert 4_000 <= make_contracts.calls() <= 4_400
    assert 200 <= make_contracts.unique_calls() <= 350
    called = {
        (method["class_name"], method["method_name"])
        for contract in contracts()
        for method in methods(contract)
    }
    assert 50 <= len(called) <= 64
    assert 30 <= len({class_name for class_name, _ in called}) <= 45


def test_methods_take_what_the_plans_say(load: Callable[[str], Any]) -> None:
    fleet = load("oracle").Fleet(FLEET)
    for name, spec in load("plans").METHODS.items():
        class_name, method_name = spec.call.split(".")
        method = getattr(fleet.find_class(class_name), method_name)
        given = {*fleet.inputs, "sector_id", "question_context", "raw_facts", "inferences"}
        bound = [p for p in inspect.signature(method).parameters if p in given]
        assert bound == list(spec.takes), name


def test_every_veto_is_one(load: Callable[[str], Any]) -> None:
    conditions = {
        (name, json.dumps(veto))
        for contract in contracts()
        for method in methods(contract)
        for name, veto in method.get("veto_conditions", {}).items()
    }
    assert len(conditions) == 5
    for name, veto in conditions:
        told = json.loads(veto)
        parsed = parse_veto(
            name, told["trigger"], told["action"], told["scope"], told["confidence_multiplier"]
        )
        assert parsed.action == told["action"]


# --- the oracle's comparison ---------------------------------------------------------------

STEP = {"address": "A/observe/x", "key": "00", "digest": "abc", "outcome": "computed"}


@pytest.mark.parametrize(
    ("step", "outcome", "difference"),
    [
        (STEP, "abc", ""),
        ({**STEP, "outcome": "known"}, "abc", ""),
        (STEP, "abd", "the oracle has abd"),
        (STEP, "opaque 123", ""),
        (STEP, "failed ValueError: no table", "computed abc"),
        (
            {**STEP, "outcome": "failed", "failure": {"type": "ValueError", "message": "no table"}},
            "failed ValueError: no table",
            "",
        ),
        (
            {**STEP, "outcome": "failed", "failure": {"type": "KeyError", "message": "'x'"}},
            "failed ValueError: no table",
            "no table",
        ),
        ({**STEP, "outcome": "failed", "digest": None}, "abc", "failed no digest"),
        ({**STEP, "outcome": "failed", "digest": None}, "opaque 123", "failed no digest"),
        ({**STEP, "outcome": "skipped", "digest": None}, "skipped", ""),
        (STEP, "skipped", "the oracle has skipped"),
    ],
)
def test_the_oracle_tells_what_differs(
    load: Callable[[str], Any], step: dict[str, Any], outcome: str, difference: str
) -> None:
    found = load("oracle").compare([step], {"A/observe/x": outcome})
    assert bool(found) is bool(difference)
    assert all(difference in line for line in found)


def test_the_oracle_misses_no_step_of_either_side(load: Callable[[str], Any]) -> None:
    compare = load("oracle").compare
    assert compare([], {"A/observe/x": "abc"}) == ["A/observe/x: not in the report"]
    assert compare([STEP], {}) == ["A/observe/x: not in the oracle"]


def test_a_sample_is_spread_over_questions_and_areas(load: Callable[[str], Any]) -> None:
    spread = load("oracle").spread
    names = [f"Q{q:03}_PA{a:02}" for q in range(1, 31) for a in range(1, 11)]
    chosen = spread(names, 10)
    assert len({name[:4] for name in chosen}) == 10
    assert len({name[-4:] for name in chosen}) == 10
    assert spread(names, 1000) == names
    assert spread(names, 0) == []
