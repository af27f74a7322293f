"""Progress is counted right, and told every tenth of the steps."""

from types import SimpleNamespace

import pytest

from batchwright.reporting.progress import Lines


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def prepared(*statuses, contracts=1):
    return SimpleNamespace(
        standings=[SimpleNamespace(status=status) for status in statuses],
        graph=SimpleNamespace(contracts=[SimpleNamespace(steps=(0,))] * contracts),
        keyed=SimpleNamespace(uniques=statuses),
    )


def ended(number):
    return SimpleNamespace(number=number)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def told():
    return []


@pytest.fixture
def progress(clock, told):
    return Lines(lambda lines: told.extend(lines), told.append, clock)


def test_a_line_is_told_for_each_tenth_but_the_last(progress, told, clock):
    progress.planned(prepared(*["will run"] * 20))
    del told[:]
    for number in range(20):
        clock.now += 1
        progress.step_ended(ended(number))
    assert [line.split()[0] for line in told] == [f"{n}/20" for n in range(2, 20, 2)]
    assert told[0] == "2/20 steps, 0/1 contracts, 2.0 s"


def test_few_steps_tell_a_line_each(progress, told):
    progress.planned(prepared(*["may run"] * 3))
    del told[:]
    for number in range(3):
        progress.step_ended(ended(number))
    assert [line.split()[0] for line in told] == ["1/3", "2/3"]


def test_only_what_was_to_run_counts_and_each_once(progress):
    progress.planned(prepared("known", "will run", "not needed", "failed before"))
    for number in (0, 1, 1, 2):
        progress.step_ended(ended(number))
    assert progress.line().startswith("1/2 steps")


def test_a_second_plan_counts_anew_and_opens_no_second_time(progress, told):
    progress.planned(prepared("will run", contracts=2))
    progress.step_ended(ended(0))
    progress.contract_ended(SimpleNamespace())
    assert len(told) == 1
    progress.planned(prepared("known", "will run", contracts=2))
    assert len(told) == 1
    assert progress.line().startswith("0/1 steps, 0/2 contracts")
