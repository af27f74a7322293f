"""Making step functions and calling them: signature, binding, options, kinds of callables."""

from __future__ import annotations

import asyncio
import functools
import math
import pickle
from collections import Counter

import cloudpickle
import numpy as np
import pytest

from batchwright import step
from batchwright.contracts.graph import Reference
from batchwright.contracts.python_graph import build_graph
from batchwright.errors import NotCallable, RequestError, WrongCall


def train(X, y, *, penalty=1.0):
    return X, y, penalty


def gather(first, /, second=2, *rest, flag=False, **others):
    return first, second, rest, flag, others


def by_place(first, /):
    return first


@step
def double(x: int) -> int:
    """Twice x."""
    return 2 * x


def only_step(pending):
    (*_, last) = build_graph(pending).steps
    return last


def bound(pending):
    return [(b.name, b.argument.template, b.kind) for b in only_step(pending).arguments]


def test_a_call_is_recorded_and_not_made():
    def fail():
        raise AssertionError

    assert repr(step(fail)()).startswith("<step ")


def test_place_and_name_bind_the_same():
    assert bound(step(train)(1, 2)) == bound(step(train)(y=2, X=1))


def test_only_given_arguments_are_bound():
    assert bound(step(train)(1, 2)) == [("X", 1, "keyword"), ("y", 2, "keyword")]


def test_every_kind_of_parameter_is_passed_its_way():
    assert bound(step(gather)(1, 2, 3, 4, flag=True, z=1, a=2)) == [
        ("first", 1, "positional"),
        ("second", 2, "positional"),
        ("rest", (3, 4), "*"),
        ("flag", True, "keyword"),
        ("others", {"a": 2, "z": 1}, "**"),
    ]


def test_extra_keywords_are_sorted_by_name():
    ((_, _, _), (_, others, _)) = bound(step(gather)(1, z=1, a=2))
    assert list(others) == ["a", "z"]


def test_without_further_positions_a_place_is_a_name():
    assert bound(step(gather)(1, 5)) == [("first", 1, "positional"), ("second", 5, "keyword")]


def test_a_decorated_function_gets_its_arguments_the_way_they_came():
    # The wrapper knows its argument under another name than the signature says.
    @functools.wraps(train)
    def wrapper(data, target):
        return train(data, target)

    assert bound(step(wrapper)(1, 2)) == [("X", 1, "positional"), ("y", 2, "positional")]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: step(train)(1, 2, penallty=3), "did you mean 'penalty'"),
        (lambda: step(train)(1), "missing a required argument: 'y'"),
        (lambda: step(train)(1, 2, 3), "too many positional arguments"),
        (lambda: step(train)(1, 2, X=3), "multiple values for argument 'X'"),
        (lambda: step(by_place)(first=1), "'first' is given by its place"),
    ],
)
def test_a_call_that_does_not_fit_is_refused_at_once(call, says):
    with pytest.raises(TypeError) as caught:
        call()
    assert isinstance(caught.value, WrongCall)
    assert says in str(caught.value)
    assert "() cannot be called so" in str(caught.value)


def test_the_refusal_shows_the_parameters():
    with pytest.raises(WrongCall, match=r"train\(\).*\(X, y, \*, penalty=1.0\)"):
        step(train)()


def test_the_plain_call_is_the_undecorated_function():
    assert double.call(4) == 8


def test_a_step_function_looks_like_its_function():
    assert (double.__name__, double.__doc__) == ("double", "Twice x.")
    assert double.__wrapped__ is double.call
    assert repr(double).startswith("<step function ")


def test_the_decorator_takes_options():
    @step(ttl=60, cache=False, version="2", sample=3, repeats=False, retry=1)
    def f():
        return None

    options = only_step(f()).options
    assert (options.ttl, options.cache, options.version) == (60, False, "2")
    assert (options.sample, options.repeats, options.retry) == (3, False, 1)


def test_step_with_options_only_is_a_decorator():
    @step()
    def f(x):
        return x

    assert bound(f(1)) == [("x", 1, "keyword")]


@pytest.mark.parametrize(
    "options",
    [
        {"outputs": 0},
        {"outputs": True},
        {"outputs": "2"},
        {"ttl": 0},
        {"ttl": -1},
        {"ttl": "60"},
        {"ttl": float("nan")},
        {"retry": -1},
        {"retry": 1.5},
        {"version": 2},
        {"cache": "no"},
        {"repeats": None},
        {"sample": step(math.sqrt)(4)},
    ],
)
def test_an_option_without_meaning_is_refused_by_name(options):
    (name,) = options
    with pytest.raises(RequestError, match=name):
        step(train, **options)


async def coroutine():
    await asyncio.sleep(0)


async def asynchronous_generator():
    yield 1


class AsyncCall:
    async def __call__(self):
        return 1


@pytest.mark.parametrize(
    ("made_of", "says"),
    [
        (3, "not 3 of type int"),
        ("train", "of type str"),
        (double, "makes steps already"),
        (coroutine, "coroutine function"),
        (asynchronous_generator, "coroutine function"),
        (functools.partial(coroutine), "coroutine function"),
        (AsyncCall(), "coroutine function"),
        (double(1), "is a step already"),
    ],
)
def test_what_no_step_can_be_made_of_is_refused(made_of, says):
    with pytest.raises(TypeError, match=says) as caught:
        step(made_of)
    assert isinstance(caught.value, NotCallable)


def test_several_results_are_no_option_of_a_class():
    with pytest.raises(NotCallable, match="makes one object"):
        step(Counter, outputs=2)


def test_a_partial_counts_as_the_function_with_its_arguments():
    partial = functools.partial(functools.partial(train, 1), penalty=5)
    made = only_step(step(partial)(2))
    assert made.function.loaded is train
    assert bound(step(partial)(2)) == bound(step(train)(1, 2, penalty=5))


def test_a_partials_arguments_may_be_steps():
    made = only_step(step(functools.partial(train, double(1)))(2))
    assert made.arguments[0].argument.template == Reference(0)


def test_a_bound_method_is_a_function_of_its_object():
    class Scale:
        def __init__(self, by):
            self.by = by

        def apply(self, x):
            return self.by * x

    scale = Scale(3)
    made = only_step(step(scale.apply)(4))
    assert made.function.loaded is Scale.apply
    assert [b.argument.template for b in made.arguments] == [scale, 4]


def test_a_partial_of_a_bound_method_keeps_the_object_first():
    class Scale:
        def apply(self, by, x):
            return by * x

    scale = Scale()
    made = only_step(step(functools.partial(scale.apply, 2))(4))
    assert [b.argument.template for b in made.arguments] == [scale, 2, 4]


def test_a_callable_object_is_its_call_method_with_the_object():
    class Scale:
        def __call__(self, x):
            return x

    scale = Scale()
    made = only_step(step(scale)(4))
    assert made.function.loaded is Scale.__call__
    assert [b.argument.template for b in made.arguments] == [scale, 4]
    assert made.address.provides == "Scale"


def test_a_class_method_is_reached_through_its_class():
    made = only_step(step(dict.fromkeys)("ab"))
    assert (made.function.module, made.function.qualname) == ("builtins", "dict.fromkeys")
    assert made.function.load()("ab") == {"a": None, "b": None}


@pytest.mark.parametrize("function", [len, sorted, math.sqrt, str.upper, max, np.sqrt, np.mean])
def test_what_is_written_in_c_can_be_a_step(function):
    made = only_step(step(function)("abc"))
    assert made.function.load() is function
    fresh = type(made.function)(made.function.module, made.function.qualname)
    assert fresh.load() is function


def test_without_a_signature_arguments_bind_as_given():
    assert bound(step(max)(1, 2, default=3)) == [
        ("args", (1, 2), "*"),
        ("kwargs", {"default": 3}, "**"),
    ]


def test_a_method_of_text_takes_the_text_as_argument():
    assert [b.argument.template for b in only_step(step("abc".upper)()).arguments] == ["abc"]


def test_a_lambda_has_a_name_fit_for_addresses():
    made = only_step(step(lambda x: x)(1))
    assert made.address.provides == "lambda"
    assert made.function.qualname.endswith("<lambda>")


def test_two_lambdas_of_one_place_are_two_targets():
    one, two = (step(lambda x, by=by: x * by)(1) for by in (1, 2))
    targets = [s.function for s in build_graph([one, two]).steps]
    assert targets[0] != targets[1]


def test_a_decorated_method_stays_a_method():
    class Doubler:
        @step
        def apply(self, x):
            return x

    doubler = Doubler()
    assert bound(doubler.apply(2)) == [("self", doubler, "keyword"), ("x", 2, "keyword")]


def test_a_step_function_travels_to_another_process():
    copied = cloudpickle.loads(cloudpickle.dumps(step(lambda x: x + 1, ttl=5)))
    assert copied.call(1) == 2
    assert only_step(copied(1)).options.ttl == 5


def test_a_recursive_step_function_travels_too():
    @step
    def depth(n):
        return 0 if n == 0 else 1 + depth.call(n - 1)

    assert cloudpickle.loads(cloudpickle.dumps(depth)).call(3) == 3


def test_errors_survive_pickling():
    with pytest.raises(WrongCall) as caught:
        step(train)()
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
