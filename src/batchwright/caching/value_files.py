"""Files of large values, in folders of two levels by the first letters of their names."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_NAME = re.compile(r"[0-9a-f]{32}")
_TEMPORARY = re.compile(r"new-(\d+)-[0-9a-f]{32}")


class ValueFiles:
    """The files below one folder. Names are 32 hexadecimal digits, each used once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """Where the file of that name lies."""
        return self.folder / name[:2] / name[2:4] / name

    def read(self, name: str, size: int) -> bytearray | None:
        """A file's bytes; None when it is not there or not of that size."""
        # The size is vouched for: a file that has grown is never read into memory.
        data = bytearray(size)
        try:
            with self.path(name).open("rb", buffering=0) as file:
                if os.fstat(file.fileno()).st_size != size:
                    return None
                view, filled = memoryview(data), 0
                while filled < size:
                    got = file.readinto(view[filled:])
                    if not got:
                        return None
                    filled += got
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        return data

    def write_temporary(self, name: str, data: bytes | bytearray) -> Path:
        """Writes beside where the file will be; renaming it there is the caller's."""
        final = self.path(name)
        # One by one, for `parents` would make those above with everyone's rights.
        for folder in (self.folder, final.parent.parent, final.parent):
            folder.mkdir(exist_ok=True, mode=0o700)
        temporary = final.parent / f"new-{os.getpid()}-{name}"
        handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with os.fdopen(handle, "wb", buffering=0) as file:
                view = memoryview(data)
                while view:
                    view = view[file.write(view) :]
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return temporary

    def remove(self, names: Iterable[str]) -> None:
        """Removes files, passing over those that are gone and names this class never gives."""
        for name in names:
            # Names come from where an attacker can write: never follow one out of the folder.
            if _NAME.fullmatch(name):
                with contextlib.suppress(OSError):
                    self.path(name).unlink()

    def remove_others(self, kept: Collection[str]) -> int:
        """Removes files not in `kept`, but for those a living process is writing; how many."""
        removed = 0
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = Path(folder) / name
                if name in kept and path == self.path(name):
                    continue
                temporary = _TEMPORARY.fullmatch(name)
                if temporary and _alive(int(temporary[1])):
                    continue
                with contextlib.suppress(OSError):
                    path.unlink()
                    removed += 1
        return removed


def _alive(process: int) -> bool:
    import psutil

    return bool(psutil.pid_exists(process))
