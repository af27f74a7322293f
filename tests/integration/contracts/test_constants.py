"""Values written in contracts and settings, and inputs, as arguments."""

import os
from pathlib import Path

import pytest

from batchwright.contracts.constants import Constants
from batchwright.contracts.graph import FileInput
from batchwright.contracts.inputs import Inputs
from batchwright.errors import InvalidContract, MissingPath, UnreadableInput


@pytest.fixture
def constants():
    return Constants()


def test_equal_values_are_one_argument_and_different_types_are_not(constants, tmp_path):
    texts = [b"1", b"1.0", b"true", b'"1"', b"[1]", b'{"a": 1}', b"0.0", b"-0.0", b"null"]
    first = [constants.of_json(text, tmp_path) for text in texts]
    again = [constants.of_json(text, tmp_path / "other") for text in texts]
    assert all(a is b for a, b in zip(first, again, strict=True))
    assert len({id(argument) for argument in first}) == len(texts)
    assert constants.of_value(1, tmp_path) is first[0]
    assert constants.of_value(True, tmp_path) is first[2]


def test_paths_at_any_depth(constants, tmp_path):
    (tmp_path / "a.txt").write_text("a")
    argument = constants.of_json(b'{"x": [{"$path": "a.txt"}, 1]}', tmp_path)
    assert argument.template == {"x": [FileInput(tmp_path / "a.txt"), 1]}
    assert argument.files


def test_a_path_depends_on_where_it_is_written_and_what_is_wanted(constants, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x").write_text(folder)
    text = b'{"\\u0024path": "x"}'
    assert constants.of_json(text, tmp_path / "a").template == FileInput(tmp_path / "a" / "x")
    assert constants.of_json(text, tmp_path / "b").template == FileInput(tmp_path / "b" / "x")
    assert constants.of_json(text, tmp_path / "b", "str").template.wants == "str"


def test_without_a_base_a_path_is_a_value_like_any_other(constants):
    assert constants.of_json(b'{"$path": "x"}', None).template == {"$path": "x"}


def test_links_keep_their_own_name(constants, tmp_path):
    (tmp_path / "real").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert constants.file(tmp_path / "sub" / ".." / "link").path == tmp_path / "link"


@pytest.mark.parametrize("value", ['{"$path": 3}', '{"$path": "a", "b": 1}', '{"$path": ""}'])
def test_malformed_paths(constants, tmp_path, value):
    with pytest.raises(InvalidContract, match="a path is written as"):
        constants.of_json(value.encode(), tmp_path)


def test_missing_and_impossible_paths(constants, tmp_path):
    (tmp_path / "file").write_text("")
    for name in ("gone", "file/below"):
        with pytest.raises(MissingPath, match=name):
            constants.file(tmp_path / name)
    with pytest.raises(UnreadableInput, match="cannot read"):
        constants.file(tmp_path / ("x" * 5000))


def test_a_file_without_permission(constants, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(UnreadableInput, match="permission denied"):
        constants.file(tmp_path / "file")


def inputs(constants, given, written, base):
    return Inputs(constants, given, written, base)


def test_an_input_is_one_argument_however_often_it_is_asked_for(constants, tmp_path):
    (tmp_path / "t").write_text("text")
    found = inputs(constants, {}, {"a": "t", "b": "@t", "c": [1]}, tmp_path)
    for name in "abc":
        assert found.find(name, "any") is found.find(name, "path") is found.find(name, "any")
    assert found.find("b", "str") is found.find("b", "path")
    assert found.find("c", "str") is found.find("c", "any")
    assert found.find("a", "str").template == FileInput(tmp_path / "t", "str")
    assert found.find("a", "any").template == FileInput(tmp_path / "t", "path")
    assert found.find("gone", "any") is None


def test_text_is_read_as_text(constants, tmp_path):
    (tmp_path / "t").write_bytes("\ufeffuno\r\ndos ñ".encode())
    assert inputs(constants, {}, {"t": "@t"}, tmp_path).find("t", "str").template == "uno\ndos ñ"


def test_constants_and_paths_inside_them(constants, tmp_path):
    (tmp_path / "t").write_text("")
    written = {"n": 3, "flag": True, "rows": [{"$path": "t"}]}
    found = inputs(constants, {}, written, tmp_path)
    assert found.find("n", "any").template == 3
    assert found.find("flag", "any").template is True
    assert found.find("rows", "any").template == [FileInput(tmp_path / "t")]


def test_given_inputs_may_be_paths(constants, tmp_path):
    (tmp_path / "t").write_text("")
    found = inputs(constants, {"d": tmp_path / "t"}, {"d": "gone"}, Path("/"))
    assert found.find("d", "any").template == FileInput(tmp_path / "t")
    assert found.errors() == []


def test_a_folder_is_no_text(constants, tmp_path):
    (error,) = inputs(constants, {"d": f"@{tmp_path}"}, {}, tmp_path).errors()
    assert isinstance(error, UnreadableInput)
    assert error.message.startswith(f"--input d: cannot read {tmp_path}")


def test_an_empty_path(constants, tmp_path):
    (error,) = inputs(constants, {}, {"d": ""}, tmp_path).errors()
    assert error.message == "[inputs] d: no path is given"
