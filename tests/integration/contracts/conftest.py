"""A fleet in a folder, written piece by piece."""

import json
import sys
import textwrap

import pytest

from batchwright.contracts.build import load_fleet
from batchwright.errors import InvalidFleet

METHODS = """
from __future__ import annotations

from pathlib import Path


class Miner:
    def __init__(self, language, depth=2):
        self.language = language

    def tokens(self, document: Path):
        return {"count": 3}

    def words(self, text: str, sector_id):
        return {"count": 3}

    def compare(self, raw_facts, weight=1.0):
        return {"coherence_score": 0.4}


class Auditor:
    def judge(self, raw_facts, inferences):
        return {"ok": True}

    @staticmethod
    def sum_up(inferences, **options):
        return options


def count(text):
    return len(text)
"""

SETTINGS = """
methods = ["fleet_methods"]
[inputs]
document = "plan.bin"
text = "@plan.txt"
[instances.Miner]
language = "es"
"""


def phases():
    """Three phases in the v4 shape, written with the last one first."""
    return {
        "audit": {
            "level": None,
            "dependencies": ["infer"],
            "output_target": "audits",
            "methods": [
                {
                    "class_name": "Auditor",
                    "method_name": "judge",
                    "level": "N3-AUD",
                    "provides": "audit.judge",
                    "requires": ["raw_facts", "inferences"],
                }
            ],
        },
        "observe": {
            "level": "N1",
            "dependencies": [],
            "output_target": "raw_facts",
            "methods": [
                {"class_name": "Miner", "method_name": "words", "level": "N1-EMP"},
                {"class_name": "Miner", "method_name": "tokens", "level": "N1-EMP"},
            ],
        },
        "infer": {
            "level": "N2",
            "output_target": "inferences",
            "methods": [
                {
                    "class_name": "Miner",
                    "method_name": "compare",
                    "level": "N2-INF",
                    "requires": ["raw_facts"],
                    "confidence_score": 0.8,
                    "args": {"weight": 0.5},
                }
            ],
        },
    }


class FleetFolder:
    """Writes a fleet's files and loads it."""

    def __init__(self, path):
        self.path = path
        self.write("fleet_methods.py", METHODS)
        self.write("batchwright.toml", SETTINGS)
        self.write("plan.txt", "a plan\n")
        self.write("plan.bin", "plan")

    def write(self, name, text):
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).encode())
        return file

    def document(self, contract_id="Q1", **changes):
        return {
            "identity": {"contract_id": contract_id, "sector_id": "PA01"},
            "executor": {"unused": [1, 2, 3]},
            "method_binding": {"execution_phases": phases()},
            "question_context": {"question": "what?"},
        } | changes

    def contract(self, contract_id="Q1", file=None, **changes):
        document = self.document(contract_id, **changes)
        return self.write(file or f"{contract_id}.json", json.dumps(document))

    def one_method(self, contract_id="Q1", *, phase=None, **method):
        """A contract of a single phase with a single method."""
        written = {"methods": [method], "output_target": "raw_facts"} | (phase or {})
        binding = {"execution_phases": {"observe": written}}
        return self.contract(contract_id, method_binding=binding)

    def load(self, source=None, **options):
        return load_fleet(self.path if source is None else source, **options)

    def errors(self, source=None, **options):
        with pytest.raises(InvalidFleet) as caught:
            self.load(source, **options)
        return caught.value.errors

    def error(self, source=None, **options):
        errors = self.errors(source, **options)
        assert len(errors) == 1, [str(error) for error in errors]
        return errors[0]


@pytest.fixture
def fleet(tmp_path):
    modules, path = set(sys.modules), list(sys.path)
    folder = tmp_path / "fleet"
    folder.mkdir()
    yield FleetFolder(folder)
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        module = sys.modules[name]
        # A package without an `__init__.py` has a path and no file.
        places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
        if any(str(tmp_path) in str(place) for place in places):
            del sys.modules[name]
