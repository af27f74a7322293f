"""The installed command, run as a user runs it, on a small fleet in a folder."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

METHODS = '''
from pathlib import Path


class Words:
    """Counts what a text is made of."""

    def __init__(self, language="en"):
        self.language = language

    def count(self, text: str):
        return {"words": len(text.split()), "language": self.language}

    def longest(self, text: str):
        return max(text.split(), key=len)

    def lines(self, document: Path):
        return len(document.read_text().splitlines())

    def column(self, document: Path, number: int):
        return [line.split()[number] for line in document.read_text().splitlines()]


class Summary:
    """Says something about counts."""

    def ratio(self, facts):
        return {"ratio": facts["words.count"]["words"] / max(1, len(facts))}
'''

SETTINGS = """
methods = ["small_methods"]
[inputs]
document = "plan.txt"
text = "@plan.txt"
"""


class SmallFleet:
    """A fleet of two contracts that are fine; tests break it."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.write("small_methods.py", METHODS)
        self.write("batchwright.toml", SETTINGS)
        self.write("plan.txt", "one two three\nfour five\n")
        self.contract("A")
        self.contract("B", facts=[self.method("Words", "count"), self.method("Words", "lines")])

    def __str__(self):
        return str(self.folder)

    @staticmethod
    def method(class_name, method_name, **more):
        """A method as contracts write it."""
        provides = f"{class_name.lower()}.{method_name}"
        return {"class_name": class_name, "method_name": method_name, "provides": provides} | more

    def write(self, name, text):
        (self.folder / name).write_text(textwrap.dedent(text))

    def contract(self, id_, facts=None, inferences=None, name=None, **more):
        phases = {
            "observe": {
                "output_target": "facts",
                "methods": facts or [self.method("Words", "count")],
            },
            "infer": {
                "dependencies": ["observe"],
                "output_target": "inferences",
                "methods": inferences
                if inferences is not None
                else [self.method("Summary", "ratio", requires=["facts"])],
            },
        }
        document = {
            "identity": {"contract_id": id_},
            "method_binding": {"execution_phases": phases},
        } | more
        self.write(name or f"{id_}.json", json.dumps(document))

    def failing(self, id_="C", **more):
        """A contract one of whose methods raises IndexError."""
        facts = [self.method("Words", "column", args={"number": 2}), self.method("Words", "count")]
        self.contract(id_, facts=facts, **more)


@pytest.fixture
def fleet(tmp_path):
    return SmallFleet(tmp_path / "fleet")


@pytest.fixture
def batchwright(tmp_path):
    """Runs the installed command in a folder of the test's own; gives what it said and returned."""
    program = Path(sys.executable).with_name("batchwright")

    def run(*arguments, environment=None, cwd=tmp_path, **options):
        command = [str(program), *(str(argument) for argument in arguments)]
        return subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            cwd=cwd,
            env=own_environment(tmp_path) | (environment or {}),
            timeout=120,
            **options,
        )

    run.program = str(program)
    run.environment = own_environment(tmp_path)
    return run


def own_environment(folder):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("BATCHWRIGHT_")}
    kept["BATCHWRIGHT_SECRET_FILE"] = os.environ["BATCHWRIGHT_SECRET_FILE"]
    kept |= {"XDG_CACHE_HOME": str(folder / "user-cache"), "PYTHONDONTWRITEBYTECODE": "1"}
    kept.pop("NO_COLOR", None)
    return kept


@pytest.fixture
def with_rights_enforced():
    """Options of a subprocess that make permissions count for root as for everybody."""
    if os.geteuid() != 0:
        return {}
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)

    def give_up_overriding():
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            if libc.prctl(24, capability, 0, 0, 0):  # PR_CAPBSET_DROP
                raise OSError(ctypes.get_errno(), "a capability cannot be given up")

    return {"preexec_fn": give_up_overriding}
