"""Warm instances: objects to call methods on, kept while they are as a step needs them.

An object is found by what it was made from and by its *state*: the keys of the calls that have
changed it since, in order. An object that methods only read has the empty state for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from batchwright.execution.fingerprint import changed, fingerprint

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    Made = Hashable
    State = tuple[Hashable, ...]


class Warm:
    """One object, with what watching knows of it.

    `marks` is its fingerprint when it was last found unchanged, None while it need not be known.
    `unverified` are the unique steps whose results were computed on it since.
    """

    __slots__ = ("class_digest", "made", "marks", "object", "state", "unverified")

    def __init__(self, made: Made, state: State, instance: Any, class_digest: str) -> None:
        self.made = made
        self.state = state
        self.object = instance
        self.class_digest = class_digest
        self.marks: dict[str, bytes | None] | None = None
        self.unverified: list[int] = []

    def mark(self) -> None:
        """Take the fingerprint that later looks are compared with."""
        self.marks = fingerprint(self.object)
        self.unverified.clear()

    def look(self) -> str | None:
        """The attribute that has changed since the last look; None, and verified, when none."""
        assert self.marks is not None  # noqa: S101  # marked before its first watched call
        found = fingerprint(self.object)
        attribute = changed(self.marks, found)
        if attribute is None:
            self.unverified.clear()
        self.marks = found
        return attribute


class InstancePool:
    """The warm instances of one worker."""

    def __init__(self) -> None:
        self._warm: dict[tuple[Made, State], Warm] = {}
        self.built = 0

    def __iter__(self) -> Iterator[Warm]:
        return iter(list(self._warm.values()))

    def find(self, made: Made, state: State) -> Warm | None:
        """The instance in exactly that state, if one is warm."""
        return self._warm.get((made, state))

    def longest_prefix(self, made: Made, state: State) -> Warm | None:
        """The warm instance that needs the fewest calls to come into that state."""
        for length in range(len(state), -1, -1):
            warm = self._warm.get((made, state[:length]))
            if warm is not None:
                return warm
        return None

    def add(self, warm: Warm) -> None:
        """Take in an instance that was just built."""
        self.built += 1
        self._warm[warm.made, warm.state] = warm

    def moved(self, warm: Warm, by: Hashable) -> None:
        """Note that a call has changed the instance, and so its state."""
        self._drop(warm)
        warm.state = (*warm.state, by)
        warm.marks = None
        self._warm[warm.made, warm.state] = warm

    def discard(self, warm: Warm) -> None:
        """Forget an instance whose state is not known any more."""
        self._drop(warm)

    def _drop(self, warm: Warm) -> None:
        if self._warm.get((warm.made, warm.state)) is warm:
            del self._warm[warm.made, warm.state]
