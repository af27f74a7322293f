"""One call of a step: how it is passed its arguments, measured, seeded, and its failure told."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from batchwright.contracts.graph import Argument, Bound
from batchwright.execution import calling
from batchwright.execution.calling import call, failure_of, measured, seed_from, undeclared

KEY = "0123456789abcdef" * 4


def bound(name, kind="keyword"):
    return Bound(name, Argument.of(None), kind)


def everything(a, /, b, *more, c, d=4, **named):
    return a, b, more, c, d, named


def done(work, key=None, *, interrupted=lambda: False, clock=lambda: 5.0):
    return measured(work, key, interrupted, clock)


# --- passing ------------------------------------------------------------------------------------


def test_each_argument_is_passed_as_its_parameter_wants():
    kinds = (
        bound("a", "positional"),
        bound("b", "positional"),
        bound("more", "*"),
        bound("c"),
        bound("named", "**"),
    )
    values = {"a": 1, "b": 2, "more": (3, 4), "c": 5, "named": {"a": 6, "e": 7}}
    assert call(everything, values, kinds) == (1, 2, (3, 4), 5, 4, {"a": 6, "e": 7})


def test_the_order_of_keyword_arguments_does_not_matter():
    kinds = (bound("c"), bound("b"), bound("a", "positional"))
    assert call(everything, {"a": 1, "b": 2, "c": 3}, kinds) == (1, 2, (), 3, 4, {})


def test_a_generator_becomes_a_list():
    def numbers(n):
        yield from range(n)

    assert call(numbers, {"n": 3}, (bound("n"),)) == [0, 1, 2]


def test_an_iterator_that_is_no_generator_stays_what_it_is():
    assert next(call(lambda: iter([1]), {}, ())) == 1


# --- measuring ----------------------------------------------------------------------------------


def test_a_value_comes_with_what_it_cost():
    called = done(lambda: 7)
    assert (called.value, called.error, called.failure, called.started) == (7, None, None, 5.0)
    assert called.time_ms >= 0.0
    assert called.cpu_ms >= 0.0
    assert called.memory_mb >= 0.0


def test_memory_is_the_growth_in_mebibytes():
    held = []
    called = done(lambda: held.append(np.ones(4 << 20)))
    assert 24.0 < called.memory_mb < 64.0


class Odd(BaseException):
    pass


@pytest.mark.parametrize("error", [ValueError("bad"), SystemExit(3), Odd("x"), GeneratorExit()])
def test_whatever_a_step_raises_is_a_result(error):
    def raises():
        raise error

    called = done(raises)
    assert called.error is error
    assert called.value is None
    assert called.failure.type == type(error).__name__
    assert called.failure.message == str(error)


def test_a_keyboard_interrupt_of_the_steps_own_is_a_failure():
    def raises():
        raise KeyboardInterrupt

    assert done(raises).failure.type == "KeyboardInterrupt"


def test_the_users_interrupt_gets_out_whatever_the_step_makes_of_it():
    for work in (lambda: 1, partial(contextlib.nullcontext, 1), lambda: 1 / 0):
        with pytest.raises(KeyboardInterrupt):
            done(work, interrupted=lambda: True)


# --- random numbers -----------------------------------------------------------------------------


def drawn(key):
    return done(lambda: (random.random(), float(np.random.random())), key).value


def test_a_step_draws_the_same_random_numbers_each_time():
    assert drawn(KEY) == drawn(KEY)


def test_steps_with_other_keys_draw_other_numbers():
    (one, one_np), (other, other_np) = drawn(KEY), drawn("f" * 64)
    assert one != other
    assert one_np != other_np


def test_a_step_that_imports_numpy_only_to_draw_draws_the_same_numbers_each_time():
    program = """if 1:
        import sys
        from batchwright.execution.calling import seed_from
        assert "numpy" not in sys.modules
        seed_from("ab" * 32)
        import numpy
        print(numpy.random.random())
    """
    ended = [subprocess.run([sys.executable, "-c", program], capture_output=True) for _ in "12"]
    assert ended[0].stderr == ended[1].stderr == b""
    assert ended[0].stdout == ended[1].stdout


def test_a_step_without_a_key_is_left_to_chance():
    random.seed(1)
    seed_from(None)
    one = random.random()
    random.seed(1)
    assert one == random.random()


# --- failures -----------------------------------------------------------------------------------


class Broken(Exception):
    def __str__(self):
        raise RuntimeError("no")


class Outer:
    class Inner(Exception):
        pass


def caught(work):
    with pytest.raises(BaseException) as raised:
        work()
    return raised.value


def test_a_failure_has_the_name_message_and_traceback_of_its_exception():
    def fails():
        raise Outer.Inner("bad")

    failure = failure_of(done(fails).error)
    assert (failure.type, failure.message) == ("Outer.Inner", "bad")
    assert failure.traceback.startswith("Traceback")
    assert failure.traceback.rstrip().endswith("Outer.Inner: bad")
    assert "in fails" in failure.traceback


def test_a_traceback_shows_no_frame_of_ours():
    here = str(Path(calling.__file__).parent)
    assert here not in done(lambda: 1 / 0).failure.traceback


def test_an_exception_that_cannot_tell_its_message_is_a_failure_all_the_same():
    failure = failure_of(Broken())
    assert failure.type == "Broken"
    assert "RuntimeError" in failure.message


def test_a_message_that_utf_8_cannot_hold_is_written_out():
    assert failure_of(ValueError("file \udcff")).message == "file \\udcff"


def test_a_cause_is_told_with_its_effect():
    def fails():
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise ValueError("outer") from error

    told = done(fails).failure.traceback
    assert told.index("KeyError: 'inner'") < told.index("ValueError: outer")


def test_endless_recursion_is_a_failure_of_bearable_length():
    def deep():
        return deep()

    failure = done(deep).failure
    assert failure.type == "RecursionError"
    assert len(failure.traceback) < 20_000


# --- files --------------------------------------------------------------------------------------


def opened(work):
    return done(work).opened


def test_files_that_are_read_are_told(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("a")
    assert str(path) in opened(path.read_text)
    assert str(path) in opened(lambda: np.fromfile(path, dtype=np.uint8))


def test_nothing_is_noted_outside_a_call(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("a")
    called = done(lambda: 1)
    path.read_text()
    assert str(path) not in called.opened


def test_a_call_within_a_call_notes_its_own(tmp_path):
    for name in "ab":
        (tmp_path / name).write_text("")
    inner = []

    def outer():
        inner.append(done((tmp_path / "a").read_text))
        (tmp_path / "b").read_text()

    outer_opened = opened(outer)
    assert str(tmp_path / "a") in inner[0].opened
    assert str(tmp_path / "b") in outer_opened


def undeclared_of(work, *declared):
    return undeclared(opened(work), declared)


def test_a_file_that_was_read_without_being_declared_is_told(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("a")
    assert undeclared_of(path.read_text) == (str(path.resolve()),)
    assert undeclared_of(path.read_text, path) == ()
    assert undeclared_of(path.read_text, tmp_path) == ()


def test_a_declared_file_allows_no_other_whose_name_begins_alike(tmp_path):
    (tmp_path / "a.txt2").write_text("a")
    assert undeclared_of((tmp_path / "a.txt2").read_text, tmp_path / "a.txt") != ()


def test_a_declared_link_allows_what_it_leads_to(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "link").symlink_to(tmp_path / "a.txt")
    assert undeclared_of((tmp_path / "link").read_text, tmp_path / "link") == ()


def test_a_file_that_the_step_wrote_itself_is_its_own(tmp_path):
    path = tmp_path / "scratch"

    def writes_and_reads():
        path.write_text("a")
        return path.read_text()

    assert undeclared_of(writes_and_reads) == ()


def test_a_file_that_is_read_and_then_written_is_told(tmp_path):
    path = tmp_path / "counter"
    path.write_text("1")

    def counts():
        path.write_text(str(int(path.read_text()) + 1))

    assert undeclared_of(counts) == (str(path.resolve()),)


def test_what_is_not_there_and_what_is_pythons_is_not_told(tmp_path):
    def looks():
        with contextlib.suppress(OSError):
            (tmp_path / "none").read_text()
        Path(contextlib.__file__).read_text()

    assert undeclared_of(looks) == ()
