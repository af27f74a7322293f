"""Memoized functions across processes and edits: never a stale value, and the change is named."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

HELPERS = """
FACTOR = 2

def scaled(x):
    return x * FACTOR

def unrelated():
    return 1
"""

MODULE = """
from batchwright.caching.cache import Cache
from helpers import scaled

cache = Cache("CACHE")

@cache.memoize
def area(a, b=3):
    print("computed")
    return scaled(a) * b

class Room:
    @staticmethod
    @cache.memoize
    def size(a):
        print("computed")
        return area.call(a) + 1
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "helpers.py").write_text(HELPERS)
    (tmp_path / "module.py").write_text(MODULE.replace("CACHE", str(tmp_path / "cache")))
    return tmp_path


def edit(path, before, after):
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def run(project, code):
    command = [sys.executable, "-c", "from module import *\n" + textwrap.dedent(code)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


def test_a_second_process_computes_nothing(project):
    assert run(project, "print(area(2))") == ["computed", "12"]
    assert run(project, "print(area(2)); print(area(b=3, a=2))") == ["12", "12"]
    assert run(project, "print(cache.stats().tiers[1].hits, area(2), cache.stats().hits)") == [
        "0 12 1"
    ]


@pytest.mark.parametrize(
    ("file", "before", "after", "value", "named"),
    [
        ("helpers.py", "x * FACTOR", "x * FACTOR + 1", "15", "helpers:scaled changed"),
        ("helpers.py", "FACTOR = 2", "FACTOR = 5", "30", "helpers:FACTOR changed"),
        ("module.py", "scaled(a) * b", "scaled(a) + b", "7", "module:area changed"),
    ],
)
def test_an_edit_that_matters_is_computed_again_and_named(
    project, file, before, after, value, named
):
    run(project, "area(2)")
    edit(project / file, before, after)
    assert run(project, "print(area.explain(2)); print(area(2))") == [
        f"miss: code changed ({named})", "computed", value,
    ]  # fmt: skip
    edit(project / file, after, before)
    assert run(project, "print(area(2))") == ["12"]


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("helpers.py", "return 1", "return 2"),
        (
            "helpers.py",
            "    return x * FACTOR",
            '    """Words."""\n\n    return x * FACTOR  # words',
        ),
        ("module.py", "scaled(a) * b", "(scaled(a)\n        * b)"),
    ],
)
def test_an_edit_that_does_not_matter_is_a_hit(project, file, before, after):
    run(project, "area(2)")
    edit(project / file, before, after)
    assert run(project, "print(area.explain(2)); print(area(2))") == ["hit", "12"]


def test_a_static_method_sees_edits_behind_another_memoized_function(project):
    assert run(project, "print(Room.size(2))") == ["computed", "computed", "13"]
    assert run(project, "print(Room.size(2))") == ["13"]
    edit(project / "helpers.py", "FACTOR = 2", "FACTOR = 5")
    assert run(project, "print(Room.size(2))") == ["computed", "computed", "31"]


def test_a_helper_redefined_while_running_is_seen(project):
    code = """
    import module
    area(2)
    module.scaled = lambda x: -x
    print(area(2))
    """
    assert run(project, code) == ["computed", "computed", "-6"]


def test_a_script_shares_entries_with_those_who_import_it(project):
    with (project / "module.py").open("a") as file:
        file.write('\nif __name__ == "__main__":\n    print(area(2))\n')
    command = [sys.executable, "module.py"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["computed", "12"]
    assert run(project, "print(area(2))") == ["12"]
