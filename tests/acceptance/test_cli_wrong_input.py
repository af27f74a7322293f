"""Every kind of wrong input: told in words, exit code 2, no traceback, nothing run."""

import json

import pytest


def no_such_folder(fleet):
    return {"fleet": f"{fleet}s"}


def broken_json(fleet):
    fleet.write("A.json", '{"identity": {"contract_id": "A"},\n "method_binding": oops}')


def unknown_class(fleet):
    fleet.contract("A", facts=[fleet.method("Wrods", "count")])


def unknown_method(fleet):
    fleet.contract("A", facts=[fleet.method("Words", "cuont")])


def unknown_phase(fleet):
    fleet.contract("A")
    document = json.loads((fleet.folder / "A.json").read_text())
    document["method_binding"]["execution_phases"]["infer"]["dependencies"] = ["obsreve"]
    fleet.write("A.json", json.dumps(document))


def missing_argument(fleet):
    fleet.contract("A", facts=[fleet.method("Words", "column")])


def ambiguous_class(fleet):
    fleet.write("more_methods.py", "class Words:\n    def count(self, text): return 1\n")
    settings = (fleet.folder / "batchwright.toml").read_text()
    fleet.write("batchwright.toml", settings.replace("]", ', "more_methods"]', 1))


def duplicate_id(fleet):
    fleet.contract("A", name="again.json")


def cycle(fleet):
    for id_, before in {"A": "C", "B": "A", "C": "B"}.items():
        fleet.contract(id_, depends_on=[before])


def veto_that_does_not_parse(fleet):
    veto = {"low": {"trigger": "ratio <", "action": "invalidate_graph", "scope": "facts"}}
    inference = fleet.method("Summary", "ratio", requires=["facts"], veto_conditions=veto)
    fleet.contract("A", inferences=[inference])


def input_that_is_not_there(fleet):
    return {"options": ["--input", "document=nowhere.txt"]}


def settings_that_are_no_toml(fleet):
    fleet.write("batchwright.toml", "methods = [")


def methods_that_cannot_be_imported(fleet):
    fleet.write("small_methods.py", "import not_there\n")


def empty_folder(fleet):
    (fleet.folder / "empty").mkdir()
    return {"fleet": fleet.folder / "empty"}


WRONG = {
    no_such_folder: ["BW110", "fleets", "did you mean 'fleet'"],
    broken_json: ["BW112", "A.json", "line 2, column 20"],
    unknown_class: ["BW119", "A.json", "Wrods", "did you mean 'Words'"],
    unknown_method: ["BW120", "A.json", "cuont", "did you mean 'count'"],
    unknown_phase: ["BW121", "A.json", "obsreve", "did you mean 'observe'"],
    missing_argument: ["BW126", "A.json", "Words.column", "number"],
    ambiguous_class: ["BW118", "Words", "small_methods", "more_methods"],
    duplicate_id: ["BW115", "'A'", "A.json", "again.json"],
    cycle: ["BW125", "A -> C -> B -> A"],
    veto_that_does_not_parse: ["BW128", "A.json", "low", "ratio <"],
    input_that_is_not_there: ["BW1", "--input document", "nowhere.txt"],
    settings_that_are_no_toml: ["BW116", "batchwright.toml"],
    methods_that_cannot_be_imported: ["BW117", "small_methods", "not_there"],
    empty_folder: ["BW113", "empty", "no *.json"],
}


@pytest.mark.parametrize("break_it", WRONG, ids=lambda function: function.__name__)
def test_a_wrong_fleet_is_refused_with_place_and_cure(break_it, fleet, batchwright):
    request = break_it(fleet) or {}
    ended = batchwright("run", request.get("fleet", fleet), *request.get("options", ()))
    assert ended.returncode == 2, ended.stderr
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    for part in WRONG[break_it]:
        assert part in ended.stderr
    assert not (fleet.folder / ".batchwright").exists()


def test_all_errors_of_a_fleet_are_told_at_once(fleet, batchwright):
    unknown_class(fleet)
    missing = fleet.method("Words", "column")
    fleet.contract("B", facts=[missing])
    duplicate = "A.json"
    fleet.write("Z.json", (fleet.folder / duplicate).read_text())
    ended = batchwright("check", fleet)
    assert ended.returncode == 2
    for code in ("BW119", "BW126", "BW115"):
        assert code in ended.stderr
    assert "errors; nothing was run" in ended.stderr


def test_an_input_without_rights_is_told(fleet, batchwright, with_rights_enforced):
    (fleet.folder / "plan.txt").chmod(0)
    ended = batchwright("run", fleet, **with_rights_enforced)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "BW129" in ended.stderr
    assert "plan.txt" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_cache_folder_without_rights_is_told(fleet, batchwright, tmp_path, with_rights_enforced):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    ended = batchwright("run", fleet, "--cache", locked / "cache", **with_rights_enforced)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "BW211" in ended.stderr
    assert str(locked) in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_cache_below_a_file_is_told(fleet, batchwright):
    ended = batchwright("run", fleet, "--cache", fleet.folder / "plan.txt" / "cache")
    assert ended.returncode == 2
    assert "BW211" in ended.stderr
    assert "plan.txt" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_state_folder_without_rights_is_told(fleet, batchwright, tmp_path, with_rights_enforced):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    ended = batchwright("run", fleet, "--state", locked / "state", **with_rights_enforced)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "BW401" in ended.stderr
    assert str(locked) in ended.stderr


@pytest.mark.parametrize(
    "command", [("run",), ("plan",), ("check",), ("explain", "A"), ("runs",), ("show",)]
)
def test_a_damaged_state_database_is_told(command, fleet, batchwright):
    state = fleet.folder / ".batchwright"
    state.mkdir()
    (state / "state.db").write_bytes(b"this is no database" * 100)
    name, *arguments = command
    of_records = name in ("runs", "show")
    ended = batchwright(name, *(["--fleet", fleet] if of_records else [fleet]), *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "BW402" in ended.stderr
    assert "state.db" in ended.stderr
    assert "move it away" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["rnu"], ["rnu", "did you mean 'run'"]),
        (["cache", "stat"], ["stat", "did you mean 'stats'"]),
        (["run", "--onyl", "A", "fleet"], ["--onyl", "--only"]),
        (["run"], ["FLEET"]),
        (["run", "fleet", "--input", "document"], ["NAME=PATH"]),
        (["run", "fleet", "--input", "a=b", "--input", "a=c"], ["given twice"]),
        (["fleet"], ["batchwright run fleet"]),
        (["reproduce", "fleet", "--sample", "half"], ["BW136", "half", "5%"]),
        (["show", "--fleet", "nowhere"], ["BW110", "nowhere"]),
        (["run", "fleet", "--json", "no/folder/out.json"], ["BW133", "no/folder"]),
        (["run", "fleet", "--cache", "s3://bucket"], ["BW200", "s3://"]),
    ],
)
def test_a_mistyped_command_line_is_told(arguments, parts, fleet, batchwright):
    ended = batchwright(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Traceback" not in ended.stderr
    for part in parts:
        assert part in ended.stderr
