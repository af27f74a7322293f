"""`run` and `plan` through the installed command."""

import json
import os
import pty
import signal
import subprocess
import time

import pytest


def test_a_second_run_finds_everything_known(fleet, batchwright):
    first = batchwright("run", fleet)
    assert first.returncode == 0, first.stderr
    assert "2 contracts, 5 calls, 4 distinct steps: 0 known, 4 will run" in first.stdout
    assert "2 ok, 0 partial, 0 failed" in first.stdout
    again = batchwright("run", fleet)
    assert again.returncode == 0
    assert "4 known" in again.stdout
    assert "objects built" not in again.stdout
    assert "why:" not in again.stdout


def test_a_partial_contract_is_explained_by_the_command_named(fleet, batchwright):
    fleet.failing("C")
    ended = batchwright("run", fleet)
    assert ended.returncode == 0
    assert "2 ok, 1 partial, 0 failed" in ended.stdout
    assert "Words.column: IndexError: list index out of range (C)" in ended.stdout
    named = ended.stdout.splitlines()[-1].removeprefix("why: batchwright ").split()
    assert named == ["explain", str(fleet), "C"]
    explained = batchwright(*named, "-v")
    assert explained.returncode == 0
    assert "C: partial in run 1" in explained.stdout
    assert "failed before: it failed when last run" in explained.stdout
    assert "return [line.split()[number] for line" in explained.stdout
    assert batchwright("run", fleet, "--strict").returncode == 1
    assert batchwright("run", fleet, environment={"BATCHWRIGHT_STRICT": "1"}).returncode == 1


def test_strict_can_be_a_setting(fleet, batchwright):
    fleet.failing("C")
    settings = (fleet.folder / "batchwright.toml").read_text()
    fleet.write("batchwright.toml", "strict = true\n" + settings)
    assert batchwright("run", fleet).returncode == 1


def test_a_failed_contract_gives_1_and_does_not_keep_others_from_ending(fleet, batchwright):
    fleet.failing("A", error_handling={"on_method_failure": "raise"})
    ended = batchwright("run", fleet)
    assert ended.returncode == 1
    assert "1 ok, 0 partial, 1 failed" in ended.stdout
    assert ended.stdout.splitlines()[-1].endswith("explain " + str(fleet) + " A")


def test_exitfirst_stops_at_the_first_failure(fleet, batchwright):
    fleet.failing("A")
    ended = batchwright("run", fleet, "-x")
    assert ended.returncode == 1
    assert "stopped in" in ended.stdout
    assert "1 not finished" in ended.stdout


def test_last_failed_runs_only_what_was_not_ok(fleet, batchwright):
    nothing = batchwright("run", fleet, "--last-failed")
    assert nothing.returncode == 2
    assert "BW401" in nothing.stderr
    fleet.failing("C")
    batchwright("run", fleet)
    planned = batchwright("run", fleet, "--last-failed", "-n")
    assert planned.stdout.startswith("1 contract, 3 calls")
    again = batchwright("run", fleet, "--last-failed")
    assert "0 ok, 1 partial" in again.stdout
    fleet.write("plan.txt", "one two three\nfour five six\n")
    assert "1 ok, 0 partial" in batchwright("run", fleet, "--last-failed").stdout
    left = batchwright("run", fleet, "--last-failed")
    assert left.returncode == 0
    assert "nothing is left to run again" in left.stdout


def test_only_runs_what_matches(fleet, batchwright):
    assert batchwright("run", fleet, "--only", "B*").stdout.startswith("1 contract, 3 calls")
    ended = batchwright("run", fleet, "--only", "Z*")
    assert ended.returncode == 2
    assert "BW131" in ended.stderr


def test_inputs_of_the_command_line_go_before_those_of_the_settings(fleet, batchwright, tmp_path):
    (tmp_path / "other.txt").write_text("just one\nand two\nand three\n")
    ended = batchwright(
        "run", fleet, "--input", "document=other.txt", "--input", "text=@other.txt",
        "--json", "-",
    )  # fmt: skip
    values = {
        step["label"]: step.get("value") for step in json.loads(ended.stdout)["steps"].values()
    }
    assert values["Words.lines"] == 3
    assert values["Words.count"] == {"words": 6, "language": "en"}


def test_json_on_standard_output_stands_alone(fleet, batchwright):
    ended = batchwright("run", fleet, "--json", "-")
    told = json.loads(ended.stdout)
    assert told["status"] == "done"
    assert set(told["contracts"]) == {"A", "B"}
    assert "2 ok" in ended.stderr


def test_what_steps_print_does_not_get_into_the_json(fleet, batchwright):
    fleet.write(
        "small_methods.py",
        "import os\nprint('imported')\nclass Loud:\n    def shout(self):\n"
        "        print('printed', flush=True)\n        os.system('echo by a program')\n",
    )
    fleet.contract("A", facts=[fleet.method("Loud", "shout")], inferences=[])
    (fleet.folder / "B.json").unlink()
    ended = batchwright("run", fleet, "--json", "-")
    assert json.loads(ended.stdout)["summary"]["ok"] == 1
    for word in ("imported", "printed", "by a program"):
        assert word in ended.stderr
    assert "printed" in batchwright("run", fleet, "--cache", fleet.folder / "other").stdout


def test_json_is_written_to_a_file(fleet, batchwright, tmp_path):
    ended = batchwright("run", fleet, "--json", "out.json")
    assert "2 ok" in ended.stdout
    assert json.loads((tmp_path / "out.json").read_text())["summary"]["ok"] == 2


def test_a_dry_run_runs_nothing_and_says_what_plan_says(fleet, batchwright):
    ended = batchwright("run", fleet, "-n")
    assert ended.returncode == 0
    assert ended.stdout == batchwright("plan", fleet).stdout
    assert "will run          1  Words.count: never run before" in ended.stdout
    assert "objects       2 to be built" in ended.stdout
    assert not (fleet.folder / ".batchwright").exists()


def test_a_plan_tells_cause_objects_and_work(fleet, batchwright):
    batchwright("run", fleet)
    assert "nothing is left to run" in batchwright("plan", fleet).stdout
    methods = (fleet.folder / "small_methods.py").read_text()
    fleet.write("small_methods.py", methods.replace("len(text.split())", "1 + len(text.split())"))
    planned = batchwright("plan", fleet, "-v", "--json", "plan.json")
    assert "1 will run, 2 may run" in planned.stdout
    assert "Words.count: code of Words.count changed: small_methods:Words.count changed" in (
        planned.stdout
    )
    assert "objects       1 to 2 to be built" in planned.stdout
    assert "as earlier runs took" in planned.stdout
    assert "B/observe/words.lines  Words.lines  known" in planned.stdout
    told = json.loads((fleet.folder.parent / "plan.json").read_text())
    assert told["statuses"] == {"will run": 1, "may run": 2, "known": 1}
    assert {step["method"] for step in told["steps"]} == {
        "Words.count", "Words.lines", "Summary.ratio",
    }  # fmt: skip


def test_quiet_says_nothing(fleet, batchwright):
    ended = batchwright("run", fleet, "-q")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_contracts_come_from_lines_standard_input_or_python(fleet, batchwright):
    lines = "".join((fleet.folder / name).read_text() + "\n" for name in ("A.json", "B.json"))
    lines_file = fleet.folder / "both.jsonl"
    lines_file.write_text(lines)
    assert batchwright("run", lines_file).stdout.startswith("2 contracts, 5 calls")
    piped = batchwright("run", "-", input=lines, cwd=fleet.folder)
    assert piped.stdout.startswith("2 contracts, 5 calls, 4 distinct steps: 4 known")
    fleet.write("sweep.py", "from batchwright import step\nfleet = {'one': step(abs)(-1)}\n")
    python = batchwright("run", "sweep:fleet", cwd=fleet.folder)
    assert python.stdout.startswith("1 contract, 1 call")
    assert python.returncode == 0


def test_state_and_cache_can_lie_elsewhere(fleet, batchwright, tmp_path):
    state = {"BATCHWRIGHT_STATE": "state", "BATCHWRIGHT_CACHE": "cache"}
    assert batchwright("run", fleet, environment=state).returncode == 0
    assert (tmp_path / "state" / "state.db").exists()
    assert (tmp_path / "cache").is_dir()
    assert not (fleet.folder / ".batchwright").exists()
    other = batchwright("run", fleet, "--cache", "other", environment=state)
    assert "0 known" in other.stdout, "a flag goes before the environment"


def test_progress_is_a_line_every_tenth_where_nobody_watches(fleet, batchwright):
    for number in range(20):
        fleet.write(f"d{number}.txt", f"a b c {number}\n")
        args = {"document": {"$path": f"d{number}.txt"}}
        fleet.contract(
            f"D{number:02}", facts=[fleet.method("Words", "lines", args=args)], inferences=[]
        )
    ended = batchwright("run", fleet, "--only", "D*")
    lines = ended.stderr.splitlines()
    assert [line.split(",")[0] for line in lines] == [f"{n}/20 steps" for n in range(2, 20, 2)]
    assert "\x1b" not in ended.stdout + ended.stderr


BLOCKING = """
import threading
from pathlib import Path


class Gate:
    def first(self, text: str):
        return len(text)

    def wait(self, text: str):
        here = Path(__file__).parent
        if not (here / "open").exists():
            (here / "waiting").touch()
            threading.Event().wait(60)
        return "through"
"""


def test_an_interrupted_run_says_what_is_kept_and_goes_on(fleet, batchwright):
    fleet.write("small_methods.py", BLOCKING)
    fleet.contract(
        "A", facts=[fleet.method("Gate", "first"), fleet.method("Gate", "wait")], inferences=[]
    )
    (fleet.folder / "B.json").unlink()
    running = subprocess.Popen(
        [batchwright.program, "run", str(fleet)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=batchwright.environment,
    )
    until(lambda: (fleet.folder / "waiting").exists() or running.poll() is not None)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert "interrupted: stopped in" in out
    assert "what was computed is kept" in out
    assert "Traceback" not in out + err
    assert "interrupted" in batchwright("runs", "--fleet", fleet).stdout
    (fleet.folder / "open").touch()
    again = batchwright("run", fleet)
    assert again.returncode == 0
    assert "1 known, 1 will run" in again.stdout


def until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_reader_that_has_had_enough_is_no_fault(fleet, batchwright):
    batchwright("run", fleet)
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [batchwright.program, "plan", str(fleet), "-v"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        env=batchwright.environment,
        check=False,
    )
    os.close(writing)
    assert ended.stderr == ""


@pytest.mark.parametrize("no_color", [False, True])
def test_a_terminal_gets_a_bar_and_colours_unless_it_wants_none(no_color, fleet, batchwright):
    fleet.failing("C")
    environment = batchwright.environment | {"TERM": "xterm-256color", "COLUMNS": "100"}
    environment |= {"NO_COLOR": "1"} if no_color else {}
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [batchwright.program, "run", str(fleet)], stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    shown = read_all(ours)
    assert running.wait(60) == 0
    assert "/6 steps" in shown
    assert "now Words.count" in shown
    assert ("\x1b[33m1 partial\x1b[0m" in shown) is not no_color
    assert "1 partial" in shown


def read_all(terminal):
    chunks = []
    while True:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other side is closed
            chunk = b""
        if not chunk:
            os.close(terminal)
            return b"".join(chunks).decode()
        chunks.append(chunk)
