"""Calls that change their object: which they are, and what must run for their sake.

No result of `model.fit(X)` may be asked for, yet what a later `model.predict(Y)` gives depends on
it, so it belongs to every contract that needs the later call.
"""

from __future__ import annotations

import dis
import inspect
from collections import Counter
from types import FunctionType
from typing import TYPE_CHECKING, Any

from batchwright.contracts.callee import member_of
from batchwright.contracts.marks import MARK
from batchwright.errors import StepUsedAsValue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from batchwright.contracts.pending import ObjectCall, StepCall

    Needed = list[dict[int, None]]


def changes_object(owner: type, method: str) -> bool:
    """Whether `owner.method`, or a method or property it may reach by name, sets an attribute.

    `@stateful` and `@stateless` settle it. Else a look at the bytecode, meant to err on the side
    of yes; changes through a call (`self.items.append(x)`) and in C code are not seen.
    """
    if (said := _said(owner, method)) is not None:
        return said == "stateful"
    seen: set[str] = set()
    waiting = [method]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for function in _functions(member_of(owner, name)):
            if any(i.opname in _STORES for i in dis.get_instructions(function)):
                return True
            waiting.extend(function.__code__.co_names)
    return False


class Effects:
    """The calls among those of a fleet that change their object; each method is looked at once."""

    def __init__(self) -> None:
        self._methods: dict[tuple[type, str], bool] = {}
        self._objects: dict[int, list[StepCall]] = {}

    def changes(self, call: StepCall) -> bool:
        """Whether a call is of a method that changes its object."""
        if call.instance is None:
            return False
        method = (call.instance.owner.load(), call.method)
        if method not in self._methods:
            self._methods[method] = changes_object(*method)
        return self._methods[method]

    def add(
        self,
        needed: Needed,
        calls: dict[int, StepCall],
        include: Callable[[StepCall, dict[int, None]], object],
    ) -> None:
        """Add to each contract's `needed` calls those whose effects they see.

        These are the earlier changing calls on the same object that stand in the contract, or in
        none. A call shared by contracts sees the same ones in each, for it is made once.
        """
        asked_for = frozenset(calls)
        grown = any(self._changing(call.instance) for call in calls.values())
        while grown:
            grown = False
            histories = self._histories(needed, calls, asked_for)
            for found in needed:
                for serial in [serial for serial in found if serial in histories]:
                    for earlier in histories[serial].values():
                        if earlier.serial not in found:
                            include(earlier, found)
                            grown = True

    def _histories(
        self, needed: Needed, calls: dict[int, StepCall], asked_for: frozenset[int]
    ) -> dict[int, dict[int, StepCall]]:
        histories: dict[int, dict[int, StepCall]] = {}
        for found in needed:
            for serial in found:
                for earlier in self._changing(calls[serial].instance):
                    place = earlier.serial
                    if place < serial and (place in found or place not in asked_for):
                        histories.setdefault(serial, {})[place] = earlier
        return histories

    def _changing(self, instance: ObjectCall | None) -> Iterable[StepCall]:
        if instance is None:
            return ()
        if instance.serial not in self._objects:
            self._objects[instance.serial] = [c for c in instance.calls if self.changes(c)]
        return self._objects[instance.serial]

    def left_out(self, calls: dict[int, StepCall]) -> tuple[str, ...]:
        """A word on earlier calls on the fleet's objects that will not run."""
        last: dict[int, StepCall] = {}
        for serial in sorted(calls):
            instance = calls[serial].instance
            if instance is not None:
                last[instance.serial] = calls[serial]
        missing = Counter(
            earlier.label
            for call in last.values()
            if call.instance is not None
            for earlier in call.instance.calls
            if earlier.serial < call.serial and earlier.serial not in calls
            if _said(call.instance.owner.load(), earlier.method) != "stateless"
        )
        return tuple(
            f"{number} {'call' if number == 1 else 'calls'} of {label} asked for by no contract "
            "will not run, though later calls on the same object will. If it changes the object, "
            "mark it @stateful or make it an output of the contract"
            for label, number in sorted(missing.items())
        )

    def conflicts(self, calls: dict[int, StepCall]) -> list[StepUsedAsValue]:
        """Objects that are changed by a step and handed over newly built as well."""
        changed = {
            call.instance.serial: call
            for call in calls.values()
            if call.instance is not None and self.changes(call)
        }
        return [
            StepUsedAsValue(
                f"an object of class {call.makes.owner.qualname} is handed to a step as a value, "
                f"newly built, but {changed[call.makes.serial].label} changes it as well. Give "
                "the step what that method returns, or make two objects"
            )
            for call in calls.values()
            if call.makes is not None and call.makes.serial in changed
        ]


def _said(owner: type, method: str) -> str | None:
    """What the user has said of a method or its class: `"stateful"`, `"stateless"`, or nothing."""
    said: str | None = getattr(member_of(owner, method), MARK, None) or getattr(owner, MARK, None)
    return said


_STORES = ("STORE_ATTR", "DELETE_ATTR")


def _functions(member: Any) -> list[FunctionType]:
    if isinstance(member, property):
        candidates = [member.fget, member.fset, member.fdel]
    else:
        candidates = [getattr(member, "__func__", member)]
    plain = [inspect.unwrap(function) for function in candidates if callable(function)]
    return [function for function in plain if isinstance(function, FunctionType)]
