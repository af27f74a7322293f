"""The example fleet's oracle, on copies of the fleet with a small document."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

FLEET = Path(__file__).parents[2] / "examples" / "library"
# A stateful class; tables that fail; a fitted model; random numbers.
IDS = ("Q001_PA01", "Q019_PA01", "Q027_PA03", "Q029_PA02")


@pytest.fixture(scope="module")
def oracle() -> Any:
    spec = importlib.util.spec_from_file_location("example_oracle", FLEET / "oracle.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fleet") / "copy"
    unwanted = shutil.ignore_patterns("docstrings.txt", ".batchwright", "__pycache__")
    shutil.copytree(FLEET, folder, ignore=unwanted)
    command = [sys.executable, str(folder / "make_text.py"), "--every", "40"]
    subprocess.run(command, check=True, capture_output=True)  # this Python
    return folder


@pytest.fixture(scope="module")
def outcomes(oracle: Any, fleet: Path) -> dict[str, str]:
    found: dict[str, str] = oracle.run_contracts(fleet, IDS, seeds(fleet))
    return found


def seeds(fleet: Path, salt: str = "") -> dict[str, str]:
    """A key for every step of the contracts."""
    found = {}
    for name in IDS:
        contract = json.loads((fleet / "contracts" / f"{name}.json").read_text("utf-8"))
        for phase, entry in contract["method_binding"]["execution_phases"].items():
            for method in entry["methods"]:
                address = f"{name}/{phase}/{method['provides']}"
                found[address] = sha256(f"{salt}{method['provides']}".encode()).hexdigest()
    return found


def run(command: list[Any]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # this Python and the fleet's own script
        command, capture_output=True, text=True, check=False
    )


def different(one: dict[str, str], other: dict[str, str]) -> set[str]:
    assert one.keys() == other.keys()
    return {address for address in one if one[address] != other[address]}


def test_every_step_has_an_outcome(fleet: Path, outcomes: dict[str, str], oracle: Any) -> None:
    assert outcomes.keys() == seeds(fleet).keys()
    kinds = {address: oracle.kind_of(outcome) for address, outcome in outcomes.items()}
    assert outcomes["Q019_PA01/observe/tables"] == (
        "failed ValueError: no table on the pages of PA01"
    )
    assert {address for address, kind in kinds.items() if kind == "failed"} == {
        "Q019_PA01/observe/tables"
    }
    assert {address for address, kind in kinds.items() if kind == "opaque"} == {
        "Q027_PA03/observe/page_model"
    }


def test_another_hash_seed_changes_nothing(
    oracle: Any, fleet: Path, outcomes: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for hash_seed in ("1", "2"):
        monkeypatch.setenv("PYTHONHASHSEED", hash_seed)
        assert oracle.run_contracts(fleet, IDS, seeds(fleet)) == outcomes


def test_other_keys_change_the_random_steps_only(
    oracle: Any, fleet: Path, outcomes: dict[str, str]
) -> None:
    changed = different(outcomes, oracle.run_contracts(fleet, IDS, seeds(fleet, "other")))
    assert changed == {
        "Q029_PA02/observe/sentence_interval",
        "Q029_PA02/observe/documentation_interval",
    }


def test_an_edited_copy_is_run_as_edited(
    oracle: Any, fleet: Path, outcomes: dict[str, str], tmp_path: Path
) -> None:
    edited = tmp_path / "edited"
    shutil.copytree(fleet, edited)
    sampling = edited / "library" / "sampling.py"
    sampling.write_text(sampling.read_text("utf-8").replace("0.95", "0.9"), "utf-8")
    changed = different(outcomes, oracle.run_contracts(edited, IDS, seeds(edited)))
    assert changed == {
        "Q029_PA02/observe/sentence_interval",
        "Q029_PA02/observe/documentation_interval",
    }


def test_a_fleet_that_cannot_be_run_is_an_error(oracle: Any, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"batchwright\.toml"):
        oracle.run_contracts(tmp_path, IDS)


def test_the_command_compares_a_report_and_fails_on_a_difference(
    fleet: Path, outcomes: dict[str, str], tmp_path: Path
) -> None:
    ids = ("Q019_PA01", "Q029_PA02")
    chosen = {a: o for a, o in outcomes.items() if a.startswith(ids)}
    steps = {str(number): step_of(outcome) for number, outcome in enumerate(chosen.values())}
    for (number, step), key in zip(steps.items(), map(seeds(fleet).get, chosen), strict=True):
        step |= {"number": int(number), "key": key}
    places = [{"address": address, "step": number} for number, address in enumerate(chosen)]
    contracts = {
        id_: {"steps": [place for place in places if place["address"].startswith(id_)]}
        for id_ in ids
    }
    report = tmp_path / "run.json"
    command = [sys.executable, FLEET / "oracle.py", report, "--fleet", fleet, "--all"]
    report.write_text(json.dumps({"contracts": contracts, "steps": steps}))
    same = run(command)
    assert (same.returncode, same.stderr) == (0, "")
    assert same.stdout.startswith("no difference\n2 contracts, ")

    last = places[-1]
    steps[str(last["step"])]["digest"] = "0" * 64
    failed = next(step for step in steps.values() if step["failure"])
    failed["failure"]["message"] = "no table"
    report.write_text(json.dumps({"contracts": contracts, "steps": steps}))
    other = run(command)
    assert other.returncode == 1
    assert str(last["address"]) in other.stdout
    assert "Q019_PA01/observe/tables: failed ValueError: no table, the oracle has" in other.stdout
    assert "2 differ" in other.stdout


def step_of(outcome: str) -> dict[str, Any]:
    """The step of a report that came out so."""
    if outcome.startswith("failed "):
        kind, message = outcome.removeprefix("failed ").split(": ", 1)
        return {"outcome": "failed", "digest": None, "failure": {"type": kind, "message": message}}
    return {"outcome": "computed", "digest": outcome, "failure": None}
