"""Watching: does a method change its object, or its arguments, by a road its code does not show?

The first calls of a method are watched, later ones now and then, and each object once more when
the run ends. Until a method has been seen to leave its object alone, nothing it gave is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from batchwright.records.model import Watched

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from batchwright.fleet.keys import Unique

# After so many clean calls a method is watched in one call of _SAMPLE only.
_FIRST = 3
_SAMPLE = 16


class StateFound(Exception):  # the runner's cue to make the keys anew
    """An object was seen to change.

    `methods` may have done it (one, when it was seen at once), `attribute` is what changed,
    `suspect` the unique steps whose results were computed on the object since its last look.
    """

    def __init__(
        self, class_digest: str, methods: Sequence[str], owner: str, attribute: str,
        suspect: Sequence[int],
    ) -> None:  # fmt: skip
        self.class_digest = class_digest
        self.methods = tuple(methods)
        self.owner = owner
        self.attribute = attribute
        self.suspect = tuple(suspect)
        super().__init__(owner, attribute)


class Watcher:
    """Which calls to watch, and what has been learned from those that were."""

    def __init__(self, learned: Mapping[tuple[str, str], Watched]) -> None:
        self._known = dict(learned)
        self.learned: dict[tuple[str, str], Watched] = {}
        self._calls: dict[tuple[str, str], int] = {}

    def wants(self, unique: Unique) -> bool:
        """Whether the next call of this step's method is to be watched."""
        key = self._key(unique)
        number = self._calls[key] = self._calls.get(key, -1) + 1
        return self._of(key).clean < _FIRST or number % _SAMPLE == 0

    def was_clean(self, unique: Unique) -> None:
        """Note a watched call that left object and arguments as they were."""
        key = self._key(unique)
        self._learn(key, msgspec.structs.replace(self._of(key), clean=self._of(key).clean + 1))

    def changes_argument(self, unique: Unique, name: str) -> bool:
        """Note that a method changes an argument; whether that was not known yet."""
        key = self._key(unique)
        before = self._of(key)
        if before.changes_argument == name:
            return False
        self._learn(key, msgspec.structs.replace(before, changes_argument=name))
        return True

    def stores(self, found: StateFound) -> None:
        """Note that methods change their object."""
        # Each time something new is learned, so that a run begins anew at most once a method.
        for method in found.methods:
            key = (found.class_digest, method)
            self._learn(key, msgspec.structs.replace(self._of(key), stores=found.attribute))

    def _of(self, key: tuple[str, str]) -> Watched:
        return self._known.get(key, _NOTHING)

    def _learn(self, key: tuple[str, str], watched: Watched) -> None:
        self._known[key] = self.learned[key] = watched

    @staticmethod
    def _key(unique: Unique) -> tuple[str, str]:
        # A plain function has no object; it is watched for its arguments, under its own code.
        return (unique.facts.class_digest or unique.facts.code.digest, unique.step.method)


_NOTHING = Watched()
