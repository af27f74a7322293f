"""What the parts of an engine share while one pass over a fleet runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from batchwright.fleet.keys import NoDigest, key_of, recipe_of
from batchwright.fleet.lookup import tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from batchwright.caching.cache import Cache
    from batchwright.execution.values import Values
    from batchwright.fleet.keys import Keyed, Told, Unique
    from batchwright.fleet.outcome import Outcome
    from batchwright.records.model import Recipe


@dataclass
class Context:
    """The keyed fleet, where values are, and the outcomes so far, which the engine adds to.

    `nonce` tells results of this run from those of others where a method does not repeat;
    `unrepeatable` holds the code digests of such methods. `notes` are lines for the user.
    """

    keyed: Keyed
    cache: Cache
    values: Values
    outcomes: dict[int, Outcome]
    interrupted: Callable[[], bool]
    clock: Callable[[], float]
    nonce: str = ""
    unrepeatable: frozenset[str] = frozenset()
    notes: list[str] = field(default_factory=list)

    def tell(self, step: int, items: tuple[Any, ...]) -> Told:
        """How the result of a step, by id, is told to the keys of its consumers."""
        number = self.keyed.of[step]
        outcome = self.outcomes[number]
        return tell(
            self.keyed.uniques[number],
            items,
            digest_=outcome.digest,
            parts=outcome.parts,
            failure=outcome.failure,
        )

    def content_key(self, unique: Unique) -> tuple[str | None, Recipe | None, str]:
        """A step's content key and what it is made of; or None, None and why there is none.

        All that the step reads must have an outcome.
        """
        if unique.bypass:
            return None, None, unique.bypass
        state = []
        for number in unique.before:
            before = self.outcomes[number]
            label = self.keyed.uniques[number].label
            if before.key is None:
                return None, None, f"{label} before it on its instance has no key"
            if not before.succeeded:
                return None, None, f"{label} before it on its instance failed"
            state.append(before.key)
        try:
            recipe = recipe_of(
                unique.step, unique.facts, self.keyed.digests, self.tell, tuple(state)
            )
        except NoDigest as error:
            maker = self.keyed.uniques[self.keyed.of[error.step]]
            return None, None, f"the result of {maker.label} that it reads has no stable content"
        return key_of("content", recipe), recipe, ""

    def nonce_of(self, unique: Unique) -> str:
        """What tells an opaque result apart when its method is known not to repeat."""
        repeats = unique.step.options.repeats
        known_not_to = not repeats or unique.facts.code.digest in self.unrepeatable
        return self.nonce if known_not_to else ""
