"""Saying of a class or method whether its calls change the object they are made on."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")

MARK = "__batchwright_state__"


def stateful(target: T) -> T:
    """Say that a class, or one method of it, changes its object: its calls run in written order.

    Raises TypeError for an object that cannot bear the mark, such as a built-in class.
    """
    return _marked(target, "stateful")


def stateless(target: T) -> T:
    """Say that a class, or one method of it, leaves its object as it was.

    For a lazy memo, which looks like state but changes no answer.
    Raises TypeError for an object that cannot bear the mark, such as a built-in class.
    """
    return _marked(target, "stateless")


def _marked(target: T, state: str) -> T:
    try:
        setattr(target, MARK, state)
    except (AttributeError, TypeError) as error:
        raise TypeError(
            f"cannot mark {target!r} as {state}; name its class under `{state}` in the settings"
        ) from error
    return target
