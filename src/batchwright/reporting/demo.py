"""The built-in fleet, put where its user can look at it, run cold and then again."""

from __future__ import annotations

import runpy
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

import batchwright
from batchwright.errors import UnusableFolder

if TYPE_CHECKING:
    from collections.abc import Sequence

_PARTS = ("batchwright.toml", "contracts", "library", "make_text.py")
_MARKER = ".batchwright-demo"
_SMALL_PATTERN = "*_PA01"
_SMALL_EVERY = 20


def demo_and_tell(folder: Path | None = None, *, small: bool = False) -> int:
    """Put the fleet into `folder`, run it twice as a user would, and compare the two runs.

    The exit code is that of the runs. Raises `UnusableFolder` when the folder cannot be written
    or holds something that is no demo.
    """
    folder = (folder or _default_folder()).absolute()
    click.echo(f"the fleet: {folder}")
    lay_out(folder, every=_SMALL_EVERY if small else 1)
    arguments = ["run", str(folder), *(["--only", _SMALL_PATTERN] if small else [])]
    taken = []
    for _ in ("cold", "again"):
        click.echo(f"\n$ batchwright {shlex.join(arguments)}")
        started = time.perf_counter()
        code = _run(arguments)
        taken.append(time.perf_counter() - started)
        if code:
            return code
    for line in closing_lines(folder, *taken):
        click.echo(line)
    return 0


def lay_out(folder: Path, *, every: int = 1) -> None:
    """Put a fresh copy of the fleet, with its text, into a folder; what an earlier demo left goes.

    `every` above 1 takes only each so-manieth page of the text.
    """
    source = fleet_source()
    try:
        if folder.exists() and any(folder.iterdir()):
            if not (folder / _MARKER).exists():
                raise UnusableFolder(
                    f"the folder {folder} is not empty and holds no demo; "
                    "name another with --folder"
                )
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _MARKER).write_text("A demo of batchwright; the next one begins it anew.\n")
        for part in _PARTS:
            if (source / part).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source / part, folder / part, ignore=ignored)
            else:
                shutil.copyfile(source / part, folder / part)
        make_text = runpy.run_path(str(folder / "make_text.py"))["make_text"]
        (folder / "docstrings.txt").write_bytes(make_text(every).encode("utf-8"))
    except OSError as error:
        raise UnusableFolder(
            f"the demo cannot be put into {folder}: {error.strerror or error}; "
            "name another folder with --folder"
        ) from error


def fleet_source() -> Path:
    """The fleet as it is installed with the package, or stands in the checkout."""
    package = Path(batchwright.__file__).parent
    installed = package / "_demo"
    return installed if installed.is_dir() else package.parents[1] / "examples" / "library"


def closing_lines(folder: Path, cold: float, again: float) -> list[str]:
    """What the two runs took, in seconds, and where to look next."""
    place = shlex.quote(str(folder))
    compared = f"cold {cold:.1f} s, again {again:.1f} s: {100 * again / cold:.0f} % of it"
    return [
        "",
        f"{compared}, each with the start of the program",
        "",
        "look further:",
        "  what the cold run spent its time on:",
        f"    batchwright show last~1 --fleet {place}",
        "  why a contract is partial:",
        f"    batchwright explain {place} Q019_PA01",
        f"  edit a method in {folder / 'library'}, and see what that reaches:",
        f"    batchwright plan {place}",
    ]


def _run(arguments: Sequence[str]) -> int:
    """Run the command line as a program of its own, as a user would."""
    command = [sys.executable, "-m", "batchwright", *arguments]
    return subprocess.run(command, check=False).returncode  # noqa: S603  # our own program


def _default_folder() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("batchwright", appauthor=False) / "demo"
