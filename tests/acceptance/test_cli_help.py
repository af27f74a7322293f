"""What the command line says about itself, and what it needs for that."""

import json
import subprocess
import sys


def test_help_names_every_command_with_examples(batchwright):
    ended = batchwright("--help")
    assert ended.returncode == 0
    for name in ("run", "check", "plan", "explain", "reproduce", "runs", "show", "cache", "demo"):
        assert f"\n  {name}  " in ended.stdout
    assert "batchwright run fleet/ -n" in ended.stdout
    for command in (["run"], ["cache"], ["cache", "clear"]):
        assert batchwright(*command, "-h").returncode == 0


def test_help_imports_nothing_heavy(batchwright):
    code = (
        "import sys, json\nfrom batchwright.cli import commands\n"
        "try: commands(['--help'])\nexcept SystemExit: pass\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in json.loads(ended.stdout.splitlines()[-1])}
    assert loaded.isdisjoint({"numpy", "rich", "sqlite3", "psutil", "cloudpickle", "msgspec"})


def test_version_and_module_are_the_same_program(batchwright):
    ended = batchwright("--version")
    assert ended.stdout.startswith("batchwright 0.")
    as_module = subprocess.run(
        [sys.executable, "-m", "batchwright", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert as_module.stdout == ended.stdout


def test_a_shell_can_complete_commands(batchwright):
    script = batchwright(environment={"_BATCHWRIGHT_COMPLETE": "zsh_source"})
    assert "#compdef batchwright" in script.stdout
    asked = {
        "_BATCHWRIGHT_COMPLETE": "zsh_complete",
        "COMP_WORDS": "batchwright re",
        "COMP_CWORD": "1",
    }
    assert "reproduce" in batchwright(environment=asked).stdout


def test_the_demo_runs_cold_then_known(batchwright, tmp_path):
    ended = batchwright("demo", "--small", "--folder", "demo")
    assert ended.returncode == 0, ended.stderr
    cold, again = (line for line in ended.stdout.splitlines() if line.startswith("30 contracts"))
    assert " 0 known" in cold
    assert " 0 known" not in again
    assert "saved" in ended.stdout
    assert "cold " in ended.stdout
    assert f"batchwright explain {tmp_path / 'demo'} " in ended.stdout
    assert (tmp_path / "demo" / "docstrings.txt").stat().st_size > 50_000


def test_the_demo_takes_no_folder_that_holds_something_else(fleet, batchwright):
    ended = batchwright("demo", "--folder", fleet)
    assert ended.returncode == 2
    assert "BW134" in ended.stderr
    assert (fleet.folder / "A.json").exists()
