"""What a path counts by: real files and folders, an injected clock."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from batchwright.caching import digest_paths
from batchwright.caching.digest import digest, path_digest
from batchwright.caching.digest_encoding import encode
from batchwright.errors import MissingPath, RequestError, UncacheableArgument, UnreadableInput

SECOND = 1_000_000_000


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "plan.txt"
    path.write_bytes(b"one")
    return path


def test_a_file_counts_by_name_and_contents(tmp_path, file):
    key = digest(file)
    copy = tmp_path / "elsewhere" / "plan.txt"
    copy.parent.mkdir()
    copy.write_bytes(b"one")
    assert digest(copy) == key
    assert digest(file.rename(tmp_path / "other.txt")) != key
    copy.write_bytes(b"two")
    assert digest(copy) != key


def test_a_path_counts_as_such_only_where_it_is_one(file):
    assert digest(file) != digest(str(file)) != digest(b"one")
    assert path_digest(file) == path_digest(str(file)) == digest(file)


def test_a_relative_path_counts_as_an_absolute_one(file, monkeypatch):
    monkeypatch.chdir(file.parent)
    assert digest(Path("plan.txt")) == digest(file)


def test_a_path_of_another_class_is_refused(file):
    class Remote(type(file)):
        pass

    with pytest.raises(UncacheableArgument, match="Remote is a kind of path that is not known"):
        digest(Remote(file))


def test_a_touched_file_keeps_its_digest(file):
    key = digest(file)
    os.utime(file, ns=(5 * SECOND, 5 * SECOND))
    assert digest(file) == key


def test_an_empty_file_an_empty_folder_and_their_text_differ(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x").write_bytes(b"")
    assert digest(tmp_path / "a" / "x") != digest(tmp_path / "b" / "x")


def tree(root, files):
    root.mkdir(parents=True)
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if data is None:
            path.mkdir()
        else:
            path.write_bytes(data)
    return root


FILES = {"a.txt": b"1", "b/c.txt": b"2", "b/d/e.txt": b"3", "empty": None, "é.txt": b"4"}


def test_a_folder_counts_by_names_and_contents(tmp_path):
    key = digest(tree(tmp_path / "1" / "data", FILES))
    assert digest(tree(tmp_path / "2" / "data", dict(reversed(FILES.items())))) == key
    edits = [
        FILES | {"a.txt": b"9"},
        FILES | {"b/d/e.txt": b"9"},
        FILES | {"new": b""},
        FILES | {"new": None},
        {k: v for k, v in FILES.items() if k != "empty"},
        {k: v for k, v in FILES.items() if k != "a.txt"},
        {("z.txt" if k == "a.txt" else k): v for k, v in FILES.items()},
        {("b/a.txt" if k == "a.txt" else k): v for k, v in FILES.items()},
        {k: {"a.txt": b"2", "b/c.txt": b"1"}.get(k, v) for k, v in FILES.items()},
    ]
    keys = {digest(tree(tmp_path / f"edit{n}" / "data", files)) for n, files in enumerate(edits)}
    assert len(keys | {key}) == len(edits) + 1
    assert digest((tmp_path / "1" / "data").rename(tmp_path / "1" / "renamed")) != key


def test_a_missing_path_is_an_error_of_the_request(tmp_path):
    for value in (tmp_path / "no", {"a": [tmp_path / "no" / "deeper"]}):
        with pytest.raises(MissingPath, match="does not exist") as caught:
            digest(value)
        assert str(tmp_path / "no") in str(caught.value)
        assert isinstance(caught.value, RequestError)


def test_a_path_through_a_file_is_missing(file):
    with pytest.raises(MissingPath):
        digest(file / "below")


def test_an_unreadable_file_is_named(file, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(UnreadableInput, match=r"plan\.txt cannot be read: Permission denied"):
        digest(file)


# --- Links and what is no file ----------------------------------------------------------------


def test_a_link_counts_as_what_it_leads_to(tmp_path, file):
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "plan.txt"
    link.symlink_to(file)
    assert digest(link) == digest(file)
    folder = tree(tmp_path / "a" / "data", FILES)
    linked = tree(tmp_path / "b" / "data", {k: v for k, v in FILES.items() if k[0] != "b"})
    (linked / "b").symlink_to(folder / "b")
    assert digest(linked) == digest(folder)


def test_one_folder_linked_twice_is_no_loop(tmp_path):
    root = tree(tmp_path / "root", {"real/x": b"1"})
    (root / "again").symlink_to(root / "real")
    assert digest(root) == digest(tree(tmp_path / "c" / "root", {"real/x": b"1", "again/x": b"1"}))


def test_a_link_back_to_a_folder_above_is_refused(tmp_path):
    root = tree(tmp_path / "root", {"a/b/x": b"1"})
    (root / "a" / "b" / "back").symlink_to(root / "a")
    with pytest.raises(UncacheableArgument, match=r"b/back links back"):
        digest({"data": root})


def test_links_that_lead_nowhere_are_named(tmp_path):
    root = tree(tmp_path / "root", {"x": b"1"})
    (root / "broken").symlink_to("gone")
    with pytest.raises(MissingPath, match="broken is a link to gone, which does not exist"):
        digest(root)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    with pytest.raises(UnreadableInput, match="self cannot be read"):
        digest(tmp_path / "self")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes in the file system")
def test_pipes_sockets_and_devices_are_refused(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UncacheableArgument, match="pipe is neither a file nor a folder"):
        digest(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        with pytest.raises(UncacheableArgument, match=r"value\['a'\]: .*socket is neither"):
            digest({"a": tmp_path / "socket"})
    with pytest.raises(UncacheableArgument, match="neither"):
        digest(Path(os.devnull))


# --- What is remembered -----------------------------------------------------------------------


class Clock:
    def __init__(self):
        self.now = 0

    def __call__(self):
        return self.now


@pytest.fixture
def watched(monkeypatch):
    """A memory with a clock of its own, and the list of the files it read."""
    read = []
    original = digest_paths.hashlib.file_digest

    def file_digest(file, name):
        read.append(Path(file.name).name)
        return original(file, name)

    monkeypatch.setattr(digest_paths.hashlib, "file_digest", file_digest)
    clock = Clock()
    return digest_paths.FileMemory(clock), clock, read


def touched_at(path):
    status = path.stat()
    return max(status.st_mtime_ns, status.st_ctime_ns)


def test_a_settled_file_is_read_once(file, watched):
    memory, clock, read = watched
    clock.now = touched_at(file) + 3 * SECOND
    assert memory.contents(str(file)) == memory.contents(str(file))
    assert read == ["plan.txt"]


def test_a_file_touched_lately_is_read_again(file, watched):
    memory, clock, read = watched
    clock.now = touched_at(file) + SECOND
    first = memory.contents(str(file))
    status = file.stat()
    file.write_bytes(b"two")  # within the tick of the clock: same size, and
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))  # the same modification time
    assert memory.contents(str(file)) != first
    assert read == ["plan.txt"] * 2


def test_a_file_from_the_future_is_not_trusted(file, watched):
    memory, clock, read = watched
    clock.now = touched_at(file) - 100 * SECOND
    memory.contents(str(file))
    memory.contents(str(file))
    assert read == ["plan.txt"] * 2


def test_a_changed_file_is_read_again_though_size_and_time_are_put_back(file, watched):
    memory, clock, read = watched
    clock.now = touched_at(file) + 3 * SECOND
    first = memory.contents(str(file))
    status = file.stat()
    file.write_bytes(b"two")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert file.stat().st_mtime_ns == status.st_mtime_ns
    assert memory.contents(str(file)) != first
    assert read == ["plan.txt"] * 2


def test_a_file_replaced_by_another_is_read_again(tmp_path, file, watched):
    memory, clock, _ = watched
    clock.now = touched_at(file) + 3 * SECOND
    first = memory.contents(str(file))
    other = tmp_path / "other"
    other.write_bytes(b"two")
    shutil.copystat(file, other)
    other.replace(file)
    assert memory.contents(str(file)) != first


def test_a_file_that_changes_while_it_is_read_is_read_again(file, monkeypatch):
    original = digest_paths.hashlib.file_digest
    times = []

    def file_digest(stream, name):
        found = original(stream, name)
        times.append(1)
        if len(times) == 1:
            file.write_bytes(b"changed")
        return found

    monkeypatch.setattr(digest_paths.hashlib, "file_digest", file_digest)
    memory = digest_paths.FileMemory()
    found = memory.contents(str(file))
    monkeypatch.undo()
    assert found == digest_paths.FileMemory().contents(str(file))
    assert len(times) == 2


def test_a_file_that_never_holds_still_is_refused(file, monkeypatch):
    original = digest_paths.hashlib.file_digest

    def file_digest(stream, name):
        with file.open("ab") as more:
            more.write(b"x")
        return original(stream, name)

    monkeypatch.setattr(digest_paths.hashlib, "file_digest", file_digest)
    with pytest.raises(UncacheableArgument, match="changes while it is read"):
        digest(file)


def test_the_memory_forgets_the_oldest(tmp_path, watched, monkeypatch):
    monkeypatch.setattr(digest_paths, "_REMEMBERED", 2)
    memory, clock, read = watched
    files = [tmp_path / name for name in "abc"]
    for path in files:
        path.write_bytes(b"")
        clock.now = touched_at(path) + 3 * SECOND
    for path in (*files, files[2], files[0]):
        memory.contents(str(path))
    assert read == ["a", "b", "c", "a"]


def test_the_memory_does_not_decide_the_digest(file, watched):
    memory, _, _ = watched
    node = digest_paths.path_node(file, memory)
    assert encode(node, lambda kind: None) == encode(file, digest._find)
