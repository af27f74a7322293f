"""Errors collected while a fleet is read, to be shown all at once and in file order."""

from __future__ import annotations

from batchwright.errors import InvalidFleet, RequestError


class Problems:
    """What is wrong with a fleet.

    One mistake often stands in many contracts (a method's name in all 300). It is told once,
    at its first place, with the number of further places.
    """

    def __init__(self) -> None:
        self._places: dict[tuple[type[RequestError], str], list[tuple[int, str]]] = {}

    def add(self, error: RequestError, where: str = "", *, order: int = -1) -> None:
        """Take down `error` at `where`; `order` is the place of its document in the fleet."""
        self._places.setdefault((type(error), error.message), []).append((order, where))

    def __bool__(self) -> bool:
        return bool(self._places)

    def errors(self) -> tuple[RequestError, ...]:
        """All errors, each with its place, in file order."""
        told = [
            # Within a document errors keep the order in which they were found.
            (min(order for order, _ in places), _told(kind, message, places))
            for (kind, message), places in self._places.items()
        ]
        return tuple(error for _, error in sorted(told, key=lambda item: item[0]))

    def raise_if_any(self) -> None:
        """Raise `InvalidFleet` with all errors, if there are some."""
        if self._places:
            raise InvalidFleet(self.errors())


def _told(kind: type[RequestError], message: str, places: list[tuple[int, str]]) -> RequestError:
    _, where = min(places, key=lambda place: place[0])
    more = len(places) - 1
    text = f"{where}: {message}" if where else message
    return kind(f"{text} (and at {more} more place{'s' if more > 1 else ''})" if more else text)
