"""A small fleet in a folder, edited between runs, each run in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

import batchwright

if TYPE_CHECKING:
    from pathlib import Path

_RUN = """
import json, sys, time
from pathlib import Path
import batchwright
options = json.loads(sys.argv[2])
ahead = options.pop("clock_ahead", 0)
with batchwright.run(Path(sys.argv[1]), clock=lambda: time.time() + ahead, **options) as result:
    result.to_json(sys.argv[3])
"""


class Ran:
    """What a run left behind, by address."""

    def __init__(self, told: dict) -> None:
        self.told = told
        self.summary = told["summary"]
        self.step_of = {
            each["address"]: told["steps"][str(each["step"])]
            for contract in told["contracts"].values()
            for each in contract["steps"]
        }

    def value(self, address: str):
        return self.step_of[address]["value"]

    def values(self) -> dict:
        return {address: step.get("value") for address, step in self.step_of.items()}

    def outcome(self, address: str) -> str:
        return self.step_of[address]["outcome"]

    def status(self, contract: str) -> str:
        return self.told["contracts"][contract]["status"]

    def computed(self) -> list[str]:
        """The addresses of the steps that ran, one for each unique step."""
        seen: dict[int, str] = {}
        for address, step in self.step_of.items():
            if step["outcome"] in ("computed", "failed"):
                seen.setdefault(step["number"], address)
        return sorted(seen.values())


class Fleet:
    """A folder of contracts with their methods."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "contracts").mkdir(parents=True)
        self.settings('methods = ["methods"]')

    def settings(self, text: str) -> None:
        (self.folder / "batchwright.toml").write_text(text + "\n")

    def methods(self, source: str, name: str = "methods") -> None:
        (self.folder / f"{name}.py").write_text(textwrap.dedent(source))

    def contract(self, id_: str, *calls: str | dict, on_failure: str = "continue", **more) -> None:
        """A contract with a phase `observe`, calling `Class.method` or `Class.method>provides`.

        A call may also be a whole method entry; entries with `phase` make further phases, each
        depending on those before it, with `output_target` the phase's name.
        """
        phases: dict[str, list] = {}
        for call in calls:
            entry = _entry(call) if isinstance(call, str) else dict(call)
            phases.setdefault(entry.pop("phase", "observe"), []).append(entry)
        names = list(phases)
        document = {
            "identity": {"contract_id": id_, **more.pop("identity", {})},
            "method_binding": {
                "execution_phases": {
                    name: {
                        "level": f"N{place + 1}",
                        "dependencies": names[:place],
                        "output_target": name,
                        "methods": phases[name],
                    }
                    for place, name in enumerate(names)
                }
            },
            "error_handling": {"on_method_failure": on_failure},
            **more,
        }
        (self.folder / "contracts" / f"{id_}.json").write_text(json.dumps(document))

    def run(self, hash_seed: int = 0, **options) -> Ran:
        """Run the fleet with these options of `run`; `clock_ahead` sets its clock, in seconds."""
        report = self.folder / "run.json"
        environment = os.environ | {"PYTHONHASHSEED": str(hash_seed)}
        environment["PYTHONDONTWRITEBYTECODE"] = "1"  # edits may fall into one clock tick
        ended = subprocess.run(
            [sys.executable, "-c", _RUN, self.folder, json.dumps(options), report],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            cwd=self.folder,
        )
        assert ended.returncode == 0, ended.stderr
        return Ran(json.loads(report.read_text()))


def _entry(call: str) -> dict:
    name, _, provides = call.partition(">")
    class_name, _, method = name.rpartition(".")
    return {
        "class_name": class_name,
        "method_name": method,
        "provides": provides or method,
    }


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path / "fleet")


class PythonRuns:
    """Runs of steps made in Python on one state folder, in this process, with their own clock."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.now = 1e9
        self.open: list[batchwright.Result] = []

    def __call__(self, what, **options) -> batchwright.Result:
        result = batchwright.run(what, state=self.state, clock=self.clock, **options)
        self.open.append(result)
        return result

    def clock(self) -> float:
        return self.now

    def plan(self, what, **options) -> dict[str, str]:
        """How each distinct step stands, by its label."""
        with batchwright.plan(what, state=self.state, clock=self.clock, **options) as prepared:
            standings = zip(prepared.keyed.uniques, prepared.standings, strict=True)
            return {unique.label: standing.status for unique, standing in standings}

    def clear(self, method: str) -> int:
        """Drop what is kept of a method."""
        with batchwright.Cache(self.state / "cache") as cache:
            return cache.clear(method=method)


@pytest.fixture
def python_runs(tmp_path: Path):
    runs = PythonRuns(tmp_path)
    yield runs
    for result in runs.open:
        result.close()
