"""`grid`: all combinations of some parameters' values, each with an id to know it by."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from enum import Enum
from itertools import product
from pathlib import PurePath
from typing import Any

from batchwright.contracts.pending import StepValue
from batchwright.errors import InvalidGrid

_LONGEST_LABEL = 24


def grid(**axes: Iterable[Any]) -> dict[str, dict[str, Any]]:
    """The combinations of the axes' values, by id: `{"C=1-seed=0": {"C": 1, "seed": 0}, ...}`.

    The last axis changes fastest. A number, short text, enum member, path, function or class
    shows in the id by its value or name; any other value by its place in the axis. An axis given
    as a mapping names its values itself. Without axes there is one empty combination, `"all"`.

    Raises:
        InvalidGrid: an axis is empty, is text, has no order, or is not a collection.
    """
    if not axes:
        return {"all": {}}
    labelled = [_labelled(name, values) for name, values in axes.items()]
    combinations: dict[str, dict[str, Any]] = {}
    for points in product(*labelled):
        wanted = "-".join(f"{name}={label}" for name, (label, _) in zip(axes, points, strict=True))
        parameters = {name: value for name, (_, value) in zip(axes, points, strict=True)}
        combinations[_unused(wanted, combinations)] = parameters
    return combinations


def _labelled(name: str, values: Any) -> list[tuple[str, Any]]:
    problem = None
    if isinstance(values, str | bytes):
        problem = f"is text; for one value write {name}=[{values!r}]"
    elif isinstance(values, set | frozenset):
        problem = f"is a set, which has no order; write {name}=sorted(...)"
    elif isinstance(values, StepValue) or not isinstance(values, Iterable):
        problem = f"is one value, not a collection; write {name}=[{values!r}]"
    if problem is not None:
        raise InvalidGrid(f"grid(): axis {name!r} {problem}")
    if isinstance(values, Mapping):
        labelled = [(str(label), value) for label, value in values.items()]
    else:
        labelled = [(_label(value, index), value) for index, value in enumerate(values)]
    if not labelled:
        raise InvalidGrid(f"grid(): axis {name!r} is empty, so there are no combinations")
    used: dict[str, None] = {}
    for label, _ in labelled:
        used[_unused(label, used)] = None
    return [(label, value) for label, (_, value) in zip(used, labelled, strict=True)]


def _label(value: Any, index: int) -> str:
    if isinstance(value, StepValue):
        return str(index)
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, PurePath):
        return value.name or str(index)
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        value = value.item()
    if isinstance(value, str | bool | int | float | None):
        text = str(value)
    else:
        text = getattr(value, "__name__", "")
    short = 0 < len(text) <= _LONGEST_LABEL and text.isprintable() and "<" not in text
    return text if short and not set(text) & {"/", os.sep} else str(index)


def _unused(wanted: str, used: Mapping[str, Any]) -> str:
    name, number = wanted, 1
    while name in used:
        number += 1
        name = f"{wanted}#{number}"
    return name
