"""A memoized function computes each call once, hands out equal values, and says why it would."""

from __future__ import annotations

import dataclasses
import pickle
import threading
import warnings

import numpy as np
import pytest

from batchwright.caching.cache import Cache
from batchwright.caching.calls import Caller
from batchwright.errors import MissingPath, NotMemoizable, UncacheableArgument

FUNCTION = f"{__name__}.counted.<locals>.function"

calls: list[object] = []


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cache(clock):
    calls.clear()
    return Cache(_clock=clock)


@pytest.fixture(autouse=True)
def codes(monkeypatch):
    """Code digests by what a test says of a function, so that these tests stand on calls alone."""
    said: dict[str, dict[str, str]] = {}
    monkeypatch.setattr(Caller, "code_parts", lambda caller: said.get(caller.name, {"m:f": "1"}))
    monkeypatch.setattr(Caller, "code", lambda caller: repr((caller.name, caller.code_parts())))
    return said


def counted(value=None):
    def function(a, b=2, *rest, c=3, **more):
        calls.append((a, b, rest, c, more))
        return [a, b] if value is None else value

    return function


# --- calls ----------------------------------------------------------------------------------


def test_an_equal_call_is_computed_once_however_it_is_written(cache):
    f = cache.memoize(counted())
    for result in (f(1), f(1, 2), f(a=1), f(b=2, a=1, c=3), f(1, c=3)):
        assert result == [1, 2]
    assert len(calls) == 1


@pytest.mark.parametrize(
    "other",
    [(True,), (1.0,), ("1",), ((1,),), ([1],), (1, 3), (1, 2, 5), (np.int64(1),)],
    ids=repr,
)
def test_a_different_call_is_computed(cache, other):
    f = cache.memoize(counted())
    f(1)
    f(*other)
    assert len(calls) == 2


def test_further_arguments_count_by_name(cache):
    f = cache.memoize(counted())
    f(1, x=1, y=2)
    f(1, y=2, x=1)
    assert len(calls) == 1
    f(1, x=2, y=1)
    assert len(calls) == 2


def test_arguments_that_do_not_fit_raise_what_the_function_would(cache):
    f = cache.memoize(lambda a: a)
    with pytest.raises(TypeError, match="missing a required argument: 'a'"):
        f()
    with pytest.raises(TypeError, match="unexpected keyword argument 'b'"):
        f(1, b=2)


def test_none_is_a_value(cache):
    @cache.memoize
    def f():
        calls.append(1)

    assert f() is None
    assert f() is None
    assert len(calls) == 1


def test_ignored_parameters_do_not_count(cache):
    f = cache.memoize(ignore=["b"])(counted("value"))
    assert f(1, threading.Lock()) == "value"
    assert f(1, 5) == "value"
    assert len(calls) == 1
    with pytest.raises(NotMemoizable, match="no parameter 'missing' to ignore; it has a, b, rest"):
        cache.memoize(ignore=["missing"])(counted())


def test_a_version_keeps_values_apart(cache):
    function = counted()
    cache.memoize(version="1")(function)(1)
    cache.memoize(version="2")(function)(1)
    cache.memoize(version="1")(function)(1)
    assert len(calls) == 2


def test_a_value_lasts_its_time(cache, clock):
    f = cache.memoize(ttl=10)(counted())
    f(1)
    clock.now += 9.9
    f(1)
    assert len(calls) == 1
    clock.now += 0.1
    assert f.explain(1).cause in ("expired", "never computed")
    assert not f.is_cached(1)
    f(1)
    assert len(calls) == 2


def test_an_exception_is_not_kept(cache):
    @cache.memoize
    def f(a):
        calls.append(a)
        raise KeyError(a)

    for _ in range(2):
        with pytest.raises(KeyError):
            f(1)
    assert len(calls) == 2
    assert cache.stats().misses == 2


def test_call_goes_round_the_cache(cache):
    f = cache.memoize(counted())
    f(1)
    f.call(1)
    assert len(calls) == 2
    assert not f.is_cached(9)
    f.call(9)
    assert not f.is_cached(9)


def test_clearing_concerns_this_function_alone(cache):
    def g(a):
        return a

    f, g = cache.memoize(counted()), cache.memoize(g)
    f(1)
    g(1)
    assert f.clear() == 1
    assert not f.is_cached(1)
    assert g.is_cached(1)


def test_the_key_is_that_of_the_entry(cache):
    f = cache.memoize(counted())
    f(1)
    assert cache.get(f.key_for(1)) == [1, 2]
    with pytest.raises(UncacheableArgument, match="argument 'a'"):
        f.key_for(threading.Lock())


# --- values ---------------------------------------------------------------------------------


def test_values_are_equal_and_writable_on_miss_and_hit_and_never_shared(cache):
    @cache.memoize
    def f():
        return {"array": np.arange(3.0), "list": [1]}

    for _ in range(3):
        value = f()
        assert value["list"] == [1]
        assert value["array"].tolist() == [0, 1, 2]
        value["array"] -= value["array"].mean()
        value["list"].append(2)


def test_a_live_object_of_the_function_is_not_what_hits_give(cache):
    live = [1]

    @cache.memoize
    def f():
        return live

    f()
    live.append(2)
    assert f() == [1]


def test_a_generator_gives_its_items_each_time(cache):
    @cache.memoize
    def f(n):
        calls.append(n)
        yield from range(n)

    for _ in range(2):
        items = f(3)
        assert next(items) == 0
        assert list(items) == [1, 2]
    assert calls == [3]


def test_an_argument_changed_by_the_function_keeps_the_value_out_with_a_word(cache):
    @cache.memoize
    def f(items):
        items.append(1)
        return len(items)

    with pytest.warns(RuntimeWarning, match="let it work on a copy"):
        assert f([]) == 1
    assert f([]) == 1
    assert cache.stats().bypassed == 2
    assert FUNCTION not in {info.method for info in cache.entries()}
    assert cache.stats().stored == 0


# --- what cannot be kept ----------------------------------------------------------------------


def test_an_argument_that_cannot_be_keyed_is_computed_and_named_once(cache):
    f = cache.memoize(counted())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            f(1, threading.Lock())
    assert len(calls) == 3
    assert cache.stats().bypassed == 3
    (warning,) = caught
    said = str(warning.message)
    assert said.startswith(f"BW201 cannot key argument 'b' of {FUNCTION}():")
    assert "lock" in said
    assert warning.filename == __file__
    assert f.explain(1, threading.Lock()).cause == "bypass"
    assert not f.is_cached(1, threading.Lock())


def test_a_value_that_cannot_be_stored_is_handed_out_and_named_once(cache):
    f = cache.memoize(counted(threading.Lock()))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert f(1) is f(1)
    assert len(calls) == 2
    assert cache.stats().bypassed == 2
    (warning,) = caught
    assert "function() was not cached: BW210" in str(warning.message)
    assert warning.filename == __file__


def test_a_missing_file_is_an_error(cache, tmp_path):
    with pytest.raises(MissingPath):
        cache.memoize(counted())(tmp_path / "none")


def test_a_path_counts_by_contents(cache, tmp_path):
    f = cache.memoize(lambda path: path.read_text())
    (tmp_path / "file").write_text("one")
    assert f(tmp_path / "file") == "one"
    (tmp_path / "file").write_text("two!")
    assert f(tmp_path / "file") == "two!"


def test_a_file_that_changes_during_the_call_keeps_the_value_out(cache, tmp_path):
    @cache.memoize
    def f(path):
        text = path.read_text()
        path.write_text(text + "longer")
        return text

    (tmp_path / "file").write_text("one")
    with pytest.warns(RuntimeWarning, match="changed during the call"):
        f(tmp_path / "file")
    assert FUNCTION not in {info.method for info in cache.entries()}
    assert cache.stats().stored == 0


def test_a_call_that_fills_a_global_is_kept_under_the_code_it_began_with(cache, codes):
    def function(rows):
        codes[name] = {"m:f": "1", "m:TABLE": "filled"}
        return sum(rows)

    name = f"{__name__}.{function.__qualname__}"
    f = cache.memoize(function)
    assert f([1, 2]) == 3
    codes.clear()  # as in a new process
    assert f.is_cached([1, 2])


async def coroutine():
    return 1


async def stream():
    yield 1


@pytest.mark.parametrize("function", [coroutine, stream])
def test_async_functions_are_refused_when_decorated(cache, function):
    with pytest.raises(NotMemoizable, match="is async"):
        cache.memoize(function)


@pytest.mark.parametrize("wrong", [property(len), 5, classmethod(len)])
def test_what_cannot_be_called_is_refused_when_decorated(cache, wrong):
    with pytest.raises(NotMemoizable, match="is not callable"):
        cache.memoize(wrong)


# --- methods --------------------------------------------------------------------------------


@pytest.fixture
def scaled(cache):
    @dataclasses.dataclass
    class Scaled:
        factor: int

        @cache.memoize
        def times(self, x):
            """Multiplies."""
            calls.append(x)
            return self.factor * x

        @staticmethod
        @cache.memoize
        def static(x):
            calls.append(x)
            return x

        @classmethod
        @cache.memoize
        def named(cls, x):
            calls.append(x)
            return cls.__name__ * x

    return Scaled


def test_a_method_counts_its_object_by_contents(scaled):
    assert scaled(3).times(2) == 6
    assert scaled(3).times(2) == 6
    assert calls == [2]
    one = scaled(4)
    assert one.times(2) == 8
    one.factor = 5
    assert one.times(2) == 10
    assert calls == [2, 2, 2]
    assert one.times.is_cached(2)
    assert one.times.explain(2).hit
    assert one.times.call(2) == 10
    assert scaled.times(one, 2) == 10
    assert one.times.key_for(2) == scaled.times.key_for(one, 2)
    assert one.times.__doc__ == "Multiplies."
    assert one.times.clear() > 0


def test_static_and_class_methods_are_memoized(scaled):
    for _ in range(2):
        assert scaled.static(2) == 2
        assert scaled(1).static(2) == 2
        assert scaled.named(2) == "ScaledScaled"
    assert len(calls) == 2


def test_an_object_without_contents_is_a_bypass(cache):
    class Opaque:
        def __init__(self):
            self.lock = threading.Lock()

        @cache.memoize
        def f(self):
            calls.append(1)
            return 1

    with pytest.warns(RuntimeWarning, match="argument 'self'"):
        assert Opaque().f() == 1
    assert cache.stats().bypassed == 1


# --- why ------------------------------------------------------------------------------------


def test_explain_tells_hit_from_each_kind_of_miss(cache, clock, codes):
    f = cache.memoize(ttl=50)(counted())
    name = FUNCTION
    codes[name] = {"m:f": "1", "m:helper": "1", "dist numpy": "2.0"}
    assert str(f.explain(1)) == "miss: never computed"
    f(1)
    assert str(f.explain(1)) == "hit"
    assert str(f.explain(2)) == "miss: argument changed (a)"
    assert str(f.explain(1, 5, c=9)) == "miss: argument changed (b, c)"
    codes[name] = {"m:f": "1", "m:helper": "2", "dist numpy": "2.0"}
    assert str(f.explain(1)) == "miss: code changed (m:helper changed)"
    f(1)
    codes[name] = {"m:f": "1", "m:helper": "1", "dist numpy": "2.0"}
    assert f.explain(1).hit
    clock.now += 50
    assert f.explain(1).cause == "expired"


def test_explaining_counts_no_request_and_computes_nothing(cache):
    f = cache.memoize(counted())
    f.explain(1)
    f.is_cached(1)
    assert calls == []
    stats = cache.stats()
    assert (stats.hits, stats.misses) == (0, 0)


def test_figures_are_kept_by_method(cache):
    f = cache.memoize(counted())
    f(1)
    f(1)
    f(1)
    figures = cache.stats().methods[FUNCTION]
    assert (figures.hits, figures.misses, figures.entries) == (2, 1, 1)
    assert figures.seconds_saved >= 0


# --- threads and recursion --------------------------------------------------------------------


def together(work, count=8):
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_threads_that_want_one_call_compute_it_once(cache):
    gate = threading.Barrier(8)
    values = []

    @cache.memoize
    def f(n):
        calls.append(n)
        return [n] * 100_000

    def work():
        gate.wait(10)
        values.append(f(1))

    together(work)
    assert calls == [1]
    assert len({id(value) for value in values}) == 8
    assert (cache.stats().hits, cache.stats().misses) == (7, 1)


def test_when_the_one_that_computes_fails_another_tries(cache):
    gate = threading.Barrier(4)
    outcomes = []

    @cache.memoize
    def f():
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError
        return "value"

    def work():
        gate.wait(10)
        try:
            outcomes.append(f())
        except RuntimeError:
            outcomes.append("failed")

    together(work, 4)
    assert sorted(outcomes) == ["failed", "value", "value", "value"]
    assert len(calls) == 2


def test_a_function_may_call_itself(cache):
    @cache.memoize
    def fib(n):
        calls.append(n)
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    assert fib(60) == 1548008755920
    assert len(calls) == 61


def test_a_call_that_needs_itself_ends_as_it_would_without_a_cache(cache):
    @cache.memoize
    def f(n):
        return f(n)

    with pytest.raises(RecursionError):
        f(1)


# --- as a function ----------------------------------------------------------------------------


def test_it_looks_like_the_function(cache):
    def named(a: int) -> str:
        """What it does."""
        return str(a)

    f = cache.memoize(named)
    assert (f.__name__, f.__doc__, f.__wrapped__) == ("named", "What it does.", named)
    assert repr(f) == f"<memoized {__name__}.{named.__qualname__}>"


@Cache().memoize
def at_module_level(a):
    return a


def test_it_is_pickled_by_name(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or _as_module())
    assert pickle.loads(pickle.dumps(at_module_level)) is at_module_level


def _as_module():
    import types

    module = types.ModuleType(__name__)
    module.at_module_level = at_module_level
    return module
