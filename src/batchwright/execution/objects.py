"""The objects that steps call methods on: built, brought into the state a step needs, looked at."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from batchwright.errors import UncacheableArgument
from batchwright.execution.calling import Called, call, measured, not_called
from batchwright.execution.instances import InstancePool, Warm
from batchwright.execution.values import LostValue
from batchwright.execution.watching import StateFound
from batchwright.fleet.keys import NoDigest, opaque_digest

if TYPE_CHECKING:
    from collections.abc import Hashable

    from batchwright.contracts.graph import Bound, Instance
    from batchwright.execution.context import Context
    from batchwright.fleet.keys import Unique


class ObjectFailed(Exception):  # the step fails with what was raised
    """Building an object, or bringing it into its state, raised; `called` has the exception."""

    def __init__(self, called: Called) -> None:
        self.called = called
        super().__init__()


class Objects:
    """The warm instances of one pass."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._pool = InstancePool()
        self._broken: dict[Hashable, Called] = {}
        self.build_ms = 0.0  # what building them took

    @property
    def built(self) -> int:
        """How many objects were built."""
        return self._pool.built

    def ready_for(self, unique: Unique) -> Warm:
        """The instance in the state that a step needs, built and brought there if need be.

        Raises `ObjectFailed`, `LostValue` when an argument's value is gone, and
        `StateFound`.
        """
        instance = unique.step.instance
        assert instance is not None  # noqa: S101  # asked only for methods
        made = self._made_from(instance)
        state = tuple(self._mark_of(number) for number in unique.before)
        warm = self._pool.find(made, state)
        if warm is not None:
            return warm
        warm = self._pool.longest_prefix(made, state)
        if warm is None:
            warm = self._build(unique, instance, made)
        elif warm.marks is not None and warm.unverified:
            self.look(warm)
        for number in unique.before[len(warm.state) :]:
            self._repeat(warm, self._context.keyed.uniques[number])
        return warm

    def prepare_to_look(self, warm: Warm, *, watched: bool) -> None:
        """Make sure that a change during the next call can be told from an earlier one."""
        if warm.marks is None:
            warm.mark()
        elif watched and warm.unverified:
            self.look(warm)

    def look(self, warm: Warm, method: str = "") -> None:
        """See whether an object has changed since its last look; raises `StateFound`.

        `method` is the one just called, blamed alone when no other call was made in between.
        """
        suspect = tuple(warm.unverified)
        attribute = warm.look()
        if attribute is None:
            return
        self._pool.discard(warm)
        uniques = self._context.keyed.uniques
        called = dict.fromkeys(uniques[number].step.method for number in suspect)
        methods = (method,) if method and len(suspect) == 1 else tuple(called)
        owner = type(warm.object).__qualname__
        raise StateFound(warm.class_digest, methods, owner, attribute, suspect)

    def last_look(self) -> None:
        """Look once more at every object with unwatched calls; raises `StateFound`."""
        for warm in self._pool:
            if warm.marks is not None and warm.unverified:
                self.look(warm)

    def moved(self, warm: Warm, unique: Unique) -> None:
        """Note that a step has changed its object."""
        self._pool.moved(warm, self._mark_of(unique.number))

    def forget(self, warm: Warm) -> None:
        """Let go of an object, so that the next call is made on one newly built."""
        self._pool.discard(warm)

    def _repeat(self, warm: Warm, earlier: Unique) -> None:
        """Make an earlier call of the chain again, for its effect on the object alone."""
        context = self._context
        bound = earlier.step.arguments
        arguments = self._values_of(bound)
        method = getattr(warm.object, earlier.step.method)
        key = context.outcomes[earlier.number].key
        work = partial(call, method, arguments, bound)
        called = measured(work, key, context.interrupted, context.clock)
        if called.failure is not None and context.outcomes[earlier.number].succeeded:
            # It gave a result then and does not now: the object is in nobody's state.
            self._pool.discard(warm)
            raise ObjectFailed(called)
        self.moved(warm, earlier)

    def _build(self, unique: Unique, instance: Instance, made: Hashable) -> Warm:
        if made in self._broken:
            raise ObjectFailed(self._broken[made])
        context = self._context
        maker = (instance.factory or instance.owner).load()
        arguments = self._values_of(instance.arguments)
        work = partial(call, maker, arguments, instance.arguments)
        seed = self._seed_of(unique, instance)
        called = measured(work, seed, context.interrupted, context.clock)
        self.build_ms += called.time_ms
        if called.failure is not None:
            self._broken[made] = called
            raise ObjectFailed(called)
        warm = Warm(made, (), called.value, unique.facts.class_digest)
        self._pool.add(warm)
        return warm

    def _values_of(self, bound: tuple[Bound, ...]) -> dict[str, Any]:
        context = self._context
        try:
            return context.values.arguments(bound, context.outcomes)
        except LostValue:
            raise
        except Exception as error:  # a part that a result does not have, for one
            raise ObjectFailed(not_called(error, context.clock)) from error

    def _made_from(self, instance: Instance) -> Hashable:
        """What tells an object that has just been built: class, factory, arguments."""
        return (instance.owner, instance.factory, self._arguments_of(instance) or id(instance))

    def _seed_of(self, unique: Unique, instance: Instance) -> str | None:
        arguments = self._arguments_of(instance)
        constructor = unique.facts.constructor
        if arguments is None or constructor is None:
            return None
        return opaque_digest(constructor.digest, arguments)

    def _arguments_of(self, instance: Instance) -> tuple[tuple[str, str], ...] | None:
        digests = self._context.keyed.digests
        try:
            return (
                ("", ""),
                *(
                    (bound.name, digests.of(bound.argument, self._context.tell))
                    for bound in instance.arguments
                ),
            )
        except (UncacheableArgument, NoDigest):
            return None

    def _mark_of(self, number: int) -> Hashable:
        outcome = self._context.outcomes.get(number)
        if outcome is None or outcome.key is None or not outcome.succeeded:
            return ("call", number)
        return outcome.key
