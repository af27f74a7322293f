"""Texts that UTF-8 cannot hold, in messages and in file names, are recorded all the same."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import batchwright
from batchwright import step

ODD_NAME = os.fsdecode(b"odd-\xff")


def raises():
    raise ValueError("no \ud800 here")


def reads(folder):
    return (Path(folder) / ODD_NAME).read_text()


def test_a_message_with_a_lone_surrogate(tmp_path):
    with batchwright.run({"c": step(raises)()}, state=tmp_path / "state") as result:
        assert result["c"].status == "failed"
        assert result.records[0].failure.message == r"no \ud800 here"


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text elsewhere")
def test_an_undeclared_file_with_a_name_that_is_no_text(tmp_path):
    (tmp_path / ODD_NAME).write_text("read")
    with batchwright.run({"c": step(reads)(str(tmp_path))}, state=tmp_path / "state") as result:
        assert result["c"].value == "read"
        assert [path[-8:] for path in result.records[0].undeclared] == [r"d-\udcff"]
