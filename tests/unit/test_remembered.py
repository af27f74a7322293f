"""Facts of code remembered by its files: they hold while nothing they were read from changed."""

from __future__ import annotations

import os
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from batchwright._version import __version__
from batchwright.caching.code import CodeFacts
from batchwright.contracts.graph import Target
from batchwright.contracts.registry import Entry
from batchwright.contracts.settings import Settings, settings_for
from batchwright.contracts.signature import Signature
from batchwright.fleet.facts import MethodFacts
from batchwright.fleet.remembered import (
    NotRemembered,
    RecordingRegistry,
    Remembered,
    RememberedRegistry,
    memory_key,
    remember,
)
from batchwright.fleet.surroundings import Surroundings, stat_of

LATER_NS = 10**12
SETTINGS = Settings(folder=Path("fleet"))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "methods.py").write_text("x = 1\n")
    (tmp_path / "helpers.py").write_text("y = 1\n")
    return tmp_path


def now_ns(folder):
    return max(path.stat().st_ctime_ns for path in folder.iterdir()) + LATER_NS


def facts(*files, current=True, parts=None, **more):
    described = CodeFacts("d", parts or {}, tuple(map(str, files)), current=current)
    return {"methods:f": MethodFacts(described, **more)}


def remembered(folder, methods=None, surroundings=Surroundings(), now=None):
    methods = facts(folder / "helpers.py") if methods is None else methods
    now = now_ns(folder) if now is None else now
    return remember(methods, {}, [str(folder / "methods.py")], surroundings, now)


def test_facts_hold_while_nothing_changes(folder):
    found = remembered(folder)
    assert found.holds(SETTINGS)
    assert set(found.files) == {str(folder / "methods.py"), str(folder / "helpers.py")}


@pytest.mark.parametrize("name", ["methods.py", "helpers.py"])
def test_they_end_when_a_file_is_written_again(folder, name):
    found = remembered(folder)
    path = folder / name
    stat = path.stat()
    path.write_text(path.read_text().replace("1", "2"))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_size == stat.st_size
    assert path.stat().st_mtime_ns == stat.st_mtime_ns
    assert not found.holds(SETTINGS)


def test_they_end_when_a_file_is_replaced_or_gone(folder):
    found = remembered(folder)
    (folder / "new").write_text("y = 1\n")
    (folder / "new").replace(folder / "helpers.py")
    assert not found.holds(SETTINGS)
    found = remembered(folder)
    (folder / "helpers.py").unlink()
    assert not found.holds(SETTINGS)


@pytest.mark.parametrize("name", ["other.py", "native.so", "native.pyd", "bundle.zip"])
def test_they_end_when_another_module_could_be_found_instead(folder, name):
    found = remembered(folder)
    (folder / name).touch()
    assert not found.holds(SETTINGS)


def test_they_end_when_a_package_stands_beside_a_module(folder):
    found = remembered(folder)
    (folder / "helpers").mkdir()
    assert not found.holds(SETTINGS)


@pytest.mark.parametrize("name", ["notes.txt", ".batchwright", "plan.pdf"])
def test_other_files_beside_them_do_not_matter(folder, name):
    found = remembered(folder)
    (folder / name).touch()
    (folder / "__pycache__").mkdir()
    assert found.holds(SETTINGS)


def test_they_end_with_the_version_of_a_distribution(folder, monkeypatch):
    versions = {"dist numpy": metadata.version("numpy"), "dist batchwright": __version__}
    found = remembered(folder, facts(parts=versions | {"methods:f": "1"}))
    assert set(found.distributions) == {"numpy", "batchwright"}
    assert found.holds(SETTINGS)
    monkeypatch.setattr(metadata, "version", lambda name: "0.0")
    assert not found.holds(SETTINGS)


def test_nothing_is_remembered_of_a_distribution_that_has_changed_meanwhile(folder):
    assert remembered(folder, facts(parts={"dist numpy": "0.0"})) is None
    assert remembered(folder, facts(parts={"dist no-such-thing": "1"})) is None


def test_nothing_is_remembered_of_files_too_young_to_be_told_by_their_times(folder):
    newest = max(path.stat().st_ctime_ns for path in folder.iterdir())
    assert remembered(folder, now=newest + 1_999_999_999) is None
    assert remembered(folder, now=newest + 2_000_000_000) is not None
    assert remembered(folder, now=newest - LATER_NS) is None  # a clock set back


def test_what_the_import_looked_at_counts_as_well(folder):
    table = folder / "table.csv"
    table.write_text("1")
    found = remembered(folder, surroundings=Surroundings({str(table): stat_of(str(table))}))
    assert found.holds(SETTINGS)
    table.write_text("22")
    assert not found.holds(SETTINGS)
    table.unlink()
    absent = remembered(folder, surroundings=Surroundings({str(table): None}))
    assert absent.holds(SETTINGS)
    table.write_text("1")
    assert not absent.holds(SETTINGS)


def test_nothing_is_remembered_of_code_loaded_from_other_files_than_there_are(folder):
    assert remembered(folder, facts(folder / "helpers.py", current=False)) is None
    stale = CodeFacts("d", {}, current=False)
    assert remembered(folder, facts(constructor=stale)) is None
    assert remembered(folder, facts(folder / "gone.py")) is None


def test_the_files_of_a_class_count_as_well(folder):
    found = remembered(folder, facts(class_files=(str(folder / "helpers.py"),)))
    assert str(folder / "helpers.py") in found.files


def test_what_is_remembered_can_be_kept(folder):
    found = remembered(folder, facts(folder / "helpers.py", defaults={"x": "d"}, mark="stateful"))
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Remembered)
    assert again.holds(SETTINGS)
    assert again.methods == found.methods


# --- under what ---------------------------------------------------------------------------------


def settings(tmp_path, methods=("methods",)):
    written = ", ".join(f'"{name}"' for name in methods)
    (tmp_path / "batchwright.toml").write_text(f"methods = [{written}]\n")
    return settings_for(tmp_path)


def test_the_key_changes_with_all_that_decides_which_files_are_imported(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    keys = [
        memory_key(settings(tmp_path / "a")),
        memory_key(settings(tmp_path / "b")),
        memory_key(settings(tmp_path / "a", ("methods", "more"))),
    ]
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "elsewhere")])
    keys.append(memory_key(settings(tmp_path / "a")))
    assert len(set(keys)) == 4


def test_the_key_is_the_same_before_and_after_the_fleets_folder_is_importable(
    tmp_path, monkeypatch
):
    before = memory_key(settings(tmp_path))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert memory_key(settings(tmp_path)) == before


# --- registries ---------------------------------------------------------------------------------


def entry(loaded=None):
    return Entry(Target("methods", "f", loaded), Signature())


def test_a_recording_registry_notes_what_was_asked_without_the_loaded_objects():
    loaded = SimpleNamespace(
        method=lambda class_name, method: entry(len),
        constructor=lambda class_name: entry(dict),
        factory=lambda name: entry(max),
    )
    recording = RecordingRegistry(loaded)
    assert recording.method("C", "f").target.loaded is len
    recording.method("", "f")
    recording.constructor("C")
    recording.factory("m:f")
    assert set(recording.entries) == {"method C.f", "method .f", "class C", "factory m:f"}
    assert all(noted.target.loaded is None for noted in recording.entries.values())


def test_the_remembered_registry_answers_the_same_and_no_more():
    entries = {"method C.f": entry(), "class C": entry(), "factory m:f": entry()}
    registry = RememberedRegistry(Remembered({}, entries, {}, {}, {}, Surroundings()))
    assert registry.method("C", "f") == registry.constructor("C") == registry.factory("m:f")
    for ask in (
        lambda: registry.method("C", "g"),
        lambda: registry.method("", "f"),
        lambda: registry.constructor("D"),
        lambda: registry.factory("m:g"),
    ):
        with pytest.raises(NotRemembered):
            ask()
