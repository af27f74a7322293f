"""Copies of the example fleet with its state after a cold run, and what a run must recompute.

The latter is worked out from the contracts, from what each method takes, and from values; no key
of batchwright's enters it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

EXAMPLE = Path(__file__).parents[4] / "examples" / "library"
SMALL = "30"  # each thirtieth page: the whole fleet takes about two seconds

# Draws random numbers, seeded from its steps' keys.
RANDOM = {"Bootstrap.documentation_length", "Bootstrap.sentence_length"}
# Raises for some areas, and is tried again in every run.
FAILING = "Tables.parse"
FAILED_STEPS = 10

_RUN = """
import json, sys
from pathlib import Path
import batchwright

class Plan:
    def planned(self, prepared):
        self.told = {
            str(step.address): (prepared.standings[number].status, prepared.reasons[number])
            for step, number in zip(prepared.graph.steps, prepared.keyed.of, strict=True)
        }
    def ignore(self, *told):
        pass
    step_started = step_ended = contract_ended = run_ended = ignore

folder, report, planned = map(Path, sys.argv[1:])
plan = Plan()
with batchwright.run(folder, observer=plan) as result:
    result.to_json(report, values=False)
planned.write_text(json.dumps(plan.told))
"""


def load_by_path(path: Path) -> Any:
    name = f"example_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Ran:
    """A run's report and the plan that it began with, by address."""

    def __init__(
        self,
        report: dict[str, Any],
        planned: dict[str, tuple[str, str]],
        contracts: list[dict[str, Any]],
        methods: Mapping[str, Any],
    ) -> None:
        self._contracts = contracts
        self._methods = methods
        self.summary = report["summary"]
        self.status_of = {id_: told["status"] for id_, told in report["contracts"].items()}
        self.planned = planned
        self.steps = {
            place["address"]: report["steps"][str(place["step"])]
            for contract in report["contracts"].values()
            for place in contract["steps"]
        }

    def content(self, address: str) -> Any:
        """What tells the result of a step from others: a digest, or the failure."""
        step = self.steps[address]
        failure = step["failure"]
        return (failure["type"], failure["message"]) if failure else step["digest"]

    def contents(self) -> dict[str, Any]:
        return {address: self.content(address) for address in self.steps}

    def keys(self) -> dict[str, str]:
        return {address: step["key"] for address, step in self.steps.items() if step["key"]}

    def ran(self) -> dict[int, str]:
        """The steps that were computed or tried, by number, with one address of each."""
        return {
            step["number"]: address
            for address, step in self.steps.items()
            if step["outcome"] in ("computed", "failed")
        }

    def reasons(self, label: str) -> set[str]:
        """Why the steps of a method ran."""
        return {step["reason"] for step in self.steps.values() if step["label"] == label}

    @cached_property
    def calls(self) -> dict[str, tuple[Any, ...]]:
        """For each address its call: the method and what it was given that tells calls apart.

        The text, the same for all, is left out, and so is what an object went through before.
        """
        found: dict[str, tuple[Any, ...]] = {}
        for contract in self._contracts:
            given: dict[str, Any] = {
                **contract["identity"],
                "question_context": json.dumps(contract["question_context"]),
                "text": None,
                "document": None,
            }
            for phase, entry in contract["method_binding"]["execution_phases"].items():
                results = []
                for method in sorted(entry["methods"], key=itemgetter("provides")):
                    provides = method["provides"]
                    address = f"{given['contract_id']}/{phase}/{provides}"
                    label = f"{method['class_name']}.{method['method_name']}"
                    taken = tuple(given[name] for name in self._methods[provides].takes)
                    found[address] = (label, taken, json.dumps(method.get("args")))
                    results.append((provides, self.content(address)))
                given[entry["output_target"]] = tuple(results)
        return found

    def as_steps(self, ids: Collection[str]) -> list[dict[str, Any]]:
        """The steps of contracts, in the form in which the oracle compares them."""
        return [
            {**step, "address": address}
            for address, step in self.steps.items()
            if address.partition("/")[0] in ids
        ]


class Library:
    """A copy of the example fleet that may be edited, with its state and the run that left it."""

    def __init__(self, folder: Path, cold: Ran | None, oracle: Any, secret: Path) -> None:
        self.folder = folder
        self.secret = secret
        self.oracle = oracle
        self.plans = load_by_path(EXAMPLE / "plans.py")
        self.cold = cold

    # --- editing and running ----------------------------------------------------------------

    def edit(self, file: str, *changes: tuple[str, str]) -> None:
        """Put `new` in place of each `old`, which must stand in the file exactly once."""
        path = self.folder / file
        text = path.read_text("utf-8")
        for old, new in changes:
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
            text = text.replace(old, new)
        path.write_bytes(text.encode("utf-8"))

    def contracts(self) -> list[dict[str, Any]]:
        paths = sorted((self.folder / "contracts").glob("*.json"))
        return [json.loads(path.read_text("utf-8")) for path in paths]

    def contract(self, id_: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "contracts" / f"{id_}.json").read_text())
        return found

    def add(self, contract: dict[str, Any]) -> None:
        id_ = contract["identity"]["contract_id"]
        (self.folder / "contracts" / f"{id_}.json").write_text(json.dumps(contract))

    def remove(self, id_: str) -> None:
        (self.folder / "contracts" / f"{id_}.json").unlink()

    def run(self, hash_seed: int = 0) -> Ran:
        """Plan and run the fleet in a fresh process."""
        beside = self.folder.parent
        report, planned = beside / "run.json", beside / "planned.json"
        self.command(sys.executable, "-c", _RUN, self.folder, report, planned, hash_seed=hash_seed)
        return Ran(
            json.loads(report.read_text()),
            json.loads(planned.read_text()),
            self.contracts(),
            self.plans.METHODS,
        )

    def environment(self, hash_seed: int = 0) -> dict[str, str]:
        """Of a process that knows the secret of the cold run's cache.

        No bytecode is kept, for an edit may fall into the clock tick in which it was written.
        """
        return os.environ | {
            "BATCHWRIGHT_SECRET_FILE": str(self.secret),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": str(hash_seed),
        }

    def command(self, *command: Any, hash_seed: int = 0) -> str:
        """What a command that ends well writes; it runs in the fleet's folder."""
        ended = subprocess.run(
            command,
            env=self.environment(hash_seed),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            cwd=self.folder,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def run_beside_oracle(self, about: Collection[str]) -> Ran:
        """Run the fleet, and compare contracts that call the methods `about` with the oracle."""
        ids = self.sample(about)
        assert self.cold is not None
        if RANDOM.isdisjoint(about):  # their keys, from which the oracle seeds, are the old ones
            with ThreadPoolExecutor(1) as pool:
                keys = self.cold.keys()
                told: Future[Any] = pool.submit(self.oracle.run_contracts, self.folder, ids, keys)
                ran = self.run()
                outcomes = told.result()
        else:
            ran = self.run()
            outcomes = self.oracle.run_contracts(self.folder, ids, ran.keys())
        assert self.oracle.compare(ran.as_steps(ids), outcomes) == []
        return ran

    def sample(self, about: Collection[str], count: int = 6) -> list[str]:
        """Contracts of different areas that together call as many of the methods as they can."""
        called: dict[str, set[str]] = {}
        for place, contract in enumerate(self.contracts()):
            if place // 10 % 10 == place % 10:  # another area for each question
                called[contract["identity"]["contract_id"]] = {
                    f"{method['class_name']}.{method['method_name']}"
                    for phase in contract["method_binding"]["execution_phases"].values()
                    for method in phase["methods"]
                }
        chosen: list[str] = []
        lacking = {*about}
        while len(chosen) < count:
            rest = [id_ for id_ in called if id_ not in chosen]
            chosen.append(max(rest, key=lambda id_: len(called[id_] & lacking)))
            lacking = (lacking - called[chosen[-1]]) or {*about}
        return sorted(chosen)

    # --- what must run ----------------------------------------------------------------------

    def downstream(self, reached: Collection[str]) -> set[str]:
        """The other methods that are given a result of the methods `reached`, in some plan."""
        methods = self.plans.METHODS
        found: set[str] = set()
        for plan in self.plans.PLANS.values():
            changed: set[str] = set()
            for target, provided in zip(("raw_facts", "inferences", ""), plan.names, strict=True):
                given = {
                    methods[name].call for name in provided if changed & {*methods[name].takes}
                }
                if given or not {methods[name].call for name in provided}.isdisjoint(reached):
                    changed.add(target)
                found |= given
        return found - {*reached}

    def check(
        self,
        ran: Ran,
        *,
        reached: Collection[str] = (),
        spared: Collection[str] = (),
        fresh: Collection[str] = (),
        causes: Mapping[str, str] | str = "",
    ) -> None:
        """The run recomputed all calls of the methods `reached`, with the reason said, and of
        others only calls that were given values never seen before. These are of all methods
        downstream, but for those that were `spared`; and of those of which there are `fresh` calls,
        for contracts ask something that none asked before."""
        before, calls = self.cold, ran.calls
        assert before is not None
        settled = {
            call
            for address, call in before.calls.items()
            if call[0] not in reached and before.steps[address]["outcome"] != "failed"
        }
        must = {call for call in calls.values() if call not in settled}
        numbers = ran.ran()
        follows = self.downstream(reached) - {*spared}
        assert {call[0] for call in must} == {*reached, *follows, *fresh, FAILING}
        assert Counter(calls[address] for address in numbers.values()) == Counter(must)

        for number in numbers:
            label, reason = (ran.steps[numbers[number]][name] for name in ("label", "reason"))
            if label in reached or label in fresh:
                cause = causes if isinstance(causes, str) else causes[label]
                assert cause in reason
            elif label in follows:
                assert reason.startswith(("waits for ", "result ")), reason
            else:
                assert reason.startswith("it failed when last run (ValueError: "), reason
        self._check_plan(ran, calls, {*reached}, must)

    def check_nothing_ran(self, ran: Ran) -> None:
        """Nothing but what failed before was tried, for which one object was built."""
        self.check(ran)
        assert self.cold is not None
        assert ran.contents() == self.cold.contents()
        assert (ran.summary["computed"], ran.summary["failed"]) == (0, FAILED_STEPS)
        assert ran.summary["objects_built"] == 1

    def _check_plan(
        self,
        ran: Ran,
        calls: Mapping[str, tuple[Any, ...]],
        reached: set[str],
        must: set[tuple[Any, ...]],
    ) -> None:
        """The plan told what was known, what would run and what might, with the same reasons."""
        changed = {address.partition("/")[0] for address, call in calls.items() if call in must}
        edited = {
            address.partition("/")[0] for address, call in calls.items() if call[0] in reached
        }
        for address, (status, reason) in ran.planned.items():
            step, call = ran.steps[address], calls[address]
            if call[0] in reached:
                assert status == "will run"
            if status == "known":
                assert step["outcome"] == "known"
            elif status == "will run":
                assert call in must
            elif status == "failed before":
                assert call[0] == FAILING
                assert "ValueError" in reason
            else:
                assert status == "may run"
                assert address.partition("/")[0] in changed | edited
            if step["outcome"] in ("computed", "failed"):
                assert reason == step["reason"]


# --- fixtures --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def oracle() -> Any:
    return load_by_path(EXAMPLE / "oracle.py")


@pytest.fixture(scope="session")
def cold(tmp_path_factory: pytest.TempPathFactory, oracle: Any) -> Library:
    """A copy of the example fleet with a small text, after its first run."""
    folder = tmp_path_factory.mktemp("cold") / "fleet"
    unwanted = shutil.ignore_patterns("docstrings.txt", ".batchwright", "__pycache__")
    shutil.copytree(EXAMPLE, folder, ignore=unwanted)
    command = [sys.executable, folder / "make_text.py", "--every", SMALL]
    subprocess.run(command, check=True, capture_output=True)
    library = Library(folder, None, oracle, folder.parent / "private" / "secret")
    library.cold = library.run()
    return library


@pytest.fixture
def library(cold: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """A copy to edit, in another folder than that of the cold run."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")  # the oracle's process, too
    folder = tmp_path / "copy"
    shutil.copytree(cold.folder, folder)
    return Library(folder, cold.cold, cold.oracle, cold.secret)
