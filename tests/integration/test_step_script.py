"""Steps made in a script, whose module is `__main__`."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
from batchwright import grid, step
from batchwright.contracts.python_graph import build_graph

def square(x):
    return x * x

@step
def total(xs):
    return sum(xs)

squares = [step(square)(**p) for p in grid(x=range(3)).values()]
graph = build_graph({"all": total(squares)})
for made in graph.steps:
    target = made.function
    print(made.address, target.module, target.qualname, target.loaded is target.load())
"""


def test_a_script_needs_no_guard_and_its_functions_are_at_hand(tmp_path):
    script = tmp_path / "sweep.py"
    script.write_text(SCRIPT)
    done = subprocess.run(  # our own interpreter and script
        [sys.executable, script], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "all/square __main__ square True",
        "all/square-2 __main__ square True",
        "all/square-3 __main__ square True",
        "all/total __main__ total True",
    ]


def test_importing_the_names_imports_no_numpy():
    code = (
        "import sys; from batchwright import Contract, grid, step; step(len)([1]); "
        "print({'numpy', 'pandas', 'rich', 'cloudpickle'} & set(sys.modules))"
    )
    done = subprocess.run(  # our own interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("set()", "")
