"""Settings files: where they are found, and what they say."""

from pathlib import Path

import pytest

from batchwright.contracts.settings import Settings, find_settings, read_settings, settings_for
from batchwright.errors import InvalidSettings

WHOLE = """
methods = ["nightly.methods", "more"]
stateful = ["Store"]
stateless = ["Memo"]
cache = "cache"
workers = 4
engine = "inline"
strict = true
[inputs]
document = "plan.pdf"
[instances.Miner]
language = "es"
"""


def write(folder, name, text):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refused(path):
    with pytest.raises(InvalidSettings) as caught:
        read_settings(path)
    assert str(path) in caught.value.message
    return caught.value.message


def test_a_whole_file(tmp_path):
    path = write(tmp_path, "batchwright.toml", WHOLE)
    assert read_settings(path) == Settings(
        folder=tmp_path,
        path=path,
        methods=("nightly.methods", "more"),
        inputs={"document": "plan.pdf"},
        instances={"Miner": {"language": "es"}},
        stateful=("Store",),
        stateless=("Memo",),
        cache=str(tmp_path / "cache"),
        workers=4,
        engine="inline",
        strict=True,
    )


def test_state_lives_beside_the_file(tmp_path):
    assert read_settings(write(tmp_path, "batchwright.toml", "")).state_folder == (
        tmp_path / ".batchwright"
    )


def test_a_cache_elsewhere_is_left_as_it_is(tmp_path):
    path = write(tmp_path, "batchwright.toml", 'cache = "redis://host/0"')
    assert read_settings(path).cache == "redis://host/0"
    path = write(tmp_path, "batchwright.toml", 'cache = "/var/cache/x"')
    assert read_settings(path).cache == str(Path("/var/cache/x"))


def test_a_cache_in_the_home_folder_is_there_and_not_in_a_folder_called_tilde(
    tmp_path, monkeypatch
):
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    path = write(tmp_path, "batchwright.toml", 'cache = "~/kept"')
    assert read_settings(path).cache == str(tmp_path / "home" / "kept")


def test_the_first_file_upwards_counts(tmp_path):
    top = write(tmp_path, "batchwright.toml", 'methods = ["top"]')
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert find_settings(deep) == top
    near = write(tmp_path / "a", "batchwright.toml", 'methods = ["near"]')
    assert find_settings(deep) == near
    assert settings_for(deep).methods == ("near",)


def test_a_project_file_counts_only_with_a_table(tmp_path):
    top = write(tmp_path, "batchwright.toml", "")
    project = write(tmp_path / "a", "pyproject.toml", "[tool.other]\nx = 1\n")
    assert find_settings(tmp_path / "a") == top
    project.write_text('[tool.batchwright]\nmethods = ["m"]\n')
    assert find_settings(tmp_path / "a") == project
    assert settings_for(tmp_path / "a").methods == ("m",)
    own = write(tmp_path / "a", "batchwright.toml", "")
    assert find_settings(tmp_path / "a") == own


def test_a_broken_project_file_on_the_way_is_an_error(tmp_path):
    project = write(tmp_path, "pyproject.toml", "[tool\n")
    with pytest.raises(InvalidSettings, match=r"not valid TOML.*line 1") as caught:
        find_settings(tmp_path)
    assert str(project) in caught.value.message


def test_without_a_file_there_are_defaults_in_the_folder(tmp_path, monkeypatch):
    # What stands above the temporary folder is not this test's affair.
    monkeypatch.setattr("batchwright.contracts.settings.find_settings", lambda start: None)
    file = write(tmp_path, "q.json", "{}")
    assert settings_for(tmp_path) == settings_for(file) == Settings(folder=tmp_path)


def test_an_unknown_key_names_the_nearest(tmp_path):
    message = refused(write(tmp_path, "batchwright.toml", 'method = ["m"]'))
    assert "there is no setting 'method'; did you mean 'methods'?" in message


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("methods = 3", "expected `array`, got `int` in methods"),
        ("methods = [3]", "in methods[0]"),
        ("workers = 0", "workers must be 1 or more"),
        ('engine = "spark"', "engine"),
        ("[instances]\nMiner = 3", "in instances"),
        ("strict = 1", "strict"),
        ('stateful = ["A"]\nstateless = ["A"]', "A is both stateful and stateless"),
        ("methods = [", "not valid TOML"),
    ],
)
def test_wrong_values_name_their_key(tmp_path, text, part):
    message = refused(write(tmp_path, "batchwright.toml", text))
    assert part.replace("`", "") in message


def test_a_file_that_is_no_text(tmp_path):
    path = tmp_path / "batchwright.toml"
    path.write_bytes('cache = "ñ"'.encode("latin-1"))
    assert "not UTF-8" in refused(path)


def test_a_file_that_is_not_there(tmp_path):
    assert "cannot read" in refused(tmp_path / "batchwright.toml")
