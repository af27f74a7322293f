"""A `Path` in a value: its contents are stored with it, and given back on a hit.

When the path still holds the stored contents, it is given back itself. Otherwise the contents
are written out under `restore`, a folder of the cache's own, below their digest, so that what
stands there is never changed by a later hit; the last part of the name is kept.
"""

from __future__ import annotations

import atexit
import hashlib
import itertools
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from batchwright.errors import NotEncodable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_BYTES = 1 << 30
MOST_FILES = 10_000


class Member(msgspec.Struct, frozen=True, array_like=True):
    """One file, folder or link; `name` is relative to the stored path, as bytes."""

    name: bytes
    mode: int
    size: int = -1  # of a file; its contents are the next buffer
    target: bytes | None = None  # of a link

    @property
    def folder(self) -> bool:
        return self.size < 0 and self.target is None


class Description(msgspec.Struct, frozen=True, array_like=True):
    """What was stored of a path: its name, a digest of its contents, and its members."""

    name: bytes
    digest: str
    members: list[Member]


def name_bytes(path: Path) -> bytes:
    """A path's name in full, whatever bytes it is made of."""
    return os.fsencode(path)


def named(data: bytes) -> Path:
    """The path of that name."""
    return Path(os.fsdecode(data))


def take(path: Path) -> tuple[bytes, list[bytes]] | None:
    """A path's description and its files' contents; None when no file or folder is there.

    Raises NotEncodable when there is more than a cache should hold, or what cannot be read.
    """
    try:
        if not (path.is_file() or path.is_dir()):
            return None
        members = list(_members(path))
        contents = [
            (path / os.fsdecode(member.name)).read_bytes() for member in members if member.size >= 0
        ]
    except OSError as error:
        raise NotEncodable(f"{path} was returned, but cannot be read: {error}") from error
    sizes = iter(contents)
    members = [
        msgspec.structs.replace(member, size=len(next(sizes))) if member.size >= 0 else member
        for member in members
    ]
    described = Description(name_bytes(path), _digest(members, contents), members)
    return msgspec.msgpack.encode(described), contents


def give(description: bytes, contents: Sequence[memoryview], restore: Path | None) -> Path:
    """The stored path, or a copy of what was stored when it has changed or gone."""
    described = msgspec.msgpack.decode(description, type=Description)
    original = named(described.name)
    if _holds(original, described.members, contents):
        return original
    shelf = (restore or _scratch()) / described.digest[:2]
    # What was restored before may have been changed by its user; it is theirs then.
    for number in itertools.count():
        home = shelf / (f"{described.digest}-{number}" if number else described.digest)
        copy = home / (original.name or "folder")
        if _holds(copy, described.members, contents):
            return copy
        if not home.exists() and _write(home, copy.name, described.members, contents):
            return copy
    raise AssertionError("unreachable")


def _members(path: Path) -> Iterator[Member]:
    total = 0
    everything = itertools.chain([path], _below(path) if path.is_dir() else ())
    for found, full in enumerate(everything, 1):
        name = os.fsencode(full.relative_to(path))
        # The path itself is followed when it is a link; links below it are kept as links.
        status = full.stat() if full is path else full.lstat()
        mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISLNK(status.st_mode):
            yield Member(name, mode, target=os.fsencode(full.readlink()))
        elif stat.S_ISDIR(status.st_mode):
            yield Member(name, mode)
        elif stat.S_ISREG(status.st_mode):
            total += status.st_size
            yield Member(name, mode, size=status.st_size)
        else:
            raise NotEncodable(f"{full} is neither file, folder nor link, and cannot be stored")
        if found > MOST_FILES or total > MOST_BYTES:
            raise NotEncodable(
                f"{path} was returned, but holds more than the cache stores of one path "
                f"({MOST_FILES:,} files, {MOST_BYTES >> 20:,} MB); return its name as str instead"
            )


def _below(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        yield entry
        if entry.is_dir() and not entry.is_symlink():
            yield from _below(entry)


def _digest(members: Sequence[Member], contents: Sequence[bytes]) -> str:
    hasher = hashlib.blake2b(msgspec.msgpack.encode(members), digest_size=20)
    for content in contents:
        hasher.update(content)
    return hasher.hexdigest()


def _holds(path: Path, members: Sequence[Member], contents: Sequence[memoryview]) -> bool:
    try:
        if not (path.is_file() or path.is_dir()):
            return False
        present = list(_members(path))
        if [_identity(each) for each in present] != [_identity(each) for each in members]:
            return False
        files = (member for member in members if member.size >= 0)
        return all(
            (path / os.fsdecode(member.name)).read_bytes() == content
            for member, content in zip(files, contents, strict=False)
        )
    except (OSError, NotEncodable):
        return False


def _identity(member: Member) -> tuple[bytes, int, bytes | None]:
    # Rights are given back with a copy, but differing ones do not make other contents.
    return member.name, member.size, member.target


def _write(
    home: Path, name: str, members: Sequence[Member], contents: Sequence[memoryview]
) -> bool:
    home.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = Path(tempfile.mkdtemp(dir=home.parent, prefix="new-"))
    try:
        left = iter(contents)
        for member in members:
            full = made / name / os.fsdecode(member.name)
            if member.target is not None:
                full.symlink_to(os.fsdecode(member.target))
            elif member.folder:
                full.mkdir(mode=0o700)
            else:
                full.write_bytes(next(left))
                full.chmod(member.mode | stat.S_IRUSR | stat.S_IWUSR)
        made.rename(home)
    except FileExistsError:
        return False
    except OSError:
        if home.exists():
            return False
        raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return True


_scratches: dict[int, Path] = {}


def _scratch() -> Path:
    # For a cache without a folder: one folder a process, gone with it.
    if os.getpid() not in _scratches:
        made = Path(tempfile.mkdtemp(prefix="batchwright-"))
        atexit.register(_remove_scratch, os.getpid())
        _scratches[os.getpid()] = made
    return _scratches[os.getpid()]


def _remove_scratch(process: int) -> None:
    # A forked child inherits what is to be done at its parent's end.
    if process == os.getpid():
        shutil.rmtree(_scratches[process], ignore_errors=True)
