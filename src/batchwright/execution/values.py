"""Values on their way: results and constants, each handed out as a copy of the taker's own."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import msgspec

from batchwright.caching.codec import Payload, decode, encode, is_immutable
from batchwright.contracts.graph import FileInput, Outputs, Reference, substitute
from batchwright.errors import NotEncodable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from batchwright.caching.cache import Cache
    from batchwright.contracts.graph import Argument, Bound
    from batchwright.fleet.keys import Keyed
    from batchwright.fleet.outcome import Outcome


class Live(msgspec.Struct, frozen=True):
    """A value handed out as it is: immutable, or one that cannot be copied (a handle)."""

    value: Any


class LostValue(Exception):  # the engine's cue to compute it again
    """A known result's value is not in the cache any more; `number` is its unique step."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(number)


class Values:
    """The values of one run.

    What the cache keeps is loaded from there; what it may not keep stays here, encoded, or as it
    is when it cannot be encoded.
    """

    def __init__(self, keyed: Keyed, cache: Cache) -> None:
        self._keyed = keyed
        self._cache = cache
        self._kept: dict[int, Payload | Live] = {}
        self._constants: dict[int, tuple[Argument, Payload | Live | None]] = {}

    def keep(self, number: int, held: Payload | Live) -> None:
        """Hold the result of a unique step that the cache does not keep."""
        self._kept[number] = held

    def kept(self) -> dict[int, Payload | Live]:
        """What is held here, by unique step."""
        return dict(self._kept)

    def result(self, number: int, outcome: Outcome) -> Any:
        """A unique step's result; raises `LostValue` when it must be computed again."""
        held = self._kept.get(number)
        if held is not None:
            return _handed_out(held)
        if outcome.key is None:
            raise LostValue(number)
        try:
            return self._cache.load(outcome.key)
        except KeyError:
            raise LostValue(number) from None

    def arguments(
        self, bound: tuple[Bound, ...], outcomes: Mapping[int, Outcome]
    ) -> dict[str, Any]:
        """The arguments of a call by name, as private copies."""
        return {each.name: self.argument(each.argument, outcomes) for each in bound}

    def argument(self, argument: Argument, outcomes: Mapping[int, Outcome]) -> Any:
        """One argument, its references filled with results; raises `LostValue`."""
        if not argument.steps:
            return self._constant(argument)

        def leaf(value: Any) -> Any:
            match value:
                case Reference(step=step, items=items):
                    number = self._keyed.of[step]
                    found = self.result(number, outcomes[number])
                    for item in items:
                        found = found[item]
                    return found
                case Outputs(entries=entries):
                    found = dict(self._entry(name, step, outcomes) for name, step in entries)
                    return {name: found[name] for name in sorted(found)}
                case _:
                    return _file(value)

        return substitute(argument.template, leaf)

    def _entry(self, name: str, step: int, outcomes: Mapping[int, Outcome]) -> tuple[str, Any]:
        number = self._keyed.of[step]
        outcome = outcomes[number]
        if outcome.failure is not None:
            return f"_error_{name}", outcome.failure.as_value()
        return name, self.result(number, outcome)

    def _constant(self, argument: Argument) -> Any:
        template = argument.template
        if argument.files:
            # Paths are immutable, and encoding one would store the file's contents.
            return copy.deepcopy(substitute(template, _file))
        found = self._constants.get(id(argument))
        if found is None:
            found = self._constants[id(argument)] = (argument, held_as(template))
        return template if found[1] is None else _handed_out(found[1])


def held_as(value: Any) -> Payload | Live:
    """How a value is held so that each taker has one of its own."""
    if is_immutable(value):
        return Live(value)
    try:
        return encode(value)
    except NotEncodable:
        return Live(value)


def _handed_out(held: Payload | Live) -> Any:
    if isinstance(held, Live):
        return held.value
    # A decoded value may live in the bytes of its payload; the next taker needs its own.
    return decode(Payload(held.codec, bytes(held.data)))


def _file(leaf: Any) -> Any:
    if isinstance(leaf, FileInput):
        return str(leaf.path) if leaf.wants == "str" else leaf.path
    return leaf
