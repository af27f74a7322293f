"""Ctrl-C: whether the user pressed it, so that a step's own KeyboardInterrupt is told apart."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Interrupt:
    """Whether the user interrupted since `noted` began; `seen` says so."""

    def __init__(self) -> None:
        self.seen = False

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note interrupts meanwhile, besides what they did before: raise KeyboardInterrupt."""
        if threading.current_thread() is not threading.main_thread():
            yield  # signals reach the main thread alone
            return
        before = signal.getsignal(signal.SIGINT)
        if not callable(before):
            yield  # ignored, as in a job in the background, or not Python's: it stays as it is
            return

        def note(number: int, frame: Any) -> None:
            self.seen = True
            before(number, frame)

        signal.signal(signal.SIGINT, note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
