"""Taking a call's arguments as they are at the call: containers copied, steps found.

Lists, tuples, dicts, sets, named tuples and dataclasses are copied all the way down, and steps
in them are found. So are arrays of at most `LARGE_ARRAY` bytes. Larger arrays, frames and other
objects are kept as they are: who changes one between the call and the run changes the argument.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from operator import is_
from types import FunctionType
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakValueDictionary

from batchwright.contracts.graph import Reference
from batchwright.contracts.pending import Captured, StepCall, StepMaker, StepResult, StepValue
from batchwright.errors import MisplacedStep, WrongCall

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LARGE_ARRAY = 1 << 20
DEEPEST = 200

_ATOMS = frozenset({int, float, str, bytes, bool, complex, type(None)})
_COPIED_WHOLE = (OrderedDict, defaultdict, Counter, deque, bytearray)
_CURE = (
    "steps are found in lists, tuples, dicts, sets, named tuples and dataclasses only. Hand the "
    "step over in one of these"
)

# Captures without steps by the id of what was captured, so that one list given to a thousand
# calls is copied once. An entry is used only where it still equals the value, element by element.
_recent: WeakValueDictionary[int, Captured] = WeakValueDictionary()


def capture(value: Any, where: str) -> Captured:
    """`value` as it is now; `where` names the argument in errors.

    Raises:
        MisplacedStep: a step stands where steps are not looked for.
        WrongCall: the value is nested more than `DEEPEST` deep, or holds itself.
    """
    if type(value) in _ATOMS:
        return Captured(value)
    known = _recent.get(id(value))
    if known is not None and _same(value, known.template):
        return known
    calls: dict[int, StepCall] = {}
    template = _Capturing(where, calls).copy(value, 0)
    captured = Captured(template, tuple(calls.values()))
    if not calls and template is not value:
        _recent[id(value)] = captured
    return captured


class _Capturing:
    def __init__(self, where: str, calls: dict[int, StepCall]) -> None:
        self.where = where
        self.calls = calls

    def copy(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind in _ATOMS:
            return value
        if isinstance(value, StepValue):
            return self._reference(value._batchwright_result())
        if depth > DEEPEST:
            raise WrongCall(
                f"{self.where} is nested more than {DEEPEST} deep, or holds itself; hand it over "
                "in a flatter form"
            )
        if kind in (list, tuple, set, frozenset):
            return self._collection(value, depth)
        if kind is dict:
            return {
                self.copy(key, depth + 1): self.copy(item, depth + 1) for key, item in value.items()
            }
        if isinstance(value, tuple) and hasattr(kind, "_make"):
            items = self._items(value, depth)
            return value if all(map(is_, items, value)) else kind._make(items)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._dataclass(value, depth)
        return self._opaque(value, depth)

    def _reference(self, result: StepResult) -> Reference:
        call = result._batchwright_call
        self.calls[call.serial] = call
        return Reference(call.serial, result._batchwright_items)

    def _items(self, value: Iterable[Any], depth: int) -> list[Any]:
        return [self.copy(item, depth + 1) for item in value]

    def _collection(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if set(map(type, value)) <= _ATOMS:  # at the speed of C for a long list of numbers
            return kind(value)  # a tuple and a frozenset stay themselves
        items = self._items(value, depth)
        if kind in (tuple, frozenset) and all(map(is_, items, value)):
            return value
        return kind(items)

    def _dataclass(self, value: Any, depth: int) -> Any:
        changed = {}
        for field in dataclasses.fields(value):
            if hasattr(value, field.name):
                before = getattr(value, field.name)
                after = self.copy(before, depth + 1)
                if after is not before:
                    changed[field.name] = after
        if not changed and type(value).__dataclass_params__.frozen:
            return value
        try:
            clone = object.__new__(type(value))
        except TypeError:  # it is an array, a dict or the like as well
            return self._opaque(value, depth)
        for name, item in _attributes(value):
            object.__setattr__(clone, name, changed.get(name, item))
        return clone

    def _opaque(self, value: Any, depth: int) -> Any:
        if isinstance(value, StepMaker):
            raise MisplacedStep(
                f"{self.where} holds {value!r}, which makes steps. Call it, or hand over the plain "
                "function (its `.call`)"
            )
        for place, held in _held(value):
            if isinstance(held, StepValue | StepMaker):
                raise MisplacedStep(
                    f"{self.where} holds {held!r} in {place} of a {type(value).__name__}: {_CURE}"
                )
        if type(value) in _COPIED_WHOLE:
            copied = value.copy()
            if isinstance(copied, dict):
                for key, item in copied.items():
                    copied[key] = self.copy(item, depth + 1)
            elif isinstance(copied, deque):
                copied = deque(self._items(copied, depth), copied.maxlen)
            return copied
        return value.copy(order="K") if _is_small_array(value) else value


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    """All that an object without a built-in base holds, in `__dict__` and in slots."""
    yield from getattr(value, "__dict__", {}).items()
    for base in type(value).__mro__:
        slots = base.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            private = slot.startswith("__") and not slot.endswith("__")
            name = f"_{base.__name__.lstrip('_')}{slot}" if private else slot
            if slot not in ("__dict__", "__weakref__") and hasattr(value, name):
                yield name, getattr(value, name)


def _held(value: Any) -> Iterator[tuple[str, Any]]:
    """What an object visibly holds, one level deep, with the place it stands in."""
    if isinstance(value, type):
        return
    if isinstance(value, FunctionType):
        yield from _held_by_function(value)
        return
    if isinstance(value, functools.partial):
        for item in (value.func, *value.args, *value.keywords.values()):
            yield "the arguments", item
    if isinstance(value, dict):
        for key, item in value.items():
            yield "the keys", key
            yield f"[{key!r}]", item
    elif isinstance(value, list | tuple | set | frozenset | deque):
        for item in value:
            yield "the items", item
    attributes = getattr(value, "__dict__", None)
    if type(attributes) is dict:
        for name, item in attributes.items():
            for part in (item, *_parts(item)):
                yield f"attribute {name!r}", part
    for column in _object_columns(value):
        for item in column.flat:
            yield "the elements", item


def _held_by_function(function: FunctionType) -> Iterator[tuple[str, Any]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        yield f"the closure ({name})", getattr(cell, "cell_contents", None)
    for default in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
        yield "a default", default


def _parts(item: Any) -> Iterable[Any]:
    if type(item) in (list, tuple, set):
        return cast("Iterable[Any]", item)
    return item.values() if type(item) is dict else ()


def _object_columns(value: Any) -> Iterator[Any]:
    """The arrays of Python objects that an array, a series or a frame is made of."""
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if numpy is not None and isinstance(value, numpy.ndarray):
        if value.dtype == object:
            yield value
    elif pandas is not None and isinstance(value, pandas.Series):
        if value.dtype == object:
            yield value.to_numpy()
    elif pandas is not None and isinstance(value, pandas.DataFrame):
        for place in range(value.shape[1]):
            yield from _object_columns(value.iloc[:, place])


def _is_small_array(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and type(value) is numpy.ndarray and value.nbytes <= LARGE_ARRAY


def _same(value: Any, template: Any) -> bool:
    """Whether an earlier capture still shows what `value` holds now."""
    if value is template:
        return True
    kind = type(value)
    if kind is not type(template):
        return False
    if kind in (list, tuple):
        return len(value) == len(template) and (
            all(map(is_, value, template)) or all(map(_same, value, template))
        )
    if kind is dict:
        return (
            len(value) == len(template)
            and all(map(is_, value, template))
            and all(map(_same, value.values(), template.values()))
        )
    if kind in (set, frozenset):
        return len(value) == len(template) and all(map(is_, value, template))
    if _is_small_array(value):
        return bool(
            value.dtype == template.dtype
            and value.shape == template.shape
            and value.strides == template.strides
            and value.tobytes("A") == template.tobytes("A")
        )
    return False
