"""What every test stands on."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def secret_of_this_test(tmp_path_factory, monkeypatch):
    """The cache's secret in a folder of its own, so that no test reads or makes the user's."""
    path = tmp_path_factory.mktemp("secret") / "private" / "secret"
    monkeypatch.setenv("BATCHWRIGHT_SECRET_FILE", str(path))
    return path
