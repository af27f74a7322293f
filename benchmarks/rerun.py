"""Times the example fleet through the command line: a cold run, and the run after it.

    python benchmarks/rerun.py                 # the full text: three rounds, some minutes
    python benchmarks/rerun.py --every 30      # a small text, to try it out

Each round begins without state. What is told are medians of wall times, start of the interpreter
included: of all contracts, some of which have a method that fails and is tried again; and of those
of which nothing fails, whose second run has nothing to do.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

EXAMPLE = Path(__file__).parents[1] / "examples" / "library"
COMMAND = (sys.executable, "-m", "batchwright", "run")
MARK = 0.04  # the share of the cold run that the second may take where nothing fails


def copied(into: Path, every: int) -> Path:
    """A copy of the example fleet with a text of its own, and without state."""
    folder = into / "fleet"
    unwanted = shutil.ignore_patterns("docstrings.txt", ".batchwright", "__pycache__")
    shutil.copytree(EXAMPLE, folder, ignore=unwanted)
    make: list[str | Path] = [sys.executable, folder / "make_text.py", "--every", str(every)]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # the fleet's script
    return folder


def seconds(folder: Path, *options: str) -> float:
    """The wall time of a run in a process of its own; RuntimeError when it could not run."""
    started = time.perf_counter()
    ended = subprocess.run(  # noqa: S603  # this Python
        [*COMMAND, folder, "--quiet", *options], capture_output=True, text=True, check=False
    )
    taken = time.perf_counter() - started
    if ended.returncode:
        raise RuntimeError(f"the run ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
    return taken


def report(folder: Path) -> dict[str, Any]:
    """What a run says of itself; not one that is timed, for writing it takes time too."""
    file = folder.parent / "run.json"
    seconds(folder, "--json", str(file))
    told: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return told


def measure(folder: Path, rounds: int) -> tuple[float, float]:
    """The medians of cold runs and of second runs, in seconds."""
    cold, second = [], []
    for number in range(rounds):
        shutil.rmtree(folder / ".batchwright", ignore_errors=True)
        cold.append(seconds(folder))
        second.append(seconds(folder))
        print(f"  round {number + 1}: {cold[-1]:.2f} s, then {second[-1]:.3f} s", file=sys.stderr)
    return median(cold), median(second)


def leave_out_failing(folder: Path, told: dict[str, Any]) -> None:
    """Remove the contracts that have a failed step."""
    failed = {number for number, step in told["steps"].items() if step["failure"]}
    for id_, contract in told["contracts"].items():
        if any(str(place["step"]) in failed for place in contract["steps"]):
            (folder / "contracts" / f"{id_}.json").unlink()


def tell(title: str, times: tuple[float, float], summary: dict[str, Any]) -> None:
    """A fleet's times, and what the second run did."""
    cold, second = times
    print(
        f"{title}: {summary['contracts']} contracts, {summary['distinct_steps']} distinct steps\n"
        f"  cold    {cold:7.2f} s\n"
        f"  second  {second:7.3f} s, {second / cold:.1%} of the cold run; "
        f"{summary['computed']} computed, {summary['failed']} tried again, "
        f"{summary['objects_built']} objects built"
    )


def main() -> int:
    """Measure and tell; 1 when the second run of what never fails computes or builds anything."""
    parser = argparse.ArgumentParser(description="Time a cold run and the run after it.")
    parser.add_argument("--every", type=int, default=1, help="keep each Nth page of the text")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (3)")
    options = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as made:
        folder = copied(Path(made), options.every)
        seconds(folder)  # writes the bytecode, which later runs find as a user's would
        times = measure(folder, options.rounds)
        told = report(folder)
        tell("all", times, told["summary"])
        leave_out_failing(folder, told)
        times = measure(folder, options.rounds)
        summary = report(folder)["summary"]
        tell("nothing fails", times, summary)
    if options.every == 1:
        print(f"mark: {times[1] / times[0]:.1%} of at most {MARK:.0%}")
    return 1 if summary["computed"] or summary["objects_built"] else 0


if __name__ == "__main__":
    sys.exit(main())
