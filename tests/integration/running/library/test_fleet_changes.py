"""The example fleet against its oracle, again, in other processes, and with other contracts."""

from __future__ import annotations

import json
import shutil
import sys
from typing import Any

import pytest


def names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def test_a_cold_run_gives_what_the_oracle_gives(cold: Any) -> None:
    ids = cold.oracle.spread(sorted(cold.cold.status_of), 20)

    outcomes = cold.oracle.run_contracts(cold.folder, ids, cold.cold.keys())

    assert len(cold.cold.status_of) == 300
    assert cold.oracle.compare(cold.cold.as_steps(ids), outcomes) == []
    assert {cold.oracle.kind_of(outcome) for outcome in outcomes.values()} == {
        "digest",
        "failed",
        "opaque",
    }


def test_a_cold_run_computes_each_call_once(cold: Any) -> None:
    ran = cold.cold.ran()
    calls = [cold.cold.calls[address] for address in ran.values()]
    assert len(calls) == len({*calls}) == len({*cold.cold.calls.values()})
    assert {reason for _, reason in cold.cold.planned.values()} == {"never run before"}


@pytest.mark.parametrize("hash_seed", [0, 7])
def test_a_second_run_tries_nothing_but_what_failed(library: Any, hash_seed: int) -> None:
    library.check_nothing_ran(library.run(hash_seed))


def test_a_run_without_state_gives_the_same_in_another_process(library: Any) -> None:
    shutil.rmtree(library.folder / ".batchwright")

    ran = library.run(hash_seed=7)

    assert ran.contents() == library.cold.contents()  # those from random numbers as well
    assert ran.keys() == library.cold.keys()
    assert ran.summary["computed"] == library.cold.summary["computed"]


def test_when_nothing_fails_any_more_a_run_does_nothing(library: Any) -> None:
    library.edit("library/tables.py", ("        if not found:", "        if found is None:"))
    assert library.run().summary["failed"] == 0

    ran = library.run()

    assert ran.ran() == {}
    assert ran.summary["objects_built"] == 0
    assert {status for status, _ in ran.planned.values()} == {"known"}


PLAN = """
import json
from pathlib import Path
import batchwright
with batchwright.plan(Path()) as prepared:
    found = zip(prepared.graph.steps, prepared.keyed.of, strict=True)
    told = {str(s.address): (prepared.standings[n].status, prepared.reasons[n]) for s, n in found}
print(json.dumps(told))
"""


def test_a_plan_tells_what_the_run_then_goes_by_and_leaves_all_as_it_was(library: Any) -> None:
    library.edit("library/readability.py", ("> 2 for word", "> 3 for word"))

    first, second = (json.loads(library.command(sys.executable, "-c", PLAN)) for _ in range(2))

    assert first == second == library.run().planned
    assert {status for status, _ in first.values()} == {
        "known",
        "will run",
        "may run",
        "failed before",
    }


def test_the_commands_agree_with_the_oracle_and_name_the_cause(library: Any) -> None:
    library.edit("library/areas.py", ("if count > 2", "if count > 3"))
    report = library.folder.parent / "report.json"
    batchwright = [sys.executable, "-m", "batchwright"]

    explained = library.command(*batchwright, "explain", library.folder, "Q010_PA03")
    library.command(*batchwright, "run", library.folder, "--json", report)
    oracle = [sys.executable, library.folder / "oracle.py", report, "--contracts", "Q010_PA0[34]"]
    compared = library.command(*oracle, "--fleet", library.folder)

    assert "library.areas:AreaProfile.terms changed" in explained
    assert json.loads(report.read_text("utf-8"))["summary"]["computed"] > 0
    assert compared.startswith("no difference\n2 contracts, ")


def test_an_added_contract_computes_what_none_asked_before(library: Any) -> None:
    contract = library.contract("Q013_PA05")  # about keywords
    contract["identity"]["contract_id"] = "Q031_PA05"
    contract["question_context"]["keywords"] = ["codec", "string"]
    library.add(contract)

    ran = library.run_beside_oracle(["KeywordContext.lines"])

    asked = names("""
        Coherence.score CoherenceAudit.check EvidenceAudit.coverage KeywordContext.lines
        Spread.concentration SuffixIndex.phrases Themes.dominant
    """)
    library.check(ran, fresh=asked, causes="never run before")
    computed = {address for address, step in ran.steps.items() if step["outcome"] == "computed"}
    assert {address.partition("/")[0] for address in computed} == {"Q031_PA05"}


def test_an_edited_contract_recomputes_what_its_question_reaches(library: Any) -> None:
    contract = library.contract("Q029_PA09")  # draws samples
    contract["question_context"]["keywords"] = ["codec", "string"]
    for method in contract["method_binding"]["execution_phases"]["observe"]["methods"]:
        if method["provides"] == "documentation_interval":
            method["args"]["sample"] = 90
    library.add(contract)

    ran = library.run()

    outcomes = library.oracle.run_contracts(library.folder, ["Q029_PA09"], ran.keys())
    assert library.oracle.compare(ran.as_steps(["Q029_PA09"]), outcomes) == []
    reasons = {
        "Bootstrap.documentation_length": "argument 'sample' changed",
        "EvidenceAudit.coverage": "argument 'question_context' changed",
    }
    follow = names("CompletenessAudit.missing Scaling.laws Spread.concentration Themes.dominant")
    causes = reasons | dict.fromkeys(follow, "Bootstrap.documentation_length")
    library.check(ran, fresh=causes.keys(), causes=causes)


def test_a_removed_contract_recomputes_nothing(library: Any) -> None:
    library.remove("Q001_PA01")  # the first to need what many share

    ran = library.run()

    library.check(ran)
    rest = {a: c for a, c in library.cold.contents().items() if not a.startswith("Q001_PA01/")}
    assert ran.contents() == rest
    assert ran.summary["computed"] == 0


def test_a_renamed_contract_recomputes_nothing(library: Any) -> None:
    contract = library.contract("Q001_PA01")
    contract["identity"]["contract_id"] = "first"
    library.remove("Q001_PA01")
    library.add(contract)

    ran = library.run()

    library.check(ran)
    renamed = {a.replace("Q001_PA01/", "first/"): c for a, c in library.cold.contents().items()}
    assert ran.contents() == renamed
    assert ran.summary["computed"] == 0


def test_random_numbers_come_from_the_key(library: Any) -> None:
    library.edit("library/sampling.py", ("k=sample))", "k=int(sample)))"))

    ran = library.run_beside_oracle(["Bootstrap.documentation_length"])

    library.check(
        ran,
        reached=names("Bootstrap.documentation_length"),
        causes="library.sampling:Bootstrap.documentation_length changed",
        spared=names("CoherenceAudit.check"),
    )
    for address, step in ran.steps.items():
        if step["label"] == "Bootstrap.documentation_length":
            assert ran.content(address) != library.cold.content(address)
        if step["label"] == "Bootstrap.sentence_length":
            assert ran.content(address) == library.cold.content(address)


EXPIRING = """
import json, sys
from pathlib import Path
import batchwright
from batchwright import step
from library.phrases import NGrams
from library.vocabulary import Vocabulary

now, state = float(sys.argv[1]), Path(sys.argv[2])

def top(frequencies):
    return list(frequencies["ranking"])[:5]

text = Path("docstrings.txt").read_text("utf-8")
fleet = {
    "expiring": step(top)(step(Vocabulary, ttl=60)().frequencies(text)),
    "lasting": step(NGrams)(size=2).top(text),
}
with batchwright.run(fleet, state=state, clock=lambda: now) as result:
    print(json.dumps({record.label: (record.outcome, record.reason) for record in result.records}))
"""


def test_a_result_is_computed_again_when_its_time_has_passed(library: Any) -> None:
    state = library.folder.parent / "state"

    def run(now: float) -> dict[str, list[str]]:
        told = library.command(sys.executable, "-c", EXPIRING, str(now), state)
        found: dict[str, list[str]] = json.loads(told)
        return found

    begun = 1.9e9
    first = run(begun)
    assert {outcome for outcome, _ in first.values()} == {"computed"}
    assert first.keys() == {"NGrams.top", "Vocabulary.frequencies", "top"}

    before = run(begun + 59)
    assert {outcome for outcome, _ in before.values()} == {"known"}

    after = run(begun + 61)
    assert after["Vocabulary.frequencies"] == ["computed", "its result has expired (ttl 60 s)"]
    assert after["top"] == ["known", "its inputs gave the values they had before"]
    assert after["NGrams.top"][0] == "known"

    # Counted from the computation, not from when the result was last served.
    assert {outcome for outcome, _ in run(begun + 61 + 59).values()} == {"known"}
    assert run(begun + 61 + 61)["Vocabulary.frequencies"][0] == "computed"
