"""Code remembered by its files: a known run imports nothing, and no edit is missed for it."""

from __future__ import annotations

import os

import pytest

METHODS = """
    from helping import doubled

    with open("imported.txt", "a") as file:
        file.write("x")

    class Work:
        def double(self, n):
            return doubled(n)
"""
HELPING = """
    def doubled(n):
        return 2 * n
"""


@pytest.fixture
def known(fleet):
    """A fleet that has run, its files old enough for their times to be trusted."""
    fleet.methods(METHODS)
    fleet.methods(HELPING, "helping")
    call = {"class_name": "Work", "method_name": "double", "provides": "double", "args": {"n": 4}}
    fleet.contract("A", call)
    # The times of a file's inode cannot be set back, so the clock that judges them is set ahead.
    fleet.run(clock_ahead=60)
    return fleet


def imports(fleet) -> int:
    path = fleet.folder / "imported.txt"
    return len(path.read_text()) if path.exists() else 0


def test_a_known_run_imports_no_module_of_the_user(known):
    assert imports(known) == 1
    ran = known.run()
    assert ran.value("A/observe/double") == 8
    assert ran.computed() == []
    assert imports(known) == 1


def test_an_edit_of_a_helper_is_seen_though_size_and_time_stay(known):
    path = known.folder / "helping.py"
    before = path.stat()
    path.write_text(path.read_text().replace("2 * n", "3 * n"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert known.run().value("A/observe/double") == 12


def test_a_module_that_comes_to_stand_before_another_is_seen(known):
    (known.folder / "helping").mkdir()
    (known.folder / "helping" / "__init__.py").write_text("def doubled(n):\n    return 5 * n\n")
    assert known.run().value("A/observe/double") == 20


def test_a_method_that_no_run_has_met_is_imported(known):
    known.methods(METHODS + "\n        def triple(self, n):\n            return 3 * n\n")
    call = {"class_name": "Work", "method_name": "triple", "provides": "triple", "args": {"n": 4}}
    known.contract("B", call)
    ran = known.run()
    assert ran.value("B/observe/triple") == 12
    assert ran.computed() == ["B/observe/triple"]


def test_a_contract_with_new_arguments_runs_the_code_that_is_remembered(known):
    call = {"class_name": "Work", "method_name": "double", "provides": "double", "args": {"n": 5}}
    known.contract("B", call)
    ran = known.run()
    assert ran.value("B/observe/double") == 10
    assert ran.computed() == ["B/observe/double"]


def test_errors_are_those_of_the_modules_even_when_code_is_remembered(known):
    (known.folder / "methods.py").unlink()
    with pytest.raises(AssertionError, match="methods"):
        known.run()


def test_files_written_a_moment_ago_are_not_trusted_by_their_times(fleet):
    fleet.methods(METHODS)
    fleet.methods(HELPING, "helping")
    call = {"class_name": "Work", "method_name": "double", "provides": "double", "args": {"n": 4}}
    fleet.contract("A", call)
    fleet.run(clock_ahead=-3600)
    fleet.run(clock_ahead=-3600)
    assert imports(fleet) == 2


LOOKING = """
    import json, os
    from pathlib import Path

    HERE = Path(__file__).parent
    FACTOR = json.loads((HERE / "table.json").read_text())["factor"]
    SIGN = os.environ.get("SIGN", "")
    PARTS = tuple(sorted(os.listdir(HERE / "parts")))
    try:
        from optional_part import named
    except ImportError:
        named = None

    with open("imported.txt", "a") as file:
        file.write("x")

    class Work:
        def tell(self):
            return [FACTOR, SIGN, list(PARTS), named and named()]
"""


@pytest.fixture
def looking(fleet, tmp_path, monkeypatch):
    """A known fleet whose module looks around when it is imported."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "elsewhere"))
    monkeypatch.delenv("SIGN", raising=False)
    (fleet.folder / "parts").mkdir()
    (fleet.folder / "table.json").write_text('{"factor": 2}')
    fleet.methods(LOOKING)
    fleet.contract("A", "Work.tell")
    fleet.run(clock_ahead=60)
    assert fleet.run(clock_ahead=60).value("A/observe/tell") == [2, "", [], None]
    assert imports(fleet) == 1
    return fleet


def test_a_data_file_read_at_import_is_seen_to_change(looking):
    (looking.folder / "table.json").write_text('{"factor": 3}')
    assert looking.run().value("A/observe/tell") == [3, "", [], None]


def test_a_folder_listed_at_import_is_seen_to_change(looking):
    (looking.folder / "parts" / "one").touch()
    assert looking.run().value("A/observe/tell") == [2, "", ["one"], None]


def test_an_environment_variable_read_at_import_is_seen_to_change(looking, monkeypatch):
    monkeypatch.setenv("SIGN", "-")
    assert looking.run().value("A/observe/tell") == [2, "-", [], None]


def test_a_module_that_was_looked_for_in_vain_is_seen_to_come(looking, tmp_path):
    (tmp_path / "elsewhere" / "optional_part.py").write_text("def named():\n    return 'here'\n")
    assert looking.run().value("A/observe/tell") == [2, "", [], "here"]


def test_a_module_on_an_earlier_folder_of_the_path_is_seen(looking, tmp_path, monkeypatch):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    part = "def named():\n    return '{}'\n"
    (tmp_path / "second" / "optional_part.py").write_text(part.format("second"))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'first'}{os.pathsep}{tmp_path / 'second'}")
    assert looking.run(clock_ahead=60).value("A/observe/tell")[3] == "second"
    (tmp_path / "first" / "optional_part.py").write_text(part.format("first"))
    assert looking.run().value("A/observe/tell")[3] == "first"
