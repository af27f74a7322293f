"""A returned path is stored by contents, and given back as it was on a hit."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

from batchwright.caching import files
from batchwright.caching.cache import Cache
from batchwright.caching.codec import decode, encode
from batchwright.errors import NotEncodable


@dataclasses.dataclass
class Report:
    where: Path


@pytest.fixture
def cache(tmp_path):
    with Cache(tmp_path / "cache") as cache:
        yield cache


def reopened(cache, key):
    with Cache(cache._disks[0].folder) as again:
        return again.get(key)


def test_a_file_that_is_still_there_is_given_back_itself(cache, tmp_path):
    made = tmp_path / "made.txt"
    made.write_text("contents")
    cache.put("k", made)
    assert cache.get("k") == made
    assert reopened(cache, "k") == made


@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_text("changed")])
@pytest.mark.parametrize(
    "wrap", [lambda path: path, lambda path: {"a": [path]}, Report, lambda path: (lambda: path)],
    ids=["bare", "nested", "attribute", "closure"],
)  # fmt: skip
def test_a_file_that_went_or_changed_is_restored(cache, tmp_path, change, wrap):
    made = tmp_path / "made.bin"
    made.write_bytes(b"\x00contents" * 10_000)
    made.chmod(0o750)
    cache.put("k", wrap(made))
    change(made)
    for value in (cache.get("k"), reopened(cache, "k")):
        match value:
            case Path():
                path = value
            case Report(where=path):
                pass
            case {"a": [path]}:
                pass
            case _:
                path = value()
        assert path != made
        assert path.name == "made.bin"
        assert path.is_relative_to(cache._disks[0].folder)
        assert path.read_bytes() == b"\x00contents" * 10_000
        assert path.stat().st_mode & 0o777 == 0o750


def test_a_folder_is_restored_whole(cache, tmp_path):
    made = tmp_path / "model"
    (made / "deep" / "empty").mkdir(parents=True)
    (made / "weights").write_bytes(os.urandom(5000))
    (made / "deep" / "names.txt").write_text("a")
    (made / "link").symlink_to("weights")
    before = {str(path.relative_to(made)): path.is_dir() or path.read_bytes()
              for path in made.rglob("*")}  # fmt: skip
    cache.put("k", made)
    (made / "deep" / "names.txt").unlink()
    path = reopened(cache, "k")
    assert path != made
    assert path.name == "model"
    after = {str(each.relative_to(path)): each.is_dir() or each.read_bytes()
             for each in path.rglob("*")}  # fmt: skip
    assert after == before
    assert (path / "link").is_symlink()
    assert reopened(cache, "k") == path


def test_an_empty_folder_is_restored(cache, tmp_path):
    made = tmp_path / "empty"
    made.mkdir()
    cache.put("k", [made])
    made.rmdir()
    (path,) = reopened(cache, "k")
    assert path.is_dir()
    assert path.name == "empty"


def test_changing_a_restored_file_never_changes_a_later_hit(cache, tmp_path):
    made = tmp_path / "made.txt"
    made.write_text("contents")
    cache.put("k", made)
    made.unlink()
    first = cache.get("k")
    first.write_text("spoilt")
    second = cache.get("k")
    assert second != first
    assert second.read_text() == "contents"
    assert first.read_text() == "spoilt"


def test_without_a_folder_files_are_restored_too(tmp_path):
    made = tmp_path / "made.txt"
    made.write_text("contents")
    cache = Cache()
    cache.put("k", made)
    made.unlink()
    assert cache.get("k").read_text() == "contents"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")
def test_a_forked_child_leaves_what_was_restored_for_its_parent(tmp_path):
    program = """if 1:
        import os, pathlib, sys
        from batchwright.caching.cache import Cache
        made = pathlib.Path(sys.argv[1])
        made.write_text("contents")
        cache = Cache()
        cache.put("k", made)
        made.unlink()
        restored = cache.get("k")
        if os.fork() == 0:
            sys.exit()
        os.wait()
        print(restored.read_text(), restored)
    """
    ended = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "made.txt"], capture_output=True, text=True
    )
    contents, restored = ended.stdout.split()
    assert contents == "contents"
    assert not Path(restored).exists()


def test_a_path_to_nothing_is_just_a_path(tmp_path):
    assert decode(encode(tmp_path / "none")) == tmp_path / "none"


def test_a_pipe_in_a_folder_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotEncodable, match="neither file, folder nor link"):
        encode(tmp_path)


def test_more_than_a_cache_should_hold_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MOST_FILES", 3)
    for number in range(5):
        (tmp_path / str(number)).write_text("")
    with pytest.raises(NotEncodable, match="more than the cache stores"):
        encode(tmp_path)


def test_a_name_that_is_not_text_survives(cache, tmp_path):
    made = tmp_path / os.fsdecode(b"caf\xe9")
    made.write_text("x")
    cache.put("k", made)
    assert reopened(cache, "k") == made
    made.unlink()
    assert reopened(cache, "k").name == made.name
