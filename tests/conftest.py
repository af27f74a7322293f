"""What every test stands on."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import settings

# Python takes a .pyc for current when second and size of its source agree, which hides the edits
# that tests make within one second. Tests that are about such files ask for them.
sys.dont_write_bytecode = True
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

# No test asserts a duration, so no example has a deadline. A check that lands changes tries the
# same examples each time; whoever works on the code tries new ones.
settings.register_profile("project", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("project")


@pytest.fixture(autouse=True)
def secret_of_this_test(tmp_path_factory, monkeypatch):
    """The cache's secret in a folder of its own, so that no test reads or makes the user's."""
    path = tmp_path_factory.mktemp("secret") / "private" / "secret"
    monkeypatch.setenv("BATCHWRIGHT_SECRET_FILE", str(path))
    return path
