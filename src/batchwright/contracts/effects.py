"""Whether a method evidently changes its object, so that calls for their effect are not lost."""

from __future__ import annotations

import dis
import functools
import inspect
from types import FunctionType
from typing import Any

from batchwright.contracts.callee import member_of


@functools.cache
def stores_to_self(owner: type, method: str) -> bool:
    """Whether `owner.method`, or a method or property it may reach by name, sets an attribute.

    A look at the bytecode, meant to err on the side of yes; changes through a call, such as
    `self.items.append(x)`, and in C code are not seen.
    """
    seen: set[str] = set()
    waiting = [method]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for function in _functions(member_of(owner, name)):
            if any(
                i.opname in ("STORE_ATTR", "DELETE_ATTR") for i in dis.get_instructions(function)
            ):
                return True
            waiting.extend(function.__code__.co_names)
    return False


def _functions(member: Any) -> list[FunctionType]:
    if isinstance(member, property):
        candidates = [member.fget, member.fset, member.fdel]
    else:
        candidates = [getattr(member, "__func__", member)]
    plain = [inspect.unwrap(function) for function in candidates if callable(function)]
    return [function for function in plain if isinstance(function, FunctionType)]
