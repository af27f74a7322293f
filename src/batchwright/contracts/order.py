"""Putting names in an order in which each comes after those it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


def in_order(
    needs: Mapping[str, Collection[str]],
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The names of `needs`, each after those it needs, otherwise in written order.

    Returns the order and the cycles met, each closed (`a, b, a`). Names that are needed but
    not among the keys are passed over.
    """
    finished: dict[str, None] = {}
    cycles: list[tuple[str, ...]] = []
    for start in needs:
        if start in finished:
            continue
        # A chain may be as long as the fleet, so the way is kept in a list, not on the stack.
        way: dict[str, Iterator[str]] = {start: iter(needs[start])}
        while way:
            name = next(reversed(way))
            following = next(way[name], None)
            if following is None:
                del way[name]
                finished[name] = None
            elif following in way:
                names = list(way)
                cycles.append((*names[names.index(following) :], following))
            elif following in needs and following not in finished:
                way[following] = iter(needs[following])
    return tuple(finished), tuple(cycles)


def closure(needs: Mapping[str, Collection[str]], start: str) -> set[str]:
    """All that `start` needs, directly or through others; itself only if in a cycle."""
    found: set[str] = set()
    waiting = list(needs.get(start, ()))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(needs.get(name, ()))
    return found
