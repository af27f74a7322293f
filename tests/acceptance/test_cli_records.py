"""History, explanations, reproduction and the cache through the installed command."""

import json


def test_nothing_is_made_only_to_read_it(fleet, batchwright):
    for command in (["runs"], ["show"], ["cache", "stats"]):
        ended = batchwright(*command, "--fleet", fleet)
        assert ended.returncode == 2
        assert "run the fleet first" in ended.stderr
    assert not (fleet.folder / ".batchwright").exists()


def test_records_of_fleets_nearby_are_named(fleet, batchwright):
    batchwright("run", fleet)
    ended = batchwright("runs")
    assert ended.returncode == 2
    assert "there are records in fleet" in ended.stderr


def test_runs_are_listed_newest_first_and_shown_by_name(fleet, batchwright):
    fleet.failing("C")
    batchwright("run", fleet)
    batchwright("run", fleet)
    heading, second, first = batchwright("runs", cwd=fleet.folder).stdout.splitlines()
    assert heading.split()[:6] == ["run", "started", "ended", "ok", "partial", "failed"]
    assert (first.split()[0], second.split()[0]) == ("1", "2")
    assert batchwright("runs", "--limit", 1, cwd=fleet.folder).stdout.count("\n") == 2

    shown = batchwright("show", "last~1", cwd=fleet.folder)
    assert shown.returncode == 0
    assert f"run 1 of {fleet}" in shown.stdout
    assert "Words.column: IndexError: list index out of range" in shown.stdout
    assert "Traceback (most recent call last):" in shown.stdout, "the step's own"
    assert "partial  C: Words.column: IndexError" in shown.stdout
    assert batchwright("show", "1", cwd=fleet.folder).stdout == shown.stdout
    assert "run 2 of" in batchwright("show", cwd=fleet.folder).stdout

    unknown = batchwright("show", "7", cwd=fleet.folder)
    assert unknown.returncode == 2
    assert "BW403" in unknown.stderr
    assert "there are runs 1 to 2" in unknown.stderr

    told = json.loads(batchwright("show", "1", "--json", "-", cwd=fleet.folder).stdout)
    assert {each["method"] for each in told["methods"]} >= {"Words.count", "Words.column"}
    assert len(json.loads(batchwright("runs", "--json", "-", cwd=fleet.folder).stdout)) == 2


def test_check_tells_counts_state_and_what_it_cannot_follow(fleet, batchwright):
    methods = (fleet.folder / "small_methods.py").read_text()
    fleet.write(
        "small_methods.py",
        methods + "\n\nclass Memory:\n    def keep(self, text: str):\n        self.kept = text\n"
        "    def look(self, name: str = 'kept'):\n        return getattr(self, name)\n",
    )
    keep, look = fleet.method("Memory", "keep"), fleet.method("Memory", "look")
    fleet.contract("A", facts=[keep, look], inferences=[])
    ended = batchwright("check", fleet, "--json", "check.json")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("2 contracts, 5 calls of 5 methods of 3 classes")
    assert "everything resolves" in ended.stdout
    assert "Memory.keep changes its object (kept): its code stores to it" in ended.stdout
    told = json.loads((fleet.folder.parent / "check.json").read_text())
    assert told["storing"][0]["attribute"] == "kept"
    (blind,) = told["blind"]
    assert blind["file"].endswith("small_methods.py")
    assert blind["methods"] == ["Memory.look"]
    line = (fleet.folder / "small_methods.py").read_text().splitlines()[blind["line"] - 1]
    assert "getattr" in line
    assert f"not followed  {blind['file']}:{blind['line']}: " in ended.stdout
    assert not (fleet.folder / ".batchwright").exists()


def test_explain_names_the_nearest_contract_and_the_cause_of_a_change(fleet, batchwright):
    ended = batchwright("explain", fleet, "AA")
    assert ended.returncode == 2
    assert "BW124" in ended.stderr
    assert "did you mean 'A'" in ended.stderr
    assert "A: not run before" in batchwright("explain", fleet, "A").stdout
    batchwright("run", fleet)
    fleet.write("plan.txt", "something else\n")
    explained = batchwright("explain", fleet, "A", "--json", "-")
    assert "A: ok in run 1" in explained.stderr
    assert "Words.count: will run: argument 'text' changed" in explained.stderr
    assert "last time: computed in" in explained.stderr
    first, _ = json.loads(explained.stdout)["steps"]
    assert first["status"] == "will run"
    assert first["last"]["outcome"] == "computed"


def test_a_step_that_does_not_repeat_is_found_and_remembered(fleet, batchwright):
    nothing = batchwright("reproduce", fleet, "--sample", "100%")
    assert nothing.returncode == 0
    assert "nothing to reproduce" in nothing.stdout
    fleet.write(
        "small_methods.py",
        "import uuid\n\nclass Odd:\n"
        "    def name(self, text: str):\n        return uuid.uuid4().hex\n"
        "    def size(self, text: str):\n        return len(text)\n",
    )
    facts = [fleet.method("Odd", "name"), fleet.method("Odd", "size")]
    fleet.contract("A", facts=facts, inferences=[])
    fleet.contract("B", facts=facts, inferences=[])
    batchwright("run", fleet)
    before = json.loads(batchwright("run", fleet, "--json", "-").stdout)["steps"]
    ended = batchwright("reproduce", fleet, "--sample", "100%", "--seed", "1", "--json", "r.json")
    assert ended.returncode == 1, ended.stderr
    assert "2 steps run afresh" in ended.stdout
    assert "(seed 1): 1 other than before, 1 the same" in ended.stdout
    assert "differs        Odd.name (A/observe/odd.name)" in ended.stdout
    told = json.loads((fleet.folder.parent / "r.json").read_text())
    assert [one["verdict"] for one in told["steps"]] == ["differs", "same"]
    after = json.loads(batchwright("run", fleet, "--json", "-").stdout)["steps"]
    values = [[step["value"] for step in steps.values()] for steps in (before, after)]
    assert values[0] == values[1], "what is kept stays as it is"
    assert (
        batchwright("reproduce", fleet, "--sample", "1", "--seed", "2").stdout.count("1 step") == 1
    )


def test_the_cache_is_shown_and_cleared_by_method_after_asking(fleet, batchwright):
    batchwright("run", fleet)
    here = {"cwd": fleet.folder}
    shown = batchwright("cache", "stats", **here).stdout
    assert "4 results of 3 methods" in shown
    told = json.loads(batchwright("cache", "stats", "--json", "-", **here).stdout)
    assert {each["method"]: each["results"] for each in told} == {
        "Summary.ratio": 2,
        "Words.count": 1,
        "Words.lines": 1,
    }
    refused = batchwright("cache", "clear", "--method", "Words.count", input="n\n", **here)
    assert refused.returncode == 1
    assert "Drop the entries of Words.count?" in refused.stdout
    assert "nothing was dropped" in refused.stdout
    assert "did you mean 'Words.count'" in (
        batchwright("cache", "clear", "--method", "Wrods.count", **here).stdout
    )
    agreed = batchwright("cache", "clear", "--method", "Words.count", input="y\n", **here)
    assert agreed.returncode == 0
    assert "1 will run" in batchwright("plan", ".", **here).stdout.replace(
        "2 will run", "1 will run"
    )
    assert "dropped 0 entries" in (
        batchwright("cache", "clear", "--older-than", "7d", "--yes", **here).stdout
    )
    assert batchwright("cache", "clear", "--older-than", "soon", **here).returncode == 2
    assert batchwright("cache", "clear", "--yes", **here).returncode == 0
    assert "the cache is empty" in batchwright("cache", "stats", **here).stdout
    asked = batchwright("cache", "clear", input="", **here)
    assert asked.returncode == 130, "nobody answered"


def test_an_altered_entry_is_found_dropped_and_computed_again(fleet, batchwright):
    fleet.write("small_methods.py", "class Large:\n    def text(self): return 'x' * 100_000\n")
    fleet.contract("A", facts=[fleet.method("Large", "text")], inferences=[])
    (fleet.folder / "B.json").unlink()
    batchwright("run", fleet)
    assert "the cache is sound" in batchwright("cache", "check", "--fleet", fleet).stdout
    values = fleet.folder / ".batchwright" / "cache" / "values"
    (stored,) = (path for path in values.rglob("*") if path.is_file())
    data = bytearray(stored.read_bytes())
    data[50_000] ^= 1
    stored.write_bytes(data)
    checked = batchwright("cache", "check", "--fleet", fleet)
    assert checked.returncode == 1
    assert "1 altered, dropped" in checked.stdout
    assert "its result is no longer in the cache" in batchwright("plan", fleet).stdout
    assert batchwright("run", fleet).returncode == 0
    assert batchwright("cache", "check", "--fleet", fleet).returncode == 0
