"""Importing batchwright and asking for help load nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

from batchwright.cli import commands

HEAVY = {
    "asyncio", "attrs", "cloudpickle", "msgspec", "multiprocessing", "numpy", "pandas", "polars",
    "psutil", "pyarrow", "pydantic", "rich", "sklearn", "sqlite3",
}  # fmt: skip

COMMANDS = sorted(commands.commands)


def loaded_by(code: str) -> set[str]:
    """The top-level modules that are loaded once some code has run in a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return {name.partition(".")[0] for name in ended.stdout.splitlines()}


def helping(*words: str) -> str:
    arguments = [*words, "--help"]
    return f"""
import contextlib, io, sys
from batchwright.cli import main
sys.argv = ["batchwright", *{arguments!r}]
told = io.StringIO()
with contextlib.redirect_stdout(told), contextlib.suppress(SystemExit):
    main()
assert "Usage" in told.getvalue(), told.getvalue()
"""


def test_importing_the_package_loads_no_library():
    assert loaded_by("import batchwright") & (HEAVY | {"click"}) == set()


def test_asking_for_help_loads_nothing_heavy():
    assert loaded_by(helping()) & HEAVY == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_asking_for_help_on_a_command_loads_nothing_heavy(command):
    assert loaded_by(helping(command)) & HEAVY == set()


def test_asking_for_the_version_loads_nothing_heavy():
    assert loaded_by("import batchwright; assert batchwright.__version__") & HEAVY == set()


def test_making_steps_loads_no_arrays_and_no_tables():
    code = "from batchwright import Contract, grid, step; Contract('a', step(len)([1]))"
    assert loaded_by(code) & (HEAVY - {"msgspec"}) == set()


def test_every_public_name_can_be_had():
    loaded_by(
        "import batchwright\n"
        "assert set(batchwright.__all__) <= set(dir(batchwright))\n"
        "for name in batchwright.__all__:\n"
        "    assert getattr(batchwright, name) is getattr(batchwright, name), name"
    )


def test_a_name_that_there_is_not_is_an_attribute_error():
    import batchwright

    with pytest.raises(AttributeError, match="no attribute 'runn'"):
        batchwright.runn
