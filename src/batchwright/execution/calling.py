"""One call of a step: seeded, measured, watched for files it opens, its failure caught."""

from __future__ import annotations

import inspect
import os
import random
import sys
import sysconfig
import time
import traceback
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import psutil

from batchwright.records.model import StepFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from batchwright.contracts.graph import Bound


class Called(msgspec.Struct, frozen=True):
    """What a call gave: a value, or the exception it raised; and what it cost.

    Times are in ms, `memory_mb` is the growth of the process's resident memory in MB.
    """

    value: Any = None
    error: BaseException | None = None
    failure: StepFailure | None = None
    started: float = 0.0
    time_ms: float = 0.0
    cpu_ms: float = 0.0
    memory_mb: float = 0.0
    opened: tuple[str, ...] = ()


def call(function: Callable[..., Any], bound: Mapping[str, Any], kinds: tuple[Bound, ...]) -> Any:
    """Call with bound arguments, each passed as its parameter wants; a generator becomes a list."""
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for argument in kinds:
        value = bound[argument.name]
        match argument.kind:
            case "positional":
                positional.append(value)
            case "*":
                positional.extend(value)
            case "**":
                named.update(value)
            case _:
                named[argument.name] = value
    result = function(*positional, **named)
    return list(result) if inspect.isgenerator(result) else result


def measured(
    work: Callable[[], Any],
    key: str | None,
    interrupted: Callable[[], bool],
    clock: Callable[[], float],
) -> Called:
    """Do a step's work; nothing it raises gets out, except the user's own interrupt.

    `random` and `numpy.random` are seeded from the step's key, so that a step that draws random
    numbers gives the same ones wherever and whenever it runs. `clock` tells the time of day.
    """
    seed_from(key)
    memory = _process().memory_info().rss
    started, wall, cpu = clock(), time.perf_counter(), time.process_time()
    value: Any = None
    error: BaseException | None = None
    with _watching_opens() as opened:
        try:
            value = work()
        except BaseException as raised:  # a step may not end the run, whatever it raises
            error = raised
    if interrupted():
        raise KeyboardInterrupt  # the step caught it, or made something else of it
    wall_ms = (time.perf_counter() - wall) * 1e3
    cpu_ms = (time.process_time() - cpu) * 1e3
    grown = max(0, _process().memory_info().rss - memory) / 2**20
    failure = None if error is None else failure_of(error)
    return Called(value, error, failure, started, wall_ms, cpu_ms, grown, tuple(opened))


def not_called(error: Exception, clock: Callable[[], float]) -> Called:
    """A call that could not be made, for putting its arguments together raised."""
    return Called(error=error, failure=failure_of(error), started=clock())


@cache
def _process() -> psutil.Process:
    return psutil.Process()


def seed_from(key: str | None) -> None:
    """Seed the global random generators from a step's key; unkeyed steps are left to chance."""
    if key is None:
        return
    # Loaded here, as a step may import it only when it draws, which is too late to seed it.
    import numpy as np

    seed = int(key[:16], 16)
    random.seed(seed)
    np.random.seed(seed % 2**32)


def failure_of(error: BaseException) -> StepFailure:
    """An exception as a result, its traceback beginning in the user's code."""
    try:
        message = str(error)
    except Exception as broken:  # an exception whose own __str__ fails
        message = f"<its message cannot be had: {type(broken).__name__}>"
    try:
        text = "".join(_own_frames(error))
    except Exception:  # traceback reads source and repr of foreign objects
        text = f"{type(error).__name__}: {message}\n"
    return StepFailure(*map(_encodable, (type(error).__qualname__, message, text)))


def _encodable(text: str) -> str:
    """A text that UTF-8 can hold: lone surrogates, as in odd file names, are written out."""
    return text.encode(errors="backslashreplace").decode()


def _own_frames(error: BaseException) -> list[str]:
    here = str(Path(__file__).parent)
    told = traceback.TracebackException.from_exception(error, limit=-50)
    told.stack = traceback.StackSummary.from_list(
        [frame for frame in told.stack if not frame.filename.startswith(here)]
    )
    return list(told.format())


# --- files opened but not declared -----------------------------------------------------------

_opened: list[str] | None = None
_hook_added = False


@contextmanager
def _watching_opens() -> Iterator[list[str]]:
    """Collect the paths that are opened for reading meanwhile, less those written first."""
    global _opened, _hook_added  # noqa: PLW0603  # an audit hook can never be taken away again
    if not _hook_added:
        sys.addaudithook(_note_open)
        _hook_added = True
    paths: list[str] = []
    outer, _opened = _opened, paths
    try:
        yield paths
    finally:
        _opened = outer


def _note_open(event: str, args: tuple[Any, ...]) -> None:
    if event != "open" or _opened is None:
        return
    path, mode, flags = args
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    if not isinstance(path, str):
        return  # a file descriptor
    writes = (
        bool(flags & (os.O_WRONLY | os.O_CREAT | os.O_TRUNC))
        if mode is None
        else ("w" in mode or "a" in mode or "x" in mode)
    )
    _opened.append(("!" if writes else "") + path)


def undeclared(opened: tuple[str, ...], declared: tuple[Path, ...]) -> tuple[str, ...]:
    """The files among those opened that no argument declares: real ones, outside Python itself."""
    written: set[str] = set()
    found: dict[str, None] = {}
    allowed = [os.path.realpath(path) for path in declared]
    for name in opened:
        path = os.path.realpath(name.removeprefix("!"))
        if name.startswith("!"):
            written.add(path)
        elif not (
            path in written
            or _is_pythons(path)
            or any(path == a or path.startswith(a + os.sep) for a in allowed)
            or not Path(path).is_file()
        ):
            found[_encodable(path)] = None
    return tuple(found)


def _is_pythons(path: str) -> bool:
    return path.endswith((".py", ".pyc", ".so", ".pyd")) or path.startswith(_python_folders())


@cache
def _python_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    folders = {os.path.realpath(paths[name]) for name in ("stdlib", "purelib", "platlib")}
    folders |= {"/proc", "/dev", "/sys", "/usr/share/zoneinfo", "/etc"}
    return tuple(folder + os.sep for folder in folders)
