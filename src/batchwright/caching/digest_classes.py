"""How classes count: by name where they are builtin, by their code where they are not.

The code of a class changes while a program runs when a notebook redefines a helper or reloads a
module, so it is looked at anew for each value. `fixed_code` spares that where no code can change.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from batchwright.caching.digest_encoding import Node

if TYPE_CHECKING:
    from collections.abc import Iterator

_lock = threading.Lock()
_holders = 0
_known: dict[type, str] = {}


@contextmanager
def fixed_code() -> Iterator[None]:
    """While this lasts, the code of each class is looked at once.

    For a run, whose code was settled before it began. Holds for all threads, and may be nested.
    """
    global _holders  # noqa: PLW0603
    with _lock:
        _holders += 1
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if not _holders:
                _known.clear()


def class_node(kind: type) -> Node:
    """The node of a class. Raises what `code_digest` raises."""
    # A builtin is what its name says in every version of Python that this runs on.
    if kind.__module__ == "builtins":
        return Node("type", (kind.__qualname__,))
    return Node("type", (kind.__qualname__, _code_digest(kind)))


def _code_digest(kind: type) -> str:
    from batchwright.caching.code import code_digest

    known = _known.get(kind)
    if known is None:
        known = code_digest(kind)
        with _lock:
            if _holders:
                _known[kind] = known
    return known
