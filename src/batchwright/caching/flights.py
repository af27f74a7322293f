"""Single flight between threads: of those that want one key, one computes and the others wait."""

from __future__ import annotations

import threading
from typing import Literal


class _Flight:
    def __init__(self, leader: int) -> None:
        self.leader = leader
        self.landed = threading.Event()
        self.shared = True


class Flights:
    """The computations under way, by key.

    A thread never waits for itself, nor in a ring of threads that wait for each other: then it
    computes alone, as it would without a cache.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[str, _Flight] = {}
        self._waiting: dict[int, _Flight] = {}

    def join(self, key: str) -> Literal["lead", "look", "alone"]:
        """What to do about `key`: compute it and `land`; look for the value; or compute alone.

        Returns at once, or when the thread that computes `key` has landed.
        """
        me = threading.get_ident()
        with self._lock:
            flight = self._flights.get(key)
            if flight is None:
                self._flights[key] = _Flight(me)
                return "lead"
            if self._leads_back_to(me, flight):
                return "alone"
            self._waiting[me] = flight
        try:
            flight.landed.wait()
        finally:
            with self._lock:
                self._waiting.pop(me, None)
        return "look" if flight.shared else "alone"

    def land(self, key: str, *, shared: bool) -> None:
        """Ends the flight of `key`; `shared` is False when others cannot have its value."""
        with self._lock:
            flight = self._flights.pop(key, None)
        if flight is not None:
            flight.shared = shared
            flight.landed.set()

    def _leads_back_to(self, me: int, flight: _Flight) -> bool:
        following: _Flight | None = flight
        while following is not None:
            if following.leader == me:
                return True
            following = self._waiting.get(following.leader)
        return False
