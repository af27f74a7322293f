"""Of threads that want one key, one computes; none waits for itself, nor all for each other."""

from __future__ import annotations

import threading

from batchwright.caching.flights import Flights


def test_the_first_leads_and_the_next_looks_once_it_has_landed():
    flights = Flights()
    assert flights.join("k") == "lead"
    found = []
    other = threading.Thread(target=lambda: found.append(flights.join("k")))
    other.start()
    while not flights._waiting:
        pass
    assert found == []
    flights.land("k", shared=True)
    other.join(10)
    assert found == ["look"]
    assert flights.join("k") == "lead"


def test_who_waited_for_a_value_that_is_not_kept_computes_alone():
    flights = Flights()
    flights.join("k")
    found = []
    other = threading.Thread(target=lambda: found.append(flights.join("k")))
    other.start()
    while not flights._waiting:
        pass
    flights.land("k", shared=False)
    other.join(10)
    assert found == ["alone"]


def test_a_thread_does_not_wait_for_itself():
    flights = Flights()
    assert flights.join("k") == "lead"
    assert flights.join("k") == "alone"


def test_threads_that_would_wait_in_a_ring_do_not():
    flights = Flights()
    ready = threading.Barrier(2)
    found = {}

    def work(own, wanted):
        flights.join(own)
        ready.wait(10)
        found[own] = flights.join(wanted)
        flights.land(own, shared=True)

    threads = [threading.Thread(target=work, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert sorted(found.values()) == ["alone", "look"]


def test_different_keys_do_not_wait_for_each_other():
    flights = Flights()
    assert flights.join("a") == "lead"
    assert flights.join("b") == "lead"
    flights.land("a", shared=True)
    flights.land("never joined", shared=True)
