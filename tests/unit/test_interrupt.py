"""Whether the user pressed Ctrl-C, and what was in place before comes back."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from batchwright.execution.interrupt import Interrupt

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signal.raise_signal ends the process")


@pytest.fixture(autouse=True)
def pythons_own_handler():
    """As in the foreground: a shell's background job ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_without_ctrl_c_nothing_is_seen():
    interrupt = Interrupt()
    with interrupt.noted():
        pass
    assert not interrupt.seen


def test_ctrl_c_is_seen_and_still_raises():
    interrupt = Interrupt()
    with pytest.raises(KeyboardInterrupt), interrupt.noted():
        signal.raise_signal(signal.SIGINT)
    assert interrupt.seen


def test_a_keyboard_interrupt_that_code_raises_itself_is_not_the_users():
    interrupt = Interrupt()
    with pytest.raises(KeyboardInterrupt), interrupt.noted():
        raise KeyboardInterrupt
    assert not interrupt.seen


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL, lambda *_: None])
def test_what_handled_it_before_handles_it_afterwards(handler):
    before = signal.signal(signal.SIGINT, handler)
    try:
        with Interrupt().noted():
            pass
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_what_handled_it_before_is_called_meanwhile():
    told = []
    before = signal.signal(signal.SIGINT, lambda number, frame: told.append(number))
    try:
        interrupt = Interrupt()
        with interrupt.noted():
            signal.raise_signal(signal.SIGINT)
        assert interrupt.seen
        assert told == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_leaves_the_handler_alone():
    found = []

    def run():
        with Interrupt().noted():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGINT)]
