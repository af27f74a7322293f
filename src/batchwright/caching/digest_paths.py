"""What a `pathlib.Path` counts by: its name, and the contents of the file or folder it leads to.

A folder counts by the names and contents of all that is in it, empty folders included. Symbolic
links count as what they lead to; a link back to a folder that holds it is refused, as are sockets,
pipes and devices, which have no contents of their own.

A file's hash is remembered by device, inode, size, modification and change time, so that it is
read once while it stays as it is. As git's index does, the memory distrusts a file touched so
lately that another change could carry the same times.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from pathlib import Path, PosixPath, WindowsPath
from typing import TYPE_CHECKING, TypeAlias

from batchwright.caching.digest_encoding import PAIRS, Handler, Node
from batchwright.errors import MissingPath, UncacheableArgument, UnreadableInput

if TYPE_CHECKING:
    from collections.abc import Callable

# The coarsest clock of a file system in use (FAT). What was touched longer ago than this before its
# reading began cannot change later and keep its times.
_GRANULARITY_NS = 2_000_000_000

# Entries kept; the oldest goes first.
_REMEMBERED = 100_000

# A file written to while it is read is read again, this often, before it is given up.
_ATTEMPTS = 5

_Identity: TypeAlias = "tuple[int, int, int, int, int]"


class FileMemory:
    """SHA-256 of files by what `stat` says of them.

    `clock_ns` gives nanoseconds since the epoch.
    """

    def __init__(self, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._clock_ns = clock_ns
        self._known: dict[_Identity, bytes] = {}

    def contents(self, path: str) -> bytes:
        """The SHA-256 of a regular file's bytes.

        Raises OSError as `open` does, and UncacheableArgument when the file does not hold still.
        """
        known = self._known.get(_identity(os.stat(path)))  # noqa: PTH116  # a str, from scandir
        if known is not None:
            return known
        with open(path, "rb") as file:  # noqa: PTH123
            for _ in range(_ATTEMPTS):
                begun = self._clock_ns()
                file.seek(0)
                before = os.fstat(file.fileno())
                hashed = hashlib.file_digest(file, "sha256").digest()
                if _identity(os.fstat(file.fileno())) == _identity(before):
                    self._remember(before, hashed, begun)
                    return hashed
        raise UncacheableArgument(f"{path} changes while it is read; wait until it is complete")

    def _remember(self, status: os.stat_result, hashed: bytes, begun: int) -> None:
        settled = begun - max(status.st_mtime_ns, status.st_ctime_ns) > _GRANULARITY_NS
        if not settled or not status.st_ino:
            return
        self._known[_identity(status)] = hashed
        if len(self._known) > _REMEMBERED:
            self._known.pop(next(iter(self._known)), None)


def _identity(status: os.stat_result) -> _Identity:
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def path_node(path: Path, memory: FileMemory) -> Node:
    """A path as its name and the contents it leads to.

    Raises MissingPath, UnreadableInput, or UncacheableArgument.
    """
    return Node("path", (path.name, _contents(str(path), memory, ())))


def _contents(path: str, memory: FileMemory, above: tuple[tuple[int, int], ...]) -> Node:
    try:
        status = os.stat(path)  # noqa: PTH116
        if stat.S_ISREG(status.st_mode):
            return Node("file", (memory.contents(path),))
        if stat.S_ISDIR(status.st_mode):
            return _folder(path, status, memory, above)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingPath(_missing(path)) from error
    except OSError as error:
        raise UnreadableInput(f"{path} cannot be read: {error.strerror or error}") from error
    raise UncacheableArgument(
        f"{path} is neither a file nor a folder, so it has no contents to count; pass what it gives"
    )


def _folder(
    path: str, status: os.stat_result, memory: FileMemory, above: tuple[tuple[int, int], ...]
) -> Node:
    here = (status.st_dev, status.st_ino)
    if here in above:
        raise UncacheableArgument(f"{path} links back to a folder that holds it; remove the link")
    parts: list[object] = []
    with os.scandir(path) as entries:
        names = sorted(entry.name for entry in entries)
    for name in names:
        parts += name, _contents(os.path.join(path, name), memory, (*above, here))  # noqa: PTH118
    return Node("folder", parts, PAIRS)


def _missing(path: str) -> str:
    if os.path.islink(path):  # noqa: PTH114
        return f"{path} is a link to {os.readlink(path)}, which does not exist"  # noqa: PTH115
    return f"{path} does not exist (looked for from {Path.cwd()})"


_memory = FileMemory()


def _path(value: Path) -> Node:
    return path_node(value, _memory)


HANDLERS: dict[type, Handler] = {PosixPath: _path, WindowsPath: _path}
