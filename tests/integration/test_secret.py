"""The secret is made once, kept from other users, and said clearly when it cannot be had."""

from __future__ import annotations

import multiprocessing
import os
import stat

import pytest

from batchwright.caching.secret import load_secret, secret_path
from batchwright.errors import SecretUnavailable


def test_it_is_made_once_with_rights_for_the_user_alone(secret_of_this_test):
    secret = load_secret()
    assert secret_path() == secret_of_this_test
    assert len(secret) == 32
    assert load_secret() == secret
    assert stat.S_IMODE(secret_of_this_test.stat().st_mode) == 0o600
    assert stat.S_IMODE(secret_of_this_test.parent.stat().st_mode) == 0o700
    assert [path.name for path in secret_of_this_test.parent.iterdir()] == ["secret"]


def test_two_places_have_two_secrets(tmp_path):
    assert load_secret(tmp_path / "a") != load_secret(tmp_path / "b")


def _load(path, start, results):
    start.wait(30)
    results.put(load_secret(path))


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_processes_that_make_it_at_once_agree(tmp_path, links, monkeypatch):
    if not links:

        def refuse(self, target):
            raise OSError("no hard links here")

        monkeypatch.setattr("pathlib.Path.hardlink_to", refuse)
    context = multiprocessing.get_context("fork")
    start, results = context.Event(), context.SimpleQueue()
    processes = [
        context.Process(target=_load, args=(tmp_path / "d" / "secret", start, results))
        for _ in range(6)
    ]
    for process in processes:
        process.start()
    start.set()
    secrets = {results.get() for _ in processes}
    for process in processes:
        process.join(30)
    assert len(secrets) == 1


def test_one_that_others_can_read_is_closed_to_them_with_a_warning(secret_of_this_test):
    secret = load_secret()
    secret_of_this_test.chmod(0o644)
    with pytest.warns(UserWarning, match="was open to other users"):
        assert load_secret() == secret
    assert stat.S_IMODE(secret_of_this_test.stat().st_mode) == 0o600


def test_one_that_belongs_to_another_user_is_refused(secret_of_this_test, monkeypatch):
    load_secret()
    if os.geteuid() == 0:
        os.chown(secret_of_this_test, 12345, 12345)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(SecretUnavailable, match="belongs to another user"):
        load_secret()


def test_one_that_is_cut_is_refused_with_the_cure(secret_of_this_test):
    load_secret()
    secret_of_this_test.write_bytes(b"short")
    with pytest.raises(SecretUnavailable, match=r"holds 5 bytes, not 32\. Delete it"):
        load_secret()


def test_a_folder_that_cannot_be_made_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BATCHWRIGHT_SECRET_FILE", str(tmp_path / "file" / "secret"))
    with pytest.raises(SecretUnavailable, match=r"file/secret .*BATCHWRIGHT_SECRET_FILE"):
        load_secret()
