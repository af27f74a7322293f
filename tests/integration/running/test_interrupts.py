"""Ctrl-C ends the run, whatever the step that it meets makes of it."""

from __future__ import annotations

import contextlib
import os
import signal

import pytest

import batchwright
from batchwright import step


def swallows(n):
    with contextlib.suppress(BaseException):
        os.kill(os.getpid(), signal.SIGINT)
    return n


def turns_it_into_another(n):
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        raise ValueError(n) from None


def doubled(n):
    return 2 * n


@pytest.fixture
def interruptible():
    """SIGINT as a terminal's job has it; one in the background may have been told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name == "nt", reason="os.kill ends the process on Windows")
@pytest.mark.parametrize("method", [swallows, turns_it_into_another])
def test_an_interrupt_that_a_step_swallows_ends_the_run_all_the_same(
    tmp_path, method, interruptible
):
    with pytest.raises(KeyboardInterrupt):
        batchwright.run(step(doubled)(step(method)(1)), state=tmp_path / "state")
    with batchwright.run(step(doubled)(1), state=tmp_path / "state") as result:
        assert [record.outcome for record in result.records] == ["computed"]


@pytest.mark.skipif(os.name == "nt", reason="os.kill ends the process on Windows")
def test_an_interrupt_that_the_process_ignores_does_not_end_the_run(tmp_path):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in a job in the background
    try:
        with batchwright.run(step(swallows)(1), state=tmp_path / "state") as result:
            assert result["swallows"].value == 1
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
